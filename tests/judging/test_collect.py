"""From records to rows and verdicts: nothing mixed, nothing silently dropped, nothing raised."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from lecturebench.errors import DataMissing
from lecturebench.judging.collect import Planned, collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.judging.results import show
from lecturebench.report.table import to_markdown, write_tables
from lecturebench.report.terminal import plain_lines, terminal_table
from lecturebench.store import Store
from tests.judging.test_verify import verify
from tests.made_up import ERRORS, SEEDS, make_record, rewrite, write_run


@pytest.fixture
def judged(benchmarks, store, load):
    """The results of the store as it is now, with the made-up labels."""
    return lambda: collect(benchmarks, store, losses=saved_losses(store, load))


def verdicts(results):
    return {result.claim.name: result.judgement.verdict for result in results.claims}


def claim(results, start):
    return next(result for result in results.claims if result.claim.name.startswith(start))


def row(results, method):
    return next(row for row in results.rows if row.method.name == method)


def test_rows_stand_in_the_order_of_the_methods_and_claims_in_theirs(results, benchmarks):
    assert [row.method.name for row in results.rows] == ["ridge", "dropout", "logistic", "lda"]
    assert tuple(result.claim for result in results.claims) == benchmarks["error_table"].claims
    assert results.notes == ()


def test_a_row_says_what_its_runs_say(results, load):
    ridge = row(results, "ridge")
    assert [run.seed for run in ridge.runs] == list(SEEDS)
    assert len(ridge.choice_runs) == 9
    assert ridge.mean == pytest.approx(np.mean(ridge.values))
    assert ridge.sd == pytest.approx(np.std(ridge.values, ddof=1))
    assert (ridge.n, ridge.n_test, ridge.seconds, ridge.parameters) == (5, 300, 14.5, 235146)
    assert ridge.started == "2026-01-02T03:08:00+00:00"
    assert math.isnan(row(results, "lda").sd)


def test_every_claim_has_a_verdict_with_its_arithmetic(results):
    assert verdicts(results) == {
        "ridge error 6.9%": "reproduced",
        "dropout error 9.4%": "better",
        "logistic error 7.2%": "worse",
        "lda error 38.3%": "better",
        "order dropout < ridge < logistic < lda": "reproduced",
    }
    assert claim(results, "lda").judgement.reason == "38.30% lies above [37.28%, 37.38%]"


def test_claims_of_a_row_are_those_that_speak_of_it(results):
    names = [result.claim.name for result in results.claims_of(row(results, "lda"))]
    assert names == ["lda error 38.3%", "order dropout < ridge < logistic < lda"]


def test_an_order_does_not_depend_on_what_else_is_in_the_store(judged, store, load):
    before = claim(judged(), "order").judgement
    write_run(store, 0.1, load("digits").test.y, make_record("lda", key="other", dataset=_on("digits")))
    assert claim(judged(), "order").judgement == before


@pytest.mark.parametrize(("seeds", "counts"), [(3, False), (7, True)])
@pytest.mark.parametrize("year", [2020, 2028])
def test_of_two_versions_the_one_with_more_runs_counts_whatever_their_dates_say(
    judged, store, load, seeds, counts, year
):
    y = load("mnist").test.y
    for seed in range(seeds):
        changed = make_record("dropout", seed, key=f"other{seed}", source_digest="other", started=f"{year}-02-01")
        write_run(store, 0.2, y, changed)
    results = judged()
    assert row(results, "dropout").n == max(5, seeds)
    assert (row(results, "dropout").mean > 0.15) == counts
    assert results.notes == (
        f"{min(5, seeds)} runs of dropout on mnist (lecture, tensorflow) with another recipe or source left out",
    )


def test_runs_of_todays_code_count_before_any_number_of_older_ones(benchmarks, store, load):
    for seed in range(3):
        write_run(store, 0.2, load("mnist").test.y, make_record("dropout", seed, key=f"now{seed}", source_digest="now"))
    stale = {record.key: "its source has changed" for record in store.read()[0] if not record.key.startswith("now")}
    results = collect(
        benchmarks, store, plan=lambda records: Planned(stale), older=True, losses=saved_losses(store, load)
    )
    assert row(results, "dropout").n == 3
    assert row(results, "ridge").n == 5, "what today's code has not fitted yet is compared as it was"
    assert [what for what, _ in results.stale] == ["5 stale runs of dropout on mnist (lecture, tensorflow)"]


def test_runs_that_are_not_planned_are_left_out_and_listed_with_the_reason(benchmarks, store, load):
    left = {make_record("dropout", seed).key: "rates was [0.1], is [0.4]" for seed in (3, 4)}
    left |= {make_record("lda").key: "its source has changed"}
    results = collect(
        benchmarks, store, losses=saved_losses(store, load), plan=lambda records: Planned(left, ("no d",))
    )
    assert row(results, "dropout").n == 3
    assert claim(results, "lda").judgement.reason == "not fitted on mnist by today's code yet: 1 stale run left out"
    assert results.notes == ("no d",)
    assert results.stale == (
        ("2 stale runs of dropout on mnist (lecture, tensorflow)", "rates was [0.1], is [0.4]"),
        ("1 stale run of lda on mnist (lecture, scikit-learn)", "its source has changed"),
    )


def test_profiles_and_backends_are_rows_of_their_own_and_a_baseline_stands_beside_each_backend(judged, store, load):
    y = load("mnist").test.y
    for seed in SEEDS:
        write_run(store, 0.06, y, make_record("dropout", seed, key=f"jax{seed}", backend="jax"))
        write_run(store, 0.07, y, make_record("ridge", seed, key=f"jaxr{seed}", backend="jax"))
    results = judged()
    assert [(row.method.name, row.backend) for row in results.rows] == [
        ("ridge", "tensorflow"),
        ("ridge", "jax"),
        ("dropout", "tensorflow"),
        ("dropout", "jax"),
        ("logistic", "scikit-learn"),
        ("lda", "scikit-learn"),
    ]
    orders = [result for result in results.claims if result.claim.kind == "order"]
    assert [[row.backend for row in order.rows] for order in orders] == [
        ["tensorflow", "tensorflow", "scikit-learn", "scikit-learn"],
        ["jax", "jax", "scikit-learn", "scikit-learn"],
    ]
    assert {order.judgement.verdict for order in orders} == {"reproduced"}


def test_the_smoke_profile_judges_nothing(benchmarks, tmp_path, load):
    store = Store(tmp_path)
    write_run(store, 0.05, load("mnist").test.y, make_record("dropout", profile="smoke"))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    judged = claim(results, "dropout")
    assert judged.judgement.verdict == "not_run"
    assert judged.judgement.reason == "the smoke profile judges nothing"
    assert judged.rows == results.rows


def test_an_empty_store_lists_every_claim_as_not_run(benchmarks, tmp_path):
    results = collect(benchmarks, Store(tmp_path / "nothing"))
    assert results.rows == ()
    assert set(verdicts(results).values()) == {"not_run"}
    assert {result.judgement.reason for result in results.claims} == {"not fitted on mnist yet"}
    first = next(iter(benchmarks.values()))
    full = replace(first, claims=(replace(first.claims[0], profiles=("full",)),))
    [later] = collect({first.name: full}, Store(tmp_path / "nothing")).claims
    assert later.judgement.reason == "not fitted on mnist yet; full alone can judge it"


def test_a_missing_dataset_is_the_reason(benchmarks, tmp_path, load):
    store = Store(tmp_path)
    store.set_missing({"error_table": {"mnist": "no host\nno wheel"}})
    write_run(store, 0.1, load("digits").test.y, make_record("lda", dataset=_on("digits")))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert {result.judgement.reason for result in results.claims} == {"no mnist: no host no wheel"}
    assert [row.dataset for row in results.rows] == ["digits"]
    assert results.missing == {"mnist": "no host\nno wheel"}


def test_a_diverged_run_makes_its_claims_inconclusive_and_is_counted(judged, store):
    _change(store, make_record("ridge", 3), status="diverged", metrics={}, reason="the loss is nan in epoch 3")
    results = judged()
    ridge = claim(results, "ridge")
    assert ridge.judgement.verdict == "inconclusive"
    assert ridge.judgement.reason.endswith("Neural network + ridge: 1 of 5 runs failed (1 diverged)")
    assert ridge.judgement.n == 4
    assert claim(results, "order").judgement.verdict == "inconclusive"
    assert "ridge on mnist (lecture, tensorflow): 1 of 5 runs failed (1 diverged)" in results.notes


def test_a_number_that_is_worse_without_the_diverged_run_stays_worse(judged, store, load):
    y = load("mnist").test.y
    for seed in SEEDS:
        write_run(store, 0.3, y, make_record("ridge", seed))
    _change(store, make_record("ridge", 3), status="diverged", metrics={})
    assert claim(judged(), "ridge").judgement.verdict == "worse"


def test_a_crashed_run_leaves_the_verdict_to_the_others_and_is_counted(judged, store):
    _change(store, make_record("dropout", 3), status="crashed", metrics={})
    results = judged()
    assert claim(results, "dropout").judgement.verdict == "better"
    reason = claim(results, "dropout").judgement.reason
    assert reason.endswith("; Neural network + dropout: 1 of 5 runs failed (1 crashed)")
    # Ridge's fourth seed has nothing to stand beside.
    assert claim(results, "order").judgement.verdict == "reproduced"


def test_a_method_without_any_finished_run_is_not_run_with_its_reason(judged, store):
    _change(store, make_record("lda"), status="out_of_memory", metrics={}, reason="above\n2 GiB")
    title = "Linear discriminant analysis"
    reason = f"no run of {title} finished (above 2 GiB); {title}: 1 of 1 run failed (1 out of memory)"
    assert claim(judged(), "lda").judgement.reason == reason
    assert claim(judged(), "order").judgement.verdict == "not_run"


def test_a_method_that_was_not_fitted_leaves_the_order_open(benchmarks, tmp_path, load):
    store = Store(tmp_path)
    write_run(store, 0.05, load("mnist").test.y, make_record("lda"))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert claim(results, "order").judgement.reason == "dropout, ridge, logistic not fitted on mnist yet"
    assert claim(results, "lda").judgement.verdict == "better"


def test_an_order_is_paired_on_common_seeds_alone(judged, store, load):
    y = load("mnist").test.y
    for seed in (5, 6):
        write_run(store, 0.9, y, make_record("dropout", seed))
    order = claim(judged(), "order").judgement
    assert order.verdict == "reproduced"
    assert claim(judged(), "dropout").judgement.n == 7


@pytest.mark.parametrize("damage", ["absent", "truncated", "garbled", "wrong_length", "nan", "words"])
def test_damaged_predictions_are_named_and_the_recorded_error_still_counts(judged, store, damage):
    record = make_record("dropout", 2)
    path = store.runs / record.key / "predictions.npz"
    content = bytearray(path.read_bytes())
    values = {"wrong_length": np.ones((7, 10)), "nan": np.full((300, 10), np.nan), "words": np.array(["a"] * 300)}
    if damage == "absent":
        path.unlink()
    elif damage in values:
        np.savez_compressed(path, test=values[damage])
    else:
        content[200:260] = b"\xff" * 60
        path.write_bytes(content[:100] if damage == "truncated" else content)
    results = judged()
    assert len(results.notes) == 1
    assert results.notes[0].startswith(f"runs/{record.key}/predictions.npz: ")
    assert row(results, "dropout").n == 5
    assert claim(results, "dropout").judgement.verdict == "better"
    order = claim(results, "order").judgement
    assert order.verdict == "not_run"
    assert record.key in order.reason


def test_a_dataset_that_cannot_be_loaded_leaves_only_the_order_open(benchmarks, store):
    def load(name):
        raise DataMissing("tried:\n everything")

    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert claim(results, "order").judgement.reason == "tried: everything"
    assert claim(results, "ridge").judgement.verdict == "reproduced"


@pytest.mark.parametrize("value", [math.nan, math.inf, 1.5, -0.1, None, "0.1", True, 10**400])
def test_an_ok_record_without_a_possible_error_is_left_out_and_named(judged, store, value):
    record = make_record("dropout", 2)
    _change(store, record, metrics={"test": {"error": value, "loss": 0.2}})
    results = judged()
    assert row(results, "dropout").n == 4
    assert len(results.notes) == 1
    assert results.notes[0].startswith(f"runs/{record.key}/record.json: ")


def test_unknown_suites_benchmarks_and_methods_are_counted_by_name(judged, store):
    store.write(make_record(key="a", suite="mine"))
    store.write(make_record(key="b", benchmark="gone"))
    store.write(make_record(key="c", benchmark="gone"))
    store.write(make_record(key="d", method="gone"))
    assert judged().notes == (
        "2 runs of unknown benchmark 'gone' left out",
        "1 run of unknown method 'gone' of error_table left out",
        "1 run of unknown suite 'mine' left out",
    )


@pytest.mark.parametrize("content", ["[1]", '{"mnist": "no wheel"}', "{"])
def test_a_damaged_record_and_list_of_missing_data_are_named(judged, store, content):
    path = store.runs / make_record("dropout", 2).key / "record.json"
    path.write_text("{")
    (store.folder / "missing.json").write_text(content)
    results = judged()
    assert row(results, "dropout").n == 4
    assert len(results.notes) == 2
    assert results.notes[0].startswith(f"runs/{path.parent.name}/record.json: ")
    assert results.notes[1].startswith("missing.json: ")


def test_rows_on_different_data_are_not_compared(judged, store, load):
    changed = make_record("lda", key="changed", started="2027-01-01")
    changed.dataset["digests"] = {"train": "1", "test": "2"}
    write_run(store, 0.4, load("mnist").test.y, changed)
    assert claim(judged(), "order").judgement.reason == "its rows were fitted on different data"


def test_values_are_shown_as_people_write_them():
    assert show("error")(0.0231) == "2.31%"
    assert show("mae")(254.66) == "254.7"
    assert show("error")(math.nan) == "–"


def _on(dataset):
    return {**make_record().dataset, "name": dataset}


def _change(store, record, **changes):
    """Rewrite a run of the store with other values in its record; its predictions stay."""
    rewrite(store.runs / record.key / "record.json", lambda values: values.update(changes))


NAMES = st.sampled_from(
    ["<script>alert(1)</script>", 'it\'s "quoted" | `so`', "🦜", "\ud800", "\x1b[31m", "=1+1", "a\nb", "\0", ""]
)
SCALARS = NAMES | st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**400, -(10**30), 1e308])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2))
METRICS = st.dictionaries(st.sampled_from(["error", "loss", "mae"]), SCALARS)
ODD = st.fixed_dictionaries(
    {},
    optional={name: VALUES for name in make_record().to_json() if name != "key"}
    | {
        "method": st.sampled_from([*ERRORS, "<b>"]),
        "dataset": st.fixed_dictionaries(
            {"name": NAMES | st.just("mnist")}, optional={"n_test": VALUES, "digests": VALUES}
        ),
        "metrics": st.dictionaries(st.sampled_from(["train", "validation", "test"]), METRICS),
        "curve": st.lists(METRICS, max_size=2),
        "status": st.sampled_from(["ok", "diverged", "timeout"]),
        "role": st.sampled_from(["judged", "choice"]),
        "backend": NAMES,
        "reason": NAMES,
        "seconds": st.dictionaries(st.sampled_from(["fit", "load"]), SCALARS),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(ODD, min_size=1, max_size=4), predicted=st.sampled_from([(300, 10), (300,), (300, 2), (5, 10), ()])
)
def test_odd_records_never_stop_a_report(tmp_path_factory, benchmarks, load, changes, predicted):
    store = Store(tmp_path_factory.mktemp("odd"))
    for i, change in enumerate(changes):
        record = make_record("ridge" if i % 2 else "dropout", i, key=f"k{i}")
        (store.runs / record.key).mkdir(parents=True)
        (store.runs / record.key / "record.json").write_text(json.dumps(record.to_json() | change))
        np.savez(store.runs / record.key / "predictions.npz", test=np.full(predicted, 0.1, np.float16))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert len(results.claims) >= 5
    write_tables(results, store.folder)
    assert "<script" not in to_markdown(results)
    lines = "\n".join(plain_lines(results))
    Console(file=io.StringIO(), width=80).print(terminal_table(results))
    assert "\x1b" not in lines
    assert all("table.csv" not in line for line in verify(store.folder, benchmarks, load) if "recomputed" not in line)


def test_benchmark_that_nobody_asked_for_in_this_store_is_left_out(benchmarks, store, load, tmp_path):
    other = replace(benchmarks["error_table"], name="other")
    both = {**benchmarks, "other": other}

    def named(folder: Store) -> set[str]:
        return {result.benchmark.name for result in collect(both, folder, losses=saved_losses(folder, load)).claims}

    assert named(store) == {"error_table"}
    store.set_missing({"error_table": {"mnist": "no wheel"}})
    assert named(store) == {"error_table"}, "the other was not asked for, though it would lack the same"
    store.set_missing({"other": {"mnist": "no wheel"}})
    assert named(store) == {"error_table", "other"}
    assert named(Store(tmp_path / "empty")) == {"error_table", "other"}
