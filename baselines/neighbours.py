"""Nearest neighbours: the method without a training, whose work begins when it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

CHUNK = 256  # examples asked about at once: with 60,000 training examples their distances take 61 MB
SPARE = 8  # candidates beyond k, since distances in float32 may swap two that are nearly equal


class Neighbours:
    """A fitted k-nearest-neighbour classifier. X: (n, p) float32. y: (n,) integers. See `nearest_neighbours`."""

    def __init__(self, X: Any, y: Any, k: int) -> None:
        self.X, self.k = X, k
        self.half_squares = np.einsum("ij,ij->i", X, X) / 2  # (n,)
        self.classes_, self.y = np.unique(y, return_inverse=True)

    def predict(self, X: Any) -> Any:
        """The class of each row of X (m, p), as (m,). ValueError for another number of columns."""
        X = np.asarray(X, dtype=np.float32)
        if X.ndim != 2 or X.shape[1] != self.X.shape[1]:
            raise ValueError(f"X is {X.shape}; it must be (m, {self.X.shape[1]}), as the training examples are")
        chunks = [self._classes(X[start : start + CHUNK]) for start in range(0, len(X), CHUNK)]
        return np.concatenate([self.classes_[:0], *chunks])

    def _classes(self, X: Any) -> Any:
        # |z - x|^2 / 2 without |z|^2 / 2, which changes no order: one matrix product instead of n differences.
        distances = self.half_squares - X @ self.X.T  # (m, n)
        candidates = min(self.k + SPARE, len(self.X))
        near = np.sort(np.argpartition(distances, candidates - 1, axis=1)[:, :candidates])
        # The few that may count are measured again, without a difference of large numbers and whatever the threads.
        exact = np.stack([np.square(self.X[z] - x, dtype=float).sum(axis=1) for x, z in zip(X, near, strict=True)])
        nearest = np.take_along_axis(near, np.argsort(exact, axis=1, kind="stable")[:, : self.k], axis=1)
        votes = (self.y[nearest][:, :, None] == np.arange(len(self.classes_))).sum(axis=1)  # (m, classes)
        return self.classes_[votes.argmax(axis=1)]


def nearest_neighbours(X: Any, y: Any, *, k: int) -> Neighbours:
    """Fitted k nearest neighbours: the class that most of the k training examples with the least |z - x| have.

    X: (n, p) in one unit, such as pixels in [0, 1]. y: (n,) integers. Of equally frequent classes the smallest is
    taken, as scikit-learn does; of equally near examples the earlier one, unless more than 8 beyond k are. Nothing is
    random. Brute force in float32: a matrix product over all pairs, whose best candidates are measured again; no tree
    helps in hundreds of dimensions. The answers are the same with any number of threads.

    Source: ISLP, sec. 2.2.3 and 4.7.6. Raises ValueError unless k is from 1 to n.
    """
    X = np.asarray(X, dtype=np.float32)
    if not 1 <= k <= len(X):
        raise ValueError(f"k is {k!r} and X is {X.shape}; k must be from 1 to the {len(X)} training examples")
    return Neighbours(X, y, k)
