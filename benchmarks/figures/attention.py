"""Where words look, and what a longer review costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.figures.ticks import label_powers
from benchmarks.formulas.words import SLIDE
from lecturebench.report.stock import Rows


def draw_looks(figure: Any, rows: Rows) -> str:
    """A square for each head of the first run: each word of the slide's sentence looks at the words of its row."""
    from lecturebench.report.style import MUTED, TONES

    [series] = rows.values()
    looks = series.array("looks")[0]  # (heads, words, words)
    most = looks.max()
    panels = figure.subplots(1, len(looks), sharey=True, squeeze=False)[0]
    at = np.arange(len(SLIDE))
    for head, (axes, weights) in enumerate(zip(panels, looks, strict=True), start=1):
        i, j = np.nonzero(weights > 0.02 * most)
        axes.scatter(j, i, s=90 * weights[i, j] / most, color=TONES[0][0], marker="s", linewidths=0)
        axes.set(
            xticks=at, yticks=at, title=f"head {head}", xlim=(-0.7, len(SLIDE) - 0.3), ylim=(len(SLIDE) - 0.3, -0.7)
        )
        axes.set_xticklabels(SLIDE, rotation=90, fontsize=9)
        axes.set_yticklabels(SLIDE, fontsize=9)
        axes.grid(color=MUTED, alpha=0.15)
        axes.set_aspect("equal")
    elsewhere = float(series.values("elsewhere").mean())
    heads = [
        f"head {h}: {SLIDE[int(weights.sum(axis=0).argmax())]!r} is looked at most"
        for h, weights in enumerate(looks, start=1)
    ]
    return f"Where each word looks, {'; '.join(heads)}. {elsewhere:.0%} goes to the empty places in front."


def draw_cost(figure: Any, rows: Rows) -> str:
    """Seconds of a training step by the length of a review, with the power by which they grow at the end."""
    axes = figure.add_subplot()
    phrases = []
    for series in rows.values():
        at, table = series.curve("seconds_a_step", "length")
        middle = np.median(table, axis=0)
        exponent = float(np.log(middle[-1] / middle[-2]) / np.log(at[-1] / at[-2]))
        label = f"{series.title}: length to the power {exponent:.1f}"
        axes.fill_between(at, table.min(axis=0), table.max(axis=0), color=series.style.colour, alpha=0.16, linewidth=0)
        axes.plot(at, middle, series.style.marker + "-", color=series.style.colour, label=label)
        phrases.append(label)
    axes.set(xscale="log", yscale="log", xlabel="words", ylabel="seconds a step")
    label_powers(axes.yaxis)
    axes.set_xticks(at, [f"{int(length):,}" for length in at])
    axes.minorticks_off()
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=1)
    return f"Seconds of a training step by words of a review: {'; '.join(phrases)}."
