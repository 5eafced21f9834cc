"""The strict types of a table's columns, whichever file they came from: numbers, categories, and nothing in between.

Text becomes a number only where it is written as one, and a label only where it is written back the same: `float` and
`int` of Python also take 1_1 for 11, ١ for 1 and 01 for 1, and would merge what differs in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from lecturebench.datasets import labels
from lecturebench.datasets.written import DECIMAL, INTEGRAL, NUMBER, WHOLE

if TYPE_CHECKING:
    import pandas as pd

INFINITE = frozenset(("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))

_TEXT, _NUMBER, _MISSING, _INFINITE = range(4)
SHOWN = 5  # of many that are wrong alike, so many are named

Fail = Callable[[str], NoReturn]
Where = Callable[[int], str]


def is_missing(cell: str, *, declared: bool = False) -> bool:
    """Whether a cell says that there is no value. declared: the file lists the column's values, `none` perhaps."""
    cell = cell.strip().casefold()
    return cell in ("", "?") if declared else cell in labels.MISSING


class Columns:
    """The features of a table, typed as its rows come in, piece by piece.

    where: says in words where the i-th row is, for errors. fail: raises them. A column is numbers or text throughout.
    """

    def __init__(self, names: Sequence[str], where: Where, fail: Fail) -> None:
        self.names, self.where, self.fail = tuple(names), where, fail
        self.rows = 0
        self.is_text: np.ndarray | None = None
        self._first: pd.DataFrame | None = None
        self._numbers: list[np.ndarray] = []
        self._texts: list[np.ndarray] = []

    def add(self, frame: pd.DataFrame) -> None:
        """Take rows of all columns: numbers as they are, anything else as text in strict types."""
        kinds, values = _typed(frame)
        self._check_values(frame, kinds)
        self._check_exact(frame, kinds, values)
        is_text = kinds[0] == _TEXT if self.is_text is None else self.is_text
        mixed = np.argwhere((kinds == _TEXT) != is_text)
        if len(mixed):
            self._fail_mixed(frame, *mixed[0].tolist())
        if self.is_text is None:
            self.is_text, self._first = is_text, frame.iloc[:1].astype(object)  # of itself, for the memory
        self._numbers.append(_compact(values[:, ~is_text]))
        names = frame.columns[is_text]
        texts = [_texts(frame[name]) for name in names]
        self._texts.append(np.array(texts, dtype=object).T.reshape(len(frame), len(names)))
        self.rows += len(frame)

    def numbers(self) -> list[np.ndarray]:
        """The columns of numbers, piece by piece: uint8 where that holds them exactly, else float64; once."""
        pieces, self._numbers = self._numbers, []
        return pieces

    def texts(self) -> dict[str, np.ndarray]:
        """The columns of text by name, each (n,) of str."""
        assert self.is_text is not None
        names = [name for name, is_text in zip(self.names, self.is_text, strict=True) if is_text]
        return dict(zip(names, np.concatenate(self._texts).T, strict=True)) if names else {}

    def _check_values(self, frame: pd.DataFrame, kinds: np.ndarray) -> None:
        """No cell is missing or infinite."""
        bad = np.argwhere(kinds.T >= _MISSING)
        if not len(bad):
            return
        column = int(bad[0, 0])
        rows = bad[bad[:, 0] == column, 1].tolist()
        is_infinite = kinds[rows[0], column] == _INFINITE
        said = "is no finite number" if is_infinite else "is missing"
        name = "" if is_infinite else "; if it is a category, call that otherwise"
        cells = [frame.iat[i, column] for i in rows]
        self.fail(
            f"column {self.names[column]!r}, {places([self.rows + i for i in rows], cells, self.where)} "
            f"{said}; fill it in, or leave such rows or the column out{name}"
        )

    def _check_exact(self, frame: pd.DataFrame, kinds: np.ndarray, values: np.ndarray) -> None:
        """Numbers that differ in the file still do as float64: whole ones always, decimals unless all become one."""
        import pandas as pd

        large = (
            np.zeros(len(kinds.T), dtype=bool) if values.dtype == np.uint8 else (np.abs(values) >= labels.EXACT).any(0)
        )
        constant = (values == values[:1]).all(axis=0)
        for j in np.flatnonzero((large | constant) & (kinds == _NUMBER).all(axis=0)).tolist():
            cells = frame.iloc[:, j]
            if cells.dtype.kind == "f" or (not large[j] and len(pd.unique(cells)) == 1):
                continue  # the file has float64 itself, or one number throughout
            row = inexact([str(cell).strip() for cell in cells], values[:, j])
            if row is not None:
                self.fail(
                    f"column {self.names[j]!r}, {self.where(self.rows + row)}: {_shown(cells.iloc[row])} {INEXACT}"
                )

    def _fail_mixed(self, frame: pd.DataFrame, row: int, column: int) -> NoReturn:
        """For a cell that is not of the kind that the column's first is; text is named as the odd one of both."""
        first = frame if self._first is None else self._first
        here, there = (0, first.iat[0, column]), (self.rows + row, frame.iat[row, column])
        text, number = (here, there) if _cell(here[1])[0] == _TEXT else (there, here)
        as_text = repr(f"n{number[1]!s}")
        self.fail(
            f"column {self.names[column]!r}, {self.where(text[0])}: {_shown(text[1])} is no finite number, while "
            f"{self.where(number[0])} has {_shown(number[1])}; a feature is numbers throughout, or text throughout: "
            f"write such categories all as text, {as_text} for one, or leave the rows or the column out"
        )


