"""Pooling against the slide, Keras and a plain loop; sharpness, variance and cost against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.formulas import pooling
from benchmarks.formulas.pooling import disagreement, every_second, operations, pool, sharpness, variance

SEEDS = st.integers(0, 2**32 - 1)
every_way = pytest.mark.parametrize("how", ["max", "average"])


def test_slides_example_is_pooled_as_shown() -> None:
    assert pooling.SLIDE.tolist() == [[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]]
    x = pooling.SLIDE[None, :, :, None]
    assert pool(x, "max")[0, :, :, 0].tolist() == [[9, 7], [8, 6]]
    assert pool(x, "average")[0, :, :, 0].tolist() == [[4.25, 4.25], [4.25, 3.5]]


@every_way
@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(3, 9), st.integers(3, 9), st.integers(1, 3), st.integers(1, 3))
def test_pooling_is_the_formula_window_by_window(how, seed, height, width, window, stride) -> None:
    X = np.random.default_rng(seed).normal(size=(2, height, width, 3))
    A = pool(X, how, window, stride)
    assert A.shape == (2, (height - window) // stride + 1, (width - window) // stride + 1, 3)
    for i in range(A.shape[1]):
        for j in range(A.shape[2]):
            seen = X[:, stride * i : stride * i + window, stride * j : stride * j + window]
            expected = seen.max(axis=(1, 2)) if how == "max" else seen.mean(axis=(1, 2))
            np.testing.assert_allclose(A[:, i, j], expected, rtol=1e-12, atol=1e-12)


@every_way
@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(4, 9), st.integers(4, 9), st.integers(2, 3), st.integers(1, 3))
def test_pooling_is_the_layer_of_keras(how, backend, seed, height, width, window, stride) -> None:
    import keras

    X = np.random.default_rng(seed).normal(size=(2, height, width, 3)).astype(np.float32)
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[how](window, stride)
    by_keras = keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(X)))
    np.testing.assert_allclose(pool(X, how, window, stride), by_keras, atol=1e-6)


@every_way
def test_window_larger_than_its_input_is_refused_by_its_shape(how) -> None:
    X = np.ones((1, 4, 3, 1))
    assert pool(X, how, 3, 1).shape == (1, 2, 1, 1)
    with pytest.raises(ValueError, match="the pooling window 4 x 4 is larger than its input 4 x 3: take a smaller one"):
        pool(X, how, 4, 1)


@pytest.mark.parametrize("size", [(8, 6), (9, 7), (5, 4)])
def test_every_second_pixel_is_what_the_network_with_stride_two_computes(size, backend) -> None:
    from benchmarks.formulas.convolution import correlate
    from lecturebench.models.convolutional import pooled_cnn

    rng = np.random.default_rng(0)
    X = rng.random((2, *size, 2), np.float32)
    model = pooled_cnn(X.shape[1:], 3, pooling="strided")
    model.set_weights([rng.normal(size=array.shape) for array in model.get_weights()])
    W, w = model.get_weights()[:2]
    [first] = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"][:1]
    height, width = (side // 2 * 2 for side in size)
    maps = np.maximum(correlate(X[:, :height, :width], W, "same") + w, 0)
    A = X
    for layer in model.layers[: model.layers.index(first) + 1]:
        A = layer(A)
    import keras

    np.testing.assert_allclose(every_second(maps), keras.ops.convert_to_numpy(A), atol=1e-5)


def test_sharpness_is_the_mean_difference_of_neighbours() -> None:
    chessboard = np.indices((6, 6)).sum(axis=0)[None, :, :, None] % 2
    assert sharpness(chessboard) == 1
    assert sharpness(np.full((2, 5, 4, 3), 7.0)) == 0
    ramp = np.arange(5.0)[None, :, None, None] * np.ones((1, 5, 5, 1))  # 20 pairs differ by 1, 20 not at all
    assert sharpness(ramp) == 0.5


def test_sharpness_of_a_single_number_is_refused() -> None:
    with pytest.raises(ValueError, match="maps of 1 x 1 have no neighbours to differ: take images of 4 x 4 or larger"):
        sharpness(np.ones((3, 1, 1, 2)))


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_averages_are_smoother_than_what_they_are_averages_of(seed) -> None:
    X = np.random.default_rng(seed).normal(size=(5, 20, 20, 1))
    assert sharpness(pool(X, "average")) < min(sharpness(pool(X, "max")), sharpness(every_second(X)))


def test_variance_is_half_the_mean_squared_distance_of_two_predictions() -> None:
    rng = np.random.default_rng(0)
    p, q = (rng.dirichlet(np.ones(4), size=50) for _ in range(2))
    expected = np.mean(np.sum((p - q) ** 2, axis=1)) / 2
    assert variance(np.stack([p, q])) == pytest.approx(expected, rel=1e-12)
    assert variance(np.stack([p, p, p])) == pytest.approx(0, abs=1e-30)


def test_variance_of_three_is_the_mean_over_pairs_and_of_two_sure_opposites_one() -> None:
    rng = np.random.default_rng(1)
    every = rng.dirichlet(np.ones(3), size=(3, 40))
    pairs = [variance(every[[i, j]]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert variance(every) == pytest.approx(np.mean(pairs), rel=1e-12)
    assert variance(np.eye(2)[:, None]) == 1


def test_disagreement_is_the_share_of_examples_over_pairs() -> None:
    classes = np.array([[0, 1, 2, 2], [0, 1, 2, 0], [0, 2, 2, 1]])  # pairs differ on 1, 2 and 2 of 4
    assert disagreement(np.eye(3)[classes]) == pytest.approx((1 + 2 + 2) / 12)


@pytest.mark.parametrize("how", ["max", "average", "strided", "none"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (9, 7, 1)])
def test_operations_are_those_of_keras_layers(how, shape, backend) -> None:
    from lecturebench.models.convolutional import pooled_cnn

    total = 0
    for layer in pooled_cnn(shape, 10, pooling=how).layers:
        places = int(np.prod(layer.output.shape[1:]))
        if type(layer).__name__ == "Conv2D":
            total += places * int(np.prod(layer.kernel.shape[:3]))
        elif type(layer).__name__ == "Dense":
            total += layer.kernel.shape[0] * places
        elif "Pooling" in type(layer).__name__:
            total += 3 * places
    assert operations(shape, (16, 32), 10, how) == total


def test_operations_of_one_image_by_hand() -> None:
    assert operations((28, 28, 1), (16, 32), 10, "none") == 28 * 28 * 9 * (16 + 16 * 32) + 28 * 28 * 32 * 10
    assert operations((28, 28, 1), (16, 32), 10, "strided") == 14 * 14 * 9 * 16 + 7 * 7 * (9 * 16 * 32 + 320)
