"""The whole error table by the command that a user types, from interpreter start to page; prints a line of JSON.

python -m benchmarks.speed.ours_table --backend tensorflow --seeds 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lecturebench.environment import packages
from lecturebench.store import Store


def main(given: Sequence[str] | None = None) -> None:
    """Measure once and print the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        options = ["--seeds", str(arguments.seeds), "--backend", arguments.backend, "--device", arguments.device]
        command = [sys.executable, "-m", "lecturebench", "run", "error_table", *options, "--out", folder]
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            raise SystemExit((done.stderr or done.stdout).strip())
        records, _ = Store(Path(folder)).read()
    errors: dict[str, list[float]] = {}
    for record in records:
        if record.role == "judged":
            errors.setdefault(record.method, []).append(record.metrics["test"]["error"])
    said = {
        "start_seconds": max(run.seconds["import"] + run.seconds["load"] for run in records),
        "seconds": seconds,
        "error": statistics.fmean(map(statistics.fmean, errors.values())),
        "peak_rss_mib": max(run.peak_rss_mib for run in records),
        "versions": {name: version for name, version in packages().items() if name in ("keras", arguments.backend)},
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
