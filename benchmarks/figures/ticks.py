"""Ticks of logarithmic axes that reach over many decades."""

from __future__ import annotations

import math
from typing import Any


def label_powers(axis: Any, nothing: float = 0.0) -> None:
    """Label the large ticks of a log axis as `power` says, and the small ones not."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: power(value, nothing)))
    axis.set_minor_formatter(NullFormatter())


def power(value: float, nothing: float = 0.0) -> str:
    """A tick of a log axis that reaches over many decades: 0.001, 1e-6; "0" at the place that stands for it."""
    if value == nothing:
        return "0"
    return f"{value:g}" if 1e-3 <= value < 1e5 else f"1e{round(math.log10(value))}"
