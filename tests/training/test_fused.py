"""The fused updates against Keras' own optimisers, which they stand in for."""

from __future__ import annotations

import os

import numpy as np
import pytest

from lecturebench.datasets import load
from lecturebench.declare.training import Training
from lecturebench.models.dense import two_layer
from lecturebench.training.fit import fit_network
from tests.training.cases import same

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow", reason="these kernels are TensorFlow's"
)


@pytest.fixture(autouse=True)
def prepared(backend):
    """TensorFlow is, before the first tensor is made."""


STEPS = 30
FUSED = {
    "ResourceApplyRMSProp": [("RMSprop", {}), ("RMSprop", {"rho": 0.5, "momentum": 0.8, "epsilon": 1e-3})],
    "ResourceApplyAdam": [("Adam", {}), ("Adam", {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3})],
    "ResourceApplyGradientDescent": [("SGD", {})],
    "ResourceApplyKerasMomentum": [("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True})],
}
# What Keras does around the update of a variable, and must go on doing.
AROUND = [{}, {"clipnorm": 0.1}, {"clipvalue": 0.01}, {"global_clipnorm": 0.1}, {"weight_decay": 0.05}]
AROUND += [{"gradient_accumulation_steps": 3}]
LEFT_TO_KERAS = [
    *[("RMSprop", {"centered": True}), ("Adam", {"amsgrad": True})],
    *[(name, {}) for name in ("Adagrad", "AdamW", "Nadam", "Lion", "Adadelta")],
]


def trained(name, options, fused, sparse=False):
    """Three variables after some steps along random gradients, the optimiser's count of steps, and the kernel's name.

    sparse: of the first gradient there are three rows, two of them of the same variable's row, as an embedding has it.
    """
    import keras
    import tensorflow as tf

    from lecturebench.training.backends.fused import fuse

    rng = np.random.default_rng(0)
    shapes = [(7, 5), (5,), (5, 3)]
    variables = [keras.Variable(rng.normal(size=shape), dtype="float32") for shape in shapes]
    variables[1].constraint = keras.constraints.NonNeg()

    class Falling(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.01 / (1 + keras.ops.cast(step, "float32"))

    optimizer = getattr(keras.optimizers, name)(learning_rate=Falling(), **options)
    optimizer.build(variables)
    kernel = fuse(optimizer) if fused else ""

    @tf.function(autograph=False)
    def step(*gradients):
        first, *others = gradients
        if sparse:
            rows = tf.IndexedSlices(first[:3], tf.constant([4, 1, 4]), (7, 5))
            first = rows if fused else tf.math.unsorted_segment_sum(first[:3], [4, 1, 4], 7)
        optimizer.apply([first, *others], variables)

    for _ in range(STEPS):
        step(*[tf.constant(rng.normal(size=shape), tf.float32) for shape in shapes])
    values = [np.asarray(variable.value) for variable in variables]
    return values, int(optimizer.iterations.numpy()), kernel


@pytest.mark.parametrize("around", AROUND, ids=str)
@pytest.mark.parametrize(
    ("kernel", "name", "options"),
    [(kernel, *each) for kernel, several in FUSED.items() for each in several],
    ids=str,
)
def test_fused_update_equals_keras_step_for_step_with_all_that_keras_does_around_it(kernel, name, options, around):
    values, steps, used = trained(name, options | around, fused=True)
    expected, steps_expected, _ = trained(name, options | around, fused=False)
    assert used == kernel
    assert steps == steps_expected
    for ours, keras_own in zip(values, expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "options"), LEFT_TO_KERAS, ids=str)
def test_optimisers_and_options_that_no_kernel_has_stay_keras_own(name, options):
    values, _, kernel = trained(name, options, fused=True)
    expected, _, _ = trained(name, options, fused=False)
    assert kernel == ""
    for ours, keras_own in zip(values, expected, strict=True):
        np.testing.assert_array_equal(ours, keras_own)


@pytest.mark.parametrize("name", ["RMSprop", "Adam", "SGD"])
def test_rows_of_an_embeddings_gradient_are_applied_as_the_whole_gradient_is(name):
    values, _, kernel = trained(name, {}, fused=True, sparse=True)
    expected, _, _ = trained(name, {}, fused=False, sparse=True)
    assert kernel
    for ours, keras_own in zip(values, expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", "sgd"])
def test_nothing_of_a_run_that_overflowed_reaches_the_next_one(backend, optimizer):
    digits = load("digits")
    sound = Training(optimizer, learning_rate=0.01, batch_size=64, epochs=1)
    programs: dict[str, object] = {}
    parameters = {"units": (16, 8)}

    def fit(training):
        return fit_network(
            two_layer, parameters, training, digits, seed=3, steps_class=backend.Steps, programs=programs
        )

    alone = fit(sound)
    steps = programs["program"][1].steps
    steps.set_weights([np.full_like(value, np.nan) if value.dtype.kind == "f" else value for value in steps.weights()])
    steps.train(np.arange(64, dtype=np.int32)[None], [])
    assert not np.isfinite(steps.weights()[0]).any()
    again = fit(sound)
    assert same(again.predictions, alone.predictions)


def test_a_run_says_which_kernel_updated_its_weights(backend):
    digits = load("digits")
    for optimizer, kernel in [("rmsprop", "ResourceApplyRMSProp"), ("adagrad", "Keras' Adagrad")]:
        training = Training(optimizer, learning_rate=0.01, batch_size=512, epochs=1)
        fitted = fit_network(
            two_layer, {"units": (4, 4)}, training, digits, seed=0, steps_class=backend.Steps, programs={}
        )
        assert fitted.kernels == {"update": kernel}


def test_nothing_of_a_network_stays_registered_in_tensorflow(backend):
    from tensorflow.python.framework import ops

    digits = load("digits")
    training = Training("rmsprop", learning_rate=0.01, batch_size=512, epochs=1)
    registered = []
    for units in (4, 5, 6):
        fit_network(two_layer, {"units": (units, 4)}, training, digits, seed=0, steps_class=backend.Steps, programs={})
        registered.append(len(ops.gradient_registry._registry))
    assert registered == registered[:1] * 3
