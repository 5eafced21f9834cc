"""Two stores compared, B against A: what changed in error, beyond noise or not, and in time.

Rows are matched by suite, benchmark, dataset, method, profile and backend. Where both sides predicted the same test
examples, runs are paired by seed and example; else the runs' values are compared. Time is shown and never judged.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import IdentityClaim
from lecturebench.declare.methods import Experiment
from lecturebench.errors import UsageError
from lecturebench.judging.changes import (
    ClaimChange,
    Comparison,
    Key,
    RowChange,
    Side,
    StoredRow,
    TimeChange,
    Word,
    claim_row,
    interval_text,
    level_text,
    machine,
    signed,
)
from lecturebench.judging.collect import Plan, Planned, collect
from lecturebench.judging.evidence import (
    LossesOf,
    counted,
    one_line,
    predictions,
    predictions_path,
    printable,
    saved_losses,
)
from lecturebench.judging.noise import Difference, Intervals, paired, together, welch
from lecturebench.judging.results import ClaimResult, Results, RowResult
from lecturebench.judging.statistics import FEWEST_SEEDS, TOLERANCE, Losses
from lecturebench.judging.verdicts import NO_LOSSES
from lecturebench.metrics import Predictions
from lecturebench.store import Record, Store

OF_ROUNDED = 1e-6  # how far recorded and recomputed may be apart where probabilities were kept in single precision
# Their versions move results.
PACKAGES = ("tensorflow", "keras", "jax", "torch", "numpy", "scikit-learn")

Pairs = Sequence[tuple[Record, Record]]


@dataclass(frozen=True)
class Answer:
    """A judgement of one row with its arithmetic or cause."""

    word: Word
    reason: str


def read_side(
    folder: Path, benchmarks: Mapping[str, Benchmark], load: Callable[[str], Any], plan: Plan | None = None
) -> Side:
    """What a store holds, or all stores inside a folder, as under ``reports/reference``.

    load: a dataset by name, as `lecturebench.datasets.load`. plan: as `collect` takes it. UsageError if there is no
    usable run.
    """
    stores = [Store(folder)]
    if not stores[0].runs.is_dir():
        stores = [Store(path) for path in sorted(folder.glob("[!.]*")) if (path / "runs").is_dir()]
    if not stores:
        raise UsageError(f"no runs in {str(folder)!r}: give a folder that `lecturebench run --out` wrote")
    contents: list[tuple[Store, LossesOf, Results]] = []
    stale: set[str] = set()

    def planned(records: Sequence[Record]) -> Planned:
        answer = Planned({}) if plan is None else plan(records)
        stale.update(answer.stale)
        return answer

    for store in stores:
        losses = saved_losses(store, load)
        contents.append((store, losses, collect(benchmarks, store, losses=losses, plan=planned, older=True)))
    side = side_of(str(folder), contents, stale)
    if not side.runs:
        why = f": {one_line(side.notes[0])}" if side.notes else ""
        raise UsageError(f"no usable run of this suite in {str(folder)!r}{why}")
    return side


def side_of(name: str, contents: Sequence[tuple[Store, LossesOf, Results]], stale: Collection[str] = ()) -> Side:
    """The side of these stores; of a row that several have, that of today's code, else the one with the most runs.

    contents: each store with its losses and results. stale: keys of runs that today's code would not plan.
    """
    rows: dict[Key, StoredRow] = {}
    notes: list[str] = []
    several: dict[Key, str] = {}
    for store, losses, results in contents:
        inside = f"{store.folder.name}: " if len(contents) > 1 else ""
        notes += [f"{inside}{note}" for note in results.notes]
        for row in results.rows:
            key = row_key(row)
            if key in rows:
                several[key] = f"{row.method.name} of {row.benchmark.name} on {row.place}"
            stored = StoredRow(row, store, losses, not any(run.key in stale for run in (*row.runs, *row.failed)))
            if key not in rows or _weight(stored) > _weight(rows[key]):
                rows[key] = stored
    if several:
        rule = "that of today's code counts, else the one with the most runs"
        notes.append(f"in several stores, of which {rule}: {', '.join(several.values())}")
    latest = {stored_row.row for stored_row in rows.values()}
    judged = [result for _, _, results in contents for result in results.claims if result.rows]
    claims = {claim_key(result): result for result in judged if set(result.rows) <= latest}
    return Side(printable(name), rows, claims, tuple(map(printable, notes)))


def _weight(stored: StoredRow) -> tuple[bool, int, str]:
    """Of equal rows the one with the most of it counts; when it was fitted decides only between equals."""
    return stored.todays, stored.row.n, stored.row.started


def row_key(row: RowResult) -> Key:
    """What makes two rows the same row."""
    return (row.benchmark.suite, row.benchmark.name, row.dataset, row.method.name, row.profile, row.backend)


def claim_key(result: ClaimResult) -> Key:
    """What makes two judged claims the same claim."""
    row = claim_row(result)
    return (*row_key(row)[:3], result.claim.name, row.profile, row.backend)


def compare(a: Side, b: Side) -> Comparison:
    """What changed from A to B. UsageError if they have no row in common."""
    common = [key for key in a.rows if key in b.rows]
    if not common:
        raise UsageError(f"no row is in both: A has {_listed(a)}; B has {_listed(b)}")
    answers = {key: judge(a.rows[key], b.rows[key]) for key in common}
    differences = {key: answer for key, answer in answers.items() if isinstance(answer, Difference)}
    intervals = dict(zip(differences, together(list(differences.values())), strict=True))
    changes = []
    for key, answer in answers.items():
        row_a, row_b = a.rows[key].row, b.rows[key].row
        if isinstance(answer, Answer):
            change = _change(row_a, row_b, answer)
        else:
            change = _by_interval(row_a, row_b, answer, intervals[key], len(intervals))
        changes.append(_with_failures(change))
    return Comparison(
        a,
        b,
        tuple(changes),
        tuple(stored_row.row for key, stored_row in a.rows.items() if key not in b.rows),
        tuple(stored_row.row for key, stored_row in b.rows.items() if key not in a.rows),
        tuple(
            ClaimChange(result, b.claims[key])
            for key, result in a.claims.items()
            if key in b.claims and b.claims[key].word != result.word
        ),
    )


def judge(a: StoredRow, b: StoredRow) -> Answer | Difference:
    """What changed in one row's error: a difference with its intervals, or the answer where they decide nothing."""
    row_a, row_b = a.row, b.row
    if not (row_a.runs and row_b.runs):
        return _unfinished(row_a, row_b)
    if row_a.metric != row_b.metric:
        return Answer("cannot tell", f"A measures {row_a.metric}, B {row_b.metric}")
    for name, row in (("A", row_a), ("B", row_b)):
        if len(row.values) < row.n or any(map(math.isnan, row.values)):
            return Answer("cannot tell", f"not every run of {name} has a number for {row.metric}")
    pairs = _pairs(row_a, row_b)
    among = "" if row_b.deterministic else f" in {counted(len(pairs), 'run')}"
    unread = ""
    if row_b.metric in row_b.benchmark.known_metrics and not isinstance(row_b.method, Experiment):
        if any(_test_split(run) != _test_split(twin) for run, twin in pairs):
            return _by_runs(row_a, row_b, "other test data")
        try:
            same = bool(pairs) and _same_predictions(a, b, pairs)
        except NO_LOSSES as error:
            unread = one_line(str(error))
        else:
            if same:
                return Answer("same", f"identical predictions{among}")
            return _by_examples(a, b, pairs) if row_b.measure.losses else _by_runs(row_a, row_b, "")
    if pairs and all(run.value(row_a.metric) == twin.value(row_a.metric) for run, twin in pairs):
        return Answer("same", f"identical numbers{among}" + (f"; predictions not compared: {unread}" if unread else ""))
    return _by_tolerance(row_a, row_b) or _by_runs(row_a, row_b, unread)


