"""Optimisers: update rules against closed forms and against Keras, gradients against SciPy, figures against runs."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.special import log_softmax

from benchmarks import bench_optimisers as bench
from benchmarks.experiments import optimisers as experiment
from benchmarks.figures.optimisers import reaching
from benchmarks.formulas import optimisers as formulas
from benchmarks.formulas.softmax import softmax_regression
from lecturebench.datasets import Dataset, Split
from lecturebench.declare.claims import TimeToTargetClaim
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles
from lecturebench.training.fit import fit_network

seeds = st.integers(0, 2**32 - 1)
OWN, COMMON, UPDATES = bench.METHODS[:4], bench.METHODS[4:6], bench.METHODS[6:]
draw_target = reaching(0.03, ("each at its own rate", "both at the rate 0.03"))
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}


def after(step, theta, gradients, **constants):
    """theta after a step with each of the gradients."""
    memory = {}
    for t, g in enumerate(gradients, start=1):
        theta, memory = step(theta, memory, g, t, **constants)
    return theta


@pytest.fixture(scope="module")
def images() -> Dataset:
    """Three hundred images of 4 by 4 in three classes, each brightest in a row of its own; one pixel is always 0."""
    rng = np.random.default_rng(3)
    y = np.arange(300) % 3
    X = rng.integers(0, 120, (300, 4, 4, 1))
    X[np.arange(300), y] += 100
    X[:, 3, 3] = 0
    split = Split(X.astype(np.uint8), y)
    return Dataset(
        kind="images", task="classification", train=split, test=split, classes=("a", "b", "c"), scale=255.0,
        name="rows", source="drawn", digests={},
    )  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 0.5), st.floats(0.1, 1.9), st.integers(1, 20))
def test_gradient_descent_shrinks_a_parabola_by_one_minus_rate_times_curvature_each_step(rate, share, steps):
    curvature, theta, memory = share / rate, np.array([3.0, -2.0]), {}
    for t in range(1, steps + 1):
        theta, memory = formulas.gradient_step(theta, memory, curvature * theta, t, rate=rate)
    np.testing.assert_allclose(theta, (1 - share) ** steps * np.array([3.0, -2.0]), rtol=1e-9, atol=1e-12)
    assert memory == {}


@settings(deadline=None, max_examples=50)
@given(seeds, st.integers(1, 12), st.floats(0, 0.99))
def test_velocity_is_the_sum_of_past_gradients_each_weighed_by_a_power_of_mu(seed, steps, mu):
    g = np.random.default_rng(seed).normal(size=(steps, 3))
    velocity = [-0.1 * sum(mu ** (t - i) * g[i] for i in range(t + 1)) for t in range(steps)]
    theta = after(formulas.momentum_step, np.ones(3), g, rate=0.1, momentum=mu)
    np.testing.assert_allclose(theta, 1 + np.sum(velocity, axis=0), rtol=1e-9, atol=1e-12)


def test_steps_of_momentum_along_a_constant_slope_grow_to_ten_times_those_of_gradient_descent():
    slope = [np.array([2.0])] * 200
    last = after(formulas.momentum_step, np.zeros(1), slope, rate=0.1, momentum=0.9) - after(
        formulas.momentum_step, np.zeros(1), slope[:-1], rate=0.1, momentum=0.9
    )
    assert last == pytest.approx(10 * after(formulas.gradient_step, np.zeros(1), slope[:1], rate=0.1), rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(seeds, st.integers(1, 12))
def test_adam_is_the_ratio_of_corrected_averages_of_kingma_and_ba(seed, steps):
    g = np.random.default_rng(seed).normal(size=(steps, 3))
    theta = np.ones(3)
    for t in range(1, steps + 1):
        age = np.arange(t - 1, -1, -1)[:, None]
        m = (0.1 * 0.9**age * g[:t]).sum(axis=0)
        s = (0.001 * 0.999**age * g[:t] ** 2).sum(axis=0)
        # The form before the paper's section 2.1, which is Keras' too.
        theta = theta - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(s) + 1e-7)
    np.testing.assert_allclose(after(formulas.adam_step, np.ones(3), g, rate=0.01, **ADAM), theta, rtol=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.floats(1e-9, 1e3), st.sampled_from([-1, 1]), st.integers(1, 50))
def test_adam_walks_the_rate_at_each_step_along_a_constant_slope_whatever_its_size(size, sign, steps):
    slope = [np.array([sign * size])] * steps
    epsilon = 1e-7 / np.sqrt(1 - 0.999 ** np.arange(1, steps + 1))
    walked = -0.001 * sign * (size / (size + epsilon)).sum()
    assert after(formulas.adam_step, np.zeros(1), slope, rate=0.001, **ADAM) == pytest.approx(walked, rel=1e-6)


def test_adam_leaves_a_parameter_without_gradient_where_it_is():
    assert after(formulas.adam_step, np.array([0.5]), [np.zeros(1)] * 5, rate=0.1, **ADAM) == 0.5


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_gradient_of_the_softmax_regression_is_the_slope_of_its_cross_entropy(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(7, 3)), rng.integers(0, 4, 7)
    flat = rng.normal(size=16)

    def parts(values):
        return [values[:12].reshape(3, 4), values[12:]]

    R, gradient = softmax_regression(parts(flat), X, y)
    z = X @ flat[:12].reshape(3, 4) + flat[12:]
    assert pytest.approx(-log_softmax(z, axis=1)[np.arange(7), y].mean()) == R
    slope = approx_fprime(flat, lambda values: softmax_regression(parts(values), X, y)[0], 1e-6)
    np.testing.assert_allclose(np.concatenate([part.ravel() for part in gradient]), slope, atol=1e-5)


@pytest.mark.parametrize("method", UPDATES, ids=lambda method: method.name)
def test_each_rule_is_what_keras_does_to_the_rounding_of_float64(backend, images, method):
    values = method.function(images, np.random.default_rng(0), **method.parameters).values
    assert values["deviation"] < 1e-13
    assert values["loss before"] == pytest.approx(np.log(3))
    assert values["loss after"] < 0.95 * values["loss before"]


def test_gradient_descent_over_all_examples_is_keras_sgd_too(backend, images):
    values = experiment.rule_against_keras(
        images, np.random.default_rng(0), rule="gradient descent", rate=0.01, batch_size=len(images.train)
    ).values
    assert values["deviation"] < 1e-13


@pytest.mark.parametrize("method", UPDATES, ids=lambda method: method.name)
def test_constants_are_the_defaults_of_keras(backend, method):
    import keras

    _, name, constants = experiment.RULES[method.parameters["rule"]]
    default = getattr(keras.optimizers, name)()
    assert method.parameters["rate"] == pytest.approx(float(default.learning_rate.numpy()))
    assert all(getattr(default, constant) == value for constant, value in constants.items() if constant != "momentum")


def nesterov(theta, memory, g, t, *, rate, momentum):
    _, memory = formulas.momentum_step(theta, memory, g, t, rate=rate, momentum=momentum)
    return theta + momentum * memory["v"] - rate * g, memory


def epsilon_of_algorithm_1(theta, memory, g, t, *, epsilon, **constants):
    return formulas.adam_step(theta, memory, g, t, epsilon=epsilon * np.sqrt(1 - constants["beta_2"] ** t), **constants)


def uncorrected(theta, memory, g, t, **constants):
    return formulas.adam_step(theta, memory, g, 10**6, **constants)


@pytest.mark.parametrize(
    ("rule", "other"),
    [("momentum", nesterov), ("adam", epsilon_of_algorithm_1), ("adam", uncorrected)],
    ids=["nesterov", "epsilon of Algorithm 1", "no correction"],
)
def test_another_rule_is_told_from_that_of_keras(backend, images, monkeypatch, rule, other):
    monkeypatch.setattr(experiment, "STEPS", 10)
    monkeypatch.setattr(experiment, "RULES", {rule: (other, *experiment.RULES[rule][1:])})
    measured = experiment.rule_against_keras(images, np.random.default_rng(0), rule=rule, rate=0.001, batch_size=8)
    assert measured.values["deviation"] > 1e-6


def test_keras_variables_keep_64_bits_on_every_backend(backend):
    import keras

    with experiment.float64():
        variable = keras.Variable(np.array([1 + 1e-12]), dtype="float64")
        assert keras.ops.convert_to_numpy(variable.value)[0] == 1 + 1e-12


def test_full_batch_gradient_descent_makes_one_step_in_each_epoch(backend, images):
    method = OWN[0]
    training = dataclasses.replace(method.training, learning_rate=0.1, epochs=3)
    fitted = fit_network(method.function, {"units": (4, 4)}, training, images, seed=0, steps_class=backend.Steps)
    assert [(point["epoch"], point["step"]) for point in fitted.curve] == [(1, 1), (2, 2), (3, 3)]


def test_optimisers_are_trained_alike_but_for_rule_rate_and_batch():
    def rest(method):
        training = dataclasses.replace(method.training, optimizer="", learning_rate=1.0, batch_size=1)
        return dataclasses.replace(training, options={}), dict(method.parameters), method.function

    methods = (*OWN, *COMMON)
    assert all(rest(method) == rest(methods[0]) for method in methods)
    assert {method.training.learning_rate for method in OWN} == {bench.OWN}
    assert {method.training.learning_rate for method in COMMON} == {bench.COMMON}
    assert [method.training.batch_size for method in methods] == [60_000] + 5 * [128]
    options = {method.name: (method.training.optimizer, dict(method.training.options)) for method in methods}
    assert options["momentum"] == options["momentum_common"] == ("sgd", {"momentum": 0.9})
    assert options["sgd"] == options["sgd_common"] == options["full_batch"] == ("sgd", {})
    assert options["adam"] == ("adam", {})
    assert {method.training.held_out for method in methods} == {"last"}


def test_common_rate_is_on_the_grid_and_rates_are_those_with_the_least_error():
    assert bench.COMMON in bench.OWN.grid
    assert bench.OWN.rule == "least"


def test_times_are_compared_at_own_rates_and_at_one_rate():
    claims = [claim for claim in bench.BENCHMARK.claims if isinstance(claim, TimeToTargetClaim)]
    assert [(claim.faster, claim.slower) for claim in claims] == [
        ("momentum", "sgd"), ("adam", "sgd"), ("momentum_common", "sgd_common"),
    ]  # fmt: skip
    assert {(claim.threshold, claim.metric) for claim in claims} == {(0.03, "validation error")}


def series(*errors: tuple[float, ...]) -> dict[str, Series]:
    """Every network with one run for each of the tuples: validation errors at steps 100, 200, …"""
    methods = (*OWN, *COMMON)
    styles = method_styles(method.name for method in methods)
    runs = [
        SimpleNamespace(
            curve=[
                {"epoch": i / 4, "step": 100 * i, "seconds": 2.0 * i, "validation_error": e, "validation_loss": 3 * e}
                for i, e in enumerate(run, start=1)
            ]
        )
        for run in errors
    ]
    return {method.name: Series(method.title, styles[method.name], runs) for method in methods}  # type: ignore[arg-type]


def racing(*errors: tuple[float, ...]) -> dict[str, Series]:
    rows = series(*errors)
    return {name: rows[name] for name in bench.RACING}


def test_target_figure_marks_the_first_look_at_the_target_and_counts_runs_that_never_get_there():
    figure = blank(5.6, 6.4)
    said = draw_target(figure, racing((0.08, 0.03, 0.04), (0.05, 0.04, 0.02), (0.09, 0.05, 0.031)))
    marks = [list(line.get_xdata()) for line in figure.axes[0].lines if line.get_label() == "there"]
    assert marks == [[200, 300]] * 3
    assert "Adam, each at its own rate: 2 of 3 runs after 200 to 300 steps" in said
    assert "0.03: 2 of 3 runs" in said


def test_target_figure_sets_runs_of_the_same_step_side_by_side():
    figure = blank(5.6, 6.4)
    draw_target(figure, racing((0.05, 0.03), (0.05, 0.02), (0.03, 0.03)))
    first, second, third = next(line for line in figure.axes[0].lines if line.get_label() == "there").get_xdata()
    assert (first, second) == (100, 200)
    assert 200 < third < 210


def test_target_figure_says_that_no_run_got_there():
    assert "SGD, each at its own rate: 0 of 1 runs;" in draw_target(blank(5.6, 6.4), racing((0.9, 0.5)))


def test_every_drawing_names_the_methods_that_it_takes():
    for drawing in bench.DRAWINGS:
        rows = series((0.5, 0.02))
        assert drawing.draw(blank(*drawing.size), {name: rows[name] for name in drawing.methods})
