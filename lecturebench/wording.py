"""Lengths of time, values, names of parameters and text of others in words: one way for each."""

from __future__ import annotations

import math
from collections.abc import Iterable


def duration(seconds: float) -> str:
    """Measured seconds as people say them: 0.011 s, 1.2 s, 12 s, 3 min 20 s, 1 h 05 min; nothing for NaN."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 9.95:
        return f"{seconds:#.2g} s" if seconds >= 5e-4 else "0.0 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    return f"{minutes} min {whole % 60:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def expected_duration(seconds: float) -> str:
    """Seconds that nobody knows exactly, in the unit that people would use: "45 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def short(value: float) -> str:
    """A parameter's value as people write it: 0.001, 3e-5."""
    if value == 0 or 0.001 <= abs(value) < 1e5:
        return f"{value:g}"
    digits, _, exponent = f"{value:.5e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"


def words(name: str) -> str:
    """A parameter's or a metric's name as people write it: learning rate."""
    return name.replace("_", " ")


def they_are(names: Iterable[str]) -> str:
    """Some names as the subject of a sentence: "penalty is", "penalty and units are"."""
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"


def clean(text: str) -> str:
    """Text of others in one line as text alone: nothing that moves a cursor, changes colours, turns the direction of
    reading or is not seen."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
