"""Splits: validation out of train, and a test split where the source has none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lecturebench.datasets.decoded import Dataset, Split

if TYPE_CHECKING:
    import numpy as np

# Left and right can be exchanged in clothes, animals, vehicles and most things that are photographed.
MIRRORED = ("fashion_mnist", "cifar10", "imagenet2012")


def validation_split(n: int, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of n training examples, drawn into (train, validation): sorted int64 arrays without overlap.

    share: of n that goes to validation, in [0, 1), rounded to whole examples. ValueError outside of it.
    """
    import numpy as np

    if not 0 <= share < 1:
        raise ValueError(f"share is {share!r}; it must be in [0, 1)")
    drawn = rng.permutation(n).astype(np.int64)
    size = round(n * share)
    return np.sort(drawn[size:]), np.sort(drawn[:size])


def every_fifth(hashes: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Positions (train, test), for data that comes without a split: sorted by hash, every fifth example is for test.

    It depends on the examples alone, not on their order. Positions come out in the order of the hashes.
    """
    import numpy as np

    order = np.array(sorted(range(len(hashes)), key=hashes.__getitem__), dtype=np.int64)
    is_test = np.arange(len(order)) % 5 == 4
    return order[~is_test], order[is_test]


def resplit_by(dataset: Dataset, seed: int) -> Dataset:
    """The same examples, train and test drawn anew by ``seed`` in their old sizes: what another split would have given.

    Only for data that fit in memory: the arrays are copied.
    """
    import numpy as np

    X = np.concatenate([dataset.train.X, dataset.test.X])
    y = np.concatenate([dataset.train.y, dataset.test.y])
    drawn = np.random.default_rng([seed, len(y)]).permutation(len(y))
    test, train = np.sort(drawn[: len(dataset.test)]), np.sort(drawn[len(dataset.test) :])
    return replace(
        dataset,
        train=Split(X[train], y[train]),
        test=Split(X[test], y[test]),
        digests=dataset.digests | {"resplit by": str(seed)},
    )


def mirrored(name: str) -> None:
    """ValueError unless a mirrored image of that dataset still shows its class, as far as we know."""
    if name not in MIRRORED:
        raise ValueError(f"flip is True on {name!r}: a mirrored digit is no digit; mirror only {', '.join(MIRRORED)}")
