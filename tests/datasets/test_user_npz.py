"""A user's .npz files: what is read and said, what is noticed, and what is refused with what to do."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lecturebench import datasets
from lecturebench.datasets import pixels
from lecturebench.errors import UsageError
from tests.datasets.reading import notes, refusal, same_images

RNG = np.random.default_rng(0)
CASES = Path(__file__).parent / "cases"


def grey(n, height=3, width=2):
    return RNG.integers(0, 256, (n, height, width), dtype=np.uint8)


def save(path, **changes):
    """An .npz of 5 + 2 examples with some arrays changed; those given as None are left out."""
    arrays = {
        "x_train": grey(5),
        "y_train": np.array([3, 1, 3, 1, 7]),
        "x_test": grey(2),
        "y_test": np.array([7, 3]),
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


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
    assert notes(f"npz:{tmp_path / 'a.npz'}") == (
        "Class '1' is in train alone: no test example shows how well they are told."
    )


def test_npz_with_channels_and_column_labels_as_keras_cifar10_has(tmp_path):
    X = RNG.integers(0, 256, (7, 5, 6, 3), dtype=np.uint8)
    path = save(
        tmp_path / "a.npz", x_train=X[:5], x_test=X[5:], y_train=np.arange(5)[:, None], y_test=np.arange(2)[:, None]
    )
    assert same_images(datasets.load(f"npz:{path}"), X[:5])


def test_npz_of_a_table_keeps_its_order(tmp_path):
    X, y = RNG.normal(size=(5, 4)), RNG.normal(size=5)
    path = save(tmp_path / "a.npz", x_train=X, y_train=y, x_test=X[:2], y_test=y[:2])
    dataset = datasets.load(f"npz:{path}")
    assert (dataset.kind, dataset.task, dataset.classes) == ("table", "regression", ())
    np.testing.assert_array_equal(dataset.train.X, X)
    np.testing.assert_array_equal(dataset.test.y, y[:2])


def test_npz_columns_are_pixels_where_image_says_so(tmp_path):
    X = RNG.integers(0, 256, (7, 24), dtype=np.uint8)
    name = f"npz:{save(tmp_path / 'a.npz', x_train=X[:5], x_test=X[5:])}"
    assert datasets.load(name).kind == "table"
    assert same_images(datasets.load(f"{name}?image=2x4x3"), X[:5].reshape(5, 2, 4, 3))
    assert "the pixels of images, 2x4x3" in notes(f"{name}?image=2x4x3")
    assert "5x5 pixels are 25 columns, but x_train has shape (5, 24)" in refusal(f"{name}?image=5x5")


BAD_NPZ = [
    ({"y_test": None}, "it lacks y_test; it has x_train, y_train, x_test"),
    ({"x_train": None, "y_train": None}, "it lacks x_train, y_train; it has x_test, y_test"),
    ({"X_train": grey(5)}, "names differ in case alone"),
    ({"train_images": grey(5), "train_labels": np.arange(5), "test_images": grey(2), "test_labels": np.arange(2)},
     "it has x_train and train_images; leave one of the two out"),
    ({"y_train": np.arange(4)}, r"x_train has shape \(5, 3, 2\) and y_train \(4,\); expected n examples"),
    ({"x_train": np.zeros((5, 0, 2), np.uint8)}, "expected n examples and n targets"),
    ({"x_test": np.zeros((2, 4, 4), np.uint8)}, r"examples of shape \(3, 2\), x_test of \(4, 4\)"),
    ({"x_val": grey(2)}, "it has one of x_val and y_val; give both or neither"),
    ({"x_val": grey(2, 4), "y_val": np.array([1, 3])}, r"x_train has examples of shape \(3, 2\), x_val of \(4, 2\)"),
    ({"x_val": grey(2) / 255, "y_val": np.array([1, 3])}, "train holds uint8 .* val float64"),
    ({"x_val": grey(2), "y_val": np.array(["1", "3"])}, "train holds int64 .* val <U1"),
    ({"x_train": grey(5).astype("<U3"), "x_test": grey(2).astype("<U3")},
     r"x_train holds <U3; .*: store x_train.astype\(float\)"),
    ({"y_train": np.linspace(0, 1, 5)}, "images need whole numbers or text"),
    ({"y_train": np.ones(5, int), "y_test": np.ones(2, int)}, "all labels are 1; classification needs two"),
    ({"x_train": np.full((5, 2), np.nan), "x_test": np.zeros((2, 2))}, r"x_train\[0, 0\] is nan, the first of 10: "),
    ({"x_val": np.full((2, 2), np.inf), "y_val": np.array([1, 3]), "x_train": np.zeros((5, 2)),
      "x_test": np.zeros((2, 2))}, r"x_val\[0, 0\] is inf, the first of 4: expected finite numbers; fill them in"),
    ({"x_train": np.full((5, 2), "a"), "x_test": np.full((2, 2), "a")}, "x_train holds <U1; examples must be numbers"),
    ({"y_train": np.array([{}] * 5)},
     r"y_train is an array of Python objects, .*: store np.array\(y_train.tolist\(\)\)"),
    ({"y_train": np.array(list("abcde"))}, "labels are text in train and int64 in test"),
    ({"y_train": np.array(["a", "b", "NA", "", "a"]), "y_test": np.array(["a", "b"])},
     r"y_train\[2\] is 'NA', the first of 2: it is missing; leave such examples out"),
    ({"y_train": np.array([1, 2, np.nan, 1, 2])}, r"y_train\[2\] is nan: expected finite numbers"),
    ({"y_train": np.array([b"\xff"] * 5), "y_test": np.array([b"\xff"] * 2)}, "bytes that are no UTF-8"),
    ({"y_train": np.ones((5, 3)), "y_test": np.ones((2, 3))},
     r"y_train\[0\] has 3 ones, the first of 5 such rows: one-hot targets have a single 1 a row"),
    ({"y_train": np.eye(8)[[3, 1, 3, 1, 7]] * [[1], [1], [0], [1], [1]]}, r"y_train\[2\] has 0 ones: one-hot"),
    ({"y_train": np.full((5, 2), 0.5)}, r"y_train\[0, 0\] is 0.5, the first of 10: one-hot targets have"),
    ({"y_train": np.eye(8)[[3, 1, 3, 1, 7]]}, r"shapes \(5, 8\) and \(2,\); expected one-hot ones alike in both"),
    ({"y_train": np.full((5, 2), "a")}, r"y_train is text of shape \(5, 2\); expected one label per example"),
    ({"y_train": np.array([0, 1, -1, 1, -1]).astype("u1")},
     r"y_train\[2\] is 255, the first of 2: the others go from 0 to 1, and uint8 makes this of -1, which may stand"),
    ({"y_train": np.array([0, 1, -1, 1, 0]).astype("u8")}, r"y_train\[2\] is 18446744073709551615: the others go"),
    ({"y_train": np.array([0, 1, -(2**31), 1, 0], "i4")}, r"y_train\[2\] is -2147483648: .* int32 makes this of NaN"),
    ({"y_train": np.array([0, 1, 0, 1, 0]) + 2.0**60},
     r"y_train has whole numbers up to 1.15292e\+18, which float64 rounds beyond 2\*\*53: store labels as int64"),
    ({"y_train": np.array([0, 1, 0, 1, 0], "f2") + 4096}, r"float16 rounds beyond 2\*\*11"),
    ({"x_train": np.zeros((5, 2), "c8")}, "x_train holds complex64; examples must be numbers: store x_train.real"),
    ({"x_train": np.zeros((5, 2), "M8[s]")}, r"x_train holds datetime64\[s\].*: store x_train.astype\('int64'\)"),
    ({"x_train": np.zeros((5, 2), [("a", "f4")])}, r"x_train holds \[.*structured_to_unstructured\(x_train\)"),
    ({"x_train": np.zeros((5, 2), "V2")}, r"x_train holds \|V2.*: store x_train.astype\('float32'\)"),
    ({"y_train": np.zeros(5, "c8")}, "y_train holds complex64; targets must be numbers or text: store y_train.real"),
    ({"y_train": np.zeros(5, [("a", "f4")])}, r"y_train holds \[.*structured_to_unstructured\(y_train\)"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), BAD_NPZ)
def test_what_is_wrong_with_an_npz_is_said(tmp_path, cache_folder, changes, said):
    path = save(tmp_path / "a.npz", **changes)
    with pytest.raises(UsageError, match=f"{path}: .*{said}"):
        datasets.load(f"npz:{path}")
    assert not [folder for folder in cache_folder.iterdir() if folder.is_dir()]


def test_truncated_npz_and_what_is_none_are_said(tmp_path):
    path = save(tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:-30])
    assert "no whole .npz archive" in refusal(f"npz:{path}")
    path.write_bytes(gzip.compress(b"text"))
    assert "no whole .npz archive" in refusal(f"npz:{path}")


def test_labels_shifted_between_the_splits_of_an_npz_are_refused():
    message = refusal(f"npz:{CASES / 'shifted_labels.npz'}")
    assert "class 0 is in test alone and class 10 in train alone: are the labels of one split off by one?" in message


MEDMNIST = ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels")


@pytest.mark.parametrize(
    "names", [MEDMNIST, ("X_train", "Y_train", "X_valid", "Y_valid", "X_test", "Y_test"),
              ("train_x", "train_y", "validation_x", "validation_y", "test_x", "test_y")],
)  # fmt: skip
def test_arrays_named_otherwise_are_read_and_validation_goes_back_to_train(tmp_path, names):
    X = grey(9)
    y = np.array([0, 1, 0, 1, 1, 0, 1, 0, 1])[:, None]
    parts = [part for cut in (slice(0, 5), slice(5, 7), slice(7, 9)) for part in (X[cut], y[cut])]
    np.savez(tmp_path / "a.npz", **dict(zip(names, parts, strict=True)), ids=np.arange(9))
    name = f"npz:{tmp_path / 'a.npz'}"
    dataset = datasets.load(name)
    assert same_images(dataset, X[:7])
    assert len(dataset.test) == 2
    said = notes(name)
    assert (
        f"Train is 5 examples and the 2 of {names[2].casefold().replace('x', '').replace('images', '').strip('_')}"
        in said
    )
    assert "Left out, since they are no split's examples or targets: ids." in said


def test_one_hot_and_byte_labels_are_read(tmp_path):
    codes = [np.array([3, 1, 3, 1, 7]), np.array([7, 3])]
    plain = datasets.load(f"npz:{save(tmp_path / 'a.npz')}")
    again = np.load(tmp_path / "a.npz")
    arrays = {name: again[name] for name in ("x_train", "x_test")}
    name = f"npz:{save(tmp_path / 'b.npz', y_train=np.eye(8)[codes[0]], y_test=np.eye(8)[codes[1]], **arrays)}"
    assert datasets.load(name).digests == plain.digests
    assert datasets.load(name).classes == plain.classes
    assert "One-hot targets of 8 columns are class numbers" in notes(name)
    text = [part.astype("S1") for part in codes]
    assert datasets.load(f"npz:{save(tmp_path / 'c.npz', y_train=text[0], y_test=text[1], **arrays)}").classes == (
        "1",
        "3",
        "7",
    )


def test_channels_first_is_read_where_it_is_certain_and_asked_about_elsewhere(tmp_path):
    X = RNG.integers(0, 256, (7, 3, 5, 6), dtype=np.uint8)
    name = f"npz:{save(tmp_path / 'a.npz', x_train=X[:5], x_test=X[5:])}"
    assert same_images(datasets.load(name), X[:5].transpose(0, 2, 3, 1))
    assert "Images of shape (3, 5, 6) have their channels first." in notes(name)
    assert "images must be" in refusal(f"{name}?layout=channels_last")
    small = RNG.integers(0, 256, (7, 3, 2, 3), dtype=np.uint8)
    name = f"npz:{save(tmp_path / 'b.npz', x_train=small[:5], x_test=small[5:])}"
    assert "say ?layout=channels_first or ?layout=channels_last" in refusal(name)
    assert same_images(datasets.load(f"{name}?layout=channels_last"), small[:5])
    assert same_images(datasets.load(f"{name}?layout=channels_first"), small[:5].transpose(0, 2, 3, 1))
    deep = np.zeros((7, 5, 6, 5), np.uint8)
    assert "with 1 to 4 channels" in refusal(f"npz:{save(tmp_path / 'c.npz', x_train=deep[:5], x_test=deep[5:])}")


STORED = {
    "over 255": lambda X: X / 255,
    "over 255, single": lambda X: X.astype(np.float32) / 255,
    "times a 255th, single": lambda X: X.astype(np.float32) * np.float32(1 / 255),
    "over 255, half": lambda X: (X / 255).astype(np.float16),
    "1 - over 255": lambda X: 1 - (255 - X) / 255,
    "over 256": lambda X: X / np.float32(256),
    "-1 to 1": lambda X: X / 127.5 - 1,
    "-1 to 1, single": lambda X: (X.astype(np.float32) / 255 - np.float32(0.5)) / np.float32(0.5),
    "whole floats": lambda X: X.astype(np.float32),
    "int64": lambda X: X.astype(np.int64),
    "uint32": lambda X: X.astype(np.uint32),
}


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED.keys())
def test_bytes_on_a_known_scale_give_the_same_digests_as_the_bytes(tmp_path, stored):
    X = np.arange(7 * 64, dtype=np.uint8).reshape(7, 8, 8)
    plain = datasets.load(f"npz:{save(tmp_path / 'a.npz', x_train=X[:5], x_test=X[5:])}")
    name = f"npz:{save(tmp_path / 'b.npz', x_train=stored(X[:5]), x_test=stored(X[5:]))}"
    assert datasets.load(name).digests == plain.digests
    assert "Pixels were stored" in notes(name)


def test_splits_of_two_types_are_bytes_if_one_scale_fits_both(tmp_path):
    X = grey(7) | np.uint8(2)
    name = f"npz:{save(tmp_path / 'a.npz', x_train=X[:5], x_test=X[5:].astype(np.float32))}"
    assert same_images(datasets.load(name), X[:5, ..., None])


def test_every_byte_survives_every_scale():
    X = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for stored in STORED.values():
        (found,), _ = pixels.as_bytes([stored(X)])
        np.testing.assert_array_equal(found, X)


def test_black_and_white_becomes_0_and_255(tmp_path):
    X = grey(7) > 127
    for kind in (np.bool_, np.float32):
        path = save(tmp_path / "a.npz", x_train=X[:5].astype(kind), x_test=X[5:].astype(kind))
        assert same_images(datasets.load(f"npz:{path}"), (X[:5] * np.uint8(255))[..., None])


@pytest.mark.parametrize(
    ("train", "test", "held"),
    [
        (RNG.normal(size=(5, 3, 2)), RNG.normal(size=(2, 3, 2)), "x_train float64 from -"),
        (RNG.random((5, 3, 2)), RNG.random((2, 3, 2)), "x_train float64 from 0"),
        (grey(5) / 255, grey(2), "x_test uint8 from"),
        (grey(5) / 255, grey(2).astype(float), "x_test float64 from"),
        (grey(5).astype(np.uint16), grey(2).astype(np.uint16), "x_train uint16"),
        (grey(5).astype(int) * 9, grey(2).astype(int), "x_train int64"),
        (-grey(5).astype(int), grey(2).astype(int), "x_train int64 from -"),
        (grey(5).astype(int) % 2, grey(2).astype(int) % 2, "x_train int64 from 0 to 1"),
        (grey(5) > 9, grey(2), "x_train bool from 0 to 1"),
        (grey(5) + 0.5, grey(2) + 0.5, "x_train float64"),
    ],
)
def test_pixels_on_no_known_scale_are_refused_with_what_they_are(tmp_path, train, test, held):
    message = refusal(f"npz:{save(tmp_path / 'a.npz', x_train=train, x_test=test)}")
    assert held in message
    assert "images must be bytes" in message


def test_pixels_that_are_no_number_are_named(tmp_path):
    X = grey(5) / 255
    X[1, 2, 0] = np.nan
    assert "x_train[1, 2, 0] is nan" in refusal(f"npz:{save(tmp_path / 'a.npz', x_train=X, x_test=grey(2) / 255)}")


@pytest.mark.skipif(np.dtype("g").itemsize == 8, reason="no longer floats here")
def test_floats_that_float64_cannot_keep_are_refused(tmp_path):
    for changes in ({"x_train": np.zeros((5, 2), "g"), "x_test": np.zeros((2, 2), "g")}, {"y_train": np.zeros(5, "g")}):
        assert "must be numbers" in refusal(f"npz:{save(tmp_path / 'a.npz', **changes)}")


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([0, 1, 255, 1, 0, 255, 1], "i8"), ("0", "1", "255")),
        (np.array([1, 255, 255, 1, 1, 255, 1], "u1"), ("1", "255")),
        (np.array([0, 85, 170, 255, 0, 85, 0], "u1"), ("0", "85", "170", "255")),
        (np.array([-1, 1, 1, 1, -1, 1, -1]), ("-1", "1")),
        (np.array([b"a\0b", b"a\0c", b"a\0c", b"a\0b", b"a\0b", b"a\0b", b"a\0b"]), ("a\0b", "a\0c")),
    ],
)
def test_labels_that_no_cast_made_are_classes_as_they_are(tmp_path, y, classes):
    name = f"npz:{save(tmp_path / 'a.npz', y_train=y[:5], y_test=y[5:])}"
    assert datasets.load(name).classes == classes
    assert "stand for no label" not in notes(name)


def test_zero_below_zero_is_zero(tmp_path):
    y = np.array([-0.0, 0.0, 1.0, 0.0, 1.0])
    name = f"npz:{save(tmp_path / 'a.npz', y_train=y, y_test=y[:2])}?task=classification"
    assert datasets.load(name).classes == ("0", "1")
    X = -np.zeros((5, 2))
    name = f"npz:{save(tmp_path / 'b.npz', x_train=X, x_test=X[:2])}"
    assert datasets.describe(name).summary == "2 features (0 to 0)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y_train": np.array([-1, 0, 1, 2, 2])}, "-1 is a class beside 0 to 2: or does it stand for no label?"),
        ({"x_train": np.full((5, 2), 200.0), "x_test": np.full((2, 2), 0.5)}, "Features reach 200 in train and 0.5 in"),
        ({"x_train": np.zeros((5, 3, 2), "u1") + 255, "x_test": np.ones((2, 3, 2), "u1")},
         "Pixels reach 255 in train and 1 in test: are both on one scale?"),
    ],
)  # fmt: skip
def test_what_may_be_a_slip_is_said(tmp_path, changes, said):
    name = (
        f"npz:{save(tmp_path / 'a.npz', **{'y_train': np.array([0, 1, 0, 1, 0]), 'y_test': np.arange(2), **changes})}"
    )
    assert said in notes(name)


def test_one_column_far_apart_is_no_other_scale(tmp_path):
    X = np.array([[500.0, 1.0], [2.0, 3.0]] * 3)
    assert "scale" not in notes(f"npz:{save(tmp_path / 'a.npz', x_train=X[:5], x_test=X[[1, 1]])}")


def test_what_is_no_array_in_the_archive_is_refused(tmp_path):
    path = save(tmp_path / "a.npz", y_train=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y_train", "0 1 0 1 0")
    assert "y_train is no array; targets must be numbers or text" in refusal(f"npz:{path}")


def test_array_that_is_there_twice_is_said(tmp_path):
    path = save(tmp_path / "a.npz")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("x_test.npy", archive.read("x_test.npy"))
    assert "it has x_test twice; leave one of the two out" in refusal(f"npz:{path}")
