"""Coates, Ng & Lee, "An analysis of single-layer networks in unsupervised feature learning" (AISTATS 2011), said once.

Only the abstract's number was read in the paper itself; the rest is quoted from secondary sources, and says so. Where
the paper gives a constant no number, ours is that of its authors' demonstration code, known from public copies.
"""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

PAPER = "Coates et al. (2011)"
QUOTED = "secondary sources, which quote the paper"
CODE = "the authors' demonstration code, in public copies"

CIFAR_10 = Source(
    source=f"{PAPER}, PMLR 15:215-223",
    slide="Deep Learning",
    dataset="cifar10",
    metric="accuracy",
    protocol={
        "data": assumed("50,000 train, 10,000 test", "CIFAR-10 as it is published"),
        "features": stated("k-means, triangle activation", QUOTED),
        "patches": stated("6 x 6 pixels, whitened, one at each pixel", QUOTED),
        "pooling": stated("sums over four quadrants", QUOTED),
        "classifier": stated("linear SVM", QUOTED),
        "penalty": assumed("C = 100 on the mean of the squared hinges", CODE),
        "k-means": assumed("400,000 patches, 50 rounds", CODE),
        "constants": assumed("10 added to a patch's variance (of 255^2), 0.1 in whitening, 0.01 per feature", CODE),
        "runs": assumed("one", "one number is printed and no spread"),
    },
)

# By number of centres, as printed.
PRINTED = {4000: "79.6%", 1600: "77.9%"}
FEATURES_4000 = {
    "number of features": stated("4,000", QUOTED),
    "number": stated("79.6%", f"{PAPER}, abstract"),
}
FEATURES_1600 = {
    "number of features": stated("1,600", QUOTED),
    "number": stated("77.9%", QUOTED),
}
STARTED = ("k-means starts from patches that the seed draws; the authors' demonstration code from random numbers.",)
