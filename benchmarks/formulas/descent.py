"""Gradient descent on R(theta) = 1/2 sum_i (y_i - f_theta(x_i))^2: objectives, their curvature, and the iteration.

Slide "Train Neural Networks": theta^{t+1} = theta^t - rho * grad R(theta^t), until R fails to decrease.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]  # theta to R(theta) and its gradient


def one_unit(theta: Floats, x: Floats, y: Floats) -> tuple[float, Floats]:
    """R and its gradient for f(x) = beta * tanh(w x). theta: (w, beta). x, y: (n,)."""
    w, beta = theta
    activation = np.tanh(w * x)
    residual = y - beta * activation
    slope = -(residual @ (beta * (1 - activation**2) * x)), -(residual @ activation)
    return 0.5 * float(residual @ residual), np.array(slope)


def single_layer(theta: Floats, X: Floats, y: Floats) -> tuple[float, Floats]:
    """R and its gradient for the slide's f(x_i) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_ij), g = tanh.

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
    """A guess for theta of `single_layer`: Glorot's uniform weights, which Keras starts from, and intercepts 0."""
    beta, W = (glorot_uniform(*shape, rng) for shape in ((units, 1), (n_inputs, units)))
    return np.concatenate([[0.0], beta.ravel(), np.zeros(units), W.ravel()])


def glorot_uniform(inputs: int, outputs: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Weights (inputs, outputs), uniform with variance 2 / (inputs + outputs) (Glorot & Bengio 2010, eq. 16)."""
    limit = math.sqrt(3.0 * (1.0 / max(1.0, (inputs + outputs) / 2)))
    return rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)


def standardised(values: Floats) -> Floats:
    """Values (n,) or columns (n, p) with mean 0 and standard deviation 1 over the n examples."""
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0))


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


class Stop(NamedTuple):
    """Where the iteration stopped: the last theta from which a step was tried, and R there and at each one before."""

    theta: Floats
    heights: Floats
    fails: bool  # the next step does not decrease R; False where the steps ran out before


def until_no_decrease(objective: Objective, start: Floats, rate: float, most: int) -> Stop:
    """The slide's iteration until R fails to decrease: theta moves only where R(theta - rate * grad R) < R(theta).

    most: steps after which it is given up.
    """
    theta = np.asarray(start, dtype=float)
    height, gradient = objective(theta)
    heights = [height]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(most):
            moved = theta - rate * gradient
            lower, slope = objective(moved)
            if not lower < height:
                return Stop(theta, np.array(heights), True)
            theta, height, gradient = moved, lower, slope
            heights.append(height)
    return Stop(theta, np.array(heights), False)


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
