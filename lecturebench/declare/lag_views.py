"""What a forecast sees of a table whose rows are days, one after the other: the days before, and never its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lecturebench.declare.views import View

if TYPE_CHECKING:
    import numpy as np

    from lecturebench.datasets import Dataset


@dataclass(frozen=True)
class Lags(View):
    """Of each row some columns of the ``steps`` rows before it, the oldest first: what a forecast of its y may know.

    Rows of test follow those of train, so the first of them look back into train. The first ``steps`` rows of train
    have too little before them and are left out. series: names of the columns. known: names of columns of the row
    itself, which are known beforehand, the day of the week say; they are taken as they are.
    over: each series less its mean, divided by its standard deviation, over the lags of the rows that are fitted
    ("train"), over all rows of train and test ("all"), which is for published protocols that did so, or as it is
    ("none"). flat: one row of numbers, lag by lag, then those known; else a sequence (steps, p), in which what is known
    of the row stands beside every lag.
    """

    steps: int
    series: tuple[str, ...]
    known: tuple[str, ...] = ()
    over: Literal["train", "all", "none"] = "train"
    flat: bool = False
    kind = "table"

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise ValueError(f"steps is {self.steps!r}; it must be a whole number, 1 or above")
        for name in ("series", "known"):  # a recipe that was read again has lists
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.series:
            raise ValueError("series is (); name the columns whose past is seen")
        if self.over not in ("train", "all", "none"):
            raise ValueError(f"over is {self.over!r}; it must be 'train', 'all' or 'none'")

    @property
    def shape(self) -> tuple[int, ...]:
        p = len(self.series)
        return (self.steps * p + len(self.known),) if self.flat else (self.steps, p + len(self.known))

    @property
    def words(self) -> str:
        """Which lags, and what is known besides."""
        scaled = {"train": ", standardised over train", "all": ", standardised over train and test together"}
        known = f", with {', '.join(self.known)} of the row itself" if self.known else ""
        return f"{', '.join(self.series)} of the {self.steps} rows before{known}{scaled.get(self.over, '')}"

    def lagged(self, dataset: Dataset) -> Dataset:
        """The dataset with lags in place of columns, in float64, without the first rows of train: what `see` is given.

        ValueError for a dataset without such a column, or with too few rows; and for a known column that is y.
        """
        import numpy as np

        series, known = (_columns(dataset, names) for names in (self.series, self.known))
        if len(dataset.train) <= self.steps:
            raise ValueError(f"steps is {self.steps}; {dataset.name} has {len(dataset.train)} training rows")
        for name, column in zip(self.known, known, strict=True):
            if np.array_equal(dataset.train.X[:, column], dataset.train.y):
                raise ValueError(f"known has {name!r}, which is what is forecast: it is not known beforehand")
        n, everything = len(dataset.train) - self.steps, np.concatenate([dataset.train.X, dataset.test.X])
        past, now = everything[:, series].astype(float), everything[self.steps :, known].astype(float)
        if self.over == "all":
            past = _standardised(past, past.mean(axis=0), past.std(axis=0))
        rows = np.stack([past[first : first + len(now)] for first in range(self.steps)], axis=1)
        if self.flat:
            X = np.hstack([rows.reshape(len(rows), -1), now])
        else:
            X = np.concatenate([rows, np.repeat(now[:, None], self.steps, axis=1)], axis=2)
        train, test = replace(dataset.train, X=X[:n], y=dataset.train.y[self.steps :]), replace(dataset.test, X=X[n:])
        return replace(dataset, train=train, test=test, columns=())

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """Both splits of `lagged` rows, standardised where that is over train. ValueError for rows drawn anew."""
        import numpy as np

        if "resplit by" in dataset.digests:
            raise ValueError("lags are of rows in the order of time; this dataset's were drawn anew: leave resplit out")
        if self.over != "train":
            return replace(dataset, digests=dataset.digests | {"lags standardized on": self.over})
        p = len(self.series)
        fitted = dataset.train.X[train]
        lags = fitted[:, : self.steps * p].reshape(-1, p) if self.flat else fitted[..., :p].reshape(-1, p)
        mean, spread = lags.mean(axis=0), lags.std(axis=0)
        if self.flat:
            mean, spread = np.tile(mean, self.steps), np.tile(spread, self.steps)
        mean, spread = np.append(mean, np.zeros(len(self.known))), np.append(spread, np.ones(len(self.known)))
        chosen = hashlib.sha256(train.astype(np.int64).tobytes()).hexdigest()
        return replace(
            dataset,
            train=replace(dataset.train, X=_standardised(dataset.train.X, mean, spread)),
            test=replace(dataset.test, X=_standardised(dataset.test.X, mean, spread)),
            digests=dataset.digests | {"lags standardized on": chosen},
        )


def _columns(dataset: Dataset, names: tuple[str, ...]) -> list[int]:
    """Where these columns stand."""
    for name in names:
        if name not in dataset.columns:
            raise ValueError(f"{dataset.name} has no column {name!r}; it has {', '.join(dataset.columns)}")
    return [dataset.columns.index(name) for name in names]


def _standardised(X: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Columns less their means, divided by their standard deviations; a constant one becomes 0."""
    import numpy as np

    return np.asarray((X - mean) / np.where(spread > 0, spread, 1.0))
