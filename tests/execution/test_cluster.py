"""What a cluster's pool decides, against a client that only pretends; tests/faults/ has real ones."""

from __future__ import annotations

import io
import json
import math
import pickle
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lecturebench.environment import packages
from lecturebench.errors import ClusterLost, UsageError
from lecturebench.execution import cluster, node
from lecturebench.execution.cluster import ClusterPool, cluster_pool, scheduler_address
from lecturebench.execution.durations import LongestFirst
from lecturebench.execution.plan import plan
from lecturebench.execution.pool import failed_record
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.wire import packed, unpacked

QUIET = PlainDisplay(lambda line: None)


class Future:
    """What Dask gives for a task. ends: makes it end with a value or an error."""

    def __init__(self, key, run, order, address):
        self.key, self.run, self.order, self.address = key, run, order, address
        self.cancelled = False

    def add_done_callback(self, function):
        self._done = function

    def ends(self, value):
        self._value, self.status = value, "error" if isinstance(value, Exception) else "finished"
        self._done(self)

    def result(self, timeout):
        if isinstance(self._value, Exception):
            raise self._value
        return self._value

    def cancel(self, force):
        self.cancelled = True


class Client:
    """A scheduler with the nodes that a test puts into ``workers`` and what they say of themselves."""

    def __init__(self):
        self.status, self.scheduler = "running", SimpleNamespace(address="tcp://s:1", identity=None)
        self.workers, self.reports, self.submitted = {}, {}, []

    def add(self, address, *, threads=1, **report):
        self.workers[address] = {"status": "running", "nthreads": threads, "memory_limit": 8 * 2**30}
        standard = node.Report(f"process of {address}", "host", {"gpu": ""}, node.decides("tensorflow", ()), "")
        self.reports[address] = json.dumps(asdict(replace(standard, **report))).encode()

    def sync(self, function, n_workers):
        return {"workers": self.workers}

    def run(self, function, *args, workers, on_error):
        return {address: self.reports[address] for address in workers}

    def submit(self, function, run, order, *, key, workers, **options):
        assert options == {"allow_other_workers": False, "retries": 0, "pure": False}
        self.submitted.append(Future(key, run, order, *workers))
        return self.submitted[-1]

    def cancel(self, futures, force):
        for future in futures:
            future.cancel(force)


@pytest.fixture
def client(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "LOOK", 0.0)
    return Client()


@pytest.fixture
def runs(request_for):
    return plan(request_for("mean", seeds=8), {}, {"mean": ""}).runs


@pytest.fixture
def opened(client, setting):
    """Makes a pool of the client's nodes, with what it says in ``pool.said``."""

    def make(**options):
        said = []
        pool = ClusterPool(client, options.pop("setting", setting), QUIET, say=said.append, **options)
        pool.said = said
        pool.open(5)
        return pool

    return make


def look(pool, until):
    """Let the pool look around until something holds; nodes answer in threads of their own."""
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        assert pool.outcome(0.01) is None


def record_of(run):
    return packed(failed_record(run, 1, "diverged", "as planned"), None)


def test_slots_are_the_threads_of_all_nodes_shared_out_to_runs(client, opened, setting):
    client.add("tcp://a:1", threads=4)
    client.add("tcp://b:1", threads=1)
    assert opened().slots == 5
    assert opened(setting=replace(setting, threads=2)).slots == 3


def test_run_goes_to_one_checked_node_and_its_record_names_it(client, opened, runs):
    client.add("tcp://a:1", threads=2)
    client.add("tcp://b:1", threads=2)
    pool = opened()
    for run in runs[:4]:
        pool.submit(run)
    assert sorted(future.address for future in client.submitted) == ["tcp://a:1", "tcp://a:1", "tcp://b:1", "tcp://b:1"]
    first = client.submitted[0]
    assert first.order.process == f"process of {first.address}"
    assert first.order.memory_limit == int(0.8 * 4 * 2**30)
    assert pool.outcome(0.01) is None
    first.ends(record_of(first.run))
    run, record, _ = pool.outcome(0.01)
    assert run is runs[0]
    assert record.environment["node"] == f"host ({first.address})"


