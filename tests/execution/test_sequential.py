"""More seeds until claims are decided: when it stops, what it asks for, and what it does to the error rates."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from scipy.stats import binom

from benchmarks.speed import stopping
from lecturebench import Baseline, Benchmark, Network, NumberClaim, OrderClaim, Profile, Training
from lecturebench.errors import UsageError
from lecturebench.execution.plan import Request
from lecturebench.execution.sequential import cost, looks, undecided_more, until_decided
from lecturebench.judging import design
from lecturebench.judging.statistics import LEVEL, LOOKED_LEVEL, Judgement


def function() -> None:
    """Never called."""


PLACE = {"source": "", "slide": "", "dataset": "d", "protocol": {}}
RECIPE = Training("sgd", learning_rate=0.1, batch_size=1, epochs=1)
A, B, FIXED = (NumberClaim(method=name, printed="1%", **PLACE) for name in ("a", "b", "fixed"))
ORDER = OrderClaim(order=("a", "b", "fixed"), **PLACE)
FIXED_ORDER = OrderClaim(order=("fixed", "other"), **PLACE)
BENCHMARK = Benchmark(
    name="small",
    title="",
    methods=(
        Network("a", "", function, RECIPE),
        Network("b", "", function, RECIPE),
        Baseline("fixed", "", function, deterministic=True),
        Baseline("other", "", function, deterministic=True),
    ),
    claims=(A, B, FIXED, ORDER, FIXED_ORDER),
    datasets=("d", "e"),
    profiles={name: Profile(seeds=5) for name in ("smoke", "lecture", "full")},
)
A, B, FIXED, ORDER, FIXED_ORDER = BENCHMARK.claims  # with their metric filled in
A, B, FIXED, ORDER, FIXED_ORDER = BENCHMARK.claims  # with their metric filled in
REQUEST = Request(BENCHMARK, "d", {}, "lecture", "jax")


def judged(claim, verdict="inconclusive", *, backend="jax", profile="lecture", failed=(), **fields):
    """A claim's verdict, as the report gives it."""
    rows = tuple(
        SimpleNamespace(
            method=(method := BENCHMARK.method(name)),
            profile=profile,
            deterministic=method.training is None,
            backend=backend if method.training else "scikit-learn",
            failed=[SimpleNamespace(status=status) for status in failed],
        )
        for name in claim.methods
    )
    return SimpleNamespace(benchmark=BENCHMARK, claim=claim, judgement=Judgement(verdict, "", **fields), rows=rows)


def results(*claims):
    return lambda: SimpleNamespace(claims=claims)


def seeds(requests) -> dict[str, int]:
    return {name: request.seeds for request in requests for name in request.methods}


def test_looks_double_up_to_the_most():
    assert looks(5, 20) == (5, 10, 20)
    assert looks(5, 25) == (5, 10, 20, 25)
    assert looks(1, 10) == (1, 3, 6, 10)
    assert looks(5, 5) == looks(5, 3) == (5,)


def test_rows_of_inconclusive_claims_get_more_seeds_and_the_others_keep_theirs():
    asked = until_decided([REQUEST], results(judged(A), judged(B, "reproduced"), judged(FIXED, "worse")))()
    assert seeds(asked) == {"a": 10, "b": 5, "fixed": 1, "other": 1}
    assert sorted(name for request in asked for name in request.methods) == ["a", "b", "fixed", "other"]


def test_order_gives_all_its_methods_equally_many_seeds():
    verdicts = iter([[judged(A)], [judged(A), judged(ORDER)]])
    more = until_decided([REQUEST], lambda: SimpleNamespace(claims=next(verdicts)))
    assert (seeds(first := more())["a"], seeds(first)["b"]) == (10, 5)
    assert (seeds(second := more())["a"], seeds(second)["b"]) == (20, 20)


def test_stops_when_all_is_decided():
    verdicts = iter(["inconclusive", "reproduced"])
    more = until_decided([REQUEST], lambda: SimpleNamespace(claims=[judged(A, next(verdicts))]))
    assert seeds(more())["a"] == 10
    assert more() == ()


def test_stops_at_the_most_seeds():
    more = until_decided([REQUEST], results(judged(ORDER)), most=12)
    assert [seeds(more())["a"] for _ in range(2)] == [10, 12]
    assert more() == ()
    assert until_decided([REQUEST], results(judged(A)), most=5)() == ()
    assert until_decided([REQUEST], results(judged(A)), most=3)() == ()


@pytest.mark.parametrize(
    "result",
    [
        judged(A, "not_run"),
        judged(A, backend="torch"),
        judged(A, profile="full"),
        judged(A, failed=["crashed", "diverged"]),
        judged(FIXED_ORDER),
        judged(NumberClaim(method="a", printed="1%", **(PLACE | {"dataset": "e"}))),
    ],
    ids=["not run", "other backend", "other profile", "diverged", "no seeds", "other dataset"],
)
def test_no_seeds_where_they_decide_nothing(result):
    assert until_decided([REQUEST], results(result))() == ()


def test_crashed_runs_do_not_keep_a_claim_from_more_seeds():
    assert seeds(until_decided([REQUEST], results(judged(A, failed=["crashed"])))())["a"] == 10


def test_order_with_a_method_that_is_not_asked_for_gets_no_seeds():
    only_a = Request(**(vars(REQUEST) | {"methods": ("a",), "seeds": 4}))
    assert until_decided([only_a], results(judged(ORDER)))() == ()
    assert seeds(until_decided([only_a], results(judged(ORDER), judged(A)))()) == {"a": 8}


