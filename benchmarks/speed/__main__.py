"""How fast it is, measured beside what a user would otherwise write: all ways in turns on this machine, in one run.

    python -m benchmarks.speed                                    work 1 and growth, about 25 minutes on two cores
    python -m benchmarks.speed --works 2                          the whole error table, half an hour a round

work 1   the lecture's dropout network: lecturebench, Keras, PyTorch, scikit-learn, and the floor of this machine
work 2   the whole error table, from interpreter start to page, against one plain script
work 3   a small convnet, likewise
work 4   an LSTM on film reviews, in buckets and not
work 5   a transformer on film reviews
growth   time and memory against seeds, runs at once, training images and units

Each way is a process of its own in each round, and the next round begins with another one. Lines go to OUT/speed.csv
after each round, whole, so that Ctrl-C keeps the rounds that are done; a work measured again takes the place of its
earlier lines, those of other works stay. `lecturebench report OUT` then has a section on them.

A way whose library is not installed is a row that says so. Exit code 1: a way failed, or reached another error.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from lecturebench.datasets import Dataset, load
from lecturebench.datasets.published import published_order
from lecturebench.declare.benchmark import BACKENDS, DEVICES
from lecturebench.declare.views import View
from lecturebench.environment import commit, cores, environment
from lecturebench.errors import DataMissing, UsageError
from lecturebench.report.speed import named, summary, takes
from lecturebench.report.speed_lines import FILE, Line, read, to_csv
from lecturebench.report.speed_terminal import speed_table
from lecturebench.report.works import LIBRARIES, ON_A_CARD, WORKS, Way, Work
from lecturebench.session import LATEST, check_backend
from lecturebench.store import write_whole

HERE = Path(__file__).resolve().parent
RUNS_EACH = 2  # of one worker of ours, so that none ends long before the others
LONGEST = 4 * 3600  # seconds of one way


@dataclass(frozen=True)
class Budget:
    """What is asked for. at_once: runs that go on beside each other."""

    device: str
    seeds: int
    epochs: int

    @property
    def at_once(self) -> int:
        return cores() if self.device == "cpu" else ON_A_CARD

    def options(self, turn: Turn, seed: int) -> list[str]:
        """The options of a way with their values."""
        machine = {"cores": cores(), "at_once": self.at_once, "runs": RUNS_EACH * self.at_once}
        asked = {"device": self.device, "epochs": self.epochs, "seeds": self.seeds}
        own = {"backend": turn.backend, "x": turn.x, "seed": seed}
        return [option.format(**machine, **asked, **own) for option in turn.way.options]


@dataclass(frozen=True)
class Turn:
    """A way on a backend, at one size."""

    way: Way
    backend: str
    x: int


def turns(work: Work, backends: Sequence[str], budget: Budget) -> list[Turn]:
    """What a round of a work comes to."""
    # The size of a work that does not grow is what its scripts are told.
    size = budget.seeds if any("{seeds}" in option for way in work.ways for option in way.options) else budget.epochs
    return [
        Turn(way, backend, x)
        for way in work.ways
        if way.gpu or budget.device == "cpu"
        for x in (way.xs or (size,))
        for backend in (way.backends or backends)
    ]


def of_work(budget: Budget, work: Work) -> Budget:
    """The budget with the epochs that a work has of its own."""
    return budget if work.epochs is None else replace(budget, epochs=work.epochs)


@functools.cache
def lacking(backend: str, device: str) -> str:
    """Why nothing can be measured on a backend here; "" if it can."""
    module, title = LIBRARIES[backend]
    if importlib.util.find_spec(module) is None:
        return f"{title} is not installed"
    if device == "gpu":
        try:
            check_backend(backend, device)
        except UsageError:
            return f"{title} sees no GPU here"
    return ""


def measured(turn: Turn, data: Path, round_: int, budget: Budget) -> dict[str, Any]:
    """What the way's script says of one round; of several at once the medians, and the time of one of them.

    RuntimeError with its last line if it fails.
    """
    several = budget.at_once if turn.way.several else 1
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for i in range(several):
                command = command_of(turn, data, several * round_ + i, budget)
                surroundings = {**_surroundings(turn.backend, budget.device), "KERAS_HOME": folder}
                processes.append(
                    subprocess.Popen(
                        command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                    )
                )
            said = [_said(process) for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
    whole = {name: statistics.median(each[name] for each in said) for name in said[0] if name != "versions"}
    return {**whole, "seconds": whole["seconds"] / several, "versions": said[0]["versions"]}


def command_of(turn: Turn, data: Path, seed: int, budget: Budget) -> list[str]:
    """The command of a way. A peer is a script that knows nothing of this package, and is given the data as a file."""
    script = turn.way.script
    peer = script.startswith("peers/")
    start = [str(HERE / f"{script}.py"), str(data)] if peer else ["-m", f"benchmarks.speed.{script}"]
    return [sys.executable, *start, *budget.options(turn, seed)]


def _surroundings(backend: str, device: str) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": _path()}
    if device == "cpu":
        quiet |= {"CUDA_VISIBLE_DEVICES": ""}
    return {**os.environ, **quiet, **({"KERAS_BACKEND": backend} if backend in BACKENDS else {})}


def _path() -> str:
    """Where the processes find this package, from whatever folder it was called."""
    return os.pathsep.join(filter(None, (str(HERE.parent.parent), os.environ.get("PYTHONPATH"))))


def _said(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=LONGEST)
    last = next(iter((out if process.returncode == 0 else err or out).strip().splitlines()[-1:]), "")
    if process.returncode != 0:
        raise RuntimeError(last[:200] or f"exit code {process.returncode}")
    try:
        said = json.loads(last)
    except ValueError:
        said = None
    if not (isinstance(said, dict) and {"seconds", "versions"} <= set(said)):
        raise RuntimeError(f"its last line is {last[:100]!r}, none of figures")
    return said


def line_of(work: str, turn: Turn, round_: int, budget: Budget, **values: Any) -> Line:
    """A line, with the machine and the code."""
    machine, (sha, dirty) = environment(), commit()
    return Line(
        work=work,
        way=turn.way.name,
        backend=turn.backend,
        device=budget.device,
        round=round_,
        x=turn.x,
        cpu=machine["cpu"],
        cores=machine["cores"],
        gpu=machine["gpu"] if budget.device == "gpu" else "",
        commit=sha[:12] + ("+" if dirty else ""),
        **values,
    )


def of_round(work: str, round_: int, asked: Sequence[Turn], data: Path, budget: Budget) -> Iterator[Line]:
    """A line for each way in this round, in an order that the round begins at another place."""
    first = (round_ - 1) % len(asked)
    for turn in (*asked[first:], *asked[:first]):
        started = datetime.now(UTC).isoformat(timespec="seconds")
        if why := lacking(turn.backend, budget.device):
            yield line_of(work, turn, round_, budget, started=started, note=why)
            continue
        try:
            said = measured(turn, data, round_, budget)
        except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
            yield line_of(work, turn, round_, budget, started=started, note=f"failed: {error}")
            continue
        versions = ", ".join(f"{name} {version}" for name, version in sorted(said.pop("versions").items()))
        yield line_of(work, turn, round_, budget, started=started, versions=versions, **said)


def write_data(path: Path, data: Dataset, view: View | None = None) -> None:
    """A dataset as the peers read it: as a view shows it to those who fit all of it, and in the published order where
    it is known, whose last fifth Keras' ``validation_split`` holds out."""
    import numpy as np

    everything = np.arange(len(data.train.y))
    seen = data if view is None else view.see(data, everything)
    order = published_order(data)
    i = everything if order is None else np.argsort(order)
    train = {"x_train": seen.train.X[i], "y_train": seen.train.y[i]}
    np.savez(path, **train, x_test=seen.test.X, y_test=seen.test.y)


