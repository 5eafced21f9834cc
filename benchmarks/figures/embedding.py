"""The words of an embedding on a map, and what each word of the slide's sentence adds."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.formulas.words import ASKED, BAD, GOOD, PLAIN, SLIDE, spelled
from lecturebench.report.stock import Rows


def draw_map(figure: Any, rows: Rows) -> str:
    """Each listed word where the first run's embedding has it: for bad to the left, for good to the right."""
    from lecturebench.report.style import INK, MUTED, TONES

    [series] = rows.values()
    at = series.array("words")[0]  # (words, 2)
    axes = figure.add_subplot()
    axes.axvline(0, color=MUTED, linewidth=1, zorder=0)
    kinds = ((GOOD, TONES[0][0], "o"), (BAD, TONES[1][0], "s"), (PLAIN, MUTED, "D"))
    begin = 0
    for words, colour, marker in kinds:
        places = at[begin : begin + len(words)]
        axes.plot(*places.T, marker, color=colour, markersize=5)
        for word, (x, y) in zip(words, places, strict=True):
            if np.isfinite(x):
                axes.annotate(word, (x, y), (4, 3), textcoords="offset points", fontsize=10, color=INK)
        begin += len(words)
    axes.set(xlabel="speaks for a bad review ← → for a good one", ylabel="what else differs most", yticks=[])
    axes.margins(x=0.12, y=0.06)
    nearest = [
        f"{word}: {', '.join(spelled(found))}"
        for word, found in zip(ASKED, series.array("nearest")[0], strict=True)
        if found.any()
    ]
    right = float(series.values("right_side").mean())
    return f"{right:.0%} of {len(GOOD) + len(BAD)} words lie on their side. Nearest to {'; to '.join(nearest)}."


def draw_sentence(figure: Any, rows: Rows) -> str:
    """A bar for each word of the slide's sentence: how far it speaks for a good review, the mean over the seeds."""
    from lecturebench.report.style import INK, MUTED, TONES

    [series] = rows.values()
    runs = series.array("slide")  # (seeds, words)
    means = runs.mean(axis=0)
    axes = figure.add_subplot()
    y = np.arange(len(SLIDE))
    axes.barh(y, means, color=[TONES[0][0] if value > 0 else TONES[1][0] for value in means], height=0.62)
    for row in runs:
        axes.plot(row, y, "|", color=INK, markersize=8)
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set(yticks=y, yticklabels=SLIDE, xlabel="speaks for a bad review ← → for a good one")
    axes.invert_yaxis()
    axes.grid(axis="x")
    said = ", ".join(f"{word} {value:+.2g}" for word, value in zip(SLIDE, means, strict=True))
    return f"What each word of the slide's sentence adds to the answer: {said}."
