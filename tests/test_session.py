"""Everything that can be wrong with a request is found before anything is fitted."""

from __future__ import annotations

import os

import pytest

from lecturebench import session
from lecturebench.declare.suites import LECTURE_SUITE, discover
from lecturebench.errors import UsageError
from lecturebench.session import Question
from lecturebench.store import Store
from tests.execution.conftest import small, suite

__all__ = ["small", "suite"]  # fixtures


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


@pytest.mark.parametrize(
    "command", [session.report, session.verify, lambda folder: session.stands(Question(out=folder))]
)
def test_folder_of_stores_is_refused_with_their_names_and_nothing_is_written_there(command, tmp_path):
    for name in ("one", "two"):
        Store(tmp_path / name).runs.mkdir(parents=True)
    with pytest.raises(UsageError, match=r"is no store .* it holds the stores 'one', 'two': give one of them"):
        command(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


@pytest.mark.parametrize("command", [session.report, session.verify])
def test_folder_that_is_no_store_gets_no_page(command, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="is no store that"):
        command(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "content", ['{"schema": 2, "suitd": {"name": "course", "folder": "/x"}}', "[" * 200_000, "[]", ""]
)
def test_marker_that_was_damaged_is_named_and_the_store_is_nobody_elses(content, tmp_path):
    Store(tmp_path).runs.mkdir()
    (tmp_path / "lecturebench.json").write_text(content)
    with pytest.raises(UsageError, match=r"lecturebench.json' cannot be read"):
        session.suite_of(tmp_path)
