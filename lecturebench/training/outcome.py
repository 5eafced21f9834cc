"""What a run leaves behind, and the random numbers that it starts from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lecturebench.datasets import Dataset
from lecturebench.declare.methods import Measured
from lecturebench.declare.views import View
from lecturebench.metrics import Predictions

STREAMS = ("split", "weights", "shuffling", "dropout", "augmentation")


@dataclass
class Fitted:
    """What a run leaves behind. predictions: of the test examples, at full precision. arrays: what was measured in
    arrays. random: whether other random numbers would have given another result. kernels: by name, what computed it.
    seen: digests, by name, of what its view made of the fitted examples: a vocabulary, means.
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
    seen: dict[str, str] = field(default_factory=dict)
    diverged: str = ""

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time spent inside to ``seconds[phase]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start

    def keep(self, measured: Measured) -> None:
        """Take over the named numbers and arrays. ValueError for an array that holds no numbers."""
        self.metrics["measured"] = {name: float(value) for name, value in measured.values.items()}
        self.arrays = {name: _array(name, array) for name, array in measured.arrays.items()}

    def keep_probed(self, probe: Callable[..., Measured | Mapping[str, float]], fitted: Any, dataset: Dataset) -> None:
        """Take over what a method's probe finds in what was fitted. ValueError for one that returns a curve."""
        found = probe(fitted, dataset)
        found = found if isinstance(found, Measured) else Measured(found)
        if found.curve:
            raise ValueError("its probe returns a curve; a network's curve is that of its training, so return arrays")
        self.keep(found)


def _array(name: str, array: Any) -> np.ndarray:
    """The array as it is stored. ValueError for what is no array of numbers."""
    numbers = np.asarray(array)
    if numbers.dtype.kind not in "fiub":
        raise ValueError(f"the measured array {name!r} holds {numbers.dtype}; it must hold numbers")
    return numbers


def as_seen(view: View | None, dataset: Dataset, fitted: Fitted, train: np.ndarray) -> Dataset:
    """The dataset as the view shows it to those who fit these examples; what it made of them is noted."""
    if view is None:
        return dataset
    seen = view.see(dataset, train)
    fitted.seen = {name: digest for name, digest in seen.digests.items() if dataset.digests.get(name) != digest}
    return seen


def streams(seed: int) -> dict[str, np.random.Generator]:
    """The run's independent generators by name."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.Generator(np.random.PCG64(child)) for name, child in zip(STREAMS, children, strict=True)}
