"""What this machine is, what is missing on it, and how to get that."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lecturebench.datasets import Status, known, status
from lecturebench.declare.benchmark import BACKENDS
from lecturebench.environment import commit, environment


@dataclass(frozen=True)
class Examination:
    """machine: as in a record. backends: installed or not. datasets: where each could come from."""

    machine: dict[str, Any]
    commit: str
    backends: dict[str, bool]
    datasets: tuple[Status, ...]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "environment": self.machine,
            "commit": self.commit,
            "backends": self.backends,
            "datasets": {
                dataset.name: {"cached": dataset.cached, "sources": [list(source) for source in dataset.sources]}
                for dataset in self.datasets
            },
        }

    def lines(self) -> Iterator[str]:
        """For people: what is there, then for each missing thing how to get it."""
        packages = self.machine["packages"]
        for name, value in self.machine.items():
            if name == "packages":
                value = ", ".join(f"{package} {version}" for package, version in value.items())
            yield f"{name:<10} {value or 'none'}"
        yield f"{'commit':<10} {self.commit or 'none: not a git repository'}"
        for name, installed in self.backends.items():
            yield f"{'backend':<10} {name}: {packages.get(name, 'there') if installed else f'pip install {name}'}"
        for dataset in self.datasets:
            usable = [source for source, available, _ in dataset.sources if available]
            if dataset.cached:
                state = "cached"
            elif usable:
                state = f"can be had from {usable[0]}: lecturebench data {dataset.name}"
            else:
                state = "cannot be had: " + "; ".join(f"{source}: {why}" for source, _, why in dataset.sources)
            yield f"{'data':<10} {dataset.name}: {state}"


def examine(data_dir: Path | None = None) -> Examination:
    """Look at this machine; asks the datasets' sources, downloads nothing."""
    return Examination(
        machine=environment(),
        commit=commit()[0],
        backends={name: importlib.util.find_spec(name) is not None for name in BACKENDS},
        datasets=tuple(status(name, data_dir) for name in known()),
    )
