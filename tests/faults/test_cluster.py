"""A real Dask scheduler and real Dask workers: the same records as one machine gives, whatever happens to a node."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.errors import ClusterLost, UsageError
from lecturebench.execution.cluster import cluster_pool
from lecturebench.execution.engine import carry_out
from lecturebench.execution.plan import Request
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import Record, Store
from tests.faults.dask_processes import Dask, is_alive, two_hosts, wait_for

pytest.importorskip("distributed", reason="a cluster needs Dask: pip install 'lecturebench[cluster]'")
pytestmark = pytest.mark.faults
EVIL = """
def evil():
    class Evil:
        def __reduce__(self):
            import pathlib

            return pathlib.Path.touch, (pathlib.Path({path!r}),)

    return Evil()
"""
QUIET = PlainDisplay(lambda line: None)
MEMORY = 600 * 2**20
SLOW = '''
"""Leaves a file when it begins and one when it ends, which it does not while somebody holds its seed."""

import os
import time
from pathlib import Path

from lecturebench import Baseline, Benchmark, Profile


def slow(X, y, *, seed):
    from sklearn.naive_bayes import GaussianNB

    log = Path(__file__).parent
    (log / f"begun-{seed}-{os.getpid()}").touch()
    while (log / f"hold-{seed}").exists():
        time.sleep(0.02)
    (log / f"ended-{seed}-{os.getpid()}").touch()
    return GaussianNB(var_smoothing=0.1).fit(X[seed::2], y[seed::2])


BENCHMARK = Benchmark(
    title="Slow",
    methods=(Baseline("slow", "Slow", slow, deterministic=False),),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=5, time_limit=30, judges=False), "lecture": Profile(), "full": Profile()},
)
'''


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    """A scheduler on the loopback device, and what a test adds to it."""
    folder = tmp_path / "dask"
    folder.mkdir()
    cluster = Dask(folder)
    try:
        yield cluster.start()
    finally:
        cluster.close()


@pytest.fixture
def setting() -> Setting:
    """One thread, no GPU."""
    return Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None)


def hold(suite, *seeds):
    for seed in seeds:
        (suite / f"hold-{seed}").touch()


def let_go(suite):
    for path in suite.glob("hold-*"):
        path.unlink()


@pytest.fixture
def slow_request(suite, own_cache):
    """Asks for five runs that take as long as the test likes and leave files behind in the suite's folder."""
    (suite / "bench_slow.py").write_text(SLOW)
    return Request(load_benchmark(suite / "bench_slow.py"), "digits", load("digits").digests, "smoke", "tensorflow")


def fit(request, out: Path, cluster: Dask | Path | str, setting, *, say=lambda line: None, **options) -> Store:
    """Carry a request out on a cluster; the store."""
    address = str(cluster.file if isinstance(cluster, Dask) else cluster)
    suites = [request.benchmark.path.parent]
    store = Store(out)
    pool = partial(cluster_pool, address, setting, QUIET, suites=suites, say=say, **options)
    carry_out([request], store, pool=pool, display=QUIET)
    return store


def fit_here(request, out: Path, setting, memory_limit: int | None = None) -> Store:
    store = Store(out)
    carry_out([request], store, pool=partial(local_pool, 2, setting, QUIET, memory_limit), display=QUIET)
    return store


def by_run(store: Store) -> dict[tuple[str, int], Record]:
    records, problems = store.read()
    assert problems == []
    return {(record.method, record.seed): record for record in records}


def without_clock(record: Record) -> dict[str, str]:
    """The digests of a run, but for the one of its whole record, in which its seconds are."""
    return {name: digest for name, digest in record.digests.items() if name != "record"}


def check_equal(store: Store, other: Store) -> None:
    """All that decides a table is equal, and the predictions byte for byte."""
    first, second = by_run(store), by_run(other)
    assert first.keys() == second.keys()
    for run, record in first.items():
        again = second[run]
        for name in ("key", "status", "metrics", "dataset", "threads"):
            assert getattr(record, name) == getattr(again, name), (run, name)
        assert without_clock(record) == without_clock(again), run
        assert set(again.threads_used.values()) <= {1}
        if record.status == "ok":
            assert (
                store.predictions(record.key).predicted.tobytes() == other.predictions(record.key).predicted.tobytes()
            )
        elif record.status != "out_of_memory":  # which says how much it held
            assert record.reason == again.reason


