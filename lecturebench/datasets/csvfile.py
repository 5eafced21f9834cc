"""Reads a user's CSV file: its header by Python's reader, its rows by pandas as text, piece by piece."""

from __future__ import annotations

import csv
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, TextIO

from lecturebench.datasets.description import Described
from lecturebench.datasets.spelling import Spelling
from lecturebench.datasets.tabular import CELLS, TARGETS, Rows, decoded, plain
from lecturebench.datasets.written import NUMBER
from lecturebench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 2.0  # between two lines of progress


def read(spelling: Spelling, say: Callable[[str], None]) -> Described:
    """The table of a CSV file. UsageError names the column and the line of what is wrong."""
    try:
        with spelling.path.open(encoding="utf-8-sig", newline="") as file:
            return _File(spelling, file, say).decoded()
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"csv:{spelling.path}: it cannot be read as CSV in UTF-8: {error}") from error


class _File:
    def __init__(self, spelling: Spelling, file: TextIO, say: Callable[[str], None]) -> None:
        self.spelling, self.path, self.file, self.say = spelling, spelling.path, file, say
        self.has_header = "header" not in spelling.options

    def decoded(self) -> Described:
        first = [cell.strip() for cell in next(csv.reader(self.file, strict=True), [])]
        if not first:
            self._fail("it is empty; expected a header and rows")
        if not self.has_header:
            self.file.seek(0)
            names = [str(i + 1) for i in range(len(first))]
        else:
            names = first
            self._check(names)
        pieces = self._pieces(names)
        rows = Rows(tuple(names), pieces, self._where)
        if self.has_header or "target" in self.spelling.options:
            return decoded(self.spelling, rows)
        return decoded(self.spelling, self._without_names(first, rows))

    def _check(self, names: list[str]) -> None:
        """The first row is a header: no data, and a name for each column, of its own."""
        target = self.spelling.options.get("target")
        numbers = [name for name in names if NUMBER.fullmatch(name)]
        # pandas writes 0, 1, 2, … over columns without names; with a name for the target beside them it is a header. A
        # target that is said as a number is no name: it may be the place of a column in a file without header.
        said = target in names and target not in numbers
        known = said or any(plain(name) in TARGETS for name in names)
        if numbers and not (known and all(map(str.isdecimal, numbers)) and len({*numbers}) == len(numbers)):
            shown = ", ".join(map(repr, numbers[:3]))
            self._fail(
                f"the first row is numbers ({shown}{', …' if len(numbers) > 3 else ''}): no header? Say "
                f"{self.spelling.adding(header='none')!r}, and &target=N for the N-th column, or name the columns"
            )
        for i, name in enumerate(names):
            if not name:
                self._fail(f"column {i + 1} is without a name: name it, or leave it out if it only counts the rows")
            if name in names[:i]:
                self._fail(f"column {i + 1} is a second {name!r}; each needs a name of its own")
        if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
            self._fail(f"it has one column, {names[0]!r}; expected commas between cells")

    def _without_names(self, first: list[str], rows: Rows) -> Rows:
        """Where no column has a name, the target is the only one that is text, if that is the first or the last."""
        text = [i for i, cell in enumerate(first) if not NUMBER.fullmatch(cell)]
        if text not in ([0], [len(first) - 1]):
            return rows
        target = rows.names[text[0]]
        note = f"The target is column {target}, the only one that is text; columns are named by their place."
        return replace(rows, target=target, notes=(note,))

    def _pieces(self, names: list[str]) -> Iterator[pd.DataFrame]:
        """The rows as text, so many at once that there are `CELLS`; blank lines are left out."""
        import pandas as pd

        size, at, read = self.path.stat().st_size, time.monotonic(), 0
        try:
            with pd.read_csv(
                self.file,
                header=None,
                dtype=object,
                na_filter=False,
                chunksize=max(100, CELLS // len(names)),
            ) as reader:
                for piece in reader:
                    if piece.shape[1] != len(names):
                        self._where(read)  # says so, with the line
                        self._fail(f"its rows have {piece.shape[1]} cells, the header {len(names)}")
                    piece.columns = pd.Index(names)
                    read += len(piece)
                    yield piece
                    if time.monotonic() - at >= SECONDS:
                        at = time.monotonic()
                        share = self.file.buffer.tell() / max(size, 1)
                        self.say(f"csv:{self.path}: {read:,} rows read, {share:.0%} of the file")
        except pd.errors.EmptyDataError:
            self._fail("it has 0 rows; a table needs at least two")
        except pd.errors.ParserError as error:
            if "EOF" not in str(error):
                self._where(None)  # says which line has too many cells
            self._fail(f"it cannot be read as CSV in UTF-8: {error}")

    def _where(self, row: int | None) -> str:
        """The line of the i-th row, the first of the file being line 1. UsageError if a row before has other cells.

        pandas counts no lines and fills up short rows, so that Python's reader is asked where something is wrong.
        """
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            first = next(reader)
            known = [(reader.line_num, first)][self.has_header :]
            others = ((reader.line_num, cells) for cells in reader if "".join(cells).strip() or len(cells) > 1)
            for i, (line, cells) in enumerate(itertools.chain(known, others)):
                if len(cells) != len(first):
                    than = "the header" if self.has_header else "the first"
                    self._fail(f"line {line} has {len(cells)} cells, {than} {len(first)}")
                if i == row:
                    return f"line {line}"
        return f"row {row}"

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"csv:{self.path}: {why}")
