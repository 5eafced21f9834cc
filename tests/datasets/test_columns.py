"""The strict types of columns: what is a number, a label, a category, a missing value, and nothing else."""

import math
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets.columns import INFINITE, Columns, is_missing, targets, task_of
from lecturebench.datasets.written import NUMBER


class Refused(Exception):
    """What `fail` raises here."""


def fail(why):
    raise Refused(why)


def typed(*pieces, names="a"):
    columns = Columns(list(names), lambda i: f"row {i + 1}", fail)
    for piece in pieces:
        columns.add(pd.DataFrame(dict(zip(names, piece, strict=True))))
    return columns


def target(cells, task=None):
    return targets("y", pd.Series(cells, dtype=object), task, lambda i: f"row {i + 1}", fail)


CELLS = st.one_of(
    st.text(max_size=6),
    st.integers().map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["01", "1", "1_1", "11", "+1", "-0", "0", "١", "1.0", "1e3", "0x10", "True", "½", "２"]),
)


@given(st.lists(CELLS.filter(lambda cell: not is_missing(cell)), min_size=1))
def test_label_is_a_number_only_if_it_is_written_back_the_same(cells):
    try:
        y = target(cells, "classification")
    except Refused:
        return
    written = [cell.strip() for cell in cells]
    assert [str(value) for value in y.tolist()] == written
    assert len(set(y.tolist())) == len(set(written)), "no two of them are one class"


@pytest.mark.parametrize("cells", [["\0", "a"], ["x", "x\0", "y"]])
def test_label_with_a_nul_is_refused_since_arrays_of_text_would_drop_it(cells):
    with pytest.raises(Refused, match="holds the character NUL"):
        target(cells, "classification")


@given(st.lists(CELLS.filter(lambda cell: not is_missing(cell)), min_size=1))
def test_without_a_task_labels_are_whole_numbers_text_or_all_decimals(cells):
    try:
        y = target(cells)
    except Refused:
        return
    written = [cell.strip() for cell in cells]
    if y.dtype.kind == "f":
        assert y.tolist() == [float(cell) for cell in written]
        assert not any("_" in cell for cell in written)
        assert all(cell.isascii() for cell in written)
    else:
        assert [str(value) for value in y.tolist()] == written


@given(st.lists(CELLS, min_size=1))
def test_feature_is_numbers_or_text_throughout(cells):
    try:
        columns = typed([cells])
    except Refused:
        return
    if columns.is_text.any():
        assert columns.texts()["a"].tolist() == [cell.strip() for cell in cells]
        return
    found = np.concatenate(columns.numbers())[:, 0]
    assert found.tolist() == [float(cell) for cell in cells]
    assert all(cell.strip().isascii() and "_" not in cell for cell in cells)


NUMBERS = st.one_of(
    st.from_regex(NUMBER, fullmatch=True),
    st.text("0123456789", min_size=15, max_size=25).map(lambda digits: f"0.{digits}"),
    st.floats().map(repr),
    st.floats().map("{:.17g}".format),
    st.integers(-(2**70), 2**70).map(str),
    st.text("0123456789.eE+-", max_size=8),
    st.text("019.eE+-_ \t\u00a0\x1c١naifINF", max_size=6),
)


@pytest.mark.parametrize("kind", [object, "str", pd.ArrowDtype(pa.string())])
@given(
    cells=st.one_of(
        st.lists(NUMBERS.filter(NUMBER.fullmatch), min_size=1, max_size=9), st.lists(NUMBERS, min_size=1, max_size=3)
    )
)
def test_column_of_text_is_typed_as_if_each_cell_were_looked_at_alone(kind, cells):
    """What is read at once, for speed, has the very kinds and the very bits of this plain version."""
    written = [cell.strip() for cell in cells]
    is_number = [bool(NUMBER.fullmatch(cell)) for cell in written]
    finite = all(math.isfinite(float(cell)) for cell, number in zip(written, is_number, strict=True) if number)
    is_refused = (
        not finite
        or any(is_missing(cell) or cell.casefold() in INFINITE for cell in written)
        or len(set(is_number)) > 1
    )
    why = ""
    try:
        columns = typed([pd.Series(cells, dtype=kind)])
    except Refused as refused:
        why = str(refused)
    if why:
        assert is_refused or "cannot be told" in why  # apart as 64-bit floats
        return
    assert not is_refused
    if columns.is_text.any():
        assert not any(is_number)
        assert columns.texts()["a"].tolist() == written
    else:
        (values,) = columns.numbers()
        plain = np.array([float(cell) for cell in written]) + 0.0  # to which -0.0 is 0.0, as to bytes
        assert (values[:, 0] + 0.0).tobytes() == plain.tobytes()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_read_exactly_whether_written_or_given(values):
    written = np.concatenate(typed([[repr(value) for value in values]]).numbers())
    stored = np.concatenate(typed([values]).numbers())
    assert written[:, 0].tolist() == stored[:, 0].tolist() == values


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "?", "nan", "NaN", "NULL", "None", "<NA>", "#N/A"])
def test_missing_target_or_feature_is_no_class_and_no_category(cell):
    with pytest.raises(Refused, match=r"target 'y', row 2: .* is missing"):
        target(["a", cell, "b"])
    with pytest.raises(Refused, match=r"target 'y', row 3: .* is missing"):
        target(["1.5", "2.5", cell])
    with pytest.raises(Refused, match=r"column 'a', row 2: .* is missing"):
        typed([["red", cell, "blue"]])


