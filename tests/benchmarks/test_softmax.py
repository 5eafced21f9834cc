"""The softmax benchmark: its references against closed forms, and that it notices an implementation that is wrong."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks import bench_softmax as bench
from benchmarks.experiments import softmax as experiment
from benchmarks.formulas import softmax as formulas
from benchmarks.formulas.softmax import cross_entropy, softmax
from lecturebench.datasets import Dataset
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles
from tests.benchmarks.drawn import images

PRECISIONS = ("float32", "float64")
EPSILONS = {"deviation": 10, "extreme": 10, "likelihood": 128, "extreme_loss": 128}  # what rounding leaves, by number
PRECISION = {"numpy": "float64", "keras": "float32"}
PROBABILITIES = {"numpy": softmax, "keras": experiment.keras_probabilities}


def random_images(n: int, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    return images(rng.integers(0, 256, (n, 6, 6, 1), dtype=np.uint8), rng.integers(0, 10, n))


def random_z(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 10)), rng.integers(0, 10, n)


def log_loss(Z: np.ndarray, y: np.ndarray) -> float:
    from scipy.special import log_softmax

    return float(-log_softmax(Z.astype(float), axis=1)[np.arange(len(y)), y].mean())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little of the slow reference."""
    monkeypatch.setattr(experiment, "GRID", (1.0, 100.0, 1e4))
    monkeypatch.setattr(experiment, "DRAWN", 5)
    monkeypatch.setattr(experiment, "EXACT", 20)


def test_z_is_an_intercept_and_a_linear_combination_of_pixels_divided_by_255() -> None:
    X = np.zeros((3, 2, 2, 1), np.uint8)
    X[1, 0, 1, 0], X[2, 0, 1, 0] = 255, 51
    Z, y = experiment.random_outputs(images(X, np.array([4, 0, 9])), np.random.default_rng(3))
    assert Z.shape == (3, 10)
    assert y.tolist() == [4, 0, 9]
    weights, intercepts = Z[1] - Z[0], Z[0]
    assert np.ptp(intercepts) > 0.1
    np.testing.assert_allclose(Z[2], intercepts + weights / 5, rtol=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=50, deadline=None)
@given(arrays(np.int64, (4, 10), elements=st.integers(-50, 50)), st.floats(1, 1e4))
def test_scaled_z_has_the_largest_absolute_value_asked_for_and_it_is_positive(precision, Z, largest) -> None:
    Z[0, 0] = Z[0, 0] or -1  # so that there is something to scale
    at = experiment.scaled(Z / 8, largest, precision)
    assert at.dtype == precision
    assert at.max() == np.abs(at).max() == pytest.approx(largest, rel=experiment.EPSILON[precision])
    factor = np.abs(Z).max() / largest * np.sign(Z.flat[np.abs(Z).argmax()])
    np.testing.assert_allclose(at * factor, Z, rtol=4 * experiment.EPSILON[precision])


def test_epsilons_are_those_of_numpy() -> None:
    assert {name: np.finfo(name).eps for name in PRECISIONS} == experiment.EPSILON


def test_exact_probabilities_of_logarithms_are_shares() -> None:
    Z = np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 3.0]])
    np.testing.assert_allclose(formulas.exact_probabilities(Z), [[1 / 8, 2 / 8, 5 / 8], [1 / 3] * 3], rtol=1e-15)


def test_exact_probabilities_neither_overflow_nor_underflow_together() -> None:
    f = formulas.exact_probabilities(np.array([[1e4, 1e4, 0.0], [-1e4, -1e4, -1e4 - math.log(2)]]))
    np.testing.assert_allclose(f, [[0.5, 0.5, 0], [0.4, 0.4, 0.2]], rtol=1e-11)  # 1e4 + log 2 is rounded to 2e-12


