"""Which examples are trained on, in which order, and when validation data are looked at."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from lecturebench.datasets import Dataset, validation_split
from lecturebench.declare.training import Training
from lecturebench.metrics import DEFAULT
from lecturebench.training.program import Program

MASK_BYTES = 64 * 2**20  # masks drawn at once: as many steps as fit in this, so that wide layers do not fill memory


def training_examples(
    dataset: Dataset,
    train_size: int | None,
    share: float,
    rng: np.random.Generator,
    order: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of train and validation: a subset of ``train_size`` if that is smaller, then ``share`` held out.

    order: each training example's place in the published order; the last of it are held out, rounded as by Keras'
    ``validation_split``. None draws them by ``rng``.
    """
    n = len(dataset.train.y)
    subset = np.arange(n) if train_size is None or train_size >= n else np.sort(rng.permutation(n)[:train_size])
    if order is None:
        train, validation = validation_split(len(subset), share, rng)
    else:
        in_order = np.argsort(order[subset], kind="stable")
        kept = math.floor(len(subset) * (1.0 - share))
        train, validation = np.sort(in_order[:kept]), np.sort(in_order[kept:])
    return subset[train], subset[validation]


class Epochs:
    """Passes over the training examples in an order drawn anew for each, in chunks of steps that fit in memory.

    looks: chunks between two looks at validation data, those of an epoch in order.
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
                f"train_{DEFAULT[self.steps.task]}": error / seen,
            }
