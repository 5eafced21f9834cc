"""The slides' recurrent network against Keras', and what the last output still knows of earlier inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.experiments.backpropagation import keras_activation
from benchmarks.experiments.residual import float64
from benchmarks.formulas.activations import ACTIVATIONS, Activation
from benchmarks.formulas.descent import standardised
from benchmarks.formulas.differences import central_differences, relative_error
from benchmarks.formulas.recurrent import Floats, Theta, inputs_of_units, loss, outputs, slide_gradient
from lecturebench import Measured, gradient

if TYPE_CHECKING:
    from lecturebench import Dataset

NETWORKS = 5  # random networks of one run
MOST_UNITS, MOST_DAYS, SEQUENCES = 12, 10, 20
SERIES = 3  # columns of NYSE; the days of the week after them are no series
KINK = 1e-3  # ReLU: sequences with a z_lk nearer to 0 are left out, since a step may then reach across the kink
DAYS, UNITS, WATCHED = 60, 32, 50  # of the sequences whose last output is asked what it knows of each day


def check(dataset: Dataset, rng: np.random.Generator, activation: str) -> Measured:
    """The largest errors over `NETWORKS` random networks on sequences of days.

    outputs: the largest difference of any O_l to that of Keras' SimpleRNN and Dense. automatic, central: the relative
    error of that gradient of the loss against the slide's by the chain rule, the largest of w's, u's and beta's. Keras'
    loss is of the last output alone. deviation: the largest of the three.
    """
    g = ACTIVATIONS[activation]
    errors: dict[str, list[float]] = {"outputs": [], "automatic": [], "central": []}
    for _ in range(NETWORKS):
        units, length = int(rng.integers(1, MOST_UNITS + 1)), int(rng.integers(2, MOST_DAYS + 1))
        X, y = sequences(dataset, rng, length, SEQUENCES)
        theta = random_network(rng, units, X.shape[2])
        X, y = off_the_kink(theta, X, y, g)
        by_keras, by_formula = of_keras(theta, X, y, g), slide_gradient(theta, X, y, g)
        errors["outputs"].append(float(np.abs(by_keras[0] - outputs(theta, X, g)).max()))
        errors["automatic"].append(relative_error(by_keras[1], by_formula))
        errors["central"].append(relative_error(by_steps(theta, X, y, g), by_formula))
    worst = {name: max(values) for name, values in errors.items()}
    return Measured({"deviation": max(worst.values()), **worst})


def forgetting(dataset: Dataset, rng: np.random.Generator, kind: str, orthogonal: bool = True) -> Measured:
    """How much the last output of an untrained network would change with each day's input.

    kind: the Keras layer, "SimpleRNN", "LSTM" or "GRU", of 32 units, its weights as Keras starts them: kernels uniform
    as Glorot and Bengio have it, and the recurrent ones orthogonal, or likewise if not ``orthogonal``. norms: (days,),
    the mean over sequences of ||d O_L / d X_l||, in the order of time. kept: that of the first day as a share of the
    last day's. lost: how many powers of ten that is below 1.
    """
    import keras

    X, _ = sequences(dataset, rng, DAYS, WATCHED)
    with float64():
        layer = getattr(keras.layers, kind)(UNITS, activation=keras_activation("tanh"))
        model = keras.Sequential([keras.Input(X.shape[1:], dtype="float64"), layer, keras.layers.Dense(1)])
    weights = [drawn(variable, rng, orthogonal) for variable in model.trainable_variables]

    def last_outputs(x: Any) -> Any:
        values = [keras.ops.convert_to_tensor(value, dtype="float64") for value in weights]
        fixed = [keras.ops.convert_to_tensor(variable) for variable in model.non_trainable_variables]
        o, _ = model.stateless_call(values, fixed, x)
        return keras.ops.sum(o)  # sequences do not meet, so each has its own gradient

    [slopes] = gradient(last_outputs, [X])
    norms = np.linalg.norm(slopes, axis=2).mean(axis=0)
    kept = float(norms[0] / norms[-1])
    return Measured({"kept": kept, "lost": -float(np.log10(kept))}, arrays={"norms": norms})


def sequences(dataset: Dataset, rng: np.random.Generator, length: int, count: int) -> tuple[Floats, Floats]:
    """``count`` random stretches of that many days of the training split, standardised, and the next day's response."""
    series = dataset.train.X[:, :SERIES]
    X, y = (standardised(np.asarray(values, dtype=float)) for values in (series, dataset.train.y))
    firsts = rng.integers(len(y) - length, size=count)
    return np.stack([X[first : first + length] for first in firsts]), y[firsts + length]


