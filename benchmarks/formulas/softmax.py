"""Softmax and cross-entropy as the slides print them, and as they are computed, in NumPy.

Slide "Softmax Output": f_m = exp(Z_m) / sum_l exp(Z_l). Slide "Cross-Entropy Loss": -sum_i sum_m y_im log f_m(x_i).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Labels = npt.NDArray[Any]

DIGITS = 25  # of the decimal arithmetic of `exact_probabilities`; float64 has 16


def as_printed(Z: Floats) -> Floats:
    """f_m = exp(Z_m) / sum_l exp(Z_l) of each row in the precision of Z, nothing subtracted; NaN where it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        raised = np.exp(Z)
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def softmax(Z: Floats) -> Floats:
    """The same in float64 with the largest Z of each row subtracted first: exp of it cancels, and nothing overflows."""
    raised = np.exp(Z.astype(float) - Z.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def cross_entropy(Z: Floats, y: Labels) -> float:
    """The mean of -log f_y over the rows, float64, of the Z themselves: log sum_l exp(Z_l) - Z_y. y: (n,) labels."""
    exact = Z.astype(float)
    return float(np.mean(np.logaddexp.reduce(exact, axis=1) - exact[np.arange(len(y)), y]))


def exact_probabilities(Z: Floats) -> Floats:
    """f_m of each row as printed, in `DIGITS` decimal digits, which neither overflow nor round; then as float64."""
    with localcontext(prec=DIGITS):
        raised = [[Decimal(float(z)).exp() for z in row] for row in Z]
        sums = [sum(row) for row in raised]
        return np.array([[float(term / total) for term in row] for row, total in zip(raised, sums, strict=True)])


def largest_finite(precision: str, classes: int = 10) -> float:
    """The largest t of that precision for which `as_printed` gives numbers at Z = (t, 0, …, 0); by halving."""
    low, high = 1.0, 1e4
    while True:
        Z = np.zeros((1, classes), precision)
        Z[0, 0] = (low + high) / 2
        middle = float(Z[0, 0])
        if middle in (low, high):
            return low
        if np.isfinite(as_printed(Z)).all():
            low = middle
        else:
            high = middle


def softmax_regression(theta: Sequence[Floats], X: Floats, y: Labels) -> tuple[float, list[Floats]]:
    """Mean cross-entropy of the network without a hidden layer, and its gradient with respect to B and b.

    R = -1/n sum_i log f_{y_i}(x_i) with f = softmax(b + X B). theta: B (p, outputs) and b (outputs,). X: (n, p).
    y: (n,).
    """
    B, b = theta
    z = X @ B + b
    log_f = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    chosen = np.arange(len(y)), y
    residual = np.exp(log_f)  # f - Y, (n, outputs)
    residual[chosen] -= 1
    return -float(log_f[chosen].mean()), [X.T @ residual / len(y), residual.mean(axis=0)]
