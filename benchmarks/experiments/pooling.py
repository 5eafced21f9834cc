"""Pooling by Keras on the slide's numbers, on images and in trained networks, and networks of several training sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.convolution import EDGE, as_layer, correlate
from benchmarks.formulas.pooling import (
    ANSWERS,
    SLIDE,
    disagreement,
    every_second,
    operations,
    pool,
    sharpness,
    variance,
)
from benchmarks.formulas.softmax import softmax
from lecturebench import Measured, Trained
from lecturebench.models.convolutional import pooled_cnn

if TYPE_CHECKING:
    from lecturebench import Dataset

Floats = npt.NDArray[Any]

# What stands between two resolutions, and what it makes of maps (n, h, w, c) at the finer one.
PASSES: Mapping[str, Callable[[Floats], Floats]] = {
    "max": lambda X: pool(X, "max"),
    "average": lambda X: pool(X, "average"),
    "strided": every_second,
    "none": lambda X: X,
}
MAPS = 500  # test images whose maps are looked at
SHIFTED = 2_000  # test images that are shifted and timed
SHIFTS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # lines down, columns to the right
TIMED = 5  # of so many, the quickest
DRAWN = 1_000  # images of one run of `images`
MEMBERS, SUBSET, BATCH, EPOCHS, SEEN = 3, 500, 32, 30, 2_000  # of `several`


def example(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """The slide's example, pooled by Keras and by the formula: the largest |difference| to what the slide shows."""
    from keras import ops

    values = {}
    for how, answer in ANSWERS.items():
        x = SLIDE[None, :, :, None]
        function = {"max": ops.max_pool, "average": ops.average_pool}[how]
        by_keras = ops.convert_to_numpy(function(ops.convert_to_tensor(x), 2, 2, data_format="channels_last"))
        values[how] = _furthest(by_keras, answer)
        values[f"{how}_formula"] = _furthest(pool(x, "max" if how == "max" else "average"), answer)
    return Measured({"deviation": max(values.values()), **values})


def images(dataset: Dataset, rng: np.random.Generator, *, pooling: str) -> Measured:
    """The `sharpness` of pooled test images as a share of theirs before. inverted: black and white swapped."""
    chosen = np.sort(rng.choice(len(dataset.test), min(DRAWN, len(dataset.test)), replace=False))
    X = in_unit_interval(dataset, chosen)
    passes = PASSES[pooling]
    return Measured({"sharpness": passed_on(passes, X), "inverted": passed_on(passes, 1 - X)})


