"""The rule for a minimum inside a path, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecturebench.judging.statistics import Losses, judge_minimum


def path(means, *, seeds=5, spread=0.1, seed=0):
    """One number per seed, as for a metric that is not a mean over test examples."""
    rng = np.random.default_rng(seed)
    return [Losses(f"m{i}", rng.normal(mean, spread, (seeds, 1))) for i, mean in enumerate(means)]


def judged(means, **options):
    return judge_minimum(path(means, **options), rng=np.random.default_rng(1))


def test_deep_valley_is_inside_and_slopes_are_not():
    assert judged([3, 1, 3]).verdict == "reproduced"
    assert judged([3, 2, 1, 2, 3]).verdict == "reproduced"
    assert judged([1, 2, 3, 4]).verdict == "worse"
    assert judged([4, 3, 2, 1]).verdict == "worse"


def test_flat_path_and_a_valley_within_the_noise_are_inconclusive():
    assert judged([1, 1, 1, 1]).verdict == "inconclusive"
    assert judged([1.05, 1, 1.05]).verdict == "inconclusive"


def test_both_ends_must_be_above_the_one_method():
    # One end above each of two inner methods is no minimum inside.
    assert judged([1, 2, 0.99, 1.0]).verdict == "inconclusive"


def test_reason_names_the_lowest_and_the_comparison():
    reason = judged([3, 1, 3]).reason
    assert "at m1" in reason
    assert "below m0" in reason
    assert "below m2" in reason


def test_methods_that_are_equally_low_are_all_named():
    rows = np.random.default_rng(0).random((5, 40))
    tied = [Losses(name, rows + more) for name, more in (("a", 0.0), ("b", 0.5), ("c", 0.0), ("d", 1.0))]
    assert "at a and c" in judge_minimum(tied, rng=np.random.default_rng(1)).reason


def test_hill_is_inside_where_higher_is_better():
    judgement = judged([1, 3, 1])
    assert judgement.verdict != "reproduced"
    hill = judge_minimum(path([1, 3, 1]), rng=np.random.default_rng(1), higher_is_better=True)
    assert hill.verdict == "reproduced"
    assert hill.reason.startswith("highest is 3")
    assert "above m0" in hill.reason
    valley = judge_minimum(path([1, 2, 3, 4]), rng=np.random.default_rng(1), higher_is_better=True)
    assert valley.verdict == "worse"


def test_few_seeds_never_decide():
    assert judged([3, 1, 3], seeds=2).verdict == "inconclusive"


def test_path_without_an_inside_is_refused():
    with pytest.raises(ValueError, match="no inside"):
        judged([1, 2])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 5), min_size=3, max_size=5), st.integers(0, 100))
def test_reversing_the_path_never_turns_a_verdict_around(means, seed):
    methods = path(means, seed=seed)
    forward = judge_minimum(methods, rng=np.random.default_rng(0)).verdict
    backward = judge_minimum(methods[::-1], rng=np.random.default_rng(0)).verdict
    assert {forward, backward} in ({forward}, {"inconclusive", forward}, {"inconclusive", backward})


def test_equal_methods_are_seldom_called_a_minimum():
    # 12 methods as in the L2 path: with no correction one of ten would beat both ends far more often.
    verdicts = [
        judge_minimum(path([1.0] * 12, seed=seed), rng=np.random.default_rng(seed), resamples=500).verdict
        for seed in range(60)
    ]
    assert verdicts.count("reproduced") <= 6  # binomial(60, 0.05) exceeds 6 in 3 of 100 cases; the rule is stricter


def test_verdict_that_needs_more_seeds_says_how_many():
    flat = judged([1.05, 1, 1.05])
    assert flat.seeds_needed > 5
    assert f"{flat.seeds_needed - 5} more seeds would settle it" in flat.reason
    assert judged([3, 1, 3], seeds=2).seeds_needed == 3
    assert judged([3, 1, 3]).seeds_needed is None


def test_few_examples_are_said_to_be_what_is_missing():
    rng = np.random.default_rng(3)
    examples = rng.normal(size=(3, 1, 30))
    valley = [
        Losses(f"m{i}", np.repeat(mean + own, 5, axis=0) + 0.001 * rng.normal(size=(5, 1)))
        for i, (mean, own) in enumerate(
            zip([1.02, 1, 1.02], examples - examples.mean(axis=2, keepdims=True), strict=True)
        )
    ]
    judged = judge_minimum(valley, rng=np.random.default_rng(1))
    assert (judged.verdict, judged.seeds_needed) == ("inconclusive", None)
    assert "larger test set" in judged.reason


def test_another_method_than_the_lowest_may_be_what_more_seeds_show():
    # m1 is lowest by a hair and scatters over examples; m2 does not, and some seeds more would show it below both ends.
    rng = np.random.default_rng(2)
    ends, wide = rng.normal(size=(4, 1)), rng.normal(size=(1, 200))
    wide -= wide.mean()

    def rows(mean, examples=0.0, scale=1.0):
        seeds = scale * (ends - ends.mean())
        return np.repeat(mean + seeds, 200, axis=1) + examples

    valley = [
        Losses("e0", rows(1.2)),
        Losses("m1", rows(1.0, 3 * wide, 0.5)),
        Losses("m2", rows(1.01, 0.0, 0.7)),
        Losses("e1", rows(1.2)),
    ]
    judged = judge_minimum(valley, rng=np.random.default_rng(1))
    assert judged.verdict == "inconclusive"
    assert judged.seeds_needed > 4
    alone = judge_minimum([valley[0], valley[1], valley[3]], rng=np.random.default_rng(1))
    assert "larger test set" in alone.reason


def test_seeds_that_are_said_to_be_needed_mostly_suffice():
    few = judged([1.06, 1, 1.06])
    enough = [judged([1.06, 1, 1.06], seeds=2 * few.seeds_needed, seed=seed).verdict for seed in range(20)]
    assert enough.count("reproduced") >= 10


def test_stricter_level_decides_less():
    methods = path([1.12, 1, 1.12], seed=3)
    levels = [judge_minimum(methods, rng=np.random.default_rng(1), level=at).verdict for at in (0.5, 0.95, 0.9999)]
    assert levels[0] == "reproduced"
    assert levels[2] == "inconclusive"
