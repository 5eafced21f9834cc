"""Gradient descent: gradients, curvatures and steps against closed forms, SciPy and each other."""

from __future__ import annotations

import dataclasses
import itertools
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from benchmarks import bench_gradient_descent as bench
from benchmarks.experiments import descent as experiment
from benchmarks.figures import descent as figures
from benchmarks.formulas import descent as formulas
from lecturebench.datasets import Dataset, Split
from lecturebench.declare.claims import IdentityClaim, OrderClaim
from lecturebench.declare.methods import Experiment

seeds = st.integers(0, 2**32 - 1)
patiently = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def players() -> Dataset:
    """Forty players with three numbers each; the salary follows one of them through a tanh."""
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.normal(5, 2, 40), rng.lognormal(5, 0.8, 40), rng.normal(size=40)])
    y = 300 + 200 * np.tanh(formulas.standardised(X[:, 1])) + rng.normal(0, 50, 40)
    split = Split(X, y)
    return Dataset(
        kind="table", task="regression", train=split, test=Split(X[:4], y[:4]), columns=("Hits", "CRBI", "Years"),
        name="players", source="drawn", digests={},
    )  # fmt: skip


def bowl(curvature: np.ndarray) -> formulas.Objective:
    """R = 1/2 sum_i curvature_i theta_i^2, the parabola that the three regimes are read from."""
    return lambda theta: (0.5 * float(curvature @ theta**2), curvature * theta)


def test_network_is_the_formula_of_the_slide_written_out():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, 3)), rng.normal(size=4)
    theta = rng.normal(size=1 + 2 + 2 + 6)
    beta0, beta, w0, w = theta[0], theta[1:3], theta[3:5], theta[5:].reshape(3, 2)
    R = 0.0
    for x_i, y_i in zip(X, y, strict=True):
        f = beta0
        for k in range(2):
            f += beta[k] * np.tanh(w0[k] + sum(w[j, k] * x_i[j] for j in range(3)))
        R += (y_i - f) ** 2 / 2
    assert formulas.single_layer(theta, X, y)[0] == pytest.approx(R, rel=1e-12)


@patiently
@given(seeds, st.integers(1, 4), st.integers(1, 3))
def test_network_gradient_is_the_slope_of_its_objective(seed, units, inputs):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, inputs)), rng.normal(size=6)
    theta = rng.normal(size=1 + units * (inputs + 2))
    R, gradient = formulas.single_layer(theta, X, y)
    step = 1e-6
    for e, slope in zip(np.eye(len(theta)), gradient, strict=True):
        ends = [formulas.single_layer(theta + sign * step * e, X, y)[0] for sign in (1, -1)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=1e-5 * (1 + R))


@patiently
@given(seeds)
def test_one_unit_is_the_network_without_intercepts(seed):
    rng = np.random.default_rng(seed)
    x, y, (w, beta) = rng.normal(size=9), rng.normal(size=9), rng.normal(size=2)
    height, gradient = formulas.one_unit(np.array([w, beta]), x, y)
    same, full = formulas.single_layer(np.array([0, beta, 0, w]), x[:, None], y)
    assert height == pytest.approx(same, rel=1e-12)
    np.testing.assert_allclose(gradient, full[[3, 1]], rtol=1e-9, atol=1e-12)


def test_curvatures_are_the_eigenvalues_of_the_hessian():
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    hessian = rotation @ np.diag([-2.0, 0.5, 7.0]) @ rotation.T
    eigenvalues = formulas.curvatures(lambda theta: (0.5 * theta @ hessian @ theta, hessian @ theta), np.ones(3))
    np.testing.assert_allclose(eigenvalues, [-2.0, 0.5, 7.0], rtol=1e-8)


@patiently
@given(seeds)
def test_objective_of_one_unit_has_a_saddle_at_the_origin(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=12), rng.normal(size=12)
    slope = abs(x @ y)
    np.testing.assert_allclose(
        formulas.curvatures(partial(formulas.one_unit, x=x, y=y), np.zeros(2)), [-slope, slope], rtol=1e-6, atol=1e-8
    )


def test_first_weights_are_glorots_and_intercepts_zero():
    theta = formulas.first_weights(19, 50, np.random.default_rng(0))
    beta0, beta, w0, W = theta[0], theta[1:51], theta[51:101], theta[101:]
    assert beta0 == 0
    assert not w0.any()
    assert len(W) == 19 * 50
    for weights, fans in ((beta, 50 + 1), (W, 19 + 50)):
        limit = np.sqrt(6 / fans)
        assert np.abs(weights).max() <= limit * (1 + 1e-6)
        assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.2)


