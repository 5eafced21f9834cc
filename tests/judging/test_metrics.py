"""Claims of any metric: which way is better, what they are judged over, what is kept of them, how it is checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lecturebench import (
    Baseline,
    Benchmark,
    Experiment,
    Metric,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    Predictions,
    Profile,
    TimeToTargetClaim,
    metrics,
)
from lecturebench.judging.collect import collect
from lecturebench.judging.compare import compare, read_side
from lecturebench.judging.evidence import saved_losses
from lecturebench.judging.verdicts import steps_until
from lecturebench.judging.verify import verify as differences_of
from lecturebench.report.intervals import Intervals
from lecturebench.report.predicted import Predictions as SavedPredictions
from lecturebench.report.table import blocks, table_rows, to_csv, write_tables
from lecturebench.report.views.comparison import comparison_data
from lecturebench.store import Store
from tests.made_up import make_predictions, make_record, rewrite

ABOUT = {"source": "book", "slide": "s", "dataset": "mnist", "protocol": {}}
KAPPA = Metric("kappa", "higher", lambda y, p: float(np.mean(p.predicted == y)) - 0.1)
ERRORS = {"good": 0.1, "fair": 0.2, "poor": 0.4}
SEEDS = range(5)


def verify(folder, benchmarks, load, **changes):
    """With the table as `session.verify` has it written."""
    return differences_of(folder, benchmarks, load, write=lambda results: to_csv(table_rows(results)), **changes)


def never(X, y):
    raise AssertionError("judging fits nothing")


def declared(*claims, **changes):
    values = {
        "title": "Metrics", "name": "error_table", "suite": "benchmarks", "datasets": ("mnist",), "metric": "accuracy",
        "metrics": (KAPPA,), "methods": tuple(Baseline(name, name, never) for name in ERRORS), "claims": claims,
        "profiles": {name: Profile() for name in ("smoke", "lecture", "full")},
    }  # fmt: skip
    return {"error_table": Benchmark(**(values | changes))}


def fill(store, load, dtype=np.float32, errors=ERRORS, random=True):
    """Runs of three random methods, as a worker keeps them where a number is made of probabilities."""
    y = load("mnist").test.y
    for method, error in errors.items():
        for seed in SEEDS:
            probabilities = make_predictions(error, seed, y)
            predictions = Predictions(probabilities.argmax(1), probabilities)
            measured = metrics.measure(y, predictions, metrics.of_task("classification", (KAPPA,)))
            record = make_record(method, seed, metrics={"test": measured}, random=random, backend="scikit-learn")
            kept = {"predicted": predictions.predicted.astype(np.uint8)}
            if dtype is not None:
                kept["probabilities"] = probabilities.astype(dtype)
            store.write(record, kept)
    return store


@pytest.fixture
def filled(tmp_path, load):
    return fill(Store(tmp_path / "filled"), load)


def verdicts(store, load, *claims, **changes):
    benchmarks = declared(*claims, **changes)
    return [result.judgement for result in collect(benchmarks, store, losses=saved_losses(store, load)).claims]


@pytest.mark.parametrize(
    ("metric", "printed", "verdict"),
    [
        ("accuracy", "60%", "better"),
        ("accuracy", "99%", "worse"),
        ("accuracy", "91%", "reproduced"),
        ("macro_f1", "60%", "better"),
        ("macro_f1", "0.99", "worse"),
        ("error", "30%", "better"),
        ("error", "8%", "worse"),
        ("kappa", "0.5", "better"),
        ("kappa", "0.95", "worse"),
        ("loss", "3.0", "better"),
        ("loss", "0.4", "worse"),
    ],
)
def test_the_metric_says_which_way_is_better(filled, load, metric, printed, verdict):
    [judged] = verdicts(filled, load, NumberClaim(method="good", printed=printed, metric=metric, **ABOUT))
    assert judged.verdict == verdict, judged.reason
    assert judged.n == 5, "a method whose runs drew random numbers is not deterministic"


def test_row_and_claim_are_shown_as_their_metric_is(filled, load):
    benchmarks = declared(NumberClaim(method="good", printed="60%", **ABOUT))
    results = collect(benchmarks, filled, losses=saved_losses(filled, load))
    [good] = [line for block in blocks(results) for line in block.lines if line.method == "good"]
    assert good.measured.startswith("90.")
    assert "%" in good.interval
    assert [row["metric"] for row in table_rows(results)] == ["accuracy"] * 3


def test_orders_are_over_examples_where_the_metric_is_a_mean_of_them(filled, load):
    def width(metric):
        [judged] = verdicts(filled, load, OrderClaim(order=("fair", "good"), metric=metric, **ABOUT))
        assert judged.verdict == "reproduced"
        return judged.high - judged.low

    assert width("accuracy") > 3 * width("macro_f1"), "one number per seed knows nothing of the examples"
    assert verdicts(filled, load, OrderClaim(order=("good", "fair"), metric="kappa", **ABOUT))[0].verdict == "worse"
    assert verdicts(filled, load, OrderClaim(order=("good", "fair"), metric="loss", **ABOUT))[0].verdict == "reproduced"


def test_best_inside_a_path_is_the_highest_where_higher_is_better(filled, load):
    path = {"path": ("fair", "good", "poor"), **ABOUT}
    [accuracy] = verdicts(filled, load, MinimumClaim(metric="accuracy", **path))
    assert accuracy.verdict == "reproduced"
    assert accuracy.reason.startswith("highest is 9")
    assert verdicts(filled, load, MinimumClaim(metric="error", **path))[0].verdict == "reproduced"
    [end] = verdicts(filled, load, MinimumClaim(metric="accuracy", **{**path, "path": ("good", "fair", "poor")}))
    assert end.verdict == "worse"


def test_target_is_reached_from_below_where_higher_is_better():
    curve = [{"step": k, "validation_accuracy": 0.3 * k, "validation_error": 1 - 0.3 * k} for k in (1, 2, 3)]
    run = make_record(curve=curve)
    assert steps_until(run, "validation accuracy", 0.6, metrics.METRICS["accuracy"]) == 2
    assert steps_until(run, "validation error", 0.4, metrics.METRICS["error"]) == 2
    claim = TimeToTargetClaim(faster="good", slower="fair", target="60%", **ABOUT)
    assert declared(claim)["error_table"].claims[0].metric == "validation accuracy"


def test_loss_that_no_run_has_is_not_judged(tmp_path, load):
    store = fill(Store(tmp_path), load, dtype=None)
    for record in store.read()[0]:
        del record.metrics["test"]["loss"]
        store.write(record, store.saved(record.key, "predictions"))
    number, order = verdicts(
        store,
        load,
        NumberClaim(method="good", printed="0.3", metric="loss", **ABOUT),
        OrderClaim(order=("good", "fair"), metric="loss", **ABOUT),
    )
    assert (number.verdict, order.verdict) == ("not_run", "not_run")
    assert number.reason == "5 of 5 runs recorded no test loss"


@pytest.mark.parametrize("metric", ["loss", "top5_error"])
def test_effect_is_never_judged_from_probabilities_in_half_precision(tmp_path, load, metric):
    store = fill(Store(tmp_path), load, dtype=np.float16)
    [order] = verdicts(store, load, OrderClaim(order=("good", "fair"), metric=metric, **ABOUT))
    assert order.verdict == "not_run"
    assert "it holds probabilities in half precision alone" in order.reason
    assert "fit it with --fresh" in order.reason


def test_a_method_that_drew_nothing_is_deterministic(tmp_path, load):
    store = fill(Store(tmp_path), load, errors={"good": 0.1}, random=False)
    results = collect(declared(), store, losses=saved_losses(store, load))
    assert [row.deterministic for row in results.rows] == [True]


def test_verify_agrees_on_every_metric_and_says_what_it_cannot_check(tmp_path, load):
    claim = NumberClaim(method="good", printed="60%", **ABOUT)
    kept = ((np.float64, []), (np.float32, []), (np.float16, ["top5_error"]), (None, ["loss", "top5_error"]))
    for dtype, unchecked in kept:
        store = fill(Store(tmp_path / str(dtype)), load, dtype)
        write_tables(collect(declared(claim), store, losses=saved_losses(store, load)), store.folder)
        said = []
        assert verify(store.folder, declared(claim), load, say=said.append) == [], dtype
        assert len(said) == len(unchecked), said
        assert all("of 15 runs cannot be recomputed" in line for line in said)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "kappa", "loss", "top5_error"])
def test_verify_finds_any_edited_metric(filled, load, metric):
    key = make_record("good", 1).key
    path = filled.runs / key / "record.json"
    value = filled.record(key).metrics["test"][metric]
    rewrite(path, lambda values: values["metrics"]["test"].update({metric: round(value * 0.999 + 1e-4, 9)}))
    [differing] = (line for line in verify(filled.folder, declared(), load) if line.startswith("runs/"))
    assert differing.startswith(f"runs/{key}/record.json: test {metric} is ")


def test_verify_says_that_a_number_of_the_table_cannot_be_checked(tmp_path, load):
    claim = NumberClaim(method="good", printed="0.3", metric="loss", **ABOUT)
    store = fill(Store(tmp_path), load, dtype=None)
    write_tables(collect(declared(claim), store, losses=saved_losses(store, load)), store.folder)
    differences = verify(store.folder, declared(claim), load)
    assert len(differences) == 5
    assert all("test loss is " in line and "there are no probabilities" in line for line in differences)


def test_verify_finds_edited_arrays_of_an_experiment(tmp_path, load):
    store = Store(tmp_path)
    record = make_record("good", metrics={"measured": {"deviation": 0.0}})
    store.write(record, None, {"grid": np.zeros(3)})
    np.savez(store.runs / record.key / "measured.npz", grid=np.ones(3))
    benchmarks = declared(methods=(Experiment("good", "Good", never),))
    difference = f"runs/{record.key}/measured.npz: what is in it is not what was recorded"
    assert difference in verify(tmp_path, benchmarks, load)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "loss", "error"])
def test_compare_knows_which_way_is_better(filled, tmp_path, load, metric):
    other = fill(Store(tmp_path / "other"), load, errors={"good": 0.25, "fair": 0.05, "poor": 0.4})
    benchmarks = declared(metric=metric)
    changed = compare(*(read_side(store.folder, benchmarks, load) for store in (filled, other)))
    assert {row.b.method.name: row.word for row in changed.rows} == {"good": "worse", "fair": "better", "poor": "same"}


def test_methods_are_compared_by_their_errors_whatever_their_rows_show(filled, load):
    [place] = comparison_data(
        collect(declared(metric="macro_f1"), filled, losses=saved_losses(filled, load)),
        SavedPredictions(filled, load),
        Intervals(),
    )
    assert place["metric"] == "error"
    assert all(pair["difference"] > 0 for pair in place["pairs"])
    assert place["rows"] == [0, 1, 2], "the best first"


def test_own_metric_of_a_benchmark_is_recomputed_by_it(filled, load):
    other = replace(declared()["error_table"], metrics=(replace(KAPPA, of=lambda y, p: 0.0),))
    assert any("test kappa" in line for line in verify(filled.folder, {"error_table": other}, load))
