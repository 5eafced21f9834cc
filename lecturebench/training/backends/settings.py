"""Keras' own settings, which decide what a layer is: ours, whatever the caller's ``keras.json`` and environment say."""

from __future__ import annotations

from typing import Any

import keras

from lecturebench.declare.training import PRECISION

LAYOUT, EPSILON = "channels_last", 1e-7


def settle() -> None:
    """Set float type, image layout, epsilon and the type of layers. Before every network: one may have changed them."""
    keras.config.set_floatx(PRECISION)
    keras.config.set_image_data_format(LAYOUT)
    keras.config.set_epsilon(EPSILON)
    keras.config.set_dtype_policy(PRECISION)


def settings() -> dict[str, Any]:
    """What Keras says of its settings, for a record."""
    return {
        "keras.floatx": keras.config.floatx(),
        "keras.image_data_format": keras.config.image_data_format(),
        "keras.epsilon": str(keras.config.epsilon()),
        "keras.dtype_policy": keras.config.dtype_policy().name,
    }
