"""A user's own tables: what is read, what is guessed and said, and what is refused with the way to say it."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from lecturebench import datasets
from lecturebench.datasets import csvfile
from lecturebench.errors import UsageError

CASES = Path(__file__).with_name("cases")


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return f"csv:{path}"


def rows(*columns, n=40):
    """n rows of cells; a column is a function of the row's number."""
    return "".join(",".join(str(column(i)) for column in columns) + "\n" for i in range(n))


def number(i):
    return f"{i * 37 % 41}.5"


def letter(i):
    return "ab"[i % 2]


@pytest.mark.parametrize("header", ["Label", "class", "# label", "TARGET", "_label", "\ufeffLabel", '"Class"'])
def test_target_is_found_by_its_name_wherever_it_stands(tmp_path, header):
    name = write(tmp_path / "a.csv", f"{header},p,q\n" + rows(letter, number, number))
    dataset = datasets.load(name)
    assert (dataset.columns, dataset.classes) == (("p", "q"), ("a", "b"))
    description = datasets.describe(name)
    assert description.target.casefold().strip('_# "') in ("label", "class", "target")
    assert any("by its name" in note for note in description.notes)


def test_digits_whose_label_comes_first_are_ten_classes_of_64_features():
    description = datasets.describe(f"csv:{CASES / 'label_first.csv'}")
    assert description.line == (
        f"csv:{CASES / 'label_first.csv'}: target 'Label', classification, 10 classes (min 34, max 51 examples), "
        "64 features (0 to 16); 320 train, 80 test (every fifth row by hash is for test)"
    )
    assert sum(each.train + each.test for each in description.classes) == 400


def test_target_that_only_its_place_would_tell_is_refused_and_can_be_said(tmp_path):
    name = write(tmp_path / "a.csv", "species,p,q\n" + rows(letter, number, number))
    with pytest.raises(UsageError, match=r"no column is called label, class or target.*'csv:.*\?target=q'"):
        datasets.load(name)
    assert datasets.load(f"{name}?target=species").columns == ("p", "q")
    assert datasets.load(f"{name}?target=q&task=regression").task == "regression"


def test_two_columns_that_may_be_the_target_are_refused_and_one_can_be_said(tmp_path):
    name = write(tmp_path / "a.csv", "Label,p,class\n" + rows(letter, number, letter))
    with pytest.raises(UsageError, match=r"'Label', 'class' may all be the target: say 'csv:.*\?target=Label'"):
        datasets.load(name)
    assert datasets.load(f"{name}?target=Label").columns == ("p", "class=a", "class=b")


def test_column_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    name = write(tmp_path / "a.csv", "price,p\n" + rows(number, number))
    with pytest.raises(UsageError, match=r"no column 'Price', which target= names; .*did you mean 'price'\?"):
        datasets.load(f"{name}?target=Price")
    with pytest.raises(UsageError, match="column 'p' cannot be both target and split"):
        datasets.load(f"{name}?target=p&split=p")


def test_numbers_in_the_header_mean_that_there_is_none():
    name = f"csv:{CASES / 'no_header.csv'}"
    with pytest.raises(UsageError, match=r"the first row is numbers \('5\.1', '3\.5', '1\.4', …\): no header\?"):
        datasets.load(name)
    for said in ("?header=none", "?header=none&target=5"):
        dataset = datasets.load(name + said)
        assert len(dataset.train) + len(dataset.test) == 150
        assert dataset.classes == ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
        assert dataset.columns == ("1", "2", "3", "4")


def test_without_header_a_target_among_numbers_has_to_be_said(tmp_path):
    name = write(tmp_path / "a.csv", rows(lambda i: i % 3, number, number))
    with pytest.raises(UsageError, match=r"say which is the target, as in 'csv:.*\?header=none&target=3'"):
        datasets.load(f"{name}?header=none")
    assert datasets.load(f"{name}?header=none&target=1").classes == ("0", "1", "2")
    name = write(tmp_path / "b.csv", rows(letter, number, number))
    with pytest.raises(UsageError, match=r"say which is the target, as in 'csv:.*\?header=none&target=3'"):
        datasets.load(f"{name}?header=none")


