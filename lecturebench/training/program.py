"""A network compiled for training, and kept for runs that differ in their seed alone."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, mirrored
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.training import Choice, Training
from lecturebench.training.weights import draw_weights


class Program:
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
    dataset: Dataset, steps_class: Callable[..., Any], programs: dict[str, Any],
) -> Program:  # fmt: skip
    what = (function.__module__, function.__qualname__, sorted(parameters.items()), sorted(dataset.digests.items()))
    rate = (training.learning_rate, training.schedule, training.schedule and steps_in_all)
    key = repr((what, training.optimizer, rate, sorted(training.options.items())))
    if key not in programs:
        programs.clear()  # one at a time: each holds a training set, in cycles that only the collector frees
        gc.collect()
        programs[key] = Program(function, parameters, training, steps_in_all, dataset, steps_class)
    return programs[key]  # type: ignore[no-any-return]
