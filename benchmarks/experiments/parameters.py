"""How many parameters a network has, beside what is printed."""

from __future__ import annotations

from typing import Any

from lecturebench import Trained

PRINTED = 235_146  # of the network 784-256-128-10: ISLP, sec. 10.2


def count_parameters(trained: Trained, dataset: Any, *, printed: int = PRINTED) -> dict[str, float]:
    """A probe. count: how many numbers the trained network's arrays hold. off: how far that is from what is printed."""
    count = sum(array.size for array in trained.weights)
    return {"count": float(count), "off": float(abs(count - printed))}