def places(rows: Sequence[int], cells: Sequence[Any], where: Where) -> str:
    """Where each of the rows is and what stands there: "line 7: 'NA'", of several "line 7 ('NA'), line 19 ('?')"."""
    if len(rows) == 1:
        return f"{where(rows[0])}: {_shown(cells[0])}"
    shown = [f"{where(row)} ({_shown(cell)})" for row, cell in zip(rows[:SHOWN], cells, strict=False)]
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    return f"{', '.join(shown)}{more}: each"


def inexact(cells: Sequence[str], values: np.ndarray) -> int | None:
    """The first of the cells, all numbers, that its value as float64 does not stand for; None where all do.

    A whole number has to be held exactly. Decimals are rounded, unless cells that differ all become the same.
    """
    for i in np.flatnonzero(np.abs(values) >= labels.EXACT).tolist():
        if INTEGRAL.fullmatch(cells[i]) and Decimal(cells[i]) != Decimal(values[i].item()):
            return i
    if (values == values[0]).all():
        untrapped = Context(traps=[])  # an exponent beyond all bounds is NaN, which equals nothing
        first = Decimal(cells[0], untrapped)
        return next((cells.index(cell) for cell in dict.fromkeys(cells) if Decimal(cell, untrapped) != first), None)
    return None


INEXACT = (
    "cannot be told from its neighbours as a 64-bit float: leave the column out if it is an id, and take away what all "
    "its values have in common if it is a measurement"
)


def task_of(cells: pd.Series, task: str | None) -> str | None:
    """The task that was said, else classification where the file itself says that targets are categories."""
    return task or ("classification" if is_declared(cells) else None)


def is_declared(cells: pd.Series) -> bool:
    """Whether the file itself lists what values a column may have."""
    import pandas as pd

    return isinstance(cells.dtype, pd.CategoricalDtype)


def _texts(cells: pd.Series) -> list[str]:
    """Cells as text, without the blanks around it that nobody declared; what is missing is empty."""
    there = cells.notna().tolist()
    texts = [str(cell) if known else "" for cell, known in zip(cells.astype(object), there, strict=True)]
    return texts if is_declared(cells) else [cell.strip() for cell in texts]


def targets(name: str, cells: pd.Series, task: str | None, where: Where, fail: Fail) -> np.ndarray:
    """The targets of a table (n,): integers or floats where all are, for classification only integers; else text.

    cells: numbers as they are, or text in strict types. A target that is missing is refused, and so is text among
    decimals, or text that was hardly meant as classes (`labels.slip`): it is a slip.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        lost = np.flatnonzero(cells.isna().to_numpy()).tolist()
        if lost:
            fail(f"target {name!r}, {places(lost, ['nan'] * len(lost), where)} is missing; {MEND}")
        y = _native(cells)
        if task == "regression" and y.dtype.kind in "iu":
            _check_exact(name, list(map(str, y.tolist())), y.astype(np.float64), where, fail)
        return y
    texts = _texts(cells)
    lost = [i for i, cell in enumerate(texts) if is_missing(cell, declared=is_declared(cells))]
    if lost:
        fail(f"target {name!r}, {places(lost, [texts[i] for i in lost], where)} is missing; {MEND}")
    nul = next((i for i, cell in enumerate(texts) if "\0" in cell), None)
    if nul is not None:
        fail(f"target {name!r}, {where(nul)}: {texts[nul]!r} holds the character NUL; is the file text in UTF-8?")
    if all(map(WHOLE.fullmatch, texts)) and task != "regression":
        y = _integers(texts)
        if y.dtype.kind == "U" and task is None:
            longest = max(range(len(texts)), key=lambda i: len(texts[i]))
            fail(
                f"target {name!r}, {where(longest)}: {texts[longest]!r} is beyond 64 bits: say ?task=classification if "
                "each is the name of a class; values cannot be told apart so far out"
            )
        return y
    odd = next((i for i, cell in enumerate(texts) if not DECIMAL.fullmatch(cell)), None)
    decimal = next((i for i, cell in enumerate(texts) if DECIMAL.fullmatch(cell) and not WHOLE.fullmatch(cell)), None)
    if task == "classification":
        return np.array(texts)
    if odd is not None and decimal is None and task is None:
        slip = labels.slip(list(dict.fromkeys(texts)))
        if slip:
            fail(f"target {name!r}, {where(texts.index(slip[0]))}: {slip[0]!r} {slip[1]}")
        return np.array(texts)
    if odd is not None:
        why = "task is regression" if decimal is None else f"{where(decimal)} has the decimal {texts[decimal]!r}"
        fail(f"target {name!r}, {where(odd)}: {texts[odd]!r} is no number, while {why}")
    y = np.array(texts, dtype=np.float64)
    if not np.isfinite(y).all():
        odd = int(np.flatnonzero(~np.isfinite(y))[0])
        fail(f"target {name!r}, {where(odd)}: {texts[odd]!r} is no finite number")
    _check_exact(name, texts, y, where, fail)
    return y


def _check_exact(name: str, cells: Sequence[str], y: np.ndarray, where: Where, fail: Fail) -> None:
    row = inexact(cells, y)
    if row is not None:
        fail(f"target {name!r}, {where(row)}: {cells[row]!r} {INEXACT}")


MEND = "give each row one, or leave the row out; if it names a class, call that otherwise"


def _typed(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The kind of each cell (n, p) and its value where it is a number."""
    import pandas as pd

    numeric = np.array(
        [pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes],
        dtype=bool,
    )
    if not numeric.any():
        return _typed_text(frame)
    kinds = np.empty(frame.shape, dtype=np.int8)
    values = np.empty(frame.shape, dtype=np.float64)
    known = frame.loc[:, numeric].to_numpy(dtype=np.float64, na_value=np.nan)
    values[:, numeric] = known
    kinds[:, numeric] = np.where(np.isnan(known), _MISSING, np.where(np.isfinite(known), _NUMBER, _INFINITE))
    if not numeric.all():
        kinds[:, ~numeric], values[:, ~numeric] = _typed_text(frame.loc[:, ~numeric])
    return kinds, values


