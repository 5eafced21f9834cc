"""Why a verdict came out and what would decide it: each pair, both intervals, more seeds and their cost."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lecturebench.declare.claims import OrderClaim, selected
from lecturebench.judging.results import ClaimResult, Results
from lecturebench.judging.statistics import Judgement
from lecturebench.report.reasons import (
    chain_reasons,
    explained,
    has_both,
    is_open,
    pairs,
    predicting_seconds,
    protocol_in_short,
    remedy,
    seconds_per_run,
    why_decides,
)
from lecturebench.report.table import time_per_fit
from tests.report.filled import chain, filled, pair


@pytest.fixture
def order(results: Results) -> ClaimResult:
    return filled(results).claims[-1]


def test_each_pair_of_a_chain_has_its_sign(order: ClaimResult) -> None:
    assert [(item.names, item.sign, item.word) for item in pairs(order)] == [
        (("dropout", "ridge"), "?", "inconclusive"),
        (("ridge", "logistic"), "✓", "reproduced"),
        (("logistic", "lda"), "✓", "reproduced"),
    ]
    text = explained(order)
    assert text.startswith("inconclusive: ? ridge minus dropout is 1.00% in [-1.00%, 3.00%]")
    assert text.count("✓") == 2


def test_a_contradicted_pair_is_not_called_worse(order: ClaimResult) -> None:
    judgement = chain(order.claim.methods, ("worse", "reproduced", "inconclusive"))
    assert [item.word for item in pairs(replace(order, judgement=judgement))] == [
        *("contradicted", "reproduced", "inconclusive")
    ]


def test_what_the_chain_adds_to_its_pairs_is_kept(order: ClaimResult) -> None:
    more = replace(order.judgement, reason=f"{order.judgement.reason}; ridge: 1 of 5 runs failed")
    assert chain_reasons(replace(order, judgement=more))[1] == "ridge: 1 of 5 runs failed"
    other = replace(order.judgement, reason="a reason of its own")
    assert chain_reasons(replace(order, judgement=other))[1] == "a reason of its own"
    assert "? Neural network + dropout < Neural network + ridge" in explained(replace(order, judgement=other))


def test_both_intervals_are_told_and_which_decides(order: ClaimResult) -> None:
    assert has_both(order)
    assert isinstance(order.claim, OrderClaim)
    assert "new examples too decides" in why_decides(order.claim)
    assert "on this test set [-0.50%, 2.50%]" in explained(order)
    printed = replace(order.claim, about="table")
    assert "this test set decides" in why_decides(printed)
    assert "on new examples too [-1.00%, 3.00%]" in explained(replace(order, claim=printed))


def test_a_single_pair_is_its_own_judgement(order: ClaimResult) -> None:
    assert isinstance(order.claim, OrderClaim)
    two = replace(order.claim, order=("dropout", "ridge"))
    single = replace(order, claim=two, judgement=pair("dropout", "ridge", "reproduced"), rows=order.rows[:2])
    assert [item.names for item in pairs(single)] == [("dropout", "ridge")]
    assert has_both(single)
    assert explained(single).count("✓") == 0


def test_open_claims_say_the_seeds_and_their_cost(results: Results, order: ClaimResult) -> None:
    needed = remedy(order)
    assert needed is not None
    # Only the pair that is open needs more seeds: 18 more of two networks that have 5.
    assert (needed.methods, needed.seeds, needed.runs) == (("dropout", "ridge"), 23, 36)
    per_fit = [seconds_per_run(row) for row in order.rows[:2]]
    assert needed.seconds == pytest.approx(18 * sum(per_fit))
    assert needed.cost == "36 more runs, about 9 min on one core"
    assert "23 seeds in all: 36 more runs" in explained(order)


def test_an_undecided_number_is_open_whatever_its_verdict(results: Results) -> None:
    ridge = filled(results).claims[0]
    assert ridge.judgement.verdict == "reproduced"
    assert is_open(ridge)
    assert "10 seeds in all: 5 more runs" in explained(ridge)


def test_what_is_settled_or_has_no_known_number_needs_no_seeds(results: Results, order: ClaimResult) -> None:
    assert all(remedy(result) is None for result in results.claims)
    hopeless = replace(order, judgement=replace(order.judgement, seeds_needed=None))
    assert is_open(hopeless)
    assert remedy(hopeless) is None


def test_cost_is_left_out_where_no_run_says_how_long_it_took(order: ClaimResult) -> None:
    rows = tuple(replace(row, runs=tuple(replace(run, seconds={}) for run in row.runs)) for row in order.rows)
    needed = remedy(replace(order, rows=rows))
    assert needed is not None
    assert needed.cost == "36 more runs"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        ({"fit": 0.15, "predict": 104.0}, "0.15 s + 1 min 44 s predicting"),
        ({"fit": 12.0, "predict": 1.3}, "12 s + 1.3 s predicting"),
        ({"fit": 12.0, "predict": 1.1}, "12 s"),
        ({"fit": 12.0}, "12 s"),
        ({}, ""),
    ],
)
def test_predicting_is_shown_where_it_takes_more_than_a_tenth_of_fitting(
    results: Results, seconds: dict[str, float], shown: str
) -> None:
    row = results.rows[0]
    timed = replace(row, runs=tuple(replace(run, seconds=seconds) for run in row.runs))
    assert time_per_fit(timed) == shown
    assert math.isnan(predicting_seconds(timed)) == ("predicting" not in shown)


def test_assumed_and_selected_fields_are_counted(results: Results) -> None:
    claim = results.claims[0].claim
    assert protocol_in_short(claim) == "1 assumed"
    picked = replace(claim, protocol={**claim.protocol, "runs": selected("best", "nobody")})
    assert protocol_in_short(picked) == "1 assumed, 1 selected"
    assert protocol_in_short(replace(claim, protocol={"epochs": claim.protocol["dataset"]})) == "nothing assumed"
    assert protocol_in_short(replace(claim, protocol={})) == ""


def test_a_claim_that_was_not_run_has_no_pairs(order: ClaimResult) -> None:
    unjudged = replace(order, judgement=Judgement("not_run", "not fitted yet"), rows=())
    assert pairs(unjudged) == ()
    assert explained(unjudged) == "not run: not fitted yet"
