"""What a run leaves behind, and the random numbers that it starts from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from lecturebench.metrics import Predictions

STREAMS = ("split", "weights", "shuffling", "dropout", "augmentation")


@dataclass
class Fitted:
    """What a run leaves behind. predictions: of the test examples, at full precision. arrays: what was measured in
    arrays. random: whether other random numbers would have given another result. kernels: by name, what computed it.
    """

    predictions: Predictions | None = None
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    random: bool = False
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    curve: list[dict[str, float]] = field(default_factory=list)
    parameters: int = 0
    n_train: int = 0
    n_validation: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    kernels: dict[str, str] = field(default_factory=dict)
    diverged: str = ""

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time spent inside to ``seconds[phase]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start


def streams(seed: int) -> dict[str, np.random.Generator]:
    """The run's independent generators by name."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.Generator(np.random.PCG64(child)) for name, child in zip(STREAMS, children, strict=True)}