def time_change(a: RowResult, b: RowResult) -> TimeChange:
    """The ratio of the mean times of fitting, with the machines of both; NaN where seeds shared a program, as a share
    depends on how many they were."""
    was, now = ([float(run.seconds["fit"]) for run in row.runs if "fit" in run.seconds] for row in (a, b))
    machines = [sorted({machine(run) for run in row.runs or row.failed}) for row in (a, b)]
    ratio = low = high = math.nan
    shared = any("steps" in run.kernels for row in (a, b) for run in row.runs)
    if was and now and min(was) > 0 and not shared:
        ratio = fmean(now) / fmean(was)
        if len(was) + len(now) > 2:
            low, high = min(now) / max(was), max(now) / min(was)
    same = machines[0] == machines[1] and len(machines[0]) == 1
    machine_a, machine_b = (" and ".join(names) for names in machines)
    return TimeChange(a.seconds, b.seconds, ratio, low, high, machine_a, machine_b, same)


def _unfinished(a: RowResult, b: RowResult) -> Answer:
    """What a row says of which one side has no run that ended well."""
    if not (a.runs or a.failed) or not (b.runs or b.failed):
        return Answer("cannot tell", f"{'B' if a.runs or a.failed else 'A'} has no judged run yet")
    if not (a.runs or b.runs):
        word: Word = "same" if _outcomes(a) == _outcomes(b) else "cannot tell"
        return Answer(word, f"no run finished: of A {_kinds(a)}, of B {_kinds(b)}")
    if a.runs:
        return Answer("worse", f"no run of B finished ({_kinds(b)}), {a.n} of A did")
    return Answer("better", f"no run of A finished ({_kinds(a)}), {b.n} of B did")


