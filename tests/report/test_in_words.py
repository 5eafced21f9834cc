"""Verdicts in a student's words: the right way round, with the judgement's own numbers, whatever came out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench import metrics
from lecturebench.declare.claims import (
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
    selected,
)
from lecturebench.judging.results import ClaimResult, Results
from lecturebench.judging.statistics import Interval, Judgement, judge_number
from lecturebench.report.in_words import amount, claim_title, in_words

PLACE = {"source": "a book", "slide": "a slide", "dataset": "mnist", "protocol": {}, "metric": "error"}
DROPOUT, RIDGE = "Neural network + dropout", "Neural network + ridge"


@pytest.fixture
def told(results: Results):
    """What is said of a claim with a judgement, in the made-up error table."""
    rows = {row.method.name: row for row in results.rows}

    def told(claim, judgement, **changes):
        own = tuple(replace(rows[name], **changes) for name in claim.methods)
        return in_words(ClaimResult(rows["ridge"].benchmark, claim, judgement, own))

    return told


def difference(low: float, high: float, verdict: str, **more) -> Judgement:
    """A judgement of the second minus the first."""
    return Judgement(verdict, "", 5, (low + high) / 2, 0.001, low, high, over_examples=Interval(low, high), **more)


def order(**changes) -> OrderClaim:
    return OrderClaim(order=("dropout", "ridge"), **{**PLACE, **changes})


def number(printed: str, **changes) -> NumberClaim:
    return NumberClaim(method="ridge", printed=printed, **{**PLACE, **changes})


def test_an_order_too_close_to_call_names_both_ways(told):
    assert told(order(), difference(-0.0013, 0.0032, "inconclusive")) == (
        f"{DROPOUT} was 0.10 points better than {RIDGE} here; with other seeds and other test examples it could be "
        "0.13 points worse to 0.32 points better: too close to call."
    )


def test_an_order_that_holds_is_better_by_the_ends_of_its_interval(told):
    assert told(order(), difference(0.0004, 0.003, "reproduced")).endswith(
        "it could be 0.04 to 0.30 points better: as claimed."
    )


def test_an_order_the_other_way_round_is_worse(told):
    said = told(order(), difference(-0.003, -0.0004, "worse"))
    assert f"{DROPOUT} was 0.17 points worse than" in said
    assert said.endswith("it could be 0.04 to 0.30 points worse: the opposite of what is claimed.")


def test_where_higher_is_better_the_lower_one_is_worse(told):
    said = told(order(metric="accuracy"), difference(0.001, 0.003, "reproduced"))
    assert "0.20 points worse than" in said


def test_an_order_about_a_table_speaks_of_other_seeds_alone(told):
    assert "; with other seeds it could" in told(order(about="table"), difference(0.001, 0.003, "reproduced"))


def test_what_no_metric_is_is_lower_and_not_better(told):
    said = told(order(metric="sharpness"), difference(0.1, 0.3, "reproduced"))
    assert f"{DROPOUT} was 0.2 lower in sharpness than {RIDGE} here" in said


def test_the_words_of_an_order_follow_its_interval(told):
    @given(low=st.floats(-0.5, 0.5), width=st.floats(0.0001, 0.4))
    def holds_for(low, width):
        high = low + width
        verdict = "reproduced" if low > 0 else "worse" if high < 0 else "inconclusive"
        ending = {"reproduced": "as claimed", "worse": "the opposite of what is claimed"}.get(verdict)
        judgement = difference(low, high, verdict)
        said = told(order(), judgement)
        assert said.endswith(f": {ending or 'too close to call'}.")
        assert ("better than" in said) == (judgement.mean > 0)
        could = said.partition("it could be ")[2]
        assert ("worse" in could) == (low < 0)
        assert ("better" in could) == (high > 0)

    holds_for()


def test_a_number_inside_could_be_a_run_of_ours(told):
    judged = judge_number([0.06, 0.062, 0.064], published=0.063, unit=0.001, show=metrics.METRICS["error"].show)
    assert told(number("6.3%"), judged) == (
        f"{RIDGE} gave 6.20% in 3 runs on average; one more run would land between {100 * judged.low:.2f}% and "
        f"{100 * judged.high:.2f}%, rounding allowed for, and the printed 6.3% could be such a run."
    )


@pytest.mark.parametrize(
    ("printed", "verdict", "said"),
    [("9.9%", "better", "lies above: ours is better."), ("1.1%", "worse", "lies below: ours is worse.")],
)
def test_a_number_outside_says_on_which_side(told, printed, verdict, said):
    claim = number(printed)
    judged = judge_number([0.06, 0.062, 0.064], published=claim.published, unit=claim.unit)
    assert judged.verdict == verdict
    assert told(claim, judged).endswith(said)


def test_a_wide_interval_is_no_reproduction(told):
    judged = judge_number([0.04, 0.06, 0.08], published=0.063, unit=0.001)
    assert told(number("6.3%"), judged).endswith("6.3% is in there, but so would too much else be: too close to call.")


def test_one_and_two_runs_are_too_few(told):
    for errors in ([0.06], [0.06, 0.07]):
        said = told(number("6.3%"), judge_number(errors, published=0.063, unit=0.001))
        assert said.endswith("too few to judge 6.3% by.")


def test_an_exact_number_gives_the_same_every_time(told, results):
    lda = NumberClaim(method="lda", printed="38.3%", **PLACE)
    exact = judge_number([0.3832], published=0.383, unit=0.001, deterministic=True)
    assert told(lda, exact) == (
        "Linear discriminant analysis gives 38.32%, every time: what is printed, 38.3%, to its last digit."
    )
    off = judge_number([0.40], published=0.383, unit=0.001, deterministic=True)
    assert told(lda, off).endswith("gives 40.00%, every time; 38.3% is printed, 1.70 points better than ours.")


def test_a_share_without_a_percent_sign_is_told_as_both(told):
    judged = judge_number([0.93, 0.931, 0.932], published=0.931, unit=0.001, higher_is_better=True)
    assert "0.931 (93.10%) could be such a run" in told(number("0.931", metric="accuracy"), judged)


def test_a_selected_number_is_the_best_of_so_many(told):
    claim = number("6.3%", protocol={"run": selected("the best", "a book", 5)})
    judged = judge_number([0.06, 0.062, 0.064], published=0.063, unit=0.001, best_of=5)
    assert "the best of 5 more runs would land between" in told(claim, judged)


def test_an_equivalence_names_what_counts_as_the_same(told):
    claim = EquivalenceClaim(pair=("dropout", "ridge"), delta="0.5%", because="-", **PLACE)
    assert told(claim, difference(-0.002, 0.003, "reproduced")).endswith(
        "it could be up to 0.30 points, and up to 0.50 points counts as the same: as claimed."
    )
    assert told(claim, difference(-0.02, -0.01, "worse")).endswith(
        "it would still be 1.00 points, and up to 0.50 points counts as the same: they are not alike."
    )


def test_a_race_tells_the_ratio(results):
    rows = {row.method.name: row for row in results.rows}
    claim = TimeToTargetClaim(faster="dropout", slower="ridge", target="3%", **{**PLACE, "metric": "validation error"})
    judged = Judgement("reproduced", "", 5, 1.9, 0.1, 1.5, 2.3, over_seeds=Interval(1.5, 2.3))
    there = tuple(
        replace(rows[name], runs=tuple(steps(run, at) for run in rows[name].runs))
        for name, at in (("dropout", 10), ("ridge", 20))
    )
    assert in_words(ClaimResult(rows["ridge"].benchmark, claim, judged, there)) == (
        f"{RIDGE} needed 1.9 times the steps of {DROPOUT}; with other seeds it could be 1.5 to 2.3 times: as claimed."
    )


def steps(record, at):
    """The run with validation errors so that it is at 3% at that step; never for None."""
    curve = [{"step": step, "validation_error": 0.02 if at and step >= at else 0.1} for step in (10, 20, 30)]
    return replace(record, curve=curve)


def test_a_race_says_who_never_got_there(told, results):
    claim = TimeToTargetClaim(faster="dropout", slower="ridge", target="3%", **{**PLACE, "metric": "validation error"})
    judged = Judgement("reproduced", "", 5, 1.9, 0.1, 1.5, 2.3, over_seeds=Interval(1.5, 2.3))
    rows = {row.method.name: row for row in results.rows}
    there = replace(rows["dropout"], runs=tuple(steps(run, 10) for run in rows["dropout"].runs))
    never = replace(rows["ridge"], runs=tuple(steps(run, None) for run in rows["ridge"].runs))
    said = in_words(ClaimResult(rows["ridge"].benchmark, claim, judged, (there, never)))
    assert said.startswith(
        f"{RIDGE} needed at least 1.9 times the steps of {DROPOUT} (5 of 5 of {RIDGE} never got there"
    )


@pytest.mark.parametrize(
    ("verdict", "end"),
    [("reproduced", "it holds."), ("worse", "it does not hold."), ("inconclusive", "but runs diverged: open.")],
)
@pytest.mark.parametrize("tolerance", [1e-6, 0.5])
def test_a_formula_holds_or_does_not_or_is_open(told, verdict, end, tolerance):
    claim = IdentityClaim(method="lda", statement="x", tolerance=tolerance, **{**PLACE, "metric": "deviation"})
    assert told(claim, Judgement(verdict, "", 5, 2e-7)).endswith(end)


def test_an_order_says_what_it_compares_where_its_metric_does_not(results):
    [order] = [result for result in results.claims if result.claim.kind == "order"]
    named = replace(order, claim=replace(order.claim, metric="validation error", quantity="share of the error left"))
    assert claim_title(named).endswith(", by share of the error left")
    assert "in share of the error left than" in in_words(named)


def test_a_formula_says_what_it_is_off_in(told):
    claim = IdentityClaim(
        method="lda", statement="x", tolerance=1e-6, unit="base rates", **{**PLACE, "metric": "deviation"}
    )
    assert told(claim, Judgement("reproduced", "", 5, 2e-7)).startswith(
        "In 5 draws it is off by at most 2e-07 base rates,"
    )


def test_what_is_no_deviation_is_called_what_it_is(told):
    said = {"statement": "x", "quantity": "the height of the chord", "unit": "of R in the middle"}
    claim = IdentityClaim(method="lda", tolerance=0.999, **said, **{**PLACE, "metric": "chord"})
    assert told(claim, Judgement("reproduced", "", 1, 0.785)) == (
        "The height of the chord is at most 0.785 of R in the middle, and up to 0.999 is allowed: it holds."
    )


@pytest.mark.parametrize(
    "claim",
    [
        order(),
        number("6.3%"),
        EquivalenceClaim(pair=("dropout", "ridge"), delta="0.5%", because="-", **PLACE),
        MinimumClaim(path=("ridge", "dropout", "logistic"), **PLACE),
        IdentityClaim(method="lda", statement="x", tolerance=0, **PLACE),
    ],
    ids=lambda claim: claim.kind,
)
def test_an_open_claim_without_a_number_gives_the_rules_own_reason(told, claim):
    assert told(claim, Judgement("inconclusive", "no run of it finished")) == "Open: no run of it finished."


def test_a_number_whose_selection_nobody_tells_of_is_not_said_to_be_too_wide(told):
    claim = number("6.2%", protocol={"run": selected("the best", "a book")})
    judged = judge_number([0.0615, 0.062, 0.0625], published=0.062, unit=0.001, best_of=None)
    assert told(claim, judged).endswith("6.2% is in there, but nobody says of how many runs it is the best: open.")


def test_a_narrow_interval_is_open_by_what_diverged(told, results):
    lost = replace(results.rows[0].runs[0], status="diverged")
    judged = replace(judge_number([0.0615, 0.062, 0.0625], published=0.062, unit=0.001), verdict="inconclusive")
    assert "6.2% is in there, but runs diverged: open." in told(number("6.2%"), judged, failed=(lost,))


def test_what_diverged_opens_an_equivalence_only_where_the_interval_is_clear_of_its_border(told, results):
    lost = replace(results.rows[0].runs[0], status="diverged")
    claim = EquivalenceClaim(pair=("dropout", "ridge"), delta="0.5%", because="-", **PLACE)
    assert ": open, since runs diverged." in told(claim, difference(-0.002, 0.003, "inconclusive"), failed=(lost,))
    assert ": too close to call." in told(claim, difference(0.002, 0.01, "inconclusive"), failed=(lost,))


def test_a_minimum_names_the_best_of_its_rows(told):
    claim = MinimumClaim(path=("ridge", "dropout", "logistic"), **PLACE)
    assert told(claim, Judgement("inconclusive", "", 5)).endswith(
        "none inside is clearly below both ends: too close to call."
    )
    assert told(claim, Judgement("inconclusive", "", 2)) == "2 seeds of each are too few to tell where the lowest lies."


def test_runs_that_diverged_leave_a_clear_interval_open(told, results):
    lost = replace(results.rows[0].runs[0], status="diverged")
    said = told(order(), difference(0.001, 0.003, "inconclusive"), failed=(lost,))
    assert ": open, since runs diverged." in said
    assert "failed (1 diverged); what they would have given, nobody knows." in said


def test_a_claim_that_was_not_run_says_why_in_a_line(told):
    reason = "cifar10 cannot be had; tried:\n  a folder: nothing there"
    assert told(order(), Judgement("not_run", reason)) == "Not measured: cifar10 cannot be had."


def test_a_difference_that_rounds_to_nothing_is_not_said_to_be_0():
    error = metrics.METRICS["error"]
    assert amount(0.00001, error) == "less than 0.01 points"
    assert amount(0.0, error) == "0.00 points"
    assert amount(-0.0013, error) == "0.13 points"
