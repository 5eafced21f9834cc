"""Trackers: where else each run is told to, beside the store. TensorBoard's event files, an MLflow store.

`open_tracker` finds everything that is wrong before anything is fitted; `Trackers` tells them of each run while the
fits go on. What is told twice is there once, so that the records of earlier calls are told again with every call and a
tracker that was added late, or had failed, is complete after the next one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lecturebench.errors import UsageError, nearest
from lecturebench.execution.trackers.background import Trackers
from lecturebench.store import Record

__all__ = ["Tracker", "Trackers", "open_tracker"]


class Tracker(Protocol):
    """One place that is told of runs. Both may raise and may take long; telling the same again changes nothing."""

    name: str

    def log(self, record: Record) -> None:
        """Tell of a run that has ended, well or not."""

    def finish(self, folder: Path) -> None:
        """Tell of the report: ``folder`` has ``table.csv``, ``table.md`` and ``index.html``."""


def open_tracker(kind: str, where: str, out: Path) -> Tracker:
    """The tracker of that kind, checked and ready.

    kind: "tensorboard" or "mlflow". where: its folder, OUT/tensorboard if empty; or the address of an MLflow store,
    such as http://127.0.0.1:5000 or sqlite:///runs.db. out: the store's folder, which must be there.
    UsageError for an unknown kind, a package that is not installed, a folder that cannot be written, an address that
    makes no sense or does not answer within seconds.
    """
    if kind not in KINDS:
        raise UsageError(nearest("tracker", kind, KINDS))
    if importlib.util.find_spec(kind) is None:
        raise UsageError(f"{kind} is not installed here: pip install 'lecturebench[{kind}]'")
    return KINDS[kind](where, out)


def _tensorboard(where: str, out: Path) -> Tracker:
    from lecturebench.execution.trackers.tensorboard import TensorBoard

    return TensorBoard(Path(where) if where else out / "tensorboard")


def _mlflow(where: str, out: Path) -> Tracker:
    from lecturebench.execution.trackers.mlflow import open_mlflow

    return open_mlflow(where, out)


KINDS: dict[str, Callable[[str, Path], Tracker]] = {"tensorboard": _tensorboard, "mlflow": _mlflow}
