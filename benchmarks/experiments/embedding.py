"""What an embedding learned: which words lie near each other, and what each word adds to the answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.formulas.words import ASKED, BAD, GOOD, NEAREST, PLAIN, SLIDE, written
from lecturebench import Measured, Trained


def embedded_words(trained: Trained, dataset: Any) -> Measured:
    """A probe of a network that averages the vectors of words, Z = b + B mean E[x], with two outputs.

    words: (30, 2), of each of `GOOD`, `BAD` and `PLAIN` its place on a map: how far it speaks for the second class, by
    (B_2 - B_1)' E, and where it lies in the direction in which these vectors differ most once what goes along with the
    former is taken away. slide: (11,), the former of the words of the slide's sentence. NaN for words that are not in
    the vocabulary. nearest: (4, 5, 24), of `ASKED` the five words of the vocabulary with the largest cosine, as UTF-8
    bytes. right_side: the share of those of `GOOD` and `BAD` that it has on their own side of the vocabulary's mean.
    ValueError unless the classes are neg and pos.
    """
    if tuple(dataset.classes) != ("neg", "pos"):
        raise ValueError(f"classes are {list(dataset.classes)}; words of praise and blame are of reviews, neg and pos")
    vectors, weights, _ = (np.asarray(array, dtype=float) for array in trained.weights)
    places = dataset.numbers
    known = vectors[list(places.values())]  # (words, size)
    direction, middle = weights[:, 1] - weights[:, 0], known.mean(axis=0)
    listed = [*GOOD, *BAD, *PLAIN]
    chosen = np.array([vectors[places[word]] if word in places else np.full(len(middle), np.nan) for word in listed])
    speaks = (chosen - middle) @ direction
    sided = np.concatenate([speaks[: len(GOOD)], -speaks[len(GOOD) : len(GOOD) + len(BAD)]])
    sided = sided[np.isfinite(sided)]
    spoken = [(vectors[places[word]] - middle) @ direction if word in places else np.nan for word in SLIDE]
    return Measured(
        {"right_side": float((sided > 0).mean()) if len(sided) else float("nan")},
        arrays={
            "words": np.column_stack([speaks, _across(chosen - middle, speaks)]),
            "slide": np.array(spoken),
            "nearest": np.array([_nearest(word, known, dataset.vocabulary) for word in ASKED]),
        },
    )


def _across(vectors: np.ndarray, speaks: np.ndarray) -> np.ndarray:
    """The first principal component of what least squares on ``speaks`` leaves of these vectors, which is uncorrelated
    with it; its sign is that of the first word. NaN where a word is unknown.

    Not what is orthogonal to the network's direction: nearly all numbers of a vector go along with praise and blame.
    """
    there = np.isfinite(speaks)
    along = np.full(len(vectors), np.nan)
    if not there.any():
        return along
    known, x = vectors[there] - vectors[there].mean(axis=0), speaks[there] - speaks[there].mean()
    slopes = known.T @ x / (x @ x or 1.0)
    left = known - np.outer(x, slopes)
    along[there] = left @ np.linalg.svd(left, full_matrices=False)[2][0]
    return np.asarray(along * (np.sign(along[there][0]) or 1.0))


def _nearest(word: str, known: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """The words with the largest cosine to this one, as rows of bytes; zeros where the vocabulary lacks it."""
    if word not in names:
        return written([], NEAREST)
    own = names.index(word)
    cosines = known @ known[own] / (np.linalg.norm(known, axis=1) * np.linalg.norm(known[own]))
    cosines[own] = -np.inf
    return written([names[k] for k in np.argsort(-cosines, kind="stable")[: min(NEAREST, len(names) - 1)]], NEAREST)
