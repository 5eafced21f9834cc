"""Identities, the rule for a penalty, and the test set's own interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.judging.statistics import (
    RULES,
    judge_identity,
    least_error,
    one_standard_error,
    sampling_interval,
)
from tests.judging.cases import (
    shares,
)


@pytest.mark.parametrize(
    ("deviation", "verdict"), [(0.0, "reproduced"), (1e-6, "reproduced"), (1.1e-6, "worse"), (math.inf, "worse")]
)
def test_identity_holds_up_to_its_tolerance(deviation: float, verdict: str) -> None:
    assert judge_identity(deviation, tolerance=1e-6).verdict == verdict


@pytest.mark.parametrize(
    ("deviation", "tolerance"), [(math.nan, 1.0), (-1.0, 1.0), (0.0, math.nan), (0.0, -1.0), (0.0, math.inf)]
)
def test_identity_without_a_number_is_refused(deviation: float, tolerance: float) -> None:
    with pytest.raises(ValueError, match="undefined"):
        judge_identity(deviation, tolerance=tolerance)


# --- the rule for a penalty, the test set's own interval --------------------------------------------------------------


def test_rules_of_a_choice_take_the_least_error_or_the_largest_value_near_it() -> None:
    grid, errors = [1e-3, 1e-2, 1e-1], [[0.20, 0.24], [0.21, 0.25], [0.5, 0.6]]
    assert RULES["least"](grid, errors) == least_error(grid, errors) == 1e-3
    assert RULES["one standard error"](grid, errors) == one_standard_error(grid, errors) == 1e-2
    assert least_error([1, 2, 3], [[math.inf, 0.0], [0.1, 0.1], [0.1, 0.1]]) == 2


def test_largest_value_within_one_standard_error_is_chosen() -> None:
    errors = [[2.1, 2.3], [2.0, 2.2], [2.1, 2.3], [2.2, 2.4], [9.0, 9.0]]
    # The best mean is 2.1 with standard error 0.1: up to 2.2.
    assert one_standard_error([0.0, 1e-5, 1e-4, 1e-3, 1e-2], errors) == 1e-4
    assert one_standard_error([1e-2, 1e-3, 1e-4, 1e-5, 0.0], errors[::-1]) == 1e-4


def test_value_with_a_failed_or_missing_run_is_never_chosen() -> None:
    assert one_standard_error([1, 2, 3, 4], [[2.0, 2.2], [2.0, 2.2], [1.0, math.nan], [1.0]]) == 2
    assert one_standard_error([1, 2], [[2.0, 2.2], [math.inf, 1.0]]) == 1


def test_best_value_without_spread_is_chosen_with_its_equals_only() -> None:
    assert one_standard_error([1, 2, 3], [[0.1, 0.1], [0.1, 0.1], [0.11, 0.11]]) == 2


def test_of_equally_good_values_the_largest_gives_the_standard_error() -> None:
    assert one_standard_error([1, 2, 3], [[0.0, 0.2], [0.1, 0.1], [0.15, 0.15]]) == 2


@given(st.lists(st.lists(shares, min_size=3, max_size=3), min_size=1, max_size=6))
def test_chosen_value_is_never_below_the_best_one(errors: list[list[float]]) -> None:
    best = int(np.argmin([np.mean(each) for each in errors]))
    chosen = one_standard_error(list(range(len(errors))), errors)
    spread = scipy.stats.sem(errors[best]) if len(set(errors[best])) > 1 else 0.0
    assert chosen >= best
    assert np.mean(errors[int(chosen)]) <= np.mean(errors[best]) + spread + 1e-9


@pytest.mark.parametrize(
    ("values", "errors"), [([], []), ([1], [[0.1]]), ([1, 2], [[0.1, 0.2]]), ([1], [[math.nan, 0.1]])]
)
def test_choice_without_enough_runs_is_refused(values: list[float], errors: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"standard error|one list|nothing to choose"):
        one_standard_error(values, errors)


def test_sampling_interval_is_the_binomial_one() -> None:
    assert sampling_interval(0.1, 10_000) == pytest.approx(1.96 * 0.003)
    assert sampling_interval(0.0, 10) == 0
    for mean, n_test in ((-0.1, 10), (1.1, 10), (0.5, 0)):
        with pytest.raises(ValueError, match="share"):
            sampling_interval(mean, n_test)
