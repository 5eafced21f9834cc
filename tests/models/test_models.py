"""The networks of the slides: size, penalty, dropout."""

from __future__ import annotations

import numpy as np
import pytest

from lecturebench.models.dense import single_layer, softmax_regression, two_layer

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.usefixtures("no_weights")
def test_lecture_network_has_the_books_number_of_parameters():
    assert two_layer((28, 28, 1), 10, units=(256, 128), rates=(0.4, 0.3)).count_params() == 235_146
    assert softmax_regression((28, 28, 1), 10).count_params() == 7_850


def test_ridge_is_on_the_two_hidden_layers_weights_alone():
    import keras

    model = two_layer((5,), 3, units=(4, 2), penalty=0.25)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weights.shape) for weights in model.get_weights()])
    W1, _, W2, _, _, _ = model.get_weights()
    penalty = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    assert penalty == pytest.approx(0.25 * ((W1**2).sum() + (W2**2).sum()), rel=1e-6)


def test_penalty_of_zero_adds_nothing():
    assert two_layer((5,), 3, units=(4, 2)).losses == []


def test_penalty_below_zero_is_refused():
    with pytest.raises(ValueError, match="penalty is -1"):
        two_layer((5,), 3, units=(4, 2), penalty=-1)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2])
def test_dropout_rate_outside_its_range_is_refused(rate):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        two_layer((5,), 3, units=(4, 2), rates=(rate, 0.0))


def test_dropout_keeps_the_expected_activation_and_removes_units_with_its_probability():
    model = two_layer((5,), 3, units=(64, 2), rates=(0.4, 0.0))
    layer = next(layer for layer in model.layers if getattr(layer, "threshold", 0) > 0)
    masks = layer.draw(200, 16, np.random.default_rng(0))
    removed = 1 - masks.mean()
    assert removed == pytest.approx(0.4, abs=5 * np.sqrt(0.24 / masks.size))
    x = np.ones((16, 64), np.float32)
    total = np.zeros_like(x)
    for mask in masks:
        layer.mask = mask
        seen = np.asarray(layer(x, training=True))
        assert set(np.unique(seen)) <= {0.0, np.float32(65536 / (65536 - layer.threshold))}
        total += seen
    assert total.mean() / len(masks) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("steps", "batch"), [(3, 11), (40, 64), (1, 1)])
def test_masks_drawn_in_pieces_are_those_drawn_at_once(steps, batch, monkeypatch):
    model = two_layer((5,), 3, units=(61, 2), rates=(0.4, 0.0))
    layer = next(layer for layer in model.layers if getattr(layer, "threshold", 0) > 0)
    count = steps * batch * 61
    words = np.random.default_rng(7).bit_generator.random_raw(-(-count // 4)).view(np.uint16)[:count]
    monkeypatch.setattr(type(layer), "AT_ONCE", 1024)
    drawn = layer.draw(steps, batch, np.random.default_rng(7))
    np.testing.assert_array_equal(drawn, (words >= layer.threshold).reshape(steps, batch, 61))


def test_dropout_does_nothing_in_prediction():
    model = two_layer((5,), 3, units=(4, 2), rates=(0.5, 0.5))
    x = np.ones((2, 5), np.float32)
    assert np.array_equal(model.predict_on_batch(x), model.predict_on_batch(x))
    weights = model.get_weights()
    hidden = np.maximum(np.maximum(x @ weights[0] + weights[1], 0) @ weights[2] + weights[3], 0)
    np.testing.assert_allclose(model.predict_on_batch(x), hidden @ weights[4] + weights[5], atol=1e-5)


def test_dropout_without_a_mask_says_who_trains_it():
    model = two_layer((5,), 3, units=(4, 2), rates=(0.5, 0.5))
    with pytest.raises(RuntimeError, match="has no mask"):
        model(np.ones((2, 5), np.float32), training=True)


@pytest.mark.usefixtures("no_weights")
def test_single_layer_networks_have_the_numbers_of_parameters_of_text_and_lab():
    assert single_layer((19,), 1, units=64, rate=0.1).count_params() == 1_345
    assert single_layer((19,), 1, units=50, rate=0.4).count_params() == 1_051


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "linear"])
def test_single_layer_network_is_the_formula_of_the_slide(activation):
    model = single_layer((3,), 1, units=4, rate=0.5, activation=activation)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weights.shape) for weights in model.get_weights()])
    w, w0, beta, beta0 = model.get_weights()
    g = {"relu": lambda z: max(z, 0), "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "linear": float}
    X = rng.normal(size=(5, 3)).astype(np.float32)
    f = [
        beta0[0] + sum(beta[k, 0] * g[activation](w0[k] + sum(w[j, k] * x[j] for j in range(3))) for k in range(4))
        for x in X
    ]
    np.testing.assert_allclose(model.predict_on_batch(X)[:, 0], f, rtol=1e-5, atol=1e-5)


def test_single_layer_network_drops_hidden_units_and_no_inputs():
    model = single_layer((3,), 2, units=8, rate=0.25)
    [layer] = [layer for layer in model.layers if getattr(layer, "draws", False)]
    assert layer.draw(5, 7, np.random.default_rng(0)).shape == (5, 7, 8)
    assert layer.rate == 0.25


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2])
def test_single_layer_network_refuses_a_dropout_rate_outside_its_range(rate):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        single_layer((3,), 1, units=4, rate=rate)


# Small convolutional network


@pytest.mark.usefixtures("no_weights")
def test_small_cnn_has_the_parameters_that_its_docstring_counts():
    from lecturebench.models.convolutional import small_cnn

    assert small_cnn((28, 28, 1), 10, crop=2).count_params() == 160 + 4_640 + 15_690 == 20_490


def test_small_cnn_is_two_convolutions_with_relu_and_pooling():
    from scipy.signal import correlate

    from lecturebench.models.convolutional import small_cnn

    model = small_cnn((8, 6, 2), 3, crop=2)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(scale=0.3, size=weights.shape) for weights in model.get_weights()])
    W1, w1, W2, w2, B, b = model.get_weights()

    def convolved(image, W, w):
        maps = [correlate(np.pad(image, ((1, 1), (1, 1), (0, 0))), W[..., k], "valid")[..., 0] for k in range(len(w))]
        return np.maximum(np.stack(maps, axis=-1) + w, 0)

    def pooled(maps):
        height, width, k = maps.shape
        return maps[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, k).max(axis=(1, 3))

    x = rng.random((4, 8, 6, 2), dtype=np.float32)
    hidden = np.stack([pooled(convolved(pooled(convolved(image, W1, w1)), W2, w2)) for image in x])
    np.testing.assert_allclose(model.predict_on_batch(x), hidden.reshape(4, -1) @ B + b, atol=1e-4)


@pytest.mark.parametrize("crop", [-1, 6, 7])
def test_crop_as_large_as_the_image_is_refused(crop):
    from lecturebench.models.convolutional import small_cnn

    with pytest.raises(ValueError, match=f"crop is {crop} for images of 8 x 6; it must be a whole number from 0 to 5"):
        small_cnn((8, 6, 1), 3, crop=crop)
