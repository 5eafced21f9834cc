"""The slide's gradient against numbers by hand, normal equations and both references; and wrong ones are noticed."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bench_backpropagation as bench
from benchmarks.experiments import backpropagation as experiment
from benchmarks.experiments.backpropagation import by_steps
from benchmarks.formulas import backpropagation as formulas
from benchmarks.formulas.activations import ACTIVATIONS, Activation
from benchmarks.formulas.descent import single_layer, standardised
from benchmarks.formulas.differences import STEP, relative_error
from lecturebench.datasets import Dataset, Split
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles

every_activation = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=ACTIVATIONS)


def drawn(seed: int, n: int = 30, p: int = 3, units: int = 4):
    """A random network and examples, none of them near the kink of ReLU."""
    rng = np.random.default_rng(seed)
    theta = experiment.random_network(rng, units, p)
    X, y = experiment.off_the_kink(theta, rng.normal(size=(n, p)), rng.normal(size=n), ACTIVATIONS["relu"])
    return theta, X, y


def table(n: int = 25, p: int = 3) -> Dataset:
    rng = np.random.default_rng(11)
    train = Split(rng.normal(5, 3, (n, p)), rng.normal(500, 400, n))
    return Dataset(
        kind="table", task="regression", train=train, test=train, columns=("a", "b", "c"),
        name="drawn", source="this test", digests={},
    )  # fmt: skip


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small networks and few steps."""
    monkeypatch.setattr(experiment, "NETWORKS", 2)
    monkeypatch.setattr(experiment, "MOST_UNITS", 3)
    monkeypatch.setattr(experiment, "STEPS", (1e-10, 1e-5, 1e-2))


def test_one_unit_and_two_players_by_hand() -> None:
    # f(1) = 1 + 2 * (3 + 4 * 1) = 15 and f(-1) = 1 + 2 * (3 - 4) = -1; residuals y - f are 5 and -2.
    theta = (np.array([1.0, 2.0]), np.array([[3.0, 4.0]]))
    X, y = np.array([[1.0], [-1.0]]), np.array([20.0, -3.0])
    g = ACTIVATIONS["identity"]
    assert formulas.objective(theta, X, y, g) == (25 + 4) / 2
    by_beta, by_w = formulas.slide_gradient(theta, X, y, g)
    assert by_beta.tolist() == [-(5 - 2), -(5 * 7 - 2 * -1)]
    assert by_w.tolist() == [[-(5 * 2 - 2 * 2), -(5 * 2 * 1 - 2 * 2 * -1)]]


def test_switched_off_unit_has_no_gradient_and_counts_in_no_prediction() -> None:
    theta = (np.array([1.0, 2.0, 5.0]), np.array([[3.0, 4.0], [-9.0, 1.0]]))
    X, y = np.array([[1.0], [-0.5]]), np.array([20.0, 0.0])
    by_beta, by_w = formulas.slide_gradient(theta, X, y, ACTIVATIONS["relu"])
    # f = 1 + 2 * 7 = 15 and 1 + 2 * 1 = 3: residuals 5 and -3.
    assert by_beta.tolist() == [-(5 - 3), -(5 * 7 - 3 * 1), 0]
    assert by_w.tolist() == [[-(5 * 2 - 3 * 2), -(5 * 2 * 1 - 3 * 2 * -0.5)], [0, 0]]


@every_activation
def test_beta_of_least_squares_has_gradient_zero(g: Activation) -> None:
    (_, w), X, y = drawn(1)
    a = formulas.with_ones(g.function(formulas.with_ones(X) @ w.T))
    beta = np.linalg.lstsq(a, y, rcond=None)[0]
    by_beta, _ = formulas.slide_gradient((beta, w), X, y, g)
    np.testing.assert_allclose(by_beta, 0, atol=1e-12)


def test_identity_network_has_the_gradient_of_the_linear_model_it_collapses_to() -> None:
    (beta, w), X, y = drawn(2)
    collapsed = beta[1:] @ w + np.array([beta[0], 0, 0, 0])  # (p + 1,): f(x) = x @ collapsed, x_0 = 1
    x = formulas.with_ones(X)
    by_collapsed = -(y - x @ collapsed) @ x
    _, by_w = formulas.slide_gradient((beta, w), X, y, ACTIVATIONS["identity"])
    np.testing.assert_allclose(by_w, np.outer(beta[1:], by_collapsed), rtol=1e-12)


