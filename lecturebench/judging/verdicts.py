"""The verdict of a claim from the runs of its rows: which rule of `claims` it takes, and what the rule is given."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import (
    Claim,
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
)
from lecturebench.declare.methods import Experiment
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.judging.evidence import LossesOf, counted, one_line
from lecturebench.judging.results import RowResult
from lecturebench.judging.statistics import (
    Judgement,
    judge_chain,
    judge_equivalence,
    judge_identity,
    judge_minimum,
    judge_number,
    judge_time_to_target,
    not_run,
)
from lecturebench.judging.statistics import Losses as MethodLosses
from lecturebench.metrics import Metric, named, split_of
from lecturebench.store import DamagedRecord, Record

# Every order is judged with a generator of its own from this seed: a verdict depends on nothing else in the store.
BOOTSTRAP_SEED = 2023
# Damaged predictions, a dataset that cannot be had, or losses that cannot be paired.
NO_LOSSES = (DamagedRecord, DataMissing, DataCorrupt, UsageError, OSError, ValueError)


def judge(claim: Claim, rows: Sequence[RowResult], benchmark: Benchmark, losses: LossesOf) -> Judgement:
    """The verdict of a claim all of whose rows were fitted, though perhaps without success.

    A run that diverged is a result of its method and no bad luck: no interval of the others speaks for it, so the
    verdict is `inconclusive`, unless a number is `worse` even without it. Runs that crashed or ran out of time or
    memory say nothing of the method; they are counted in the reason.
    """
    failed = "; ".join(f"{row.method.name}: {failures(row)}" for row in rows if row.failed)
    diverged = any(run.status == "diverged" for row in rows for run in row.failed)
    empty = [row for row in rows if not row.runs]
    if empty:
        reasons = [one_line(run.reason) for row in empty for run in row.failed if run.reason]
        names = ", ".join(row.method.name for row in empty)
        judged = not_run(f"no run of {names} finished" + (f" ({reasons[0]})" if reasons else ""))
    else:
        judged = _RULES[type(claim)](claim, rows, benchmark.measure(claim.metric), losses)
    if failed:
        judged = replace(judged, reason=f"{judged.reason}; {failed}")
    if diverged and not (isinstance(claim, NumberClaim) and judged.verdict == "worse"):
        judged = replace(judged, verdict="inconclusive")
    return judged


def _judge_number(claim: NumberClaim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Judgement:
    [row] = rows
    values = row.of(claim.metric)
    if len(values) < row.n:
        return not_run(f"{row.n - len(values)} of {counted(row.n, 'run')} recorded no test {claim.metric}")
    return judge_number(
        values,
        published=claim.published,
        unit=claim.unit,
        deterministic=row.deterministic,
        higher_is_better=metric.higher_is_better,
        show=metric.show,
    )


def _judge_identity(claim: IdentityClaim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Judgement:
    """By the largest of all seeds; a run that could not say is as good as one that contradicts."""
    [row] = rows
    values = row.of(claim.metric)
    if len(values) < row.n:
        return not_run(f"{row.n - len(values)} of {counted(row.n, 'run')} recorded no {claim.metric}")
    if any(math.isnan(value) or value < 0 for value in values):
        return not_run(f"its {claim.metric} is {', '.join(map(str, values))}, no deviation")
    judged = judge_identity(max(values), tolerance=claim.tolerance, show=metric.show)
    return replace(judged, n=row.n)


def _judge_time(claim: TimeToTargetClaim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Judgement:
    times = [[steps_until(run, claim.metric, claim.threshold, metric) for run in row.runs] for row in rows]
    return judge_time_to_target(*times, names=(claim.faster, claim.slower))


def steps_until(run: Record, name: str, target: float, metric: Metric | None = None) -> float:
    """The first recorded step at which the metric is as good as the target; infinite if it never was."""
    column, metric = name.replace(" ", "_"), metric or named(name)
    points = (point for point in run.curve if "step" in point and column in point)
    return float(next((point["step"] for point in points if metric.reached(point[column], target)), math.inf))


def _judge_order(claim: OrderClaim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Judgement:
    return _on_pairs(
        claim.metric, metric, rows, losses, lambda chain, rng: judge_chain(chain, rng=rng, show=metric.show)
    )


def _judge_equivalence(
    claim: EquivalenceClaim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf
) -> Judgement:
    return _on_pairs(
        claim.metric,
        metric,
        rows,
        losses,
        lambda pair, rng: judge_equivalence(*pair, delta=claim.tolerance, rng=rng, show=metric.show),
    )


def _judge_minimum(claim: MinimumClaim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Judgement:
    return _on_pairs(
        claim.metric,
        metric,
        rows,
        losses,
        lambda path, rng: judge_minimum(path, rng=rng, show=metric.show, higher_is_better=metric.higher_is_better),
    )


def _on_pairs(name: str, metric: Metric, rows: Sequence[RowResult], losses: LossesOf, rule: PairedRule) -> Judgement:
    """A rule's verdict on the losses of the seeds that all stochastic methods have; a deterministic one stands beside
    each of them. Losses of test examples where these are what the metric is the mean of, else one number per seed."""
    if len({digests(run) for row in rows for run in row.runs}) > 1:
        return not_run("its rows were fitted on different data")
    drawn = [{run.seed for run in row.runs} for row in rows if not row.deterministic]
    common = set.intersection(*drawn) if drawn else set()
    if drawn and not common:
        return not_run("its methods have no seed in common")
    chain = []
    by_example = metric.losses is not None and split_of(name)[0] == "test"
    by_example = by_example and not any(isinstance(row.method, Experiment) for row in rows)
    try:
        for row in rows:
            paired = [run for run in row.runs if row.deterministic or run.seed in common]
            if any(run.value(name) is None for run in paired):
                return not_run(f"its rows do not all measure the {name}")
            values = [losses(run, metric) if by_example else [run.value(name)] for run in paired]
            chain.append(MethodLosses(row.method.name, np.array(values), deterministic=row.deterministic))
        return rule(chain, np.random.default_rng(BOOTSTRAP_SEED))
    except NO_LOSSES as error:
        return not_run(one_line(str(error)))


def failures(row: RowResult) -> str:
    """How many runs failed and how: "2 of 5 runs failed (1 diverged, 1 timeout)" """
    kinds = Counter(run.status for run in row.failed)
    listed = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(kinds.items()))
    return f"{len(row.failed)} of {counted(len(row.failed) + row.n, 'run')} failed ({listed})"


def digests(record: Record) -> str:
    """The digests of a run's data as one text, equal for equal data."""
    return json.dumps(record.dataset.get("digests"), sort_keys=True, default=str)


PairedRule = Callable[[Sequence[MethodLosses], np.random.Generator], Judgement]
_RULES: Mapping[type[Claim], Callable[..., Judgement]] = {
    NumberClaim: _judge_number,
    OrderClaim: _judge_order,
    EquivalenceClaim: _judge_equivalence,
    MinimumClaim: _judge_minimum,
    TimeToTargetClaim: _judge_time,
    IdentityClaim: _judge_identity,
}
