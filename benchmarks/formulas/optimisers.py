"""The update rules of the optimisers' slides, one step at a time, in NumPy.

A rule takes theta, what it remembers of earlier steps (empty before the first), the gradient g there and the number of
the step, t = 1, 2, …, and returns theta and memory after the step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Memory = dict[str, Floats]
Rule = Callable[..., tuple[Floats, Memory]]


def gradient_step(theta: Floats, memory: Memory, g: Floats, t: int, *, rate: float) -> tuple[Floats, Memory]:
    """theta <- theta - rho g. Slide "Train Neural Networks"; SGD where g is the gradient of a batch."""
    return theta - rate * g, memory


def momentum_step(
    theta: Floats, memory: Memory, g: Floats, t: int, *, rate: float, momentum: float
) -> tuple[Floats, Memory]:
    """v <- mu v - rho g, theta <- theta + v. The rule of Keras' documentation of SGD."""
    v = momentum * memory.get("v", np.zeros_like(theta)) - rate * g
    return theta + v, {"v": v}


def adam_step(
    theta: Floats, memory: Memory, g: Floats, t: int, *, rate: float, beta_1: float, beta_2: float, epsilon: float
) -> tuple[Floats, Memory]:
    """Kingma & Ba (2015), Algorithm 1, with s for its v, and with epsilon where Keras has it.

    That is the "epsilon hat" at the end of the paper's section 2: in Algorithm 1's form it is divided by
    sqrt(1 - beta_2^t), so that it weighs 32 times as much at the first step as in the thousands.
    """
    m = beta_1 * memory.get("m", np.zeros_like(theta)) + (1 - beta_1) * g
    s = beta_2 * memory.get("s", np.zeros_like(theta)) + (1 - beta_2) * g**2
    m_hat = m / (1 - beta_1**t)
    s_hat = s / (1 - beta_2**t)
    return theta - rate * m_hat / (np.sqrt(s_hat) + epsilon / np.sqrt(1 - beta_2**t)), {"m": m, "s": s}
