"""Several seeds of a row in one program on JAX: a small network leaves a GPU idle, and eight take it as long as one.

The training steps of `jax.Steps` under ``vmap``: each run has a lane with weights, order and masks of its own. There
are always `LANES` lanes, whoever is in them, so that a run's numbers do not depend on what was fitted beside it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from types import FunctionType
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from lecturebench.datasets import Split
from lecturebench.training.backends import LANES

MOST_PARAMETERS = 1_000_000  # of a network that leaves a GPU idle
# Layers that are as quick for all lanes at once. Convolutions become grouped ones, whose gradients are slow
# (jax-ml/jax #13800).
QUICK = {"InputLayer", "Flatten", "Reshape", "Dense", "Activation", "Dropout"}
T = TypeVar("T")


def suits(model: Any) -> bool:
    """Whether a network gains by it: a small one of dense layers, with no code but Keras' and ours inside, since what
    that does beside computing (draws, settings, …) would be done for several runs in one process.
    """
    layers = model._flatten_layers(include_self=False)
    return model.count_params() <= MOST_PARAMETERS and all(
        type(layer).__name__ in QUICK and all(map(_known, [layer, *vars(layer).values()])) for layer in layers
    )


def _known(value: Any) -> bool:
    """Whether nobody else's code runs when this is called; of what cannot be called none does."""
    kind = value if isinstance(value, FunctionType | partial) else type(value)
    return not callable(value) or str(getattr(kind, "__module__", "")).startswith(("keras.", "lecturebench.models."))


