"""Which differences noise does not explain: intervals of B - A at any level, and several of them judged together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from lecturebench.judging.statistics import (
    ALPHA,
    BOOTSTRAP_SEED,
    LEVEL,
    Interval,
    interval_over_examples,
    settled,
    t_quantile,
)

Array = npt.NDArray[np.float64]


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
class Intervals:
    """alone: the interval at 95%. together: at the level that decided; the same where 95% was enough."""

    alone: Interval
    together: Interval


def paired(was: Array, now: Array) -> Difference:
    """The difference of losses (n_seeds, n_test), paired by seed and example; one row is a deterministic method.

    Its interval is `interval_over_examples`, drawn with a generator of its own: it depends on nothing else in the
    stores.
    """
    by_seed = tuple(map(float, (now - was).mean(axis=1)))
    about = f"{now.shape[1]:,} test examples"
    if len(by_seed) > 1:
        about = f"{len(by_seed)} seeds and {about}"
    return Difference(fmean(by_seed), by_seed, about, _over_examples(was, now))


def welch(was: Sequence[float], now: Sequence[float]) -> Difference:
    """The difference of the means of runs that are not paired, with Welch's t interval; at least two runs each."""
    about = f"{len(was)} and {len(now)} runs"
    return Difference(fmean(now) - fmean(was), (), about, lambda level: _welch_interval(was, now, level))


def together(differences: Sequence[Difference]) -> list[Intervals]:
    """The intervals of all, at levels at which noise makes any of them clear in 5% at most (Holm 1979).

    Each is taken at 95% first. Those clear of 0 are taken again at 1 - 0.05/k, k being as many as have not been found
    clear so far, until none is added.
    """
    alone = [difference.interval(LEVEL) for difference in differences]
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
    return [Intervals(*intervals) for intervals in zip(alone, last, strict=True)]


def _over_examples(was: Array, now: Array) -> Callable[[float], Interval]:
    return lambda level: interval_over_examples(was, now, rng=np.random.default_rng(BOOTSTRAP_SEED), level=level)


def _welch_interval(was: Sequence[float], now: Sequence[float], level: float) -> Interval:
    """A point where neither side scatters; NaN where the numbers are too large for it."""
    largest = max(map(abs, (*was, *now)))
    if len(set(was)) == len(set(now)) == 1:
        return settled(now[0] - was[0], now[0] - was[0], level, largest)
    # As scipy.stats.ttest_ind has it, whose import takes half as long as a report.
    with np.errstate(all="ignore"):
        before, after = (np.var(values, ddof=1) / len(values) for values in (was, now))
        degrees = (before + after) ** 2 / (before**2 / (len(was) - 1) + after**2 / (len(now) - 1))
        half = t_quantile(float(degrees), level) * float(np.sqrt(before + after))
        middle = float(np.mean(now) - np.mean(was))
    return settled(middle - half, middle + half, level, largest)
