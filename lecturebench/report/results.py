"""From records to rows and verdicts: what every table, figure and page is made of.

Odd or damaged records never stop a report: each is named in a note and left out, and the rest is judged.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np

from lecturebench.benchmark import BACKENDS, PROFILES, Benchmark, Experiment, Method
from lecturebench.claims import (
    Judgement,
    judge_chain,
    judge_equivalence,
    judge_identity,
    judge_minimum,
    judge_number,
    judge_time_to_target,
    not_run,
)
from lecturebench.claims import Losses as MethodLosses
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.published import (
    Claim,
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
)
from lecturebench.report.evidence import (
    HUGE,
    METRICS,
    Losses,
    counted,
    left_out,
    missing_datasets,
    one_line,
    predictions,
    printable,
    saved_losses,
    usable_records,
)
from lecturebench.store import DamagedRecord, Record, Store

__all__ = ["ClaimResult", "Results", "RowResult", "collect", "predictions", "show"]

# Every order is judged with a generator of its own from this seed: a verdict depends on nothing else in the store.
BOOTSTRAP_SEED = 2023
# Damaged predictions, a dataset that cannot be had, or losses that cannot be paired.
NO_LOSSES = (DamagedRecord, DataMissing, DataCorrupt, UsageError, OSError, ValueError)


def show(metric: str) -> Callable[[float], str]:
    """How a value of that metric is written for people: errors as "2.31%", mae as "254.7", others as "1.2e-16"."""

    def text(value: float) -> str:
        if not math.isfinite(value):
            return "–" if math.isnan(value) else str(value)
        if metric.split()[-1] == "error":
            return f"{100 * value:.2f}%"
        return f"{value:.1f}" if metric.split()[-1] == "mae" else f"{value:.3g}"

    return text


@dataclass(frozen=True, eq=False)
class RowResult:
    """A method on a dataset inside a benchmark, on one profile and backend.

    runs: judged and ok, by seed. failed: judged and not ok. choice_runs: those that only helped to choose a parameter,
    whatever their status. All of one code version and recipe. device: all devices of the runs, "cpu + gpu" if several.
    """

    benchmark: Benchmark
    method: Method
    dataset: str
    profile: str
    backend: str
    device: str
    runs: tuple[Record, ...]
    failed: tuple[Record, ...]
    choice_runs: tuple[Record, ...]
    metric: str

    def of(self, metric: str) -> tuple[float, ...]:
        """That metric of each run, by seed; of those runs that have it."""
        found = (run.value(metric) for run in self.runs)
        return tuple(value for value in found if value is not None)

    @property
    def values(self) -> tuple[float, ...]:
        return self.of(self.metric)

    @property
    def n(self) -> int:
        return len(self.runs)

    @property
    def mean(self) -> float:
        return self.mean_of(self.metric)

    @property
    def sd(self) -> float:
        return self.sd_of(self.metric)

    def mean_of(self, metric: str) -> float:
        """The mean of that metric over the runs; NaN for none."""
        values = self.of(metric)
        return fmean(values) if values and _countable(values) else math.nan

    def sd_of(self, metric: str) -> float:
        """The standard deviation of that metric between runs; NaN for fewer than two."""
        values = self.of(metric)
        return stdev(values) if len(values) > 1 and _countable(values) else math.nan

    @property
    def seconds(self) -> float:
        """The mean time of fitting alone; NaN if no run says."""
        known = [float(run.seconds["fit"]) for run in self.runs if "fit" in run.seconds]
        return fmean(known) if known else math.nan

    @property
    def parameters(self) -> int:
        return self.latest.parameters

    @property
    def n_test(self) -> int:
        return int(self.latest.dataset.get("n_test", 0))

    @property
    def started(self) -> str:
        return self.latest.started

    @property
    def commit(self) -> str:
        return self.latest.commit

    @property
    def dirty(self) -> bool:
        """Whether any run was of a working tree with uncommitted changes."""
        return any(run.dirty for run in self.runs)

    @property
    def latest(self) -> Record:
        """The run that started last; of the failed ones if none is ok."""
        return max(self.runs or self.failed or self.choice_runs, key=lambda run: run.started)

    @property
    def place(self) -> str:
        return f"{self.dataset} ({self.profile}, {self.backend})"


def _countable(values: Iterable[float]) -> bool:
    """Whether sums of the values and of their squares are numbers; what an experiment measured may be anything."""
    return all(abs(value) < HUGE for value in values)


@dataclass(frozen=True, eq=False)
class ClaimResult:
    """A claim and its verdict. rows: those it speaks of, in its order, as far as anything was fitted; else ()."""

    benchmark: Benchmark
    claim: Claim
    judgement: Judgement
    rows: tuple[RowResult, ...]

    @property
    def word(self) -> str:
        """The verdict as people say it: an order that does not hold is contradicted, not worse."""
        if self.judgement.verdict == "worse" and not isinstance(self.claim, NumberClaim):
            return "contradicted"
        return self.judgement.verdict.replace("_", " ")


@dataclass(frozen=True, eq=False)
class Results:
    """All rows and claims of a store.

    notes: what was left out, and why. missing: datasets that could not be had, with the reason.
    """

    rows: tuple[RowResult, ...]
    claims: tuple[ClaimResult, ...]
    notes: tuple[str, ...]
    missing: Mapping[str, str]

    def claims_of(self, row: RowResult) -> tuple[ClaimResult, ...]:
        """The claims that speak of this row, orders among them."""
        return tuple(result for result in self.claims if row in result.rows)


def collect(benchmarks: Mapping[str, Benchmark], store: Store, *, losses: Losses | None = None) -> Results:
    """The rows and verdicts of a store, in the order in which the benchmarks declare them.

    Benchmarks that nobody asked for in this store are left out.

    losses: (n_test,) test losses of a run, from its saved predictions; by default with the labels of
    `lecturebench.datasets`. May raise DamagedRecord or what a dataset's loading raises: orders on it are not_run.
    """
    if losses is None:
        from lecturebench import datasets

        losses = saved_losses(store, datasets.load)
    records, faults, strangers = usable_records(benchmarks, store)
    missing, unreadable = missing_datasets(store)
    notes = [*faults, *strangers, *unreadable]
    rows: list[RowResult] = []
    claims: list[ClaimResult] = []
    for benchmark in _begun(benchmarks, store, records, missing):
        own = _rows(benchmark, [record for record in records if record.benchmark == benchmark.name], notes)
        for row in own:
            notes += _row_notes(row, store)
        rows += own
        lacking = missing.get(benchmark.name, {})
        for claim in benchmark.claims:
            budget = left_out(store, benchmark.name, claim.name)
            claims += [_with_budget(result, budget) for result in _judged(benchmark, claim, own, lacking, losses)]
    all_missing = {name: reason for lacking in missing.values() for name, reason in lacking.items()}
    return Results(tuple(rows), tuple(claims), tuple(dict.fromkeys(map(printable, notes))), all_missing)


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
        places[record.method, record.dataset["name"], record.profile, record.backend].append(record)
    orders = ([method.name for method in benchmark.methods], benchmark.datasets, PROFILES, BACKENDS)

    def rank(place: tuple[str, ...]) -> list[tuple[int, str]]:
        return [
            (order.index(name) if name in order else len(order), name)
            for name, order in zip(place, orders, strict=True)
        ]

    rows = [_row(benchmark, benchmark.method(place[0]), places[place], notes) for place in sorted(places, key=rank)]
    return [row for row in rows if row.runs or row.failed or row.choice_runs]


def _row(benchmark: Benchmark, method: Method, records: Sequence[Record], notes: list[str]) -> RowResult:
    """One row: of the newest recipe and source only, since a mean over two versions of a method is of neither."""
    parameter, choice = method.choice or ("", None)
    newest = max(records, key=lambda record: (record.role == "judged", record.started))
    judged = {
        record.seed: record
        for record in sorted(records, key=lambda record: record.started)
        if record.role == "judged" and _version(record) == _version(newest)
    }
    tried = [
        record
        for record in sorted(records, key=lambda record: (record.seed, record.key))
        if record.role == "choice" and _version(record, parameter) == _version(newest, parameter)
        if choice and record.recipe.get(parameter) in choice.grid and record.seed in choice.seeds
    ]
    ordered = [judged[seed] for seed in sorted(judged)]
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
        _metric(benchmark, method, runs),
    )
    if left := len(records) - len(ordered) - len(tried):
        notes.append(
            f"{counted(left, 'earlier run')} of {method.name} on {row.place} with another recipe or source left out"
        )
    return row


def _version(record: Record, without: str = "") -> str:
    """What must be equal for runs to be of one row: recipe, source and data. without: a parameter of the recipe."""
    recipe = {name: value for name, value in record.recipe.items() if name != without}
    return json.dumps([recipe, record.source_digest, _digests(record)], sort_keys=True, default=str)


def _digests(record: Record) -> str:
    return json.dumps(record.dataset.get("digests"), sort_keys=True, default=str)


def _metric(benchmark: Benchmark, method: Method, runs: Sequence[Record]) -> str:
    if isinstance(method, Experiment):
        return method.quantity
    for metric in METRICS:
        if runs and all(metric in run.metrics.get("test", {}) for run in runs):
            return metric
    claimed = [c.metric for c in benchmark.claims if isinstance(c, NumberClaim) and c.method == method.name]
    return claimed[0] if claimed and claimed[0] in METRICS else METRICS[0]


def _row_notes(row: RowResult, store: Store) -> list[str]:
    notes = []
    if row.failed:
        notes.append(f"{row.method.name} on {row.place}: {_failures(row)}")
    for run in row.runs if not isinstance(row.method, Experiment) else ():
        try:
            predictions(store, run)
        except DamagedRecord as error:
            notes.append(f"{error}; the run's recorded {row.metric} still counts, and verify cannot check it")
    return notes


def _failures(row: RowResult) -> str:
    """ "2 of 5 runs failed (1 diverged, 1 timeout)" """
    kinds = Counter(run.status for run in row.failed)
    listed = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(kinds.items()))
    return f"{len(row.failed)} of {counted(len(row.failed) + row.n, 'run')} failed ({listed})"


def _judged(
    benchmark: Benchmark, claim: Claim, rows: Sequence[RowResult], missing: Mapping[str, str], losses: Losses
) -> list[ClaimResult]:
    """A claim's verdict on each profile and backend that has runs on its dataset; one not_run if none has."""
    fitted = [row for row in rows if row.dataset == claim.dataset and row.method.name in claim.methods]
    if not fitted:
        reason = missing.get(claim.dataset)
        why = f"no {claim.dataset}: {one_line(reason)}" if reason else f"not fitted on {claim.dataset} yet"
        return [ClaimResult(benchmark, claim, not_run(why), ())]
    # A baseline has no use for a backend, so one on any backend stands beside the networks of each.
    networks = [row for row in fitted if row.method.uses_backend] or fitted
    results = []
    for profile, backend in dict.fromkeys((row.profile, row.backend) for row in networks):
        chosen = [_pick(fitted, name, profile, backend) for name in claim.methods]
        found = tuple(row for row in chosen if row is not None)
        absent = [name for name, row in zip(claim.methods, chosen, strict=True) if row is None]
        if not benchmark.profiles[profile].judges:
            judgement = not_run(f"the {profile} profile judges nothing")
        elif absent:
            judgement = not_run(f"{', '.join(absent)} not fitted on {claim.dataset} yet")
        else:
            judgement = _judgement(claim, found, losses)
        results.append(ClaimResult(benchmark, claim, judgement, found))
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


