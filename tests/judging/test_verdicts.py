"""From runs to verdicts: which rule a claim takes, at which level, on which profiles, and how runs are paired."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lecturebench import (
    Baseline,
    Benchmark,
    EquivalenceClaim,
    MinimumClaim,
    Network,
    NumberClaim,
    OrderClaim,
    Profile,
    TimeToTargetClaim,
    Training,
    assumed,
    selected,
    stated,
)
from lecturebench.judging.results import RowResult
from lecturebench.judging.statistics import LEVEL, LOOKED_LEVEL
from lecturebench.judging.verdicts import best_of, judge, next_look
from lecturebench.store import Record

PLACE = {"dataset": "digits", "source": "here", "slide": "s", "protocol": {}, "metric": "error"}
RECIPE = Training("sgd", 0.1, 128, 3)
N_TEST = 400


def _never() -> None:
    raise AssertionError("judging fits nothing")


BENCHMARK = Benchmark(
    title="Made up",
    methods=(*(Network(name, name, _never, RECIPE) for name in "abc"), Baseline("fixed", "fixed", _never)),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(judges=False), "lecture": Profile(seeds=5), "full": Profile(seeds=10)},
)


def row(method, values, *, profile="lecture", curves=None, metric="error", failed=0):
    """A row whose run i has seed i and the value at i; curves: steps at which each was at the target, inf for never."""
    runs = []
    for seed in range(len(values if curves is None else curves)):
        curve = []
        if curves is not None:
            looks = range(100, 700, 100)
            curve = [{"step": step, "validation_error": 0.05 if step >= curves[seed] else 0.5} for step in looks]
        value = values[seed] if curves is None else 0.1
        runs.append(
            Record(
                key=f"{method}-{seed}", suite="", benchmark="b", method=method, profile=profile, backend="jax",
                dataset={"name": "digits", "digests": {}, "n_test": N_TEST}, device="cpu", seed=seed, role="judged",
                status="ok", recipe={}, started="2026", metrics={"test": {metric: value}}, curve=curve,
            )
        )  # fmt: skip
    lost = tuple(replace(runs[0], status="crashed") for _ in range(failed))
    return RowResult(
        BENCHMARK, BENCHMARK.method(method), "digits", profile, "jax", "cpu", tuple(runs), lost, (), metric
    )


def losses(record, metric):
    """0/1 losses of which the first are wrong: the same examples with every seed and method."""
    wrong = round(record.metrics["test"]["error"] * N_TEST)
    return (np.arange(N_TEST) < wrong).astype(float)


ORDER = OrderClaim(order=("a", "b"), about="table", **PLACE)


def test_claim_that_names_profiles_is_not_run_on_others_and_never_worse():
    claim = NumberClaim(method="a", printed="1.0%", profiles=("full",), **PLACE)
    values = [0.5, 0.51, 0.49, 0.5, 0.5]
    judged = judge(claim, [row("a", values)], losses)
    assert (judged.verdict, judged.reason) == ("not_run", "the lecture profile cannot judge it, full can")
    assert judge(claim, [row("a", values, profile="full")], losses).verdict == "worse"
    for other in (replace(ORDER, profiles=("full",)), TimeToTargetClaim(
        faster="a", slower="b", target="10%", profiles=("full", "smoke"), **PLACE
    )):  # fmt: skip
        assert judge(other, [row("a", values), row("b", values)], losses).verdict == "not_run"


def test_claim_that_names_an_unknown_profile_is_refused():
    claim = NumberClaim(method="a", printed="1.0%", profiles=("ful",), **PLACE)
    with pytest.raises(ValueError, match="ful"):
        replace(BENCHMARK, claims=(claim,))


@pytest.mark.parametrize(
    ("protocol", "count"),
    [
        ({"epochs": stated("20", "p. 1"), "rate": assumed("0.1", "ours")}, 1),
        ({"runs": selected("best of 5", "sec. 4", best_of=5)}, 5),
        ({"runs": selected("best of 5", "s", best_of=5), "grid": selected("best of 2", "s", best_of=2)}, 10),
        ({"runs": selected("the best", "sec. 4")}, None),
        ({"runs": selected("best of 5", "s", best_of=5), "epoch": selected("by test error", "s")}, None),
    ],
)
def test_protocol_says_of_how_many_runs_a_number_is_the_best(protocol, count):
    assert best_of(NumberClaim(method="a", printed="1.0%", **(PLACE | {"protocol": protocol}))) == count


def test_selected_number_is_judged_as_one():
    values = [0.0195, 0.0200, 0.0205, 0.0198, 0.0202]
    for field, printed, verdict in (
        (selected("the best", "s"), "2.00%", "inconclusive"),
        (selected("the best", "s"), "2.30%", "better"),
        (selected("best of 20", "s", best_of=20), "2.05%", "better"),
        (stated("one", "s"), "2.05%", "reproduced"),
    ):
        claim = NumberClaim(method="a", printed=printed, **(PLACE | {"protocol": {"runs": field}}))
        assert judge(claim, [row("a", values)], losses).verdict == verdict


def test_rows_with_more_seeds_than_planned_are_judged_at_the_level_of_several_looks():
    few = [row(name, [at] * 4 + [at + 0.01]) for name, at in (("a", 0.1), ("b", 0.2))]
    many = [row(name, ([at] * 4 + [at + 0.01]) * 2) for name, at in (("a", 0.1), ("b", 0.2))]
    once, again = judge(ORDER, few, losses), judge(ORDER, many, losses)
    assert (once.over_seeds.level, again.over_seeds.level) == (LEVEL, LOOKED_LEVEL)
    assert "98.75%" not in once.reason
    assert "at 98.75%: with more seeds than planned it was looked at before" in again.reason
    full = judge(ORDER, [replace(result, profile="full") for result in many], losses)
    assert full.over_seeds.level == LEVEL
    crashed = [row(name, [at, at, at, at + 0.01], failed=2) for name, at in (("a", 0.1), ("b", 0.2))]
    assert judge(ORDER, crashed, losses).over_seeds.level == LOOKED_LEVEL


def test_effect_is_firm_where_it_also_holds_at_that_level():
    # The differences have mean 0.05; their spread decides.
    def judged(spread):
        shifts = spread * np.array([-2, -1, 0, 1, 2])
        return judge(ORDER, [row("a", [0.1] * 5), row("b", (0.15 + shifts).tolist())], losses)

    assert (judged(0.01).verdict, judged(0.01).firm) == ("reproduced", True)
    assert (judged(0.0225).verdict, judged(0.0225).firm) == ("reproduced", False)
    assert (judged(0.04).verdict, judged(0.04).firm) == ("inconclusive", True)


def test_table_and_statement_take_the_interval_that_they_speak_of():
    # 5 of 400 examples more, with every seed: clear on this test set, not on another.
    rows = [row("a", [0.1] * 5), row("b", [0.1075] * 5)]
    table, statement = judge(ORDER, rows, losses), judge(replace(ORDER, about="statement"), rows, losses)
    assert (table.verdict, statement.verdict) == ("reproduced", "inconclusive")
    assert table.over_examples == statement.over_examples
    alike = EquivalenceClaim(pair=("a", "b"), delta="1%", because="a tenth", about="table", **PLACE)
    assert judge(alike, rows, losses).verdict == "reproduced"
    assert judge(replace(alike, about="statement"), rows, losses).verdict == "inconclusive"


def test_statement_on_two_deterministic_rows_is_open_where_no_example_can_be_compared():
    fixed = [row("fixed", [value], metric="macro_f1") for value in (0.3, 0.4)]
    claim = OrderClaim(order=("fixed", "a"), **PLACE | {"metric": "macro_f1"})
    judged = judge(claim, fixed, losses)
    assert (judged.verdict, judged.n) == ("inconclusive", 1)
    assert "no mean over examples" in judged.reason
    assert judge(replace(claim, about="table"), fixed, losses).verdict == "reproduced"


def test_chain_keeps_its_pairs():
    rows = [row(name, [at] * 5) for name, at in (("a", 0.1), ("b", 0.2), ("fixed", 0.3))]
    judged = judge(OrderClaim(order=("a", "b", "fixed"), about="table", **PLACE), rows, losses)
    assert [(pair.names, pair.verdict) for pair in judged.pairs] == [
        (("a", "b"), "reproduced"),
        (("b", "fixed"), "reproduced"),
    ]


RACE = TimeToTargetClaim(faster="a", slower="b", target="10%", **PLACE | {"metric": "validation error"})
NEVER = math.inf


def test_race_pairs_runs_by_seed():
    a = row("a", (), curves=[100, 200, 300, 100, 200])
    b = row("b", (), curves=[200, 400, 600, 200, 400])
    assert judge(RACE, [a, b], losses).mean == pytest.approx(2.0)
    # Without the first seed of b there are four pairs: too few.
    judged = judge(RACE, [a, replace(b, runs=b.runs[1:])], losses)
    assert (judged.verdict, judged.n, judged.seeds_needed) == ("inconclusive", 4, 5)


def test_race_of_runs_that_never_arrive():
    there, never = row("a", (), curves=[100, 200, 100, 200, 100]), row("b", (), curves=[NEVER] * 5)
    judged = judge(RACE, [there, never], losses)
    assert judged.verdict == "reproduced"
    assert "5 of 5 and 0 of 5 never got there and count as 700" in judged.reason
    assert next_look(never.runs[0], "validation error") == 700
    nobody = judge(RACE, [row("a", (), curves=[NEVER] * 5), never], losses)
    assert nobody.verdict == "not_run"
    assert "nobody arrived" in nobody.reason


def test_minimum_at_more_seeds_than_planned_is_judged_at_that_level_too():
    rows = [row(name, [at] * 9 + [at + 0.01]) for name, at in (("a", 0.3), ("b", 0.1), ("c", 0.3))]
    judged = judge(MinimumClaim(path=("a", "b", "c"), **PLACE), rows, losses)
    assert judged.verdict == "reproduced"
    assert "98.75%" in judged.reason


@pytest.mark.parametrize("about", ["table", "statement"])
def test_losses_that_cannot_be_had_leave_an_effect_not_run(about):
    def broken(record, metric):
        raise OSError("no such file")

    judged = judge(replace(ORDER, about=about), [row("a", [0.1] * 5), row("b", [0.2] * 5)], broken)
    assert (judged.verdict, judged.reason) == ("not_run", "no such file")


def test_no_number_of_seeds_undoes_a_run_that_diverged():
    claim = NumberClaim(method="a", printed="2.0%", **PLACE)
    single = row("a", [0.02])
    assert judge(claim, [single], losses).seeds_needed == 3
    lost = replace(single, failed=(replace(single.runs[0], status="diverged"),))
    judged = judge(claim, [lost], losses)
    assert (judged.verdict, judged.seeds_needed, judged.undecided) == ("inconclusive", None, False)


def test_race_by_what_a_run_did_not_look_at_is_not_run():
    a, b = row("a", (), curves=[100] * 5), row("b", (), curves=[200] * 5)
    blind = replace(b, runs=tuple(replace(run, curve=[{"step": 100, "validation_loss": 1.0}]) for run in b.runs))
    judged = judge(RACE, [a, blind], losses)
    assert (judged.verdict, judged.reason) == ("not_run", "5 runs of b recorded no validation error along the way")


def test_rows_on_splits_of_their_own_are_not_compared_with_others():
    a, b = row("a", [0.1] * 5), row("b", [0.2] * 5)
    drawn = replace(b, runs=tuple(replace(run, recipe={"resplit": True}) for run in b.runs))
    assert judge(ORDER, [a, drawn], losses).reason == "its rows were fitted on different data"
