"""Training on rows of several widths: batches of rows as wide as each other, so that little of the work fills up."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from lecturebench.datasets.words import Bucketed

ANSWERED = 64  # rows


@functools.cache
def bucketed(steps_class: Any) -> Any:
    """The ``Steps`` of a backend for `Bucketed` rows: as many steps as asked for, each on rows of about one width."""

    class InWidths:
        """Takes the examples of a chunk of steps width by width. All else is the backend's own.

        Those of a width come together in the order in which they were drawn, as many as a batch has. What is left of a
        width is read in the next one, with more zeros in front; so every step has a whole batch, and there are as many
        as were asked for. A step comes when its first example was drawn. In prediction each row is read in its own
        width.
        """

        lanes = None  # for several seeds at once, whose batches have other widths

        def __init__(self, *arguments: Any) -> None:
            self._steps = steps_class(*arguments)
            self._programs: dict[int, dict[Any, Any]] = {}
            _trace_once(self._steps)
            for layer in self._steps.random_layers:
                if None in layer.output.shape[1:]:
                    raise ValueError(
                        f"layer {layer.name!r} draws a mask as long as a row, and rows in buckets differ in length: "
                        "put it behind what sums a row up, or leave bucket out"
                    )

        def __getattr__(self, name: str) -> Any:
            return getattr(self._steps, name)

        def load(self, X: Bucketed, y: np.ndarray) -> None:
            """Remember a training set. y: (n,)."""
            self.examples, self.labels = X, y

        def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
            """Compile a step on so many rows of each width."""
            size = batches.shape[1]
            for width in np.unique(self.examples.widths).tolist():
                self._place(width, np.zeros(size, np.intp))
                self._steps.compile(_in_turn(size), [mask[:1] for mask in masks])

        def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
            """One pass over the examples of ``batches`` (steps, batch); the summed loss and error."""
            order, size = batches.ravel(), batches.shape[1]
            flat = [mask.reshape(-1, *mask.shape[2:]) for mask in masks]
            loss = error = 0.0
            for width, part in in_batches(self.examples.widths[order], size):
                self._place(width, order[part])
                part_loss, part_error = self._steps.train(_in_turn(size), [mask[part][None] for mask in flat])
                loss, error = loss + part_loss, error + part_error
            return loss, error

        def outputs(self, X: Any) -> np.ndarray:
            """The network's linear outputs (n, outputs), of `Bucketed` rows each in its own width."""
            if not isinstance(X, Bucketed):
                return np.asarray(self._steps.outputs(X))
            members = [np.flatnonzero(X.widths == width) for width in np.unique(X.widths)]
            found = [self._answers(X.rows[own][:, -X.widths[own[0]] :]) for own in members]
            return np.asarray(np.concatenate(found)[np.argsort(np.concatenate(members))])

        def _answers(self, rows: np.ndarray) -> np.ndarray:
            """Of rows of one width; on JAX, which compiles for each number of rows, `ANSWERED` by `ANSWERED`."""
            if not _is_jax(self._steps):
                return np.asarray(self._steps.outputs(rows))
            pieces = []
            for begin in range(0, len(rows), ANSWERED):
                piece = rows[begin : begin + ANSWERED]
                filled = np.concatenate([piece, np.repeat(piece[:1], ANSWERED - len(piece), axis=0)])
                pieces.append(self._steps.outputs(filled)[: len(piece)])
            return np.concatenate(pieces)

        def _place(self, width: int, rows: np.ndarray) -> None:
            """Let the backend's steps see these rows alone, in that width."""
            if _is_jax(self._steps):  # it knows its programs by numbers of rows alone
                self._steps._compiled = self._programs.setdefault(width, {})
            self._steps.load(self.examples.rows[rows][:, -width:], self.labels[rows])

    return InWidths


def in_batches(widths: np.ndarray, size: int) -> list[tuple[int, np.ndarray]]:
    """Batches of ``size`` examples as (width, positions), in the order of their firsts.

    widths: (n,). From the narrowest on: what does not fill a batch goes on to the next width. ValueError unless whole
    batches are made of all.
    """
    if len(widths) % size:
        raise ValueError(f"{len(widths)} examples make no whole batches of {size}")
    batches: list[tuple[int, np.ndarray]] = []
    left = np.zeros(0, np.intp)
    for width in np.unique(widths).tolist():
        members = np.sort(np.concatenate([left, np.flatnonzero(widths == width)]))
        whole = len(members) // size * size
        batches += [(width, members[i : i + size]) for i in range(0, whole, size)]
        left = members[whole:]
    return sorted(batches, key=lambda batch: int(batch[1][0]))


def _is_jax(steps: Any) -> bool:
    """Whether they keep a program for each shape."""
    return hasattr(steps, "_compiled")


def _in_turn(size: int) -> np.ndarray:
    """One step on all of so many rows."""
    return np.arange(size, dtype=np.int32)[None]


def _trace_once(steps: Any) -> None:
    """On TensorFlow, steps that are traced for batches of any size and rows of any width, and not for each."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        steps._train = tf.function(steps._steps, autograph=False, reduce_retracing=True)
