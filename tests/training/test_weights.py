"""First weights: every variable that starts at random is drawn by the run, on every backend; closed forms of each draw.

Runs on the backend that KERAS_BACKEND names (TensorFlow by default); tox has an environment for each.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from lecturebench.models.convolutional import small_cnn
from lecturebench.models.dense import single_layer, softmax_regression, two_layer
from lecturebench.training.outcome import streams
from lecturebench.training.weights import Start, draw_weights, orthogonal, variance_scaling
from tests.training.keras_layers import ROW, WITHOUT, drawing, network, weighted

pytestmark = pytest.mark.usefixtures("backend")
NAMES = sorted(weighted())


def values(model):
    """As `Steps.weights` gives those of the model."""
    import keras

    variables = [*model.trainable_variables, *model.non_trainable_variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def started(build, seed):
    """First weights of a run with this seed, in a program of its own."""
    start, rngs = Start(build), streams(seed)
    return start.draw(values(start.model), rngs["weights"], rngs["dropout"])


@pytest.mark.parametrize("name", NAMES)
def test_building_a_network_asks_the_backend_for_no_random_number(name, monkeypatch):
    from keras.src import backend

    def refuse(*args, **kwargs):
        raise AssertionError("drawn by the backend, which JAX would compile for a second")

    for function in ("normal", "truncated_normal", "uniform", "randint"):
        monkeypatch.setattr(backend.random, function, refuse)
    Start(weighted()[name])


def digest(arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def all_digests():
    """Of the first weights of every network; also what the process of the other backend prints."""
    digests = {}
    for name, build in weighted().items():
        start = Start(build)
        kept = set(range(len(values(start.model)))) - start.seeds  # seeds have another type on each backend
        drawn = start.draw(values(start.model), streams(4)["weights"], streams(4)["dropout"])
        digests[name] = digest([drawn[i] for i in sorted(kept)])
    return digests


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_that_starts_at_random_follows_the_seed_and_no_other_does(name):
    build = weighted()[name]
    first, other = values(build()), values(build())
    random = {i for i, (a, b) in enumerate(zip(first, other, strict=True)) if not np.array_equal(a, b)}
    seed_1, again, seed_2 = started(build, 1), started(build, 1), started(build, 2)
    assert digest(seed_1) == digest(again)
    assert {i for i, (a, b) in enumerate(zip(seed_1, seed_2, strict=True)) if not np.array_equal(a, b)} == random
    assert [value.shape for value in seed_1] == [value.shape for value in first]
    for i in set(range(len(first))) - random:
        np.testing.assert_array_equal(seed_1[i], first[i])


def test_every_layer_of_keras_is_one_of_these_or_has_no_weights():
    import keras

    layers = {
        layer
        for layer in vars(keras.layers).values()
        if inspect.isclass(layer) and issubclass(layer, keras.layers.Layer)
    }
    known = {getattr(keras.layers, name.partition(",")[0], None) for name in (*WITHOUT.split(), *NAMES)}
    assert layers - known == set()


@pytest.mark.parametrize("name", sorted(drawing()))
def test_layers_that_draw_give_the_seeds_numbers_in_a_fresh_network_as_in_a_used_one(name):
    import keras

    build = drawing()[name]
    start = Start(build)
    inputs = np.random.default_rng(0).integers(0, 200, (16, *start.model.input_shape[1:])).astype(np.float32)
    fresh = values(start.model)

    def outputs(start, seed):
        variables = [*start.model.trainable_variables, *start.model.non_trainable_variables]
        rngs = streams(seed)
        drawn = start.draw(fresh, np.random.default_rng(0), rngs["dropout"])
        for variable, value in zip(variables, drawn, strict=True):
            variable.assign(value)
        if keras.config.backend() == "torch":
            from lecturebench.training.backends.torch import seed_by

            seed_by(drawn)
        return [np.array(keras.ops.convert_to_numpy(start.model(inputs, training=True))) for _ in range(2)]

    seed_1, seed_2 = outputs(start, 1), outputs(start, 2)
    assert digest(outputs(start, 1)) == digest(outputs(Start(build), 1)) == digest(seed_1)
    assert digest(seed_1) != digest(seed_2)
    assert not np.array_equal(*seed_1)


# As version 0.2 drew them, and as the records of this history were fitted.
GOLDEN = {
    "two_layer": "b7d84e27e665a219753d21425bc0dcc50e147f19bf54a3385feb368548eb89f1",
    "small_cnn": "6687e0d4a9217c80c0d51a9cd791672f96c0be42e79bbb594d92c14cba310548",
    "softmax_regression": "f5b6c0d3339e53c93e29cdb855be71d5fde3553ec62980a8d51eca84529c7a71",
    "single_layer": "d9efbb46d60c2e8b9b5d691327aa301ad78442cabd17a004a234e80d57196763",
    "he_normal": "8aafd3ed1e1e04e94742b4377498b81931c5b66dc4b75b3ed72d2c9c02be4b0c",
    "he_uniform": "42c9985385cdbb67791c58cb682d2e8792fe29fe3b1827e5ae78d31b70ba280c",
    "lecun_normal": "cfe52829468d8a79263b7a0d3194eaf9de3135481d07c02f009bc40b00256d4a",
    "glorot_normal": "4e913ac40806a8643877fe486c5dd3cc277d4c0f80d5872c3135eedc80631578",
}


def golden_networks():
    import keras

    def made(kind):
        layer = keras.layers
        return network(
            (12, 12, 3), lambda: layer.Conv2D(8, 3, kernel_initializer=kind), layer.BatchNormalization, layer.Flatten,
            lambda: layer.Dense(7, kernel_initializer=kind),
        )  # fmt: skip

    return {
        "two_layer": lambda: two_layer((28, 28, 1), 10, units=(256, 128), rates=(0.4, 0.3), penalty=1e-4),
        "small_cnn": lambda: small_cnn((28, 28, 1), 10, crop=2),
        "softmax_regression": lambda: softmax_regression((28, 28, 1), 10),
        "single_layer": lambda: single_layer((19,), 1, units=64, rate=0.1),
        **{kind: made(kind) for kind in ("he_normal", "he_uniform", "lecun_normal", "glorot_normal")},
    }


@pytest.mark.parametrize("name", GOLDEN)
def test_first_weights_of_the_lectures_networks_stay_byte_for_byte(name):
    build = golden_networks()[name]
    assert digest(started(build, 3)) == GOLDEN[name]
    model = build()
    assert digest(draw_weights(model, values(model), streams(3)["weights"])) == GOLDEN[name]


@pytest.mark.slow
def test_first_weights_are_the_same_on_another_backend():
    others = [name for name in ("tensorflow", "jax") if name != os.environ["KERAS_BACKEND"]]
    others = [name for name in others if importlib.util.find_spec(name)]
    if not others:
        pytest.skip("one backend is installed")
    code = "from tests.training.test_weights import all_digests as d; import json; print(json.dumps(d()))"
    environment = os.environ | {"KERAS_BACKEND": others[0]}
    root = Path(__file__).resolve().parents[2]
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(printed.splitlines()[-1]) == all_digests()


def numpy_initializer(shape, dtype=None):
    return np.random.normal(size=shape).astype(np.float32)


def keras_initializer(shape, dtype=None):
    import keras

    return 2.0 * keras.random.normal(shape, seed=7) + keras.random.uniform(shape)


def constant_initializer(shape, dtype=None):
    return np.arange(math.prod(shape), dtype=np.float32).reshape(shape)


def dense(initializer):
    import keras

    return network(ROW, lambda: keras.layers.Dense(3, name="last", kernel_initializer=initializer))


def test_initialisers_of_a_users_own_are_drawn_by_the_run_too():
    seed_1, seed_2 = (started(dense(keras_initializer), seed)[0] for seed in (1, 2))
    assert not np.array_equal(seed_1, seed_2)
    rng = streams(1)["weights"]
    expected = 2.0 * rng.normal(size=(6, 3)).astype(np.float32) + rng.uniform(size=(6, 3)).astype(np.float32)
    np.testing.assert_allclose(seed_1, expected, rtol=1e-6)
    constant = [started(dense(constant_initializer), seed)[0] for seed in (1, 2)]
    np.testing.assert_array_equal(*constant)


def test_subclass_of_an_initialiser_is_drawn_by_the_run():
    import keras

    class Twice(keras.initializers.GlorotUniform):
        def __call__(self, shape, dtype=None):
            return 2 * super().__call__(shape, dtype)

    plain, twice = (started(dense(initializer), 1)[0] for initializer in ("glorot_uniform", Twice()))
    np.testing.assert_allclose(twice, 2 * plain)


def gamma_initializer(shape, dtype=None):
    import keras

    return keras.random.gamma(shape, 1.0)


def test_weights_that_no_seed_reaches_are_refused_by_name():
    import keras

    with pytest.raises(ValueError, match=r"layer '.*last': its variable 'kernel' .*numpy_initializer draws without"):
        Start(dense(numpy_initializer))
    with pytest.raises(ValueError, match=r"keras.random.gamma"):
        Start(dense(gamma_initializer))

    class Own(keras.layers.Layer):
        def build(self, shape):
            self.w = keras.Variable(np.random.normal(size=shape[1:]).astype(np.float32), name="w")

        def call(self, x):
            return x * self.w

    with pytest.raises(ValueError, match=r"layer '.*mine': its variable 'w' starts at random and without an init"):
        Start(network(ROW, lambda: Own(name="mine")))

    def assigned():
        model = dense("zeros")()
        model.set_weights([np.random.normal(size=value.shape) for value in model.get_weights()])
        return model

    with pytest.raises(ValueError, match=r"last': its variable 'kernel' starts at random and without an initialiser"):
        Start(assigned)


def test_layer_made_before_the_network_is_refused():
    import keras

    shared = keras.layers.Dense(3, name="shared")
    shared.build((None, 6))
    with pytest.raises(ValueError, match=r"layer '.*shared': its variable 'kernel' was made before the network"):
        Start(network(ROW, lambda: shared))


def test_weights_that_the_builder_sets_are_left_alone():
    def build():
        model = dense("glorot_uniform")()
        model.set_weights([np.full((6, 3), 2.0), np.ones(3)])
        return model

    for seed in (1, 2):
        np.testing.assert_array_equal(started(build, seed)[0], np.full((6, 3), 2.0))


def test_weights_drawn_by_a_seed_of_their_own_and_then_set_by_the_builder_are_left_alone():
    import keras

    class Unit(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=shape[1:], initializer=keras.initializers.RandomNormal(seed=3), name="w")
            self.w.assign(self.w / keras.ops.norm(self.w))

        def call(self, x):
            return x * self.w

    first, second = (started(network(ROW, Unit), seed)[0] for seed in (1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.linalg.norm(first) == pytest.approx(1)


def test_keras_is_left_as_it_was():
    import keras

    before = [keras.Variable.__init__, keras.initializers.Orthogonal.__call__, keras.random.normal]
    own = [sorted(vars(each)) for each in (keras.Variable, keras.random.SeedGenerator, keras.initializers.GlorotNormal)]
    started(weighted()["LSTM"], 1)
    assert before == [keras.Variable.__init__, keras.initializers.Orthogonal.__call__, keras.random.normal]
    assert own == [
        sorted(vars(each)) for each in (keras.Variable, keras.random.SeedGenerator, keras.initializers.GlorotNormal)
    ]
    assert not np.array_equal(keras.random.normal((3,)), keras.random.normal((3,)))


@pytest.mark.parametrize("shape", [(40, 30), (30, 40), (3, 3, 4, 8)])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(shape):
    matrix = orthogonal(shape, 2.0, np.random.default_rng(0)).reshape(-1, shape[-1]).astype(float)
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_fans_of_named_axes_are_keras_own():
    import keras

    initializer = keras.initializers.VarianceScaling(
        1.0, "fan_in", "untruncated_normal", input_axes=(0,), output_axes=(1, 2)
    )
    shape = (400, 20, 30)
    build = network(
        (5, 400), lambda: keras.layers.EinsumDense("abc,cde->abde", (None, 20, 30), kernel_initializer=initializer)
    )
    [kernel] = started(build, 0)
    assert kernel.shape == shape
    assert kernel.var() == pytest.approx(1 / 400, rel=0.02)


@pytest.mark.parametrize("distribution", ["uniform", "untruncated_normal", "truncated_normal"])
@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 300), ("fan_out", 200), ("fan_avg", 250)])
def test_variance_is_scale_over_fan(distribution, mode, fan):
    weights = variance_scaling((300, 200), 2.0, mode, distribution, np.random.default_rng(0))
    assert weights.dtype == np.float32
    assert weights.var() == pytest.approx(2.0 / fan, rel=0.03)
    assert abs(weights.mean()) < 5 * math.sqrt(2.0 / fan / weights.size)


def test_fans_of_a_convolution_count_its_field():
    weights = variance_scaling((3, 3, 16, 32), 1.0, "fan_in", "untruncated_normal", np.random.default_rng(0))
    assert weights.var() == pytest.approx(1 / (9 * 16), rel=0.1)


def test_glorot_uniform_is_uniform_up_to_its_limit():
    weights = variance_scaling((784, 256), 1.0, "fan_avg", "uniform", np.random.default_rng(0))
    limit = math.sqrt(6 / (784 + 256))
    assert np.abs(weights).max() <= limit
    assert stats.kstest(weights.ravel()[:5000], stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-4


def test_truncated_normal_has_nothing_beyond_two_deviations():
    weights = variance_scaling((100, 100), 1.0, "fan_in", "truncated_normal", np.random.default_rng(0))
    assert np.abs(weights).max() <= 2 * math.sqrt(1 / 100) / 0.8796
