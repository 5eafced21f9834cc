"""A user's images and .npz files: what is read and said, what is noticed, and what is refused with what to do."""

import gzip
import io
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lecturebench import datasets
from lecturebench.datasets import imagefolder, pixels
from lecturebench.errors import UsageError
from tests.datasets import build

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


def notes(name):
    return " ".join(datasets.describe(name).notes)


def refusal(name):
    with pytest.raises(UsageError) as caught:
        datasets.load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same_images(dataset, X_train):
    """Whether train holds these images (n, h, w, c), whatever their order."""
    found = sorted(image.tobytes() for image in np.asarray(dataset.train.X))
    return found == sorted(np.ascontiguousarray(image).tobytes() for image in X_train)


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
    ({"x_train": grey(5).astype("<U3"), "x_test": grey(2).astype("<U3")}, "x_train holds <U3; images must be uint8"),
    ({"y_train": np.linspace(0, 1, 5)}, "images need whole numbers or text"),
    ({"y_train": np.ones(5, int), "y_test": np.ones(2, int)}, "all labels are 1; classification needs two"),
    ({"x_train": np.full((5, 2), np.nan), "x_test": np.zeros((2, 2))}, r"x_train\[0, 0\] is nan"),
    ({"x_train": np.full((5, 2), "a"), "x_test": np.full((2, 2), "a")}, "x_train holds <U1; a table must hold numbers"),
    ({"y_train": np.array([{}] * 5)}, "cannot be read: Object arrays"),
    ({"y_train": np.array(list("abcde"))}, "labels are text in train and int64 in test"),
    ({"y_train": np.array(["a", "b", "NA", "", "a"]), "y_test": np.array(["a", "b"])},
     r"2 targets are missing, first y_train\[2\], which is 'NA'"),
    ({"y_train": np.array([1, 2, np.nan, 1, 2])}, r"1 targets are missing, first y_train\[2\]"),
    ({"y_train": np.array([b"\xff"] * 5), "y_test": np.array([b"\xff"] * 2)}, "bytes that are no UTF-8"),
    ({"y_train": np.ones((5, 3)), "y_test": np.ones((2, 3))}, "not one-hot in both"),
    ({"y_train": np.eye(8)[[3, 1, 3, 1, 7]]}, "not one-hot in both"),
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


# Folders


def images(n, height=4, channels=3):
    return RNG.integers(0, 256, (n, height, 5, channels) if channels > 1 else (n, height, 5), dtype=np.uint8)


def fill(folder, n=3):
    """n images in a folder, made where it is not there; the pixels are given back."""
    pictures = images(n)
    for i, picture in enumerate(pictures):
        build.png(picture, folder / f"{i}.png")
    return pictures


def split_folder(root, train="train", test="test", classes="ab"):
    for split in (train, test):
        for label in classes:
            fill(root / split / label)
    return f"folder:{root}"


PICTURE = Image.fromarray(images(1)[0])


def encoded(form, picture=PICTURE, **how):
    file = io.BytesIO()
    picture.save(file, format=form, **how)
    return file.getvalue()


def test_folder_of_classes_with_train_and_test(tmp_path):
    for split, classes in (("train", "ab"), ("test", "b")):
        for label in classes:
            fill(tmp_path / split / label)
    dataset = datasets.load(f"folder:{tmp_path}")
    assert (dataset.kind, dataset.classes) == ("images", ("a", "b"))
    assert dataset.train.X.shape == (6, 4, 5, 3)
    assert dataset.test.y.tolist() == [1, 1, 1]
    assert notes(f"folder:{tmp_path}").startswith("Class 'a' is in train alone")


def test_folder_without_a_test_split_tests_on_every_fifth_and_sees_a_new_image(tmp_path):
    for label, n in (("cat", 6), ("dog", 5)):
        for i, picture in enumerate(images(n, channels=1)):
            build.png(picture, tmp_path / label / f"{i}.png")
    dataset = datasets.load(f"folder:{tmp_path}")
    assert dataset.train.X.shape == (9, 4, 5, 1)
    assert dataset.test.X.shape == (2, 4, 5, 1)
    assert "every fifth" in datasets.describe(f"folder:{tmp_path}").split
    build.png(images(1, channels=1)[0], tmp_path / "cat" / "new.png")
    assert len(datasets.load(f"folder:{tmp_path}").train) == 10