def test_methods_are_fitted_side_by_side_each_in_a_worker_of_its_own(client, opened, runs):
    client.add("tcp://a:1")
    client.add("tcp://b:1", threads=2)
    pool = opened()
    methods = {"mean": 9.0, "other": 5.0, "third": 1.0}  # and what their runs are expected to take
    all_runs = [replace(run, key=f"{name}{run.key}"[:32], method=name) for name in methods for run in runs]
    todo = LongestFirst(lambda run: methods[run.method], all_runs)
    ended = 0
    while ended < len(all_runs):
        while todo and len(client.submitted) - ended < pool.slots:
            pool.submit(todo.pop(pool.at_hand))
        future = client.submitted[ended]
        future.ends(record_of(future.run))
        assert pool.outcome(0.01) is not None
        ended += 1
        if ended == 12:
            assert {future.run.method for future in client.submitted} == {*methods}
    fitted = {}
    for future in client.submitted[: len(all_runs)]:
        fitted.setdefault((future.address, future.order.slot), set()).add(future.run.method)
    assert sorted(fitted) == [("tcp://a:1", 0), ("tcp://b:1", 0), ("tcp://b:1", 1)]
    assert sorted(map(sorted, fitted.values())) == [["mean"], ["other"], ["third"]]


def test_nodes_that_differ_are_left_out_by_name_with_expected_and_found(client, opened):
    client.add("tcp://a:1")
    client.add("tcp://b:1", decides=node.decides("tensorflow", ()) | {"numpy": "1.0", "Python": "2.7"})
    client.add("tcp://c:1", problem="it may start no process")
    client.reports["tcp://d:1"] = ModuleNotFoundError("No module named 'lecturebench'")
    client.workers["tcp://d:1"] = client.workers["tcp://a:1"]
    pool = opened()
    assert pool.slots == 1
    here = node.decides("tensorflow", ())
    assert sorted(pool.said) == [
        f"left out: host (tcp://b:1): Python: expected {here['Python']}, found 2.7; "
        f"numpy: expected {packages()['numpy']}, found 1.0",
        "left out: host (tcp://c:1): it may start no process",
        "left out: tcp://d:1: lecturebench does not answer there (ModuleNotFoundError: No module named 'lecturebench')",
    ]


def test_no_fit_node_is_one_line_before_anything_is_fitted(client, opened):
    client.add("tcp://a:1", problem="it is too old")
    client.add("tcp://b:1", problem="it is too old")
    with pytest.raises(UsageError, match=r"can be used: host \(tcp://.:1\): it is too old \(and 1 more\)$"):
        opened()


def test_node_without_the_gpu_that_is_asked_for_is_left_out(client, opened, setting):
    client.add("tcp://a:1", threads=4)
    with pytest.raises(UsageError, match="it has no GPU"):
        opened(setting=replace(setting, device="gpu"))
    client.add("tcp://a:1", threads=4, environment={"gpu": "one"})
    assert opened(setting=replace(setting, device="gpu")).slots == 1


def test_node_that_joins_later_is_checked_before_it_gets_runs(client, opened, runs):
    client.add("tcp://a:1")
    pool = opened()
    client.add("tcp://b:1", problem="it is too old")
    client.add("tcp://c:1")
    look(pool, lambda: pool.slots == 2 and pool.said)
    for run in runs[:2]:
        pool.submit(run)
    assert {future.address for future in client.submitted} == {"tcp://a:1", "tcp://c:1"}
    assert pool.said == ["left out: host (tcp://b:1): it is too old"]


def test_run_of_a_node_that_has_gone_is_given_to_another_and_never_twice(client, opened, runs):
    client.add("tcp://a:1")
    client.add("tcp://b:1")
    pool = opened()
    pool.submit(runs[0])
    [first] = client.submitted
    del client.workers[first.address]
    look(pool, lambda: len(client.submitted) == 2)
    assert first.cancelled
    second = client.submitted[1]
    assert second.run is runs[0]
    assert second.address != first.address
    first.ends(record_of(runs[0]))  # too late: it was given up
    assert pool.outcome(0.01) is None
    second.ends(record_of(runs[0]))
    assert pool.outcome(0.01)[0] is runs[0]
    assert pool.slots == 1


