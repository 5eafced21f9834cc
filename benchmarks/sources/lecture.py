"""The lecture's own slides, which print formulas and statements and hardly ever a number or a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.sources.source import Source
from lecturebench import TimeToTargetClaim, stated

# Of slide "Example: MNIST Digits", with what the book adds to it.
DIGITS_NETWORK = {
    "network": stated("784-256-128-10, ReLU, softmax, 235,146 parameters", "ISLP, sec. 10.2"),
    "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"; ISLP, sec. 10.7'),
    "batch size": stated("128", "ISLP, sec. 10.7.2"),
    "validation": stated("the last 20% of train held out, 48,000 fitted", "ISLP, sec. 10.7.2; Keras' validation_split"),
}


def slide(title: str, dataset: str = "mnist", **prints: str) -> Source:
    """A slide as the source of claims. prints: what it prints, by protocol field; all of its claims share that."""
    source = f'slide "{title}"'
    return Source(
        source=source,
        slide=title,
        dataset=dataset,
        protocol={name: stated(value, source) for name, value in prints.items()},
    )


def race(slide: Source, faster: str, slower: str, target: str, protocol: Mapping[str, Any]) -> TimeToTargetClaim:
    """That ``faster`` needs fewer steps than ``slower`` to that validation error. No slide says so, or how many."""
    return TimeToTargetClaim(
        faster=faster, slower=slower, target=target, dataset=slide.dataset, source="this suite", slide=slide.slide,
        protocol=protocol,
    )  # fmt: skip
