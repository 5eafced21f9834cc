"""Which words weighed most."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.formulas.words import spelled
from lecturebench.report.stock import Rows


def draw_weighed(figure: Any, rows: Rows) -> str:
    """The weightiest words: those for a bad review to the left, for a good one to the right."""
    from lecturebench.report.style import INK, MUTED, TONES

    [series] = rows.values()
    words, weights = series.array("words")[0], series.array("weights")[0]  # (2, words, letters), (2, words)
    axes = figure.add_subplot()
    for side, (tone, align) in enumerate(((TONES[1][0], "right"), (TONES[0][0], "left"))):
        y = np.arange(len(weights[side]))
        axes.barh(y, weights[side], color=tone, height=0.24)
        for place, word in zip(y, spelled(words[side]), strict=True):
            beside = ((4 if side else -4), 3)
            axes.annotate(word, (0, place - 0.12), beside, textcoords="offset points", ha=align, fontsize=11, color=INK)
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set(yticks=[], ylim=(len(weights[0]) - 0.5, -1.0), xlabel="adds for a bad review ← → for a good one")
    axes.grid(axis="x")
    used, (bad, good) = float(series.values("used").mean()), (", ".join(spelled(side)[:3]) for side in words)
    return f"Of {used:,.0f} words with a weight these weigh most: {good} for a good review, {bad} for a bad one."
