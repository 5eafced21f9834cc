"""One run: draw the split, build, train, predict, measure. Silent, and the same for every backend.

The run's seed decides everything random through ``numpy.random.SeedSequence(seed).spawn``: split, weights, shuffling,
dropout, augmentation, in this order. Two methods with one seed see the same split and the same batches.
"""

from __future__ import annotations

import gc
import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, mirrored, resplit_by, standardized, validation_split
from lecturebench.declare.methods import Measured
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.training import Choice, Training
from lecturebench.training.weights import draw_weights

ERROR = {"classification": "error", "regression": "mae"}  # the metric that claims speak of
Observer = Callable[[int, int, float], None]
STREAMS = ("split", "weights", "shuffling", "dropout", "augmentation")
PREDICTED_AT_ONCE = 2000
MASK_BYTES = 64 * 2**20  # masks drawn at once: as many steps as fit in this, so that wide layers do not fill memory


@dataclass
class Fitted:
    """What a run leaves behind. predictions: (n_test, classes) probabilities or (n_test,) values."""

    predictions: np.ndarray | None = None
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    curve: list[dict[str, float]] = field(default_factory=list)
    parameters: int = 0
    n_train: int = 0
    n_validation: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    diverged: str = ""

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time spent inside to ``seconds[phase]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start


def streams(seed: int) -> dict[str, np.random.Generator]:
    """The run's independent generators by name."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.Generator(np.random.PCG64(child)) for name, child in zip(STREAMS, children, strict=True)}


def training_examples(dataset: Dataset, train_size: int | None, share: float, rng: np.random.Generator) -> Any:
    """Indices of train and validation: a subset of ``train_size`` if that is smaller, then ``share`` held out."""
    n = len(dataset.train.y)
    subset = np.arange(n) if train_size is None or train_size >= n else np.sort(rng.permutation(n)[:train_size])
    train, validation = validation_split(len(subset), share, rng)
    return subset[train], subset[validation]


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


def fit_baseline(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    dataset: Dataset,
    *,
    seed: int | None,
    takes_seed: bool = True,
    train_size: int | None = None,
    resplit: bool = False,
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
    probe: Callable[..., Mapping[str, float]] | None = None,
    observe: Observer = lambda epoch, epochs, loss: None,
    programs: dict[str, Any] | None = None,
) -> Fitted:
    """Train a network as ``training`` says and measure it on test.

    steps_class: the ``Steps`` of the backend that Keras runs on. observe(epoch, epochs, loss) is called after each
    epoch. programs: compiled programs of earlier runs in this process, reused where only the seed differs. resplit:
    train and test are drawn anew by the seed. probe: see `lecturebench.Network`.
    Weights at the end are those of the last epoch; validation data chooses nothing here.
    """
    fitted = Fitted()
    rngs = streams(seed)
    programs = {} if programs is None else programs
    with fitted.timed("load"):
        if resplit:
            dataset = resplit_by(dataset, seed)
        train, validation = training_examples(dataset, train_size, training.validation, rngs["split"])
        fitted.n_train, fitted.n_validation = len(train), len(validation)
        if training.standardize:
            dataset = standardized(dataset, train)
    steps_in_all = training.epochs * math.ceil(len(train) / training.batch_size)
    with fitted.timed("build"):
        program = _program(function, parameters, training, steps_in_all, dataset, steps_class, programs)
        program.restart(rngs["weights"])
        fitted.parameters = program.model.count_params()
    epochs = _Epochs(program, train, training, rngs)
    with fitted.timed("compile"):
        program.compile(epochs)
    start = time.perf_counter()
    for epoch in range(1, training.epochs + 1):
        for row in epochs.train(epoch):
            row |= _measured(program.steps, dataset, validation, "validation_")
            fitted.seconds["fit"] = time.perf_counter() - start
            fitted.curve.append(row | {"seconds": fitted.seconds["fit"]})
            if not all(map(math.isfinite, row.values())):
                fitted.diverged = f"the training loss is {row['train_loss']} in epoch {epoch} of {training.epochs}"
                return fitted
        observe(epoch, training.epochs, row["train_loss"])
    with fitted.timed("predict"):
        outputs = predict(program.steps, dataset.test.X)
        fitted.metrics["train"] = _measured(program.steps, dataset, train)
        if len(validation):
            fitted.metrics["validation"] = _measured(program.steps, dataset, validation)
    if probe is not None:
        trained = program.steps.weights()[: len(program.model.trainable_variables)]
        fitted.metrics["measured"] = dict(probe(trained, lambda X: predict(program.steps, X), dataset))
    predictions = compact(softmax(outputs)) if dataset.task == "classification" else outputs[:, 0].astype(float)
    fitted.predictions = predictions
    fitted.metrics["test"] = measure(dataset.task, predictions, np.asarray(dataset.test.y))
    return fitted


def softmax(z: np.ndarray) -> np.ndarray:
    """f_m = exp(Z_m) / sum_l exp(Z_l) of each row, slide "Softmax Output"; shifted by the row's largest Z."""
    shifted = np.exp(z.astype(float) - z.max(1, keepdims=True))
    return np.asarray(shifted / shifted.sum(1, keepdims=True))