def pictures(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """For a figure: two test images and their edges, as g(A) of the slide's kernel, each pooled.

    full: (images, 2, h, w) before pooling; pooled: (images, 2, 3, h / 2, w / 2) by every second pixel, max and average.
    Both in [0, 1] as shares of the largest number of their image or map before pooling. shown: how many images.
    """
    labels = np.asarray(dataset.test.y)
    classes = np.unique(labels)[[0, len(dataset.classes) // 2]]
    firsts = np.array([int(np.argmax(labels == label)) for label in classes])
    X = in_unit_interval(dataset, firsts).mean(axis=3, keepdims=True)
    edges = np.maximum(correlate(X, as_layer(EDGE), "same"), 0)
    full = np.concatenate([X / X.max(axis=(1, 2), keepdims=True), edges / edges.max(axis=(1, 2), keepdims=True)], 3)
    pooled = [PASSES[name](full) for name in ("strided", "max", "average")]
    arrays = {"full": np.moveaxis(full, 3, 1), "pooled": np.moveaxis(np.stack(pooled, 1), 4, 1)}
    return Measured({"shown": len(firsts)}, arrays={name: array.astype(np.float32) for name, array in arrays.items()})


def inside(trained: Trained, dataset: Dataset, *, pooling: str) -> dict[str, float]:
    """A probe. What of a trained `pooled_cnn` the slides speak of.

    sharpness: of the first layer's maps as they are passed on, as a share of theirs at every pixel. changed: the share
    of test images that are predicted as another class when shifted by a pixel, zeros coming in, the mean over four
    directions. operations: of one image, in millions. seconds: to predict 10,000 images, by the quickest of five times.
    """
    weights, outputs = trained.weights, trained.outputs
    W, w = weights[0], weights[1]
    maps = np.maximum(correlate(in_unit_interval(dataset, np.arange(min(MAPS, len(dataset.test)))), W, "same") + w, 0)
    X = np.asarray(dataset.test.X[:SHIFTED])
    seconds, before = [], np.zeros(0)
    for _ in range(TIMED):
        start = time.perf_counter()
        before = outputs(X).argmax(axis=1)
        seconds.append(time.perf_counter() - start)
    changed = [np.mean(outputs(moved(X, *shift)).argmax(axis=1) != before) for shift in SHIFTS]
    kernels = tuple(len(biases) for biases in weights[1:-2:2])
    return {
        "sharpness": passed_on(PASSES[pooling], maps),
        "changed": float(np.mean(changed)),
        "operations": operations(X.shape[1:], kernels, len(dataset.classes), pooling) / 1e6,
        "seconds": min(seconds) / len(X) * 10_000,
    }


def several(dataset: Dataset, rng: np.random.Generator, *, pooling: str) -> Measured:
    """How far networks of different training sets are from each other on the same test images: `variance`.

    `MEMBERS` networks with first weights and training sets of their own, `SUBSET` images each, which follow from the
    seed alone: they are the same for every pooling. disagreement: the share of test images on which two predict
    otherwise. error: their mean test error.
    """
    seen = np.arange(min(SEEN, len(dataset.test)))
    X, y = in_unit_interval(dataset, seen), np.asarray(dataset.test.y)[seen]
    probabilities = np.stack([softmax(outputs(X)) for outputs in trained(dataset, rng.spawn(MEMBERS), pooling)])
    return Measured(
        {
            "variance": variance(probabilities),
            "disagreement": disagreement(probabilities),
            "error": float(np.mean(probabilities.argmax(axis=2) != y)),
        }
    )


def trained(
    dataset: Dataset, rngs: Sequence[np.random.Generator], pooling: str
) -> Iterator[Callable[[Floats], Floats]]:
    """The outputs of a `pooled_cnn` after `EPOCHS` epochs on `SUBSET` images, for each generator: it draws the images,
    their order and the first weights. Each is called before the next is trained, in the place of the last."""
    import keras

    model = pooled_cnn(dataset.train.X.shape[1:], len(dataset.classes), pooling=pooling)
    optimizer = keras.optimizers.Adam(0.001)
    optimizer.build(model.trainable_variables)
    fresh = [np.array(keras.ops.convert_to_numpy(variable)) for variable in optimizer.variables]
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    size = min(SUBSET, len(dataset.train))
    for rng in rngs:
        chosen = np.sort(rng.choice(len(dataset.train), size, replace=False))
        order = np.concatenate([rng.permutation(size) for _ in range(EPOCHS)])
        X = np.asarray(dataset.train.X[chosen], dtype=np.float32) / np.float32(dataset.scale)
        y = np.asarray(dataset.train.y)[chosen]
        model.set_weights([_first(rng, array.shape) for array in model.get_weights()])
        for variable, value in zip(optimizer.variables, fresh, strict=True):
            variable.assign(value)
        model.fit(X[order], y[order], batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
        yield lambda X: np.asarray(model.predict(X, batch_size=500, verbose=0))


def passed_on(passes: Callable[[Floats], Floats], X: Floats) -> float:
    """The `sharpness` of what is passed on of maps (n, h, w, c), as a share of theirs."""
    return sharpness(passes(X)) / sharpness(X)


def moved(X: Floats, down: int, right: int) -> Floats:
    """Images (n, h, w, c) shifted by so many lines down and columns to the right, one at most, zeros coming in."""
    height, width = X.shape[1:3]
    around = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return around[:, 1 - down : 1 - down + height, 1 - right : 1 - right + width]


def in_unit_interval(dataset: Dataset, chosen: Floats) -> Floats:
    """Those test images in [0, 1], (n, h, w, c) float32."""
    return np.asarray(dataset.test.X[chosen], dtype=np.float32) / np.float32(dataset.scale)


def _first(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """First weights of Glorot's uniform distribution, as Keras' layers have them; biases are 0."""
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    field = int(np.prod(shape[:-2]))
    bound = np.sqrt(6 / (field * (shape[-2] + shape[-1])))
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _furthest(pooled: Floats, answer: Floats) -> float:
    """The largest |difference| of pooled maps (1, h, w, 1) from the answer (h, w)."""
    return float(np.abs(np.asarray(pooled, dtype=float)[0, :, :, 0] - answer).max())
