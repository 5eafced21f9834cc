"""What the saved predictions come to: confusion counts, what is wrong and how surely, how far to believe probabilities.

Of a row's predictions only sums are kept, so that memory does not grow with the number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench.declare.methods import Experiment
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.judging.evidence import example_losses, predictions, predictions_path, test_labels
from lecturebench.judging.results import RowResult
from lecturebench.store import DamagedRecord, Store

BINS = 10
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Classified:
    """A classifier's predictions in sum. counts: (true, predicted), the mean per run. bins: see `reliability`.

    Of the mean of the runs' probabilities, (n_test,) each: predicted, the class; sure, its probability; and
    wrong_runs, how many runs err.
    """

    runs: int
    counts: Floats
    predicted: npt.NDArray[np.int16]
    sure: npt.NDArray[np.float32]
    wrong_runs: npt.NDArray[np.int16]
    bins: list[list[float]]


@dataclass(frozen=True, eq=False)
class Judged:
    """What a row's predictions come to.

    losses: by seed, (n_test,) wrong or not, or absolute errors; none where each run was tested on a split of its own.
    classified: None for values.
    """

    losses: dict[int, npt.NDArray[Any]]
    classified: Classified | None


class Predictions:
    """Datasets and what predictions come to, each read once. What cannot be had is a line in `notes`."""

    def __init__(self, store: Store, load: Callable[[str], Any]) -> None:
        self._store, self._load = store, load
        self._datasets: dict[str, Any] = {}
        self._judged: dict[RowResult, Judged | None] = {}
        self.notes: list[str] = []
        self.absent: dict[str, str] = {}

    def dataset(self, name: str) -> Any | None:
        """The dataset, or None with the reason in `absent`."""
        if name not in self._datasets:
            try:
                self._datasets[name] = self._load(name)
            except (DataMissing, DataCorrupt, UsageError) as error:
                self._datasets[name], self.absent[name] = None, str(error)
        return self._datasets[name]

    def judged(self, row: RowResult) -> Judged | None:
        """What a row's predictions come to; None for an experiment, or where nothing sound was saved."""
        if row not in self._judged:
            self._judged[row] = None if isinstance(row.method, Experiment) else self._summed(row)
        return self._judged[row]

    def _summed(self, row: RowResult) -> Judged | None:
        data = self.dataset(row.dataset)
        if data is None:
            return None
        runs: list[npt.NDArray[Any]] = []
        losses: dict[int, npt.NDArray[Any]] = {}
        for run in row.runs:
            try:
                saved = predictions(self._store, run)
                losses[run.seed] = example_losses(saved, test_labels(run, data), where=predictions_path(run))
            except DamagedRecord as error:
                self.notes.append(str(error))
                continue
            if saved.ndim == 2 and saved.shape[1] == len(data.classes):
                runs.append(saved)
                losses[run.seed] = losses[run.seed].astype(bool)
            elif saved.ndim == 2:
                del losses[run.seed]
                self.notes.append(
                    f"{predictions_path(run)}: shape {saved.shape} does not fit the {len(data.test.y)} test "
                    f"examples and {len(data.classes)} classes of {row.dataset}"
                )
        if not losses:
            return None
        paired = not any(run.recipe.get("resplit") for run in row.runs)
        return Judged(losses if paired else {}, classified(runs, np.asarray(data.test.y)) if runs else None)


def classified(runs: Sequence[npt.NDArray[Any]], y: npt.NDArray[Any]) -> Classified:
    """What the probabilities (n, classes) of some runs say of labels y (n,)."""
    mean = np.mean([run.astype(np.float32) for run in runs], axis=0)
    predicted = mean.argmax(axis=1)
    wrong = np.sum([run.argmax(axis=1) != y for run in runs], axis=0)
    return Classified(
        len(runs),
        confusion_counts(y, runs, runs[0].shape[1]),
        predicted.astype(np.int16),
        mean[np.arange(len(y)), predicted],
        wrong.astype(np.int16),
        reliability(runs, y),
    )


def confusion_counts(y: npt.NDArray[Any], runs: Sequence[npt.NDArray[Any]], classes: int) -> Floats:
    """(true, predicted) counts, averaged over the runs. y: (n,); runs: (n, classes) each."""
    counts = np.zeros((classes, classes))
    for saved in runs:
        np.add.at(counts, (np.asarray(y), saved.argmax(axis=1)), 1)
    return counts / max(1, len(runs))


def reliability(runs: Iterable[npt.NDArray[Any]], y: npt.NDArray[Any]) -> list[list[float]]:
    """How often the predicted class is right where its probability is so high: [count, mean probability, share right]
    for each tenth from 0 to 1 that any prediction of any run falls into. y: (n,); runs: (n, classes) each.
    """
    total, sure, right = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
    for run in runs:
        top = run.max(axis=1).astype(float)
        place = np.minimum((top * BINS).astype(int), BINS - 1)
        total += np.bincount(place, minlength=BINS)
        sure += np.bincount(place, top, minlength=BINS)
        right += np.bincount(place, run.argmax(axis=1) == y, minlength=BINS)
    return [
        [int(n), round(float(s / n), 4), round(float(r / n), 4)]
        for n, s, r in zip(total, sure, right, strict=True)
        if n
    ]