def _pairs(a: RowResult, b: RowResult) -> Pairs:
    """The runs of both that have one seed; of a deterministic method any."""
    twins = {run.seed: run for run in b.runs}
    pairs = [(run, twins[run.seed]) for run in a.runs if run.seed in twins]
    return pairs or ([(a.runs[0], b.runs[0])] if b.deterministic else [])


def _test_split(run: Record) -> str | None:
    """Which examples a run was tested on; None if it does not say."""
    digests = run.dataset.get("digests")
    if not isinstance(digests, Mapping) or not digests.get("test"):
        return None
    drawn = bool(run.recipe.get("resplit"))
    return json.dumps([drawn, digests if drawn else digests["test"]], sort_keys=True, default=str)


def _same_predictions(a: StoredRow, b: StoredRow, pairs: Pairs) -> bool:
    """Whether all pairs of runs predicted the same, as far as both are kept. DamagedRecord where one cannot be read."""
    return all(_equal(predictions(a.store, run), predictions(b.store, twin)) for run, twin in pairs)


def _equal(a: Predictions, b: Predictions) -> bool:
    """Probabilities that were kept in two precisions are compared in the lower one."""
    if not np.array_equal(a.predicted, b.predicted):
        return False
    if a.probabilities is None or b.probabilities is None:
        return True
    lower = min(a.probabilities.dtype, b.probabilities.dtype)
    return np.array_equal(a.probabilities.astype(lower), b.probabilities.astype(lower))


def _by_examples(a: StoredRow, b: StoredRow, pairs: Pairs) -> Answer | Difference:
    """By seed and example, or by runs where losses cannot be had or too few seeds are common."""
    if not pairs:
        return _by_runs(a.row, b.row, "no seed in common")
    if any(_test_split(run) is None for run, _ in pairs):
        return _by_runs(a.row, b.row, "test data without a digest")
    sides = []
    try:
        for number, (name, stored_row) in enumerate((("A", a), ("B", b))):
            measure = stored_row.row.measure
            exact = OF_ROUNDED if measure.needs_probabilities else TOLERANCE
            losses = [stored_row.losses(pair[number], measure) for pair in pairs]
            for pair, loss in zip(pairs, losses, strict=True):
                recorded, mean = pair[number].value(measure.name), float(loss.mean())
                if recorded is None or not math.isclose(recorded, mean, rel_tol=exact, abs_tol=1e-12):
                    reason = f"{name}'s {predictions_path(pair[number])} gives {measure.show(mean)}"
                    return Answer("cannot tell", f"{reason}, and its record says otherwise: see lecturebench verify")
            sides.append(Losses(name, np.array(losses), deterministic=b.row.deterministic))
        was, now = sides
        if len(pairs) < FEWEST_SEEDS and not (was.deterministic and now.deterministic):
            return _by_runs(a.row, b.row, f"{counted(len(pairs), 'seed')} in common")
        return paired(was.rows, now.rows)
    except NO_LOSSES as error:
        return _by_runs(a.row, b.row, one_line(str(error)))


def _by_tolerance(a: RowResult, b: RowResult) -> Answer | None:
    """By the tolerance of the identity that speaks of the row's number: what it allows is no change."""
    tolerances = [
        claim.tolerance
        for claim in b.benchmark.claims
        if isinstance(claim, IdentityClaim) and (claim.method, claim.metric) == (b.method.name, b.metric)
        if claim.dataset == b.dataset
    ]
    if not tolerances:
        return None
    limit, text = min(tolerances), b.measure.show
    was, now = max(a.values), max(b.values)
    if was > limit and now > limit:
        return None
    reason = f"at most {text(was)} in A and {text(now)} in B, tolerance {text(limit)}"
    return Answer("within noise" if max(was, now) <= limit else "worse" if now > limit else "better", reason)


