"""Carry out what was asked for: fit what the store lacks, write each record as it comes.

Several calls may work on one store: a run is locked while it is fitted, and what another call has fitted is taken from
the store. The locks are the operating system's, so that a call that is killed leaves none behind.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecturebench.execution.budget import MethodPlan, affordable, left_out
from lecturebench.execution.durations import Durations, LongestFirst, kind
from lecturebench.execution.plan import Plan, Request, Run, plan
from lecturebench.execution.pool import Pool
from lecturebench.execution.progress import Display
from lecturebench.execution.source import Look, method_digest
from lecturebench.store import DamagedRecord, Record, Store
from lecturebench.wording import expected_duration

if TYPE_CHECKING:
    from filelock import BaseFileLock

OUTSIDE_REASONS = ("crashed", "timeout", "out_of_memory", "error")  # what another try may cure; divergence is a result
PACKAGE = Path(__file__).resolve().parent.parent
WAIT = 0.2  # seconds; short, so that Ctrl-C is noticed and another call's runs are seen while nothing ends here


def _ignore(record: Record) -> None:
    """Nobody follows the runs."""


@dataclass(frozen=True)
class Summary:
    """What a call did: records of the runs fitted now, and how many the store had already.

    left_out: by benchmark, the claims and methods that a budget was too small for, with the reason. gone: how many of
    these runs were no longer in the store at the end.
    """

    fitted: tuple[Record, ...]
    reused: int
    left_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    gone: int = 0

    @property
    def failed(self) -> tuple[Record, ...]:
        """Those that gave no result."""
        return tuple(record for record in self.fitted if record.failed)


def carry_out(
    requests: Sequence[Request],
    store: Store,
    *,
    pool: Callable[[], AbstractContextManager[Pool]],
    display: Display,
    fresh: bool = False,
    retry_failed: bool = False,
    budget: float | None = None,
    more: Callable[[], Sequence[Request]] | None = None,
    log: Callable[[Record], None] = _ignore,
    clock: Callable[[], float] = time.monotonic,
) -> Summary:
    """Fit all runs that the requests come to and the store lacks.

    pool: makes the workers, once there is something to fit. fresh: fit everything anew. retry_failed: fit anew what
    failed for other reasons than divergence. On Ctrl-C the runs that have ended are in the store; the next call goes
    on from there.

    budget: seconds by which all must have ended; no run begins that is predicted to end later, and `affordable` says
    which are worth their time. A run that takes longer than predicted is not stopped: time limits are for that.
    more: asked whenever nothing is left; the requests that it gives take the place of the earlier ones, none ends it.
    log: told of every record that the requests come to, fitted now or earlier.
    """
    deadline = None if budget is None else clock() + budget
    call = _Call(store, display, fresh, retry_failed, deadline, log, clock)
    try:
        with ExitStack() as stack:
            workers: Pool | None = None
            asked = requests
            while asked:
                call.ask(asked)
                if call.open:
                    workers = stack.enter_context(pool()) if workers is None else workers
                    call.work(workers)
                late = deadline is not None and clock() > deadline
                asked = () if more is None or late else more()
    finally:
        call.release()
        display.close()
    left = {} if budget is None else call.left_out(f"left out by the budget of {expected_duration(budget)}")
    gone = sum(not store.has(key) for key in {*call.reused, *(record.key for record in call.fitted)})
    return Summary(tuple(call.fitted), len(call.reused), left, gone)


@dataclass(frozen=True)
class _Taken:
    """A run that is being fitted here. expected: seconds. begun: by the clock. beside: the run that it was given to the
    pool with, or its own key."""

    run: Run
    lock: BaseFileLock
    expected: float
    begun: float
    beside: str


class _Call:
    """One call's view of the store: what has ended, what it is fitting, what it still has to do.

    What happens at the end of a run takes no time that grows with the number of runs: there may be ten thousand.
    """

    def __init__(
        self,
        store: Store,
        display: Display,
        fresh: bool,
        retry_failed: bool,
        deadline: float | None,
        log: Callable[[Record], None],
        clock: Callable[[], float],
    ) -> None:
        self._log = log
        self._store, self._display, self._deadline, self._clock = store, display, deadline, clock
        earlier = {record.key: record for record in store.read()[0]}
        # Fitted anew although there is a record.
        self._again: set[str] = set()
        if fresh:
            self._again = set(earlier)
        elif retry_failed:
            self._again = {key for key, record in earlier.items() if record.status in OUTSIDE_REASONS}
        self._ended = {key: record for key, record in earlier.items() if key not in self._again}
        self._durations = Durations(earlier.values())
        self._sources: dict[tuple[Path, str, tuple[str, ...] | None], Mapping[str, str]] = {}
        self._look = Look()
        self._rows: list[MethodPlan] = []
        self._rows_waiting_for: dict[str, set[int]] = {}
        self._taken: dict[str, _Taken] = {}
        self._slots = 0
        self.fitted: list[Record] = []
        self.reused: set[str] = set()

    @property
    def open(self) -> bool:
        """Whether there is anything left to fit or to wait for."""
        return bool(self._todo or self._taken)

    def ask(self, requests: Sequence[Request]) -> None:
        """Plan what is asked for now; each method is a row of its own, planned anew once what decides it has ended."""
        self._rows, self._rows_waiting_for = [], {}
        self._look = Look()
        for request in requests:
            for method in request.asked:
                self._rows.append(MethodPlan(replace(request, methods=(method.name,)), Plan([], [])))
                self._plan(len(self._rows) - 1)
        self._arrange()

    def work(self, pool: Pool) -> None:
        """Fit until nothing is left."""
        self._slots = pool.slots  # a budget can be spent now
        if self._deadline is not None:
            self._arrange()
        while self.open:
            self._begin(pool)
            outcome = pool.outcome(WAIT)
            if outcome is not None:
                self._end(*outcome)

    def release(self) -> None:
        """Give up the locks of runs that were not finished."""
        for taken in self._taken.values():
            taken.lock.release()

    def left_out(self, why: str) -> dict[str, dict[str, str]]:
        """What was not reached, by benchmark and claim or method, with the reason."""
        return left_out(self._rows, self._ended, self._durations.expected, why)

    def _plan(self, index: int) -> None:
        """Plan a row; if what else it asks for depends on some of its runs, remember on which."""
        request = self._rows[index].request
        place = (request.benchmark.path, request.backend, request.methods)
        if place not in self._sources:
            self._sources[place] = source_digests(request, self._look)
        self._rows[index] = MethodPlan(request, plan(request, self._ended, self._sources[place]))
        for key in self._rows[index].plan.deciding:
            self._rows_waiting_for.setdefault(key, set()).add(index)

    def _arrange(self) -> None:
        """Put in order what is to be done, and count it."""
        planned = {run.key: run for row in self._rows for run in row.plan.runs}
        waiting = {run.key: run for row in self._rows for run in row.plan.waiting}
        here = {record.key for record in self.fitted}
        for key in planned.keys() & self._ended.keys() - here - self.reused:
            self.reused.add(key)
            self._log(self._ended[key])
        todo = {key: run for key, run in planned.items() if key not in self._ended and key not in self._taken}
        if self._deadline is not None and self._slots:
            now = self._clock()
            begun = {key: max(0.0, taken.begun + taken.expected - now) for key, taken in self._taken.items()}
            kept = affordable(
                self._rows, self._ended, begun, self._durations.expected, self._deadline - now, self._slots
            )
            todo = {key: run for key, run in todo.items() if key in kept}
            waiting = {key: run for key, run in waiting.items() if key in kept}
        self._todo = LongestFirst(self._durations.expected, todo.values())
        taken_runs = [taken.run for taken in self._taken.values()]
        done = [run for key, run in planned.items() if key in self._ended]
        left = [*todo.values(), *taken_runs, *waiting.values()]
        self._samples = {kind(run): run for run in (*done, *left)}
        self._done, self._left = Counter(map(kind, done)), Counter(map(kind, left))
        self._show()

    def _show(self) -> None:
        expected = {of: self._durations.expected(run) for of, run in self._samples.items()}
        done = sum(count * expected[of] for of, count in self._done.items())
        left = sum(count * expected[of] for of, count in self._left.items())
        self._display.planned(len(self.fitted) + self._left.total(), done + left, done)

    def _begin(self, pool: Pool) -> None:
        """Fill free slots. Runs that another call has are left for a later look."""
        elsewhere = []
        too_long = False
        while self._todo and len({taken.beside for taken in self._taken.values()}) < pool.slots:
            run = self._todo.pop(pool.at_hand)
            expected, now = self._durations.expected(run), self._clock()
            left = math.inf if self._deadline is None else self._deadline - now
            if expected > left:
                too_long = True
                continue
            begun: list[Run] = []
            known: list[tuple[Run, Record]] = []
            # Together they take as long as one after another is expected to: each one's seconds are its share.
            for each in (run, *self._todo.beside(run, int(min(pool.together(run), left / max(expected, 1e-3))) - 1)):
                lock = self._store.lock(each.key)
                if lock is None:
                    elsewhere.append(each)
                elif (record := self._ended_elsewhere(each.key)) is not None:
                    lock.release()
                    known.append((each, record))
                else:
                    begun.append(each)
                    self._taken[each.key] = _Taken(each, lock, expected, now, begun[0].key)
            if begun:
                pool.submit(*begun)
            for each, record in known:  # after all are taken: it may plan anew what is left to do
                self.reused.add(each.key)
                self._know(each, record)
        for run in elsewhere:
            self._todo.add(run)
        if too_long:
            self._arrange()

    def _ended_elsewhere(self, key: str) -> Record | None:
        """The record that another call has written since this one looked."""
        if key in self._again or not self._store.has(key):
            return None
        try:
            return self._store.record(key)
        except DamagedRecord:
            return None

    def _end(self, run: Run, record: Record, arrays: Mapping[str, Any] | None) -> None:
        taken = self._taken[run.key]
        record.extra["expected"] = round(taken.expected, 3)
        try:
            self._store.write(record, **(arrays or {}))
        except FileNotFoundError:  # somebody deletes the folder at this moment
            self._store.write(record, **(arrays or {}))
        taken.lock.release()
        del self._taken[run.key]
        self.fitted.append(record)
        self._display.ended(run, record)
        self._know(run, record)

    def _know(self, run: Run, record: Record) -> None:
        """A run has ended, here or in another call: it tells how long others take, and others may wait for it."""
        self._ended[run.key] = record
        self._log(record)
        self._again.discard(run.key)
        self._done[kind(run)] += 1
        self._left[kind(run)] -= 1
        news = self._durations.add(record)
        rows = self._rows_waiting_for.pop(run.key, set())
        ready = [index for index in rows if self._rows[index].plan.deciding <= self._ended.keys()]
        for index in ready:
            self._plan(index)
        if ready or (self._deadline is not None and (news or not self._todo)):
            self._arrange()
        else:
            self._show()


def source_digests(request: Request, look: Look | None = None) -> dict[str, str]:
    """The digest of the source that decides each method's result; UsageError for a method that has none.

    look: one that other requests share; by default the files are looked at anew.
    """
    look = look or Look()
    return {
        method.name: method_digest(request.benchmark, method, request.backend, look, dataset=request.dataset)
        for method in request.asked
    }