@pytest.mark.parametrize(
    ("train", "test", "validation"),
    [("Training", "Testing", "Validation"), ("TRAIN", "test", "val"), ("train", "Test", "valid")],
)
def test_splits_by_other_names_are_read_and_validation_goes_back_to_train(tmp_path, train, test, validation):
    name = split_folder(tmp_path, train, test)
    assert len(datasets.load(name).train) == 6
    fill(tmp_path / validation / "a", n=2)
    dataset = datasets.load(name)
    assert (len(dataset.train), len(dataset.test)) == (8, 6)
    assert "Train is 6 images and the 2 of validation" in notes(name)


def test_classes_may_be_called_as_splits_are(tmp_path):
    for label in ("train", "plane", "car"):
        fill(tmp_path / label, n=5)
    assert datasets.load(f"folder:{tmp_path}").classes == ("car", "plane", "train")


def test_litter_is_left_out_and_said(tmp_path):
    name = split_folder(tmp_path)
    plain = datasets.load(name)
    for path in ("__MACOSX/train/a/._0.png", "train/a/Thumbs.db", "train/a/.DS_Store", "train/desktop.ini",
                 "test/b/._0.png", ".ipynb_checkpoints/x.png", "train/a/@eaDir/0.png"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert datasets.load(name).digests == plain.digests
    datasets.load(name, refresh=True)
    assert "Not read: 7 that file managers leave behind" in notes(name)


def test_whatever_lies_beside_the_class_folders_is_named(tmp_path):
    name = split_folder(tmp_path)
    (tmp_path / "README.txt").touch()
    (tmp_path / "train" / "lost.png").touch()
    fill(tmp_path / "extra" / "a")
    said = notes(name)
    assert "Not read, since they lie in no class folder: README.txt, extra and train/lost.png." in said
    assert len(datasets.load(name).train) == 6


def folder_with(tmp_path, **files):
    fill(tmp_path / "a")
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
        (build.png(np.zeros((4, 5), np.uint16)), "16 bits a channel; convert"),
        (encoded("TIFF", Image.fromarray(np.zeros((4, 5), np.uint16))), "16 bits a channel"),
        (encoded("TIFF", Image.fromarray(np.zeros((4, 5), np.float32))), "32 bits a channel"),
        (encoded("TIFF", Image.fromarray(np.zeros((4, 5), np.int32))), "32 bits a channel"),
        (b"P6 5 4 65535\n" + bytes(120), "16 bits a channel"),
        (b"P5 5 4 65535\n" + bytes(40), "16 bits a channel"),
        (b"P5 5 4 1023\n" + bytes(40), "10 bits a channel"),
        (encoded("JPEG", Image.new("CMYK", (5, 4))), "its mode is CMYK; convert"),
        (encoded("TIFF", Image.new("LAB", (5, 4))), "its mode is LAB; convert"),
        (encoded("ICO", Image.new("RGB", (16, 16)), sizes=[(16, 16)]), "its format is ICO; convert it to PNG"),
        (encoded("GIF", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (encoded("TIFF", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (encoded("PNG", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (encoded("WEBP", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (b"text", "it is no image; move it out of the class folders"),
        (b"", "it is no image; move it out of the class folders"),
    ],
)  # fmt: skip
def test_an_image_unlike_the_others_or_none_at_all_is_named(tmp_path, content, said):
    with pytest.raises(UsageError, match=f"{tmp_path}/b/odd: .*{said}"):
        datasets.load(folder_with(tmp_path, odd=content))


def png_of_depth(depth, colour, channels, values):
    """A PNG made by hand, of 16-bit values (h, w, channels), which Pillow cannot write."""
    import struct
    import zlib

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in values.reshape(height, width * channels))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_png_of_16_bits_is_refused_in_every_colour_type(tmp_path, colour, channels):
    fill(tmp_path / "a")
    for depth, refused in ((16, True), (8, False)):
        content = png_of_depth(depth, colour, channels, np.zeros((4, 5, channels), int))
        (tmp_path / "a" / "0.png").write_bytes(content)
        assert ("0.png: it has 16 bits a channel" in refusal(f"folder:{tmp_path}")) == refused


def test_pictures_of_16_bits_are_refused_by_their_depth():
    assert "dark/0.png: it has 16 bits a channel" in refusal(f"folder:{CASES / 'sixteen_bit'}")


def test_grey_with_alpha_has_two_channels(tmp_path):
    for label in "ab":
        for i, picture in enumerate(images(5, channels=2)):
            build.png(picture, tmp_path / label / f"{i}.png")
    assert datasets.load(f"folder:{tmp_path}").train.X.shape == (8, 4, 5, 2)


def write_all(folder, contents):
    for i, content in enumerate(contents):
        (folder / "ab"[i % 2]).mkdir(exist_ok=True)
        (folder / "ab"[i % 2] / str(i)).write_bytes(content)
    return f"folder:{folder}"


def test_pictures_with_a_palette_and_of_one_bit_are_what_they_show(tmp_path):
    colours = [Image.fromarray(RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)) for _ in range(10)]
    (tmp_path / "plain").mkdir()
    (tmp_path / "palette").mkdir()
    plain = datasets.load(write_all(tmp_path / "plain", [encoded("PNG", picture) for picture in colours]))
    name = write_all(tmp_path / "palette", [encoded("PNG", picture.quantize(256)) for picture in colours])
    assert datasets.load(name).train.X.shape == plain.train.X.shape
    assert "10 images with a palette, read as the colours it stands for." in notes(name)
    (tmp_path / "bits").mkdir()
    name = write_all(tmp_path / "bits", [encoded("PNG", picture.convert("1")) for picture in colours])
    assert set(np.unique(datasets.load(name).train.X)) == {0, 255}
    assert "10 images of 1 bit, read as 0 and 255." in notes(name)


def test_palette_gives_the_exact_colours(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([1, 2, 3, 250, 128, 7])
    picture.putdata([1, 0])
    fill(tmp_path / "a")
    for path in (tmp_path / "a").iterdir():
        path.write_bytes(encoded("PNG", picture))
    X, _ = imagefolder._Pictures().read(imagefolder.scan(tmp_path).splits[""])
    assert X[0].tolist() == [[[250, 128, 7], [1, 2, 3]]]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright_and_that_is_said(tmp_path, form, orientation):
    """The same picture stored in any of the eight ways of EXIF is the same data."""
    stored = {
        1: lambda x: x, 2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2), 6: lambda x: np.rot90(x), 7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
        8: lambda x: np.rot90(x, -1),
    }[orientation]  # fmt: skip
    pictures = images(10)
    exif = Image.Exif()
    exif[imagefolder.ORIENTATION] = orientation
    how = {"lossless": True} if form == "WEBP" else {}
    for folder, turn in (("plain", lambda x: x), ("turned", stored)):
        (tmp_path / folder).mkdir()
        tag = {} if folder == "plain" else {"exif": exif}
        made = [Image.fromarray(np.ascontiguousarray(turn(picture))) for picture in pictures]
        write_all(tmp_path / folder, [encoded(form, picture, **how, **tag) for picture in made])
    name = f"folder:{tmp_path / 'turned'}"
    assert datasets.load(name).digests == datasets.load(f"folder:{tmp_path / 'plain'}").digests
    assert ("10 images turned upright" in notes(name)) == (orientation != 1)


def test_previews_behind_a_photograph_are_left_out_and_said(tmp_path):
    preview = Image.new("RGB", (3, 3))
    name = write_all(tmp_path, [encoded("MPO", save_all=True, append_images=[preview]) for _ in range(10)])
    assert datasets.load(name).train.X.shape[1:] == (4, 5, 3)
    assert "10 images with previews behind the picture (MPO)" in notes(name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]), st.data())
def test_a_damaged_image_is_read_or_refused_in_one_line(tmp_path, form, data):
    content = bytearray(encoded(form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content) - 1, 200)))] = data.draw(st.integers(0, 255))
    fill(tmp_path / "a", n=5)
    (tmp_path / "a" / "odd").write_bytes(content)
    fill(tmp_path / "b", n=5)
    said = ""
    try:
        imagefolder.read(tmp_path)
    except UsageError as error:
        said = str(error)
    assert "\n" not in said


