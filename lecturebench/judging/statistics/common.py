"""What all rules share: the judgement they give, the losses they take, levels, and the t quantile."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Verdict = Literal["reproduced", "better", "worse", "inconclusive", "not_run"]
About = Literal["table", "statement"]
Show = Callable[[float], str]

NAN = float("nan")
# How often an interval misses, and its level.
ALPHA = 0.05
LEVEL = 1 - ALPHA
# Effects may be looked at so often (after 3, 6, 12 and 20 seeds, or 5, 10 and 20), each time at LOOKED_LEVEL: whichever
# look decides, a wrong decision is made in 5% at most (Bonferroni). 1 - ALPHA/3 is enough for three looks; four decided
# wrongly in 5.2% of 20,000 simulations. `lecturebench.judging.design` has what they say of this level.
MOST_LOOKS = 4
LOOKED_LEVEL = 1 - ALPHA / MOST_LOOKS
FEWEST_SEEDS = 3
FEWEST_RACES = 5
# Where the doubling of seeds ends, and beyond which no number of seeds is named.
MOST_SEEDS = 20
MOST_NAMED = 10_000
# Every effect is judged with a generator of its own from this seed: a verdict depends on nothing else in the store.
BOOTSTRAP_SEED = 2023
# Ends of intervals are sums of rounded binary numbers: 0.127 - 0.0005 must not exclude a measured 0.1265.
SLACK = 1e-9
# Up to which a number computed anew from what is kept is the recorded one, relative to it.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Interval:
    """An interval at a level; NaN where there is none. Noise does not explain a difference whose one is ``clear``."""

    low: float
    high: float
    level: float = LEVEL

    @property
    def clear(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Judgement:
    """A verdict with its arithmetic. n: runs (or pairs of runs); mean, sd, low, high: NaN where undefined.

    For a number they describe the errors, for orders and equivalences the difference of mean losses, for a time to a
    target the ratio of steps (sd: of its logarithm). low and high decided. ``reason`` is one sentence.

    over_seeds, over_examples: of orders and equivalences, the interval on this test set, and that on new examples too;
    None where there is none. pairs: of an order of three or more, each neighbouring pair, whose ``names`` are told.
    undecided: the end of a number's interval lies within its own standard error of the published value, so that more
    seeds may well turn the verdict. firm: that of an effect also holds at the level of rules that look several times.
    seeds_needed: how many seeds in all would settle an inconclusive verdict if mean and spread stay as they are; None
    where it is settled, or where no number of seeds (up to 10,000) would.
    """

    verdict: Verdict
    reason: str
    n: int = 0
    mean: float = NAN
    sd: float = NAN
    low: float = NAN
    high: float = NAN
    over_seeds: Interval | None = None
    over_examples: Interval | None = None
    pairs: tuple[Judgement, ...] = ()
    names: tuple[str, ...] = ()
    undecided: bool = False
    firm: bool = True
    seeds_needed: int | None = None


@dataclass(frozen=True, eq=False)
class Losses:
    """The losses of one method: (n_seeds, n_test), row i with the same seed as row i of what it is compared with.

    0/1 losses or real-valued ones; a single vector is one run. A metric that is no mean over examples has one column.
    ``deterministic`` says that more seeds would give the same row again: one row is then enough, and equal rows become
    one. A method that is said to be deterministic and whose rows differ is treated as what it is. ValueError unless
    every loss is finite.
    """

    name: str
    values: ArrayLike
    deterministic: bool = False
    rows: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = np.atleast_2d(np.asarray(self.values, dtype=np.float64))
        if rows.ndim != 2 or not rows.size:
            raise ValueError(f"losses of {self.name!r} have shape {rows.shape}; they must be (n_seeds, n_test)")
        if not np.isfinite(rows).all():
            raise ValueError(f"losses of {self.name!r} are not all finite; leave diverged runs out and say so")
        same = bool((rows == rows[0]).all())
        object.__setattr__(self, "deterministic", self.deterministic and same)
        object.__setattr__(self, "rows", rows[:1] if self.deterministic else rows)


def plain(value: float) -> str:
    """A number to four digits; the ``show`` of callers that give none."""
    return f"{value:.4g}"


def counted(n: int, noun: str) -> str:
    """ "1 seed", "2 seeds" """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def not_run(reason: str) -> Judgement:
    """The judgement of a claim that nothing was measured for."""
    return Judgement("not_run", reason)


def t_quantile(degrees: float, level: float = LEVEL) -> float:
    """The quantile of Student's t that leaves (1-level)/2 above it."""
    from scipy.special import stdtrit  # scipy.stats takes more than a second to import

    return float(stdtrit(degrees, (1 + level) / 2))


def z_quantile(level: float) -> float:
    """The quantile of the normal distribution that leaves (1-level)/2 above it."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def mean_of(values: Sequence[float] | Array) -> float:
    """The mean, whatever the order of the values; of equal ones exactly their value."""
    listed = list(map(float, values))
    return listed[0] if min(listed) == max(listed) else _sum(listed) / len(listed)


def sd_of(values: Sequence[float] | Array) -> float:
    """The standard deviation (n-1), whatever the order of the values; of equal ones exactly 0; NaN for a single one."""
    listed = list(map(float, values))
    if len(listed) < 2:
        return NAN
    mean = mean_of(listed)
    return (
        0.0
        if min(listed) == max(listed)
        else math.sqrt(_sum([(x - mean) * (x - mean) for x in listed]) / (len(listed) - 1))
    )


def _sum(values: list[float]) -> float:
    """The sum without rounding on the way; infinite where it is too large."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf
