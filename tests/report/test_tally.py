"""Numbers, effects and formulas are counted apart, and false alarms over those that chance can turn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lecturebench.declare.claims import IdentityClaim
from lecturebench.judging.results import ClaimResult, Results
from lecturebench.judging.statistics import Judgement, Verdict
from lecturebench.report.tally import counts, false_alarms, headline, sentences


def formulas(results: Results, *verdicts: Verdict) -> tuple[ClaimResult, ...]:
    """So many formulas with these verdicts."""
    return tuple(
        replace(
            results.claims[0],
            claim=IdentityClaim(
                method="lda", statement=f"{i}", tolerance=1.0, dataset="mnist", source="s", slide="s", protocol={}
            ),
            judgement=Judgement(verdict, ""),
        )
        for i, verdict in enumerate(verdicts)
    )


def test_groups_are_counted_apart_with_their_own_words(results: Results) -> None:
    tally = counts([*results.claims, *formulas(results, "reproduced", "reproduced", "worse")])
    assert sentences(tally) == (
        "Numbers: 1 of 4 reproduced, 2 better, 1 worse. Effects: 1 of 1 reproduced. "
        "Formulas: 2 of 3 hold, 1 contradicted."
    )
    assert headline(tally) == "1 of 4 numbers and 1 of 1 effect reproduced, 2 of 3 formulas hold"


def test_an_effect_that_fails_is_contradicted_and_never_worse(results: Results) -> None:
    order = replace(results.claims[-1], judgement=Judgement("worse", ""))
    assert sentences(counts([order])) == "Effects: 0 of 1 reproduced, 1 contradicted."


def test_one_formula_holds(results: Results) -> None:
    tally = counts(formulas(results, "reproduced"))
    assert (sentences(tally), headline(tally)) == ("Formulas: 1 of 1 holds.", "1 of 1 formula holds")


def test_groups_of_which_nothing_was_judged_are_not_in_the_headline(results: Results) -> None:
    unjudged = [replace(result, judgement=Judgement("not_run", "")) for result in results.claims[:-1]]
    assert headline(counts([*unjudged, results.claims[-1]])) == "1 of 1 effect reproduced"
    assert headline(counts(unjudged)) == ""
    assert sentences(counts(unjudged)) == "Numbers: 0 of 4 reproduced, 4 not run."
    assert sentences(counts([])) == "No claims."


def test_what_is_not_yet_decided_is_counted(results: Results) -> None:
    first, *others = results.claims
    tally = counts([replace(first, judgement=replace(first.judgement, undecided=True)), *others])
    assert "Numbers: 1 of 4 reproduced, 2 better, 1 worse; 1 not yet decided." in sentences(tally)


@pytest.mark.parametrize("held", [0, 1, 1000])
def test_false_alarms_are_expected_over_numbers_and_effects_alone(results: Results, held: int) -> None:
    said = false_alarms(counts([*results.claims, *formulas(results, *["reproduced"] * held)]))
    assert said == (
        "Even if all of them hold, up to 0.25 false alarms are to be expected: 5% of the 5 numbers and effects judged."
    )


def test_no_false_alarm_is_expected_where_chance_decides_nothing(results: Results) -> None:
    assert false_alarms(counts(formulas(results, "reproduced", "worse"))) == ""
    unjudged = [replace(result, judgement=Judgement("not_run", "")) for result in results.claims]
    assert false_alarms(counts(unjudged)) == ""
