"""What methods see of images: pixels in another order, and histograms of gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench import Hog, ShuffledPixels
from lecturebench.datasets import Dataset, Split

FITTED = np.arange(2)


def images(height=12, width=10, channels=3, n=4, seed=0):
    X = np.random.default_rng(seed).integers(0, 256, (n, height, width, channels), dtype=np.uint8)
    y = np.arange(n) % 2
    return Dataset(
        kind="images", task="classification", train=Split(X, y), test=Split(X[::-1], y), classes=("a", "b"),
        scale=255.0, name="made up", source="here", digests={"train": "1", "test": "2"},
    )  # fmt: skip


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]), st.integers(0, 5))
def test_shuffled_pixels_are_the_same_pixels_in_the_same_places_of_all_images(height, width, channels, seed):
    data = images(height, width, channels)
    seen = ShuffledPixels(seed).see(data, FITTED)
    assert seen.train.X.dtype == np.uint8
    assert seen.train.X.shape == data.train.X.shape
    places = np.arange(height * width, dtype=np.uint8).reshape(1, height, width, 1).repeat(channels, 3)
    moved = ShuffledPixels(seed).see(images_of(data, places), FITTED).train.X[0, :, :, 0].ravel()
    assert sorted(moved) == list(range(height * width))
    flat = data.train.X.reshape(len(data.train.X), height * width, channels)
    np.testing.assert_array_equal(seen.train.X.reshape(flat.shape), flat[:, moved])
    np.testing.assert_array_equal(seen.test.X, seen.train.X[::-1])


def images_of(data, X):
    return Dataset(**{**vars(data), "train": Split(X, np.zeros(len(X), int))})


def test_other_seeds_shuffle_otherwise_and_the_data_say_by_which():
    data = images()
    first, second = (ShuffledPixels(seed).see(data, FITTED) for seed in (0, 1))
    assert (first.train.X != second.train.X).any()
    assert first.digests != second.digests != data.digests


def test_histograms_of_gradients_are_those_of_each_image_and_only_of_those_asked_for():
    from skimage.feature import hog

    data = images()
    seen = Hog(4).see(data, FITTED)
    assert seen.kind == "table"
    assert seen.scale == 1
    # 3 x 2 cells make 2 x 1 blocks of 2 x 2 cells with 9 orientations each.
    assert seen.train.X.shape == (4, 72)
    taken = seen.train.X[np.array([3, 1])]
    for row, image in zip(taken, data.train.X[[3, 1]], strict=True):
        expected = hog(image, pixels_per_cell=(4, 4), cells_per_block=(2, 2), channel_axis=-1)
        np.testing.assert_allclose(row, expected, atol=1e-6)
    assert taken.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(seen.test.X), seen.train.X[:][::-1])


def test_an_edge_is_found_in_the_bin_of_its_direction():
    X = np.zeros((1, 8, 8, 1), np.uint8)
    X[:, :, 4:] = 200  # brightness changes from left to right: orientation 0
    seen = Hog(4).see(images_of(images(), X), FITTED)
    histogram = seen.train.X[:].reshape(4, 9).sum(axis=0)
    assert histogram.argmax() == 0
    assert histogram[1:].max() < 1e-6


def test_histograms_of_images_that_hold_no_block_are_refused_with_the_cell_that_would_do():
    with pytest.raises(ValueError, match="give Hog a cell of at most 5"):
        Hog(6).see(images(), FITTED)
    with pytest.raises(ValueError, match="cell is 1"):
        Hog(1)
