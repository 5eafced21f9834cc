"""The pooling benchmark: the slide's example, what is measured in networks and between them, rows, claims, figures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import bench_pooling as bench
from benchmarks.experiments import pooling as experiment
from benchmarks.formulas.convolution import correlate
from benchmarks.formulas.pooling import operations, sharpness
from lecturebench import EquivalenceClaim, IdentityClaim, Network, OrderClaim, Trained
from lecturebench.datasets import Dataset, load
from lecturebench.models.convolutional import pooled_cnn
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.training.fit import fit_network
from tests.benchmarks.drawn import coloured

needs_backend = pytest.mark.usefixtures("backend")
every_way = pytest.mark.parametrize("pooling", bench.TITLES)


def drawn(n: int = 60, height: int = 8, width: int = 9, colours: int = 1) -> Dataset:
    return coloured(n, height, width, colours, seed=5)


@pytest.fixture(scope="module")
def digits(backend, own_cache):
    return load("digits")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small training sets, and few of them."""
    for name, value in {"MEMBERS": 2, "SUBSET": 40, "EPOCHS": 2, "SEEN": 50, "BATCH": 8}.items():
        monkeypatch.setattr(experiment, name, value)


@needs_backend
def test_example_is_exact_by_keras_and_by_the_formula_and_a_wrong_one_is_noticed(monkeypatch) -> None:
    values = experiment.example(drawn(), np.random.default_rng(0)).values
    assert values == dict.fromkeys(("deviation", "max", "max_formula", "average", "average_formula"), 0.0)
    monkeypatch.setitem(experiment.ANSWERS, "average", np.array([[4.25, 4.25], [4.25, 3.25]]))
    values = experiment.example(drawn(), np.random.default_rng(0)).values
    assert (values["max"], values["average"], values["average_formula"]) == (0, 0.25, 0.25)


def test_slides_example_is_claimed_without_tolerance() -> None:
    exact = [claim for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)]
    assert {claim.metric for claim in exact} == {"max", "max_formula", "average", "average_formula"}
    assert {claim.tolerance for claim in exact} == {0.0}
    assert {claim.slide for claim in exact if claim.metric.startswith("max")} == {"Max Pooling"}


def test_claims_are_what_the_slides_say_and_three_of_the_literature() -> None:
    orders = {(claim.order, claim.metric) for claim in bench.CLAIMS if isinstance(claim, OrderClaim)}
    cost = {((name, "none"), metric) for name in ("max", "average") for metric in ("operations", "seconds")}
    variance = {
        ((f"{name}_variance", "none_variance"), metric)
        for name in ("max", "average")
        for metric in ("variance", "disagreement")
    }
    sharp = {(("average", "max"), "sharpness"), (("average_images", "max_images"), "sharpness")}
    smooth = {(("average", "strided"), "sharpness"), (("average_images", "strided_images"), "sharpness")}
    rest = {(("max", "none"), "changed"), (("max", "average"), "error")}
    assert orders == cost | variance | sharp | smooth | rest
    [alike] = [claim for claim in bench.CLAIMS if isinstance(claim, EquivalenceClaim)]
    assert (alike.pair, alike.tolerance) == (("max", "strided"), 0.01)


def test_networks_differ_in_their_pooling_alone() -> None:
    networks = [method for method in bench.METHODS if isinstance(method, Network)]
    assert [dict(method.parameters) for method in networks] == [{"pooling": name} for name in bench.TITLES]
    assert {id(method.training) for method in networks} == {id(bench.TRAINING)}
    assert [method.probe.keywords["pooling"] for method in networks] == list(bench.TITLES)
    assert bench.TRAINING.train_size * (1 - bench.TRAINING.validation) == 10_000


def test_sharpness_of_images_is_that_of_the_same_ones_for_every_pooling() -> None:
    dataset = drawn()
    X = np.asarray(dataset.test.X) / 255
    for name, passes in experiment.PASSES.items():
        values = experiment.images(dataset, np.random.default_rng(0), pooling=name).values
        assert values["sharpness"] == pytest.approx(sharpness(passes(X)) / sharpness(X), rel=1e-5)
        assert values["inverted"] == pytest.approx(sharpness(passes(1 - X)) / sharpness(X), rel=1e-5)


def test_max_pooling_keeps_a_bright_line_and_loses_a_dark_one() -> None:
    dataset = drawn(4, 8, 8)
    dataset.test.X[:] = 0
    dataset.test.X[:, :, 3] = 255
    values = experiment.images(dataset, np.random.default_rng(0), pooling="max").values
    assert values["sharpness"] > 0.9
    assert values["inverted"] == 0


@pytest.mark.parametrize(("down", "right"), experiment.SHIFTS)
def test_shift_moves_every_pixel_by_one_and_lets_zeros_in(down, right) -> None:
    X = np.arange(1, 25).reshape(1, 4, 6, 1)
    moved = experiment.moved(X, down, right)
    assert moved.shape == X.shape
    for i in range(4):
        for j in range(6):
            row, column = i - down, j - right
            inside = 0 <= row < 4 and 0 <= column < 6
            assert moved[0, i, j, 0] == (X[0, row, column, 0] if inside else 0)