def _judgement(claim: Claim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    """The verdict of a claim all of whose rows were fitted, though perhaps without success.

    A run that diverged is a result of its method and no bad luck: no interval of the others speaks for it, so the
    verdict is `inconclusive`, unless a number is `worse` even without it. Runs that crashed or ran out of time or
    memory say nothing of the method; they are counted in the reason.
    """
    failures = "; ".join(f"{row.method.name}: {_failures(row)}" for row in rows if row.failed)
    diverged = any(run.status == "diverged" for row in rows for run in row.failed)
    empty = [row for row in rows if not row.runs]
    if empty:
        reasons = [one_line(run.reason) for row in empty for run in row.failed if run.reason]
        names = ", ".join(row.method.name for row in empty)
        judgement = not_run(f"no run of {names} finished" + (f" ({reasons[0]})" if reasons else ""))
    else:
        judgement = _RULES[type(claim)](claim, rows, losses)
    if failures:
        judgement = replace(judgement, reason=f"{judgement.reason}; {failures}")
    if diverged and not (isinstance(claim, NumberClaim) and judgement.verdict == "worse"):
        judgement = replace(judgement, verdict="inconclusive")
    return judgement


def _judge_number(claim: NumberClaim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    [row] = rows
    values = row.of(claim.metric)
    if len(values) < row.n:
        return not_run(f"{row.n - len(values)} of {counted(row.n, 'run')} recorded no test {claim.metric}")
    return judge_number(
        values,
        published=claim.published,
        unit=claim.unit,
        deterministic=row.method.deterministic,
        show=show(claim.metric),
    )


def _judge_identity(claim: IdentityClaim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    """By the largest of all seeds; a run that could not say is as good as one that contradicts."""
    [row] = rows
    values = row.of(claim.metric)
    if len(values) < row.n:
        return not_run(f"{row.n - len(values)} of {counted(row.n, 'run')} recorded no {claim.metric}")
    if any(math.isnan(value) or value < 0 for value in values):
        return not_run(f"its {claim.metric} is {', '.join(map(str, values))}, no deviation")
    judged = judge_identity(max(values), tolerance=claim.tolerance, show=show(claim.metric))
    return replace(judged, n=row.n)


def _judge_time(claim: TimeToTargetClaim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    times = [[steps_until(run, claim.metric, claim.threshold) for run in row.runs] for row in rows]
    return judge_time_to_target(*times, names=(claim.faster, claim.slower))


def steps_until(run: Record, metric: str, target: float) -> float:
    """The first recorded step at which the metric is at the target or below; infinite if it never was."""
    name = metric.replace(" ", "_")
    reached = (point["step"] for point in run.curve if "step" in point and point.get(name, math.inf) <= target)
    return float(next(reached, math.inf))


def _judge_order(claim: OrderClaim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    return _on_pairs(
        claim.metric, rows, losses, lambda chain, rng: judge_chain(chain, rng=rng, show=show(claim.metric))
    )


def _judge_equivalence(claim: EquivalenceClaim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    return _on_pairs(
        claim.metric,
        rows,
        losses,
        lambda pair, rng: judge_equivalence(*pair, delta=claim.tolerance, rng=rng, show=show(claim.metric)),
    )


def _judge_minimum(claim: MinimumClaim, rows: Sequence[RowResult], losses: Losses) -> Judgement:
    return _on_pairs(
        claim.metric, rows, losses, lambda path, rng: judge_minimum(path, rng=rng, show=show(claim.metric))
    )


def _on_pairs(metric: str, rows: Sequence[RowResult], losses: Losses, rule: PairedRule) -> Judgement:
    """A rule's verdict on the losses of the seeds that all stochastic methods have; a deterministic one stands beside
    each of them. Losses of test examples where these are what the metric is the mean of, else one number per seed."""
    if len({_digests(run) for row in rows for run in row.runs}) > 1:
        return not_run("its rows were fitted on different data")
    drawn = [{run.seed for run in row.runs} for row in rows if not row.method.deterministic]
    common = set.intersection(*drawn) if drawn else set()
    if drawn and not common:
        return not_run("its methods have no seed in common")
    chain = []
    try:
        for row in rows:
            paired = [run for run in row.runs if row.method.deterministic or run.seed in common]
            if any(run.value(metric) is None for run in paired):
                return not_run(f"its rows do not all measure the {metric}")
            values = [losses(run) if metric in METRICS else [run.value(metric)] for run in paired]
            chain.append(MethodLosses(row.method.name, np.array(values), deterministic=row.method.deterministic))
        return rule(chain, np.random.default_rng(BOOTSTRAP_SEED))
    except NO_LOSSES as error:
        return not_run(one_line(str(error)))


PairedRule = Callable[[Sequence[MethodLosses], np.random.Generator], Judgement]
_RULES: Mapping[type[Claim], Callable[..., Judgement]] = {
    NumberClaim: _judge_number,
    OrderClaim: _judge_order,
    EquivalenceClaim: _judge_equivalence,
    MinimumClaim: _judge_minimum,
    TimeToTargetClaim: _judge_time,
    IdentityClaim: _judge_identity,
}
