"""Random crops by their definition."""

from __future__ import annotations

import numpy as np


def window(image: np.ndarray, padding: int, row: int, column: int, mirrored: int = 0) -> np.ndarray:
    """The crop: the image (h, w, c) with zeros around, of it the window from (row, column) on, mirrored or not.

    crop(x)_ij = padded_(i + row, j + column). Source: He et al. 2016, sec. 4.2.
    """
    height, width = image.shape[:2]
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    cut = padded[row : row + height, column : column + width]
    return np.fliplr(cut) if mirrored else cut
