"""Whatever a method does to its process, it costs one run, and the others go on."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import time
from functools import partial

import psutil
import pytest

from lecturebench.execution.engine import carry_out
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import Store

pytestmark = pytest.mark.faults
QUIET = PlainDisplay(lambda line: None)
SETTING = Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None)


def fit(requests, store, *, jobs=2, memory_limit=None, **options):
    workers = partial(local_pool, jobs, SETTING, QUIET, memory_limit)
    return carry_out(requests, store, pool=workers, display=QUIET, **options)


def test_every_fault_is_a_row_with_its_reason_and_the_working_runs_are_whole(request_for, tmp_path):
    store = Store(tmp_path / "out")
    start = time.monotonic()
    fit([request_for()], store, memory_limit=600 * 2**20)
    assert time.monotonic() - start < 120
    records = {record.method: record for record in store.read()[0]}
    assert {name: record.status for name, record in records.items()} == {
        "works": "ok",
        "segfaults": "crashed",
        "exits": "crashed",
        "quits": "error",
        "hangs_in_c": "timeout",
        "allocates": "out_of_memory",
        "raises_unpicklable": "error",
        "wrong_shape": "error",
        "predicts_nan": "diverged",
        "prints": "timeout",
    }
    assert records["segfaults"].reason == "its worker died: killed by SIGSEGV"
    assert "more than its limit of 600 MiB" in records["allocates"].reason
    assert records["wrong_shape"].traceback
    assert "again and again" in records["prints"].output
    assert sum(record.method == "works" and record.status == "ok" for record in store.read()[0]) == 4
    for record in store.read()[0]:
        assert (store.runs / record.key / "predictions.npz").is_file() == (record.status == "ok")


def test_output_without_end_fills_no_disk_and_keeps_its_last_lines(request_for, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    largest = 0

    class Measuring(PlainDisplay):
        def started(self, run):
            nonlocal largest
            for _ in range(20):
                files = [path for path in tmp_path.rglob("*") if path.is_file()]
                largest = max([largest, *(path.stat().st_size for path in files)])
                time.sleep(0.1)

    display = Measuring(lambda line: None)
    store = Store(tmp_path / "out")
    carry_out([request_for("prints")], store, pool=partial(local_pool, 1, SETTING, display), display=display)
    assert largest < 100_000
    [record] = store.read()[0]
    assert record.status == "timeout"
    assert "again and again" in record.output
    assert not list(tmp_path.glob("lecturebench-*"))


@pytest.fixture(params=["disk", "quota"])
def small_disk(request, tmp_path, monkeypatch):
    """A folder that takes 96 KiB, and what makes it larger.

    A small disk; and for those who may mount none, a quota that answers like a full disk when a file is synced.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "quota":
        synced, blocks = os.fsync, 24

        def fsync(descriptor):
            if sum(-(-path.stat().st_size // 4096) for path in folder.rglob("*") if path.is_file()) > blocks:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            synced(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        yield folder, monkeypatch.undo
        return
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root; the quota stands in")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)], check=True)
    yield folder, partial(subprocess.run, ["mount", "-o", "remount,size=8m", str(folder)], check=True)
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_ends_the_call_and_loses_nothing_written(request_for, small_disk):
    disk, enlarge = small_disk
    store = Store(disk / "out")
    with pytest.raises(OSError, match="No space left"):
        fit([request_for("works", seeds=20)], store)
    records, problems = store.read()
    assert problems == []
    assert 0 < len(records) < 20
    assert not [path for path in store.runs.iterdir() if path.name.startswith(".")]
    enlarge()
    again = fit([request_for("works", seeds=20)], store)
    assert len(again.fitted) == 20 - len(records)
    assert again.reused == len(records)


@pytest.mark.parametrize(("share", "replaced"), [(0.0, True), (1.0, False)])
def test_worker_is_replaced_once_its_memory_has_grown_to_a_share_of_its_limit(
    request_for, tmp_path, monkeypatch, share, replaced
):
    monkeypatch.setattr("lecturebench.execution.pool.GROWTH", 0.5)  # no worker holds less than half of what it held
    monkeypatch.setattr("lecturebench.execution.pool.GROWN_TO", share)
    processes = []

    class Starts(PlainDisplay):
        def started(self, run):
            processes.append({child.pid for child in psutil.Process().children(recursive=True)})

    display = Starts(lambda line: None)
    carry_out(
        [request_for("works", seeds=3)],
        Store(tmp_path / "out"),
        pool=partial(local_pool, 1, SETTING, display, 8 * 2**30),
        display=display,
    )
    assert len(Store(tmp_path / "out").read()[0]) == len(processes) == 3
    assert [before != after for before, after in itertools.pairwise(processes)] == [replaced, replaced]


def test_log_folder_is_gone_afterwards(request_for, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fit([request_for("exits")], Store(tmp_path / "out"))
    assert [path.name for path in tmp_path.glob("lecturebench-*")] == []
