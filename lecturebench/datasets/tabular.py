"""From the rows of a user's table, whichever file they came from, to a dataset: target, split, features, in that order.

Nothing is guessed by position. What a name decides is said in the notes, and what nobody said is refused with the way
to say it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lecturebench.datasets import digests, labels
from lecturebench.datasets.categories import MOST_CATEGORIES, categories
from lecturebench.datasets.columns import Columns, targets, task_of
from lecturebench.datasets.decoded import SPLITS, Split
from lecturebench.datasets.description import Described, described_as
from lecturebench.datasets.spelling import Spelling
from lecturebench.datasets.splits import every_fifth
from lecturebench.datasets.written import NUMBER, look_alikes, twins
from lecturebench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

TARGETS = ("label", "class", "target")
CELLS = 2_000_000  # of a piece: 100 MB while it is typed
BY_HASH = "every fifth row by hash is for test"


@dataclass(frozen=True)
class Rows:
    """The rows of a table. names: of all columns. pieces: frames of some rows each, with these columns.

    where: says in words where the i-th row is. target: the column that the file itself says is to be predicted.
    """

    names: tuple[str, ...]
    pieces: Iterable[pd.DataFrame]
    where: Callable[[int], str]
    target: str | None = None
    notes: tuple[str, ...] = ()


def decoded(spelling: Spelling, rows: Rows) -> Described:
    """The dataset of a table. UsageError names the column and the row of what is wrong."""
    return _Table(spelling, rows).decoded()


def plain(name: str) -> str:
    """A column's name without case and leading marks, as `TARGETS` has them."""
    return re.sub(r"^[\W_]+", "", name.casefold()).strip()


