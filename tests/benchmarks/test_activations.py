"""Activation functions: the linear model that a network collapses to, and the networks that are compared."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bench_activations as bench
from benchmarks.formulas.activations import ACTIVATIONS
from lecturebench.datasets import load
from lecturebench.training.fit import fit_network


@pytest.fixture(scope="module")
def digits(own_cache):
    return load("digits")


def random_weights(sizes, rng):
    """Kernel and bias of each layer, float32."""
    pairs = [(rng.normal(size=(p, k)) / np.sqrt(p), rng.normal(size=k)) for p, k in itertools.pairwise(sizes)]
    return [array.astype(np.float32) for pair in pairs for array in pair]


def network_by_hand(weights, X, g):
    """A1 = g(w1 + W1 X), A2 = g(w2 + W2 A1), …, Z = b + B A; the activation everywhere but at the end."""
    A = X
    for layer, (W, w0) in enumerate(zip(weights[::2], weights[1::2], strict=True), start=1):
        A = w0 + A @ W
        A = A if 2 * layer == len(weights) else g(A)
    return A


def collapsed(weights):
    """The linear model that a network with the identity is: intercepts (10,) and W1 W2 B (p, 10), in float64.

    weights: kernel (inputs, units) and bias (units,) of each layer in order, as many layers as there are.
    """
    intercepts, product = np.zeros(1), np.ones((1, 1))
    for layer, (W, w0) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        W, w0 = np.asarray(W, dtype=float), np.asarray(w0, dtype=float)
        intercepts, product = (w0, W) if layer == 0 else (w0 + intercepts @ W, product @ W)
    return intercepts, product


def deviation_from_product(weights, outputs, X, scale):
    """The largest difference of two logits, of the network and of the product of its matrices, over the largest."""
    intercepts, product = collapsed(weights)
    linear = intercepts + (X.reshape(len(X), -1) / scale) @ product
    return float(np.abs(np.asarray(outputs) - linear).max() / np.abs(linear).max())


def test_product_is_the_formula_of_the_docstring():
    W1, w1, W2, w2, B, b = random_weights((7, 5, 4, 3), np.random.default_rng(0))
    intercepts, product = collapsed([W1, w1, W2, w2, B, b])
    wide = [array.astype(float) for array in (W1, w1, W2, w2, B, b)]
    W1, w1, W2, w2, B, b = wide
    np.testing.assert_allclose(product, W1 @ W2 @ B, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(intercepts, b + w2 @ B + w1 @ W2 @ B, rtol=1e-12, atol=1e-14)
    assert product.dtype == intercepts.dtype == np.float64


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_layers_without_activation_are_one_linear_map(sizes, seed):
    rng = np.random.default_rng(seed)
    weights, X = random_weights(sizes, rng), rng.normal(size=(4, sizes[0]))
    intercepts, product = collapsed(weights)
    wide = [array.astype(float) for array in weights]
    np.testing.assert_allclose(intercepts + X @ product, network_by_hand(wide, X, lambda z: z), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_keras_network_has_the_activation_of_its_name(backend, digits, name):
    method = bench.BENCHMARK.method(name)
    model = method.function((8, 8, 1), 10, **{**method.parameters, "units": (12, 6)})
    rng = np.random.default_rng(0)
    weights = random_weights((64, 12, 6, 10), rng)
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    X = (np.asarray(digits.train.X[:50]) / digits.scale).astype(np.float32)
    Z = np.asarray(model(X))
    by_hand = network_by_hand(weights, X.reshape(50, -1), ACTIVATIONS[name].function)
    np.testing.assert_allclose(Z, by_hand, atol=2e-5)
    off = deviation_from_product(weights, Z, np.asarray(digits.train.X[:50]), digits.scale)
    assert (off < 1e-5) == (name == "identity"), "only the identity collapses"


@pytest.mark.parametrize("seed", range(3))
def test_trained_network_with_the_identity_still_collapses(backend, digits, seed):
    training = replace(bench.TRAINING, epochs=1, batch_size=64, validation=0.0)
    deviations = []

    def probe(trained, dataset):
        X = np.asarray(dataset.train.X[:500])
        deviations.append(deviation_from_product(trained.weights, trained.outputs(X), X, dataset.scale))
        return {}

    fit_network(
        *(bench.two_layer, {"units": (16, 8), "activation": "linear"}, training, digits),
        seed=seed, steps_class=backend.Steps, train_size=128, probe=probe,
    )  # fmt: skip
    assert 0 < deviations[0] < 1e-5


def test_networks_differ_in_their_activation_and_the_linear_ones_in_how_their_rate_is_found():
    networks = [bench.BENCHMARK.method(name) for name in ACTIVATIONS]
    for method in networks:
        assert method.function is bench.two_layer
        assert dict(method.parameters) | {"activation": ""} == {"units": (256, 128), "activation": ""}
    assert len({method.parameters["activation"] for method in networks}) == len(ACTIVATIONS)
    for method in bench.METHODS:
        assert replace(method.training, learning_rate=0.001) == bench.TRAINING
        assert bool(method.choices) == (method.name in ("identity", "softmax"))


def test_linear_models_are_trained_to_convergence_at_a_rate_that_validation_data_choose():
    for name in ("identity", "softmax"):
        training = bench.BENCHMARK.method(name).training
        assert training.schedule.kind == "cosine"
        assert training.learning_rate.rule == "least"


def test_figure_tells_the_error_of_each_activation():
    from lecturebench.report.figures import blank
    from lecturebench.report.series import Series
    from lecturebench.report.style import method_styles, styled

    [drawing] = bench.BENCHMARK.drawings
    styles, rows = method_styles(drawing.methods), {}
    for i, name in enumerate(drawing.methods):
        runs = [SimpleNamespace(value={"error": 0.01 * (i + 1) + shift}.get) for shift in (-0.001, 0.001)]
        rows[name] = Series(bench.TITLES[name], styles[name], runs)
    with styled():
        figure = blank(*drawing.size)
        words = drawing.draw(figure, rows)
    for i, name in enumerate(drawing.methods):
        assert f"{bench.TITLES[name]} {i + 1}.00%" in words
        shown = figure.axes[i].lines[-1]
        np.testing.assert_allclose(shown.get_ydata(), ACTIVATIONS[name].function(shown.get_xdata()))
