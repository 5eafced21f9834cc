"""Which differences noise does not explain: intervals of B - A at any level, and several of them judged together."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
import numpy.typing as npt

from lecturebench.judging.statistics import SLACK, paired_interval

# How often differences that are all noise may be found clear, any of them.
ALPHA = 0.05
ALONE = 1 - ALPHA
# Every interval is drawn with a generator of its own from this seed: it depends on nothing else in the stores.
BOOTSTRAP_SEED = 2023

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """The interval of a difference at a level; NaN where it has none. Noise does not explain one ``clear`` of 0."""

    level: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False)
class Difference:
    """B - A. by_seed: of each pair of runs, () if they are not paired. about: what the interval is over, in words.

    interval: at any level.
    """

    value: float
    by_seed: tuple[float, ...]
    about: str
    interval: Callable[[float], Interval]


@dataclass(frozen=True)
class Judged:
    """alone: the interval at 95%. together: at the level that decided; the same where 95% was enough."""

    alone: Interval
    together: Interval


def paired(was: Rows, now: Rows) -> Difference:
    """The difference of losses (n_seeds, n_test), paired by seed and example; one row is a deterministic method.

    Its interval is `paired_interval`, and nowhere narrower than the t interval over seeds. At the levels that many
    rows ask for, a few resampled seeds scatter too little: where seeds alone scatter, nominal 0.83% was 1.6% with 3
    seeds and 1.2% with 5; with the t interval it is 0.9% and 0.7% (20,000 simulations each).
    """
    by_seed = tuple(map(float, (now - was).mean(axis=1)))
    about = f"{now.shape[1]:,} test examples"
    if len(by_seed) > 1:
        about = f"{len(by_seed)} seeds and {about}"
    return Difference(fmean(by_seed), by_seed, about, lambda level: _paired_interval(was, now, by_seed, level))


def welch(was: Sequence[float], now: Sequence[float]) -> Difference:
    """The difference of the means of runs that are not paired, with Welch's t interval; at least two runs each."""
    about = f"{len(was)} and {len(now)} runs"
    return Difference(fmean(now) - fmean(was), (), about, lambda level: _welch_interval(was, now, level))


def together(differences: Sequence[Difference]) -> list[Judged]:
    """The intervals of all, at levels at which noise makes any of them clear in 5% at most (Holm 1979).

    Each is taken at 95% first. Those clear of 0 are taken again at 1 - 0.05/k, k being as many as have not been found
    clear so far, until none is added.
    """
    alone = [difference.interval(ALONE) for difference in differences]
    last = list(alone)
    waiting = {i for i, interval in enumerate(alone) if interval.clear}
    unclear = len(differences)
    while waiting:
        level = 1 - ALPHA / unclear
        for i in waiting:
            last[i] = alone[i] if unclear == 1 else differences[i].interval(level)
        new = {i for i in waiting if last[i].clear}
        if not new:
            break
        waiting -= new
        unclear -= len(new)
    return [Judged(*intervals) for intervals in zip(alone, last, strict=True)]


def _paired_interval(was: Rows, now: Rows, by_seed: Sequence[float], level: float) -> Interval:
    from scipy.special import stdtrit  # scipy.stats takes more than a second to import

    rng = np.random.default_rng(BOOTSTRAP_SEED)
    draws = max(2000, math.ceil(10 / (1 - level)))  # a quantile needs draws beyond it
    mean, low, high = paired_interval(was, now, rng=rng, resamples=draws, level=level)
    if (n := len(by_seed)) > 1:
        half_width = float(stdtrit(n - 1, (1 + level) / 2)) * stdev(by_seed) / math.sqrt(n)
        low, high = min(low, mean - half_width), max(high, mean + half_width)
    return _settled(level, low, high, max(np.abs(was).max(), np.abs(now).max()))


def _welch_interval(was: Sequence[float], now: Sequence[float], level: float) -> Interval:
    """A point where neither side scatters; NaN where the numbers are too large for it."""
    largest = max(map(abs, (*was, *now)))
    if len(set(was)) == len(set(now)) == 1:
        return _settled(level, now[0] - was[0], now[0] - was[0], largest)
    from scipy.stats import ttest_ind

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of values that differ in their last digits alone
        found = ttest_ind(now, was, equal_var=False).confidence_interval(level)
    return _settled(level, float(found.low), float(found.high), largest)


def _settled(level: float, low: float, high: float, largest: float) -> Interval:
    """The interval, with 0 for ends that rounding alone keeps from it."""
    low, high = (0.0 if abs(end) <= SLACK * largest else end for end in (low, high))
    return Interval(level, low, high)
