"""From a user's arrays to `Decoded`: labels become 0, 1, …, and the limits of what is allowed are checked once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lecturebench.datasets import formats
from lecturebench.datasets.decoded import Decoded, Split
from lecturebench.errors import UsageError


def images(path: Path, X: list[np.ndarray], y: list[np.ndarray]) -> Decoded:
    """Images for classification. X: [train, test], each (n, h, w) or (n, h, w, c) uint8; y: [train, test], any labels.

    UsageError for more than 256 classes, whose labels would not fit the byte that digests give them.
    """
    if not all(_are_labels(part) for part in y):
        raise UsageError(f"{path}: labels are {y[0].dtype}; images need whole numbers or text")
    codes, classes = _encode(path, y)
    if len(classes) > 256:
        raise UsageError(f"{path}: {len(classes)} classes; images may have 256 at most")
    return formats.images(Split(X[0], codes[0]), Split(X[1], codes[1]), classes)


def table(path: Path, X: list[np.ndarray], y: list[np.ndarray], columns: tuple[str, ...]) -> Decoded:
    """A table. X: [train, test], each (n, p) numbers; y: [train, test], labels or, if floats, values to predict."""
    parts = [part.astype(np.float64) for part in X]
    if all(_are_labels(part) for part in y):
        codes, classes = _encode(path, y)
        train, test = (Split(part, code) for part, code in zip(parts, codes, strict=True))
        return Decoded(kind="table", task="classification", train=train, test=test, classes=classes, columns=columns)
    if not all(part.dtype.kind == "f" and np.isfinite(part).all() for part in y):
        raise UsageError(f"{path}: targets are {y[0].dtype} and {y[1].dtype}; expected labels or finite floats")
    train, test = (Split(part, target.astype(np.float64)) for part, target in zip(parts, y, strict=True))
    return Decoded(kind="table", task="regression", train=train, test=test, columns=columns)


def _are_labels(y: np.ndarray) -> bool:
    return y.dtype.kind in "biuU"


def _encode(path: Path, y: list[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Labels as 0, 1, … in the order of their sorted names, the same for both splits; and the names."""
    if y[0].dtype.kind != y[1].dtype.kind and "U" in (y[0].dtype.kind, y[1].dtype.kind):
        raise UsageError(f"{path}: labels of train are {y[0].dtype}, those of test {y[1].dtype}")
    names, codes = np.unique(np.concatenate(y), return_inverse=True)
    if len(names) < 2:
        raise UsageError(f"{path}: all labels are {names[0].item()!r}; classification needs two classes")
    train, test = np.split(codes.astype(np.int64), [len(y[0])])
    return [train, test], tuple(str(name) for name in names.tolist())
