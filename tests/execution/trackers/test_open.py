"""Everything that can be wrong with a tracker is found before anything is fitted."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import traceback

import pytest

from lecturebench.errors import UsageError
from lecturebench.execution.trackers import mlflow, open_tracker
from tests.execution.trackers.build import make_record


@pytest.mark.parametrize(
    ("kind", "where", "message"),
    [
        ("wandb", "", "no tracker 'wandb': choose 'mlflow' or 'tensorboard'"),
        ("tensorbord", "", "did you mean 'tensorboard'?"),
        ("tensorboard", "a_file", "the folder 'a_file' for TensorBoard cannot be made: File exists"),
        ("tensorboard", "a_file/below", "cannot be made: Not a directory"),
        ("mlflow", "", "'' is no MLflow address: give http://HOST:PORT or sqlite:///FILE"),
        ("mlflow", "runs.db", "'runs.db' is no MLflow address"),
        ("mlflow", "localhost:5000", "'localhost:5000' is no MLflow address"),
        ("mlflow", "http://", "'http://' is no MLflow address"),
        ("mlflow", "htp://localhost", "did you mean 'http'?"),
        ("mlflow", "sqlite:///a_file", "is no SQLite database"),
        ("mlflow", "sqlite:///a_file/below.db", "cannot be made"),
        ("mlflow", "sqlite:///.", "cannot be made: Is a directory"),
    ],
)
def test_wrong_tracker_folder_or_address_is_one_line(kind, where, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").write_text("no database")
    with pytest.raises(UsageError) as caught:
        open_tracker(kind, where, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "where"), [("tensorboard", ""), ("mlflow", "sqlite:///new.db")])
def test_place_that_cannot_be_written_is_refused(kind, where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(UsageError, match="cannot be written"):
        open_tracker(kind, where, tmp_path)


@pytest.mark.parametrize("kind", ["tensorboard", "mlflow"])
def test_package_that_is_not_installed_names_the_extra(kind, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=rf"{kind} is not installed here: pip install 'lecturebench\[{kind}\]'"):
        open_tracker(kind, "", tmp_path)


def test_address_where_nobody_listens_is_one_line_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(
        UsageError, match=rf"no MLflow store at 'http://…@127.0.0.1:{port}': Connection refused"
    ) as caught:
        open_tracker("mlflow", f"http://me:secret@127.0.0.1:{port}", tmp_path)
    assert time.monotonic() - begin < 15  # MLflow's own import included
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


PASSWORDS = ("hunter2", "hun@ter2", "hun:ter2", "hun/ter2", "hun?ter2", "hun#ter2", "hun%40ter2", "a@b:c/d?e#hunter2")


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(
    "form",
    [
        *("http://me:{}@127.0.0.1:9", "HTTPS://{}@127.0.0.1:9/x", "http://127.0.0.1:9/?password={}", "me:{}@127.0.0.1"),
        *(
            "nowhere://me:{}@host/db",
            "postgresql://me:{}@127.0.0.1:9/db",
            "mysql+x://me:{}@127.0.0.1/db",
            "me:{}@http://h",
        ),
        *("sqlite:////proc/none/runs.db?password={}", "postgresql+psycopg2://me:{}@@127.0.0.1:9/db"),
    ],
)
def test_password_is_never_shown_whatever_letters_it_has(form, password, tmp_path):
    with pytest.raises(UsageError) as caught:
        open_tracker("mlflow", form.format(password), tmp_path)
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(part in shown for part in ("hun", "ter2")), shown
    assert not any("hun" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_failure_on_the_way_is_told_without_the_password():
    class Client:
        def search_runs(self, *about):
            raise ValueError("Could not parse SQLAlchemy URL from 'postgresql://me:hunter2@h'")

    tracker = mlflow.MLflow.__new__(mlflow.MLflow)
    tracker._address, tracker._lock, tracker._client = "postgresql://me:hunter2@h", contextlib.nullcontext(), Client()
    tracker._experiment = tracker._parent = "1"
    with pytest.raises(RuntimeError) as caught:
        tracker.log(make_record())
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("request_timeout", "message"), [("1", "no answer in time"), ("60", "no answer within 1 s")])
def test_server_that_never_answers_is_given_up(request_timeout, message, tmp_path, monkeypatch):
    monkeypatch.setattr(mlflow, "ANSWER", 30.0 if request_timeout == "1" else 1.0)
    monkeypatch.setitem(mlflow.AT_ONCE, "MLFLOW_HTTP_REQUEST_TIMEOUT", request_timeout)
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts, and nobody reads
        begin = time.monotonic()
        with pytest.raises(UsageError, match=rf"no MLflow store at .*: {message}$"):
            open_tracker("mlflow", f"http://127.0.0.1:{server.getsockname()[1]}", tmp_path)
        assert time.monotonic() - begin < 15
