"""The stock exchange: the book's counts and numbers that follow from the data alone, its networks, and the leak."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import bench_nyse as bench
from benchmarks.experiments.forecasts import forecast_by
from lecturebench.datasets import load
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record
from lecturebench.training.baselines import fit_baseline

METHODS = {method.name: method for method in bench.METHODS}


@pytest.fixture(scope="module")
def nyse(own_cache):
    return load("nyse")


def r2(name, dataset, view=None):
    method = METHODS[name]
    view = view or method.view
    fitted = fit_baseline(method.function, method.parameters, view.lagged(dataset), seed=0, view=view)
    return fitted.metrics["test"]["r2"], fitted.n_train


@pytest.mark.network
def test_rows_that_are_fitted_exactly_have_the_books_numbers_and_days(nyse):
    assert r2("yesterday", nyse)[0] == pytest.approx(0.180, abs=0.0005)
    assert r2("ar", nyse) == (pytest.approx(0.41289, abs=5e-6), 4276)  # the Python lab's
    assert r2("ar_day", nyse) == (pytest.approx(0.45956, abs=5e-6), 4276)


@pytest.mark.network
def test_answers_are_turned_back_by_the_mean_and_deviation_of_those_days(nyse):
    for over, days in (("all", np.concatenate([nyse.train.y, nyse.test.y])), ("train", nyse.train.y)):
        assert bench.VOLUME[over] == pytest.approx((days.mean(), days.std()), abs=5e-7)


@pytest.mark.network
def test_the_leak_is_worth_nothing_to_a_straight_line(nyse):
    for name in ("ar", "ar_day"):
        scaled = replace(METHODS[name].view, over="train")
        assert r2(name, nyse, scaled)[0] == pytest.approx(r2(name, nyse)[0], abs=1e-9)


def test_rows_of_the_second_set_differ_in_what_they_are_scaled_by_alone():
    pairs = [(METHODS[name.removesuffix("_train")], method) for name, method in METHODS.items() if "_train" in name]
    assert len(pairs) == 4
    for book, own in pairs:
        assert (book.view.over, own.view.over) == ("all", "train")
        assert (book.function, book.training) == (own.function, own.training)
        assert dict(own.parameters) | {"target": 0} == dict(book.parameters) | {"target": 0}


def test_figure_says_how_much_of_the_truths_spread_the_forecasts_have():
    [drawing] = bench.DRAWINGS
    true = np.random.default_rng(0).normal(size=300)
    dataset = SimpleNamespace(test=SimpleNamespace(X=None, y=true))
    measured = forecast_by(SimpleNamespace(outputs=lambda X: true[:, None] / 2), dataset)
    run = Record(*("k", "benchmarks", "nyse", "rnn", {}, "lecture", "numpy", "cpu", 0, "judged", "ok", {}))
    run = replace(run, metrics={"measured": dict(measured.values)})
    rows = {"rnn": Series("RNN", method_styles(drawing.methods)["rnn"], [run], lambda _: measured.arrays)}
    with styled():
        said = drawing.draw(blank(*drawing.size), rows)
    assert said.startswith("Over 300 test days the forecasts vary 50% as much as the truth")
