"""The call itself is killed, or has company: nothing is lost, torn or fitted twice."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

from lecturebench.store import Store
from tests.faults.dask_processes import Dask

pytestmark = pytest.mark.faults
SCRIPT = """
import sys
from lecturebench.cli import main
if __name__ == "__main__":
    suite, out, seeds = sys.argv[1:]
    sys.exit(main(["run", "faults", "--suite", suite, "--out", out, "--profile", "smoke", "--method", "works",
                   "--seeds", seeds, "--jobs", "2", "--time-limit", "60", "--json"]))
"""


# Seconds from its start: while it imports, plans, starts its workers, and while they fit.
MOMENTS = (0.3, 0.6, 0.9, 1.2, 1.5, 1.7, 1.9, 2.1, 2.3, 2.5, 2.7, 2.9, 3.2, 3.6, 4.0)


@pytest.fixture
def call(suite, tmp_path):
    """Starts ``lecturebench run`` over the method that works, in a process of its own."""
    script = tmp_path / "call.py"
    script.write_text(SCRIPT)

    def start(out, seeds):
        arguments = [sys.executable, str(script), str(suite), str(out), str(seeds)]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def runs_of(out):
    return {path.name: path.stat().st_mtime_ns for path in out.glob("runs/[!.]*")}


def test_parent_killed_at_any_moment_leaves_a_whole_store_and_no_worker(call, tmp_path):
    out = tmp_path / "out"
    seeds = 4
    for moment in MOMENTS:
        before = runs_of(out)
        if len(before) == seeds:
            seeds += 4
        parent = call(out, seeds)
        time.sleep(moment)
        family = psutil.Process(parent.pid).children(recursive=True) if parent.poll() is None else []
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive
        records, problems = Store(out).read()
        assert problems == []
        after = runs_of(out)
        assert before.items() <= after.items(), "a finished run was lost or fitted again"
        assert {record.status for record in records} <= {"ok"}
        for record in records:
            assert len(Store(out).predictions(record.key).predicted) == record.dataset["n_test"]
    before = runs_of(out)
    last = call(out, seeds)
    _, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert f"{seeds - len(before)} runs fitted, {len(before)} were there already" in errors
    assert {record.seed for record in Store(out).read()[0]} == set(range(seeds))
    assert not list(out.glob("runs/.*.tmp")), "what a killed call left half-written was not cleaned up"


ORPHAN = """
import multiprocessing
import os
import sys
import time
from pathlib import Path

from lecturebench.execution.worker import Setting, initialize


def begin_once_the_parent_is_dead(pipe):
    while os.getppid() == multiprocessing.parent_process().pid:
        time.sleep(0.01)
    initialize(Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None, output=Path(pipe)))


if __name__ == "__main__":
    os.mkfifo(sys.argv[1])
    worker = multiprocessing.get_context("spawn").Process(target=begin_once_the_parent_is_dead, args=sys.argv[1:])
    worker.start()
    print(worker.pid, flush=True)
    time.sleep(600)
"""


def test_worker_whose_parent_died_before_it_began_ends_at_once(tmp_path):
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    command = [sys.executable, str(script), str(tmp_path / "pipe")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        _, alive = psutil.wait_procs([worker], timeout=10)
        for process in alive:
            process.kill()
    assert not alive, "it waits for a parent that will never read what it prints"


def test_two_parents_share_40_runs_and_fit_none_twice(call, tmp_path):
    out = tmp_path / "out"
    parents = [call(out, 40) for _ in range(2)]
    fitted = []
    for parent in parents:
        _, errors = parent.communicate(timeout=300)
        assert parent.returncode == 0, errors
        [line] = [line for line in errors.splitlines() if "runs fitted" in line]
        fitted.append(int(line.split()[0]))
    assert sum(fitted) == 40
    assert min(fitted) > 0
    records, problems = Store(out).read()
    assert problems == []
    assert sorted(record.seed for record in records) == list(range(40))
    table = (out / "table.csv").read_text()
    assert table.count("\n") == 2
    assert json.loads(next(out.glob("runs/*/record.json")).read_text())["benchmark"] == "faults"


ALL_RUNS = 2 * 3 + 2 + 4  # networks by three seeds, baselines that draw nothing, the search for the ridge penalty
ERROR_TABLE = """
import sys
from lecturebench.cli import main
if __name__ == "__main__":
    some = [word for name in ("ridge", "dropout", "lda", "dummy") for word in ("--method", name)]
    sys.exit(main(["run", "error_table", "--profile", "smoke", "--seeds", "3", *some, "--out", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory, own_cache):
    """A call over the lecture's error table that nobody disturbs: the script, and what it left."""
    folder = tmp_path_factory.mktemp("undisturbed")
    script = folder / "error_table.py"
    script.write_text(ERROR_TABLE)
    out = folder / "whole"
    subprocess.run([sys.executable, str(script), str(out)], check=True, stdout=subprocess.DEVNULL, timeout=250)
    return script, out


def table(out):
    """table.csv without the columns that tell of the clock, and every run's metrics and the digests of its arrays."""
    with (out / "table.csv").open(encoding="utf-8", newline="") as file:
        lines = [{**line, "seconds": "", "predict_seconds": "", "started": ""} for line in csv.DictReader(file)]
    records, problems = Store(out).read()
    assert problems == []
    assert {threads for record in records for threads in record.threads_used.values()} == {1}
    results = {record.key: (record.metrics, {**record.digests, "record": ""}) for record in records}
    return lines, results


def test_call_interrupted_in_three_ways_ends_as_one_that_was_not(whole, tmp_path):
    script, undisturbed = whole
    out = tmp_path / "interrupted"
    for how in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
        before = len(runs_of(out))
        parent = subprocess.Popen([sys.executable, str(script), str(out)], stdout=subprocess.DEVNULL)
        while len(runs_of(out)) < before + 2 and parent.poll() is None:
            time.sleep(0.05)
        parent.send_signal(how)
        parent.wait(timeout=30)
    assert 0 < len(runs_of(out)) < ALL_RUNS
    subprocess.run([sys.executable, str(script), str(out)], check=True, stdout=subprocess.DEVNULL, timeout=250)
    assert table(out) == table(undisturbed)
    assert len(table(out)[1]) == ALL_RUNS


def test_call_over_a_cluster_of_two_workers_ends_as_one_without(whole, tmp_path):
    script, undisturbed = whole
    out = tmp_path / "cluster"
    folder = tmp_path / "dask"
    folder.mkdir()
    cluster = Dask(folder)
    try:
        cluster.start()
        cluster.worker("one")
        cluster.worker("two")
        command = [sys.executable, str(script), str(out), "--cluster", str(cluster.file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=250)
    finally:
        cluster.close()
    assert table(out) == table(undisturbed)
    nodes = {record.environment["node"] for record in Store(out).read()[0]}
    assert len(nodes) == 2
