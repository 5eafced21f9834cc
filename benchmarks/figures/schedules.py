"""What a schedule does to the rate, and to the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.schedules import WARMUP, rate

if TYPE_CHECKING:
    from lecturebench import Series

POINTS = 125  # of a rate's line
SIDES = {
    "Decay": ("constant", "step", "exponential", "cosine", "cosine_warmup"),
    "Periodic": ("constant", "restarts", "triangular"),
}


def draw_effect(figure: Any, rows: Mapping[str, Series]) -> str:
    """Rate above validation loss, both against the epoch: decays on the left, periodic ones on the right."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    from lecturebench.report.style import INK, MUTED

    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(1, 1.5))
    epochs = max(float(series.curve("validation_loss")[0][-1]) for series in rows.values())
    for (title, kinds), (above, below) in zip(SIDES.items(), panels.T, strict=True):
        above.set_title(title, fontsize=12, color=INK)
        for name in kinds:
            style = rows[name].style
            time = np.arange(POINTS) / POINTS * epochs
            above.plot(time, rates_of(name), color=style.colour, marker=style.marker, markevery=(9, 25))
            rows[name].band(below, "validation_loss")
        below.set_yscale("log")
        below.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5)))
        below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
        below.yaxis.set_minor_formatter(NullFormatter())
        below.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=(1, 2, 5, 10)))
        below.set_xlabel("epoch")
        below.set_xlim(0, 1.03 * epochs)
        above.grid()
        below.grid()
    panels[0, 0].set_ylabel("rate / base rate")
    panels[1, 0].set_ylabel("validation loss")
    lines: dict[str, Any] = {}
    for axes in panels[1]:
        lines |= {label: line for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(lines.values()), list(lines), loc="outside lower center", ncols=2, columnspacing=1.2, labelcolor=MUTED
    )
    ends = []
    for name in dict.fromkeys(name for kinds in SIDES.values() for name in kinds):
        base = rows[name].runs[0].recipe["learning_rate"]
        final = rows[name].curve("validation_loss")[1][:, -1].mean()
        ends.append(f"{rows[name].title} (base rate {base:g}) ends at {final:.3g}")
    return f"Rate and validation loss against the epoch: {'; '.join(ends)}."


def rates_of(name: str) -> list[float]:
    """The formula's rates of a row, "…_warmup" begins with one."""
    kind = name.removesuffix("_warmup")
    return [rate(kind, t, POINTS, round(WARMUP * POINTS) if kind != name else 0) for t in range(POINTS)]
