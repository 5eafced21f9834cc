"""Worker processes on this machine: one Pebble pool per slot, and what its ways to fail mean for a record.

A worker that crashes, hangs, eats memory or runs over its time limit ends one run, and all processes that came of it
end with it; its slot gets a new worker and the others go on. A pool of one worker per slot, rather than one of several,
says at any moment which process has which run. A run is blamed only if its worker said that it had begun it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pebble import ProcessExpired, ProcessPool

from lecturebench.declare.modules import LECTURE_SUITE
from lecturebench.execution import family
from lecturebench.execution.answer import Answer, failure
from lecturebench.execution.leftovers import in_words
from lecturebench.execution.plan import Run
from lecturebench.execution.progress import Display, Inbox, Message
from lecturebench.execution.worker import Setting, answer, initialize, safe_path
from lecturebench.store import Record, Status
from lecturebench.training.backends import LANES

if TYPE_CHECKING:
    from psutil import Process

Outcome = tuple[Run, Record, Mapping[str, Any] | None]
WATCHED_EVERY = 0.1  # seconds between looks at the workers' memory, time and output
FAMILY_EVERY = 5  # of these looks, for what has come of a worker: it takes a look at every process of the machine
KEPT_OUTPUT = 8192  # bytes of what a run printed, its end, that a failed run's record keeps
KEPT_LINES = 20
GROWTH = 1.5  # a worker whose resident memory has grown by this factor over its first fit is replaced
GROWN_TO = 0.5  # once that is as much of its limit
STARTS = 3  # workers that may die before they begin a run, until it counts as crashed
START_WITHIN = 600.0  # seconds for a worker to begin; imports from a busy share take minutes
LOAD_WITHIN = 120.0  # seconds for it to import and load what a run needs, unless its time limit is longer
LAST_WORDS = 1.0  # seconds for what a worker sent before it died to arrive


class Pool(Protocol):
    """Where runs are fitted. At most ``slots`` may be submitted and not yet returned by ``outcome``; several that are
    submitted together count as one."""

    slots: int

    def at_hand(self, run: Run) -> int:
        """1 if a worker that may fit this run waits, 0 if a new one has to be made, -1 if one has such runs already."""

    def together(self, run: Run) -> int:
        """How many that differ from this one in their seed alone may be submitted together, itself among them."""

    def submit(self, *runs: Run) -> None:
        """Begin a run, or as many as may be submitted together."""

    def outcome(self, timeout: float) -> Outcome | None:
        """The next run that has ended, or None if none did within ``timeout`` seconds."""

    def close(self) -> None:
        """Stop what is still fitting and let go of everything."""


@dataclass
class _Task:
    """Runs that a slot is fitting, in one program where there are several. left: those that it fits next, one by one.

    given, begun, loaded: by the monotonic clock; 0 until its worker says so.
    pid: of the process that fits it. known_as: the number of the one that was started for it, its guard's on Linux.
    seen: what came of the worker, at the last look. died: when it was first seen dead. killed: why we stopped it.
    """

    runs: tuple[Run, ...]
    slot: int
    future: Future[Any]
    given: float
    left: tuple[Run, ...] = ()
    starts: int = 1
    pid: int = 0
    known_as: int = 0
    begun: float = 0.0
    loaded: float = 0.0
    seen: Sequence[Process] = ()
    died: float = 0.0
    killed: tuple[Status, str] | None = None


@dataclass
class _Slot:
    """A place for one worker. serves: whose methods it may fit. fitted: how many runs have ended in it.

    after_first_fit: bytes that each worker held then.
    """

    serves: tuple[str, ...]
    workers: family.Workers
    pool: ProcessPool
    fitted: int = 0
    after_first_fit: dict[int, int] = field(default_factory=dict)

    def worker(self, pid: int) -> family.Worker | None:
        """The worker of that number."""
        return next((worker for worker in self.workers.started if worker.pid == pid), None)


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
    """Spawned workers on this machine. memory_limit: resident bytes that a worker may hold, with all processes that
    came of it; None for no limit.

    A worker fits the lecture's methods one after another. Of another suite it fits one method alone: nobody knows what
    that leaves behind in its process. A run that crashes or lacks memory in a worker with a past is given to a new one.
    """

    def __init__(self, jobs: int, setting: Setting, display: Display, memory_limit: int | None = None) -> None:
        self.slots, self._display, self._memory_limit = jobs, display, memory_limit
        self._folder = tempfile.TemporaryDirectory(prefix="lecturebench-")
        self._inbox = Inbox(self._receive)
        self._setting = replace(setting, address=self._inbox.address, authkey=self._inbox.authkey)
        self._outputs = [_Output(self._pipe(slot)) for slot in range(jobs)]
        self._open: dict[int, _Slot] = {}
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._shown: set[str] = set()  # runs that the display knows to have started
        self._apart: set[tuple[str, ...]] = set()  # rows whose seeds a worker could not fit in one program
        self._closing = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def at_hand(self, run: Run) -> int:
        """See `Pool`."""
        busy = {task.slot for task in self._tasks.values()}
        workers = {slot for slot, opened in self._open.items() if opened.serves == served(run)}
        return 1 if workers - busy else -1 if workers else 0

    def together(self, run: Run) -> int:
        """See `Pool`."""
        return LANES if self._setting.together and run.in_lanes and _row(run) not in self._apart else 1

    def submit(self, *runs: Run) -> None:
        """Give them to a free slot, one whose worker may fit them if there is one."""
        busy = {task.slot for task in self._tasks.values()}
        free = [slot for slot in range(self.slots) if slot not in busy]
        serves = served(runs[0])
        warm = [slot for slot in free if slot in self._open and self._open[slot].serves == serves]
        cold = [slot for slot in free if slot not in self._open]
        slot = [*warm, *cold, *free][0]
        self._give(runs, slot)

    def outcome(self, timeout: float) -> Outcome | None:
        """The next run that has ended: its record, and its predictions where it has any."""
        if not self._outcomes:
            with suppress(queue.Empty):
                self._settle(self._ended.get(timeout=timeout))
        return self._outcomes.popleft() if self._outcomes else None

    def _settle(self, key: str) -> None:
        """Take what a worker says of its runs, or give them again."""
        task = self._tasks[key]
        said = self._said(task)
        ended = time.monotonic()
        while task.pid == 0 and time.monotonic() < ended + LAST_WORDS:
            time.sleep(0.01)
        if said is None and not task.begun and task.starts < STARTS:
            self._again(task)
            return
        answers: Sequence[Answer | None] = [None] * len(task.runs) if said is None else said
        left = task.left
        if said and said[0].apart:
            self._apart.add(_row(task.runs[0]))
        if len(task.runs) > 1:  # of those that failed together nobody knows which is to blame
            failed = {run.key for run, each in zip(task.runs, answers, strict=True) if each is None or not each.record}
            left = tuple(run for run in task.runs if run.key in failed)
        for run, each in zip(task.runs, answers, strict=True):
            if run in left:
                continue
            record, arrays = self._record(task, run, each)
            if record.status in ("crashed", "out_of_memory") and self._open[task.slot].fitted:
                self._again(task)
                return
            record.seconds["wait"] = max(0.0, (ended - task.given) / len(task.runs) - sum(record.seconds.values()))
            if each is not None and each.changed:
                record.notes.append(in_words(each.changed))
            if record.status != "ok":
                record.output = self._outputs[task.slot].last_lines()
            self._outcomes.append((run, record, arrays))
            self._shown.discard(run.key)
        with self._lock:
            del self._tasks[key]
        self._open[task.slot].fitted += 1
        if said is None or any(each.changed for each in said) or self._grown(task):
            self._let_go(task.slot, task.seen)
        if left:
            self._give(left[:1], task.slot, left[1:])

    def _again(self, task: _Task) -> None:
        """Have a new worker fit the same: nobody pays for what the runs before left in one."""
        self._let_go(task.slot, task.seen)
        self._give(task.runs, task.slot, task.left, task.starts + 1)

    def close(self) -> None:
        """Stop all workers."""
        self._closing.set()
        self._watching.join()
        for opened in self._open.values():
            opened.pool.stop()  # type: ignore[no-untyped-call]
        for slot in list(self._open):
            seen = [process for task in self._tasks.values() if task.slot == slot for process in task.seen]
            self._let_go(slot, seen)
        self._inbox.close()
        for output in self._outputs:
            output.close()
        self._folder.cleanup()

    def _pipe(self, slot: int) -> Path:
        return Path(self._folder.name, f"output-{slot}")

    def _give(self, runs: tuple[Run, ...], slot: int, left: tuple[Run, ...] = (), starts: int = 1) -> None:
        """Have a slot fit runs, by its worker if that may, else by a new one."""
        run = runs[0]
        if starts == 1:
            self._outputs[slot].forget()
        if slot in self._open and self._open[slot].serves != served(run):
            self._let_go(slot)
        with self._lock:
            try:
                future = self._opened(slot, run).pool.schedule(answer, args=runs)
            except RuntimeError:  # its worker died while it had nothing to do
                self._let_go(slot)
                future = self._opened(slot, run).pool.schedule(answer, args=runs)
            self._tasks[run.key] = _Task(runs, slot, future, time.monotonic(), left, starts)
        future.add_done_callback(lambda _: self._ended.put(run.key))

    def _opened(self, slot: int, run: Run) -> _Slot:
        """A slot with a pool."""
        if slot not in self._open:
            workers = family.Workers()
            setting = replace(self._setting, output=self._pipe(slot))
            pool = ProcessPool(max_workers=1, context=workers, initializer=initialize, initargs=(setting,))
            self._open[slot] = _Slot(served(run), workers, pool)
        return self._open[slot]

    def _let_go(self, slot: int, seen: Sequence[Process] = ()) -> None:
        """End a slot's worker and all that came of it; the next run there gets a fresh one."""
        gone = self._open.pop(slot, None)
        if gone is None:
            return
        gone.pool.stop()  # type: ignore[no-untyped-call]
        for worker in gone.workers.started:
            family.end(worker, seen)
        # A Ctrl-C in the midst of `schedule` leaves a waiter in the queue's list that is gone, and takes the next
        # wake-up: `join` would wake that, and wait for its thread for ever.
        gone.pool._context.task_queue.put(None)
        gone.pool.join()

    def _receive(self, message: Message) -> None:
        kind, key, *rest = message
        with self._lock:
            fitting = [(task, run) for task in self._tasks.values() for run in task.runs if run.key == key]
        for task, run in fitting:
            if kind == "started":
                task.begun = time.monotonic()
                task.pid, task.known_as = rest
                for each in task.runs:
                    if each.key not in self._shown:
                        self._display.started(each)
                    self._shown.add(each.key)
            elif kind == "loaded":
                task.loaded = time.monotonic()
            else:
                self._display.epoch(run, *rest)

    def _watch(self) -> None:
        """Stop runs that are over a limit or whose worker has gone; read what they print."""
        looks = 0
        while not self._closing.wait(WATCHED_EVERY):
            looks += 1
            for output in self._outputs:
                output.drain()
            with self._lock:
                tasks = [(task, self._open.get(task.slot)) for task in self._tasks.values()]
            for task, slot in tasks:
                if slot is None or task.killed is not None or task.future.done():
                    continue
                if task.pid and looks % FAMILY_EVERY == 0:
                    task.seen = family.below(task.pid)
                task.killed = self._over(task, slot)
                if task.killed is not None or (not task.begun and time.monotonic() - task.given > START_WITHIN):
                    for worker in slot.workers.started:
                        family.end(worker, task.seen)
                    task.future.cancel()

    def _over(self, task: _Task, slot: _Slot) -> tuple[Status, str] | None:
        """Why a run has to be stopped, if it has."""
        if not task.begun:
            return None
        # Not the time of day, which somebody may set.
        now, limit = time.monotonic(), sum(run.time_limit for run in task.runs)
        if task.loaded and now - task.loaded > limit:
            return "timeout", f"stopped after its time limit of {limit:g} s"
        if not task.loaded and now - task.begun > max(limit, LOAD_WITHIN):
            return "timeout", f"stopped before it was fitted: to load what it needs took {max(limit, LOAD_WITHIN):g} s"
        if self._memory_limit is not None and family.resident(task.pid, task.seen) > self._memory_limit:
            held = family.held_together(task.pid, task.seen)
            if held > self._memory_limit:
                most = self._memory_limit / 2**20
                with_others = f" together with {len(task.seen)} processes that it started" if task.seen else ""
                reason = f"held {held / 2**20:,.0f} MiB{with_others}, more than its limit of {most:,.0f} MiB"
                return "out_of_memory", reason
        worker = slot.worker(task.known_as)
        if worker is not None and not worker.is_alive():  # Pebble, which knows of no guard, would wait for it
            task.died = task.died or now
            if now - task.died > (LAST_WORDS if worker.exitcode == 0 else WATCHED_EVERY):
                return "crashed", f"its worker died: {exit_reason(worker.exitcode)}"
        return None

    def _grown(self, task: _Task) -> bool:
        """Whether a worker's memory has grown much since its first fit: a leak would meet the limit at night.

        What another library or a larger dataset takes is no leak; a new worker imports for seconds.
        """
        held = family.resident(task.pid) if task.pid else 0
        first = self._open[task.slot].after_first_fit.setdefault(task.pid, held)
        return self._memory_limit is not None and held > max(GROWTH * first, GROWN_TO * self._memory_limit)

    def _said(self, task: _Task) -> list[Answer] | None:
        """A worker's answers; None if it died, or was stopped, before it gave any."""
        try:
            said: list[Answer] = task.future.result()
        except (CancelledError, ProcessExpired, BrokenProcessPool):
            return None
        except BaseException as error:  # raised outside `answer`, as by a signal that came late
            return [failure(error)] * len(task.runs)
        return said

    def _record(self, task: _Task, run: Run, said: Answer | None) -> tuple[Record, Mapping[str, Any] | None]:
        """The record of a run that has ended, and its arrays."""
        if said is not None and said.record:
            record = Record.from_json(json.loads(said.record))
            return record, said.arrays or None
        if said is not None:
            return self._failed(run, said.status, said.reason, said.traceback), None
        if task.killed is not None:
            return self._failed(run, *task.killed), None
        worker = self._open[task.slot].worker(task.known_as)
        if worker is not None:
            worker.join(LAST_WORDS)
        why = "its worker was stopped" if worker is None else f"its worker died: {exit_reason(worker.exitcode)}"
        if not task.begun:
            why = f"no worker could begin it, {STARTS} times"
        return self._failed(run, "crashed", why), None

    def _failed(self, run: Run, status: Status, reason: str, traceback: str = "") -> Record:
        return failed_record(run, self._setting.threads, status, reason, traceback)


def served(run: Run) -> tuple[str, ...]:
    """What runs must share to be fitted by one worker."""
    return () if run.suite == LECTURE_SUITE else _row(run)


def _row(run: Run) -> tuple[str, ...]:
    return str(run.suite), run.benchmark, run.method


@contextmanager
def local_pool(jobs: int, setting: Setting, display: Display, memory_limit: int | None = None) -> Iterator[LocalPool]:
    """A pool whose workers are gone when the block is left, also by Ctrl-C."""
    with safe_path():
        pool = LocalPool(jobs, setting, display, memory_limit)
        try:
            yield pool
        finally:
            pool.close()


def failed_record(run: Run, threads: int, status: Status, reason: str, traceback: str = "") -> Record:
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
        traceback=traceback,
        recipe=dict(run.recipe),
        threads=threads,
        environment=environment(),
        commit=sha,
        dirty=dirty,
        source_digest=run.source_digest,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def exit_reason(code: int | None) -> str:
    """A process's end in words: the signal that killed it, or the code it left with."""
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
