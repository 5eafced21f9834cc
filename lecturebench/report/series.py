"""A row as drawings see it: its numbers and curves over the seeds, and how it looks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench.report.style import MethodStyle
from lecturebench.store import Record

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """One method on one dataset. runs: those that ended well, by seed. style: its colour and marker everywhere.

    arrays: what a run measured in arrays, by name; DamagedRecord where it cannot be had.
    """

    title: str
    style: MethodStyle
    runs: Sequence[Record]
    arrays: Callable[[Record], Mapping[str, npt.NDArray[Any]]] = lambda run: {}

    def values(self, metric: str) -> Floats:
        """That number of every run that has it: "error" on test, "validation error", or a measured one."""
        values = (run.value(metric) for run in self.runs)
        return np.array([value for value in values if value is not None])

    def array(self, name: str) -> npt.NDArray[Any]:
        """That array of every run that measured it, (runs, ...); (0,) for none. ValueError if their shapes differ.

        DamagedRecord if one was recorded and cannot be had: no figure is drawn of some of the runs.
        """
        by_run = [arrays[name] for run in self.runs if name in (arrays := self.arrays(run))]
        return np.stack(by_run) if by_run else np.zeros(0)

    def curve(self, y: str, x: str = "epoch") -> tuple[Floats, Floats]:
        """The points that every run has: x (points,), their mean where runs differ, and y (runs, points)."""
        curves = [[(point[x], point[y]) for point in run.curve if x in point and y in point] for run in self.runs]
        curves = [points for points in curves if points]
        length = min(map(len, curves), default=0)
        table = np.array([points[:length] for points in curves], dtype=float).reshape(len(curves), length, 2)
        return (table[:, :, 0].mean(axis=0) if len(curves) else np.zeros(0)), table[:, :, 1]

    def band(self, axes: Any, y: str, x: str = "epoch", **look: Any) -> None:
        """Draw the mean over the seeds as a line and the range of the runs as a band."""
        at, table = self.curve(y, x)
        if not len(at):
            return
        look = {"marker": self.style.marker, "markevery": max(1, len(at) // 6)} | look
        axes.fill_between(at, table.min(axis=0), table.max(axis=0), color=self.style.colour, alpha=0.16, linewidth=0)
        axes.plot(at, table.mean(axis=0), color=self.style.colour, label=self.title, **look)


@dataclass(frozen=True)
class Point:
    """One row as the figures show it. published, unit (half of which is its rounding), low, high: of its claim."""

    title: str
    style: MethodStyle
    values: Sequence[float]
    published: float | None = None
    printed: str = ""
    unit: float = 0.0
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Band:
    """One method's learning curves: runs[quantity][seed] is a list of (epoch, value)."""

    title: str
    style: MethodStyle
    runs: Mapping[str, Sequence[Sequence[tuple[float, float]]]]
