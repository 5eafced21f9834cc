"""A user's folders of images by class: how they may be laid out, what is noticed, and what is refused."""

import io
import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lecturebench import datasets
from lecturebench.datasets import imagefolder
from lecturebench.errors import UsageError
from tests.datasets import build
from tests.datasets.pictures import encoded, fill, folder_with, images, split_folder
from tests.datasets.reading import notes, refusal

RNG = np.random.default_rng(0)
CASES = Path(__file__).parent / "cases"


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
    [
        ("Training", "Testing", "Validation"),
        ("TRAIN", "test", "val"),
        ("train_set", "test_set", "valid set"),
        ("seg_train", "seg_test", "seg-val"),
        ("trainset", "TestData", "imagesVal"),
        ("train2017", "test", "val2017"),
        ("mnisttrain", "mnisttest", "validation"),
        ("train/train", "test/test", "val"),
    ],
)
def test_splits_by_other_names_are_read_and_validation_goes_back_to_train(tmp_path, train, test, validation):
    name = split_folder(tmp_path, train, test)
    assert len(datasets.load(name).train) == 6
    fill(tmp_path / validation / "a", n=2)
    dataset = datasets.load(name)
    assert (len(dataset.train), len(dataset.test)) == (8, 6)
    assert "Train is 6 images and the 2 of validation" in notes(name)
    exact = {"train", "training", "test", "testing", "val", "valid", "validation", "trainset", "testdata"}
    other = [folder for folder in (train, test, validation) if folder.partition("/")[0].casefold() not in exact]
    assert [folder for folder in (train, test, validation) if f" is {folder}/" in notes(name)] == other


@pytest.mark.parametrize("classes", [("train_ride", "plane", "car"), ("train", "plane"), ("pass test", "fail test")])
def test_classes_that_are_called_as_splits_are_said_to_be_taken_for_classes(tmp_path, classes):
    for label in classes:
        fill(tmp_path / label, n=5)
    assert datasets.load(f"folder:{tmp_path}").classes == tuple(sorted(classes))
    assert "By their names these may be splits, and are taken for classes" in notes(f"folder:{tmp_path}")


def test_an_archive_that_was_unpacked_twice_is_read_from_within(tmp_path):
    for folder in ("digits", "digits/digits/digits"):
        split_folder(tmp_path / folder, "train/train", "test")
        (tmp_path / folder / "README").touch()
    shutil.rmtree(tmp_path / "digits" / "train")
    shutil.rmtree(tmp_path / "digits" / "test")
    name = f"folder:{tmp_path / 'digits'}"
    assert datasets.load(name).classes == ("a", "b")
    assert "Read from within a folder of the same name: digits, digits/digits and digits/digits/train/train." in notes(
        name
    )
    assert "Not read, since they lie in no class folder: README and digits/digits/README." in notes(name)


def test_hidden_files_are_refused_among_images_and_named_elsewhere(tmp_path):
    name = split_folder(tmp_path)
    (tmp_path / ".labels").touch()
    (tmp_path / ".cache").mkdir()
    assert "Not read, since they lie in no class folder: .labels and .cache." in notes(name)
    (tmp_path / "train" / "a" / "1.png").rename(tmp_path / "train" / "a" / ".1.png")
    assert "train/a/.1.png is hidden: rename it if it is to be read, or move it out" in refusal(name)


def test_a_picture_in_two_classes_is_counted_and_named(tmp_path):
    name = split_folder(tmp_path)
    assert "in several classes" not in notes(name)
    content = (tmp_path / "train" / "a" / "1.png").read_bytes()
    (tmp_path / "train" / "a" / "again.png").write_bytes(content)
    (tmp_path / "test" / "a" / "again.png").write_bytes(content)
    assert "in several classes" not in notes(name)
    (tmp_path / "test" / "b" / "again.png").write_bytes(content)
    assert "1 picture is in several classes, first train/a/1.png and test/b/again.png: no method can" in notes(name)


def test_a_class_that_is_called_as_a_missing_label_is_asked_about(tmp_path):
    name = split_folder(tmp_path, classes=("nan", "b"))
    assert "Class 'nan' may stand for no label: is it a class?" in notes(name)


def test_litter_is_left_out_and_said(tmp_path):
    name = split_folder(tmp_path)
    plain = datasets.load(name)
    for path in ("__MACOSX/train/a/._0.png", "train/a/Thumbs.db", "train/a/.DS_Store", "train/desktop.ini",
                 "test/b/._0.png", ".git/a.png", ".ipynb_checkpoints/x.png", "train/a/@eaDir/0.png"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert datasets.load(name).digests == plain.digests
    datasets.load(name, refresh=True)
    assert "Not read: 8 that file managers leave behind" in notes(name)


def test_whatever_lies_beside_the_class_folders_is_named(tmp_path):
    name = split_folder(tmp_path)
    (tmp_path / "README.txt").touch()
    (tmp_path / "train" / "lost.png").touch()
    fill(tmp_path / "extra" / "a")
    said = notes(name)
    assert "Not read, since they lie in no class folder: README.txt, extra and train/lost.png." in said
    assert len(datasets.load(name).train) == 6


BAD_LAYOUTS = [
    (["train/a", "train/b"], [], "it has train/ but no test/"),
    (["train/a", "val/a"], [], "it has train/ but no test/; rename val/ if it is what methods are tested on"),
    (["test/a", "test/b"], [], "it has test/ but no train/"),
    (["val/a"], [], "it has val/ but no train/"),
    (["train/a", "Training/a", "test/a"], [], "Training/ and train/ both name a split"),
    (["train", "test"], [], "no folders in .*train, but 3 files; it must hold one folder per class; if it is a class"),
    (["a", "b"], ["c"], "class folder c/ has no images; put some in, or remove it"),
    (["train/a", "train/b", "test/a"], ["test/b"], "class folder test/b/ has no images"),
    (["train/a", "train/b", "test/a"], ["train/c"], "class folder train/c/ has no images"),
    (["data/train/a", "data/test/a"], [], "class folder data/ holds folders itself .*did you mean folder:.*/data"),
    (["train/a/more", "train/b", "test/a"], [], r"class folder train/a/ holds folders itself \(more/\)"),
    (["train/a", "train/b", "test/a", "test/c"], [], "class 'c' is in test alone, with 3 examples"),
    (["cat", "Cat"], [], "classes 'Cat' and 'cat' differ only in case"),
    (["a"], [], "all labels are 'a'; classification needs two"),
    (["a", "b", ".net"], [], ".net is hidden: rename it if it is to be read, or move it out"),
    (["train/a", "train/.b", "test/a"], [], "train/.b is hidden"),
    (["train_set", "test_set"], [], "no folders in .*train_set, but 3 files; it must hold one folder per class"),
    (["mnisttrain", "mnisttest"], [], "no folders in .*mnisttrain, but 3 files"),
    (["training_data", "Validation"], [], "it has training_data/ but no test/; rename Validation/ if"),
    (["trainA/x", "trainB/x", "testA/x", "testB/x"], [], "testA/ and testB/ both name a split; which is it?"),
    (["fit/a", "check/a"], [], "class folder check/ holds folders itself .*splits are called train, test and val"),
    (["train/2020/a", "train/2020/b", "test/2020/a"], [], "class folder train/2020/ holds folders itself"),
    (["train/a", "train/b", "test"], [], "no folders in .*test, but 3 files; it must hold one folder per class"),
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
    assert "no folders in" in refusal(f"folder:{tmp_path / 'a'}")


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
