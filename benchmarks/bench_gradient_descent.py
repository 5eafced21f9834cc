"""Gradient descent: small steps go down, larger ones swing across the valley, too large ones fly off.

Slide "Train Neural Networks" minimises, by steps against the gradient,

    R(theta) = 1/2 sum_i (y_i - f_theta(x_i))^2,    theta^{t+1} = theta^t - rho * grad R(theta^t),

and says that this objective is non-convex. What rho does is seen where theta can be drawn: one hidden unit without
intercepts, f(x) = beta * g(w x) with g = tanh, has the two parameters w and beta. x is a player's runs batted in over
his career (CRBI) and y his salary, out of Hitters, both standardised.

Theory gives the three rates, before anything is run. Let L be the largest curvature of R, the largest eigenvalue of
its Hessian. Where R is a parabola of curvature L, a step multiplies the distance from its lowest point by 1 - rho * L:

    rho <= 1/L          no sign changes: R falls at every step, and no step points against the one before
    1/L < rho < 2/L     the sign changes and the distance shrinks: steps swing across the valley, and settle
    rho > 2/L           the sign changes and the distance grows: R rises

The benchmark takes 0.5/L, 1.9/L and 4/L with L at the start. Then the whole network of the slide, 19 inputs and K = 5
units, goes down with a small rho; and full-batch descent is set beside stochastic descent, which takes the gradient of
a few examples at a time and so makes many steps in each pass over the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lecturebench import (
    Benchmark,
    Drawing,
    Experiment,
    IdentityClaim,
    Measured,
    OrderClaim,
    Profile,
    assumed,
    stated,
)

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

Floats = npt.NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]  # theta to R(theta) and its gradient

# Fixed before the first run. The start lies beyond one of the minima, high on the side of its valley.
INPUT, START, STEPS = "CRBI", (3.0, 2.0), 100
SMALL, MIDDLE, LARGE = 0.5, 1.9, 4.0  # times 1/L, L at the start
UNITS, SMALL_FOR_ALL, STEPS_FOR_ALL = 5, 0.1, 1000
PASSES, BATCH = 20, 8  # 176 players are 22 batches of 8
COMMON_RATE = (0.01,)
# It ended at 1 before the first run, which had full-batch descent best at that end: 3 and 10 were added for its sake.
OWN_RATE = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def standardised(values: Floats) -> Floats:
    """Values (n,) or columns (n, p) with mean 0 and standard deviation 1 over the n examples."""
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0))


def one_unit(theta: Floats, x: Floats, y: Floats) -> tuple[float, Floats]:
    """R and its gradient for f(x) = beta * tanh(w x). theta: (w, beta). x, y: (n,)."""
    w, beta = theta
    activation = np.tanh(w * x)
    residual = y - beta * activation
    slope = -(residual @ (beta * (1 - activation**2) * x)), -(residual @ activation)
    return 0.5 * float(residual @ residual), np.array(slope)


def single_layer(theta: Floats, X: Floats, y: Floats) -> tuple[float, Floats]:
    """R and its gradient for the slide's f(x) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_j), g = tanh.

    theta: 1 + K + K * (1 + p) numbers: beta_0, then beta_k, then w_k0, then w_kj with j outside. X: (n, p). y: (n,).
    """
    n_inputs = X.shape[1]
    units = (len(theta) - 1) // (n_inputs + 2)
    beta, w0, W = np.split(theta[1:], [units, 2 * units])
    A = np.tanh(w0 + X @ W.reshape(n_inputs, units))  # (n, K)
    residual = y - (theta[0] + A @ beta)
    delta = -residual[:, None] * beta * (1 - A**2)  # dR_i / dz_ik, (n, K)
    gradient = [[-residual.sum()], -(A.T @ residual), delta.sum(axis=0), (X.T @ delta).ravel()]
    return 0.5 * float(residual @ residual), np.concatenate(gradient)


def first_weights(n_inputs: int, units: int, rng: np.random.Generator) -> Floats:
    """A guess for theta of `single_layer`: weights as Keras draws them (Glorot & Bengio 2010), intercepts 0."""
    from lecturebench.training.weights import variance_scaling

    beta, W = (variance_scaling(shape, 1.0, "fan_avg", "uniform", rng) for shape in ((units, 1), (n_inputs, units)))
    return np.concatenate([[0.0], beta.ravel(), np.zeros(units), W.ravel()])


def curvatures(objective: Objective, theta: Floats) -> Floats:
    """The eigenvalues of R's Hessian at theta, increasing: central differences of the gradient, 1e-5 either way."""
    h = 1e-5
    rows = [(objective(theta + h * e)[1] - objective(theta - h * e)[1]) / (2 * h) for e in np.eye(len(theta))]
    hessian = np.array(rows)
    return np.asarray(np.linalg.eigvalsh((hessian + hessian.T) / 2))


