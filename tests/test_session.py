"""Everything that can be wrong with a request is found before anything is fitted."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from lecturebench import session
from lecturebench.declare.suites import LECTURE_SUITE, discover
from lecturebench.errors import UsageError
from lecturebench.session import Question
from lecturebench.store import Store
from tests.execution.conftest import small, suite
from tests.made_up import make_record

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


@pytest.fixture
def read_only(monkeypatch):
    """Makes a folder one in which nothing can be made, as on a disk that is mounted so."""
    real, closed = tempfile.NamedTemporaryFile, []

    def refusing(*args, **given):
        if Path(given["dir"]) in closed:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), f"{given['dir']}/.of_some_name")
        return real(*args, **given)

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refusing)
    return closed.append


def test_store_that_cannot_be_written_is_refused_in_one_line(tmp_path, read_only):
    session.check_folder(tmp_path / "out")
    for place in ("out", "out/.locks", "out/runs"):
        (tmp_path / place).mkdir(exist_ok=True)
    read_only(tmp_path / "out" / "runs")
    with pytest.raises(UsageError, match=r"out/runs' cannot be written \(Read-only file system\): give another one"):
        session.check_folder(tmp_path / "out")
    with pytest.raises(UsageError, match="the folder '/proc/of_ours' cannot be made"):
        session.check_folder(Path("/proc/of_ours"))


def test_report_of_a_store_that_can_only_be_read_is_written_elsewhere(tmp_path, read_only):
    store, place = tmp_path / "store", tmp_path / "place"
    session.check_folder(store).write(make_record("ridge", benchmark="error_table"))
    read_only(store)
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"store' cannot be written \(Read-only file system\).* with --out"):
        session.report(store)
    assert session.report(store, out=place).page == place / "index.html"
    assert (place / "table.csv").is_file()
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


def test_report_is_not_written_over_that_of_another_store(tmp_path):
    for name in ("one", "two"):
        session.check_folder(tmp_path / name)
    with pytest.raises(UsageError, match="is a store itself"):
        session.report(tmp_path / "one", out=tmp_path / "two")


def test_store_whose_folder_was_deleted_says_again_whose_it_is(suite, tmp_path):
    store = session.check_folder(tmp_path / "out", discover(suite))
    shutil.rmtree(tmp_path / "out")
    store.write(make_record("ridge"))
    assert session.suite_of(tmp_path / "out").folder == suite


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


def test_store_is_judged_once_until_something_is_written(tmp_path, monkeypatch):
    judged = []
    monkeypatch.setattr(session, "judge", lambda suite, store, data_dir: judged.append(store) or len(judged))
    store = session.check_folder(tmp_path)
    verdicts = session.Verdicts({}, store, None)
    assert [verdicts(), verdicts()] == [1, 1]
    store.write(make_record("ridge", benchmark="error_table"))
    assert [verdicts(), verdicts()] == [2, 2]
    store.set_left_out({"error_table": {"claim": "no time"}})
    assert verdicts() == 3
