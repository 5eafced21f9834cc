"""What a Dask worker does with a run: it checks its own data, then hands the run to a local pool in its own process.

Isolation, limits and the ways to fail are thus those of one machine. The caller names these functions and the Dask
worker imports them, so lecturebench must be installed on every node.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import multiprocessing
import os
import socket
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from lecturebench.datasets import load
from lecturebench.declare.modules import BASELINES
from lecturebench.environment import environment, packages
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.execution.plan import Run
from lecturebench.execution.pool import LocalPool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.wire import packed
from lecturebench.execution.worker import SAFE_PATH, Setting, thread_environment
from lecturebench.store import parse

PACKAGE = Path(__file__).resolve().parent.parent
POLL = 0.2  # seconds between looks at whether the run is still wanted
IDLE = 600.0  # seconds after which a warm worker that nobody asks for is let go: its caller may have been killed
EVERYWHERE = ("numpy", "scipy", "scikit-learn", "keras")  # packages that decide results whatever the backend
OF_BACKEND = {"jax": ("jax", "jaxlib")}  # where they are not just the backend's own name


PROCESS = uuid.uuid4().hex  # tells a Dask worker from one that took its place at the same address


@dataclass(frozen=True)
class Order:
    """What goes with every run. process: for which Dask worker. session: the call whose warm workers take it.

    memory_limit: bytes for each of them. slot: which of them.
    """

    process: str
    session: str
    setting: Setting
    memory_limit: int | None
    slot: int = 0


@dataclass(frozen=True)
class Report:
    """A node about itself. decides: what must be equal everywhere. problem: why it can fit nothing at all, or ""."""

    process: str
    host: str
    environment: Mapping[str, Any]
    decides: Mapping[str, str]
    problem: str


class Unfit(Exception):
    """This node cannot fit a run that others may; says why."""


class Restarted(Exception):
    """The Dask worker that was meant has died, and another has its address."""


class Unwanted(Exception):
    """The caller has gone or has given the run up."""


_idle: dict[tuple[str, int], tuple[LocalPool, threading.Timer]] = {}  # by session and slot
_lock = threading.Lock()


def decides(backend: str, suites: Sequence[Path]) -> dict[str, str]:
    """What decides a result on a node, by name: version of Python, of packages, digests of the source files."""
    installed = packages()
    names = (*EVERYWHERE, *OF_BACKEND.get(backend, (backend,)))
    return {
        "Python": ".".join(map(str, sys.version_info[:2])),
        **{name: installed.get(name, "none") for name in names},
        "source of lecturebench": " and ".join(_digest([*room.rglob("*.py")], room) for room in (PACKAGE, BASELINES)),
        # Deeper down may be anything, a whole virtual environment even.
        **{f"suite {suite}": _digest([*suite.glob("*.py"), *suite.glob("*/*.py")], suite) for suite in suites},
    }


def _digest(files: Sequence[Path], root: Path) -> str:
    """A digest over names and contents; "none" for no files."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:12] if files else "none"


async def report(backend: str, suites: Sequence[Path]) -> bytes:
    """This node about itself, for `read_report`. Not on the event loop: a Dask worker that does not answer is taken for
    dead."""
    return json.dumps(asdict(await asyncio.to_thread(_report, backend, suites))).encode()


def read_report(answer: object) -> Report:
    """What a node says of itself. ValueError for what is no report."""
    values = parse(answer.decode()) if isinstance(answer, bytes) else None
    if not isinstance(values, dict) or set(values) != {item.name for item in fields(Report)}:
        raise ValueError("its answer is no report of a node")
    texts = [values[name] for name in ("process", "host", "problem")]
    objects = [values[name] for name in ("environment", "decides")]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(each, dict) for each in objects):
        raise ValueError("its answer is no report of a node")
    return Report(**values)


def _report(backend: str, suites: Sequence[Path]) -> Report:
    problem = ""
    if multiprocessing.current_process().daemon:
        problem = (
            "its nanny lets it start no processes: "
            "set DASK_DISTRIBUTED__WORKER__DAEMON=False there, or start it with --no-nanny"
        )
    return Report(PROCESS, socket.gethostname(), environment(), decides(backend, suites), problem)


def fit(run: Run, order: Order) -> bytes:
    """The record of a run fitted by this node, and its arrays where it has any, for `wire.unpacked`.

    Raises Restarted if it is for another process, which was checked and this one not; Unfit if the run's data cannot
    be had here; Unwanted if nobody waits for it any more.
    """
    if order.process != PROCESS:
        raise Restarted
    distributed: Any = importlib.import_module("distributed")
    worker = distributed.get_worker()
    task = worker.get_current_task()
    _check_data(run, order.setting.data_dir)
    pool = _take(order)
    try:
        pool.submit(run)
        while (outcome := pool.outcome(POLL)) is None:
            if not _wanted(worker, task):
                raise Unwanted(f"{run.key} was given up by its caller")
    except BaseException:
        pool.close()
        raise
    _give_back(order, pool)
    _, record, arrays = outcome
    return packed(record, arrays)


async def release(session: str) -> None:
    """Let a call's warm workers go."""
    with _lock:
        pools = [_idle.pop(place) for place in list(_idle) if place[0] == session]
    for pool, timer in pools:
        timer.cancel()
        await asyncio.to_thread(pool.close)


def _check_data(run: Run, data_dir: Path | None) -> None:
    """Fill this node's cache, outside the run's time limit; a node without the data must not fail run after run."""
    try:
        digests = load(run.dataset, data_dir).digests
    except (DataMissing, DataCorrupt, UsageError) as error:
        raise Unfit(" ".join(str(error).split())) from None
    if digests != run.digests:
        raise Unfit(f"{run.dataset} has the digests {dict(digests)} there, {dict(run.digests)} here")


def _wanted(worker: Any, task: str) -> bool:
    """Whether Dask still waits for a task of this worker: it cancels those of a caller that has gone."""
    state = worker.state.tasks.get(task)
    return state is not None and state.state == "executing" and worker.status.name in ("running", "paused")


def _take(order: Order) -> LocalPool:
    """The slot's warm pool of one worker, or a new one."""
    with _lock:
        idle = _idle.pop((order.session, order.slot), None)
    if idle is not None:
        pool, timer = idle
        timer.cancel()
        return pool
    # Its process imports Dask's main module, which may load BLAS, before `initialize` limits the threads.
    os.environ |= {**SAFE_PATH, **os.environ, **thread_environment(order.setting.threads)}
    return LocalPool(1, order.setting, PlainDisplay(lambda line: None), order.memory_limit)


def _give_back(order: Order, pool: LocalPool) -> None:
    """Keep a pool warm for the next run of its slot."""
    place = order.session, order.slot
    timer = threading.Timer(IDLE, _expire, (place, pool))
    timer.daemon = True
    with _lock:
        before = _idle.pop(place, None)  # of a run that was given up here and went on
        _idle[place] = pool, timer
    timer.start()
    if before is not None:
        before[1].cancel()
        before[0].close()


def _expire(place: tuple[str, int], pool: LocalPool) -> None:
    with _lock:
        ours = _idle.get(place, (None,))[0] is pool
        if ours:
            del _idle[place]
    if ours:
        pool.close()
