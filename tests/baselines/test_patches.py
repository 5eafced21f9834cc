"""Each step of the patch features against its formula written out in loops."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.patches import (
    CONTRAST,
    SPREAD,
    PatchFeatures,
    as_images,
    kmeans_patches,
    normalized,
    quadrants,
    triangle,
    whitening,
    windows,
)
from baselines.support_vectors import linear_svm

SHAPE = (9, 8, 2)


def images(seed=0, n=60, shape=SHAPE):
    """Two classes: stripes that lie and stripes that stand, white or black at the edge by chance, under noise."""
    rng = np.random.default_rng(seed)
    y, start = rng.integers(2, size=(2, n))
    row, column = np.mgrid[: shape[0], : shape[1]]
    stripes = (np.stack([row, column])[y] + start[:, None, None])[..., None] % 2
    X = 0.7 * stripes + 0.3 * rng.random((n, *shape))
    return X.reshape(n, -1).astype(np.float32), y


def test_windows_are_the_squares_of_the_image_at_every_pixel():
    X, _ = images(n=2)
    pictures = X.reshape(2, *SHAPE)
    every = windows(pictures)
    assert every.shape == (2, 4, 3, 2, 6, 6)
    for row in range(4):
        for column in range(3):
            square = pictures[1, row : row + 6, column : column + 6]  # (6, 6, channels)
            assert np.array_equal(every[1, row, column], np.moveaxis(square, 2, 0))


def test_normalized_patches_have_mean_0_and_brightness_and_contrast_do_not_matter():
    rng = np.random.default_rng(1)
    patches = rng.random((50, 72))
    ours = normalized(patches)
    np.testing.assert_allclose(ours.mean(axis=1), 0, atol=1e-12)
    expected = (patches - patches.mean(axis=1)[:, None]) / np.sqrt(patches.var(axis=1, ddof=1) + CONTRAST)[:, None]
    np.testing.assert_allclose(ours, expected, rtol=1e-6)
    np.testing.assert_allclose(normalized(100 * patches + 3), normalized(200 * patches), rtol=1e-6)


def test_even_patch_becomes_zero():
    assert np.array_equal(normalized(np.full((1, 36), 0.25, dtype=np.float32)), np.zeros((1, 36)))


def test_whitening_without_an_added_variance_gives_identity_covariance():
    rng = np.random.default_rng(2)
    patches = rng.normal(size=(500, 10)) @ rng.normal(size=(10, 10)) + 5
    mean, matrix = whitening(patches, added=0)
    white = (patches - mean) @ matrix
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(10), atol=1e-6)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)


def test_whitening_leaves_the_added_variance_out_of_each_direction():
    rng = np.random.default_rng(3)
    patches = rng.normal(size=(500, 6)) * np.array([3.0, 2, 1, 0.5, 0.1, 0])
    mean, matrix = whitening(patches, added=0.1)
    before = np.linalg.eigvalsh(np.cov(patches, rowvar=False))
    after = np.linalg.eigvalsh(np.cov((patches - mean) @ matrix, rowvar=False))
    np.testing.assert_allclose(after, before / (before + 0.1), atol=1e-9)


def test_triangle_is_how_much_nearer_than_the_mean_a_centre_is():
    rng = np.random.default_rng(4)
    squares = rng.random((7, 5)).astype(np.float32)
    expected = np.zeros((7, 5))
    for i in range(7):
        distances = [float(square) ** 0.5 for square in squares[i]]
        for k in range(5):
            expected[i, k] = max(0, sum(distances) / 5 - distances[k])
    assert 0 < (expected == 0).mean() < 1
    np.testing.assert_allclose(triangle(squares.copy()), expected, atol=1e-6)


def test_square_that_rounding_left_below_0_is_0():
    assert np.isfinite(triangle(np.array([[-1e-6, 4.0]], dtype=np.float32))).all()


@pytest.mark.parametrize(("rows", "columns"), [(27, 27), (4, 3), (1, 2)])
def test_quadrants_part_the_positions_as_loops_do(rows, columns):
    expected = np.zeros((4, rows, columns))
    for row in range(rows):
        for column in range(columns):
            low, right = row >= round(rows / 2 + 1e-9), column >= round(columns / 2 + 1e-9)
            expected[2 * low + right, row, column] = 1
    assert np.array_equal(quadrants(rows, columns).reshape(4, rows, columns), expected)


def test_features_are_those_of_the_formulas_written_out():
    X, _ = images(n=3)
    rng = np.random.default_rng(5)
    patches = normalized(windows(X.reshape(3, *SHAPE)).reshape(-1, 72))
    mean, matrix = whitening(patches)
    centres = rng.normal(size=(5, 72))
    ours = PatchFeatures(SHAPE, mean, matrix, centres)(X)  # (3, 20)
    for image, features in zip(X.reshape(3, *SHAPE), ours, strict=True):
        expected = np.zeros((2, 2, 5))
        for row in range(4):
            for column in range(3):
                square = np.moveaxis(image[row : row + 6, column : column + 6], 2, 0).reshape(1, -1)
                white = (normalized(square) - mean) @ matrix
                distances = np.linalg.norm(white - centres, axis=1)
                expected[int(row >= 2), int(column >= 2)] += np.maximum(0, distances.mean() - distances)
        np.testing.assert_allclose(features, expected.ravel(), rtol=1e-4, atol=1e-4)


def test_stripes_are_told_apart_where_no_pixel_tells():
    X, y = images(n=200)
    asked, truth = images(seed=1, n=200)
    assert np.mean(linear_svm(X, y).predict(asked) == truth) < 0.7
    assert np.mean(kmeans_patches(X, y, shape=SHAPE, features=6, patches=300, seed=0).predict(asked) == truth) > 0.95


def test_classifier_is_the_linear_one_on_standardised_features_with_its_penalty_for_the_mean():
    X, y = images()
    model = kmeans_patches(X, y, shape=SHAPE, features=4, patches=200, C=100.0, seed=0)
    features = model.features(X).astype(float)
    standardised = (features - features.mean(axis=0)) / np.sqrt(features.var(axis=0) + SPREAD)
    other = linear_svm(standardised, y, C=100.0 / len(X))
    np.testing.assert_allclose(model.decision_function(X), other.decision_function(standardised), atol=0.01)


def test_same_seed_gives_the_same_decisions_and_another_others():
    X, y = images()
    first, again, other = (
        kmeans_patches(X, y, shape=SHAPE, features=4, patches=200, seed=s).decision_function(X) for s in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes()
    assert not np.allclose(first, other)


def test_training_examples_are_left_as_they_were():
    X, y = images()
    before = X.copy()
    kmeans_patches(X, y, shape=SHAPE, features=4, patches=200, seed=0)
    assert np.array_equal(X, before)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((32, 32, 3), r"X is \(60, 144\) and shape \(32, 32, 3\), which has 3072 pixels: give the images' own shape"),
        ((5, 8, 2), r"shape is \(5, 8, 2\); it must be \(height, width, channels\), of 6 x 6 pixels at least"),
        ((12, 12), r"shape is \(12, 12\); it must be \(height, width, channels\)"),
    ],
)
def test_shape_that_does_not_fit_the_examples_is_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        kmeans_patches(*images(), shape=shape, features=4, patches=200, seed=0)


@pytest.mark.parametrize("features", [1, 201])
def test_more_features_than_patches_and_fewer_than_two_are_refused(features):
    with pytest.raises(ValueError, match=f"features is {features} and patches 200; features must be from 2 to patches"):
        kmeans_patches(*images(), shape=SHAPE, features=features, patches=200, seed=0)


def test_images_of_another_shape_get_no_answer():
    X, y = images()
    model = kmeans_patches(X, y, shape=SHAPE, features=4, patches=200, seed=0)
    with pytest.raises(ValueError, match=r"X is \(60, 100\) and shape \(9, 8, 2\), which has 144 pixels"):
        model.predict(X[:, :100])


def test_images_are_read_row_by_row():
    X = np.arange(2 * 144, dtype=np.float32).reshape(2, 144)
    assert as_images(X, SHAPE)[1, 3, 2, 1] == 144 + 3 * 16 + 2 * 2 + 1
