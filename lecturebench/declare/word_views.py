"""What a method sees of texts: words by their places in a vocabulary, which words there are, or the words themselves.

All are made of the same words, see `lecturebench.datasets.words`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lecturebench.declare.views import View

if TYPE_CHECKING:
    import numpy as np

    from lecturebench.datasets import Dataset
    from lecturebench.datasets.words import Cut, Vocabulary


@dataclass(frozen=True)
class WordView(View):
    """Something to see of texts. shape: of what a text becomes, () for one that stays text, None where it differs."""

    kind: ClassVar[Any] = "text"

    @property
    def shape(self) -> tuple[int | None, ...]:
        return ()


@dataclass(frozen=True)
class WordIndices(WordView):
    """Each text as a row of ``length`` numbers, its words' places in a vocabulary: what an embedding takes.

    vocabulary: so many words, the most frequent of the training texts that are fitted, numbered from 2 on. 0 fills up,
    and 1 stands for every other word, so an embedding has vocabulary + 2 rows. keep: of a longer text the "last" words,
    or the "first". pad: of a shorter one zeros in "front", or "behind". The defaults are those of Keras'
    ``pad_sequences``, and so of most published protocols. bucket: a text is filled up to the next multiple of so many
    words, and not to ``length``, and batches are of texts of one width; None fills all up.
    """

    vocabulary: int = 10_000
    length: int = 500
    keep: Literal["last", "first"] = "last"
    pad: Literal["front", "behind"] = "front"
    bucket: int | None = None

    def __post_init__(self) -> None:
        _whole("vocabulary", self.vocabulary)
        _whole("length", self.length)
        if self.keep not in ("last", "first"):
            raise ValueError(f"keep is {self.keep!r}; it must be 'last' or 'first'")
        if self.pad not in ("front", "behind"):
            raise ValueError(f"pad is {self.pad!r}; it must be 'front' or 'behind'")
        if self.bucket is not None:
            _whole("bucket", self.bucket)
            if self.pad != "front":
                raise ValueError(f"bucket is {self.bucket!r} and pad {self.pad!r}; of buckets the zeros are in front")

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (self.length if self.bucket is None else None,)

    @property
    def words(self) -> str:
        """How many words, of how many."""
        filled = f", filled up to multiples of {self.bucket}" if self.bucket else ""
        return f"as their {self.keep} {self.length:,} words, of a vocabulary of {self.vocabulary:,}{filled}"

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """Rows (n, length) of int32, or `Bucketed` ones. ValueError where the texts that are fitted have no word."""
        import numpy as np

        from lecturebench.datasets.words import FIRST, Bucketed, in_rows

        cut, known = _known(dataset, train, self.vocabulary)
        how: dict[str, Any] = {"last": self.keep == "last", "in_front": self.pad == "front"}
        rows: list[Any] = [in_rows(words, known.places, self.length, **how) for words in (cut.train, cut.test)]
        if self.bucket is not None:
            lengths = (np.diff(words.offsets) for words in (cut.train, cut.test))
            rows = [Bucketed.of(part, n, self.bucket) for part, n in zip(rows, lengths, strict=True)]
        return _numbered(dataset, rows, known, FIRST)


@dataclass(frozen=True)
class WordPresence(WordView):
    """Each text as 0 and 1: which it has of the most frequent words of the training texts that are fitted."""

    vocabulary: int = 10_000

    def __post_init__(self) -> None:
        _whole("vocabulary", self.vocabulary)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.vocabulary,)

    @property
    def words(self) -> str:
        """Of how many words."""
        return f"as which of {self.vocabulary:,} words they have"

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """Rows (n, words) of bytes. ValueError where the texts that are fitted have no word."""
        from lecturebench.datasets.words import presence

        cut, known = _known(dataset, train, self.vocabulary)
        rows = [presence(words, known.places, self.vocabulary) for words in (cut.train, cut.test)]
        return _numbered(dataset, rows, known, 0)


@dataclass(frozen=True)
class CleanedText(WordView):
    """Each text as its words with a space between them, for scikit-learn's vectorisers, which choose among them."""

    words = "as all of their words"

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """(n,) of str."""
        from lecturebench.datasets.words import CUTTING, joined, words_of

        cut = words_of(dataset)
        train, test = (joined(cut, words) for words in (cut.train, cut.test))
        return replace(
            dataset,
            kind="table",
            train=replace(dataset.train, X=train),
            test=replace(dataset.test, X=test),
            digests=dataset.digests | {"words cut by rules": str(CUTTING)},
        )


def _whole(name: str, value: Any) -> None:
    """ValueError for what is no whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or above")


def _known(dataset: Dataset, train: np.ndarray, size: int) -> tuple[Cut, Vocabulary]:
    from lecturebench.datasets.words import vocabulary, words_of

    cut = words_of(dataset)
    return cut, vocabulary(cut, train, size)


def _numbered(dataset: Dataset, rows: list[Any], known: Vocabulary, first: int) -> Dataset:
    """The dataset with these features of both splits, and the words that they are numbers of, the first ``first``."""
    from lecturebench.datasets.words import Numbered

    train, test = rows
    given = {field.name: getattr(dataset, field.name) for field in fields(dataset)} | {
        "kind": "table",
        "train": replace(dataset.train, X=train),
        "test": replace(dataset.test, X=test),
        "digests": dataset.digests | {"vocabulary": known.digest},
    }
    return Numbered(**given, vocabulary=known.names, first=first)
