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
        axes.plot(*at[begin : begin + len(words)].T, marker, color=colour, markersize=5)
        begin += len(words)
    axes.set(xlabel="speaks for a bad review ← → for a good one", ylabel="what else differs most", yticks=[])
    axes.margins(x=0.14, y=0.06)
    every = [word for words, *_ in kinds for word in words]
    known = np.isfinite(at[:, 0])
    wide, high = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    boxes = [(x + 0.012 * wide, y, 0.017 * wide * len(word)) for word, (x, y) in zip(every, at, strict=True)]
    for i, height in _apart(boxes, np.flatnonzero(known), 0.034 * high):
        x, y, _ = boxes[i]
        thread = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
        moved = abs(height - y) > 0.02 * high
        axes.annotate(
            *(every[i], at[i], (x, height)), va="center", fontsize=10, color=INK, arrowprops=thread if moved else None
        )
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


def _apart(boxes: list[tuple[float, float, float]], shown: Any, height: float) -> list[tuple[int, float]]:
    """Where to write words of which each begins at (x, y) and is so wide, from the lowest on: none on another, each as
    little above its place as it takes. As (index, y)."""
    written: list[tuple[int, float]] = []
    for i in sorted(shown.tolist(), key=lambda i: boxes[i][1]):
        x, y, width = boxes[i]
        beside = [at for j, at in written if x < boxes[j][0] + boxes[j][2] and boxes[j][0] < x + width]
        for at in sorted(beside):
            if abs(y - at) < height:
                y = at + height
        written.append((i, y))
    return written
