"""Learning curves over the seeds: what part Explore draws, thinned to what a screen shows.

Runs are aligned by epoch, since they look at validation data at the same fractions of it; what one run lacks there, or
what is no number, is a point for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench.judging.results import Results, RowResult
from lecturebench.store import HUGE, Record

NAMES = tuple(f"{split}_{quantity}" for split in ("train", "validation") for quantity in ("error", "mae", "loss"))
CLOCKS = ("step", "seconds")
MOST = 150

Floats = npt.NDArray[np.float64]
Point = Mapping[str, float]


def curves_data(results: Results) -> list[dict[str, Any]]:
    """One dict per row that recorded curves. row: its id as in `rows_data`. parts: quantities on common epochs.

    A part has epoch, and step and seconds where every run says (means over the runs), at most `MOST` points; and
    curves: by name, as "validation_error", the runs behind it and at each point their mean, and where several runs
    differ the lowest and the highest. Numbers have five digits.
    """
    curves = ((i, row, _parts(row)) for i, row in enumerate(results.rows))
    return [{"row": i, "parts": parts} for i, row, parts in curves if parts]


def _parts(row: RowResult) -> list[dict[str, Any]]:
    """The row's curves, those together that share runs and epochs."""
    runs = [points for points in map(_by_epoch, row.runs) if points]
    parts: dict[tuple[tuple[int, ...], tuple[float, ...]], dict[str, Any]] = {}
    for name in NAMES:
        known = [{epoch for epoch, point in run.items() if _is_finite(point.get(name))} for run in runs]
        used = tuple(i for i, epochs in enumerate(known) if epochs)
        epochs = tuple(_thinned(sorted(set.intersection(*(known[i] for i in used))) if used else []))
        if not epochs:
            continue
        chosen = [[runs[i][epoch] for epoch in epochs] for i in used]
        if (used, epochs) not in parts:
            parts[used, epochs] = {"epoch": [_short(epoch) for epoch in epochs], **_clocks(chosen), "curves": {}}
        parts[used, epochs]["curves"][name] = _band(_table(chosen, name))
    return list(parts.values())


def _by_epoch(run: Record) -> dict[float, Point]:
    """The points of the run's curve by their epoch; what experiments record has none and is not meant."""
    return {round(point["epoch"], 9): point for point in run.curve if _is_finite(point.get("epoch"))}


def _thinned(epochs: Sequence[float]) -> list[float]:
    """At most `MOST` of them, evenly taken, the first and the last among them."""
    if len(epochs) <= MOST:
        return list(epochs)
    return [epochs[i] for i in np.linspace(0, len(epochs) - 1, MOST).round().astype(int)]


def _clocks(runs: Sequence[Sequence[Point]]) -> dict[str, list[float]]:
    """Mean step and seconds at each point, as far as every run has them."""
    clocks = [name for name in CLOCKS if all(_is_finite(point.get(name)) for points in runs for point in points)]
    return {name: list(map(_short, _table(runs, name).mean(axis=0))) for name in clocks}


def _band(table: Floats) -> dict[str, Any]:
    """table: (runs, points)."""
    band: dict[str, Any] = {"n": len(table), "mean": list(map(_short, table.mean(axis=0)))}
    if np.ptp(table, axis=0).any():
        band |= {"low": list(map(_short, table.min(axis=0))), "high": list(map(_short, table.max(axis=0)))}
    return band


def _table(runs: Sequence[Sequence[Point]], name: str) -> Floats:
    return np.array([[point[name] for point in points] for points in runs], dtype=float)


def _short(value: float) -> float:
    """The number to five digits, whole ones as such: as few letters as JSON needs."""
    short = float(f"{value:.5g}")
    return int(short) if short.is_integer() and abs(short) < 1e9 else short


def _is_finite(value: float | None) -> bool:
    return value is not None and abs(value) < HUGE
