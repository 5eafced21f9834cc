"""What `list --runs` says of each run and of each other record, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lecturebench import Baseline, Benchmark, Choice, Network, Profile, Training
from lecturebench.execution.overview import lines, overview
from lecturebench.execution.plan import Request, plan
from lecturebench.store import Record


def function() -> None:
    """Never called."""


RECIPE = Training("sgd", learning_rate=0.1, batch_size=1, epochs=20)
BENCHMARK = Benchmark(
    name="small",
    suite="course",
    title="",
    methods=(
        Network("chosen", "", function, RECIPE, penalty=Choice((0.1, 1.0), (7, 8))),
        Network("plain", "", function, RECIPE),
        Baseline("fixed", "", function),
    ),
    claims=(),
    datasets=("d",),
    profiles={name: Profile(seeds=2) for name in ("smoke", "lecture", "full")},
)
REQUEST = Request(BENCHMARK, "d", {"train": "t", "test": "u"}, "lecture", "jax")
SOURCES = {"chosen": "c", "plain": "p", "fixed": "f"}


def record(run, status="ok", **changes) -> Record:
    """A record of a planned run, 3 s long; ``changes`` replaces any of its fields."""
    made = Record(
        key=run.key, suite="course", benchmark=run.benchmark, method=run.method, profile=run.profile,
        dataset={"name": run.dataset, "digests": dict(run.digests)}, backend=run.backend, device="cpu", seed=run.seed,
        role=run.role, status=status, recipe=dict(run.recipe), source_digest=run.source_digest,
        metrics={"validation": {"error": run.recipe.get("penalty", 0.0)}, "test": {"error": 0.02}},
        seconds={"fit": 3.0, "wait": 9.0},
    )  # fmt: skip
    return replace(made, **changes)


def runs(ended=None):
    return plan(REQUEST, ended or {}, SOURCES).runs


def first(method, role="judged", records=()):
    ended = {old.key: old for old in records}
    return next(run for run in runs(ended) if run.method == method and run.role == role)


def look(*records, request=REQUEST):
    return overview([request], records, lambda request: SOURCES)


def standing(*records, request=REQUEST) -> dict[str, tuple[str, str]]:
    return {entry.name: (entry.state, entry.why) for entry in look(*records, request=request)}


def test_empty_store_lacks_every_run_and_waits_for_what_is_chosen():
    states = {entry.name: entry.state for entry in look()}
    assert states == {
        "chosen 0.1 seed 7": "missing",
        "chosen 0.1 seed 8": "missing",
        "chosen 1 seed 7": "missing",
        "chosen 1 seed 8": "missing",
        "chosen seed 0": "waiting",
        "chosen seed 1": "waiting",
        "plain seed 0": "missing",
        "plain seed 1": "missing",
        "fixed seed 0": "missing",
    }
    assert standing()["chosen seed 0"] == ("waiting", "until its penalty is chosen")


def test_done_and_failed_runs_say_what_came_out_and_how_long_it_took():
    done, failed = [run for run in runs() if run.method == "plain"]
    entries = {entry.name: entry for entry in look(record(done), record(failed, "crashed", reason="signal"))}
    assert (entries["plain seed 0"].state, entries["plain seed 0"].why) == ("done", "test error 2.00%")
    assert (entries["plain seed 1"].state, entries["plain seed 1"].why) == ("failed", "crashed: signal")
    assert entries["plain seed 0"].seconds == 3.0


def test_missing_runs_are_expected_to_take_what_others_of_the_kind_took():
    entries = {entry.name: entry for entry in look(record(first("plain")))}
    assert (entries["plain seed 1"].state, entries["plain seed 1"].seconds) == ("missing", 3.0)


@pytest.mark.parametrize(
    ("changes", "state", "why"),
    [
        ({"source_digest": "old"}, "stale", "its source has changed"),
        ({"dataset": {"name": "d", "digests": {"train": "t"}}}, "stale", "other data: the digest of test differs"),
        ({"method": "gone"}, "stale", "small has no method 'gone' any more"),
        ({"seed": 9}, "other", "seed 9 is not asked for"),
        ({"profile": "full"}, "other", "another profile: lecture is asked for"),
        ({"backend": "torch"}, "other", "another backend: jax is asked for"),
        ({"dataset": {"name": "e"}}, "other", "another dataset: d is asked for"),
        ({"suite": "theirs"}, "other", "of the suite 'theirs'"),
        ({}, "stale", "another version of lecturebench wrote it"),
    ],
)
def test_other_records_say_why_they_do_not_count(changes, state, why):
    old = record(first("plain"), key="old", **changes)
    [entry] = [entry for entry in look(old) if entry.key == "old"]
    assert (entry.state, entry.why) == (state, why)


def test_changed_recipe_names_the_fields():
    run = first("plain")
    old = record(run, key="old", recipe={**run.recipe, "epochs": 30, "units": [1]}, seed=5, source_digest="old")
    assert standing(old)["plain seed 5"] == (
        "stale",
        "its source has changed; epochs was 30, is 20; units was [1], is not there",
    )


def test_chosen_parameter_that_changed_is_named():
    grid = [record(run) for run in runs() if run.role == "choice"]
    run = first("chosen", records=grid)
    assert run.recipe["penalty"] == 0.1
    old = record(run, key="old", recipe={**run.recipe, "penalty": 1.0}, seed=5)
    assert standing(*grid, old)["chosen seed 5"] == ("stale", "penalty was 1.0, is 0.1")


def test_parameter_that_is_still_open_is_no_reason():
    tried = first("chosen", "choice")
    judged = record(tried, key="old", role="judged", seed=0, recipe={**tried.recipe, "penalty": 1.0})
    [entry] = [entry for entry in look(judged) if entry.key == "old"]
    assert (entry.state, entry.why) == ("other", "its penalty is open")


def test_tried_value_that_left_the_grid_is_named():
    run = first("chosen", "choice")
    old = record(run, key="old", recipe={**run.recipe, "penalty": 5.0})
    assert standing(old)["chosen 5 seed 7"] == ("stale", "penalty 5.0 is not tried any more")


def test_several_parameters_are_named_together():
    training = replace(RECIPE, learning_rate=Choice((0.1, 1.0), (7, 8), rule="least"))
    method = Network("chosen", "", function, training, penalty=Choice((0.1, 1.0), (7, 8)))
    request = replace(REQUEST, benchmark=replace(BENCHMARK, methods=(method,)))
    states = standing(request=request)
    assert states["chosen penalty 0.1, learning_rate 1 seed 7"] == ("missing", "")
    assert states["chosen seed 0"] == ("waiting", "until its penalty and learning_rate are chosen")
    tried = plan(request, {}, SOURCES).runs[0]
    old = record(tried, key="old", recipe={**tried.recipe, "learning_rate": 5.0})
    why = "learning_rate 5.0 is not tried any more"
    assert standing(old, request=request)["chosen penalty 0.1, learning_rate 5 seed 7"] == ("stale", why)


def test_methods_that_are_not_asked_for_are_others():
    old = record(first("plain"))
    assert standing(old, request=replace(REQUEST, methods=("fixed",)))["plain seed 0"][0] == "other"


def test_record_that_another_request_asks_for_is_told_once():
    old = record(first("plain"))
    both = [replace(REQUEST, methods=("fixed",)), replace(REQUEST, methods=("plain",))]
    entries = [entry for entry in overview(both, [old], lambda request: SOURCES) if entry.key == old.key]
    assert [entry.state for entry in entries] == ["done"]


def test_text_has_a_heading_a_line_for_each_and_counts():
    text = lines(look(record(first("plain")), record(first("fixed"), key="old", source_digest="old")))
    assert text[0] == "small on d (lecture)"
    assert len(text) == 1 + 9 + 1 + 1
    assert text[-1].startswith("1 done, 6 missing, 2 waiting, 1 stale; about ")
    assert "  done     plain seed 0      jax              3 s  test error 2.00%" in text
    assert lines([]) == ["no runs"]


def test_odd_records_do_not_stop_the_list():
    odd = record(first("plain"), metrics={}, recipe={}, dataset={}, key="odd")
    assert [entry.state for entry in look(odd) if entry.key == "odd"] == ["other"]
    assert standing(record(first("plain"), metrics={}))["plain seed 0"] == ("done", "")
