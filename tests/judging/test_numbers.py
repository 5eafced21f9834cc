"""Numbers: their interval, its ends, selected ones, and the edges where a verdict could turn wrong."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lecturebench.judging.statistics import (
    end_standard_error,
    judge_number,
    not_run,
    prediction_factors,
    prediction_half_width,
)
from tests.judging.cases import (
    MIRROR,
    RIDGE,
    generator,
    percent,
    same_numbers,
    samples,
    shares,
    units,
)


def test_number_has_the_prediction_interval_widened_by_half_a_unit() -> None:
    judged = judge_number(RIDGE, published=0.020, unit=0.001)
    mean, sd = np.mean(RIDGE), np.std(RIDGE, ddof=1)
    half = scipy.stats.t.ppf(0.975, 4) * sd * math.sqrt(1 + 1 / 5) + 0.0005
    assert (judged.verdict, judged.n) == ("reproduced", 5)
    assert [judged.mean, judged.sd, judged.low, judged.high] == pytest.approx([mean, sd, mean - half, mean + half])


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30, 1000])
def test_half_width_is_that_of_scipys_t(n: int) -> None:
    expected = scipy.stats.t.ppf(0.975, n - 1) * 0.3 * math.sqrt(1 + 1 / n)
    assert prediction_half_width(0.3, n) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("published", "higher_is_better", "verdict", "side"),
    [
        (0.023, False, "better", "above"),
        (0.017, False, "worse", "below"),
        (0.023, True, "worse", "above"),
        (0.017, True, "better", "below"),
        (0.020, True, "reproduced", "in"),
    ],
)
def test_verdict_says_on_which_side_the_published_number_lies(
    published: float, higher_is_better: bool, verdict: str, side: str
) -> None:
    errors = [0.0199, 0.0200, 0.0201]
    judged = judge_number(errors, published=published, unit=0.001, higher_is_better=higher_is_better, show=percent)
    assert judged.verdict == verdict
    assert judged.reason == f"{percent(published)} lies {side} [{percent(judged.low)}, {percent(judged.high)}]"


@pytest.mark.parametrize("published", [0.010, 0.030])
def test_number_without_a_better_side_is_contradicted_on_either(published: float) -> None:
    errors = [0.0199, 0.0200, 0.0201]
    assert judge_number(errors, published=published, unit=0.001, higher_is_better=None).verdict == "worse"
    assert judge_number(errors, published=0.020, unit=0.001, higher_is_better=None).verdict == "reproduced"


@pytest.mark.parametrize("measured", [0.1265, 0.1270, 0.1275, 1265 / 10_000, 1 - 0.8735, 0.12650000000000003])
def test_deterministic_value_that_rounds_to_the_printed_one_is_reproduced(measured: float) -> None:
    judged = judge_number([measured], published=0.127, unit=0.001, deterministic=True)
    assert (judged.verdict, judged.n) == ("reproduced", 1)
    assert [judged.low, judged.high] == pytest.approx([measured - 0.0005, measured + 0.0005])
    assert math.isnan(judged.sd)


@pytest.mark.parametrize(("measured", "verdict"), [(0.1264, "better"), (0.1276, "worse"), (0.12649, "better")])
def test_deterministic_value_that_rounds_elsewhere_is_not(measured: float, verdict: str) -> None:
    assert judge_number([measured], published=0.127, unit=0.001, deterministic=True).verdict == verdict


def test_every_test_error_reproduces_its_own_printed_digits() -> None:
    for k in range(2000):
        error, printed = k / 10_000, round(k / 10_000, 3)
        assert judge_number([error], published=printed, unit=0.001, deterministic=True).verdict == "reproduced"


def test_equal_runs_of_a_deterministic_method_are_one_run() -> None:
    judged = judge_number([0.127] * 4, published=0.127, unit=0.001, deterministic=True)
    assert same_numbers(judged, judge_number([0.127], published=0.127, unit=0.001, deterministic=True))


@pytest.mark.parametrize("errors", [[0.127, 0.130], RIDGE])
def test_deterministic_method_whose_runs_differ_is_judged_as_a_stochastic_one(errors: list[float]) -> None:
    said, judged = (judge_number(errors, published=0.02, unit=0.001, deterministic=flag) for flag in (True, False))
    assert said == judged


def test_one_stochastic_run_judges_nothing() -> None:
    judged = judge_number([0.023], published=0.023, unit=0.001, show=percent)
    assert (judged.verdict, judged.n, judged.mean) == ("inconclusive", 1, 0.023)
    assert math.isnan(judged.low)
    assert math.isnan(judged.sd)
    assert judged.reason == "1 run is too few to judge 2.3%; at least 2 more seeds are needed"


def test_two_runs_judge_nothing_however_close_they_are() -> None:
    judged = judge_number([0.0230, 0.0231], published=0.023, unit=0.001)
    assert judged.verdict == "inconclusive"
    assert "2 runs are too few; 1 more seed would settle it" in judged.reason


def test_wide_interval_is_inconclusive_and_says_how_many_seeds_would_settle_it() -> None:
    errors = [0.0200, 0.0240, 0.0220]
    judged = judge_number(errors, published=0.023, unit=0.001, show=percent)
    assert judged.verdict == "inconclusive"
    assert "half-width 0.9937% exceeds a quarter of 2.3%; 3 more seeds would settle it" in judged.reason
    sd, limit = np.std(errors, ddof=1), 0.023 / 4
    assert prediction_half_width(sd, 6) <= limit < prediction_half_width(sd, 5)


def test_interval_that_no_number_of_seeds_narrows_enough_says_so() -> None:
    judged = judge_number([0.010, 0.020, 0.030], published=0.02, unit=0.001)
    assert judged.verdict == "inconclusive"
    assert "not even 10,000 seeds" in judged.reason


def test_half_width_of_exactly_a_quarter_is_judged() -> None:
    limit = float(prediction_half_width(0.001, 3))
    errors = [0.019, 0.020, 0.021]
    assert judge_number(errors, published=4 * limit, unit=0.1).verdict == "reproduced"
    assert judge_number(errors, published=4 * limit * 0.999, unit=0.1).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [([0.0] * 3, "reproduced"), ([0.1] * 3, "worse"), (RIDGE, "worse"), ([-0.01, 0.02, 0.01], "inconclusive")],
)
def test_published_zero_is_judged_only_without_any_spread(errors: list[float], verdict: str) -> None:
    assert judge_number(errors, published=0.0, unit=0.001).verdict == verdict


def test_published_negative_number_has_a_quarter_too() -> None:
    assert judge_number([-2.0, -2.01, -1.99], published=-2.0, unit=0.01).verdict == "reproduced"
    assert judge_number([-2.0, -2.01, -1.99], published=-3.0, unit=0.01).verdict == "worse"


def test_no_run_is_not_run() -> None:
    assert judge_number([], published=0.1, unit=0.1) == not_run("no run finished")
    assert not_run("no data").verdict == "not_run"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        judge_number([0.1, bad, 0.1], published=0.1, unit=0.1)
    with pytest.raises(ValueError, match="finite"):
        judge_number([0.1], published=bad, unit=0.1)
    with pytest.raises(ValueError, match="finite"):
        judge_number([0.1], published=0.1, unit=bad)
    with pytest.raises(ValueError, match="not negative"):
        judge_number([0.1], published=0.1, unit=-0.1)


def test_overflowing_spread_is_never_a_verdict() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert judge_number([1e308, -1e308, 1e308], published=1e308, unit=1.0).verdict == "inconclusive"


@given(samples, shares, units, units, st.booleans())
def test_coarser_unit_never_changes_reproduced(
    errors: list[float], published: float, unit: float, more: float, deterministic: bool
) -> None:
    fine = judge_number(errors, published=published, unit=unit, deterministic=deterministic)
    coarse = judge_number(errors, published=published, unit=unit + more, deterministic=deterministic)
    if fine.verdict == "reproduced":
        assert coarse.verdict == "reproduced"
    if fine.verdict == "inconclusive":
        assert coarse.verdict == "inconclusive"


@given(samples, shares, units, st.randoms())
def test_run_order_never_changes_a_number(errors: list[float], published: float, unit: float, random) -> None:
    shuffled = random.sample(errors, len(errors))
    assert (
        judge_number(errors, published=published, unit=unit) == judge_number(shuffled, published=published, unit=unit)
        or len(errors) == 1
    )


@given(samples, shares, units, st.integers(-20, 20))
def test_scale_never_changes_a_verdict(errors: list[float], published: float, unit: float, power: int) -> None:
    scale = 2.0**power
    before = judge_number(errors, published=published, unit=unit)
    after = judge_number([scale * e for e in errors], published=scale * published, unit=scale * unit)
    assert after.verdict == before.verdict
    assert np.array_equal([after.low, after.high], [scale * before.low, scale * before.high], equal_nan=True)


@given(samples, shares, units, st.booleans())
def test_higher_is_better_swaps_better_and_worse(
    errors: list[float], published: float, unit: float, deterministic: bool
) -> None:
    lower, higher = (
        judge_number(errors, published=published, unit=unit, deterministic=deterministic, higher_is_better=flag)
        for flag in (False, True)
    )
    assert higher.verdict == MIRROR.get(lower.verdict, lower.verdict)
    assert same_numbers(lower, higher)


@given(st.lists(shares, min_size=3, max_size=8), shares, units)
def test_judged_number_is_where_its_interval_says_and_width_excuses_only_what_is_inside(
    errors: list[float], published: float, unit: float
) -> None:
    judged = judge_number(errors, published=published, unit=unit)
    assume(min(abs(published - judged.low), abs(published - judged.high)) > 1e-6)
    place = "worse" if published < judged.low else "better" if published > judged.high else "reproduced"
    wide = judged.high - judged.low - unit > published / 2 * (1 + 1e-9)
    assert judged.verdict == ("inconclusive" if place == "reproduced" and wide else place)


@pytest.mark.parametrize(("published", "verdict"), [(0.014, "worse"), (0.080, "better"), (0.040, "inconclusive")])
def test_clear_failure_is_called_one_however_wide_its_interval_is(published: float, verdict: str) -> None:
    judged = judge_number([0.046, 0.037, 0.055, 0.038, 0.054], published=published, unit=0.001)
    assert judged.high - judged.low - 0.001 > published / 2
    assert judged.verdict == verdict


def test_two_runs_never_judge_what_lies_outside_either() -> None:
    assert judge_number([0.0460, 0.0461], published=0.014, unit=0.001).verdict == "inconclusive"


@given(st.lists(st.floats(0.01, 0.03), min_size=2, max_size=8), st.floats(0.01, 0.03), st.sampled_from([1, 4]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_seeds_needed_are_the_fewest_that_settle_a_number(errors: list[float], published: float, best_of: int) -> None:
    judged = judge_number(errors, published=published, unit=0.001, best_of=best_of)
    assume(judged.verdict == "inconclusive" and judged.seeds_needed is not None and judged.sd > 1e-6)

    def settles(n: int) -> bool:
        least, greatest = (factor * judged.sd for factor in prediction_factors(n, best_of))
        outside = not judged.mean + least - 0.0005 <= published <= judged.mean + greatest + 0.0005
        return outside or (greatest - least) / 2 <= published / 4

    assert judged.seeds_needed > len(errors)
    assert settles(judged.seeds_needed)
    assert judged.seeds_needed == max(3, len(errors) + 1) or not settles(judged.seeds_needed - 1)
    assert f"{judged.seeds_needed - len(errors)} more seed" in judged.reason


@pytest.mark.parametrize(("n", "best_of"), [(3, 1), (5, 1), (20, 1), (5, 6)])
def test_standard_error_of_an_end_is_that_of_simulated_ends(n: int, best_of: int) -> None:
    runs = generator().normal(size=(200_000, n))
    factor = prediction_factors(n, best_of)[0]
    ends = runs.mean(axis=1) + factor * runs.std(axis=1, ddof=1)
    assert end_standard_error(1.0, n, factor) == pytest.approx(ends.std(), rel=0.08 if n == 3 else 0.04)


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_number_is_undecided_within_one_standard_error_of_an_end(n: int, end: str) -> None:
    errors = (0.02 + 0.0002 * scipy.stats.norm.ppf((np.arange(n) + 0.5) / n)).tolist()
    base = judge_number(errors, published=0.02, unit=1e-5)
    error = base.sd * math.sqrt(1 / n + scipy.stats.t.ppf(0.975, n - 1) ** 2 * (1 + 1 / n) / (2 * (n - 1)))
    for shares_of_error, undecided in ((0.99, True), (-0.99, True), (1.01, False), (-1.01, False)):
        published = getattr(base, end) + shares_of_error * error
        judged = judge_number(errors, published=published, unit=1e-5)
        assert judged.undecided == undecided
        assert ("undecided" in judged.reason) == undecided


def test_what_is_exact_or_too_little_to_judge_is_not_undecided() -> None:
    assert not judge_number([0.1275], published=0.127, unit=0.001, deterministic=True).undecided
    assert not judge_number([0.1] * 3, published=0.1005, unit=0.001).undecided
    assert not judge_number([0.1, 0.2], published=0.1, unit=0.001).undecided


# --- a number that was selected ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 5, 20, 200])
def test_integral_for_one_new_run_is_the_t_interval(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A best of 1 + 1e-9 runs takes the integral instead of the closed form.
    assert prediction_factors(n, 1 + 1e-9) == pytest.approx(prediction_factors(n), rel=2e-4)  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "best_of"), [(3, 2), (5, 5), (5, 30), (20, 10)])
def test_interval_of_the_best_of_several_covers_it_in_95_percent(n: int, best_of: int) -> None:
    rng, trials = generator(), 100_000
    runs, best = rng.normal(size=(trials, n)), rng.normal(size=(trials, best_of)).min(axis=1)
    low, high = prediction_factors(n, best_of)
    place = (best - runs.mean(axis=1)) / runs.std(axis=1, ddof=1)
    for missed in (np.mean(place < low), np.mean(place > high)):
        assert missed == pytest.approx(0.025, abs=0.004)


def test_best_of_many_is_further_on_the_better_side() -> None:
    errors = [0.0195, 0.0200, 0.0205, 0.0198, 0.0202]
    lowest = judge_number(errors, published=0.0192, unit=1e-5, best_of=20)
    highest = judge_number(errors, published=0.0208, unit=1e-5, best_of=20, higher_is_better=True)
    single = judge_number(errors, published=0.0192, unit=1e-5)
    assert (lowest.verdict, highest.verdict) == ("reproduced", "reproduced")
    assert lowest.high < single.high
    assert lowest.low < single.low
    assert [lowest.low + highest.high, lowest.high + highest.low] == pytest.approx([0.04, 0.04])
    assert "as the best of 20 runs" in lowest.reason
    assert judge_number(errors, published=0.0204, unit=1e-5, best_of=20).verdict == "better"


@pytest.mark.parametrize(("published", "verdict"), [(0.03, "better"), (0.02, "inconclusive"), (0.01, "inconclusive")])
@pytest.mark.parametrize("deterministic", [True, False])
def test_selected_of_nobody_knows_how_many_is_at_most_better(
    published: float, verdict: str, deterministic: bool
) -> None:
    errors = [0.02] if deterministic else [0.0199, 0.0200, 0.0201]
    judged = judge_number(errors, published=published, unit=0.001, deterministic=deterministic, best_of=None)
    assert judged.verdict == verdict
    assert ("nobody says of how many" in judged.reason) == (verdict == "inconclusive")
    assert (judged.seeds_needed, judged.undecided) == (None, False)


def test_best_of_no_run_is_refused() -> None:
    with pytest.raises(ValueError, match="best_of"):
        judge_number([0.1], published=0.1, unit=0.1, best_of=0)


@given(st.lists(st.floats(0.01, 0.3), min_size=2, max_size=8), st.floats(0.01, 0.3))
def test_share_that_is_right_is_judged_as_the_share_that_is_wrong(errors, published):
    wrong = judge_number(errors, published=published, unit=0.001)
    right = judge_number([1 - error for error in errors], published=1 - published, unit=0.001, higher_is_better=True)
    assert (wrong.verdict, wrong.undecided) == (right.verdict, right.undecided)
