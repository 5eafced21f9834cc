"""Central differences of a function of several arrays, and how far two gradients lie apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # balances the curve of a function against rounding


def central_differences(
    function: Callable[[Sequence[Floats]], float], theta: Sequence[Floats], step: float = STEP
) -> tuple[Floats, ...]:
    """(R(theta + h) - R(theta - h)) / 2h, one parameter after another, h = step * max(1, |parameter|)."""
    moved = [part.copy() for part in theta]
    slopes = [np.zeros_like(part) for part in theta]
    for part, slope in zip(moved, slopes, strict=True):
        for at in np.ndindex(part.shape):
            here = part[at]
            heights, ends = [], []
            for sign in (1, -1):
                part[at] = here + sign * step * max(1.0, abs(float(here)))
                heights.append(function(moved))
                ends.append(part[at])
            part[at] = here
            slope[at] = (heights[0] - heights[1]) / (ends[0] - ends[1])  # the step that rounding left
    return tuple(slopes)


def relative_error(measured: Sequence[Floats], expected: Sequence[Floats]) -> float:
    """||measured - expected|| / ||expected||, the largest over the arrays.

    0 where both are 0, as for w where every ReLU is switched off; infinite where only the expected one is.
    """
    errors = []
    for by_differences, by_formula in zip(measured, expected, strict=True):
        distance, size = float(np.linalg.norm(by_differences - by_formula)), float(np.linalg.norm(by_formula))
        errors.append(distance / size if size else 0.0 if distance == 0 else float("inf"))
    return max(errors)
