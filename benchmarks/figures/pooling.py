"""What max pooling, average pooling and stride let through, and what they change in a network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from lecturebench.report.stock import Draw, Rows

if TYPE_CHECKING:
    from lecturebench import Series

HEADS = ("before", "every second", "max", "average")
# By figure and panel: the number, the suffix of its rows' names, the panel's title, a factor, how a mean is written.
PANELS = {
    "network": (
        ("error", "", "test error, %", 100, "{:.1f}%"),
        ("changed", "", "shifted: other class, %", 100, "{:.1f}%"),
        ("operations", "", "million operations", 1, "{:.2f}"),
        ("seconds", "", "seconds, 10,000 images", 1, "{:.2f}"),
    ),
    "slides": (
        ("sharpness", "_images", "sharpness: images", 1, "{:.2f}"),
        ("sharpness", "", "sharpness: first layer", 1, "{:.2f}"),
        ("variance", "_variance", "variance: probabilities", 1, "{:.3f}"),
        ("disagreement", "_variance", "variance: other class, %", 100, "{:.1f}%"),
    ),
}


def draw_pictures(figure: Any, rows: Mapping[str, Series]) -> str:
    """Two lines for each image, itself and its edges: before, every second pixel, max, average."""
    from lecturebench.report.style import INK

    [series] = rows.values()
    full, pooled = series.array("full")[0], series.array("pooled")[0]
    lines = [(before, *after) for image in zip(full, pooled, strict=True) for before, after in zip(*image, strict=True)]
    grid = figure.subplots(len(lines), len(HEADS), squeeze=False)
    for line, shown in zip(grid, lines, strict=True):
        for axes, picture in zip(line, shown, strict=True):
            axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="none")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    for axes, head in zip(grid[0], HEADS, strict=True):
        axes.set_title(head, fontsize=11, color=INK)
    for axes, name in zip(grid[:, 0], len(full) * ("image", "its edges"), strict=True):
        axes.set_ylabel(name, fontsize=10)
    return (
        f"{len(full)} images and their edges: before pooling, every second pixel, the maxima and the means of 2 x 2. "
        "Lines stay bright among the maxima and fade among the means."
    )


def draw_measured(panels: str, titles: Mapping[str, str]) -> Draw:
    """A panel for each of those `PANELS`, with a line for each kind of pooling and a dot for each run."""
    return partial(_draw, panels, titles)


def _draw(panels: str, titles: Mapping[str, str], figure: Any, rows: Rows) -> str:
    from matplotlib.ticker import MaxNLocator

    from lecturebench.report.style import INK, MUTED

    phrases = []
    grid = figure.subplots(2, 2, sharey=True)
    for axes, (number, suffix, title, factor, written) in zip(grid.flat, PANELS[panels], strict=True):
        means, furthest = [], 0.0
        for y, name in enumerate(titles):
            style = rows[name].style
            values = factor * rows[name + suffix].values(number)
            furthest = max(furthest, *values)
            axes.plot(values, [y] * len(values), style.marker, color=style.colour, alpha=0.75)
            axes.plot([values.mean()] * 2, [y - 0.3, y + 0.3], color=INK, linewidth=1.6)
            text = written.format(values.mean())
            axes.text(1.03, y, text, transform=axes.get_yaxis_transform(), va="center", color=MUTED, fontsize=10)
            means.append(f"{titles[name]} {text}")
        axes.set(ylim=(len(titles) - 0.4, -0.6), xlim=(0, 1.06 * furthest))
        axes.set_title(title, fontsize=10, color=INK, loc="left")
        axes.set_yticks(range(len(titles)), list(titles.values()))
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        phrases.append(f"{title}: {', '.join(means)}")
    return f"{'; '.join(phrases)}."