@every_activation
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_slide_gradient_is_that_of_central_differences(g: Activation, seed: int) -> None:
    theta, X, y = drawn(seed, n=15, p=2, units=2)
    size = np.linalg.norm(np.concatenate([part.ravel() for part in formulas.slide_gradient(theta, X, y, g)]))
    numerical = by_steps(theta, X, y, g)
    for part, expected in zip(numerical, formulas.slide_gradient(theta, X, y, g), strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-7 * max(1, size))


@every_activation
def test_slide_gradient_is_that_of_automatic_differentiation(g: Activation, backend) -> None:
    theta, X, y = drawn(3)
    assert (
        relative_error(experiment.automatic_gradient(theta, X, y, g), formulas.slide_gradient(theta, X, y, g)) < 1e-14
    )


@every_activation
def test_what_is_differentiated_automatically_is_the_tables_activation_in_float64(g: Activation, backend) -> None:
    from keras import ops

    z = np.linspace(-6, 6, 60)
    activation = experiment.keras_activation(g.name)
    # The derivative of sum a g(z) by a is g(z): JAX has float64 only while it differentiates.
    value, slope = backend.gradient(lambda a, at: ops.sum(a * activation(at)), [np.ones_like(z), z])
    np.testing.assert_allclose(value, g.function(z), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slope, g.derivative(z), rtol=1e-12, atol=1e-15)


def test_error_of_central_differences_falls_with_the_square_of_the_step() -> None:
    theta, X, y = drawn(4)
    g = ACTIVATIONS["tanh"]
    expected = formulas.slide_gradient(theta, X, y, g)
    coarse, fine = (relative_error(by_steps(theta, X, y, g, step), expected) for step in (2e-3, 1e-3))
    assert coarse / fine == pytest.approx(4, rel=0.01)


def test_chosen_step_is_better_than_a_hundred_times_more_or_less() -> None:
    theta, X, y = drawn(5)
    g = ACTIVATIONS["sigmoid"]
    expected = formulas.slide_gradient(theta, X, y, g)
    less, chosen, more = (
        relative_error(by_steps(theta, X, y, g, STEP * factor), expected) for factor in (0.01, 1, 100)
    )
    assert chosen < min(less, more) / 10
    assert pytest.approx(6.0555e-6, rel=1e-4) == STEP


def test_central_differences_leave_the_parameters_as_they_are() -> None:
    theta, X, y = drawn(6)
    before = [part.copy() for part in theta]
    by_steps(theta, X, y, ACTIVATIONS["gelu"])
    assert all(np.array_equal(part, old) for part, old in zip(theta, before, strict=True))


def test_relative_error_is_the_larger_of_the_two_formulas() -> None:
    expected = (np.array([3.0, 4.0]), np.array([[300.0, 400.0]]))
    assert relative_error((np.array([3.0, 4.5]), expected[1]), expected) == pytest.approx(0.1)
    assert relative_error((expected[0], np.array([[300.0, 300.0]])), expected) == pytest.approx(0.2)
    assert relative_error(expected, expected) == 0


def test_relative_error_of_a_gradient_that_should_be_zero_is_infinite_unless_it_is() -> None:
    zero, some = np.zeros((1, 2)), np.ones((1, 2))
    assert relative_error((some, zero), (some, zero)) == 0
    assert relative_error((some, some), (some, zero)) == math.inf


def test_relu_alone_leaves_out_players_near_its_kink() -> None:
    theta = (np.ones(3), np.array([[0.0, 1.0], [1.0, 1.0]]))
    X, y = np.array([[0.5], [0.9e-3], [-1.0 + 0.9e-3], [-1.1e-3], [2e-3]]), np.arange(5.0)
    seen, kept = experiment.off_the_kink(theta, X, y, ACTIVATIONS["relu"])
    assert kept.tolist() == [0, 3, 4]
    assert seen.tolist() == X[[0, 3, 4]].tolist()
    assert experiment.off_the_kink(theta, X, y, ACTIVATIONS["gelu"])[1].tolist() == y.tolist()


