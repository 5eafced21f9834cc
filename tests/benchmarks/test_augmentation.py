"""Random crops on the benchmark's side: the definition, what is compared, and the figures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import bench_augmentation as bench
from benchmarks.experiments.crops import contact_sheet
from benchmarks.formulas.crops import window
from lecturebench import Network, OrderClaim, selection
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


def test_window_is_the_formula_pixel_by_pixel():
    x = np.random.default_rng(0).random((4, 5, 2))
    crop = window(x, 2, 1, 4)
    for i in range(4):
        for j in range(5):
            row, column = i + 1 - 2, j + 4 - 2
            inside = 0 <= row < 4 and 0 <= column < 5
            assert np.array_equal(crop[i, j], x[row, column] if inside else [0, 0])
    assert np.array_equal(window(x, 2, 1, 4, mirrored=1), crop[:, ::-1])


def test_contact_sheet_has_an_image_of_each_class_and_its_crops(digits):
    measured = contact_sheet(digits, np.random.default_rng(0), paddings=(2, 4), epochs=3)
    sheet = measured.arrays["crops"]
    assert sheet.shape == (10, 1 + 2 * 3, 8, 8)
    assert sheet.dtype == np.uint8
    first = np.asarray(digits.train.X)[[np.argmax(digits.train.y == label) for label in range(10)]]
    assert np.array_equal(sheet[:, 0], np.rint(first[..., 0] * (255 / digits.scale)))
    lost = []
    for line in sheet:
        for i, crop in enumerate(line[1:]):
            padding = (2, 4)[i // 3]
            offsets = range(2 * padding + 1)
            cuts = [window(line[0][..., None], padding, r, c)[..., 0] for r in offsets for c in offsets]
            assert any(np.array_equal(crop, cut) for cut in cuts)
            lost.append(1 - crop.sum() / line[0].sum())
    assert measured.values["lost"] == pytest.approx(np.mean(lost), abs=0.01)


def test_rate_falls_to_zero_and_five_seeds_are_fitted():
    assert {method.training.schedule.kind for method in NETWORKS.values()} == {"cosine"}
    assert bench.BENCHMARK.profiles["lecture"].seeds == 5


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
        selection.requests(
            [benchmark],
            profile="smoke",
            backend="tensorflow",
            device="cpu",
            methods=[flips[0]],
            dataset="digits",
            say=print,
        )
    assert str(refused.value) == f"{flips[0]} cannot be fitted on 'digits': choose fashion_mnist, cifar10"


def record(method, seed, **metrics):
    fitted = {"1000": 1_000, "10000": 10_000, "all": 48_000}.get(method.name.rpartition("_")[2], 0)
    return Record(
        *("k", "benchmarks", "augmentation", method.name, {"n_train": fitted}, "lecture", "tensorflow", "cpu"),
        *(seed, "judged", "ok", {}),
        metrics=metrics,
    )


def test_figures_show_the_sheet_and_every_runs_error(digits):
    styles = method_styles(method.name for method in bench.METHODS)
    rows = {}
    for i, method in enumerate(NETWORKS.values()):
        runs = [record(method, seed, test={"error": 0.01 * (i + 1) + 0.001 * seed}) for seed in (0, 1, 2)]
        rows[method.name] = Series(method.title, styles[method.name], runs)
    sheet, size = bench.DRAWINGS
    measured = contact_sheet(digits, np.random.default_rng(0), **bench.BENCHMARK.method("sheet").parameters)
    with styled():
        figure = blank(*sheet.size)
        words = sheet.draw(figure, {"sheet": SimpleNamespace(array=lambda name: measured.arrays[name][None])})
        assert words.startswith("Crops: 10 lines of 9 images, image; crop 2 epoch 1;")
        figure = blank(*size.size)
        words = size.draw(figure, {name: rows[name] for name in size.methods})
    assert "No crop 1.10% with 1,000, 4.10% with 10,000, 7.10% with 48,000" in words
    assert sum(len(line.get_xdata()) == 3 and len(set(line.get_xdata())) == 1 for line in figure.axes[0].lines) == 9