def test_two_nodes_give_the_records_and_bytes_of_one_machine(dask, request_for, setting, tmp_path):
    for name in ("a", "b"):
        dask.worker(name, own_cache=True)
    methods = ("works", "exits", "hangs_in_c", "allocates", "raises_unpicklable", "predicts_nan")
    there = fit(request_for(*methods), tmp_path / "there", dask, setting, memory_limit=MEMORY)
    check_equal(fit_here(request_for(*methods), tmp_path / "here", setting, MEMORY), there)
    records = by_run(there)
    assert {method: record.status for (method, _), record in records.items()} == {
        "works": "ok",
        "exits": "crashed",
        "hangs_in_c": "timeout",
        "allocates": "out_of_memory",
        "raises_unpicklable": "error",
        "predicts_nan": "diverged",
    }
    assert len({record.environment["node"] for record in records.values()}) == 2
    assert all(record.environment["cpu"] for record in records.values())
    for name in ("a", "b"):
        assert list((dask.folder / f"cache-{name}").rglob("*.npy")), "each node fills its own cache"
        wait_for(lambda name=name: not dask.fitting(name))


def test_result_that_would_run_code_here_is_refused_and_not_unpickled(dask, setting, tmp_path):
    dask.worker("one")
    ran = tmp_path / "ran"
    namespace = {"__name__": "evil"}  # no module that could be imported, so that the function travels whole
    exec(EVIL.format(path=str(ran)), namespace)
    with cluster_pool(str(dask.file), setting, QUIET) as pool:
        future = pool._client.submit(namespace["evil"])
        with pytest.raises(Exception, match=r"msgpack"):
            future.result(timeout=30)
    assert not ran.exists()


def test_run_of_a_killed_node_is_fitted_by_another(dask, slow_request, setting, suite, tmp_path):
    for name in ("a", "b"):
        dask.worker(name)
    killed: list[int] = []

    def kill_one() -> None:
        """Kill, without warning, the Dask worker whose process has begun a run."""
        wait_for(lambda: len(list(suite.glob("begun-*"))) == 2)
        pid = int(next(suite.glob("begun-*")).name.split("-")[2])
        name = next(name for name in dask.workers if pid in [process.pid for process in dask.fitting(name)])
        os.kill(dask.workers[name].pid, signal.SIGKILL)
        killed.extend((pid, dask.workers[name].pid))
        wait_for(lambda: not is_alive(pid))
        let_go(suite)

    hold(suite, *range(5))
    killer = threading.Thread(target=kill_one)
    killer.start()
    said: list[str] = []
    store = fit(slow_request, tmp_path / "out", dask, setting, say=said.append)
    killer.join()
    records = by_run(store)
    assert {seed: record.status for (_, seed), record in records.items()} == dict.fromkeys(range(5), "ok")
    begun, ended = (
        sorted(int(path.name.split("-")[1]) for path in suite.glob(f"{what}-*")) for what in ("begun", "ended")
    )
    assert ended == [0, 1, 2, 3, 4], "no run is lost, none is fitted twice"
    assert len(begun) == 6
    assert not is_alive(killed[0])
    assert [line for line in said if line.endswith("has gone; its runs go to other nodes")]


def test_call_goes_on_with_a_node_that_comes_after_the_last_one_died(dask, slow_request, setting, suite, tmp_path):
    dask.worker("first")

    def replace() -> None:
        wait_for(lambda: list(suite.glob("begun-*")))
        os.kill(dask.workers["first"].pid, signal.SIGKILL)
        let_go(suite)
        dask.worker("second", threads=2)

    hold(suite, *range(5))
    replacing = threading.Thread(target=replace)
    replacing.start()
    records = by_run(fit(slow_request, tmp_path / "out", dask, setting))
    replacing.join()
    assert [record.status for record in records.values()] == ["ok"] * 5
    assert len({record.environment["node"] for record in records.values()}) == 1


