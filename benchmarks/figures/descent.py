"""Gradient descent on a landscape of two parameters, and passes over the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.descent import Floats

if TYPE_CHECKING:
    from lecturebench import Series

PATHS = ("large", "middle", "small")


def draw_paths(figure: Any, rows: Mapping[str, Series]) -> str:
    """The three paths on the contours of R(w, beta), from one start; both minima marked."""
    from matplotlib.colors import to_rgba
    from matplotlib.patheffects import withStroke

    from lecturebench.report.style import INK, MUTED, PAPER

    land, axes = rows["landscape"], figure.add_subplot()
    number = {name: land.values(name)[0] for name in ("level", "minimum", "minimum_w", "minimum_beta")}
    w, (linear, *_) = land.curve("linear", "w")
    square = land.curve("square", "w")[1][0]
    beta = np.linspace(-3.0, 4.0, 281)[:, None]
    height = number["level"] - beta * linear + beta**2 * square / 2
    # Shades from dark in the valleys to none; from one to the next, the height above the minimum doubles.
    levels = number["minimum"] + number["level"] * np.array([0, *(0.01 * 2.0 ** np.arange(9)), 1e3])
    shades = [to_rgba(MUTED, alpha) for alpha in np.linspace(0.4, 0.0, len(levels) - 1)]
    places = w[::2], beta[::2, 0], height[::2, ::2]  # half of its places draw the same shades in a quarter of the bytes
    axes.contourf(*places, levels=levels, colors=shades)
    axes.contour(*places, levels=levels[1:-1], colors=MUTED, linewidths=0.5, alpha=0.5)
    phrases = []
    for name in PATHS:
        series = rows[name]
        at, (to, *_) = series.curve("beta", "w")
        axes.plot(
            *(at, to), color=series.style.colour, marker=series.style.marker, markersize=6.5, linewidth=2,
            label=series.title, markevery=apart(at, to), markeredgecolor=PAPER, markeredgewidth=0.6,
        )  # fmt: skip
        phrases.append(f"{series.title} goes from ({at[0]:.1f}, {to[0]:.1f}) to ({at[-1]:.2g}, {to[-1]:.2g})")
    lowest, halo = np.array([number["minimum_w"], number["minimum_beta"]]), [withStroke(linewidth=3, foreground=PAPER)]
    words = {"textcoords": "offset points", "ha": "center", "va": "center", "path_effects": halo, "color": INK}
    for sign in (1, -1):
        axes.plot(*(sign * lowest), marker="+", color=INK, markersize=13, markeredgewidth=2.4, zorder=5)
        axes.annotate("minimum", sign * lowest, (-2, 17 * sign), **words)
    start = [
        values[0] for values in (rows["small"].curve("w", "step")[1][0], rows["small"].curve("beta", "step")[1][0])
    ]
    axes.plot(*start, marker="o", color="none", markeredgecolor=INK, markersize=13, markeredgewidth=1.8)
    axes.annotate("start", start, (28, 0), **words)
    axes.set(xlim=(-4.2, 4.2), ylim=(-2.4, 3.2), xlabel="w", ylabel="β")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=3, handletextpad=0.5)
    return f"Contours of R over w and beta with two minima; {'; '.join(phrases[::-1])}."


def apart(w: Floats, beta: Floats, gap: float = 0.12) -> list[int]:
    """The steps whose markers do not hide each other: each at least ``gap`` from the one marked before."""
    marked = [0]
    for step in range(1, len(w)):
        if np.hypot(w[step] - w[marked[-1]], beta[step] - beta[marked[-1]]) >= gap:
            marked.append(step)
    return marked


def draw_heights(figure: Any, rows: Mapping[str, Series]) -> str:
    """R above its minimum, and beta, against the step, for the three rates."""
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.style import INK

    above, below = figure.subplots(2, 1, sharex=True)
    minimum, minimum_beta = (rows["landscape"].values(name)[0] for name in ("minimum", "minimum_beta"))
    phrases = []
    for name in PATHS:
        series = rows[name]
        step, (height, *_) = series.curve("R", "step")
        beta = series.curve("beta", "step")[1][0]
        phrases.append(f"{series.title} from {height[0]:.3g} to {height[-1]:.3g}")
        # A path that leaves is shown up to its first steps outside: later ones would only strike the others through.
        shown = slice(int(np.argmax(np.abs(beta) > 20)) + 1 if (np.abs(beta) > 20).any() else 21)
        look = {"color": series.style.colour, "marker": series.style.marker, "linewidth": 1.8}
        above.plot(step[shown], height[shown] - minimum, label=series.title, **look)
        below.plot(step[shown], beta[shown], **look)
    below.axhline(minimum_beta, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    above.set(yscale="log", ylim=(0.08, 2e4), ylabel="R above its minimum", yticks=[0.1, 1, 10, 100, 1000, 1e4])
    above.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    above.tick_params(which="minor", left=False)
    below.set(ylim=(-1.4, 3.4), ylabel="β", xlabel="step", xlim=(-0.4, 20.4), xticks=range(0, 21, 5))
    figure.align_ylabels()
    for axes in (above, below):
        axes.grid(axis="y")
    handles, labels = above.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=3, handletextpad=0.5)
    return f"R against the step: {'; '.join(phrases[::-1])}."


def draw_passes(figure: Any, rows: Mapping[str, Series]) -> str:
    """R against passes over the data, stochastic and full batch: at the common rate, and each at its own."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    common, own = figure.subplots(1, 2, sharey=True)
    phrases, last = [], 0.0
    for name, series in rows.items():
        series.band(own if name.endswith("own") else common, "R", "pass")
        last = max([last, *series.curve("R", "pass")[0]])
        phrases.append(f"{series.title} ends at {series.values('objective').mean():.3g}")
    for axes, title in ((common, "both at rate 0.01"), (own, "each at its best rate")):
        axes.set_title(title, fontsize=11)
        axes.set(xlabel="passes over the data", xticks=range(0, int(last) + 1, 5), xlim=(0, last), yscale="log")
        axes.grid(axis="y")
    common.yaxis.set_major_locator(FixedLocator([10, 20, 50, 100, 200, 500, 1000]))
    common.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    common.yaxis.set_minor_formatter(NullFormatter())
    common.set_ylabel("R(θ), training players")
    figure.legend(loc="outside lower left", ncols=2)
    return f"Mean objective over the seeds: {'; '.join(phrases)}."