class _Table:
    def __init__(self, spelling: Spelling, rows: Rows) -> None:
        self.spelling, self.rows, self.names = spelling, rows, rows.names
        self.place = Path(f"{spelling.form}:{spelling.place}")
        self.notes = list(rows.notes)

    def decoded(self) -> Described:
        import pandas as pd

        for i, name in enumerate(self.names):
            if "\0" in name:
                self._fail(f"column {i + 1}, {name!r}, holds the character NUL; is the file text in UTF-8?")
        split = self._split_column()
        target = self._target(split)
        features = [name for name in self.names if name not in (target, split)]
        if not features:
            self._fail(f"its columns are {', '.join(self.names)}; expected a target and at least one feature")
        columns = Columns(features, self.rows.where, self._fail)
        aside: dict[str, list[pd.Series]] = {name: [] for name in (target, split) if name}
        for piece in self.rows.pieces:
            columns.add(piece.loc[:, features])
            for name, kept in aside.items():
                kept.append(piece[name])
        if columns.rows < 2:
            self._fail(f"it has {columns.rows} rows; a table needs at least two")
        cells = pd.concat(aside[target])
        task = task_of(cells, self.spelling.options.get("task"))
        y = targets(target, cells, task, self.rows.where, self._fail)
        pieces, texts = columns.numbers(), columns.texts()
        parts = self._drawn(pieces, texts, y) if split is None else self._split(split, pd.concat(aside[split]))
        if not all(map(len, parts)):
            self._fail(f"{len(parts[0])} rows for train and {len(parts[1])} for test; both need some")
        y_parts = [y[part] for part in parts]
        is_image = self.spelling.image is not None
        if split is None and (is_image or labels.task_of(self.place, y_parts, task) == "classification"):
            labels.check_drawn(self.place, y, parts, "give a column split with train and test")
        about: dict[str, Any] = {"target": target, "split": BY_HASH if split is None else f"by column {split!r}"}
        if is_image:
            X = self._images(features, columns, pieces, parts)
            dataset = labels.images(self.place, X, y_parts, task)
        else:
            X, names, about["categories"] = self._table(features, pieces, texts, parts)
            dataset = labels.table(self.place, X, y_parts, names, task)
        if task != self.spelling.options.get("task") and all(map(NUMBER.fullmatch, dataset.classes)):
            self.notes.append(
                "The file says that the target is categories: these are classes, though they are numbers."
            )
        doubts = labels.notes(dataset, about.get("categories"))
        return described_as(dataset, **about, notes=[*self.notes, *doubts])

    def _split_column(self) -> str | None:
        """The column that says train or test: the one that was said, else one of that name."""
        if "split" in self.spelling.options:
            return self._column("split")
        named = [name for name in self.names if plain(name) == "split"]
        if len(named) > 1:
            self._fail(f"columns {_quoted(named)} may both say what is for test: say {self._say(split=named[0])}")
        return named[0] if named else None

    def _target(self, split: str | None) -> str:
        """The column to predict: the one that was said, else the file's own, else the only one of such a name."""
        if "target" in self.spelling.options:
            return self._column("target", but=split)
        if self.rows.target is not None:
            return self.rows.target
        named = [name for name in self.names if plain(name) in TARGETS and name != split]
        if len(named) > 1:
            self._fail(f"columns {_quoted(named)} may all be the target: say {self._say(target=named[0])}")
        if not named:
            others = [name for name in self.names if name != split]
            shown = (
                f"{_quoted(others[:3])}{', …' if len(others) > 4 else ','} {others[-1]!r}" if len(others) > 3 else ""
            )
            self._fail(
                f"no column is called {', '.join(TARGETS[:-1])} or {TARGETS[-1]} (it has {shown or _quoted(others)}): "
                f"say which is the target, as in {self._say(target=others[-1] if others else 'NAME')}"
            )
        self.notes.append(f"The target is column {named[0]!r} by its name.")
        return named[0]

    def _column(self, option: str, but: str | None = None) -> str:
        """The column that an option names."""
        name = self.spelling.options[option]
        if name not in self.names:
            close = get_close_matches(name, self.names, n=1, cutoff=0.5)
            several = f"{_quoted(self.names[:8])}{f' and {len(self.names) - 8} more' if len(self.names) > 8 else ''}"
            self._fail(
                f"no column {name!r}, which {option}= names; it has {several}"
                f"{f'; did you mean {close[0]!r}?' if close else ''}"
            )
        if name == but:
            self._fail(f"column {name!r} cannot be both target and split")
        return name

    def _split(self, name: str, cells: pd.Series) -> list[np.ndarray]:
        """Positions of train and test as the column says, each in the order of the file."""
        said = [str(cell).strip().casefold() for cell in cells.astype(object)]
        i = next((i for i, cell in enumerate(said) if cell not in (*SPLITS, *labels.VALIDATION)), None)
        if i is not None:
            self._fail(
                f"column {name!r}, {self.rows.where(i)}: {str(cells.iloc[i])!r} is neither train nor test; write "
                "one of both, or leave such rows out; rename the column if it is a feature"
            )
        n = sum(cell in labels.VALIDATION for cell in said)
        if n:
            self.notes.append(f"{n:,} rows for validation go to train: each method holds out its own.")
        is_test = np.array([cell == "test" for cell in said])
        return [np.flatnonzero(~is_test), np.flatnonzero(is_test)]

    def _drawn(self, pieces: list[np.ndarray], texts: dict[str, np.ndarray], y: np.ndarray) -> list[np.ndarray]:
        """Positions of train and every fifth row by hash, each in the order of the file."""
        codes = y if y.dtype.kind == "f" else np.unique(y, return_inverse=True)[1]
        hashes: list[bytes] = []
        for piece in pieces:
            hashes += digests.example_hashes(Split(piece, codes[len(hashes) : len(hashes) + len(piece)]))
        if texts:
            cells = zip(*texts.values(), strict=True)
            hashes = [
                hashlib.sha256(known + "\0".join(row).encode()).digest()
                for known, row in zip(hashes, cells, strict=True)
            ]
        return [np.sort(part) for part in every_fifth(hashes)]

    def _table(
        self,
        features: Sequence[str],
        pieces: list[np.ndarray],
        texts: dict[str, np.ndarray],
        parts: Sequence[np.ndarray],
    ) -> tuple[list[np.ndarray], tuple[str, ...], dict[str, tuple[str, ...]]]:
        """X of train and test, the names of its columns, and the values of the categories among them."""
        encoded = {name: self._categories(name, cells, parts[0]) for name, cells in texts.items()}
        names: list[str] = []
        starts: dict[str, int] = {}
        for name in features:
            starts[name] = len(names)
            names += [f"{name}={value}" for value in encoded[name][1]] if name in encoded else [name]
        twice = next((name for name, n in Counter(names).items() if n > 1), None)
        if twice is not None:
            self._fail(f"two columns of features would be called {twice!r}, a category among them: rename a column")
        X = [np.empty((len(part), len(names))) for part in parts]
        numbers = [start for name, start in starts.items() if name not in encoded]
        _fill(X, numbers if encoded else slice(None), pieces, parts)
        for name, (columns, values) in encoded.items():
            for part, positions in zip(X, parts, strict=True):
                part[:, starts[name] : starts[name] + len(values)] = columns[positions]
        return X, tuple(names), {name: values for name, (_, values) in encoded.items()}

    def _categories(self, name: str, cells: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        different = sorted(set(cells.tolist()))
        nul = next((value for value in different if "\0" in value), None)
        if nul is not None:
            where = self.rows.where(cells.tolist().index(nul))
            self._fail(f"column {name!r}, {where}: {nul!r} holds the character NUL; is the file text in UTF-8?")
        alike = look_alikes(different)
        numeric = ""
        if 2 * len(alike) > len(different):
            numeric = f"values such as {alike[0]!r} look like numbers or dates: write these as plain numbers"
        if len(different) > MOST_CATEGORIES:
            self._fail(
                f"column {name!r} is text with {len(different):,} different values, say {different[0]!r}; up to "
                f"{MOST_CATEGORIES} become categories: leave it out of the file if it names the rows"
                f"{'; ' + numeric if numeric else ''}"
            )
        columns, values = categories(cells, train)
        alone = sorted({*different} - {*values})
        said = [f"Column {name!r} becomes {len(values)} categories, a column of 0 and 1 for each"]
        if alone:
            said.append(f"test alone has {_quoted(alone[:5])}, which are none of them")
        if numeric:
            said.append(f"{numeric} to have a column of numbers")
        pair = twins(different)
        if pair:
            said.append(f"{pair[0]!a} and {pair[1]!a} are two of them, though they differ only in what is hard to see")
        self.notes.append(f"{'; '.join(said)}.")
        return columns, values

    def _images(
        self, features: Sequence[str], columns: Columns, pieces: list[np.ndarray], parts: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """Images (n, h, w, c) uint8 of columns that are pixels, row by row."""
        assert self.spelling.image is not None
        assert columns.is_text is not None
        said = self.spelling.options["image"]
        if len(features) != np.prod(self.spelling.image):
            self._fail(
                f"image={said} needs {np.prod(self.spelling.image)} columns of pixels besides the target; "
                f"it has {len(features)}, from {features[0]!r} to {features[-1]!r}"
            )
        if columns.is_text.any():
            self._fail(f"image={said}: column {features[int(columns.is_text.argmax())]!r} is text, and no pixels")
        self._check_order(features)
        start = 0
        for piece in pieces:
            if piece.dtype != np.uint8:
                row, column = np.argwhere((piece != np.floor(piece)) | (piece < 0) | (piece > 255))[0].tolist()
                self._fail(
                    f"image={said}: column {features[column]!r}, {self.rows.where(start + row)}: "
                    f"{piece[row, column]:g} is no pixel; pixels are whole numbers from 0 to 255"
                )
            start += len(piece)
        X = [np.empty((len(part), len(features)), dtype=np.uint8) for part in parts]
        _fill(X, slice(None), pieces, parts)
        height, width, channels = self.spelling.image
        self.notes.append(
            f"Columns {features[0]!r} to {features[-1]!r} are the pixels of {height}x{width}x{channels} images, row by "
            "row; they are scaled as images are."
        )
        return [part.reshape(len(part), height, width, channels) for part in X]

    def _check_order(self, features: Sequence[str]) -> None:
        """Columns are called alike but for numbers, and stand in the order of these."""
        called = [re.sub(r"\d+", "#", name) for name in features]
        usual, n = Counter(called).most_common(1)[0]
        said = f"image={self.spelling.options['image']}: "
        if len(features) > n > len(features) / 2:
            odd = next(name for name, stem in zip(features, called, strict=True) if stem != usual)
            pixel = features[called.index(usual)]
            self._fail(
                f"{said}column {odd!r} is not called as {pixel!r} is; leave it out, or rename it if it is a pixel"
            )
        order = [[int(number) for number in re.findall(r"\d+", name)] for name in features]
        i = next((i for i in range(1, len(order)) if order[i] < order[i - 1]), None)
        if i is not None:
            self._fail(
                f"{said}column {features[i]!r} comes after {features[i - 1]!r}; pixels are read row by row as columns "
                "stand: put these in that order, and number them so"
            )

    def _say(self, **options: str) -> str:
        return repr(self.spelling.adding(**options))

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"{self.place}: {why}")


def _fill(X: list[np.ndarray], to: slice | list[int], pieces: list[np.ndarray], parts: Sequence[np.ndarray]) -> None:
    """Write the pieces to the columns of both splits; each is let go once it is written, for the memory."""
    pieces.reverse()
    start = 0
    while pieces:
        piece = pieces.pop()
        for part, positions in zip(X, parts, strict=True):
            low, high = np.searchsorted(positions, (start, start + len(piece)))
            part[low:high, to] = piece[positions[low:high] - start]
        start += len(piece)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
