"""Orders, equivalences and their intervals: closed forms, properties, and where a verdict could turn wrong."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lecturebench.judging.statistics import (
    LOOKED_LEVEL,
    Interval,
    Losses,
    interval_over_examples,
    interval_over_seeds,
    judge_chain,
    judge_equivalence,
    judge_order,
    paired_interval,
)
from lecturebench.judging.statistics.effects import seeds_to_decide
from lecturebench.judging.statistics.resampling import Scatter, resampled_means, scatter_of
from tests.judging.cases import (
    OPPOSITE,
    disagreeing,
    generator,
    percent,
    same_numbers,
)


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
    fast = resampled_means(differences, generator(), 4000, 0.95)
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
    first, second = Losses("a", a, deterministic), Losses("b", b)
    forth, back = judge_order(first, second, rng=generator()), judge_order(second, first, rng=generator())
    assert back.verdict == OPPOSITE.get(forth.verdict, forth.verdict)
    assert np.array_equal([back.mean, back.low, back.high], [-forth.mean, -forth.high, -forth.low], equal_nan=True)
    alike = (judge_equivalence(x, y, delta=0.02, rng=generator()) for x, y in ((first, second), (second, first)))
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
    start = f"ridge minus dropout is {percent(judged.mean)} in [{percent(judged.low)}, {percent(judged.high)}]"
    assert judged.reason.startswith(f"{start} over seeds and examples, {side}")
    assert judged.mean == pytest.approx((b - a).mean())
    assert judged.sd == pytest.approx((b - a).mean(axis=1).std(ddof=1))


def test_contradicted_order_is_worse() -> None:
    a, b = disagreeing()
    assert judge_order(Losses("b", b), Losses("a", a), rng=generator()).verdict == "worse"


def test_equal_losses_are_no_order_and_equivalent() -> None:
    a, _ = disagreeing()
    first, second = Losses("a", a), Losses("b", a)
    judged = judge_order(first, second, rng=generator())
    assert (judged.verdict, judged.low, judged.high) == ("inconclusive", 0.0, 0.0)
    assert judge_equivalence(first, second, delta=1e-6, rng=generator()).verdict == "reproduced"


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
    first, second = Losses("a", a), Losses("b", b)
    assert same_numbers(
        judge_chain([first, second], rng=generator()), judge_order(first, second, rng=generator().spawn(1)[0])
    )
    with pytest.raises(ValueError, match="at least two"):
        judge_chain([first], rng=generator())


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


# --- both intervals, chains, how many seeds ---------------------------------------------------------------------------


def test_interval_over_seeds_is_the_paired_t_interval() -> None:
    a, b = disagreeing()
    by_seed = (b - a).mean(axis=1)
    expected = scipy.stats.t.interval(0.99, 4, by_seed.mean(), scipy.stats.sem(by_seed))
    interval = interval_over_seeds(a, b, level=0.99)
    assert [interval.low, interval.high] == pytest.approx(expected)
    assert interval.level == 0.99


@given(st.integers(0, 1000), st.integers(3, 6), st.sampled_from([0.95, LOOKED_LEVEL, 0.995]))
@settings(max_examples=25, deadline=None)
def test_new_examples_never_make_an_interval_narrower(seed: int, n_seeds: int, level: float) -> None:
    a, b = disagreeing(n_seeds, 60, 0.05, seed)
    seeds = interval_over_seeds(a, b, level=level)
    both = interval_over_examples(a, b, rng=generator(), level=level)
    assert both.low <= seeds.low <= seeds.high <= both.high


def small_test_set() -> tuple[Losses, Losses]:
    """The same difference with every seed, of few examples that differ a lot: clear here, unclear on new ones."""
    rng = np.random.default_rng(8)
    examples = rng.normal(0.2, 1.0, size=20)
    a = rng.normal(size=(5, 20))
    b = a + examples - examples.mean() + 0.2 + 0.01 * rng.normal(size=(5, 1))
    return Losses("a", a), Losses("b", b)


def test_table_is_judged_over_seeds_and_a_statement_over_examples_too() -> None:
    a, b = small_test_set()
    table = judge_order(a, b, rng=generator(), about="table")
    statement = judge_order(a, b, rng=generator(), about="statement")
    assert (table.verdict, statement.verdict) == ("reproduced", "inconclusive")
    assert (table.over_seeds, table.over_examples) == (statement.over_seeds, statement.over_examples)
    assert Interval(table.low, table.high) == table.over_seeds
    assert Interval(statement.low, statement.high) == statement.over_examples
    assert "over 5 seeds" not in table.reason
    assert "over seeds on this test set" in table.reason
    assert "over seeds and examples" in statement.reason
    assert judge_order(b, a, rng=generator(), about="table").verdict == "worse"
    equal = [
        judge_equivalence(a, b, delta=0.25, rng=generator(), about=about).verdict for about in ("table", "statement")
    ]
    assert equal == ["reproduced", "inconclusive"]


@pytest.mark.parametrize(("gap", "verdict"), [(1e-3, "reproduced"), (-1e-3, "worse"), (0.0, "inconclusive")])
def test_table_of_two_deterministic_methods_is_decided_by_the_sign(gap: float, verdict: str) -> None:
    losses = np.random.default_rng(0).random(100)
    a, b = Losses("a", losses, deterministic=True), Losses("b", losses + gap, deterministic=True)
    judged = judge_order(a, b, rng=generator(), about="table")
    assert judged.verdict == verdict
    assert judged.low == judged.high == pytest.approx(gap)
    assert judged.seeds_needed is None


def test_metric_that_is_no_mean_over_examples_has_one_interval_that_says_so() -> None:
    rng = np.random.default_rng(2)
    a, b = (Losses(name, rng.normal(at, 0.1, size=(5, 1))) for name, at in (("a", 0), ("b", 1)))
    judged = judge_order(a, b, rng=generator(), about="statement")
    assert judged.verdict == "reproduced"
    assert judged.over_examples is None
    assert "no mean over examples" in judged.reason


def test_chain_keeps_every_pair_and_its_names() -> None:
    rng = np.random.default_rng(5)
    low, middle, high = (
        Losses(name, rng.normal(at, 1, size=(5, 300))) for name, at in zip("abc", (0, 1, 1), strict=True)
    )
    judged = judge_chain([low, middle, high], rng=generator(), about="table")
    assert [pair.names for pair in judged.pairs] == [("a", "b"), ("b", "c")]
    assert [pair.verdict for pair in judged.pairs] == ["reproduced", "inconclusive"]
    assert all(pair.over_seeds and pair.over_examples for pair in judged.pairs)
    assert judged.names == ("a", "b", "c")
    assert judged.seeds_needed == judged.pairs[1].seeds_needed


@given(st.integers(0, 300), st.sampled_from(["order", "equivalence"]), st.sampled_from(["table", "statement"]))
@settings(max_examples=60, deadline=None)
def test_seeds_needed_are_the_fewest_that_decide_an_effect(seed: int, kind: str, about: str) -> None:
    rng = np.random.default_rng(seed)
    a = Losses("a", rng.normal(0, 1, size=(5, 1)))
    b = Losses("b", np.asarray(a.values) + rng.normal(0.3, 1, size=(5, 1)))
    if kind == "order":
        judged = judge_order(a, b, rng=generator(), about=about)
        distance = abs(judged.mean)
    else:
        judged = judge_equivalence(a, b, delta=1.0, rng=generator(), about=about)
        distance = abs(1.0 - abs(judged.mean))
    assume(judged.verdict == "inconclusive" and judged.seeds_needed is not None)

    def half_width(n: int) -> float:
        return float(scipy.stats.t.ppf((1 + LOOKED_LEVEL) / 2, n - 1)) * judged.sd / math.sqrt(n)

    assert half_width(judged.seeds_needed) < distance
    assert judged.seeds_needed == 6 or half_width(judged.seeds_needed - 1) >= distance


def test_no_number_of_seeds_makes_up_for_a_small_test_set() -> None:
    a, b = small_test_set()
    judged = judge_order(a, b, rng=generator())
    assert judged.seeds_needed is None
    assert "it takes a larger test set" in judged.reason
    assert seeds_to_decide(5, 1.0, Scatter(1.0, 0.0)) == 10  # t(9) at 98.75% is 3.1, and √10 is 3.16
    assert seeds_to_decide(5, 1.0, Scatter(1.0, 1.0)) is None
    assert seeds_to_decide(5, 0.0, Scatter(1.0, 0.0)) is None


def test_seeds_up_to_those_that_are_planned_are_told_of_at_the_level_of_a_first_look() -> None:
    scatter = Scatter(1.0, 0.0)
    assert seeds_to_decide(3, 1.0, scatter, planned=20) == 7  # t(6) at 95% is 2.45, and √7 is 2.65
    assert seeds_to_decide(3, 1.0, scatter, planned=6) == 10, "beyond the plan somebody has looked"
    # What the test set leaves open is wider at the stricter level: 1.96 to 2.5 standard deviations.
    assert seeds_to_decide(3, 1.0, Scatter(0.1, 0.45), planned=20) == 3 + 1
    assert seeds_to_decide(3, 1.0, Scatter(0.1, 0.45)) is None
    a, b = Losses("a", np.zeros((3, 1))), Losses("b", [[0.0], [1.0], [2.0]])
    needed = [judge_order(a, b, rng=generator(), planned=planned).seeds_needed for planned in (0, 20)]
    assert needed == [10, 7]


@given(st.integers(0, 300), st.integers(2, 6), st.integers(2, 40))
@settings(max_examples=50, deadline=None)
def test_scatter_of_seeds_and_of_examples_are_told_apart(seed: int, n_seeds: int, n_test: int) -> None:
    rng = np.random.default_rng(seed)
    seeds, examples = rng.normal(size=(n_seeds, 1)), rng.normal(size=(1, n_test))
    both = scatter_of(seeds + examples)
    assert both.seeds == pytest.approx(seeds.std(ddof=1))
    assert both.examples == pytest.approx(examples.std(ddof=1) / math.sqrt(n_test))
    assert scatter_of(np.repeat(seeds, n_test, axis=1)).examples == pytest.approx(0, abs=1e-12)
    assert scatter_of(examples) == pytest.approx(Scatter(0.0, both.examples))


def test_scatter_gives_the_width_of_the_bootstrap_where_seeds_are_many() -> None:
    # All three parts alike: the bootstrap of 200 seeds, at which t is z, is as wide as the formula that looks ahead.
    rng = np.random.default_rng(6)
    n_seeds, n_test = 200, 200
    difference = rng.normal(size=(n_seeds, 1)) + rng.normal(size=(1, n_test)) + 10 * rng.normal(size=(n_seeds, n_test))
    scatter = scatter_of(difference)
    ahead = math.hypot(scatter.seeds / math.sqrt(n_seeds), scatter.examples)
    means = resampled_means(difference, generator(), 4000, 0.95)
    assert means.std() == pytest.approx(ahead, rel=0.04)  # 1.1% is the standard error of the left


@pytest.mark.parametrize("deviations", [(-1.0, 0.0, 1.0), (-2.0, 1.0, 1.0)])
def test_seeds_that_scatter_alone_are_never_said_to_need_a_larger_test_set(deviations) -> None:
    # Three seeds that each err alike on every example: the bootstrap is wider than the t interval, and by its seeds.
    b = Losses("b", np.repeat(0.5 + np.array(deviations)[:, None], 1000, axis=1))
    judged = judge_order(Losses("a", np.zeros((3, 1000))), b, rng=generator())
    assert judged.verdict == "inconclusive"
    assert judged.seeds_needed == seeds_to_decide(3, 0.5, Scatter(float(np.std(deviations, ddof=1)), 0.0))
    assert "larger test set" not in judged.reason


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
    by_hand = [moved[rows][:, columns].mean() for rows, columns in zip(seeds, examples, strict=True)]
    np.testing.assert_allclose([low, high], np.quantile(by_hand, [0.025, 0.975]), atol=0.03 * (high - low))
