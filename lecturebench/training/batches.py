"""Which examples are trained on, in which order, which of them together, and when validation data are looked at."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset, validation_split
from lecturebench.declare.training import Training
from lecturebench.declare.views import View
from lecturebench.metrics import DEFAULT
from lecturebench.training.program import Program

MASK_BYTES = 64 * 2**20  # masks drawn at once: as many steps as fit in this, so that wide layers do not fill memory


def training_examples(
    dataset: Dataset,
    train_size: int | None,
    share: float,
    rng: np.random.Generator,
    order: np.ndarray | None = None,
    view: View | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of train and validation: a subset of ``train_size`` if that is smaller, then ``share`` held out.

    order: each training example's place in the published order; the last of it are held out, rounded as by Keras'
    ``validation_split``. None draws them by ``rng``. view: what is seen of them; examples that it cannot show are left
    out of both.
    """
    n = len(dataset.train.y)
    subset = np.arange(n) if train_size is None or train_size >= n else np.sort(rng.permutation(n)[:train_size])
    if order is None:
        train, validation = validation_split(len(subset), share, rng)
    else:
        in_order = np.argsort(order[subset], kind="stable")
        kept = math.floor(len(subset) * (1.0 - share))
        train, validation = np.sort(in_order[:kept]), np.sort(in_order[kept:])
    parts = subset[train], subset[validation]
    return parts if view is None else (view.usable(dataset, parts[0]), view.usable(dataset, parts[1]))


class Epochs:
    """Passes over the training examples in an order drawn anew for each, in chunks of steps that fit in memory.

    looks: chunks between two looks at validation data, those of an epoch in order, each as (steps, batch).
    """

    def __init__(
        self, program: Program, train: np.ndarray, training: Training, rngs: dict[str, np.random.Generator]
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
        done, step = 0, (epoch - 1) * self.steps_per_epoch
        for chunks in self.drawn():
            loss = error = 0.0
            seen = 0
            for batches, *width in chunks:
                masks = [layer.draw(*batches.shape, self.rngs[layer.stream]) for layer in self.steps.random_layers]
                chunk_loss, chunk_error = self.steps.train(batches, masks, *width)
                loss, error, seen = loss + chunk_loss, error + chunk_error, seen + batches.size
                step += len(batches)
            done += seen
            yield {
                "epoch": epoch if done == len(self.train_indices) else epoch - 1 + done / len(self.train_indices),
                "step": step,
                "train_loss": loss / seen,
                f"train_{DEFAULT[self.steps.task]}": error / seen,
            }

    def drawn(self) -> Iterator[list[tuple[Any, ...]]]:
        """The chunks of one pass, look by look, each as (indices (steps, batch),)."""
        order = self.rngs["shuffling"].permutation(self.train_indices).astype(np.int32)
        first = 0
        for look in self.looks:
            chunks = []
            for steps, batch in look:
                chunks.append((order[first : first + steps * batch].reshape(steps, batch),))
                first += steps * batch
            yield chunks


class BucketedEpochs(Epochs):
    """Passes in batches of one width each, so that little of the work is done on what only fills up.

    widths: of every example of the dataset, see `lecturebench.datasets.words.Bucketed`. Which examples of a width come
    together, and which batch comes when, is drawn anew for each pass. The last batch of a width is smaller.
    """

    def __init__(
        self,
        program: Program,
        train: np.ndarray,
        training: Training,
        rngs: dict[str, np.random.Generator],
        widths: np.ndarray,
    ) -> None:
        self.steps, self.train_indices, self.rngs = program.steps, train, rngs
        self.batch_size, self.widths, self.n_looks = training.batch_size, widths, training.looks
        self.shapes = {(*batches.shape, width) for batches, width in self._batches(train)}
        self.steps_per_epoch = steps_per_epoch(train, training.batch_size, widths)

    def drawn(self) -> Iterator[list[tuple[Any, ...]]]:
        """The chunks of one pass, look by look, each as (indices (1, batch), width)."""
        batches = self._batches(self.rngs["shuffling"].permutation(self.train_indices))
        order = self.rngs["shuffling"].permutation(len(batches))
        for look in np.array_split(order, self.n_looks):
            if len(look):
                yield [batches[i] for i in look]

    def _batches(self, order: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """All of one pass, the narrow first; within a width in that order."""
        batches = []
        for width, members in in_widths(self.widths[order]):
            rows = order[members].astype(np.int32)
            batches += [(rows[None, i : i + self.batch_size], width) for i in range(0, len(rows), self.batch_size)]
        return batches


def steps_per_epoch(train: np.ndarray, batch_size: int, widths: np.ndarray | None = None) -> int:
    """How many batches one pass over these training examples has; each width has its own."""
    together = [len(train)] if widths is None else [len(members) for _, members in in_widths(widths[train])]
    return sum(math.ceil(n / batch_size) for n in together)


def in_widths(widths: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each width that there is, ascending, with the positions that have it."""
    return [(int(width), np.flatnonzero(widths == width)) for width in np.unique(widths)]
