"""A network of the lecture by lecturebench: many runs at once or one alone, through the engine, in a store that is
thrown away. ``python -m benchmarks.speed.ours --backend jax --runs 4 --jobs 2``; prints a line of JSON.

seconds: of a run, the median over the runs of what building, compiling, fitting and predicting took in its worker,
over the runs that went on at once; with --wall the engine's, from the first run's program being compiled to the end of
the last. start_seconds: from the process' start to data in memory.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import statistics
import time
from collections.abc import Sequence

import psutil

from lecturebench.datasets import load
from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.suites import discover
from lecturebench.environment import packages
from lecturebench.execution.plan import Request, Run
from lecturebench.execution.progress import PlainDisplay
from lecturebench.session import Question, fit_anew
from lecturebench.store import Record
from lecturebench.training.backends import LANES

BEFORE = ("import", "load", "build", "compile")
PHASES = ("build", "compile", "fit", "predict")


class _Clock(PlainDisplay):
    """Says nothing, and knows when the first run began and the last one ended."""

    def __init__(self) -> None:
        super().__init__(lambda line: None)
        self.first = self.last = 0.0

    def started(self, run: Run) -> None:
        self.first = self.first or time.time()

    def ended(self, run: Run, record: Record) -> None:
        self.last = time.time()


def main(given: Sequence[str] | None = None) -> None:
    """Measure once and print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--row", default="error_table/dropout", help="benchmark and method [error_table/dropout]")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--threads", type=int, default=1, help="of each")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="the first is this times the runs")
    parser.add_argument("--samples", type=int, help="of the training split; all of them by default")
    parser.add_argument("--width", type=int, help="units of the first hidden layer; the second has half as many")
    parser.add_argument("--wall", action="store_true", help="seconds of all runs together")
    arguments = parser.parse_args(given)
    table, clock = changed(arguments), _Clock()
    name = table.datasets[0]
    data = load(name)
    request = Request(
        *(table, name, data.digests, "lecture", arguments.backend),
        kind=data.kind,
        device=arguments.device,
        methods=(arguments.row.partition("/")[2],),
        seeds=arguments.runs,
        first_seed=arguments.seed * arguments.runs,
        threads=arguments.threads,
    )
    question = Question(backend=arguments.backend, device=arguments.device, jobs=arguments.jobs)
    summary = fit_anew([request], question, display=clock, threads=arguments.threads)
    if summary.failed:
        raise SystemExit(summary.failed[0].reason)
    runs = summary.fitted
    # In one program with others, a run's seconds are its share of what all took.
    together = "steps" in runs[0].kernels
    programs = -(-len(runs) // (LANES if together else 1))

    def first(phases: Sequence[str]) -> float:
        """Seconds of a worker's first run, or of all in its first program."""
        spent = [sum(run.seconds[phase] for phase in phases) for run in runs]
        return sum(spent) / programs if together else max(spent)

    start = clock.first - psutil.Process().create_time() + first(("import", "load"))
    compiling = first(BEFORE)
    each = statistics.median(sum(run.seconds[phase] for phase in PHASES) for run in runs)
    said = {
        "start_seconds": start,
        "seconds": clock.last - clock.first - compiling if arguments.wall else each / min(arguments.jobs, programs),
        "error": statistics.median(run.metrics["test"]["error"] for run in runs),
        "peak_rss_mib": max(run.peak_rss_mib for run in runs),
        "versions": {name: version for name, version in packages().items() if name in ("keras", arguments.backend)},
    }
    print(json.dumps(said))


def changed(arguments: argparse.Namespace) -> Benchmark:
    """The benchmark with the row at another budget. The worker takes the rest from the declared one."""
    benchmark, _, method = arguments.row.partition("/")
    table = discover()[benchmark]
    row = copy.copy(table.method(method))
    assert row.training is not None
    row.training = dataclasses.replace(row.training, epochs=arguments.epochs, train_size=arguments.samples)
    if arguments.width:
        row.parameters = {**row.parameters, "units": (arguments.width, arguments.width // 2)}
    return dataclasses.replace(table, methods=tuple(row if m.name == method else m for m in table.methods))


if __name__ == "__main__":
    main()
