"""Gradient descent on Hitters: two parameters that can be drawn, and the whole network of the slide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.formulas.descent import (
    Floats,
    Objective,
    curvatures,
    descend,
    first_weights,
    largest_rise,
    one_unit,
    passes,
    sharpest_cosine,
    single_layer,
    standardised,
    until_no_decrease,
)
from lecturebench import Measured

if TYPE_CHECKING:
    from lecturebench import Dataset

# Fixed before the first run. The start lies beyond one of the minima, high on the side of its valley.
INPUT, START, STEPS = "CRBI", (3.0, 2.0), 100
UNITS, STEPS_FOR_ALL = 5, 1000
PASSES = 20
MOST_STEPS = 50_000  # after which an iteration that still falls is given up
BETWEEN = 41  # points of the line between two ends


def two_parameters(dataset: Dataset) -> Objective:
    """R(w, beta) of f(x) = beta * tanh(w x) on the training players, x their `INPUT`."""
    x = np.asarray(dataset.train.X[:, dataset.columns.index(INPUT)], dtype=float)
    return partial(one_unit, x=standardised(x), y=standardised(np.asarray(dataset.train.y, dtype=float)))


def all_inputs(dataset: Dataset) -> tuple[Floats, Floats]:
    """X (176, 19) and y (176,) of the training players, standardised."""
    X, y = (np.asarray(values, dtype=float) for values in (dataset.train.X, dataset.train.y))
    return standardised(X), standardised(y)


def landscape(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """R(w, beta) itself: its two minima, and what its contours are drawn from.

    For a fixed w it is a parabola in beta, R = level - beta * linear(w) + beta^2 * square(w) / 2 with level = sum y^2 /
    2, linear = sum y tanh(w x) and square = sum tanh(w x)^2. deviation: |1 + smallest / largest| curvature at the
    origin, where real arithmetic makes the two plus and minus the same. minimum_gradient: length of the gradient at
    the minimum, as a share of that at the start.
    """
    from scipy.optimize import minimize_scalar

    objective = two_parameters(dataset)
    x, y = objective.keywords["x"], objective.keywords["y"]  # type: ignore[attr-defined]

    def parabola(w: float) -> tuple[float, float]:
        activation = np.tanh(w * x)
        return float(y @ activation), float(activation @ activation)

    def lowest(w: float) -> float:
        linear, square = parabola(w)
        return -(linear**2) / (2 * square)

    w = float(minimize_scalar(lowest, bounds=(0.1, 10.0), method="bounded", options={"xatol": 1e-10}).x)
    minimum = np.array([w, parabola(w)[0] / parabola(w)[1]])
    down, up = curvatures(objective, np.zeros(2))
    height, gradient = objective(minimum)
    values = {
        "deviation": abs(1 + down / up),
        "minimum_w": minimum[0],
        "minimum_beta": minimum[1],
        "minimum": height,
        "minimum_gradient": np.linalg.norm(gradient) / np.linalg.norm(objective(np.array(START))[1]),
        "minimum_curvature": curvatures(objective, minimum)[-1],
        "level": float(y @ y) / 2,
    }
    grid = np.linspace(-4.5, 4.5, 361)
    curve = [dict(zip(("w", "linear", "square"), (float(w), *parabola(w)), strict=True)) for w in grid]
    return Measured(values, tuple(curve))


def path(dataset: Dataset, rng: np.random.Generator, *, multiple: float) -> Measured:
    """Gradient descent on R(w, beta) with rho = multiple / L, L the largest curvature at the start.

    largest_rise: see that function. turned_back: how far beyond a right angle the sharpest turn is, as minus its
    cosine; 0 if no step points against the one before. short_of_reversal: 1 + the cosine of the sharpest turn, 0 for
    straight back. end_over_start: R at the end as a share of R at the start; start_over_end: its inverse, 0 where R is
    infinite. rises: steps at which R rose.
    """
    objective, start = two_parameters(dataset), np.array(START)
    curvature = float(curvatures(objective, start)[-1])
    descent = descend(objective, start, multiple / curvature, STEPS)
    sharpest = sharpest_cosine(descent.path)
    values = {
        "largest_rise": largest_rise(descent),
        "turned_back": max(0.0, -sharpest),
        "short_of_reversal": 1 + sharpest,
        "end_over_start": descent.end / float(descent.heights[0]),
        "start_over_end": float(descent.heights[0]) / descent.end,
        "rises": float((np.diff(descent.heights) > 0).sum()),
        "curvature": curvature,
        "rate": multiple / curvature,
    }
    points = zip(descent.path, descent.heights, strict=True)
    curve = [
        {"step": float(step), "w": float(w), "beta": float(beta), "R": float(height)}
        for step, ((w, beta), height) in enumerate(points)
    ]
    return Measured(values, tuple(curve))


def until_it_fails(dataset: Dataset, rng: np.random.Generator, *, multiple: float) -> Measured:
    """The slide's iteration on R(w, beta), from `START` until R fails to decrease, against SciPy's minimum from there.

    from_minimum: distance from SciPy's minimum (BFGS) where it stops, infinite if it does not stop. above_minimum: R
    there over SciPy's, less 1. stopped_after: steps.
    """
    from scipy.optimize import minimize

    objective, start = two_parameters(dataset), np.array(START)
    rate = multiple / float(curvatures(objective, start)[-1])
    stop = until_no_decrease(objective, start, rate, MOST_STEPS)
    reference = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    values = {
        "from_minimum": float(np.linalg.norm(stop.theta - reference.x)) if stop.fails else np.inf,
        "above_minimum": float(stop.heights[-1] / reference.fun - 1),
        "stopped_after": len(stop.heights) - 1,
    }
    return Measured(values)


def network(dataset: Dataset, rng: np.random.Generator, *, multiple: float) -> Measured:
    """Full-batch descent of the whole network with rho = multiple / L, L the largest curvature at its random start.

    largest_rise: see that function. curvature_growth: the largest curvature at the end over that at the start.
    """
    X, y = all_inputs(dataset)
    objective = partial(single_layer, X=X, y=y)
    start = first_weights(X.shape[1], UNITS, rng)
    curvature = float(curvatures(objective, start)[-1])
    descent = descend(objective, start, multiple / curvature, STEPS_FOR_ALL)
    values = {
        "largest_rise": largest_rise(descent),
        "end_over_start": descent.end / float(descent.heights[0]),
        "curvature": curvature,
        "curvature_growth": float(curvatures(objective, descent.path[-1])[-1]) / curvature,
    }
    curve = [{"step": float(step), "R": float(descent.heights[step])} for step in range(0, len(descent.heights), 10)]
    return Measured(values, tuple(curve))


def network_until_it_fails(dataset: Dataset, rng: np.random.Generator, *, multiple: float) -> Measured:
    """The slide's iteration on the whole network, with rho = multiple / L as in `network`, until R fails to decrease.

    gradient_left: length of the gradient where it stops, as a share of that at the start; 0 at a minimum.
    rate_times_curvature: rho times the largest curvature there: above 2, a step flies over the valley. stopped_after:
    steps. stopped: 1, or 0 if R still fell after `MOST_STEPS`.
    """
    X, y = all_inputs(dataset)
    objective = partial(single_layer, X=X, y=y)
    start = first_weights(X.shape[1], UNITS, rng)
    rate = multiple / float(curvatures(objective, start)[-1])
    stop = until_no_decrease(objective, start, rate, MOST_STEPS)
    values = {
        "gradient_left": float(np.linalg.norm(objective(stop.theta)[1]) / np.linalg.norm(objective(start)[1])),
        "rate_times_curvature": rate * float(curvatures(objective, stop.theta)[-1]),
        "stopped_after": len(stop.heights) - 1,
        "stopped": float(stop.fails),
        "end_over_start": float(stop.heights[-1] / stop.heights[0]),
    }
    return Measured(values)


def between_two_ends(dataset: Dataset, rng: np.random.Generator, *, multiple: float) -> Measured:
    """R of the whole network along the line between the ends of two descents from two random starts.

    chord_over_middle: the mean of R at the two ends over R in the middle. A convex R lies nowhere above its chord, so
    that this is 1 or more: less than 1 is a certificate that R is non-convex. curved_down: the smallest curvature at
    the first start as a share of the largest; negative where R curves down. The curve has, along the line from
    position 0 to 1, R over the height of the chord.
    """
    X, y = all_inputs(dataset)
    objective = partial(single_layer, X=X, y=y)
    starts = [first_weights(X.shape[1], UNITS, rng) for _ in range(2)]
    first, *_, largest = curvatures(objective, starts[0])
    ends = []
    for start in starts:
        rate = multiple / float(curvatures(objective, start)[-1])
        ends.append(descend(objective, start, rate, STEPS_FOR_ALL).path[-1])
    position = np.linspace(0, 1, BETWEEN)
    heights = [objective((1 - s) * ends[0] + s * ends[1])[0] for s in position]
    values = {
        "chord_over_middle": (heights[0] + heights[-1]) / 2 / heights[BETWEEN // 2],
        "curved_down": float(first / largest),
    }
    curve = [
        {"position": float(s), "over_chord": float(height / ((1 - s) * heights[0] + s * heights[-1]))}
        for s, height in zip(position, heights, strict=True)
    ]
    return Measured(values, tuple(curve))


def equal_passes(
    dataset: Dataset, rng: np.random.Generator, *, batch: int | None, rates: tuple[float, ...]
) -> Measured:
    """Descent by batches of that size (None: all examples), from the same start for the same seed.

    objective: R on the training players after the last pass, with the one of ``rates`` that makes it lowest. rate: it.
    """
    X, y = all_inputs(dataset)
    start = first_weights(X.shape[1], UNITS, rng)
    orders = rng.integers(2**32)  # the same orders for every rate
    tried = [passes(X, y, start, rate, batch or len(y), PASSES, np.random.default_rng(orders)) for rate in rates]
    best = int(np.argmin([heights[-1] for heights in tried]))
    heights = tried[best]
    curve = [{"pass": float(i), "R": float(height)} for i, height in enumerate(heights) if np.isfinite(height)]
    return Measured({"objective": float(heights[-1]), "rate": rates[best]}, tuple(curve))
