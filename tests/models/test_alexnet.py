"""Krizhevsky's networks against their paper and its author's files."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from lecturebench.models.alexnet import alexnet, alexnet_32
from tests.models.arithmetic import multiply_adds, randomised, trained, values

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.usefixtures("no_weights")
def test_alexnet_has_the_papers_sixty_million_parameters_layer_by_layer():
    model = alexnet((224, 224, 3), 1000)
    counts = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    assert counts == {
        "conv1": 34_944,
        "conv2": 307_456,
        "conv3": 885_120,
        "conv4": 663_936,
        "conv5": 442_624,
        "fc6": 37_752_832,
        "fc7": 16_781_312,
        "fc8": 4_097_000,
    }
    assert trained(model) == model.count_params() == 60_965_224
    shapes = {name: model.get_layer(name).output.shape[1:] for name in ("conv1", "conv2", "conv3", "conv4", "conv5")}
    assert shapes == {  # Fig. 2: the maps of both GPUs together
        "conv1": (55, 55, 96),
        "conv2": (27, 27, 256),
        "conv3": (13, 13, 384),
        "conv4": (13, 13, 384),
        "conv5": (13, 13, 256),
    }
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("LocalResponseNormalization") == 2
    assert kinds.count("MaxPooling2D") == 3
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.5, 0.5]
    assert multiply_adds(model) == 724_406_816


@pytest.mark.usefixtures("no_weights")
def test_alexnet_sees_windows_of_larger_images():
    model = alexnet((256, 256, 3), 10, border=16, flip=True, views=True)
    assert model.get_layer("conv1").output.shape[1:] == (55, 55, 96)
    assert model.output_shape == (None, 10)


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(
    ("parameters", "size", "count"),
    [
        ({"border": 4}, 24, 2_112_970),
        ({}, 32, 3_672_906),
        ({"border": 4, "normalised": False, "local": (32, 32)}, 24, 1_116_490),
        ({"normalised": False, "local": (32, 32)}, 32, 1_901_386),
    ],
)
def test_small_network_has_the_layers_of_cuda_convnet(parameters, size, count):
    model = alexnet_32((32, 32, 3), 10, **parameters)
    assert trained(model) == model.count_params() == count
    half, quarter = size // 2, size // 4
    maps = parameters.get("local", (64, 32))
    norm = [] if "normalised" in parameters else [("LocalResponseNormalization", (half, half, 64))]
    expected = [
        ("Conv2D", (size, size, 64)),
        ("MaxPooling2D", (half, half, 64)),
        *norm,
        ("Conv2D", (half, half, 64)),
        *norm,
        ("MaxPooling2D", (quarter, quarter, 64)),
        ("LocallyConnected2D", (quarter, quarter, maps[0])),
        ("LocallyConnected2D", (quarter, quarter, maps[1])),
    ]
    kinds = [(type(layer).__name__, layer.output.shape[1:]) for layer in model.layers]
    first = kinds.index(expected[0])
    assert kinds[first : first + len(expected)] == expected
    pools = [layer for layer in model.layers if type(layer).__name__ == "MaxPooling2D"]
    assert all((pool.pool_size, pool.strides) == ((3, 3), (2, 2)) for pool in pools)
    for layer in model.layers:
        if type(layer).__name__ == "LocalResponseNormalization":
            assert (layer.k, layer.n, layer.alpha, layer.beta) == (1.0, 9, 0.001 / 9, 0.75)


def test_small_network_starts_with_the_deviations_of_cuda_convnet():
    model = alexnet_32((32, 32, 3), 10)
    deviations = {"conv1": 0.0001, "conv2": 0.01, "local3": 0.04, "local4": 0.04, "fc10": 0.01}
    for name, deviation in deviations.items():
        assert values(model.get_layer(name).kernel).std() == pytest.approx(deviation, rel=0.05)
        assert not values(model.get_layer(name).bias).any()


def test_small_network_puts_pixels_on_cuda_convnets_scale():
    import keras

    model = alexnet_32((8, 8, 1), 2)
    scaled = keras.Model(model.inputs[0], next(x for x in model.layers if type(x).__name__ == "Rescaling").output)
    x = np.array([0.0, 0.5, 1.0, 0.2] * 16, np.float32).reshape(1, 8, 8, 1)
    np.testing.assert_allclose(values(scaled(x)), 255 * x - 127.5, atol=1e-4)


def test_decay_is_on_local_and_dense_kernels_alone():
    model = alexnet_32((8, 8, 3), 4, decay=0.004)
    randomised(model, np.random.default_rng(0))
    squares = sum(float((values(model.get_layer(name).kernel) ** 2).sum()) for name in ("local3", "local4", "fc10"))
    assert sum(float(values(loss)) for loss in model.losses) == pytest.approx(0.002 * squares, rel=1e-4)
    assert alexnet_32((8, 8, 3), 4).losses == []


def test_training_sees_a_window_of_the_image_and_no_padding():
    import keras

    model = alexnet_32((12, 11, 2), 3, border=2, flip=True)
    cut = keras.Model(model.inputs[0], next(x for x in model.layers if type(x).__name__ == "Cropping2D").output)
    x = np.random.default_rng(0).random((1, 12, 11, 2), dtype=np.float32)
    crop = next(layer for layer in model.layers if type(layer).__name__ == "RandomCrop")
    for row in range(5):
        for column in range(5):
            window = x[:, row : row + 8, column : column + 7]
            for mirrored, expected in ((0, window), (1, window[:, :, ::-1])):
                crop.mask = np.array([[row, column, mirrored]], np.int32)
                np.testing.assert_array_equal(values(cut(x, training=True)), expected)
    np.testing.assert_array_equal(values(cut(x, training=False)), x[:, 2:10, 2:9])


def test_prediction_with_views_is_the_mean_probability_of_ten_windows():
    model = alexnet_32((12, 12, 3), 4, border=2, views=True)
    alone = alexnet_32((8, 8, 3), 4)
    rng = np.random.default_rng(0)
    weights = [rng.normal(scale=0.02, size=weight.shape) for weight in alone.get_weights()]
    model.set_weights(weights)
    alone.set_weights(weights)
    x = rng.random((3, 12, 12, 3), dtype=np.float32)
    corners = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))
    windows = [x[:, i : i + 8, j : j + 8] for i, j in corners]
    windows += [window[:, :, ::-1] for window in windows]
    each = [softmax(values(alone(window)).astype(float), axis=1) for window in windows]
    seen = softmax(values(model(x)).astype(float), axis=1)
    np.testing.assert_allclose(seen, np.mean(each, axis=0), atol=1e-5)
    assert np.ptp(each, axis=0).max() > 0.01


@pytest.mark.parametrize("build", [alexnet, alexnet_32])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"border": -1}, "border is -1; it must be a whole number of pixels, 0 or above"),
        ({"border": 1.5}, "border is 1.5; it must be a whole number of pixels, 0 or above"),
        ({"decay": -1}, "decay is -1; it must be 0 or above"),
        ({"rate": 1.0}, r"rate is 1.0; a dropout rate must be in \[0, 1\)"),
    ],
)
def test_wrong_border_decay_or_rate_is_refused(build, wrong, message):
    with pytest.raises(ValueError, match=message):
        build((64, 64, 3), 10, **wrong)


def test_border_that_leaves_too_small_a_window_is_refused_by_shapes():
    with pytest.raises(ValueError, match="images of 11 x 12 are too small for alexnet_32: it needs 12 x 12 or larger"):
        alexnet_32((11, 12, 3), 10, border=4)
