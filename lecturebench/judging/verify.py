"""Recompute what a folder states, from its saved predictions and the dataset's labels, and name every difference.

Metrics are scikit-learn's, of what was saved, and no code that fits has a part in it; those of probabilities are
checked as far as these were kept. Keys are those that today's code plans, and what a record says of itself must be what
its key stands for. What nothing saved could give again (validation errors behind a choice, numbers that an experiment
measured, times) is protected by the digest that each record holds of its own content, and the validation errors are put
to the rule again.
"""

from __future__ import annotations

import csv
import io
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lecturebench.declare.benchmark import Benchmark
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.judging.collect import Plan, Planned, collect
from lecturebench.judging.evidence import (
    check_fit,
    counted,
    one_line,
    predictions,
    predictions_path,
    record_path,
    relative,
    saved_losses,
    test_labels,
    usable_records,
)
from lecturebench.judging.results import Results, RowResult
from lecturebench.judging.statistics import TOLERANCE, best_combination
from lecturebench.metrics import Metric, Predictions, measure
from lecturebench.store import DamagedRecord, Record, Store, digest, read_whole, why

OF_ROUNDED = 1e-6  # what probabilities in single precision leave of a number that is made of them
NO_DATA = (DataMissing, DataCorrupt, UsageError, OSError)
# What a line of the table is about.
IDENTITY = ("suite", "benchmark", "dataset", "method", "claim", "profile", "backend")

Load = Callable[[str], Any]
Render = Callable[[Results, Path], object]
EDITED = "edited"  # how the reason begins why a run with a planned key does not count
WRITTEN = ("index.html", "table.md", "table.tex", "environment.json")
NUMBERS = "intervals.json"  # beside the figures; computed anew
Write = Callable[[Results], str]


def verify(
    folder: Path,
    benchmarks: Mapping[str, Benchmark],
    load: Load | None = None,
    say: Callable[[str], None] = lambda line: None,
    *,
    write: Write,
    plan: Plan | None = None,
    render: Render | None = None,
) -> list[str]:
    """One line per difference between what the folder states and what its predictions give; none if all agrees.

    load: a dataset by name, `lecturebench.datasets.load` unless given. Damaged and missing files are differences too.
    say: told what cannot be checked, in a line per metric; none of that is in the table. write: results as
    ``table.csv`` has them. plan: as `collect` takes it; a run that today's code would not plan is no difference, as
    long as no table shows it, but one that was edited is. render(results, folder) writes the page and its tables from
    results; those of `WRITTEN` that come out otherwise are differences.
    """
    if load is None:
        from lecturebench import datasets

        load = datasets.load
    store, data = Store(folder), _Datasets(load)
    usable = usable_records(benchmarks, store)
    differences = list(usable.faults)
    recomputed = []
    unchecked: Counter[str] = Counter()
    for record in usable.records:
        differences += _edits(record, store)
        differing, record = _recomputed(record, benchmarks[record.benchmark], store, data, unchecked)
        differences += differing
        recomputed.append(record)
    for name, runs in unchecked.items():
        say(f"test {name} of {counted(runs, 'run')} cannot be recomputed: the probabilities were not kept as exactly")
    planned = Planned({}) if plan is None else plan(usable.records)
    differences += [f"{_path_of(key)}: {why}" for key, why in planned.stale.items() if why.startswith(EDITED)]
    results = collect(
        benchmarks,
        store,
        losses=saved_losses(store, data, as_recorded=False),
        plan=lambda records: planned,
        usable=usable._replace(records=recomputed),
    )
    for row in results.rows:
        differences += _choice_differences(row)
    table = _table_differences(folder / "table.csv", write(results))
    # Why a table cannot come out as it did: its runs are of another version of the code.
    differences += [*(f"{what} left out: {why}" for what, why in results.stale if table), *table]
    return differences + ([] if render is None else _page_differences(folder, results, render))


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


