"""The compiled steps of a backend against the formulas of the slides, written out in NumPy.

Runs on the backend that KERAS_BACKEND names (TensorFlow by default); tox has an environment for each.
"""

from __future__ import annotations

import numpy as np
import pytest

from lecturebench.datasets import Dataset, Split, load
from lecturebench.declare.training import Training
from lecturebench.models.convolutional import small_cnn
from lecturebench.models.dense import softmax_regression, two_layer
from lecturebench.training.fit import fit_network
from lecturebench.training.outcome import streams
from lecturebench.training.predictions import softmax
from lecturebench.training.weights import draw_weights
from tests.training.cases import assert_close, same

RMSPROP = Training(optimizer="rmsprop", learning_rate=0.001, batch_size=64, epochs=3)
UNITS = (24, 12)


@pytest.fixture(scope="module")
def digits(own_cache) -> Dataset:
    return load("digits")


def rmsprop_step(theta, memory, gradient, rate=0.001, rho=0.9, epsilon=1e-7):
    """v <- rho v + (1 - rho) g^2;  theta <- theta - rate g / sqrt(v + epsilon), Keras' order of the two."""
    memory = rho * memory + (1 - rho) * gradient**2
    return theta - rate * gradient / np.sqrt(memory + epsilon), memory


def two_layer_gradient(theta, x, y, penalty, masks, scales):
    """Loss and gradients of the two-layer network by the chain rule of slide "Gradients and Backpropagation"."""
    W1, w1, W2, w2, B, b = theta
    z1 = x @ W1 + w1
    a1 = np.maximum(z1, 0) * masks[0] * scales[0]
    z2 = a1 @ W2 + w2
    a2 = np.maximum(z2, 0) * masks[1] * scales[1]
    f = softmax(a2 @ B + b)
    n = len(y)
    loss = -np.log(f[np.arange(n), y]).mean() + penalty * ((W1**2).sum() + (W2**2).sum())
    d = f.copy()
    d[np.arange(n), y] -= 1
    d /= n
    d2 = (d @ B.T) * masks[1] * scales[1] * (z2 > 0)
    d1 = (d2 @ W2.T) * masks[0] * scales[0] * (z1 > 0)
    gradient = [
        x.T @ d1 + 2 * penalty * W1,
        d1.sum(0),
        a1.T @ d2 + 2 * penalty * W2,
        d2.sum(0),
        a2.T @ d,
        d.sum(0),
    ]
    return loss, gradient


@pytest.mark.parametrize(("penalty", "rates"), [(0.0, (0.0, 0.0)), (1e-3, (0.0, 0.0)), (0.0, (0.4, 0.3))])
def test_compiled_steps_equal_the_formulas_step_for_step(backend, digits, penalty, rates):
    import keras

    model = two_layer(digits.train.X.shape[1:], 10, units=UNITS, penalty=penalty, rates=rates)
    optimizer = keras.optimizers.RMSprop(0.001)
    optimizer.build(model.trainable_variables)
    X, y = np.array(digits.train.X), np.array(digits.train.y)
    steps = backend.Steps(model, optimizer, "classification", 1 / digits.scale)
    steps.load(X, y)
    steps.set_weights(draw_weights(model, steps.weights(), streams(0)["weights"]))
    theta = [value.astype(float) for value in steps.weights()[:6]]
    memory = [np.zeros_like(value) for value in theta]
    rng = np.random.default_rng(1)
    batches = rng.permutation(len(y))[: 10 * 64].reshape(10, 64).astype(np.int32)
    masks = [layer.draw(10, 64, rng) for layer in steps.random_layers]
    scales = [65536 / (65536 - layer.threshold) for layer in steps.random_layers] or [1.0, 1.0]
    losses = []
    for i, batch in enumerate(batches):
        x = X[batch].reshape(64, -1) / digits.scale
        step_masks = [mask[i] for mask in masks] or [1.0, 1.0]
        loss, gradient = two_layer_gradient(theta, x, y[batch], penalty, step_masks, scales)
        losses.append(loss)
        theta, memory = map(list, zip(*map(rmsprop_step, theta, memory, gradient), strict=True))
    total, _ = steps.train(batches, masks)
    assert total / batches.size == pytest.approx(np.mean(losses), rel=1e-5)
    for ours, formula in zip(steps.weights()[:6], theta, strict=True):
        np.testing.assert_allclose(ours, formula, atol=2e-5)


def convolved(backend, digits):
    """The steps of a small network with a convolution, its weights always the same."""
    import keras

    model = small_cnn(digits.train.X.shape[1:], 10, crop=1)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    steps = backend.Steps(model, optimizer, "classification", 1 / digits.scale)
    steps.load(np.array(digits.train.X), np.array(digits.train.y))
    steps.set_weights(draw_weights(model, steps.weights(), streams(0)["weights"]))
    return steps


