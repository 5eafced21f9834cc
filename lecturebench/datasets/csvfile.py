"""Reads a user's CSV file as text, piece by piece, by Arrow; by Python's reader where lines and quotes matter."""

from __future__ import annotations

import csv
import io
import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from lecturebench.datasets.description import Described
from lecturebench.datasets.spelling import Spelling
from lecturebench.datasets.tabular import CELLS, TARGETS, Rows, decoded, plain
from lecturebench.datasets.written import NUMBER
from lecturebench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

BLOCK = 1 << 20  # bytes that Arrow takes apart at once
WIDE = 64  # bytes that a cell may take on average, where rows are so wide that none fits in such a block
SECONDS = 2.0  # between two lines of progress
LONGEST = 1 << 24  # letters of one cell; after a stray quote, more would only be read into memory
SAVE = "save it as CSV in UTF-8"
PACKED = (b"\x1f\x8b", b"PK\3\4")  # how gzip and zip begin
QUOTES = 'is a quote (") missing there, or one too many? Within quotes write it twice'


def read(spelling: Spelling, say: Callable[[str], None]) -> Described:
    """The table of a CSV file. UsageError names the column and the line of what is wrong."""
    usual = csv.field_size_limit(LONGEST)
    try:
        return _File(spelling, say).decoded()
    except UnicodeDecodeError as error:
        why = f"it cannot be read as CSV in UTF-8: {no_utf8(spelling.path)}; {SAVE}"
        raise UsageError(f"csv:{spelling.path}: {why}") from error
    except OSError as error:
        raise UsageError(f"csv:{spelling.path}: it cannot be read: {error.strerror or error}") from error
    finally:
        csv.field_size_limit(usual)


def no_utf8(path: Path) -> str:
    """For a file that is not text in UTF-8: the line and the byte that is not."""
    with path.open("rb") as file:
        for i, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f"line {i} has the byte 0x{line[error.start]:02x}"
    return "it is cut off within a letter"


class _Row(NamedTuple):
    """A row with the line where it begins, the first of the file being 1, and all its lines as they stand there."""

    line: int
    cells: list[str]
    lines: list[str]


