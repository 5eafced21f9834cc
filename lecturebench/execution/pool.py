"""Worker processes on this machine: one Pebble pool per slot, and what its ways to fail mean for a record.

A worker that crashes, hangs, eats memory or runs over its time limit ends one run; its slot gets a new worker and the
others go on. A pool of one worker per slot, rather than one of several, says at any moment which process has which run.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future, TimeoutError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pebble import ProcessExpired, ProcessPool

from lecturebench.execution.plan import Run
from lecturebench.execution.progress import Display, Inbox, Message
from lecturebench.execution.worker import Setting, execute, initialize
from lecturebench.store import Record, Status

Outcome = tuple[Run, Record, Mapping[str, Any] | None]
WATCHED_EVERY = 0.1  # seconds between looks at the workers' memory and output
KEPT_OUTPUT = 8192  # bytes of what a run printed, its end, that a failed run's record keeps
KEPT_LINES = 20
GROWTH = 1.5  # a worker whose resident memory has grown by this factor over its first fit is replaced
GROWTH_FLOOR = 512 * 2**20  # and by at least so many bytes


class Pool(Protocol):
    """Where runs are fitted. At most ``slots`` runs may be submitted and not yet returned by ``outcome``."""

    slots: int

    def submit(self, run: Run) -> None:
        """Begin a run."""

    def outcome(self, timeout: float) -> Outcome | None:
        """The next run that has ended, or None if none did within ``timeout`` seconds."""

    def close(self) -> None:
        """Stop what is still fitting and let go of everything."""


@dataclass
class _Task:
    """A run that a slot is fitting. killed: why we stopped it."""

    run: Run
    slot: int
    future: Future[Any]
    begun: float
    pid: int = 0
    killed: tuple[Status, str] | None = None


class _Output:
    """What the workers of one slot print, through a named pipe of which only the end is kept.

    A pipe bounds a worker that prints without end: it waits until it was read from. A file would grow as fast as the
    disk takes it. Reading outlives the worker, so the last lines before a crash are not lost.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # Opened for writing too, so that it never ends while there is no worker.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._lock = threading.Lock()
        self._kept = b""

    def drain(self) -> None:
        """Read what has come so far, at most one pipe full: a worker that prints on and on must not hold us."""
        with self._lock, suppress(BlockingIOError):
            self._kept = (self._kept + os.read(self._descriptor, 2**20))[-KEPT_OUTPUT:]

    def forget(self) -> None:
        """Drop everything before the next run begins."""
        self.drain()
        with self._lock:
            self._kept = b""

    def last_lines(self) -> str:
        """The end of what was printed; "" if there was nothing."""
        self.drain()
        return "\n".join(self._kept.decode(errors="replace").splitlines()[-KEPT_LINES:])

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._descriptor)


