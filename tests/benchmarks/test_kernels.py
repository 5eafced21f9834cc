"""The kernels benchmark: what is compared, that wrong convolutions are noticed, what the probe says, the figures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bench_kernels as bench
from benchmarks.experiments import kernels as experiment
from benchmarks.formulas.convolution import BLUR, EDGE, as_layer, turned
from lecturebench import IdentityClaim, OrderClaim, Trained
from lecturebench.datasets import Dataset, load
from lecturebench.models.convolutional import small_cnn
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.training.fit import fit_network
from tests.benchmarks import drawn

LIMITS = {(claim.method, claim.metric): claim.tolerance for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)}
CHECKS = {"edge": experiment.edge, "blur": experiment.blur, "asymmetric": experiment.asymmetric}
needs_backend = pytest.mark.usefixtures("backend")


def coloured(n: int = 30, height: int = 9, width: int = 10, colours: int = 3) -> Dataset:
    return drawn.coloured(n, height, width, colours, seed=7)


@pytest.fixture(scope="module")
def digits(backend, own_cache):
    return load("digits")


def test_every_number_that_is_claimed_is_measured_and_every_check_claimed() -> None:
    assert set(LIMITS) == {
        *((name, metric) for name in CHECKS for metric in ("scipy", "sum")),
        *(("asymmetric", "turned"), ("edge", "constant"), ("blur", "mean")),
    }
    assert {place: limit for place, limit in LIMITS.items() if limit != 1e-6} == {("edge", "constant"): 0.0}
    orders = [(claim.order, claim.metric) for claim in bench.CLAIMS if isinstance(claim, OrderClaim)]
    assert orders == [(("first", "trained"), kind) for kind in ("edge", "blur", "oriented")]


@needs_backend
@pytest.mark.parametrize("size", [(8, 8), (9, 10), (28, 28), (32, 31)])
@pytest.mark.parametrize("name", CHECKS)
def test_keras_is_scipy_and_the_sum_within_what_is_claimed(name, size) -> None:
    for seed in range(3):
        values = CHECKS[name](coloured(20, *size), np.random.default_rng(seed)).values
        assert values["deviation"] == max(values["scipy"], values["sum"]) > 0
        assert all(values[metric] <= limit for (method, metric), limit in LIMITS.items() if method == name)


@needs_backend
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 12), st.integers(5, 12), st.sampled_from((EDGE, BLUR)))
def test_both_references_agree_on_any_image(seed, height, width, kernel) -> None:
    X = np.random.default_rng(seed).random((2, height, width, 1), np.float32)
    values = experiment.deviations(X, kernel)
    assert max(values.values()) < 1e-6
    assert abs(values["scipy"] - values["sum"]) < 1e-12


@needs_backend
@pytest.mark.parametrize("name", ["edge", "blur"])
def test_images_smaller_than_the_kernel_are_refused_by_their_shape(name) -> None:
    with pytest.raises(ValueError, match="the kernel 3 x 3 is larger than its input 2 x 9: padding 'valid' leaves"):
        CHECKS[name](coloured(height=2, width=9), np.random.default_rng(0))


@needs_backend
@pytest.mark.parametrize("name", CHECKS)
def test_convolution_that_is_wrong_by_little_is_noticed(name, monkeypatch) -> None:
    right = experiment.keras_conv
    monkeypatch.setattr(experiment, "keras_conv", lambda X, kernel, *how: right(X, kernel * (1 + 1e-5), *how))
    values = CHECKS[name](coloured(), np.random.default_rng(0)).values
    assert min(values["scipy"], values["sum"]) > 1e-6


@needs_backend
def test_turned_kernel_is_noticed_where_it_is_another_one_and_only_there(monkeypatch) -> None:
    right = experiment.keras_conv
    monkeypatch.setattr(experiment, "keras_conv", lambda X, kernel, *how: right(X, turned(kernel), *how))
    found = {name: check(coloured(), np.random.default_rng(0)).values for name, check in CHECKS.items()}
    assert found["asymmetric"]["deviation"] > 0.05
    assert found["asymmetric"]["turned"] > 0.05
    assert max(found["edge"]["deviation"], found["blur"]["deviation"]) < 1e-6


@needs_backend
def test_cross_correlation_and_convolution_are_far_apart_for_a_kernel_that_is_not_symmetric() -> None:
    values = experiment.asymmetric(coloured(), np.random.default_rng(0)).values
    assert values["apart"] > 0.05 > 1e-6 > values["turned"]


@needs_backend
def test_sum_of_edge_detection_that_is_not_zero_is_noticed(monkeypatch) -> None:
    assert experiment.edge(coloured(), np.random.default_rng(0)).values["constant"] == 0
    monkeypatch.setattr(experiment, "EDGE", EDGE + np.diag([0, 2.0**-10, 0]))
    assert experiment.edge(coloured(), np.random.default_rng(0)).values["constant"] == pytest.approx(255 / 2**10)


@needs_backend
def test_zeros_around_darken_a_white_image_by_a_known_share() -> None:
    white = coloured(4, 8, 10)
    white.test.X[:] = 255
    values = experiment.blur(white, np.random.default_rng(0)).values
    assert values["lost"] == pytest.approx(1 - (1 - 2 / 24) * (1 - 2 / 30), abs=1e-6)
    assert values["mean"] < 1e-6


def test_images_are_grey_in_the_unit_interval_and_follow_from_the_seed() -> None:
    dataset = coloured()
    X, again, other = (experiment.drawn(dataset, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert X.shape == (16, 9, 10, 1)
    assert X.dtype == np.float32
    assert 0 <= X.min() < X.max() <= 1
    assert np.array_equal(X, again)
    assert not np.array_equal(X, other)
    grey = np.asarray(dataset.test.X, float).mean(axis=3, keepdims=True) / 255
    assert all(np.abs(grey - image).max(axis=(1, 2, 3)).min() < 1e-6 for image in X)


@needs_backend
@pytest.mark.parametrize("colours", [1, 3])
def test_photographs_are_shown_with_their_edges_and_their_blur(colours) -> None:
    dataset = coloured(colours=colours)
    measured = experiment.photographs(dataset, np.random.default_rng(0))
    images, camera = measured.arrays["images"], measured.arrays["camera"]
    assert images.shape == (4, 3, 9, 10, colours)
    assert camera.shape == (3, 256, 256, 1)
    assert images.dtype == camera.dtype == np.uint8
    assert np.array_equal(images[:, 0], dataset.test.X[:4])
    x = images[:, 0].astype(float)
    window = x[1, 2:5, 3:6].sum(axis=(0, 1))  # around (3, 4)
    assert np.abs(images[1, 2, 3, 4] - window / 9).max() <= 0.5 + 1e-3
    assert np.abs(images[1, 1, 3, 4] - np.clip(9 * x[1, 3, 4] - window, 0, 255)).max() <= 0.5 + 1e-3
    assert 0.5 < measured.values["kept"] < 1
    assert 0.5 < measured.values["black"] < 1


@needs_backend
def test_row_of_first_weights_changes_none_and_training_starts_from_them(digits, backend) -> None:
    def kernels(training, seed):
        fitted = fit_network(
            small_cnn, {}, training, digits, seed=seed, steps_class=backend.Steps, probe=experiment.first_layer
        )
        return fitted.metrics["measured"], fitted.arrays["kernels"]

    still = type(bench.LEARNING)("sgd", 1e-30, batch_size=64, epochs=1, train_size=640)
    shares, first = kernels(bench.NOTHING, 3)
    np.testing.assert_array_equal(first, kernels(still, 3)[1])
    assert (first != kernels(bench.NOTHING, 4)[1]).any()
    assert shares.keys() == {"oriented", "blur", "edge"}
    assert first.shape == (3, 3, 1, 16)


def test_probe_says_shares_and_keeps_the_first_layer() -> None:
    W = np.concatenate([as_layer(EDGE / np.linalg.norm(EDGE)), 2 * as_layer(3 * BLUR)], axis=3)  # energies 1 and 4
    measured = experiment.first_layer(Trained([W, np.zeros(2)], [], max), None)
    values = measured.values
    assert values["edge"] == pytest.approx(1 / 5)
    assert values["blur"] == pytest.approx(4 / 5)
    assert values["oriented"] == pytest.approx(0)
    assert measured.arrays["kernels"] is W


@needs_backend
@pytest.mark.parametrize("colours", [1, 3])
def test_figures_show_the_pictures_and_the_kernels(colours) -> None:
    styles = method_styles(method.name for method in bench.METHODS)
    photographs = experiment.photographs(coloured(colours=colours), np.random.default_rng(0))
    run = SimpleNamespace(value=photographs.values.get)
    rows = {"photographs": Series("", styles["photographs"], [run], lambda run: photographs.arrays)}
    rng = np.random.default_rng(1)
    for name in ("first", "trained"):
        drawn = (rng.normal(size=(3, 3, colours, 16)) for _ in range(2))
        probed = [experiment.first_layer(Trained([W], [], max), None) for W in drawn]
        runs = [SimpleNamespace(value=each.values.get, arrays=each.arrays) for each in probed]
        rows[name] = Series(name, styles[name], runs, lambda run: run.arrays)
    words = {}
    with styled():
        for drawing in bench.DRAWINGS:
            figure = blank(*drawing.size)
            words[drawing.name] = drawing.draw(figure, {name: rows[name] for name in drawing.methods})
    assert f"leaves {100 * photographs.values['black']:.0f}% of the photograph nearly black" in words["photographs"]
    share = 100 * rows["trained"].values("edge").mean()
    assert f"{share:.0f}% after training, 11% by chance; blur" in words["learned"]
    shown = figure.subfigs[0].axes[0].images[0].get_array()
    W = rows["first"].array("kernels")[0, :, 0, :, 9]  # (3, c)
    assert np.array_equal(np.sign(shown[4:7, 4, :3] - 0.5), np.sign(W * np.ones(3)))
