"""How time and memory grow with the work, as figures of what `lecturebench.report.speed.summary` found."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lecturebench.report.figures import WIDTH, blank, plain
from lecturebench.report.speed import Curve, library
from lecturebench.report.style import PAPER, Picture, method_styles

TITLES = {"seconds": "How time grows", "MiB": "How memory grows"}
ABOUT = {
    "seconds": "Seconds of all runs together, from the first compiled program on.",
    "MiB": "The most that one worker held.",
}


def growth(name: str, curves: Sequence[Curve]) -> Picture:
    """One quantity against seeds, runs at once, images and units: a colour per backend, logarithmic scales.

    curves: of one quantity.
    """
    quantity = curves[0].quantity
    panels = list(dict.fromkeys((curve.of, curve.title) for curve in curves))
    backends = list(dict.fromkeys(curve.backend for curve in curves))
    styles = method_styles(backends)
    rows = math.ceil(len(panels) / 2)
    figure = blank(WIDTH, 2.3 * rows + 0.4)
    grid = figure.subplots(rows, 2, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (of, title) in zip(grid.flat, panels, strict=False):
        own = [curve for curve in curves if curve.of == of]
        for i, curve in enumerate(own):
            look = styles[curve.backend]
            axes.plot(*zip(*curve.points, strict=True), color=look.colour, marker=look.marker)
            place = (0.04, 0.99 - 0.13 * i)
            ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
            text = axes.text(*place, f"b = {curve.shown}", transform=axes.transAxes, va="top", color=look.colour)
            text.set_bbox(ground)
        _logarithmic(axes, sorted({x for curve in own for x, _ in curve.points}))
        axes.set_xlabel(title)
    for row in grid:
        row[0].set_ylabel(quantity)
    low, high = grid[0][0].get_ylim()
    grid[0][0].set_ylim(low, high * (high / low) ** (0.2 + 0.15 * len(backends)))  # room for the exponents
    marks = [(styles[b], plain(library(b))) for b in backends]
    handles = [Line2D([], [], color=look.colour, marker=look.marker, label=text) for look, text in marks]
    figure.legend(handles=handles, loc="outside lower left", ncols=4)
    commits = sorted({commit[:7] for curve in curves for commit in curve.commits})
    made = [f"commit{'s' * (len(commits) > 1)} {', '.join(commits)}"] if commits else []
    listed = "; ".join(f"with {curve.title}, {library(curve.backend)} {curve.shown}" for curve in curves)
    return Picture(
        name,
        TITLES[quantity],
        caption=f"{ABOUT[quantity]} b is the exponent of a·x^b through the points, with its standard error: 1 is in "
        "proportion, 0 not at all. Both scales are logarithmic.",
        alt=f"{quantity} against the size of the work; exponents: {listed}.",
        figure=figure,
        source=" · ".join(["lecturebench", "python -m benchmarks.speed", *made]),
    )


def _logarithmic(axes: Axes, xs: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xticks(xs, [f"{x:g}" if x < 1e4 else f"{x / 1000:g}k" for x in xs])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="y")
