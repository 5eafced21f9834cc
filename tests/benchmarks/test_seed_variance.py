"""What one number per row hides: chances, powers and numbers of seeds, against closed forms and simulations."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, ttest_ind, ttest_rel

from benchmarks import bench_error_table
from benchmarks import bench_seed_variance as bench
from benchmarks.figures.seeds import count, paired_errors
from benchmarks.formulas.power import Needed, in_order, power, seeds_needed
from lecturebench import NumberClaim, OrderClaim
from lecturebench.judging.statistics import win_probability

TRIALS = 20_000


def within(chance, hits):
    """Whether so many hits of TRIALS are what this chance gives, up to five standard deviations."""
    return abs(hits / TRIALS - chance) < 5 * math.sqrt(chance * (1 - chance) / TRIALS)


def test_rows_are_those_of_the_error_table_with_the_choice_of_the_penalty():
    table = {method.name: method for method in bench_error_table.METHODS}
    assert (table["dropout"], table["ridge"]) == bench.METHODS
    assert bench.METHODS[1].choices == {"penalty": bench_error_table.PENALTY}


def test_claim_is_the_tables_order_on_new_images_and_counts_nothing_twice():
    [order] = bench.CLAIMS
    assert isinstance(order, OrderClaim)
    assert (order.order, order.about) == (("dropout", "ridge"), "statement")
    [of_table] = [c for c in bench_error_table.CLAIMS if isinstance(c, OrderClaim) and c.order == order.order]
    assert of_table.about == "table"
    printed = {c.method: c.printed for c in bench_error_table.CLAIMS if isinstance(c, NumberClaim)}
    assert {name: printed[name] for name in bench.PRINTED} == bench.PRINTED


@pytest.mark.parametrize("paired", [False, True])
def test_means_without_a_difference_are_in_order_every_second_time(paired):
    assert in_order(7, 0.0, 0.1, paired=paired) == 0.5


def test_chance_of_order_has_its_closed_forms():
    assert in_order(1, 0.2, 0.1) == pytest.approx(norm.cdf(2 / math.sqrt(2)))
    assert in_order(8, 0.2, 0.1) == pytest.approx(norm.cdf(4.0))
    assert in_order(4, 0.2, 0.1, paired=True) == pytest.approx(norm.cdf(4.0))


@pytest.mark.parametrize("n", [1, 3])
def test_chance_of_order_is_that_of_simulated_means(n):
    rng = np.random.default_rng(n)
    dropout, ridge = rng.normal(0.018, 0.001, (TRIALS, n)), rng.normal(0.0188, 0.001, (TRIALS, n))
    hits = int((dropout.mean(axis=1) < ridge.mean(axis=1)).sum())
    assert within(in_order(n, 0.0008, 0.001), hits)


@pytest.mark.parametrize("paired", [False, True])
def test_power_without_a_difference_is_the_tests_error_on_one_side(paired):
    assert power(9, 0.0, 1.0, paired=paired) == pytest.approx(0.025)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_power_is_that_of_simulated_t_tests(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(0, 1, (TRIALS, n)), rng.normal(1.1, 1, (TRIALS, n))
    ttest = ttest_ind(b, a, axis=1)
    assert within(power(n, 1.1, 1.0), int(((ttest.pvalue < 0.05) & (ttest.statistic > 0)).sum()))
    # A common part of both rows, which the differences by seed are free of.
    shared = rng.normal(0, 3, (TRIALS, n))
    ttest = ttest_rel(b + shared, a + shared, axis=1)
    hits = int(((ttest.pvalue < 0.05) & (ttest.statistic > 0)).sum())
    assert within(power(n, 1.1, math.sqrt(2), paired=True), hits)


@pytest.mark.parametrize(("effect", "n"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_two_samples_need_the_sizes_that_textbooks_print(effect, n):
    assert Needed.of(effect, 1.0, 1.0).by_test == n


@pytest.mark.parametrize(("effect", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_pairs_need_the_sizes_that_textbooks_print(effect, n):
    assert Needed.of(effect, 9.0, 1.0).by_pairs == n


@pytest.mark.parametrize(("effect", "n"), [(3.0, 1), (1.0, 6), (0.1, 542)])
def test_means_need_the_number_of_the_closed_form(effect, n):
    assert n == math.ceil(2 * (norm.ppf(0.95) / effect) ** 2)
    assert Needed.of(effect, 1.0, 1.0).by_mean == n


def test_rows_without_a_difference_are_never_told_apart():
    assert Needed.of(0.0, 1.0, 1.0) == (None, None, None)
    assert count(None) == "more than 10,000"


@pytest.mark.parametrize("ratio", [0.3, 5.0, 8.0, 40.0, 300.0])
@pytest.mark.parametrize("paired", [False, True])
def test_power_is_a_probability_that_rises_with_n_however_large_the_difference(ratio, paired):
    chances = [power(n, ratio, 1.0, paired=paired) for n in (2, 3, 5, 18, 24, 32, 300, 2880, 10_000)]
    assert all(0 <= p <= 1 for p in chances)
    assert chances == sorted(chances)


@settings(deadline=None)
@given(first=st.integers(1, 10_500), fewest=st.integers(1, 3))
def test_seeds_needed_is_the_first_n_that_reaches_the_target(first, fewest):
    needed = seeds_needed(lambda n: 0.8 if n >= first else 0.1, 0.8, fewest)
    assert needed == (max(first, fewest) if first <= 10_000 else None)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (in_order, (0, 0.1, 1.0)),
        (power, (1, 0.1, 1.0)),
        (power, (5, -0.1, 1.0)),
        (in_order, (5, 0.1, 0.0)),
        (power, (5, 0.1, math.nan)),
    ],
)
def test_what_has_no_chance_is_refused(call, arguments):
    with pytest.raises(ValueError, match="difference is"):
        call(*arguments)


errors = st.lists(st.integers(160, 240).map(lambda wrong: wrong / 10_000), min_size=3, max_size=12)


@settings(deadline=None)
@given(a=errors, b=errors)
def test_win_probability_is_the_mann_whitney_statistic_over_the_pairs(a, b):
    share, low, high = win_probability(a, b)
    assert share == pytest.approx(mannwhitneyu(b, a, method="asymptotic").statistic / (len(a) * len(b)))
    assert 0 <= low <= share <= high <= 1
    swapped = win_probability(b, a)
    np.testing.assert_allclose(swapped, (1 - share, 1 - high, 1 - low), atol=1e-12)


def test_win_probability_has_no_interval_for_fewer_than_three_runs():
    share, low, high = win_probability([1.0, 2.0], [1.5, 1.0, 3.0])
    assert share == (2.5 + 1) / 6
    assert math.isnan(low)
    assert math.isnan(high)


def row(errors, first_seed=0, dataset="mnist"):
    """A row as a figure gets it."""

    def run(seed, error):
        return SimpleNamespace(seed=seed, dataset={"name": dataset}, value=lambda metric: {"error": error}[metric])

    runs = [run(first_seed + i, error) for i, error in enumerate(errors)]
    style = SimpleNamespace(colour="#0072b2", marker="o")
    return SimpleNamespace(runs=runs, style=style, values=lambda metric: np.array([run.value(metric) for run in runs]))


def drawn(name, rows):
    """What a drawing of the benchmark says in words, and its axes."""
    from lecturebench.report import figures
    from lecturebench.report.style import styled

    [drawing] = [drawing for drawing in bench.DRAWINGS if drawing.name == name]
    figure = figures.blank(*drawing.size)
    with styled():
        return drawing.draw(figure, rows), figure


def test_pairs_are_the_seeds_that_both_rows_have():
    dropout, ridge = paired_errors({"dropout": row([0.1, 0.2, 0.3]), "ridge": row([0.5, 0.6, 0.7], 1)})
    assert dropout.tolist() == [0.2, 0.3]
    assert ridge.tolist() == [0.5, 0.6]


DROPOUT = [0.0181, 0.0179, 0.0190, 0.0170, 0.0181]
RIDGE = [0.0172, 0.0169, 0.0174, 0.0171, 0.0182]


def test_figure_of_the_seeds_tells_spread_published_and_who_wins():
    words, figure = drawn("seeds", {"dropout": row(DROPOUT), "ridge": row(RIDGE)})
    sd = 100 * np.std(DROPOUT, ddof=1)
    assert f"dropout: n = 5, mean 1.80% ± {sd:.2f}%, 1.70% to 1.90%; published 1.8%" in words
    # 25 pairs: ridge wins 4, 5, 4, 4 and 1 of them, by hand.
    assert "One run of ridge beats one of dropout with probability 72% (95%: " in words
    [axes] = figure.axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert sorted(dots[0].get_xdata()) == sorted(DROPOUT)
    assert len(set(zip(*dots[0].get_data(), strict=True))) == 5, "equal errors stand on top of each other"


def test_figure_of_needed_seeds_tells_both_differences_and_that_the_measured_order_is_the_other():
    words, _ = drawn("seeds-needed", {"dropout": row(DROPOUT), "ridge": row(RIDGE)})
    sd = math.sqrt((np.var(DROPOUT, ddof=1) + np.var(RIDGE, ddof=1)) / 2)
    sd_paired = float(np.std(np.subtract(RIDGE, DROPOUT), ddof=1))
    measured = float(np.mean(DROPOUT) - np.mean(RIDGE))
    assert f"scatter by {100 * sd:.2f} points" in words
    assert f"equal seeds by {100 * sd_paired:.2f} points" in words
    for name, difference, order in (
        ("published", 0.005, "dropout below ridge"),
        ("measured", measured, "ridge below dropout"),
    ):
        needed = Needed.of(difference, sd, sd_paired)
        assert (
            f"the {name} difference, {100 * difference:.2f} points with {order}: means in order with probability 95% "
            f"from n = {needed.by_mean} on, a t test says so in 80% of attempts from n = {needed.by_test} on, with "
            f"equal seeds paired from n = {needed.by_pairs} on"
        ) in words


@pytest.mark.parametrize("errors", [[0.018], [0.018, 0.018]])
def test_figures_do_without_a_spread(errors):
    rows = {"dropout": row(errors), "ridge": row([error - 0.001 for error in errors])}
    assert "takes three runs of each to say" in drawn("seeds", rows)[0]
    assert "takes at least two different runs" in drawn("seeds-needed", rows)[0]


def test_figures_of_other_data_know_nothing_published():
    rows = {"dropout": row(DROPOUT, dataset="digits"), "ridge": row(RIDGE, dataset="digits")}
    for name in ("seeds", "seeds-needed"):
        words, figure = drawn(name, rows)
        assert "published" not in words
        assert "mean" in words
        shown = " ".join(text.get_text() for text in [*figure.axes[0].texts, figure.axes[0].xaxis.label])
        assert "published" not in shown
        assert all(line.get_marker() != "D" for line in figure.axes[0].lines)
