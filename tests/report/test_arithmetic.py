"""The sums on the page: done again with the numbers that are printed, they give the ends that decided."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lecturebench.declare.claims import NumberClaim, OrderClaim, TimeToTargetClaim, selected
from lecturebench.judging.results import ClaimResult, Results
from lecturebench.judging.statistics import judge_number, judge_time_to_target
from lecturebench.metrics import METRICS
from lecturebench.report.arithmetic import printed_range, sums
from tests.report.filled import chain

PLACE = {"source": "a book", "slide": "a slide", "dataset": "mnist", "protocol": {}, "metric": "error"}
SHOW = METRICS["error"].show


def of(results: Results, claim, judgement) -> ClaimResult:
    rows = {row.method.name: row for row in results.rows}
    own = tuple(rows[name] for name in claim.methods)
    return ClaimResult(own[0].benchmark, claim, judgement, own)


def value(text: str) -> float:
    return float(text.removesuffix("%"))


def test_the_sum_of_a_number_gives_its_interval(results):
    judged = judge_number([0.0604, 0.0623, 0.0641, 0.0618], published=0.063, unit=0.001, show=SHOW)
    [each] = sums(of(results, NumberClaim(method="ridge", printed="6.3%", **PLACE), judged))
    assert (each.kind, each.n, each.quantile, each.half_unit) == ("run", 4, "t(0.975, 3)", "0.05%")
    half = value(each.t) * value(each.sd) * math.sqrt(1 + 1 / each.n) + value(each.half_unit)
    assert value(each.mean) - half == pytest.approx(value(each.low), abs=0.0015)
    assert value(each.mean) + half == pytest.approx(value(each.high), abs=0.0015)
    assert value(each.low) == pytest.approx(100 * judged.low, abs=0.00051)


def test_a_number_without_spread_is_half_a_digit_wide(results):
    judged = judge_number([0.3832], published=0.383, unit=0.001, deterministic=True, show=SHOW)
    [each] = sums(of(results, NumberClaim(method="lda", printed="38.3%", **PLACE), judged))
    assert (each.kind, each.mean, each.half_unit, each.low, each.high) == (
        *("exact", "38.320%", "0.05%", "38.270%", "38.370%"),
    )


@pytest.mark.parametrize(
    ("printed", "metric", "measured", "shown"),
    [("86.59%", "accuracy", 0.86556, ("86.5560%", "0.005%", "86.5510%", "86.5610%")),
     ("254.7", "mae", 254.6702, ("254.670", "0.05", "254.620", "254.720"))],
)  # fmt: skip
def test_an_exact_sum_comes_out_in_the_digits_that_are_shown(results, printed, metric, measured, shown):
    claim = NumberClaim(method="lda", printed=printed, **{**PLACE, "metric": metric})
    judged = judge_number([measured], published=claim.published, unit=claim.unit, deterministic=True)
    [each] = sums(of(results, claim, judged))
    assert (each.mean, each.half_unit, each.low, each.high) == shown


def test_the_best_of_several_has_no_such_sum(results):
    claim = NumberClaim(method="ridge", printed="6.3%", **{**PLACE, "protocol": {"run": selected("best", "it", 5)}})
    assert sums(of(results, claim, judge_number([0.06, 0.062, 0.064], published=0.063, unit=0.001, best_of=5))) == []


def test_each_pair_of_a_chain_with_a_spread_has_its_sum(results):
    claim = OrderClaim(order=("dropout", "ridge", "logistic"), **PLACE)
    first, second = sums(of(results, claim, chain(claim.order, ("inconclusive", "reproduced"))))
    assert first.of == "Neural network + ridge − Neural network + dropout"
    assert (first.kind, first.low, first.high) == ("mean", "-0.500%", "2.500%")
    assert second.of.startswith("Multinomial logistic regression − ")


def test_pairs_that_draw_nothing_have_none(results):
    claim = OrderClaim(order=("logistic", "lda"), **PLACE)
    judged = chain(claim.order, ("reproduced",))
    exact = replace(judged.pairs[0], sd=math.nan)
    assert sums(of(results, claim, exact)) == []


def test_the_sum_of_a_race_is_of_logarithms(results):
    claim = TimeToTargetClaim(faster="dropout", slower="ridge", target="3%", **{**PLACE, "metric": "validation error"})
    judged = judge_time_to_target([100, 110, 90, 105, 95], [200, 190, 210, 205, 180])
    [each] = sums(of(results, claim, judged))
    half = value(each.t) * value(each.sd) / math.sqrt(each.n)
    assert math.exp(value(each.mean) - half) == pytest.approx(value(each.low), rel=0.01)
    assert math.exp(value(each.mean) + half) == pytest.approx(value(each.high), rel=0.01)


@pytest.mark.parametrize(
    ("printed", "ends"),
    [
        ("2.3%", ("2.25%", "2.35%")),
        ("257.4", ("257.35", "257.45")),
        ("0.8745", ("0.87445", "0.87455")),
        ("88%", ("87.5%", "88.5%")),
        ("0", ("-0.5", "0.5")),
        ("-1.20", ("-1.205", "-1.195")),
    ],
)
def test_a_printed_number_stands_for_half_a_digit_each_way(printed, ends):
    assert printed_range(NumberClaim(method="x", printed=printed, **PLACE)) == ends
