"""From a network's outputs to predictions, and what they are worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

PREDICTED_AT_ONCE = 2000
PREDICTED_BYTES = 2**30


def measure(task: str, predictions: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Test metrics. classification: error (share wrong) and loss (mean -log f_y); regression: mae and loss (mse)."""
    if task == "classification":
        chosen = predictions[np.arange(len(y)), y].astype(float)
        loss = -np.log(np.maximum(chosen, np.finfo(np.float32).tiny)).mean()
        return {"error": float(np.mean(predictions.argmax(1) != y)), "loss": float(loss)}
    residual = predictions.astype(float) - y
    return {"mae": float(np.abs(residual).mean()), "loss": float((residual**2).mean())}


def compact(probabilities: np.ndarray) -> np.ndarray:
    """float16 where it keeps every arg-max, else float32: what the store saves."""
    small = probabilities.astype(np.float16)
    return small if np.array_equal(small.argmax(1), probabilities.argmax(1)) else probabilities.astype(np.float32)


def softmax(z: np.ndarray) -> np.ndarray:
    """f_m = exp(Z_m) / sum_l exp(Z_l) of each row, slide "Softmax Output"; shifted by the row's largest Z."""
    shifted = np.exp(z.astype(float) - z.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))


def predict(steps: Any, X: np.ndarray) -> np.ndarray:
    """The network's linear outputs (n, outputs) for X as stored, as many at once as fit in memory."""
    at_once = predicted_at_once(steps.model)
    return np.concatenate([steps.outputs(X[i : i + at_once]) for i in range(0, len(X), at_once)])


def predicted_at_once(model: Any) -> int:
    """Examples whose layers' outputs, all of them kept, take no more than ``PREDICTED_BYTES``; 2,000 at most.

    Attention counts with its scores besides, positions x positions for each head.
    """
    import keras

    per_example = 0
    for layer in model._flatten_layers():
        try:
            shapes = [each.shape for each in keras.tree.flatten(layer.output)]
        except (AttributeError, ValueError):  # inside another layer, or called several times: its own output is unknown
            continue
        numbers = sum(math.prod(size or 1 for size in shape[1:]) for shape in shapes)
        heads = getattr(layer, "num_heads", None) or getattr(layer, "num_query_heads", 0)
        positions = math.prod(size or 1 for size in shapes[0][1:-1])
        per_example += 4 * (numbers + heads * positions**2)
    return max(1, min(PREDICTED_AT_ONCE, PREDICTED_BYTES // max(per_example, 1)))
