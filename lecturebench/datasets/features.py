"""What in the features of a user's data may be a slip: columns that count the rows or copy the target, examples of both
splits. Each is a sentence for the notes; nothing is left out unasked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lecturebench.datasets import digests
from lecturebench.datasets.decoded import Decoded, Split

ROWS = 4096  # of a table are looked at together


def notes(decoded: Decoded, categories: Mapping[str, Sequence[str]]) -> list[str]:
    """On a table's columns that count the rows, and on those that copy the target.

    categories: the features that are categories, by name, with the values that became columns.
    """
    copying = np.array(decoded.columns)[_copying(decoded)].tolist()
    columns = {name: [f"{name}={value}" for value in values] for name, values in categories.items()}
    copying = [name for name in copying if not any(name in owned for owned in columns.values())]
    copying += [name for name, owned in columns.items() if _is_copying(decoded, owned)]
    said = [
        f"Column {name!r} equals the target, one to one: leave it out if it is the target once more."
        for name in copying
    ]
    counting = np.array(decoded.columns)[_counting(decoded)].tolist()
    return said + [f"Column {name!r} counts the rows, it seems: leave it out if so." for name in counting]


def shared(decoded: Decoded) -> list[str]:
    """On examples that both splits have, features and target alike."""
    trained = set(_hashes(decoded.train))
    n = sum(known in trained for known in _hashes(decoded.test))
    of = f"{n:,} of {len(decoded.test):,} test examples"
    return [f"{of} {'are' if n > 1 else 'is'} in train too, features and target alike."] if n else []


def _hashes(split: Split) -> list[bytes]:
    """Of every example, piece by piece: a large table is never copied whole."""
    return [
        known
        for start in range(0, len(split), ROWS)
        for known in digests.example_hashes(Split(split.X[start : start + ROWS], split.y[start : start + ROWS]))
    ]


def _copying(decoded: Decoded) -> np.ndarray:
    """The columns, as positions, each of whose values stands for one class, and one class's for it; of values to
    predict, those that equal them."""
    train = decoded.train
    columns = np.arange(train.X.shape[1])  # those that may be such, fewer with each piece
    if decoded.task == "classification":
        known, first = np.unique(train.y, return_index=True)
        likely = np.zeros((len(decoded.classes), len(columns)))
        likely[known] = train.X[first]
        apart = np.diff(np.sort(likely[known], axis=0), axis=0) != 0
        columns = columns[apart.all(axis=0)]
    for split in (decoded.train, decoded.test):
        for start in range(0, len(split), ROWS):
            X, y = split.X[start : start + ROWS, columns], split.y[start : start + ROWS]
            expected = y[:, np.newaxis] if decoded.task == "regression" else likely[np.ix_(y, columns)]
            columns = columns[(expected == X).all(axis=0)]
    return columns


def _is_copying(decoded: Decoded, columns: Sequence[str]) -> bool:
    """Whether each of a feature's categories, columns of 0 and 1, stands for one class, and one class's for it."""
    if decoded.task == "regression" or len(columns) != len(decoded.classes):
        return False
    start = decoded.columns.index(columns[0])
    matched = np.zeros((len(columns), len(decoded.classes)), dtype=bool)
    for split in (decoded.train, decoded.test):
        X = split.X[:, start : start + len(columns)]
        if not X.any(axis=1).all():  # a category that test alone has
            return False
        matched[X.argmax(axis=1), split.y] = True
    return bool((matched.sum(axis=0) == 1).all() and (matched.sum(axis=1) == 1).all())


def _counting(decoded: Decoded) -> list[int]:
    """The columns, as positions, of different whole numbers: all from 0 or 1 on, or ascending from row to row, or by
    a name that ends with "id"."""
    head = np.sort(decoded.train.X[:100], axis=0)
    likely = np.flatnonzero((np.diff(head, axis=0) != 0).all(axis=0) & (head == np.floor(head)).all(axis=0))
    return [j for j in likely.tolist() if _is_counting(decoded.columns[j], decoded.train.X[:, j], decoded.test.X[:, j])]


def _is_counting(name: str, train: np.ndarray, test: np.ndarray) -> bool:
    values = np.sort(np.concatenate([train, test]))
    if (values != np.floor(values)).any() or (np.diff(values) == 0).any():
        return False
    is_range = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    ascends = all((np.diff(part) > 0).all() for part in (train, test))
    return bool(is_range or ascends or name.casefold().endswith("id"))
