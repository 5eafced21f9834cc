"""Softmax and cross-entropy on real images: how far implementations are from the formulas. Nothing is fitted.

Z = b + X B with the test images in X and random b and B, scaled so that the largest |Z| is what is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.softmax import as_printed, cross_entropy, exact_probabilities, largest_finite, softmax
from lecturebench import Measured

if TYPE_CHECKING:
    from lecturebench import Dataset

Floats = npt.NDArray[Any]

CLASSES = 10
BATCH = 128  # examples in one mean of the loss: as many as a training step of the error table has
MODERATE, EXTREME = 10.0, 1e4  # the largest |Z|
LEAD = 40.0  # e^-40 is below half an epsilon of float64: added to 1, it vanishes
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
GRID = tuple(float(10 ** (k / 10)) for k in range(41))  # of the largest |Z| in the figure: 1 to 10,000
EXACT, DRAWN = 200, 50  # images that are also computed in decimal arithmetic, which is slow: for a claim, the figure


def numpy_softmax(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """`deviations` of the formulas with the largest Z subtracted first, in float64."""
    return deviations(*random_outputs(dataset, rng), "float64", softmax, cross_entropy)


def keras_softmax(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """`deviations` of Keras' softmax and of the loss that networks minimise, in float32 on the backend."""
    return deviations(*random_outputs(dataset, rng), "float32", keras_probabilities, keras_loss)


def printed_softmax(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """Where the formula as printed stops to give numbers, in float32 and in float64, and how it deviates before.

    overflow_…: of the largest Z at which it gives numbers from the logarithm of the largest float, as a share.
    deviation: the larger of the two.
    """
    Z, _ = random_outputs(dataset, rng)
    limits = {precision: math.log(float(np.finfo(precision).max)) for precision in EPSILON}
    overflow = {f"overflow_{name}": largest_share(largest_finite(name), limit) for name, limit in limits.items()}
    curve = []
    for largest in GRID:
        point = {"largest": largest}
        for precision in EPSILON:
            at = scaled(Z[:DRAWN], largest, precision)
            point[precision] = largest_deviation(as_printed(at), exact_probabilities(at))
        curve.append(point)
    return Measured({"deviation": max(overflow.values()), **overflow}, tuple(curve))


def deviations(
    Z: Floats, y: Floats, precision: str, probabilities: Callable[[Floats], Floats], loss: Callable[..., float]
) -> Measured:
    """How far ``probabilities`` and ``loss`` are from the formulas, at Z in their precision.

    deviation: of the sum of the probabilities from 1. likelihood: of the mean loss of a batch from the multinomial
    log-likelihood, as a share. extreme: of the probabilities of `EXACT` images at |Z| up to 10,000 from exact ones.
    extreme_loss: of the mean loss there from that of max Z - Z_y, as a share, over the images whose largest Z leads by
    `LEAD`.
    """
    moderate, extreme = scaled(Z, MODERATE, precision), scaled(Z, EXTREME, precision)
    leads = clear(extreme)
    values = {
        "deviation": largest_deviation(probabilities(moderate).astype(float).sum(axis=1), 1.0),
        "likelihood": largest_of_batches(loss, scipy_loss, moderate, y),
        "extreme": largest_deviation(probabilities(extreme[:EXACT]), exact_probabilities(extreme[:EXACT])),
        "extreme_loss": largest_of_batches(loss, lead_loss, extreme[leads], y[leads]),
    }
    curve = []
    for largest in GRID:
        at = scaled(Z[:DRAWN], largest, precision)
        curve.append({"largest": largest, precision: largest_deviation(probabilities(at), exact_probabilities(at))})
    return Measured(values, tuple(curve))


def keras_probabilities(Z: Floats) -> Floats:
    """Keras' softmax of each row."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(Z), axis=-1)))


def keras_loss(Z: Floats, y: Floats) -> float:
    """Keras' mean cross-entropy of a batch, of the Z themselves."""
    import keras
    from keras import ops

    labels, z = ops.convert_to_tensor(y.astype(np.int32)), ops.convert_to_tensor(Z)
    losses = keras.losses.sparse_categorical_crossentropy(labels, z, from_logits=True)
    return float(ops.convert_to_numpy(ops.mean(losses)))


def scipy_loss(Z: Floats, y: Floats) -> float:
    """The mean of -log Pr(Y = y), by SciPy's softmax and multinomial distribution of one draw, float64."""
    from scipy.special import softmax as scipy_softmax
    from scipy.stats import multinomial

    one_hot = np.eye(Z.shape[1], dtype=int)[y]
    return float(-np.mean(multinomial.logpmf(one_hot, n=1, p=scipy_softmax(Z.astype(float), axis=1))))


def lead_loss(Z: Floats, y: Floats) -> float:
    """The mean of max Z - Z_y, float64: the cross-entropy where the largest Z leads by far."""
    exact = Z.astype(float)
    return float(np.mean(exact.max(axis=1) - exact[np.arange(len(y)), y]))


def clear(Z: Floats) -> Floats:
    """Whether the largest Z of a row leads the second by at least `LEAD`, (n,) booleans."""
    ordered = np.sort(Z.astype(float), axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] >= LEAD)


def random_outputs(dataset: Dataset, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Z = b + X B (n, classes) float64 of the test images, b and B standard normal, and their labels (n,)."""
    pixels = np.asarray(dataset.test.X, dtype=np.float32).reshape(len(dataset.test), -1)
    X = (pixels / np.float32(dataset.scale)).astype(float)
    classes = len(dataset.classes)
    B, b = rng.normal(size=(X.shape[1], classes)), rng.normal(size=classes)
    return b + X @ B, np.asarray(dataset.test.y)


def scaled(Z: Floats, largest: float, precision: str) -> Floats:
    """Z times the number that makes its largest |Z| equal to ``largest``, and positive; rounded to that precision."""
    return np.asarray(Z * (largest / Z.flat[np.abs(Z).argmax()]), dtype=precision)


def largest_deviation(measured: Floats, expected: Floats | float) -> float:
    """The largest |measured - expected|, infinite if a number is not finite."""
    distance = np.abs(np.asarray(measured, dtype=float) - expected)
    return float(distance.max()) if np.isfinite(distance).all() else math.inf


def largest_share(measured: Floats | float, expected: Floats | float) -> float:
    """The largest deviation as a share of what is expected, |measured / expected - 1|."""
    return largest_deviation(np.asarray(measured, dtype=float) / np.asarray(expected, dtype=float), 1.0)


def largest_of_batches(loss: Callable[..., float], expected: Callable[..., float], Z: Floats, y: Floats) -> float:
    """The largest deviation of a loss from another as a share of it, over batches of `BATCH` examples in order."""
    pieces = [(Z[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(y), BATCH)]
    return max(largest_share(loss(*piece), expected(*piece)) for piece in pieces)
