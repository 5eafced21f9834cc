"""Intervals and verdicts: closed forms, properties, and the edges where a verdict could turn wrong."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lecturebench.judging import statistics as claims
from lecturebench.judging.statistics import (
    RULES,
    Judgement,
    Losses,
    judge_chain,
    judge_equivalence,
    judge_identity,
    judge_number,
    judge_order,
    judge_time_to_target,
    least_error,
    not_run,
    one_standard_error,
    paired_interval,
    prediction_half_width,
    sampling_interval,
)

RIDGE = [0.0195, 0.0201, 0.0210, 0.0188, 0.0206]
MIRROR = {"better": "worse", "worse": "better"}
OPPOSITE = {"reproduced": "worse", "worse": "reproduced"}

shares = st.floats(1e-4, 0.5)
samples = st.lists(shares, min_size=1, max_size=8)
units = st.sampled_from([0.0, 1e-4, 1e-3, 1e-2, 0.1])


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def percent(value: float) -> str:
    return f"{100 * value:.4g}%"


def same_numbers(one: Judgement, other: Judgement) -> bool:
    fields = ("n", "mean", "sd", "low", "high")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in fields)


# --- a number ---------------------------------------------------------------------------------------------------------


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
    assert "half-width 0.9937% exceeds 0.575%, a quarter of 2.3%; 3 more seeds would settle it" in judged.reason
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
    ("errors", "verdict"), [([0.0] * 3, "reproduced"), ([0.1] * 3, "worse"), (RIDGE, "inconclusive")]
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
def test_judged_number_is_where_its_interval_says(errors: list[float], published: float, unit: float) -> None:
    judged = judge_number(errors, published=published, unit=unit)
    assume(min(abs(published - judged.low), abs(published - judged.high)) > 1e-6)
    place = "worse" if published < judged.low else "better" if published > judged.high else "reproduced"
    assert judged.verdict in (place, "inconclusive")
    assert (judged.verdict == "inconclusive") == (judged.high - judged.low - unit > published / 2 * (1 + 1e-9))


# --- orders and equivalences ------------------------------------------------------------------------------------------


def disagreeing(n_seeds: int = 5, n_test: int = 400, gap: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """0/1 losses of two classifiers that agree on most examples; the second has about ``gap`` more errors."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n_test) < 0.1
    a = (hard ^ (rng.random((n_seeds, n_test)) < 0.02)).astype(float)
    b = np.maximum(a, rng.random((n_seeds, n_test)) < gap)
    return a, b


def plainly_resampled(differences: np.ndarray, rng: np.random.Generator, resamples: int) -> list[float]:
    """The definition, slowly: draw seeds and examples, take the mean, the seeds' means spread out by √(n/(n-1))·t/z."""
    n_seeds, n_test = differences.shape
    spread = 1.0
    if n_seeds > 1:
        t, z = scipy.stats.t.ppf(0.975, n_seeds - 1), scipy.stats.norm.ppf(0.975)
        spread = math.sqrt(n_seeds / (n_seeds - 1)) * t / z
    means = differences.mean(axis=1, keepdims=True)
    spread_out = differences + (spread - 1) * (means - means.mean())
    return [
        spread_out[rng.integers(n_seeds, size=n_seeds)][:, rng.integers(n_test, size=n_test)].mean()
        for _ in range(resamples)
    ]


@pytest.mark.parametrize("kind", ["0/1", "real", "one row"])
def test_fast_bootstrap_has_the_distribution_of_the_plain_one(kind: str) -> None:
    a, b = disagreeing(n_seeds=1 if kind == "one row" else 4, n_test=150)
    differences = np.sort(b - a if kind != "real" else np.random.default_rng(1).gamma(2.0, size=(4, 150)), axis=0)
    fast = claims._resampled_means(differences, generator(), 4000, 0.95)
    slow = plainly_resampled(differences, generator(), 4000)
    # Rounded, since equal sums that differ in their last bit would look like different values.
    assert scipy.stats.ks_2samp(np.round(fast, 9), np.round(slow, 9)).pvalue > 1e-6


def test_bootstrap_of_one_row_is_the_binomial_one() -> None:
    differences = np.zeros((1, 1000))
    differences[0, :50] = 1.0
    mean, low, high = paired_interval(np.zeros((1, 1000)), differences, rng=generator(), resamples=20_000)
    expected = scipy.stats.binom.ppf([0.025, 0.975], 1000, 0.05) / 1000
    assert mean == 0.05
    assert [low, high] == pytest.approx(expected, abs=0.0011)


