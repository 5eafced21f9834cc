"""What trackers are told of a record: its recipe as flat names, its numbers as series over epochs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from lecturebench.store import Record

BEFORE_FIT = ("import", "load", "build", "compile")


class Scalar(NamedTuple):
    """One number of a run. name: metric and split, such as "error/test". time: seconds since 1970."""

    name: str
    step: int
    value: float
    time: float


def scalars(record: Record) -> list[Scalar]:
    """What was measured in each epoch, if it says in which, then what was measured once, at the last epoch."""
    begun = began(record) + sum(record.seconds.get(phase, 0.0) for phase in BEFORE_FIT)
    curve = [
        Scalar(_curve_name(name), int(row["epoch"]), float(value), begun + row.get("seconds", 0.0))
        for row in record.curve
        if math.isfinite(row.get("epoch", math.nan))
        for name, value in row.items()
        if name not in ("epoch", "seconds")
    ]
    known = {scalar.name for scalar in curve}
    last = max((scalar.step for scalar in curve), default=0)
    return curve + [
        Scalar(f"{metric}/{split}", last, float(value), ended(record))
        for split, values in record.metrics.items()
        for metric, value in values.items()
        if f"{metric}/{split}" not in known
    ]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, bool | int | float | str]:
    """A recipe without nesting: {"options": {"rho": 0.9}} is {"options.rho": 0.9}; lists and None become text."""
    fields: dict[str, bool | int | float | str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            fields |= flat(value, f"{prefix}{name}.")
        else:
            fields[f"{prefix}{name}"] = value if isinstance(value, bool | int | float | str) else json.dumps(value)
    return fields


def began(record: Record) -> float:
    """When a worker took up the run, in seconds since 1970; 0 where that is not known."""
    try:
        return datetime.fromisoformat(record.started).timestamp()
    except (ValueError, OverflowError, OSError):  # years that are none to the clock of a machine
        return 0.0


def ended(record: Record) -> float:
    """When it ended."""
    return began(record) + sum(seconds for phase, seconds in record.seconds.items() if phase != "wait")


def _curve_name(name: str) -> str:
    split, _, metric = name.partition("_")
    return f"{metric}/{split}" if split in ("train", "validation", "test") else name
