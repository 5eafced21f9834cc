"""Residual networks on the benchmark's side: gradients by layer, the identity, and the published recipes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from benchmarks import bench_resnet18 as bench
from benchmarks.experiments.residual import (
    LARGEST,
    batch_loss,
    fit_identity,
    float64,
    gradient_norms,
    identity_block,
    kernel_gradients,
)
from benchmarks.sources import he
from lecturebench import Network, NumberClaim, selection
from lecturebench.datasets import Dataset, Split
from lecturebench.models.residual import resnet
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record
from lecturebench.training.fit import fit_network
from tests.models.arithmetic import trained, without_weights

NETWORKS = {method.name: method for method in bench.METHODS if isinstance(method, Network)}


def images(n=64, side=17):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (n, side, side, 1), dtype=np.uint8)
    y = rng.integers(0, 3, n)
    return Dataset(
        kind="images", task="classification", train=Split(X, y), test=Split(X, y), classes=("a", "b", "c"),
        scale=255.0, name="noise", source="here", digests={},
    )  # fmt: skip


def convolved(input_shape, outputs):
    import keras

    layers = [keras.layers.Conv2D(4, 3, activation="tanh"), keras.layers.BatchNormalization(), keras.layers.Flatten()]
    return keras.Sequential([keras.Input(input_shape), *layers, keras.layers.Dense(outputs)])


@pytest.mark.usefixtures("backend")
def test_gradient_by_each_kernel_is_that_of_finite_differences():
    data = images(side=6)
    x, y = np.asarray(data.train.X, dtype=float) / 255, data.train.y
    with float64():
        model = convolved((6, 6, 1), 3)
        weights = [np.asarray(variable, dtype=float) for variable in model.trainable_variables]

        def loss(k, i, step):
            moved = [array.copy() for array in weights]
            moved[k].flat[i] += step
            for variable, value in zip(model.trainable_variables, moved, strict=True):
                variable.assign(value)
            z = np.asarray(model(x, training=True))
            z = z - z.max(1, keepdims=True)
            return float(np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]))

        norms = kernel_gradients(model, weights, x, y)
        expected = []
        for k, array in enumerate(weights):
            if array.ndim > 1:
                slopes = [(loss(k, i, 1e-5) - loss(k, i, -1e-5)) / 2e-5 for i in range(array.size)]
                expected.append(float(np.linalg.norm(slopes)))
    np.testing.assert_allclose(norms, expected, rtol=1e-6)


def test_probe_measures_before_and_after_the_training_in_the_order_of_the_layers(backend):
    import keras

    before = keras.config.dtype_policy().name
    training = replace(bench.EPOCH, train_size=None, validation=0.0, batch_size=32)
    probe = partial(gradient_norms, build=resnet)
    fitted = fit_network(resnet, {}, training, images(), seed=0, steps_class=backend.Steps, probe=probe)
    gradients = fitted.arrays["gradients"]
    assert gradients.shape == (2, 1 + 16 + 3 + 1), "the stem, 16 convolutions, 3 projections, the dense layer"
    assert (gradients > 0).all()
    assert (gradients[0] != gradients[1]).all()
    lost = np.log10(gradients.max(axis=1) / gradients[:, 0])
    measured = fitted.metrics["measured"]
    assert (measured["lost_before"], measured["lost"]) == pytest.approx(tuple(lost))
    assert keras.config.dtype_policy().name == before


@pytest.mark.usefixtures("backend")
def test_loss_after_training_normalises_over_each_batch_and_not_by_moving_averages():
    data = images(n=80, side=6)
    model = convolved((6, 6, 1), 3)
    weights = [np.asarray(variable) for variable in model.trainable_variables]
    losses = []
    for batch in (slice(0, 64), slice(64, 80)):
        z = np.asarray(model((data.train.X[batch] / 255).astype(np.float32), training=True), dtype=float)
        losses += list(np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), data.train.y[batch]])
    for variable in model.non_trainable_variables:
        variable.assign(variable + 5.0)
    assert batch_loss(model, weights, data) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.usefixtures("backend")
def test_block_that_starts_with_gamma_zero_is_the_identity():
    assert identity_block(None, np.random.default_rng(1)).values["deviation"] <= 1e-6


@pytest.mark.usefixtures("backend")
def test_stack_that_is_the_identity_needs_one_step_and_one_that_never_gets_there_more_than_all(monkeypatch):
    monkeypatch.setattr("benchmarks.experiments.residual.LARGEST", 6)
    stuck = fit_identity(None, np.random.default_rng(0), blocks=2, residual=False, rate=1e-9)
    assert stuck.values["steps"] == 7
    assert stuck.values["left"] == pytest.approx(stuck.curve[-1]["left"], rel=1e-3)
    monkeypatch.setattr(
        "benchmarks.experiments.residual._drawn", lambda model, rng: [0 * w for w in model.get_weights()]
    )
    there = fit_identity(None, np.random.default_rng(0), blocks=2, residual=True, rate=1e-9)
    assert there.values["steps"] == 1
    assert there.values["left"] < 1e-6
    assert LARGEST == 500


def test_recipes_are_the_published_ones_and_their_claims_wait_for_the_full_profile():
    resnet18, resnet20 = NETWORKS["resnet18"].training, NETWORKS["resnet20"].training
    for training in (resnet18, resnet20):
        assert (training.optimizer, training.learning_rate, training.batch_size) == ("sgd", 0.1, 128)
        assert dict(training.options) == {"momentum": 0.9}
        assert training.validation == 0
    steps = resnet20.epochs * -(-50_000 // 128)
    rates = resnet20.learning_rate * resnet20.schedule.rates(steps)
    drops = np.flatnonzero(np.diff(rates)) + 1
    np.testing.assert_allclose(drops / steps * 64_000, [32_000, 48_000], atol=1)
    np.testing.assert_allclose(rates[[0, drops[0], drops[1]]], [0.1, 0.01, 0.001])
    numbers = [claim for claim in bench.CLAIMS if isinstance(claim, NumberClaim)]
    assert [(c.method, c.printed, c.profiles) for c in numbers] == [
        ("resnet18", "93.02%", ("full",)),
        ("resnet20", "8.75%", ("full",)),
    ]
    places = dict(selection.places(bench.BENCHMARK, "lecture"))
    assert set(places["mnist"]) == {"digits", *(f"{kind}_{depth}" for kind in bench.KINDS for depth in bench.DEPTHS)}
    assert {"resnet18", "resnet20", "beginning"} & set(places["cifar10"]) == {"beginning"}
    assert {"resnet18", "resnet20"} <= set(dict(selection.places(bench.BENCHMARK, "full"))["cifar10"])


def test_beginning_of_resnet20_differs_from_the_published_fit_in_how_long_and_on_how_many_images():
    published, begun = NETWORKS["resnet20"], NETWORKS["beginning"]
    assert replace(begun.training, epochs=published.training.epochs, train_size=None) == published.training
    assert (begun.function, begun.parameters, begun.datasets) == (
        published.function, published.parameters, published.datasets
    )  # fmt: skip


@pytest.mark.usefixtures("backend")
def test_resnet18_has_the_published_parameters_and_on_digits_what_is_said_to_be_left_of_them():
    with without_weights():
        assert trained(resnet((224, 224, 3), 1000)) == 11_689_512
        assert trained(resnet((28, 28, 1), 10)) == he.ON_DIGITS == 11_175_370


def test_figures_say_what_arrives_at_the_first_layer_and_what_is_left():
    styles = method_styles(method.name for method in bench.METHODS)

    def series(method, curve=(), **arrays):
        runs = [
            Record(
                *("k", "benchmarks", "resnet18", method, {}, "lecture", "tensorflow", "cpu", seed, "judged", "ok", {}),
                curve=list(curve),
            )
            for seed in (0, 1)
        ]  # fmt: skip
        return Series(bench.BENCHMARK.method(method).title, styles[method], runs, lambda run: arrays)

    gradients, identity, _ = bench.DRAWINGS
    rows = {name: series(name, gradients=np.array([[0.5, 2.0], [1, 1]])) for name in gradients.methods}
    curve = [{"step": 1.0, "left": 0.5}, {"step": 6.0, "left": 0.25}]
    rows |= {name: series(name, curve) for name in identity.methods}
    with styled():
        figure = blank(*gradients.size)
        words = gradients.draw(figure, {name: rows[name] for name in gradients.methods})
        assert "plain, bare, 18 layers: the first has 0.25" in words
        assert [len(axes.lines) for axes in figure.axes] == [4, 4, 4]
        words = identity.draw(blank(*identity.size), {name: rows[name] for name in identity.methods})
    assert "8 plain blocks learn the identity: 0.25 is left" in words


def test_probe_is_given_the_network_of_its_row():
    assert len(bench.GRADIENTS) == 12
    for method in bench.GRADIENTS:
        assert method.probe.keywords["build"].keywords == dict(method.parameters), method.name
