"""What the saved predictions come to: confusion counts, what is wrong and how surely, how far to believe probabilities.

Classes are those of all runs, probabilities those of the runs that kept them. Of a row's predictions only sums are
kept, so that memory does not grow with the number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench import metrics
from lecturebench.declare.methods import Experiment
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.judging.evidence import (
    check_fit,
    example_losses,
    predictions,
    predictions_path,
    relative,
    test_labels,
)
from lecturebench.judging.results import RowResult
from lecturebench.store import DamagedRecord, Record, Store

BINS = 10
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Classified:
    """A classifier's predictions in sum. counts: (true, predicted), the mean per run. bins: see `reliability`.

    (n_test,) each: predicted, the class that most runs say, of equal ones the first; sure, its mean probability over
    the runs that kept theirs, NaN where none did; wrong_runs, how many runs err.
    """

    runs: int
    counts: Floats
    predicted: npt.NDArray[np.int16]
    sure: npt.NDArray[np.float32]
    wrong_runs: npt.NDArray[np.int16]
    bins: list[list[float]]


@dataclass(frozen=True, eq=False)
class RowPredictions:
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
        self._of_rows: dict[RowResult, RowPredictions | None] = {}
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

    def arrays(self, run: Record) -> dict[str, npt.NDArray[Any]]:
        """What a run measured in arrays, by name. DamagedRecord where they were recorded and cannot be had: a figure
        without them would be of fewer runs than its row, and would not say so.
        """
        try:
            return self._store.arrays(run.key, run.digests.get("measured"))
        except DamagedRecord as error:
            raise DamagedRecord(relative(self._store, str(error))) from None

    def of_row(self, row: RowResult) -> RowPredictions | None:
        """What a row's predictions come to; None for an experiment, or where nothing sound was saved."""
        if row not in self._of_rows:
            self._of_rows[row] = None if isinstance(row.method, Experiment) else self._summed(row)
        return self._of_rows[row]

    def _summed(self, row: RowResult) -> RowPredictions | None:
        data = self.dataset(row.dataset)
        if data is None:
            return None
        runs: list[metrics.Predictions] = []
        metric = metrics.METRICS[metrics.DEFAULT[data.task]]
        losses: dict[int, npt.NDArray[Any]] = {}
        for run in row.runs:
            try:
                saved = predictions(self._store, run)
                y, where = test_labels(run, data), predictions_path(run)
                check_fit(saved, y, data.task, where=where)
                losses[run.seed] = example_losses(saved, y, metric, where=where)
            except DamagedRecord as error:
                self.notes.append(str(error))
                continue
            if data.task != "classification":
                continue
            if unfit := _unfit(saved, len(data.classes)):
                del losses[run.seed]
                self.notes.append(
                    f"{predictions_path(run)}: {unfit} does not fit the {len(data.test.y)} test "
                    f"examples and {len(data.classes)} classes of {row.dataset}"
                )
            else:
                runs.append(saved)
                losses[run.seed] = losses[run.seed].astype(bool)
        if not losses:
            return None
        paired = not any(run.recipe.get("resplit") for run in row.runs)
        y = np.asarray(data.test.y)
        return RowPredictions(losses if paired else {}, classified(runs, y, len(data.classes)) if runs else None)


def _unfit(saved: metrics.Predictions, classes: int) -> str:
    """What of the predictions does not fit so many classes; "" if all does."""
    if saved.probabilities is not None and saved.probabilities.shape[1] != classes:
        return f"shape {saved.probabilities.shape}"
    if saved.predicted.dtype.kind not in "iu" or not 0 <= saved.predicted.min() <= saved.predicted.max() < classes:
        return f"a class {saved.predicted.max()}"
    return ""


def classified(runs: Sequence[metrics.Predictions], y: npt.NDArray[Any], classes: int) -> Classified:
    """What the predictions of some runs say of labels y (n,)."""
    votes = np.zeros((len(y), classes), np.int16)
    for run in runs:
        votes[np.arange(len(y)), run.predicted] += 1
    predicted = votes.argmax(axis=1)
    kept = [run for run in runs if run.probabilities is not None]
    sure = np.full(len(y), np.nan, np.float32)
    if kept:
        of_predicted = [_probabilities(run)[np.arange(len(y)), predicted] for run in kept]
        sure = np.mean(of_predicted, axis=0, dtype=np.float32)
    return Classified(
        len(runs),
        confusion_counts(y, runs, classes),
        predicted.astype(np.int16),
        sure,
        np.sum([run.predicted != y for run in runs], axis=0).astype(np.int16),
        reliability(kept, y),
    )


def _probabilities(run: metrics.Predictions) -> npt.NDArray[Any]:
    assert run.probabilities is not None
    return run.probabilities


def confusion_counts(y: npt.NDArray[Any], runs: Sequence[metrics.Predictions], classes: int) -> Floats:
    """(true, predicted) counts, averaged over the runs. y: (n,)."""
    counts = np.zeros((classes, classes))
    for run in runs:
        cells = np.asarray(y, dtype=np.intp) * classes + run.predicted
        counts += np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    return counts / max(1, len(runs))


def reliability(runs: Iterable[metrics.Predictions], y: npt.NDArray[Any]) -> list[list[float]]:
    """How often the predicted class is right where its probability is so high: [count, mean probability, share right]
    for each tenth from 0 to 1 that any prediction of any run falls into. y: (n,); all runs have probabilities.
    """
    total, sure, right = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
    for run in runs:
        top = _probabilities(run)[np.arange(len(y)), run.predicted].astype(float)
        place = np.minimum((top * BINS).astype(int), BINS - 1)
        total += np.bincount(place, minlength=BINS)
        sure += np.bincount(place, top, minlength=BINS)
        right += np.bincount(place, run.predicted == y, minlength=BINS)
    return [
        [int(n), round(float(s / n), 4), round(float(r / n), 4)]
        for n, s, r in zip(total, sure, right, strict=True)
        if n
    ]