def test_standardised_columns_have_mean_zero_and_deviation_one():
    drawn = formulas.standardised(np.random.default_rng(0).lognormal(3, 1, (30, 2)))
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(drawn.std(axis=0), 1)


@patiently
@given(st.floats(0.01, 3.5), st.integers(1, 30))
def test_each_step_multiplies_the_distance_by_one_minus_rate_times_curvature(multiple, steps):
    curvature = np.array([4.0, 1.0])
    descent = formulas.descend(bowl(curvature), np.array([1.0, -2.0]), multiple / 4.0, steps)
    expected = (1 - multiple / 4.0 * curvature) ** np.arange(steps + 1)[:, None] * np.array([1.0, -2.0])
    np.testing.assert_allclose(descent.path, expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(descent.heights, 0.5 * descent.path**2 @ curvature)
    assert not descent.left
    assert descent.end == descent.heights[-1]


@patiently
@given(st.floats(0.05, 0.999), st.floats(0.01, 1.0))
def test_rates_up_to_one_over_the_curvature_never_rise_or_turn_back(multiple, flatness):
    descent = formulas.descend(bowl(np.array([5.0, 5.0 * flatness])), np.array([1.0, 1.0]), multiple / 5.0, 20)
    assert formulas.largest_rise(descent) == 0
    assert formulas.sharpest_cosine(descent.path) >= 0


@patiently
@given(st.floats(1.05, 1.95))
def test_rates_between_once_and_twice_that_turn_back_and_still_fall(multiple):
    descent = formulas.descend(bowl(np.array([5.0])), np.array([1.0]), multiple / 5.0, 5)
    assert formulas.largest_rise(descent) == 0
    assert formulas.sharpest_cosine(descent.path) == pytest.approx(-1)


@patiently
@given(st.floats(2.05, 6.0))
def test_rates_above_twice_that_rise(multiple):
    descent = formulas.descend(bowl(np.array([5.0])), np.array([1.0]), multiple / 5.0, 5)
    first, second = descent.heights[:2]
    assert second > first
    assert formulas.largest_rise(descent) > 0


def test_largest_rise_is_a_share_of_the_start():
    descent = formulas.Descent(np.zeros((4, 1)), np.array([10.0, 8.0, 9.0, 12.0]), left=False)
    assert formulas.largest_rise(descent) == pytest.approx(0.3)
    assert formulas.largest_rise(descent._replace(heights=np.array([10.0, 8.0, 8.0, 1.0]))) == 0
    assert formulas.largest_rise(descent._replace(left=True)) == np.inf


def test_path_that_leaves_the_numbers_ends_at_its_last_finite_point():
    descent = formulas.descend(bowl(np.array([1.0])), np.array([1.0]), 1e100, 50)
    assert descent.left
    assert descent.end == np.inf
    assert 1 < len(descent.heights) < 51
    assert np.isfinite(descent.path).all()
    assert np.isfinite(descent.heights).all()
    same = formulas.descend(bowl(np.array([1.0])), np.array([1.0]), 1e100, len(descent.heights))
    assert same.left, "the last step leaves"
    assert not formulas.descend(bowl(np.array([1.0])), np.array([1.0]), 1e100, len(descent.heights) - 1).left


@pytest.mark.parametrize(
    ("path", "cosine"),
    [
        ([[0, 0], [1, 0], [3, 0]], 1),
        ([[0, 0], [1, 0], [1, 2]], 0),
        ([[0, 0], [2, 0], [1, 0], [1, 5]], -1),
        ([[0, 0], [1, 0], [0, 1]], -(0.5**0.5)),
        ([[0, 0], [1, 0], [1 - 1e-12, 0]], 1),
        ([[0, 0], [1, 0]], 1),
        ([[0, 0]], 1),
    ],
)
def test_sharpest_turn_of_a_path(path, cosine):
    assert formulas.sharpest_cosine(np.array(path, dtype=float)) == pytest.approx(cosine)


def test_landscape_finds_the_minimum_that_scipy_finds(players):
    objective = experiment.two_parameters(players)
    values = experiment.landscape(players, np.random.default_rng(0)).values
    expected = minimize(objective, [1.0, 1.0], jac=True, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose([values["minimum_w"], values["minimum_beta"]], expected.x, rtol=1e-5)
    assert values["minimum"] == pytest.approx(expected.fun)
    assert values["minimum_gradient"] < 1e-6
    assert values["deviation"] < 1e-6


def test_contours_are_those_of_the_objective(players):
    objective = experiment.two_parameters(players)
    measured = experiment.landscape(players, np.random.default_rng(0))
    for point in measured.curve[::60]:
        for beta in (-1.5, 0.0, 2.0):
            drawn = measured.values["level"] - beta * point["linear"] + beta**2 * point["square"] / 2
            assert drawn == pytest.approx(objective(np.array([point["w"], beta]))[0])


def test_one_input_is_the_one_that_is_named(players):
    x = experiment.two_parameters(players).keywords["x"]
    np.testing.assert_allclose(x, formulas.standardised(players.train.X[:, 1]))


def test_rate_is_the_multiple_over_the_largest_curvature_at_the_start(players):
    objective = experiment.two_parameters(players)
    gradient = partial(lambda theta, i: objective(theta)[1][i])
    hessian = [approx_fprime(np.array(experiment.START), partial(gradient, i=i), 1e-6) for i in range(2)]
    steepest = np.linalg.eigvals(np.array(hessian)).real.max()
    values = experiment.path(players, np.random.default_rng(0), multiple=1.9).values
    assert values["rate"] * steepest == pytest.approx(1.9, rel=1e-4)
    assert values["curvature"] == pytest.approx(steepest, rel=1e-4)


def test_path_is_drawn_from_its_start_step_by_step(players):
    objective = experiment.two_parameters(players)
    measured = experiment.path(players, np.random.default_rng(0), multiple=0.5)
    first, second = (np.array([point["w"], point["beta"]]) for point in measured.curve[:2])
    np.testing.assert_allclose(first, experiment.START)
    np.testing.assert_allclose(second, first - measured.values["rate"] * objective(first)[1])
    assert [point["step"] for point in measured.curve] == list(range(experiment.STEPS + 1))
    assert measured.values["largest_rise"] == 0
    assert measured.values["turned_back"] == 0
    assert measured.values["end_over_start"] == pytest.approx(measured.curve[-1]["R"] / measured.curve[0]["R"])


@pytest.mark.parametrize("multiple", [0.5, 1.9, 4.0])
def test_numbers_of_a_path_follow_from_its_curve(players, multiple):
    measured = experiment.path(players, np.random.default_rng(0), multiple=multiple)
    path = np.array([[point["w"], point["beta"]] for point in measured.curve])
    heights = [point["R"] for point in measured.curve]
    sharpest = formulas.sharpest_cosine(path)
    assert measured.values["short_of_reversal"] == pytest.approx(1 + sharpest)
    assert measured.values["turned_back"] == pytest.approx(max(0, -sharpest))
    assert measured.values["rises"] == sum(later > earlier for earlier, later in itertools.pairwise(heights))


def test_small_rate_never_turns_back_a_middle_one_swings_and_settles_and_a_large_one_flies_off(players):
    small, middle, large = (
        experiment.path(players, np.random.default_rng(0), multiple=multiple).values
        for multiple in (bench.SMALL, bench.MIDDLE, bench.LARGE)
    )
    assert small["largest_rise"] == small["turned_back"] == 0
    assert middle["short_of_reversal"] < 0.5
    assert middle["end_over_start"] < 1
    assert large["end_over_start"] > 1


@patiently
@given(st.floats(0.2, 1.8))
def test_iteration_until_no_decrease_ends_at_the_bottom_of_a_bowl(multiple):
    stop = formulas.until_no_decrease(bowl(np.array([4.0, 1.0])), np.array([1.0, -2.0]), multiple / 4.0, 10_000)
    assert stop.fails
    assert np.abs(stop.theta).max() < 1e-100
    assert (np.diff(stop.heights) < 0).all()


def test_iteration_until_no_decrease_stops_at_once_where_the_step_is_too_long_and_gives_up_where_it_is_too_short():
    start = np.array([1.0])
    flies = formulas.until_no_decrease(bowl(np.array([1.0])), start, 2.5, 100)
    assert (flies.fails, len(flies.heights), flies.theta.tolist()) == (True, 1, [1.0])
    crawls = formulas.until_no_decrease(bowl(np.array([1.0])), start, 1e-3, 7)
    assert (crawls.fails, len(crawls.heights)) == (False, 8)
    assert crawls.theta[0] == pytest.approx((1 - 1e-3) ** 7)
    assert formulas.until_no_decrease(bowl(np.array([1.0])), start, 1e300, 5).fails


def test_iteration_on_two_parameters_stops_at_the_minimum_of_the_landscape(players):
    values = experiment.until_it_fails(players, np.random.default_rng(0), multiple=bench.SMALL).values
    assert values["from_minimum"] < 1e-5
    assert abs(values["above_minimum"]) < 1e-10
    assert values["stopped_after"] < experiment.MOST_STEPS


def test_iteration_that_does_not_stop_is_infinitely_far_from_the_minimum(players, monkeypatch):
    monkeypatch.setattr(experiment, "MOST_STEPS", 3)
    assert experiment.until_it_fails(players, np.random.default_rng(0), multiple=0.1).values["from_minimum"] == np.inf
    values = experiment.network_until_it_fails(players, np.random.default_rng(0), multiple=0.1).values
    assert (values["stopped"], values["stopped_after"]) == (0, 3)


def test_network_whose_steps_are_too_long_stops_with_a_gradient_and_its_curvature_says_why(players):
    values = experiment.network_until_it_fails(players, np.random.default_rng(0), multiple=4.0).values
    assert values["stopped"] == 1
    assert values["gradient_left"] > 1e-4
    assert values["rate_times_curvature"] > 1.5


def test_line_between_two_ends_is_below_its_chord_where_the_objective_is_convex_and_above_it_elsewhere(
    players, monkeypatch
):
    def convex(theta, X, y):
        return 1 + 0.5 * float(theta @ theta), theta

    real = experiment.between_two_ends(players, np.random.default_rng(0), multiple=0.1)
    middle = real.curve[experiment.BETWEEN // 2]
    assert (real.curve[0]["over_chord"], real.curve[-1]["over_chord"]) == pytest.approx((1, 1))
    assert real.values["chord_over_middle"] == pytest.approx(1 / middle["over_chord"])
    assert real.values["curved_down"] < 0
    monkeypatch.setattr(experiment, "single_layer", convex)
    bowl_like = experiment.between_two_ends(players, np.random.default_rng(0), multiple=0.01)
    assert bowl_like.values["chord_over_middle"] >= 1
    assert bowl_like.values["curved_down"] > 0


def test_rate_that_diverges_leaves_finite_curves_and_no_nan(players):
    measured = experiment.path(players, np.random.default_rng(0), multiple=1e8)
    assert measured.values["end_over_start"] == np.inf
    assert measured.values["start_over_end"] == 0
    assert measured.values["largest_rise"] == np.inf
    assert not any(np.isnan(value) for value in measured.values.values())
    assert all(np.isfinite(value) for point in measured.curve for value in point.values())


def test_network_falls_at_every_step_at_a_small_rate_and_not_at_a_large_one(players):
    small, large = (experiment.network(players, np.random.default_rng(3), multiple=m).values for m in (0.1, 50.0))
    assert small["largest_rise"] == 0
    assert small["end_over_start"] < 1
    assert large["largest_rise"] > 0
    still = experiment.network(players, np.random.default_rng(3), multiple=1e-9).values
    assert still["curvature_growth"] == pytest.approx(1, abs=1e-4)
    assert abs(small["curvature_growth"] - 1) > 0.01


def test_one_batch_of_all_examples_is_full_batch_descent():
    rng = np.random.default_rng(0)
    X, y, start = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=1 + 2 * 5)
    heights = formulas.passes(X, y, start, 0.05, 20, 6, rng)
    descent = formulas.descend(partial(formulas.single_layer, X=X, y=y), start, 0.05 / 20, 6)
    np.testing.assert_allclose(heights, descent.heights, rtol=1e-9)


@pytest.mark.parametrize("batch", [1, 8, 64])
def test_pass_of_tiny_steps_uses_every_example_once(batch):
    rng = np.random.default_rng(0)
    X, y, start = rng.normal(size=(64, 3)), rng.normal(size=64), rng.normal(size=1 + 2 * 5)
    rate = 1e-8
    before, after = formulas.passes(X, y, start, rate, batch, 1, rng)
    slope = formulas.single_layer(start, X, y)[1]
    # Where theta hardly moves, the mean gradients of all batches add up to the whole one over the batch size.
    assert (before - after) / rate == pytest.approx(slope @ slope / batch, rel=1e-3)


def test_passes_differ_in_their_order():
    rng = np.random.default_rng(0)
    X, y, start = rng.normal(size=(16, 2)), rng.normal(size=16), rng.normal(size=1 + 2 * 4)
    first, second = (formulas.passes(X, y, start, 0.5, 4, 1, np.random.default_rng(seed))[1] for seed in (1, 2))
    assert first != second


def test_both_kinds_of_descent_start_alike_and_report_their_lowest_end(players):
    def run(batch: int | None, rates: tuple[float, ...]):
        return experiment.equal_passes(players, np.random.default_rng(5), batch=batch, rates=rates)

    assert run(8, (0.01,)).curve[0] == run(None, (0.1,)).curve[0]
    rates = (0.001, 0.1, 1e6)
    ends = [run(8, (rate,)).values["objective"] for rate in rates]
    chosen = run(8, rates)
    assert chosen.values["objective"] == min(ends) == chosen.curve[-1]["R"]
    assert chosen.values["rate"] == rates[int(np.argmin(ends))]
    assert len(chosen.curve) == experiment.PASSES + 1


def test_stochastic_descent_that_diverges_is_infinite_and_draws_what_is_finite():
    rng = np.random.default_rng(0)
    X, y, start = rng.normal(size=(8, 2)), rng.normal(size=8), rng.normal(size=1 + 2 * 4)
    heights = formulas.passes(X, y, start, 1e200, 4, 3, rng)
    assert np.isfinite(heights[0])
    assert heights[-1] == np.inf
    assert not np.isnan(heights).any()


def test_full_batch_makes_one_step_in_each_pass(players):
    X, y = experiment.all_inputs(players)
    rng = np.random.default_rng(5)
    start = formulas.first_weights(X.shape[1], experiment.UNITS, rng)
    descent = formulas.descend(partial(formulas.single_layer, X=X, y=y), start, 0.1 / len(y), experiment.PASSES)
    measured = experiment.equal_passes(players, np.random.default_rng(5), batch=None, rates=(0.1,))
    np.testing.assert_allclose([point["R"] for point in measured.curve], descent.heights, rtol=1e-9)


def test_claims_and_rows_speak_of_what_is_measured(players):
    measured = {
        method.name: method.function(players, np.random.default_rng(0), **method.parameters).values
        for method in bench.METHODS
    }
    for method in bench.METHODS:
        assert isinstance(method, Experiment)
        assert method.quantity in measured[method.name]
    for claim in bench.CLAIMS:
        assert isinstance(claim, IdentityClaim | OrderClaim)
        assert all(claim.metric in measured[name] for name in claim.methods)


@pytest.mark.parametrize("drawing", bench.DRAWINGS, ids=lambda drawing: drawing.name)
def test_figure_is_drawn_and_told_in_words(players, drawing):
    from lecturebench.report.figures import blank
    from lecturebench.report.series import Series
    from lecturebench.report.style import method_styles, styled

    styles, rows = method_styles(drawing.methods), {}
    for method in (bench.BENCHMARK.method(name) for name in drawing.methods):
        made = method.function(players, np.random.default_rng(0), **method.parameters)
        run = SimpleNamespace(curve=made.curve, value=made.values.get)
        rows[method.name] = Series(method.title, styles[method.name], [run])
    with styled():
        words = drawing.draw(blank(*drawing.size), rows)
    shown = [method for method in drawing.methods if method != "landscape"]
    assert all(bench.BENCHMARK.method(name).title in words for name in shown)


def test_markers_that_would_hide_each_other_are_left_out():
    w = np.array([0.0, 0.05, 0.2, 0.21, 5.0])
    assert figures.apart(w, np.zeros(5), gap=0.12) == [0, 2, 4]


def test_figures_are_drawn_where_no_backend_computes_a_row():
    from lecturebench.report.sections import _drawings

    methods = [bench.BENCHMARK.method(name) for name in bench.PATHS]

    @dataclasses.dataclass(frozen=True, eq=False)
    class Row:
        method: Experiment
        benchmark: object = bench.BENCHMARK
        backend: str = "numpy"
        runs: tuple[str, ...] = ("a run",)

    drawn = _drawings([Row(method) for method in methods])
    assert [drawing.name for drawing, _ in drawn] == ["paths", "steps"]
