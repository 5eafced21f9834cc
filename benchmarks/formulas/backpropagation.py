"""The gradient of a single-layer network: by the two formulas of slide "Gradients and Backpropagation", and by steps.

theta is a pair: beta (K + 1,) and w (K, p + 1), beta_0 and w_k0 first. X: (n, p). y: (n,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.activations import Activation

Floats = npt.NDArray[Any]
Theta = tuple[Floats, Floats]

STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # balances the curve of R against rounding


def objective(theta: Theta, X: Floats, y: Floats, g: Activation) -> float:
    """R = sum_i (y_i - f(x_i))^2 / 2 with f(x_i) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_ij)."""
    beta, w = theta
    z = with_ones(X) @ w.T  # (n, K)
    f = with_ones(g.function(z)) @ beta  # (n,)
    return float(np.sum((y - f) ** 2) / 2)


def slide_gradient(theta: Theta, X: Floats, y: Floats, g: Activation) -> Theta:
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


def central_differences(theta: Theta, X: Floats, y: Floats, g: Activation, step: float = STEP) -> Theta:
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


def relative_error(measured: Theta, expected: Theta) -> float:
    """||measured - expected|| / ||expected||, the larger of the two formulas': for all of beta, and for all of w.

    0 where both are 0, as for w where every ReLU is switched off; infinite where only the expected one is.
    """
    errors = []
    for by_differences, by_formula in zip(measured, expected, strict=True):
        distance, size = float(np.linalg.norm(by_differences - by_formula)), float(np.linalg.norm(by_formula))
        errors.append(distance / size if size else 0.0 if distance == 0 else float("inf"))
    return max(errors)


def with_ones(values: Floats) -> Floats:
    """A first column of ones: beta_0 and w_k0 are the coefficients of 1."""
    return np.column_stack([np.ones(len(values)), values])
