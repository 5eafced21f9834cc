"""Images whose pixels changed places."""

from __future__ import annotations

from typing import Any

import numpy as np

from lecturebench import Measured, ShuffledPixels

CLASSES = 8  # drawn at most


def shuffled_sheet(dataset: Any, rng: np.random.Generator, *, view: ShuffledPixels) -> Measured:
    """An image of each class as it is, and as ``view`` shows it.

    images: (2, classes, height, width) bytes, colours as their mean. neighbours: the mean absolute difference of pixels
    side by side after shuffling, divided by that before.
    """
    labels = np.asarray(dataset.train.y)
    firsts = [int(np.argmax(labels == label)) for label in np.unique(labels)[:CLASSES]]
    both = [
        np.asarray(each.train.X[firsts], dtype=float).mean(axis=-1) * (255 / dataset.scale)
        for each in (dataset, view.see(dataset, np.array(firsts)))
    ]
    before, after = (float(np.abs(np.diff(images, axis=2)).mean()) for images in both)
    return Measured({"neighbours": after / before}, arrays={"images": np.rint(both).astype(np.uint8)})