def test_interval_over_seeds_alone_is_about_that_of_t() -> None:
    seeds = np.random.default_rng(3).normal(size=40)
    mean, low, high = paired_interval(np.zeros((1, 7)), np.repeat(seeds[:, None], 7, axis=1), rng=generator())
    expected = scipy.stats.t.interval(0.95, 39, seeds.mean(), seeds.std(ddof=1) / math.sqrt(40))
    assert mean == pytest.approx(seeds.mean())
    assert [low, high] == pytest.approx(expected, abs=0.05)


def test_wider_level_gives_a_wider_interval() -> None:
    a, b = disagreeing()
    _, low, high = paired_interval(a, b, rng=generator(), level=0.95)
    _, lower, higher = paired_interval(a, b, rng=generator(), level=0.99)
    assert lower < low < high < higher


def test_deterministic_row_stands_beside_every_seed() -> None:
    a, b = disagreeing()
    repeated = np.repeat(a[:1], 5, axis=0)
    assert paired_interval(a[:1], b, rng=generator()) == paired_interval(repeated, b, rng=generator())
    assert paired_interval(b, a[:1], rng=generator()) == paired_interval(b, repeated, rng=generator())


@given(st.integers(0, 1000), st.integers(1, 6), st.sampled_from([0.0, 0.01, 0.1]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_swapping_sides_mirrors_interval_and_verdict(seed: int, n_seeds: int, gap: float, deterministic: bool) -> None:
    a, b = disagreeing(n_seeds, 60, gap, seed)
    if deterministic:
        a = a[:1]
    one, other = Losses("a", a, deterministic), Losses("b", b)
    forth, back = judge_order(one, other, rng=generator()), judge_order(other, one, rng=generator())
    assert back.verdict == OPPOSITE.get(forth.verdict, forth.verdict)
    assert np.array_equal([back.mean, back.low, back.high], [-forth.mean, -forth.high, -forth.low], equal_nan=True)
    alike = (judge_equivalence(x, y, delta=0.02, rng=generator()) for x, y in ((one, other), (other, one)))
    assert len({judged.verdict for judged in alike}) == 1


@given(st.integers(0, 1000), st.permutations(range(5)))
@settings(max_examples=20, deadline=None)
def test_run_order_never_changes_a_paired_interval(seed: int, order: Sequence[int]) -> None:
    a, b = disagreeing(5, 60, 0.05, seed)
    assert paired_interval(a, b, rng=generator()) == paired_interval(a[order], b[order], rng=generator())


@given(st.integers(0, 1000), st.integers(-10, 10))
@settings(max_examples=20, deadline=None)
def test_scale_never_changes_an_order(seed: int, power: int) -> None:
    a, b = disagreeing(4, 60, 0.05, seed)
    before = np.array(paired_interval(a, b, rng=generator()))
    assert np.array_equal(paired_interval(a * 2.0**power, b * 2.0**power, rng=generator()), before * 2.0**power)


def test_bootstrap_is_quick_and_leaves_the_global_generator_alone() -> None:
    state = np.random.get_state()[1].copy()
    losses = np.random.default_rng(0).normal(size=(10, 10_000))
    start = time.process_time()
    paired_interval(np.zeros((1, 10_000)), losses, rng=generator())
    assert time.process_time() - start < 3  # 0.5 s on an idle core
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.parametrize(
    ("gap", "verdict", "side"), [(0.05, "reproduced", "above 0"), (0.0, "inconclusive", "not clear of 0")]
)
def test_order_is_judged_by_where_the_interval_lies(gap: float, verdict: str, side: str) -> None:
    a, b = disagreeing(gap=gap)
    judged = judge_order(Losses("dropout", a), Losses("ridge", b), rng=generator(), show=percent)
    assert judged.verdict == verdict
    assert judged.n == 5
    told = f"ridge minus dropout is {percent(judged.mean)} in [{percent(judged.low)}, {percent(judged.high)}], {side}"
    assert judged.reason == told
    assert judged.mean == pytest.approx((b - a).mean())
    assert judged.sd == pytest.approx((b - a).mean(axis=1).std(ddof=1))


def test_contradicted_order_is_worse() -> None:
    a, b = disagreeing()
    assert judge_order(Losses("b", b), Losses("a", a), rng=generator()).verdict == "worse"


def test_equal_losses_are_no_order_and_equivalent() -> None:
    a, _ = disagreeing()
    one, other = Losses("a", a), Losses("b", a)
    judged = judge_order(one, other, rng=generator())
    assert (judged.verdict, judged.low, judged.high) == ("inconclusive", 0.0, 0.0)
    assert judge_equivalence(one, other, delta=1e-6, rng=generator()).verdict == "reproduced"


def test_losses_that_differ_by_rounding_alone_have_no_order() -> None:
    a, b = Losses("a", np.full((3, 10), 0.3)), Losses("b", np.full((3, 10), 0.1) + 0.2)
    assert np.asarray(a.values)[0, 0] < np.asarray(b.values)[0, 0]
    assert judge_order(a, b, rng=generator()).verdict == "inconclusive"
    assert judge_order(b, a, rng=generator()).verdict == "inconclusive"


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_order_with_too_few_seeds_is_inconclusive_unless_they_are_all_there_can_be(n_seeds: int) -> None:
    a, b = disagreeing(n_seeds, 400, 0.3)
    few = judge_order(Losses("a", a), Losses("b", b), rng=generator())
    assert few.verdict == "inconclusive"
    assert "too few" in few.reason
    assert math.isnan(few.low)
    half = judge_order(Losses("a", a[:1], deterministic=True), Losses("b", b), rng=generator())
    assert half.verdict == "inconclusive"
    assert "of b are too few" in half.reason or "of b is too few" in half.reason
    both = (Losses("a", a[:1], deterministic=True), Losses("b", b[:1], deterministic=True))
    assert judge_order(*both, rng=generator()).verdict == "reproduced"


def test_losses_said_to_be_deterministic_are_believed_only_when_they_are() -> None:
    a, _ = disagreeing()
    assert Losses("a", np.repeat(a[:1], 3, axis=0), deterministic=True).rows.shape == (1, 400)
    differing = Losses("a", a[:2], deterministic=True)
    assert (differing.deterministic, differing.rows.shape) == (False, (2, 400))


@pytest.mark.parametrize("bad", [np.zeros((2, 3, 4)), np.zeros((0, 3)), np.array([[0.0, math.nan]])])
def test_losses_of_another_shape_or_not_finite_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="losses of 'a'"):
        Losses("a", bad)


@pytest.mark.parametrize(("rows", "columns"), [(4, 30), (5, 29), (1, 29)])
def test_losses_that_cannot_be_paired_are_refused(rows: int, columns: int) -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_interval(np.zeros((5, 30)), np.zeros((rows, columns)), rng=generator())


def test_chain_needs_every_pair_and_tells_every_pair() -> None:
    rng = np.random.default_rng(5)
    low, middle, high = (
        Losses(name, rng.normal(at, 1, size=(5, 300))) for name, at in zip("abc", (0, 1, 2), strict=True)
    )
    near = Losses("d", np.asarray(high.values) + rng.normal(0, 0.5, size=(5, 300)))
    for chain, verdict in (
        ([low, middle, high], "reproduced"),
        ([low, middle, high, near], "inconclusive"),
        ([low, high, middle], "worse"),
        ([high, middle, near, low], "worse"),
        ([near, high, low], "worse"),
    ):
        judged = judge_chain(chain, rng=generator())
        assert judged.verdict == verdict
        assert all(f"{b.name} minus {a.name} is" in judged.reason for a, b in itertools.pairwise(chain))
        assert judged.n == 5
        assert math.isnan(judged.low)


def test_chain_of_two_is_their_order() -> None:
    a, b = disagreeing()
    one, other = Losses("a", a), Losses("b", b)
    assert same_numbers(
        judge_chain([one, other], rng=generator()), judge_order(one, other, rng=generator().spawn(1)[0])
    )
    with pytest.raises(ValueError, match="at least two"):
        judge_chain([one], rng=generator())


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "reproduced"), (0.5, "inconclusive"), (2.0, "worse"), (-2.0, "worse")]
)
def test_equivalence_needs_the_whole_interval_inside(shift: float, verdict: str) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(0, 1, size=(5, 500))
    b = a + shift + rng.normal(0, 0.3, size=(5, 500))
    judged = judge_equivalence(Losses("a", a), Losses("b", b), delta=0.5, rng=generator())
    assert judged.verdict == verdict


