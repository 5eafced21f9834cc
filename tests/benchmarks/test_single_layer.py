"""What the Hitters benchmark declares, against the sources, and its figure, against made-up runs."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import bench_single_layer as bench
from benchmarks.figures.splits import by_split, draw_splits, in_the_books_order
from benchmarks.sources.islp import LASSO_FOLDS
from lecturebench.datasets import Dataset, Split, load
from lecturebench.declare.claims import EquivalenceClaim, NumberClaim, OrderClaim
from lecturebench.declare.methods import takes_seed
from lecturebench.execution.plan import Request, plan
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.training.baselines import fit_baseline

TABLE = {"linear": "254.7", "lasso": "252.3", "network_text": "257.4"}


@dataclass(frozen=True)
class Run:
    """As much of a record as the figure looks at."""

    seed: int
    mae: float

    def value(self, metric):
        return {"mae": self.mae}.get(metric)


def series(errors):
    """Rows by method out of {method: {seed: error}}."""
    styles = method_styles(errors)
    return {
        name: Series(name, styles[name], [Run(seed, mae) for seed, mae in runs.items()])
        for name, runs in errors.items()
    }


def drawn(rows):
    """What the figure says in words, once it could be drawn and saved."""
    with styled():
        figure = Figure(figsize=bench.DRAWINGS[0].size, layout="constrained")
        words = draw_splits(figure, rows)
        figure.savefig(io.BytesIO(), format="png")
    return words


def three(linear, lasso, network):
    return {"linear_splits": linear, "lasso_splits": lasso, "network_splits": network}


def test_numbers_are_those_of_the_table_each_with_its_protocol_by_name():
    numbers = {claim.method: claim for claim in bench.CLAIMS if isinstance(claim, NumberClaim)}
    assert {name: claim.printed for name, claim in numbers.items()} == TABLE
    for claim in numbers.values():
        assert "Table 10.2" in claim.source
        assert claim.protocol["protocol"].value.startswith(("text", "R lab"))
    assert numbers["network_text"].protocol["protocol"].value == "text, not the R lab"


def test_margin_of_similar_is_no_published_difference():
    printed = [float(number) for number in TABLE.values()]
    published = {round(abs(a - b), 1) for a in printed for b in printed}
    margins = {claim.pair: claim for claim in bench.CLAIMS if isinstance(claim, EquivalenceClaim)}
    assert set(margins) == {("linear", "network_text"), ("lasso", "network_text")}
    for claim in margins.values():
        assert round(claim.tolerance, 1) not in published
        assert "standard deviation of their difference over 100 random splits" in claim.because
        assert claim.about == "table"


def test_judged_networks_are_scaled_as_the_lab_scales_and_one_beside_them_is_not():
    views = {method.name: view and view.over for method in bench.METHODS for view in [method.view_of("table")]}
    assert views == {
        "network_text": "all", "network_train": "train", "network_lab": "all", "network_splits": "all",
        "linear": None, "lasso": None, "linear_splits": None, "lasso_splits": None,
    }  # fmt: skip
    text, train = bench.BENCHMARK.method("network_text"), bench.BENCHMARK.method("network_train")
    assert (train.function, train.parameters, train.training) == (text.function, text.parameters, text.training)


def test_lasso_has_the_labs_folds_and_nothing_random():
    lasso = bench.BENCHMARK.method("lasso")
    assert lasso.parameters["folds"] == LASSO_FOLDS
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(LASSO_FOLDS), 3))
    players = Split(X, X @ [3.0, -1.0, 0.0] + rng.normal(size=len(X)))
    data = Dataset(
        kind="table", task="regression", train=players, test=players, name="players", source="drawn", digests={}
    )
    given = {"deterministic": lasso.deterministic}
    first, other = (fit_baseline(lasso.function, lasso.parameters, data, seed=seed, **given) for seed in (0, 1))
    np.testing.assert_array_equal(first.predictions.predicted, other.predictions.predicted)
    assert not first.random
    # `rep(seq(10), length = 176)`: the first six folds have a player more.
    assert [LASSO_FOLDS.count(k) for k in range(10)] == [18] * 6 + [17] * 4


def test_order_is_that_of_the_tables_numbers():
    [order] = [claim.order for claim in bench.CLAIMS if isinstance(claim, OrderClaim)]
    assert order == tuple(sorted(TABLE, key=lambda name: float(TABLE[name])))


def test_claims_speak_of_the_books_split_alone_and_never_of_the_labs_network():
    methods = {method.name: method for method in bench.METHODS}
    spoken_of = {name for claim in bench.CLAIMS for name in claim.methods}
    assert not any(methods[name].resplit for name in spoken_of)
    assert not {"network_lab", "network_train"} & spoken_of
    assert all(claim.metric == "mae" for claim in bench.BENCHMARK.claims)


def test_networks_are_trained_as_text_and_lab_say():
    methods = {method.name: method for method in bench.METHODS}
    said = {"network_text": (64, 0.1, 1000), "network_lab": (50, 0.4, 1500), "network_splits": (64, 0.1, 1000)}
    for name, (units, rate, epochs) in said.items():
        training = methods[name].training
        assert methods[name].parameters == {"units": units, "rate": rate}
        assert (training.epochs, training.batch_size, training.optimizer) == (epochs, 32, "rmsprop")
        assert (training.learning_rate, training.validation) == (0.001, 0.0)


def test_rows_on_random_splits_are_fitted_as_those_on_the_books():
    methods = {method.name: method for method in bench.METHODS}
    for splits, fixed in (("linear_splits", "linear"), ("lasso_splits", "lasso"), ("network_splits", "network_text")):
        assert methods[splits].resplit
        assert not methods[splits].deterministic
        for what in ("function", "training", "view"):
            assert getattr(methods[splits], what) == getattr(methods[fixed], what)
        rest = {name: value for name, value in methods[fixed].parameters.items() if name != "folds"}
        assert methods[splits].parameters == rest
    assert takes_seed(methods["lasso_splits"].function)
    assert "folds" not in methods["lasso_splits"].parameters
    assert "seed" not in methods["lasso_splits"].parameters


def test_a_hundred_splits_are_drawn_for_the_lecture():
    request = Request(bench.BENCHMARK, "hitters", {}, "lecture", "tensorflow")
    sources = {method.name: "its source" for method in bench.METHODS}
    asked = plan(request, {}, sources).runs
    ended = {run.key: SimpleNamespace(random=False) for run in asked if run.method in ("linear", "lasso")}
    then = plan(request, ended, sources).runs
    assert Counter(run.method for run in asked) == Counter(run.method for run in then) == {
        "linear": 1, "lasso": 1, "network_text": 10, "network_train": 10, "network_lab": 10,
        "linear_splits": 100, "lasso_splits": 100, "network_splits": 100,
    }  # fmt: skip


def test_errors_are_paired_by_split_whatever_order_the_runs_have_and_whichever_failed():
    by_method = by_split(series(three({0: 1.0, 1: 2.0, 2: 3.0}, {2: 30.0, 0: 10.0}, {2: 300.0, 1: 200.0, 0: 100.0})))
    assert {name: errors.tolist() for name, errors in by_method.items()} == three([1, 3], [10, 30], [100, 300])


def test_splits_in_the_books_order_are_counted_and_ties_are_none():
    # Two in order; lasso not below; network not above; two ties.
    linear, lasso = np.array([2.0, 2, 2, 2, 2, 2]), np.array([1.0, 0, 3, 1, 2, 1])
    assert in_the_books_order(three(linear, lasso, np.array([3.0, 9, 3.5, 1.5, 3, 2]))) == 2


def test_figure_says_means_deviations_and_how_often_the_order_comes_out():
    linear = {0: 250.0, 1: 240.0, 2: 260.0}
    lasso = {0: 249.0, 1: 236.0, 2: 262.0}  # minus linear: -1, -4, +2
    network = {0: 253.0, 1: 230.0, 2: 264.0}  # minus linear: +3, -10, +4
    words = drawn(series(three(linear, lasso, network)))
    assert "over 3 random splits" in words
    assert "linear regression mean 250.0, sd 10.0 (the book's one split: 254.7)" in words
    assert "network minus linear regression mean −1.0, sd 7.8 (the book's one split: +2.7)" in words
    assert "lasso minus linear regression mean −1.0, sd 3.0 (the book's one split: −2.4)" in words
    assert "comes out on 1 of 3 splits" in words
    assert "Two points are 0.26 standard deviations of network minus linear regression" in words  # 2 / 7.81


def test_figure_of_a_single_split_claims_no_deviation():
    words = drawn(series(three({0: 250.0}, {0: 249.0}, {0: 253.0})))
    assert "sd" not in words
    assert "deviation" not in words
    assert "comes out on 1 of 1 splits" in words


@pytest.mark.network
def test_linear_regression_has_the_books_error_to_every_printed_digit():
    fitted = fit_baseline(bench.METHODS[0].function, {}, load("hitters"), seed=0)
    assert fitted.metrics["test"]["mae"] == pytest.approx(254.66865, abs=5e-6)
    assert fitted.parameters == 20


@pytest.mark.network
def test_lasso_keeps_the_books_twelve_variables():
    lasso = bench.BENCHMARK.method("lasso")
    hitters = load("hitters")
    model = lasso.function(hitters.train.X, hitters.train.y, **lasso.parameters)
    assert (model.coef_ != 0).sum() == 12
