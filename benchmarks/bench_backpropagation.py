"""Backpropagation: are the slide's two formulas the gradient of a single-layer network?

Slide "Gradients and Backpropagation" derives, with R_i = (y_i - f(x_i))^2 / 2 and z_ik = w_k0 + sum_j w_kj x_ij,

    dR_i / dbeta_k = -(y_i - f(x_i)) g(z_ik),    dR_i / dw_kj = -(y_i - f(x_i)) beta_k g'(z_ik) x_ij,

where f(x_i) = beta_0 + sum_k beta_k g(z_ik). Summed over the players i they are the gradient of R on slide "Train
Neural Networks". They are written below as they stand there, for five activations g, and compared with automatic
differentiation and with central differences, (R(theta + h) - R(theta - h)) / 2h for each parameter, at networks of
random size and weights on Hitters. Nothing is trained.

Central differences err by about h^2 R''' / 6 from the curve and by about epsilon R / h from rounding. The two balance
near h = epsilon^(1/3), 6e-6 in float64, which leaves about epsilon^(2/3), 4e-11, of the scale of R (Nocedal and Wright,
"Numerical Optimization", sec. 8.1): the claimed 1e-6 leaves room for R to be large beside its gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.activations import ACTIVATIONS, Activation
from lecturebench import Benchmark, Drawing, Experiment, IdentityClaim, Measured, Profile, assumed, stated

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

NETWORKS = 10  # random networks of one run
MOST_UNITS = 50
DRAWN_UNITS = 3  # of the network in the figures, which has all features: 64 parameters for Hitters
STEP = float(np.finfo(np.float64).eps ** (1 / 3))
STEPS = tuple(float(10 ** (k / 2)) for k in range(-24, 1))  # of the figure
KINK = 1e-3  # ReLU: players with a z_ik nearer to 0 are left out, since a step may then reach across the kink
TOLERANCE = 1e-6

Theta = tuple[np.ndarray, np.ndarray]  # beta (K + 1,) and w (K, p + 1), beta_0 and w_k0 first


def standardized_training(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """X (n, p) and y (n,) of the training split, each column less its mean and divided by its standard deviation."""
    X, y = np.asarray(dataset.train.X, dtype=float), np.asarray(dataset.train.y, dtype=float)
    return (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()


def with_ones(values: np.ndarray) -> np.ndarray:
    """A first column of ones: beta_0 and w_k0 are the coefficients of 1."""
    return np.column_stack([np.ones(len(values)), values])


def objective(theta: Theta, X: np.ndarray, y: np.ndarray, g: Activation) -> float:
    """R = sum_i (y_i - f(x_i))^2 / 2 with f(x_i) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_ij)."""
    beta, w = theta
    z = with_ones(X) @ w.T  # (n, K)
    f = with_ones(g.function(z)) @ beta  # (n,)
    return float(np.sum((y - f) ** 2) / 2)


def slide_gradient(theta: Theta, X: np.ndarray, y: np.ndarray, g: Activation) -> Theta:
    """dR / dbeta (K + 1,) and dR / dw (K, p + 1) by the slide's two formulas, summed over i.

    For beta_0 the formula's g(z_ik) is 1, for w_k0 its x_ij.
    """
    beta, w = theta
    x = with_ones(X)  # (n, p + 1)
    z = x @ w.T  # (n, K)
    a = with_ones(g.function(z))  # (n, K + 1)
    residual = y - a @ beta  # (n,)
    by_beta = -residual[:, None] * a  # (n, K + 1)
    by_w = (-residual[:, None] * beta[1:] * g.derivative(z))[:, :, None] * x[:, None, :]  # (n, K, p + 1)
    return by_beta.sum(axis=0), by_w.sum(axis=0)


def automatic_gradient(theta: Theta, X: np.ndarray, y: np.ndarray, g: Activation) -> Theta:
    """The same by automatic differentiation of R on the backend, float64."""
    import keras
    from keras import ops

    from lecturebench.training.backends import LOADERS

    function = keras_activation(g.name)

    def height(beta: Any, w: Any) -> Any:
        x = ops.convert_to_tensor(with_ones(X), dtype="float64")
        z = x @ ops.transpose(w)  # the tensors' own product: Keras' takes float64 in float32 on PyTorch
        f = beta[0] + ops.sum(function(z) * beta[1:], axis=1)
        return ops.sum(ops.square(ops.convert_to_tensor(y, dtype="float64") - f)) / 2

    by_beta, by_w = LOADERS[keras.config.backend()]().gradient(height, theta)
    return by_beta, by_w


def keras_activation(name: str) -> Callable[[Any], Any]:
    """g by its formula in ``keras.ops``, in float64 on every backend.

    Keras' own are not all: on TensorFlow GELU rounds sqrt(1/2) to float32, on JAX tanh is computed in float32.
    """
    from keras import ops

    formulas: dict[str, Callable[[Any], Any]] = {
        "identity": lambda z: z,
        "sigmoid": lambda z: 1 / (1 + ops.exp(-z)),
        "tanh": lambda z: (ops.exp(z) - ops.exp(-z)) / (ops.exp(z) + ops.exp(-z)),
        "relu": ops.relu,
        "gelu": lambda z: z * (1 + ops.erf(z / 2**0.5)) / 2,
    }
    return formulas[name]


def central_differences(theta: Theta, X: np.ndarray, y: np.ndarray, g: Activation, step: float = STEP) -> Theta:
    """The same by (R(theta + h) - R(theta - h)) / 2h, one parameter after another, h = step * max(1, |parameter|)."""
    moved = [part.copy() for part in theta]
    slopes = [np.zeros_like(part) for part in theta]
    for part, slope in zip(moved, slopes, strict=True):
        for at in np.ndindex(part.shape):
            here = part[at]
            heights, ends = [], []
            for sign in (1, -1):
                part[at] = here + sign * step * max(1.0, abs(float(here)))
                heights.append(objective((moved[0], moved[1]), X, y, g))
                ends.append(part[at])
            part[at] = here
            slope[at] = (heights[0] - heights[1]) / (ends[0] - ends[1])  # the step that rounding left
    return slopes[0], slopes[1]


def relative_error(found: Theta, expected: Theta) -> float:
    """||found - expected|| / ||expected||, the larger of the two formulas': for all of beta, and for all of w.

    0 where both are 0, as for w where every ReLU is switched off; infinite where only the expected one is.
    """
    errors = []
    for one, other in zip(found, expected, strict=True):
        distance, size = float(np.linalg.norm(one - other)), float(np.linalg.norm(other))
        errors.append(distance / size if size else 0.0 if distance == 0 else float("inf"))
    return max(errors)


def random_network(rng: np.random.Generator, units: int, features: int) -> Theta:
    """beta and w drawn from normal distributions with variances 1 / (K + 1) and 1 / (p + 1), so that z is near 1."""
    beta = rng.normal(size=units + 1) / np.sqrt(units + 1)
    w = rng.normal(size=(units, features + 1)) / np.sqrt(features + 1)
    return beta, w


def off_the_kink(theta: Theta, X: np.ndarray, y: np.ndarray, g: Activation) -> tuple[np.ndarray, np.ndarray]:
    """X and y as they are; for ReLU without the players that have a |z_ik| below `KINK`."""
    if g.name != "relu":
        return X, y
    kept = (np.abs(with_ones(X) @ theta[1].T) >= KINK).all(axis=1)
    return X[kept], y[kept]


def check(dataset: Dataset, rng: np.random.Generator, activation: str) -> Measured:
    """The largest relative errors over `NETWORKS` random networks on Hitters.

    automatic, central: of that gradient against the slide's. deviation: the larger of the two. players: the fewest that
    a network was computed on.
    """
    g = ACTIVATIONS[activation]
    X, y = standardized_training(dataset)
    errors: dict[str, list[float]] = {"automatic": [], "central": []}
    players = []
    for _ in range(NETWORKS):
        units, features = int(rng.integers(1, MOST_UNITS + 1)), int(rng.integers(1, X.shape[1] + 1))
        theta = random_network(rng, units, features)
        columns = np.sort(rng.permutation(X.shape[1])[:features])
        seen = off_the_kink(theta, X[:, columns], y, g)
        by_slide = slide_gradient(theta, *seen, g)
        errors["automatic"].append(relative_error(automatic_gradient(theta, *seen, g), by_slide))
        errors["central"].append(relative_error(central_differences(theta, *seen, g), by_slide))
        players.append(len(seen[1]))
    worst = {name: max(found) for name, found in errors.items()}
    values = {"deviation": max(worst.values()), **worst, "players": min(players)}
    return Measured(values, curve(rng, X, y, g))


def curve(rng: np.random.Generator, X: np.ndarray, y: np.ndarray, g: Activation) -> tuple[dict[str, float], ...]:
    """One more network for the figures: each parameter's three derivatives, and the error of each step size."""
    theta = random_network(rng, DRAWN_UNITS, X.shape[1])
    seen = off_the_kink(theta, X, y, g)
    by_slide = slide_gradient(theta, *seen, g)
    by_all = {
        "slide": by_slide,
        "automatic": automatic_gradient(theta, *seen, g),
        "central": central_differences(theta, *seen, g),
    }
    table = {name: np.concatenate([part.ravel() for part in parts]) for name, parts in by_all.items()}
    points = [{name: float(values[i]) for name, values in table.items()} for i in range(len(table["slide"]))]
    for step in STEPS:
        points.append({"h": step, "at_h": relative_error(central_differences(theta, *seen, g, step), by_slide)})
    return tuple(points)


