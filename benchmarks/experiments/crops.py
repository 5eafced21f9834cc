"""What random crops make of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.formulas.crops import window
from lecturebench import Measured


def contact_sheet(dataset: Any, rng: np.random.Generator, *, paddings: tuple[int, ...], epochs: int) -> Measured:
    """An image of each class, at most ten, and its crops in the first epochs, each shifted another way.

    crops: (classes, 1 + paddings * epochs, height, width) bytes, colours as their mean; the first column are the images
    as they are. lost: which share of an image's brightness the crops cut away on average.
    """
    labels = np.asarray(dataset.train.y)
    firsts = [int(np.argmax(labels == label)) for label in np.unique(labels)[:10]]
    sheet, lost = [], []
    for image in np.asarray(dataset.train.X[firsts], dtype=float) * (255 / dataset.scale):
        line = [image]
        for padding in paddings:
            for row, column in rng.integers(0, 2 * padding + 1, (epochs, 2)):
                line.append(window(image, padding, int(row), int(column)))
                lost.append(1 - line[-1].sum() / image.sum())
        sheet.append(line)
    return Measured({"lost": float(np.mean(lost))}, arrays={"crops": np.rint(np.mean(sheet, axis=-1)).astype(np.uint8)})