def test_of_many_missing_ones_the_first_are_named_and_the_others_counted():
    with pytest.raises(Refused, match=r"row 1 \('NA'\), row 3 \('NA'\).*row 9 \('NA'\) and 15 more: each is missing"):
        target(["NA", "x"] * 20)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_infinity_is_no_number(cell):
    with pytest.raises(Refused, match=r"column 'a', row 1: .* is no finite number"):
        typed([[cell, "1"]])
    with pytest.raises(Refused, match=r"is no (finite )?number"):
        target([cell, "1.5"], "regression")


def test_text_among_numbers_is_named_whichever_comes_first_and_in_whichever_piece():
    said = "column 'a', row {}: 'x' is no finite number, while row {} has '1'"
    for pieces, rows in (
        ([["1", "x"]], (2, 1)),
        ([["x", "1"]], (1, 2)),
        ([["1"], ["x"]], (2, 1)),
        ([["x"], ["1"]], (1, 2)),
    ):
        with pytest.raises(Refused, match=said.format(*rows)):
            typed(*([piece] for piece in pieces))


def test_text_among_decimals_is_a_slip_and_among_whole_numbers_a_class():
    with pytest.raises(Refused, match=r"row 3: 'oops' is no number, while row 1 has the decimal '1\.5'"):
        target(["1.5", "2", "oops"])
    with pytest.raises(Refused, match="row 1: 'a' is no number, while task is regression"):
        target(["a", "1"], "regression")
    assert target(["1", "2", "3+"]).tolist() == ["1", "2", "3+"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1,200", "999"], "row 1: '1,200' looks like a number or a date"),
        (["0.5%", "1.5%"], "row 1: '0.5%' looks"),
        (["$1,500", "$2,500"], "row 1: '$1,500' looks"),
        (["0,5", "1,5"], "row 1: '0,5' looks"),
        (["2020-01-10", "2020-01-11"], "row 1: '2020-01-10' looks"),
        (["5 Jan 2020", "6 May 2020"], "row 1: '5 Jan 2020' looks"),
        (["5 kg", "7 kg"], "row 1: '5 kg' looks"),
        (["(5)", "7"], "row 1: '(5)' looks"),
        (["١", "٢"], "row 1: '١' looks"),
        (["0x10", "0x1f"], "row 1: '0x10' looks"),
        (["1", "100000000000000000000"], "row 2: '100000000000000000000' is beyond 64 bits"),
        (["0", "1", "-"], "row 3: '-' is no number, while there is '0'"),
        (["1", "2", "two"], "row 3: 'two' is no number"),
        (["True", "1"], "row 1: 'True' is no number"),
    ],
)
def test_text_that_was_hardly_meant_as_classes_is_refused_until_it_is_said_to_be(cells, said):
    with pytest.raises(Refused, match=f"target 'y', {re.escape(said)}.*say \\?task=classification"):
        target(cells)
    assert target(cells, "classification").tolist() == cells


@pytest.mark.parametrize(
    "cells", [["1_1", "11"], ["1", "01"], ["<=50K", ">50K"], ["c1", "c2"], ["1a", "2b"], ["1st", "2nd"], ["a", "5%"]]
)
def test_names_with_digits_are_classes(cells):
    assert target(cells).tolist() == cells


@pytest.mark.parametrize("kind", [str, "int64", "Int64", "uint64"])
def test_whole_number_that_float64_would_merge_is_named(kind):
    cells = pd.Series([2**53, 2**53 + 1, 2**53 + 2], dtype="int64").astype(kind)
    with pytest.raises(Refused, match=r"column 'a', row 2: '9007199254740993' cannot be told .* if it is an id"):
        typed([cells])
    with pytest.raises(Refused, match="target 'y', row 2: '9007199254740993' cannot be told"):
        targets("y", cells, "regression", lambda i: f"row {i + 1}", fail)


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        (["1.0", "1.00", "1"], None),
        (["0.12345678901234567890", "0.5"], None),
        (["1e20", "100000000000000000000", "12345678901234567890.5"], None),
        (["1.00000000000000000001", "1.00000000000000000002"], 2),
        (["1e-400", "2e-400"], 2),
        (["1e-99999999999999999999", "0"], 1),
        (["-9007199254740993", "1"], 1),
        (["9007199254740992.0", "9007199254740993.0"], 2),
        (["9007199254740992.0", "9007199254740993.", "9007199254740996"], 2),
        (["9007199254740992.0", "9007199254740993.5"], None),
    ],
)
def test_decimals_are_rounded_but_not_all_to_one(cells, row):
    if row is None:
        typed([cells])
        return
    for ask in (lambda: typed([cells]), lambda: target(cells, "regression")):
        with pytest.raises(Refused, match=f"row {row}: '{cells[row - 1]}' cannot be told"):
            ask()


def test_categories_of_a_file_are_classes_unless_the_user_says_values():
    cells = pd.Series(pd.Categorical(["0.5", "1.5", "0.5"]))
    assert task_of(cells, None) == "classification"
    assert task_of(cells, "regression") == "regression"
    assert task_of(cells.astype(object), None) is None


def test_large_labels_stay_apart():
    large = [str(2**53), str(2**53 + 1), str(2**64 - 1), str(2**64)]
    for n in (2, 3, 4):
        assert [str(value) for value in target(large[:n], "classification").tolist()] == large[:n]
    assert targets("y", pd.Series([2**53, 2**53 + 1], dtype="UInt64"), None, str, fail).tolist() == [2**53, 2**53 + 1]


def test_types_that_a_file_says_are_kept():
    frame = pd.DataFrame({"a": pd.Categorical(["1", "2"]), "b": [True, False], "c": [1, 2]})
    columns = Columns(["a", "b", "c"], str, fail)
    columns.add(frame)
    assert columns.is_text.tolist() == [True, True, False]
    assert columns.texts()["b"].tolist() == ["True", "False"]
    with pytest.raises(Refused, match="column 'a', row 2: 'nan' is missing"):
        typed([[1.5, float("nan")]])
