"""Texts cut into words once, by scikit-learn's tokenizer, and kept in the cache as numbers.

A word is a run of letters, digits and underscores, with what follows an apostrophe inside it ("don't"); capitals count
as small letters, and HTML's line breaks as spaces. Which of the words a method knows is the vocabulary, made of the
training texts that are fitted, alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lecturebench.datasets.cache import root
from lecturebench.datasets.decoded import Dataset
from lecturebench.disk import lock_at, write_whole

WORD = r"(?u)\w+(?:'\w+)*"
BREAK = r"<br\s*/?>"
CUTTING = 1  # raised whenever texts are cut otherwise, so that nothing is left in the cache that older rules made
FORMAT = 1  # raised whenever a file of the cache is written otherwise
PAD, UNKNOWN, FIRST = 0, 1, 2  # places in a vocabulary: no word, a word that is not in it, its most frequent word


@dataclass(frozen=True, eq=False)
class Words:
    """The words of n texts one after the other, as places in a list of names.

    numbers: (words,) int32. offsets: (n + 1,) int64; those of text i are numbers[offsets[i] : offsets[i + 1]].
    """

    numbers: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, texts: np.ndarray) -> np.ndarray:
        """The words of these texts, one after the other."""
        kept = np.zeros(len(self), bool)
        kept[texts] = True
        return np.asarray(self.numbers[np.repeat(kept, np.diff(self.offsets))])


@dataclass(frozen=True, eq=False)
class Cut:
    """A dataset's texts as words. names: every word of either split, sorted."""

    names: Sequence[str]
    train: Words
    test: Words


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words that a method knows, the most frequent first, of equally frequent ones the first in order.

    places: (names,) int32, of every word of the dataset its place, from `FIRST` on, or `UNKNOWN`.
    """

    names: tuple[str, ...]
    places: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the words in their order."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()


@dataclass(frozen=True, eq=False, kw_only=True)
class Numbered(Dataset):
    """A dataset whose texts are numbers of words. vocabulary: the words. first: the number of the first of them."""

    vocabulary: tuple[str, ...]
    first: int = FIRST

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each word; where a text is a row of presences, its column."""
        return {word: number for number, word in enumerate(self.vocabulary, start=self.first)}


@dataclass(frozen=True, eq=False)
class Bucketed:
    """Rows of numbers, each of which is predicted in its own width, so many of its last numbers, and trained on in that
    or, where its batch is filled up, in the next; see `lecturebench.training.bucketing`.

    rows: (n, length), the zeros in front. widths: (n,), from 1 to length.
    """

    rows: np.ndarray
    widths: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, lengths: np.ndarray, bucket: int) -> Bucketed:
        """lengths: (n,), words of each text. Widths are the next multiples of ``bucket``, at most all of a row."""
        buckets = np.maximum(1, -(-lengths // bucket))
        return cls(rows, np.minimum(buckets * bucket, rows.shape[1]))

    @property
    def shape(self) -> tuple[int, None]:
        return len(self.rows), None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.rows.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, examples: Any) -> Bucketed:
        return Bucketed(self.rows[examples], self.widths[examples])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.rows, dtype=dtype)


def words_of(dataset: Dataset) -> Cut:
    """The dataset's texts as words: from the cache, or cut and put there."""
    what = f"{FORMAT} {CUTTING} {WORD} {BREAK} {sorted(dataset.digests.items())}"
    key = hashlib.sha256(what.encode()).hexdigest()[:16]
    path = root() / f"words-{key}.npz"
    if (kept := _read(path)) is not None:
        return kept
    cut = None
    with contextlib.suppress(OSError), _alone(path):  # a cache that cannot be written costs time and nothing else
        if (kept := _read(path)) is not None:  # another process was at it
            return kept
        cut = cut_words(dataset.train.X, dataset.test.X)
        _write(path, cut)
    return cut or cut_words(dataset.train.X, dataset.test.X)