TITLES = {"identity": "Identity", "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "gelu": "GELU (exact)"}
ON_ROW = "Its row shows the largest relative error of both comparisons."
AT_KINK = "Players with a |z_ik| below 0.001 are left out of a network: a step there may reach across the kink."

METHODS = tuple(
    Experiment(
        name,
        title,
        check,
        backend=True,
        notes=(ON_ROW, AT_KINK) if name == "relu" else (ON_ROW,),
        activation=name,
    )
    for name, title in TITLES.items()
)

SLIDE = 'slide "Gradients and Backpropagation"'
PROTOCOL = {
    "formulas": stated("-(y_i - f(x_i)) g(z_ik) and -(y_i - f(x_i)) beta_k g'(z_ik) x_ij", SLIDE),
    "objective": stated("R = sum_i (y_i - f(x_i))^2 / 2", 'slide "Train Neural Networks"'),
    "networks": assumed(
        f"{NETWORKS} a seed, 1 to {MOST_UNITS} units, 1 to 19 features, weights normal", "the formulas hold of any"
    ),
    "data": assumed("Hitters, training split, X and y standardised", "the book's data for a single-layer network"),
    "error": assumed("||difference|| / ||gradient||, the larger of beta's and w's", "so each formula is checked alone"),
    "tolerance": assumed("1e-6", "fixed beforehand; the rounding of float64 and the step leave 1e-9 or less as a rule"),
}
AUTOMATIC = {"reference": assumed("automatic differentiation of R in float64 by the backend", "it knows no formula")}
CENTRAL = {"step": assumed("epsilon^(1/3) max(1, |parameter|), epsilon = 2.2e-16", "balances curve against rounding")}
AWAY = {"kink": assumed("players with a |z_ik| below 0.001 are left out", "ReLU has no derivative at 0")}

CLAIMS = tuple(
    IdentityClaim(
        method=name,
        metric=metric,
        statement=f"the slide's formulas are the gradient by {against}",
        tolerance=TOLERANCE,
        dataset="hitters",
        source=SLIDE,
        slide="Gradients and Backpropagation",
        protocol={**PROTOCOL, **how, **(AWAY if name == "relu" else {})},
    )
    for name in TITLES
    for metric, against, how in (
        ("automatic", "automatic differentiation", AUTOMATIC),
        ("central", "central differences", CENTRAL),
    )
)

SMALLEST = 1e-19  # where 0 stands on a log axis


def draw_gradient(figure: Any, rows: Mapping[str, Series]) -> str:
    """For each parameter of one network: the difference to the slide's formula against the size of its derivative."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.figures import short
    from lecturebench.report.style import INK

    axes = figure.add_subplot()
    largest = {"central": 0.0, "automatic": 0.0}
    for series in rows.values():
        points = [point for point in series.runs[0].curve if "slide" in point]
        slide = np.array([point["slide"] for point in points])
        size = float(np.linalg.norm(slide))
        for kind in ("central", "automatic"):
            difference = np.abs(np.array([point[kind] for point in points]) - slide) / size
            filled = series.style.colour if kind == "central" else "none"
            axes.plot(
                *(np.abs(slide) / size, np.maximum(difference, SMALLEST)), series.style.marker,
                color=series.style.colour, markerfacecolor=filled, markersize=5,
            )  # fmt: skip
            largest[kind] = max(largest[kind], float(difference.max()))
    axes.axhline(TOLERANCE, color=INK, linewidth=1.4, linestyle=(0, (5, 2)))
    axes.set(xscale="log", yscale="log", ylim=(SMALLEST / 3, 1e-4))
    axes.set(xlabel="component, share of ||gradient||", ylabel="difference to the slide's, same share")
    axes.set_yticks([SMALLEST, *(10.0**-k for k in (16, 13, 10, 7))])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if value == SMALLEST else short(value)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.minorticks_off()
    axes.grid(axis="y")
    labels = {"claimed: below 1e-6": TOLERANCE, "central differences": 1e-9, "automatic (hollow)": 1e-15}
    for label, height in labels.items():
        axes.text(0.02, height * 1.5, label, transform=axes.get_yaxis_transform(), va="bottom", color=INK)
    handles = [
        Line2D([], [], linestyle="none", color=series.style.colour, marker=series.style.marker, label=series.title)
        for series in rows.values()
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=5, handletextpad=0.1, columnspacing=1.0)
    return (
        "Difference of each component of the gradient to the slide's formula against its size, for five activations on "
        f"log axes: at most {largest['central']:.1g} for central differences and {largest['automatic']:.1g} for "
        "automatic differentiation, as shares of the gradient's norm."
    )


def draw_steps(figure: Any, rows: Mapping[str, Series]) -> str:
    """Error of central differences against their step: rounding on the left, the curve on the right."""
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.figures import short
    from lecturebench.report.style import INK

    axes = figure.add_subplot()
    told = []
    for series in rows.values():
        h, table = series.curve("at_h", "h")
        middle = np.median(table, axis=0)
        axes.plot(h, middle, color=series.style.colour, marker=series.style.marker, markevery=4, label=series.title)
        told.append(f"{series.title} is best at h = {short(float(f'{h[middle.argmin()]:.0e}'))}")
    axes.axvline(STEP, color=INK, linewidth=1.4, zorder=1, label="chosen h = 6e-6")
    axes.axhline(TOLERANCE, color=INK, linewidth=1.4, linestyle=(0, (5, 2)), label="claimed: below 1e-6")
    axes.set(xscale="log", yscale="log", xlabel="step h of central differences", ylabel="relative error")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.minorticks_off()
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=3, handletextpad=0.4, columnspacing=1.2)
    return f"Relative error of central differences against their step h on log axes: {'; '.join(told)}."


DRAWINGS = (
    Drawing(
        "gradient",
        "The checked gradient",
        draw_gradient,
        tuple(TITLES),
        caption=f"One network of {DRAWN_UNITS} units for each activation; every mark is one of its parameters.",
        size=(5.6, 4.6),
    ),
    Drawing(
        "steps",
        "The step of central differences",
        draw_steps,
        tuple(TITLES),
        caption="The median over the seeds, one network each. Smaller steps lose digits to rounding, larger ones see "
        "the curve; the identity has none in any one parameter, ReLU only across its kink.",
        size=(5.6, 4.6),
    ),
)

BENCHMARK = Benchmark(
    title="Backpropagation: the slide's gradient, checked",
    methods=METHODS,
    claims=CLAIMS,
    datasets=("hitters",),
    task="regression",
    drawings=DRAWINGS,
    profiles={
        "smoke": Profile(seeds=1, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=300),
        "full": Profile(seeds=50, time_limit=300),
    },
)