def measure(
    works: Sequence[str], backends: Sequence[str], rounds: int | None, budget: Budget, file: Path, console: Console
) -> list[Line]:
    """Measure these works and write their lines after each round. All lines of the file, earlier ones of others too."""
    earlier = [*read(file)] if file.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        for name in works:
            work = WORKS[name]
            data = Path(folder) / f"{name}.npz"
            write_data(data, load(work.data, say=lambda line: console.print(line, markup=False)), work.view)
            own = of_work(budget, work)
            asked = turns(work, backends, own)
            often = 1 if any(way.xs for way in work.ways) else rounds or work.rounds
            earlier = [line for line in earlier if (line.work, line.device) != (name, budget.device)]
            count = f"{often} rounds take" if often > 1 else "it takes"
            console.print(f"{work.title}: on two quiet cores {count} about {takes(work, often)}", highlight=False)
            for round_ in range(1, often + 1):
                lines = []
                for line in of_round(name, round_, asked, data, own):
                    lines.append(line)
                    console.print(_told(work, line, often), markup=False, highlight=False)
                earlier += lines
                write_whole(file, to_csv(earlier))
    return earlier


def _told(work: Work, line: Line, rounds: int) -> str:
    at = f" {line.x}" if any(way.xs for way in work.ways) else ""
    what = f"{line.round}/{rounds}  {named(work, (line.way, line.backend), line.device)}{at}: "
    if line.seconds is None:
        return what + line.note
    return what + f"{line.seconds:.2f} s" + (f", error {line.error:.2%}" if line.error is not None else "")


def main(given: Sequence[str] | None = None) -> int:
    """Measure, write, show. The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rounds",
        type=_positive,
        help="of each work [5 of works 1 and 3, 3 of works 4 and 5, 1 of work 2; growth has one]",
    )
    parser.add_argument("--works", nargs="+", choices=[*WORKS], default=["1", "growth"], help="[1 growth]")
    parser.add_argument(
        "--backends", nargs="+", choices=BACKENDS, default=["tensorflow", "jax"], help="of ours [tensorflow jax]"
    )
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="for all ways that can use it [cpu]")
    parser.add_argument("--seeds", type=_positive, default=5, help="of the error table in work 2 [5]")
    parser.add_argument("--epochs", type=_positive, default=10, help="of the network in work 1 [10]")
    parser.add_argument("--out", type=Path, default=LATEST, help=f"folder of {FILE} [{LATEST}]")
    arguments = parser.parse_args(given)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in a log each line stands as it comes
    console = Console()
    budget = Budget(arguments.device, arguments.seeds, arguments.epochs)
    file = arguments.out / FILE
    try:
        works, backends = [*dict.fromkeys(arguments.works)], [*dict.fromkeys(arguments.backends)]
        lines = measure(works, backends, arguments.rounds, budget, file, console)
    except KeyboardInterrupt:
        console.print(f"stopped; {file} has the rounds that were done" if file.exists() else "stopped")
        return 130
    except (DataMissing, UsageError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    now = [line for line in lines if line.work in arguments.works and line.device == arguments.device]
    shown = summary(now)
    console.print(speed_table(shown, console.width))
    console.print(f"{file}; `lecturebench report {arguments.out}` shows it on the page", markup=False)
    return int(bool(shown.unequal) or any(line.note.startswith("failed") for line in now))


def _positive(text: str) -> int:
    if not (text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