class LocalPool:
    """Spawned workers on this machine. memory_limit: resident bytes that a worker may hold; None for no limit."""

    def __init__(self, jobs: int, setting: Setting, display: Display, memory_limit: int | None = None) -> None:
        self.slots, self._display, self._memory_limit = jobs, display, memory_limit
        self._folder = tempfile.TemporaryDirectory(prefix="lecturebench-")
        self._inbox = Inbox(self._receive)
        self._setting = replace(setting, address=self._inbox.address, authkey=self._inbox.authkey)
        self._outputs = [_Output(self._pipe(slot)) for slot in range(jobs)]
        self._pools: dict[int, ProcessPool] = {}
        self._after_first_fit: dict[int, int] = {}
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def submit(self, run: Run) -> None:
        """Give a run to a free slot."""
        busy = {task.slot for task in self._tasks.values()}
        slot = next(slot for slot in range(self.slots) if slot not in busy)
        if slot not in self._pools:
            self._pools[slot] = ProcessPool(
                max_workers=1,
                context=multiprocessing.get_context("spawn"),
                initializer=initialize,
                initargs=(replace(self._setting, output=self._pipe(slot)),),
            )
        self._outputs[slot].forget()
        with self._lock:
            future = self._pools[slot].schedule(execute, args=(run,), timeout=run.time_limit)
            self._tasks[run.key] = _Task(run, slot, future, time.monotonic())
        future.add_done_callback(lambda _: self._ended.put(run.key))

    def outcome(self, timeout: float) -> Outcome | None:
        """The next run that has ended: its record, and its predictions where it has any."""
        try:
            key = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        task = self._tasks[key]
        record, predictions = self._record(task)
        elapsed = time.monotonic() - task.begun
        record.seconds["wait"] = max(0.0, elapsed - sum(record.seconds.values()))
        patience = time.monotonic() + 1.0  # the worker said its number before it failed; that may still be on its way
        while record.status != "ok" and not task.pid and time.monotonic() < patience:
            time.sleep(0.01)
        if record.status != "ok":
            record.output = self._outputs[task.slot].last_lines()
        with self._lock:
            del self._tasks[key]
        self._replace_if_grown(task)
        return task.run, record, predictions

    def close(self) -> None:
        """Stop all workers."""
        self._closing.set()
        for pool in self._pools.values():
            pool.stop()  # type: ignore[no-untyped-call]
        for pool in self._pools.values():
            pool.join()
        self._watching.join()
        self._inbox.close()
        for output in self._outputs:
            output.close()
        self._folder.cleanup()

    def _pipe(self, slot: int) -> Path:
        return Path(self._folder.name, f"output-{slot}")

    def _receive(self, message: Message) -> None:
        kind, key, *rest = message
        task = self._tasks.get(key)
        if task is None:
            return
        if kind == "started":
            task.pid = rest[0]
            self._display.started(task.run)
        else:
            self._display.epoch(task.run, *rest)

    def _watch(self) -> None:
        """Kill workers over the memory limit; read what they print."""
        while not self._closing.wait(WATCHED_EVERY):
            for output in self._outputs:
                output.drain()
            with self._lock:
                tasks = [task for task in self._tasks.values() if task.pid]
            for task in tasks:
                held = resident(task.pid)
                if self._memory_limit is not None and held > self._memory_limit and task.killed is None:
                    limit = self._memory_limit / 2**20
                    reason = f"held {held / 2**20:,.0f} MiB, more than its limit of {limit:,.0f} MiB"
                    task.killed = ("out_of_memory", reason)
                    task.future.cancel()

    def _replace_if_grown(self, task: _Task) -> None:
        """Let a worker go whose memory has grown much since its first fit: a leak would meet the limit at night."""
        held = resident(task.pid) if task.pid else 0
        first = self._after_first_fit.setdefault(task.pid, held)
        if held > max(GROWTH * first, first + GROWTH_FLOOR):
            pool = self._pools.pop(task.slot)
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _record(self, task: _Task) -> tuple[Record, Mapping[str, Any] | None]:
        run = task.run
        try:
            record, predictions = task.future.result()
            return record, predictions
        except TimeoutError:
            return self._failed(run, "timeout", f"stopped after its time limit of {run.time_limit:g} s"), None
        except ProcessExpired as error:
            return self._failed(run, "crashed", f"its worker died: {exit_reason(error.exitcode)}"), None
        except CancelledError:
            status, reason = task.killed or ("crashed", "its worker was stopped")
            return self._failed(run, status, reason), None
        except Exception as error:
            status = "out_of_memory" if is_out_of_memory(error) else "error"
            return self._failed(run, status, f"{type(error).__name__}: {error}", error), None

    def _failed(self, run: Run, status: Status, reason: str, error: BaseException | None = None) -> Record:
        return failed_record(run, self._setting.threads, status, reason, error)


@contextmanager
def local_pool(jobs: int, setting: Setting, display: Display, memory_limit: int | None = None) -> Iterator[LocalPool]:
    """A pool whose workers are gone when the block is left, also by Ctrl-C."""
    pool = LocalPool(jobs, setting, display, memory_limit)
    try:
        yield pool
    finally:
        pool.close()


def failed_record(run: Run, threads: int, status: Status, reason: str, error: BaseException | None = None) -> Record:
    """The record of a run that gave none itself."""
    from lecturebench.environment import commit, environment

    sha, dirty = commit()
    return Record(
        key=run.key,
        suite=run.suite_name,
        benchmark=run.benchmark,
        method=run.method,
        dataset={"name": run.dataset, "digests": dict(run.digests)},
        profile=run.profile,
        backend=run.backend,
        device=run.device,
        seed=run.seed,
        role=run.role,
        status=status,
        reason=(reason.splitlines() or [""])[0],
        traceback="" if error is None else "".join(traceback.format_exception(error)),
        recipe=dict(run.recipe),
        threads=threads,
        environment=environment(),
        commit=sha,
        dirty=dirty,
        source_digest=run.source_digest,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 if it is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, the machine's or a GPU's: each backend says that in its own type."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"}) or (
        "JaxRuntimeError" in names and str(error).startswith("RESOURCE_EXHAUSTED")
    )


def exit_reason(code: int | None) -> str:
    """A process's end in words: the signal that killed it, or the code it left with."""
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
