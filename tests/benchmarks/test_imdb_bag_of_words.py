"""The bag of words: what is claimed of which row, and that an order of accuracies is not judged backwards."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import bench_imdb_bag_of_words as bench
from benchmarks.sources import wang
from lecturebench import NumberClaim, OrderClaim, WordPresence, selection
from lecturebench.datasets import load


def test_published_accuracies_are_claimed_as_printed():
    claims = {claim.method: (claim.printed, claim.metric) for claim in bench.CLAIMS if isinstance(claim, NumberClaim)}
    assert claims == {
        "lasso": ("88%", "accuracy"), "network": ("88%", "accuracy"), "network_last": ("0.8550", "accuracy"),
        "bayes_1": ("83.55%", "accuracy"), "bayes_2": ("86.59%", "accuracy"), "svm_1": ("86.95%", "accuracy"),
        "svm_2": ("89.16%", "accuracy"), "nbsvm_1": ("88.29%", "accuracy"), "nbsvm_2": ("91.22%", "accuracy"),
    }  # fmt: skip


def test_orders_speak_of_errors_and_stand_as_the_table_has_them():
    names = {"bayes": "MNB", "svm": "SVM", "nbsvm": "NBSVM"}

    def error(method: str) -> float:
        name, n = method.split("_")
        return 100 - float(wang.PRINTED[names[name], int(n)].rstrip("%"))

    orders = [claim for claim in bench.CLAIMS if isinstance(claim, OrderClaim)]
    assert len(orders) == 4
    for claim in orders:
        assert claim.metric == "error", "an order of accuracies would have the best method last"
        errors = [error(method) for method in claim.order]
        assert errors == sorted(errors)


def test_linear_models_see_all_words_and_networks_the_ten_thousand_of_the_book():
    by_name = {method.name: method for method in bench.METHODS}
    assert {by_name[name].view for name in ("network", "network_last")} == {WordPresence(10_000)}
    assert (by_name["network"].training.stopping, by_name["network_last"].training.stopping) == ("best", "last")
    assert by_name["network"].training.validation * 25_000 == 2_000
    assert by_name["lasso"].parameters == {"words": 10_000, "penalties": 50}
    places = dict(selection.places(bench.BENCHMARK, "lecture"))
    assert set(places) == {"imdb_reviews"}


@pytest.mark.realdata
def test_of_the_books_entries_1_3_percent_are_not_zero_and_all_reviews_are_there():
    data = load("imdb_reviews")
    seen = WordPresence(10_000).see(data, np.arange(25_000))
    assert (len(seen.train.X), len(seen.test.X)) == (25_000, 25_000)
    assert round(100 * float(seen.train.X.mean()), 1) == 1.3
    assert "br" not in seen.vocabulary[:200], "HTML is no word"
