"""First weights: the distributions that Keras' initialisers name, the numbers drawn by NumPy.

Keras draws with the backend's generator, so that one seed gives other weights on another backend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

TRUNCATED_AT_TWO = 0.87962566103423978  # standard deviation of a standard normal cut off at two


def draw_weights(model: Any, fresh: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """``fresh``, as ``Steps.weights`` gave it, with every randomly initialised weight of ``model`` drawn by ``rng``."""
    import keras

    variables = [*model.trainable_variables, *model.non_trainable_variables]
    position = {id(variable): i for i, variable in enumerate(variables)}
    values = list(fresh)
    for layer in _leaves(model):
        for variable in layer.variables:
            initializer: Any = getattr(layer, f"{variable.name}_initializer", None)
            if isinstance(initializer, keras.initializers.VarianceScaling):
                values[position[id(variable)]] = variance_scaling(
                    tuple(variable.shape), initializer.scale, initializer.mode, initializer.distribution, rng
                )
            elif hasattr(initializer, "seed"):
                config = initializer.get_config() | {"seed": int(rng.integers(2**31))}
                seeded = type(initializer).from_config(config)
                value = keras.ops.convert_to_numpy(seeded(tuple(variable.shape), dtype=variable.dtype))
                values[position[id(variable)]] = np.asarray(value)
    return values


def variance_scaling(
    shape: tuple[int, ...], scale: float, mode: str, distribution: str, rng: np.random.Generator
) -> np.ndarray:
    """Weights (…, inputs, outputs) with variance scale / fan: Glorot, He and LeCun are choices of scale and mode.

    mode: fan_in, fan_out or fan_avg. distribution: uniform, untruncated_normal or truncated_normal (cut at two
    standard deviations). Source: Glorot & Bengio 2010, eq. 16; He et al. 2015, sec. 2.2.
    """
    field = math.prod(shape[:-2])
    fan_in, fan_out = shape[-2] * field, shape[-1] * field
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    if distribution == "untruncated_normal":
        return rng.normal(0.0, math.sqrt(variance), shape).astype(np.float32)
    normal = rng.normal(size=shape)
    while (far := np.abs(normal) > 2).any():
        normal[far] = rng.normal(size=int(far.sum()))
    return (normal * math.sqrt(variance) / TRUNCATED_AT_TWO).astype(np.float32)


def _leaves(layer: Any) -> Iterator[Any]:
    inner = getattr(layer, "layers", None)
    if inner is None:
        yield layer
    else:
        for child in inner:
            yield from _leaves(child)
