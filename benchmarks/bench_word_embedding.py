"""Word embedding: do vectors of words beat counts of words, and what do they know?

Slide "Word Embedding" gives each word of a review, "... this is one of the best films ... starts one fall day ...", a
vector x_l, a row of a matrix E that is learned with the rest. The simplest network on top of it averages them,

    Z = b + B (1/L) sum_l E[x_l],

so that each word adds B E[x] to the answer: a linear model on counts of words, through a narrow door of m numbers a
word. Keras' example, after fastText (Joulin et al. 2016), is right on 88.13% of the reviews with m = 50. It stands
beside a linear model without the door, a support vector machine on which words a review has. How narrow may it be?

What such vectors know is what the answer needs: a map shows words of praise, of blame and of neither.
"""

from baselines.words import word_svm
from benchmarks.experiments.embedding import embedded_words
from benchmarks.figures.embedding import draw_map, draw_sentence
from benchmarks.sources import keras_examples as keras
from benchmarks.sources.lecture import slide
from benchmarks.sources.source import TWO_OUTPUTS
from lecturebench import (
    Baseline,
    Benchmark,
    Choice,
    CleanedText,
    Drawing,
    Network,
    Profile,
    Training,
    WordIndices,
    assumed,
)
from lecturebench.models.words import averaged_embedding
from lecturebench.report import stock as figures

WORDS = 19_998
SIZES = (1, 2, 8, 50)
PUBLISHED = Training("adam", 0.001, batch_size=32, epochs=5, validation=0.0)
VIEW = WordIndices(WORDS, length=400)

METHODS = (
    *(
        Network(
            *(f"average_{size}", f"Averaged embedding, {size} number{'s' * (size > 1)} a word"),
            averaged_embedding,
            PUBLISHED,
            VIEW,
            probe=embedded_words if size == max(SIZES) else None,
            vocabulary=WORDS,
            size=size,
        )
        for size in SIZES
    ),
    Baseline(
        *("svm", "Support vector machine on words", word_svm),
        view=CleanedText(),
        C=Choice((0.003, 0.01, 0.03, 0.1), (1001, 1002), rule="least"),
    ),
)

EMBEDDING = slide("Word Embedding", "imdb_reviews")
NARROW = {
    "network": assumed("the published example's, with another number of columns", "the slide gives none"),
    "narrow": assumed("one number a word against 50", "the slide names no size"),
}
COUNTS = {
    "rival": assumed("a linear support vector machine on which words a review has", "the slide compares nothing"),
    "C": assumed("chosen on a fifth of the training reviews", "no source prints any"),
}

CLAIMS = (
    keras.IMDB_FASTTEXT.number("average_50", keras.FASTTEXT_UNIGRAMS, {}, TWO_OUTPUTS),
    EMBEDDING.order("average_50", "average_1", metric="error", protocol=NARROW),
    EMBEDDING.order("average_50", "svm", metric="error", protocol=COUNTS),
)

DRAWINGS = (
    Drawing(
        *("map", "Where words lie", draw_map, ("average_50",)),
        caption="The first run's vectors of 30 words that are always the same.",
        size=(6.4, 5.2),
    ),
    Drawing(
        *("sentence", "The slide's sentence", draw_sentence, ("average_50",)),
        caption="What each word adds to the answer of the network; ticks are runs.",
        size=(5.6, 4.6),
    ),
    Drawing(
        *("curve", "Learning curves", figures.curves("train_error", ylabel="training error")),
        tuple(f"average_{size}" for size in SIZES),
    ),
)

BENCHMARK = Benchmark(
    title="Word embedding: vectors of words against counts of words",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("imdb_reviews",),
    metric="accuracy",
    profiles={
        "smoke": Profile(seeds=1, epochs=1, train_size=500, grid=1, choice_seeds=1, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=900),
        "full": Profile(seeds=20, time_limit=900),
    },
)
