"""Where softmax as printed overflows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lecturebench import Series

DASHES = {"float32": (0, (1, 1.2)), "float64": "-"}
NOTHING, NUMBERS_END = 1e-18, 1e-2  # on the log axis: the place of 0, and of NaN everything above


def draw_overflow(figure: Any, rows: Mapping[str, Series]) -> str:
    """Largest deviation of a probability against the largest |Z|, of the printed formula and both implementations."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    from benchmarks.figures.ticks import label_powers
    from lecturebench.report.style import INK, WRONG

    axes = figure.add_subplot()
    middle = NUMBERS_END**0.5
    axes.axhspan(NUMBERS_END, 1, color=WRONG, alpha=0.12, linewidth=0)
    axes.text(1.2, middle, "NaN", color=WRONG, va="center", fontweight="bold")
    ends = []
    for method, precision, words in (
        ("printed", "float32", "as printed"),
        ("printed", "float64", "as printed"),
        ("keras", "float32", "largest Z subtracted"),
        ("numpy", "float64", "largest Z subtracted"),
    ):
        series = rows[method]
        at, table = series.curve(precision, "largest")
        worst = table.max(axis=0)
        finite = np.isfinite(worst)
        look = {"color": series.style.colour, "linestyle": DASHES[precision]}
        axes.plot(
            *(at[finite], np.maximum(worst[finite], NOTHING)), marker=series.style.marker,
            markevery=(5 * (method == "printed"), 10), label=f"{words}, {precision}", **look,
        )  # fmt: skip
        if finite.all():
            continue
        limit = math.log(float(np.finfo(precision).max))
        axes.plot([limit, limit], [worst[finite][-1], middle], **look)
        axes.plot([limit], [middle], "x", markersize=11, markeredgewidth=4, color=WRONG)
        axes.annotate(f"{limit:.1f}", (limit, middle), (10, 0), textcoords="offset points", va="center", color=INK)
        ends.append(f"in {precision} the printed formula gives no numbers from Z = {limit:.1f} on")
    axes.set(xscale="log", yscale="log", xlim=(1, 1e4), ylim=(NOTHING, 1))
    axes.set(xlabel="largest |Z|", ylabel="largest deviation of f")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticks([NOTHING, *(10.0**-k for k in (15, 12, 9, 6, 3))])
    label_powers(axes.yaxis, NOTHING)
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=2)
    return (
        f"Largest deviation of a probability against the largest |Z|, both on log axes: {'; '.join(ends)}. "
        "With the largest Z subtracted first, it is never far above the epsilon of its precision."
    )
