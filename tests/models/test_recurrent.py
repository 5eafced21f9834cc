"""Recurrent layers against Keras' own, with the same weights."""

from __future__ import annotations

import numpy as np
import pytest

KINDS = ("SimpleRNN", "GRU", "LSTM")


def pair(kind: str, steps: int = 7, **arguments):
    """Keras' layer and ours in a model each, with equal weights, none of them 0."""
    import keras

    from lecturebench.models import recurrent

    models = []
    for room in (keras.layers, recurrent):
        inputs = keras.Input((steps, 3))
        models.append(keras.Model(inputs, getattr(room, kind)(4, **arguments)(inputs)))
    rng = np.random.default_rng(1)
    drawn = [rng.normal(size=weight.shape).astype(np.float32) for weight in models[0].get_weights()]
    for model in models:
        model.set_weights(drawn)
    return models


def values(n: int = 5, steps: int = 7) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(n, steps, 3)).astype(np.float32)


def numbers(tensor) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "arguments", [{}, {"return_sequences": True, "go_backwards": True, "use_bias": False}], ids=str
)
def test_outputs_are_those_of_keras(kind, arguments):
    theirs, ours = pair(kind, **arguments)
    expected = numbers(theirs(values(), training=True))
    np.testing.assert_allclose(numbers(ours(values(), training=True)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", KINDS)
def test_what_only_keras_own_loop_does_is_left_to_it(kind):
    """A mask, here; and dropout, whose seeds are the layer's."""
    import keras

    theirs, ours = pair(kind)
    mask = np.arange(7)[None, :] >= np.array([0, 2, 6, 3, 1])[:, None]
    expected = numbers(theirs.layers[1](keras.ops.convert_to_tensor(values()), mask=keras.ops.convert_to_tensor(mask)))
    masked = numbers(ours.layers[1](keras.ops.convert_to_tensor(values()), mask=keras.ops.convert_to_tensor(mask)))
    np.testing.assert_allclose(masked, expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(masked, numbers(ours(values())))
    dropped = numbers(pair(kind, dropout=0.5)[1](values(), training=True))
    assert not np.allclose(dropped, numbers(ours(values())))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_by_weights_and_inputs_are_those_of_keras(backend, kind):
    """Of a loss in which every step counts differently, by the backend's own differentiation."""
    import keras

    weighing = keras.ops.convert_to_tensor(np.random.default_rng(3).normal(size=(5, 7, 4)), dtype="float32")
    slopes = []
    for model in pair(kind, return_sequences=True):
        fixed = [keras.ops.convert_to_tensor(variable) for variable in model.non_trainable_variables]

        def loss(x, *weights, model=model, fixed=fixed):
            given = [keras.ops.cast(weight, "float32") for weight in weights]
            z, _ = model.stateless_call(given, fixed, keras.ops.cast(x, "float32"), training=True)
            return keras.ops.cast(keras.ops.sum(z * weighing), "float64")

        at = [values(), *(numbers(variable) for variable in model.trainable_variables)]
        slopes.append(backend.gradient(loss, [value.astype(float) for value in at]))
    for ours, theirs in zip(slopes[1], slopes[0], strict=True):
        assert np.abs(theirs).max() > 0
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", KINDS)
def test_first_weights_of_a_run_are_those_that_keras_layer_would_get(kind):
    import keras

    from lecturebench.models import recurrent
    from lecturebench.training.weights import Start

    drawn = []
    for room in (keras.layers, recurrent):
        start = Start(lambda room=room: keras.Sequential([keras.Input((7, 3)), getattr(room, kind)(4)]))
        variables = [*start.model.trainable_variables, *start.model.non_trainable_variables]
        fresh = [numbers(variable) for variable in variables]
        drawn.append(start.draw(fresh, np.random.default_rng(5), np.random.default_rng(6)))
    for ours, theirs in zip(drawn[1], drawn[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.ptp(drawn[1][0]) > 0


@pytest.mark.usefixtures("backend")
def test_a_bidirectional_pair_is_that_of_keras():
    import keras

    from lecturebench.models import recurrent

    models = []
    for room in (keras.layers, recurrent):
        inputs = keras.Input((7, 3))
        hidden = keras.layers.Bidirectional(room.LSTM(4, return_sequences=True))(inputs)
        models.append(keras.Model(inputs, keras.layers.Bidirectional(room.LSTM(4))(hidden)))
    models[1].set_weights(models[0].get_weights())
    np.testing.assert_allclose(numbers(models[1](values())), numbers(models[0](values())), rtol=1e-5, atol=1e-5)
