"""What a method gives, looked at before a number is made of it: one odd array would be a wrong error, or break a page.

NumPy turns text into numbers, drops imaginary parts and reshapes columns without a word. So answers are refused here as
the method gives them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.declare.methods import Measured
    from lecturebench.training.outcome import Fitted

OUTSIDE = 1e-6  # by which rounding may lead a probability out of [0, 1]
NOT_ONE = 1e-3  # by which the sum of a row of probabilities in single precision may miss 1


def predicting(function: Callable[..., Any], dataset: Dataset) -> Callable[..., Any]:
    """A baseline's function whose estimator raises ValueError when it answers anything but real numbers.

    Values must be (n,); probabilities (n, classes) with each column's class in ``classes_``.
    """

    @functools.wraps(function)
    def fit(X: np.ndarray, y: np.ndarray, **given: Any) -> _Estimator:
        return _Estimator(function(X, y, **given), dataset)

    fit.__qualname__ = getattr(function, "__qualname__", repr(function))
    return fit


class _Estimator:
    """An estimator, with a look at what it predicts."""

    def __init__(self, estimator: Any, dataset: Dataset) -> None:
        self._estimator, self._dataset = estimator, dataset

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._estimator, name)
        return functools.partial(getattr(self, f"_{name}"), own) if name in ("predict", "predict_proba") else own

    def _predict(self, own: Callable[..., Any], X: np.ndarray) -> np.ndarray:
        answers = own(X)
        if self._dataset.task == "classification":
            return _numbers("what it predicts", answers, "iufb")
        return _numbers("what it predicts", answers, "iuf", (len(X),))

    def _predict_proba(self, own: Callable[..., Any], X: np.ndarray) -> np.ndarray:
        classes = np.asarray(self._estimator.classes_)
        known = len(self._dataset.classes)
        if len(set(classes.tolist())) != len(classes) or not np.isin(classes, np.arange(known)).all():
            raise ValueError(f"its classes_ are {classes.tolist()}; they must be different ones of 0 to {known - 1}")
        return _probabilities(_numbers("what predict_proba gives", own(X), "iuf", (len(X), len(classes))))


def _numbers(what: str, answers: Any, kinds: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """The answers as an array; ValueError if it is of another kind or shape, or some of it is masked."""
    if np.ma.is_masked(answers):
        raise ValueError(
            f"{what} is masked in {int(np.sum(np.ma.getmaskarray(answers)))} places; it must be there for all"
        )
    array = np.asarray(answers)
    if array.dtype.kind not in kinds:
        raise ValueError(f"{what} is an array of {array.dtype}; it must be one of real numbers")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{what} has the shape {array.shape}; it must be {shape}")
    return array


def _probabilities(p: np.ndarray) -> np.ndarray:
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
        _numbers("what it predicts", predictions.predicted, "iuf", (n,))
        if predictions.probabilities is not None:
            shape = (n, len(dataset.classes))
            _probabilities(_numbers("its probabilities", predictions.probabilities, "f", shape))
    for split, values in [*fitted.metrics.items(), *(("curve", point) for point in fitted.curve)]:
        for name, value in values.items():
            if not isinstance(name, str) or not isinstance(value, int | float):
                raise ValueError(f"its {split} {name!r} is {value!r}; it must be a real number")
