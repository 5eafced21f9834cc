"""A worker and the processes that come of it: found, counted and ended together.

A run may start others, which start others, leave their session and outlive their parents. Linux gives a worker the
orphans below it, and when the worker itself has died, its guard: a process that starts it, waits, ends what it has left
and then ends as it did. So nothing escapes, not even when the guard's own parent is killed. Where there is no guard
they are found by the worker's session, by what they were last seen to come of, or by a word in the environment that all
of them inherit.

Only the standard library is imported at the top: a worker imports this file before its threads are limited.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from psutil import Process

MARK = "LECTUREBENCH_WORKER"  # in the environment of a worker and of all that comes of it
PATIENCE = 1.0  # seconds for what tidies up after the others to end by itself
PATIENCE_IN_ALL = 10.0  # seconds; what the system cannot end by then, it cannot end
PARENT_DEATH, SUBREAPER = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
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


def lead() -> int:
    """Make this a worker that dies with its parent, however that does, in a session of its own: that session's number.

    On Linux it goes on as a child of itself, guarded by the process that it was, whose number its parent knows; unless
    it has several threads already, as after an import in the parent's script: then a fork is not safe.
    """
    parent = multiprocessing.parent_process()
    _die_with(os.getppid() if parent is None else parent.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.setsid()
    own = os.getpid()
    if _prctl(SUBREAPER, 1) and len(list(Path("/proc/self/task").glob("*"))) == 1:
        worker = os.fork()
        if worker:
            _guard(worker)
        _die_with(own, signal.SIGKILL)
        _prctl(SUBREAPER, 1)
    return own


def _guard(worker: int) -> NoReturn:
    """Wait for a worker's end, or for a word to end it; end all that came of it, and leave as it did."""

    def leave(*_: object) -> None:
        raise SystemExit

    status: int = signal.SIGTERM
    with contextlib.suppress(BaseException):
        signal.signal(signal.SIGTERM, leave)
        _prctl(PARENT_DEATH, signal.SIGTERM)
        _, status = os.waitpid(worker, 0)
    with contextlib.suppress(BaseException):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_all(lambda: set(below(os.getpid())))
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the worker has left one, if any
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _die_with(parent: int | None, by: signal.Signals) -> None:
    """Ask Linux to send this process a signal when its parent dies; leave at once if it has died already.

    A parent killed while its worker starts would never be told of: the worker would wait for ever to open its pipe.
    """
    _prctl(PARENT_DEATH, by)
    if os.getppid() != parent:
        os._exit(1)


def _prctl(option: int, value: int) -> bool:
    """Whether Linux did that for this process; other systems have no such call."""
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(option, value) == 0)
    except (OSError, AttributeError):
        return False


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
    known = set(seen)

    def find() -> set[Process]:
        if worker.pid is not None and worker.is_alive():
            known.update(below(worker.pid))
        known.update(_marked(worker))
        return {process for process in known if _alive(process)}

    _end_all(find, last=worker.pid)


def _end_all(look: Callable[[], set[Process]], last: int = 0) -> None:
    """Kill what is left until nothing is. last: the process that others come back to, so that it goes after them."""
    begin = time.monotonic()
    while (left := look()) and time.monotonic() < begin + PATIENCE_IN_ALL:
        if time.monotonic() < begin + PATIENCE:
            left = {process for process in left if not _tidies_up(process)}
            left = {process for process in left if process.pid != last} or left
        for process in left:
            with contextlib.suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.02)


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
