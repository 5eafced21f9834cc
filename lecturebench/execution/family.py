"""A worker and the processes that come of it: found, counted and ended together.

A run may start others, which start others, leave their session and outlive their parents. Linux gives a worker the
orphans below it. When the worker itself has died they are found by its session, by what they were last seen to come
of, or by a word in the environment that all of them inherit.

Only the standard library is imported at the top: a worker imports this file before its threads are limited.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Collection, Iterable
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psutil import Process

MARK = "LECTUREBENCH_WORKER"  # in the environment of a worker and of all that comes of it
PATIENCE = 1.0  # seconds for what tidies up after the others to end by itself
PATIENCE_IN_ALL = 10.0  # seconds; what the system cannot end by then, it cannot end
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_starting = threading.Lock()


class Worker(SpawnProcess):
    """A worker process that carries a mark of its own."""

    mark = ""

    def start(self) -> None:
        """Start it with its mark in the environment, which nothing else that is started should inherit."""
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()
        self.mark = uuid.uuid4().hex
        with _starting:
            before = os.environ.get(MARK)
            os.environ[MARK] = self.mark
            try:
                super().start()
            finally:
                if before is None:
                    del os.environ[MARK]
                else:
                    os.environ[MARK] = before


class Workers(SpawnContext):
    """What Pebble starts workers by, as ``spawn`` does. started: all of them, the living and the dead."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Worker] = []

    def Process(self, *args: Any, **kwargs: Any) -> Worker:  # type: ignore[override]  # noqa: N802 - Pebble asks so
        worker = Worker(*args, **kwargs)
        self.started.append(worker)
        return worker


def lead() -> None:
    """Make this process the first of a session of its own, to which the orphans below it come back."""
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(SUBREAPER, 1)


def below(pid: int) -> list[Process]:
    """The processes that came of this one and are alive, as far as their parents show."""
    import psutil

    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return [process for process in children if _alive(process)]


def resident(pid: int, others: Iterable[Process] = ()) -> int:
    """Bytes of memory that a process holds, and others with it; 0 for those that are gone."""
    import psutil

    total = 0
    for number in (pid, *(process.pid for process in others)):
        with contextlib.suppress(psutil.Error):
            total += int(psutil.Process(number).memory_info().rss)
    return total


def held_together(pid: int, others: Iterable[Process]) -> int:
    """As `resident`, but what several share counts once, where the system tells."""
    import psutil

    total = 0
    for number in (pid, *(process.pid for process in others)):
        with contextlib.suppress(psutil.Error):
            held = psutil.Process(number).memory_full_info()
            total += int(getattr(held, "pss", held.rss))
    return total


def end(worker: Worker, seen: Collection[Process] = ()) -> None:
    """Kill a worker and all that came of it. seen: what was known to, in case its parents are gone."""
    if worker.pid is None:
        return
    known = {*seen, *(below(worker.pid) if worker.is_alive() else ())}
    begin = time.monotonic()
    while time.monotonic() < begin + PATIENCE_IN_ALL:
        left = {process for process in known if _alive(process)} | _marked(worker)
        if not left:
            break
        known |= left
        others = {process for process in left if not _tidies_up(process)}
        if others or time.monotonic() > begin + PATIENCE:
            for process in others or left:
                with contextlib.suppress(OSError):
                    os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.01)
        worker.join(0.1)


def _marked(worker: Worker) -> set[Process]:
    """The worker itself, those of its session, and those that carry its mark."""
    import psutil

    marked = set()
    alive, own = worker.is_alive(), os.getsid(0)
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            session = os.getsid(pid)
            if pid == worker.pid:
                belongs = alive
            elif session == own:  # what a worker starts never is, whatever else was started beside it
                belongs = False
            else:
                belongs = session == worker.pid or psutil.Process(pid).environ().get(MARK) == worker.mark
            if belongs and _alive(process := psutil.Process(pid)):
                marked.add(process)
    return marked


def _tidies_up(process: Process) -> bool:
    """Whether it removes what others share in memory once they are gone, as Python's resource tracker does."""
    import psutil

    try:
        return any("resource_tracker" in word for word in process.cmdline())
    except psutil.Error:
        return False


def _alive(process: Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