def predict(steps: Any, X: np.ndarray) -> np.ndarray:
    """The network's linear outputs (n, outputs) for X as stored, a few thousand at once."""
    return np.concatenate([steps.outputs(X[i : i + PREDICTED_AT_ONCE]) for i in range(0, len(X), PREDICTED_AT_ONCE)])


def fit_experiment(
    function: Callable[..., Measured], parameters: Mapping[str, Any], dataset: Dataset, *, seed: int
) -> Fitted:
    """Do what an experiment does. Numbers that are not finite are left as they are: they are its result."""
    fitted = Fitted(n_train=len(dataset.train.y))
    with fitted.timed("fit"):
        measured = function(dataset, np.random.default_rng(seed), **parameters)
    fitted.metrics["measured"] = {name: float(value) for name, value in measured.values.items()}
    fitted.curve = [{name: float(value) for name, value in point.items()} for point in measured.curve]
    return fitted


def _measured(steps: Any, dataset: Dataset, examples: np.ndarray, prefix: str = "") -> dict[str, float]:
    """Loss and error of the network as it is on some training examples, nothing removed; {} for none."""
    if len(examples) == 0:
        return {}
    outputs = predict(steps, dataset.train.X[examples])
    y = np.asarray(dataset.train.y[examples])
    predictions = softmax(outputs) if dataset.task == "classification" else outputs[:, 0]
    return {f"{prefix}{name}": value for name, value in measure(dataset.task, predictions, y).items()}


class _Program:
    """A compiled network and what it needs to start afresh: reused by runs that differ in their seed alone."""

    def __init__(
        self, function: Callable[..., Any], parameters: Mapping[str, Any], training: Training, steps_in_all: int,
        dataset: Dataset, steps_class: Callable[..., Any],
    ) -> None:  # fmt: skip
        import keras

        outputs = len(dataset.classes) if dataset.task == "classification" else 1
        self.model = function(dataset.train.X.shape[1:], outputs, **parameters)
        if any(getattr(layer, "flip", False) for layer in self.model.layers):
            mirrored(dataset.name)
        assert not isinstance(training.learning_rate, Choice)
        rate = scheduled(training.learning_rate, training.schedule, steps_in_all)
        config = {"learning_rate": rate, **training.options}
        optimizer = keras.optimizers.get({"class_name": training.optimizer, "config": config})
        optimizer.build(self.model.trainable_variables)
        scale = 1.0 / dataset.scale
        self.steps = steps_class(self.model, optimizer, dataset.task, dataset.train.X, dataset.train.y, scale)
        self.fresh = self.steps.weights()
        self.compiled: set[tuple[int, ...]] = set()

    def restart(self, rng: np.random.Generator) -> None:
        """First weights drawn by ``rng``; the optimiser remembers nothing."""
        self.steps.set_weights(draw_weights(self.model, self.fresh, rng))

    def compile(self, epochs: _Epochs) -> None:
        """Compile the steps of an epoch for each shape that it has."""
        for steps, batch in epochs.shapes - self.compiled:
            rng = np.random.default_rng(0)
            masks = [layer.draw(steps, batch, rng) for layer in self.steps.random_layers]
            self.steps.compile(np.zeros((steps, batch), np.int32), masks)
            self.compiled.add((steps, batch))


