"""Which words weighed most."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.formulas.words import spelled
from lecturebench.report.stock import Rows


def draw_weighed(figure: Any, rows: Rows) -> str:
    """For each method the first run's weightiest words: those for a bad review to the left, for a good one to the
    right."""
    from lecturebench.report.style import INK, MUTED, TONES

    measured = [series for series in rows.values() if series.array("weights").size]
    phrases = []
    for axes, series in zip(np.ravel(figure.subplots(1, max(1, len(measured)))), measured, strict=True):
        words, weights = series.array("words")[0], series.array("weights")[0]  # (2, words, letters), (2, words)
        scale = np.abs(weights).max() or 1.0
        for side, (tone, align) in enumerate(((TONES[1][0], "right"), (TONES[0][0], "left"))):
            y = np.arange(len(weights[side]))
            axes.barh(y, weights[side] / scale, color=tone, height=0.2)
            for place, word in zip(y, spelled(words[side]), strict=True):
                axes.annotate(
                    *(word, ((2 * side - 1) * 0.03, place - 0.2)), ha=align, va="bottom", fontsize=10, color=INK
                )
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.set(title=series.title, xlim=(-1.1, 1.1), xticks=[], yticks=[], ylim=(len(weights[0]) - 0.4, -1.0))
        axes.set_xlabel("for a bad review ← → for a good one")
        used, known = (series.values(name).mean() for name in ("used", "known"))
        first = [", ".join(spelled(side)[:3]) for side in words]
        phrases.append(
            f"{series.title} uses {used:,.0f} of {known:,.0f}: {first[1]} for a good review, {first[0]} for a bad one"
        )
    return f"{'; '.join(phrases)}." if phrases else "No run says which words weighed."
