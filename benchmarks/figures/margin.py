"""The margin: errors of all methods, the least first, and how far each traditional one lies from the deep network."""

from __future__ import annotations

from functools import partial
from typing import Any

from lecturebench.report.stock import Draw, Rows


def draw_margin(deep: str) -> Draw:
    """A line for each method with a mark for each run, sorted by mean; an upright line at the mean of ``deep``."""
    return partial(_draw, deep)


def _draw(deep: str, figure: Any, rows: Rows) -> str:
    from matplotlib.ticker import PercentFormatter

    from lecturebench.report.style import INK, MUTED

    errors = {name: series.values("error") for name, series in rows.items()}
    means = {name: float(values.mean()) for name, values in errors.items()}
    best, phrases = means[deep], []
    axes = figure.add_subplot()
    axes.axvline(best, color=rows[deep].style.colour, linewidth=1.2, alpha=0.7, zorder=0)
    for y, name in enumerate(sorted(means, key=means.__getitem__)):
        is_deep, series = name == deep, rows[name]
        colour = series.style.colour if is_deep else MUTED
        axes.plot([best, means[name]], [y, y], color=colour, linewidth=3, alpha=0.25, solid_capstyle="butt")
        axes.plot(errors[name], [y] * len(errors[name]), "|", color=colour, markersize=11, markeredgewidth=1.3)
        axes.plot([means[name]], [y], "o", color=colour, fillstyle="full" if is_deep else "none", markersize=8)
        margin = "" if is_deep else f" ({100 * (means[name] - best):+.1f})"
        text = f"{100 * means[name]:.1f}%{margin}"
        place = {"transform": axes.get_yaxis_transform(), "va": "bottom", "fontsize": 10}
        axes.text(0, y - 0.3, series.title, color=INK, weight="bold" if is_deep else "normal", **place)
        axes.text(1, y - 0.3, text, ha="right", color=INK if is_deep else MUTED, **place)
        phrases.append(f"{series.title} {text}")
    axes.set(ylim=(len(rows) - 0.6, -0.85), yticks=[], xlabel="test error")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    return f"Test errors, in brackets points above the deep network: {'; '.join(phrases)}."
