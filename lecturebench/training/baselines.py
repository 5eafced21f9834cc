"""One run of a classical method."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, resplit_by, standardized
from lecturebench.declare.views import View
from lecturebench.training.batches import training_examples
from lecturebench.training.outcome import Fitted, streams
from lecturebench.training.predictions import compact, measure


def fit_baseline(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    dataset: Dataset,
    *,
    seed: int | None,
    takes_seed: bool = True,
    train_size: int | None = None,
    resplit: bool = False,
    view: View | None = None,
) -> Fitted:
    """Fit a baseline on the whole training split, or on ``train_size`` of it, and measure it on test.

    seed is None for a deterministic method. takes_seed: whether the method is told it. resplit: train and test are
    drawn anew by the seed. What scikit-learn warns of ends in the notes.
    """
    fitted = Fitted()
    with fitted.timed("load"):
        rng = streams(seed or 0)["split"]
        if resplit:
            dataset = resplit_by(dataset, seed or 0)
        train, _ = training_examples(dataset, train_size, 0.0, rng)
        if view is not None:
            dataset = standardized(dataset, train if view.over == "train" else None)
        X, y = flat_inputs(dataset, dataset.train.X[train]), np.asarray(dataset.train.y[train])
    with fitted.timed("fit"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        told = {"seed": seed} if takes_seed and seed is not None else {}
        estimator = function(X, y, **parameters, **told)
    fitted.notes = sorted({str(warning.message).split("\n")[0].strip() for warning in caught})
    fitted.n_train = len(y)
    fitted.parameters = sum(
        int(np.size(getattr(estimator, name))) for name in ("coef_", "intercept_") if hasattr(estimator, name)
    )
    iterations = getattr(estimator, "n_iter_", None)
    if iterations is not None:
        fitted.notes.append(f"stopped after {int(np.max(iterations))} iterations")
    with fitted.timed("predict"):
        inputs = flat_inputs(dataset, dataset.test.X)
        if dataset.task == "classification":
            predictions = compact(_all_classes(estimator, inputs, len(dataset.classes)))
        else:
            predictions = np.asarray(estimator.predict(inputs), dtype=float)
    fitted.predictions = predictions
    fitted.metrics["test"] = measure(dataset.task, predictions, np.asarray(dataset.test.y))
    if not np.isfinite(predictions).all():
        fitted.diverged = "its predictions are not finite"
    return fitted


def flat_inputs(dataset: Dataset, X: np.ndarray) -> np.ndarray:
    """X as (n, p): float32 pixels in [0, 1], float64 for a table as it is."""
    if dataset.kind == "table":
        return np.asarray(X)
    return np.asarray(X, dtype=np.float32).reshape(len(X), -1) / np.float32(dataset.scale)


def _all_classes(estimator: Any, X: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities with a column for every class, also for those that no training example had."""
    probabilities = np.zeros((len(X), classes))
    probabilities[:, estimator.classes_] = estimator.predict_proba(X)
    return probabilities
