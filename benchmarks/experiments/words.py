"""Which words a linear classifier of texts goes by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.words import written
from lecturebench import CleanedText, Measured

if TYPE_CHECKING:
    from lecturebench import Dataset

MOST = 12  # words on each side


def weighed_words(dataset: Dataset, rng: np.random.Generator, fit: Callable[..., Any]) -> Measured:
    """The words that a classifier goes by, fitted on all training texts by ``fit(X, y, seed=0)``; see `weightiest`."""
    texts = CleanedText().see(dataset, np.arange(len(dataset.train.y)))
    return weightiest(fit(texts.train.X, np.asarray(texts.train.y), seed=0))


def weightiest(estimator: Any) -> Measured:
    """What a fitted linear classifier of two classes behind its vectoriser, `baselines.words`, goes by.

    words: (2, 12, 24), the words with the smallest coefficients, for the first class, and with the largest, the
    weightiest first, as UTF-8 bytes; rows of 0 where fewer have any. weights: (2, 12), their coefficients. used: how
    many words have a coefficient that is not 0. known: how many words there are.
    """
    names, weights = estimator.vectoriser.get_feature_names_out(), np.ravel(estimator.model.coef_)
    order = np.argsort(weights, kind="stable")
    sides = (order[:MOST], order[::-1][:MOST])
    chosen = [side[weights[side] * sign > 0] for side, sign in zip(sides, (-1, 1), strict=True)]
    values = np.zeros((2, MOST))
    for row, side in zip(values, chosen, strict=True):
        row[: len(side)] = weights[side]
    return Measured(
        {"used": float(np.count_nonzero(weights)), "known": float(len(weights))},
        arrays={"words": np.stack([written(list(names[side]), MOST) for side in chosen]), "weights": values},
    )
