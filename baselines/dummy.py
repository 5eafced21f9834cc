"""The floor: a classifier that does not look at X."""

from __future__ import annotations

from typing import Any


def most_frequent(X: Any, y: Any) -> Any:
    """Fitted classifier that always answers the most frequent class of y, with the classes' shares as probabilities.

    X: (n, p), not looked at. y: (n,) integers.
    """
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior").fit(X, y)
