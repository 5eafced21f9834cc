"""Over which assumed values a published number would come out: in ranges, between, nearest, or nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lecturebench import Choice, Network
from lecturebench.declare.claims import NumberClaim, assumed
from lecturebench.judging.results import ClaimResult, Results, show
from lecturebench.judging.statistics import Verdict
from lecturebench.report.audit import (
    Published,
    Step,
    assumed_fields,
    audited,
    choice_steps,
    chosen_values,
    comes_out,
    where_published,
)
from tests.made_up import GRID

RIDGE = Published(0.023, 0.001, "2.3%")


def said(*paths: tuple[float, Sequence[float]], chosen: float | None = None) -> str:
    steps = [Step(value, [], errors) for value, errors in paths]
    return where_published("penalty", steps, RIDGE, show("error"), chosen)


def test_neighbours_are_a_range_and_others_a_list() -> None:
    path = [(1e-5, [0.0228, 0.024]), (1e-4, [0.0225, 0.0226]), (1e-3, [0.019, 0.02]), (0.01, [0.022, 0.03])]
    assert said(*path) == "2.3% lies within the runs at penalty 1e-5 to 1e-4 and 0.01"


def test_rounding_of_the_published_number_counts() -> None:
    assert comes_out([Step(1.0, [], [0.02349, 0.03])], 0.023, 0.001)[0] == (1.0,)
    assert comes_out([Step(1.0, [], [0.02351, 0.03])], 0.023, 0.001)[0] == ()


def test_a_number_between_two_values_is_said_to_lie_there() -> None:
    assert said((1e-4, [0.018, 0.019]), (1e-3, [0.03, 0.031])) == "2.3% lies between the runs at penalty 1e-4 and 0.001"


def test_a_number_beyond_the_path_names_the_nearest_value() -> None:
    assert said((1e-5, [0.018, 0.019]), (1e-4, [0.020]), chosen=1e-5) == (
        "2.3% lies within the runs at no penalty of 1e-5 to 1e-4; nearest is 2.00% at 1e-4; chosen was 1e-5"
    )


def test_a_path_without_test_results_says_nothing() -> None:
    assert where_published("penalty", [Step(1e-5, [0.02], [])], RIDGE, show("error"), None) == ""
    assert where_published("penalty", [], RIDGE, show("error"), None) == ""


@pytest.mark.parametrize("verdict", ["better", "worse"])
def test_better_is_audited_like_worse(results: Results, verdict: Verdict) -> None:
    assert audited(judged(results, "ridge", verdict)) == (
        "6.9% lies within the runs at penalty 1e-5 to 1e-4; chosen was 1e-4"
    )


def test_a_chosen_value_at_an_end_of_its_grid_is_said_to_be_one(results: Results) -> None:
    ridge = judged(results, "ridge", "worse")
    [row] = ridge.rows
    runs = tuple(run for run in row.choice_runs if run.recipe["penalty"] <= 1e-4)
    rows = (replace(row, choice_runs=runs),)
    assert audited(replace(ridge, rows=rows)).endswith("; chosen was 1e-4, an end of the grid")


def test_each_of_several_parameters_has_a_path_at_the_chosen_values_of_the_others(results: Results) -> None:
    ridge = judged(results, "ridge", "worse")
    [row] = ridge.rows
    method = row.method
    assert method.training is not None
    rate = Choice((0.001, 0.01), (101, 102, 103), rule="least")
    several = Network(
        "ridge", "Ridge", method.function, replace(method.training, learning_rate=rate), **method.parameters
    )
    faster = [
        replace(run, recipe={**run.recipe, "learning_rate": 0.01}, metrics={"test": {"error": 0.2}})
        for run in row.choice_runs
    ]
    row = replace(row, method=several, choice_runs=(*row.choice_runs, *faster))
    assert chosen_values(row) == {"penalty": 1e-4, "learning_rate": 0.001}
    assert choice_steps(row, "penalty", "error") == choice_steps(ridge.rows[0], "penalty", "error")
    rates = choice_steps(row, "learning_rate", "error")
    assert [(step.value, len(step.test)) for step in rates] == [(1e-3, 3), (0.01, 3)]
    assert audited(replace(ridge, rows=(row,))) == (
        "6.9% lies within the runs at penalty 1e-5 to 1e-4; chosen was 1e-4; "
        "6.9% lies within the runs at learning rate 0.001; chosen was 0.001, an end of the grid"
    )


@pytest.mark.parametrize("verdict", ["reproduced", "inconclusive", "not_run"])
def test_other_verdicts_need_no_audit(results: Results, verdict: Verdict) -> None:
    assert audited(judged(results, "ridge", verdict)) == ""


def test_a_method_without_a_path_says_that_nothing_was_varied(results: Results) -> None:
    assert audited(judged(results, "logistic", "worse")) == "nothing that is assumed was varied: epochs"
    bare = judged(results, "logistic", "better")
    stated = {name: field for name, field in bare.claim.protocol.items() if field.status == "stated"}
    assert "assumes nothing" in audited(replace(bare, claim=replace(bare.claim, protocol=stated)))
    many = {name: assumed("1", "why") for name in ("epochs", "batch", "rate", "decay", "runs")}
    assert assumed_fields(replace(bare.claim, protocol=many)) == list(many)
    assert audited(replace(bare, claim=replace(bare.claim, protocol=many))).endswith("epochs, batch, rate and 2 more")


def test_audit_reads_the_metric_of_the_claim(results: Results) -> None:
    ridge = judged(results, "ridge", "worse")
    assert isinstance(ridge.claim, NumberClaim)
    salaries = replace(ridge.claim, metric="loss", printed="0.9")
    assert audited(replace(ridge, claim=salaries)).startswith("0.9 lies")
    assert "%" not in audited(replace(ridge, claim=salaries))


def test_a_value_at_which_a_run_failed_has_no_result(results: Results) -> None:
    [row] = judged(results, "ridge", "worse").rows
    runs = [replace(run, status="diverged") if run.recipe["penalty"] == GRID[1] else run for run in row.choice_runs]
    steps = choice_steps(replace(row, choice_runs=tuple(runs)), "penalty", "error")
    assert [(step.value, step.failed, len(step.test)) for step in steps] == [
        (GRID[0], False, 3),
        (GRID[1], True, 0),
        (GRID[2], False, 3),
    ]


def judged(results: Results, method: str, verdict: Verdict) -> ClaimResult:
    """The number of a method with another verdict."""
    result = next(item for item in results.claims if item.claim.methods == (method,))
    return replace(result, judgement=replace(result.judgement, verdict=verdict))
