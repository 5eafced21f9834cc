"""Telling trackers while the fits go on: each in a thread of its own, so that neither a slow nor a broken one costs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lecturebench.store import Record

if TYPE_CHECKING:
    from lecturebench.execution.trackers import Tracker

Say = Callable[[str], None]
PATIENCE = 15.0  # seconds for one run at the end; a server that answers at all is quicker
LIMIT = 120.0  # seconds for all that is left at the end


class Trackers:
    """Tells several trackers of each run, once a call. A tracker that fails is left out from then on, and that is said.

    ``log`` returns at once; ``finish`` waits until all is told, no run has been told for ``patience`` seconds, or
    ``limit`` seconds have passed. The threads end with the process, whatever they wait for.
    """

    def __init__(
        self, trackers: Sequence[Tracker], say: Say, *, patience: float = PATIENCE, limit: float = LIMIT
    ) -> None:
        self._lanes = [_Lane(tracker, say) for tracker in trackers]
        self._patience, self._limit = patience, limit
        self._run_ids: set[tuple[str, str]] = set()

    def log(self, record: Record) -> None:
        """Tell of a run that has ended, in this call or an earlier one."""
        if (record.key, record.started) not in self._run_ids:
            self._run_ids.add((record.key, record.started))
            for lane in self._lanes:
                lane.put(record)

    def finish(self, folder: Path) -> None:
        """Tell of the report, then wait for what is left; says what could not be told in time."""
        for lane in self._lanes:
            lane.put(folder)
        deadline = time.monotonic() + self._limit
        for lane in self._lanes:
            lane.wait(self._patience, deadline)


class _Lane:
    """One tracker, its queue and its thread."""

    def __init__(self, tracker: Tracker, say: Say) -> None:
        self._tracker, self._say = tracker, say
        self._queue: queue.SimpleQueue[Record | Path] = queue.SimpleQueue()
        self._runs = self._logged_runs = 0
        self._ended = threading.Event()
        self._given_up = False
        threading.Thread(target=self._work, name=f"tracker {tracker.name}", daemon=True).start()

    def put(self, item: Record | Path) -> None:
        """Queue a run or the report."""
        self._runs += isinstance(item, Record)
        self._queue.put(item)

    def wait(self, patience: float, deadline: float) -> None:
        """Wait for the end while it gets on; then say what is missing."""
        before = -1
        while not self._ended.is_set() and self._logged_runs > before and time.monotonic() < deadline:
            before = self._logged_runs
            self._ended.wait(min(patience, max(0.0, deadline - time.monotonic())))
        self._given_up = True
        missing = self._runs - self._logged_runs
        if missing:
            self._say(f"{self._tracker.name}: {missing} of {self._runs} runs are missing; the same command adds them")
        elif not self._ended.is_set():
            self._say(f"{self._tracker.name}: the report is missing; the same command adds it")

    def _work(self) -> None:
        try:
            while True:
                item = self._queue.get()
                if isinstance(item, Path):
                    self._tracker.finish(item)
                    return
                self._tracker.log(item)
                self._logged_runs += 1
        except Exception as error:
            if not self._given_up:
                self._say(f"{self._tracker.name} failed, the runs go on without it: {reason(error)}")
        finally:
            self._ended.set()


def reason(error: BaseException) -> str:
    """Why something failed, in one line: the operating system's word where it is at the bottom, else the error's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.strerror} ({cause.filename})" if cause.filename else cause.strerror
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        cause = cause.__cause__ or cause.__context__
    words = " ".join(str(error).split())
    return (words if len(words) < 300 else f"{words[:300]}…") or type(error).__name__
