"""A claim's runs and interval on a scale of their own, with what is claimed in the middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lecturebench.declare.claims import EquivalenceClaim, NumberClaim, OrderClaim, TimeToTargetClaim
from lecturebench.judging.results import ClaimResult
from lecturebench.judging.statistics import Judgement
from lecturebench.judging.verdicts import paired_runs
from lecturebench.report.reasons import pairs
from lecturebench.store import Record


@dataclass(frozen=True)
class Strip:
    """Places in percent of the strip's width. rounding: what counts as the published value, none of an order.

    number: whether the middle is a published number; else it is 0, where two methods are equal. runs: of an order the
    differences of runs with one seed, in the order of the seeds. middle, reach: the value in the middle, and how far
    the ends are from it; of a race logarithms.
    """

    rounding: tuple[float, float] | None
    interval: tuple[float, float]
    mean: float
    runs: tuple[float, ...]
    number: bool = True
    middle: float = 0.0
    reach: float = 1.0

    def at(self, value: float) -> float:
        """Where a value stands; beyond an end for one that the scale does not reach."""
        return round(50 + 50 * (value - self.middle) / self.reach, 2)


def strip(result: ClaimResult) -> Strip | None:
    """A number's interval beside the published value, which stands in the middle; None where there is no interval."""
    claim, judgement = result.claim, result.judgement
    if not isinstance(claim, NumberClaim) or not result.rows:
        return None
    [row] = result.rows
    mean, values = row.mean_of(claim.metric), row.of(claim.metric)
    return _placed(claim.published, claim.unit / 2, claim.unit, judgement, mean, values) if values else None


def strips(result: ClaimResult) -> list[Strip]:
    """The strip of a number, that of each pair of an order or an equivalence, that of a race; none of other claims."""
    claim = result.claim
    if isinstance(claim, NumberClaim):
        return list(filter(None, [strip(result)]))
    if isinstance(claim, TimeToTargetClaim):
        return list(filter(None, [_race(result.judgement)]))
    if not isinstance(claim, OrderClaim | EquivalenceClaim):
        return []
    delta = claim.tolerance if isinstance(claim, EquivalenceClaim) else 0.0
    paired = paired_runs(result.rows)
    runs = {} if isinstance(paired, Judgement) else dict(zip(claim.methods, paired, strict=False))
    exact = {row.method.name for row in result.rows if row.deterministic}
    found = []
    for pair in pairs(result):
        first, second = (runs.get(name, [])[: 1 if name in exact else None] for name in pair.names)
        values = _differences(first, second, claim.metric)
        found.append(_placed(0.0, delta, delta, pair.judgement, pair.judgement.mean, values, number=False))
    return list(filter(None, found))


def _placed(
    middle: float,
    beside: float,
    least: float,
    judgement: Judgement,
    mean: float,
    values: Sequence[float],
    *,
    number: bool = True,
) -> Strip | None:
    """beside: half the width of what counts as the middle. least: how far the scale reaches at least."""
    ends = (judgement.low, judgement.high, *values)
    if not all(map(math.isfinite, (*ends, mean))):
        return None
    reach = 1.12 * max(least, *(abs(end - middle) for end in ends)) or 1.0

    scale = Strip(None, (0.0, 0.0), 0.0, (), number, middle, reach)
    return replace(
        scale,
        rounding=(scale.at(middle - beside), scale.at(middle + beside)) if beside else None,
        interval=(scale.at(judgement.low), scale.at(judgement.high)),
        mean=scale.at(mean),
        runs=tuple(map(scale.at, values)),
    )


def _race(judgement: Judgement) -> Strip | None:
    """Of logarithms of ratios: twice as fast is as far from the middle as half as fast."""
    if not (judgement.mean > 0 and judgement.low > 0 and math.isfinite(judgement.high)):
        return None
    log = Judgement(judgement.verdict, "", low=math.log(judgement.low), high=math.log(judgement.high))
    return _placed(0.0, 0.0, 0.0, log, math.log(judgement.mean), (), number=False)


def _differences(first: Sequence[Record], second: Sequence[Record], metric: str) -> list[float]:
    """The second minus the first, seed by seed, of the runs that judged them; a single run stands beside all."""
    n = max(len(first), len(second))
    sides = [[run.value(metric) for run in runs] * (n if len(runs) == 1 else 1) for runs in (first, second)]
    return [b - a for a, b in zip(*sides, strict=False) if a is not None and b is not None]
