"""Which records count: those that today's code would plan, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from lecturebench import Baseline, Benchmark, Choice, Network, Profile, Training
from lecturebench.errors import DataMissing
from lecturebench.execution import standing
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.standing import planned
from lecturebench.store import Record

DIGESTS = {"train": "t", "test": "u"}
RECIPE = Training("sgd", learning_rate=0.1, batch_size=1, epochs=20)
GRID = (0.1, 1.0)


def function() -> None:
    """Never called."""


def benchmark(**changes) -> Benchmark:
    values = {
        "name": "small",
        "suite": "course",
        "title": "",
        "methods": (
            Network("chosen", "", function, RECIPE, penalty=Choice(GRID, (7, 8))),
            Network("plain", "", function, RECIPE),
            Baseline("fixed", "", function),
        ),
        "claims": (),
        "datasets": ("d",),
        "profiles": {name: Profile(seeds=2) for name in ("smoke", "lecture", "full")},
    }
    return Benchmark(**(values | changes))


@pytest.fixture(autouse=True)
def sources(monkeypatch) -> dict[str, str]:
    """The source digest of each method; a test may edit one."""
    digests = {"chosen": "c", "plain": "p", "fixed": "f"}
    monkeypatch.setattr(
        standing, "source_digests", lambda request, look: {name: digests[name] for name in request.methods or ()}
    )
    return digests


def record(run, status="ok", **changes) -> Record:
    made = Record(
        key=run.key, suite="course", benchmark=run.benchmark, method=run.method, profile=run.profile,
        dataset={"name": run.dataset, "digests": dict(run.digests)}, backend=run.backend, device="cpu", seed=run.seed,
        role=run.role, status=status, recipe=dict(run.recipe), source_digest=run.source_digest,
        metrics={"validation": {"error": run.recipe.get("penalty", 0.0)}, "test": {"error": 0.02}},
    )  # fmt: skip
    return replace(made, **changes)


def runs(sources, method, seeds=None, records=(), of=None, **changes):
    request = replace(
        Request(of or benchmark(), "d", DIGESTS, "lecture", "jax", methods=(method,), seeds=seeds), **changes
    )
    return plan(request, {entry.key: entry for entry in records}, sources).runs


def load(name):
    if name != "d":
        raise DataMissing(f"no {name}\nhere")
    return SimpleNamespace(digests=DIGESTS, kind="images")


def stale(*records, of=None):
    return dict(planned({"small": of or benchmark()}, records, load).stale)


def test_runs_as_planned_count_on_any_profile_backend_device_and_time_limit(sources):
    records = [record(run, device="gpu") for name in ("plain", "fixed") for run in runs(sources, name)]
    records += [record(run) for run in runs(sources, "plain", profile="full", backend="torch", time_limit=3.0)]
    assert stale(*records) == {}


def test_abandoned_version_does_not_count_though_it_is_the_newest(sources):
    other = Benchmark(**{**vars(benchmark()), "methods": (Network("plain", "", function, RECIPE, units=9),)})
    old = [record(run, started="2026-02-02") for run in runs(sources, "plain", of=other)]
    kept = [record(run, started="2026-01-01") for run in runs(sources, "plain")]
    assert stale(*old, *kept) == {run.key: "units was 9, is not there" for run in old}


def test_edited_source_makes_runs_stale(sources):
    records = [record(run) for run in runs(sources, "plain")]
    sources["plain"] = "edited"
    assert set(stale(*records).values()) == {"its source has changed"}


def test_other_data_and_other_threads_make_runs_stale(sources):
    [run, other] = runs(sources, "plain", digests={"train": "t", "test": "x"})
    two = [record(run, threads=run.threads) for run in runs(sources, "plain", threads=2)]
    assert set(stale(record(run), record(other)).values()) == {"other data: the digest of test differs"}
    assert set(stale(*two).values()) == {"it was fitted on 2 threads, 1 is planned"}


def test_dataset_that_cannot_be_had_is_taken_as_its_runs_state_it_and_said(sources):
    records = [record(run) for run in runs(sources, "plain", dataset="gone")]
    odd = replace(records[0], dataset={"name": "gone", "digests": {"train": "x"}}, key="odd")
    outcome = planned({"small": benchmark()}, [*records, odd], load)
    assert outcome.stale == {"odd": "other data: the digest of test and train differs"}
    assert outcome.notes == ("gone cannot be had now (no gone here): its digests are taken as its runs state them",)


def test_more_seeds_than_the_profile_has_count_one_after_the_other(sources):
    records = [record(run) for run in runs(sources, "plain", seeds=6)]
    assert stale(*records) == {}
    gap = [entry for entry in records if entry.seed != 3]
    assert stale(*gap) == {
        entry.key: "seeds are taken one after the other, and seed 3 has no run" for entry in gap if entry.seed > 3
    }
    assert stale(*records[1:2]) == {}, "the profile plans it whether or not seed 0 has ended"
    [note] = planned({"small": benchmark()}, records[1:2], load).notes
    assert note.endswith("no run of seed 0, but of later ones")


def test_second_seed_of_a_deterministic_method_does_not_count(sources):
    [run] = runs(sources, "fixed")
    assert stale(record(run), record(run, key="again", seed=1)) == {"again": "seed 1 is not planned"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seed": 1}, "its seed is 1, its key is that of 0"),
        ({"recipe": {}}, "its recipe is {}, its key is that of {"),
        ({"role": "choice"}, "its role is 'choice', its key is that of 'judged'"),
        ({"threads": 4}, "its threads is 4, its key is that of 1"),
        ({"source_digest": "x"}, "its source digest is 'x', its key is that of 'p'"),
        ({"dataset": {"name": "d", "digests": {"train": "t"}}}, "its digests is {'train': 't'}, its key is that of {"),
    ],
)
def test_nothing_that_a_record_says_of_itself_is_believed(sources, changes, why):
    run = runs(sources, "plain")[0]
    assert stale(record(run, **changes))[run.key].startswith(f"edited since it was written: {why}")


@pytest.mark.parametrize("changes", [{"method": "fixed"}, {"profile": "full"}, {"backend": "torch"}])
def test_record_that_was_moved_elsewhere_does_not_count_there(sources, changes):
    run = runs(sources, "plain")[0]
    assert run.key in stale(record(run, **changes))


def test_judged_runs_count_at_the_value_that_the_rule_takes_today(sources):
    grid = [record(run) for run in runs(sources, "chosen")]
    judged = [record(run) for run in runs(sources, "chosen", records=grid) if run.role == "judged"]
    assert stale(*grid, *judged) == {}
    assert set(stale(*grid[1:], *judged).values()) == {"its penalty is open: 1 run of its grid to come"}
    better = [replace(entry, metrics={"validation": {"error": 1.1 - entry.recipe["penalty"]}}) for entry in grid]
    assert stale(*better, *judged) == {entry.key: "penalty was 0.1, is 1.0" for entry in judged}


def test_grid_run_whose_value_was_edited_chooses_nothing(sources):
    grid = [record(run) for run in runs(sources, "chosen")]
    judged = [record(run) for run in runs(sources, "chosen", records=grid) if run.role == "judged"]
    edited = replace(grid[0], recipe={**grid[0].recipe, "penalty": 1.0})
    left = stale(edited, *grid[1:], *judged)
    assert left[edited.key].startswith("edited since it was written: its recipe is ")
    assert set(left) == {edited.key, *(entry.key for entry in judged)}


def test_value_that_left_the_grid_is_not_tried_any_more(sources):
    smaller = benchmark(methods=(Network("chosen", "", function, RECIPE, penalty=Choice((1.0,), (7, 8))),))
    records = [record(run) for run in runs(sources, "chosen")]
    assert stale(*records, of=smaller) == {
        entry.key: "penalty 0.1 is not tried any more" for entry in records if entry.recipe["penalty"] == 0.1
    }


def test_grid_of_several_parameters_counts_and_says_what_left_it(sources):
    def of(rates, profile=None):
        training = replace(RECIPE, learning_rate=Choice(rates, (7, 8), rule="least"))
        profiles = {name: profile or Profile(seeds=2) for name in ("smoke", "lecture", "full")}
        return benchmark(
            methods=(Network("chosen", "", function, training, penalty=Choice(GRID, (7, 8))),), profiles=profiles
        )

    both = of((0.1, 1.0))
    grid = [record(run) for run in runs(sources, "chosen", of=both)]
    judged = [record(run) for run in runs(sources, "chosen", of=both, records=grid) if run.role == "judged"]
    assert (len(grid), len(judged)) == (2 * 2 * 2, 2)
    assert stale(*grid, *judged, of=both) == {}
    left = stale(*grid[1:], *judged, of=both)
    assert set(left.values()) == {"its penalty and learning_rate are open: 1 run of its grid to come"}
    left = stale(*grid, of=of((1.0,)))
    assert left == {
        one.key: "learning_rate 0.1 is not tried any more" for one in grid if one.recipe["learning_rate"] == 0.1
    }
    left = stale(*grid, of=of((0.1, 1.0), Profile(seeds=2, grid=1)))
    assert set(left.values()) == {
        "its penalty is not in the grid of this profile",
        "its learning_rate is not in the grid of this profile",
        "its penalty and learning_rate are not in the grid of this profile",
    }


def test_records_of_an_earlier_schema_say_so(sources, monkeypatch):
    monkeypatch.setattr(standing, "SCHEMA", 2)
    old = record(runs(sources, "plain")[0], key="old", schema=1)
    assert stale(old) == {"old": "an earlier version of lecturebench wrote it (schema 1, now 2)"}


def test_unknown_suites_benchmarks_and_methods_are_left_to_others(sources):
    run = runs(sources, "plain")[0]
    strangers = [record(run, suite="theirs"), record(run, benchmark="gone"), record(run, method="gone")]
    assert stale(*strangers) == {}


@pytest.mark.parametrize("limit", [{"profiles": ("full",)}, {"datasets": ("other",)}])
def test_runs_where_a_method_is_not_fitted_any_more_do_not_count_and_say_so(sources, limit, monkeypatch):
    monkeypatch.setattr(standing, "source_digests", lambda request, look: {m.name: "p" for m in request.asked})
    own = [record(run) for run in runs(sources, "plain")]
    others = [record(run) for run in runs(sources | {"fixed": "p"}, "fixed")]
    limited = benchmark(methods=(Network("plain", "", function, RECIPE, **limit), Baseline("fixed", "", function)))
    reason = "plain is not fitted on d on the lecture profile any more"
    assert stale(*own, *others, of=limited) == {run.key: reason for run in own}


def test_method_without_a_source_makes_its_records_stale_with_the_reason(sources, monkeypatch):
    odd = replace(record(runs(sources, "plain")[0]), method="odd")
    monkeypatch.undo()
    held = object()
    of = benchmark(methods=(Baseline("odd", "", lambda X, y: held),))
    [why] = stale(odd, of=of).values()
    assert why.startswith("method 'odd' of small: no source says what <object")


@pytest.mark.parametrize("seed", [10**18, 2**62])
def test_odd_seeds_end(sources, seed):
    assert len(stale(record(runs(sources, "plain")[0], key="odd", seed=seed))) == 1
