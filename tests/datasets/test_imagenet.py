"""ImageNet 2012, a few images of it: found, indexed, decoded, and what is said of a folder that is not it."""

from __future__ import annotations

import dataclasses
import io
import shutil

import numpy as np
import pytest
from PIL import Image

from lecturebench import datasets
from lecturebench.datasets import digests
from lecturebench.datasets.jpegs import Jpegs
from lecturebench.datasets.tfds_export import _records, main
from lecturebench.errors import DataCorrupt, DataMissing
from tests.datasets.imagenet import SYNSETS, prepared

pytestmark = pytest.mark.slow  # tensorflow-datasets prepares the images, in processes of its own


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The folder, the JPEGs by name, and the cache after its first load, with what was said."""
    folder = tmp_path_factory.mktemp("imagenet")
    files, said = prepared(folder), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LECTUREBENCH_CACHE", str(folder / "cache"))
        datasets.load("imagenet2012", folder, said.append)
    return folder, files, folder / "cache" / "datasets", said


@pytest.fixture
def imagenet(original, cache_folder):
    """The folder and the JPEGs by name, with the cache as a first load leaves it."""
    shutil.copytree(original[2], cache_folder)
    return original[:2]


@pytest.fixture
def version(original, tmp_path):
    """A copy of the prepared folder, to be damaged."""
    folder = tmp_path / "tfds" / "imagenet2012"
    shutil.copytree(original[0] / "imagenet2012", folder)
    return folder / "5.1.0"


def refused(version, tmp_path, capfd):
    """What the process that looks for the images says of a damaged folder; its exit code is that of damaged data."""
    assert main(["--places", str(version), "train", "validation", str(tmp_path / "out.npz")]) == 1
    return capfd.readouterr().err.splitlines()[-1]


def middle(content):
    """The shorter side scaled to 256, the middle cut out: by arithmetic on sizes, and one call of Pillow."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return np.asarray(image.convert("RGB").resize((256, 256), Image.Resampling.BILINEAR, box))


def test_images_are_read_where_they_lie_as_the_paper_scales_and_cuts_them(imagenet):
    folder, files = imagenet
    dataset = datasets.load("imagenet2012", folder)
    assert (dataset.kind, dataset.task, dataset.scale) == ("images", "classification", 255.0)
    assert (len(dataset.classes), dataset.train.X.shape) == (1000, (12, 256, 256, 3))
    by_content = {content: name for name, content in files.items()}
    for i in range(12):
        name = by_content[dataset.train.X.encoded(i)]
        assert dataset.classes[dataset.train.y[i]] == name.split("_")[0]
        np.testing.assert_array_equal(dataset.train.X[i], middle(files[name]))
    # The labels of the first four validation images, as tensorflow-datasets has them.
    labels = {by_content[dataset.test.X.encoded(i)]: int(dataset.test.y[i]) for i in range(4)}
    assert labels == {f"ILSVRC2012_val_0000000{i}.JPEG": y for i, y in ((1, 65), (2, 970), (3, 230), (4, 809))}


def test_some_images_are_those_rows_of_all(imagenet):
    X = datasets.load("imagenet2012", imagenet[0]).train.X
    every = X[:]
    assert (every.shape, every.dtype) == (X.shape, X.dtype)
    assert np.array_equal(every, np.stack([X[i] for i in range(len(X))]))
    for rows in ([5, 2], slice(10, None), np.array([], dtype=int), -1):
        assert np.array_equal(X[rows], every[rows])
    assert np.array_equal(X.take([3, 1])[:], every[[3, 1]])


