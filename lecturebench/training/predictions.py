"""From a network's outputs to predictions, what they are worth on the way, and what of them is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lecturebench.metrics import Metric, Predictions

PREDICTED_AT_ONCE = 2000
PREDICTED_BYTES = 2**30


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


def predict(steps: Any, X: np.ndarray, examples: np.ndarray | None = None) -> np.ndarray:
    """The network's linear outputs (n, outputs) for X as stored, or for these examples of it, as many at once as fit in
    memory."""
    at_once = predicted_at_once(steps.model)
    n = len(X) if examples is None else len(examples)
    chosen = [slice(i, i + at_once) for i in range(0, n, at_once)]
    return np.concatenate([steps.outputs(X[c] if examples is None else X[examples[c]]) for c in chosen])


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