def test_run_that_outlives_no_node_ends_as_crashed_after_three(client, opened, runs):
    import distributed

    for name in "abc":
        client.add(f"tcp://{name}:1")
    pool = opened()
    pool.submit(runs[0])
    for tries in range(1, 4):
        assert len(client.submitted) == tries
        client.submitted[-1].ends(distributed.KilledWorker("task", None, 3))
        outcome = pool.outcome(0.01)
        assert (outcome is None) == (tries < 3)
    _, record, predictions = outcome
    assert (record.status, predictions) == ("crashed", None)
    assert record.reason.startswith("its node died or went away, 3 times: host (tcp://")
    assert len({future.address for future in client.submitted}) == 3


def test_restarted_node_is_checked_again(client, opened, runs):
    client.add("tcp://a:1")
    pool = opened()
    client.add("tcp://a:1", process="another")
    pool.submit(runs[0])
    client.submitted[0].ends(node.Restarted())
    look(pool, lambda: len(client.submitted) == 2)
    assert client.submitted[1].order.process == "another"


def test_node_without_the_data_is_left_out_and_its_run_goes_to_another(client, opened, runs):
    client.add("tcp://a:1")
    client.add("tcp://b:1")
    pool = opened()
    pool.submit(runs[0])
    client.submitted[0].ends(node.Unfit("digits cannot be had"))
    assert pool.outcome(0.01) is None
    assert client.submitted[1].address != client.submitted[0].address
    assert "digits cannot be had" in pool.said[0]
    client.submitted[1].ends(node.Unfit("digits cannot be had"))
    with pytest.raises(ClusterLost, match=r"no node of the cluster can be used any more: .*digits cannot be had"):
        look(pool, lambda: False)


def test_node_that_raises_outside_of_any_run_is_left_out(client, opened, runs):
    client.add("tcp://a:1")
    client.add("tcp://b:1")
    pool = opened()
    pool.submit(runs[0])
    client.submitted[0].ends(OSError("No space left on device"))
    assert pool.outcome(0.01) is None
    assert [future.run for future in client.submitted] == [runs[0], runs[0]]
    assert pool.said == [f"left out: host ({client.submitted[0].address}): OSError: No space left on device"]


class Ran:
    def __reduce__(self):
        return print, ("unpickled",)


def numpy_file(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


FORGED = {
    "an object": lambda run: {"record": 1},
    "a pickle": lambda run: pickle.dumps(Ran()),
    "an array of objects": lambda run: numpy_file(record=np.array([Ran()], object)),
    "nothing": lambda run: b"",
    "no record": lambda run: numpy_file(other=np.zeros(3)),
    "no JSON": lambda run: numpy_file(record=np.zeros(3, np.uint8)),
    "another file": lambda run: packed(failed_record(run, 1, "ok", ""), {"../x": {"a": np.zeros(2)}}),
    "a key that leads elsewhere": lambda run: packed(replace(failed_record(run, 1, "ok", ""), key="../../x"), None),
    "another run": lambda run: packed(replace(failed_record(run, 1, "ok", ""), seed=7), None),
    "another method": lambda run: packed(replace(failed_record(run, 1, "ok", ""), method="other"), None),
    "no times": lambda run: packed(replace(failed_record(run, 1, "ok", ""), seconds={"fit": "long"}), None),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_answer_that_no_run_gives_is_read_as_data_and_its_node_is_left_out(client, opened, runs, forged, capfd):
    client.add("tcp://a:1")
    client.add("tcp://b:1")
    pool = opened()
    pool.submit(runs[0])
    client.submitted[0].ends(forged(runs[0]))
    assert pool.outcome(0.01) is None
    assert [future.run for future in client.submitted] == [runs[0], runs[0]]
    assert "left out: host" in pool.said[0]
    assert "it sent" in pool.said[0]
    assert "unpickled" not in capfd.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"process": "p"}', pickle.dumps(Ran()), {"process": "p"}, b"[" * 200_000, None],
    ids=range(7),
)
def test_node_that_reports_something_else_is_left_out(client, opened, answer, capfd):
    client.add("tcp://a:1")
    client.add("tcp://b:1")
    client.reports["tcp://a:1"] = answer
    pool = opened()
    assert pool.slots == 1
    assert "lecturebench does not answer there" in pool.said[0]
    assert "unpickled" not in capfd.readouterr().out


