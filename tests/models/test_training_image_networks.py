"""Every image network through the harness: built, drawn, trained and asked, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from lecturebench.datasets import Dataset, Split
from lecturebench.declare.training import Training
from lecturebench.models.alexnet import alexnet, alexnet_32
from lecturebench.models.convolutional import deep_cnn, fashion_convnet, lenet5, pooled_cnn, simple_convnet
from lecturebench.models.residual import cifar_resnet, resnet
from lecturebench.training.outcome import streams
from lecturebench.training.program import Program

BATCH = 16
SGD = ("sgd", 0.02, {"momentum": 0.9})

# Rates and steps that make each network learn. LeNet-5 starts with small weights and learns nothing for some 20 steps.
NETWORKS = {
    "simple_convnet": (simple_convnet, {}, ("adam", 0.003, {})),
    "lenet5": (lenet5, {}, ("adam", 0.01, {}), 40),
    "fashion_convnet": (fashion_convnet, {}, SGD),
    "deep_cnn": (deep_cnn, {"depth": 4, "budget": 4_895}, ("adam", 0.01, {})),
    "pooled_cnn, max": (pooled_cnn, {}, SGD),
    "pooled_cnn, average": (pooled_cnn, {"pooling": "average"}, SGD),
    "pooled_cnn, strided": (pooled_cnn, {"pooling": "strided"}, SGD),
    "resnet": (cifar_resnet, {"depth": 8, "crop": 1, "decay": 1e-4}, SGD),
    "resnet, zero last": (cifar_resnet, {"depth": 8, "zero_last": True}, SGD),
    "plain": (cifar_resnet, {"depth": 8, "residual": False, "normalised": False}, SGD),
    "alexnet_32": (alexnet_32, {"border": 2, "decay": 0.004, "rate": 0.2, "views": True}, ("sgd", 0.001, {})),
}


@pytest.fixture(scope="module")
def images():
    """Bright squares in one of three corners, on noise."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 60, (96, 12, 12, 1), dtype=np.uint8), rng.integers(0, 3, 96)
    for image, label in zip(X, y, strict=True):
        i, j = ((1, 1), (1, 6), (6, 1))[label]
        image[i : i + 5, j : j + 5] += 190
    split = Split(X, y)
    return Dataset(
        name="corners", source="test", kind="image", task="classification", train=split, test=split, digests={},
        classes=("a", "b", "c"), scale=255.0,
    )  # fmt: skip


def trained(backend, images, name, seed):
    """Losses of each step and the outputs afterwards."""
    function, parameters, (optimizer, rate, options), *longer = NETWORKS[name]
    steps = longer[0] if longer else 12
    training = Training(optimizer, rate, BATCH, epochs=1, options=options)
    rngs = streams(seed)
    program = Program(function, parameters, training, steps, images, backend.Steps)
    program.restart(images, rngs)
    losses = []
    for _ in range(steps):
        batch = rngs["shuffling"].permutation(96)[None, :BATCH].astype(np.int32)
        masks = [layer.draw(1, BATCH, rngs[layer.stream]) for layer in program.steps.random_layers]
        losses.append(program.steps.train(batch, masks)[0] / BATCH)
    return losses, program.steps.outputs(images.test.X[:20])


@pytest.mark.parametrize("name", NETWORKS)
def test_network_learns_and_the_same_seed_gives_the_same(backend, images, name):
    losses, outputs = trained(backend, images, name, 1)
    assert outputs.shape == (20, 3)
    assert np.isfinite(outputs).all()
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    again, same = trained(backend, images, name, 1)
    assert losses == again
    np.testing.assert_array_equal(outputs, same)


@pytest.mark.slow
@pytest.mark.parametrize(("function", "size"), [(resnet, 20), (alexnet, 64)])
def test_large_network_takes_a_step(backend, function, size):
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (8, size, size, 3), dtype=np.uint8), rng.integers(0, 3, 8))
    images = Dataset(
        name="noise", source="test", kind="image", task="classification", train=split, test=split, digests={},
        classes=("a", "b", "c"), scale=255.0,
    )  # fmt: skip
    program = Program(function, {}, Training("sgd", 1e-4, 4, epochs=1), 2, images, backend.Steps)
    rngs = streams(0)
    program.restart(images, rngs)
    before = program.steps.weights()
    masks = [layer.draw(2, 4, rngs[layer.stream]) for layer in program.steps.random_layers]
    loss, _ = program.steps.train(np.arange(8, dtype=np.int32).reshape(2, 4), masks)
    assert np.isfinite(loss)
    moved = [not np.array_equal(old, new) for old, new in zip(before, program.steps.weights(), strict=True)]
    assert sum(moved) >= len(program.model.trainable_variables)
