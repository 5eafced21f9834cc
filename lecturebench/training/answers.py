"""What an estimator answers, as an array of real numbers.

NumPy turns text into numbers, drops imaginary parts and reshapes columns without a word. So answers are refused here as
the method gives them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

OUTSIDE = 1e-6  # by which rounding may lead a probability out of [0, 1]
NOT_ONE = 1e-3  # by which the sum of a row of probabilities in single precision may miss 1


def numbers(what: str, answers: Any, kinds: str, shape: tuple[int, ...]) -> np.ndarray:
    """The answers as an array; ValueError if it is of another kind or shape, or some of it is masked."""
    if np.ma.is_masked(answers):
        raise ValueError(
            f"{what} is masked in {int(np.sum(np.ma.getmaskarray(answers)))} places; it must be there for all"
        )
    array = np.asarray(answers)
    if array.dtype.kind not in kinds:
        raise ValueError(f"{what} is an array of {array.dtype}; it must be one of real numbers")
    if array.shape != shape:
        raise ValueError(f"{what} has the shape {array.shape}; it must be {shape}")
    return array


def probabilities(p: np.ndarray) -> np.ndarray:
    """p (n, classes) itself; ValueError if it is outside [0, 1] or a row does not add up to 1."""
    if len(p) == 0 or not np.isfinite(p).all():
        return p
    if p.min() < -OUTSIDE or p.max() > 1 + OUTSIDE:
        raise ValueError(f"its probabilities go from {p.min():g} to {p.max():g}; they must be in [0, 1]")
    sums = p.sum(axis=1, dtype=float)
    worst = sums[np.abs(sums - 1).argmax()]
    if abs(worst - 1) > NOT_ONE:
        raise ValueError(f"the probabilities of an example add up to {worst:g}; they must add up to 1")
    return p
