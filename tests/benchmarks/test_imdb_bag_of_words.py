"""The bag of words: what is claimed of which row, and that an order of accuracies is not judged backwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.words import lasso_logistic, nbsvm
from benchmarks import bench_imdb_bag_of_words as bench
from benchmarks.experiments.words import weightiest
from benchmarks.formulas.words import spelled
from benchmarks.sources import wang
from lecturebench import NumberClaim, OrderClaim, WordPresence, selection
from lecturebench.datasets import load
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record


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


TEXTS = np.array(["a fine film", "a dull film", "fine and good", "dull and bad", "the film", "the film"] * 5, object)
GOOD = np.array([1, 0, 1, 0, 1, 0] * 5)


@pytest.mark.parametrize(("fit", "pairs"), [(nbsvm, {"ngrams": 2}), (lasso_logistic, {"words": 50, "penalties": 9})])
def test_the_weightiest_words_are_those_of_either_side_with_their_coefficients(fit, pairs):
    estimator = fit(TEXTS, GOOD, seed=0, **pairs)
    measured = weightiest(estimator, TEXTS)
    bad, good = (spelled(side) for side in measured.arrays["words"])
    names = list(estimator.vectoriser.get_feature_names_out())
    having = np.array([[word in f" {text} " for word in (f" {name} " for name in names)] for text in TEXTS]).mean(
        axis=0
    )
    weights_of = np.ravel(estimator.model.coef_) * having
    assert "fine" in good[:3]
    assert "dull" in bad[:3]
    for words, weights, sign in ((bad, measured.arrays["weights"][0], -1), (good, measured.arrays["weights"][1], 1)):
        said = [(word, weight) for word, weight in zip(words, weights, strict=True) if word]
        assert [weights_of[names.index(word)] for word, _ in said] == pytest.approx([weight for _, weight in said])
        assert all(sign * weight > 0 for _, weight in said)
        assert [abs(weight) for _, weight in said] == sorted((abs(weight) for _, weight in said), reverse=True)
    assert measured.values["known"] == len(names)
    assert measured.values["used"] == np.count_nonzero(weights_of)


def test_figure_names_the_words_that_weigh_most():
    [drawing] = bench.DRAWINGS
    measured = weightiest(nbsvm(TEXTS, GOOD, seed=0), TEXTS)
    run = Record(*("k", "benchmarks", "imdb_bag_of_words", "m", {}, "lecture", "numpy", "cpu", 0, "judged", "ok", {}))
    run = replace(run, metrics={"measured": dict(measured.values)})
    rows = {"weighed": Series("NBSVM", method_styles(drawing.methods)["weighed"], [run], lambda _: measured.arrays)}
    with styled():
        said = drawing.draw(blank(*drawing.size), rows)
    good, bad = said.partition("for a good review")[::2]
    assert "fine" in good
    assert "dull" in bad
