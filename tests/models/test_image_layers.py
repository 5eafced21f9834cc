"""The layers of image networks that Keras has not, each against loops in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from tests.models.arithmetic import values

pytestmark = pytest.mark.usefixtures("backend")


def normalised(x, k, n, alpha, beta):
    """b_i = a_i / (k + alpha sum_{j = max(0, i - n/2)}^{min(N - 1, i + n/2)} a_j^2)^beta, map by map."""
    b = np.empty(x.shape)
    maps = x.shape[-1]
    for i in range(maps):
        total = sum(x[..., j].astype(float) ** 2 for j in range(max(0, i - n // 2), min(maps - 1, i + n // 2) + 1))
        b[..., i] = x[..., i] / (k + alpha * total) ** beta
    return b


@settings(max_examples=30)
@given(
    maps=st.integers(1, 12),
    k=st.floats(0.5, 3),
    n=st.sampled_from([1, 3, 5, 9]),
    alpha=st.floats(1e-4, 1),
    beta=st.floats(0.25, 1),
    seed=st.integers(0, 99),
)
def test_local_response_normalisation_is_the_papers_sum(maps, k, n, alpha, beta, seed):
    from lecturebench.models.layers import LocalResponseNormalization

    x = np.random.default_rng(seed).normal(scale=2, size=(2, 2, 3, maps)).astype(np.float32)
    layer = LocalResponseNormalization(k=k, n=n, alpha=alpha, beta=beta)
    np.testing.assert_allclose(values(layer(x)), normalised(x, k, n, alpha, beta), rtol=2e-6, atol=1e-6)


def test_local_response_normalisation_has_the_papers_constants():
    from lecturebench.models.layers import LocalResponseNormalization

    x = np.random.default_rng(0).normal(scale=50, size=(1, 2, 2, 7)).astype(np.float32)
    np.testing.assert_allclose(values(LocalResponseNormalization()(x)), normalised(x, 2, 5, 1e-4, 0.75), rtol=2e-6)


@pytest.mark.parametrize("n", [0, -1, 2, 4])
def test_window_of_maps_without_a_middle_is_refused(n):
    from lecturebench.models.layers import LocalResponseNormalization

    with pytest.raises(ValueError, match=f"n is {n}; it must be an odd number"):
        LocalResponseNormalization(n=n)


def test_locally_connected_layer_has_a_kernel_for_each_place():
    from lecturebench.models.layers import LocallyConnected2D

    layer = LocallyConnected2D(3, 3, activation="relu")
    layer.build((None, 4, 5, 2))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 5, 2)).astype(np.float32)
    kernel, bias = (rng.normal(size=weight.shape).astype(np.float32) for weight in layer.weights)
    layer.set_weights([kernel, bias])
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.empty((2, 4, 5, 3))
    for i in range(4):
        for j in range(5):
            seen = padded[:, i : i + 3, j : j + 3].reshape(2, -1)
            expected[:, i, j] = np.maximum(seen @ kernel[i * 5 + j] + bias[i * 5 + j], 0)
    np.testing.assert_allclose(values(layer(x)), expected, atol=1e-5)


def test_locally_connected_layer_with_one_kernel_everywhere_is_a_convolution():
    import keras

    from lecturebench.models.layers import LocallyConnected2D

    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 6, 4, 2)).astype(np.float32)
    convolution = keras.layers.Conv2D(5, 3, padding="same")
    same = values(convolution(x))
    layer = LocallyConnected2D(5, 3)
    layer.build(x.shape)
    layer.set_weights([np.tile(values(convolution.kernel).reshape(1, 18, 5), (24, 1, 1)), np.zeros((24, 1, 5))])
    np.testing.assert_allclose(values(layer(x)), same, atol=1e-5)


@settings(max_examples=30)
@given(height=st.integers(2, 7), width=st.integers(2, 7), maps=st.integers(1, 4), seed=st.integers(0, 99))
def test_subsampling_is_a_windows_sum_times_a_coefficient_plus_a_bias(height, width, maps, seed):
    from lecturebench.models.layers import Subsampling

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, height, width, maps)).astype(np.float32)
    layer = Subsampling()
    layer.build(x.shape)
    coefficient, bias = rng.normal(size=(2, maps)).astype(np.float32)
    layer.set_weights([coefficient, bias])
    rows, columns = height // 2 * 2, width // 2 * 2
    total = sum(x[:, i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1))
    np.testing.assert_allclose(values(layer(x)), coefficient * total + bias, atol=1e-5)


@settings(max_examples=30)
@given(
    sees=st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=5),
    size=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_partial_convolution_is_a_whole_one_with_zeros_where_nothing_is_connected(sees, size, seed):
    from lecturebench.models.layers import PartialConvolution

    sees = [*map(sorted, sees), [0, 1, 2, 3]]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 4, 5, 4)).astype(np.float32)
    layer = PartialConvolution(sees, size)
    layer.build(x.shape)
    kernel = rng.normal(size=layer.kernel.shape).astype(np.float32)
    bias = rng.normal(size=layer.bias.shape).astype(np.float32)
    layer.set_weights([kernel, bias])
    assert kernel.shape == (sum(map(len, sees)), size, size)
    expected = np.tile(bias, (2, 5 - size, 6 - size, 1)).astype(float)
    pieces = iter(kernel)
    for o, seen in enumerate(sees):
        for i in seen:
            piece = next(pieces)
            for a in range(size):
                for b in range(size):
                    expected[..., o] += piece[a, b] * x[:, a : a + 5 - size, b : b + 6 - size, i]
    np.testing.assert_allclose(values(layer(x)), expected, atol=1e-5)


@pytest.mark.parametrize(("sees", "named"), [(((0, 1), (1, 3)), r"\[0, 1, 3\]"), (((0, 1),), r"\[0, 1\]")])
def test_partial_convolution_refuses_other_maps_than_there_are(sees, named):
    from lecturebench.models.layers import PartialConvolution

    with pytest.raises(ValueError, match=f"there are 3 input maps, numbered from 0; connections name {named}"):
        PartialConvolution(sees, 3).build((None, 8, 8, 3))


@settings(max_examples=30)
@given(height=st.integers(1, 7), width=st.integers(1, 7), stride=st.integers(1, 3), more=st.integers(0, 3))
def test_padded_shortcut_takes_every_second_pixel_and_adds_empty_maps(height, width, stride, more):
    from lecturebench.models.layers import PaddedShortcut

    x = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
    layer = PaddedShortcut(3 + more, stride)
    seen = values(layer(x))
    np.testing.assert_array_equal(seen[..., :3], x[:, ::stride, ::stride])
    assert not seen[..., 3:].any()
    assert seen.shape == layer.compute_output_shape(x.shape)
    assert layer.weights == []


def test_ten_views_are_corners_and_middle_and_their_mirrors():
    from lecturebench.models.layers import TenViews

    x = np.random.default_rng(0).normal(size=(3, 8, 7, 2)).astype(np.float32)
    views = values(TenViews(2)(x)).reshape(10, 3, 4, 3, 2)
    cut = [x[:, i : i + 4, j : j + 3] for i, j in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))]
    np.testing.assert_array_equal(views, [*cut, *(window[:, :, ::-1] for window in cut)])
    np.testing.assert_array_equal(values(TenViews(2)(x, training=True)), cut[-1])


def test_softmax_of_the_views_mean_is_the_mean_of_their_softmax():
    from lecturebench.models.layers import MeanOfViews

    z = np.random.default_rng(0).normal(scale=3, size=(10, 4, 5)).astype(np.float32)
    mean = values(MeanOfViews()(z.reshape(40, 5)))
    expected = softmax(z.astype(float), axis=-1).mean(axis=0)
    np.testing.assert_allclose(softmax(mean, axis=-1), expected, atol=1e-6)
    np.testing.assert_array_equal(values(MeanOfViews()(z[0], training=True)), z[0])


def test_initial_weights_are_uniform_within_what_the_fan_allows():
    import keras

    from lecturebench.models.layers import FanInUniform

    model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(40, kernel_initializer=FanInUniform(300))])
    [kernel, _] = model.get_weights()
    assert np.abs(kernel).max() <= 2.4 / 300
    assert np.std(kernel) == pytest.approx(2.4 / 300 / np.sqrt(3), rel=0.05)
    rows = values(FanInUniform([1, 4])((2, 5000), dtype="float32"))
    assert np.std(rows, axis=1) == pytest.approx([2.4 / np.sqrt(3), 0.6 / np.sqrt(3)], rel=0.05)


@pytest.mark.parametrize("a", [-1.0, 1.0])
def test_squashed_one_is_one(a):
    from lecturebench.models.layers import squash

    assert float(values(squash(np.float32(a)))) == pytest.approx(a, abs=1e-4)
