"""A row as the drawings of a benchmark see it: its numbers and curves over the seeds, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench.report.style import MethodStyle
from lecturebench.store import Record

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """One method on one dataset. runs: those that ended well, by seed. style: its colour and marker everywhere."""

    title: str
    style: MethodStyle
    runs: Sequence[Record]

    def values(self, metric: str) -> Floats:
        """That number of every run that has it: "error" on test, "validation error", or a measured one."""
        found = (run.value(metric) for run in self.runs)
        return np.array([value for value in found if value is not None])

    def array(self, name: str) -> Floats:
        """The array of that name that every run measured, (runs, ...). KeyError if one has none."""
        return np.stack([np.asarray(run.arrays[name]) for run in self.runs])  # type: ignore[attr-defined]

    def curve(self, y: str, x: str = "epoch") -> tuple[Floats, Floats]:
        """The points that every run has: x (points,), their mean where runs differ, and y (runs, points)."""
        drawn = [[(point[x], point[y]) for point in run.curve if x in point and y in point] for run in self.runs]
        drawn = [points for points in drawn if points]
        length = min(map(len, drawn), default=0)
        table = np.array([points[:length] for points in drawn], dtype=float).reshape(len(drawn), length, 2)
        return (table[:, :, 0].mean(axis=0) if len(drawn) else np.zeros(0)), table[:, :, 1]

    def band(self, axes: Any, y: str, x: str = "epoch", **look: Any) -> None:
        """Draw the mean over the seeds as a line and the range of the runs as a band."""
        at, table = self.curve(y, x)
        if not len(at):
            return
        look = {"marker": self.style.marker, "markevery": max(1, len(at) // 6)} | look
        axes.fill_between(at, table.min(axis=0), table.max(axis=0), color=self.style.colour, alpha=0.16, linewidth=0)
        axes.plot(at, table.mean(axis=0), color=self.style.colour, label=self.title, **look)
