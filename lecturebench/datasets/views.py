"""What a method sees of a dataset: the dataset again, with other features."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from lecturebench.datasets.decoded import Dataset

if TYPE_CHECKING:
    import numpy as np


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
