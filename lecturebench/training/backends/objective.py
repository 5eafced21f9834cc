"""What networks minimise, written once for all backends with ``keras.ops``."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def objective(task: str, y: Any, z: Any) -> tuple[Any, Any]:
    """Loss and summed error of a batch. y: (batch,); z: (batch, outputs), linear.

    classification: mean of -log f_y with f = softmax(z), slide "Cross-Entropy Loss", and the number of wrong ones.
    regression: mean of (y - z)^2, slide "Train Neural Networks" without its constant factor, and sum |y - z|.
    """
    if task == "classification":
        loss = ops.mean(keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True))
        wrong = ops.sum(
            ops.cast(ops.not_equal(ops.cast(ops.argmax(z, axis=1), "int32"), ops.cast(y, "int32")), "float32")
        )
        return loss, wrong
    residual = ops.cast(y, z.dtype) - z[:, 0]
    return ops.mean(ops.square(residual)), ops.sum(ops.abs(residual))


def random_layers(model: Any) -> list[Any]:
    """The layers that want random numbers for each training step, in the order of the model."""
    return [layer for layer in model.layers if getattr(layer, "draws", False)]