def test_what_was_found_is_kept_and_digests_are_of_the_images(original, imagenet, monkeypatch):
    folder, _ = imagenet
    assert "imagenet2012: looking through file 1 of 1 of validation" in original[3]
    monkeypatch.setattr("lecturebench.datasets.imagenet.TFDS_EXPORT", folder / "none")
    dataset = datasets.load("imagenet2012", folder)
    assert datasets.verify("imagenet2012", folder).digests == dataset.digests
    assert datasets.describe("imagenet2012", folder).line.startswith("imagenet2012: classification, 1000 classes")
    fewer = digests.take(dataset.test, np.arange(3))
    assert digests.digest(fewer) != dataset.digests["test"]
    relabelled = dataclasses.replace(dataset.test, y=dataset.test.y + 256 * (dataset.test.y < 256))
    assert digests.digest(relabelled) != dataset.digests["test"]


def test_file_that_is_cut_short_is_named(version, tmp_path, capfd):
    shard = version / "imagenet2012-train.tfrecord-00000-of-00001"
    shard.write_bytes(shard.read_bytes()[:-10])
    assert f"{shard.name} ends inside a record, after" in refused(version, tmp_path, capfd)


def test_prepared_folder_without_validation_is_refused(version, tmp_path, capfd):
    info = version / "dataset_info.json"
    info.write_text(info.read_text().replace('"name": "validation"', '"name": "test"'))
    assert "it has the splits train, test, and no validation" in refused(version, tmp_path, capfd)


def test_split_that_has_fewer_images_than_it_says_is_refused(version, tmp_path, capfd):
    shard = version / "imagenet2012-validation.tfrecord-00000-of-00001"
    [(first, _), *_, (last, _)] = list(_records(shard))
    shard.write_bytes(shard.read_bytes()[: last - 12])
    assert first == 12
    assert "validation says it has 4 examples, and has 3" in refused(version, tmp_path, capfd)


def test_another_folder_is_not_answered_from_the_cache_of_the_first(imagenet, version, tmp_path, offline):
    with pytest.raises(DataMissing, match=r"no imagenet2012/VERSION/dataset_info\.json"):
        datasets.load("imagenet2012", tmp_path / "nowhere")
    first = datasets.load("imagenet2012", imagenet[0])
    shard = version / "imagenet2012-train.tfrecord-00000-of-00001"
    _, begin, size = first.train.X.places[3].tolist()
    content = bytearray(shard.read_bytes())
    content[begin + size - 40 : begin + size - 38] = bytes(2)
    shard.write_bytes(content)
    said = []
    second = datasets.load("imagenet2012", version.parents[1], said.append)
    assert "imagenet2012: looking through file 1 of 1 of train" in said
    assert second.digests["train"] != first.digests["train"]
    assert second.digests["test"] == first.digests["test"]
    shutil.rmtree(version)
    with pytest.raises(DataMissing):
        datasets.load("imagenet2012", version.parents[1])


def test_image_that_cannot_be_decoded_is_named(imagenet, version):
    X = datasets.load("imagenet2012", imagenet[0]).train.X
    shard = version / "imagenet2012-train.tfrecord-00000-of-00001"
    content = bytearray(shard.read_bytes())
    _, first, size = X.places[3].tolist()
    content[first : first + size] = bytes(size)
    shard.write_bytes(content)
    with pytest.raises(DataCorrupt, match=f"{shard}: the JPEG at byte {first:,} cannot be decoded"):
        Jpegs([shard], X.places)[2:5]


def test_folder_that_is_not_imagenet_is_told_what_was_looked_for_and_found(offline, tmp_path):
    folder = tmp_path / "photos"
    for name in (*SYNSETS, "val", "labels", "more"):
        (folder / name).mkdir(parents=True)
    with pytest.raises(DataMissing) as caught:
        datasets.load("imagenet2012", folder)
    message = str(caught.value)
    assert "\n" not in message
    assert "no imagenet2012/VERSION/dataset_info.json" in message
    assert f"--data-dir {folder} has labels, more, {', '.join(SYNSETS)} and 1 more" in message
    assert "https://image-net.org" in message
    assert "tfds build imagenet2012" in message
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataMissing, match=r"empty is empty; default folder .* is no folder"):
        datasets.load("imagenet2012", tmp_path / "empty")
