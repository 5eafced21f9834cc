"""One run of a network or an experiment: draw the split, build, train, predict, measure. The same for every backend.

The run's seed decides everything random through ``numpy.random.SeedSequence(seed).spawn``: split, weights, shuffling,
dropout, augmentation, in this order. Two methods with one seed see the same split and the same batches.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, published_order, resplit_by
from lecturebench.declare.methods import Measured, Trained
from lecturebench.declare.training import Training
from lecturebench.declare.views import View
from lecturebench.metrics import DEFAULT, Metric, measure, of_task
from lecturebench.training.batches import Epochs, training_examples
from lecturebench.training.outcome import Fitted, streams
from lecturebench.training.predictions import predict, predictions_of, quick_look
from lecturebench.training.program import program_for
from lecturebench.training.stopping import RULES

Observer = Callable[[int, int, float], None]
QUICK = ("error", "mae", "loss")  # of `quick_look`


def fit_network(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    training: Training,
    dataset: Dataset,
    *,
    seed: int,
    steps_class: Callable[..., Any],
    train_size: int | None = None,
    resplit: bool = False,
    view: View | None = None,
    probe: Callable[..., Measured | Mapping[str, float]] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    looked_at: Collection[str] = (),
    observe: Observer = lambda epoch, epochs, loss: None,
    programs: dict[str, Any] | None = None,
    identity: Any = None,
) -> Fitted:
    """Train a network as ``training`` says and measure it on test.

    steps_class: the ``Steps`` of the backend that Keras runs on. observe(epoch, epochs, loss) is called after each
    epoch. programs: compiled programs of earlier runs in this process, reused where seed and data alone differ.
    identity: what tells the source of ``function`` from any other, where the function itself is made anew for each run.
    resplit: train and test are drawn anew by the seed. probe: see `lecturebench.Network`. metrics: those that are
    measured, by name; None for those of the task. looked_at: names of those measured on validation data at every look,
    beside error and loss. Validation data chooses nothing but the epoch, where ``training.stopping`` says so.
    """
    fitted = Fitted(random=True)
    rngs = streams(seed)
    metrics = of_task(dataset.task) if metrics is None else metrics
    at_looks = {name: metrics[name] for name in looked_at if name in metrics and name not in QUICK}
    programs = {} if programs is None else programs
    with fitted.timed("load"):
        if resplit:
            dataset = resplit_by(dataset, seed)
        order = published_order(dataset) if training.held_out == "last" else None
        if training.held_out == "last" and training.validation and order is None:
            fitted.notes.append(f"{dataset.name}'s published order is not known: held out is drawn by the seed")
        train, validation = training_examples(dataset, train_size, training.validation, rngs["split"], order)
        fitted.n_train, fitted.n_validation = len(train), len(validation)
        if view is not None:
            dataset = view.see(dataset, train)
    steps_in_all = training.epochs * math.ceil(len(train) / training.batch_size)
    with fitted.timed("build"):
        program = program_for(function, parameters, training, steps_in_all, dataset, steps_class, programs, identity)
        program.restart(dataset, rngs)
        fitted.parameters = program.model.count_params()
        n_trainable = len(program.model.trainable_variables)
        first = program.steps.weights()[:n_trainable] if probe is not None else []
    epochs = Epochs(program, train, training, rngs)
    with fitted.timed("compile"):
        program.compile(epochs.shapes)
    fitted.kernels = dict(program.steps.kernels)
    stopping = RULES[training.stopping]()
    start = time.perf_counter()
    for epoch in range(1, training.epochs + 1):
        for row in epochs.train(epoch):
            row |= _measured(program.steps, dataset, validation, at_looks, "validation_")
            fitted.seconds["fit"] = time.perf_counter() - start
            fitted.curve.append(row | {"seconds": fitted.seconds["fit"]})
            if not all(map(math.isfinite, row.values())):
                fitted.diverged = f"the training loss is {row['train_loss']} in epoch {epoch} of {training.epochs}"
                return fitted
        stopping.look(epoch, row.get(f"validation_{DEFAULT[dataset.task]}", math.inf), program.steps)
        observe(epoch, training.epochs, row["train_loss"])
    if chosen := stopping.keep(program.steps):
        fitted.notes.append(chosen)
    with fitted.timed("predict"):
        outputs = predict(program.steps, dataset.test.X)
    if not np.isfinite(outputs).all():
        fitted.diverged = "its predictions are not finite"
        return fitted
    with fitted.timed("measure"):
        fitted.predictions = predictions_of(dataset.task, outputs)
        fitted.metrics["test"] = measure(np.asarray(dataset.test.y), fitted.predictions, metrics)
        fitted.metrics["train"] = _measured(program.steps, dataset, train, metrics)
        if len(validation):
            fitted.metrics["validation"] = _measured(program.steps, dataset, validation, metrics)
    if probe is not None:
        trained = program.steps.weights()[:n_trainable]
        found = probe(Trained(trained, first, lambda X: predict(program.steps, X)), dataset)
        found = found if isinstance(found, Measured) else Measured(found)
        if found.curve:
            raise ValueError("its probe returns a curve; a network's curve is that of its training, so return arrays")
        _keep(found, fitted)
    return fitted


def fit_experiment(
    function: Callable[..., Measured], parameters: Mapping[str, Any], dataset: Dataset, *, seed: int
) -> Fitted:
    """Do what an experiment does. Numbers that are not finite are left as they are: they are its result."""
    fitted = Fitted(n_train=len(dataset.train.y))
    with fitted.timed("fit"):
        measured = function(dataset, np.random.default_rng(seed), **parameters)
    fitted.curve = [{name: float(value) for name, value in point.items()} for point in measured.curve]
    _keep(measured, fitted)
    return fitted


def _keep(measured: Measured, fitted: Fitted) -> None:
    """Take over the named numbers and arrays."""
    fitted.metrics["measured"] = {name: float(value) for name, value in measured.values.items()}
    fitted.arrays = {name: _array(name, array) for name, array in measured.arrays.items()}


def _array(name: str, array: Any) -> np.ndarray:
    """The array as it is stored. ValueError for what is no array of numbers."""
    numbers = np.asarray(array)
    if numbers.dtype.kind not in "fiub":
        raise ValueError(f"the measured array {name!r} holds {numbers.dtype}; it must hold numbers")
    return numbers


def _measured(
    steps: Any, dataset: Dataset, examples: np.ndarray, metrics: Mapping[str, Metric], prefix: str = ""
) -> dict[str, float]:
    """Loss, error and these metrics of the network as it is on some training examples, nothing removed; {} for none."""
    if len(examples) == 0:
        return {}
    outputs = predict(steps, dataset.train.X, examples)
    y = np.asarray(dataset.train.y[examples])
    values = quick_look(dataset.task, outputs, y)
    if metrics:
        values |= measure(y, predictions_of(dataset.task, outputs), metrics)
    return {f"{prefix}{name}": value for name, value in values.items()}
