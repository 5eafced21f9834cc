"""Ticks of logarithmic axes that reach over many decades."""

from __future__ import annotations

import math


def power(value: float, nothing: float = 0.0) -> str:
    """A tick of a log axis that reaches over many decades: 0.001, 1e-6; "0" at the place that stands for it."""
    if value == nothing:
        return "0"
    return f"{value:g}" if 1e-3 <= value < 1e5 else f"1e{round(math.log10(value))}"
