"""Datasets of random images: train and test are the same."""

from __future__ import annotations

import numpy as np

from lecturebench.datasets import Dataset, Split


def images(X: np.ndarray, y: np.ndarray) -> Dataset:
    """These images, (n, height, width, colours) bytes, of ten classes."""
    split = Split(X, y)
    return Dataset(
        kind="images", task="classification", train=split, test=split, classes=tuple("0123456789"), scale=255.0,
        name="drawn", source="this test", digests={},
    )  # fmt: skip


def coloured(n: int, height: int, width: int, colours: int, *, seed: int) -> Dataset:
    """Images of random bytes, in classes by turns."""
    X = np.random.default_rng(seed).integers(0, 256, (n, height, width, colours), dtype=np.uint8)
    return images(X, np.arange(n) % 10)
