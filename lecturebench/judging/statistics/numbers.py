"""Numbers: the interval for new runs, how sure its ends are, and over which values of a field a number comes out."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lecturebench.judging.statistics.common import (
    ALPHA,
    FEWEST_SEEDS,
    MOST_NAMED,
    NAN,
    SLACK,
    Judgement,
    Show,
    Verdict,
    counted,
    mean_of,
    not_run,
    plain,
    sd_of,
    t_quantile,
)


@dataclass(frozen=True)
class Published:
    """A published number, printed to a unit: 0.023 to 0.001 for "2.3%". higher_is_better: None where neither way is."""

    value: float
    unit: float
    higher_is_better: bool | None

    @property
    def size(self) -> float:
        """What an interval's width is measured by: the number; of a share where higher is better what it leaves, if
        that is less, so that 90% right is judged as 10% wrong is."""
        least = abs(self.value)
        return min(least, 1 - self.value) if self.higher_is_better and 0 < self.value < 1 else least

    def side(self, low: float, high: float) -> Verdict:
        """Where it stands to an interval whose ends belong to it."""
        slack = SLACK * max(abs(low), abs(high), abs(self.value))
        if self.higher_is_better is None:
            return "reproduced" if low - slack <= self.value <= high + slack else "worse"
        if self.value > high + slack:
            return "worse" if self.higher_is_better else "better"
        if self.value < low - slack:
            return "better" if self.higher_is_better else "worse"
        return "reproduced"


def judge_number(
    errors: Sequence[float],
    *,
    published: float,
    unit: float,
    deterministic: bool = False,
    higher_is_better: bool | None = False,
    best_of: int | None = 1,
    show: Show = plain,
) -> Judgement:
    """Is ``published``, printed to ``unit`` (0.001 for "2.3%"), what another run of ours could have given?

    errors: one per seed. The interval is that for one new run, m ± t(0.975, n-1)·s·√(1+1/n), widened by half a unit;
    its ends belong to it. Outside it the number is `better` or `worse`, however wide the interval is. Inside, it is
    `inconclusive` when t·s·√(1+1/n) exceeds a quarter of |published|, since such an interval accepts too much (of a
    share where higher is better, a quarter of what it leaves, 1 - published, where that is less: 90% right is 10%
    wrong). That half-width is taken before widening, because more seeds shrink it and rounding cannot turn it. With
    n < 3 it is always inconclusive. Runs of a deterministic method that all agree are one run with the interval
    ±unit/2.

    best_of: the published number is the best of so many runs; then the interval is that of the best of as many new
    runs (`prediction_factors`). None, if nobody knows of how many: `better` stays, since the best of any number is no
    worse than one run, and all else is inconclusive.

    ``undecided`` if the published value lies within one `end_standard_error` of an end.

    No errors: not_run. ValueError if a number is not finite, the unit is negative or best_of below 1.
    """
    if not (math.isfinite(published) and math.isfinite(unit) and unit >= 0):
        raise ValueError(f"published is {published!r} printed to {unit!r}; both must be finite, the unit not negative")
    if best_of is not None and best_of < 1:
        raise ValueError(f"best_of is {best_of!r}; it must be at least 1, or None where nobody knows")
    values = np.asarray(errors, dtype=np.float64).ravel()
    if not values.size:
        return not_run("no run finished")
    if not np.isfinite(values).all():
        raise ValueError(f"errors are {list(errors)!r}; they must be finite: leave diverged runs out and say so")
    printed = Published(published, unit, higher_is_better)
    if deterministic and values.min() == values.max():
        judgement = _placed(1, float(values[0]), NAN, 0.0, 0.0, printed, show)
    elif values.size == 1:
        reason = f"1 run is too few to judge {show(published)}; at least {FEWEST_SEEDS - 1} more seeds are needed"
        judgement = Judgement("inconclusive", reason, 1, float(values[0]), seeds_needed=FEWEST_SEEDS)
    else:
        judgement = _among_runs(values.size, mean_of(values), sd_of(values), printed, best_of or 1, show)
    if best_of is None and judgement.verdict != "better":
        cause = "the published run was selected by its test error, nobody says of how many: only better is safe"
        reason = f"{judgement.reason}, but {cause}"
        return replace(judgement, verdict="inconclusive", reason=reason, undecided=False, seeds_needed=None)
    if best_of is not None and best_of > 1:
        return replace(judgement, reason=f"{judgement.reason}, as the best of {best_of} runs")
    return judgement


def prediction_half_width(sd: float, n: int) -> float:
    """Half the 95% prediction interval for one new run after n ≥ 2 runs: t(0.975, n-1)·sd·√(1+1/n)."""
    return t_quantile(n - 1) * sd * math.sqrt(1 + 1 / n)


@lru_cache(maxsize=4096)
def prediction_factors(n: int, best_of: int = 1) -> tuple[float, float]:
    """(a, b), so that the least of ``best_of`` new normal runs lies in [m + a·s, m + b·s] in 95%, after n ≥ 2 runs.

    For the greatest take (-b, -a). For one new run ∓t·√(1+1/n). For k runs: with Z standard normal and W the share of
    s in σ, so that (n-1)·W² is chi squared, the least of them exceeds m + x·s with the probability

        E[(1 - Φ(x·W + Z/√n))^k],

    an integral over Z (Gauss-Hermite) and W (Gauss-Legendre). a and b leave 2.5% on either side.
    """
    if best_of == 1:
        factor = prediction_half_width(1.0, n)
        return -factor, factor
    from scipy.optimize import brentq
    from scipy.special import ndtr, roots_hermitenorm, roots_legendre

    z, z_weight = roots_hermitenorm(60)
    reach = 8 / math.sqrt(2 * (n - 1))
    first, last = max(0.0, 1 - reach), 1 + reach
    node, node_weight = roots_legendre(300)
    w = first + (last - first) * (node + 1) / 2
    w_weight = node_weight * np.exp((n - 2) * np.log(w) - (n - 1) * (w * w - 1) / 2)
    weight = np.outer(w_weight / w_weight.sum(), z_weight / z_weight.sum())

    def exceeds(x: float) -> float:
        return float((weight * ndtr(-(x * w[:, None] + z / math.sqrt(n))) ** best_of).sum())

    furthest = 100 * prediction_half_width(1.0, n)
    ends = (brentq(lambda x, at=at: exceeds(x) - at, -furthest, furthest) for at in (1 - ALPHA / 2, ALPHA / 2))
    low, high = map(float, ends)
    return low, high


def end_standard_error(sd: float, n: int, factor: float) -> float:
    """The standard error of the end m + factor·s of an interval: s·√(1/n + factor²/(2(n-1))).

    m and s of normal runs are independent, with variances σ²/n and about σ²/(2(n-1)). For one new run factor² is
    t²(1+1/n): 1.16·s with 5 runs, 0.70·s with 10, 0.45·s with 20, which the tests hold against simulations.
    """
    return sd * math.sqrt(1 / n + factor * factor / (2 * (n - 1)))


def _among_runs(n: int, mean: float, sd: float, printed: Published, best_of: int, show: Show) -> Judgement:
    """The verdict of at least two runs that may differ."""
    least, greatest = prediction_factors(n, best_of)
    low, high = (-greatest, -least) if printed.higher_is_better else (least, greatest)
    judgement = _placed(n, mean, sd, low * sd, high * sd, printed, show)
    half_width, limit = (high - low) / 2 * sd, printed.size / 4
    wide = judgement.verdict == "reproduced" and not half_width <= limit * (1 + SLACK)
    if n < FEWEST_SEEDS or wide:
        cause = f"the half-width {show(half_width)} exceeds a quarter of {show(printed.size)}"
        cause = cause if n >= FEWEST_SEEDS else f"{n} runs are too few"
        needed = _seeds_needed(n, mean, sd, printed, best_of)
        reason = f"{judgement.reason}, but {cause}; {remedy(n, needed)}"
        judgement = replace(judgement, verdict="inconclusive", reason=reason, seeds_needed=needed)
    if n < FEWEST_SEEDS or not sd > 0:
        return judgement
    for end, factor in ((judgement.low, low), (judgement.high, high)):
        error = end_standard_error(sd, n, factor)
        if abs(printed.value - end) <= error:
            reason = f"{judgement.reason}; undecided: {show(end)} has itself a standard error of {show(error)}"
            return replace(judgement, undecided=True, reason=reason)
    return judgement


def _placed(n: int, mean: float, sd: float, below: float, above: float, printed: Published, show: Show) -> Judgement:
    """The verdict from where the published number stands to [mean + below, mean + above], widened by half a unit."""
    low, high = mean + below - printed.unit / 2, mean + above + printed.unit / 2
    verdict = printed.side(low, high)
    side = "in" if verdict == "reproduced" else "above" if printed.value > high else "below"
    return Judgement(verdict, f"{show(printed.value)} lies {side} [{show(low)}, {show(high)}]", n, mean, sd, low, high)


def _seeds_needed(n: int, mean: float, sd: float, printed: Published, best_of: int) -> int | None:
    """With how many seeds the interval is narrow enough, or leaves the number outside, if mean and spread stay."""

    def settles(count: int) -> bool:
        least, greatest = prediction_factors(count, best_of)
        if printed.higher_is_better:
            least, greatest = -greatest, -least
        narrow = (greatest - least) / 2 * sd <= printed.size / 4 * (1 + SLACK)
        ends = mean + least * sd - printed.unit / 2, mean + greatest * sd + printed.unit / 2
        return narrow or printed.side(*ends) != "reproduced"

    enough = bisect_left(range(MOST_NAMED + 1), True, lo=max(FEWEST_SEEDS, n + 1), key=settles)
    return enough if enough <= MOST_NAMED else None


def remedy(n: int, needed: int | None) -> str:
    """How many more seeds than n would settle it, in words."""
    if needed is None:
        return f"at this spread not even {MOST_NAMED:,} seeds would settle it"
    return f"{counted(needed - n, 'more seed')} would settle it at this spread"


def sampling_interval(mean: float, n_test: int) -> float:
    """Half the 95% interval that the test set's own sampling gives an error share: 1.96·√(m(1-m)/n_test).

    Shown beside the results and used by no verdict: published and measured share the test set.
    """
    if not 0 <= mean <= 1 or n_test < 1:
        raise ValueError(f"mean is {mean!r} on {n_test!r} examples; it must be a share in [0, 1], on at least one")
    return 1.96 * math.sqrt(mean * (1 - mean) / n_test)
