"""Times to a target: races by pairs of seeds, runs that never arrive, and the win probability."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.judging.statistics import (
    judge_time_to_target,
)
from lecturebench.judging.statistics.effects import seeds_to_decide
from lecturebench.judging.statistics.races import win_probability_low
from lecturebench.judging.statistics.resampling import Scatter
from tests.judging.cases import (
    OPPOSITE,
)


def test_time_to_target_is_the_t_interval_of_the_log_ratio_of_each_seed() -> None:
    fast, slow = [100, 120, 90, 110, 100], [200, 300, 150, 240, 210]
    judged = judge_time_to_target(fast, slow, names=("momentum", "plain"))
    ratios = np.log(np.array(slow) / fast)
    expected = np.exp(scipy.stats.t.interval(0.95, 4, ratios.mean(), scipy.stats.sem(ratios)))
    assert judged.verdict == "reproduced"
    assert [judged.low, judged.high] == pytest.approx(expected)
    assert judged.mean == pytest.approx(np.exp(ratios.mean()))
    assert judged.reason.startswith("plain needs 2.07 times the steps of momentum, in [")
    assert judge_time_to_target(slow, fast).verdict == "worse"


def test_runs_are_paired_by_seed() -> None:
    # Every seed is twice as slow, and seeds differ a hundredfold: pairs tell, sides do not.
    fast = [1.0, 3.0, 10.0, 30.0, 100.0]
    slow = [2.0, 6.1, 20.0, 59.0, 200.0]
    assert judge_time_to_target(fast, slow).verdict == "reproduced"
    assert judge_time_to_target(fast, slow[::-1]).verdict == "inconclusive"


def test_censored_runs_are_slower_than_all_that_arrived_and_tie_with_each_other() -> None:
    never = [math.nan, math.inf, math.nan, math.inf, math.nan]
    there = [10.0, 12.0, 11.0, 10.0, 13.0]
    assert judge_time_to_target(there, never, horizon=30).verdict == "reproduced"
    assert judge_time_to_target(never, there, horizon=30).verdict == "worse"
    judged = judge_time_to_target([*there[:4], math.nan], never, horizon=30)
    assert "5 of 5 and 1 of 5 never got there and count as 30" in judged.reason
    ratios = [math.log(30 / step) for step in there[:4]] + [0.0]
    assert judged.mean == pytest.approx(math.exp(np.mean(ratios)))


def test_race_that_nobody_ends_is_not_run() -> None:
    judged = judge_time_to_target([math.nan] * 5, [math.inf] * 5)
    assert (judged.verdict, judged.reason) == ("not_run", "nobody arrived: no run of either got to the target")


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_runs_settle_no_race(n: int) -> None:
    judged = judge_time_to_target([1.0] * n, [2.0] * n)
    assert (judged.verdict, judged.mean) == ("inconclusive", pytest.approx(2.0))
    assert judged.seeds_needed == 5


def test_race_without_runs_is_not_run_and_odd_ones_are_refused() -> None:
    assert judge_time_to_target([], [1.0]).verdict == "not_run"
    with pytest.raises(ValueError, match="negative"):
        judge_time_to_target([-1.0], [1.0])
    with pytest.raises(ValueError, match="paired"):
        judge_time_to_target([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="horizon"):
        judge_time_to_target([1.0, math.nan], [1.0, 2.0])
    with pytest.raises(ValueError, match="horizon"):
        judge_time_to_target([1.0, math.nan], [1.0, 2.0], horizon=2.0)


arrived = st.integers(0, 6)
perhaps_never = st.one_of(arrived, st.just(math.nan))
pairs_of_steps = st.lists(st.tuples(perhaps_never, perhaps_never), min_size=5, max_size=9)
pairs_with_the_first_arrived = st.lists(st.tuples(arrived, perhaps_never), min_size=5, max_size=9)


@given(pairs_of_steps, st.randoms())
def test_race_is_mirrored_by_swapping_sides_and_blind_to_the_order_of_seeds(pairs, random) -> None:
    fast, slow = zip(*pairs, strict=True)
    forth = judge_time_to_target(fast, slow, horizon=7)
    slow_too, fast_too = zip(*[(b, a) for a, b in random.sample(pairs, len(pairs))], strict=True)
    back = judge_time_to_target(slow_too, fast_too, horizon=7)
    assert back.verdict == OPPOSITE.get(forth.verdict, forth.verdict)
    if forth.verdict != "not_run":
        assert [back.mean, back.low, back.high] == pytest.approx([1 / forth.mean, 1 / forth.high, 1 / forth.low])
        assert forth.low <= forth.mean * (1 + 1e-12)


@given(pairs_with_the_first_arrived, st.floats(8, 1000))
def test_longer_horizon_only_lengthens_what_never_arrived(pairs, horizon: float) -> None:
    fast, slow = zip(*pairs, strict=True)
    assert (
        judge_time_to_target(fast, slow, horizon=horizon).mean
        >= judge_time_to_target(fast, slow, horizon=7).mean - 1e-12
    )


def test_race_that_is_not_clear_says_how_many_seeds_would_be() -> None:
    judged = judge_time_to_target([1, 2, 3, 4, 5], [2, 2, 2, 6, 5])
    assert judged.verdict == "inconclusive"
    assert judged.seeds_needed == seeds_to_decide(5, math.log(judged.mean), Scatter(judged.sd, 0.0))
    assert f"{judged.seeds_needed - 5} more seeds would settle it" in judged.reason


def test_score_interval_at_one_half_has_the_variance_of_mann_whitney() -> None:
    low = win_probability_low
    n, t = 12, scipy.stats.t.ppf(0.975, 22)
    wins = 0.5 + t * math.sqrt((2 * n + 1) / (12 * n * n))
    assert low(wins, n, n) == pytest.approx(0.5, abs=1e-9)
