"""The slides' kernels on photographs, and the kernels of a first layer before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.convolution import BLUR, EDGE

if TYPE_CHECKING:
    from lecturebench import Series

HEADS = ("photograph", "edge detection", "box blur")
# Of the 9 dimensions of 3 x 3 kernels, those of each kind.
KINDS = {"oriented": ("oriented", 2), "edge": ("edge detection", 1), "blur": ("blur", 1)}


def draw_photographs(figure: Any, rows: Mapping[str, Series]) -> str:
    """A line for each picture: as it is, its edges, its blur."""
    from lecturebench.report.style import INK, MUTED

    series = rows["photographs"]
    camera, images = series.array("camera")[0], series.array("images")[0]
    lines = [camera, *images]
    grid = figure.subplots(len(lines), 3, height_ratios=[2.1, *[1] * (len(lines) - 1)], squeeze=False)
    for axes, line in zip(grid, lines, strict=True):
        for place, picture in zip(axes, line, strict=True):
            grey = picture.shape[2] == 1
            place.imshow(picture[:, :, 0] if grey else picture, cmap="gray", vmin=0, vmax=255, interpolation="none")
            place.set(xticks=[], yticks=[])
            place.spines[:].set_visible(False)
    for place, head, kernel in zip(grid[0], HEADS, (None, EDGE, BLUR), strict=True):
        place.set_title(head, fontsize=11, color=INK)
        if kernel is not None:
            place.set_xlabel(_written(kernel), fontsize=9, color=MUTED, family="monospace")
    kept, black = (float(series.values(name)[0]) for name in ("kept", "black"))
    return (
        f"A man with a camera and {len(images)} images of the dataset, each with its edges and its blur. Edge "
        f"detection leaves {100 * black:.0f}% of the photograph nearly black; blur leaves {100 * kept:.0f}% of the differences "
        "between its neighbouring pixels."
    )


def draw_learned(figure: Any, rows: Mapping[str, Series]) -> str:
    """The kernels of one run before and after training, and every run's shares of energy by kind."""
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.style import INK, MUTED

    pictures, below = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    for axes, series in zip(pictures.subplots(2, 1), rows.values(), strict=True):
        axes.imshow(_sheet(_kernels(series)), interpolation="none")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_title(series.title, fontsize=11, color=INK, loc="left")
    axes = below.add_subplot()
    phrases = []
    for y, (name, (words, dimensions)) in enumerate(KINDS.items()):
        axes.plot([dimensions / 9] * 2, [y - 0.42, y + 0.42], color=MUTED, linewidth=1.4, zorder=1)
        means = []
        for k, series in enumerate(rows.values()):
            values = series.values(name)
            at = y + 0.36 * (k - 0.5)
            axes.barh(at, values.mean(), 0.3, color=series.style.colour, alpha=0.3, zorder=0)
            axes.plot(values, [at] * len(values), series.style.marker, color=series.style.colour, alpha=0.8)
            means.append(f"{100 * values.mean():.0f}%")
        phrases.append(f"{words} {' before, '.join(means)} after training, {100 * dimensions / 9:.0f}% by chance")
    axes.set_yticks(range(len(KINDS)), [words for words, _ in KINDS.values()])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set(xlabel="share of sum W²", ylim=(len(KINDS) - 0.45, -0.55), xlim=(0, None))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g}%"))
    axes.grid(axis="x")
    handles = [
        axes.plot([], [], series.style.marker, color=series.style.colour, label=series.title)[0]
        for series in rows.values()
    ]
    handles += axes.plot([], [], "|", color=MUTED, markersize=14, markeredgewidth=1.4, label="no order")
    below.legend(handles=handles, loc="outside lower left", ncols=3, handletextpad=0.3)
    return f"Kernels of the first layer before and after training. Shares of their energy: {'; '.join(phrases)}."


def _kernels(series: Series) -> Any:
    """W (3, 3, c, k) of the first run, from its numbers w_a_b_c_k."""
    measured = series.runs[0].metrics["measured"]
    places = {tuple(map(int, name.split("_")[1:])): value for name, value in measured.items() if name.startswith("w_")}
    W = np.zeros([1 + max(indices) for indices in zip(*places, strict=True)])
    for place, value in places.items():
        W[place] = value
    return W


def _sheet(W: Any) -> Any:
    """Kernels as one picture (h, w, 4) of two lines: 0 is grey, the largest |w| of a kernel black or white."""
    kernels = np.moveaxis(W, 3, 0)  # (k, 3, 3, c)
    kernels = np.repeat(kernels, 3, axis=3) if kernels.shape[3] == 1 else kernels
    kernels = 0.5 + kernels / np.abs(kernels).max(axis=(1, 2, 3), keepdims=True) / 2
    across = -(-len(kernels) // 2)
    sheet = np.zeros((2 * 4 - 1, across * 4 - 1, 4))  # transparent between them
    for i, kernel in enumerate(kernels):
        top, left = i // across * 4, i % across * 4
        sheet[top : top + 3, left : left + 3, :3] = kernel
        sheet[top : top + 3, left : left + 3, 3] = 1
    return sheet


def _written(kernel: Any) -> str:
    """A kernel's numbers in three lines."""
    ninths = bool(kernel[0, 0] == kernel[1, 1])
    return "\n".join(" ".join("1/9" if ninths else f"{value:2.0f}" for value in line) for line in kernel)
