"""Claims that are neither numbers nor orders on the test split, and rows that are experiments: from records to page."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from lecturebench import (
    Benchmark,
    Drawing,
    EquivalenceClaim,
    Experiment,
    IdentityClaim,
    Measured,
    MinimumClaim,
    Network,
    NumberClaim,
    OrderClaim,
    Profile,
    TimeToTargetClaim,
    Training,
    stated,
)
from lecturebench.errors import DataMissing
from lecturebench.judging.collect import collect
from lecturebench.judging.results import show
from lecturebench.judging.verdicts import steps_until
from lecturebench.report.page import observation, write_report
from lecturebench.report.table import blocks, table_rows, to_csv, to_markdown
from lecturebench.store import Record, Store

TRAINING = Training("sgd", 0.1, 128, 3)
ABOUT = {"dataset": "mnist", "source": "this suite", "slide": "s", "protocol": {"runs": stated("three", "here")}}


def _never() -> None:
    raise AssertionError("reports fit nothing")


def no_data(name):
    raise DataMissing(f"no {name} here")


def draw(figure, rows):
    axes = figure.add_subplot()
    rows["fast"].band(axes, "validation_error", "step")
    rows["slow"].band(axes, "validation_error", "step")
    return f"fast ends at {rows['fast'].values('validation error').mean():.3f}"


def broken(figure, rows):
    raise RuntimeError("no ink")


BENCHMARK = Benchmark(
    title="Kinds",
    name="kinds",
    suite="suite",
    methods=(
        Network("fast", "Fast", _never, TRAINING),
        Network("middle", "Middle", _never, TRAINING),
        Network("slow", "Slow", _never, TRAINING),
        Experiment("formula", "Formula", lambda dataset, rng: Measured({})),
    ),
    claims=(
        IdentityClaim(method="formula", statement="both sides agree", tolerance=1e-6, **ABOUT),
        IdentityClaim(method="formula", statement="slopes agree", tolerance=1e-9, metric="slope", **ABOUT),
        TimeToTargetClaim(faster="fast", slower="slow", target="10%", **ABOUT),
        MinimumClaim(path=("fast", "middle", "slow"), metric="validation error", **ABOUT),
        OrderClaim(order=("middle", "fast", "slow"), metric="validation error", **ABOUT),
        EquivalenceClaim(pair=("fast", "middle"), delta="5%", because="a tenth", metric="validation error", **ABOUT),
    ),
    datasets=("mnist",),
    profiles={"smoke": Profile(judges=False), "lecture": Profile(), "full": Profile()},
    drawings=(
        Drawing("steps", "Steps to the target", draw, ("fast", "slow"), caption="lower is better"),
        Drawing("broken", "Broken", broken, ("fast",)),
        Drawing("waiting", "Waiting for more", draw, ("fast", "formula")),
    ),
)
FINAL = {"fast": 0.05, "middle": 0.02, "slow": 0.30}


def record(method, seed, **changes):
    values = {
        "key": f"{method}-{seed}", "suite": "suite", "benchmark": "kinds", "method": method,
        "dataset": {"name": "mnist", "digests": {}, "n_test": 4}, "profile": "lecture", "backend": "tensorflow",
        "device": "cpu", "seed": seed, "role": "judged", "status": "ok", "recipe": {},
        "started": f"2026-01-0{seed + 1}", "seconds": {"fit": 1.0},
    }  # fmt: skip
    return Record(**(values | changes))


def network(method, seed):
    error = FINAL[method] + 0.001 * seed
    curve = [{"epoch": i, "step": 10 * i, "validation_error": max(0.5 - 0.2 * i, error)} for i in (1, 2, 3)]
    metrics = {"test": {"error": 0.25, "loss": 1.0}, "validation": {"error": error}}
    return record(method, seed, curve=curve, metrics=metrics)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "out")
    store.begin()
    for seed in range(5):
        for method in FINAL:
            store.write(network(method, seed), {"test": np.full((4, 2), 0.5, np.float16)})
        measured = {"deviation": 1e-7 * (seed + 1), "slope": 1e-10 if seed else 2e-9}
        store.write(record("formula", seed, metrics={"measured": measured}), None)
    return store


@pytest.fixture
def results(store):
    return collect({"kinds": BENCHMARK}, store, losses=lambda record: np.zeros(4))


def verdicts(results):
    return {result.claim.kind + " " + result.claim.metric: result.judgement for result in results.claims}


def test_each_kind_is_judged_by_its_rule(results):
    by_claim = {name: judgement.verdict for name, judgement in verdicts(results).items()}
    assert by_claim == {
        "identity deviation": "reproduced",
        "identity slope": "worse",
        "time to target validation error": "reproduced",
        "minimum validation error": "reproduced",
        "order validation error": "reproduced",
        "equivalence validation error": "reproduced",
    }


def test_identity_counts_the_largest_of_all_seeds(results):
    judged = verdicts(results)
    assert judged["identity deviation"].mean == pytest.approx(5e-7)
    assert "5e-07 is within 1e-06" in judged["identity deviation"].reason
    assert judged["identity slope"].n == 5


def test_identity_that_does_not_hold_reads_contradicted(results):
    assert [result.word for result in results.claims][1] == "contradicted"


@pytest.mark.parametrize("value", [math.nan, -1.0])
def test_what_is_no_deviation_is_not_judged(store, value):
    store.write(record("formula", 5, metrics={"measured": {"deviation": value, "slope": 0.0}}), None)
    judged = verdicts(collect({"kinds": BENCHMARK}, store, losses=lambda record: np.zeros(4)))
    assert judged["identity deviation"].verdict == "not_run"
    assert judged["identity slope"].verdict == "worse"


def test_run_that_lacks_the_number_leaves_its_claim_open(store):
    store.write(record("formula", 5, metrics={"measured": {"slope": 0.0}}), None)
    judged = verdicts(collect({"kinds": BENCHMARK}, store, losses=lambda record: np.zeros(4)))
    assert judged["identity deviation"].verdict == "not_run"
    assert "1 of 6 runs recorded no deviation" in judged["identity deviation"].reason


def test_steps_until_a_target_are_the_first_that_reach_it():
    run = network("fast", 0)
    assert steps_until(run, "validation error", 0.1) == 20
    assert steps_until(run, "validation error", 0.05) == 30
    assert steps_until(run, "validation error", 0.01) == math.inf


def test_experiment_is_a_row_without_predictions_and_nobody_misses_them(results):
    row = next(row for row in results.rows if row.method.name == "formula")
    assert (row.metric, row.n) == ("deviation", 5)
    assert not [note for note in results.notes if "formula" in note]


def test_table_holds_every_kind_and_reads_well(results):
    lines = list(csv.DictReader(io.StringIO(to_csv(table_rows(results)))))
    kinds = [line["kind"] for line in lines if line["claim"]]
    assert sorted(kinds) == sorted(result.claim.kind for result in results.claims)
    identity = next(line for line in lines if line["claim"] == "formula: both sides agree")
    assert (identity["published"], identity["unit"], identity["metric"]) == ("0.0", "1e-06", "deviation")
    assert (identity["n"], identity["verdict"]) == ("5", "reproduced")
    markdown = to_markdown(results)
    assert "formula: both sides agree" in markdown
    assert "contradicted" in markdown


def test_claim_that_is_not_judged_shows_its_own_metric(tmp_path):
    store = Store(tmp_path / "smoke")
    store.begin()
    store.write(record("formula", 0, profile="smoke", metrics={"measured": {"deviation": 0.5, "slope": 0.25}}), None)
    smoke_results = collect({"kinds": BENCHMARK}, store, losses=lambda record: np.zeros(4))
    lines = {line["claim"]: line for line in csv.DictReader(io.StringIO(to_csv(table_rows(smoke_results))))}
    slope = lines["formula: slopes agree"]
    assert (slope["verdict"], slope["metric"], slope["mean"]) == ("not_run", "slope", "0.25")


def test_number_of_another_metric_than_the_rows_stands_beside_that_metric(store):
    claim = NumberClaim(method="fast", printed="1.0", metric="loss", **ABOUT)
    loss_results = collect({"kinds": replace(BENCHMARK, claims=(claim,))}, store, losses=lambda record: np.zeros(4))
    [block] = blocks(loss_results)
    line = next(line for line in block.lines if line.published)
    assert (line.published, line.measured, line.interval) == ("1.0", "1 ± 0", "[0.95, 1.05]")
    assert line.verdict == "reproduced"


def test_evidence_shows_of_each_run_what_its_claim_looks_at(results, store):
    shown = {
        (result.claim.kind, result.claim.metric): [
            [observation(result, run) for run in row.runs] for row in result.rows
        ]
        for result in results.claims
    }
    assert shown["time to target", "validation error"] == [["20"] * 5, ["never"] * 5]
    assert shown["identity", "slope"] == [["2e-09", *["1e-10"] * 4]]
    assert shown["order", "validation error"][0] == ["2.00%", "2.10%", "2.20%", "2.30%", "2.40%"]
    text = write_report(results, store, no_data, store.folder).read_text()
    assert "Steps to 10% validation error" in text
    assert "<bdi>Fast</bdi> before <bdi>Slow</bdi> at 10% validation error" in text


def test_page_shows_claims_drawings_and_what_could_not_be_drawn(results, store):
    page = write_report(results, store, no_data, store.folder)
    text = page.read_text()
    assert "Steps to the target" in text
    assert "fast ends at 0.052" in text
    assert "no ink" in text
    assert (store.folder / "figures" / "kinds-mnist-steps.svg").is_file()
    assert "a tenth" in text


def test_drawing_waits_for_all_its_methods(store, tmp_path):
    partial = Store(tmp_path / "partial")
    partial.begin()
    partial.write(network("fast", 0), {"test": np.full((4, 2), 0.5, np.float16)})
    partial_results = collect({"kinds": BENCHMARK}, partial, losses=lambda record: np.zeros(4))
    write_report(partial_results, partial, no_data, partial.folder)
    assert not (partial.folder / "figures" / "kinds-mnist-steps.svg").exists()


def test_shares_are_percent_and_deviations_have_three_digits():
    assert show("validation error")(0.0234) == "2.34%"
    assert show("deviation")(1.234e-16) == "1.23e-16"
    assert show("deviation")(math.inf) == "inf"
    assert show("mae")(254.66) == "254.7"
