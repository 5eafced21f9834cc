"""Which epoch's weights are kept: the last, or the one with the least validation error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Last:
    """The weights of the last epoch, which are those that the steps have."""

    def look(self, epoch: int, error: float, steps: Any) -> None:
        """Nothing to remember."""

    def keep(self, steps: Any) -> str:
        """Nothing to put back, nothing to say."""
        return ""


class Best:
    """The weights of the first epoch whose validation error is the least."""

    def __init__(self) -> None:
        self.epoch, self.error = 0, float("inf")
        self.weights: list[np.ndarray] = []

    def look(self, epoch: int, error: float, steps: Any) -> None:
        """Called at the end of each epoch with its validation error."""
        if error < self.error:
            self.epoch, self.error, self.weights = epoch, error, steps.weights()

    def keep(self, steps: Any) -> str:
        """Put the best epoch's weights back; which it was, in words."""
        steps.set_weights(self.weights)
        return f"the weights of epoch {self.epoch} are kept: its validation error is the least"


RULES: dict[str, Callable[[], Last | Best]] = {"last": Last, "best": Best}
