"""How long a page takes: 50, 500 and 5,000 made-up runs of 25 runs a benchmark, 5 methods with 5 seeds each.

    python -m benchmarks.speed.report

Records, predictions and the dataset (1,000 images of 28 by 28 in ten classes) are written first and are not timed.
Timed is what `lecturebench report` does after Python has started: judging, the tables, and the page with the figures
on it. Each size runs in a process of its own, whose largest resident
memory is printed. The exponent is that of time against runs: 1 is linear.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SEEDS, METHODS = 5, 5
N_TEST, EPOCHS = 1000, 30


def written(folder: Path, benchmarks: int) -> None:
    """A store of so many benchmarks, synced by nobody: only reading is timed."""
    from lecturebench.store import Record, Store

    store = Store(folder)
    store.begin()
    rng = np.random.default_rng(0)
    y = np.arange(N_TEST) % 10
    for b in range(benchmarks):
        for m in range(METHODS):
            for seed in range(SEEDS):
                right = rng.random(N_TEST) < 1 - 0.02 * (m + 1)
                chosen = np.where(right, y, (y + rng.integers(1, 10, N_TEST)) % 10)
                f = np.full((N_TEST, 10), 0.01, np.float16)
                f[np.arange(N_TEST), chosen] = 0.91
                error = float((chosen != y).mean())
                loss = float(-np.log(f[np.arange(N_TEST), y].astype(float)).mean())
                curve = [
                    {"epoch": e, "step": 375 * e, "seconds": 0.3 * e, "train_loss": 1 / e, "train_error": 0.1 / e}
                    | {"validation_loss": 1.2 / e, "validation_error": error + 0.1 / e}
                    for e in range(1, EPOCHS + 1)
                ]
                key = f"{b:04d}{m}{seed}".ljust(32, "0")
                record = Record(
                    key=key, suite="speed", benchmark=f"b{b}", method=f"m{m}", profile="lecture", seed=seed,
                    dataset={"name": "made_up", "digests": {"test": "y"}, "n_test": N_TEST, "n_train": 48_000},
                    backend="tensorflow", device="cpu", role="judged", status="ok", recipe={"epochs": EPOCHS},
                    metrics={"test": {"error": error, "loss": loss}}, curve=curve, parameters=235_146,
                    seconds={"fit": 9.0 + m}, environment={"cpu": "made up"}, started="2026-01-01T00:00:00",
                )  # fmt: skip
                place = store.runs / key
                place.mkdir(parents=True)
                (place / "record.json").write_text(json.dumps(record.to_json()))
                np.savez_compressed(place / "predictions.npz", test=f)


def measured(folder: Path, benchmarks: int) -> dict[str, float]:
    """Seconds until the page is there, and the memory that it took, in MiB."""
    begin = time.perf_counter()
    from lecturebench import Benchmark, Network, NumberClaim, OrderClaim, Profile, Training
    from lecturebench.datasets import Dataset, Split
    from lecturebench.judging.collect import collect
    from lecturebench.judging.evidence import saved_losses
    from lecturebench.report.page import write_report
    from lecturebench.store import Store

    def never() -> None:
        """No report fits anything."""

    training = Training("rmsprop", learning_rate=0.001, batch_size=128, epochs=EPOCHS)
    about = {"dataset": "made_up", "source": "made up", "slide": "none", "protocol": {}}
    declared = {
        f"b{b}": Benchmark(
            title=f"Benchmark {b}",
            name=f"b{b}",
            suite="speed",
            methods=tuple(Network(f"m{m}", f"Method {m}", never, training) for m in range(METHODS)),
            claims=(
                NumberClaim(method="m0", printed="2.0%", **about),  # type: ignore[arg-type]
                OrderClaim(order=("m0", "m1"), **about),  # type: ignore[arg-type]
            ),
            datasets=("made_up",),
            profiles={"smoke": Profile(judges=False), "lecture": Profile(), "full": Profile()},
        )
        for b in range(benchmarks)
    }
    rng = np.random.default_rng(1)
    X = rng.integers(0, 256, (N_TEST, 28, 28, 1)).astype(np.uint8)
    split = Split(X, np.arange(N_TEST) % 10)
    data = Dataset(
        kind="images", task="classification", train=split, test=split, classes=tuple("0123456789"), scale=255.0,
        name="made_up", source="made up", digests={"test": "y"},
    )  # fmt: skip
    store = Store(folder)
    results = collect(declared, store, losses=saved_losses(store, lambda name: data))

    def say(_: str) -> None:
        raise _PageWritten

    try:
        write_report(results, store, lambda name: data, folder, say=say)
    except _PageWritten:
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return {"page": seconds, "memory": peak, "size": (folder / "index.html").stat().st_size / 2**20}


class _PageWritten(Exception):
    """What follows, the figures as files, is not timed: so many for each benchmark, and only the first time."""


def main() -> None:
    """Print a line per size, and the exponents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "BENCHMARKS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(Path(arguments.measure[0]), int(arguments.measure[1]))))
        return
    measurements: list[tuple[int, dict[str, float]]] = []
    for runs in arguments.runs:
        benchmarks = max(1, runs // (SEEDS * METHODS))
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place, "store")
            written(folder, benchmarks)
            command = [sys.executable, "-m", "benchmarks.speed.report", "--measure", str(folder), str(benchmarks)]
            measurements.append(
                (runs, json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            )
        measurement = measurements[-1][1]
        print(
            f"{runs:>5} runs, {benchmarks:>3} benchmarks: page after {measurement['page']:.1f} s, "
            f"{measurement['memory']:.0f} MiB of memory; it has {measurement['size']:.1f} MiB",
            flush=True,
        )
    for (few, short), (many, long) in itertools.pairwise(measurements):
        exponent = math.log(long["page"] / short["page"]) / math.log(many / few)
        print(f"{few} to {many} runs: time to the page grows as runs^{exponent:.2f}")


if __name__ == "__main__":
    main()
