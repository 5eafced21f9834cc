"""More seeds until claims are decided: when it stops, what it asks for, and what it does to the error rates."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from scipy.stats import binom

from benchmarks.speed.stopping import number, order, stopped
from lecturebench import Baseline, Benchmark, Network, NumberClaim, OrderClaim, Profile, Training
from lecturebench.execution.plan import Request
from lecturebench.execution.sequential import FALSE_NUMBERS, FALSE_ORDERS, cost, looks, until_decided
from lecturebench.judging.statistics import Judgement


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


def judged(claim, verdict="inconclusive", *, backend="jax", profile="lecture", failed=()):
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
    return SimpleNamespace(benchmark=BENCHMARK, claim=claim, judgement=Judgement(verdict, ""), rows=rows)


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


def test_cost_is_told_by_the_number_of_looks():
    assert cost(20, 20) == ""
    assert cost(5, 20).startswith("judged after 5, 10, 20 seeds: equal methods are called ordered in up to 12.6%")
    assert "at least" in cost(3, 100)


# --- error rates ------------------------------------------------------------------------------------------------------

ONCE_IN = 1e-9


def between(rate: float, trials: int) -> tuple[int, int]:
    """The counts that a rate leaves on either side once in 10⁹ times."""
    return int(binom.ppf(ONCE_IN, trials, rate)), int(binom.ppf(1 - ONCE_IN, trials, rate))


@pytest.mark.parametrize(("schedule", "count"), [((5,), 1), ((5, 10, 20), 3)])
def test_equal_methods_are_called_ordered_as_often_as_is_said(schedule, count):
    trials = 250
    given = stopped(order("seeds alone", 0.0), schedule, trials).given
    low, high = between(FALSE_ORDERS[count], trials)
    assert low <= given["reproduced"] + given["worse"] <= high


@pytest.mark.parametrize("spread", [0.02, 0.08, 0.1, 0.12])
def test_stopping_early_calls_no_more_true_numbers_false_than_is_said(spread):
    trials = 1500
    given = stopped(number(spread, True), looks(5, 20), trials).given
    assert given["better"] + given["worse"] <= between(FALSE_NUMBERS, trials)[1]


def test_more_seeds_decide_what_few_do_not():
    trials = 300
    fixed = stopped(number(0.08, True), (5,), trials)
    rule = stopped(number(0.08, True), looks(5, 20), trials)
    assert rule.given["inconclusive"] < 0.2 * fixed.given["inconclusive"]
    assert 5 < rule.seeds < 12