BAD_LAYOUTS = [
    (["train/a", "train/b"], [], "it has train/ but no test/"),
    (["train/a", "val/a"], [], "it has train/ but no test/; rename val/ if it is what methods are tested on"),
    (["test/a", "test/b"], [], "it has test/ but no train/"),
    (["val/a"], [], "it has val/ but no train/"),
    (["train/a", "Training/a", "test/a"], [], "Training/ and train/ both name a split"),
    (["train", "test"], [], "no images in .*train; it must hold one folder per class"),
    (["a", "b"], ["c"], "class folder c/ has no images; put some in, or remove it"),
    (["train/a", "train/b", "test/a"], ["test/b"], "class folder test/b/ has no images"),
    (["train/a", "train/b", "test/a"], ["train/c"], "class folder train/c/ has no images"),
    (["data/train/a", "data/test/a"], [], "class folder data/ holds folders itself .*did you mean folder:.*/data"),
    (["train/a/more", "train/b", "test/a"], [], r"class folder train/a/ holds folders itself \(more/\)"),
    (["train/a", "train/b", "test/a", "test/c"], [], "class 'c' is in test alone, with 3 examples"),
    (["cat", "Cat"], [], "classes 'Cat' and 'cat' differ only in case"),
    (["a"], [], "all labels are 'a'; classification needs two"),
    (["train/a", "train/b", "test"], [], "no images in .*test; it must hold one folder per class"),
]