def scheduled(rate: float, schedule: Schedule | None, steps_in_all: int) -> Any:
    """What a Keras optimiser takes for a learning rate: the number, or a schedule that looks each step's rate up."""
    if schedule is None:
        return rate
    import keras
    from keras import ops

    rates = (rate * schedule.rates(steps_in_all)).astype(np.float32)

    class Tabulated(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return ops.take(ops.convert_to_tensor(rates), ops.cast(step, "int32"))

    return Tabulated()


def _program(
    function: Callable[..., Any], parameters: Mapping[str, Any], training: Training, steps_in_all: int,
    dataset: Dataset, steps_class: Callable[..., Any], programs: dict[str, Any],
) -> _Program:  # fmt: skip
    what = (function.__module__, function.__qualname__, sorted(parameters.items()), sorted(dataset.digests.items()))
    rate = (training.learning_rate, training.schedule, training.schedule and steps_in_all)
    key = repr((what, training.optimizer, rate, sorted(training.options.items())))
    if key not in programs:
        programs.clear()  # one at a time: each holds a training set, in cycles that only the collector frees
        gc.collect()
        programs[key] = _Program(function, parameters, training, steps_in_all, dataset, steps_class)
    return programs[key]  # type: ignore[no-any-return]


class _Epochs:
    """Passes over the training examples in an order drawn anew for each, in chunks of steps that fit in memory.

    looks: chunks between two looks at validation data, those of an epoch in order.
    """

    def __init__(
        self, program: _Program, train: np.ndarray, training: Training, rngs: dict[str, np.random.Generator]
    ) -> None:
        self.steps, self.train_indices, self.rngs = program.steps, train, rngs
        batch_size = training.batch_size
        per_step = sum(batch_size * layer.bytes_per_example for layer in self.steps.random_layers)
        full, rest = divmod(len(train), batch_size)
        self.steps_per_epoch = full + (rest > 0)
        at_once = max(1, MASK_BYTES // max(per_step, 1))
        ends = [round(full * look / training.looks) for look in range(training.looks + 1)]
        self.looks = [
            [(min(at_once, end - first), batch_size) for first in range(begin, end, at_once)]
            for begin, end in itertools.pairwise(ends)
            if end > begin
        ]
        if rest:
            self.looks = [*self.looks[:-1], [*(self.looks[-1] if self.looks else []), (1, rest)]]
        self.shapes = {chunk for look in self.looks for chunk in look}

    def train(self, epoch: int) -> Iterator[dict[str, float]]:
        """One pass; at each look the mean loss and error of the batches since, dropout and penalty included."""
        order = self.rngs["shuffling"].permutation(self.train_indices).astype(np.int32)
        first, step = 0, (epoch - 1) * self.steps_per_epoch
        for chunks in self.looks:
            loss = error = 0.0
            begun = first
            for steps, batch in chunks:
                batches = order[first : first + steps * batch].reshape(steps, batch)
                masks = [layer.draw(steps, batch, self.rngs[layer.stream]) for layer in self.steps.random_layers]
                chunk_loss, chunk_error = self.steps.train(batches, masks)
                loss, error, first = loss + chunk_loss, error + chunk_error, first + steps * batch
                step += steps
            seen = first - begun
            yield {
                "epoch": epoch if first == len(order) else epoch - 1 + first / len(order),
                "step": step,
                "train_loss": loss / seen,
                f"train_{ERROR[self.steps.task]}": error / seen,
            }
