"""The sum behind an interval, with its numbers filled in: what the page writes as a formula."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lecturebench.declare.claims import NumberClaim, TimeToTargetClaim
from lecturebench.judging.results import ClaimResult
from lecturebench.judging.statistics import LEVEL, Interval, Judgement, t_quantile
from lecturebench.judging.verdicts import best_of
from lecturebench.metrics import Metric
from lecturebench.report.reasons import Pair, pairs


@dataclass(frozen=True)
class Sum:
    """mean ± factor · sd · root, in words that can be printed.

    kind: "run" is the interval for one new run, t·s·√(1 + 1/n) widened by half a printed unit; "mean" that of a mean
    difference over seeds, t·s/√n; "ratio" the same of logarithms; "exact" a number without spread, ± half a unit.
    of: what is told, where a claim has several. level: of the t quantile, as a share. half_unit: "" where nothing is
    printed.
    """

    kind: str
    of: str
    mean: str
    sd: str
    n: int
    t: str
    level: float
    half_unit: str
    low: str
    high: str

    @property
    def quantile(self) -> str:
        """Which quantile of Student's t: "t(0.975, 4)"."""
        return f"t({(1 + self.level) / 2:.4g}, {self.n - 1})"


def sums(result: ClaimResult) -> list[Sum]:
    """The sums of a claim's intervals over seeds; none where none has such a sum, as of resampled examples."""
    claim, judgement = result.claim, result.judgement
    if isinstance(claim, NumberClaim):
        return _of_number(claim, judgement, result.measure)
    if isinstance(claim, TimeToTargetClaim):
        return _of_race(judgement)
    chain = pairs(result)
    found = [_of_pair(pair, result, several=len(chain) > 1) for pair in chain]
    return [each for each in found if each]


def printed_range(claim: NumberClaim) -> tuple[str, str]:
    """The values that are printed so, in one digit more than are printed: "2.3%" stands for 2.25% to 2.35%."""
    percent = claim.printed.strip().endswith("%")
    scale = 100 if percent else 1
    low, high = (scale * (claim.published + side * claim.unit / 2) for side in (-1, 1))
    digits = _digits(claim.unit * scale) + 1
    return tuple(f"{end:.{digits}f}{'%' if percent else ''}" for end in (low, high))  # type: ignore[return-value]


def _digits(unit: float) -> int:
    """The digits after the point of a number printed to that unit."""
    return max(0, -math.floor(math.log10(unit) + 0.5))


def _of_number(claim: NumberClaim, judgement: Judgement, metric: Metric) -> list[Sum]:
    if math.isnan(judgement.low) or best_of(claim) not in (1, None):
        return []
    scale, sign = (100, "%") if metric.percent else (1, "")
    digits = _digits(claim.unit * scale) + 2  # one more than half a unit has, so that the sum is seen to come out

    def show(value: float) -> str:
        return f"{scale * value:.{digits}f}{sign}"

    numbers = show(judgement.low), show(judgement.high)
    half_unit = f"{scale * claim.unit / 2:.4g}{sign}"
    if math.isnan(judgement.sd):
        return [Sum("exact", "", show(judgement.mean), "", 1, "", LEVEL, half_unit, *numbers)]
    t = f"{t_quantile(judgement.n - 1):.4g}"
    return [
        Sum("run", "", show(judgement.mean), _fine(judgement.sd, metric), judgement.n, t, LEVEL, half_unit, *numbers)
    ]


def _of_race(judgement: Judgement) -> list[Sum]:
    interval = judgement.over_seeds
    if interval is None or not judgement.mean > 0:
        return []
    numbers = f"{math.log(judgement.mean):.3g}", f"{judgement.sd:.3g}", judgement.n
    t = f"{t_quantile(judgement.n - 1, interval.level):.4g}"
    return [Sum("ratio", "", *numbers, t, interval.level, "", f"{interval.low:.3g}", f"{interval.high:.3g}")]


def _of_pair(pair: Pair, result: ClaimResult, *, several: bool) -> Sum | None:
    judgement, metric = pair.judgement, result.measure
    interval: Interval | None = judgement.over_seeds
    if interval is None or math.isnan(judgement.sd):
        return None
    of = " − ".join(result.benchmark.method(name).title for name in reversed(pair.names)) if several else ""
    t = f"{t_quantile(judgement.n - 1, interval.level):.4g}"
    mean, low, high = (_finer(value, metric) for value in (judgement.mean, interval.low, interval.high))
    return Sum("mean", of, mean, _fine(judgement.sd, metric), judgement.n, t, interval.level, "", low, high)


def _fine(value: float, metric: Metric) -> str:
    """A value to three digits that count, so that the sum can be done again."""
    digits = f"{100 * value if metric.percent else value:#.3g}".removesuffix(".")
    return f"{digits}%" if metric.percent else digits


def _finer(value: float, metric: Metric) -> str:
    """A value in one digit more than it is shown with elsewhere."""
    if metric.percent:
        return f"{100 * value:.{(2 if metric.digits is None else metric.digits) + 1}f}%"
    return f"{value:.4g}" if metric.digits is None else f"{value:.{metric.digits + 1}f}"
