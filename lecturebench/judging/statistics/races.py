"""Times to a target: races of pairs of runs with the same seed, some of which never get there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecturebench.judging.statistics.common import (
    FEWEST_RACES,
    FEWEST_SEEDS,
    LEVEL,
    NAN,
    Interval,
    Judgement,
    Verdict,
    mean_of,
    not_run,
    sd_of,
    t_quantile,
)
from lecturebench.judging.statistics.effects import seeds_to_decide
from lecturebench.judging.statistics.numbers import remedy
from lecturebench.judging.statistics.resampling import Scatter

if TYPE_CHECKING:
    from lecturebench.judging.statistics.common import Array


def judge_time_to_target(
    fast_steps: Sequence[float],
    slow_steps: Sequence[float],
    *,
    horizon: float = math.inf,
    names: tuple[str, str] = ("fast", "slow"),
    level: float = LEVEL,
    planned: int = 0,
) -> Judgement:
    """Does the first method need fewer steps? By the mean of log(slow steps / fast steps) over pairs of one seed.

    fast_steps, slow_steps: steps until the target, run i of both with the same seed; NaN or inf is a run that never got
    there. It counts as if it had got there at ``horizon``, the first step at which nobody looked any more: later than
    all that did, and the least that can be true of it, so a lead is never made larger than it was (a restricted mean,
    as survival analysis has it). Two runs of a pair that both never got there are a tie.

    The t interval over pairs of the mean logarithm, told as a ratio, wholly above 1 is `reproduced`, below it `worse`,
    else inconclusive; inconclusive too with fewer than five pairs. A sign test would never decide with five pairs
    (p = 1/16 where one side wins all). Of methods that are equal it calls one faster in `RACE_ERROR_RATES` of
    `lecturebench.judging.design`. Nobody arrived, or no pairs: not_run. planned: as of `judge_order`. ValueError for
    negative steps, for sides of different length, and for a horizon not beyond all steps where a run needs one.
    """
    fast, slow = (np.asarray(steps, dtype=np.float64).ravel() for steps in (fast_steps, slow_steps))
    if not fast.size or not slow.size:
        return not_run(f"no run of {names[0 if not fast.size else 1]} finished")
    if fast.size != slow.size:
        raise ValueError(f"{fast.size} and {slow.size} runs cannot be paired by seed")
    fast, slow = np.where(np.isnan(fast), np.inf, fast), np.where(np.isnan(slow), np.inf, slow)
    if min(fast.min(), slow.min()) < 0:
        raise ValueError("steps must not be negative; a run that never got there is NaN or inf")
    arrived = np.concatenate([fast, slow])
    censored = np.isinf(arrived)
    if censored.all():
        return not_run("nobody arrived: no run of either got to the target")
    if censored.any() and not arrived[~censored].max() < horizon < math.inf:
        raise ValueError(f"horizon is {horizon!r}; it must be finite and beyond {arrived[~censored].max()}")
    # A run that is there at once counts as one step: a ratio needs one.
    ratios = np.log(np.clip(slow, 1, horizon)) - np.log(np.clip(fast, 1, horizon))
    n, mean, sd = ratios.size, mean_of(ratios), sd_of(ratios)
    ratio = math.exp(mean)
    reason = f"{names[1]} needs {ratio:.3g} times the steps of {names[0]}"
    if censored.any():
        lost = [f"{np.isinf(steps).sum()} of {steps.size}" for steps in (slow, fast)]
        reason += f" ({' and '.join(lost)} never got there and count as {horizon:g})"
    if n < FEWEST_RACES:
        reason = f"{reason}; {FEWEST_RACES} pairs of runs are needed at least"
        return Judgement("inconclusive", reason, n, ratio, sd, names=names, seeds_needed=FEWEST_RACES)
    half_width = t_quantile(n - 1, level) * sd / math.sqrt(n)
    low, high = math.exp(mean - half_width), math.exp(mean + half_width)
    verdict: Verdict = "reproduced" if low > 1 else "worse" if high < 1 else "inconclusive"
    side = {"reproduced": "above 1", "worse": "below 1"}.get(verdict, "not clear of 1")
    reason = f"{reason}, in [{low:.3g}, {high:.3g}] over {n} pairs of runs, {side}"
    needed = None
    if verdict == "inconclusive":
        needed = seeds_to_decide(n, abs(mean), Scatter(sd, 0.0), planned=planned)
        reason = f"{reason}; {remedy(n, needed)}"
    return Judgement(
        verdict,
        reason,
        n,
        ratio,
        sd,
        low,
        high,
        over_seeds=Interval(low, high, level),
        names=names,
        seeds_needed=needed,
    )


def win_probability(a: Sequence[float] | Array, b: Sequence[float] | Array) -> tuple[float, float, float]:
    """P(A < B) + ½P(A = B) for one run of each method, with its 95% interval: (probability, low, high).

    a, b: one number per run, at least one each; their share of winning pairs is the Mann-Whitney statistic over n₁n₂.
    The interval inverts the score test of that statistic (Newcombe 2006, method 5) with t on n₁+n₂-2 degrees of
    freedom; a bootstrap would call three runs each that do not overlap certain. NaN with fewer than 3 runs on a side.
    """
    first, second = (np.asarray(values, dtype=np.float64).ravel() for values in (a, b))
    wins = float(np.mean((first[:, None] < second) + 0.5 * (first[:, None] == second)))
    if min(first.size, second.size) < FEWEST_SEEDS:
        return wins, NAN, NAN
    low = win_probability_low(wins, first.size, second.size)
    return wins, low, 1 - win_probability_low(1 - wins, first.size, second.size)


def win_probability_low(wins: float, n_fast: int, n_slow: int) -> float:
    """The lower end for a win probability: where wins - p = t·√V(p), V as for exponential times (Newcombe 2006)."""
    t = t_quantile(n_fast + n_slow - 2)
    more = (n_fast + n_slow) / 2 - 1
    low, high = 0.0, wins
    for _ in range(60):
        p = (low + high) / 2
        variance = p * (1 - p) * (1 + more * ((1 - p) / (2 - p) + p / (1 + p))) / (n_fast * n_slow)
        low, high = (low, p) if wins - p < t * math.sqrt(variance) else (p, high)
    return low
