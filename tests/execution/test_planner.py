"""The engine on simulated workers: order, predictions, budgets, more seeds, and that no run costs more than another."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from baselines.dummy import most_frequent
from benchmarks.speed.planner import SimulatedPool, benchmark, record, simulate
from lecturebench import Baseline, Benchmark, NumberClaim, Profile
from lecturebench.execution import engine
from lecturebench.execution.durations import (
    EXAMPLES_UNKNOWN,
    SECONDS_BESIDE_FITTING,
    SECONDS_PER_EXAMPLE,
    SECONDS_UNKNOWN,
    Durations,
    LongestFirst,
    accuracy,
)
from lecturebench.execution.engine import carry_out
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.progress import PlainDisplay
from lecturebench.store import Store

QUIET = PlainDisplay(lambda line: None)
CLAIM = {"source": "", "slide": "", "dataset": "none", "protocol": {}}
SECONDS = {"short": 10.0, "long": 30.0}


class Pool(SimulatedPool):
    """Workers whose runs take what SECONDS says, on a clock that stands still while the engine works."""

    def __init__(self, slots=1, factor=1.0):
        super().__init__(slots)
        self.factor, self.submitted = factor, []

    def submit(self, run):
        self.submitted.append(run)
        self._running.append((self.now + self.factor * SECONDS[run.method], run.key, run, self.now))
        self._running.sort(key=lambda entry: entry[:2])

    def outcome(self, timeout):
        if not self._running:
            return None
        self.now, _, run, begun = self._running.pop(0)
        return run, record(run, self.now - begun), None


def two_methods(seeds=3) -> Benchmark:
    return replace(
        benchmark(100),
        methods=tuple(Baseline(name, "", most_frequent, deterministic=False) for name in SECONDS),
        claims=tuple(NumberClaim(method=name, printed="1%", **CLAIM) for name in SECONDS),
        profiles={name: Profile(seeds=seeds) for name in ("smoke", "lecture", "full")},
    )


def request(seeds=None) -> Request:
    return Request(two_methods(), "none", {"train": "", "test": ""}, "lecture", "tensorflow", seeds=seeds)


def fit(asked, store, pool, **options):
    @contextmanager
    def workers():
        yield pool

    return carry_out(asked, store, pool=workers, display=QUIET, clock=lambda: pool.now, **options)


def fitted(pool) -> list[str]:
    return [f"{run.method} {run.seed}" for run in pool.submitted]


def test_longest_come_first_once_their_kind_is_known(tmp_path):
    store, pool = Store(tmp_path), Pool()
    fit([request(seeds=3)], store, pool)
    assert len(pool.submitted) == 6
    again = Pool()
    fit([request(seeds=6)], store, again)
    assert fitted(again) == ["long 3", "long 4", "long 5", "short 3", "short 4", "short 5"]


class Together(Pool):
    """A pool that takes up to three seeds of a row at once."""

    def __init__(self, slots=1):
        super().__init__(slots)
        self.groups = []

    def together(self, run):
        return 3

    def submit(self, *runs):
        self.groups.append([f"{run.method} {run.seed}" for run in runs])
        for run in runs:
            super().submit(run)


def meanwhile(kind, store, theirs):
    """A pool of that kind, while another call fits a run: it ends when this one has nothing left to do."""
    lock = store.lock(theirs.key)

    class Meanwhile(kind):
        def outcome(self, timeout):
            outcome = super().outcome(timeout)
            if outcome is None and lock.is_locked:
                store.write(record(theirs, 1.0))
                lock.release()
            return outcome

    return Meanwhile()


def test_seeds_of_a_row_are_given_together_to_a_pool_that_takes_them_so(tmp_path):
    pool = Together(slots=2)
    summary = fit([request(seeds=4)], Store(tmp_path), pool)
    assert len(summary.fitted) == 8
    threes = [[f"{name} {seed}" for seed in range(3)] for name in SECONDS]
    assert sorted(pool.groups) == sorted([*threes, ["long 3"], ["short 3"]])


def test_no_more_seeds_are_given_together_than_a_budget_has_time_for(tmp_path):
    store = Store(tmp_path)
    fit([request(seeds=1)], store, Pool())
    pool = Together()
    fit([request()], store, pool, budget=25.0)
    assert pool.groups == [["short 1", "short 2"]]


def test_seeds_that_another_call_fits_are_not_given_together_with_others(tmp_path):
    store = Store(tmp_path)
    asked = request(seeds=3)
    theirs = next(run for run in plan(asked, {}, engine.source_digests(asked)).runs if run.seed == 1)
    pool = meanwhile(Together, store, theirs)
    summary = fit([asked], store, pool)
    assert f"{theirs.method} 1" not in {name for group in pool.groups for name in group}
    assert [f"{theirs.method} {seed}" for seed in (0, 2)] in pool.groups
    assert (len(summary.fitted), summary.reused) == (5, 1)


def test_seed_that_ended_in_another_call_changes_nothing_for_those_it_was_to_be_fitted_with(tmp_path):
    store, told = Store(tmp_path), []
    asked = request(seeds=3)
    theirs = next(run for run in plan(asked, {}, engine.source_digests(asked)).runs if run.seed == 1)

    class Elsewhere(Together):
        def together(self, run):  # another call ends a run between the look at the store and its lock
            if not store.has(theirs.key):
                store.write(record(theirs, 1.0))
            return 3

    summary = fit([asked], store, Elsewhere(), budget=1000.0, log=told.append)
    assert (len(summary.fitted), summary.reused) == (5, 1)
    assert len({each.key for each in told}) == len(told) == 6


def test_runs_that_another_call_fits_are_taken_from_the_store(tmp_path):
    store = Store(tmp_path)
    asked = request(seeds=2)
    theirs = plan(asked, {}, engine.source_digests(asked)).runs[0]
    pool = meanwhile(Pool, store, theirs)
    summary = fit([asked], store, pool)
    assert theirs.key not in {run.key for run in pool.submitted}
    assert (len(summary.fitted), summary.reused) == (3, 1)


def test_records_say_what_was_expected(tmp_path):
    store = Store(tmp_path)
    fit([request(seeds=1)], store, Pool())
    summary = fit([request(seeds=3)], store, Pool(factor=2.0))
    assert [run.extra["expected"] for run in summary.fitted[:1]] == [30.0]
    reread = {run.key: run for run in store.read()[0]}
    assert all(reread[run.key].extra["expected"] == run.extra["expected"] for run in summary.fitted)
    assert accuracy(summary.fitted[:1]) == "1 run took 2.00 times what was predicted (median)"
    assert accuracy([]) == ""


def test_budget_runs_what_can_be_judged_and_names_the_rest(tmp_path):
    store = Store(tmp_path)
    fit([request(seeds=1)], store, Pool())
    pool = Pool()
    summary = fit([request()], store, pool, budget=45.0)
    assert fitted(pool) == ["short 1", "short 2"]
    assert summary.left_out == {
        "simulated": {"long error 1%": "left out by the budget of 45 s: it takes 2 runs more, about 60 s on one worker"}
    }
    rest = fit([request()], store, Pool(), budget=60.0)
    assert [run.method for run in rest.fitted] == ["long", "long"]
    assert rest.left_out == {}


@pytest.mark.parametrize("slots", [1, 2, 3])
@pytest.mark.parametrize("budget", [5.0, 25.0, 61.0, 500.0])
def test_nothing_begins_that_is_expected_to_end_too_late(tmp_path, slots, budget):
    store = Store(tmp_path)
    fit([request(seeds=1)], store, Pool())
    pool = Pool(slots)
    fit([request(seeds=8)], store, pool, budget=budget)
    assert pool.now <= budget


def test_budget_is_chosen_anew_when_runs_take_longer_than_predicted(tmp_path):
    store = Store(tmp_path)
    fit([request(seeds=1)], store, Pool())
    pool = Pool(factor=3.0)
    summary = fit([request(seeds=4)], store, pool, budget=100.0)
    assert len(pool.submitted) < 7
    assert pool.now <= 100.0 + 2 * 30.0
    assert summary.left_out


def test_budget_too_small_for_anything_ends_at_once(tmp_path):
    pool = Pool()
    summary = fit([request()], Store(tmp_path), pool, budget=1.0)
    assert (pool.submitted, summary.fitted) == ([], ())
    assert set(summary.left_out["simulated"]) == {"short", "long", "short error 1%", "long error 1%"}


def test_more_is_asked_until_nothing_comes_and_on_the_same_workers(tmp_path):
    store, pool = Store(tmp_path), Pool()
    further = iter([[request(seeds=4)], [request(seeds=4)], []])
    summary = fit([request(seeds=2)], store, pool, more=lambda: next(further), fresh=True)
    assert len(summary.fitted) == 8
    assert summary.reused == 0
    assert next(further, None) is None


def test_run_that_is_asked_for_twice_is_fitted_once(tmp_path):
    pool = Pool(4)
    assert len(fit([request(), request(seeds=2)], Store(tmp_path), pool).fitted) == 6


def test_simulated_runs_are_fitted_once_each_and_choices_before_what_waits(tmp_path):
    measured = simulate(200, 8, tmp_path)
    records = Store(tmp_path).read()[0]
    assert measured.runs == len(records) == 200 + 4 * 5 * 2
    assert measured.ideal <= measured.makespan
    assert len(measured.line().split()) == 6


def test_end_of_a_run_costs_the_same_however_many_there_are(tmp_path, monkeypatch):
    asked = 0
    expected = Durations.expected

    def counted(self, run):
        nonlocal asked
        asked += 1
        return expected(self, run)

    monkeypatch.setattr(engine.Durations, "expected", counted)
    each = []
    for runs in (100, 400):
        asked = 0
        measured = simulate(runs, 4, tmp_path / str(runs))
        each.append(asked / measured.runs)
    assert each[1] < 1.2 * each[0]


# --- predictions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def networks():
    """A run of each network of the simulated benchmark, with the whole training split and with little of it."""
    asked = Request(benchmark(20), "none", {"train": "", "test": ""}, "lecture", "tensorflow")
    sources = {method.name: "" for method in asked.benchmark.methods}
    return [run for run in plan(asked, {}, sources).runs if run.training is not None]


def test_network_is_predicted_from_what_it_sees_while_nothing_is_known(networks):
    whole = SECONDS_BESIDE_FITTING + 30 * 0.8 * EXAMPLES_UNKNOWN * SECONDS_PER_EXAMPLE
    assert Durations().expected(networks[0]) == pytest.approx(whole)
    some = replace(networks[0], train_size=500)
    assert Durations().expected(some) < 10
    assert Durations().expected(replace(networks[0], examples=1000)) == Durations().expected(
        replace(networks[0], train_size=1000)
    )


def test_network_is_predicted_from_others_then_from_its_own_kind(networks):
    first = networks[0]
    other = next(run for run in networks if run.method != first.method)
    small = replace(record(other, 0), recipe={"epochs": 2}, dataset={"name": "none", "n_train": 1000})
    durations = Durations([replace(small, seconds={"fit": 4.0, "import": 3.0, "wait": 50.0})])
    seen = 30 * 0.8 * EXAMPLES_UNKNOWN
    assert durations.expected(first) == pytest.approx(3.0 + seen * 4.0 / 2000)
    assert durations.add(replace(record(first, 0), seconds={"fit": 7.0, "wait": 1.0}))
    assert durations.expected(first) == 7.0
    assert not durations.add(replace(record(first, 0), seconds={"fit": 9.0}))
    assert durations.expected(first) == 8.0


def test_same_method_elsewhere_says_more_than_other_networks(networks):
    first = networks[0]
    other = next(run for run in networks if run.method != first.method)
    seconds = {"fit": 1.0}
    durations = Durations()
    durations.add(replace(record(other, 0), seconds={"fit": 100.0}))
    durations.add(replace(record(first, 0), profile="full", seconds=seconds))
    assert durations.expected(first) == pytest.approx(1.0)


def test_failed_runs_say_nothing(networks):
    durations = Durations([replace(record(networks[0], 1.0), status="timeout")])
    assert durations.expected(networks[0]) == Durations().expected(networks[0])
    baseline = replace(networks[0], training=None)
    assert durations.expected(baseline) == SECONDS_UNKNOWN


def test_longest_first_takes_choices_then_the_longest_and_each_once(networks):
    judged = [replace(run, role="judged", key=f"{i}", seed=i) for i, run in enumerate(networks[:3])]
    long = replace(judged[0], key="long", method="long")
    order = LongestFirst(lambda run: 2.0 if run.method == "long" else 1.0, [*judged, long, networks[0], long])
    assert len(order) == 5
    assert [order.pop().key for _ in range(5)] == [networks[0].key, "long", "0", "1", "2"]
    with pytest.raises(IndexError):
        order.pop()


def test_short_runs_come_where_their_worker_waits_and_long_ones_by_their_length(networks):
    run = replace(networks[0], role="judged")
    seconds = {"hours": 3600.0, "minutes": 90.0, "short": 5.0, "shorter": 3.0, "other": 4.0}
    waits = {"hours": -1, "minutes": 1, "short": -1, "shorter": 1, "other": 0}
    runs = [replace(run, key=name, method=name) for name in seconds]
    order = LongestFirst(lambda run: seconds[run.method], runs)
    taken = [order.pop(lambda run: waits[run.method]).method for _ in runs]
    assert taken == ["hours", "minutes", "shorter", "other", "short"]
