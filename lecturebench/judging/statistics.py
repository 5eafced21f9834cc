"""Statistics and verdicts: what was published against what was measured. Plain numbers in, judgements out.

Nothing here reads a disk or a clock; whatever resamples gets a generator passed in. Errors and losses are shares in
[0, 1] or any other unit, the same throughout one call; ``show`` turns a number of that unit into text.
The rules are those of DESIGN.md, section "Verdicts"; each docstring says what it adds to them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Verdict = Literal["reproduced", "better", "worse", "inconclusive", "not_run"]
Show = Callable[[float], str]

NAN = float("nan")
FEWEST_SEEDS = 3
# Ends of intervals are sums of rounded binary numbers: 0.127 - 0.0005 must not exclude a measured 0.1265.
SLACK = 1e-9


class Interval(NamedTuple):
    """Both ends belong to it."""

    low: float
    high: float


@dataclass(frozen=True)
class Judgement:
    """A verdict with its arithmetic. n: runs (or pairs of runs); mean, sd, low, high: NaN where undefined.

    For a number they describe the errors, for orders and equivalences the difference of mean losses, for a time to a
    target the win probability. ``reason`` is one sentence.

    over_seeds, over_examples: of an order or an equivalence, on this test set and on new examples too. pairs: of a
    chain, each neighbouring pair's. undecided: a published number so near an end that other seeds may move it across.
    seeds_needed: how many seeds would decide it at its spread; None where that is no question, or has no answer.
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
    undecided: bool = False
    seeds_needed: int | None = None