def _typed_text(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """`_typed` of text, column by column: at once where all are numbers, else each different text is looked at once."""
    import pandas as pd

    kinds = np.full(frame.shape, _NUMBER, dtype=np.int8)
    values = np.zeros(frame.shape)
    for j in range(frame.shape[1]):
        cells = frame.iloc[:, j]
        if is_declared(cells):  # said by the file itself, whatever its values look like
            missing = [value for value in cells.cat.categories if is_missing(str(value), declared=True)]
            kinds[:, j] = np.where(cells.isna() | cells.isin(missing), _MISSING, _TEXT)
            continue
        numbers = _numbers(cells)
        if numbers is not None:
            values[:, j] = numbers
            continue
        codes, different = pd.factorize(cells.astype(object), use_na_sentinel=False)
        typed = [_cell(cell) for cell in different]
        kinds[:, j] = np.array([kind for kind, _ in typed], dtype=np.int8)[codes]
        values[:, j] = np.array([value for _, value in typed])[codes]
    return kinds, values


def _numbers(cells: pd.Series) -> np.ndarray | None:
    """The values of a column of text if every cell is a finite number; None if Arrow takes one for none.

    What it takes for finite is `NUMBER` without a plus sign, blanks around it, and its value is that of `float`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        texts = pa.array(cells, type=pa.string())
        values = pc.cast(pc.ascii_trim_whitespace(texts), pa.float64())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None
    numbers: np.ndarray = values.to_numpy(zero_copy_only=False)
    return numbers if np.isfinite(numbers).all() else None


def _cell(cell: Any) -> tuple[int, float]:
    cell = "" if cell is None or cell != cell else str(cell).strip()  # what is not itself is NaN
    if NUMBER.fullmatch(cell):
        value = float(cell)
        return (_NUMBER, value) if np.isfinite(value) else (_INFINITE, 0.0)
    if is_missing(cell):
        return _MISSING, 0.0
    return (_INFINITE, 0.0) if cell.casefold() in INFINITE else (_TEXT, 0.0)


def _compact(values: np.ndarray) -> np.ndarray:
    """The same numbers as uint8 where all are whole and from 0 to 255: an eighth of the memory."""
    if values.dtype == np.uint8:
        return values
    with np.errstate(invalid="ignore"):
        small = values.astype(np.uint8)
    return small if np.array_equal(small, values) else values


def _integers(cells: list[str]) -> np.ndarray:
    """As int64, else uint64; as text where neither holds them."""
    numbers = [int(cell) for cell in cells]
    for kind in (np.int64, np.uint64):
        if np.iinfo(kind).min <= min(numbers) and max(numbers) <= np.iinfo(kind).max:
            return np.array(numbers, dtype=kind)
    return np.array(cells)


def _native(cells: pd.Series) -> np.ndarray:
    """A column of numbers without gaps as NumPy has it: whole ones as integers, exactly."""
    import pandas as pd

    if pd.api.types.is_integer_dtype(cells.dtype):
        kind = np.uint64 if pd.api.types.is_unsigned_integer_dtype(cells.dtype) else np.int64
        return cells.to_numpy(dtype=kind)
    return cells.to_numpy(dtype=np.float64)


def _shown(cell: Any) -> str:
    return repr(cell if isinstance(cell, str) else str(cell))
