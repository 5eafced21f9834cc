"""Random crops on the benchmark's side: the definition, what each number notices, what is compared, and the figures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import bench_augmentation as bench
from lecturebench import Experiment, IdentityClaim, Network, OrderClaim, session
from lecturebench.datasets import load
from lecturebench.declare.suites import discover
from lecturebench.errors import UsageError
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record

NETWORKS = {method.name: method for method in bench.METHODS if isinstance(method, Network)}


@pytest.fixture(scope="module")
def digits(backend, own_cache):
    return load("digits")


def windows_of(digits, padding=2, steps=20, epochs=3):
    """What the experiment finds on a small sample."""
    return bench.drawn_windows(digits, np.random.default_rng(0), padding, steps=steps, epochs=epochs)


def test_window_is_the_formula_pixel_by_pixel():
    x = np.random.default_rng(0).random((4, 5, 2))
    crop = bench.window(x, 2, 1, 4)
    for i in range(4):
        for j in range(5):
            row, column = i + 1 - 2, j + 4 - 2
            inside = 0 <= row < 4 and 0 <= column < 5
            assert np.array_equal(crop[i, j], x[row, column] if inside else [0, 0])
    assert np.array_equal(bench.window(x, 2, 1, 4, mirrored=1), crop[:, ::-1])


@pytest.mark.parametrize("padding", [2, 4])
def test_every_statement_on_windows_holds(digits, padding):
    found = windows_of(digits, padding)
    claims = [claim for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)]
    assert {claim.metric for claim in claims} == set(found.values)
    for claim in claims:
        assert 0 <= found.values[claim.metric] <= claim.tolerance
    assert found.values["chi_square"] > 0.1
    shares = [point["share"] for point in found.curve]
    assert len(shares) == (2 * padding + 1) ** 2
    assert np.mean(shares) == pytest.approx(1)


def skewed(draw):
    """One column is never drawn."""

    def biased(layer, steps, batch, rng):
        windows = draw(layer, steps, batch, rng)
        return np.where(windows == [9, 0, 9], [0, 1, 0], windows)

    return biased


def unseeded(draw):
    """Windows that the seed does not decide."""
    own = np.random.default_rng()
    return lambda layer, steps, batch, rng: draw(layer, steps, batch, own)


def still(draw):
    """The same windows in every epoch."""
    return lambda layer, steps, batch, rng: draw(layer, steps, batch, np.random.default_rng(3))


def by_kind(draw):
    """All offsets before all mirrors, as many at once as are asked for."""

    def mixed(layer, steps, batch, rng):
        offsets = rng.integers(0, 2 * layer.padding + 1, (steps, batch, 2))
        return np.concatenate([offsets, rng.integers(0, 2, (steps, batch, 1))], axis=2).astype(np.int32)

    return mixed


@pytest.mark.parametrize(
    ("wrong", "noticed"),
    [
        (skewed, {"chi_square", "unseen_offsets"}),
        (unseeded, {"differing_bytes", "differing_windows"}),
        (still, {"equal_epochs", "differing_windows"}),
        (by_kind, {"differing_windows"}),
    ],
)
def test_each_number_notices_the_windows_that_it_is_about(digits, monkeypatch, wrong, noticed):
    from lecturebench.models.layers import RandomCrop

    monkeypatch.setattr(RandomCrop, "draw", wrong(RandomCrop.draw))
    found = windows_of(digits)
    limits = {claim.metric: claim.tolerance for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)}
    assert {name for name, value in found.values.items() if value > limits[name]} == noticed


def test_pixel_that_is_not_copied_is_noticed(digits, monkeypatch):
    monkeypatch.setattr(bench, "cropped", lambda *given, cropped=bench.cropped: np.float32(1 - 1e-6) * cropped(*given))
    assert 0 < windows_of(digits).values["deviation"] < 1e-5
    assert bench.contact_sheet(digits, np.random.default_rng(0), (2,), 1).values["deviation"] > 0


def test_contact_sheet_has_an_image_of_each_class_and_a_window_for_each_crop(digits):
    found = bench.contact_sheet(digits, np.random.default_rng(0), (2, 4), 3)
    assert found.values["deviation"] == 0
    size, *points = found.curve
    assert size == {"height": 8, "width": 8, "images": 10}
    first = np.asarray(digits.train.X)[[np.argmax(digits.train.y == label) for label in range(10)]]
    images = np.zeros((10, 8, 8))
    for point in points:
        for column in range(8):
            if "line" in point:
                images[int(point["image"]), int(point["line"]), column] = point.get(str(column), 0)
    assert np.array_equal(images, np.rint(first[..., 0] * (255 / digits.scale)))
    places = [point for point in points if "padding" in point]
    assert len(places) == 10 * 2 * 3
    assert max(place["row"] for place in places if place["padding"] == 2) == 4
    assert max(place["column"] for place in places if place["padding"] == 4) == 8


def test_rows_of_a_size_differ_in_their_crop_alone():
    for size, fitted in (("1000", 1_000), ("10000", 10_000), ("all", 48_000)):
        methods = {name.removesuffix(f"_{size}"): m for name, m in NETWORKS.items() if name.endswith(f"_{size}")}
        crops = {name: dict(method.parameters) for name, method in methods.items()}
        assert crops == {
            "plain": {"crop": 0},
            "crop2": {"crop": 2},
            "crop4": {"crop": 4},
            "crop2_flip": {"crop": 2, "flip": True},
        }
        assert len({str(method.training) for method in methods.values()}) == 1
        training = NETWORKS[f"plain_{size}"].training
        assert (training.train_size or 60_000) * (1 - training.validation) == fitted


def test_claims_compare_crops_with_none_at_each_size():
    orders = [claim.order for claim in bench.CLAIMS if isinstance(claim, OrderClaim)]
    assert orders == [(f"crop2_{size}", f"plain_{size}") for size in ("1000", "10000", "all")]


def test_mirrored_digits_are_refused_in_one_line(digits):
    flips = [name for name, method in NETWORKS.items() if method.parameters.get("flip")]
    assert len(flips) == 3
    assert all(NETWORKS[name].datasets == ("fashion_mnist", "cifar10") for name in flips)
    benchmark = discover()["augmentation"]
    with pytest.raises(UsageError) as refused:
        session.requests(
            [benchmark], profile="smoke", backend="tensorflow", device="cpu", methods=[flips[0]], dataset="digits"
        )
    assert str(refused.value) == f"{flips[0]} cannot be fitted on 'digits': choose fashion_mnist, cifar10"


def record(method, seed, curve=(), **metrics):
    fitted = {"1000": 1_000, "10000": 10_000, "all": 48_000}.get(method.name.rpartition("_")[2], 0)
    return Record(
        *("k", "benchmarks", "augmentation", method.name, {"n_train": fitted}, "lecture", "tensorflow", "cpu"),
        *(seed, "judged", "ok", {}),
        curve=list(curve),
        metrics=metrics,
    )


def test_figures_show_the_crops_of_the_record_and_every_runs_error(digits):
    styles = method_styles(method.name for method in bench.METHODS)
    rows = {}
    for i, method in enumerate(bench.METHODS):
        if isinstance(method, Experiment):
            if method.name == "sheet":
                found = bench.contact_sheet(digits, np.random.default_rng(0), (2, 4), 3)
            else:
                found = windows_of(digits, method.parameters["padding"])
            runs = [record(method, 0, found.curve, measured=dict(found.values))]
        else:
            runs = [record(method, seed, test={"error": 0.01 * (i + 1) + 0.001 * seed}) for seed in (0, 1, 2)]
        rows[method.name] = Series(method.title, styles[method.name], runs)
    with styled():
        figure = blank(5.6, 5.2)
        words = bench.draw_sheet(figure, rows)
        assert words.startswith("Images of 10 classes and their crops in epochs 1 to 3")
        shown = figure.axes[0].images[0].get_array()
        assert shown.shape[0] == 10 * 8 + 9 * 2
        first = np.rint(digits.train.X[int(np.argmax(digits.train.y == 0))][..., 0] * (255 / digits.scale))
        assert np.array_equal(shown[:8, :8], first)
        place = next(point for point in rows["sheet"].runs[0].curve if "padding" in point)
        crop = bench.window(first[..., None], 2, int(place["row"]), int(place["column"]))[..., 0]
        assert np.array_equal(shown[:8, 12:20], crop)
        figure = blank(5.6, 4.1)
        words = bench.draw_size(figure, rows)
    assert "No crop 1.10% with 1,000, 4.10% with 10,000, 7.10% with 48,000" in words
    assert sum(len(line.get_xdata()) == 3 and len(set(line.get_xdata())) == 1 for line in figure.axes[0].lines) == 9