def test_record_and_arrays_travel_as_they_are(runs):
    record = replace(failed_record(runs[0], 1, "ok", ""), metrics={"test": {"error": 0.1 + 0.2, "loss": math.nan}})
    arrays = {"predictions": {"predicted": np.arange(3, dtype=np.uint8)}, "measured": {"a b": np.zeros((2, 0))}}
    back, kept = unpacked(packed(record, arrays), runs[0])
    assert repr(back) == repr(record)
    assert {file: {name: (a.dtype, a.shape) for name, a in own.items()} for file, own in kept.items()} == {
        file: {name: (a.dtype, a.shape) for name, a in own.items()} for file, own in arrays.items()
    }


def test_lost_scheduler_and_long_absence_of_nodes_end_the_call(client, opened, monkeypatch):
    client.add("tcp://a:1")
    pool = opened()
    client.workers.clear()
    assert pool.outcome(0.01) is None
    monkeypatch.setattr(cluster, "PATIENCE", 0.0)
    with pytest.raises(ClusterLost, match="has had no node for"):
        pool.outcome(0.01)
    client.status = "closed"
    with pytest.raises(ClusterLost, match="went away"):
        pool.outcome(0.01)


def test_closing_gives_up_what_is_still_fitting(client, opened, runs):
    client.add("tcp://a:1")
    pool = opened()
    pool.submit(runs[0])
    pool.close()
    assert client.submitted[0].cancelled


def test_without_dask_one_line_names_the_extra(setting, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(UsageError, match=r"pip install 'lecturebench\[cluster\]'"),
        cluster_pool("tcp://localhost:1", setting, QUIET),
    ):
        pass


def test_scheduler_file_gives_its_address_and_a_bad_one_is_one_line(tmp_path):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": "tcp://10.0.0.1:8786"}))
    assert scheduler_address(str(file)) == "tcp://10.0.0.1:8786"
    assert scheduler_address("tls://host:8786") == "tls://host:8786"
    assert scheduler_address("host:8786") == "host:8786"
    for content in ("", "[]", "{}"):
        file.write_text(content)
        with pytest.raises(UsageError, match="is no scheduler file of Dask"):
            scheduler_address(str(file))
    with pytest.raises(UsageError, match="No such file"):
        scheduler_address(str(tmp_path / "none.json"))


def test_what_decides_covers_versions_and_every_file_of_the_suite(suite: Path):
    before = node.decides("jax", [suite])
    assert {"Python", "numpy", "scikit-learn", "keras", "jax", "jaxlib", "source of lecturebench"} < set(before)
    assert "tensorflow" not in before
    (suite / "bench_small.py").write_text("# edited")
    after = node.decides("jax", [suite])
    assert [name for name in before if before[name] != after[name]] == [f"suite {suite}"]
    assert node.decides("jax", [suite / "none"])[f"suite {suite / 'none'}"] == "none"


def test_node_refuses_a_run_whose_data_differ(runs, setting):
    with pytest.raises(node.Unfit, match="digits has the digests"):
        node._check_data(replace(runs[0], digests={"train": "other"}), None)
    with pytest.raises(node.Unfit, match="npz:/nowhere"):
        node._check_data(replace(runs[0], dataset="npz:/nowhere.npz"), None)


def test_order_for_another_process_is_not_carried_out(runs, setting):
    with pytest.raises(node.Restarted):
        node.fit(runs[0], node.Order("another", "session", setting, None))
