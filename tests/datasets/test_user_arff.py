"""A user's ARFF files: the types that they declare, strictly, and what is refused with its line."""

import pytest

from lecturebench import datasets
from lecturebench.datasets import arfffile
from lecturebench.errors import UsageError

HEADER = """% made up
@relation 'made up'

@attribute 'a b' NUMERIC
@attribute grade {1, 01,'x, y', "it's",é}
@attribute Class {yes,no}
@data
"""
GRADES = ("1 ", "01", "'x, y'", '"it\'s"', "é")


def arff(tmp_path, text):
    (tmp_path / "a.arff").write_text(text, encoding="utf-8")
    return f"arff:{tmp_path / 'a.arff'}"


def lines(first=0, n=40):
    return "".join(f"{i * 37 % 41}.5, {GRADES[i % 5]},{'yes' if i % 2 else 'no'}\n" for i in range(first, first + n))


@pytest.mark.parametrize(
    "text",
    [
        HEADER + lines(),
        "\ufeff" + HEADER + lines(),
        HEADER + "% a, comment\n\n  % another\n" + lines(),
        (HEADER + lines()).replace("\n", "\r\n"),
        HEADER.replace("{1, 01,'x, y', \"it's\",é}", "{'1', 01, 'x, y', é, \"it's\"}") + lines(),
        HEADER.replace("{yes,no}", "{yes,no} % {sure}") + lines(),
        HEADER.replace("{yes,no}", "{yes,no} {0.5}").replace("é}", "é} % }") + lines(),
        HEADER.replace("'a b'", '"a b"') + lines(),
        HEADER + lines().replace("'x, y'", '"x, y"'),
        HEADER.replace("'", '"', 4).replace("'x, y'", '"x, y"') + lines(),
    ],
)
def test_nominal_values_are_categories_with_the_names_that_are_declared(tmp_path, text):
    name = arff(tmp_path, text)
    dataset = datasets.load(name)
    assert dataset.columns == ("a b", "grade=01", "grade=1", "grade=it's", "grade=x, y", "grade=é")
    assert (dataset.classes, len(dataset.train)) == (("no", "yes"), 32)
    assert datasets.load(f"{name}?target=grade").classes == ("01", "1", "it's", "x, y", "é")


def test_cells_may_be_kept_apart_by_tabs(tmp_path):
    rows = lines().replace("'x, y'", "1").replace(",", "\t")
    assert datasets.load(arff(tmp_path, HEADER + rows)).classes == ("no", "yes")


def test_pieces_of_a_file_give_what_the_whole_gives(tmp_path, monkeypatch):
    whole = datasets.load(arff(tmp_path, HEADER + lines()))
    monkeypatch.setattr(arfffile, "CELLS", 20)
    (tmp_path / "b").mkdir()
    assert datasets.load(arff(tmp_path / "b", HEADER + lines())).digests == whole.digests
    with pytest.raises(UsageError, match="column 'a b', line 48: '1_0' is not a number"):
        datasets.load(arff(tmp_path, HEADER + lines() + "1_0,1,no\n"))


def test_numeric_target_is_read_as_it_is_written(tmp_path):
    header = HEADER.replace("{yes,no}", "integer")
    whole = (header + lines()).replace("yes", str(2**53 + 1)).replace("no", str(2**53))
    assert datasets.load(arff(tmp_path, whole)).classes == (str(2**53), str(2**53 + 1))
    point = (header + lines()).replace("yes", "1.0").replace("no", "0.0")
    with pytest.raises(UsageError, match="targets are whole numbers written as"):
        datasets.load(arff(tmp_path, point))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,1,yes,no", "line 28 has 4 cells, and the header 3 attributes"),
        ("1,1", "line 28 has 2 cells, and the header 3 attributes"),
        ("1 1 yes", "line 28 has 1 cell, and the header 3 attributes"),
        ("{0 1, 2 yes}", r"line 28, '\{0 1, 2 yes\}', is of a sparse table"),
        ("1_0,1,yes", "column 'a b', line 28: '1_0' is not a number, as is declared"),
        ("١,1,yes", "column 'a b', line 28: '١' is not a number, as is declared"),
        (",1,yes", r"column 'a b', line 28: '' is not a number, as is declared; \? stands for a missing one"),
        ("1,001,yes", "column 'grade', line 28: '001' is not one of the values that are declared for it"),
        ("1,,yes", "column 'grade', line 28: '' is not one of the values"),
        ("1,1,Yes", "column 'Class', line 28: 'Yes' is not one of the values"),
        ("1,1,yes % sure", "column 'Class', line 28: 'yes % sure' is not one of the values"),
        ("?,1,yes", r"column 'a b', line 28: '\?' is missing"),
        ("1,?,yes", r"column 'grade', line 28: '\?' is missing"),
        ("1,1,?", r"target 'Class', line 28: '\?' is missing"),
        (f"{2**53 + 1},1,yes", f"column 'a b', line 28: '{2**53 + 1}' cannot be told from its neighbours"),
        ("inf,1,yes", "column 'a b', line 28: 'inf' is no finite number"),
        ("1,'1,yes", "line 28: unexpected end of data; quotes"),
        ("1,'x, y' ,yes", "line 28: .* expected after .*; quotes"),
        ("'1'2,1,yes", "line 28: .* expected after .*; quotes"),
        (r"1,'it\'s',yes", "line 28 has a quote after a backslash"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_line(tmp_path, row, said):
    text = f"{HEADER}{lines(n=20)}{row}\n{lines(20)}"
    with pytest.raises(UsageError, match=f"^arff:{tmp_path}/a.arff: {said}") as caught:
        datasets.load(arff(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("NUMERIC", "STRING", "an attribute is of type string; make it numeric or nominal, or save the table as CSV"),
        ("NUMERIC", "DATE 'yyyy'", "attribute 'a b' is of type date; make it numeric or nominal"),
        ("NUMERIC", "FLOAT", "it cannot be read as ARFF: unknown attribute FLOAT"),
        ("grade {", "'a b' {", "it cannot be read as ARFF: field 'a b' occurs more than once"),
        ("grade {", "'' {", "it cannot be read as ARFF|an attribute is without a name"),
        ("'x, y'", r"'x\'s'", "line 5 has a quote after a backslash"),
        ("@data", "@date", "it cannot be read as ARFF: it has no line @data"),
        ("@attribute", "attribute", "it cannot be read as ARFF: it has no line @attribute"),
    ],
)
def test_header_that_is_not_read_is_one_line(tmp_path, old, new, said):
    with pytest.raises(UsageError, match=f"^arff:{tmp_path}/a.arff: {said}") as caught:
        datasets.load(arff(tmp_path, HEADER.replace(old, new) + lines()))
    assert "\n" not in str(caught.value)


def test_line_that_is_no_text_is_said(tmp_path):
    (tmp_path / "a.arff").write_bytes((HEADER + lines()).encode("latin-1"))
    with pytest.raises(UsageError, match="it cannot be read as ARFF: line 5 has the byte 0xe9; save it in UTF-8"):
        datasets.load(f"arff:{tmp_path / 'a.arff'}")