def test_difference_that_merely_failed_to_show_is_no_equivalence() -> None:
    rng = np.random.default_rng(4)
    a, b = (Losses(name, rng.normal(0, 5, size=(3, 20))) for name in "ab")
    assert judge_order(a, b, rng=generator()).verdict == "inconclusive"
    assert judge_equivalence(a, b, delta=0.1, rng=generator()).verdict == "inconclusive"


def test_difference_of_exactly_delta_is_equivalent() -> None:
    zero, shifted = Losses("a", np.zeros((3, 10))), Losses("b", np.full((3, 10), 0.1) + 0.2)
    assert judge_equivalence(zero, shifted, delta=0.3, rng=generator()).verdict == "reproduced"
    assert judge_equivalence(zero, shifted, delta=0.2999, rng=generator()).verdict == "worse"


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan, math.inf])
def test_equivalence_without_a_margin_is_refused(delta: float) -> None:
    a = Losses("a", np.zeros((3, 4)))
    with pytest.raises(ValueError, match="delta"):
        judge_equivalence(a, a, delta=delta, rng=generator())


# --- time to a target, identity ---------------------------------------------------------------------------------------


def test_time_to_target_compares_every_pair_of_runs() -> None:
    judged = judge_time_to_target([1, 2, 2, 3, 3], [3, 9, 9, 9, math.inf], names=("momentum", "plain"))
    assert judged.mean == pytest.approx((25 - 2 * 0.5) / 25)
    assert judged.verdict == "reproduced"
    assert judged.reason.startswith("momentum beats plain in 96% of pairs of runs (0 of 5 and 1 of 5 never got there)")


