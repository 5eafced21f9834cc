"""Which differences noise explains: intervals against SciPy's tests, several of them against Holm's own procedure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lecturebench.judging.noise import Difference, paired, together, welch
from lecturebench.judging.statistics import ALPHA, Interval


def losses(rng, error, n_seeds=5, n_test=400):
    hard = rng.random(n_test)
    return (hard + 0.05 * rng.standard_normal((n_seeds, n_test)) < error).astype(float)


def of_p(p, sign=1):
    """A difference that a two-sided z test gives that p-value."""
    z = sign * stats.norm.isf(p / 2)

    def interval(level):
        half_width = stats.norm.ppf((1 + level) / 2)
        return Interval(z - half_width, z + half_width, level)

    return Difference(z, (), "a z test", interval)


def holm(ps):
    """Which hypotheses Holm's step-down procedure rejects, as the paper states it."""
    rejected = set()
    for step, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        if ps[i] > ALPHA / (len(ps) - step):
            break
        rejected.add(i)
    return rejected


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=12))
def test_together_finds_what_holms_procedure_rejects(ps):
    near = [p * k / ALPHA for p in ps for k in range(1, len(ps) + 1)]
    if any(abs(ratio - 1) < 1e-6 for ratio in near):
        return  # at a threshold, rounding decides
    intervals = together([of_p(p, sign=(-1) ** i) for i, p in enumerate(ps)])
    assert {i for i, pair in enumerate(intervals) if pair.together.clear} == holm(ps)


def test_together_asks_again_only_what_is_clear_alone():
    levels = {}

    def counting(name, p):
        difference = of_p(p)

        def interval(level):
            levels.setdefault(name, []).append(round(level, 6))
            return difference.interval(level)

        return Difference(difference.value, (), "", interval)

    intervals = together([counting("clear", 1e-9), counting("close", 0.03), counting("noise", 0.5)])
    assert levels == {"clear": [0.95, 0.983333], "close": [0.95, 0.983333, 0.975], "noise": [0.95]}
    assert [pair.together.clear for pair in intervals] == [True, False, False]
    assert [pair.alone.clear for pair in intervals] == [True, True, False]
    assert intervals[2].together is intervals[2].alone


def test_a_single_difference_is_judged_at_95_percent():
    (judged,) = together([of_p(0.049)])
    assert judged.together.clear
    assert judged.together == judged.alone
    assert together([]) == []


def test_the_chance_that_noise_looks_worse_or_better_is_held():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(150):
        noise = [paired(np.zeros((3, 2)), np.repeat(rng.standard_normal((3, 1)), 2, axis=1)) for _ in range(4)]
        alarms += any(pair.together.clear for pair in together(noise))
    assert alarms <= stats.binom.ppf(0.999, 150, ALPHA)


@pytest.mark.parametrize("level", [0.95, 0.99, 1 - 0.05 / 60])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_paired_interval_is_nowhere_narrower_than_the_t_interval_over_seeds(level, n_seeds):
    rng = np.random.default_rng(n_seeds)
    shifts = rng.normal(0.3, 1, (n_seeds, 1))
    interval = paired(np.zeros((n_seeds, 4)), np.repeat(shifts, 4, axis=1)).interval(level)
    t = stats.ttest_1samp(shifts[:, 0], 0).confidence_interval(level)
    assert interval.low <= t.low + 1e-9 * abs(t.low)
    assert interval.high >= t.high - 1e-9 * abs(t.high)
    assert interval.high - interval.low < 1.6 * (t.high - t.low)


def test_one_row_each_is_resampled_over_examples():
    rng = np.random.default_rng(2)
    was, now = losses(rng, 0.1, 1, 2000), losses(rng, 0.2, 1, 2000)
    difference = paired(was, now)
    difference_by_example = (now - was)[0]
    half_width = 1.96 * difference_by_example.std() / math.sqrt(2000)
    interval = difference.interval(0.95)
    assert difference.value == pytest.approx(difference_by_example.mean())
    assert interval.low == pytest.approx(difference.value - half_width, rel=0.1)
    assert interval.high == pytest.approx(difference.value + half_width, rel=0.1)
    assert difference.about == "2,000 test examples"


def test_intervals_of_exchanged_sides_mirror_each_other():
    rng = np.random.default_rng(3)
    was, now = losses(rng, 0.1), losses(rng, 0.13)
    for forth, back in (
        (paired(was, now), paired(now, was)),
        (welch(was.mean(1), now.mean(1)), welch(now.mean(1), was.mean(1))),
    ):
        interval, mirrored = forth.interval(0.99), back.interval(0.99)
        assert (interval.low, interval.high) == pytest.approx((-mirrored.high, -mirrored.low))
        assert forth.value == pytest.approx(-back.value)


def test_higher_levels_give_wider_intervals_down_to_the_rarest_draws():
    rng = np.random.default_rng(4)
    difference = paired(losses(rng, 0.1, 1, 3000), losses(rng, 0.1, 1, 3000))
    widths = [interval.high - interval.low for interval in map(difference.interval, (0.95, 0.99, 0.999, 0.9999))]
    z = stats.norm.ppf([0.975, 0.995, 0.9995, 0.99995])
    assert widths == pytest.approx(widths[0] * z / z[0], rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_welch_interval_touches_0_at_the_level_of_its_p_value(seed):
    rng = np.random.default_rng(seed)
    was, now = rng.normal(0, 1, 3 + seed), rng.normal(2, 3, 5)
    p = stats.ttest_ind(now, was, equal_var=False).pvalue
    difference = welch(was.tolist(), now.tolist())
    assert difference.value == pytest.approx(now.mean() - was.mean())
    assert not difference.interval(1 - 0.9 * p).clear
    assert difference.interval(1 - min(1.1 * p, 0.999)).clear
    expected = stats.ttest_ind(now, was, equal_var=False).confidence_interval(0.99)
    interval = difference.interval(0.99)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_welch_of_runs_that_agree_is_a_point_and_of_huge_ones_nothing():
    assert welch([0.5] * 3, [0.5] * 3).interval(0.95) == Interval(0.0, 0.0, 0.95)
    assert welch([0.1 + 0.2] * 3, [0.3] * 3).interval(0.95) == Interval(0.0, 0.0, 0.95), "rounding is no difference"
    assert welch([0.5] * 3, [0.75] * 3).interval(0.95) == Interval(0.25, 0.25, 0.95)
    assert not welch([1e200, 2e200, 3e200], [1.0, 2.0, 3.0]).interval(0.95).clear
