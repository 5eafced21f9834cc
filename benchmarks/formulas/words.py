"""The words that an embedding is asked about, and how words are written into arrays of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[Any]

# Always the same words, so that figures of different runs can be compared; a vocabulary that lacks one leaves it out.
GOOD = ("best", "excellent", "wonderful", "perfect", "great", "superb", "amazing", "loved", "enjoyable", "brilliant")
BAD = ("worst", "awful", "terrible", "boring", "waste", "poor", "bad", "horrible", "stupid", "dull")
PLAIN = ("film", "movie", "one", "day", "fall", "starts", "story", "the", "and", "of")
SLIDE = ("this", "is", "one", "of", "the", "best", "films", "starts", "one", "fall", "day")
ASKED = ("best", "worst", "funny", "boring")
NEAREST, LETTERS = 5, 24


def spelled(rows: Bytes) -> list[str]:
    """Words of rows of bytes, 0 filling up; the other way round, see `written`."""
    return [bytes(row[row > 0].tolist()).decode(errors="replace") for row in rows]


def written(words: list[str], rows: int) -> Bytes:
    """Words as rows of UTF-8 bytes (rows, `LETTERS`), cut off there; rows without a word are 0."""
    table = np.zeros((rows, LETTERS), np.uint8)
    for row, word in zip(table, words, strict=False):
        letters = word.encode()[:LETTERS]
        row[: len(letters)] = np.frombuffer(letters, np.uint8)
    return table
