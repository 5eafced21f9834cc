"""Intervals of differences, computed once: those of an earlier report are taken where they are of the same losses.

Each draws tens of millions of random numbers, which is most of what a page costs whose figures are all there.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench.declare.modules import changed
from lecturebench.judging.statistics import BOOTSTRAP_SEED, paired_interval
from lecturebench.report.basis import code, code_files
from lecturebench.store import parse, read_whole, write_whole

FILE = "figures/intervals.json"

Floats = npt.NDArray[np.float64]
Found = tuple[float, float, float]


class Intervals:
    """The intervals of one report folder; without one, all are computed anew.

    One that was computed by other code, by other packages or on another machine is not taken: they may differ in a last
    digit. `write` keeps those that were asked for, so that the file does not grow.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = folder / FILE if folder else None
        self._known = self._read()
        self._asked: dict[str, Found] = {}

    def of(self, a: Floats, b: Floats) -> Found:
        """Mean, low and high of b - a as `paired_interval` has them. a, b: (n_seeds, n_test) losses."""
        key = _key(a, b)
        found = self._known.get(key) or paired_interval(a, b, rng=np.random.default_rng(BOOTSTRAP_SEED))
        self._asked[key] = found
        return found

    def write(self) -> None:
        """Keep those for the next report, unless our code was changed meanwhile: nobody knows which computed them."""
        if self._path is not None and self._asked != self._known and not changed(code_files()):
            kept = {"digest": _digest(self._asked), "intervals": self._asked}
            write_whole(self._path, json.dumps(kept, indent=1, sort_keys=True).encode())

    def _read(self) -> dict[str, Found]:
        """What an earlier report kept; nothing if that cannot be read, or is not as it was written.

        The digest tells of damage and of careless edits, not of forgery: `verify` computes all anew.
        """
        if self._path is None:
            return {}
        try:
            kept = parse(read_whole(self._path).decode())
            if kept["digest"] != _digest(kept["intervals"]):
                return {}
            return {key: tuple(values) for key, values in kept["intervals"].items() if _is_interval(values)}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}


def _is_interval(values: Any) -> bool:
    """Whether it is what `paired_interval` may have found: the mean, between low and high."""
    if not (len(values) == 3 and all(isinstance(value, float) and math.isfinite(value) for value in values)):
        return False
    mean, low, high = values
    return bool(low <= mean <= high)


def _digest(intervals: Any) -> str:
    return hashlib.sha256(json.dumps(intervals, sort_keys=True).encode()).hexdigest()


def _key(a: Floats, b: Floats) -> str:
    """The digest of all that decides an interval."""
    key = hashlib.sha256(f"{code()} {platform.node()} {platform.processor()} {BOOTSTRAP_SEED}".encode())
    for side in (a, b):
        key.update(f" {side.dtype} {side.shape} ".encode())
        key.update(side.tobytes())
    return key.hexdigest()
