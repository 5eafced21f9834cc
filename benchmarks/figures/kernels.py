"""The slides' kernels on photographs, and the kernels of a first layer before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lecturebench import Series

HEADS = ("photograph", "edge detection", "box blur")
KERNELS = ("", "-1 -1 -1\n-1  8 -1\n-1 -1 -1", "1/9 1/9 1/9\n1/9 1/9 1/9\n1/9 1/9 1/9")
# Of the 9 dimensions of 3 x 3 kernels, those of each kind.
KINDS = {"oriented": ("a direction", 2), "edge": ("edge detection", 1), "blur": ("blur", 1)}


def draw_photographs(figure: Any, rows: Mapping[str, Series]) -> str:
    """Side by side the pictures as they are, their edges and their blur; below the photograph four of the dataset."""
    from lecturebench.report.style import INK, MUTED

    series = rows["photographs"]
    camera, images = series.array("camera")[0], series.array("images")[0]
    above, below = figure.subplots(2, 3)
    for axes, picture in zip(above, camera, strict=True):
        _show(axes, picture)
    for axes, pictures in zip(below, np.moveaxis(images, 1, 0), strict=True):
        _show(axes, _mosaic(pictures))
    for axes, head in zip(above, HEADS, strict=True):
        axes.set_title(head, fontsize=11, color=INK)
    for axes, written in zip(below, KERNELS, strict=True):
        axes.set_xlabel(written, fontsize=10, color=MUTED, family="monospace", labelpad=8)
    kept, black = (float(series.values(name)[0]) for name in ("kept", "black"))
    return (
        f"A man with a camera and {len(images)} images of the dataset, each with its edges and its blur. Edge "
        f"detection leaves {100 * black:.0f}% of the photograph nearly black; blur leaves {100 * kept:.0f}% of the "
        "differences between its neighbouring pixels."
    )


def draw_learned(figure: Any, rows: Mapping[str, Series]) -> str:
    """The kernels of one run before and after training, and every run's shares of energy by kind."""
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.style import INK, MUTED

    pictures, below = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    for axes, series in zip(pictures.subplots(2, 1), rows.values(), strict=True):
        axes.imshow(_sheet(series.array("kernels")[0]), interpolation="none")
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
    handles += axes.plot([], [], "|", color=MUTED, markersize=14, markeredgewidth=1.4, label="by chance")
    below.legend(handles=handles, loc="outside lower left", ncols=3, handletextpad=0.3)
    return f"Kernels of the first layer before and after training. Shares of their energy: {'; '.join(phrases)}."


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


def _mosaic(pictures: Any) -> Any:
    """Four pictures (4, h, w, c) as one of two lines, (2 h + 1, 2 w + 1, 4), with nothing drawn between them."""
    _, height, width, _ = pictures.shape
    mosaic = np.zeros((2 * height + 1, 2 * width + 1, 4), np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // 2 * (height + 1), i % 2 * (width + 1)
        mosaic[top : top + height, left : left + width, :3] = picture
        mosaic[top : top + height, left : left + width, 3] = 255
    return mosaic


def _show(axes: Any, picture: Any) -> None:
    grey = picture.shape[2] == 1
    axes.imshow(picture[:, :, 0] if grey else picture, cmap="gray", vmin=0, vmax=255, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
