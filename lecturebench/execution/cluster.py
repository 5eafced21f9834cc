"""Workers on other machines: an existing Dask cluster, each node of which fits with a local pool of its own.

Dask gets only as many runs as it has slots, each for one node by name: what waits in its queues dies with a worker. A
run whose node dies is given to another by us, so that it is known how often, and that no node is used unchecked.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from lecturebench.errors import ClusterLost, UsageError
from lecturebench.execution import node
from lecturebench.execution.plan import Run
from lecturebench.execution.pool import Outcome, failed_record, served
from lecturebench.execution.progress import Display
from lecturebench.execution.wire import unpacked
from lecturebench.execution.worker import Setting

TRIES = 3  # nodes that may die of one run, or with it, before it counts as crashed
CONNECT = 10.0  # seconds for the scheduler to answer, and again for the first worker to be there
PATIENCE = 600.0  # seconds without any node before the call gives up: a batch system may start others
LOOK = 1.0  # seconds between looks at which nodes there are
GATHER = 60.0  # seconds to fetch a result; it is there already unless its node has just died
CLOSE = 5.0  # seconds to tell the nodes that the call is over, and again to take leave of the scheduler
SHARE = 0.8  # of the memory that Dask allows a worker, for all its runs together

Say = Callable[[str], None]


@dataclass
class _Node:
    """A Dask worker that was checked. environment: as records have it."""

    address: str
    name: str
    order: node.Order
    slots: int
    environment: Mapping[str, Any]
    serve: dict[int, tuple[str, ...]] = field(default_factory=dict)  # by slot, whose methods its worker may fit


@dataclass
class _Task:
    """A run that a node is fitting, in one of its slots."""

    run: Run
    node: _Node
    slot: int
    future: Any


class ClusterPool:
    """Nodes of a Dask cluster. client: connected to it. say: gets a line for each node that is left out or dies.

    A node has a slot for every ``setting.threads`` threads of its Dask worker, one on a GPU. memory_limit: resident
    bytes for each run; None is an equal share of what Dask allows the worker.
    """

    def __init__(
        self,
        client: Any,
        setting: Setting,
        display: Display,
        memory_limit: int | None = None,
        suites: Sequence[Path] = (),
        say: Say = lambda line: None,
    ) -> None:
        self.slots = 0
        self._client, self._setting, self._display, self._say = client, setting, display, say
        self._memory_limit, self._suites = memory_limit, tuple(suites)
        self._expected = node.decides(setting.backend, self._suites)
        self._session = uuid.uuid4().hex
        self._nodes: dict[str, _Node] = {}
        self._asked: set[str] = set()
        self._refused: dict[str, str] = {}
        self._present: set[str] = set()
        self._reports: queue.SimpleQueue[tuple[str, Mapping[str, Any], Any]] = queue.SimpleQueue()
        self._waiting: deque[Run] = deque()
        self._tasks: dict[str, _Task] = {}
        self._tried: dict[str, list[str]] = {}  # by run, the nodes that died with it
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._looked = self._seen = time.monotonic()

    def open(self, timeout: float) -> None:
        """Wait until every node that is there was checked; UsageError if there is none, or none fit to be used.

        timeout: seconds for the first to be there; three times as long for what they say, as they may import slowly.
        """
        begin = time.monotonic()
        while not self._present or self._present - set(self._nodes) - set(self._refused):
            if time.monotonic() - begin > (3 * timeout if self._present else timeout):
                break
            time.sleep(0.05)
            self._look()
        if not self._present:
            command = f"dask worker {self._client.scheduler.address}"
            raise UsageError(f"the Dask scheduler has no workers after {timeout:g} s: start some with `{command}`")
        if not self._nodes:
            reasons = [*self._refused.values()] or [f"none answered within {3 * timeout:g} s"]
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            raise UsageError(f"no node of the cluster can be used: {reasons[0]}{more}")

    def at_hand(self, run: Run) -> int:
        """See `Pool`; of the nodes' workers as they were left, since one that has died is not told of."""
        free = {(each.address, slot) for each, slot in self._free()}
        wanted = served(run)
        workers = {
            (each.address, slot)
            for each in self._nodes.values()
            for slot, serves in each.serve.items()
            if serves == wanted
        }
        return 1 if workers & free else -1 if workers else 0

    def together(self, run: Run) -> int:
        """See `Pool`: each run goes to whatever node has room."""
        return 1

    def submit(self, *runs: Run) -> None:
        """Give a run to a node with a free slot, as soon as there is one."""
        for run in runs:
            self._tried[run.key] = []
            self._waiting.append(run)
            self._display.started(run)
        self._dispatch()

    def outcome(self, timeout: float) -> Outcome | None:
        """The next run that has ended: its record, and its predictions where it has any.

        ClusterLost if the scheduler has gone, or no node was there for some minutes.
        """
        if time.monotonic() - self._looked > LOOK:
            self._look()
            self._despair()
        if not self._outcomes:
            with suppress(queue.Empty):
                self._settle(self._ended.get(timeout=timeout))
        self._dispatch()
        return self._outcomes.popleft() if self._outcomes else None

    def close(self) -> None:
        """Give up what is still fitting and let the nodes' warm workers go."""
        releasing = threading.Thread(target=self._release, daemon=True)
        releasing.start()
        releasing.join(timeout=CLOSE)

    def _release(self) -> None:
        with suppress(Exception):  # without a scheduler, nodes let go by themselves
            self._client.cancel([task.future for task in self._tasks.values()], force=True)
            self._client.run(node.release, self._session, workers=[*self._nodes], on_error="ignore")

    def _look(self) -> None:
        """See which nodes have come and gone, and what those that were asked have answered."""
        self._looked = time.monotonic()
        if self._client.status == "closed":
            raise ClusterLost("the Dask scheduler went away; the same call goes on from here when it is back")
        try:
            # Not `scheduler_info`, which now and then gives none, from a cache that others fill.
            workers = self._client.sync(self._client.scheduler.identity, n_workers=-1)["workers"]
        except OSError:
            return  # Dask's client tries to reach it again, and closes if it does not
        self._present = {address for address, info in workers.items() if not info["status"].startswith("clos")}
        for address in self._asked - self._present:
            if (gone := self._forget(address)) is not None:
                self._say(f"{gone.name} has gone; its runs go to other nodes")
        for address in self._present - self._asked:
            self._asked.add(address)
            threading.Thread(target=self._ask, args=(address, workers[address]), daemon=True).start()
        with suppress(queue.Empty):
            while True:
                self._judge(*self._reports.get_nowait())
        self.slots = sum(each.slots for each in self._nodes.values())

    def _despair(self) -> None:
        """Give up where waiting is of no use: all nodes are unfit, or there was none for a long time."""
        if self._nodes:
            self._seen = time.monotonic()
        elif self._present and self._present <= set(self._refused):
            raise ClusterLost(f"no node of the cluster can be used any more: {[*self._refused.values()][-1]}")
        elif time.monotonic() - self._seen > PATIENCE:
            raise ClusterLost(f"the cluster has had no node for {PATIENCE / 60:g} minutes")

    def _ask(self, address: str, info: Mapping[str, Any]) -> None:
        """Have a node report. In a thread of its own: a node that hangs must keep nobody waiting."""
        wanted = (self._setting.backend, self._suites)
        try:
            answer = self._client.run(node.report, *wanted, workers=[address], on_error="return")[address]
            answer = answer if isinstance(answer, Exception) else node.read_report(answer)
        except Exception as error:
            answer = error
        self._reports.put((address, info, answer))

    def _judge(self, address: str, info: Mapping[str, Any], answer: Any) -> None:
        """Take a node in, or leave it out and say why."""
        if address not in self._asked:
            return  # gone again
        if not isinstance(answer, node.Report):
            return self._refuse(address, address, f"lecturebench does not answer there ({_error_line(answer)})")
        name, gpu = f"{answer.host} ({address})", self._setting.device == "gpu"
        differing = [
            f"{what}: expected {expected}, found {answer.decides.get(what, 'none')}"
            for what, expected in self._expected.items()
            if answer.decides.get(what, "none") != expected
        ]
        problem = answer.problem or "; ".join(differing)
        if problem or (gpu and not answer.environment["gpu"]):
            return self._refuse(address, name, problem or "it has no GPU")
        slots = 1 if gpu else max(1, info["nthreads"] // self._setting.threads)
        memory = info["memory_limit"] or answer.environment["memory_gib"] * 2**30
        limit = self._memory_limit or int(SHARE * memory / slots)
        order = node.Order(answer.process, self._session, self._setting, limit)
        self._nodes[address] = _Node(address, name, order, slots, answer.environment)

    def _refuse(self, address: str, name: str, problem: str) -> None:
        """Use a node no more, as long as it stays."""
        self._forget(address)
        self._asked.add(address)
        self._refused[address] = f"{name}: {problem}"
        self._say(f"left out: {self._refused[address]}")

    def _forget(self, address: str) -> _Node | None:
        """Give a node's runs to others. It is asked again if it is still there, or comes back."""
        self._asked.discard(address)
        self._refused.pop(address, None)
        for key in [key for key, task in self._tasks.items() if task.node.address == address]:
            self._try_again(self._tasks.pop(key))
        return self._nodes.pop(address, None)

    def _dispatch(self) -> None:
        """Hand waiting runs to free slots."""
        while self._waiting and self._client.status == "running":
            free = self._free()
            if not free:
                return
            run = self._waiting.popleft()
            busy = [task.node.address for task in self._tasks.values()]
            chosen, slot = min(free, key=partial(_preference, run, self._tried[run.key], busy))
            chosen.serve[slot] = served(run)
            future = self._client.submit(
                node.fit,
                run,
                replace(chosen.order, slot=slot),
                key=f"lecturebench-{uuid.uuid4().hex}",
                workers=[chosen.address],
                allow_other_workers=False,
                retries=0,
                pure=False,
            )
            self._tasks[future.key] = _Task(run, chosen, slot, future)
            future.add_done_callback(lambda ended: self._ended.put(ended.key))

    def _free(self) -> list[tuple[_Node, int]]:
        """The slots that fit nothing now."""
        busy = {(task.node.address, task.slot) for task in self._tasks.values()}
        slots = [(each, slot) for each in self._nodes.values() for slot in range(each.slots)]
        return [(each, slot) for each, slot in slots if (each.address, slot) not in busy]

    def _settle(self, key: str) -> None:
        """Take what a node sends back."""
        task = self._tasks.pop(key, None)
        if task is None:
            return  # given up: its node has gone
        distributed: Any = importlib.import_module("distributed")
        try:
            record, arrays = unpacked(task.future.result(timeout=GATHER), task.run)
        except distributed.CancelledError:  # not by us: the scheduler was out of reach for a while
            self._try_again(task, blame=False)
        except Exception as error:
            # The run's own failures come back as records: what a task raises is its node's doing.
            forged = isinstance(error, ValueError) and task.future.status == "finished"
            raised = forged or (task.future.status == "error" and not isinstance(error, distributed.KilledWorker))
            self._try_again(task, blame=not isinstance(error, node.Unfit))
            if isinstance(error, node.Restarted | node.Unwanted):
                self._forget(task.node.address)
            elif raised:
                self._refuse(task.node.address, task.node.name, _error_line(error))
        else:
            record.environment["node"] = task.node.name
            self._outcomes.append((task.run, record, arrays))

    def _try_again(self, task: _Task, blame: bool = True) -> None:
        """Have a run fitted by another node, or end it if too many died of it."""
        with suppress(OSError):
            task.future.cancel(force=True)
        tried = self._tried[task.run.key]
        if blame:
            tried.append(task.node.name)
        if len(tried) < TRIES:
            self._waiting.appendleft(task.run)
            return
        reason = f"its node died or went away, {TRIES} times: {', '.join(tried)}"
        record = failed_record(task.run, self._setting.threads, "crashed", reason)
        record.environment = {**task.node.environment, "node": task.node.name}
        self._outcomes.append((task.run, record, None))


def _preference(
    run: Run, tried: Sequence[str], busy: Sequence[str], free: tuple[_Node, int]
) -> tuple[bool, bool, bool, float]:
    """Least first: a node that has not died with the run, a worker that may fit it, a new one, the most room."""
    each, slot = free
    serves = each.serve.get(slot)
    return each.name in tried, serves != served(run), serves is not None, busy.count(each.address) / each.slots


@contextmanager
def cluster_pool(
    address: str,
    setting: Setting,
    display: Display,
    memory_limit: int | None = None,
    suites: Sequence[Path] = (),
    say: Say = lambda line: None,
    timeout: float = CONNECT,
) -> Iterator[ClusterPool]:
    """A pool on the Dask cluster at an address or in a scheduler file; its nodes are let go when the block is left.

    suites: folders whose benchmarks will be fitted; every node must have them at the same path. timeout: as of CONNECT.
    UsageError, in one line, if there is no Dask here, no scheduler there, or no node that is fit to be used.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ModuleNotFoundError:
        raise UsageError("a cluster needs Dask: pip install 'lecturebench[cluster]'") from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it says of lost schedulers, we say
    given = scheduler_address(address)
    try:
        asyncio.run(_greet(distributed, given, timeout))
        # Answers are bytes, and read as such: those that Dask would have to unpickle are refused.
        client = distributed.Client(
            given, timeout=timeout, set_as_default=False, name="lecturebench", deserializers=["msgpack"]
        )
    except Exception as error:  # which one depends on what listens there
        raise UsageError(f"no Dask scheduler answers at {given!r} within {timeout:g} s: {_error_line(error)}") from None
    try:
        pool = ClusterPool(client, setting, display, memory_limit, suites, say)
        try:
            pool.open(timeout)
            yield pool
        finally:
            pool.close()
    finally:
        client.close(timeout=CLOSE)


async def _greet(distributed: Any, address: str, timeout: float) -> None:
    """See that a scheduler answers: Dask's client waits for ever for one that listens and says nothing."""
    options = distributed.Security().get_connection_args("client")
    comm = await asyncio.wait_for(distributed.comm.connect(address, timeout=timeout, **options), timeout)
    await comm.close()


def scheduler_address(given: str) -> str:
    """The address that was given, or that a scheduler file says. UsageError for a file that says none."""
    if "://" in given or not (given.endswith(".json") or os.sep in given):
        return given
    try:
        return str(json.loads(Path(given).read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{given!r} is no scheduler file of Dask ({_error_line(error)})") from None


def _error_line(error: object) -> str:
    """An error in one line."""
    return " ".join([f"{type(error).__name__}:", *str(error).split()]).removesuffix(":")