class _Blocks(io.FileIO):
    """A file whose pieces never end between CR and LF: Arrow drops the LF, also where both stand within quotes."""

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes at most."""
        block = super().read(size) or b""
        if len(block) > 1 and block.endswith(b"\r"):
            self.seek(-1, io.SEEK_CUR)
            return block[:-1]
        return block


class _File:
    def __init__(self, spelling: Spelling, say: Callable[[str], None]) -> None:
        self.spelling, self.path, self.say = spelling, spelling.path, say
        self.has_header = "header" not in spelling.options
        self.block = BLOCK

    def decoded(self) -> Described:
        self._check_unpacked()
        rows = self._rows()
        if self._has_quotes():
            deque(rows, maxlen=0)  # Arrow takes quotes as they come
            rows = self._rows()
        header = next(rows, None)
        if header is None:
            self._fail("it is empty; expected a header and rows")
        first = [cell.strip() for cell in header.cells]
        second = next(rows, header)  # has as many cells
        self._check_commas(header, " ")
        longest = max(len("".join(row.lines)) for row in (header, second))
        self.block = max(BLOCK, WIDE * len(first), 4 * longest)  # of bytes, a letter has up to four
        names = first if self.has_header else [str(i + 1) for i in range(len(first))]
        if self.has_header:
            self._check(names)
        table = Rows(tuple(names), self._pieces(names), self._where)
        if self.has_header or "target" in self.spelling.options:
            return decoded(self.spelling, table)
        return decoded(self.spelling, self._without_names(first, table))

    def _check_unpacked(self) -> None:
        with self.path.open("rb") as file:
            if file.read(4).startswith(PACKED):
                self._fail(f"it is packed, by gzip or as zip and XLSX are: unpack it first, or {SAVE}")

    def _check_commas(self, header: _Row, marks: str) -> None:
        """The first line has cells with commas between them, and not with one of these marks."""
        text = "".join(header.lines).strip()
        if text.casefold().startswith("sep=") and len(text) <= 5:
            self._fail(f"line {header.line} is {text!r}, which is for Excel alone: delete that line")
        if len(header.cells) == 1 and any(mark in text for mark in marks):
            self._fail(f"it has one column, {text!r}; expected commas between cells")

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
                self._fail(
                    f"column {i + 1} is a second {name!r}; each needs a name of its own. Or is there no header? Say "
                    f"{self.spelling.adding(header='none')!r}"
                )

    def _without_names(self, first: list[str], rows: Rows) -> Rows:
        """Where no column has a name, the target is the last if it alone is text. A first may well be a category."""
        text = [i for i, cell in enumerate(first) if not NUMBER.fullmatch(cell)]
        if text != [len(first) - 1]:
            return rows
        target = rows.names[-1]
        note = f"The target is column {target}, the only one that is text; columns are named by their place."
        return replace(rows, target=target, notes=(note,))

    def _pieces(self, names: list[str]) -> Iterator[pd.DataFrame]:
        """The rows as text, so many at once that there are `CELLS`; blank lines are left out."""
        import pandas as pd
        import pyarrow as pa

        size, at = max(self.path.stat().st_size, 1), time.monotonic()
        read, rows = 0, 0
        for piece in _joined(self._blocks(names), CELLS // len(names)):
            self._check_repeated(names, piece, rows)
            yield piece.to_pandas(types_mapper=pd.ArrowDtype)
            rows += piece.num_rows
            read += piece.nbytes - 3 * piece.num_rows * len(names)  # of a cell: four bytes, where the file has a comma
            if time.monotonic() - at >= SECONDS:
                at = time.monotonic()
                self.say(f"csv:{self.path}: {rows:,} rows read, {min(read / size, 1):.0%} of the file")
        pa.default_memory_pool().release_unused()  # what Arrow keeps of all pieces would come on top of the features

    def _blocks(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows as text, some at once; blank lines are left out."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        try:
            with (
                _Blocks(self.path) as file,
                arrow.open_csv(
                    file,
                    # No threads, so that blocks come in order and one after the other; some 30 are read ahead.
                    arrow.ReadOptions(use_threads=False, block_size=self.block, column_names=names),
                    arrow.ParseOptions(
                        newlines_in_values=True,
                        invalid_row_handler=lambda row: "error" if row.text.strip() else "skip",
                    ),
                    arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
                ) as reader,
            ):
                is_header = self.has_header
                for block in reader:
                    rows = block.slice(1) if is_header and block.num_rows else block
                    is_header = is_header and not block.num_rows
                    if rows.num_rows:
                        yield rows
        except pa.ArrowInvalid as error:
            deque(self._rows(), maxlen=0)  # says which line is wrong
            self._fail(f"it cannot be read as CSV in UTF-8: {error}")

    def _check_repeated(self, names: list[str], piece: pa.Table, before: int) -> None:
        """No row is the header again, as where files were joined. before: how many rows came before."""
        import pyarrow.compute as pc

        if not self.has_header:
            return
        alike = pc.equal(pc.utf8_trim_whitespace(piece.column(0)), names[0])
        for i in pc.indices_nonzero(alike).to_pylist():
            if [cell.as_py().strip() for cell in (column[i] for column in piece.columns)] == names:
                self._fail(f"{self._where(before + i)} is the header again: delete it, as all such lines")

    def _has_quotes(self) -> bool:
        """Whether there is a quote in the file. UsageError for a NUL, which no text has."""
        quotes, lines = False, 1
        with self.path.open("rb") as file:
            while block := file.read(1 << 20):
                if b"\0" in block:
                    lines += block[: block.index(b"\0")].count(b"\n")
                    self._fail(f"line {lines} holds the character NUL: is the file in UTF-16? Then {SAVE}")
                quotes, lines = quotes or b'"' in block, lines + block.count(b"\n")
        return quotes

    def _rows(self) -> Iterator[_Row]:
        """The rows by Python's reader, the header among them; blank lines are none.

        UsageError for a row with other cells than the first, and for quotes that are not around one whole cell.
        """
        lines: list[str] = []

        def kept(file: Iterable[str]) -> Iterator[str]:
            for line in file:
                lines.append(line)
                yield line

        first: _Row | None = None
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(kept(file), strict=True)
            while True:
                lines.clear()
                begin = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    mark = re.search('"([;\t|])', lines[-1]) if first is None else None
                    if mark:
                        self._fail(f"it has {mark[1]!r} between cells; expected commas: save it with commas")
                    self._fail(f"it cannot be read as CSV: line {begin}, {error}; {QUOTES}")
                if not cells or (len(cells) == 1 and cells[0].isspace()):
                    continue
                row = _Row(begin, cells, lines.copy())
                if first is None:
                    first = row
                    self._check_commas(row, ";\t|")
                self._check_row(row, first)
                yield row

    def _check_row(self, row: _Row, first: _Row) -> None:
        n, m = len(row.cells), len(first.cells)
        joined = len(row.lines) > 1
        # A stray quote makes one row of many. Text of several lines is refused too where each has so many commas: as a
        # feature it is hardly ever of use.
        if joined and all(line.count(",") == m - 1 for line in row.lines if line.strip()):
            last = row.line + len(row.lines) - 1
            why = f"lines {row.line} to {last} are one row by their quotes, though each could be one; {QUOTES}"
            self._fail(f"{why}, or put such text on one line")
        if n != m:
            than = "the header" if self.has_header else "the first"
            shown = f" ({_short(row.cells[0])})" if n == 1 else ""
            hint = f"; {QUOTES}" if joined else ""
            if n > m == 1:
                hint = f"; is line {first.line}, {_short(first.lines[0].strip())}, a header? Else delete it"
            self._fail(f"line {row.line} has {n} cell{'s' if n > 1 else ''}{shown}, {than} {m}{hint}")

    def _where(self, i: int) -> str:
        """The line of the i-th row. Arrow counts none, so that the file is read again where something is wrong."""
        return f"line {next(itertools.islice(self._rows(), i + self.has_header, None)).line}"

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"csv:{self.path}: {why}")


def _joined(blocks: Iterable[pa.RecordBatch], n: int) -> Iterator[pa.Table]:
    """The same rows, n at least at once but for the last."""
    import pyarrow as pa

    rows: list[pa.RecordBatch] = []
    for block in blocks:
        rows.append(block)
        if sum(each.num_rows for each in rows) >= n:
            yield pa.Table.from_batches(rows).combine_chunks()
            rows.clear()
    if rows:
        yield pa.Table.from_batches(rows).combine_chunks()


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
