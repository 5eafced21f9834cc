"""The activation functions g of a hidden layer and their derivatives g', in NumPy, as a table by name.

Backpropagation needs both: slide "Gradients and Backpropagation" multiplies by g'(z_ik). Names are those that Keras
knows, except that its name for the identity is "linear".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Activation:
    """An activation function g and its derivative g'; each takes a float array of any shape and returns one like it."""

    name: str
    function: Callable[[Floats], Floats]
    derivative: Callable[[Floats], Floats]


def identity(z: Floats) -> Floats:
    """z itself: g(z) = z. With it, "the model collapses to a linear model" (slide "Single Layer Neural Network")."""
    return np.array(z)


def identity_derivative(z: Floats) -> Floats:
    """Ones: g'(z) = 1."""
    return np.ones_like(z)


def sigmoid(z: Floats) -> Floats:
    """Values in [0, 1]: g(z) = e^z / (1 + e^z) = 1 / (1 + e^-z) (ISLP, eq. 10.4).

    The first form is taken for z < 0, the second otherwise: then exp overflows for no z, and small values keep their
    digits.
    """
    decay = np.exp(-np.abs(z))
    return np.asarray(np.where(np.asarray(z) < 0, decay, 1) / (1 + decay))


def sigmoid_derivative(z: Floats) -> Floats:
    """Values in [0, 1/4]: g'(z) = g(z) (1 - g(z)) = e^-|z| / (1 + e^-|z|)^2.

    The second form, since 1 - g(z) loses its digits where g(z) is near 1.
    """
    decay = np.exp(-np.abs(z))
    return np.asarray(decay / (1 + decay) ** 2)


def tanh(z: Floats) -> Floats:
    """Values in [-1, 1]: g(z) = (e^z - e^-z) / (e^z + e^-z) = 2 sigmoid(2z) - 1."""
    return np.asarray(np.tanh(z))


def tanh_derivative(z: Floats) -> Floats:
    """Values in [0, 1]: g'(z) = 1 - tanh(z)^2."""
    return np.asarray(1 - np.tanh(z) ** 2)


def relu(z: Floats) -> Floats:
    """The positive part: g(z) = (z)_+ = max(z, 0) (ISLP, eq. 10.5)."""
    return np.asarray(np.maximum(z, np.zeros_like(z)))


def relu_derivative(z: Floats) -> Floats:
    """1 where z > 0, else 0. At the kink z = 0 there is no derivative; 0 is what TensorFlow, JAX and PyTorch take."""
    return np.asarray(z > 0).astype(np.asarray(z).dtype)


def gelu(z: Floats) -> Floats:
    """The Gaussian error linear unit: g(z) = z Phi(z), Phi(z) = (1 + erf(z / sqrt(2))) / 2.

    Phi is the distribution function of the standard normal; this is the exact form, not the one that approximates erf
    by tanh. Source: Hendrycks and Gimpel, "Gaussian Error Linear Units" (arXiv:1606.08415), sec. 2.
    """
    return np.asarray(z * _normal_distribution(z))


def gelu_derivative(z: Floats) -> Floats:
    """g'(z) = Phi(z) + z phi(z), phi(z) = exp(-z^2 / 2) / sqrt(2 pi) (the product rule on z Phi(z))."""
    z = np.asarray(z)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi).astype(z.dtype)
    return np.asarray(_normal_distribution(z) + z * density)


def _normal_distribution(z: Floats) -> Floats:
    from scipy.special import ndtr  # NumPy has no erf

    return np.asarray(ndtr(z))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        activation.name: activation
        for activation in (
            Activation("identity", identity, identity_derivative),
            Activation("sigmoid", sigmoid, sigmoid_derivative),
            Activation("tanh", tanh, tanh_derivative),
            Activation("relu", relu, relu_derivative),
            Activation("gelu", gelu, gelu_derivative),
        )
    }
)
