"""Wang & Manning, "Baselines and bigrams: simple, good sentiment and topic classification" (ACL 2012), said once.

Its numbers on IMDB are those of Table 2, read as sidaw/nbsvm's README prints them again.
"""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

PAPER = "Wang & Manning (2012)"
README = "sidaw/nbsvm, README, which prints Table 2 again"

TABLE_2 = Source(
    source=f"{PAPER}, Table 2",
    slide="Word Embedding",
    dataset="imdb_reviews",
    metric="accuracy",
    protocol={
        "data": stated("25,000 train, 25,000 test", f"{PAPER}, Table 2"),
        "features": stated("which n-grams a review has, all of them, presence in place of counts", PAPER),
        "words": assumed(
            "letters, digits and apostrophes inside, small letters, no other punctuation, no line breaks",
            "the paper has a script of its own",
        ),
        "runs": assumed("one", "the table prints one number and no spread"),
    },
)

# By method and longest n-gram, as printed.
PRINTED = {
    ("MNB", 1): "83.55%",
    ("MNB", 2): "86.59%",
    ("SVM", 1): "86.95%",
    ("SVM", 2): "89.16%",
    ("NBSVM", 1): "88.29%",
    ("NBSVM", 2): "91.22%",
}
SMOOTHING = {"smoothing": stated("1", f"{PAPER}, sec. 2.1")}
MACHINE = {
    "loss": stated("L2-regularised squared hinge", PAPER),
    "C": assumed("chosen on a fifth of the training reviews", "cross-validation on a development set, by the paper"),
}
INTERPOLATED = SMOOTHING | {
    "loss": stated("L2-regularised squared hinge on r x", PAPER),
    "interpolation": stated("beta 0.25", PAPER),
    "C": assumed("1", "no source that was read prints it"),
}