class Descent(NamedTuple):
    """Where gradient descent went. path: (steps + 1, d); heights: R there; both end before R is no longer finite."""

    path: Floats
    heights: Floats
    left: bool  # R, or its gradient, is no longer finite

    @property
    def end(self) -> float:
        """R after the last step; infinite if it left the numbers."""
        return np.inf if self.left else float(self.heights[-1])


def descend(objective: Objective, start: Floats, rate: float, steps: int) -> Descent:
    """The slide's iteration theta <- theta - rate * grad R(theta), so many times, or until R is not finite."""
    path, heights = [], []
    theta = np.asarray(start, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps + 1):
            height, gradient = objective(theta)
            if not (np.isfinite(height) and np.isfinite(gradient).all()):
                break
            path.append(theta)
            heights.append(height)
            theta = theta - rate * gradient
    return Descent(np.array(path), np.array(heights), len(path) <= steps)


def largest_rise(descent: Descent) -> float:
    """The most that R rose at any one step, as a share of R at the start: 0 where it falls at every step."""
    if descent.left:
        return float("inf")
    return float(max(0.0, np.diff(descent.heights).max(initial=0.0)) / descent.heights[0])


def sharpest_cosine(path: Floats) -> float:
    """The smallest cosine between two successive steps: -1 straight back, 0 a right angle, 1 straight ahead.

    Steps shorter than 1e-9 of the longest have a direction made of rounding and do not count. 1 for a single step.
    """
    step = np.diff(path, axis=0)
    length = np.linalg.norm(step, axis=1)
    counts = length > 1e-9 * length.max(initial=0.0)
    both = counts[1:] & counts[:-1]
    cosine = (step[1:] * step[:-1]).sum(axis=1)[both] / (length[1:] * length[:-1])[both]
    return float(np.clip(cosine.min(initial=1.0), -1.0, 1.0))


def two_parameters(dataset: Dataset) -> Objective:
    """R(w, beta) on the training players."""
    x = np.asarray(dataset.train.X[:, dataset.columns.index(INPUT)], dtype=float)
    return partial(one_unit, x=standardised(x), y=standardised(np.asarray(dataset.train.y, dtype=float)))


def all_inputs(dataset: Dataset) -> tuple[Floats, Floats]:
    """X (176, 19) and y (176,) of the training players, standardised."""
    X, y = (np.asarray(values, dtype=float) for values in (dataset.train.X, dataset.train.y))
    return standardised(X), standardised(y)


