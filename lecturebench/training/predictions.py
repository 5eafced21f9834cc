"""From a network's outputs to predictions, what they are worth on the way, and what of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lecturebench.metrics import Metric, Predictions

PREDICTED_AT_ONCE = 2000


def quick_look(task: str, outputs: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Error and loss of a network's outputs (n, classes), or mae and loss (n, 1), as `lecturebench.metrics` has them;
    only that scikit-learn counts no probability as below 2.2e-16, and here they may be any.

    Taken many times in a run: scikit-learn looks its input over for longer than this takes.
    """
    if task == "classification":
        shifted = outputs.astype(float) - outputs.max(1, keepdims=True)
        chosen = shifted[np.arange(len(y)), y] - np.log(np.exp(shifted).sum(1))
        return {"error": float(np.mean(outputs.argmax(1) != y)), "loss": float(-chosen.mean())}
    residual = outputs[:, 0].astype(float) - y
    return {"mae": float(np.abs(residual).mean()), "loss": float((residual**2).mean())}


def predictions_of(task: str, outputs: np.ndarray) -> Predictions:
    """What a network's outputs (n, classes), or (n, 1), predict."""
    if task == "classification":
        return Predictions(outputs.argmax(1), softmax(outputs))
    return Predictions(outputs[:, 0].astype(float))


def kept(predictions: Predictions, probabilities: np.dtype[Any] | None) -> Mapping[str, np.ndarray]:
    """What a store saves: classes in the smallest type that has them; probabilities in that type, None for none."""
    predicted = predictions.predicted
    if predicted.dtype.kind in "iu":
        predicted = predicted.astype(np.min_scalar_type(int(predicted.max(initial=0))))
    arrays = {"predicted": predicted}
    if probabilities is not None and predictions.probabilities is not None:
        arrays["probabilities"] = predictions.probabilities.astype(probabilities)
    return arrays


def precision(metrics: Mapping[str, Metric], judged: set[str], first: bool) -> np.dtype[Any] | None:
    """How exactly a run's probabilities are kept: float32 where a number of these names needs them, float16 for the
    page, which shows those of a row's first run; None for the others."""
    if any(name in metrics and metrics[name].needs_probabilities for name in judged):
        return np.dtype(np.float32)
    return np.dtype(np.float16) if first else None


def softmax(z: np.ndarray) -> np.ndarray:
    """f_m = exp(Z_m) / sum_l exp(Z_l) of each row, slide "Softmax Output"; shifted by the row's largest Z."""
    shifted = np.exp(z.astype(float) - z.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))


def predict(steps: Any, X: np.ndarray) -> np.ndarray:
    """The network's linear outputs (n, outputs) for X as stored, a few thousand at once."""
    return np.concatenate([steps.outputs(X[i : i + PREDICTED_AT_ONCE]) for i in range(0, len(X), PREDICTED_AT_ONCE)])