def random_network(rng: np.random.Generator, units: int, features: int) -> Theta:
    """w, u and beta drawn from normal distributions, with variances such that z is near 1 at every step."""
    w = rng.normal(size=(units, features + 1)) / np.sqrt(features + 1)
    u = rng.normal(size=(units, units)) / np.sqrt(units)
    return w, u, rng.normal(size=units + 1) / np.sqrt(units + 1)


def off_the_kink(theta: Theta, X: Floats, y: Floats, g: Activation) -> tuple[Floats, Floats]:
    """X and y as they are; for ReLU without the sequences that have a |z_lk| below `KINK`."""
    if g.name != "relu":
        return X, y
    kept = (np.abs(inputs_of_units(theta, X, g)[0]) >= KINK).all(axis=(1, 2))
    return X[kept], y[kept]


def by_steps(theta: Theta, X: Floats, y: Floats, g: Activation) -> Theta:
    """The gradient of the loss by central differences."""
    by_w, by_u, by_beta = central_differences(lambda moved: loss((moved[0], moved[1], moved[2]), X, y, g), theta)
    return by_w, by_u, by_beta


def of_keras(theta: Theta, X: Floats, y: Floats, g: Activation) -> tuple[Floats, Theta]:
    """All outputs (n, L) of Keras' own layers with these weights, and the loss' gradient by w, u and beta.

    The backend differentiates in float64; it is told nothing of steps or of a chain rule.
    """
    import keras

    w, u, beta = theta
    with float64():
        inputs = keras.Input(X.shape[1:], dtype="float64")
        hidden = keras.layers.SimpleRNN(len(w), activation=keras_activation(g.name), return_sequences=True)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    values = [w[:, 1:].T, u.T, w[:, 0], beta[1:, None], beta[:1]]  # kernel, recurrent kernel, bias; kernel, bias
    fixed = [keras.ops.convert_to_tensor(variable) for variable in model.non_trainable_variables]

    def all_outputs(given: Any) -> Any:
        o, _ = model.stateless_call(list(given), fixed, keras.ops.convert_to_tensor(X, dtype="float64"))
        return o[:, :, 0]

    def last_squared(*given: Any) -> Any:
        return keras.ops.sum(
            keras.ops.square(keras.ops.convert_to_tensor(y, dtype="float64") - all_outputs(given)[:, -1])
        )

    kernel, recurrent, bias, weights, intercept = gradient(last_squared, values)
    by_keras = (np.column_stack([bias, kernel.T]), recurrent.T, np.concatenate([intercept, weights[:, 0]]))

    def weighed(weighing: Any) -> Any:
        given = [keras.ops.convert_to_tensor(value, dtype="float64") for value in values]
        return keras.ops.sum(weighing * all_outputs(given))

    # The outputs themselves, as what a weighted sum of them grows by: a backend has float64 there alone.
    [o] = gradient(weighed, [np.ones(X.shape[:2])])
    return o, by_keras


def drawn(variable: Any, rng: np.random.Generator, orthogonal: bool) -> Floats:
    """First values of a layer's variable as Keras starts it, drawn by NumPy; biases as they are."""
    import keras

    if len(variable.shape) < 2 or "bias" in variable.name:
        return np.asarray(keras.ops.convert_to_numpy(variable), dtype=float)
    rows, columns = variable.shape
    if orthogonal and "recurrent" in variable.name:
        q, r = np.linalg.qr(rng.normal(size=(columns, rows)))
        return np.asarray((q * np.sign(np.diag(r))).T)
    return np.asarray(rng.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns)))
