"""How near two other gradients are to the slide's, and what their step size does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.figures.ticks import label_powers
from benchmarks.formulas.differences import STEP

if TYPE_CHECKING:
    from lecturebench import Series

TOLERANCE = 1e-6  # what the benchmark claims
SMALLEST = 1e-19  # where 0 stands on a log axis


def draw_gradient(figure: Any, rows: Mapping[str, Series]) -> str:
    """For each parameter of one network: the difference to the slide's formula against the size of its derivative."""
    from matplotlib.lines import Line2D

    from lecturebench.report.style import INK

    axes = figure.add_subplot()
    largest = {"central": 0.0, "automatic": 0.0}
    for series in rows.values():
        points = [point for point in series.runs[0].curve if "slide" in point]
        slide = np.array([point["slide"] for point in points])
        size = float(np.linalg.norm(slide))
        for kind in ("central", "automatic"):
            difference = np.abs(np.array([point[kind] for point in points]) - slide) / size
            axes.plot(
                *(np.abs(slide) / size, np.maximum(difference, SMALLEST)), series.style.marker, markersize=5,
                color=series.style.colour, markerfacecolor=series.style.colour if kind == "central" else "none",
            )  # fmt: skip
            largest[kind] = max(largest[kind], float(difference.max()))
    axes.axhline(TOLERANCE, color=INK, linewidth=1.4, linestyle=(0, (5, 2)))
    axes.set(xscale="log", yscale="log", ylim=(SMALLEST / 3, 1e-4))
    axes.set(xlabel="component, share of ||gradient||", ylabel="difference to the slide's, same share")
    axes.set_yticks([SMALLEST, *(10.0**-k for k in (16, 13, 10, 7))])
    label_powers(axes.yaxis, SMALLEST)
    label_powers(axes.xaxis)
    axes.minorticks_off()
    axes.grid(axis="y")
    labels = {"claimed: below 1e-6": TOLERANCE, "central differences": 1e-9, "automatic (hollow)": 1e-15}
    for label, height in labels.items():
        axes.text(0.02, height * 1.5, label, transform=axes.get_yaxis_transform(), va="bottom", color=INK)
    handles = [
        Line2D([], [], linestyle="none", color=series.style.colour, marker=series.style.marker, label=series.title)
        for series in rows.values()
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=5, handletextpad=0.1, columnspacing=1.0)
    return (
        "Difference of each component of the gradient to the slide's formula against its size, for five activations on "
        f"log axes: at most {largest['central']:.1g} for central differences and {largest['automatic']:.1g} for "
        "automatic differentiation, as shares of the gradient's norm."
    )


def draw_steps(figure: Any, rows: Mapping[str, Series]) -> str:
    """Error of central differences against their step: rounding on the left, the curve on the right."""
    from lecturebench.report.style import INK

    axes = figure.add_subplot()
    phrases = []
    for series in rows.values():
        h, table = series.curve("at_h", "h")
        middle = np.median(table, axis=0)
        axes.plot(h, middle, color=series.style.colour, marker=series.style.marker, markevery=4, label=series.title)
        phrases.append(f"{series.title} is best at h = {float(h[middle.argmin()]):.0e}".replace("e-0", "e-"))
    axes.axvline(STEP, color=INK, linewidth=1.4, zorder=1, label="chosen h = 6e-6")
    axes.axhline(TOLERANCE, color=INK, linewidth=1.4, linestyle=(0, (5, 2)), label="allowed: below 1e-6")
    axes.set(xscale="log", yscale="log", xlabel="step h of central differences", ylabel="relative error")
    for axis in (axes.xaxis, axes.yaxis):
        label_powers(axis)
    axes.minorticks_off()
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=3, handletextpad=0.4, columnspacing=1.2)
    return f"Relative error of central differences against their step h on log axes: {'; '.join(phrases)}."
