"""A user's own data: what is read, what is noticed, and what is said when something is wrong with it."""

import os

import numpy as np
import pytest

from lecturebench import datasets
from lecturebench.errors import UsageError
from tests.datasets import build

RNG = np.random.default_rng(0)


def save(path, **changes):
    """An .npz of 5 + 2 examples with some arrays changed; those given as None are left out."""
    arrays = {
        "x_train": RNG.integers(0, 256, (5, 3, 2), dtype=np.uint8),
        "y_train": np.array([3, 1, 3, 1, 7]),
        "x_test": RNG.integers(0, 256, (2, 3, 2), dtype=np.uint8),
        "y_test": np.array([7, 3]),
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


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


def test_npz_of_images_keeps_label_names_and_gets_digests(tmp_path):
    dataset = datasets.load(f"npz:{save(tmp_path / 'a.npz')}")
    assert (dataset.kind, dataset.task, dataset.scale, dataset.source) == (
        "images",
        "classification",
        255,
        "npz file a.npz",
    )
    assert dataset.classes == ("1", "3", "7")
    assert dataset.train.X.shape == (5, 3, 2, 1)
    assert sorted(dataset.train.y.tolist()) == [0, 0, 1, 1, 2]
    assert sorted(dataset.test.y.tolist()) == [1, 2]
    assert set(dataset.digests) == {"train", "test"}
    assert datasets.status(f"npz:{tmp_path / 'a.npz'}").cached


def test_npz_with_channels_and_column_labels_as_keras_cifar10_has(tmp_path):
    images = {name: RNG.integers(0, 256, (n, 3, 2, 3), dtype=np.uint8) for name, n in (("x_train", 5), ("x_test", 2))}
    path = save(tmp_path / "a.npz", **images, y_train=np.arange(5)[:, None], y_test=np.arange(2)[:, None])
    assert datasets.load(f"npz:{path}").train.X.shape == (5, 3, 2, 3)


def test_npz_of_a_table_keeps_its_order(tmp_path):
    X, y = RNG.normal(size=(5, 4)), RNG.normal(size=5)
    path = save(tmp_path / "a.npz", x_train=X, y_train=y, x_test=X[:2], y_test=y[:2])
    dataset = datasets.load(f"npz:{path}")
    assert (dataset.kind, dataset.task, dataset.classes) == ("table", "regression", ())
    np.testing.assert_array_equal(dataset.train.X, X)
    np.testing.assert_array_equal(dataset.test.y, y[:2])


BAD_NPZ = [
    ({"y_test": None}, "it lacks y_test; it has x_train, y_train, x_test"),
    ({"y_train": np.arange(4)}, r"x_train has shape \(5, 3, 2\) and y_train \(4,\); expected n examples"),
    ({"x_test": np.zeros((2, 4, 4), np.uint8)}, r"examples of shape \(3, 2\), x_test of \(4, 4\)"),
    ({"x_train": np.zeros((5, 3, 2))}, "x_train holds float64 .* images must be uint8"),
    ({"y_train": np.linspace(0, 1, 5)}, "images need whole numbers or text"),
    ({"y_train": np.ones(5, int), "y_test": np.ones(2, int)}, "all labels are 1; classification needs two"),
    ({"x_train": np.full((5, 2), np.nan), "x_test": np.zeros((2, 2))}, "x_train is not finite in row 0, column 0"),
    ({"x_train": np.full((5, 2), "a"), "x_test": np.full((2, 2), "a")}, "x_train holds <U1; a table must hold numbers"),
    ({"y_train": np.array([{}] * 5)}, "cannot be read: Object arrays"),
    ({"y_train": np.array(list("abcde"))}, "labels of train are <U1, those of test int64"),
]


@pytest.mark.parametrize(("changes", "said"), BAD_NPZ)
def test_what_is_wrong_with_an_npz_is_said(tmp_path, cache_folder, changes, said):
    path = save(tmp_path / "a.npz", **changes)
    with pytest.raises(UsageError, match=f"{path}: .*{said}"):
        datasets.load(f"npz:{path}")
    assert not [folder for folder in cache_folder.iterdir() if folder.is_dir()]


def test_truncated_npz_and_what_is_none_are_said(tmp_path):
    path = save(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match=r"no whole \.npz archive"):
        datasets.load(f"npz:{path}")


def test_csv_with_split_column_and_text_labels(tmp_path):
    name = write(tmp_path / "a.csv", "label,a,split,b\nyes,1,train,2.5\nno,3,test,4\nyes,5,train,6\n")
    dataset = datasets.load(name)
    assert (dataset.task, dataset.classes, dataset.columns) == ("classification", ("no", "yes"), ("a", "b"))
    assert dataset.train.X.tolist() == [[1, 2.5], [5, 6]]
    assert dataset.train.y.tolist() == [1, 1]
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


def images(n, height=4, channels=3):
    return RNG.integers(0, 256, (n, height, 5, channels) if channels > 1 else (n, height, 5), dtype=np.uint8)


def test_folder_of_classes_with_train_and_test(tmp_path):
    for split, classes in (("train", "ab"), ("test", "b")):
        for label in classes:
            for i, pixels in enumerate(images(3)):
                build.png(pixels, tmp_path / split / label / f"{i}.png")
    (tmp_path / "train" / "a" / ".DS_Store").touch()
    (tmp_path / "README.txt").touch()
    dataset = datasets.load(f"folder:{tmp_path}")
    assert (dataset.kind, dataset.classes) == ("images", ("a", "b"))
    assert dataset.train.X.shape == (6, 4, 5, 3)
    assert dataset.test.y.tolist() == [1, 1, 1]


def test_folder_without_a_test_split_tests_on_every_fifth_and_sees_a_new_image(tmp_path):
    for label, n in (("cat", 6), ("dog", 5)):
        for i, pixels in enumerate(images(n, channels=1)):
            build.png(pixels, tmp_path / label / f"{i}.png")
    dataset = datasets.load(f"folder:{tmp_path}")
    assert dataset.train.X.shape == (9, 4, 5, 1)
    assert dataset.test.X.shape == (2, 4, 5, 1)
    build.png(images(1, channels=1)[0], tmp_path / "cat" / "new.png")
    assert len(datasets.load(f"folder:{tmp_path}").train) == 10


def folder_with(tmp_path, **files):
    for i, pixels in enumerate(images(3)):
        build.png(pixels, tmp_path / "a" / f"{i}.png")
    for name, content in files.items():
        path = tmp_path / "b" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return f"folder:{tmp_path}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (build.png(images(1, height=6)[0]), "5 x 6 RGB, but .*0.png is 5 x 4 RGB; all must be alike"),
        (build.png(images(1, channels=1)[0]), "5 x 4 L, but .*0.png is 5 x 4 RGB; all must be alike"),
        (build.png(images(1)[0])[:-30], "cannot be read as an image"),
        (build.png(np.zeros((4, 5), np.uint16)), "its mode is I;16; convert it"),
        (b"text", "cannot be read as an image"),
    ],
)
def test_an_image_unlike_the_others_or_none_at_all_is_named(tmp_path, content, said):
    with pytest.raises(UsageError, match=f"{tmp_path}/b/odd: .*{said}"):
        datasets.load(folder_with(tmp_path, odd=content))


def test_folders_that_are_not_laid_out_are_said(tmp_path):
    with pytest.raises(UsageError, match="all labels are 'a'; classification needs two"):
        datasets.load(folder_with(tmp_path))
    with pytest.raises(UsageError, match=r"no images in .*it must hold one folder per class"):
        datasets.load(f"folder:{tmp_path / 'a'}")
    with pytest.raises(UsageError, match="4 images and no test/; a test split needs at least 5"):
        datasets.load(folder_with(tmp_path, odd=build.png(images(1)[0])))
    (tmp_path / "train").mkdir()
    with pytest.raises(UsageError, match="it has train/ but no test/"):
        datasets.load(f"folder:{tmp_path}")