def test_changed_counts_predictions_that_a_shift_changes() -> None:
    dataset = drawn()
    weights = [np.ones((3, 3, 1, 16)), np.zeros(16), np.ones((3, 3, 16, 32)), np.zeros(32), None, None]

    def changed(outputs) -> float:
        return experiment.inside(Trained(weights, [], outputs), dataset, pooling="max")["changed"]

    assert changed(lambda X: np.tile([0.0, 1.0], (len(X), 1))) == 0
    # The class is whether the first column is empty: so it is after one shift of the four, and never before.
    dataset.test.X[:, :, 0] = 9
    assert changed(lambda X: np.eye(2)[(X[:, :, 0] == 0).all(axis=(1, 2)).astype(int)]) == 1 / 4


@needs_backend
@every_way
def test_probe_looks_at_the_trained_first_layer(pooling, digits, backend) -> None:
    kept = {}

    def probe(trained, dataset):
        kept["weights"] = [np.array(array) for array in trained.weights]
        return experiment.inside(trained, dataset, pooling=pooling)

    training = type(bench.TRAINING)("adam", 0.001, batch_size=64, epochs=1, train_size=256)
    measured = fit_network(
        pooled_cnn, {"pooling": pooling}, training, digits, seed=0, steps_class=backend.Steps, probe=probe
    ).metrics["measured"]
    W, w = kept["weights"][:2]
    maps = np.maximum(correlate(np.asarray(digits.test.X) / digits.scale, W, "same") + w, 0)
    expected = sharpness(experiment.PASSES[pooling](maps)) / sharpness(maps)
    assert measured["sharpness"] == pytest.approx(expected, rel=1e-4)
    assert measured["operations"] == operations((8, 8, 1), (16, 32), 10, pooling) / 1e6
    assert 0 <= measured["changed"] < 1
    assert measured["seconds"] > 0


@needs_backend
@every_way
def test_networks_of_several_training_sets_are_trained_from_scratch_and_follow_from_the_seed(pooling, quick) -> None:
    dataset = drawn()
    X = experiment.in_unit_interval(dataset, np.arange(50))

    def predicted(*seeds: int) -> list[np.ndarray]:
        rngs = [np.random.default_rng(seed) for seed in seeds]
        return [outputs(X) for outputs in experiment.trained(dataset, rngs, pooling)]

    first, second = predicted(0, 1)
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(predicted(1)[0], second, atol=1e-5)  # whatever was trained before it
    values = experiment.several(dataset, np.random.default_rng(3), pooling=pooling).values
    assert values == experiment.several(dataset, np.random.default_rng(3), pooling=pooling).values
    assert 0 < values["variance"] < 1


@needs_backend
def test_every_pooling_is_trained_on_the_same_images_in_the_same_order(quick, monkeypatch) -> None:
    import keras

    seen: dict[str, list[np.ndarray]] = {}
    monkeypatch.setattr(keras.Sequential, "fit", lambda self, X, y, **how: seen[pooling].append(X))
    for pooling in ("max", "strided"):
        seen[pooling] = []
        list(experiment.trained(drawn(), np.random.default_rng(0).spawn(2), pooling))
    assert [X.shape for X in seen["max"]] == [(2 * 40, 8, 9, 1)] * 2
    assert all(np.array_equal(one, other) for one, other in zip(seen["max"], seen["strided"], strict=True))
    assert not np.array_equal(*seen["max"])


@pytest.mark.parametrize("colours", [1, 3])
def test_contact_sheet_has_every_image_and_its_edges_before_and_after(colours) -> None:
    arrays = experiment.pictures(drawn(colours=colours), np.random.default_rng(0)).arrays
    full, pooled = arrays["full"], arrays["pooled"]
    assert full.shape == (2, 2, 8, 9)
    assert pooled.shape == (2, 2, 3, 4, 4)
    assert full.min() == 0
    np.testing.assert_allclose(full.max(axis=(2, 3)), 1)
    np.testing.assert_allclose(pooled[:, :, 0], full[:, :, :8:2, :8:2], atol=1e-7)
    blocks = full[:, :, :8, :8].reshape(2, 2, 4, 2, 4, 2)
    np.testing.assert_allclose(pooled[:, :, 1], blocks.max(axis=(3, 5)), atol=1e-6)
    np.testing.assert_allclose(pooled[:, :, 2], blocks.mean(axis=(3, 5)), atol=1e-6)


def test_figures_say_every_mean() -> None:
    styles = method_styles(method.name for method in bench.METHODS)
    arrays = experiment.pictures(drawn(), np.random.default_rng(0)).arrays
    rows = {"pictures": Series("", styles["pictures"], [SimpleNamespace()], lambda run: arrays)}
    for k, name in enumerate(bench.TITLES):
        for row in (name, f"{name}_images", f"{name}_variance"):
            numbers = {"changed": 0.05, "sharpness": 1.5, "operations": 1.0 + k, "seconds": 2.0}
            numbers |= {"variance": 0.01 * (k + 1), "disagreement": 0.2}
            runs = [
                SimpleNamespace(value=(numbers | {"error": 0.1 + 0.01 * k + 0.002 * seed}).get) for seed in range(3)
            ]
            rows[row] = Series(row, styles[row], runs)
    words = {}
    with styled():
        for drawing in bench.DRAWINGS:
            figure = blank(*drawing.size)
            words[drawing.name] = drawing.draw(figure, {name: rows[name] for name in drawing.methods})
            assert len(figure.axes) == {"pictures": 16, "slides": 4, "network": 4}[drawing.name]
    assert words["pictures"].startswith("2 images and their edges")
    assert "test error, %: Max pooling 10.2%, Average pooling 11.2%, Stride 2 12.2%" in words["network"]
    assert "variance: probabilities: Max pooling 0.010, Average pooling 0.020" in words["slides"]