class Lanes:
    """The training steps of up to `LANES` runs of one network. steps: those of a single one.

    Each run has a thread, but only one of them runs at a time, until it asks for steps or predictions.
    """

    def __init__(self, steps: Any) -> None:
        self.steps = steps
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._predict = jax.jit(jax.vmap(steps.outputs_of, in_axes=(0, 0, 0)))
        self._turn = threading.Condition()
        self._present: set[int] = set()
        self._asked: dict[int, tuple[str, tuple[Any, ...]]] = {}
        self._answers: dict[int, Any] = {}

    def fit(self, program: Any, train: Split, fits: Sequence[Callable[[Any], T]]) -> list[T | BaseException]:
        """What each of the functions gives, or raises; each is called with ``program`` in a lane of its own.

        train: the training set of all of them. ValueError for more functions than lanes.
        """
        if len(fits) > LANES:
            raise ValueError(f"{len(fits)} runs for {LANES} lanes")
        if program.placed is not train:
            program.placed = None
            self.steps.load(train.X, train.y)
            program.placed = train
        self.state = jax.tree.map(lambda value: jnp.stack([value] * LANES), self.steps.state)
        self._present = set(range(len(fits)))

        def fit(lane: int) -> T | BaseException:
            own = copy.copy(program)
            own.steps, own.compiled = Lane(self, lane), set()
            with self._turn:
                try:
                    return fits[lane](own)
                except BaseException as error:
                    return error
                finally:
                    self._present.discard(lane)
                    self._answer()

        with ThreadPoolExecutor(len(fits)) as threads:
            # NumPy's settings for errors, among others, are those of a context.
            begun = [threads.submit(copy_context().run, fit, lane) for lane in range(len(fits))]
            return [each.result() for each in begun]

    def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
        """Compile the steps of all lanes for these shapes of each."""
        self._run([(batches, *masks)] * LANES)

    def ask(self, lane: int, what: str, *inputs: Any) -> Any:
        """What a run asks for, by the name of a method here, once all runs have asked for something."""
        self._asked[lane] = what, inputs
        self._answer()
        self._turn.wait_for(lambda: lane in self._answers)
        answer = self._answers.pop(lane)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def weights(self, lane: int) -> list[np.ndarray]:
        """Of one lane, as those of the backend's steps."""
        return [np.array(value[lane]) for value in jax.tree.leaves(self.state)]

    def set_weights(self, lane: int, values: list[np.ndarray]) -> None:
        """Put back what ``weights`` gave."""
        leaves, structure = jax.tree.flatten(self.state)
        changed = [leaf.at[lane].set(value) for leaf, value in zip(leaves, values, strict=True)]
        self.state = jax.tree.unflatten(structure, changed)

    def _answer(self) -> None:
        """Answer all, once all that are still there have asked; what is asked alike is one call."""
        if not self._present or self._asked.keys() != self._present:
            return
        alike: dict[tuple[Any, ...], dict[int, tuple[Any, ...]]] = {}
        for lane, (what, inputs) in sorted(self._asked.items()):
            alike.setdefault((what, *(np.shape(each) for each in inputs)), {})[lane] = inputs
        self._asked = {}
        for (what, *_), asked in alike.items():
            try:
                answers = getattr(self, f"_{what}")(asked)
            except BaseException as error:
                answers = dict.fromkeys(asked, error)
            self._answers |= answers
        self._turn.notify_all()

    def _train(self, asked: Mapping[int, tuple[Any, ...]]) -> dict[int, tuple[float, float]]:
        first = next(iter(asked.values()))
        # A lane with nobody in it, or somebody who asks for something else, does another's steps in vain.
        each = [asked.get(lane, first) for lane in range(LANES)]
        self.state, (losses, errors) = self._run(each)(*self._inputs(each, asked.keys()))
        batch = first[0].shape[1]
        losses, errors = np.asarray(losses), np.asarray(errors)
        return {lane: (float(losses[lane]) * batch, float(errors[lane])) for lane in asked}

    def _outputs(self, asked: Mapping[int, tuple[Any, ...]]) -> dict[int, np.ndarray]:
        [first] = next(iter(asked.values()))
        X = np.stack([asked.get(lane, (first,))[0] for lane in range(LANES)])
        outputs = np.asarray(self._predict(self.state[0], self.state[1], X))
        return {lane: outputs[lane] for lane in asked}

    def _run(self, each: Sequence[tuple[Any, ...]]) -> Any:
        """The compiled steps for such inputs."""
        shape = len(self.steps.X), *each[0][0].shape
        if shape not in self._compiled:
            self._compiled[shape] = jax.jit(self._steps, donate_argnums=0).lower(*self._inputs(each)).compile()
        return self._compiled[shape]

    def _inputs(self, each: Sequence[tuple[Any, ...]], wanted: Any = range(LANES)) -> tuple[Any, ...]:
        """What `_steps` takes. each: of each lane, its batches and masks."""
        active = np.isin(np.arange(LANES), list(wanted))
        batches, *masks = zip(*each, strict=True)
        return self.state, self.steps.X, self.steps.y, active, batches, tuple(masks)

    def _steps(self, state: Any, X: Any, y: Any, active: Any, batches: Any, masks: Any) -> Any:
        run = jax.vmap(self.steps.steps_of, in_axes=(0, None, None, 0, 0))
        after, sums = run(state, X, y, jnp.stack(batches), tuple(map(jnp.stack, masks)))

        def kept(new: Any, old: Any) -> Any:
            return jnp.where(active.reshape(-1, *[1] * (new.ndim - 1)), new, old)

        return jax.tree.map(kept, after, state), sums


class Lane:
    """One run's training steps, with the methods of the backend's."""

    def __init__(self, lanes: Lanes, lane: int) -> None:
        steps = lanes.steps
        self.model, self.optimizer, self.task, self.scale = steps.model, steps.optimizer, steps.task, steps.scale
        self.random_layers = steps.random_layers
        self.kernels = {**steps.kernels, "steps": f"one of {LANES} lanes of a program, by vmap"}
        self.compile = lanes.compile
        self._lanes, self._lane = lanes, lane

    def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
        """One step for each row of ``batches``; the summed loss and error."""
        return self._lanes.ask(self._lane, "train", batches, *masks)  # type: ignore[no-any-return]

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """The network's linear outputs (n, outputs) for one batch of X as stored."""
        return self._lanes.ask(self._lane, "outputs", X)  # type: ignore[no-any-return]

    def weights(self) -> list[np.ndarray]:
        """All that training changes."""
        return self._lanes.weights(self._lane)

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Put back what ``weights`` gave."""
        self._lanes.set_weights(self._lane, values)
