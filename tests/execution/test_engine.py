"""Runs in real worker processes: what works, what fails, what is fitted again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from lecturebench.declare.suites import load_benchmark
from lecturebench.execution.durations import SECONDS_UNKNOWN, Durations
from lecturebench.execution.engine import carry_out, source_digests
from lecturebench.execution.plan import plan
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.store import Store

QUIET = PlainDisplay(lambda line: None)


def fit(requests, store, setting, *, jobs=2, memory_limit=None, worker=None, **options):
    workers = partial(local_pool, jobs, setting, QUIET, memory_limit) if worker is None else lambda: nullcontext(worker)
    return carry_out(requests, store, pool=workers, display=QUIET, **options)


@pytest.fixture(scope="module")
def worker(setting):
    """A pool of one worker, for every call that needs no new one: each new one imports scikit-learn."""
    with local_pool(1, setting, QUIET) as pool:
        yield pool


@pytest.mark.faults
def test_failing_runs_end_as_rows_and_the_others_go_on(request_for, setting, tmp_path):
    store = Store(tmp_path / "out")
    asked = [request_for("mean", "raises", "leaves", "killed", "nothing")]
    asked += [replace(request_for("sleeps"), time_limit=1)]
    summary = fit(asked, store, setting)
    records = {(record.method, record.seed): record for record in store.read()[0]}
    assert {name: record.status for (name, _), record in records.items()} == {
        "mean": "ok",
        "raises": "error",
        "leaves": "crashed",
        "killed": "crashed",
        "sleeps": "timeout",
        "nothing": "diverged",
    }
    assert len(summary.fitted) == 7
    assert len(summary.failed) == 5
    assert records["raises", 0].reason == "ValueError: as planned"
    assert "in raises" in records["raises", 0].traceback
    assert "about to raise" in records["raises", 0].output
    assert "about to leave" in records["leaves", 0].output
    assert records["leaves", 0].reason == "its worker died: exit code 7"
    assert records["killed", 0].reason == "its worker died: killed by SIGKILL"
    assert records["sleeps", 0].reason == "stopped after its time limit of 1 s"
    assert records["nothing", 0].reason == "its predictions are not finite"
    good = records["mean", 0]
    assert good.environment["cpu"]
    assert good.environment["packages"]["scikit-learn"]
    assert good.threads == 1
    assert good.peak_rss_mib > 10
    assert good.dataset["n_test"] == len(store.predictions(good.key).predicted)
    assert {"wait", "import", "load", "fit", "predict"} <= set(good.seconds)
    again = fit(asked, store, setting)
    assert (len(again.fitted), again.reused) == (0, 7)


def test_only_missing_runs_are_fitted(request_for, setting, worker, tmp_path):
    store = Store(tmp_path / "out")
    fit([request_for("mean", seeds=1)], store, setting, worker=worker)
    summary = fit([request_for("mean", seeds=3)], store, setting, worker=worker)
    assert sorted(record.seed for record in summary.fitted) == [1, 2]
    assert summary.reused == 1


def test_same_seed_gives_the_same_predictions_in_another_process(request_for, setting, worker, tmp_path):
    stores = [Store(tmp_path / name) for name in ("one", "two")]
    fit([request_for("mean")], stores[0], setting, worker=worker)
    fit([request_for("mean")], stores[1], setting, jobs=1)
    first, second = (store.read()[0] for store in stores)
    assert [record.key for record in first] == [record.key for record in second]
    for record in first:
        earlier, later = (store.predictions(record.key) for store in stores)
        assert earlier.predicted.tobytes() == later.predicted.tobytes()
        kept = [None if run.probabilities is None else run.probabilities.tobytes() for run in (earlier, later)]
        assert kept[0] == kept[1]
        assert (kept[0] is not None) == (record.seed == 0)
    predictions = {stores[0].predictions(record.key).predicted.tobytes() for record in first}
    assert len(predictions) == 2


def test_fresh_fits_everything_and_retry_only_what_failed_from_outside(request_for, setting, worker, tmp_path):
    store = Store(tmp_path / "out")
    asked = [request_for("constant", "nothing", "raises")]
    fit(asked, store, setting, worker=worker)
    retried = fit(asked, store, setting, worker=worker, retry_failed=True)
    assert [record.method for record in retried.fitted] == ["raises"]
    assert len(fit([request_for("raises")], store, setting, worker=worker, fresh=True).fitted) == 1


def test_editing_one_method_refits_that_method_alone(request_for, setting, worker, suite, tmp_path):
    store = Store(tmp_path / "out")
    fit([request_for("mean", "constant")], store, setting, worker=worker)
    path = suite / "bench_small.py"
    path.write_text(path.read_text().replace('strategy="prior"', 'strategy="most_frequent"') + "\n# a comment\n")
    os.utime(path, (time.time() + 10, time.time() + 10))
    edited = load_benchmark(path)
    summary = fit([request_for("mean", "constant", benchmark=edited)], store, setting, jobs=1)
    assert [record.method for record in summary.fitted] == ["constant"]


def test_changed_dataset_ends_the_run_instead_of_being_fitted(request_for, setting, worker, tmp_path):
    store = Store(tmp_path / "out")
    asked = replace(request_for("mean", seeds=1), digests={"train": "other", "test": "other"})
    [record] = fit([asked], store, setting, worker=worker).fitted
    assert record.status == "error"
    assert "changed since the runs were planned" in record.reason


def test_damaged_record_is_fitted_again_and_kept_aside(request_for, setting, worker, tmp_path):
    store = Store(tmp_path / "out")
    [record] = fit([request_for("mean", seeds=1)], store, setting, worker=worker).fitted
    (store.runs / record.key / "record.json").write_text("{")
    assert len(fit([request_for("mean", seeds=1)], store, setting, worker=worker).fitted) == 1
    assert [record.method for record in store.read()[0]] == ["mean"]
    assert len(list(store.runs.iterdir())) == 2


SCRIPT = """
import sys
from pathlib import Path
from lecturebench.cli import main
if __name__ == "__main__":
    sys.exit(main(["run", "small", "--suite", sys.argv[1], "--out", sys.argv[2], "--profile", "smoke", "--jobs", "1",
                   "--method", "constant", "--method", "sleeps"]))
