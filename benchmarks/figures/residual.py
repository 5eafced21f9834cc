"""How gradients fare on their way to the first layer, and how stacks learn the identity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks.figures.ticks import label_powers
from lecturebench.report.stock import Draw, Rows, curves

Panels = Mapping[int, Mapping[str, str]]


def draw_beginning(published: str) -> Draw:
    """Training errors by epoch, and the test error of ResNet-20 as published ("8.75%"), a line."""
    return partial(_draw_beginning, published)


def _draw_beginning(published: str, figure: Any, rows: Rows) -> str:
    from lecturebench.report.style import MUTED

    words = curves("train_error", ylabel="training error")(figure, rows)
    [axes] = figure.axes
    end = float(published.removesuffix("%")) / 100
    axes.axhline(end, color=MUTED, linestyle=":")
    label = f"published: {published} test error after 64,000 steps"
    axes.text(0.99, end, label, transform=axes.get_yaxis_transform(), ha="right", va="bottom", color=MUTED)
    axes.set_ylim(bottom=0)
    return f"{words} Published of ResNet-20: {published} of the test images after 64,000 steps."


def draw_gradients(panels: Panels) -> Draw:
    """Norms of the gradient by layer; panels: by depth, the words of each kind. Rows are called "kind_depth"."""
    return partial(_draw_gradients, panels)


def _draw_gradients(by_depth: Panels, figure: Any, rows: Rows) -> str:
    from matplotlib.ticker import MaxNLocator

    from lecturebench.report.style import TONES

    panels = figure.subplots(len(by_depth), 1, sharey=True)
    phrases = []
    for axes, (depth, kinds) in zip(panels, by_depth.items(), strict=True):
        for i, (kind, words) in enumerate(kinds.items()):
            series = rows[f"{kind}_{depth}"]
            before = np.median(series.array("gradients")[:, 0], axis=0)  # (layers,)
            share = before / before.max()
            colour = TONES[i // 2][0]
            axes.plot(range(1, len(share) + 1), share, color=colour, linestyle="-" if i % 2 == 0 else "--", label=words)
            phrases.append(f"{words}, {depth} layers: the first has {share[0]:.2g}")
        axes.set(yscale="log", title=f"{depth} layers")
        label_powers(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
    panels[-1].set_xlabel("layer, from the input on")
    figure.supylabel("gradient, share of the largest layer's", fontsize=11)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=2)
    return f"Norm of the gradient by layer, as a share of the largest: {'; '.join(phrases)}."


def draw_identity(figure: Any, rows: Rows) -> str:
    """The error that is left, step by step, of stacks with shortcuts and without."""
    axes = figure.add_subplot()
    ends = []
    for i, (name, series) in enumerate(rows.items()):
        at, table = series.curve("left", "step")
        look = {"linestyle": (0, (5, 4)) if name.startswith("plain") else "-", "marker": series.style.marker}
        every = (5 * i, 20)  # marks of lines that lie on each other stand side by side
        axes.plot(
            *(at, table.mean(axis=0)),
            color=series.style.colour,
            label=series.title,
            markevery=every,
            markersize=8,
            **look,
        )
        ends.append(f"{series.title}: {table[:, -1].mean():.2g} is left")
    axes.axhline(0.01, color="0.5", linewidth=1, zorder=0)
    axes.set(yscale="log", xlabel="step", ylabel="squared error / variance")
    label_powers(axes.yaxis)
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=1)
    return f"What is left of the input's variance by step: {'; '.join(ends)}."