def test_steps_with_a_convolution_are_the_same_in_one_call_as_one_by_one(backend, digits, monkeypatch):
    import keras

    steps = convolved(backend, digits)
    batches = np.random.default_rng(1).permutation(1000)[: 6 * 32].reshape(6, 32).astype(np.int32)
    masks = [layer.draw(6, 32, np.random.default_rng(2)) for layer in steps.random_layers]
    total = steps.train(batches, masks)
    single = convolved(backend, digits)
    sums = [single.train(batches[i : i + 1], [mask[i : i + 1] for mask in masks]) for i in range(6)]
    np.testing.assert_allclose(np.sum(sums, axis=0), total, rtol=1e-5)
    for one, other in zip(steps.weights(), single.weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    if keras.backend.backend() == "jax":
        assert steps.kernels["convolution"] == "one step at a time"
        monkeypatch.setattr("jax.default_backend", lambda: "gpu")
        looped = convolved(backend, digits)
        np.testing.assert_allclose(looped.train(batches, masks), total, rtol=1e-5)
        assert "convolution" not in looped.kernels


def test_outputs_equal_the_formula(backend, digits):
    import keras

    model = softmax_regression(digits.train.X.shape[1:], 10)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    X, y = np.array(digits.train.X), np.array(digits.train.y)
    steps = backend.Steps(model, optimizer, "classification", 1 / digits.scale)
    steps.load(X, y)
    W, b = steps.weights()[:2]
    np.testing.assert_allclose(steps.outputs(X[:50]), X[:50].reshape(50, -1) / digits.scale @ W + b, atol=1e-5)


def fit(backend, digits, seed=0, training=RMSPROP, function=two_layer, programs=None, **parameters):
    parameters = parameters or {"units": UNITS, "rates": (0.4, 0.3)}
    return fit_network(function, parameters, training, digits, seed=seed, steps_class=backend.Steps, programs=programs)


@pytest.fixture(scope="module")
def first(backend, digits):
    """The run of seed 0, in a program of its own."""
    return fit(backend, digits)


def test_same_seed_gives_the_same_predictions_byte_for_byte(backend, digits, first):
    assert same(fit(backend, digits).predictions, first.predictions)


def test_other_seed_gives_other_predictions(backend, digits, first):
    assert not same(fit(backend, digits, seed=1).predictions, first.predictions)


def test_reused_program_forgets_the_run_before(backend, digits, first):
    programs = {}
    fit(backend, digits, seed=5, programs=programs)
    again = fit(backend, digits, seed=0, programs=programs)
    assert len(programs) == 1
    assert same(again.predictions, first.predictions)


def test_epoch_in_chunks_equals_the_epoch_in_one(backend, digits, first, monkeypatch):
    monkeypatch.setattr("lecturebench.training.batches.MASK_BYTES", 64 * sum(UNITS) * 4)
    chunked = fit(backend, digits)
    assert_close(chunked.predictions, first.predictions, atol=0.02)
    assert [row["epoch"] for row in chunked.curve] == [1, 2, 3]


def test_network_learns_and_measures_every_split(backend, digits):
    training = Training(optimizer="rmsprop", learning_rate=0.005, batch_size=64, epochs=15)
    fitted = fit(backend, digits, training=training, units=UNITS)
    assert fitted.metrics["test"]["error"] < 0.1
    assert set(fitted.metrics) == {"train", "validation", "test"}
    assert len(fitted.curve) == 15
    assert fitted.n_train + fitted.n_validation == len(digits.train.y)
    assert fitted.n_validation == round(0.2 * len(digits.train.y))
    losses = [row["train_loss"] for row in fitted.curve]
    assert losses[-1] < losses[0] / 2


def test_loss_that_becomes_nan_ends_as_diverged(backend, digits):
    training = Training(optimizer="sgd", learning_rate=1e30, batch_size=64, epochs=5)
    fitted = fit(backend, digits, training=training, units=UNITS)
    assert "in epoch" in fitted.diverged
    assert fitted.predictions is None
    assert len(fitted.curve) < 5


def test_regression_is_fitted_by_least_squares(backend):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = X @ [1.0, -2.0, 0.5]
    data = Dataset(
        name="line", source="test", kind="table", task="regression", train=Split(X, y), test=Split(X, y),
        digests={}, classes=(), scale=1.0,
    )  # fmt: skip
    training = Training(optimizer="sgd", learning_rate=0.1, batch_size=20, epochs=40)
    fitted = fit_network(softmax_regression, {}, training, data, seed=0, steps_class=backend.Steps)
    assert fitted.metrics["test"]["mae"] < 1e-3
    assert fitted.predictions.predicted.shape == (200,)
    assert fitted.predictions.probabilities is None
