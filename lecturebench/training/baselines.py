"""One run of a classical method."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, resplit_by
from lecturebench.declare.methods import takes_seed
from lecturebench.declare.views import View
from lecturebench.metrics import Metric, Predictions, measure, of_task
from lecturebench.training.answers import numbers, probabilities
from lecturebench.training.batches import training_examples
from lecturebench.training.drawn import own_draws
from lecturebench.training.outcome import Fitted, streams

HELD_OUT = 0.2  # of the training examples, where a parameter is chosen; the share that networks usually have
DRY_RUN = 200  # examples, enough to go through everything that a fit imports
COMPARED = 1000  # test examples; other random numbers show in the finest answers to any of them
_imported: set[tuple[Any, ...]] = set()


def fit_baseline(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    dataset: Dataset,
    *,
    seed: int,
    deterministic: bool | None = None,
    train_size: int | None = None,
    resplit: bool = False,
    view: View | None = None,
    metrics: Mapping[str, Metric] | None = None,
    chooses: bool = False,
) -> Fitted:
    """Fit a baseline on the whole training split, or on ``train_size`` of it, and measure it on test.

    The function is given ``seed`` if it has such a parameter and is not declared deterministic; whatever else it draws
    is seeded by the run. Where that is unknown, or denied, and something was drawn in the first run, it is fitted a
    second time with other random numbers: it is random if it then predicts otherwise. RuntimeError if it was declared
    deterministic. resplit: train and test are drawn anew by the seed. metrics: those that are measured, by name; None
    for those of the task. What scikit-learn warns of ends in the notes.

    chooses: the run only helps to choose a parameter: a share of the training examples is held out, drawn by the seed,
    and measured as "validation", and nothing is fitted twice. ValueError if the share comes to no example.
    """
    fitted = Fitted()
    with fitted.timed("load"):
        rng = streams(seed)["split"]
        if resplit:
            dataset = resplit_by(dataset, seed)
        train, held_out = training_examples(dataset, train_size, HELD_OUT if chooses else 0.0, rng)
        if chooses and not len(held_out):
            raise ValueError(f"{len(train)} training examples are too few to hold out {HELD_OUT:.0%} of them")
        if view is not None:
            dataset = view.see(dataset, train)
        X, y = _examples(dataset, train)
        inputs = flat_inputs(dataset, dataset.test.X)
    asks = takes_seed(function) and "seed" not in parameters and deterministic is not True
    given = {**parameters, **({"seed": seed} if asks else {})}
    with fitted.timed("import"):
        _dry_run(function, given, X, y, inputs, seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with own_draws(seed) as draws:
            with fitted.timed("fit"):
                estimator = function(X, y, **given)
            # What it is given may be changed in place, by a scaler with copy=False say: each call gets a copy.
            given_inputs = inputs.copy()
            with fitted.timed("predict"):
                answers = estimator.predict(given_inputs)
            with fitted.timed("measure"):
                measured = {"test": (dataset.test.y, _predictions(estimator, answers, inputs, dataset))}
                if chooses:
                    looked_at = flat_inputs(dataset, dataset.train.X[held_out])
                    answers = estimator.predict(looked_at.copy())
                    predictions = _predictions(estimator, answers, looked_at, dataset)
                    measured["validation"] = (dataset.train.y[held_out], predictions)
    fitted.notes = sorted({str(warning.message).split("\n")[0].strip() for warning in caught})
    fitted.n_train, fitted.n_validation = len(train), len(held_out)
    fitted.parameters = sum(
        int(np.size(getattr(estimator, name))) for name in ("coef_", "intercept_") if hasattr(estimator, name)
    )
    iterations = getattr(estimator, "n_iter_", None)
    if iterations is not None:
        fitted.notes.append(f"stopped after {int(np.max(iterations))} iterations")
    fitted.random = deterministic is False or (deterministic is None and (asks or draws.any))
    if deterministic is not False and not asks and draws.any and seed == 0 and not chooses:
        with fitted.timed("check"):
            examples = _examples(dataset, train)
            fitted.random = _answers_otherwise(function, given, examples, inputs[:COMPARED], estimator, seed)
        if fitted.random and deterministic:
            raise RuntimeError(
                "it is declared deterministic, but predicts otherwise with other random numbers: leave deterministic "
                "out, or give its estimator a random_state"
            )
    _, fitted.predictions = measured["test"]
    parts = [part for _, of in measured.values() for part in (of.predicted, of.probabilities) if part is not None]
    if not all(np.isfinite(part).all() for part in parts):
        fitted.diverged = "its predictions are not finite"
        return fitted
    with fitted.timed("measure"):
        known = of_task(dataset.task) if metrics is None else metrics
        fitted.metrics = {split: measure(np.asarray(truth), of, known) for split, (truth, of) in measured.items()}
    return fitted


def _examples(dataset: Dataset, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """X (n, p) and y (n,) at these positions of the training split, in arrays of their own."""
    return flat_inputs(dataset, dataset.train.X[train]), np.array(dataset.train.y[train])


def flat_inputs(dataset: Dataset, X: np.ndarray) -> np.ndarray:
    """X as (n, p), in an array of its own: float32 pixels in [0, 1], float64 for a table as it is."""
    if dataset.kind == "table":
        return np.array(X)
    return np.asarray(X, dtype=np.float32).reshape(len(X), -1) / np.float32(dataset.scale)


def _dry_run(
    function: Callable[..., Any], given: Mapping[str, Any], X: np.ndarray, y: np.ndarray, inputs: np.ndarray, seed: int
) -> None:
    """Fit and predict a few examples, so that everything is imported before the timer; once in a worker.

    That so few examples cannot be fitted is no fault: the run itself will tell.
    """
    place = (getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function)), *sorted(given))
    if place in _imported:
        return
    _imported.add(place)
    _, first = np.unique(y, return_index=True)
    few = np.unique(np.concatenate([first[:DRY_RUN], np.arange(min(DRY_RUN, len(y)))]))
    quiet = (contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception), warnings.catch_warnings())
    with contextlib.ExitStack() as stack:
        for context in quiet:
            stack.enter_context(context)
        warnings.simplefilter("ignore")
        with own_draws(seed):
            estimator = function(X[few].copy(), y[few].copy(), **given)
            estimator.predict(inputs[:1].copy())
            if hasattr(estimator, "predict_proba"):
                estimator.predict_proba(inputs[:1].copy())
        import sklearn.metrics  # noqa: F401 - measuring needs it


def _predictions(estimator: Any, answers: Any, X: np.ndarray, dataset: Dataset) -> Predictions:
    """What the estimator's ``predict`` answered, and its probabilities where it has a ``predict_proba``.

    A class without training examples has a column of zeros. ValueError for answers that are no class of the dataset.
    """
    answers = numbers("what it predicts", answers, "iufb" if dataset.task == "classification" else "iuf", (len(X),))
    if dataset.task != "classification":
        return Predictions(answers.astype(float))
    n_classes = len(dataset.classes)
    if not np.isin(answers, np.arange(n_classes)).all():
        strange = answers[~np.isin(answers, np.arange(n_classes))][0].item()
        raise ValueError(f"it predicts {strange!r}; it must predict one of the classes 0 to {n_classes - 1}")
    predicted = answers.astype(np.int64)
    if not hasattr(estimator, "predict_proba"):
        return Predictions(predicted)
    known = np.asarray(estimator.classes_)
    if len(set(known.tolist())) != len(known) or not np.isin(known, np.arange(n_classes)).all():
        raise ValueError(f"its classes_ are {known.tolist()}; they must be different ones of 0 to {n_classes - 1}")
    columns = numbers("what predict_proba gives", estimator.predict_proba(X.copy()), "iuf", (len(X), len(known)))
    of_classes = np.zeros((len(X), n_classes))
    of_classes[:, known.astype(int)] = probabilities(columns)
    return Predictions(predicted, of_classes)


def _answers_otherwise(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    examples: tuple[np.ndarray, np.ndarray],
    inputs: np.ndarray,
    estimator: Any,
    seed: int,
) -> bool:
    """Whether the method, with other random numbers, predicts otherwise: by its finest answer, not its classes alone.

    Some estimators draw numbers that decide nothing, as coordinate descent in a fixed order does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with own_draws(seed, 1):
            other = function(*examples, **given)
            answers = _finest(other, inputs)
        with own_draws(seed, 2):
            first = _finest(estimator, inputs)
    return not np.array_equal(answers, first)


def _finest(estimator: Any, X: np.ndarray) -> np.ndarray:
    """The most telling of its answers to X, as one array; probabilities and decisions beside each other."""
    names = [name for name in ("predict", "decision_function", "predict_proba") if hasattr(estimator, name)]
    answers = [np.asarray(getattr(estimator, name)(X.copy()), dtype=float) for name in names]
    return np.column_stack([answer.reshape(len(X), -1) for answer in answers])
