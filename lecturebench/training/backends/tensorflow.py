"""Training steps on TensorFlow: many steps as one graph, so that Python is left out of the loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lecturebench.training.backends.fused import fuse
from lecturebench.training.backends.objective import objective, random_layers


def prepare(threads: int, device: str) -> None:
    """Set threads, reproducible kernels and the device; once per process, before any tensor is made."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    for gpu in tf.config.get_visible_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def gpu_name() -> str | None:
    """The first GPU that TensorFlow sees, or None."""
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else None


def threads_used() -> int:
    """Threads of one operation, as TensorFlow has them (0 in its own terms is one per core)."""
    return tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1


def gradient(function: Callable[..., Any], values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradient of a scalar function at float64 arrays, one array for each."""
    point = [tf.constant(value, tf.float64) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(point)
        height = function(*point)
    return [np.asarray(slope) for slope in tape.gradient(height, point)]


class Steps:
    """Training steps of one model, on the training set that was loaded last."""

    def __init__(self, model: Any, optimizer: Any, task: str, scale: float) -> None:
        self.model, self.optimizer, self.task, self.scale = model, optimizer, task, scale
        self.random_layers = random_layers(model)
        self.kernels = {"update": fuse(optimizer) or f"Keras' {type(optimizer).__name__}"}
        # There is one replica, whose sum is itself. TensorFlow adds it up by an operation with a gradient of its own,
        # which stays registered for good and holds the whole graph of the steps: 6.5 MiB for each network.
        optimizer._all_reduce_sum_gradients = lambda pairs: pairs
        self._train = tf.function(self._steps, autograph=False)
        self._predict = tf.function(self._outputs, reduce_retracing=True)

    def load(self, X: np.ndarray, y: np.ndarray) -> None:
        """Place a training set. X: (n, …) as stored; values are multiplied by ``scale`` on the way in. y: (n,)."""
        self.X: Any = None  # freed before the next takes as much memory
        self.X, self.y = tf.constant(X), tf.constant(y)

    def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
        """One step for each row of ``batches`` (steps, batch), which indexes X. masks: (steps, batch, …) each.

        Returns the loss, penalties included, and the error, both summed over all examples seen.
        """
        loss, error = self._train(self.X, self.y, tf.constant(batches), tuple(map(tf.constant, masks)))
        return float(loss) * batches.shape[1], float(error)

    def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
        """Trace the steps for these shapes, so that the first epoch is as quick as the others."""
        self._train.get_concrete_function(self.X, self.y, tf.constant(batches), tuple(map(tf.constant, masks)))

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """The network's linear outputs (n, outputs) for one batch of X as stored."""
        return np.asarray(self._predict(tf.constant(X)))

    def weights(self) -> list[np.ndarray]:
        """All that training changes: trainable and other variables of the model, then the optimiser's."""
        return [variable.numpy() for variable in self._variables()]

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Put back what ``weights`` gave."""
        for variable, value in zip(self._variables(), values, strict=True):
            variable.assign(value)

    def _variables(self) -> list[Any]:
        return [*self.model.trainable_variables, *self.model.non_trainable_variables, *self.optimizer.variables]

    def _inputs(self, x: Any) -> Any:
        return tf.cast(x, tf.float32) * self.scale

    def _outputs(self, x: Any) -> Any:
        return self.model(self._inputs(x), training=False)

    def _steps(self, X: Any, y: Any, batches: Any, masks: Any) -> tuple[Any, Any]:
        def step(i: Any, loss: Any, error: Any) -> tuple[Any, Any, Any]:
            step_loss, step_error = self._step(X, y, batches[i], [mask[i] for mask in masks])
            return i + 1, loss + step_loss, error + step_error

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        _, loss, error = tf.while_loop(lambda i, *_: i < tf.shape(batches)[0], step, start, parallel_iterations=1)
        return loss, error

    def _step(self, X: Any, y: Any, batch: Any, masks: list[Any]) -> tuple[Any, Any]:
        for layer, mask in zip(self.random_layers, masks, strict=True):
            layer.mask = mask
        with tf.GradientTape() as tape:
            z = self.model(self._inputs(tf.gather(X, batch)), training=True)
            loss, error = objective(self.task, tf.gather(y, batch), z)
            loss = tf.add_n([loss, *self.model.losses])
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, error
