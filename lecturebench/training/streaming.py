"""Training on examples that do not fit in memory: those of a few steps are read at a time."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

AT_ONCE = 2**28  # bytes of examples; the next are read while these are trained on, so twice as many are held


@functools.cache
def streaming(steps_class: Any) -> Any:
    """The ``Steps`` of a backend for examples that are read as they are needed; the same steps in the same order."""

    class Streaming:
        """Places no training set, but in turn what the next few steps need of it. All else is the backend's own.

        It holds the backend's steps and does not inherit from them: what those call of their own must stay theirs.
        """

        lanes = None  # for several seeds at once, which draw different examples

        def __init__(self, *arguments: Any) -> None:
            self._steps = steps_class(*arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._steps, name)

        def load(self, X: Any, y: np.ndarray) -> None:
            """Remember a training set. X: (n, …) with ``shape``, ``dtype`` and ``X[rows]``; y: (n,)."""
            self.examples, self.labels = X, y

        def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
            """Compile the steps for these shapes, on examples of zeros."""
            steps, batch = batches.shape
            for size in {min(self._steps_at_once(batch), steps - i) for i in self._begins(batches)}:
                n, shape = size * batch, self.examples.shape[1:]
                self._steps.load(np.zeros((n, *shape), self.examples.dtype), np.zeros_like(self.labels, shape=n))
                self._steps.compile(_in_turn(size, batch), [mask[:size] for mask in masks])

        def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
            """One step for each row of ``batches``; the summed loss and error."""
            at_once = self._steps_at_once(batches.shape[1])
            loss = error = 0.0
            for begin, X, y in self._read(batches):
                part = slice(begin, begin + at_once)
                self._steps.load(X, y)
                part_loss, part_error = self._steps.train(
                    _in_turn(*batches[part].shape), [mask[part] for mask in masks]
                )
                loss, error = loss + part_loss, error + part_error
            return loss, error

        def _read(self, batches: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
            """The first step of each part with its examples, of which the next are read meanwhile."""
            at_once = self._steps_at_once(batches.shape[1])
            parts = [(begin, batches[begin : begin + at_once].ravel()) for begin in self._begins(batches)]
            with ThreadPoolExecutor(1, "examples") as reader:
                coming: Future[np.ndarray] = reader.submit(self.examples.__getitem__, parts[0][1])
                for (begin, rows), (_, following) in zip(parts, [*parts[1:], (0, None)], strict=True):
                    X = coming.result()
                    if following is not None:
                        coming = reader.submit(self.examples.__getitem__, following)
                    yield begin, X, self.labels[rows]

        def _begins(self, batches: np.ndarray) -> range:
            return range(0, len(batches), self._steps_at_once(batches.shape[1]))

        def _steps_at_once(self, batch: int) -> int:
            per_example = math.prod(self.examples.shape[1:]) * self.examples.dtype.itemsize
            return int(max(1, AT_ONCE // (batch * per_example)))

    return Streaming


def _in_turn(steps: int, batch: int) -> np.ndarray:
    """Batches (steps, batch) of the examples in the order in which they lie."""
    return np.arange(steps * batch, dtype=np.int32).reshape(steps, batch)
