"""What a method sees of a dataset: the dataset again, with other features."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from lecturebench.datasets.decoded import Dataset

if TYPE_CHECKING:
    import numpy as np


# A column of text with more different values than these names the rows and describes nothing.
MOST_CATEGORIES = 100


def categories(values: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """A column of text as one of 0 and 1 for each of its categories, (n, k), and their names in sorted order.

    values: (n,) of str. train: the positions whose values are the categories; a value that only others have is all 0.
    """
    from sklearn.preprocessing import OneHotEncoder  # type: ignore[import-untyped,unused-ignore]

    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    column = values.reshape(-1, 1)
    encoder.fit(column[train])
    return encoder.transform(column), tuple(str(name) for name in encoder.categories_[0])


def standardized(dataset: Dataset, train: np.ndarray | None) -> Dataset:
    """Every feature less its mean over the training examples ``train``, divided by its standard deviation there.

    train: positions in the training split; None takes mean and deviation over train and test together. Population
    standard deviation; a constant feature becomes 0.
    """
    import numpy as np

    everything = dataset.train.X[train] if train is not None else np.concatenate([dataset.train.X, dataset.test.X])
    X = np.asarray(everything, dtype=float)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    chosen = "all" if train is None else hashlib.sha256(train.astype(np.int64).tobytes()).hexdigest()
    return replace(
        dataset,
        train=replace(dataset.train, X=(dataset.train.X - mean) / spread),
        test=replace(dataset.test, X=(dataset.test.X - mean) / spread),
        digests=dataset.digests | {"standardized on": chosen},
    )
