"""Which runs a request comes to, what is in a run's key, and how a parameter is chosen."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pickle

import pytest

from lecturebench.declare.benchmark import Benchmark, Profile
from lecturebench.declare.claims import TimeToTargetClaim
from lecturebench.declare.methods import Baseline, Experiment, Network
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.suites import discover
from lecturebench.declare.training import Choice, Training
from lecturebench.execution.plan import Request, chosen, limited, plan
from lecturebench.metrics import METRICS
from lecturebench.models.dense import softmax_regression
from lecturebench.store import Record

DIGESTS = {"train": "a", "test": "b"}


class Sources(dict):
    """A source digest for any method."""

    def __missing__(self, name):
        return f"source of {name}"


PENALTY = discover()["error_table"].method("ridge").choices["penalty"]


@pytest.fixture(scope="module")
def table():
    return discover()["error_table"]


def request(table, **changes) -> Request:
    values = {"dataset": "mnist", "digests": DIGESTS, "profile": "lecture", "backend": "tensorflow"}
    return Request(table, **(values | changes))


def ended(run, error=0.02, status="ok") -> Record:
    return Record(
        key=run.key, suite="lecture", benchmark=run.benchmark, method=run.method, dataset={}, profile=run.profile,
        backend=run.backend, device=run.device, seed=run.seed, role=run.role, status=status, recipe=dict(run.recipe),
        metrics={"validation": {"error": error}} if status == "ok" else {},
    )  # fmt: skip


def test_judged_runs_of_an_open_choice_wait_for_the_grid(table):
    planned = plan(request(table, methods=("ridge",)), {}, Sources())
    assert {run.role for run in planned.runs} == {"choice"}
    assert len(planned.runs) == 9 * 3
    assert len(planned.waiting) == 5


def test_grid_that_has_ended_gives_the_judged_runs_with_the_chosen_value(table):
    ridge = request(table, methods=("ridge",))
    grid = plan(ridge, {}, Sources()).runs
    records = {run.key: ended(run, 0.02 if run.parameters["penalty"] < 1e-3 else 0.05) for run in grid}
    planned = plan(ridge, records, Sources())
    judged = [run for run in planned.runs if run.role == "judged"]
    assert planned.waiting == []
    assert [run.seed for run in judged] == [0, 1, 2, 3, 4]
    assert {run.parameters["penalty"] for run in judged} == {3e-4}
    assert {run.recipe["penalty"] for run in judged} == {3e-4}


def test_the_first_run_tells_whether_a_method_is_random(table):
    unknown, fixed, drawn = (
        Baseline(str(deterministic), "", softmax_regression, deterministic=deterministic)
        for deterministic in (None, True, False)
    )
    three_methods = request(dataclasses.replace(table, methods=(unknown, fixed, drawn), claims=(), drawings=()))
    begun = plan(three_methods, {}, Sources())
    assert {name: [r.seed for r in begun.runs if r.method == name] for name in ("None", "True", "False")} == {
        "None": [0], "True": [0], "False": [0, 1, 2, 3, 4]
    }  # fmt: skip
    [first] = [run for run in begun.runs if run.method == "None"]
    assert begun.deciding == {first.key}
    for random, seeds in ((True, [0, 1, 2, 3, 4]), (False, [0])):
        then = plan(three_methods, {first.key: dataclasses.replace(ended(first), random=random)}, Sources())
        assert [run.seed for run in then.runs if run.method == "None"] == seeds
        assert then.deciding == frozenset()
        assert first.key in {run.key for run in then.runs}, "its key does not depend on what it told"


def test_best_of_a_metric_where_higher_is_better_is_the_highest(table):
    ridge = request(table, methods=("ridge",))
    runs = [(run, ended(run)) for run in plan(ridge, {}, Sources()).runs]
    for _, record in runs:
        record.metrics["validation"] = {"accuracy": 0.98 if record.recipe["penalty"] == 1e-5 else 0.5}
    assert chosen({"penalty": PENALTY}, runs, METRICS["accuracy"]) == {"penalty": 1e-5}


def test_what_a_race_looks_at_beside_the_usual_is_in_the_recipe(table):
    race = TimeToTargetClaim(
        faster="dropout", slower="ridge", target="3%", source="s", slide="s", dataset="mnist", protocol={}
    )
    usual = plan(request(dataclasses.replace(table, claims=(race,)), methods=("dropout",)), {}, Sources()).runs[0]
    other = dataclasses.replace(race, metric="validation accuracy", target="90%")
    looking = plan(request(dataclasses.replace(table, claims=(other,)), methods=("dropout",)), {}, Sources()).runs[0]
    assert "looked_at" not in usual.recipe
    assert looking.recipe["looked_at"] == ["accuracy"]
    assert looking.key != usual.key


def test_value_with_a_failed_run_is_not_chosen(table):
    ridge = request(table, methods=("ridge",))
    grid = plan(ridge, {}, Sources()).runs
    runs = [(run, ended(run, status="diverged" if run.parameters["penalty"] > 1e-5 else "ok")) for run in grid]
    assert chosen({"penalty": PENALTY}, runs, METRICS["error"]) == {"penalty": 1e-5}
    failed = [(run, ended(run, status="error")) for run in grid]
    assert chosen({"penalty": PENALTY}, failed, METRICS["error"]) is None


@pytest.mark.parametrize("metrics", [{}, {"validation": {"errnr": 0.1}}, {"validation": {"error": math.nan}}])
def test_value_whose_record_lacks_the_number_to_choose_by_is_not_chosen(table, metrics):
    ridge = request(table, methods=("ridge",))
    runs = [(run, ended(run)) for run in plan(ridge, {}, Sources()).runs]
    for run, record in runs:
        record.recipe = {}  # what a record says of itself is not what was asked for
        if run.parameters["penalty"] > 1e-5:
            record.metrics = metrics
    assert chosen({"penalty": PENALTY}, runs, METRICS["error"]) == {"penalty": 1e-5}


def test_choice_that_failed_throughout_leaves_nothing_to_judge(table):
    ridge = request(table, methods=("ridge",))
    grid = plan(ridge, {}, Sources()).runs
    planned = plan(ridge, {run.key: ended(run, status="error") for run in grid}, Sources())
    assert {run.role for run in planned.runs} == {"choice"}
    assert planned.waiting == []


def test_deterministic_methods_are_fitted_once_others_per_seed(table):
    planned = plan(request(table, methods=("lda", "dropout"), seeds=3), {}, Sources())
    assert sorted((run.method, run.seed) for run in planned.runs) == [
        ("dropout", 0),
        ("dropout", 1),
        ("dropout", 2),
        ("lda", 0),
    ]


def test_runs_that_others_wait_for_come_first_then_the_longest(table):
    planned = plan(request(table), {}, Sources())
    roles = [run.role for run in planned.runs]
    assert roles == sorted(roles)
    epochs = [(run.training or {"epochs": 0})["epochs"] for run in planned.runs if run.role == "judged"]
    assert epochs == sorted(epochs, reverse=True)


def test_runs_travel_to_other_processes(table):
    for run in plan(request(table), {}, Sources()).runs:
        assert pickle.loads(pickle.dumps(run)) == run


def key(table, method="dropout", sources=None, **changes) -> str:
    return plan(request(table, methods=(method,), **changes), {}, sources or Sources()).runs[0].key


@pytest.mark.parametrize(
    "changes",
    [
        {"digests": {"train": "other", "test": "b"}},
        {"profile": "full"},
        {"backend": "jax"},
        {"sources": {"dropout": "edited"}},
    ],
)
def test_key_covers_what_decides_the_result(table, changes):
    assert key(table, **changes) != key(table)


def test_key_does_not_depend_on_device_name_of_the_dataset_or_how_many_seeds(table):
    assert key(table, device="gpu") == key(table, dataset="npz:x", seeds=9) == key(table)


def test_key_of_a_baseline_does_not_depend_on_the_backend(table):
    assert key(table, "lda", backend="jax") == key(table, "lda")


def test_key_changes_with_the_recipe(table):
    shorter = dict(table.profiles) | {"lecture": Profile(epochs=7)}
    assert key(dataclasses.replace(table, profiles=shorter)) != key(table)


def test_run_that_only_chooses_has_another_key_than_a_judged_one_of_its_seed(table):
    ridge = request(table, methods=("ridge",), seeds=200)
    grid = plan(ridge, {}, Sources()).runs
    judged = plan(ridge, {run.key: ended(run) for run in grid}, Sources()).runs
    assert len({run.key for run in judged}) == len(judged) == len(grid) + 200


def test_profile_limits_grid_and_seeds_evenly():
    choice = Choice(grid=(1.0, 2.0, 3.0, 4.0, 5.0), seeds=(7, 8, 9))
    assert limited(choice, Profile(grid=2, choice_seeds=2)) == ((1.0, 5.0), (7, 8))
    assert limited(choice, Profile(grid=3)) == ((1.0, 3.0, 5.0), (7, 8, 9))
    assert limited(choice, Profile()) == (choice.grid, choice.seeds)


def optimisers(**training) -> Benchmark:
    rate = training.pop("learning_rate", Choice((0.1, 1.0), (1001, 1002)))
    training = Training("sgd", rate, 128, 3, **training)
    fixed = dataclasses.replace(training, learning_rate=0.1)
    return Benchmark(
        title="t",
        name="optimisers",
        methods=(
            Network("sgd", "SGD", softmax_regression, training),
            Network("splits", "Splits", softmax_regression, fixed, resplit=True),
            Network("elsewhere", "E", softmax_regression, fixed, datasets=("cifar10",)),
            Experiment("formula", "F", softmax_regression, deterministic=True),
        ),
        claims=(),
        datasets=("mnist", "cifar10"),
        profiles={"smoke": Profile(epochs=1, train_size=50), "lecture": Profile(seeds=2, splits=4), "full": Profile()},
    )  # fmt: skip


def test_chosen_learning_rate_reaches_training_and_recipe():
    sgd = request(optimisers(), methods=("sgd",))
    grid = plan(sgd, {}, Sources()).runs
    assert [(run.training["learning_rate"], run.seed) for run in grid] == [
        (rate, seed) for rate in (0.1, 1.0) for seed in (1001, 1002)
    ]
    records = {run.key: ended(run, 0.02 if run.training["learning_rate"] == 0.1 else 0.5) for run in grid}
    judged = [run for run in plan(sgd, records, Sources()).runs if run.role == "judged"]
    assert {run.training["learning_rate"] for run in judged} == {0.1}
    assert {run.recipe["learning_rate"] for run in judged} == {0.1}
    assert "learning_rate" not in judged[0].parameters


@pytest.mark.parametrize(("rule", "taken"), [("least", 0.1), ("one standard error", 1.0)])
def test_choice_is_made_by_its_own_rule(rule, taken):
    choice = Choice((0.1, 1.0), (1001, 1002), rule=rule)
    table = optimisers(learning_rate=choice)
    sgd = request(table, methods=("sgd",))
    grid = plan(sgd, {}, Sources()).runs
    errors = {(0.1, 1001): 0.20, (0.1, 1002): 0.24, (1.0, 1001): 0.21, (1.0, 1002): 0.25}
    records = {run.key: ended(run, errors[run.training["learning_rate"], run.seed]) for run in grid}
    judged = [run for run in plan(sgd, records, Sources()).runs if run.role == "judged"]
    assert {run.training["learning_rate"] for run in judged} == {taken}


def several(**changes) -> Benchmark:
    """A network with three parameters left to choose, and a baseline with one."""
    seeds = (1001, 1002, 1003)
    training = Training("sgd", Choice((0.1, 0.2), seeds, rule="least"), 128, 3)
    units = Choice((16, 32, 64), seeds, rule="least")
    values = {
        "methods": (
            Network("network", "", softmax_regression, training, penalty=Choice((0.5, 1.0, 2.0), seeds), units=units),
            Baseline("neighbours", "", softmax_regression, k=Choice((1, 3, 5), seeds, rule="least")),
        ),
        "profiles": {"smoke": Profile(seeds=1, grid=2, choice_seeds=2), "lecture": Profile(seeds=2), "full": Profile()},
    }
    return dataclasses.replace(optimisers(), **(values | changes))


def test_each_combination_of_values_is_tried_with_each_seed():
    grid = plan(request(several(), methods=("network",)), {}, Sources())
    tried = [(*run.chosen.values(), run.seed) for run in grid.runs]
    assert tried == list(itertools.product((0.5, 1.0, 2.0), (16, 32, 64), (0.1, 0.2), (1001, 1002, 1003)))
    for run in grid.runs:
        assert run.chosen == {**run.parameters, "learning_rate": run.training["learning_rate"]}
    assert len({run.key for run in grid.runs}) == len(tried)
    assert len(grid.waiting) == 2
    smoke = plan(request(several(), methods=("network",), profile="smoke"), {}, Sources()).runs
    assert [(*run.chosen.values(), run.seed) for run in smoke] == list(
        itertools.product((0.5, 2.0), (16, 64), (0.1, 0.2), (1001, 1002))
    )


def test_judged_runs_have_the_combination_that_the_rule_chooses_with_values_as_declared():
    wanted = request(several(), methods=("network",))
    errors = {(0.5, 32, 0.2): 0.10, (1.0, 32, 0.2): 0.15, (2.0, 32, 0.2): 0.11, (2.0, 16, 0.1): 0.101}
    records = {
        run.key: ended(run, errors.get(tuple(run.chosen.values()), 0.5) + 0.02 * (run.seed - 1002))
        for run in plan(wanted, {}, Sources()).runs
    }
    planned = plan(wanted, records, Sources())
    judged = [run for run in planned.runs if run.role == "judged"]
    assert (len(judged), planned.waiting) == (2, [])
    for run in judged:
        assert run.chosen == {"penalty": 2.0, "units": 32, "learning_rate": 0.2}
        assert (run.recipe["units"], type(run.recipe["units"]), type(run.parameters["units"])) == (32, int, int)
        assert (run.recipe["penalty"], run.training["learning_rate"]) == (2.0, 0.2)


def test_value_is_given_as_declared_whatever_a_record_makes_of_it():
    wanted = request(several(), methods=("neighbours",))
    records = {run.key: ended(run, 0.1 * run.chosen["k"]) for run in plan(wanted, {}, Sources()).runs}
    for record in records.values():
        record.recipe["k"] = float(record.recipe["k"])
    [judged] = [run for run in plan(wanted, records, Sources()).runs if run.role == "judged"]
    assert repr(judged.parameters["k"]) == repr(judged.recipe["k"]) == "1"


def test_baseline_with_an_open_choice_is_planned_anew_once_its_grid_and_its_first_run_have_ended():
    wanted = request(several(), methods=("neighbours",))
    begun = plan(wanted, {}, Sources())
    assert begun.deciding == {run.key for run in begun.runs}, "of a run that waits nobody knows the key"
    assert [run.seed for run in begun.waiting] == [0]
    records = {run.key: ended(run, 0.1 * run.chosen["k"]) for run in begun.runs}
    then = plan(wanted, records, Sources())
    [first] = [run for run in then.runs if run.role == "judged"]
    assert then.deciding == {first.key}
    decided = plan(wanted, records | {first.key: dataclasses.replace(ended(first), random=True)}, Sources())
    assert [run.seed for run in decided.runs if run.role == "judged"] == [0, 1]


def test_combination_with_a_failed_run_or_without_the_metric_is_not_chosen():
    wanted = request(several(), methods=("neighbours",))
    runs = [(run, ended(run, 0.1 * run.chosen["k"])) for run in plan(wanted, {}, Sources()).runs]
    choices = wanted.asked[0].choices
    runs[0] = (runs[0][0], dataclasses.replace(runs[0][1], status="error"))
    assert chosen(choices, runs, METRICS["error"]) == {"k": 3}
    runs[3][1].metrics["validation"] = {"error": float("nan")}
    assert chosen(choices, runs, METRICS["error"]) == {"k": 5}
    assert chosen(choices, runs, METRICS["loss"]) is None


def test_method_for_other_datasets_is_left_out():
    names = {run.method for run in plan(request(optimisers()), {}, Sources()).runs}
    assert "elsewhere" not in names
    on_cifar = {run.method for run in plan(request(optimisers(), dataset="cifar10"), {}, Sources()).runs}
    assert "elsewhere" in on_cifar


def test_random_splits_have_a_number_of_their_own_and_what_is_asked_for_comes_first():
    def seeds(name, **changes):
        return [r.seed for r in plan(request(optimisers(), methods=(name,), **changes), {}, Sources()).runs]

    assert seeds("splits") == [0, 1, 2, 3]
    assert seeds("elsewhere", dataset="cifar10") == [0, 1]
    assert seeds("splits", seeds=1) == [0]
    assert seeds("formula") == [0]


def test_profile_caps_epochs_and_training_examples_and_never_raises_them():
    smoke = plan(request(optimisers(train_size=20), methods=("splits",), profile="smoke"), {}, Sources()).runs[0]
    assert (smoke.training["epochs"], smoke.train_size) == (1, 20)
    large = plan(request(optimisers(train_size=500), methods=("splits",), profile="smoke"), {}, Sources()).runs[0]
    assert large.train_size == 50


def test_recipe_says_what_was_asked_for_and_nothing_else():
    def recipe(**training):
        return plan(request(optimisers(**training), methods=("splits",)), {}, Sources()).runs[0].recipe

    assert not {"schedule", "looks", "held_out", "train_size"} & set(recipe())
    full = recipe(schedule=Schedule("cosine"), looks=4, train_size=9)
    assert full["schedule"] == {"kind": "cosine", "periods": 1, "factor": 0.1, "warmup": 0.0, "pieces": []}
    assert (full["looks"], full["train_size"], full["resplit"]) == (4, 9, True)
    with pytest.raises(ValueError, match="draws its split anew"):
        recipe(held_out="last")


def test_recipe_says_in_which_precision_a_network_computes(table):
    precisions = {run.method: run.recipe.get("precision") for run in plan(request(table), {}, Sources()).runs}
    assert precisions["dropout"] == precisions["ridge"] == "float32"
    assert precisions["lda"] is None


def test_recipe_says_that_the_last_are_held_out(table):
    assert plan(request(table, methods=("dropout",)), {}, Sources()).runs[0].recipe["held_out"] == "last"


def test_runs_of_other_schedules_have_other_keys():
    keys = {
        plan(request(optimisers(schedule=schedule), methods=("splits",)), {}, Sources()).runs[0].key
        for schedule in (None, Schedule("cosine"), Schedule("cosine", warmup=0.1))
    }
    assert len(keys) == 3


def test_first_seed_shifts_the_judged_runs_and_leaves_what_chooses_as_it_is(table):
    def seeds(**given):
        request = Request(table, "mnist", DIGESTS, "lecture", "tensorflow", methods=("ridge", "dropout"), **given)
        runs, waiting, _ = plan(request, {}, Sources())
        return [(run.role, run.method, run.seed) for run in (*runs, *waiting)]

    shifted = [(role, name, seed + 7 * (role == "judged")) for role, name, seed in seeds(seeds=3)]
    assert sorted(seeds(seeds=3, first_seed=7)) == sorted(shifted)
