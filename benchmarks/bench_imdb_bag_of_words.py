"""Bag of words: how far does one come on film reviews by looking at which words they have?

Slide "Word Embedding" begins with a review, "... this is one of the best films ... starts one fall day ...", before it
gives words vectors. Without them a review is a bag of words,

    x_ij = 1 if review i has word j, else 0,

and any classifier takes it. The book (ISLP, sec. 10.4) gives 10,000 words to a logistic regression with an L1 penalty
and to a network with two hidden layers of 16 units, and finds about 88% right with both, where each is at its best
along its path. Wang and Manning (2012) give all words, and all pairs of words, to naive Bayes, to a linear support
vector machine, and to one whose features naive Bayes has weighed,

    r_j = log((p_j / |p|_1) / (q_j / |q|_1)),    p = 1 + counts in good reviews, q = 1 + counts in bad ones.

Their best is right on 91.22%, in seconds and without a word vector.
"""

from baselines.words import lasso_logistic, naive_bayes, nbsvm, word_svm
from benchmarks.experiments.words import weighed_words
from benchmarks.figures.words import draw_weighed
from benchmarks.sources import islp, wang
from benchmarks.sources.source import TWO_OUTPUTS
from lecturebench import (
    Baseline,
    Benchmark,
    Choice,
    CleanedText,
    Drawing,
    Experiment,
    Network,
    Profile,
    Training,
    WordPresence,
)
from lecturebench.models.dense import two_layer

SEEDS = (1001, 1002)  # of choices; no judged run has them
TEXT, BAG = CleanedText(), WordPresence(10_000)
GRAMS = {1: "words", 2: "words and pairs"}
IN = {1: (), 2: ("lecture", "full")}  # the pairs of 25,000 reviews take a minute to count

# The labs hold 2,000 of the 25,000 out.
PATH = Training("rmsprop", 0.001, batch_size=512, epochs=20, validation=0.08, stopping="best")
LAST = Training("rmsprop", 0.001, batch_size=512, epochs=30, validation=0.08)

METHODS = (
    Baseline("lasso", "Logistic regression, L1", lasso_logistic, view=TEXT, words=10_000, penalties=50),
    Network("network", "Network 16-16, best epoch", two_layer, PATH, BAG, units=(16, 16)),
    Network("network_last", "Network 16-16, last epoch", two_layer, LAST, BAG, units=(16, 16)),
    *(
        Baseline(f"bayes_{n}", f"Naive Bayes, {grams}", naive_bayes, True, TEXT, profiles=IN[n], ngrams=n)
        for n, grams in GRAMS.items()
    ),
    *(
        Baseline(
            *(f"svm_{n}", f"Support vector machine, {grams}", word_svm),
            view=TEXT,
            profiles=IN[n],
            ngrams=n,
            C=Choice((0.003, 0.01, 0.03, 0.1, 0.3, 1), SEEDS, rule="least"),
        )
        for n, grams in GRAMS.items()
    ),
    *(
        Baseline(f"nbsvm_{n}", f"NBSVM, {grams}", nbsvm, view=TEXT, profiles=IN[n], ngrams=n)
        for n, grams in GRAMS.items()
    ),
    Experiment("weighed", "Which words weigh in NBSVM", weighed_words, "used", fit=nbsvm),
)

RIVALS = {"bayes": ("MNB", wang.SMOOTHING), "svm": ("SVM", wang.MACHINE), "nbsvm": ("NBSVM", wang.INTERPOLATED)}
ALL = wang.INTERPOLATED | wang.MACHINE
CLAIMS = (
    islp.SECTION_10_4.number("lasso", "88%", islp.BAG_LASSO),
    islp.SECTION_10_4.number("network", "88%", islp.BAG_BEST, TWO_OUTPUTS),
    islp.SECTION_10_4.number("network_last", "0.8550", islp.BAG_LAST, TWO_OUTPUTS),
    *(
        wang.TABLE_2.number(f"{name}_{n}", wang.PRINTED[printed, n], protocol)
        for name, (printed, protocol) in RIVALS.items()
        for n in GRAMS
    ),
    # An order is of what grows: of errors, the best method first.
    wang.TABLE_2.order("nbsvm_2", "svm_2", "bayes_2", metric="error", protocol=ALL, about="table"),
    *(wang.TABLE_2.order(f"{name}_2", f"{name}_1", metric="error", protocol=ALL, about="table") for name in RIVALS),
)

DRAWINGS = (
    Drawing(
        *("weighed", "Which words weighed", draw_weighed, ("weighed",)),
        caption="What a word adds to the answer of NBSVM on single words: its coefficient times the share of reviews "
        "that have it.",
        size=(5.6, 5.6),
    ),
)

BENCHMARK = Benchmark(
    title="Bag of words: film reviews by which words they have",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("imdb_reviews",),
    metric="accuracy",
    profiles={
        "smoke": Profile(seeds=1, epochs=1, train_size=500, grid=1, choice_seeds=1, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=1800),
        "full": Profile(seeds=20, time_limit=7200),
    },
)
