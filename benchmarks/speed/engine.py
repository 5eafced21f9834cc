"""What the engine costs, and what two workers save: the dropout row, timed in turns on this machine.

    python -m benchmarks.speed.engine --runs 4 --rounds 3

First, one run by the engine against the same fit called by hand, each in a process of its own from its start to its
end. Then so many runs one after another on one worker that has all threads, against one worker per core.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from lecturebench.datasets import load
from lecturebench.declare.suites import discover
from lecturebench.environment import cores, environment
from lecturebench.execution.plan import Request
from lecturebench.execution.progress import PlainDisplay
from lecturebench.session import Question, fit_anew

BY_HAND = """
import os
from lecturebench.execution.worker import thread_environment
os.environ |= thread_environment({threads}) | {{"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}}
from lecturebench.training.backends import LOADERS
from lecturebench.declare.suites import discover
from lecturebench.datasets import load
from lecturebench.training.fit import fit_network
backend = LOADERS["tensorflow"]()
backend.prepare({threads}, "cpu")
row = discover()["error_table"].method("dropout")
fit_network(row.function, row.parameters, row.training, load("mnist"), seed=0, steps_class=backend.Steps)
"""
BY_ENGINE = "from benchmarks.speed.engine import by_engine; by_engine(1, 1, {threads})"


def by_engine(runs: int, jobs: int, threads: int) -> None:
    """Fit the dropout row with so many seeds in a fresh store."""
    table = discover()["error_table"]
    data = load("mnist")
    request = Request(
        table, "mnist", data.digests, "lecture", "tensorflow", methods=("dropout",), seeds=runs, threads=threads
    )
    display = PlainDisplay(lambda line: None)
    summary = fit_anew([request], Question(jobs=jobs), display=display, threads=threads)
    assert not summary.failed, summary.failed[0].reason


def seconds_of(code: str) -> float:
    """Seconds of a Python process that does this."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Time both and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4, help="runs for one worker against one per core")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of one run by hand and one by the engine")
    arguments = parser.parse_args()
    load("mnist", say=print)
    print(f"{environment()['cpu']}, {cores()} cores")
    ratios = []
    for turn in range(arguments.rounds):
        ways = [BY_HAND.format(threads=1), BY_ENGINE.format(threads=1)]
        times = {code: seconds_of(code) for code in (ways if turn % 2 == 0 else ways[::-1])}
        ratios.append(times[ways[1]] / times[ways[0]])
        print(f"one run by hand {times[ways[0]]:.1f} s, by the engine {times[ways[1]]:.1f} s", flush=True)
    print(f"the engine takes {statistics.median(ratios):.3f} times as long (median of {arguments.rounds})")
    start = time.perf_counter()
    by_engine(arguments.runs, 1, cores())
    alone = time.perf_counter() - start
    start = time.perf_counter()
    by_engine(arguments.runs, cores(), 1)
    together = time.perf_counter() - start
    print(f"{arguments.runs} runs: {alone:.1f} s on one worker with {cores()} threads, {together:.1f} s on {cores()}")
    print(f"one worker per core takes {together / alone:.2f} of the time")


if __name__ == "__main__":
    main()
