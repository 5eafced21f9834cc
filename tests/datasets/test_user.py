"""A user's own data: what is read, what is noticed, and what is said when something is wrong with it."""

import os

import pytest

from lecturebench import datasets
from lecturebench.errors import UsageError


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return f"csv:{path}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minst", "no dataset 'minst': .*did you mean 'mnist'"),
        ("npy:file.npz", "no dataset 'npy:file.npz'"),
        ("npz:", "did you mean 'npz:PATH'"),
        ("npz:nowhere.npz", "npz:nowhere.npz: it cannot be read: No such file"),
        ("csv:/", "csv:/: it cannot be read: Is a directory"),
        ("folder:nowhere", "folder:nowhere: there is no such folder"),
    ],
)
def test_unknown_name_or_path_is_one_line(name, said):
    for ask in (datasets.load, datasets.status, datasets.verify):
        with pytest.raises(UsageError, match=said) as caught:
            ask(name)
        assert "\n" not in str(caught.value)


def test_csv_with_split_column_and_text_labels(tmp_path):
    name = write(tmp_path / "a.csv", "label,a,split,b\nyes,1,train,2.5\nno,3,test,4\nno,5,train,6\n")
    dataset = datasets.load(name)
    assert (dataset.task, dataset.classes, dataset.columns) == ("classification", ("no", "yes"), ("a", "b"))
    assert dataset.train.X.tolist() == [[1, 2.5], [5, 6]]
    assert dataset.train.y.tolist() == [1, 0]
    assert dataset.test.y.tolist() == [0]


@pytest.mark.parametrize(
    ("header", "features"),
    [
        ("a,label,target,split", ("a", "target")),
        ("a,target,b,split", ("a", "b")),
        ("a,b,c,split", ("a", "b")),
        ("split,a,b,c", ("a", "b")),
    ],
)
def test_csv_target_is_label_else_target_else_the_last_column(tmp_path, header, features):
    rows = [
        ",".join(part if name == "split" else "1.5" for name in header.split(","))
        for part in ("train", "train", "test")
    ]
    dataset = datasets.load(write(tmp_path / "a.csv", "\n".join([header, *rows])))
    assert dataset.columns == features


def test_csv_without_split_tests_on_every_fifth_row_whatever_the_order(tmp_path):
    rows = [f"{i},{i * i},{i / 7}\n" for i in range(23)]
    forwards = datasets.load(write(tmp_path / "a.csv", "a,b,y\n" + "".join(rows)))
    backwards = datasets.load(write(tmp_path / "b.csv", "a,b,y\n" + "".join(reversed(rows))))
    assert forwards.task == "regression"
    assert len(forwards.test) == 4
    assert forwards.test.X.tolist() == backwards.test.X.tolist()[::-1]
    assert forwards.train.X[:, 0].tolist() == sorted(forwards.train.X[:, 0].tolist()), "the file's order is kept"


BAD_CSV = [
    ("", "it is empty"),
    ("a,b\n1,2\n", "1 rows below the header"),
    ("y\n1\n2\n", "columns y; expected a target and at least one feature"),
    ("a,,y\n1,2,3\n", "column 2 is without a name"),
    ("a,a,y\n1,2,3\n", "column 2 is a second 'a'"),
    ("a,y\n1,2\n3\n", "line 3 has 1 cells, the header 2"),
    ("a,y\n1,2\nx,3\n", "column 'a', line 3: 'x' is no finite number"),
    ("a,y\n1,2\n,3\n", "column 'a', line 3: '' is no finite number"),
    ("a,y\n1,2\ninf,3\n", "column 'a', line 3: 'inf' is no finite number"),
    ("a,y\n1,2\n1,\n", "column 'y', line 3: the target is empty"),
    ("a,y\n1,2\n2,3\n", "2 rows for train and 0 for test"),
    ("a,y,split\n1,2,train\n2,3,later\n", "column 'split', line 3: 'later' is neither"),
    ("a,y,split\n1,2,train\n2,3,train\n", "2 rows for train and 0 for test"),
    ("a,y\n" + "1,5\n" * 10, "all labels are 5; classification needs two"),
    ('a,y\n"1,2\n', "cannot be read as CSV"),
]


@pytest.mark.parametrize(("text", "said"), BAD_CSV)
def test_what_is_wrong_with_a_csv_is_said_with_column_and_line(tmp_path, text, said):
    name = write(tmp_path / "a.csv", text)
    with pytest.raises(UsageError, match=f"{tmp_path / 'a.csv'}: .*{said}"):
        datasets.load(name)


def test_csv_that_is_no_text_is_said(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    with pytest.raises(UsageError, match="cannot be read as CSV in UTF-8"):
        datasets.load(f"csv:{tmp_path / 'a.csv'}")


def test_a_changed_file_is_decoded_anew_even_with_its_old_size_and_time(tmp_path):
    path = tmp_path / "a.csv"
    before = datasets.load(write(path, "a,y,split\n1,2.5,train\n2,3.5,test\n"))
    about = path.stat()
    write(path, "a,y,split\n1,2.5,train\n2,4.5,test\n")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    after = datasets.load(f"csv:{path}")
    assert after.test.y.tolist() == [4.5]
    assert after.digests["test"] != before.digests["test"]
    assert before.test.y.tolist() == [3.5], "what was mapped before stays as it was"
