"""Training steps on JAX: many steps as one ``lax.scan``, compiled once per shape; convolutions on CPUs one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lecturebench.training.backends.objective import objective, random_layers
from lecturebench.training.backends.together import Lanes, suits


def prepare(threads: int, device: str) -> None:
    """Choose the device and 32 bits; threads are set by the environment that the worker starts with."""
    jax.config.update("jax_enable_x64", False)
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")


def gpu_name() -> str | None:
    """The first GPU that JAX sees, or None."""
    try:
        return str(jax.devices("gpu")[0].device_kind)
    except RuntimeError:
        return None


def threads_used() -> int:
    """Threads of one operation: what NPROC told XLA when it started."""
    return int(os.environ.get("NPROC", os.cpu_count() or 1))


def gradient(function: Callable[..., Any], values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradient of a scalar function at float64 arrays, one array for each."""
    with jax.enable_x64(True):
        point = [jnp.asarray(value, jnp.float64) for value in values]
        slopes = jax.grad(function, argnums=tuple(range(len(point))))(*point)
        return [np.asarray(slope) for slope in slopes]


class Steps:
    """Training steps of one model, on the training set that was loaded last; see the TensorFlow one for shapes."""

    def __init__(self, model: Any, optimizer: Any, task: str, scale: float) -> None:
        self.model, self.optimizer, self.task, self.scale = model, optimizer, task, scale
        self.random_layers = random_layers(model)
        self.kernels = {"update": f"Keras' {type(optimizer).__name__}, fused by XLA"}
        self.state = self._variables()
        self.one_by_one = False
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._predict = jax.jit(self.outputs_of)

    @cached_property
    def lanes(self) -> Lanes | None:
        """The same steps for several runs at once, where the network gains by it."""
        return Lanes(self) if suits(self.model) else None

    def load(self, X: np.ndarray, y: np.ndarray) -> None:
        """Place a training set."""
        self.X: Any = None  # freed before the next takes as much memory
        self.X, self.y = jnp.asarray(X), jnp.asarray(y)

    def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
        """One step for each row of ``batches``; the summed loss and error."""
        self.compile(batches, masks)
        losses, errors = [], []
        for part in self._parts(batches, masks):
            run = self._compiled[len(self.X), *part[0].shape]
            self.state, (loss, error) = run(self.state, self.X, self.y, *part)
            losses.append(loss)
            errors.append(error)
        return float(sum(losses)) * batches.shape[1], float(sum(errors))

    def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
        """Compile the steps for these shapes, so that the first epoch is as quick as the others."""
        part = next(self._parts(batches, masks))
        shape = (len(self.X), *part[0].shape)
        if shape in self._compiled:
            return
        lowered = jax.jit(self.steps_of, donate_argnums=0).lower(self.state, self.X, self.y, *part)
        if not self.one_by_one and jax.default_backend() == "cpu" and "stablehlo.convolution" in lowered.as_text():
            # In a loop XLA's CPU has no quick convolution: 515 ms for a step of 34,826 parameters that takes 93 alone.
            self.one_by_one = True
            self.kernels["convolution"] = "one step at a time"
            self.compile(batches, masks)
        else:
            self._compiled[shape] = lowered.compile()

    def _parts(
        self, batches: np.ndarray, masks: list[np.ndarray]
    ) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
        """Batches and masks of the steps that are one call."""
        size = 1 if self.one_by_one else len(batches)
        for i in range(0, len(batches), size):
            yield batches[i : i + size], tuple(mask[i : i + size] for mask in masks)

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """The network's linear outputs (n, outputs) for one batch of X as stored."""
        return np.asarray(self._predict(self.state[0], self.state[1], X))

    def weights(self) -> list[np.ndarray]:
        """All that training changes: trainable and other variables of the model, then the optimiser's."""
        return [np.array(value) for value in jax.tree.leaves(self.state)]

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Put back what ``weights`` gave."""
        self.state = jax.tree.unflatten(jax.tree.structure(self.state), [jnp.array(value) for value in values])

    def outputs_of(self, trainable: Any, fixed: Any, x: Any) -> Any:
        """The outputs for x as stored, as a function of the weights."""
        return self.model.stateless_call(trainable, fixed, self._inputs(x), training=False)[0]

    def steps_of(self, state: Any, X: Any, y: Any, batches: Any, masks: Any) -> Any:
        """What a state becomes by a step for each row of ``batches``, and the summed loss and error."""

        def step(state: Any, inputs: Any) -> Any:
            batch, step_masks = inputs
            return self._step(state, X[batch], y[batch], step_masks)

        if len(batches) == 1:  # no loop, see `compile`
            return step(state, jax.tree.map(lambda each: each[0], (batches, masks)))
        state, (losses, errors) = jax.lax.scan(step, state, (batches, masks))
        return state, (losses.sum(), errors.sum())

    def _variables(self) -> tuple[list[Any], list[Any], list[Any]]:
        groups = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        return tuple([jnp.array(variable.value) for variable in group] for group in groups)  # type: ignore[return-value]

    def _inputs(self, x: Any) -> Any:
        return x.astype(jnp.float32) * self.scale

    def _step(self, state: Any, x: Any, y: Any, masks: Any) -> Any:
        trainable, fixed, memory = state
        for layer, mask in zip(self.random_layers, masks, strict=True):
            layer.mask = mask
        loss_of = jax.value_and_grad(partial(self._loss, fixed=fixed, x=x, y=y), has_aux=True)
        (loss, (error, fixed)), gradient = loss_of(trainable)
        trainable, memory = self.optimizer.stateless_apply(memory, gradient, trainable)
        return (trainable, fixed, memory), (loss, error)

    def _loss(self, trainable: Any, fixed: Any, x: Any, y: Any) -> Any:
        z, fixed, penalties = self.model.stateless_call(
            trainable, fixed, self._inputs(x), training=True, return_losses=True
        )
        loss, error = objective(self.task, y, z)
        return sum(penalties, start=loss), (error, fixed)
