"""What a run gives, looked at before it is recorded: one odd array would be a wrong error, or break a page."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lecturebench.training.answers import numbers, probabilities

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.declare.methods import Measured
    from lecturebench.training.outcome import Fitted


def measuring(function: Callable[..., Measured]) -> Callable[..., Measured]:
    """An experiment's function that raises ValueError where it measured text or a complex number."""

    @functools.wraps(function)
    def measure(*args: Any, **given: Any) -> Measured:
        measured = function(*args, **given)
        for values in (measured.values, *measured.curve):
            for name, value in values.items():
                if isinstance(value, str | bytes) or np.iscomplexobj(value):
                    raise ValueError(f"it measured {name!r} as {value!r}; it must be a real number")
        return measured

    return measure


def refuse_odd(fitted: Fitted, dataset: Dataset) -> None:
    """ValueError for a result that is none: predictions of another shape or not for every test example, probabilities
    outside [0, 1] or that do not add up to 1, a metric that is no number. What is not finite is divergence, and passes.
    """
    if not fitted.diverged and fitted.predictions is not None:
        n, predictions = len(dataset.test.y), fitted.predictions
        numbers("what it predicts", predictions.predicted, "iuf", (n,))
        if predictions.probabilities is not None:
            shape = (n, len(dataset.classes))
            probabilities(numbers("its probabilities", predictions.probabilities, "f", shape))
    for split, values in [*fitted.metrics.items(), *(("curve", point) for point in fitted.curve)]:
        for name, value in values.items():
            if not isinstance(name, str) or not isinstance(value, int | float):
                raise ValueError(f"its {split} {name!r} is {value!r}; it must be a real number")
