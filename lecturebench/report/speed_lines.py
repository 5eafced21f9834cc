"""``speed.csv``: the lines that `make speed` measures, written and read.

A line is one way in one round, as it was measured; nothing derived is stored.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from lecturebench.declare.benchmark import DEVICES
from lecturebench.store import read_whole
from lecturebench.store import why as why_unreadable
from lecturebench.wording import clean

FILE = "speed.csv"
LONGEST = 2**24  # bytes; a line has about 300


@dataclass(frozen=True, kw_only=True)
class Line:
    """A way in a round. x: the work's size: epochs, seeds, or what a growth was measured at.

    seconds: None where it came to no end; note says why. Those of a floor are of one thread, or of the whole card.
    error: share of the test images. versions, commit: of the libraries and of this code. started: ISO 8601.
    """

    work: str
    way: str
    backend: str
    device: str
    round: int
    x: int | None = None
    seconds: float | None = None
    start_seconds: float | None = None
    error: float | None = None
    peak_rss_mib: float | None = None
    cpu: str = ""
    cores: int = 0
    gpu: str = ""
    versions: str = ""
    commit: str = ""
    started: str = ""
    note: str = ""


COLUMNS = tuple(column.name for column in fields(Line))
_COUNTS = {"round": 1, "x": 1, "cores": 0}  # and the least of each
_AMOUNTS = {"seconds": 1e9, "start_seconds": 1e9, "error": 1.0, "peak_rss_mib": 1e9}  # and the most
_NEEDED = {"round", "cores"}


def to_csv(lines: Iterable[Line]) -> bytes:
    """The content of ``speed.csv``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        values = (getattr(line, name) for name in COLUMNS)
        writer.writerow("" if v is None else f"{v:.6g}" if isinstance(v, float) else v for v in values)
    return text.getvalue().encode()


def read(path: Path) -> tuple[Line, ...]:
    """The lines of a ``speed.csv``. ValueError says in one line what is wrong with it."""
    try:
        text = read_whole(path, LONGEST).decode()
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read: {why_unreadable(error)}") from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ValueError(f"{path.name} cannot be read: its columns are not {', '.join(COLUMNS)}")
    lines: dict[tuple[object, ...], Line] = {}
    for number, row in enumerate(rows[1:], 2):
        try:
            line = _parsed(row)
            place = (line.work, line.way, line.backend, line.device, line.round, line.x)
            if place in lines:
                raise ValueError("it repeats an earlier one")
        except ValueError as error:
            raise ValueError(f"{path.name} cannot be read: line {number}: {error}") from None
        lines[place] = line
    return tuple(lines.values())


def _parsed(row: Sequence[str]) -> Line:
    if len(row) != len(COLUMNS):
        raise ValueError(f"it has {len(row)} of {len(COLUMNS)} values")
    values: dict[str, object] = {}
    for name, text in zip(COLUMNS, row, strict=True):
        if name in _COUNTS:
            if not text and name not in _NEEDED:
                continue
            if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= _COUNTS[name]):
                raise ValueError(f"{name} is {clean(text)[:40]!r}; it must be a whole number from {_COUNTS[name]} on")
            values[name] = int(text)
        elif name in _AMOUNTS:
            if text:
                values[name] = _amount(name, text)
        elif name == "device" and text not in DEVICES:
            raise ValueError(f"device is {clean(text)[:40]!r}; it must be {' or '.join(DEVICES)}")
        else:
            values[name] = clean(text)
    line = Line(**values)  # type: ignore[arg-type]
    if line.seconds is None and not line.note:
        raise ValueError("it has neither seconds nor a note that says why")
    return line


def _amount(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    least = 0.0 if name == "error" else 1e-9
    if not least <= value <= _AMOUNTS[name]:
        raise ValueError(f"{name} is {clean(text)[:40]!r}; it must be a number from {least:g} to {_AMOUNTS[name]:g}")
    return value