def test_printed_formula_is_the_softmax_where_it_gives_numbers() -> None:
    Z, _ = random_z()
    np.testing.assert_allclose(formulas.as_printed(Z), formulas.exact_probabilities(Z), rtol=1e-14)
    assert formulas.as_printed(Z.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("precision", PRECISIONS)
def test_largest_finite_z_is_followed_by_a_float_that_overflows(precision: str) -> None:
    t = np.dtype(precision).type(formulas.largest_finite(precision))
    zeros = np.zeros(9, precision)
    after = np.nextafter(t, np.dtype(precision).type(np.inf))
    assert np.isfinite(formulas.as_printed(np.array([[t, *zeros]], precision))).all()
    assert not np.isfinite(formulas.as_printed(np.array([[after, *zeros]], precision))).all()
    assert math.exp(float(t) - 1e-5) < np.finfo(precision).max


def test_multinomial_loss_is_minus_the_mean_log_probability_of_the_labels() -> None:
    Z = np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 3.0]])
    expected = (math.log(8 / 5) + math.log(3)) / 2
    assert experiment.scipy_loss(Z, np.array([2, 0])) == pytest.approx(expected, rel=1e-14)


def test_multinomial_loss_is_the_one_of_log_softmax() -> None:
    Z, y = random_z(seed=4)
    assert experiment.scipy_loss(10 * Z, y) == pytest.approx(log_loss(10 * Z, y), rel=1e-13)


def test_lead_loss_is_the_cross_entropy_where_one_z_leads_and_only_there() -> None:
    Z, y = random_z(seed=5)
    Z = experiment.scaled(Z, 1e4, "float64")
    leads = experiment.clear(Z)
    assert 0.5 < leads.mean() < 1
    assert experiment.lead_loss(Z[leads], y[leads]) == pytest.approx(log_loss(Z[leads], y[leads]), rel=1e-15)
    tie = np.array([[50.0, 50.0, 0.0], [50.0, 11.0, 0.0], [50.0, 9.0, 0.0]])
    assert experiment.clear(tie).tolist() == [False, False, True]
    assert experiment.lead_loss(tie[:1], np.array([2])) == 50 != pytest.approx(log_loss(tie[:1], np.array([2])))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_deviation_is_infinite_where_a_number_is_not_finite(wrong: float) -> None:
    assert experiment.largest_deviation(np.array([1.0, wrong]), 1.0) == math.inf
    assert experiment.largest_share(np.array([1.0, wrong]), np.ones(2)) == math.inf


def test_deviation_is_the_largest_absolute_one_and_share_the_largest_relative_one() -> None:
    values, expected = np.array([1.0, 10.5]), np.array([0.8, 10.0])
    assert experiment.largest_deviation(values, expected) == pytest.approx(0.5)
    assert experiment.largest_share(values, expected) == pytest.approx(0.25)
    assert experiment.largest_share(np.array([0.9]), 1.0) == pytest.approx(0.1)


def test_losses_are_compared_batch_by_batch() -> None:
    sizes = []

    def loss(Z: np.ndarray, y: np.ndarray) -> float:
        sizes.append(len(y))
        return 1.0 if len(sizes) < 3 else 1.5

    Z, y = random_z(300)
    assert experiment.largest_of_batches(loss, lambda Z, y: 1.0, Z, y) == pytest.approx(0.5)
    assert sizes == [128, 128, 44]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("row", PRECISION)
def test_every_deviation_is_what_rounding_leaves(row: str, seed: int, quick, backend) -> None:
    function = {"numpy": experiment.numpy_softmax, "keras": experiment.keras_softmax}[row]
    values = function(random_images(300, seed), np.random.default_rng(seed)).values
    epsilon = experiment.EPSILON[PRECISION[row]]
    assert {name: values[name] for name, count in EPSILONS.items() if values[name] > count * epsilon} == {}


@pytest.mark.parametrize("row", PRECISION)
def test_probabilities_stay_bit_for_bit_where_a_constant_is_added_exactly(row: str, backend) -> None:
    # Z in steps of 2^-10, and Z + c for a whole c up to 1000, need at most 20 of float32's 24 bits.
    Z = experiment.scaled(random_z()[0], 10, PRECISION[row])
    Z = np.asarray(np.rint(Z * 1024) / 1024, dtype=PRECISION[row])
    for c in (1, 10, 100, 1000):
        shifted = PROBABILITIES[row](Z + Z.dtype.type(c))
        np.testing.assert_array_equal(shifted, PROBABILITIES[row](Z))


