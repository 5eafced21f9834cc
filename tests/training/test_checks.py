"""Networks whose numbers would be wrong without a word are refused before they are trained, by the layer's name.

Runs on the backend that KERAS_BACKEND names (TensorFlow by default); tox has an environment for each.
"""

from __future__ import annotations

import numpy as np
import pytest

from lecturebench import Training
from lecturebench.datasets import Dataset, Split, load
from lecturebench.models.dense import single_layer, softmax_regression
from lecturebench.training.checks import refuse_unbuildable
from lecturebench.training.fit import fit_network
from tests.training.cases import same

SGD = Training("sgd", 0.1, 40, 1)  # 40 divides what 200 examples leave for training: one shape to compile


@pytest.fixture(scope="module")
def digits(own_cache) -> Dataset:
    return load("digits")


def fit(backend, data, function, seed=0, training=SGD, **more):
    return fit_network(function, {}, training, data, seed=seed, steps_class=backend.Steps, train_size=200, **more)


def ending(make):
    """A builder of a network with one hidden layer that ends in what ``make(keras, x, outputs)`` gives."""

    def build(input_shape, outputs):
        import keras

        inputs = keras.Input(input_shape)
        hidden = keras.layers.Dense(6, activation="tanh")(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, make(keras, hidden, outputs))

    return build


def by_hand(z):
    import keras

    return keras.ops.exp(z) / keras.ops.sum(keras.ops.exp(z), axis=-1, keepdims=True)


def nested(keras, x, n):
    return keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(n, activation="softmax", name="last")])(x)


PROBABILITIES = {
    "by name": lambda keras, x, n: keras.layers.Dense(n, activation="softmax", name="last")(x),
    "sigmoid": lambda keras, x, n: keras.layers.Dense(n, activation="sigmoid", name="last")(x),
    "by function": lambda keras, x, n: keras.layers.Dense(n, activation=keras.activations.softmax, name="last")(x),
    "by a function of ours": lambda keras, x, n: keras.layers.Dense(n, activation=by_hand, name="last")(x),
    "by an activation": lambda keras, x, n: keras.layers.Activation("softmax", name="last")(keras.layers.Dense(n)(x)),
    "by a layer": lambda keras, x, n: keras.layers.Softmax(name="last")(keras.layers.Dense(n)(x)),
    "reshaped": lambda keras, x, n: keras.layers.Reshape((n,))(
        keras.layers.Dense(n, activation="softmax", name="last")(x)
    ),
    "in a network inside": nested,
}


@pytest.mark.parametrize("how", PROBABILITIES)
def test_classifier_that_ends_in_probabilities_is_refused_by_its_last_layer(backend, digits, how):
    with pytest.raises(ValueError, match=r"its last layer 'last' .*: networks end in linear outputs") as caught:
        fit(backend, digits, ending(PROBABILITIES[how]))
    assert "\n" not in str(caught.value)


def test_probabilities_without_a_layer_of_their_own_are_refused_too(backend, digits):
    for make in (
        lambda keras, x, n: keras.ops.softmax(keras.layers.Dense(n)(x)),
        lambda keras, x, n: keras.layers.Lambda(by_hand, output_shape=(n,))(keras.layers.Dense(n)(x)),
    ):
        with pytest.raises(ValueError, match="networks end in linear outputs"):
            fit(backend, digits, ending(make))


@pytest.mark.parametrize(
    "make",
    [
        lambda keras, x, n: keras.layers.Dense(n)(x),
        lambda keras, x, n: keras.layers.Dense(n, use_bias=False, kernel_initializer="zeros")(x),
        lambda keras, x, n: 30 * keras.ops.tanh(keras.layers.Dense(n)(x) / 30),
        lambda keras, x, n: keras.layers.Dense(n)(keras.layers.Softmax()(x)),
    ],
)
def test_classifier_with_linear_outputs_is_trained(backend, digits, make):
    predictions = fit(backend, digits, ending(make)).predictions
    assert predictions.predicted.shape == (len(digits.test),)
    assert predictions.probabilities.shape == (len(digits.test), 10)


def test_regression_may_end_as_it_likes(backend):
    rng = np.random.default_rng(0)
    part = Split(rng.normal(size=(60, 3)), rng.random(60))
    data = Dataset(kind="table", task="regression", train=part, test=part, name="made", source="made up", digests={})
    sigmoid = ending(lambda keras, x, n: keras.layers.Dense(n, activation="sigmoid")(x))
    assert np.isfinite(fit(backend, data, sigmoid).metrics["test"]["mae"])


