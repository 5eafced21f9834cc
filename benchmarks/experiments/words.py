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
    return weightiest(fit(texts.train.X, np.asarray(texts.train.y), seed=0), texts.train.X)


def weightiest(estimator: Any, texts: np.ndarray) -> Measured:
    """What a fitted linear classifier of two classes behind its vectoriser, `baselines.words`, goes by on these texts.

    A word weighs what it adds to the answer, on average over all texts: its coefficient times the share of the texts
    that have it. The largest coefficients are those of words that hardly a text has.
    words: (2, 12, 24), the words with the smallest weights, for the first class, and with the largest, the weightiest
    first, as UTF-8 bytes; rows of 0 where fewer have any. weights: (2, 12), of these. used: how many words have a
    weight that is not 0. known: how many words there are.
    """
    names, coefficients = estimator.vectoriser.get_feature_names_out(), np.ravel(estimator.model.coef_)
    weights = coefficients * np.ravel(estimator.vectoriser.transform(texts).mean(axis=0))
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
