"""What can be relied on in a store: sound records, predictions that can be read, and the losses they give.

Nothing here raises for a damaged file in the middle of a report: records are named in notes, predictions raise
`DamagedRecord` with one line that names the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lecturebench.datasets import resplit_by
from lecturebench.declare.benchmark import PROFILES, Benchmark
from lecturebench.declare.methods import Experiment
from lecturebench.metrics import Metric, Predictions
from lecturebench.store import HUGE, DamagedRecord, Record, Store

# Of a run, for each test example: what its metric is the mean of.
LossesOf = Callable[[Record, Metric], np.ndarray]


class Usable(NamedTuple):
    """The sound records of known benchmarks; a line per damaged one; and one per unknown suite, benchmark or method."""

    records: list[Record]
    faults: list[str]
    strangers: list[str]


def usable_records(benchmarks: Mapping[str, Benchmark], store: Store) -> Usable:
    """What of a store can be judged, and what cannot."""
    records, problems = store.read()
    faults = [relative(store, problem) for problem in problems]
    usable: list[Record] = []
    strangers: Counter[str] = Counter()
    for record in records:
        fault = _fault(record)
        benchmark = None if fault else benchmarks.get(record.benchmark)
        if benchmark is not None and not _is_experiment(record, benchmark):
            fault = _fault_of_result(record, benchmark)
        if fault:
            faults.append(f"{record_path(record)}: {fault}; the run is left out")
        elif benchmark is None:
            strangers[f"benchmark {record.benchmark!r}"] += 1
        elif record.suite != benchmark.suite:
            strangers[f"suite {record.suite!r}"] += 1
        elif record.method not in [method.name for method in benchmark.methods]:
            strangers[f"method {record.method!r} of {record.benchmark}"] += 1
        else:
            usable.append(record)
    notes = [f"{counted(n, 'run')} of unknown {what} left out" for what, n in sorted(strangers.items())]
    return Usable(usable, faults, notes)


def missing_datasets(store: Store) -> tuple[dict[str, dict[str, str]], list[str]]:
    """By benchmark, the datasets that it could not have, with the reason; and what is wrong with the list itself."""
    try:
        missing = store.missing()
    except DamagedRecord as error:
        return {}, [relative(store, str(error))]
    if not all(isinstance(lacking, dict) for lacking in missing.values()):
        return {}, ["missing.json: it does not say which benchmark lacks what"]
    return {
        benchmark: {printable(str(name)): printable(str(reason).strip()) for name, reason in lacking.items()}
        for benchmark, lacking in missing.items()
    }, []


def left_out(store: Store, benchmark: str, claim: str) -> str:
    """Why the last run's budget left a claim out; "" if it did not, or if nobody can tell."""
    try:
        reason = store.left_out().get(benchmark, {}).get(claim, "")
    except (DamagedRecord, AttributeError):
        return ""
    return one_line(printable(reason)) if isinstance(reason, str) else ""


def predictions(store: Store, record: Record, *, as_recorded: bool = True) -> Predictions:
    """The saved test predictions. DamagedRecord if anything is wrong with them.

    as_recorded: also if they are not those that the record was written with; for `verify`, who says so itself.
    """
    where = predictions_path(record)
    try:
        saved = store.predictions(record.key, record.digests.get("predictions") if as_recorded else None)
    except DamagedRecord as error:
        raise DamagedRecord(relative(store, str(error))) from error
    for array, dimensions in ((saved.predicted, 1), (saved.probabilities, 2)):
        if array is None:
            continue
        if array.ndim != dimensions or array.size == 0 or array.dtype.kind not in "fiu":
            raise DamagedRecord(f"{where}: an array of {array.dtype} and shape {array.shape} is no prediction")
        if not np.isfinite(array).all():
            raise DamagedRecord(f"{where}: it holds values that are not finite")
        if len(array) != record.dataset.get("n_test"):
            raise DamagedRecord(f"{where}: {len(array)} predictions for {record.dataset.get('n_test')} test examples")
    return saved