"""


@pytest.mark.faults
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_parent_keeps_finished_runs_and_leaves_no_worker(suite, tmp_path, how):
    import psutil

    script = tmp_path / "call.py"
    script.write_text(textwrap.dedent(SCRIPT))
    out = tmp_path / "out"
    path = suite / "bench_small.py"
    path.write_text(path.read_text().replace("time_limit=60", "time_limit=120"))
    parent = subprocess.Popen([sys.executable, script, suite, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(out.glob("runs/*/record.json")):
        assert time.monotonic() < deadline, "the first run never ended"
        time.sleep(0.1)
    time.sleep(0.5)
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert workers
    parent.send_signal(how)
    _, errors = parent.communicate(timeout=30)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    records, problems = Store(out).read()
    assert problems == []
    assert [record.method for record in records] == ["constant"]
    if how == signal.SIGINT:
        assert parent.returncode == 130
        assert errors.decode().splitlines()[-1].startswith("lecturebench: stopped;")
        assert "Traceback" not in errors.decode()


def test_pool_ends_though_a_waiter_that_is_gone_takes_a_wake_up(request_for, setting):
    """As a Ctrl-C leaves it between the two lines of `threading.Condition.notify`, release and remove."""
    [run, *_] = plan(request_for("mean"), {}, source_digests(request_for("mean"))).runs
    ended = threading.Event()

    def fit_and_end():
        with local_pool(1, setting, QUIET) as pool:
            pool.submit(run)
            while pool.outcome(1.0) is None:
                pass
            [opened] = pool._open.values()
            waiters = opened.pool._context.task_queue.not_empty._waiters
            while not waiters:
                time.sleep(0.01)
            gone = threading.Lock()
            gone.acquire()
            waiters.appendleft(gone)
        ended.set()

    threading.Thread(target=fit_and_end, daemon=True).start()
    assert ended.wait(30)


def test_expected_seconds_are_the_mean_of_the_kind(request_for, setting, worker, tmp_path):
    runs = plan(request_for("mean", "constant"), {}, dict.fromkeys(("mean", "constant"), "")).runs
    mean = next(run for run in runs if run.method == "mean")
    durations = Durations([])
    assert durations.expected(mean) == SECONDS_UNKNOWN
    [record] = fit([request_for("mean", seeds=1)], Store(tmp_path), setting, worker=worker).fitted
    for seconds in (1.0, 3.0):
        durations.add(replace(record, seconds={"fit": seconds, "wait": 100.0}))
    durations.add(replace(record, status="crashed", seconds={"fit": 50.0}))
    assert durations.expected(mean) == 2.0


def test_long_learning_curves_are_thinned_and_end_where_they_ended():
    from lecturebench.execution.worker import MOST_POINTS, thinned

    short = [{"epoch": i} for i in range(1, MOST_POINTS + 1)]
    assert thinned(short) == short
    long = [{"epoch": i} for i in range(1, 1501)]
    kept = [point["epoch"] for point in thinned(long)]
    assert len(kept) <= MOST_POINTS
    assert kept[-1] == 1500
    assert set(np.diff(kept)) == {6}
    assert thinned([]) == []


def test_curve_of_a_race_keeps_every_point():
    from lecturebench.declare.suites import discover
    from lecturebench.execution.worker import _races

    optimisers = discover()["optimisers"]
    assert _races(optimisers, optimisers.method("momentum"))
    assert not _races(replace(optimisers, claims=()), optimisers.method("momentum"))