def test_censored_runs_count_as_slowest_and_tie_with_each_other() -> None:
    never = [math.nan, math.inf, math.nan, math.inf, math.nan]
    assert judge_time_to_target(never, never).mean == 0.5
    assert judge_time_to_target([1e12] * 5, never).verdict == "reproduced"
    assert judge_time_to_target(never, [1e12] * 5).verdict == "worse"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_runs_settle_no_race(n: int) -> None:
    judged = judge_time_to_target([1.0] * n, [2.0] * n)
    assert (judged.verdict, judged.mean) == ("inconclusive", 1.0)


def test_race_without_runs_is_not_run() -> None:
    assert judge_time_to_target([], [1.0]).verdict == "not_run"
    with pytest.raises(ValueError, match="negative"):
        judge_time_to_target([-1.0], [1.0])


steps = st.lists(st.one_of(st.integers(0, 6), st.just(math.nan)), min_size=3, max_size=8)


@given(steps, steps, st.randoms())
def test_race_is_mirrored_by_swapping_sides_and_blind_to_run_order(
    fast: list[float], slow: list[float], random
) -> None:
    forth = judge_time_to_target(fast, slow)
    back = judge_time_to_target(random.sample(slow, len(slow)), random.sample(fast, len(fast)))
    assert back.verdict == OPPOSITE.get(forth.verdict, forth.verdict)
    assert [back.mean, back.low, back.high] == pytest.approx([1 - forth.mean, 1 - forth.high, 1 - forth.low])
    assert 0 <= forth.low <= forth.mean + 1e-12
    assert forth.mean - 1e-12 <= forth.high <= 1


@given(steps, steps)
def test_race_depends_on_ranks_alone(fast: list[float], slow: list[float]) -> None:
    stretched = judge_time_to_target([x**3 + 1 for x in fast], [x**3 + 1 for x in slow])
    assert stretched == judge_time_to_target(fast, slow)


def test_score_interval_at_one_half_has_the_variance_of_mann_whitney() -> None:
    low = claims._win_probability_low
    n, t = 12, scipy.stats.t.ppf(0.975, 22)
    wins = 0.5 + t * math.sqrt((2 * n + 1) / (12 * n * n))
    assert low(wins, n, n) == pytest.approx(0.5, abs=1e-9)


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


@pytest.mark.parametrize("kinds", [2, 400])
def test_resampling_kinds_of_examples_is_resampling_examples(kinds):
    # 400 examples in two kinds, and 400 that all differ: both ways against drawing seeds and examples by hand.
    rng = np.random.default_rng(3)
    values = rng.normal(size=(3, kinds))[:, np.arange(400) % kinds]
    _, low, high = paired_interval(np.zeros((3, 400)), values, rng=np.random.default_rng(4), resamples=20_000)
    seeds, examples = rng.integers(3, size=(20_000, 3)), rng.integers(400, size=(20_000, 400))
    spread = math.sqrt(3 / 2) * scipy.stats.t.ppf(0.975, 2) / scipy.stats.norm.ppf(0.975)
    means = values.mean(axis=1)
    moved = values + ((spread - 1) * (means - means.mean()))[:, None]
    by_hand = [moved[one][:, other].mean() for one, other in zip(seeds, examples, strict=True)]
    np.testing.assert_allclose([low, high], np.quantile(by_hand, [0.025, 0.975]), atol=0.03 * (high - low))