def _by_runs(a: RowResult, b: RowResult, unpaired: str) -> Answer | Difference:
    """By the runs' values. unpaired: why examples are not compared, if they could be."""
    why = f"; {unpaired}" if unpaired else ""
    if not math.isfinite(a.mean + b.mean):
        return Answer("cannot tell", "its numbers are too large to compare")
    if b.deterministic and len(set(a.values)) == len(set(b.values)) == 1:
        return Answer("cannot tell", f"nothing says what noise is in a deterministic method{why}")
    if min(a.n, b.n) < FEWEST_SEEDS:
        return Answer("cannot tell", f"{a.n} and {b.n} runs are too few to tell, it takes {FEWEST_SEEDS} each{why}")
    difference = welch(a.values, b.values)
    return replace(difference, about=difference.about + (f" ({unpaired})" if unpaired else ""))


def _by_interval(a: RowResult, b: RowResult, difference: Difference, intervals: Intervals, rows: int) -> RowChange:
    """The change as its intervals judge it, one of those of that many rows."""
    alone, decided, metric = intervals.alone, intervals.together, b.measure
    word: Word = "within noise"
    if decided.clear:
        word = "worse" if (decided.low > 0) != metric.higher_is_better else "better"
    reason = f"B minus A is {signed(difference.value, metric)}"
    if not math.isfinite(alone.low + alone.high):
        word, reason = "cannot tell", f"{reason}, and no interval can be computed over {difference.about}"
    elif word == "within noise" and alone.clear:
        reason += f" in {interval_text(alone, metric)}, clear of 0 at 95%, but in {interval_text(decided, metric)} "
        reason += f"at the {level_text(decided.level)} that {rows} rows at once ask for"
    else:
        reason += f" in {interval_text(decided, metric)} at {level_text(decided.level)}, over {difference.about}"
    change = _change(a, b, Answer(word, reason))
    return replace(change, by_seed=difference.by_seed, alone=alone, together=decided)


def _change(a: RowResult, b: RowResult, answer: Answer) -> RowChange:
    return RowChange(a, b, answer.word, answer.reason, time_change(a, b), tuple(_changed(a, b)))


def _with_failures(change: RowChange) -> RowChange:
    """The change with the runs that failed told.

    A run that diverged is a result of its method, of which the others cannot speak: unless the same ones did on both
    sides, only what is worse even without B's, or better even without A's, can be told.
    """
    a, b = change.a, change.b
    if not (a.runs and b.runs and (a.failed or b.failed)):
        return change
    word = change.word
    in_a, in_b = ({run.seed for run in row.failed if run.status == "diverged"} for row in (a, b))
    if in_a != in_b and ((in_a and word != "better") or (in_b and word != "worse")):
        word = "cannot tell"
    failures = "; ".join(f"of {name} {_kinds(row)}" for name, row in (("A", a), ("B", b)) if row.failed)
    return replace(change, word=word, reason=f"{change.reason}; {failures}")


def _changed(a: RowResult, b: RowResult) -> Iterator[str]:
    """What differs between the latest runs of both, apart from their results."""
    latest_a, latest_b = a.latest, b.latest
    for name in sorted({*latest_a.recipe, *latest_b.recipe}):
        was, now = _short(latest_a.recipe.get(name)), _short(latest_b.recipe.get(name))
        if was != now:
            yield f"{_short(name)} {was} → {now}"
    if latest_a.source_digest != latest_b.source_digest:
        yield "code"
    if _short(latest_a.dataset.get("digests"), 10_000) != _short(latest_b.dataset.get("digests"), 10_000):
        yield "data"
    if a.device != b.device:
        yield f"device {a.device} → {b.device}"
    packages = [run.environment.get("packages") for run in (latest_a, latest_b)]
    for name in PACKAGES:
        was, now = (_short(known.get(name)) if isinstance(known, Mapping) else "none" for known in packages)
        if was != now:
            yield f"{name} {was} → {now}"


def _short(value: Any, most: int = 60) -> str:
    if value is None:
        return "none"
    text = one_line(value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _kinds(row: RowResult) -> str:
    """ "2 diverged, 1 timeout" """
    kinds = Counter(run.status.replace("_", " ") for run in row.failed)
    return ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))


def _outcomes(row: RowResult) -> set[tuple[int, str]]:
    return {(run.seed, run.status) for run in row.failed}


def _listed(side: Side) -> str:
    places = list(dict.fromkeys(f"{f.row.benchmark.name} on {f.row.place}" for f in side.rows.values()))
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
