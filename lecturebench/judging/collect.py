"""From records to rows and judged claims.

Odd or damaged records never stop a report: each is named in a note and left out, and the rest is judged.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lecturebench.declare.benchmark import BACKENDS, PROFILES, Benchmark
from lecturebench.declare.claims import Claim
from lecturebench.declare.methods import Experiment, Method
from lecturebench.declare.suites import Suite
from lecturebench.judging.evidence import (
    LossesOf,
    Usable,
    counted,
    left_out,
    missing_datasets,
    one_line,
    predictions,
    printable,
    saved_losses,
    usable_records,
)
from lecturebench.judging.results import ClaimResult, Results, RowResult
from lecturebench.judging.statistics import not_run
from lecturebench.judging.verdicts import digests, failures, judge
from lecturebench.store import DamagedRecord, Record, Store


@dataclass(frozen=True)
class Planned:
    """What today's code would plan of a store's records. stale: by key, why it would not; all others count.

    notes: what it had to take for granted.
    """

    stale: Mapping[str, str]
    notes: tuple[str, ...] = ()


Plan = Callable[[Sequence[Record]], Planned]


def collect(
    benchmarks: Mapping[str, Benchmark],
    store: Store,
    *,
    losses: LossesOf | None = None,
    plan: Plan | None = None,
    older: bool = False,
    usable: Usable | None = None,
) -> Results:
    """The rows and verdicts of a store, in the order in which the benchmarks declare them.

    Benchmarks that nobody asked for in this store are left out.

    plan: says of the sound records which today's code would plan, as `execution.standing.planned`; all of them unless
    given. The others are named in notes and left out. older: where a row has none of today's, the version counts that
    has the most runs, whatever code it is of: for a comparison of two stores, where one is older than the code. usable:
    in place of the store's records.

    losses: (n_test,) of a run and a metric, from its saved predictions; by default with the labels of
    `lecturebench.datasets`. May raise DamagedRecord or what a dataset's loading raises: orders on it are not_run.
    """
    if losses is None:
        from lecturebench import datasets

        losses = saved_losses(store, datasets.load)
    records, faults, strangers = usable or usable_records(benchmarks, store)
    planned = Planned({}) if plan is None else plan(records)
    missing, unreadable = missing_datasets(store)
    notes = [*faults, *strangers, *unreadable, *planned.notes]
    rows: list[RowResult] = []
    claims: list[ClaimResult] = []
    omissions: list[tuple[str, str]] = []
    for benchmark in _begun(benchmarks, store, records, missing):
        every = [record for record in records if record.benchmark == benchmark.name]
        todays = {_place(record) for record in every if record.role == "judged" and record.key not in planned.stale}
        stale = [
            record for record in every if record.key in planned.stale and not (older and _place(record) not in todays)
        ]
        omissions += _left_out(stale, planned.stale)
        left = {record.key for record in stale}
        own_rows = _rows(benchmark, [record for record in every if record.key not in left], notes)
        for row in own_rows:
            notes += _row_notes(row, store)
        rows += own_rows
        lacking = missing.get(benchmark.name, {})
        for claim in benchmark.claims:
            budget = left_out(store, benchmark.name, claim.name)
            claim_results = _claim_results(benchmark, claim, own_rows, stale, lacking, losses)
            claims += [_with_budget(result, budget) for result in claim_results]
    all_missing = {name: reason for lacking in missing.values() for name, reason in lacking.items()}
    printable_notes = tuple(dict.fromkeys(map(printable, notes)))
    slides = benchmarks.slides if isinstance(benchmarks, Suite) else ()
    return Results(tuple(rows), tuple(claims), printable_notes, all_missing, tuple(omissions), slides)


def _left_out(records: Iterable[Record], why: Mapping[str, str]) -> list[tuple[str, str]]:
    """For each method, place and reason how many stale runs are left out, and that reason."""
    counts = Counter(
        (f"{record.method} on {record.dataset['name']} ({record.profile}, {record.backend})", why[record.key])
        for record in records
    )
    return [
        (f"{counted(n, 'stale run')} of {place}", printable(one_line(reason)))
        for (place, reason), n in sorted(counts.items())
    ]


def _begun(
    benchmarks: Mapping[str, Benchmark], store: Store, records: Iterable[Record], missing: Iterable[str]
) -> list[Benchmark]:
    """The benchmarks that somebody asked for here: with runs, without their data, or left out by a budget.

    All of them in a store that knows of none: then there is nothing to hide them behind.
    """
    run = {record.benchmark for record in records}
    begun = [
        benchmark
        for name, benchmark in benchmarks.items()
        if name in run or name in missing or any(left_out(store, name, claim.name) for claim in benchmark.claims)
    ]
    return begun or list(benchmarks.values())


def _rows(benchmark: Benchmark, records: Iterable[Record], notes: list[str]) -> list[RowResult]:
    """The rows in the order of the benchmark's methods, its datasets, profiles and backends; others by name."""
    places: dict[tuple[str, str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        places[_place(record)].append(record)
    orders = ([method.name for method in benchmark.methods], benchmark.datasets, PROFILES, BACKENDS)

    def rank(place: tuple[str, ...]) -> list[tuple[int, str]]:
        return [
            (order.index(name) if name in order else len(order), name)
            for name, order in zip(place, orders, strict=True)
        ]

    rows = [_row(benchmark, benchmark.method(place[0]), places[place], notes) for place in sorted(places, key=rank)]
    return [row for row in rows if row.runs or row.failed or row.choice_runs]


def _place(record: Record) -> tuple[str, str, str, str]:
    """What is a row of its own in a benchmark."""
    return record.method, record.dataset["name"], record.profile, record.backend


def _row(benchmark: Benchmark, method: Method, records: Sequence[Record], notes: list[str]) -> RowResult:
    """One row: of one recipe and source only, since a mean over two versions of a method is of neither.

    Today's code plans one. Of older ones that with the most runs counts: a date is what some clock said.
    """
    choices = method.choices
    judged = [record for record in records if record.role == "judged"] or records
    runs_of = Counter(map(_version, judged))
    newest = max(judged, key=lambda record: (runs_of[_version(record)], record.started))
    by_seed = {
        record.seed: record
        for record in sorted(records, key=lambda record: record.started)
        if record.role == "judged" and _version(record) == _version(newest)
    }
    tried = [
        record
        for record in sorted(records, key=lambda record: (record.seed, record.key))
        if record.role == "choice" and choices and _version(record, choices) == _version(newest, choices)
        if all(record.recipe.get(name) in choice.grid for name, choice in choices.items())
        if all(record.seed in choice.seeds for choice in choices.values())
    ]
    ordered = [by_seed[seed] for seed in sorted(by_seed)]
    runs = tuple(run for run in ordered if run.status == "ok")
    row = RowResult(
        benchmark,
        method,
        newest.dataset["name"],
        newest.profile,
        newest.backend,
        " + ".join(sorted({record.device for record in (*ordered, *tried)})),
        runs,
        tuple(run for run in ordered if run.status != "ok"),
        tuple(tried),
        method.quantity if isinstance(method, Experiment) else benchmark.metric,
    )
    if left := len(records) - len(ordered) - len(tried):
        notes.append(f"{counted(left, 'run')} of {method.name} on {row.place} with another recipe or source left out")
    return row


def _version(record: Record, without: Collection[str] = ()) -> str:
    """What must be equal for runs to be of one row: recipe, source and data. without: parameters of the recipe."""
    recipe = {name: value for name, value in record.recipe.items() if name not in without}
    return json.dumps([recipe, record.source_digest, digests(record)], sort_keys=True, default=str)


def _row_notes(row: RowResult, store: Store) -> list[str]:
    notes = []
    if row.failed:
        notes.append(f"{row.method.name} on {row.place}: {failures(row)}")
    for run in row.runs if not isinstance(row.method, Experiment) else ():
        try:
            predictions(store, run)
        except DamagedRecord as error:
            notes.append(f"{error}; the run's recorded {row.metric} still counts, and verify cannot check it")
    return notes


def _claim_results(
    benchmark: Benchmark,
    claim: Claim,
    rows: Sequence[RowResult],
    stale: Sequence[Record],
    missing: Mapping[str, str],
    losses: LossesOf,
) -> list[ClaimResult]:
    """A claim's verdict on each profile and backend that has runs on its dataset; one not_run if none has."""
    fitted = [row for row in rows if row.dataset == claim.dataset and row.method.name in claim.methods]
    if not fitted:
        reason = missing.get(claim.dataset)
        able = f"; {' or '.join(claim.profiles)} alone can judge it" if claim.profiles else ""
        why = f"no {claim.dataset}: {one_line(reason)}" if reason else f"not fitted on {claim.dataset} yet{able}"
        stale_runs = [run for run in stale if run.dataset["name"] == claim.dataset and run.method in claim.methods]
        if stale_runs and not reason:
            why = f"not fitted on {claim.dataset} by today's code yet: {counted(len(stale_runs), 'stale run')} left out"
        return [ClaimResult(benchmark, claim, not_run(why), ())]
    # A baseline has no use for a backend, so one on any backend stands beside the networks of each.
    networks = [row for row in fitted if row.method.uses_backend] or fitted
    results = []
    for profile, backend in dict.fromkeys((row.profile, row.backend) for row in networks):
        chosen = [_pick(fitted, name, profile, backend) for name in claim.methods]
        present = tuple(row for row in chosen if row is not None)
        absent = [name for name, row in zip(claim.methods, chosen, strict=True) if row is None]
        if not benchmark.profiles[profile].judges:
            judgement = not_run(f"the {profile} profile judges nothing")
        elif absent:
            judgement = not_run(f"{', '.join(absent)} not fitted on {claim.dataset} yet")
        else:
            judgement = judge(claim, present, losses)
        results.append(ClaimResult(benchmark, claim, judgement, present))
    return results


def _with_budget(result: ClaimResult, why: str) -> ClaimResult:
    """The result with the reason why a budget left its claim out, where it lacks a verdict."""
    judgement = result.judgement
    if not why or judgement.verdict not in ("not_run", "inconclusive"):
        return result
    return replace(result, judgement=replace(judgement, reason=f"{judgement.reason}; {why}"))


def _pick(rows: Sequence[RowResult], method: str, profile: str, backend: str) -> RowResult | None:
    same = [row for row in rows if row.method.name == method and row.profile == profile]
    exact = [row for row in same if row.backend == backend]
    others = [row for row in same if not row.method.uses_backend]
    return max(exact or others, key=lambda row: row.started, default=None)