@pytest.mark.parametrize("c", [0.1, 1.0, 10.0, 100.0, 1000.0])
@pytest.mark.parametrize("row", PRECISION)
def test_probabilities_change_with_a_constant_by_what_rounding_it_allows(row: str, c: float, backend) -> None:
    # Rounding Z + c moves log f by up to |Z| + c epsilons; Z less its largest, up to 2 |Z|, by 2 |Z| before and after;
    # exp, sum and division by the rest.
    Z = experiment.scaled(random_z()[0], 10, PRECISION[row])
    share = experiment.largest_share(PROBABILITIES[row](Z + Z.dtype.type(c)), PROBABILITIES[row](Z))
    allowed = (c + 5 * 10 + 2 * 10) * experiment.EPSILON[PRECISION[row]]
    assert share <= allowed
    if c == 1000:
        assert share > allowed / 100


def test_claims_are_of_keras_and_each_formula_is_counted_once() -> None:
    assert [(claim.method, claim.metric) for claim in bench.CLAIMS] == [
        ("keras", "extreme"), ("keras", "likelihood"), ("keras", "extreme_loss"),
    ]  # fmt: skip
    for claim in bench.CLAIMS:
        assert claim.tolerance == EPSILONS[claim.metric] * np.finfo("float32").eps
        assert claim.protocol["tolerance"].value == f"{EPSILONS[claim.metric]} epsilons"


def bounded_loss(Z: np.ndarray, y: np.ndarray) -> float:
    """A loss of probabilities, none counted as below the smallest float32: it misses what is lost at large |Z|."""
    return float(-np.log(np.maximum(softmax(Z)[np.arange(len(y)), y], np.finfo(np.float32).tiny)).mean())


WRONG = {
    "deviation": (lambda Z: softmax(Z) * (1 + 1e-14), log_loss),
    "likelihood": (softmax, lambda Z, y: log_loss(Z, y) * (1 + 1e-13)),
    "extreme": (formulas.as_printed, log_loss),
    "extreme_loss": (softmax, bounded_loss),
}


@pytest.mark.parametrize("metric", WRONG)
def test_wrong_implementation_is_noticed(metric: str, quick) -> None:
    probabilities, loss = WRONG[metric]
    values = experiment.deviations(*random_z(), "float64", probabilities, loss).values
    tolerance = EPSILONS[metric] * experiment.EPSILON["float64"]
    assert values[metric] > 2 * tolerance
    right = experiment.deviations(*random_z(), "float64", softmax, log_loss).values
    assert right[metric] <= tolerance


@pytest.mark.parametrize("metric", ["likelihood", "extreme_loss"])
def test_loss_of_the_other_classes_is_noticed(metric: str, quick) -> None:
    values = experiment.deviations(*random_z(), "float64", softmax, lambda Z, y: log_loss(Z, (y + 1) % 10)).values
    assert values[metric] > 1e-3


def test_printed_formula_overflows_at_the_logarithm_of_the_largest_float(quick) -> None:
    measured = experiment.printed_softmax(random_images(20), np.random.default_rng(0))
    for precision in PRECISIONS:
        assert measured.values[f"overflow_{precision}"] <= 2 * experiment.EPSILON[precision]
    at = {point["largest"]: point for point in measured.curve}
    assert at[1.0]["float64"] < 1e-15 < at[1.0]["float32"] < 1e-6
    assert (at[100.0]["float64"] < 1e-14, at[100.0]["float32"], at[1e4]["float64"]) == (True, math.inf, math.inf)


def test_cross_entropy_is_that_of_log_softmax_at_any_size() -> None:
    Z, y = random_z(seed=6)
    for largest in (1.0, 100.0, 1e4):
        at = experiment.scaled(Z, largest, "float64")
        assert cross_entropy(at, y) == pytest.approx(log_loss(at, y), rel=1e-13)


def test_figures_say_where_the_printed_formula_ends(quick, backend) -> None:
    from matplotlib.figure import Figure

    styles = method_styles(method.name for method in bench.METHODS)
    rows = {}
    for method in bench.METHODS:
        measured = method.function(random_images(40), np.random.default_rng(0))
        rows[method.name] = Series(method.title, styles[method.name], [SimpleNamespace(curve=measured.curve)])
    words = {drawing.name: drawing.draw(Figure(layout="constrained"), rows) for drawing in bench.DRAWINGS}
    assert "in float32 the printed formula gives no numbers from Z = 88.7 on" in words["overflow"]
    assert "in float64 the printed formula gives no numbers from Z = 709.8 on" in words["overflow"]
