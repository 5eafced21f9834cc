"""Where the planner saturates: 10,000 runs on 1 to 256 simulated workers.

    python -m benchmarks.speed.planner

The engine is the real one, and so are its store (records only, in memory where /dev/shm is there), locks and plans;
workers are simulated by a clock. A run of about 30 s is a sleep of 30 ms that nobody sleeps: the clock jumps to the
next end. What the engine itself takes is measured and put on the same clock, unscaled, so that 256 workers here ask of
it what 256,000 would. Some runs choose a parameter and others wait for them, as in the lecture.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from baselines.dummy import most_frequent
from lecturebench import Baseline, Benchmark, Choice, Network, Profile, Training
from lecturebench.execution.engine import carry_out
from lecturebench.execution.plan import Request, Run
from lecturebench.execution.pool import Outcome
from lecturebench.execution.progress import PlainDisplay
from lecturebench.models.dense import two_layer
from lecturebench.store import Record, Store

METHODS = 20
SECONDS = 30.0
SCALE = 1000.0
GRID = tuple(10.0**power for power in range(-5, 0))


def benchmark(runs: int) -> Benchmark:
    """So many runs, rounded to what 20 methods share; every fifth method chooses a parameter first."""
    seeds = max(1, round(runs / METHODS))
    tries = tuple(range(10_000, 10_000 + max(2, seeds // 10)))
    recipe = Training("rmsprop", learning_rate=0.001, batch_size=128, epochs=30)
    methods = [
        Network(f"network{i}", "", two_layer, recipe, units=(256, 128), penalty=Choice(grid=GRID, seeds=tries))
        if i % 5 == 0
        else Baseline(f"baseline{i}", "", most_frequent, deterministic=False)
        for i in range(METHODS)
    ]
    profile = Profile(seeds=seeds)
    profiles = {"smoke": profile, "lecture": profile, "full": profile}
    place = Path(__file__).with_name("bench_simulated.py")  # there is no such file; its folder is that of our source
    return Benchmark(
        title="", methods=tuple(methods), claims=(), datasets=("none",), profiles=profiles, name="simulated", path=place
    )


class SimulatedPool:
    """Workers by a clock of their own. now: seconds since the pool began. busy: seconds that the engine itself took."""

    def __init__(self, slots: int) -> None:
        self.slots, self.now, self.busy, self.slept = slots, 0.0, 0.0, 0.0
        self._running: list[tuple[float, str, Run, float]] = []
        self._left = time.perf_counter()

    def at_hand(self, run: Run) -> int:
        """Any worker may fit any run."""
        return 0

    def together(self, run: Run) -> int:
        """One at a time."""
        return 1

    def submit(self, *runs: Run) -> None:
        """Begin a run: it ends after what its kind and seed decide."""
        [run] = runs
        self._enter()
        length = seconds(run) / SCALE
        self.slept += length
        heapq.heappush(self._running, (self.now + length, run.key, run, length))
        self._left = time.perf_counter()

    def outcome(self, timeout: float) -> Outcome | None:
        """The run that ends next; the clock goes there."""
        self._enter()
        if not self._running:
            return None
        end, _, run, length = heapq.heappop(self._running)
        self.now = max(self.now, end)
        outcome = run, record(run, length), None
        self._left = time.perf_counter()
        return outcome

    def close(self) -> None:
        """Nothing to stop."""

    def _enter(self) -> None:
        """Put what the engine did since it left on the clock."""
        spent = time.perf_counter() - self._left
        self.now += spent
        self.busy += spent


def seconds(run: Run) -> float:
    """How long a run takes before it is scaled: between 0.2 and 3 times 30 s by method, ±10% by seed."""
    by_method, by_seed = random.Random(run.method), random.Random(run.key)
    return SECONDS * by_method.triangular(0.2, 3.0, 0.4) * by_seed.uniform(0.9, 1.1)


def record(run: Run, length: float) -> Record:
    """A record as large as a network's of 30 epochs."""
    curve = [{"epoch": float(epoch), "seconds": length, "train_loss": 0.1} for epoch in range(30)]
    return Record(
        key=run.key,
        suite="simulated",
        benchmark=run.benchmark,
        method=run.method,
        dataset={"name": run.dataset, "digests": dict(run.digests), "n_train": 48_000, "n_test": 10_000},
        profile=run.profile,
        backend=run.backend,
        device=run.device,
        seed=run.seed,
        role=run.role,
        status="ok",
        recipe=dict(run.recipe),
        metrics={"validation": {"error": 0.02}, "test": {"error": 0.02}},
        curve=curve,
        seconds={"fit": length},
        source_digest=run.source_digest,
    )


@dataclass(frozen=True)
class Measured:
    """One simulation. makespan, ideal: seconds on the simulated clock. planning: before the first run began."""

    runs: int
    workers: int
    makespan: float
    ideal: float
    busy: float
    planning: float

    def line(self) -> str:
        """A row of the table."""
        each = 1000 * self.busy / self.runs
        rates = f"{self.runs / self.ideal:12.0f}{self.runs / self.makespan:12.0f}{self.ideal / self.makespan:10.1%}"
        return f"{self.workers:8}{rates}{each:16.2f}{self.planning:12.2f}"


HEADING = f"{'workers':>8}{'ideal/s':>12}{'runs/s':>12}{'share':>10}{'engine ms/run':>16}{'planning s':>12}"


def simulate(runs: int, workers: int, folder: Path) -> Measured:
    """Carry out so many runs on so many simulated workers, into an empty store under ``folder``."""
    pools: list[SimulatedPool] = []
    planning = 0.0
    start = time.perf_counter()

    @contextmanager
    def pool() -> Iterator[SimulatedPool]:
        nonlocal planning
        planning = time.perf_counter() - start
        pools.append(SimulatedPool(workers))
        yield pools[0]

    request = Request(benchmark(runs), "none", {"train": "", "test": ""}, "lecture", "tensorflow")
    summary = carry_out([request], Store(folder), pool=pool, display=PlainDisplay(lambda line: None))
    done = pools[0]
    return Measured(len(summary.fitted), workers, done.now, done.slept / workers, done.busy, planning)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64, 128, 256])
    arguments = parser.parse_args()
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    print(f"{arguments.runs} runs of {SECONDS:g} s / {SCALE:g} on average, store in {where or tempfile.gettempdir()}")
    print(HEADING)
    for workers in arguments.workers:
        with tempfile.TemporaryDirectory(dir=where) as folder:
            measured = simulate(arguments.runs, workers, Path(folder))
        print(measured.line(), flush=True)
    each = measured.busy / measured.runs
    length = measured.ideal * workers / measured.runs
    print(f"the engine takes {1000 * each:.2f} ms a run, so it keeps {length / each:.0f} workers busy with such runs")
    print(f"and {SCALE * length / each:,.0f} workers with runs of {SCALE * length:.0f} s")


if __name__ == "__main__":
    main()