def cut_words(train: Sequence[str], test: Sequence[str]) -> Cut:
    """Texts as words."""
    from sklearn.feature_extraction.text import CountVectorizer

    pause = re.compile(BREAK, re.IGNORECASE)
    words = CountVectorizer(token_pattern=WORD, lowercase=True).build_analyzer()
    seen: dict[str, int] = {}
    drawn = []
    for texts in (train, test):
        numbers, ends = [], [0]
        for i in range(len(texts)):
            numbers += [seen.setdefault(word, len(seen)) for word in words(pause.sub(" ", texts[i]))]
            ends.append(len(numbers))
        drawn.append((np.array(numbers, np.int32), np.array(ends, np.int64)))
    names = sorted(seen)
    order = np.zeros(len(seen), np.int32)
    order[[seen[name] for name in names]] = np.arange(len(names), dtype=np.int32)
    return Cut(names, *(Words(order[numbers], offsets) for numbers, offsets in drawn))


def vocabulary(cut: Cut, train: np.ndarray, size: int) -> Vocabulary:
    """The ``size`` most frequent words of these training texts, or all of them. ValueError where they have none."""
    counts = np.bincount(cut.train.of(train), minlength=len(cut.names))
    chosen = np.argsort(-counts, kind="stable")[:size]
    chosen = chosen[counts[chosen] > 0]
    if not len(chosen):
        raise ValueError(f"the {len(train)} texts that are fitted have no word: no vocabulary can be made of them")
    places = np.full(len(cut.names), UNKNOWN, np.int32)
    places[chosen] = np.arange(FIRST, FIRST + len(chosen), dtype=np.int32)
    return Vocabulary(tuple(cut.names[i] for i in chosen), places)


def in_rows(words: Words, places: np.ndarray, length: int, *, last: bool, in_front: bool) -> np.ndarray:
    """Each text's ``last`` or first words as a row of places: (n, length) int32, `PAD` in front or behind.

    A text without a word is a row of `PAD`.
    """
    lengths = np.minimum(np.diff(words.offsets), length)
    begins = words.offsets[1:] - lengths if last else words.offsets[:-1]
    column = np.arange(length)
    shifted = column - (length - lengths)[:, None] if in_front else np.broadcast_to(column, (len(words), length))
    real = (shifted >= 0) & (shifted < lengths[:, None])
    rows = np.full((len(words), length), PAD, np.int32)
    rows[real] = places[words.numbers[(begins[:, None] + shifted)[real]]]
    return rows


def presence(words: Words, places: np.ndarray, size: int) -> np.ndarray:
    """Which words of the vocabulary each text has: (n, size) of 0 and 1, bytes; unknown words count nowhere."""
    text = np.repeat(np.arange(len(words)), np.diff(words.offsets))
    column = places[words.numbers] - FIRST
    found = np.zeros((len(words), size), np.uint8)
    found[text[column >= 0], column[column >= 0]] = 1
    return found


def joined(cut: Cut, words: Words) -> np.ndarray:
    """The texts again, of words with a space between them: (n,) of str, as scikit-learn's vectorisers take them."""
    names = np.array(cut.names, dtype=object)
    texts = np.empty(len(words), dtype=object)
    for i, (begin, end) in enumerate(zip(words.offsets[:-1], words.offsets[1:], strict=True)):
        texts[i] = " ".join(names[words.numbers[begin:end]])
    return texts


def _read(path: Path) -> Cut | None:
    """What is in the cache, or None where it is not there or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            written = saved["names"].tobytes().decode()
            names = written.split("\n") if written else []
            splits = [Words(saved[f"{split}_numbers"], saved[f"{split}_offsets"]) for split in ("train", "test")]
    except Exception:  # whatever a damaged file makes the reader say, it is cut anew
        return None
    fits = all(
        len(words.offsets) and words.offsets[-1] == len(words.numbers) and words.numbers.max(initial=-1) < len(names)
        for words in splits
    )
    return Cut(names, *splits) if fits else None


def _write(path: Path, cut: Cut) -> None:
    """Whole or not at all."""
    arrays = {"names": np.frombuffer("\n".join(cut.names).encode(), np.uint8)}
    for split, words in (("train", cut.train), ("test", cut.test)):
        arrays |= {f"{split}_numbers": words.numbers, f"{split}_offsets": words.offsets}
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_whole(path, content.getvalue())


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Alone with this file of the cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_at(path.with_name(f".{path.name}.lock")):
        yield
