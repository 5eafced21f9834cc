"""What another value of a parameter would have said: judged by its own runs, by the claim's own rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lecturebench.judging.statistics import judge_number, not_run
from lecturebench.judging.what_if import steps
from lecturebench.report.audit import what_if


@pytest.fixture
def ridge(results):
    return next(result for result in results.claims if result.claim.methods == ("ridge",))


def test_each_value_is_judged_by_its_own_runs_and_the_claims_rule(ridge):
    tried = [(1e-5, [0.060, 0.061, 0.062]), (1e-4, [0.068, 0.069, 0.070]), (1e-3, [])]
    first, second = steps(ridge, tried)
    assert (first.value, second.value) == (1e-5, 1e-4)
    show = ridge.measure.show
    assert first.result.judgement == judge_number([0.060, 0.061, 0.062], published=0.069, unit=0.001, show=show)
    assert (first.result.judgement.verdict, second.result.judgement.verdict) == ("better", "reproduced")


def test_every_value_of_a_grid_that_has_runs_is_there_in_rising_order(ridge):
    [(parameter, chosen, judged)] = what_if(ridge)
    assert (parameter, chosen) == ("penalty", 0.0001)
    assert [step.value for step in judged] == [1e-05, 0.0001, 0.001]
    assert all(len(step.values) == 3 for step in judged)


def test_runs_of_a_choice_that_were_fitted_on_fewer_examples_say_nothing_of_the_row(ridge):
    [row] = ridge.rows
    fewer = tuple(replace(run, dataset={**run.dataset, "n_train": 400}) for run in row.choice_runs)
    assert what_if(replace(ridge, rows=(replace(row, choice_runs=fewer),))) == []


def test_a_claim_that_was_not_judged_has_no_what_if(ridge):
    assert what_if(replace(ridge, judgement=not_run("the smoke profile cannot judge it"))) == []


def test_rows_that_chose_nothing_have_no_such_question(results):
    others = [result for result in results.claims if result.claim.methods != ("ridge",)]
    assert others
    assert all(what_if(result) == [] for result in others)
