"""Methods beside each other: against statsmodels, SciPy and scikit-posthocs, and in plain words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.judging.results import Results
from lecturebench.judging.statistics import BOOTSTRAP_SEED, paired_interval
from lecturebench.report.intervals import Intervals
from lecturebench.report.predicted import Predictions
from lecturebench.report.views.comparison import comparison_data, mcnemar, ranked, ranks_data
from lecturebench.store import Store


@pytest.fixture
def data(results: Results, store: Store, load: Callable[[str], Any]) -> dict[str, Any]:
    [comparison] = comparison_data(results, Predictions(store, load), Intervals())
    return comparison


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_statsmodels_exact_test(pairs: list[tuple[bool, bool]]) -> None:
    from statsmodels.stats.contingency_tables import mcnemar as reference

    wrong_a, wrong_b = np.array(pairs).T
    table = [
        [np.sum(wrong_a & wrong_b), np.sum(wrong_a & ~wrong_b)],
        [np.sum(~wrong_a & wrong_b), np.sum(~wrong_a & ~wrong_b)],
    ]
    assert mcnemar(wrong_a, wrong_b) == pytest.approx(reference(table, exact=True).pvalue)


def test_all_pairs_of_a_few_rows_are_compared_the_better_first(data: dict[str, Any], results: Results) -> None:
    rows = data["rows"]
    assert len(data["pairs"]) == len(rows) * (len(rows) - 1) // 2
    means = [results.rows[i].mean for i in rows]
    assert means == sorted(means)
    for pair in data["pairs"]:
        assert pair["difference"] >= 0
        assert pair["low"] <= pair["difference"] <= pair["high"]
        assert pair["difference"] == pytest.approx(results.rows[pair["b"]].mean - results.rows[pair["a"]].mean)
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_interval_is_that_of_the_rule_for_orders(
    data: dict[str, Any], results: Results, store: Store, load: Callable[[str], Any]
) -> None:
    pair = data["pairs"][0]
    summaries = [Predictions(store, load).of_row(results.rows[pair[side]]) for side in "ab"]
    a, b = (np.array(list(summary.losses.values()), dtype=float) for summary in summaries if summary is not None)
    expected = paired_interval(a, b, rng=np.random.default_rng(BOOTSTRAP_SEED))
    assert (pair["difference"], pair["low"], pair["high"]) == pytest.approx(expected)


def test_words_say_whether_chance_explains_it(data: dict[str, Any]) -> None:
    for pair in data["pairs"]:
        assert ("more than chance explains" in pair["words"]) == (pair["low"] > 0)
        assert "errs more often than" in pair["words"]
        assert "McNemar" in pair["words"]


def test_fewer_than_three_seeds_are_said_to_be_few(results: Results, store: Store, load: Callable[[str], Any]) -> None:
    few = replace(results, rows=tuple(replace(row, runs=row.runs[:2]) for row in results.rows))
    [comparison] = comparison_data(few, Predictions(store, load), Intervals())
    drawn = [p for p in comparison["pairs"] if not any(results.rows[p[s]].deterministic for s in "ab")]
    assert drawn
    for pair in drawn:
        assert pair["low"] is None
        assert "so few runs" in pair["words"]


def test_many_rows_are_compared_with_the_best_and_with_their_neighbour(
    results: Results, store: Store, load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lecturebench.report.views.comparison.ALL_PAIRS", 2)
    [comparison] = comparison_data(results, Predictions(store, load), Intervals())
    best, *rest = comparison["rows"]
    pairs = {(pair["a"], pair["b"]) for pair in comparison["pairs"]}
    assert pairs == {(best, other) for other in rest} | set(zip(comparison["rows"][:-1], rest, strict=True))


def test_one_dataset_gives_no_ranks(results: Results) -> None:
    assert ranks_data(results) == []


def test_two_datasets_are_named_but_not_ranked(results: Results) -> None:
    rows = (*results.rows, *(replace(row, dataset="fashion_mnist") for row in results.rows))
    [ranking] = ranks_data(replace(results, rows=rows))
    assert ranking["datasets"] == ["mnist", "fashion_mnist"]
    assert "ranks" not in ranking


def test_ranks_and_friedmans_p_are_scipys() -> None:
    errors = np.random.default_rng(0).random((6, 4))
    ranking = ranked(errors)
    assert ranking["ranks"] == pytest.approx(scipy.stats.rankdata(errors, axis=1).mean(axis=0))
    assert ranking["friedman"] == pytest.approx(scipy.stats.friedmanchisquare(*errors.T).pvalue)
    assert ranking["bars"] == []


def test_bars_join_what_nemenyi_does_not_tell_apart() -> None:
    # Three methods in the same order on ten datasets: the first and the last differ by 2 ranks, which at 95% takes
    # q / sqrt(2) * sqrt(k (k + 1) / (6 n)) = 1.05 (Demsar 2006); neighbours differ by 1.
    errors = np.tile([0.1, 0.2, 0.3], (10, 1))
    ranking = ranked(errors)
    q = scipy.stats.studentized_range.ppf(0.95, 3, np.inf) / np.sqrt(2)
    assert 1 < q * np.sqrt(3 * 4 / (6 * 10)) < 2
    assert ranking["ranks"] == [1, 2, 3]
    assert ranking["bars"] == [[0, 1], [1, 2]]


def test_equal_methods_are_not_told_apart() -> None:
    ranking = ranked(np.full((5, 3), 0.2))
    assert (ranking["friedman"], ranking["bars"], ranking["ranks"]) == (1.0, [], [2, 2, 2])
