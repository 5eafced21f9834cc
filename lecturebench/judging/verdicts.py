"""The verdict of a claim from the runs of its rows: which rule of `claims` it takes, and what the rule is given."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

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
    BOOTSTRAP_SEED,
    LEVEL,
    LOOKED_LEVEL,
    Judgement,
    Losses,
    judge_chain,
    judge_equivalence,
    judge_identity,
    judge_minimum,
    judge_number,
    judge_time_to_target,
    not_run,
)
from lecturebench.metrics import Metric, named, split_of
from lecturebench.store import DamagedRecord, Record

# Damaged predictions, a dataset that cannot be had, or losses that cannot be paired.
NO_LOSSES = (DamagedRecord, DataMissing, DataCorrupt, UsageError, OSError, ValueError)


def judge(claim: Claim, rows: Sequence[RowResult], losses: LossesOf) -> Judgement:
    """The verdict of a claim all of whose rows were fitted, though perhaps without success.

    A run that diverged is a result of its method and no bad luck: no interval of the others speaks for it, so the
    verdict is `inconclusive`, unless a number is `worse` even without it. Runs that crashed or ran out of time or
    memory say nothing of the method; they are counted in the reason. A claim that names profiles is not_run on others.

    Effects whose rows have more seeds than their profile plans were looked at before: they are judged at LOOKED_LEVEL,
    which is valid whichever look decided, and their reason says so. At as many seeds as are planned they are judged at
    95%, and ``firm`` says whether that verdict holds at LOOKED_LEVEL too: a rule that looks again stops only then.
    """
    if reason := not_judged_here(claim, rows):
        return not_run(reason)
    failed = "; ".join(f"{row.method.title}: {failures(row)}" for row in rows if row.failed)
    diverged = any(run.status == "diverged" for row in rows for run in row.failed)
    empty = [row for row in rows if not row.runs]
    if empty:
        reasons = [one_line(run.reason) for row in empty for run in row.failed if run.reason]
        names = ", ".join(row.method.title for row in empty)
        judgement = not_run(f"no run of {names} finished" + (f" ({reasons[0]})" if reasons else ""))
    else:
        judgement = _judge(claim, rows, rows[0].benchmark.measure(claim.metric), losses)
    if failed:
        judgement = replace(judgement, reason=f"{judgement.reason}; {failed}")
    if diverged and not (isinstance(claim, NumberClaim) and judgement.verdict == "worse"):
        judgement = replace(judgement, verdict="inconclusive", undecided=False, seeds_needed=None)
    return judgement


def not_judged_here(claim: Claim, rows: Sequence[RowResult]) -> str:
    """Why a claim that names the profiles which can judge it is not judged on that of its rows; "" if it is."""
    profile = rows[0].profile
    if not claim.profiles or profile in claim.profiles:
        return ""
    return f"the {profile} profile cannot judge it, {' or '.join(claim.profiles)} can"


def looked_before(rows: Sequence[RowResult]) -> bool:
    """Whether any row has more seeds than its profile plans, so that somebody looked and asked for more."""
    return any(row.n + len(row.failed) > _planned(row) for row in rows if not row.deterministic)


def planned_seeds(rows: Sequence[RowResult]) -> int:
    """Up to how many seeds nobody has looked at these rows before: as many as all their profiles plan."""
    return min((_planned(row) for row in rows if not row.deterministic), default=0)


def _planned(row: RowResult) -> int:
    return row.benchmark.profiles[row.profile].runs(row.method)


def best_of(claim: NumberClaim) -> int | None:
    """Of how many runs the published number is the best: 1 where it was not selected, None where nobody says."""
    counts = [field.best_of for field in claim.protocol.values() if field.status == "selected"]
    known = [count for count in counts if count is not None]
    return math.prod(known) if len(known) == len(counts) else None


def _judge(claim: Claim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Judgement:
    """By the rule of its kind; effects at the level that their looks ask for."""
    if isinstance(claim, NumberClaim):
        return _judge_number(claim, rows, metric)
    if isinstance(claim, IdentityClaim):
        return _judge_identity(claim, rows, metric)
    race = isinstance(claim, TimeToTargetClaim)
    rule = _race(claim, rows, metric) if race else _on_pairs(claim, rows, metric, losses)  # type: ignore[arg-type]
    if isinstance(rule, Judgement):
        return rule
    try:
        if looked_before(rows):
            judgement = rule(LOOKED_LEVEL)
            reason = (
                f"{judgement.reason}; at {100 * LOOKED_LEVEL:g}%: with more seeds than planned it was looked at before"
            )
            return judgement if judgement.verdict == "not_run" else replace(judgement, reason=reason)
        judgement = rule(LEVEL)
        if judgement.verdict in ("reproduced", "worse"):
            judgement = replace(judgement, firm=rule(LOOKED_LEVEL).verdict == judgement.verdict)
        return judgement
    except NO_LOSSES as error:
        return not_run(one_line(str(error)))


def _judge_number(claim: NumberClaim, rows: Sequence[RowResult], metric: Metric) -> Judgement:
    [row] = rows
    values = row.of(claim.metric)
    if len(values) < row.n:
        return not_run(f"{row.n - len(values)} of {counted(row.n, 'run')} recorded no test {claim.metric}")
    return judge_number(
        values,
        published=claim.published,
        unit=claim.unit,
        deterministic=row.deterministic,
        higher_is_better=metric.higher_is_better if row.benchmark.is_metric(claim.metric) else None,
        best_of=best_of(claim),
        show=metric.show,
    )


def _judge_identity(claim: IdentityClaim, rows: Sequence[RowResult], metric: Metric) -> Judgement:
    """By the largest of all seeds; a run that could not say is as good as one that contradicts."""
    [row] = rows
    values = row.of(claim.metric)
    if len(values) < row.n:
        return not_run(f"{row.n - len(values)} of {counted(row.n, 'run')} recorded no {claim.metric}")
    if any(math.isnan(value) or value < 0 for value in values):
        return not_run(f"its {claim.metric} is {', '.join(map(str, values))}, no deviation")
    judgement = judge_identity(max(values), tolerance=claim.tolerance, show=metric.show)
    return replace(judgement, n=row.n)


def steps_until(run: Record, name: str, target: float, metric: Metric | None = None) -> float:
    """The first recorded step at which the metric is as good as the target; infinite if it never was."""
    column, metric = name.replace(" ", "_"), metric or named(name)
    points = (point for point in run.curve if "step" in point and column in point)
    return float(next((point["step"] for point in points if metric.reached(point[column], target)), math.inf))


def next_look(run: Record, metric: str) -> float:
    """The step at which a run would have been looked at next, had it gone on; 0 if nobody ever looked."""
    name = metric.replace(" ", "_")
    looks = [0.0, *(float(point["step"]) for point in run.curve if "step" in point and name in point)]
    return looks[-1] + (looks[-1] - looks[-2]) if len(looks) > 1 else 0.0


def _race(claim: TimeToTargetClaim, rows: Sequence[RowResult], metric: Metric) -> Rule | Judgement:
    """The rule for runs paired by seed: a run that never got there counts as there at the next look of the longest."""
    paired = paired_runs(rows)
    if isinstance(paired, Judgement):
        return paired
    column = claim.metric.replace(" ", "_")
    blind = [run for runs in paired for run in runs if not any(column in point for point in run.curve)]
    if blind:
        return not_run(f"{counted(len(blind), 'run')} of {blind[0].method} recorded no {claim.metric} along the way")
    n = max(map(len, paired))
    fast, slow = ([steps_until(run, claim.metric, claim.threshold, metric) for run in runs] for runs in paired)
    horizon = max(next_look(run, claim.metric) for runs in paired for run in runs)
    sides = [steps * n if len(steps) == 1 else steps for steps in (fast, slow)]
    names = (rows[0].method.title, rows[1].method.title)
    return lambda level: judge_time_to_target(
        *sides, horizon=horizon, names=names, level=level, planned=planned_seeds(rows)
    )


def _on_pairs(claim: Claim, rows: Sequence[RowResult], metric: Metric, losses: LossesOf) -> Rule | Judgement:
    """The rule on the losses of the seeds that all stochastic methods have. Losses of test examples where these are
    what the metric is the mean of, else one number per seed."""
    paired = paired_runs(rows)
    if isinstance(paired, Judgement):
        return paired
    chain = []
    measured = any(isinstance(row.method, Experiment) for row in rows)
    by_example = metric.losses is not None and split_of(claim.metric)[0] == "test" and not measured
    general = getattr(claim, "about", "statement") == "statement"
    if general and not (by_example or measured) and all(row.deterministic for row in rows):
        why = f"{metric.words} is no mean over examples and no method is random: this test set says nothing of others"
        return Judgement("inconclusive", why, 1)
    try:
        for row, runs in zip(rows, paired, strict=True):
            if any(run.value(claim.metric) is None for run in runs):
                return not_run(f"its rows do not all measure the {claim.metric}")
            values = [losses(run, metric) if by_example else [run.value(claim.metric)] for run in runs]
            chain.append(Losses(row.method.title, np.array(values), deterministic=row.deterministic))
    except NO_LOSSES as error:
        return not_run(one_line(str(error)))

    def rule(level: float) -> Judgement:
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        common: dict[str, Any] = {"rng": rng, "level": level, "show": metric.show, "planned": planned_seeds(rows)}
        if isinstance(claim, OrderClaim):
            return judge_chain(chain, about=claim.about, **common)
        if isinstance(claim, EquivalenceClaim):
            return judge_equivalence(*chain, delta=claim.tolerance, about=claim.about, **common)
        if isinstance(claim, MinimumClaim):
            return judge_minimum(chain, higher_is_better=metric.higher_is_better, **common)
        raise TypeError(f"{type(claim).__name__} is no claim about pairs of methods")

    return rule


def paired_runs(rows: Sequence[RowResult]) -> list[list[Record]] | Judgement:
    """Of each row the runs of the seeds that all stochastic methods have; a deterministic one's stand beside them."""
    # A run of a split of its own is tested on other examples, whatever its dataset's digests.
    if len({(digests(run), bool(run.recipe.get("resplit"))) for row in rows for run in row.runs}) > 1:
        return not_run("its rows were fitted on different data")
    drawn = [{run.seed for run in row.runs} for row in rows if not row.deterministic]
    common = set.intersection(*drawn) if drawn else set()
    if drawn and not common:
        return not_run("its methods have no seed in common")
    return [[run for run in row.runs if row.deterministic or run.seed in common] for row in rows]


def failures(row: RowResult) -> str:
    """How many runs failed and how: "2 of 5 runs failed (1 diverged, 1 timeout)" """
    kinds = Counter(run.status for run in row.failed)
    listed = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(kinds.items()))
    return f"{len(row.failed)} of {counted(len(row.failed) + row.n, 'run')} failed ({listed})"


def digests(record: Record) -> str:
    """The digests of a run's data as one text, equal for equal data."""
    return json.dumps(record.dataset.get("digests"), sort_keys=True, default=str)


Rule = Callable[[float], Judgement]
