"""Automatic differentiation by the backend that Keras runs on, which Keras' own interface leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def gradient(function: Callable[..., Any], values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradient of a scalar function, written with ``keras.ops``, at float64 arrays: one array for each."""
    import keras

    from lecturebench.training.backends import LOADERS

    return LOADERS[keras.config.backend()]().gradient(function, values)
