"""How many runs of two methods until their order is seen: of means, and by a t test.

With errors that scatter as a normal distribution with standard deviation s does, means of n runs whose true difference
is d are in order with probability

    Phi(d / (s sqrt(2 / n))).

A t test at 95% says so when T = d' / (s' sqrt(2 / n)), with measured d' and s', is above t(0.975, 2n - 2), and T has
the noncentral t distribution with 2n - 2 degrees of freedom around d / (s sqrt(2 / n)). If runs with equal seeds are
compared, s is the standard deviation of their differences, with n - 1 degrees of freedom and s / sqrt(n) in place of
s sqrt(2 / n).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

MOST_SEEDS = 10_000


def in_order(n: int, difference: float, sd: float, *, paired: bool = False) -> float:
    """The probability that means of n runs have the sign of their true difference, for normal errors.

    difference: above 0. sd: of one row's runs, the same in both; ``paired``: of the differences by seed.
    ValueError for a difference below 0, an sd that is not above 0, or n below 1.
    """
    from scipy.special import ndtr

    return float(ndtr(_noncentrality(n, 1, difference, sd, paired)))


def power(n: int, difference: float, sd: float, *, paired: bool = False) -> float:
    """The probability that a two-sided t test at 95% on n runs each finds the difference, on its true side.

    As `in_order`; n is at least 2. Source: the noncentral t distribution.
    """
    from scipy.special import nctdtr, stdtrit  # scipy.stats takes more than a second to import

    noncentrality = _noncentrality(n, 2, difference, sd, paired)
    degrees = n - 1 if paired else 2 * (n - 1)
    # P(T > q) around d is P(T < -q) around -d; one less P(T < q) would lose digits, and is NaN in places.
    return float(nctdtr(degrees, -noncentrality, -stdtrit(degrees, 0.975)))


def _noncentrality(n: int, fewest: int, difference: float, sd: float, paired: bool) -> float:
    """The true difference in standard errors of the difference of two means of n runs."""
    if not (difference >= 0 and 0 < sd < math.inf and n >= fewest):
        raise ValueError(
            f"difference is {difference!r}, sd {sd!r} and n {n!r}; they must be 0 or above, above 0, at least {fewest}"
        )
    return difference / (sd * math.sqrt((1 if paired else 2) / n))


def seeds_needed(chance: Callable[[int], float], target: float, fewest: int) -> int | None:
    """The smallest n from ``fewest`` on with chance(n), which rises with n, at the target; None above 10,000."""
    if chance(MOST_SEEDS) < target:
        return None
    low, high = fewest - 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= target else (middle, high)
    return high


class Needed(NamedTuple):
    """Seeds of each row until its readers conclude right, None above 10,000.

    by_mean: means are in order with probability 95%. by_test: a t test at 95% says so with probability 80%.
    by_pairs: the same, runs with equal seeds paired.
    """

    by_mean: int | None
    by_test: int | None
    by_pairs: int | None

    @classmethod
    def of(cls, difference: float, sd: float, sd_paired: float) -> Needed:
        """For a true difference, one row's standard deviation, and that of the differences by seed."""
        return cls(
            seeds_needed(lambda n: in_order(n, difference, sd), 0.95, 1),
            seeds_needed(lambda n: power(n, difference, sd), 0.8, 2),
            seeds_needed(lambda n: power(n, difference, sd_paired, paired=True), 0.8, 2),
        )
