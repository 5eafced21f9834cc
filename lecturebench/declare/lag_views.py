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
    have nothing before them and are left out of what is fitted. series: names of the columns. known: names of columns
    of the row itself, which are known beforehand, the day of the week say; they are taken as they are.
    over: each series less its mean, divided by its standard deviation, over the rows that are fitted and those before
    them ("train"), over train and test together ("all"), which is for published protocols that did so, or as it is
    ("none"). flat: one row of numbers, lag by lag, then those known; else a sequence (steps, p), in which what is known
    of the row stands beside every lag.
    ValueError for a dataset without such a column, and for one whose rows were drawn anew.
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

    def usable(self, dataset: Dataset, examples: np.ndarray) -> np.ndarray:
        """Those with enough rows before them."""
        return examples[examples >= self.steps]

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """Both splits as lags, float64. The first rows of train, which are not fitted, are zeros."""
        import numpy as np

        if "resplit by" in dataset.digests:
            raise ValueError("lags are of rows in the order of time; this dataset's were drawn anew: leave resplit out")
        series, known = (_columns(dataset, names) for names in (self.series, self.known))
        n, everything = len(dataset.train), np.concatenate([dataset.train.X, dataset.test.X])
        past, chosen = everything[:, series].astype(float), "none"
        if self.over != "none":
            over = np.arange(len(past)) if self.over == "all" else _seen_by(train, self.steps)
            mean, spread = past[over].mean(axis=0), past[over].std(axis=0)
            past = (past - mean) / np.where(spread > 0, spread, 1.0)
            chosen = "all" if self.over == "all" else hashlib.sha256(train.astype(np.int64).tobytes()).hexdigest()
        rows = np.zeros((len(past), self.steps, len(series)))
        for lag in range(1, self.steps + 1):
            rows[self.steps :, self.steps - lag] = past[self.steps - lag : -lag]
        now = everything[:, known].astype(float)
        if self.flat:
            X = np.hstack([rows.reshape(len(rows), -1), now])
        else:
            X = np.concatenate([rows, np.repeat(now[:, None], self.steps, axis=1)], axis=2)
        return replace(
            dataset,
            train=replace(dataset.train, X=X[:n]),
            test=replace(dataset.test, X=X[n:]),
            columns=(),
            digests=dataset.digests | {"lags standardized on": chosen},
        )


def _columns(dataset: Dataset, names: tuple[str, ...]) -> list[int]:
    """Where these columns stand."""
    for name in names:
        if name not in dataset.columns:
            raise ValueError(f"{dataset.name} has no column {name!r}; it has {', '.join(dataset.columns)}")
    return [dataset.columns.index(name) for name in names]


def _seen_by(train: np.ndarray, steps: int) -> np.ndarray:
    """The rows that are fitted, and those that they look back to."""
    import numpy as np

    return np.unique(np.concatenate([train - lag for lag in range(steps + 1)]))