@pytest.mark.parametrize(("filled", "empty", "said"), BAD_LAYOUTS)
def test_folders_that_are_not_laid_out_are_said(tmp_path, filled, empty, said):
    for folder in filled:
        fill(tmp_path / folder)
    for folder in empty:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / ".DS_Store").touch()
    with pytest.raises(UsageError, match=f"{tmp_path}: .*{said}"):
        datasets.load(f"folder:{tmp_path}")


def test_too_few_images_for_a_split_of_our_own_are_said(tmp_path):
    assert "4 images and no test/; a test split needs at least 5" in refusal(
        folder_with(tmp_path, odd=build.png(images(1)[0]))
    )
    assert "no images in" in refusal(f"folder:{tmp_path / 'a'}")


def test_a_class_that_the_drawn_test_split_takes_whole_is_said(tmp_path):
    fill(tmp_path / "a", n=4)
    (tmp_path / "b").mkdir()
    # The last of five by hash is for test. Among 256 images of one grey, some have a hash beyond those of four others.
    for value in range(256):
        build.png(np.full((4, 5, 3), value, np.uint8), tmp_path / "b" / "0.png")
        try:
            imagefolder.read(tmp_path)
        except UsageError as error:
            said = str(error)
            break
    assert "class 'b' has 1 example, and every fifth" in said
    assert "lay out train/ and test/ yourself" in said


def test_class_names_in_two_unicode_forms_are_refused(tmp_path):
    for form in ("NFC", "NFD"):
        fill(tmp_path / unicodedata.normalize(form, "café"))
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system keeps one form")
    message = refusal(f"folder:{tmp_path}")
    assert r"'caf\xe9'" in message
    assert r"'cafe\u0301'" in message


def in_latin_1(folder, name):
    path = os.path.join(os.fsencode(folder), name)
    try:
        os.makedirs(path)
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    return Path(os.fsdecode(path))


