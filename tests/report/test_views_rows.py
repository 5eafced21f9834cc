"""Rows as plain data: the numbers of the store, None for what is none, and JSON whatever the records hold."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecturebench import Benchmark, Experiment, IdentityClaim, Measured, Network, Profile, Training, stated
from lecturebench.judging.collect import collect
from lecturebench.judging.results import Results, RowResult
from lecturebench.report.sections import Section, benchmarks_of, styles_of
from lecturebench.report.views.rows import anchor, rows_data
from lecturebench.store import Store
from tests.made_up import make_record


def _never():
    raise AssertionError("reports fit nothing")


NETWORK = Network("net", "A network", _never, Training("sgd", 0.1, 128, 3))
FORMULA = Experiment("formula", "Formula", lambda dataset, rng: Measured({}))
CLAIM = IdentityClaim(
    method="formula", statement="both sides agree", tolerance=1e-6, dataset="mnist", source="here", slide="s",
    protocol={"runs": stated("three", "here")},
)  # fmt: skip
BENCHMARK = Benchmark(
    title="Odd",
    name="odd",
    suite="suite",
    methods=(NETWORK, FORMULA),
    claims=(CLAIM,),
    datasets=("mnist",),
    profiles={"smoke": Profile(judges=False), "lecture": Profile(), "full": Profile()},
)


def row_of(runs, method=FORMULA, metric="deviation"):
    return RowResult(BENCHMARK, method, "mnist", "lecture", "tensorflow", "cpu", tuple(runs), (), (), metric)


def data_of(*rows):
    results = Results(rows, (), (), {})
    return rows_data(results, styles_of(benchmarks_of(results)))


def test_a_row_has_its_numbers_run_by_run(results):
    row = next(row for row in rows_data(results, styles_of(benchmarks_of(results))) if row["method"] == "dropout")
    source = next(row for row in results.rows if row.method.name == "dropout")
    assert (row["n"], row["failed"], row["seeds"]) == (5, 0, [0, 1, 2, 3, 4])
    assert row["values"] == pytest.approx(source.values)
    assert (row["mean"], row["sd"]) == pytest.approx((source.mean, source.sd))
    assert row["times"] == [12.5, 13.5, 14.5, 15.5, 16.5]
    assert (row["seconds"], row["parameters"], row["metric"]) == (14.5, 235146, "error")


def test_rows_stand_in_the_order_of_the_page_and_know_their_place(results):
    rows = rows_data(results, styles_of(benchmarks_of(results)))
    assert [row["id"] for row in rows] == list(range(len(results.rows)))
    assert [row["title"] for row in rows] == [row.method.title for row in results.rows]
    for row, source in zip(rows, results.rows, strict=True):
        assert row["section"] == Section(source.benchmark, source.dataset, source.profile, (source,), (), "").anchor


def test_claims_of_a_row_lead_to_their_evidence(results):
    row = next(row for row in rows_data(results, styles_of(benchmarks_of(results))) if row["method"] == "ridge")
    of_number, of_order = row["claims"]
    assert (of_number["kind"], of_number["printed"], of_number["word"]) == ("number", "6.9%", "reproduced")
    assert of_number["published"] == pytest.approx(0.069)
    assert (of_order["kind"], of_order["published"], of_order["printed"]) == ("order", None, None)
    known = {anchor(result) for result in results.claims}
    assert {claim["anchor"] for claim in row["claims"]} <= known


def test_a_contradicted_claim_says_so(tmp_path):
    store = Store(tmp_path / "out")
    measured = {"metrics": {"measured": {"deviation": 1.0}}}
    store.write(make_record("formula", suite="suite", benchmark="odd", recipe={}, **measured))
    results = collect({"odd": BENCHMARK}, store, losses=lambda record: [])
    [claim] = rows_data(results, styles_of(benchmarks_of(results)))[0]["claims"]
    assert (claim["verdict"], claim["word"]) == ("worse", "contradicted")


def test_what_is_no_number_is_none():
    [row] = data_of(row_of([make_record(seed=0, metrics={"measured": {"deviation": math.nan}}, seconds={})]))
    assert (row["mean"], row["sd"], row["values"]) == (None, None, [None])
    assert (row["seconds"], row["times"]) == (None, [None])


def test_a_run_without_the_number_keeps_its_place():
    runs = [make_record(seed=seed, metrics={"measured": {"deviation": 0.5} if seed else {}}) for seed in (0, 1)]
    [row] = data_of(row_of(runs))
    assert (row["seeds"], row["values"]) == ([0, 1], [None, 0.5])
    assert (row["mean"], row["sd"]) == (0.5, None)


def test_a_row_of_no_known_size_has_none():
    runs = [replace(make_record(), parameters=0)]
    assert data_of(row_of(runs, NETWORK, "error"))[0]["parameters"] is None


NUMBERS = st.floats() | st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([1e308, -1e308, 1e99, 5e-324])
NAMES = st.sampled_from(["<script>alert(1)</script>", 'it\'s "quoted"', "🦜", "\u202eabc", "=1+1", "a\nb", "\0", ""])
RUNS = st.lists(
    st.fixed_dictionaries(
        {
            "metrics": st.fixed_dictionaries(
                {},
                optional={"measured": st.dictionaries(st.sampled_from(["deviation", "slope"]), NUMBERS)},
            ),
            "seconds": st.dictionaries(st.sampled_from(["fit", "load"]), st.floats(0, 1e99) | st.integers(0, 2**62)),
            "parameters": st.integers(0, 2**63 - 1),
            "device": NAMES,
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(runs=RUNS, backend=NAMES, dataset=NAMES)
def test_odd_records_give_json_without_nan(runs, backend, dataset):
    row = row_of([make_record(seed=i, **run) for i, run in enumerate(runs)])
    [data] = data_of(replace(row, backend=backend, dataset=dataset))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert len(data["values"]) == len(data["times"]) == len(data["seeds"]) == data["n"]
    if data["mean"] is not None:
        known = [value for value in data["values"] if value is not None]
        slack = 1e-9 * max(map(abs, known))
        assert min(known) - slack <= data["mean"] <= max(known) + slack