def test_header_of_counted_columns_beside_a_named_target_is_one(tmp_path):
    name = write(tmp_path / "a.csv", "0,1,label\n" + rows(number, number, letter))
    assert datasets.load(name).columns == ("0", "1")


def test_row_of_numbers_is_no_header_though_the_target_is_said_as_one_of_them(tmp_path):
    name = write(tmp_path / "a.csv", "5,1,4\n" + rows(number, number, letter))
    with pytest.raises(UsageError, match="the first row is numbers"):
        datasets.load(f"{name}?target=4")


def test_header_among_data_is_named_where_none_was_said(tmp_path):
    name = write(tmp_path / "a.csv", "p,label\n" + rows(number, letter))
    with pytest.raises(UsageError, match=r"column '1', line 1: 'p' is no finite number, while line 2 has '0\.5'"):
        datasets.load(f"{name}?header=none&target=2")


def test_missing_targets_are_named_with_their_lines():
    with pytest.raises(UsageError, match=r"target 'label', line 7 \('NA'\), line 19 \('\?'\), line 202 \('nan'\)"):
        datasets.load(f"csv:{CASES / 'missing_target.csv'}")


@pytest.mark.parametrize(
    ("file", "classes"),
    [("labels_like_numbers.csv", ("11", "12", "1_1", "1_2")), ("leading_zeros.csv", ("001", "01", "1", "2"))],
)
def test_labels_that_look_like_numbers_keep_their_names(file, classes):
    assert datasets.load(f"csv:{CASES / file}").classes == classes


def test_decimals_are_values_and_what_may_be_either_has_to_be_said(tmp_path):
    name = write(tmp_path / "a.csv", "p,target\n" + rows(number, number))
    description = datasets.describe(name)
    assert description.task == "regression"
    assert description.target_range == (0.5, 40.5)
    for cells in (lambda i: i * 7, lambda i: f"{i % 3}.0"):
        name = write(tmp_path / "a.csv", "p,target\n" + rows(number, cells))
        with pytest.raises(UsageError, match="task=regression"):
            datasets.load(name)
        assert datasets.load(f"{name}?task=regression").task == "regression"


def test_csv_with_split_column_and_text_labels(tmp_path):
    name = write(tmp_path / "a.csv", "label,a,Split,b\nyes,1,train,2.5\nno,3,Test,4\nno,5,train,6\n")
    dataset = datasets.load(name)
    assert (dataset.task, dataset.classes, dataset.columns) == ("classification", ("no", "yes"), ("a", "b"))
    assert dataset.train.X.tolist() == [[1, 2.5], [5, 6]]
    assert dataset.train.y.tolist() == [1, 0]
    assert dataset.test.y.tolist() == [0]
    assert datasets.describe(name).split == "by column 'Split'"


