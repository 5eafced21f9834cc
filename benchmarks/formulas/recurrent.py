"""A recurrent network as slides "Recurrent Neural Networks" and "Recurrent Neural Network Loss" have it, in NumPy.

theta: w (K, p + 1) with w_k0 first, u (K, K), beta (K + 1,) with beta_0 first. X: (n, L, p), n sequences of L vectors.
y: (n,) responses. Before the first vector the hidden layer is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.activations import Activation
from benchmarks.formulas.backpropagation import with_ones

Floats = npt.NDArray[Any]
Theta = tuple[Floats, Floats, Floats]


def inputs_of_units(theta: Theta, X: Floats, g: Activation) -> tuple[Floats, Floats]:
    """z and A, (n, L, K) each: A_lk = g(z_lk), z_lk = w_k0 + sum_j w_kj X_lj + sum_s u_ks A_(l-1)s."""
    w, u, _ = theta
    n, length, _ = X.shape
    z, A = np.empty((n, length, len(w))), np.empty((n, length, len(w)))
    before = np.zeros((n, len(w)))
    for step in range(length):
        z[:, step] = with_ones(X[:, step]) @ w.T + before @ u.T
        before = A[:, step] = g.function(z[:, step])
    return z, A


def outputs(theta: Theta, X: Floats, g: Activation) -> Floats:
    """O_l = beta_0 + sum_k beta_k A_lk of each vector, (n, L)."""
    beta = theta[2]
    return np.asarray(beta[0] + inputs_of_units(theta, X, g)[1] @ beta[1:])


def loss(theta: Theta, X: Floats, y: Floats, g: Activation) -> float:
    """sum_i (y_i - o_iL)^2: of the outputs, the last alone counts."""
    return float(np.sum((y - outputs(theta, X, g)[:, -1]) ** 2))


def slide_gradient(theta: Theta, X: Floats, y: Floats, g: Activation) -> Theta:
    """d loss / d w, u and beta by the chain rule, backwards through the steps.

    With delta_l = d loss / d z_l (n, K): delta_L = -2 (y - O_L) beta_k g'(z_L), and on the way back
    delta_(l-1) = (delta_l u) g'(z_(l-1)). Every step has the same w and u, so theirs are sums over the steps.
    """
    _, u, beta = theta
    z, A = inputs_of_units(theta, X, g)
    slope = -2 * (y - beta[0] - A[:, -1] @ beta[1:])  # d loss / d O_L, (n,)
    by_w, by_u = np.zeros_like(theta[0]), np.zeros_like(u)
    delta = slope[:, None] * beta[1:] * g.derivative(z[:, -1])
    for step in reversed(range(X.shape[1])):
        by_w += delta.T @ with_ones(X[:, step])
        if step:
            by_u += delta.T @ A[:, step - 1]
            delta = (delta @ u) * g.derivative(z[:, step - 1])
    return by_w, by_u, with_ones(A[:, -1]).T @ slope
