"""Columns of text as numbers: one of 0 and 1 for each category."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


# A column of text with more different values than these names the rows and describes nothing.
MOST_CATEGORIES = 100


def categories(values: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """A column of text as one of 0 and 1 for each of its categories, (n, k), and their names in sorted order.

    values: (n,) of str. train: the positions whose values are the categories; a value that only others have is all 0.
    """
    from sklearn.preprocessing import OneHotEncoder  # type: ignore[import-untyped,unused-ignore]

    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    column = values.reshape(-1, 1)
    encoder.fit(column[train])
    return encoder.transform(column), tuple(str(name) for name in encoder.categories_[0])