def test_rows_for_validation_go_to_train_and_are_said(tmp_path):
    cells = rows(number, letter, lambda i: ("train", "val", "test", "Validation")[i // 2 % 4])
    name = write(tmp_path / "a.csv", f"a,label,split\n{cells}")
    assert (len(datasets.load(name).train), len(datasets.load(name).test)) == (30, 10)
    assert any(note.startswith("20 rows for validation go to train") for note in datasets.describe(name).notes)


def test_csv_without_split_tests_on_every_fifth_row_whatever_the_order(tmp_path):
    lines = [f"{i},{i * i},{i / 7}\n" for i in range(23)]
    forwards = datasets.load(write(tmp_path / "a.csv", "a,b,target\n" + "".join(lines)))
    backwards = datasets.load(write(tmp_path / "b.csv", "a,b,target\n" + "".join(reversed(lines))))
    assert forwards.task == "regression"
    assert len(forwards.test) == 4
    assert forwards.test.X.tolist() == backwards.test.X.tolist()[::-1]
    assert forwards.train.X[:, 0].tolist() == sorted(forwards.train.X[:, 0].tolist()), "the file's order is kept"


BAD_CSV = [
    ("", "it is empty"),
    ("a,target\n", "0 rows; a table needs at least two"),
    ("a,target\n1,2\n", "1 rows; a table needs at least two"),
    ("target\n1\n2\n", "columns are target; expected a target and at least one feature"),
    ("a;target\n1;2\n", "it has one column, 'a;target'; expected commas"),
    ('"a";"b";"target"\n1;2;3\n', "it has ';' between cells; expected commas"),
    ('"a"\t"target"\n1\t2\n', r"it has '\\t' between cells; expected commas"),
    ('a;b;target\n"0,5";0,25;1\n', "it has one column, 'a;b;target'; expected commas"),
    (" a  b target\n 1  2 3\n", "it has one column, 'a  b target'; expected commas"),
    ("PK\3\4\0", "it is packed, .*: unpack it first, or save it as CSV"),
    ("a,,target\n1,2,3\n", "column 2 is without a name"),
    ("a,a,target\n1,2,3\n", "column 2 is a second 'a'; .*Say 'csv:.*a.csv.header=none'"),
    ("a,target\n1,2\n3\n", r"line 3 has 1 cell \('3'\), the header 2"),
    ("a,target\n1,2\n3,4,5\n", "line 3 has 3 cells, the header 2"),
    ("a,target\n1,2,3\n3,4,5\n", "line 2 has 3 cells, the header 2"),
    ('a,target\n\n"1",2\n\nx,3\n', "column 'a', line 5: 'x' is no finite number"),
    ('a,b,target\n1,"u\nv",2\nx,w,3\n', "column 'a', line 4: 'x' is no finite number"),
    ("a,target\n1,2\n,3\n", "column 'a', line 3: '' is missing; fill it in"),
    ("a,target\n1,2\ninf,3\n", "column 'a', line 3: 'inf' is no finite number"),
    ("a,target\n1,2\n1,\n", "target 'target', line 3: '' is missing; give each row one"),
    ("a,target\n1,2.5\n2,3.5\n", "2 rows for train and 0 for test"),
    ("a,target\n2,0\nmore,1\n", "column 'a', line 3: 'more' is no finite number.* all as text, 'n2' for one"),
    ("a,target\nNone,0\nx,1\n", "column 'a', line 2: 'None' is missing.*; if it is a category, call that otherwise"),
    ("a,target,split\n1,2.5,train\n2,3,later\n", "column 'split', line 3: 'later' is neither train nor test"),
    ("a,target,split\n1,2.5,train\n2,3,train\n", "2 rows for train and 0 for test"),
    ("a,target\n" + "1,5\n" * 10, "all labels are 5; classification needs two"),
    ("a,a=x,target\n" + "x,1,2.5\n" * 6, "two columns of features would be called 'a=x'"),
    ("a=x,a,target\n" + "z,x=z,2.5\n" * 6, "two columns of features would be called 'a=x=z'"),
    ("a,target\n1,2\n9007199254740993,3\n", "column 'a', line 3: '9007199254740993' cannot be told"),
    ("a,target\n1,0\n2,1\n3,-\n", "target 'target', line 4: '-' is no number, while there is '0'"),
    ('a,target\n"1,2\n', "cannot be read as CSV: line 2, unexpected end of data; is a quote"),
    ("a,target\n1,2\nx,y\na,target\n3,4\n", "column 'a', line 3: 'x' is no finite number|line 4 is the header again"),
    ("a,target\nx,y\n a , target\n", "line 3 is the header again: delete it"),
    ("# made by x\na,target\n1,2\n", "line 2 has 2 cells, the header 1; is line 1, '# made by x', a header"),
    ("# made, by x\na,b,target\n1,2,3\n", "line 2 has 3 cells, the header 2"),
    ("sep=,\na,target\n1,2\n", "line 1 is 'sep=,', which is for Excel alone: delete that line"),
    ("sep=;\na;target\n1;2\n", "line 1 is 'sep=;', which is for Excel alone"),
    ('a,target\n""\n1,2\n', r"line 2 has 1 cell \(''\), the header 2"),
    ("a,target\n1,2\n3\0,4\n", "line 3 holds the character NUL: is the file in UTF-16"),
    ("a,target\n1,\n".encode("utf-16-le").decode(), "line 1 holds the character NUL"),
    # Quotes: one that opens and closes where none was meant, one never closed, and one within a cell.
    (
        'name,target\nx,0\n"y,1\nx,0\ny",1\nx,0\n',
        "lines 3 to 5 are one row by their quotes, though each could be one; is a quote.* put such text on one line",
    ),
    ('target,a,name\n0,1,"x\n1,2,y\n0,3,x"\n', "lines 2 to 4 are one row by their quotes"),
    ('a,b,target\n1,2,0\n"3,3,1\n4,4,0\n5",5,1\n', "lines 3 to 5 are one row by their quotes"),
    ('a,b,target\n1,2,0\n3,"3,1\n4,4",4,0\n', "line 3 has 4 cells, the header 3; is a quote"),
    ('a,b,target\n1,"u\nv"\n', "line 2 has 2 cells, the header 3; is a quote"),
    ('a,target\n1,0\n2,1\n3,"0\n4,1\n', "line 4, unexpected end of data; is a quote"),
    ('a,target\n1,0\n"1"2,1\n', "line 3, ',' expected after"),
    ('a,target\n1,0\n"' + "1,2\n" * 50_000, "line 3, unexpected end of data"),
]


@pytest.mark.parametrize(("text", "said"), BAD_CSV)
def test_what_is_wrong_with_a_csv_is_said_with_column_and_line(tmp_path, cache_folder, text, said):
    name = write(tmp_path / "a.csv", text)
    with pytest.raises(UsageError, match=f"{tmp_path / 'a.csv'}: .*{said}") as caught:
        datasets.load(name)
    assert "\n" not in str(caught.value)
    assert not [folder for folder in cache_folder.iterdir() if folder.is_dir()]


def test_line_that_is_no_text_is_said(tmp_path):
    for content, line in ((b"a,b\n\xff\xfe,1\n", 2), (b"a,label\n" + b"1,2\n" * 9000 + b"1,\xe9\n", 9002)):
        (tmp_path / "a.csv").write_bytes(content)
        with pytest.raises(
            UsageError, match=f"cannot be read as CSV in UTF-8: line {line} has the byte 0x(ff|e9); save"
        ):
            datasets.load(f"csv:{tmp_path / 'a.csv'}")


def test_lines_without_anything_are_no_rows_and_counted_as_lines(tmp_path):
    text = "\n  \nname,p,label\n\t\n" + rows(letter, number, letter) + "\xa0\n"
    written = write(tmp_path / "a.csv", text)
    assert datasets.load(written).digests == datasets.load(write(tmp_path / "b.csv", text.replace("\n", "\r"))).digests
    assert len(datasets.load(written).train) == 32
    for odd, said in (("x", "column 'p', line 6: 'x'"), ("1,2", "line 6 has 4 cells, the header 3")):
        with pytest.raises(UsageError, match=said):
            datasets.load(write(tmp_path / "c.csv", text.replace("37.5", odd)))


def test_cell_within_quotes_may_have_commas_quotes_and_lines(tmp_path):
    cells = ['"x, y"', '"x ""y"""', '"x\ny, z"', '5" x']
    name = write(tmp_path / "a.csv", '"a",label\n' + rows(lambda i: cells[i % 4], letter))
    assert datasets.load(name).columns == ('a=5" x', "a=x\ny, z", 'a=x "y"', "a=x, y")
    with pytest.raises(UsageError, match="target 'label', line 52: '' is missing"):
        datasets.load(write(tmp_path / "a.csv", "a,label\n" + rows(lambda i: cells[i % 4], letter) + "x,\n"))


def test_long_cells_and_rows_are_read(tmp_path, monkeypatch):
    text = "a,b,label\n" + rows(lambda i: "x" * 200_000 if i % 2 else '"y"', number, letter, n=10)
    limit = csv.field_size_limit()
    assert len(datasets.load(write(tmp_path / "a.csv", text)).columns) == 3
    assert csv.field_size_limit() == limit
    monkeypatch.setattr(csvfile, "BLOCK", 100)
    wide = "a,b,label\n" + rows(lambda i: f"{i}.{'0' * 1000}", number, letter)
    assert datasets.load(write(tmp_path / "b.csv", wide)).columns == ("a", "b")


@pytest.mark.parametrize("size", range(40, 60))
def test_line_end_within_quotes_is_kept_wherever_a_block_ends(tmp_path, monkeypatch, size):
    text = "a,label\r\n" + rows(lambda i: '"x\r\ny"', letter).replace("a\n", "a\r\n").replace("b\n", "b\r\n")
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    monkeypatch.setattr(csvfile, "BLOCK", size)
    monkeypatch.setattr(csvfile, "WIDE", 1)
    assert datasets.load(f"csv:{path}").columns == ("a=x\r\ny",)


def test_pieces_of_a_file_give_what_the_whole_gives(tmp_path, monkeypatch):
    text = "p,colour,label\n" + rows(number, lambda i: "rgb"[i % 3], letter, n=500)
    whole = datasets.load(write(tmp_path / "a.csv", text))
    monkeypatch.setattr(csvfile, "CELLS", 300)
    monkeypatch.setattr(csvfile, "BLOCK", 500)
    monkeypatch.setattr(csvfile, "SECONDS", 0.0)
    said = []
    pieces = datasets.load(write(tmp_path / "b.csv", text), say=said.append)
    assert pieces.digests == whole.digests
    assert re.fullmatch(rf"csv:{tmp_path / 'b.csv'}: 1\d\d rows read, 2\d% of the file", said[1])
    assert re.fullmatch(rf"csv:{tmp_path / 'b.csv'}: 500 rows read, (99|100)% of the file", said[5])
    with pytest.raises(UsageError, match="column 'p', line 302: 'x' is no finite number, while line 2 has"):
        datasets.load(write(tmp_path / "c.csv", text.replace("\n", "\nx,r,a\n", 301).replace("\nx,r,a\n", "\n", 300)))


def test_text_columns_become_categories_of_the_training_rows(tmp_path):
    lines = [f"{colour},{i}.5,{letter(i)},train\n" for i, colour in enumerate(["red", "blue", "red", "green"] * 3)]
    text = "colour,p,label,split\n" + "".join(lines) + "violet,1.5,a,test\nblue,2.5,b,test\n"
    name = write(tmp_path / "a.csv", text)
    dataset = datasets.load(name)
    assert dataset.columns == ("colour=blue", "colour=green", "colour=red", "p")
    assert dataset.train.X[:2].tolist() == [[0, 0, 1, 0.5], [1, 0, 0, 1.5]]
    assert dataset.test.X.tolist() == [[0, 0, 0, 1.5], [1, 0, 0, 2.5]]
    description = datasets.describe(name)
    assert [(each.name, each.type, each.values) for each in description.features] == [
        ("colour", "category", 3),
        ("p", "number", None),
    ]
    assert any("3 categories" in note and "test alone has 'violet'" in note for note in description.notes)


def test_column_of_text_that_names_the_rows_is_refused(tmp_path):
    name = write(tmp_path / "a.csv", "who,p,label\n" + rows(lambda i: f"Mr {i}", number, letter, n=120))
    with pytest.raises(UsageError, match="column 'who' is text with 120 different values, say 'Mr 0'; up to 100"):
        datasets.load(name)


def test_columns_said_to_be_pixels_are_images_and_the_same_as_those_of_an_npz(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, 6, 5, 1), dtype=np.uint8), np.arange(40) % 2
    lines = [
        ",".join(map(str, [label, *x.ravel().tolist()])) + f",{'train' if i < 30 else 'test'}\n"
        for i, (label, x) in enumerate(zip(y, X, strict=True))
    ]
    name = write(tmp_path / "a.csv", "label," + ",".join(f"p{i}" for i in range(30)) + ",split\n" + "".join(lines))
    np.savez(tmp_path / "a.npz", x_train=X[:30], y_train=y[:30], x_test=X[30:], y_test=y[30:])
    images, stored = datasets.load(f"{name}?image=6x5"), datasets.load(f"npz:{tmp_path / 'a.npz'}")
    assert (images.kind, images.scale, images.train.X.shape) == ("images", 255, (30, 6, 5, 1))
    assert images.digests == stored.digests
    assert datasets.load(f"{name}?image=2x5x3").train.X.shape == (30, 2, 5, 3)
    with pytest.raises(
        UsageError, match=r"image=3x3 needs 9 columns of pixels besides the target; it has 30, from 'p0'"
    ):
        datasets.load(f"{name}?image=3x3")


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        ("p0,p1,p10,p2", "column 'p2' comes after 'p10'"),
        ("1x1,2x1,1x2,2x2", "column '1x2' comes after '2x1'"),
        ("id,p1,p2,p3", "column 'id' is not called as 'p1' is"),
        ("a,b,c,d", None),
        ("1x1,1x2,2x1,2x2", None),
    ],
)
def test_pixels_out_of_their_order_are_refused(tmp_path, pixels, said):
    name = write(tmp_path / "a.csv", f"label,{pixels}\n" + rows(letter, *[lambda i: i] * 4)) + "?image=2x2"
    if said is None:
        assert datasets.load(name).kind == "images"
        return
    with pytest.raises(UsageError, match=said):
        datasets.load(name)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("3%", "5%"), "values such as '3%' look like numbers or dates"),
        (("1_1", "1_2"), "values such as '1_1' look like"),
        (("0x10", "0x20"), "values such as '0x10' look like"),
        (("1,200", "1,300"), "values such as '1,200' look like"),
        ((' ""5""', ' ""7""'), "values such as '\"5\"' look like"),
        (("2020-01-05", "2020-01-06"), "values such as '2020-01-05' look like"),
        (("Red", "red"), "'Red' and 'red' are two of them"),
        (("red", "blue"), ""),
    ],
)
def test_categories_that_are_something_else_to_a_reader_are_said(tmp_path, values, said):
    name = write(tmp_path / "a.csv", "kind,p,label\n" + rows(lambda i: f'"{values[i // 2 % 2]}"', number, letter))
    note = next(note for note in datasets.describe(name).notes if note.startswith("Column 'kind' becomes"))
    assert said in note
    assert note.count(";") == bool(said)


@pytest.mark.parametrize(
    ("cell", "said"), [("256", "256 is no pixel"), ("0.5", r"0\.5 is no pixel"), ("red", "no finite")]
)
def test_what_is_no_pixel_is_named(tmp_path, cell, said):
    name = write(tmp_path / "a.csv", f"label,p\na,{cell}\n" + rows(letter, lambda i: i))
    with pytest.raises(UsageError, match=f"column 'p', line 2: .*{said}"):
        datasets.load(f"{name}?image=1x1")


def test_pixels_with_more_classes_than_a_table_may_have_unsaid_are_classes(tmp_path):
    name = write(tmp_path / "a.csv", "label,p\n" + rows(lambda i: i % 26, lambda i: i % 256, n=520))
    assert len(datasets.load(f"{name}?image=1x1").classes) == 26
    with pytest.raises(UsageError, match=f"csv:{tmp_path / 'a.csv'}: targets are whole numbers, 26 different ones"):
        datasets.load(name)