def test_node_with_another_version_is_refused_by_name_and_the_others_go_on(dask, request_for, setting, tmp_path):
    stub = tmp_path / "other" / "scikit_learn-0.1.dist-info"
    stub.mkdir(parents=True)
    (stub / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 0.1\n")
    others = [os.environ["PYTHONPATH"]] if "PYTHONPATH" in os.environ else []
    dask.worker("other", PYTHONPATH=os.pathsep.join([str(stub.parent), *others]))
    with pytest.raises(
        UsageError, match=r"no node of the cluster can be used: .*scikit-learn: expected .*, found 0\.1$"
    ):
        fit(request_for("works", seeds=1), tmp_path / "none", dask, setting)
    assert not list((tmp_path / "none").rglob("record.json"))
    dask.worker("equal")
    said: list[str] = []
    records = by_run(fit(request_for("works", seeds=2), tmp_path / "out", dask, setting, say=said.append))
    assert [record.status for record in records.values()] == ["ok"] * 2
    assert len(said) == 1
    assert said[0].startswith(f"left out: {socket.gethostname()} (tcp://127.0.0.1:")
    assert "scikit-learn: expected" in said[0]


def test_worker_under_a_nanny_is_used_if_it_may_start_processes(dask, request_for, setting, tmp_path):
    dask.worker("nanny", "--nanny")
    with pytest.raises(
        UsageError, match="set DASK_DISTRIBUTED__WORKER__DAEMON=False there, or start it with --no-nanny"
    ):
        fit(request_for("works", seeds=1), tmp_path / "none", dask, setting)
    dask.worker("free", "--nanny", DASK_DISTRIBUTED__WORKER__DAEMON="False")
    store = fit(request_for("works", "exits", seeds=1), tmp_path / "out", dask, setting)
    assert sorted(record.status for record in by_run(store).values()) == ["crashed", "ok"]


def test_scheduler_without_workers_is_one_line(dask, request_for, setting, tmp_path):
    with pytest.raises(
        UsageError, match=r"^the Dask scheduler has no workers after 1 s: start some with `dask worker "
    ):
        fit(request_for("works", seeds=1), tmp_path / "out", dask, setting, timeout=1)


@pytest.mark.parametrize("listens", [False, True])
def test_unreachable_scheduler_is_one_line_within_its_bound(request_for, setting, tmp_path, listens):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        begin = time.monotonic()
        with pytest.raises(UsageError, match="no Dask scheduler answers at") as caught:
            fit(request_for("works", seeds=1), tmp_path / "out", address, setting, timeout=2)
    assert time.monotonic() - begin < 10
    assert "\n" not in str(caught.value)
    assert address in str(caught.value)


def test_call_ends_in_one_line_when_the_scheduler_dies(dask, slow_request, setting, suite, tmp_path):
    dask.worker("only")

    def kill() -> None:
        wait_for(lambda: list(suite.glob("ended-*")))
        dask.scheduler.kill()

    hold(suite, *range(1, 5))
    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ClusterLost, match=r"^the Dask scheduler went away") as caught:
        fit(slow_request, tmp_path / "out", dask, setting, timeout=5)
    killer.join()
    assert "\n" not in str(caught.value)
    assert by_run(Store(tmp_path / "out")).keys() <= {("slow", seed) for seed in range(5)}
    wait_for(lambda: dask.workers["only"].poll() is not None or not dask.fitting("only"))


CALL = """
import sys
from pathlib import Path
from lecturebench.declare.suites import load_benchmark
from lecturebench.datasets import load
from lecturebench.execution.cluster import cluster_pool
from lecturebench.execution.engine import carry_out
from lecturebench.execution.plan import Request
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import Store

quiet = PlainDisplay(lambda line: None)
benchmark = load_benchmark(Path(sys.argv[1]) / "bench_slow.py")
request = Request(benchmark, "digits", load("digits").digests, "smoke", "tensorflow")
carry_out(
    [request],
    Store(Path(sys.argv[2])),
    pool=lambda: cluster_pool(sys.argv[3], Setting(1, "tensorflow", "cpu", None), quiet),
    display=quiet,
)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nodes_stop_fitting_when_their_caller_has_gone(dask, slow_request, suite, tmp_path, how):
    hold(suite, *range(5))
    for name in ("a", "b"):
        dask.worker(name)
    with (tmp_path / "call.log").open("wb") as log:
        command = [sys.executable, "-c", CALL, suite, tmp_path / "out", dask.file]
        caller = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: len(list(suite.glob("begun-*"))) == 2, caller, tmp_path / "call.log")
        fitting = [int(path.name.split("-")[2]) for path in suite.glob("begun-*")]
        caller.send_signal(how)
        caller.wait(timeout=20)
    finally:
        caller.kill()
    print((tmp_path / "call.log").read_text())
    wait_for(lambda: not any(map(is_alive, fitting)))
    assert [worker.poll() for worker in dask.workers.values()] == [None, None]


@pytest.fixture
def hosts() -> Iterator[list[tuple[str, str]]]:
    """Two hosts to start workers on: namespace and address of each."""
    with two_hosts() as namespaces:
        yield namespaces


def test_two_hosts_give_the_records_and_bytes_of_one_machine(hosts, request_for, setting, tmp_path):
    folder = tmp_path / "dask"
    folder.mkdir()
    dask = Dask(folder, host="10.213.7.1")
    try:
        dask.start()
        for name, address in hosts:
            dask.worker(name, own_cache=True, host=address, prefix=("ip", "netns", "exec", name))
        asked = request_for("works", "exits")
        there = fit(asked, tmp_path / "there", dask, setting)
    finally:
        dask.close()
    check_equal(fit_here(asked, tmp_path / "here", setting), there)
    nodes = {record.environment["node"] for record in by_run(there).values()}
    assert {node.split("//")[1].split(":")[0] for node in nodes} == {address for _, address in hosts}
    for name, _ in hosts:
        assert list((folder / f"cache-{name}").rglob("*.npy"))
