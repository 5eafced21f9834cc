"""Stock figures: what most drawings of a benchmark are. Each function here returns the ``draw`` of a `Drawing`:

    Drawing("loss", "Loss by epoch", curves("validation_loss", ylabel="validation loss", log="y"), methods)

A drawing gets the figure and the rows by method, in the order of the drawing's ``methods``, and returns what is seen
in words. Colours and markers are those of the rows; a line is the mean over the seeds and a band reaches from the
smallest to the largest run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from lecturebench.report.series import Series

# A benchmark only names its figures: what draws them is imported when one is drawn, so that listing stays quick.
Rows = Mapping[str, "Series"]
Draw = Callable[[Any, Rows], str]
Log = Literal["", "x", "y", "xy"]

DASHES = ("-", "--", (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
MARKS = "os^Dv"


def curves(y: str, x: str = "epoch", *, xlabel: str = "", ylabel: str = "", log: Log = "") -> Draw:
    """``y`` against ``x``, two names of the points of a curve ("validation_loss", "step"): a band for each row.

    log: which axes are logarithmic; what is 0 or below is then left out. Labels are the names unless given. Errors are
    written in percent.
    """

    def draw(figure: Any, rows: Rows) -> str:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        ends = []
        for series in rows.values():
            at, table = series.curve(y, x)
            if not len(at):
                continue
            series.band(axes, y, x)
            ends.append(f"{series.title} ends at {_value(y)(float(table[:, -1].mean()))}")
        _axis(axes.xaxis, x, "x" in log)
        _axis(axes.yaxis, y, "y" in log)
        if x in ("epoch", "step"):
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=(1, 2, 5, 10)))
        axes.set(xlabel=xlabel or _words(x), ylabel=ylabel or _words(y))
        axes.grid(axis="y")
        _, labels = axes.get_legend_handles_labels()
        figure.legend(loc="outside lower left", ncols=1 if max(map(len, labels), default=0) > 26 else 2)
        return f"{_capital(ylabel or _words(y))} by {xlabel or _words(x)}: {'; '.join(ends)}."

    return draw


def path(
    panels: Mapping[str, Mapping[str, str]],
    at: Mapping[str, float],
    *,
    xlabel: str,
    log: bool = False,
    lowest: str = "",
) -> Draw:
    """Numbers of the rows along a parameter: ``at`` is its value by method, ``log`` whether its axis is logarithmic.

    panels: by what stands beside it, the numbers drawn in a panel and what each is called: {"error": {"error": "test
    error"}}. lowest: the number whose lowest mean is marked by an upright line.
    """

    def draw(figure: Any, rows: Rows) -> str:
        from matplotlib.ticker import FuncFormatter, NullFormatter

        from lecturebench.report.figures import short
        from lecturebench.report.style import MUTED, PAPER, TONES

        names = [name for name in rows if name in at]
        places = np.array([at[name] for name in names])
        grid = figure.subplots(len(panels), 1, sharex=True, height_ratios=(3, *[2] * (len(panels) - 1)), squeeze=False)
        phrases, number = [], 0
        for axes, (ylabel, metrics) in zip(grid[:, 0], panels.items(), strict=True):
            top = 0.0
            for i, (metric, title) in enumerate(metrics.items()):
                values = [rows[name].values(metric) for name in names]
                means = np.array([array.mean() if len(array) else np.nan for array in values])
                look = {"color": TONES[number % len(TONES)][0], "marker": MARKS[number % len(MARKS)]}
                bounds = [
                    [array.min(initial=np.inf) for array in values],
                    [array.max(initial=-np.inf) for array in values],
                ]
                axes.fill_between(places, *bounds, color=look["color"], alpha=0.16, linewidth=0)
                axes.plot(places, means, linestyle=DASHES[i % len(DASHES)], label=title, **look)
                phrases.append(f"{title} from {_value(metric)(means[0])} to {_value(metric)(means[-1])}")
                number, top = number + 1, max(top, *bounds[1])
            _axis(axes.yaxis, next(iter(metrics)), False)
            axes.set_ylabel(ylabel)
            axes.set_ylim(-0.03 * top, 1.08 * top)  # a mark on the edge is seen whole
            axes.grid(axis="y")
        if lowest:
            means = np.array([rows[name].values(lowest).mean() for name in names])
            best = int(means.argmin())
            label = f"lowest {_named(lowest)}: {short(places[best])}"
            grid[0, 0].axvline(places[best], color=MUTED, linewidth=1, zorder=0, label=label)
            phrases.append(f"{_named(lowest)} is lowest at {short(places[best])}, {_value(lowest)(means[best])}")
        for axes in grid[:, 0]:
            axes.legend(loc="best", frameon=True, facecolor=PAPER, edgecolor="none")
        last = grid[-1, 0]
        if log:
            last.set_xscale("log")
            last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
            last.xaxis.set_minor_formatter(NullFormatter())
        last.set_xlabel(xlabel)
        return f"Against the {xlabel}, from {short(places[0])} to {short(places[-1])}: {'; '.join(phrases)}."

    return draw


def dots(metric: str, *, published: Mapping[str, str] | None = None, xlabel: str = "", log: bool = False) -> Draw:
    """A line per row with a dot for each run, its mean as a bar, mean and deviation beside its title.

    Equal values stand on top of each other. published: numbers as printed, by method, drawn as diamonds.
    """

    def draw(figure: Any, rows: Rows) -> str:
        from lecturebench.declare.claims import parse_printed
        from lecturebench.report.style import INK, MUTED

        axes = figure.add_subplot()
        phrases = []
        for y, (name, series) in enumerate(rows.items()):
            values = series.values(metric)
            distinct, counts = np.unique(values, return_counts=True)
            x = np.repeat(distinct, counts)
            height = np.concatenate([np.zeros(0), *[np.arange(k) for k in counts]]) * 0.06
            axes.plot(x, y - height, series.style.marker, color=series.style.colour, alpha=0.7)
            text = f"n = {len(values)}"
            if len(values):
                axes.plot([values.mean()] * 2, [y - 0.14, y + 0.14], color=INK, linewidth=1.6)
                text = f"{_value(metric)(float(values.mean()))}, {text}"
            if len(values) > 1:
                text = text.replace(", n", f" ± {_value(metric)(float(values.std(ddof=1)))}, n")
            if published and name in published:
                at = float(parse_printed(published[name])[0])
                axes.plot([at], [y], "D", color=INK, fillstyle="none", markersize=9, mew=1.6)
                text += f"; published {published[name]}"
            place = {"transform": axes.get_yaxis_transform(), "va": "bottom", "fontsize": 10}
            axes.text(0, y - 0.36, series.title, color=INK, **place)
            axes.text(1, y - 0.36, text, ha="right", color=MUTED, **place)
            phrases.append(f"{series.title} {text}")
        axes.set(ylim=(len(rows) - 0.7, -0.85), yticks=[], xlabel=xlabel or _named(metric))
        _axis(axes.xaxis, metric, log)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        return f"{_capital(_named(metric))} of every run: {'; '.join(phrases)}."

    return draw


def heat(array: str, *, xlabel: str = "", ylabel: str = "", label: str = "", centre: float | None = None) -> Draw:
    """The array (rows, columns) of that name as a map of colours, its mean over the runs: a panel for each method.

    label: of the scale of colours. centre: the value of no colour, in the middle of the scale; None draws from the
    smallest to the largest.
    """

    def draw(figure: Any, rows: Rows) -> str:
        from matplotlib.ticker import MaxNLocator

        from lecturebench.report.figures import short
        from lecturebench.report.style import INK

        tables = [np.asarray(series.array(array), dtype=float).mean(axis=0) for series in rows.values()]
        low, high = min(table.min() for table in tables), max(table.max() for table in tables)
        if centre is not None:
            reach = max(high - centre, centre - low)
            low, high = centre - reach, centre + reach
        panels = figure.subplots(1, len(tables), squeeze=False)[0]
        phrases = []
        for axes, series, table in zip(panels, rows.values(), tables, strict=True):
            look = "viridis" if centre is None else "PuOr"
            picture = axes.imshow(table, cmap=look, vmin=low, vmax=high, interpolation="none")
            axes.set_title(series.title, fontsize=11, color=INK)
            axes.tick_params(length=0)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(MaxNLocator(4, integer=True))
            axes.set(xlabel=xlabel)
            phrases.append(f"{series.title} {short(float(table.min()))} to {short(float(table.max()))}")
        panels[0].set_ylabel(ylabel)
        figure.colorbar(picture, ax=list(panels), orientation="horizontal", label=label or _words(array), shrink=0.6)
        return f"{_capital(label or _words(array))}: {'; '.join(phrases)}."

    return draw


def images(array: str, *, columns: Sequence[str] = (), rows: Sequence[str] = (), gap: float = 0.12) -> Draw:
    """A contact sheet of the first row's first run: the array (lines, columns, height, width) of that name, grey.

    columns: heads over them, rows: names beside the lines, as many as there are or none. gap: between two images, a
    share of their width.
    """

    def draw(figure: Any, by_method: Rows) -> str:
        series = next(iter(by_method.values()))
        table = series.array(array)[0]
        contact_sheet(figure.add_subplot(), table, columns, rows, gap)
        heads = f", {'; '.join(head.replace(chr(10), ' ') for head in columns)}" if columns else ""
        return f"{_capital(_words(array))}: {len(table)} lines of {table.shape[1]} images{heads}."

    return draw


def contact_sheet(
    axes: Axes, images: Any, columns: Sequence[str] = (), rows: Sequence[str] = (), gap: float = 0.12
) -> None:
    """Draw images (lines, columns, height, width) beside and below each other, in grey. The rest is as of `images`."""
    from lecturebench.report.style import INK

    table = np.asarray(images, dtype=float)
    lines, across, height, width = table.shape
    down, aside = (max(1, round(gap * size)) for size in (height, width))
    sheet = np.full((lines * (height + down) - down, across * (width + aside) - aside), np.nan)
    for i in range(lines):
        for j in range(across):
            top, left = i * (height + down), j * (width + aside)
            sheet[top : top + height, left : left + width] = table[i, j]
    axes.imshow(sheet, cmap="gray", interpolation="none", vmin=table.min(), vmax=table.max())
    axes.xaxis.tick_top()
    centres = [j * (width + aside) + width / 2 - 0.5 for j in range(across)]
    axes.set_xticks(centres if columns else [], list(columns))
    middles = [i * (height + down) + height / 2 - 0.5 for i in range(lines)]
    axes.set_yticks(middles if rows else [], list(rows))
    axes.tick_params(length=0, colors=INK, labelsize=9)
    axes.spines[:].set_visible(False)


def _named(metric: str) -> str:
    """A number's name as people write it; on test where no split is said."""
    return f"test {metric}" if metric in ("error", "mae", "loss") else _words(metric)


def _value(metric: str) -> Callable[[float], str]:
    from lecturebench.judging.results import show

    return show(_words(metric))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _axis(axis: Axis, metric: str, log: bool) -> None:
    """Percent for errors; on a logarithmic scale a mark at 1, 2 and 5 of each decade, fewer where there are many."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    from lecturebench.report.figures import short

    axes = axis.axes
    name = "x" if axis is axes.xaxis else "y"
    if log:
        (axes.set_xscale if name == "x" else axes.set_yscale)("log", nonpositive="mask")
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 2000 * low else (1,)))
        axis.set_minor_formatter(NullFormatter())
    share = _words(metric).split()[-1] == "error"
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g}%" if share else short(value)))
