"""A tracker that is slow, fails or hangs costs no run and little time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lecturebench.execution.trackers import Trackers
from lecturebench.execution.trackers.background import reason
from tests.execution.trackers.build import make_record

ROOT = Path(__file__).resolve().parents[3]


class Stub:
    """Remembers what it is told; ``log`` calls ``act`` first."""

    name = "stub"

    def __init__(self, act=lambda record: None):
        self.act, self.seeds, self.folders = act, [], []

    def log(self, record):
        self.act(record)
        self.seeds.append(record.seed)

    def finish(self, folder):
        self.folders.append(folder)


def test_each_run_is_told_once_in_order_then_the_report(tmp_path):
    stub = Stub()
    trackers = Trackers([stub], pytest.fail)
    for seed in (2, 0, 2, 1):
        trackers.log(make_record(seed))
    trackers.finish(tmp_path)
    assert (stub.seeds, stub.folders) == ([2, 0, 1], [tmp_path])


def test_tracker_that_fails_is_said_once_and_left_out_while_others_go_on(tmp_path):
    def fails(record):
        if record.seed >= 2:
            raise ConnectionError("gone\nfor good")

    broken, sound, said = Stub(fails), Stub(), []
    trackers = Trackers([broken, sound], said.append)
    for seed in range(5):
        trackers.log(make_record(seed))
    trackers.finish(tmp_path)
    assert (broken.seeds, broken.folders) == ([0, 1], [])
    assert (sound.seeds, sound.folders) == ([0, 1, 2, 3, 4], [tmp_path])
    assert said == [
        "stub failed, the runs go on without it: gone for good",
        "stub: 3 of 5 runs are missing; the same command adds them",
    ]


def test_tracker_that_hangs_costs_no_run_and_little_at_the_end(tmp_path):
    never, said = threading.Event(), []
    stub = Stub(lambda record: never.wait(60))
    trackers = Trackers([stub], said.append, patience=0.2)
    begin = time.monotonic()
    for seed in range(3):
        trackers.log(make_record(seed))
    trackers.finish(tmp_path)
    assert time.monotonic() - begin < 30
    assert (stub.seeds, said) == ([], ["stub: 3 of 3 runs are missing; the same command adds them"])
    never.set()


def test_tracker_that_gets_on_is_waited_for(tmp_path):
    stub = Stub(lambda record: threading.Event().wait(0.05))
    trackers = Trackers([stub], pytest.fail, patience=0.4)
    for seed in range(10):  # together longer than the patience
        trackers.log(make_record(seed))
    trackers.finish(tmp_path)
    assert stub.seeds == list(range(10))


def test_tracker_that_gets_on_is_given_up_at_the_limit(tmp_path):
    said = []
    trackers = Trackers([Stub(lambda record: threading.Event().wait(0.05))], said.append, limit=0.2)
    for seed in range(500):
        trackers.log(make_record(seed))
    trackers.finish(tmp_path)
    [line] = said
    assert "of 500 runs are missing" in line


def test_process_ends_although_a_tracker_hangs(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tests.execution.trackers.test_background import Stub, Trackers, make_record\n"
        "trackers = Trackers([Stub(lambda record: time.sleep(60))], print, patience=0.1)\n"
        "trackers.log(make_record()); trackers.finish(Path())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "stub: 1 of 1 runs are missing; the same command adds them\n")


def test_reason_is_the_systems_word_at_the_bottom():
    above = RuntimeError("many words\naround it")
    above.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert reason(above) == "Connection refused"
    assert reason(ValueError("two\nlines")) == "two lines"
    assert reason(ValueError()) == "ValueError"
