"""Which runs a budget is spent on: closed cases, every choice tried on small ones, and what must always hold."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecturebench import Baseline, Benchmark, Choice, Network, NumberClaim, OrderClaim, Profile, Training
from lecturebench.execution.budget import Job, MethodPlan, affordable, choose, left_out, makespan, parse_duration
from lecturebench.execution.plan import Request, plan
from lecturebench.store import Record


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), (" 30m ", 1800), ("2h", 7200), ("1.5H", 5400), ("30d", None)]
)
def test_length_of_time_is_read_with_its_unit(text, seconds):
    if seconds is None:
        with pytest.raises(ValueError, match="write it as '90s', '30m' or '2h'"):
            parse_duration(text)
    else:
        assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-5", "-5m", "0", "0h", "m", "1e9", "nan", "inf", "5 minutes", "800h", "1h30m"])
def test_negative_and_absurd_lengths_of_time_are_refused(text):
    with pytest.raises(ValueError, match="from 1 s to 30 days"):
        parse_duration(text)


def goal(*keys: str) -> frozenset[str]:
    return frozenset(keys)


def test_goals_that_share_runs_are_counted_together():
    jobs = {"a": Job(60), "b": Job(40), "c": Job(50)}
    # Either of b and c is cheaper alone; a opens two goals at 30 s each.
    assert choose([[goal("b"), goal("a"), goal("a", "c")]], jobs, 100, 1) == {"a", "b"}
    assert choose([[goal("b"), goal("a"), goal("a")]], jobs, 60, 1) == {"a"}


def test_dearer_goal_is_left_out_and_a_cheaper_one_takes_its_place():
    jobs = {"a": Job(10), "b": Job(20), "c": Job(30)}
    assert choose([[goal("a", "c"), goal("a", "b")]], jobs, 30, 1) == {"a", "b"}


def test_earlier_tier_comes_first_and_single_runs_last():
    jobs = {"a": Job(30), "b": Job(1), "c": Job(2)}
    assert choose([[goal("a")], [goal("b")]], jobs, 30, 1) == {"a"}
    assert choose([[goal("a")]], jobs, 31, 1) == {"a", "b"}
    assert choose([[goal("a")]], jobs, 33, 1) == {"a", "b", "c"}


def test_run_that_begins_only_after_its_grid_counts_with_it():
    jobs = {"g": Job(10), "h": Job(10), "judged": Job(10, goal("g", "h"))}
    assert makespan(jobs, 1) == 30
    assert makespan(jobs, 2) == 20
    assert choose([[goal("judged")]], jobs, 19, 2) == set()
    assert choose([[goal("judged")]], jobs, 20, 2) == {"g", "h", "judged"}


def test_runs_that_have_begun_hold_their_slots():
    jobs = {"a": Job(10, begun=True), "b": Job(10)}
    assert choose([[goal("b")]], jobs, 19, 1) == {"a"}
    assert choose([[goal("b")]], jobs, 20, 1) == {"a", "b"}


def test_run_that_ends_too_late_holds_its_own_slot_alone():
    jobs = {"late": Job(100, begun=True), "a": Job(10), "b": Job(11)}
    assert choose([[goal("a"), goal("b")]], jobs, 20, 2) == {"late", "a"}
    assert choose([[goal("a")]], jobs, -1, 2) == {"late"}


def test_ten_thousand_single_runs_are_chosen_from_in_no_time():
    jobs = {str(i): Job(1.0 + i % 7) for i in range(10_000)}
    chosen = choose([], jobs, 1000, 4)
    assert makespan({key: jobs[key] for key in chosen}, 4) <= 1000
    assert len(chosen) > 2000


def test_slots_take_the_longest_first():
    assert makespan({str(i): Job(seconds) for i, seconds in enumerate((3, 3, 4, 3, 5))}, 2) == 10
    assert makespan({}, 3) == 0


def random_case(rng: np.random.Generator):
    """Up to ten runs, three of them a grid that two of the others wait for, and six goals."""
    names = [f"run{i}" for i in range(rng.integers(4, 11))]
    after = frozenset(names[:3]) if len(names) > 6 else frozenset()
    jobs = {name: Job(float(rng.integers(1, 20)), after if name in names[-2:] else frozenset()) for name in names}
    goals = [frozenset(rng.choice(names, size=rng.integers(1, 4), replace=False).tolist()) for _ in range(6)]
    return goals, jobs, float(rng.integers(5, 60)), int(rng.integers(1, 4))


def reached(goals, keys) -> int:
    return sum(goal <= keys for goal in goals)


def best(goals, jobs, seconds, slots) -> int:
    """The most goals that any choice of them reaches in time."""
    for size in range(len(goals), 0, -1):
        for some in combinations(goals, size):
            keys = {key for goal in some for name in goal for key in (name, *jobs[name].after)}
            if makespan({key: jobs[key] for key in keys}, slots) <= seconds:
                return size
    return 0


def test_choice_comes_close_to_the_best_of_all_choices():
    rng = np.random.default_rng(2023)
    ratios: list[float] = []
    for _ in range(400):
        goals, jobs, seconds, slots = random_case(rng)
        most = best(goals, jobs, seconds, slots)
        if most:
            ratios.append(reached(goals, choose([goals], jobs, seconds, slots)) / most)
    print(
        f"greedy reaches {np.mean(ratios):.3f} of the best on average, {min(ratios):.2f} at worst, {len(ratios)} cases"
    )
    assert np.mean(ratios) > 0.98
    assert min(ratios) > 0.6


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_chosen_ends_in_time_and_never_lacks_its_grid(seed):
    goals, jobs, seconds, slots = random_case(np.random.default_rng(seed))
    chosen = choose([goals, goals[:2]], jobs, seconds, slots)
    assert makespan({key: jobs[key] for key in chosen}, slots) <= seconds
    assert all(jobs[key].after <= chosen for key in chosen)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_enough_time_leaves_nothing_out(seed):
    goals, jobs, _, slots = random_case(np.random.default_rng(seed))
    assert choose([goals], jobs, math.inf, slots) == set(jobs)
    assert choose([goals], jobs, 0.0, slots) == set()


# --- rows and claims --------------------------------------------------------------------------------------------------


def function() -> None:
    """Never called."""


PLACE = {"source": "", "slide": "", "dataset": "d", "protocol": {}}
RECIPE = Training("sgd", learning_rate=0.1, batch_size=1, epochs=1)
BENCHMARK = Benchmark(
    name="small",
    title="",
    methods=(
        Network("chosen", "", function, RECIPE, penalty=Choice((0.1, 1.0), (7, 8))),
        Network("plain", "", function, RECIPE),
        Baseline("fixed", "", function),
        Baseline("extra", "", function),
    ),
    claims=(
        NumberClaim(method="chosen", printed="1%", **PLACE),
        NumberClaim(method="plain", printed="2%", **PLACE),
        NumberClaim(method="fixed", printed="3%", **PLACE),
        OrderClaim(order=("chosen", "plain", "fixed"), **PLACE),
    ),
    datasets=("d",),
    profiles={name: Profile(seeds=5) for name in ("smoke", "lecture", "full")},
)
SECONDS = {"chosen": 10.0, "plain": 10.0, "fixed": 1.0, "extra": 1.0}
CHOSEN, PLAIN, FIXED, ORDER = (claim.name for claim in BENCHMARK.claims)


def rows(ended=None):
    request = Request(BENCHMARK, "d", {}, "lecture", "jax")
    sources = dict.fromkeys(SECONDS, "")
    return [
        MethodPlan(part := Request(**(vars(request) | {"methods": (name,)})), plan(part, ended or {}, sources))
        for name in SECONDS
    ]


def expected(run) -> float:
    return SECONDS[run.method]


def spent_on(seconds, ended=None, slots=1) -> dict[str, int]:
    """How many runs of each method fit in so many seconds."""
    all_rows = rows(ended)
    kept = affordable(all_rows, ended or {}, {}, expected, seconds, slots)
    runs = {run.key: run for row in all_rows for run in (*row.plan.runs, *row.plan.waiting)}
    return {name: sum(runs[key].method == name for key in kept) for name in SECONDS}


def record(run, status="ok") -> Record:
    return Record(
        key=run.key, suite="", benchmark=run.benchmark, method=run.method, dataset={"name": "d"}, profile=run.profile,
        backend=run.backend, device="cpu", seed=run.seed, role=run.role, status=status, recipe=dict(run.recipe),
        metrics={"validation": {"error": 0.1 * run.recipe.get("penalty", 0)}},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [
        (0.5, (0, 0, 0, 0)),
        (1, (0, 0, 1, 0)),  # one run judges the method without seeds
        (2, (0, 0, 1, 1)),  # a row without a claim fills what is left
        (31, (0, 3, 1, 0)),  # three seeds are the fewest that are judged
        (51, (0, 5, 1, 0)),  # the grid of the other and three seeds do not fit, so more seeds of this one
        (101, (7, 3, 1, 0)),  # 4 runs of the grid and 3 seeds: all four claims
        (142, (9, 5, 1, 1)),
    ],
)
def test_budget_goes_to_claims_first(seconds, counts):
    assert tuple(spent_on(seconds).values()) == counts


def test_two_slots_do_twice_as_much():
    assert spent_on(51, slots=2)["chosen"] == 7


def test_seed_that_failed_is_made_up_for_by_another_that_all_methods_have():
    plain = next(row for row in rows() if row.request.methods == ("plain",))
    ended = {run.key: record(run, "crashed" if run.seed == 1 else "ok") for run in plain.plan.runs if run.seed < 2}
    all_rows = rows(ended)
    kept = affordable(all_rows, ended, {}, expected, 21, 1)
    assert sorted(run.seed for run in plain.plan.runs if run.key in kept) == [2, 3]


def test_claims_and_methods_that_were_not_reached_are_named_with_the_reason():
    ended = {run.key: record(run) for row in rows() for run in row.plan.runs if run.method in ("plain", "fixed")}
    reasons = left_out(rows(ended), ended, expected, "left out by --budget 30m")
    assert reasons == {
        "small": {
            "chosen": "left out by --budget 30m: it takes 9 runs more, about 90 s on one worker",
            "extra": "left out by --budget 30m: it takes 1 run more, about 1 s on one worker",
            CHOSEN: "left out by --budget 30m: it takes 7 runs more, about 70 s on one worker",
            ORDER: "left out by --budget 30m: it takes 7 runs more, about 70 s on one worker",
        }
    }


def test_nothing_is_left_out_once_all_has_ended():
    ended: dict[str, Record] = {}
    for _ in range(2):
        ended |= {run.key: record(run) for row in rows(ended) for run in row.plan.runs}
    assert left_out(rows(ended), ended, expected, "") == {}
    assert spent_on(1000, ended) == dict.fromkeys(SECONDS, 0)


def test_claim_whose_grid_failed_for_good_is_neither_run_nor_left_out():
    ended = {run.key: record(run, "error") for row in rows() for run in row.plan.runs if run.role == "choice"}
    assert spent_on(1000, ended) == {"chosen": 0, "plain": 5, "fixed": 1, "extra": 1}
    assert CHOSEN not in left_out(rows(ended), ended, expected, "")["small"]
