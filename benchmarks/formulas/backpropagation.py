"""The gradient of a single-layer network: by the two formulas of slide "Gradients and Backpropagation".

theta is a pair: beta (K + 1,) and w (K, p + 1), beta_0 and w_k0 first. X: (n, p). y: (n,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.activations import Activation

Floats = npt.NDArray[Any]
Theta = tuple[Floats, Floats]


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


def with_ones(values: Floats) -> Floats:
    """A first column of ones: beta_0 and w_k0 are the coefficients of 1."""
    return np.column_stack([np.ones(len(values)), values])
