"""What a run starts ends with it, however it ends and however far its children went away, and counts for its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution.engine import carry_out
from lecturebench.execution.plan import Request
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import Store
from tests.faults.dask_processes import is_alive, wait_for

pytestmark = pytest.mark.faults
SETTING = Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None)
SUITE = '''
"""Methods that start processes in every way and end in every way; each child leaves its number in a file."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

from lecturebench import Benchmark, Experiment, Measured, Profile

HERE = Path(__file__).parent


def stays(file):
    """A child: says its number and sleeps."""
    with file.open("a") as out:
        out.write(f"{os.getpid()}\\n")
    time.sleep(600)
    os._exit(0)


def child(file):
    if os.fork() == 0:
        stays(file)


def daemon(file):
    """Leaves its session, and its parent ends."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            stays(file)
        os._exit(0)
    os.wait()


def grandchild(file):
    if os.fork() == 0:
        child(file)
        stays(file)


def shell(file, **options):
    subprocess.Popen(["sh", "-c", f"echo $$ >> {file}; exec sleep 600"], **options)


def hidden(file):
    """Leaves its session, its environment, what it prints to and its parents, of whom none is left."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 100)
            os.execve("/bin/sh", ["sh", "-c", f"echo $$ >> {file}; exec /bin/sleep 600"], {})
        os._exit(0)
    os.wait()


def start_all(name):
    """Eight of them, and wait until all are there."""
    file = HERE / f"{name}.children"
    child(file)
    daemon(file)
    grandchild(file)
    shell(file)
    shell(file, start_new_session=True)
    shell(file, env={"PATH": os.environ["PATH"]})
    multiprocessing.get_context("fork").Process(target=stays, args=(file,)).start()
    while not file.is_file() or file.read_text().count("\\n") < 8:
        time.sleep(0.01)


def ends_well(dataset, rng):
    start_all("ends_well")
    return Measured({"done": 1.0})


def raises(dataset, rng):
    start_all("raises")
    raise ValueError("as planned")


def crashes(dataset, rng):
    start_all("crashes")
    os.abort()


def leaves_at_once(dataset, rng):
    start_all("leaves_at_once")
    os._exit(0)


def hides(dataset, rng):
    file = HERE / "hides.children"
    hidden(file)
    while not file.is_file() or not file.read_text():
        pass
    os.abort()


def hangs(dataset, rng):
    hidden(HERE / "hangs.children")
    start_all("hangs")
    time.sleep(600)


def large_child(dataset, rng):
    large = "held = bytearray(b'x') * (700 * 2**20); import time; time.sleep(600)"
    subprocess.run([sys.executable, "-c", large], start_new_session=True)


def counts(dataset, rng):
    return Measured({"drawn": float(rng.integers(1000))})


BENCHMARK = Benchmark(
    title="Children",
    methods=tuple(
        Experiment(each.__name__, each.__name__, each, deterministic=True)
        for each in (ends_well, raises, crashes, leaves_at_once, hides, hangs, large_child, counts)
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=1, time_limit=30, judges=False), "lecture": Profile(), "full": Profile()},
)
'''


class Watching(PlainDisplay):
    """Notes which children are alive when a run has ended, and how long it took."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda line: None)
        self.folder, self.alive, self.begun, self.took = folder, {}, {}, {}

    def started(self, run):
        self.begun[run.method] = time.monotonic()

    def ended(self, run, record):
        self.took[run.method] = time.monotonic() - self.begun[run.method]
        file = self.folder / f"{run.method}.children"
        if file.is_file():
            self.alive[run.method] = [pid for pid in map(int, file.read_text().split()) if is_alive(pid)]


def numbers(file):
    """The children that have said so."""
    return list(map(int, file.read_text().split())) if file.is_file() else []


@pytest.fixture
def course(tmp_path, own_cache):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_children.py").write_text(SUITE)
    return folder


def fit(course, store, display, *methods, time_limit=None, memory_limit=None):
    benchmark = load_benchmark(course / "bench_children.py")
    digests = load("digits").digests
    request = Request(benchmark, "digits", digests, "smoke", "tensorflow", methods=methods, time_limit=time_limit)
    carry_out([request], store, pool=partial(local_pool, 2, SETTING, display, memory_limit), display=display)
    return {record.method: record for record in store.read()[0]}


def test_children_end_with_their_run_and_count_for_its_memory(course, tmp_path):
    display = Watching(course)
    methods = ("ends_well", "raises", "crashes", "leaves_at_once", "hides", "hangs", "large_child")
    records = fit(course, Store(tmp_path / "out"), display, *methods, time_limit=8, memory_limit=600 * 2**20)
    assert {method: record.status for method, record in records.items()} == {
        "ends_well": "ok",
        "raises": "error",
        "crashes": "crashed",
        "leaves_at_once": "crashed",
        "hides": "crashed",
        "hangs": "timeout",
        "large_child": "out_of_memory",
    }
    assert display.alive == {method: [] for method in methods if method != "large_child"}
    assert records["hides"].reason == "its worker died: killed by SIGABRT"
    assert records["leaves_at_once"].reason == "its worker died: exit code 0"
    assert display.took["leaves_at_once"] < 6, "it was held until its time limit"
    assert "more processes" in records["ends_well"].notes[0]
    assert "together with 1 processes that it started" in records["large_child"].reason
    for process in psutil.process_iter(["cmdline"]):
        assert "held = bytearray" not in " ".join(process.info["cmdline"] or [])


def test_children_end_with_a_call_that_is_stopped(course, tmp_path):
    class Stopping(Watching):
        def started(self, run):
            file = self.folder / "hangs.children"
            while len(numbers(file)) < 9:
                time.sleep(0.01)
            os.kill(os.getpid(), 2)

    display = Stopping(course)
    with pytest.raises(KeyboardInterrupt):
        fit(course, Store(tmp_path / "out"), display, "hangs")
    pids = numbers(course / "hangs.children")
    assert len(pids) == 9
    assert [pid for pid in pids if is_alive(pid)] == []


CALL = """
import sys
from lecturebench.cli import main
if __name__ == "__main__":
    suite, out = sys.argv[1:]
    main(["run", "children", "--suite", suite, "--out", out, "--profile", "smoke", "--method", "hangs", "--jobs", "1"])
"""


def test_children_end_with_a_call_that_is_killed(course, tmp_path):
    (tmp_path / "call.py").write_text(CALL)
    command = [sys.executable, str(tmp_path / "call.py"), str(course), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as caller:
        wait_for(lambda: len(numbers(course / "hangs.children")) == 9, caller)
        caller.kill()
    begin = time.monotonic()
    pids = numbers(course / "hangs.children")
    while any(map(is_alive, pids)) and time.monotonic() < begin + 10:
        time.sleep(0.05)
    alive = [pid for pid in pids if is_alive(pid)]
    for pid in alive:
        os.kill(pid, 9)
    assert alive == []


def test_a_clock_that_is_set_ends_no_run(course, tmp_path, monkeypatch):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 10**6 * time.monotonic())  # years pass by in every second
    records = fit(course, Store(tmp_path / "out"), Watching(course), "counts", "ends_well")
    assert {record.status for record in records.values()} == {"ok"}
