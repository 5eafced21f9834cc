"""A network compiled for training, and kept for runs that differ in their seed alone."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, Split, mirrored
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.training import Choice, Training
from lecturebench.training.checks import PROBED, refuse_other_types, refuse_probabilities, refuse_unseeded
from lecturebench.training.weights import Start


class Program:
    """A compiled network and what it needs to start afresh: reused by runs that differ in seed and data alone."""

    def __init__(
        self, function: Callable[..., Any], parameters: Mapping[str, Any], training: Training, steps_in_all: int,
        dataset: Dataset, steps_class: Callable[..., Any],
    ) -> None:  # fmt: skip
        import keras

        outputs = len(dataset.classes) if dataset.task == "classification" else 1
        self.start = Start(lambda: function(dataset.train.X.shape[1:], outputs, **parameters))
        self.model = self.start.model
        refuse_other_types(self.model)
        if any(getattr(layer, "flip", False) for layer in self.model.layers):
            mirrored(dataset.name)
        assert not isinstance(training.learning_rate, Choice)
        rate = scheduled(training.learning_rate, training.schedule, steps_in_all)
        config = {"learning_rate": rate, **training.options}
        optimizer = keras.optimizers.get({"class_name": training.optimizer, "config": config})
        optimizer.build(self.model.trainable_variables)
        self.steps = steps_class(self.model, optimizer, dataset.task, 1.0 / dataset.scale)
        self.fresh = self.steps.weights()
        self.placed: Split | None = None
        self.compiled: set[tuple[int, ...]] = set()
        refuse_unseeded(self.model, self.steps, np.asarray(dataset.train.X[:PROBED]))
        if dataset.task == "classification":
            refuse_probabilities(self.model, self.steps, np.asarray(dataset.train.X[:PROBED]))

    def restart(self, dataset: Dataset, rngs: Mapping[str, np.random.Generator]) -> None:
        """Another training set; first weights drawn from the run's streams; the optimiser remembers nothing."""
        if self.placed is not dataset.train:
            self.placed = None  # should the memory not suffice for the next one
            self.steps.load(dataset.train.X, dataset.train.y)
            self.placed = dataset.train
        # A child of the stream, so that Keras' layers take no number from the masks that we draw.
        [layers] = rngs["dropout"].spawn(1)
        self.steps.set_weights(self.start.draw(self.fresh, rngs["weights"], layers))

    def compile(self, shapes: Iterable[tuple[int, int]]) -> None:
        """Compile the steps of an epoch for each shape that it has."""
        for steps, batch in set(shapes) - self.compiled:
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


def program_for(
    function: Callable[..., Any], parameters: Mapping[str, Any], training: Training, steps_in_all: int,
    dataset: Dataset, steps_class: Callable[..., Any], programs: dict[str, Any], identity: Any = None,
) -> Program:  # fmt: skip
    """The program that was kept, if it is of this network, training and shape of data; else a new one, which is kept.

    identity: what tells the network's source from any other; the function itself if None. A name is not enough: two
    closures have one name.
    """
    X, y = dataset.train.X, dataset.train.y
    data = (dataset.name, dataset.task, X.shape, str(X.dtype), str(y.dtype), tuple(dataset.classes), dataset.scale)
    schedule = (training.schedule, training.schedule and steps_in_all)
    rate = (training.optimizer, training.learning_rate, dict(training.options), *schedule)
    what = (function if identity is None else identity, dict(parameters), rate, data)
    kept = programs.get("program")
    if kept is None or not _equal(kept[0], what):
        programs.clear()  # one at a time: each holds a training set, in cycles that only the collector frees
        gc.collect()
        kept = programs["program"] = (what, Program(function, parameters, training, steps_in_all, dataset, steps_class))
    program: Program = kept[1]
    return program


def _equal(first: Any, second: Any) -> bool:
    """Whether two descriptions are the same, 1 and True and 1.0 told apart; what cannot be compared is not."""
    try:
        return bool(first == second) and repr(first) == repr(second)
    except ValueError:  # arrays among the parameters
        return False
