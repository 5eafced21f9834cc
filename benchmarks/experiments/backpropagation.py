"""The slide's gradient against automatic differentiation and central differences, at random networks on a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.activations import ACTIVATIONS, Activation
from benchmarks.formulas.backpropagation import Floats, Theta, objective, slide_gradient, with_ones
from benchmarks.formulas.descent import standardised
from benchmarks.formulas.differences import STEP, central_differences, relative_error
from lecturebench import Measured, gradient

if TYPE_CHECKING:
    from lecturebench import Dataset

NETWORKS = 10  # random networks of one run
MOST_UNITS = 50
DRAWN_UNITS = 3  # of the network in the figures, which has all features: 64 parameters for Hitters
STEPS = tuple(float(10 ** (k / 2)) for k in range(-24, 1))  # of the figure
KINK = 1e-3  # ReLU: players with a z_ik nearer to 0 are left out, since a step may then reach across the kink


def check(dataset: Dataset, rng: np.random.Generator, activation: str) -> Measured:
    """The largest relative errors over `NETWORKS` random networks.

    automatic, central: of that gradient against the slide's. deviation: the larger of the two. players: the fewest that
    a network was computed on.
    """
    g = ACTIVATIONS[activation]
    X, y = (standardised(np.asarray(values, dtype=float)) for values in (dataset.train.X, dataset.train.y))
    errors: dict[str, list[float]] = {"automatic": [], "central": []}
    players = []
    for _ in range(NETWORKS):
        units, features = int(rng.integers(1, MOST_UNITS + 1)), int(rng.integers(1, X.shape[1] + 1))
        theta = random_network(rng, units, features)
        columns = np.sort(rng.permutation(X.shape[1])[:features])
        seen = off_the_kink(theta, X[:, columns], y, g)
        by_slide = slide_gradient(theta, *seen, g)
        errors["automatic"].append(relative_error(automatic_gradient(theta, *seen, g), by_slide))
        errors["central"].append(relative_error(by_steps(theta, *seen, g), by_slide))
        players.append(len(seen[1]))
    worst = {name: max(values) for name, values in errors.items()}
    values = {"deviation": max(worst.values()), **worst, "players": min(players)}
    return Measured(values, curve(rng, X, y, g))


def curve(rng: np.random.Generator, X: Floats, y: Floats, g: Activation) -> tuple[dict[str, float], ...]:
    """One more network for the figures: each parameter's three derivatives, and the error of each step size."""
    theta = random_network(rng, DRAWN_UNITS, X.shape[1])
    seen = off_the_kink(theta, X, y, g)
    by_slide = slide_gradient(theta, *seen, g)
    by_all = {
        "slide": by_slide,
        "automatic": automatic_gradient(theta, *seen, g),
        "central": by_steps(theta, *seen, g),
    }
    table = {name: np.concatenate([part.ravel() for part in parts]) for name, parts in by_all.items()}
    points = [{name: float(values[i]) for name, values in table.items()} for i in range(len(table["slide"]))]
    for step in STEPS:
        points.append({"h": step, "at_h": relative_error(by_steps(theta, *seen, g, step), by_slide)})
    return tuple(points)


def by_steps(theta: Theta, X: Floats, y: Floats, g: Activation, step: float = STEP) -> Theta:
    """The gradient of R by central differences."""
    by_beta, by_w = central_differences(lambda moved: objective((moved[0], moved[1]), X, y, g), theta, step)
    return by_beta, by_w


def automatic_gradient(theta: Theta, X: Floats, y: Floats, g: Activation) -> Theta:
    """The gradient of R by automatic differentiation on the backend, float64; it knows none of the slide's formulas."""
    from keras import ops

    function = keras_activation(g.name)

    def height(beta: Any, w: Any) -> Any:
        x = ops.convert_to_tensor(with_ones(X), dtype="float64")
        z = x @ ops.transpose(w)  # the tensors' own product: Keras' takes float64 in float32 on PyTorch
        f = beta[0] + ops.sum(function(z) * beta[1:], axis=1)
        return ops.sum(ops.square(ops.convert_to_tensor(y, dtype="float64") - f)) / 2

    by_beta, by_w = gradient(height, theta)
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


def random_network(rng: np.random.Generator, units: int, features: int) -> Theta:
    """beta and w drawn from normal distributions with variances 1 / (K + 1) and 1 / (p + 1), so that z is near 1."""
    beta = rng.normal(size=units + 1) / np.sqrt(units + 1)
    w = rng.normal(size=(units, features + 1)) / np.sqrt(features + 1)
    return beta, w


def off_the_kink(theta: Theta, X: Floats, y: Floats, g: Activation) -> tuple[Floats, Floats]:
    """X and y as they are; for ReLU without the players that have a |z_ik| below `KINK`."""
    if g.name != "relu":
        return X, y
    kept = (np.abs(with_ones(X) @ theta[1].T) >= KINK).all(axis=1)
    return X[kept], y[kept]
