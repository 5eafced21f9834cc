"""The error table by the suite and by a plain script, timed in turns on this machine.

    python -m benchmarks.speed --seeds 2 --rounds 1

A round fits the three networks with as many seeds, then logistic regression and discriminant analysis once, first one
way and then the other; the next round swaps them. MNIST is decoded beforehand. The penalty is not chosen here: both
ways fit the ridge row with one penalty, and the suite's own table adds 27 more fits of the same kind to both sides.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lecturebench import Network
from lecturebench.datasets import Dataset, load
from lecturebench.declare.suites import discover
from lecturebench.environment import cores, environment
from lecturebench.execution.plan import Request
from lecturebench.execution.progress import PlainDisplay
from lecturebench.session import Question, fit_anew

NETWORKS = ("ridge", "dropout", "softmax")
BASELINES = ("logistic", "lda")


def by_plain_script(mnist: Path, seeds: int) -> float:
    """Seconds of the plain script, one process per fit, one after another, each with all cores."""
    start = time.perf_counter()
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    for method, seed in [(name, seed) for name in NETWORKS for seed in range(seeds)] + [(b, 0) for b in BASELINES]:
        script = str(Path(__file__).with_name("plain.py"))
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, script, str(mnist), method, str(seed)],
            env=quiet,
            check=True,
            capture_output=True,
            text=True,
        )
        print(
            f"  plain  {method} seed {seed}: {float(done.stdout):.2%}, {time.perf_counter() - began:.1f} s", flush=True
        )
    return time.perf_counter() - start


def by_suite(data: Dataset, seeds: int, backend: str) -> float:
    """Seconds of the suite, from planning to the last record written."""
    table = discover()["error_table"]
    ridge = table.method("ridge")
    assert ridge.training is not None
    fixed = Network("ridge", ridge.title, ridge.function, ridge.training, units=(256, 128), penalty=1e-4)
    methods = tuple(fixed if method.name == "ridge" else method for method in table.methods)
    wanted = (*NETWORKS, *BASELINES)
    request = Request(
        dataclasses.replace(table, methods=methods),
        "mnist",
        data.digests,
        "lecture",
        backend,
        methods=wanted,
        seeds=seeds,
    )
    start = time.perf_counter()
    display = PlainDisplay(lambda line: print(f"  suite  {line}", flush=True))
    summary = fit_anew([request], Question(backend=backend), display=display)
    assert not summary.failed, summary.failed
    return time.perf_counter() - start


def main() -> None:
    """Time both in turns and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2, help="fits of each network")
    parser.add_argument("--rounds", type=int, default=1, help="times both ways are timed")
    parser.add_argument("--backend", default="tensorflow", help="of the suite; the script is Keras on TensorFlow")
    arguments = parser.parse_args()
    data = load("mnist", say=print)
    times: dict[str, list[float]] = {"plain": [], "suite": []}
    with tempfile.TemporaryDirectory() as folder:
        mnist = Path(folder) / "mnist.npz"
        arrays = {"x_train": data.train.X, "y_train": data.train.y, "x_test": data.test.X, "y_test": data.test.y}
        np.savez(mnist, **arrays)
        ways = {
            "plain": lambda: by_plain_script(mnist, arguments.seeds),
            "suite": lambda: by_suite(data, arguments.seeds, arguments.backend),
        }
        for turn in range(arguments.rounds):
            for way in ("plain", "suite") if turn % 2 == 0 else ("suite", "plain"):
                times[way].append(ways[way]())
    print(f"{environment()['cpu']}, {cores()} cores, {arguments.seeds} seeds, backend {arguments.backend}")
    for way, seconds in times.items():
        print(f"{way}: {', '.join(f'{value:.1f} s' for value in seconds)}")
    ratios = [plain / suite for plain, suite in zip(times["plain"], times["suite"], strict=True)]
    print(f"the suite is {', '.join(f'{ratio:.2f}' for ratio in ratios)} times as fast")


if __name__ == "__main__":
    main()
