"""How tests of this room compare what two runs predict."""

from __future__ import annotations

import numpy as np

from lecturebench.metrics import Predictions


def same(first: Predictions, second: Predictions) -> bool:
    """Whether classes or values, and probabilities where there are any, are the same byte for byte."""
    return _bytes(first) == _bytes(second)


def _bytes(predictions: Predictions) -> list[tuple[object, ...] | None]:
    arrays = (predictions.predicted, predictions.probabilities)
    return [None if array is None else (array.dtype, array.shape, array.tobytes()) for array in arrays]


def assert_close(first: Predictions, second: Predictions, atol: float) -> None:
    """Probabilities no further apart than that; every class the likeliest one of its own run."""
    for each in (first, second):
        np.testing.assert_array_equal(each.predicted, each.probabilities.argmax(1))
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=atol)
