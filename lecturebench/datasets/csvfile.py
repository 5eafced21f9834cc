"""Reads a user's CSV file as a table; see `user.CsvFile` for the rules."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from lecturebench.datasets import digests, labels
from lecturebench.datasets.decoded import Decoded, Split
from lecturebench.datasets.splits import every_fifth
from lecturebench.errors import UsageError

Rows = list[tuple[int, list[str]]]


def read(path: Path) -> Decoded:
    """The table of a CSV file. UsageError names the column and the line of what is wrong."""
    header, rows = _cells(path)
    named = [name for name in ("label", "target") if name in header]
    others = [name for name in header if name != "split"]
    target = named[0] if named else others[-1] if others else ""
    features = [name for name in others if name != target]
    if not features:
        raise UsageError(f"csv:{path}: columns {', '.join(header)}; expected a target and at least one feature")
    X = np.column_stack([_numbers(path, name, rows, header.index(name)) for name in features])
    y = _targets(path, target, rows, header.index(target))
    parts = _positions(path, header, rows, X, y)
    return labels.table(path, [X[part] for part in parts], [y[part] for part in parts], tuple(features))


def _cells(path: Path) -> tuple[list[str], Rows]:
    """The header, and each row with the number of its line in the file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, row) for row in reader if row]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"csv:{path}: it cannot be read as CSV in UTF-8: {error}") from error
    if not header:
        raise UsageError(f"csv:{path}: it is empty; expected a header and rows")
    for i, name in enumerate(header):
        if not name or name in header[:i]:
            raise UsageError(f"csv:{path}: column {i + 1} is {'a second ' + repr(name) if name else 'without a name'}")
    for line, row in rows:
        if len(row) != len(header):
            raise UsageError(f"csv:{path}: line {line} has {len(row)} cells, the header {len(header)}")
    if len(rows) < 2:
        raise UsageError(f"csv:{path}: {len(rows)} rows below the header; a table needs at least two")
    return header, rows


def _numbers(path: Path, name: str, rows: Rows, column: int) -> np.ndarray:
    values = np.empty(len(rows))
    for i, (line, row) in enumerate(rows):
        value = _number(row[column])
        if value is None:
            raise UsageError(f"csv:{path}: column {name!r}, line {line}: {row[column]!r} is no finite number")
        values[i] = value
    return values


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _targets(path: Path, name: str, rows: Rows, column: int) -> np.ndarray:
    """Integers if all targets are whole numbers, floats if all are numbers, text otherwise."""
    cells = [row[column].strip() for _, row in rows]
    for (line, _), cell in zip(rows, cells, strict=True):
        if not cell:
            raise UsageError(f"csv:{path}: column {name!r}, line {line}: the target is empty")
    try:
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    except (ValueError, OverflowError):
        numbers = [_number(cell) for cell in cells]
    return np.array(cells) if None in numbers else np.array(numbers, dtype=np.float64)


def _positions(path: Path, header: list[str], rows: Rows, X: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Positions of train and test, each in the order of the file."""
    if "split" not in header:
        codes = y if y.dtype.kind == "f" else np.unique(y, return_inverse=True)[1]
        parts = [np.sort(part) for part in every_fifth(digests.example_hashes(Split(X, codes)))]
    else:
        column = header.index("split")
        for line, row in rows:
            if row[column].strip() not in ("train", "test"):
                raise UsageError(f"csv:{path}: column 'split', line {line}: {row[column]!r} is neither train nor test")
        is_test = np.array([row[column].strip() == "test" for _, row in rows])
        parts = [np.flatnonzero(~is_test), np.flatnonzero(is_test)]
    if not all(map(len, parts)):
        raise UsageError(f"csv:{path}: {len(parts[0])} rows for train and {len(parts[1])} for test; both need some")
    return parts