def _edits(record: Record, store: Store) -> list[str]:
    """What shows on a record itself that it was edited since it was written."""
    where, differences = record_path(record), []
    if "record" not in record.digests:
        differences.append(f"{where}: it holds no digest of its content: what cannot be recomputed cannot be checked")
    if record.status != "ok":
        contents = [f"{split} metrics" for split, values in record.metrics.items() if values]
        contents += ["predictions"] if (store.runs / record.key / "predictions.npz").exists() else []
        if contents:
            differences.append(f"{where}: its status is {record.status}, but it has {' and '.join(contents)}")
    return differences


def _page_differences(folder: Path, results: Results, render: Render) -> list[str]:
    """The page and the tables for people, written again and compared; of each the first line that differs."""
    differences = []
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch)
        (again / "figures").mkdir()
        for path in sorted(folder.glob("figures/*")):
            if path.name == NUMBERS:
                continue
            with suppress(OSError):  # what is up to date need not be drawn; a pipe or a device is no figure
                (again / "figures" / path.name).write_bytes(read_whole(path))
        render(results, again)
        for name in WRITTEN:
            if not (folder / name).exists():
                continue  # it states nothing: a store may be kept without its page
            try:
                lines = [read_whole(place / name).split(b"\n") for place in (folder, again)]
            except OSError as error:
                differences.append(f"{name}: cannot be read: {why(error)}")
                continue
            if lines[0] != lines[1]:
                pairs = enumerate(zip_longest(*lines, fillvalue=b""), start=1)
                number, (was, now) = next((number, pair) for number, pair in pairs if pair[0] != pair[1])
                at = next((i for i, pair in enumerate(zip_longest(was, now)) if pair[0] != pair[1]), 0)
                differences.append(
                    f"{name}: line {number} is {_shortened(was, at)}, written again {_shortened(now, at)}"
                )
    return differences


def _shortened(line: bytes, at: int) -> str:
    """The part of a line around the place where it differs."""
    part = line[max(0, at - 30) : at + 50].decode(errors="replace").strip()
    return repr(part) if part else "empty"


def _path_of(key: str) -> str:
    return f"runs/{key}/record.json"


def _recomputed(
    record: Record, benchmark: Benchmark, store: Store, load: Load, unchecked: Counter[str]
) -> tuple[list[str], Record]:
    """The differences of one record, and the record with its test metrics as its predictions give them.

    unchecked: counts the metrics that they do not give.
    """
    differences = _digest_differences(record, store)
    if record.status != "ok" or "test" not in record.metrics:
        return differences, record  # an experiment predicts nothing
    if record.role == "choice" and "predictions" not in record.digests:
        return differences, record  # nothing was saved of it
    where, test = record_path(record), record.metrics["test"]
    known = benchmark.known_metrics
    try:
        dataset = load(record.dataset["name"])
        saved = predictions(store, record, as_recorded=False)
        y = test_labels(record, dataset)
        check_fit(saved, y, benchmark.task, where=predictions_path(record))
        metrics = measure(y, saved, known)
    except (DamagedRecord, *NO_DATA) as error:
        return [f"{where}: cannot be checked: {one_line(str(error))}"], record
    for split, expected in dataset.digests.items():
        digests = record.dataset.get("digests")
        stated = digests.get(split) if isinstance(digests, dict) else None
        if stated != expected:
            differences.append(f"{where}: its {split} split has digest {stated}, the dataset's is {expected}")
    shown = {benchmark.metric, *(claim.metric for claim in benchmark.claims if record.method in claim.methods)}
    test_metrics = dict(test)
    for name in known:
        stated, value = test.get(name), metrics.get(name)
        agreed = _agree(known[name], stated, value, saved, y)
        if stated is None and (value is None or name not in shown):
            continue  # nobody states it
        if agreed is None:
            unchecked[name] += 1
        if agreed is False or (agreed is None and name in shown):
            kept = "no probabilities" if value is None else "probabilities in half precision alone"
            outcome = f"cannot be recomputed: there are {kept}" if agreed is None else f"recomputed {value}"
            differences.append(f"{where}: test {name} is {stated}, {outcome}")
        if value is not None and not (known[name].needs_probabilities and agreed):
            test_metrics[name] = value
    return differences, replace(record, metrics={**record.metrics, "test": test_metrics})


