"""Recompute what a folder states, from its saved predictions and the dataset's labels, and name every difference.

Metrics are written anew here rather than taken from the code that measured, so that an error there shows as well. What
no prediction was saved for, the validation errors behind a choice, is taken as recorded and put to the rule again.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lecturebench.declare.benchmark import Benchmark
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import (
    example_losses,
    one_line,
    predictions,
    predictions_path,
    record_path,
    saved_losses,
    test_labels,
    usable_records,
)
from lecturebench.judging.results import Results, RowResult
from lecturebench.judging.statistics import one_standard_error
from lecturebench.store import DamagedRecord, Record, Store, digest

# Errors are counts and must agree exactly. Sums of floats may be added up in another order on another machine.
TOLERANCE = 1e-9
NO_DATA = (DataMissing, DataCorrupt, UsageError, OSError)
# What a line of the table is about.
IDENTITY = ("suite", "benchmark", "dataset", "method", "claim", "profile", "backend")

Load = Callable[[str], Any]
Write = Callable[[Results], str]


def verify(folder: Path, benchmarks: Mapping[str, Benchmark], load: Load | None = None, *, write: Write) -> list[str]:
    """One line per difference between what the folder states and what its predictions give; none if all agrees.

    load: a dataset by name, `lecturebench.datasets.load` unless given. write: results as ``table.csv`` has them.
    Damaged and missing files are differences too.
    """
    if load is None:
        from lecturebench import datasets

        load = datasets.load
    store, data = Store(folder), _Datasets(load)
    records, differences, _ = usable_records(benchmarks, store)
    recomputed = []
    for record in records:
        found, record = _recomputed(record, store, data)
        differences += found
        recomputed.append(record)
    results = collect(benchmarks, _Recomputed(folder, recomputed), losses=saved_losses(store, data))
    for row in results.rows:
        differences += _choice_differences(row)
    return differences + _table_differences(folder / "table.csv", write(results))


class _Datasets:
    """Datasets by name. Each is asked for once, also if it cannot be had: that may take long."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._answers: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        if name not in self._answers:
            try:
                self._answers[name] = self._load(name)
            except NO_DATA as error:
                self._answers[name] = error
        if isinstance(self._answers[name], Exception):
            raise self._answers[name]
        return self._answers[name]


class _Recomputed(Store):
    """The store with these records in place of those on disk."""

    def __init__(self, folder: Path, records: list[Record]) -> None:
        super().__init__(folder)
        self._records = records

    def read(self) -> tuple[list[Record], list[str]]:
        return self._records, []


def _recomputed(record: Record, store: Store, load: Load) -> tuple[list[str], Record]:
    """The differences of one record, and the record with its test metrics as its predictions give them."""
    if record.status != "ok" or "test" not in record.metrics:
        return [], record  # an experiment predicts nothing
    if record.role == "choice" and not record.predictions_digest:
        return [], record  # nothing was saved of it
    where = record_path(record)
    try:
        dataset = load(record.dataset["name"])
        saved = predictions(store, record)
        metrics = _measured(saved, test_labels(record, dataset), where=predictions_path(record))
    except (DamagedRecord, *NO_DATA) as error:
        return [f"{where}: cannot be checked: {one_line(str(error))}"], record
    differences = []
    if record.predictions_digest != digest(saved):
        differences.append(f"{predictions_path(record)}: its predictions are not those that were recorded")
    for split, expected in dataset.digests.items():
        digests = record.dataset.get("digests")
        stated = digests.get(split) if isinstance(digests, dict) else None
        if stated != expected:
            differences.append(f"{where}: its {split} split has digest {stated}, the dataset's is {expected}")
    test = record.metrics.get("test", {})
    for metric, value in metrics.items():
        stated = test.get(metric)
        if stated is None or not (stated == value if metric == "error" else _close(stated, value)):
            differences.append(f"{where}: test {metric} is {stated}, recomputed {value}")
    return differences, replace(record, metrics={**record.metrics, "test": {**test, **metrics}})


def _measured(predicted: np.ndarray, y: np.ndarray, *, where: str) -> dict[str, float]:
    """error and loss (mean -log f_y, f_y at least the smallest normal float32) or, for values, mae and loss (mse)."""
    losses = example_losses(predicted, y, where=where)
    if predicted.ndim == 1:
        return {"mae": float(losses.mean()), "loss": float((losses**2).mean())}
    if not 0 <= y.min() <= y.max() < predicted.shape[1]:
        raise DamagedRecord(f"{where}: {predicted.shape[1]} classes, but labels from {y.min()} to {y.max()}")
    of_label = predicted[np.arange(len(y)), y.astype(int)].astype(float)
    loss = -np.log(np.maximum(of_label, np.finfo(np.float32).tiny)).mean()
    return {"error": float(losses.mean()), "loss": float(loss)}


def _choice_differences(row: RowResult) -> list[str]:
    """Whether the rule, given the recorded validation errors, chooses what the judged runs were fitted with."""
    judged = (*row.runs, *row.failed)
    if row.method.choice is None or not judged:
        return []
    name, _ = row.method.choice
    stated = judged[0].recipe.get(name)
    failed = {run.recipe[name] for run in row.choice_runs if run.status != "ok"}
    errors: dict[float, list[float]] = {}
    for run in row.choice_runs:
        value = run.metrics.get("validation", {}).get(row.metric)
        if value is not None and run.recipe[name] not in failed:
            errors.setdefault(run.recipe[name], []).append(value)
    where = f"{row.method.name} on {row.place}"
    try:
        chosen = one_standard_error(list(errors), list(errors.values()))
    except ValueError as error:
        return [f"{where}: its {name} {stated} cannot be checked: {error}"]
    return [] if chosen == stated else [f"{where}: {name} is {stated}, the rule chooses {chosen}"]


def _table_differences(path: Path, recomputed: str) -> list[str]:
    """Cell by cell; lines are known by `IDENTITY`, so that one more or less does not shift the others."""
    columns, *_ = csv.reader(io.StringIO(recomputed, newline=""))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            saved = _lines(file.read(), columns)
    except (OSError, ValueError, csv.Error) as error:
        return [f"{path.name}: cannot be read: {one_line(str(error))}"]
    expected = _lines(recomputed, columns)
    differences = []
    for name in dict.fromkeys([*expected, *saved]):
        if name not in saved:
            differences.append(f"{path.name}: {name} is not there, but has runs or claims")
        elif name not in expected:
            differences.append(f"{path.name}: {name} is there without runs or claims")
        else:
            differences += [
                f"{path.name}: {name}: {column} is {was or 'empty'}, recomputed {now or 'empty'}"
                for column, was, now in zip(columns, saved[name], expected[name], strict=True)
                if was != now and not _same_number(was, now)
            ]
    return differences


def _lines(text: str, columns: Sequence[str]) -> dict[str, list[str]]:
    """The lines of a table by what they are about. ValueError if it is no table of ours."""
    header, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    if header != list(columns):
        raise ValueError(f"its columns are {', '.join(header) or 'none'}; expected {', '.join(columns)}")
    lines: dict[str, list[str]] = {}
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise ValueError(f"line {number} has {len(row)} cells, not {len(columns)}")
        name = " ".join(cell for column, cell in zip(columns, row, strict=True) if cell and column in IDENTITY)
        lines[f"{name} (again, line {number})" if name in lines else name] = row
    return lines


def _same_number(a: str, b: str) -> bool:
    try:
        return _close(float(a), float(b))
    except ValueError:
        return False


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12)
