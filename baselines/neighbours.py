"""Nearest neighbours: the method without a training, whose work begins when it is asked."""

from __future__ import annotations

from typing import Any


def nearest_neighbours(X: Any, y: Any, *, k: int) -> Any:
    """Fitted k nearest neighbours: the class that most of the k training examples with the least |z - x| have.

    X: (n, p) in one unit, such as pixels in [0, 1]. y: (n,) integers. Of equally frequent classes the smallest is
    taken. Nothing is random. Brute force, a matrix product over all pairs: no tree helps in hundreds of dimensions.
    Source: ISLP, sec. 2.2.3 and 4.7.6. Raises ValueError unless k is from 1 to n.
    """
    from sklearn.neighbors import KNeighborsClassifier

    if not 1 <= k <= len(X):
        raise ValueError(f"k is {k!r} and X is {X.shape}; k must be from 1 to the {len(X)} training examples")
    return KNeighborsClassifier(k, algorithm="brute").fit(X, y)
