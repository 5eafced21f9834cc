"""Stores of other people: what their records name is opened only if it was named here before."""

from __future__ import annotations

import os

import numpy as np
import pytest

from lecturebench import datasets, session
from lecturebench.datasets import catalogue, loading
from lecturebench.errors import DataMissing
from lecturebench.session import Question
from lecturebench.store import Store
from tests.made_up import make_record, write_run


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTUREBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def opened(monkeypatch):
    """The datasets that somebody began to open, by name."""
    names = []
    find = catalogue.find

    def spied(name, data_dir=None):
        names.append(name)
        return find(name, data_dir)

    monkeypatch.setattr(catalogue, "find", spied)
    return names


def foreign(folder, *names):
    """A store of the lecture's suite with a run on each of these datasets."""
    store = Store(folder)
    for number, name in enumerate(names):
        about = {"name": name, "digests": {"train": "1", "test": "2"}, "n_test": 300}
        record = make_record("lda", key=f"k{number}", dataset=about, suite="lecture")
        write_run(store, 0.1, np.arange(300) % 10, record)
    return folder


def test_what_only_records_name_is_not_opened(tmp_path, opened):
    os.mkfifo(tmp_path / "pipe")
    names = ("csv:/dev/zero", f"csv:{tmp_path / 'pipe'}", "folder:/", "npz:/dev/stdin", "csv:a\0b", "csv:", "made up")
    folder = foreign(tmp_path / "theirs", *names)
    lines: list[str] = []
    session.report(folder, say=lines.append)
    differences = session.verify(folder)
    for name in names:
        [line] = [line for line in differences if f"cannot be checked: {name} is not opened" in line]
        assert line.endswith(f"`lecturebench data {name}`")
    comparison, _ = session.compare(folder, folder)
    assert len(comparison.rows) == len(names)
    session.stands(Question(out=folder, dataset="digits", benchmarks=("error_table",)))
    assert set(opened) <= {"digits"}


@pytest.mark.parametrize("name", ["csv:/dev/zero", "npz:/dev/zero"])
def test_device_that_the_caller_names_is_refused(name):
    with pytest.raises(datasets.loading.UsageError, match="it is no regular file"):
        datasets.load(name)


def test_pipe_that_the_caller_names_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(datasets.loading.UsageError, match="it is no regular file"):
        datasets.load(f"csv:{tmp_path / 'pipe'}")


def rows(offset):
    return "a,label\n" + "".join(f"{i + offset},{i % 2}\n" for i in range(40))


def test_own_data_is_found_again_from_another_folder_and_without_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text(rows(0))
    known = datasets.load("csv:own.csv")
    assert datasets.recall("csv:own.csv").digests == known.digests
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    with pytest.raises(DataMissing, match="only records name it"):
        datasets.recall("csv:own.csv", [{"train": "other", "test": "other"}])
    found = datasets.recall("csv:own.csv", [{"train": "other"}, known.digests])
    assert (found.name, found.digests) == ("csv:own.csv", known.digests)
    (tmp_path / "own.csv").unlink()
    assert datasets.recall(f"csv:{tmp_path / 'own.csv'}", [known.digests]).digests == known.digests


def test_own_data_that_has_changed_is_seen_as_it_is_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text(rows(0))
    earlier = datasets.load("csv:own.csv").digests
    (tmp_path / "own.csv").write_text(rows(1))
    assert datasets.recall("csv:own.csv", [earlier]).digests != earlier


def test_list_of_runs_fetches_nothing(tmp_path, monkeypatch):
    def fetch(entry, say):
        raise AssertionError(f"{entry.name} is fetched")

    monkeypatch.setattr(loading, "_fetch", fetch)
    entries, problems, _ = session.stands(Question(out=tmp_path / "new", benchmarks=("error_table",)))
    assert {(entry.dataset, entry.state) for entry in entries} == {("mnist", "missing"), ("mnist", "waiting")}
    assert problems == []


def test_list_of_runs_knows_what_the_store_could_not_have(tmp_path):
    datasets.load("digits")
    store = Store(tmp_path / "out")
    store.begin()
    store.runs.mkdir()
    store.set_missing({"error_table": {"mnist": "no network"}})
    entries, problems, _ = session.stands(Question(out=tmp_path / "out", benchmarks=("error_table",)))
    assert {entry.dataset for entry in entries} == {"digits"}
    assert problems == ["not had: no network"]
