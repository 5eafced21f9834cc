"""The activations and their derivatives against Keras, central differences and their own symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from benchmarks.formulas.activations import ACTIVATIONS, Activation

KERAS_NAMES = {"identity": "linear"}
MODERATE = st.floats(-20, 20)
ANY_FINITE = st.floats(-1e6, 1e6)

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)


def keras_activation(name: str):
    import keras

    return keras.activations.get(KERAS_NAMES.get(name, name))


def test_table_holds_the_five_activations_under_their_own_names() -> None:
    assert list(ACTIVATIONS) == ["identity", "sigmoid", "tanh", "relu", "gelu"]
    assert [activation.name for activation in ACTIVATIONS.values()] == list(ACTIVATIONS)


@every_activation
def test_function_is_the_one_that_keras_has_under_that_name(activation: Activation, backend) -> None:
    z = np.linspace(-9, 9, 181, dtype=np.float32)
    values = np.asarray(keras_activation(activation.name)(z))
    np.testing.assert_allclose(activation.function(z.astype(float)), values, rtol=2e-5, atol=2e-6)


@every_activation
def test_derivative_is_the_one_of_automatic_differentiation(activation: Activation, backend) -> None:
    from keras import ops

    z = np.concatenate([np.linspace(-9, 9, 180), [-1e-9, 1e-9]])  # no z = 0, the kink of ReLU
    [slope] = backend.gradient(lambda at: ops.sum(keras_activation(activation.name)(at)), [z])
    # Keras rounds to float32 inside of some: sqrt(1/2) of GELU on TensorFlow, tanh on JAX.
    np.testing.assert_allclose(activation.derivative(z), slope, rtol=0, atol=1e-6)


@every_activation
@settings(max_examples=50, deadline=None)
@given(MODERATE)
def test_derivative_is_the_limit_of_central_differences(activation: Activation, z: float) -> None:
    h = np.finfo(float).eps ** (1 / 3) * max(1, abs(z))
    if activation.name == "relu" and abs(z) <= h:
        return  # the difference would reach across the kink
    ends = activation.function(np.array([z + h, z - h]))
    central = (ends[0] - ends[1]) / ((z + h) - (z - h))
    # Truncation h^2 |g'''| / 6, where no |g'''| here is above 2, and rounding eps |g| / h.
    assert activation.derivative(np.array(z)) == pytest.approx(central, rel=0, abs=h**2 + 4e-16 * (abs(z) + 1) / h)


@every_activation
@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, array_shapes(max_dims=3), elements=ANY_FINITE))
def test_arrays_keep_their_shape_and_stay_finite_however_large_z_is(activation: Activation, z) -> None:
    for values in (activation.function(z), activation.derivative(z)):
        assert values.shape == z.shape
        assert np.isfinite(values).all()


@every_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_keep_their_precision(activation: Activation, dtype) -> None:
    z = np.array([-1.5, 0.0, 2.0], dtype)
    assert activation.function(z).dtype == dtype
    assert activation.derivative(z).dtype == dtype


@every_activation
def test_input_is_neither_changed_nor_handed_out(activation: Activation) -> None:
    z = np.array([-1.0, 2.0])
    activation.function(z)[...] = 7
    activation.derivative(z)[...] = 7
    assert z.tolist() == [-1.0, 2.0]


@settings(max_examples=50, deadline=None)
@given(ANY_FINITE)
def test_sigmoid_of_z_and_of_minus_z_sum_to_one(z: float) -> None:
    sigmoid = ACTIVATIONS["sigmoid"].function
    assert sigmoid(np.array(z)) + sigmoid(np.array(-z)) == pytest.approx(1, rel=1e-15)


@settings(max_examples=50, deadline=None)
@given(MODERATE)
def test_tanh_is_the_sigmoid_stretched(z: float) -> None:
    stretched = 2 * ACTIVATIONS["sigmoid"].function(np.array(2 * z)) - 1
    assert ACTIVATIONS["tanh"].function(np.array(z)) == pytest.approx(stretched, abs=1e-15)


@settings(max_examples=50, deadline=None)
@given(MODERATE)
def test_gelu_less_its_mirror_image_is_z(z: float) -> None:
    gelu = ACTIVATIONS["gelu"].function
    assert gelu(np.array(z)) - gelu(np.array(-z)) == pytest.approx(z, rel=1e-14)


def test_sigmoid_keeps_its_digits_where_it_is_nearly_0_and_nearly_1() -> None:
    z = np.array([-40.0, 40.0])
    assert ACTIVATIONS["sigmoid"].function(z[:1]) == pytest.approx(np.exp(-40), rel=1e-13)
    assert ACTIVATIONS["sigmoid"].derivative(z) == pytest.approx(np.exp(-40), rel=1e-13)


def test_relu_has_the_derivative_0_at_its_kink_as_the_backends_have(backend) -> None:
    from keras import ops

    [slope] = backend.gradient(lambda at: ops.sum(ops.relu(at)), [np.zeros(1)])
    assert ACTIVATIONS["relu"].derivative(np.zeros(1)).tolist() == slope.tolist() == [0.0]


def test_gelu_takes_the_distribution_function_and_not_its_approximation_by_tanh() -> None:
    from scipy.stats import norm

    z = np.linspace(-5, 5, 41)
    np.testing.assert_allclose(ACTIVATIONS["gelu"].function(z), z * norm.cdf(z), rtol=1e-13)
    np.testing.assert_allclose(ACTIVATIONS["gelu"].derivative(z), norm.cdf(z) + z * norm.pdf(z), rtol=1e-13)
