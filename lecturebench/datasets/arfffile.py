"""Reads a user's ARFF file: its header by SciPy, its rows as text by Python's reader of CSV, a line each."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from lecturebench.datasets.columns import INFINITE
from lecturebench.datasets.csvfile import no_utf8
from lecturebench.datasets.description import Described
from lecturebench.datasets.spelling import Spelling
from lecturebench.datasets.tabular import CELLS, Rows, decoded
from lecturebench.datasets.written import NUMBER
from lecturebench.errors import UsageError, one_line

if TYPE_CHECKING:
    import pandas as pd

DATA = re.compile(r"\s*@data\b", re.IGNORECASE)
# A name that SciPy would end at its first blank, and nominal values with what stands behind them: comments, weights.
NAMED = re.compile(r"""(\s*@attribute\s+)"([^"']*)\"""", re.IGNORECASE)
VALUES = re.compile(r"""(\s*@attribute\s+(?:'[^']*'|"[^"]*"|\S+)\s+\{(?:'[^']*'|"[^"]*"|[^'"}])*\}).*""", re.IGNORECASE)
ESCAPED = re.compile(r"\\['\"]")
MISSING = "?"
CONVERT = "make it numeric or nominal, or save the table as CSV"

Lines = Iterator[tuple[int, str]]


def read(spelling: Spelling) -> Described:
    """The table of an ARFF file, with the types that it declares: numbers are numbers, nominal values categories.

    UsageError names the column and the line of what is wrong. SciPy would read the rows too, but with Python's `float`,
    which takes 1_0 for 10, and without a look at what stands behind the last column.
    """
    return _File(spelling).decoded()


class _File:
    def __init__(self, spelling: Spelling) -> None:
        self.spelling, self.path = spelling, spelling.path
        self.lines: list[int] = []  # of each row that was read

    def decoded(self) -> Described:
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                lines = enumerate(file, 1)
                header = self._header(lines)
                attributes = self._attributes(header)
                pieces = self._pieces(attributes, self._rows(lines, len(attributes)))
                return decoded(self.spelling, Rows(tuple(attributes), pieces, lambda i: f"line {self.lines[i]}"))
        except UnicodeDecodeError:
            self._fail(f"it cannot be read as ARFF: {no_utf8(self.path)}; save it in UTF-8")
        except OSError as error:
            self._fail(f"it cannot be read: {error.strerror or error}")

    def _header(self, lines: Lines) -> str:
        """The header without comments and weights, up to the line @data; names are in the quotes that SciPy reads."""
        header = ""
        for i, line in lines:
            if DATA.match(line):
                return f"{header}@data\n"
            if not line.lstrip().startswith("%"):
                self._check_escapes(i, line)
                header += VALUES.sub(r"\1", NAMED.sub(r"\1'\2'", line))
        self._fail("it cannot be read as ARFF: it has no line @data")

    def _attributes(self, header: str) -> dict[str, pd.CategoricalDtype | None]:
        """The columns by name: None for a numeric one, the declared values for a nominal one."""
        import pandas as pd
        from scipy.io import arff as scipy_arff

        try:
            _, meta = scipy_arff.loadarff(io.StringIO(header))
        except NotImplementedError:
            self._fail(f"an attribute is of type string; {CONVERT}")
        except Exception as error:  # SciPy passes on whatever a line makes it stumble over
            self._fail(f"it cannot be read as ARFF: {one_line(error)}")
        attributes: dict[str, pd.CategoricalDtype | None] = {}
        for given in meta:
            name, (kind, values) = _unquoted(given), meta[given]
            if not name or name in attributes:
                self._fail(f"an attribute is {f'called {name!r} twice' if name else 'without a name'}; rename it")
            if kind not in ("numeric", "nominal"):
                self._fail(f"attribute {name!r} is of type {kind}; {CONVERT}")
            values = sorted({MISSING, *map(_unquoted, values or ())})
            attributes[name] = pd.CategoricalDtype(values) if kind == "nominal" else None
        if not attributes:
            self._fail("it cannot be read as ARFF: it has no line @attribute")
        return attributes

    def _pieces(
        self, attributes: dict[str, pd.CategoricalDtype | None], rows: Iterable[list[str]]
    ) -> Iterator[pd.DataFrame]:
        """The rows, so many at once that there are `CELLS`: numbers as text, nominal values as categories."""
        import pandas as pd

        rows, n = iter(rows), max(1, CELLS // len(attributes))
        while piece := list(itertools.islice(rows, n)):
            columns = zip(attributes.items(), zip(*piece, strict=True), strict=True)
            yield pd.DataFrame(
                {
                    name: pd.Series(self._typed(name, declared, cells), dtype=declared or object)
                    for (name, declared), cells in columns
                }
            )

    def _typed(self, name: str, declared: pd.CategoricalDtype | None, cells: Sequence[str]) -> list[str]:
        """The cells of a column without quotes: numbers or declared values; what is missing or infinite is let by."""
        plain = {cell: _unquoted(cell) for cell in set(cells)}
        if declared is not None:
            odd = set(plain.values()).difference(declared.categories)
        else:
            odd = {cell for cell in plain.values() if not (NUMBER.fullmatch(cell) or cell == MISSING)}
            odd = {cell for cell in odd if cell.casefold() not in INFINITE}
        values = [plain[cell] for cell in cells]
        if odd:
            i = next(i for i, cell in enumerate(values) if cell in odd)
            what = "one of the values that are declared for it" if declared is not None else "a number, as is declared"
            line = self.lines[len(self.lines) - len(cells) + i]
            self._fail(f"column {name!r}, line {line}: {values[i]!r} is not {what}; {MISSING} stands for a missing one")
        return values

    def _rows(self, lines: Lines, n: int) -> Iterator[list[str]]:
        """The cells of each row, n of them; comments are left out."""
        delimiter = ""
        for i, line in lines:
            line = line.strip()
            if not line or line.startswith("%"):
                continue
            if line.startswith("{"):
                self._fail(f"line {i}, {line[:40]!r}, is of a sparse table, which is not read; write each row in full")
            self._check_escapes(i, line)
            delimiter = delimiter or ("\t" if "\t" in line and "," not in line else ",")
            self.lines.append(i)
            yield self._cells(i, line, n, delimiter)

    def _cells(self, i: int, line: str, n: int, delimiter: str) -> list[str]:
        """The cells of a row, n of them. Commas stand within quotes of one kind, either: the one that gives n cells.

        If both do, what the wrong one makes is neither a number nor declared, and not let by.
        """
        why = ""
        for quote in ("'", '"'):
            if why and quote not in line:
                break
            try:
                cells = next(
                    csv.reader([line], delimiter=delimiter, quotechar=quote, skipinitialspace=True, strict=True)
                )
            except csv.Error as error:
                why = why or f": {error}; quotes ({quote}) stand around a whole cell"
                continue
            if len(cells) == n:
                return cells
            why = why or f" has {len(cells)} cell{'s' if len(cells) > 1 else ''}, and the header {n} attributes"
        self._fail(f"line {i}{why}")

    def _check_escapes(self, i: int, line: str) -> None:
        if ESCAPED.search(line):
            self._fail(f"line {i} has a quote after a backslash, which SciPy does not read; leave such quotes out")

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"arff:{self.path}: {why}")


def _unquoted(cell: str) -> str:
    """A name or value without blanks, and quotes of either kind, around it."""
    cell = cell.strip()
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"" else cell
