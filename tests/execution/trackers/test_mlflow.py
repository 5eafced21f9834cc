"""A local MLflow store, read back with MLflow's own client."""

from __future__ import annotations

import math
import shutil

import pytest

from lecturebench.execution.trackers import Trackers, open_tracker
from tests.execution.trackers.build import FAILED, make_record

# MLflow 3.17 uses what SQLAlchemy 2.1 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A new MLflow database, made once: its tables take MLflow seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    open_tracker("mlflow", f"sqlite:///{folder}/empty.db", folder)
    return folder / "empty.db"


@pytest.fixture
def address(empty_database, tmp_path, monkeypatch):
    """Of a database of this test; the tests run in their own folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(empty_database, tmp_path / "runs.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "test")  # the copied one has its artifacts elsewhere
    return f"sqlite:///{tmp_path}/runs.db"


@pytest.fixture
def out(tmp_path):
    (tmp_path / "latest").mkdir()
    return tmp_path / "latest"


@pytest.fixture
def client(address):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=address)


def runs(client, condition="tags.role != 'report'"):
    return client.search_runs([client.get_experiment_by_name("test").experiment_id], condition)


def test_mlflow_gets_parameters_metrics_by_step_and_tags(address, client, out):
    open_tracker("mlflow", address, out).log(make_record(3))
    [run] = runs(client)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "dropout seed 3"
    assert (run.info.start_time, run.info.end_time) == (1793527200000, 1793527206500)
    assert run.data.params == {
        "function": "models.two_layer",
        "units": "[256, 128]",
        "learning_rate": "0.5",
        "options.rho": "0.9",
    }
    expected = {"key": f"{3:032x}", "benchmark": "error_table", "method": "dropout", "dataset": "mnist", "seed": "3"}
    expected |= {"profile": "smoke", "backend": "jax", "device": "cpu", "role": "judged", "status": "ok"}
    assert (expected | {"commit": "c0ffee", "mlflow.source.git.commit": "c0ffee"}).items() <= run.data.tags.items()
    assert run.data.metrics["error/test"] == 0.25
    assert run.data.metrics["parameters"] == 101770
    assert run.data.metrics["seconds/fit"] == 2.0
    history = client.get_metric_history(run.info.run_id, "loss/train")
    assert [(point.step, point.value) for point in history] == [(1, 2.0), (2, 1.0)]


def test_failed_run_is_failed_with_its_reason(address, client, out):
    open_tracker("mlflow", address, out).log(make_record(**FAILED))
    [run] = runs(client)
    assert (run.info.status, run.data.tags["reason"]) == ("FAILED", "no end within 5 s")
    assert run.data.tags["mlflow.note.content"] == "timeout: no end within 5 s"


def test_what_does_not_fit_is_cut_and_what_is_no_number_kept(address, client, out):
    curve = [{"epoch": 1, "train_loss": math.nan, "seconds": 1.0}, {"epoch": 2, "train_loss": math.inf}]
    record = make_record(status="diverged", reason="x" * 10000, curve=curve, recipe={"a&b?": "y" * 10000})
    open_tracker("mlflow", address, out).log(record)
    [run] = runs(client)
    assert set(run.data.params) == {"a_b_"}
    first, second = sorted(client.get_metric_history(run.info.run_id, "loss/train"), key=lambda point: point.step)
    assert math.isnan(first.value)
    assert second.value > 1e308
    open_tracker("tensorboard", "", out).log(record)


def test_second_call_adds_nothing_but_what_is_new(address, client, out):
    for seeds in ([0, 1], [0, 1, 2]):
        tracker = open_tracker("mlflow", address, out)
        for seed in seeds:
            tracker.log(make_record(seed))
        tracker.finish(out)
    assert sorted(run.data.tags["seed"] for run in runs(client)) == ["0", "1", "2"]
    assert len(runs(client, "tags.role = 'report'")) == 1


def test_run_that_was_cut_short_or_fitted_anew_is_replaced(address, client, out):
    tracker = open_tracker("mlflow", address, out)
    tracker.log(make_record(0))
    tracker.log(make_record(1))
    client.update_run(next(run for run in runs(client) if run.data.tags["seed"] == "1").info.run_id, "RUNNING")
    tracker.log(make_record(0, started="2026-11-02T10:00:00+00:00", metrics={"test": {"error": 0.5}}))
    tracker.log(make_record(1))
    by_seed = {run.data.tags["seed"]: run for run in runs(client)}
    assert len(runs(client)) == len(by_seed) == 2
    assert by_seed["0"].data.metrics["error/test"] == 0.5
    assert by_seed["1"].info.status == "FINISHED"


def test_two_calls_at_once_add_each_run_once(address, client, out):
    trackers = Trackers([open_tracker("mlflow", address, out) for _ in range(2)], pytest.fail)
    for seed in range(5):
        trackers.log(make_record(seed))
    trackers.finish(out)
    assert len(runs(client)) == 5


def test_two_folders_keep_their_runs_apart(address, client, out, tmp_path):
    (tmp_path / "other").mkdir()
    open_tracker("mlflow", address, out).log(make_record())
    open_tracker("mlflow", address, tmp_path / "other").log(make_record(started="2026-11-02T10:00:00+00:00"))
    assert len(runs(client)) == 2


def test_table_and_page_are_artifacts_of_the_run_above(address, client, out, tmp_path):
    for name in ("table.csv", "table.md", "index.html", "other.txt"):
        (out / name).write_text(name)
    tracker = open_tracker("mlflow", address, out)
    tracker.log(make_record())
    tracker.finish(out)
    [parent] = runs(client, "tags.role = 'report'")
    assert (parent.info.run_name, parent.info.status) == ("latest", "FINISHED")
    assert runs(client)[0].data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert {artifact.path for artifact in client.list_artifacts(parent.info.run_id)} == {
        "index.html",
        "table.csv",
        "table.md",
    }
    assert (tmp_path / "mlartifacts").is_dir()
    assert not (tmp_path / "mlruns").exists()
