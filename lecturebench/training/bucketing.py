"""Training on rows of several widths: each is read in its own, so that little of the work is done on what fills up."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from lecturebench.datasets.words import Bucketed


@functools.cache
def bucketed(steps_class: Any) -> Any:
    """The ``Steps`` of a backend for `Bucketed` rows: the steps of a chunk are taken in batches of one width each."""

    class InWidths:
        """Places the rows of each width by themselves, and reads them there. All else is the backend's own.

        Within a chunk of steps the examples of a width come together in the order in which they were drawn, and these
        batches in the order of their first examples. The last batch of a width is smaller. A step that comes alone, the
        last and smaller batch of a pass, is read in full length.
        """

        lanes = None  # for several seeds at once, whose batches have other widths

        def __init__(self, model: Any, optimizer: Any, *more: Any) -> None:
            _refuse_schedule(optimizer)
            self._steps = steps_class(model, optimizer, *more)
            _trace_once(self._steps)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._steps, name)

        def load(self, X: Bucketed, y: np.ndarray) -> None:
            """Place a training set, all of it and the rows of each width. y: (n,)."""
            self.widths = X.widths
            self._at = np.zeros(len(y), np.int32)
            self._placed: dict[int, tuple[Any, Any]] = {}
            for width, members in in_widths(X.widths):
                self._steps.load(X.rows[members][:, -width:], y[members])
                self._placed[width] = self._steps.X, self._steps.y
                self._at[members] = np.arange(len(members))
            self._steps.load(X.rows, y)
            self._whole = self._steps.X, self._steps.y

        def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
            """Compile what takes these steps, for each width on a batch of its first row."""
            if len(batches) == 1:
                self._steps.compile(batches, masks)
                return
            for width in self._placed:
                self._read(width, self._steps.compile, np.zeros((1, batches.shape[1]), np.int32), _first(masks))

        def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
            """One pass over the examples of ``batches`` (steps, batch); the summed loss and error."""
            if len(batches) == 1:
                return self._steps.train(batches, masks)  # type: ignore[no-any-return]
            order, size = batches.ravel(), batches.shape[1]
            flat = [mask.reshape(-1, *mask.shape[2:]) for mask in masks]
            loss = error = 0.0
            for width, part in self._parts(order, size):
                own = [mask[part][None] for mask in flat]
                part_loss, part_error = self._read(width, self._steps.train, self._at[order[part]][None], own)
                loss, error = loss + part_loss, error + part_error
            return loss, error

        def outputs(self, X: Any) -> np.ndarray:
            """The network's linear outputs (n, outputs), of `Bucketed` rows each in its own width."""
            if not isinstance(X, Bucketed):
                return np.asarray(self._steps.outputs(X))
            parts = in_widths(X.widths)
            found = np.concatenate([self._steps.outputs(X.rows[members][:, -width:]) for width, members in parts])
            return np.asarray(found[np.argsort(np.concatenate([members for _, members in parts]))])

        def _parts(self, order: np.ndarray, size: int) -> list[tuple[int, np.ndarray]]:
            """Batches of one width as (width, positions in ``order``)."""
            parts = [
                (width, members[i : i + size])
                for width, members in in_widths(self.widths[order])
                for i in range(0, len(members), size)
            ]
            return sorted(parts, key=lambda part: int(part[1][0]))

        def _read(self, width: int, how: Any, *given: Any) -> Any:
            """Call it with the rows of that width in place of all."""
            self._steps.X, self._steps.y = self._placed[width]
            try:
                return how(*given)
            finally:
                self._steps.X, self._steps.y = self._whole

    return InWidths


def in_widths(widths: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each width that there is, ascending, with the positions that have it."""
    return [(int(width), np.flatnonzero(widths == width)) for width in np.unique(widths)]


def _first(masks: list[np.ndarray]) -> list[np.ndarray]:
    return [mask[:1] for mask in masks]


def _refuse_schedule(optimizer: Any) -> None:
    """ValueError for a rate that changes with the step: widths have more batches than a schedule was told."""
    import keras

    if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError("its rate follows a schedule of steps, and its view has a bucket: leave one of them out")


def _trace_once(steps: Any) -> None:
    """On TensorFlow, steps that are traced for batches of any size and rows of any width, and not for each."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        steps._train = tf.function(steps._steps, autograph=False, reduce_retracing=True)
