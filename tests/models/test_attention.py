"""The encoder of a transformer: its formula, its weights and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest

P, POSITIONS, HEADS, SIZE = 6, 5, 2, 3


@pytest.fixture
def layer(backend):
    import keras

    from lecturebench.models.attention import SelfAttention

    made = SelfAttention(HEADS, SIZE)
    made.build((None, POSITIONS, P))
    rng = np.random.default_rng(1)
    made.set_weights([rng.normal(size=weight.shape).astype(np.float32) for weight in made.get_weights()])
    assert isinstance(made, keras.layers.Layer)
    return made


def values(n: int = 4) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(n, POSITIONS, P)).astype(np.float32)


def numbers(tensor) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor))


def by_head(layer) -> list[np.ndarray]:
    """Its weights in the shapes of Keras' MultiHeadAttention."""
    shapes = [(P, HEADS, SIZE), (HEADS, SIZE)] * 3 + [(HEADS, SIZE, P), (P,)]
    return [weight.reshape(shape) for weight, shape in zip(layer.get_weights(), shapes, strict=True)]


def by_formula(layer, X: np.ndarray, seen=None) -> tuple[np.ndarray, np.ndarray]:
    """softmax(Q K' / sqrt(d)) V of each head in float64, one after the other, and what comes out."""
    query, qb, key, kb, value, vb, kernel, bias = (w.astype(float) for w in by_head(layer))
    out, weights = np.zeros_like(X, dtype=float) + bias, []
    for h in range(HEADS):
        Q, K, V = (X @ W[:, h] + b[h] for W, b in ((query, qb), (key, kb), (value, vb)))
        scores = Q @ K.transpose(0, 2, 1) / np.sqrt(SIZE)
        if seen is not None:
            scores = np.where(seen[:, None, :], scores, -np.inf)
        raised = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights.append(raised / raised.sum(axis=2, keepdims=True))
        out += weights[-1] @ V @ kernel[h]
    return out, np.stack(weights, axis=1)


def test_it_is_the_papers_formula_head_by_head_and_each_row_of_attention_adds_up_to_one(layer):
    out, weights = by_formula(layer, values())
    np.testing.assert_allclose(numbers(layer(values())), out, rtol=1e-5, atol=1e-5)
    measured = numbers(layer.weighing(values()))
    np.testing.assert_allclose(measured, weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(measured.sum(axis=-1), 1, rtol=1e-6)


def test_it_is_keras_multi_head_attention_on_the_same_weights(layer):
    import keras

    theirs = keras.layers.MultiHeadAttention(HEADS, SIZE)
    theirs.build((None, POSITIONS, P), (None, POSITIONS, P))
    theirs.set_weights(by_head(layer))
    expected, scores = theirs(values(), values(), return_attention_scores=True)
    np.testing.assert_allclose(numbers(layer(values())), numbers(expected), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(numbers(layer.weighing(values())), numbers(scores), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("backend")
def test_a_runs_first_weights_are_those_that_keras_layer_would_get():
    import keras

    from lecturebench.models.attention import SelfAttention
    from lecturebench.training.weights import Start

    def ours():
        inputs = keras.Input((POSITIONS, P))
        return keras.Model(inputs, SelfAttention(HEADS, SIZE)(inputs))

    def theirs():
        inputs = keras.Input((POSITIONS, P))
        return keras.Model(inputs, keras.layers.MultiHeadAttention(HEADS, SIZE)(inputs, inputs))

    drawn = []
    for build in (ours, theirs):
        start = Start(build)
        fresh = [numbers(v) for v in [*start.model.trainable_variables, *start.model.non_trainable_variables]]
        drawn.append(start.draw(fresh, np.random.default_rng(5), np.random.default_rng(6)))
    for first, second in zip(drawn[0], drawn[1], strict=False):
        np.testing.assert_array_equal(first.ravel(), np.ravel(second))


def test_a_masked_position_has_exactly_no_influence(layer):
    seen = np.ones((4, POSITIONS), bool)
    seen[:, 3] = False
    other = values()
    other[:, 3] = 1e3
    kept = [0, 1, 2, 4]
    before, after = (numbers(layer(x, seen=seen))[:, kept] for x in (values(), other))
    np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(before, by_formula(layer, values(), seen)[0][:, kept], rtol=1e-5, atol=1e-5)
    assert not np.allclose(before, numbers(layer(values()))[:, kept]), "the mask was passed over"


def test_without_positions_another_order_of_the_inputs_is_the_same_order_of_the_outputs(layer):
    import keras

    from lecturebench.models.attention import Positions, encoder_block

    order = np.array([3, 0, 4, 1, 2])
    inputs = keras.Input((POSITIONS, P))
    plain = keras.Model(inputs, encoder_block(inputs, heads=HEADS, size=SIZE, units=8, rate=0.1))
    placed = keras.Model(inputs, plain(Positions()(inputs)))
    out = numbers(plain(values()))
    np.testing.assert_allclose(numbers(plain(values()[:, order])), out[:, order], rtol=1e-4, atol=1e-5)
    placed.layers[1].set_weights([np.random.default_rng(0).normal(size=(POSITIONS, P)).astype(np.float32)])
    assert not np.allclose(numbers(placed(values()[:, order])), numbers(placed(values()))[:, order], atol=1e-2)


def test_heads_and_sizes_below_one_are_refused():
    from lecturebench.models.attention import SelfAttention

    with pytest.raises(ValueError, match="heads is 0 and size 3; both must be above 0"):
        SelfAttention(0, 3)
