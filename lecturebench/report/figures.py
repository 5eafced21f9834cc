"""The figures of a benchmark: error per method, learning curves, the path of a choice, confusion matrices.

Each function returns one `Picture`, the same bytes for the same records. They are drawn small with large letters, so
that they read both on a telephone and projected.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lecturebench.metrics import Metric, named
from lecturebench.report.audit import Published, Step, is_an_end, where_published
from lecturebench.report.series import Band, Point
from lecturebench.report.style import INK, MUTED, RULE, WRONG, Picture
from lecturebench.wording import short as short  # drawings of benchmarks take it from here
from lecturebench.wording import words as words

WIDTH = 5.6
MANY_ROWS = 6  # more of them stand in two columns where they are projected
FAILED = "a run failed"

percent = named("error").show
Floats = npt.NDArray[np.float64]


def plain(text: str, width: int = 56) -> str:
    """The text as it may stand in a figure: one line, no control or direction characters, shortened to width."""
    line = " ".join(
        re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]", " ", text).split()
    )
    return line if len(line) <= width else line[: width - 1] + "…"


def errors(name: str, points: Sequence[Point], metric: Metric, left_out: int = 0) -> Picture:
    """A test metric per method: every run, the mean, the claim's interval, and the published value as an upright line.

    A row far behind all others, as one that guesses, does not squeeze them: it stands at the edge, as an arrow.
    left_out: how many more rows the table has.
    """
    behind = far_behind(points, lower_is_better=metric.better == "lower")
    figure = _errors_figure(points, behind, metric, columns=1)
    many = len(points) > MANY_ROWS
    judged = any(math.isfinite(point.low) for point in points)
    listed = "; ".join(
        f"{point.title} {metric.show(float(np.mean(point.values)))}"
        + (f" (published {point.printed})" if point.printed else "")
        for point in points
    )
    return Picture(
        *(name, f"Test {metric.words} per method"),
        caption="Each tick is one run."
        + (" Published inside the interval: reproduced, unless it is too wide to judge by." if judged else "")
        + (" An arrow is a row off the scale." if behind else "")
        + (
            f" {left_out} more {'rows stand' if left_out > 1 else 'row stands'} in the table alone." if left_out else ""
        ),
        alt=f"Test {metric.words} per method: {listed}.",
        figure=figure,
        projected=partial(_errors_figure, points, behind, metric, columns=2) if many else None,
    )


def _errors_figure(points: Sequence[Point], behind: Sequence[Point], metric: Metric, *, columns: int) -> Figure:
    lines = -(-len(points) // columns)
    figure = blank(columns * WIDTH, 0.66 * lines + 1.25)
    panels = figure.subplots(1, columns, sharex=True, squeeze=False)[0]
    drawn = [mark for point in points if point not in behind for mark in _marks(point)]
    for k, axes in enumerate(panels):
        for y, point in enumerate(points[k * lines : (k + 1) * lines]):
            _draw_row(axes, y, point, metric, far=point in behind)
        axes.set(ylim=(lines - 0.55, -0.85), yticks=[], xlabel=f"test {metric.words}")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        _scale(axes.xaxis, drawn, percent=metric.percent)
    legend: list[Any] = [
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label="mean"),
        Line2D([], [], color=MUTED, marker="|", markersize=10, linestyle="none", label="one run"),
    ]
    if any(point.published is not None for point in points):
        legend.append(
            Line2D([], [], color=INK, marker="|", markersize=14, mew=2.2, linestyle="none", label="published")
        )
    if any(math.isfinite(point.low) for point in points):
        legend.append(Patch(color=MUTED, alpha=0.28, linewidth=0, label="interval of the claim"))
    figure.legend(handles=legend, loc="outside lower left", ncols=4, handletextpad=0.3, columnspacing=1.2)
    return figure


def _draw_row(axes: Axes, y: float, point: Point, metric: Metric, *, far: bool) -> None:
    """Title and numbers of a row, and below them its runs; an arrow at the edge for one that is far behind."""
    colour, mean = point.style.colour, float(np.mean(point.values))
    by_edges = axes.get_yaxis_transform()
    if far:
        edge, arrow = (1, ">") if metric.better == "lower" else (0, "<")
        axes.plot([edge], [y], arrow, transform=by_edges, color=colour, markersize=9, clip_on=False)
    else:
        if math.isfinite(point.high - point.low):
            axes.barh(y, point.high - point.low, left=point.low, height=0.3, color=colour, alpha=0.28, linewidth=0)
        axes.plot(point.values, [y] * len(point.values), "|", color=colour, markersize=11, markeredgewidth=1.3)
        axes.plot([mean], [y + 0.24], point.style.marker, color=colour, markersize=8)  # below the runs: it hides none
    if point.published is not None:
        axes.plot([point.published], [y], "|", color=INK, markersize=24, markeredgewidth=2.2)
    text = metric.show(mean) + (f", published {point.printed}" if point.printed else "")
    axes.text(0, y - 0.3, plain(point.title, 46), transform=by_edges, va="bottom", color=INK)
    axes.text(1, y - 0.3, text, transform=by_edges, ha="right", va="bottom", fontsize=10, color=MUTED)


def far_behind(points: Sequence[Point], *, lower_is_better: bool) -> list[Point]:
    """The worst row, where it has no published number and each of its runs would leave less than a quarter of a linear
    scale to all that the others show: runs, intervals and published numbers. None of fewer than four rows, and where
    two are far behind. A logarithmic scale could hold it, and would be laid out for the one row that nobody asks for.
    """
    if len(points) < 4:
        return []
    sign = 1 if lower_is_better else -1
    worst = max(points, key=lambda point: sign * float(np.mean(point.values)))
    marks = [sign * mark for point in points if point is not worst for mark in _marks(point) if math.isfinite(mark)]
    best, reach = min(marks, default=0.0), max(marks, default=0.0) - min(marks, default=0.0)
    squeezes = reach > 0 and min(sign * value for value in worst.values) - best > 4 * reach
    return [worst] if squeezes and worst.published is None else []


def curves(name: str, bands: Sequence[Band], quantity: str) -> Picture | None:
    """Train and validation loss or error by epoch, mean and range over the seeds; None where nothing was recorded."""
    figure, axes = _blank(4.1)
    heights: list[float] = []
    handles: list[Line2D] = []
    ends: list[str] = []
    for band in bands:
        drawn = False
        for split, dash in (("train", (0, (1, 1.2))), ("validation", "-")):
            x, table = _aligned(band.runs.get(f"{split}_{quantity}", ()))
            if not len(x):
                continue
            mean = table.mean(axis=0)
            main = split == "validation"
            axes.fill_between(x, table.min(axis=0), table.max(axis=0), color=band.style.colour, alpha=0.16, linewidth=0)
            axes.plot(
                *(x, mean), color=band.style.colour, linestyle=dash, linewidth=2 if main else 1.6,
                marker=band.style.marker if main else None, markevery=max(1, len(x) // 6),
            )  # fmt: skip
            heights += [float(table.min()), float(table.max())]
            if main:
                ends.append(f"{band.title} ends at {_value(quantity)(mean[-1])}")
            drawn = True
        if drawn:
            label = plain(band.title)
            handles.append(Line2D([], [], color=band.style.colour, marker=band.style.marker, label=label))
    if not handles:
        return None
    axes.set(xlabel="epoch", ylabel=quantity)
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _scale(axes.yaxis, heights, percent=named(quantity).percent)
    splits = [
        Line2D([], [], color=MUTED, label="validation"),
        Line2D([], [], color=MUTED, linestyle=(0, (1, 1.2)), label="train"),
    ]
    # Two columns: methods on the left, splits on the right, the shorter one filled up.
    blank = [Line2D([], [], linestyle="none", label=" ")]
    n = max(len(handles), len(splits))
    legend = handles + blank * (n - len(handles)) + splits + blank * (n - len(splits))
    figure.legend(handles=legend, loc="outside lower left", ncols=2)
    return Picture(
        *(name, f"Learning curves: {quantity}"),
        caption="Lines are means over the seeds, bands reach from the smallest to the largest run.",
        alt=f"Train and validation {quantity} by epoch. On validation data, {'; '.join(ends) or 'nothing recorded'}.",
        figure=figure,
    )


@dataclass(frozen=True)
class Grid:
    """What a row's choice of a parameter tried: its steps, and the value that was chosen.

    others: the chosen values of the other parameters, at which these results are.
    """

    steps: Sequence[Step]
    chosen: float | None
    row: Point
    others: Mapping[str, float] = field(default_factory=dict)

    def where_published(self, parameter: str, metric: Metric) -> str:
        """In words: at which values the published number comes out; "" where nothing was published."""
        if self.row.published is None:
            return ""
        published = Published(self.row.published, self.row.unit, self.row.printed)
        return where_published(words(parameter), self.steps, published, metric.show, self.chosen)


def choice_path(name: str, parameter: str, grid: Grid, metric: Metric) -> Picture:
    """Validation and test results over the grid of a choice, the chosen value, and the published number as a line.

    Values at which a run failed, and which the rule therefore leaves out, are crosses at the upper edge.
    """
    row, called = grid.row, words(parameter)
    figure, axes = _blank(4.1)
    _scale(axes.yaxis, _draw_grid(axes, grid, metric), percent=metric.percent)
    axes.set(xlabel=plain(called), ylabel=metric.words)
    figure.legend(loc="outside lower left", ncols=2)
    sentence = at_the_end(grid.steps, grid.chosen)
    if clause := grid.where_published(parameter, metric):
        sentence = f"{sentence} The published {clause}.".strip()
    if grid.others:
        held = " and ".join(f"{words(other)} {short(value)}" for other, value in grid.others.items())
        sentence = f"All at {held}. {sentence}".strip()
    return Picture(
        *(name, f"{row.title}: {metric.words} against {called}"),
        caption=f"Means with one standard error; the band is the range of the test results. {sentence}".strip(),
        alt=f"Validation and test {metric.words} of {row.title} against {called}"
        + (f"; {short(grid.chosen)} is chosen. " if grid.chosen is not None else ". ")
        + sentence,
        figure=figure,
    )


def choice_paths(name: str, grids: Sequence[tuple[str, Grid]], metric: Metric) -> Picture:
    """The grids of several choices, each with the name of its parameter: a panel for each, on one scale."""
    ends = [grid.row.title for _, grid in grids if is_an_end(grid.steps, grid.chosen)]
    caption = "Means with one standard error; the band is the range of the test results."
    if any(grid.others for _, grid in grids):
        caption += " Of a method that chose several parameters the others are held at their chosen values."
    if ends:
        caption += (
            f" Chosen at an end of its grid, beyond which a better one may lie: {', '.join(dict.fromkeys(ends))}."
        )
    for parameter, grid in grids:
        if clause := grid.where_published(parameter, metric):
            caption += f" {grid.row.title}: the published {clause}."
    chosen = [f"{grid.row.title} {words(p)} {short(grid.chosen)}" for p, grid in grids if grid.chosen is not None]
    return Picture(
        *(name, "How parameters were chosen"),
        caption=caption,
        alt=f"Validation and test {metric.words} against each parameter that was chosen. Chosen: {'; '.join(chosen)}.",
        figure=_paths_figure(grids, metric, columns=3),
        projected=partial(_paths_figure, grids, metric, columns=4) if len(grids) > 3 else None,
    )


def _paths_figure(grids: Sequence[tuple[str, Grid]], metric: Metric, *, columns: int) -> Figure:
    lines = -(-len(grids) // columns)
    figure = blank(0.5 * columns * WIDTH, 0.6 + 2.4 * lines)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False)
    heights: list[float] = []
    for axes, (parameter, grid) in zip(panels.flat, grids, strict=False):
        heights += _draw_grid(axes, grid, metric)
        title = textwrap.wrap(plain(grid.row.title), 26, max_lines=2, placeholder=" …")
        axes.set_title("\n".join(title), loc="left", fontsize=11, color=INK)
        axes.set_xlabel(plain(words(parameter), 26))
        axes.tick_params(axis="x", labelsize=9, labelrotation=40 if len(grid.steps) > 5 else 0)
    for line in panels:
        line[0].set_ylabel(metric.words)
    for axes in panels.flat[len(grids) :]:
        axes.axis("off")
    _scale(panels[0, 0].yaxis, heights, percent=metric.percent)
    about = [
        Line2D([], [], color=MUTED, marker="s", label=f"test {metric.words}"),
        Line2D([], [], color=MUTED, marker="o", linestyle="--", fillstyle="none", label=f"validation {metric.words}"),
        Line2D([], [], color=INK, linestyle=(0, (5, 2)), linewidth=1.2, label="chosen"),
    ]
    if any(grid.row.published is not None for _, grid in grids):
        about.append(Line2D([], [], color=WRONG, linewidth=1.6, label="published"))
    if any(step.failed for _, grid in grids for step in grid.steps):
        about.append(Line2D([], [], color=WRONG, marker="x", markersize=9, mew=2.5, linestyle="none", label=FAILED))
    figure.legend(handles=about, loc="outside lower left", ncols=4)
    return figure


def _draw_grid(axes: Axes, grid: Grid, metric: Metric) -> list[float]:
    """The results of a choice by its values; the heights that the scale has to hold."""
    steps, row = grid.steps, grid.row
    positive = [step.value for step in steps if step.value > 0]
    at = {step.value: step.value if step.value > 0 else min(positive, default=1.0) / 10 for step in steps}
    heights: list[float] = []
    for split, look in (
        ("test", {"marker": row.style.marker, "linestyle": "-"}),
        ("validation", {"marker": "o", "linestyle": "--", "markerfacecolor": "none"}),
    ):
        runs = [(at[step.value], np.asarray(getattr(step, split), dtype=float)) for step in steps]
        runs = [(x, values) for x, values in runs if len(values)]
        if not runs:
            continue
        xs, means = [x for x, _ in runs], [values.mean() for _, values in runs]
        slack = [values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0 for _, values in runs]
        axes.errorbar(*(xs, means, slack), color=row.style.colour, capsize=3, label=f"{split} {metric.words}", **look)  # type: ignore[arg-type]
        if split == "test":
            low, high = [values.min() for _, values in runs], [values.max() for _, values in runs]
            axes.fill_between(xs, low, high, color=row.style.colour, alpha=0.16, linewidth=0)
        heights += [float(values.min()) for _, values in runs] + [float(values.max()) for _, values in runs]
    if grid.chosen is not None and grid.chosen in at:
        label = f"chosen: {short(grid.chosen)}"
        axes.axvline(at[grid.chosen], color=INK, linewidth=1.2, linestyle=(0, (5, 2)), label=label)
    if row.published is not None:
        axes.axhline(row.published, color=WRONG, linewidth=1.6, label=f"published: {row.printed}")
        heights.append(row.published)
    if out := [at[step.value] for step in steps if step.failed]:
        axes.plot(
            *(out, [1.0] * len(out), "x"), transform=axes.get_xaxis_transform(), color=WRONG, markersize=9,
            markeredgewidth=2.5, linestyle="none", clip_on=False, label=FAILED,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(list(at.values()), [short(value) for value in at])
    axes.tick_params(axis="x", which="minor", bottom=False)
    axes.grid(axis="y")
    return heights


def at_the_end(steps: Sequence[Step], chosen: float | None) -> str:
    """In words: that the chosen value is the grid's first or last; "" where it is not."""
    if not is_an_end(steps, chosen):
        return ""
    return "The chosen value is an end of the grid; beyond it may lie a better one."