def with_layer(call):
    """A builder of a network with a layer of its own, whose call is ``call(layer, x)``."""

    def build(input_shape, outputs):
        import keras

        class Own(keras.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.draws_by = keras.random.SeedGenerator(5)

            def call(self, x, training=False):
                return call(self, x) if training else x

            def compute_output_shape(self, shape):
                return shape

        layers = (keras.layers.Flatten(), Own(name="mine"), keras.layers.Dense(outputs))
        return keras.Sequential([keras.Input(input_shape), *layers])

    return build


def by_numpy(layer, x):
    import keras

    return x + keras.ops.convert_to_tensor(np.random.normal(size=tuple(x.shape[1:])), "float32")


def by_kerass_own_state(layer, x):
    import keras

    return x + keras.random.normal(x.shape[1:])


def by_a_generator(layer, x):
    import keras

    return x + keras.random.normal(x.shape[1:], seed=layer.draws_by)


@pytest.mark.parametrize("call", [by_numpy, by_kerass_own_state])
def test_layer_whose_draws_no_seed_reaches_is_refused_by_name(backend, digits, call):
    with pytest.raises(ValueError, match="layer 'mine' draws random numbers that no seed of a run reaches"):
        fit(backend, digits, with_layer(call))


def test_layer_that_draws_by_a_seed_generator_follows_the_run(backend, digits):
    programs = {}
    build = with_layer(by_a_generator)
    first, other, again = (fit(backend, digits, build, seed=seed, programs=programs).predictions for seed in (1, 2, 1))
    assert same(first, again)
    assert same(first, fit(backend, digits, build, seed=1).predictions)
    assert not same(first, other)


def dropping(input_shape, outputs):
    import keras

    layers = keras.layers
    inside = keras.Sequential([keras.Input((8, 8, 1)), layers.RandomFlip(), layers.GaussianNoise(0.3)])
    return keras.Sequential(
        [keras.Input(input_shape), inside, layers.Flatten(), layers.Dropout(0.3), layers.Dense(outputs)]
    )


def recurrent(input_shape, outputs):
    import keras

    layers = keras.layers
    lstm = layers.Bidirectional(layers.LSTM(5, dropout=0.2, recurrent_dropout=0.2))
    return keras.Sequential(
        [keras.Input(input_shape), layers.Reshape((8, 8)), lstm, layers.BatchNormalization(), layers.Dense(outputs)]
    )


@pytest.mark.parametrize("function", [dropping, recurrent])
def test_fresh_program_gives_the_bytes_of_a_used_one(backend, digits, function):
    programs = {}
    used = [fit(backend, digits, function, seed=seed, programs=programs).predictions for seed in (1, 2, 1)]
    assert same(used[0], used[2])
    assert same(used[0], fit(backend, digits, function, seed=1).predictions)
    assert not same(used[0], used[1])


def test_networks_of_the_lecture_need_no_second_look(backend, digits):
    from lecturebench.training.checks import _all_layers, _foreign

    for model in (softmax_regression((8, 8, 1), 10), single_layer((8, 8, 1), 10, units=4, rate=0.5)):
        assert not any(map(_foreign, [model, *_all_layers(model)]))


def without_inputs(input_shape, outputs):
    import keras

    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(outputs)])


def too_many(input_shape, outputs):
    return softmax_regression(input_shape, outputs + 2)


def starting_anywhere(input_shape, outputs):
    import keras

    start = keras.initializers.Constant(np.random.normal(size=()))
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(outputs, "linear", kernel_initializer=start),
        ]
    )


def projecting(input_shape, outputs):
    import keras

    noise = np.random.default_rng().normal(size=(64,)).astype("float32")
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Dense(outputs)(keras.layers.Flatten()(inputs) + noise))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (without_inputs, "has no inputs yet: begin it with keras.Input"),
        (too_many, r"gives outputs of shape \(None, 12\); it must end in \(None, 10\)"),
        (starting_anywhere, "draws by NumPy while it builds"),
        (projecting, "draws by NumPy while it builds"),
    ],
)
def test_network_that_cannot_be_trained_by_the_run_is_refused_in_one_line(backend, function, why):
    with pytest.raises(ValueError, match=why):
        refuse_unbuildable(function, {}, (8, 8, 1), 10)


@pytest.mark.parametrize("function", [softmax_regression, dropping, recurrent])
def test_network_as_people_build_them_is_let_through(backend, function):
    refuse_unbuildable(function, {}, (8, 8, 1), 10)


def shared_and_penalised(input_shape, outputs):
    import keras

    inputs = keras.Input(input_shape)
    shared = keras.layers.Dense(8, activation="relu", activity_regularizer="l2", name="shared")
    hidden = shared(shared(keras.layers.Dense(8)(keras.layers.Flatten()(inputs))))
    return keras.Model(inputs, keras.layers.Dense(outputs)(hidden))


def penalised_once(input_shape, outputs):
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="relu", activity_regularizer="l2"),
            keras.layers.Dense(outputs),
        ]
    )


def test_penalty_of_a_layer_that_is_called_twice_is_refused_where_keras_counts_one_call():
    import keras

    refuse_unbuildable(penalised_once, {}, (8, 8, 1), 10)
    if keras.backend.backend() == "jax":
        with pytest.raises(ValueError, match="layer 'shared' has an activity_regularizer and is called 2 times"):
            refuse_unbuildable(shared_and_penalised, {}, (8, 8, 1), 10)
    else:
        refuse_unbuildable(shared_and_penalised, {}, (8, 8, 1), 10)
