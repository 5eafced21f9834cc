"""Attention against its formula, what it must not depend on, what it costs, and where a trained one looks."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.formulas.attention import multi_head, weights
from benchmarks.formulas.words import SLIDE
from lecturebench import Measured, Trained

SEQUENCES, POSITIONS, SIZE = 8, 12, 16
LENGTHS = (64, 128, 256, 512, 1024)
BATCH, STEPS = 16, 3  # of a timing, of which the least counts


def check_attention(dataset: Any, rng: np.random.Generator, *, heads: int) -> Measured:
    """Keras' MultiHeadAttention and ours at random weights, on random sequences.

    keras, ours: the largest difference of what comes out to the formula's. rows: of a row's sum to 1. masked: of what
    comes out with other numbers at a position that is masked. permuted: of what comes out for another order of the
    positions to the same order of what came out. deviation: the largest.
    """
    import keras

    from lecturebench.models.attention import SelfAttention

    d = SIZE // heads
    X = rng.normal(size=(SEQUENCES, POSITIONS, SIZE)).astype(np.float32)
    inputs = keras.Input((POSITIONS, SIZE))
    theirs, ours = keras.layers.MultiHeadAttention(heads, d), SelfAttention(heads, d)
    for layer in (theirs(inputs, inputs), ours(inputs)):
        assert layer.shape == (None, POSITIONS, SIZE)
    theta = [
        rng.normal(size=shape).astype(np.float32) / np.sqrt(SIZE) for shape in (w.shape for w in ours.get_weights())
    ]
    ours.set_weights(theta)
    in_heads = [array.reshape(weight.shape) for array, weight in zip(theta, theirs.get_weights(), strict=True)]
    theirs.set_weights(in_heads)
    exact = [array.astype(float) for array in in_heads]
    formula = np.stack([multi_head(x, exact) for x in X.astype(float)])
    hidden = int(rng.integers(POSITIONS))
    seen = np.arange(POSITIONS) != hidden
    other = np.where(seen[None, :, None], X, X + 100)
    mask, order = np.broadcast_to(seen, (SEQUENCES, POSITIONS)), rng.permutation(POSITIONS)
    found = _numbers(ours(X))
    errors = {
        "keras": np.abs(_numbers(theirs(X, X)) - formula),
        "ours": np.abs(found - formula),
        "rows": np.abs(_numbers(ours.weighing(X)).sum(axis=-1) - 1),
        "masked": np.abs(_numbers(ours(X, seen=mask)) - _numbers(ours(other, seen=mask)))[:, seen],
        "permuted": np.abs(_numbers(ours(X[:, order])) - found[:, order]),
    }
    values = {name: float(error.max()) for name, error in errors.items()}
    return Measured({"deviation": max(values.values()), **values})


def cost_by_length(dataset: Any, rng: np.random.Generator, *, build: Any, vocabulary: int) -> Measured:
    """Seconds of a training step of ``build`` on reviews of 64 to 1,024 words, 16 at a time.

    The points have them by length, the least of three steps each. seconds: those of the longest.
    """
    import keras

    points = []
    for length in LENGTHS:
        model = build((length,), 2, vocabulary=vocabulary)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(1e-6), loss)
        x, y = rng.integers(2, vocabulary, (BATCH, length)).astype(np.float32), rng.integers(0, 2, BATCH)
        model.train_on_batch(x, y)  # compiled here
        seconds = []
        for _ in range(STEPS):
            begin = time.perf_counter()
            model.train_on_batch(x, y)
            seconds.append(time.perf_counter() - begin)
        points.append({"length": float(length), "seconds_a_step": min(seconds)})
    return Measured({"seconds": points[-1]["seconds_a_step"]}, tuple(points))


def attention_of_sentence(trained: Trained, dataset: Any, *, heads: int) -> Measured:
    """A probe of `lecturebench.models.words.transformer` with one block of ``heads``: where the slide's words look.

    looks: (heads, 11, 11), rows look at columns, both the sentence's words, which stand at the end of the review, with
    places without a word in front. elsewhere: the share that goes to these places, the mean over heads and words.
    """
    vectors, placed, query, query_bias, key, key_bias = (np.asarray(array, float) for array in trained.weights[:6])
    numbers = dataset.numbers
    if len(placed) < len(SLIDE):
        raise ValueError(f"the network reads {len(placed)} words, and the slide's sentence has {len(SLIDE)}")
    row = np.zeros(len(placed), int)
    row[-len(SLIDE) :] = [numbers.get(word, 1) for word in SLIDE]
    x = vectors[row] + placed  # (positions, size)
    queries, keys = (np.split(x @ W + b, heads, axis=1) for W, b in ((query, query_bias), (key, key_bias)))
    looks = np.stack([weights(Q, K)[-len(SLIDE) :] for Q, K in zip(queries, keys, strict=True)])
    among = looks[:, :, -len(SLIDE) :]
    return Measured({"elsewhere": float(1 - among.sum(axis=2).mean())}, arrays={"looks": among})


def _numbers(tensor: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor), dtype=float)