@dataclass(frozen=True, eq=False)
class Losses:
    """The losses of one method: (n_seeds, n_test), row i with the same seed as row i of what it is compared with.

    0/1 losses or real-valued ones; a single vector is one run. ``deterministic`` says that more seeds would give the
    same row again: one row is then enough, and equal rows become one. A method that is said to be deterministic and
    whose rows differ is treated as what it is. ValueError unless every loss is finite.
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


def not_run(reason: str) -> Judgement:
    """The judgement of a claim that nothing was measured for."""
    return Judgement("not_run", reason)


def judge_number(
    errors: Sequence[float],
    *,
    published: float,
    unit: float,
    deterministic: bool = False,
    higher_is_better: bool = False,
    show: Show = plain,
) -> Judgement:
    """Is ``published``, printed to ``unit`` (0.001 for "2.3%"), what another run of ours could have given?

    errors: one per seed. The interval is that for one new run, m ± t(0.975, n-1)·s·√(1+1/n), widened by half a unit;
    its ends belong to it. It is inconclusive when n < 3, or when t·s·√(1+1/n) exceeds a quarter of |published|: that
    half-width is taken before widening, because more seeds shrink it and rounding cannot turn it; so a coarser unit
    never changes `reproduced`. Runs of a deterministic method that all agree are one run with the interval ±unit/2.

    No errors: not_run. ValueError if a number is not finite or the unit is negative.
    """
    if not (math.isfinite(published) and math.isfinite(unit) and unit >= 0):
        raise ValueError(f"published is {published!r} printed to {unit!r}; both must be finite, the unit not negative")
    values = np.sort(np.asarray(errors, dtype=np.float64).ravel())
    if not values.size:
        return not_run("no run finished")
    if not np.isfinite(values).all():
        raise ValueError(f"errors are {list(errors)!r}; they must be finite: leave diverged runs out and say so")
    if deterministic and values[0] == values[-1]:
        return _place(values[:1], 0.0, published, unit, higher_is_better, show)

    n, limit = values.size, abs(published) / 4
    if n == 1:
        told = f"1 run is too few to judge {show(published)}; at least {FEWEST_SEEDS - 1} more seeds are needed"
        return Judgement("inconclusive", told, 1, float(values[0]))
    half_width = prediction_half_width(_sd(values), n)
    judged = _place(values, half_width, published, unit, higher_is_better, show)
    if n < FEWEST_SEEDS:
        cause = f"but {n} runs are too few"
    elif not half_width <= limit * (1 + SLACK):
        cause = f"but the half-width {show(half_width)} exceeds {show(limit)}, a quarter of {show(published)}"
    else:
        return judged
    told = f"{judged.reason}, {cause}; {_remedy(n, _sd(values), limit)}"
    return replace(judged, verdict="inconclusive", reason=told)


def prediction_half_width(sd: float, n: int) -> float:
    """Half the 95% prediction interval for one new run after n ≥ 2 runs: t(0.975, n-1)·sd·√(1+1/n)."""
    return _t_quantile(n - 1) * sd * math.sqrt(1 + 1 / n)


def paired_interval(
    a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, resamples: int = 2000, level: float = 0.95
) -> tuple[float, float, float]:
    """Mean of b - a with its bootstrap interval over seeds and examples: (mean, low, high).

    a, b: (n_seeds, n_test) losses, paired by row and column. A matrix of one row is a deterministic method and stands
    beside every row of the other. Each resample draws seeds and, independently, examples with replacement (the
    "pigeonhole bootstrap", Owen 2007). A few seeds drawn again scatter less than new seeds would, so each seed's mean
    is first moved away from the overall mean by the factor √(n/(n-1)) · t/z, which makes the seeds' part of the
    interval as wide as a t interval (the "expanded percentile interval", Hesterberg 2015). Measured where seeds alone
    scatter, nominal 95% with 3, 5, 10 seeds: 74.5%, 84.0%, 89.3% without it, 94.3%, 95.2%, 94.9% with it; where
    examples scatter too, 95.5% to 98.8% with it (4000 simulations each, as in tests/test_calibration.py). Swapping a
    and b mirrors the result, and the order of rows never changes it.
    """
    a, b = np.atleast_2d(np.asarray(a, dtype=np.float64)), np.atleast_2d(np.asarray(b, dtype=np.float64))
    differences = _differences(a, b)
    if not np.isfinite(differences).all():
        raise ValueError("losses must be finite; leave diverged runs out and say so")
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(f"level is {level!r} and resamples {resamples!r}; level must be in (0, 1), resamples above 0")
    # One sign and one order of rows stand for all, so that equal questions meet equal draws.
    total = math.fsum(differences.mean(axis=1))
    rows, mirrored = sorted(differences.tolist()), sorted((-differences).tolist())
    sign = 1 if (total, rows) >= (-total, mirrored) else -1
    means = _resampled_means(np.array(rows if sign > 0 else mirrored), rng, resamples, level)
    ends = sign * np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    # Equal losses may differ in their last bits; that must not move 0 out of the interval.
    ends[np.abs(ends) <= SLACK * max(np.abs(a).max(), np.abs(b).max())] = 0.0
    return total / len(rows), float(ends.min()), float(ends.max())


def judge_order(
    below: Losses, above: Losses, *, rng: np.random.Generator, show: Show = plain, resamples: int = 2000
) -> Judgement:
    """Is the mean loss of ``below`` under that of ``above``? Their paired interval must lie wholly above 0.

    Wholly below 0 it is `worse` (contradicted), else inconclusive; inconclusive too while a method that is not
    deterministic has fewer than 3 seeds.
    """
    judged = _pair(below, above, rng, show, resamples)
    if math.isnan(judged.low):
        return judged
    verdict: Verdict = "reproduced" if judged.low > 0 else "worse" if judged.high < 0 else "inconclusive"
    side = {"reproduced": "above 0", "worse": "below 0"}.get(verdict, "not clear of 0")
    return replace(judged, verdict=verdict, reason=f"{judged.reason}, {side}")


def judge_chain(
    methods: Sequence[Losses], *, rng: np.random.Generator, show: Show = plain, resamples: int = 2000
) -> Judgement:
    """Do the methods stand in increasing order of mean loss? Judges each neighbouring pair with `judge_order`.

    `worse` if any pair is, else inconclusive if any is, else reproduced. The reason tells every pair; the numbers are
    NaN unless there is a single pair. ValueError for fewer than two methods.
    """
    if len(methods) < 2:
        raise ValueError(f"an order of {len(methods)} methods; it needs at least two")
    pairs = [
        judge_order(below, above, rng=own, show=show, resamples=resamples)
        for below, above, own in zip(methods[:-1], methods[1:], rng.spawn(len(methods) - 1), strict=True)
    ]
    if len(pairs) == 1:
        return pairs[0]
    verdicts = [pair.verdict for pair in pairs]
    ranked: tuple[Verdict, ...] = ("worse", "inconclusive", "reproduced")
    verdict = next(name for name in ranked if name in verdicts)
    return Judgement(verdict, "; ".join(pair.reason for pair in pairs), min(pair.n for pair in pairs))


def judge_equivalence(
    a: Losses, b: Losses, *, delta: float, rng: np.random.Generator, show: Show = plain, resamples: int = 2000
) -> Judgement:
    """Are the mean losses of a and b within ``delta`` of each other? The whole paired interval must be.

    Wholly outside ±delta it is `worse` (contradicted), else inconclusive; inconclusive too while a method that is not
    deterministic has fewer than 3 seeds. ValueError unless delta is finite and above 0.
    """
    if not (math.isfinite(delta) and delta > 0):
        raise ValueError(f"delta is {delta!r}; it must be above 0: no two methods are exactly equal")
    judged = _pair(a, b, rng, show, resamples)
    if math.isnan(judged.low):
        return judged
    verdict: Verdict = "inconclusive"
    if max(-judged.low, judged.high) <= delta * (1 + SLACK):
        verdict = "reproduced"
    elif max(judged.low, -judged.high) > delta * (1 + SLACK):
        verdict = "worse"
    side = {"reproduced": "inside", "worse": "outside"}.get(verdict, "neither inside nor outside")
    return replace(judged, verdict=verdict, reason=f"{judged.reason}, {side} ±{show(delta)}")


def judge_minimum(
    path: Sequence[Losses], *, rng: np.random.Generator, show: Show = plain, resamples: int = 2000
) -> Judgement:
    """Is the mean loss lowest inside the path and not at one of its ends? One method inside must be below both ends.

    Any of the k inner methods may be the one, so each is compared at the level 1 - 0.05/k (Bonferroni), at which its
    paired intervals with both ends must lie wholly above 0: `reproduced`. `worse` if one end lies below every inner
    method, each at 95%: all must hold, so nothing is to correct. Else inconclusive. n: the fewest pairs of runs.
    ValueError for fewer than three methods.
    """
    if len(path) < 3:
        raise ValueError(f"a path of {len(path)} methods has no inside; it needs at least three")
    ends, inner = (path[0], path[-1]), path[1:-1]
    few = [side for side in path if not side.deterministic and len(side.rows) < FEWEST_SEEDS]
    n = min(len(side.rows) for side in path if not side.deterministic) if not all(s.deterministic for s in path) else 1
    best = min(path, key=lambda side: float(side.rows.mean()))
    told = f"lowest is {show(float(best.rows.mean()))} at {best.name}"
    if few:
        return Judgement("inconclusive", f"{told}, but {len(few[0].rows)} seeds of {few[0].name} are too few", n)
    # The quantile of a bootstrap needs draws beyond it.
    draws = max(resamples, 200 * len(inner))
    rngs = iter(rng.spawn(4 * len(inner)))
    level = 1 - 0.05 / len(inner)
    for middle in sorted(inner, key=lambda side: float(side.rows.mean())):
        gains = [paired_interval(middle.rows, end.rows, rng=next(rngs), resamples=draws, level=level) for end in ends]
        if all(low > 0 for _, low, _ in gains):
            listed = " and ".join(
                f"{show(mean)} in [{show(low)}, {show(high)}] below {end.name}"
                for end, (mean, low, high) in zip(ends, gains, strict=True)
            )
            return Judgement("reproduced", f"{told}; {middle.name} is {listed} at {level:.1%}", n)
    for end in ends:
        if all(paired_interval(middle.rows, end.rows, rng=next(rngs), resamples=resamples)[2] < 0 for middle in inner):
            return Judgement("worse", f"{told}; {end.name}, an end, lies below every method inside", n)
    return Judgement("inconclusive", f"{told}, but no method inside lies below both ends at {level:.1%}", n)


def judge_time_to_target(
    fast_steps: Sequence[float], slow_steps: Sequence[float], *, names: tuple[str, str] = ("fast", "slow")
) -> Judgement:
    """Does the first method need fewer steps? By the probability P(fast < slow) + ½P(tie) that its run wins.

    Steps until the target, one per seed; NaN or inf is a run that never got there: slower than all that did, and tied
    with its like. Its interval (`win_probability`) wholly above ½: reproduced, below: worse, else inconclusive;
    inconclusive too with fewer than 3 runs on a side. None: not_run. ValueError for negative steps.
    """
    fast, slow = (np.asarray(steps, dtype=np.float64).ravel() for steps in (fast_steps, slow_steps))
    if not fast.size or not slow.size:
        return not_run(f"no run of {names[0 if not fast.size else 1]} finished")
    fast, slow = np.where(np.isnan(fast), np.inf, fast), np.where(np.isnan(slow), np.inf, slow)
    if min(fast.min(), slow.min()) < 0:
        raise ValueError("steps must not be negative; a run that never got there is NaN or inf")
    wins, low, high = win_probability(fast, slow)
    n = min(fast.size, slow.size)
    lost = [f"{np.isinf(steps).sum()} of {steps.size}" for steps in (fast, slow)]
    told = f"{names[0]} beats {names[1]} in {wins:.0%} of pairs of runs ({' and '.join(lost)} never got there)"
    if n < FEWEST_SEEDS:
        return Judgement("inconclusive", f"{told}; {FEWEST_SEEDS} runs each are needed at least", n, wins)
    verdict: Verdict = "reproduced" if low > 0.5 else "worse" if high < 0.5 else "inconclusive"
    side = {"reproduced": "above", "worse": "below"}.get(verdict, "not clear of")
    return Judgement(verdict, f"{told}, interval [{low:.0%}, {high:.0%}], {side} 50%", n, wins, NAN, low, high)


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
    low = _win_probability_low(wins, first.size, second.size)
    return wins, low, 1 - _win_probability_low(1 - wins, first.size, second.size)


def judge_identity(deviation: float, *, tolerance: float, show: Show = plain) -> Judgement:
    """Is the largest absolute (or relative) deviation from a formula within its tolerance? Else `worse`.

    An infinite deviation is `worse`. ValueError for a negative or undefined deviation or tolerance.
    """
    if not (deviation >= 0 and 0 <= tolerance < math.inf):
        raise ValueError(f"deviation is {deviation!r}, tolerance {tolerance!r}; neither may be negative or undefined")
    holds = deviation <= tolerance
    told = f"largest deviation {show(deviation)} is {'within' if holds else 'above'} {show(tolerance)}"
    return Judgement("reproduced" if holds else "worse", told, 1, deviation)


def one_standard_error(values: Sequence[float], validation_errors: Sequence[Sequence[float]]) -> float:
    """The largest value whose mean validation error is within one standard error of the best (ISLP, sec. 6.1.3).

    validation_errors[i]: the k errors of values[i], one per seed. The standard error is s/√k of the best value's runs;
    of several equally good ones the largest is the best. A value with a run that is not finite, or with fewer runs
    than the others, is out. ValueError if none is left, or if k < 2.
    """
    if len(values) != len(validation_errors):
        raise ValueError(f"{len(values)} values with errors of {len(validation_errors)}; one list for each value")
    k = max((len(errors) for errors in validation_errors), default=0)
    if k < 2:
        raise ValueError(f"{k} runs for each value; a standard error needs at least two")
    whole = {
        float(value): np.sort(np.asarray(errors, dtype=np.float64))
        for value, errors in zip(values, validation_errors, strict=True)
        if len(errors) == k and np.isfinite(np.asarray(errors, dtype=np.float64)).all()
    }
    if not whole:
        raise ValueError("no value has all its runs; there is nothing to choose from")
    means = {value: float(errors.mean()) for value, errors in whole.items()}
    lowest = min(means.values())
    best = max(value for value in means if means[value] <= lowest + SLACK * abs(lowest))
    limit = lowest + _sd(whole[best]) / math.sqrt(k)
    return max(value for value in means if means[value] <= limit + SLACK * abs(limit))


def sampling_interval(mean: float, n_test: int) -> float:
    """Half the 95% interval that the test set's own sampling gives an error share: 1.96·√(m(1-m)/n_test).

    Shown beside the results and used by no verdict: published and measured share the test set.
    """
    if not 0 <= mean <= 1 or n_test < 1:
        raise ValueError(f"mean is {mean!r} on {n_test!r} examples; it must be a share in [0, 1], on at least one")
    return 1.96 * math.sqrt(mean * (1 - mean) / n_test)


def _place(
    values: Array, half_width: float, published: float, unit: float, higher_is_better: bool, show: Show
) -> Judgement:
    """The verdict from where the published number stands to the interval, whatever that interval is worth."""
    mean = _mean(values)
    low, high = mean - half_width - unit / 2, mean + half_width + unit / 2
    sd = _sd(values) if len(values) > 1 else NAN
    slack = SLACK * max(abs(low), abs(high), abs(published))
    verdict: Verdict
    if published > high + slack:
        verdict, side = "worse" if higher_is_better else "better", "above"
    elif published < low - slack:
        verdict, side = "better" if higher_is_better else "worse", "below"
    else:
        verdict, side = "reproduced", "in"
    return Judgement(
        verdict, f"{show(published)} lies {side} [{show(low)}, {show(high)}]", len(values), mean, sd, low, high
    )


def _remedy(n: int, sd: float, limit: float) -> str:
    """How many more seeds would make the interval narrow enough, if the spread stays as it is."""
    most = 10_000
    enough = bisect_left(
        range(most + 1), True, lo=FEWEST_SEEDS, key=lambda n: prediction_half_width(sd, n) <= limit * (1 + SLACK)
    )
    if enough > most:
        return f"at this spread not even {most:,} seeds would settle it"
    more = enough - n
    return f"{more} more {'seed' if more == 1 else 'seeds'} would settle it at this spread"


def _pair(a: Losses, b: Losses, rng: np.random.Generator, show: Show, resamples: int) -> Judgement:
    """The interval of b - a, its verdict still open; low and high are NaN where there are too few seeds for one."""
    seed_means = np.sort(_differences(a.rows, b.rows).mean(axis=1))
    n, mean, sd = seed_means.size, _mean(seed_means), _sd(seed_means) if seed_means.size > 1 else NAN
    told = f"{b.name} minus {a.name} is {show(mean)}"
    for side in (a, b):
        if not side.deterministic and len(side.rows) < FEWEST_SEEDS:
            count = f"{len(side.rows)} {'seed' if len(side.rows) == 1 else 'seeds'} of {side.name}"
            return Judgement("inconclusive", f"{told}, but {count} are too few: it takes {FEWEST_SEEDS}", n, mean, sd)
    mean, low, high = paired_interval(a.rows, b.rows, rng=rng, resamples=resamples)
    told = f"{b.name} minus {a.name} is {show(mean)} in [{show(low)}, {show(high)}]"
    return Judgement("inconclusive", told, n, mean, sd, low, high)


def _differences(a: Array, b: Array) -> Array:
    """b - a, (n_seeds, n_test), with a single row repeated; ValueError where they cannot be paired."""
    if a.shape[1] != b.shape[1] or (a.shape[0] != b.shape[0] and 1 not in (a.shape[0], b.shape[0])):
        raise ValueError(f"losses of shapes {a.shape} and {b.shape} cannot be paired by seed and example")
    return b - a


def _resampled_means(rows: Array, rng: np.random.Generator, resamples: int, level: float) -> Array:
    """Means of ``rows`` (n_seeds, n_test) after drawing seeds and examples anew, seeds spread out; (resamples,).

    Examples that are alike in every seed are interchangeable, so where there are few kinds only how many of each are
    drawn matters: a multinomial number. It is the same distribution as drawing them one by one, and much faster: five
    seeds of two classifiers have at most 3^5 kinds, however many examples there are.
    """
    n_seeds, n_test = rows.shape
    seed_means = rows.mean(axis=1)
    shifts = (_seed_inflation(n_seeds, level) - 1) * (seed_means - seed_means.mean())
    kinds, counts = np.unique(rows, axis=1, return_counts=True)
    weights = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=resamples) / n_seeds
    means: Array = weights @ shifts
    few = len(counts) < n_test / 8
    chunk = max(1, 1_000_000 // (len(counts) if few else n_test))  # bounds the memory: arrays of a million numbers
    for start in range(0, resamples, chunk):
        drawn_seeds = weights[start : start + chunk]
        if few:
            drawn = rng.multinomial(n_test, counts / n_test, size=len(drawn_seeds))
            means[start : start + chunk] += np.einsum("ij,ij->i", drawn_seeds @ kinds, drawn) / n_test
        else:
            examples = rng.integers(n_test, size=(len(drawn_seeds), n_test))
            means[start : start + chunk] += np.take_along_axis(drawn_seeds @ rows, examples, axis=1).mean(axis=1)
    return means


def _seed_inflation(n: int, level: float) -> float:
    """What makes the scatter of n resampled seeds as wide as a t interval: √(n/(n-1))·t(n-1)/z; 1 for one row."""
    from scipy.special import ndtri

    if n == 1:
        return 1.0
    return math.sqrt(n / (n - 1)) * _t_quantile(n - 1, level) / float(ndtri((1 + level) / 2))


def _win_probability_low(wins: float, n_fast: int, n_slow: int) -> float:
    """The lower end for a win probability: where wins - p = t·√V(p), V as for exponential times (Newcombe 2006)."""
    t = _t_quantile(n_fast + n_slow - 2)
    more = (n_fast + n_slow) / 2 - 1
    low, high = 0.0, wins
    for _ in range(60):
        p = (low + high) / 2
        variance = p * (1 - p) * (1 + more * ((1 - p) / (2 - p) + p / (1 + p))) / (n_fast * n_slow)
        low, high = (low, p) if wins - p < t * math.sqrt(variance) else (p, high)
    return low


def _t_quantile(degrees: int, level: float = 0.95) -> float:
    """The quantile of Student's t that leaves (1-level)/2 above it."""
    from scipy.special import stdtrit  # scipy.stats takes more than a second to import

    return float(stdtrit(degrees, (1 + level) / 2))


def _mean(values: Array) -> float:
    """The mean of sorted values; of equal ones exactly their value."""
    return float(values[0] if values[0] == values[-1] else values.mean())


def _sd(values: Array) -> float:
    """The standard deviation (n-1) of sorted values; of equal ones exactly 0."""
    return 0.0 if values[0] == values[-1] else float(values.std(ddof=1))
