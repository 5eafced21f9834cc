"""Declarations: what they accept, what they refuse, and how suites are found."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from lecturebench.declare.benchmark import Benchmark, Profile, profiles
from lecturebench.declare.claims import MinimumClaim, NumberClaim, OrderClaim, TimeToTargetClaim, parse_printed
from lecturebench.declare.methods import Baseline, Experiment, Network
from lecturebench.declare.suites import discover
from lecturebench.declare.training import Choice, Training
from lecturebench.errors import UsageError, nearest
from lecturebench.metrics import Metric

TRAINING = Training(optimizer="rmsprop", learning_rate=0.001, batch_size=128, epochs=30)
PROFILES = {"smoke": Profile(judges=False), "lecture": Profile(), "full": Profile()}


def fit(X, y):
    raise AssertionError("declaring fits nothing")


def claim(**changes):
    values = {"method": "a", "printed": "2.3%", "dataset": "mnist", "source": "book", "slide": "s", "protocol": {}}
    return NumberClaim(**(values | changes))


@pytest.mark.parametrize(
    ("printed", "value", "unit"),
    [("2.3%", "0.023", "0.001"), ("12.7 %", "0.127", "0.001"), ("254.7", "254.7", "0.1"), ("7", "7", "1")],
)
def test_printed_digits_give_value_and_worth_of_the_last_one(printed, value, unit):
    assert parse_printed(printed) == (Decimal(value), Decimal(unit))


@pytest.mark.parametrize("printed", ["", "%", "two", "nan", "1,5%"])
def test_what_is_no_number_is_refused_with_its_text(printed):
    with pytest.raises(ValueError, match=r"is no printed number|is not finite"):
        claim(printed=printed)


def test_claim_about_a_method_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="speaks of 'b'"):
        Benchmark(
            title="t",
            methods=(Baseline("a", "A", fit),),
            claims=(claim(method="b"),),
            datasets=("mnist",),
            profiles=PROFILES,
        )


def declared(*claims, **changes):
    values = {
        "title": "t", "methods": (Baseline("a", "A", fit), Baseline("b", "B", fit)), "claims": claims,
        "datasets": ("mnist",), "profiles": PROFILES,
    }  # fmt: skip
    return Benchmark(**(values | changes))


def test_claims_speak_of_the_benchmarks_metric_unless_they_say_otherwise():
    kappa = Metric("kappa", "higher", lambda y, p: 0.0)
    about = {"dataset": "mnist", "source": "book", "slide": "s", "protocol": {}}
    two = claim(printed="88%"), claim(metric="kappa", printed="0.9")
    own, other = declared(*two, metric="accuracy", metrics=(kappa,)).claims
    assert (own.metric, own.name, other.metric) == ("accuracy", "a accuracy 88%", "kappa")
    assert declared(claim()).claims[0].metric == "error"
    assert declared(claim(printed="254.7"), task="regression").claims[0].metric == "mae"
    race = TimeToTargetClaim(faster="a", slower="b", target="90%", **about)
    assert declared(race, metric="accuracy").claims[0].metric == "validation accuracy"
    path = MinimumClaim(path=("a", "b", "c"), **about)
    three = tuple(Baseline(name, name, fit) for name in "abc")
    assert declared(path, metric="accuracy", methods=three).claims[0].name == "accuracy highest between a and c"
    assert declared(path, methods=three).claims[0].name == "error lowest between a and c"


@pytest.mark.parametrize(
    ("metric", "printed", "task", "reason"),
    [
        ("acuracy", "88%", "classification", "did you mean 'accuracy'"),
        ("mae", "2.3", "classification", "no metric of classification 'mae'"),
        ("accuracy", "88%", "regression", "no metric of regression 'accuracy'"),
        ("accuracy", "88", "classification", "write it as a percentage"),
        ("mae", "12%", "regression", "no share"),
    ],
)
def test_claim_of_a_metric_that_no_method_can_have_is_refused(metric, printed, task, reason):
    with pytest.raises(ValueError, match=reason):
        declared(claim(metric=metric, printed=printed), task=task)


def test_what_a_method_measures_itself_may_be_claimed():
    network = Network("a", "A", fit, TRAINING, probe=lambda trained, dataset: {"sparsity": 0.5})
    assert declared(claim(metric="sparsity", printed="50%"), methods=(network,)).claims[0].metric == "sparsity"


def test_same_claim_on_another_dataset_has_a_name_of_its_own():
    here, there = claim(), claim(dataset="fashion_mnist")
    benchmark = declared(here, there, datasets=("mnist", "fashion_mnist"))
    assert [each.name for each in benchmark.claims] == ["a error 2.3%", "a error 2.3% on fashion_mnist"]
    again = replace(benchmark, datasets=("fashion_mnist", "mnist"))
    assert [each.name for each in again.claims] == ["a error 2.3% on mnist", "a error 2.3%"]


def test_own_metric_may_not_take_the_name_of_one_of_ours():
    with pytest.raises(ValueError, match="which is one of ours"):
        declared(metrics=(Metric("error", "higher", lambda y, p: 0.0),))
    with pytest.raises(ValueError, match="no metric of classification"):
        declared(metric="rmse")


def test_baseline_that_asks_for_a_seed_is_not_deterministic():
    def asks(X, y, *, seed):
        """Never called."""

    with pytest.raises(ValueError, match="give it one as a parameter, or leave deterministic out"):
        Baseline("a", "A", asks, deterministic=True)
    assert Baseline("a", "A", asks, deterministic=True, seed=3).deterministic
    assert Baseline("a", "A", asks).deterministic is None
    assert Baseline("a", "A", asks, deterministic=True, seed=3, resplit=True).deterministic is False


def test_method_named_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        Benchmark(
            title="t",
            methods=(Baseline("a", "A", fit), Baseline("a", "B", fit)),
            claims=(),
            datasets=("mnist",),
            profiles=PROFILES,
        )


def test_order_of_one_method_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        OrderClaim(order=("a",), dataset="mnist", source="", slide="", protocol={})


@pytest.mark.parametrize("grid", [(), (1.0, 1.0), (2.0, 1.0)])
def test_grid_that_does_not_increase_is_refused(grid):
    with pytest.raises(ValueError, match="increasing"):
        Choice(grid=grid, seeds=(1, 2))


def test_choice_needs_two_seeds_for_a_standard_error():
    with pytest.raises(ValueError, match="at least two"):
        Choice(grid=(1.0,), seeds=(1,))


def test_profile_with_one_seed_for_a_standard_error_is_refused():
    method = Network("n", "N", fit, TRAINING, penalty=Choice((0.1, 1.0), (7, 8)))
    profiles = {name: Profile(choice_seeds=1 if name == "smoke" else None) for name in ("smoke", "lecture", "full")}
    with pytest.raises(ValueError, match="'smoke' has choice_seeds 1; one standard error for penalty of 'n' needs two"):
        Benchmark(title="t", methods=(method,), claims=(), datasets=("digits",), profiles=profiles)
    least = Network("n", "N", fit, TRAINING, penalty=Choice((0.1, 1.0), (7, 8), rule="least"))
    assert Benchmark(title="t", methods=(least,), claims=(), datasets=("digits",), profiles=profiles).methods == (
        least,
    )


def test_choice_refuses_a_rule_that_there_is_not():
    with pytest.raises(ValueError, match="rule is 'best'; it must be 'one standard error' or 'least'"):
        Choice(grid=(1.0,), seeds=(1, 2), rule="best")


@pytest.mark.parametrize("name", ["learning_rate", "batch_size", "epochs"])
def test_training_refuses_what_must_be_above_zero(name):
    values = {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 1, "epochs": 1}
    with pytest.raises(ValueError, match=f"{name} is 0"):
        Training(**(values | {name: 0}))


@pytest.mark.parametrize("options", [{"learning_rate": 1e-7}, {"use_ema": True}, {"loss_scale_factor": 1024.0}])
def test_training_refuses_options_that_would_be_passed_over(options):
    [name] = options
    with pytest.raises(ValueError, match=f"options has {name}"):
        replace(TRAINING, options=options)
    assert replace(TRAINING, options={"use_ema": False, "weight_decay": 0.1}).options["weight_decay"] == 0.1


@pytest.mark.parametrize("momentum", [-0.5, 1.5])
def test_training_refuses_a_momentum_that_optimisers_take_in_different_ways(momentum):
    with pytest.raises(ValueError, match=f"options has momentum {momentum}; it must be in \\[0, 1\\]"):
        replace(TRAINING, optimizer="rmsprop", options={"momentum": momentum})
    assert replace(TRAINING, options={"momentum": 0.9}).options["momentum"] == 0.9


def test_network_knows_which_parameter_is_chosen():
    choice = Choice(grid=(0.1, 1.0), seeds=(1, 2))
    assert Network("n", "N", fit, TRAINING, penalty=choice).choices == {"penalty": choice}
    assert Network("n", "N", fit, TRAINING, penalty=1.0).choices == {}


def test_choices_are_known_in_order_of_declaration_the_learning_rate_last():
    first, second, third = (Choice(grid=(1, 2), seeds=(1, 2), rule="least") for _ in range(3))
    training = replace(TRAINING, learning_rate=first)
    assert list(Network("n", "N", fit, training, units=second, a=3, rate=third).choices) == [
        *("units", "rate", "learning_rate")
    ]
    assert Baseline("b", "B", fit, k=second, learning_rate=third).choices == {"k": second, "learning_rate": third}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"a": Choice((1, 2), (1, 2)), "b": Choice((1, 2), (1, 3), rule="least")}, "give them equal seeds"),
        ({"a": Choice((1, 2), (1, 2)), "b": Choice((1, 2), (1, 2))}, "a and b by 'one standard error'; one at most"),
        ({"a": Choice(tuple(np.arange(1, 3)), (1, 2))}, "in the grid of a; it must hold ints and floats of Python"),
        ({"a": Choice((False, True), (1, 2))}, "False in the grid of a"),
    ],
)
def test_choices_that_cannot_be_made_together_are_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        Network("n", "N", fit, TRAINING, **choices)
    with pytest.raises(ValueError, match=message):
        Baseline("b", "B", fit, **choices)


def test_choice_without_validation_examples_is_refused():
    with pytest.raises(ValueError, match="leaves a to choose, but its training holds out no examples"):
        Network("n", "N", fit, replace(TRAINING, validation=0.0), a=Choice((1, 2), (1, 2)))


def test_experiment_leaves_nothing_to_choose():
    with pytest.raises(ValueError, match="only a Network or a Baseline may"):
        Experiment("e", "E", fit, a=Choice((1, 2), (1, 2)))


def test_unknown_name_gets_one_line_with_the_nearest():
    assert nearest("dataset", "minst", ["mnist", "cifar10"]) == (
        "no dataset 'minst': choose 'cifar10' or 'mnist'; did you mean 'mnist'?"
    )


def test_lecture_suite_has_the_error_table_with_its_numbers_and_the_pairs_that_it_argues_with():
    table = discover()["error_table"]
    numbers = {claim.method: claim.printed for claim in table.claims if isinstance(claim, NumberClaim)}
    assert numbers == {"ridge": "2.3%", "dropout": "1.8%", "softmax": "7.2%", "lda": "12.7%"}
    assert {claim.order: claim.about for claim in table.claims if isinstance(claim, OrderClaim)} == {
        ("dropout", "ridge"): "table",
        ("softmax", "lda"): "table",
        ("ridge", "softmax"): "statement",
        ("dropout", "softmax"): "statement",
    }
    for name in ("ridge", "dropout", "softmax"):
        assert table.method(name).training.held_out == "last"
    assert table.method("dropout_random").training.held_out == "random"


def test_discovering_the_lecture_suite_loads_nothing_that_fits_or_draws():
    heavy = "{'matplotlib', 'keras', 'tensorflow', 'sklearn', 'scipy'}"
    code = (
        f"import sys; from lecturebench.declare.suites import discover; discover(); print({heavy} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


def test_profiles_of_most_benchmarks_judge_nothing_on_smoke():
    made = profiles(7, 30, splits=(100, 500), time_limit=60)
    assert (made["smoke"].judges, made["smoke"].dataset, made["smoke"].seeds) == (False, "digits", 1)
    assert (made["lecture"].seeds, made["lecture"].splits, made["lecture"].time_limit) == (7, 100, 60)
    assert (made["full"].seeds, made["full"].splits, made["full"].time_limit) == (30, 500, 120)


def test_choice_is_made_on_other_seeds_than_the_judged_ones():
    for benchmark in discover().values():
        most = max(profile.seeds for profile in benchmark.profiles.values())
        for method in benchmark.methods:
            for choice in method.choices.values():
                assert min(choice.seeds) >= max(most, 1000)


def test_every_claim_says_where_it_stands_and_what_is_assumed():
    for benchmark in discover().values():
        for lecture_claim in benchmark.claims:
            assert lecture_claim.source
            assert lecture_claim.slide
            assert lecture_claim.protocol
            assert all(field.value and field.source for field in lecture_claim.protocol.values())


def test_folder_without_benchmarks_is_no_suite(tmp_path):
    with pytest.raises(UsageError, match="no suite"):
        discover(tmp_path)


def test_benchmark_file_that_fails_to_import_is_named(tmp_path):
    (tmp_path / "bench_broken.py").write_text("import nothing_of_this_name\n")
    [line] = discover(tmp_path).broken.values()
    assert "bench_broken.py cannot be imported: ModuleNotFoundError" in line


def test_benchmark_file_without_declaration_is_named(tmp_path):
    (tmp_path / "bench_empty.py").write_text("X = 1\n")
    [line] = discover(tmp_path).broken.values()
    assert "declares no BENCHMARK" in line
