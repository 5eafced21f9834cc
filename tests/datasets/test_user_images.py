"""A user's images and .npz files: what is read and said, what is noticed, and what is refused with what to do."""

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
from lecturebench.datasets import imagefolder
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
