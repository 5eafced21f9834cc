"""From a network's outputs to predictions, and what they are worth."""

from __future__ import annotations

from typing import Any

import numpy as np

PREDICTED_AT_ONCE = 2000


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
    """The network's linear outputs (n, outputs) for X as stored, a few thousand at once."""
    return np.concatenate([steps.outputs(X[i : i + PREDICTED_AT_ONCE]) for i in range(0, len(X), PREDICTED_AT_ONCE)])
