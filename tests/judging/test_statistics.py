"""Identities, the rule for a penalty, and the test set's own interval."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from statistics import mean as exact_mean
from statistics import variance as exact_variance

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.judging.statistics import (
    best_combination,
    judge_identity,
    least_error,
    one_standard_error,
    sampling_interval,
)
from lecturebench.judging.statistics.resampling import kinds_of
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
    assert least_error(grid, errors) == 1e-3
    assert one_standard_error(grid, errors) == 1e-2
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


RULES = {"least": least_error, "one standard error": one_standard_error}


@given(st.lists(st.lists(shares | st.just(math.nan), min_size=3, max_size=3), min_size=1, max_size=6))
def test_a_single_parameter_is_chosen_by_its_own_rule(errors: list[list[float]]) -> None:
    for rule, alone in RULES.items():
        try:
            expected = alone(range(len(errors)), errors)
        except ValueError:
            with pytest.raises(ValueError, match="nothing to choose"):
                best_combination([(value,) for value in range(len(errors))], errors, [rule])
        else:
            assert best_combination([(value,) for value in range(len(errors))], errors, [rule]) == (expected,)


def plainly_best(errors: dict[tuple[int, ...], list[int]], rules: list[str]) -> tuple[int, ...]:
    """The definition, slowly and exactly: errors are whole numbers."""
    means = {values: exact_mean(map(Fraction, each)) for values, each in errors.items()}
    best = min(means, key=lambda values: (means[values], values))
    for i, rule in enumerate(rules):
        if rule == "one standard error":
            line = [values for values in means if all(values[j] == best[j] for j in range(len(rules)) if j != i)]
            top = max(values for values in line if means[values] == means[best])
            squared = exact_variance(map(Fraction, errors[top])) / len(errors[top])
            return max(values for values in line if (means[values] - means[best]) ** 2 <= squared)
    return best


@given(st.data())
def test_several_parameters_are_chosen_as_the_definition_says(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    rules = ["least"] * len(sizes)
    if data.draw(st.booleans()):
        rules[data.draw(st.integers(0, len(sizes) - 1))] = "one standard error"
    combinations = list(product(*map(range, sizes)))
    each = st.lists(st.integers(10, 16), min_size=3, max_size=3)
    errors = dict(zip(combinations, data.draw(st.tuples(*[each] * len(combinations))), strict=True))
    order = data.draw(st.permutations(combinations))
    assert best_combination(order, [errors[values] for values in order], rules) == plainly_best(errors, rules)


def test_the_largest_value_near_the_best_is_looked_for_at_the_best_values_of_the_others() -> None:
    errors = {(1, 4): [10, 12], (1, 8): [11, 12], (2, 4): [20, 21], (2, 8): [11, 11], (3, 4): [11, 12], (3, 8): [9, 12]}
    assert best_combination(list(errors), list(errors.values()), ["least", "least"]) == (3, 8)
    assert best_combination(list(errors), list(errors.values()), ["one standard error", "least"]) == (3, 8)
    errors[3, 8] = [30, 31]
    assert best_combination(list(errors), list(errors.values()), ["least", "least"]) == (1, 4), "the first of equals"
    assert best_combination(list(errors), list(errors.values()), ["one standard error", "least"]) == (3, 4)
    assert best_combination(list(errors), list(errors.values()), ["least", "one standard error"]) == (1, 8)


def test_a_value_is_chosen_as_it_was_given() -> None:
    for rule in RULES:
        values = best_combination([(1, 0.5), (3, 0.5)], [[0.3, 0.2], [0.1, 0.1]], [rule, "least"])
        assert list(map(type, values)) == [int, float]


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


@given(
    st.integers(1, 25),
    st.integers(1, 60),
    st.sampled_from(
        [(-1, 0, 1), (0, 1), (-0.0, 0.0, 1.0), (7,), (-3, 0, 250), (0.1, -0.1, 0.5), (-1e300, 0, 3), (0, 2**40)]
    ),
    st.integers(0, 1000),
)
def test_kinds_of_columns_are_those_of_numpy(n_seeds, n_test, values, seed):
    rows = np.random.default_rng(seed).choice(np.array(values, dtype=float), size=(n_seeds, n_test))
    kinds, counts = kinds_of(rows)
    expected, expected_counts = np.unique(rows, axis=1, return_counts=True)
    assert np.array_equal(kinds, expected)
    assert np.array_equal(counts, expected_counts)
    assert kinds.dtype == expected.dtype
