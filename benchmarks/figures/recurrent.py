"""What the last output of a recurrent network still knows of each input before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.figures.ticks import label_powers
from lecturebench.report.stock import DASHES, Rows


def draw_forgetting(figure: Any, rows: Rows) -> str:
    """||d O_L / d X_l|| by l, as a share of the last input's, a line for each kind of network."""
    axes = figure.add_subplot()
    phrases = []
    for dash, series in zip(DASHES, rows.values(), strict=False):
        norms = series.array("norms")  # (seeds, steps)
        share = np.median(norms / norms[:, -1:], axis=0)
        steps = np.arange(1, len(share) + 1)
        axes.plot(steps, share, color=series.style.colour, linestyle=dash, label=series.title)
        phrases.append(f"{series.title}: the first has {share[0]:.2g}")
    axes.set(yscale="log", xlabel="step l", ylabel="gradient, share of the last step's")
    label_powers(axes.yaxis)
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=2)
    return f"How the last output depends on each input, as a share of the last one's: {'; '.join(phrases)}."
