"""The lecture's own slides, which print formulas and statements and hardly ever a number or a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.sources.source import Source
from lecturebench import TimeToTargetClaim, stated


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
