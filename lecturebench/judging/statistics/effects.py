"""Orders, equivalences and minima: differences of mean losses, paired by seed and example.

Each difference has two intervals: over seeds alone, which says what new seeds would give on this test set, and over
seeds and examples, which says it of new examples too. ``about`` says which decides: the first for a claim about a
printed "table", whose differences are on its test set, the second for a "statement" that holds anywhere. Where a metric
is no mean over examples there is only the first, and it decides both.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lecturebench.judging.statistics.common import (
    FEWEST_SEEDS,
    LEVEL,
    LOOKED_LEVEL,
    MOST_NAMED,
    SLACK,
    About,
    Judgement,
    Losses,
    Show,
    Verdict,
    counted,
    mean_of,
    plain,
    sd_of,
    t_quantile,
    z_quantile,
)
from lecturebench.judging.statistics.numbers import remedy
from lecturebench.judging.statistics.resampling import (
    Scatter,
    differences,
    interval_over_examples,
    interval_over_seeds,
    scatter_of,
)


def judge_order(
    below: Losses,
    above: Losses,
    *,
    rng: np.random.Generator,
    about: About = "statement",
    level: float = LEVEL,
    show: Show = plain,
    resamples: int = 2000,
    planned: int = 0,
) -> Judgement:
    """Is the mean loss of ``below`` under that of ``above``? Their paired interval must lie wholly above 0.

    Wholly below 0 it is `worse` (contradicted), else inconclusive; inconclusive too while a method that is not
    deterministic has fewer than 3 seeds. A table's order of two deterministic methods is decided by its sign. planned:
    up to how many seeds another look is the first one, of which `seeds_to_decide` takes account.
    """
    judgement = _pair(below, above, rng, about, level, show, resamples)
    if math.isnan(judgement.low):
        return judgement
    verdict: Verdict = "reproduced" if judgement.low > 0 else "worse" if judgement.high < 0 else "inconclusive"
    side = {"reproduced": "above 0", "worse": "below 0"}.get(verdict, "not clear of 0")
    judgement = replace(judgement, verdict=verdict, reason=f"{judgement.reason}, {side}")
    return _with_seeds_needed(judgement, abs(judgement.mean), below, above, about, planned)


def judge_chain(
    methods: Sequence[Losses],
    *,
    rng: np.random.Generator,
    about: About = "statement",
    level: float = LEVEL,
    show: Show = plain,
    resamples: int = 2000,
    planned: int = 0,
) -> Judgement:
    """Do the methods stand in increasing order of mean loss? Judges each neighbouring pair with `judge_order`.

    `worse` if any pair is, else inconclusive if any is, else reproduced. ``pairs`` and the reason tell every pair; the
    numbers are NaN unless there is a single pair. ValueError for fewer than two methods.
    """
    if len(methods) < 2:
        raise ValueError(f"an order of {len(methods)} methods; it needs at least two")
    pairs = [
        judge_order(below, above, rng=own, about=about, level=level, show=show, resamples=resamples, planned=planned)
        for (below, above), own in zip(itertools.pairwise(methods), rng.spawn(len(methods) - 1), strict=True)
    ]
    if len(pairs) == 1:
        return pairs[0]
    verdicts = [pair.verdict for pair in pairs]
    ranked: tuple[Verdict, ...] = ("worse", "inconclusive", "reproduced")
    verdict = next(name for name in ranked if name in verdicts)
    open_pairs = [pair.seeds_needed for pair in pairs if pair.verdict == "inconclusive"]
    counts = [needed for needed in open_pairs if needed is not None]
    return Judgement(
        verdict,
        "; ".join(pair.reason for pair in pairs),
        min(pair.n for pair in pairs),
        pairs=tuple(pairs),
        names=tuple(method.name for method in methods),
        seeds_needed=max(counts) if verdict == "inconclusive" and len(counts) == len(open_pairs) else None,
    )


def judge_equivalence(
    a: Losses,
    b: Losses,
    *,
    delta: float,
    rng: np.random.Generator,
    about: About = "statement",
    level: float = LEVEL,
    show: Show = plain,
    resamples: int = 2000,
    planned: int = 0,
) -> Judgement:
    """Are the mean losses of a and b within ``delta`` of each other? The whole paired interval must be.

    Wholly outside ±delta it is `worse` (contradicted), else inconclusive; inconclusive too while a method that is not
    deterministic has fewer than 3 seeds. ValueError unless delta is finite and above 0. A delta that equals a published
    difference would put its exact reproduction on the border, where nothing can be decided.
    """
    if not (math.isfinite(delta) and delta > 0):
        raise ValueError(f"delta is {delta!r}; it must be above 0: no two methods are exactly equal")
    judgement = _pair(a, b, rng, about, level, show, resamples)
    if math.isnan(judgement.low):
        return judgement
    verdict: Verdict = "inconclusive"
    if max(-judgement.low, judgement.high) <= delta * (1 + SLACK):
        verdict = "reproduced"
    elif max(judgement.low, -judgement.high) > delta * (1 + SLACK):
        verdict = "worse"
    side = {"reproduced": "inside", "worse": "outside"}.get(verdict, "neither inside nor outside")
    judgement = replace(judgement, verdict=verdict, reason=f"{judgement.reason}, {side} ±{show(delta)}")
    return _with_seeds_needed(judgement, abs(delta - abs(judgement.mean)), a, b, about, planned)


def judge_minimum(
    path: Sequence[Losses],
    *,
    rng: np.random.Generator,
    level: float = LEVEL,
    show: Show = plain,
    resamples: int = 2000,
    higher_is_better: bool = False,
    planned: int = 0,
) -> Judgement:
    """Is the mean loss lowest inside the path and not at one of its ends? One method inside must be below both ends.

    Any of the k inner methods may be the one, so each is compared at the level 1 - (1-level)/k (Bonferroni), at which
    its paired intervals with both ends must lie wholly above 0: `reproduced`. `worse` if one end lies below every inner
    method, each at ``level``: all must hold, so nothing is to correct. Else inconclusive. The intervals are those over
    seeds and examples, where there are examples. n: the fewest pairs of runs. Where higher is better it is the highest,
    above both ends. ValueError for fewer than three methods.
    """
    if higher_is_better:
        path = [Losses(side.name, -side.rows, side.deterministic) for side in path]
    lowest, below, sign = ("highest", "above", -1) if higher_is_better else ("lowest", "below", 1)
    if len(path) < 3:
        raise ValueError(f"a path of {len(path)} methods has no inside; it needs at least three")
    ends, inner = (path[0], path[-1]), path[1:-1]
    drawn = [side for side in path if not side.deterministic]
    n = min((len(side.rows) for side in drawn), default=1)
    means = [float(side.rows.mean()) for side in path]
    least = min(means)
    best = [side.name for side, mean in zip(path, means, strict=True) if mean - least <= SLACK * abs(least)]
    reason = f"{lowest} is {show(sign * least)} at {' and '.join(best)}"
    names = tuple(side.name for side in path)
    if drawn and n < FEWEST_SEEDS:
        few = next(side for side in drawn if len(side.rows) == n)
        reason = f"{reason}, but {counted(n, 'seed')} of {few.name} are too few"
        return Judgement("inconclusive", reason, n, names=names, seeds_needed=FEWEST_SEEDS)
    rngs = iter(rng.spawn(4 * len(inner)))
    corrected = 1 - (1 - level) / len(inner)

    def gain(lower: Losses, upper: Losses, at: float) -> Judgement:
        # The quantile of a bootstrap needs draws beyond it.
        draws = max(resamples, 200 * len(inner)) if at > level else resamples
        return _pair(lower, upper, next(rngs), "statement", at, show, draws)

    for middle in sorted(inner, key=lambda side: float(side.rows.mean())):
        gains = [gain(middle, end, corrected) for end in ends]
        if all(judgement.low > 0 for judgement in gains):
            listed = " and ".join(
                f"{show(judgement.mean)} in [{show(judgement.low)}, {show(judgement.high)}] {below} {end.name}"
                for end, judgement in zip(ends, gains, strict=True)
            )
            return Judgement("reproduced", f"{reason}; {middle.name} is {listed} at {corrected:.1%}", n, names=names)
    for end in ends:
        if all(gain(end, middle, level).low > 0 for middle in inner):
            reason = f"{reason}; {end.name}, an end, lies {below} every method inside"
            return Judgement("worse", reason, n, names=names)
    outlook, needed = _outlook(n, _ways_to_a_minimum(path), planned) if drawn else (_NONE_DRAWN, None)
    reason = f"{reason}, but no method inside lies {below} both ends at {corrected:.1%}; {outlook}"
    return Judgement("inconclusive", reason, n, names=names, seeds_needed=needed)


def seeds_to_decide(n: int, distance: float, scatter: Scatter, *, planned: int = 0, methods: int = 1) -> int | None:
    """How many seeds in all bring the half-width √((t·seeds/√n)² + (z·examples)²) under ``distance``; None if none do.

    More than n, if mean and scatter stay as they are. Up to ``planned`` seeds it is judged at LEVEL, beyond at
    LOOKED_LEVEL, since somebody looked before. methods: how many there are any of which may be the one (Bonferroni).
    """

    def decides(count: int) -> bool:
        level = _level_at(count, planned, methods)
        seeds = t_quantile(count - 1, level) * scatter.seeds / math.sqrt(count)
        return math.hypot(seeds, z_quantile(level) * scatter.examples) < distance

    first = max(FEWEST_SEEDS, n + 1)
    early = next(filter(decides, range(first, planned + 1)), None)
    if early is not None:
        return early
    enough = bisect_left(range(MOST_NAMED + 1), True, lo=max(first, planned + 1), key=decides)
    return enough if enough <= MOST_NAMED else None


def _level_at(count: int, planned: int, methods: int) -> float:
    return 1 - (1 - (LEVEL if count <= planned else LOOKED_LEVEL)) / methods


def _pair(
    a: Losses, b: Losses, rng: np.random.Generator, about: About, level: float, show: Show, resamples: int
) -> Judgement:
    """The intervals of b - a, the verdict still open; low and high are NaN where there are too few seeds for one."""
    by_seed = differences(a.rows, b.rows).mean(axis=1)
    n, mean, sd = by_seed.size, mean_of(by_seed), sd_of(by_seed)
    names = (a.name, b.name)
    reason = f"{b.name} minus {a.name} is {show(mean)}"
    for side in (a, b):
        if not side.deterministic and len(side.rows) < FEWEST_SEEDS:
            count = f"{counted(len(side.rows), 'seed')} of {side.name}"
            reason = f"{reason}, but {count} are too few: it takes {FEWEST_SEEDS}"
            return Judgement("inconclusive", reason, n, mean, sd, names=names, seeds_needed=FEWEST_SEEDS)
    over_seeds = interval_over_seeds(a.rows, b.rows, level=level)
    over_examples = None
    if a.rows.shape[1] > 1:
        over_examples = interval_over_examples(a.rows, b.rows, rng=rng, resamples=resamples, level=level)
    decides = over_examples if about == "statement" and over_examples is not None else over_seeds
    reason = f"{reason} in [{show(decides.low)}, {show(decides.high)}] {_over(decides is over_examples, a, b, about)}"
    return Judgement(
        "inconclusive",
        reason,
        n,
        mean,
        sd,
        decides.low,
        decides.high,
        over_seeds=over_seeds,
        over_examples=over_examples,
        names=names,
    )


def _over(examples: bool, a: Losses, b: Losses, about: About) -> str:
    """What the deciding interval is over, in words."""
    drawn = not (a.deterministic and b.deterministic)
    if examples:
        return "over seeds and examples" if drawn else "over examples"
    if about == "statement":
        return "over seeds alone, since its metric is no mean over examples" if drawn else "exactly"
    return "over seeds on this test set" if drawn else "exactly on this test set"


_NONE_DRAWN = "more seeds change nothing, no method draws any"


def _with_seeds_needed(
    judgement: Judgement, distance: float, a: Losses, b: Losses, about: About, planned: int
) -> Judgement:
    """An inconclusive judgement with how many seeds would bring the deciding half-width under ``distance``."""
    if judgement.verdict != "inconclusive":
        return judgement
    if math.isnan(judgement.sd):
        return replace(judgement, reason=f"{judgement.reason}; {_NONE_DRAWN}")
    scatter = scatter_of(differences(a.rows, b.rows)) if about == "statement" else Scatter(judgement.sd, 0.0)
    outlook, needed = _outlook(judgement.n, [Way(((distance, scatter),))], planned)
    return replace(judgement, reason=f"{judgement.reason}; {outlook}", seeds_needed=needed)


class Way(NamedTuple):
    """Differences that must all be decided, each with its distance from a border and its scatter. methods: how many
    there are any of which may be the one."""

    pairs: Sequence[tuple[float, Scatter]]
    methods: int = 1

    def seeds(self, n: int, planned: int) -> int | None:
        """How many seeds decide them all; None where none do."""
        counts = [
            seeds_to_decide(n, distance, scatter, planned=planned, methods=self.methods)
            for distance, scatter in self.pairs
        ]
        known = [count for count in counts if count is not None]
        return max(known) if len(known) == len(counts) else None

    def takes_more_examples(self) -> bool:
        """Whether a difference is within what the test set's size leaves open, whatever the seeds."""
        z = z_quantile(_level_at(MOST_NAMED, 0, self.methods))
        return any(z * scatter.examples >= distance > 0 for distance, scatter in self.pairs)


def _outlook(n: int, ways: Sequence[Way], planned: int) -> tuple[str, int | None]:
    """What would decide one of the ways, in words, and how many seeds, None where none would."""
    counts = [way.seeds(n, planned) for way in ways]
    needed = min((count for count in counts if count is not None), default=None)
    if needed is None and ways and all(way.takes_more_examples() for way in ways):
        return "at this difference no number of seeds would settle it, on new examples it takes a larger test set", None
    return remedy(n, needed), needed


def _ways_to_a_minimum(path: Sequence[Losses]) -> list[Way]:
    """Each inner method that is below both ends as they are, against these; each end below all inside, against all."""
    ends, inner = [path[0], path[-1]], list(path[1:-1])
    ways = []
    for low, others, methods in [*((each, ends, len(inner)) for each in inner), *((end, inner, 1) for end in ends)]:
        apart = [differences(low.rows, other.rows) for other in others]
        if all(difference.mean() > 0 for difference in apart):
            pairs = tuple((float(difference.mean()), scatter_of(difference)) for difference in apart)
            ways.append(Way(pairs, methods))
    return ways