def test_what_is_done_is_said():
    said: list[str] = []
    until_decided([REQUEST], results(judged(A)), say=said.append)()
    assert said == ["small: 'a error 1%' is inconclusive, 5 seeds become 10"]


def test_effect_that_is_decided_at_95_percent_alone_gets_more_seeds():
    asked = until_decided([REQUEST], results(judged(ORDER, "reproduced", firm=False)))()
    assert seeds(asked) == {"a": 10, "b": 10, "fixed": 1, "other": 1}
    assert until_decided([REQUEST], results(judged(ORDER, "reproduced")))() == ()
    said: list[str] = []
    until_decided([REQUEST], results(judged(ORDER, "worse", firm=False)), say=said.append)()
    assert said == ["small: 'order a < b < fixed' is not yet clear at 98.75%, 5 seeds become 10"]


def test_number_that_is_undecided_gets_more_seeds_in_every_run():
    undecided = results(judged(A, "reproduced", undecided=True), judged(B, "worse"), judged(ORDER))
    more = undecided_more([REQUEST], undecided)
    assert [seeds(more())["a"] for _ in range(2)] == [10, 20]
    assert more() == ()
    assert seeds(undecided_more([REQUEST], undecided)()) == {"a": 10, "b": 5, "fixed": 1, "other": 1}
    assert seeds(until_decided([REQUEST], results(judged(A, "worse", undecided=True)))())["a"] == 10


@pytest.mark.parametrize(
    "result",
    [
        judged(A, "inconclusive"),
        judged(A, "reproduced"),
        judged(A, "reproduced", undecided=True, profile="full"),
        judged(A, "reproduced", undecided=True, failed=["diverged"]),
        judged(ORDER, "reproduced", undecided=True),
        judged(A, "not_run", undecided=True),
    ],
    ids=["wide", "decided", "other profile", "diverged", "an effect", "not run"],
)
def test_every_run_doubles_seeds_of_undecided_numbers_alone(result):
    assert undecided_more([REQUEST], results(result))() == ()


def test_seeds_that_somebody_asked_for_are_kept():
    four = Request(**(vars(REQUEST) | {"seeds": 4}))
    assert undecided_more([four], results(judged(A, "reproduced", undecided=True)))() == ()


def test_more_looks_than_wrong_decisions_are_kept_rare_for_are_refused():
    with pytest.raises(UsageError, match=r"looking after 5, 10, 20, 40, 80 seeds is looking 5 times.*stop at 40"):
        until_decided([REQUEST], results(), most=80)
    until_decided([REQUEST], results(), most=40)
    until_decided([Request(**(vars(REQUEST) | {"seeds": 1}))], results(), most=20)


def test_cost_is_told():
    assert cost(20, 20) == ""
    sentence = cost(5, 20)
    assert sentence.startswith("judged after 5, 10, 20 seeds, effects at 98.75%: at most 5% are decided wrongly")
    assert f"{design.WORST_NUMBER_RATE:.1%}" in sentence


# --- error rates ------------------------------------------------------------------------------------------------------

ONCE_IN = 1e-9


def between(rate: float, trials: int) -> tuple[int, int]:
    """The counts that a rate leaves on either side once in 10⁹ times."""
    return int(binom.ppf(ONCE_IN, trials, rate)), int(binom.ppf(1 - ONCE_IN, trials, rate))


@pytest.mark.parametrize("first", stopping.FIRST)
@pytest.mark.parametrize("kind", stopping.KINDS)
def test_true_numbers_are_called_wrong_as_often_as_is_printed(kind, first):
    trials = 400
    count = trials * stopping.called(stopping.KINDS[kind], first, ("better", "worse"), trials, seed=first)
    low, high = between(design.DESIGN_ERROR_RATES[kind][first], trials)
    assert low <= round(count) <= high


@pytest.mark.parametrize("first", stopping.FIRST)
def test_false_numbers_are_missed_as_seldom_as_is_printed(first):
    trials, distance = 300, stopping.DISTANCES[0]
    count = trials * stopping.called(stopping.normal, first, ("reproduced",), trials, distance, seed=first)
    assert round(count) <= between(design.FALSE_NUMBER_RATES[first][distance], trials)[1] + 1


@pytest.mark.parametrize("name", stopping.EFFECTS)
def test_effects_that_are_none_are_decided_as_seldom_as_is_printed(name):
    draw, slower = stopping.EFFECTS[name]
    trials = 400 // slower
    for schedule in stopping.SCHEDULES[:1]:
        count = trials * stopping.decided(draw, schedule, LOOKED_LEVEL, trials, seed=7)
        assert round(count) <= between(design.LOOKED_ERROR_RATES[name][stopping.in_words(schedule)], trials)[1] + 1


def test_wrong_decisions_at_any_look_stay_below_five_percent_as_printed():
    rates = [rate for rates in design.LOOKED_ERROR_RATES.values() for rate in rates.values()]
    assert len(rates) == len(stopping.EFFECTS) * len(stopping.SCHEDULES)
    assert max(rates) <= 0.05


def test_looking_at_95_percent_would_decide_wrongly_far_more_often():
    trials = 1500
    uncorrected = round(trials * stopping.decided(stopping.table_order, (5, 10, 20), LEVEL, trials))
    assert uncorrected > between(0.05, trials)[1]


def test_races_of_equal_methods_are_won_as_seldom_as_is_printed():
    for arrive, last in stopping.ARRIVE.items():
        count = round(400 * stopping.decided(stopping.race(last), (5,), LEVEL, 400, seed=3))
        assert count <= between(design.RACE_ERROR_RATES[arrive][5], 400)[1]
        assert max(design.RACE_ERROR_RATES[arrive].values()) <= 0.06