def _digest_differences(record: Record, store: Store) -> list[str]:
    """Whether the saved arrays are those that were recorded."""
    differences = []
    names: tuple[Literal["predictions", "measured"], ...] = ("predictions", "measured")
    for name in names:
        path = store.runs / record.key / f"{name}.npz"
        stated = record.digests.get(name)
        if stated is None and not path.exists():
            continue
        try:
            saved_digest = digest(store.saved(record.key, name))
        except DamagedRecord as error:
            # Of predictions, whoever recomputes the metrics says so.
            differences += [relative(store, str(error))] if name == "measured" else []
            continue
        if saved_digest != stated:
            what = (
                "its predictions are not those that were" if name == "predictions" else "what is in it is not what was"
            )
            differences.append(f"runs/{record.key}/{name}.npz: {what} recorded")
    return differences


def _agree(metric: Metric, stated: float | None, value: float | None, saved: Predictions, y: np.ndarray) -> bool | None:
    """Whether a stated metric is that of the saved predictions, as exactly as these were kept; None if that is open."""
    if stated is None or value is None:
        return None if value is None else False
    if not metric.needs_probabilities:
        return _close(stated, value)
    assert saved.probabilities is not None
    if metric.name == "loss":
        low, high = _loss_range(saved.probabilities, y)
        return low * (1 - OF_ROUNDED) - 1e-12 <= stated <= high * (1 + OF_ROUNDED) + 1e-12
    if saved.probabilities.dtype == np.float16:
        return None
    return math.isclose(stated, value, rel_tol=OF_ROUNDED, abs_tol=OF_ROUNDED)


def _loss_range(probabilities: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The least and the largest mean -log f_y of all probabilities (n, classes) that are saved as these."""
    of_label = probabilities[np.arange(len(y)), y.astype(int)]
    below, above = of_label.dtype.type(0), of_label.dtype.type(2)
    ends = [(of_label.astype(float) + np.nextafter(of_label, end).astype(float)) / 2 for end in (above, below)]
    # scikit-learn counts none as below 2.2e-16; records of schema 1 counted as low as 1.2e-38.
    most = np.clip(ends[0], np.finfo(np.float64).eps, 1.0)
    least = np.clip(ends[1], np.finfo(np.float32).tiny, 1.0)
    return float(-np.log(most).mean()), float(-np.log(least).mean())


def _choice_differences(row: RowResult) -> list[str]:
    """Whether the rule, given the recorded validation errors, chooses what the judged runs were fitted with."""
    runs = (*row.runs, *row.failed)
    choices = row.method.choices
    if not choices or not runs:
        return []
    stated = {name: runs[0].recipe.get(name) for name in choices}
    errors: dict[tuple[float, ...], list[float]] = {}
    for run in row.choice_runs:
        value = run.metrics.get("validation", {}).get(row.metric) if run.status == "ok" else None
        cost = math.nan if value is None else row.measure.cost(value)
        errors.setdefault(tuple(run.recipe[name] for name in choices), []).append(cost)
    where = f"{row.method.name} on {row.place}"
    rules = [choice.rule for choice in choices.values()]
    try:
        best = best_combination(list(errors), list(errors.values()), rules)
    except ValueError as error:
        named = ", ".join(f"{name} {value}" for name, value in stated.items())
        return [f"{where}: its {named} cannot be checked: {error}"]
    chosen = dict(zip(choices, best, strict=True))
    return [
        f"{where}: {name} is {value}, the rule chooses {chosen[name]}"
        for name, value in stated.items()
        if value != chosen[name]
    ]


def _table_differences(path: Path, recomputed: str) -> list[str]:
    """Cell by cell; lines are known by `IDENTITY`, so that one more or less does not shift the others."""
    columns, *_ = csv.reader(io.StringIO(recomputed, newline=""))
    try:
        saved = _lines(read_whole(path).decode(), columns)
    except (OSError, ValueError, csv.Error) as error:
        return [f"{path.name}: cannot be read: {one_line(why(error))}"]
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
