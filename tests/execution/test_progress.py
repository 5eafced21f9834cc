"""What people see while runs go on, on a terminal and in a log."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from lecturebench.declare.suites import discover
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.progress import Inbox, PlainDisplay, RichDisplay, connect, describe
from lecturebench.store import Record


@pytest.fixture(scope="module")
def runs():
    table = discover()["error_table"]
    names = ("ridge", "dropout", "lda")
    asked = Request(table, "mnist", {}, "lecture", "tensorflow", methods=names)
    return plan(asked, {}, dict.fromkeys(names, "")).runs


def ended(run, status="ok", **changes):
    return Record(
        key=run.key, suite="s", benchmark=run.benchmark, method=run.method, dataset={}, profile=run.profile,
        backend=run.backend, device=run.device, seed=run.seed, role=run.role, status=status, recipe={},
        metrics={"test": {"error": 0.0181}}, seconds={"fit": 8.4}, **changes,
    )  # fmt: skip


def test_run_is_described_by_method_tried_value_and_seed(runs):
    assert describe(runs[0]) == "ridge 1e-06 seed 1001"
    assert describe(next(run for run in runs if run.method == "dropout")) == "dropout seed 0"
    several = replace(runs[0], chosen={"penalty": 1e-6, "units": 64})
    assert describe(several) == "ridge penalty 1e-06, units 64 seed 1001"
    assert describe(replace(several, role="judged")) == "ridge seed 1001"


def test_log_has_one_line_per_run_that_ended(runs):
    lines = []
    display = PlainDisplay(lines.append)
    display.planned(2, 20.0, 0.0)
    for run, record in ((runs[0], ended(runs[0])), (runs[1], ended(runs[1], "timeout", reason="stopped after 5 s"))):
        display.started(run)
        display.epoch(run, 1, 30, 0.5)
        display.ended(run, record)
    display.close()
    assert [line.partition("] ")[2] for line in lines] == [
        "1/2 ridge 1e-06 seed 1001: test error 1.81%, 8.4 s",
        "2/2 ridge 1e-06 seed 1002: timeout: stopped after 5 s",
    ]


def test_terminal_shows_a_line_per_worker_with_epoch_and_loss_and_the_whole(runs):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    display = RichDisplay(console)
    display.planned(3, 30.0, 0.0)
    display.started(runs[0])
    display.epoch(runs[0], 12, 30, 0.0734)
    display.ended(runs[1], ended(runs[1], "crashed", reason="its worker died: killed by SIGSEGV"))
    display.planned(3, 30.0, 10.0)
    display.close()
    shown = console.file.getvalue()
    assert "ridge 1e-06 seed 1001" in shown
    assert "epoch 12/30  loss 0.0734" in shown
    assert "1/3 runs" in shown
    assert "ridge 1e-06 seed 1002: crashed: its worker died: killed by SIGSEGV" in shown


def test_worker_that_dies_while_it_speaks_blocks_nobody():
    import queue

    received = queue.Queue()
    inbox = Inbox(received.put)
    first = connect(inbox.address, inbox.authkey)
    second = connect(inbox.address, inbox.authkey)
    first(("epoch", "k1", 1, 30, 0.5))
    assert received.get(timeout=5) == ("epoch", "k1", 1, 30, 0.5)
    del first
    second(("epoch", "k2", 2, 30, 0.4))
    assert received.get(timeout=5) == ("epoch", "k2", 2, 30, 0.4)
    inbox.close()


@pytest.mark.parametrize("words", [b"", b"\x00\x00\x00\x05hello"])
def test_worker_that_dies_before_it_is_known_keeps_nobody_waiting(words):
    import queue
    import socket
    import threading

    received = queue.Queue()
    inbox = Inbox(received.put)
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as dying:
            dying.connect(inbox.address)
            dying.sendall(words)

    def speak():
        connect(inbox.address, inbox.authkey)(("epoch", "k", 1, 30, 0.5))

    threading.Thread(target=speak, daemon=True).start()
    assert received.get(timeout=10) == ("epoch", "k", 1, 30, 0.5)
    inbox.close()