def landscape(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """R(w, beta) itself: its two minima, the saddle between them, and what its contours are drawn from.

    For a fixed w it is a parabola in beta, R = level - beta * linear(w) + beta^2 * square(w) / 2 with level = sum y^2 /
    2, linear = sum y tanh(w x) and square = sum tanh(w x)^2. At the origin the Hessian has zeros on its diagonal and
    -sum x y beside it, so its eigenvalues are plus and minus the same: R curves as much down as up.
    deviation: |1 + smallest / largest| of these eigenvalues. minimum_gradient: length of the gradient at the minimum,
    as a share of that at the start.
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


def passes(
    X: Floats, y: Floats, start: Floats, rate: float, batch: int, number: int, rng: np.random.Generator
) -> Floats:
    """R over all examples before the first and after each of ``number`` passes of descent by batches, (number + 1,).

    Each step is theta <- theta - rate * mean gradient of the R_i of a batch; batches of a pass share no example, and
    their order is drawn anew for each. Infinite from where R is not finite.
    """
    heights = np.full(number + 1, np.inf)
    theta = start
    with np.errstate(over="ignore", invalid="ignore"):
        for done in range(number + 1):
            height = single_layer(theta, X, y)[0]
            if not np.isfinite(height):
                break
            heights[done] = height
            order = rng.permutation(len(y))
            for first in range(0, len(y), batch):
                chosen = order[first : first + batch]
                theta = theta - rate * single_layer(theta, X[chosen], y[chosen])[1] / len(chosen)
    return heights


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


def draw_paths(figure: Any, rows: Mapping[str, Series]) -> str:
    """The three paths on the contours of R(w, beta), from one start; both minima marked."""
    from matplotlib.colors import to_rgba
    from matplotlib.patheffects import withStroke

    from lecturebench.report.style import INK, MUTED, PAPER

    land, axes = rows["landscape"], figure.add_subplot()
    number = {name: land.values(name)[0] for name in ("level", "minimum", "minimum_w", "minimum_beta")}
    w, (linear, *_) = land.curve("linear", "w")
    square = land.curve("square", "w")[1][0]
    beta = np.linspace(-3.0, 4.0, 281)[:, None]
    height = number["level"] - beta * linear + beta**2 * square / 2
    # Shades from dark in the valleys to none; from one to the next, the height above the minimum doubles.
    levels = number["minimum"] + number["level"] * np.array([0, *(0.01 * 2.0 ** np.arange(9)), 1e3])
    shades = [to_rgba(MUTED, alpha) for alpha in np.linspace(0.4, 0.0, len(levels) - 1)]
    axes.contourf(w, beta[:, 0], height, levels=levels, colors=shades)
    axes.contour(w, beta[:, 0], height, levels=levels[1:-1], colors=MUTED, linewidths=0.5, alpha=0.5)
    told = []
    for name in ("large", "middle", "small"):
        series = rows[name]
        at, (to, *_) = series.curve("beta", "w")
        axes.plot(
            *(at, to), color=series.style.colour, marker=series.style.marker, markersize=6.5, linewidth=2,
            label=series.title, markevery=apart(at, to), markeredgecolor=PAPER, markeredgewidth=0.6,
        )  # fmt: skip
        told.append(f"{series.title} goes from ({at[0]:.1f}, {to[0]:.1f}) to ({at[-1]:.2g}, {to[-1]:.2g})")
    lowest, halo = np.array([number["minimum_w"], number["minimum_beta"]]), [withStroke(linewidth=3, foreground=PAPER)]
    words = {"textcoords": "offset points", "ha": "center", "va": "center", "path_effects": halo, "color": INK}
    for sign in (1, -1):
        axes.plot(*(sign * lowest), marker="+", color=INK, markersize=13, markeredgewidth=2.4, zorder=5)
        axes.annotate("minimum", sign * lowest, (-2, 17 * sign), **words)
    axes.plot(*START, marker="o", color="none", markeredgecolor=INK, markersize=13, markeredgewidth=1.8)
    axes.annotate("start", START, (28, 0), **words)
    axes.set(xlim=(-4.2, 4.2), ylim=(-2.4, 3.2), xlabel="w", ylabel="β")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=3, handletextpad=0.5)
    return f"Contours of R over w and beta with two minima; {'; '.join(told[::-1])}."


def apart(w: Floats, beta: Floats, gap: float = 0.12) -> list[int]:
    """The steps whose markers do not hide each other: each at least ``gap`` from the one marked before."""
    marked = [0]
    for step in range(1, len(w)):
        if np.hypot(w[step] - w[marked[-1]], beta[step] - beta[marked[-1]]) >= gap:
            marked.append(step)
    return marked


def draw_heights(figure: Any, rows: Mapping[str, Series]) -> str:
    """R above its minimum, and beta, against the step, for the three rates."""
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.style import INK

    above, below = figure.subplots(2, 1, sharex=True)
    minimum, minimum_beta = (rows["landscape"].values(name)[0] for name in ("minimum", "minimum_beta"))
    told = []
    for name in ("large", "middle", "small"):
        series = rows[name]
        step, (height, *_) = series.curve("R", "step")
        beta = series.curve("beta", "step")[1][0]
        told.append(f"{series.title} from {height[0]:.3g} to {height[-1]:.3g}")
        # A path that leaves is shown up to its first steps outside: later ones would only strike the others through.
        shown = slice(int(np.argmax(np.abs(beta) > 20)) + 1 if (np.abs(beta) > 20).any() else 21)
        look = {"color": series.style.colour, "marker": series.style.marker, "linewidth": 1.8}
        above.plot(step[shown], height[shown] - minimum, label=series.title, **look)
        below.plot(step[shown], beta[shown], **look)
    below.axhline(minimum_beta, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    above.set(yscale="log", ylim=(0.08, 2e4), ylabel="R above its minimum", yticks=[0.1, 1, 10, 100, 1000, 1e4])
    above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    above.tick_params(which="minor", left=False)
    below.set(ylim=(-1.4, 3.4), ylabel="β", xlabel="step", xlim=(-0.4, 20.4), xticks=range(0, 21, 5))
    figure.align_ylabels()
    for axes in (above, below):
        axes.grid(axis="y")
    handles, labels = above.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=3, handletextpad=0.5)
    return f"R against the step: {'; '.join(told[::-1])}."


def draw_passes(figure: Any, rows: Mapping[str, Series]) -> str:
    """R against passes over the data, stochastic and full batch: at the common rate, and each at its own."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    common, own = figure.subplots(1, 2, sharey=True)
    told = []
    for name, series in rows.items():
        series.band(own if name.endswith("own") else common, "R", "pass")
        told.append(f"{series.title} ends at {series.values('objective').mean():.3g}")
    for axes, title in ((common, "both at rate 0.01"), (own, "each at its best rate")):
        axes.set_title(title, fontsize=11)
        axes.set(xlabel="passes over the data", xticks=range(0, PASSES + 1, 5), xlim=(0, PASSES), yscale="log")
        axes.grid(axis="y")
    common.yaxis.set_major_locator(FixedLocator([10, 20, 50, 100, 200, 500, 1000]))
    common.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    common.yaxis.set_minor_formatter(NullFormatter())
    common.set_ylabel("R(θ), training players")
    figure.legend(loc="outside lower left", ncols=2)
    return f"Mean objective over the seeds: {'; '.join(told)}."


METHODS = (
    Experiment("landscape", "R(w, β) and its minima", landscape, deterministic=True),
    Experiment("small", f"Small, ρ = {SMALL:g}/L", path, "largest_rise", deterministic=True, multiple=SMALL),
    Experiment("middle", f"Middle, ρ = {MIDDLE:g}/L", path, "short_of_reversal", deterministic=True, multiple=MIDDLE),
    Experiment("large", f"Large, ρ = {LARGE:g}/L", path, "start_over_end", deterministic=True, multiple=LARGE),
    Experiment(
        "network", f"19 inputs, {UNITS} units, ρ = {SMALL_FOR_ALL:g}/L", network, "largest_rise", multiple=SMALL_FOR_ALL
    ),
    Experiment("stochastic", "Stochastic, rate 0.01", equal_passes, "objective", batch=BATCH, rates=COMMON_RATE),
    Experiment("full_batch", "Full batch, rate 0.01", equal_passes, "objective", batch=None, rates=COMMON_RATE),
    Experiment("stochastic_own", "Stochastic, best rate", equal_passes, "objective", batch=BATCH, rates=OWN_RATE),
    Experiment("full_batch_own", "Full batch, best rate", equal_passes, "objective", batch=None, rates=OWN_RATE),
)

SLIDE = 'slide "Train Neural Networks"'
TWO_PARAMETERS = {
    "objective": stated("R = 1/2 sum (y_i - f(x_i))^2", SLIDE),
    "network": assumed("f(x) = beta * tanh(w x): one unit without intercepts", "two parameters can be drawn"),
    "data": assumed("CRBI and salary of the book's 176 training players, standardised", "one input of real data"),
    "start": assumed(f"w = {START[0]:g}, beta = {START[1]:g}", "high on the side of a valley, for all three alike"),
}
DESCENT = TWO_PARAMETERS | {
    "update": stated("theta <- theta - rho * grad R(theta)", SLIDE),
    "rate": assumed(
        f"rho = {SMALL:g}, {MIDDLE:g} and {LARGE:g} times 1/L, L the largest curvature at the start",
        "a parabola is descended without turning up to 1/L, swinging up to 2/L, and not at all above",
    ),
    "steps": assumed(str(STEPS), "enough to see each of the three"),
}
ALL_INPUTS = {
    "objective": TWO_PARAMETERS["objective"],
    "network": stated("f(x) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_j)", SLIDE),
    "units": assumed(f"K = {UNITS}, tanh", "the drawing of ISLP, Fig. 10.1, has five"),
    "data": assumed("all 19 inputs and salary of the 176 training players, standardised", "the data of the book"),
    "start": assumed("Glorot's uniform weights, intercepts 0, drawn by the seed", "what Keras starts from"),
}
EQUAL_PASSES = ALL_INPUTS | {
    "passes": assumed(f"{PASSES} over the 176 players, each in a new order", "each method sees every player as often"),
    "batches": assumed(
        f"{BATCH} examples, 22 steps a pass, against 176 and one step", "176 = 22 * 8, so all count alike"
    ),
}
ROUNDING = 1e-12  # R is a sum of 176 squares: it is rounded by less than 176 times 2e-16 of itself

CLAIMS = (
    IdentityClaim(
        method="landscape",
        statement="the objective is non-convex: at the origin R curves down as much as up",
        tolerance=1e-6,
        source=f"{SLIDE}: the objective is non-convex",
        protocol=TWO_PARAMETERS | {"tolerance": assumed("1e-6", "the Hessian is a central difference, good to 1e-9")},
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    IdentityClaim(
        method="small",
        statement="R falls at every step",
        tolerance=ROUNDING,
        metric="largest_rise",
        source=f"{SLIDE}: theta^t + delta reduces the objective",
        protocol=DESCENT | {"tolerance": assumed("1e-12 of R at the start", "what rounding may add")},
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    IdentityClaim(
        method="small",
        statement="no step points against the one before",
        tolerance=0.0,
        metric="turned_back",
        source="this suite",
        protocol=DESCENT | {"tolerance": assumed("0", "for rho <= 1/L along the path the cosines are not negative")},
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    IdentityClaim(
        method="middle",
        statement="it swings: two successive steps point against each other",
        tolerance=0.5,
        metric="short_of_reversal",
        source="this suite",
        protocol=DESCENT
        | {
            "tolerance": assumed(
                "1 + cosine of at most 0.5", "at least 120 degrees; straight back is 0, a right angle 1"
            )
        },
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    IdentityClaim(
        method="middle",
        statement="and yet R ends below its start",
        tolerance=1.0,
        metric="end_over_start",
        source="this suite",
        protocol=DESCENT | {"tolerance": assumed("1", "R at the end as a share of R at the start")},
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    IdentityClaim(
        method="large",
        statement="R ends a thousand times above its start, or infinite",
        tolerance=1e-3,
        metric="start_over_end",
        source="this suite",
        protocol=DESCENT | {"tolerance": assumed("1e-3", "far beyond any bounded swinging; 0 where R is infinite")},
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    IdentityClaim(
        method="network",
        statement="R falls at every step",
        tolerance=ROUNDING,
        metric="largest_rise",
        source=f"{SLIDE}: theta^t + delta reduces the objective",
        protocol=ALL_INPUTS
        | {
            "rate": assumed(
                f"rho = {SMALL_FOR_ALL:g}/L, L the largest curvature at the start", "it may grow tenfold on the way"
            ),
            "steps": assumed(str(STEPS_FOR_ALL), "long enough for the curvature to grow"),
            "tolerance": assumed("1e-12 of R at the start", "what rounding may add"),
        },
        dataset="hitters",
        slide="Train Neural Networks",
    ),
    OrderClaim(
        order=("stochastic", "full_batch"),
        metric="objective",
        source="this suite",
        protocol=EQUAL_PASSES
        | {
            "rate": assumed("0.01 for the mean gradient, both alike", "the default of Keras' SGD; one step is one step")
        },
        dataset="hitters",
        slide="Stochastic Gradient Descent (SGD)",
    ),
    OrderClaim(
        order=("stochastic_own", "full_batch_own"),
        metric="objective",
        source="this suite",
        protocol=EQUAL_PASSES
        | {
            "rate": assumed(
                "of 0.001 to 10, two per decade, the one with the lowest R at the end, by method and seed",
                "a common rate favours whoever makes more steps; R itself is what is compared, so nothing is held out",
            )
        },
        dataset="hitters",
        slide="Stochastic Gradient Descent (SGD)",
    ),
)

DRAWINGS = (
    Drawing(
        *("paths", "Three learning rates on the objective", draw_paths, ("landscape", "small", "middle", "large")),
        caption="Contours of R in w and β, dark where it is low. ρ is the rate, L the largest curvature at the start.",
        size=(5.6, 4.6),
    ),
    Drawing(
        *("steps", "R at each step", draw_heights, ("landscape", "small", "middle", "large")),
        caption="The first 20 of 100 steps. The dashed line is β at the minimum: the middle rate swings about it.",
        size=(5.6, 4.8),
    ),
    Drawing(
        *("passes", "Stochastic and full batch at equal passes", draw_passes),
        ("stochastic", "full_batch", "stochastic_own", "full_batch_own"),
        caption="Means over seeds; bands from the lowest to the highest run. A pass is 22 steps of 8 players, or one.",
        size=(5.6, 4.8),
    ),
)

BENCHMARK = Benchmark(
    title="Gradient descent: what the learning rate does",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("hitters",),
    task="regression",
    profiles={
        "smoke": Profile(seeds=1, judges=False, time_limit=120),
        "lecture": Profile(seeds=10, time_limit=300),
        "full": Profile(seeds=100, time_limit=300),
    },
)
