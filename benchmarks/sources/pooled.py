"""What books and papers say of pooling beside the lecture's slides, each of a network on images."""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import stated

ISLP = Source(
    source="ISLP (2023), sec. 10.3.2",
    slide="Max Pooling",
    dataset="fashion_mnist",
    protocol={"words": stated('max pooling "provides some location invariance"', "ISLP, sec. 10.3.2")},
)
SCHERER = Source(
    source="Scherer, Müller and Behnke (2010), abstract",
    slide="Max Pooling",
    dataset="fashion_mnist",
    protocol={"words": stated("maximum pooling significantly outperforms subsampling operations", "its abstract")},
    deviations=(
        "Fashion-MNIST in place of NORB and Caltech-101, and a plain mean where theirs has two weights a map.",
    ),
)
SPRINGENBERG = Source(
    source="Springenberg et al. (2015), abstract",
    slide="Max Pooling",
    dataset="fashion_mnist",
    protocol={
        "words": stated(
            "max pooling can be replaced by a convolution with increased stride without loss in accuracy",
            "its abstract",
        )
    },
    deviations=("Fashion-MNIST and two convolutions in place of CIFAR-10 and seven or more.",),
)
