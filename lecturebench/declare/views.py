"""What a method sees of a dataset, beyond the examples as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Standardized:
    """Every feature less its mean, divided by its standard deviation (n in the denominator); a constant one becomes 0.

    over: "train" takes both over the examples that are fitted. "all" takes them over train and test together: what a
    test example looks like then reaches the model, so it is for published protocols that did so.
    """

    over: Literal["train", "all"] = "train"

    def __post_init__(self) -> None:
        if self.over not in ("train", "all"):
            raise ValueError(f"over is {self.over!r}; it must be 'train' or 'all'")


@dataclass(frozen=True)
class AsStored:
    """The columns of a table as they are, whatever their units; a table is standardised over train without it."""


View = Standardized | AsStored