def test_names_that_are_not_utf_8_are_read_and_shown_escaped(tmp_path):
    folder = in_latin_1(tmp_path, b"caf\xe9")
    fill(folder, n=5)
    fill(tmp_path / "b", n=5)
    build.png(images(1)[0], folder / os.fsdecode(b"\xe8.png"))
    dataset = datasets.load(f"folder:{tmp_path}")
    assert dataset.classes == ("b", r"caf\xe9")
    (folder / os.fsdecode(b"\xe8.png")).write_bytes(b"text")
    message = refusal(f"folder:{tmp_path}")
    assert r"caf\xe9/\xe8.png: it is no image" in message
    message.encode()
    assert "is not UTF-8" in refusal(f"folder:{folder}")


# Links, and what the cache notices


@pytest.fixture
def linked(tmp_path):
    """A folder whose classes lie elsewhere, behind links to folders and to files."""
    store = tmp_path / "store"
    for label in "ab":
        fill(store / label, n=5)
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "a").symlink_to(store / "a", target_is_directory=True)
    (folder / "b").mkdir()
    for path in (store / "b").iterdir():
        (folder / "b" / path.name).symlink_to(path)
    return folder


def test_links_to_folders_and_files_are_read_as_what_they_lead_to(linked):
    assert datasets.load(f"folder:{linked}").digests == datasets.load(f"folder:{linked.parent / 'store'}").digests


@pytest.mark.parametrize("behind", ["a/0.png", "b/0.png"])
@pytest.mark.parametrize("how", ["written", "replaced"])
def test_a_picture_that_changes_behind_a_link_is_noticed_even_with_its_old_size_and_time(linked, behind, how):
    before = datasets.load(f"folder:{linked}").digests
    path = linked.parent / "store" / behind
    about, content = path.stat(), path.read_bytes()
    flipped = Image.open(io.BytesIO(content)).transpose(Image.Transpose.ROTATE_180)
    changed = encoded("PNG", flipped, compress_level=0)
    plain = encoded("PNG", Image.open(io.BytesIO(content)), compress_level=0)
    assert len(changed) == len(plain)
    path.write_bytes(plain)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert datasets.load(f"folder:{linked}").digests == before, "the same pixels"
    if how == "written":
        path.write_bytes(changed)
    else:
        (path.parent / "new").write_bytes(changed)
        (path.parent / "new").rename(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert datasets.load(f"folder:{linked}").digests != before


def test_what_is_not_read_changes_no_fingerprint_and_a_new_class_does(tmp_path):
    split_folder(tmp_path)
    before = imagefolder.fingerprint(tmp_path)
    (tmp_path / "train" / "a" / ".DS_Store").touch()
    assert imagefolder.fingerprint(tmp_path) == before
    (tmp_path / "train" / "a" / "0.png").rename(tmp_path / "train" / "b" / "new.png")
    assert imagefolder.fingerprint(tmp_path) != before
    (tmp_path / "train" / "c").mkdir()
    with pytest.raises(UsageError, match="class folder train/c/ has no images"):
        imagefolder.fingerprint(tmp_path)


def test_links_in_a_circle_to_one_folder_twice_or_to_nothing_are_refused(tmp_path):
    fill(tmp_path / "a")
    link = tmp_path / "b"
    for target, said in (
        ("a", "are one and the same folder"),
        (".", "holds folders itself|one and the same"),
        ("b", "cannot be read|link to nothing"),
        ("nowhere", "b is no file, or a link to nothing"),
    ):
        link.symlink_to(target)
        with pytest.raises(UsageError, match=said):
            datasets.load(f"folder:{tmp_path}")
        link.unlink()
    (tmp_path / "a" / "self").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="class folder a/ holds folders itself"):
        datasets.load(f"folder:{tmp_path}")


def test_train_and_test_may_not_be_one_folder(tmp_path):
    fill(tmp_path / "train" / "a")
    fill(tmp_path / "train" / "b")
    (tmp_path / "test").symlink_to("train")
    assert "are one and the same folder" in refusal(f"folder:{tmp_path}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_among_the_images_is_refused_and_not_waited_for(tmp_path):
    fill(tmp_path / "a")
    os.mkfifo(tmp_path / "a" / "pipe")
    assert "a/pipe is no file, or a link to nothing" in refusal(f"folder:{tmp_path}")
