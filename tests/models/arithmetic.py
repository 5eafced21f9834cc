"""What tests of networks count and compute by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.signal import correlate


@contextmanager
def without_weights() -> Iterator[None]:
    """Networks that are built inside have layers, shapes and counts and no weights: JAX compiles nothing for them."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.backend.clear_session()  # else whoever leaves such a scope next would give them weights


def trained(model: Any) -> int:
    """How many parameters training changes by its gradient."""
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def multiply_adds(model: Any) -> int:
    """How often one image makes a network multiply a weight and add: a kernel's size times the places it is laid on."""
    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            shared = type(layer).__name__ in ("Conv2D", "PartialConvolution")
            total += int(np.prod(kernel.shape)) * (int(np.prod(layer.output.shape[1:3])) if shared else 1)
    return total


def convolved(images: np.ndarray, kernel: np.ndarray, padding: int = 0, stride: int = 1) -> np.ndarray:
    """Images (n, height, width, channels) with zeros around, and every ``stride``-th sum under the kernel (…, filters).

    Summed by SciPy in double precision.
    """
    around = ((padding, padding), (padding, padding), (0, 0))
    maps = [
        [
            correlate(np.pad(image, around), kernel[..., k], "valid")[::stride, ::stride, 0]
            for k in range(kernel.shape[3])
        ]
        for image in images.astype(float)
    ]
    return np.transpose(maps, (0, 2, 3, 1))


def blocks_of(maps: np.ndarray, size: int) -> np.ndarray:
    """Maps (n, height, width, k) as windows (n, height / size, width / size, size * size, k), what is left cut off."""
    n, height, width, k = maps.shape
    rows, columns = height // size, width // size
    cut = maps[:, : rows * size, : columns * size].reshape(n, rows, size, columns, size, k)
    return cut.transpose(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, size * size, k)


def values(tensor: Any) -> np.ndarray:
    """A tensor of any backend as an array."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor))


def randomised(model: Any, rng: np.random.Generator, scale: float = 0.3) -> dict[str, np.ndarray]:
    """The weights of a network by their path, all drawn anew, those that are variances between 0.5 and 1.5."""
    weights = {}
    for variable in model.variables:
        drawn = rng.normal(scale=scale, size=variable.shape).astype(np.float32)
        if variable.path.endswith("variance"):
            drawn = rng.uniform(0.5, 1.5, variable.shape).astype(np.float32)
        variable.assign(drawn)
        weights[variable.path] = drawn
    return weights
