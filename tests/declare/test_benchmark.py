"""Declarations: what they accept, what they refuse, and how suites are found."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lecturebench.declare.benchmark import Benchmark, Profile
from lecturebench.declare.claims import NumberClaim, OrderClaim, parse_printed
from lecturebench.declare.methods import Baseline, Network
from lecturebench.declare.suites import discover
from lecturebench.declare.training import Choice, Training
from lecturebench.errors import UsageError, nearest

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


@pytest.mark.parametrize("name", ["learning_rate", "batch_size", "epochs"])
def test_training_refuses_what_must_be_above_zero(name):
    values = {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 1, "epochs": 1}
    with pytest.raises(ValueError, match=f"{name} is 0"):
        Training(**(values | {name: 0}))


def test_network_knows_which_parameter_is_chosen():
    choice = Choice(grid=(0.1, 1.0), seeds=(1, 2))
    assert Network("n", "N", fit, TRAINING, penalty=choice).choice == ("penalty", choice)
    assert Network("n", "N", fit, TRAINING, penalty=1.0).choice is None


def test_unknown_name_gets_one_line_with_the_nearest():
    assert nearest("dataset", "minst", ["mnist", "cifar10"]) == (
        "no dataset 'minst': choose 'cifar10' or 'mnist'; did you mean 'mnist'?"
    )


def test_lecture_suite_has_the_error_table_with_its_five_claims():
    table = discover()["error_table"]
    numbers = {claim.method: claim.printed for claim in table.claims if isinstance(claim, NumberClaim)}
    assert numbers == {"ridge": "2.3%", "dropout": "1.8%", "softmax": "7.2%", "lda": "12.7%"}
    assert [claim.order for claim in table.claims if isinstance(claim, OrderClaim)] == [
        ("dropout", "ridge", "softmax", "lda")
    ]


def test_choice_is_made_on_other_seeds_than_the_judged_ones():
    for benchmark in discover().values():
        most = max(profile.seeds for profile in benchmark.profiles.values())
        for method in benchmark.methods:
            if method.choice is not None:
                assert min(method.choice[1].seeds) >= max(most, 1000)


def test_every_claim_says_where_it_stands_and_what_is_assumed():
    for benchmark in discover().values():
        for one in benchmark.claims:
            assert one.source
            assert one.slide
            assert one.protocol
            assert all(field.value and field.source for field in one.protocol.values())


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