def test_no_step_reaches_the_kink_of_relu() -> None:
    # A step moves z_ik by h |x_ij| at most; standardised, no |x_ij| among n players is above sqrt(n - 1).
    weight, players = 4, 176
    assert STEP * weight * math.sqrt(players - 1) < experiment.KINK


def test_random_networks_have_the_sizes_asked_for_and_outputs_near_1() -> None:
    rng = np.random.default_rng(0)
    theta = experiment.random_network(rng, 200, 19)
    assert (theta[0].shape, theta[1].shape) == ((201,), (200, 20))
    assert np.linalg.norm(theta[0]) == pytest.approx(1, rel=0.3)
    assert np.linalg.norm(theta[1], axis=1).mean() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_check_finds_the_formulas_right_on_a_table(name: str, quick, backend) -> None:
    measured = experiment.check(table(), np.random.default_rng(0), name)
    assert measured.values["automatic"] < 1e-13
    assert measured.values["automatic"] < measured.values["central"] < bench.TOLERANCE
    assert measured.values["deviation"] == measured.values["central"]
    assert 20 <= measured.values["players"] <= 25
    parameters = [point for point in measured.curve if "slide" in point]
    assert len(parameters) == experiment.DRAWN_UNITS * (3 + 2) + 1
    assert all(point["automatic"] == pytest.approx(point["slide"], rel=1e-9, abs=1e-9) for point in parameters)
    assert [point["h"] for point in measured.curve if "at_h" in point] == list(experiment.STEPS)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "gelu"])
def test_check_notices_a_derivative_that_is_off_by_a_millionth(name: str, quick, backend, monkeypatch) -> None:
    right = ACTIVATIONS[name]
    wrong = replace(right, derivative=lambda z: right.derivative(z) * (1 + 2e-6))
    monkeypatch.setattr(experiment, "ACTIVATIONS", {name: wrong})
    values = experiment.check(table(), np.random.default_rng(0), name).values
    assert min(values["automatic"], values["central"]) > bench.TOLERANCE


def test_each_activation_is_claimed_once_against_code_that_is_not_ours() -> None:
    assert [(claim.method, claim.metric) for claim in bench.CLAIMS] == [(name, "automatic") for name in ACTIVATIONS]
    assert {claim.tolerance for claim in bench.CLAIMS} == {1e-6}
    assert [claim.method for claim in bench.CLAIMS if "kink" in claim.protocol] == ["relu"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_central_differences_agree_to_one_millionth_at_networks_of_any_size(name: str, seed: int) -> None:
    rng, g, data = np.random.default_rng(seed), ACTIVATIONS[name], table(60, 19).train
    X, y = standardised(data.X), standardised(data.y)
    for _ in range(3):
        features = int(rng.integers(1, 20))
        theta = experiment.random_network(rng, int(rng.integers(1, 51)), features)
        seen = experiment.off_the_kink(theta, X[:, :features], y, g)
        slope = formulas.slide_gradient(theta, *seen, g)
        assert relative_error(by_steps(theta, *seen, g), slope) < bench.TOLERANCE


def test_both_ways_to_write_the_network_have_one_gradient() -> None:
    theta, X, y = drawn(7)
    beta, w = theta
    flat = np.concatenate([beta, w[:, 0], w[:, 1:].T.ravel()])
    height, slope = single_layer(flat, X, y)
    by_beta, by_w = formulas.slide_gradient(theta, X, y, ACTIVATIONS["tanh"])
    assert height == pytest.approx(formulas.objective(theta, X, y, ACTIVATIONS["tanh"]), rel=1e-12)
    np.testing.assert_allclose(slope, np.concatenate([by_beta, by_w[:, 0], by_w[:, 1:].T.ravel()]), atol=1e-12)


def test_figures_say_how_close_the_gradients_are_and_which_step_is_best(quick, backend) -> None:
    from matplotlib.figure import Figure

    styles = method_styles(method.name for method in bench.METHODS)
    rows = {}
    for method in bench.METHODS:
        measured = method.function(table(), np.random.default_rng(0), **method.parameters)
        rows[method.name] = Series(method.title, styles[method.name], [SimpleNamespace(curve=measured.curve)])
    words = {drawing.name: drawing.draw(Figure(layout="constrained"), rows) for drawing in bench.DRAWINGS}
    assert "for central differences and" in words["gradient"]
    assert "Tanh is best at h = 1e-5" in words["steps"]