def confusion(name: str, title: str, counts: Floats, classes: Sequence[str]) -> Picture:
    """Predicted against true class; errors shaded by their share, the diagonal only as pale numbers."""
    k = len(classes)
    wrong, texts = np.where(np.eye(k, dtype=bool), 0.0, counts), count_texts(counts)
    figure, axes = _blank(0.42 * k + 1.2)
    worst = wrong.max() or 1.0
    cells = [(int(i), int(j)) for i, j in np.argwhere(wrong)]
    squares = [[(j - 0.5, i - 0.5), (j + 0.5, i - 0.5), (j + 0.5, i + 0.5), (j - 0.5, i + 0.5)] for i, j in cells]
    shades = [(WRONG, round(0.08 + 0.6 * float(wrong[cell]) / worst, 3)) for cell in cells]
    axes.add_collection(PolyCollection(squares, facecolors=shades, linewidths=0))
    for i in range(k):
        for j in range(k):
            if texts[i][j]:
                weight, colour = ("normal", MUTED) if i == j else ("bold", INK)
                text = axes.text(j, i, texts[i][j], ha="center", va="center", fontsize=9, color=colour)
                text.set(fontweight=weight, in_layout=False)
    labels = [plain(label, 12) for label in classes]
    turned = max(map(len, labels)) > 3
    axes.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), xlabel="predicted", ylabel="true")
    axes.set_xticks(range(k), labels, rotation=40 if turned else 0, ha="right" if turned else "center")
    axes.set_yticks(range(k), labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(k - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(k - 1) + 0.5, minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(which="minor", color=RULE)
    return Picture(name, f"Confusions of {title}", "", confusion_alt(title, counts, classes), figure)


def confusion_alt(title: str, counts: Floats, classes: Sequence[str]) -> str:
    """The three commonest confusions, in words."""
    wrong = np.where(np.eye(len(classes), dtype=bool), 0.0, counts)
    worst = [divmod(int(i), len(classes)) for i in np.argsort(-wrong, axis=None, kind="stable")[:3]]
    texts = count_texts(counts)
    named = [f"{classes[i]} taken for {classes[j]} ({texts[i][j]})" for i, j in worst if wrong[i, j]]
    return f"Confusions of {title}: " + (f"most often {', '.join(named)}." if named else "none.")


def count_texts(counts: Floats) -> list[list[str]]:
    """Counts as they are shown: nothing for none, one decimal below ten where they are means over runs."""
    whole = bool((counts == np.rint(counts)).all())
    return [["" if not c else f"{c:.0f}" if whole or c >= 9.95 else f"{c:.1f}" for c in line] for line in counts]


def blank(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, with a margin that keeps letters off its edge."""
    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))


def _blank(height: float) -> tuple[Figure, Axes]:
    figure = blank(WIDTH, height)
    return figure, figure.add_subplot()


def _value(quantity: str) -> Callable[[float], str]:
    return named(quantity).show


def _marks(point: Point) -> list[float]:
    return [*point.values, point.low, point.high, *([] if point.published is None else [point.published])]


def _scale(axis: Axis, values: Sequence[float], *, percent: bool) -> None:
    """Percent for errors; logarithmic where the values span more than a factor of six and none is zero."""
    finite = [value for value in values if math.isfinite(value)]
    form: Callable[[float], str] = lambda v: f"{100 * v:.6g}%" if percent else f"{v:.6g}"  # noqa: E731
    if finite and min(finite) > 0 and max(finite) > 6 * min(finite):
        axes: Axes = axis.axes
        (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))


def _aligned(runs: Sequence[Sequence[tuple[float, float]]]) -> tuple[Floats, Floats]:
    """The epochs that every run recorded, and the runs' values there: (epochs,) and (runs, epochs)."""
    tables = [{x: y for x, y in run if math.isfinite(y)} for run in runs if run]
    common = sorted(set.intersection(*map(set, tables))) if tables else []
    return np.array(common), np.array([[table[x] for x in common] for table in tables], dtype=float)
