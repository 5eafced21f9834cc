"""Tables that a library reads whole: Parquet by pandas, OpenML by scikit-learn."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lecturebench.datasets.description import Described
from lecturebench.datasets.sources import Answer, NotUsable, probe
from lecturebench.datasets.spelling import Spelling
from lecturebench.datasets.tabular import CELLS, Rows, decoded
from lecturebench.errors import DataCorrupt, UsageError, one_line

if TYPE_CHECKING:
    import pandas as pd

OPENML_URL = "https://www.openml.org"
# For each answer of OpenML's; scikit-learn itself waits for ever.
OPENML_SECONDS = 15.0


def parquet(spelling: Spelling) -> Described:
    """The table of a Parquet file. UsageError for what is none, or holds more than numbers and text."""
    import pandas as pd
    from pyarrow.parquet import read_schema  # type: ignore[import-untyped,unused-ignore]

    try:
        frame = pd.read_parquet(spelling.path)
        said = (read_schema(spelling.path).pandas_metadata or {}).get("columns", ())
    except Exception as error:  # pyarrow raises errors of many kinds
        raise UsageError(f"parquet:{spelling.path}: it cannot be read as Parquet: {one_line(error)}") from error
    notes: tuple[str, ...] = ()
    if any(name is not None for name in frame.index.names):  # an index that was given a name is a column
        notes = (f"The index of the file, {', '.join(map(repr, frame.index.names))}, is read as columns.",)
        try:
            frame = frame.reset_index()
        except ValueError as error:
            raise UsageError(
                f"parquet:{spelling.path}: its index has the name of a column: {one_line(error)}"
            ) from error
    elif not pd.api.types.is_integer_dtype(frame.index):  # what a choice of rows leaves
        notes = ("The index of the file has no name and is left out; one with a name is read as a column.",)
    # pandas gives categories of numbers back as plain numbers. Names that are numbers are text in what it says of them.
    declared = {column.get("name") for column in said if column.get("pandas_type") == "categorical"}
    kinds = {name: "category" for name in frame.columns if str(name) in declared}
    return _decoded(spelling, frame.astype(kinds), notes=notes)


def openml_available(spelling: Spelling) -> Answer:
    """Whether scikit-learn has kept it, or OpenML answers."""
    from sklearn.datasets import get_data_home  # type: ignore[import-untyped,unused-ignore]

    kept = Path(get_data_home(), "openml")
    if any(kept.rglob(f"{spelling.place}.gz")):
        return Answer(True, f"id {spelling.place}, kept by scikit-learn in {kept}")
    return probe(OPENML_URL)


def openml(spelling: Spelling) -> Described:
    """The dataset of that id, from OpenML or from where scikit-learn keeps what it once fetched ($SCIKIT_LEARN_DATA).

    NotUsable where it cannot be reached, UsageError for an id that there is not, DataCorrupt for what is damaged.
    """
    from sklearn.datasets import fetch_openml  # type: ignore[import-untyped,unused-ignore]

    # First no rows, which tells the types; then all as text, in which no category 01 becomes a 1.
    fetch = partial(fetch_openml, data_id=int(spelling.place), as_frame=True, parser="pandas", n_retries=1)
    try:
        with _patient_for(OPENML_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of retries, and of what OpenML thinks of the dataset
            types = fetch(read_csv_kwargs={"nrows": 0}).frame.dtypes
            bunch = fetch(read_csv_kwargs={"dtype": str})
    except OSError as error:  # URLError among them
        raise NotUsable(f"it cannot be fetched ({one_line(error)}); once it was, it needs no network") from error
    except ValueError as error:
        if "checksum" in str(error):
            raise DataCorrupt(f"OpenML's {spelling.place}: {one_line(error)}") from error
        _fail(spelling, one_line(error))
    except Exception as error:  # scikit-learn passes on whatever an answer makes it stumble over
        raise NotUsable(f"scikit-learn cannot read it: {type(error).__name__}: {one_line(error)}") from error
    target = None
    if "target" not in spelling.options:
        if len(bunch.target_names) > 1:
            _fail(spelling, f"OpenML names several targets, {', '.join(bunch.target_names)}: say one with ?target=NAME")
        target = next(iter(bunch.target_names), None)
    for name in types.index[types == "category"]:
        bunch.frame[name] = bunch.frame[name].map(_unquoted).astype("category")
    about = f"OpenML's {spelling.place} is {bunch.details['name']!r}, version {bunch.details['version']}."
    return _decoded(spelling, bunch.frame, target, (about,))


def _decoded(
    spelling: Spelling, frame: pd.DataFrame, target: str | None = None, notes: tuple[str, ...] = ()
) -> Described:
    import pandas as pd

    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    names = frame.columns.tolist()
    for name in names:
        if not name or names.count(name) > 1:
            _fail(spelling, f"a column is {'called ' + repr(name) + ' twice' if name else 'without a name'}; rename it")
    for name, kind in zip(names, frame.dtypes, strict=True):
        if not _is_plain(frame[name], kind):
            _fail(spelling, f"column {name!r} holds {kind}; expected numbers or text: leave it out or convert it")
    if target is not None:
        notes = (*notes, f"The target is {target!r}, as OpenML has it.")
    size = max(1, CELLS // len(names))
    pieces = (frame.iloc[start : start + size] for start in range(0, len(frame), size))
    return decoded(spelling, Rows(tuple(names), pieces, lambda i: f"row {i + 1}", target, notes))


def _is_plain(cells: pd.Series, kind: Any) -> bool:
    """Whether a column is numbers, yes and no, categories or text."""
    import pandas as pd

    if isinstance(kind, pd.CategoricalDtype):
        return True
    if pd.api.types.is_object_dtype(kind):
        return pd.api.types.infer_dtype(cells, skipna=True) in ("string", "boolean", "empty")
    is_number = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
    return is_number or pd.api.types.is_string_dtype(kind)


def _unquoted(cell: Any) -> Any:
    """A category without the quotes that ARFF allows around it."""
    return cell[1:-1] if isinstance(cell, str) and len(cell) > 1 and cell[0] == cell[-1] == "'" else cell


@contextmanager
def _patient_for(seconds: float) -> Iterator[None]:
    """Whatever opens a connection meanwhile waits so long for each answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _fail(spelling: Spelling, why: str) -> NoReturn:
    raise UsageError(f"{spelling.form}:{spelling.place}: {why}")