def saved_losses(store: Store, load: Callable[[str], Any], *, as_recorded: bool = True) -> LossesOf:
    """Test losses (n_test,) of a run from its saved predictions and the labels of ``load(name)``; labels are kept.

    Raises DamagedRecord, and what ``load`` raises. as_recorded: as of `predictions`.
    """
    labels: dict[str, np.ndarray] = {}

    def losses(record: Record, metric: Metric) -> np.ndarray:
        name = f"{record.dataset['name']} {record.seed if record.recipe.get('resplit') else ''}"
        if name not in labels:
            labels[name] = test_labels(record, load(record.dataset["name"]))
        saved = predictions(store, record, as_recorded=as_recorded)
        where = predictions_path(record)
        check_fit(saved, labels[name], metric.task, where=where)
        return example_losses(saved, labels[name], metric, where=where)

    return losses


def test_labels(record: Record, dataset: Any) -> np.ndarray:
    """The labels or values that a run was tested on: those of the dataset's test split, or of its own."""
    own = resplit_by(dataset, record.seed) if record.recipe.get("resplit") else dataset
    return np.asarray(own.test.y)


def example_losses(saved: Predictions, y: np.ndarray, metric: Metric, *, where: str) -> np.ndarray:
    """What the metric is the mean of, for each of y (n,).

    DamagedRecord naming ``where`` if the metric needs probabilities that were not kept, or in half precision alone: the
    page shows such, but a probability of 1e-9 is 0 among them.
    """
    assert metric.losses is not None
    if metric.needs_probabilities:
        precise = saved.probabilities is not None and saved.probabilities.dtype.itemsize >= 4
        kept = "probabilities in half precision alone" if saved.probabilities is not None else "no probabilities"
        if not precise:
            raise DamagedRecord(
                f"{where}: it holds {kept}, and {metric.name} needs them: no claim was about it at the time; "
                "fit it with --fresh"
            )
    return np.asarray(metric.losses(y, saved), dtype=float)


def check_fit(saved: Predictions, y: np.ndarray, task: str | None, *, where: str) -> None:
    """DamagedRecord naming ``where`` unless these can be predictions of y (n,) for that task, None for any."""
    if len(saved.predicted) != len(y):
        raise DamagedRecord(f"{where}: {len(saved.predicted)} predictions for {len(y)} test examples")
    if saved.probabilities is not None and not 0 <= y.min() <= y.max() < saved.probabilities.shape[1]:
        classes = saved.probabilities.shape[1]
        raise DamagedRecord(f"{where}: {classes} classes, but labels from {y.min()} to {y.max()}")
    if task == "classification" and saved.predicted.dtype.kind not in "iu":
        raise DamagedRecord(f"{where}: it predicts {saved.predicted.dtype}, no classes")


def record_path(record: Record) -> str:
    """The record's file as notes name it: from the store's folder on."""
    return f"runs/{record.key}/record.json"


def predictions_path(record: Record) -> str:
    """The predictions' file as notes name it: from the store's folder on."""
    return f"runs/{record.key}/predictions.npz"


def relative(store: Store, text: str) -> str:
    """A message with paths from the store's folder on: the same wherever the store lies."""
    return text.replace(f"{store.folder}/", "")


def counted(n: int, noun: str) -> str:
    """ "1 run", "2 runs" """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def printable(text: str) -> str:
    """The text as UTF-8 can write it: names of files and JSON strings may hold halves of characters."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    """The text without line breaks, for a reason or a cell."""
    return " ".join(text.split())


def _fault(record: Record) -> str | None:
    """What makes a record unusable although it could be read; None for a sound one."""
    return None if record.profile in PROFILES else f"its profile is {record.profile!r}, none of {', '.join(PROFILES)}"


def _is_experiment(record: Record, benchmark: Benchmark) -> bool:
    return any(isinstance(method, Experiment) for method in benchmark.methods if method.name == record.method)


def _fault_of_result(record: Record, benchmark: Benchmark) -> str | None:
    """What makes the result of a fit unusable; only judged runs that ended well have one."""
    if record.status != "ok" or record.role != "judged":
        return None
    test = record.metrics.get("test", {})
    if not record.dataset.get("n_test"):
        return "it is ok and has no n_test"
    known = benchmark.known_metrics
    if benchmark.metric not in test and not known[benchmark.metric].needs_probabilities:
        return f"it is ok and has no test {benchmark.metric}"
    for metric, value in test.items():
        if not abs(value) < HUGE:
            return f"it is ok and its test {metric} is {value}"
        if metric in known and known[metric].percent and not 0 <= value <= 1:
            return f"its test {metric} is {value}, no share"
    return None
