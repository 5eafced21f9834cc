"""Transformers: is attention what its formula says, and does it beat a recurrent network on reviews?

Slide "Transformers" draws the encoder of Vaswani et al. (2017) and prints no formula. A word's query meets every word's
key, and takes of their values what the softmax of these products allows,

    Attention(Q, K, V) = softmax(Q K' / sqrt(d)) V,

several times beside each other (heads). Around it the block adds its input (as residual networks do), normalises, and
has a small dense network at each position. Nothing in it knows an order: each position gets a vector of its own.
`formulas/attention.py` has attention as printed. Keras' layer and ours, with which the network here is written out in
`lecturebench/models/attention.py`, are compared with it.

Keras' example of one such block reaches 87.45% on film reviews of 200 words in two epochs. Beside it stand the same
network without positions, and an LSTM of as many parameters. And what does a longer review cost? An LSTM takes one step
a word; attention compares every word with every other.
"""

from functools import partial

from benchmarks.experiments.attention import attention_of_sentence, check_attention, cost_by_length
from benchmarks.figures.attention import draw_cost, draw_looks
from benchmarks.sources import keras_examples as keras
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Experiment, Network, Profile, Training, WordIndices, assumed, stated
from lecturebench.models.words import recurrent, transformer
from lecturebench.report import stock as figures

WORDS = 19_998
PUBLISHED = Training("adam", 0.001, batch_size=32, epochs=2, validation=0.0)
VIEW = WordIndices(WORDS, length=200)
ATTENTION = ("heads_1", "heads_2", "heads_4")
LSTM = partial(recurrent, kind="LSTM", units=52)  # 657,786 parameters, the transformer 657,758
UNDROPPED = partial(transformer, rate=0.0)

METHODS = (
    *(
        Experiment(
            *(name, f"Attention, {name[-1]} head{'s' * (name != 'heads_1')}", check_attention),
            backend=True,
            notes=("Its row shows the largest error.",),
            heads=int(name[-1]),
        )
        for name in ATTENTION
    ),
    Network(
        *("transformer", "Transformer", transformer, PUBLISHED, VIEW),
        probe=partial(attention_of_sentence, heads=2),
        vocabulary=WORDS,
    ),
    Network(
        *("unplaced", "Transformer without positions", transformer, PUBLISHED, VIEW),
        profiles=("lecture", "full"),
        vocabulary=WORDS,
        placed=False,
    ),
    Network(*("lstm", "LSTM, as many parameters", recurrent, PUBLISHED, VIEW), vocabulary=WORDS, kind="LSTM", units=52),
    Experiment(
        *("cost_transformer", "Cost of the transformer", cost_by_length, "seconds"),
        backend=True,
        build=UNDROPPED,
        vocabulary=WORDS,
    ),
    Experiment(
        *("cost_lstm", "Cost of the LSTM", cost_by_length, "seconds"), backend=True, build=LSTM, vocabulary=WORDS
    ),
)

FORMULA = slide("Transformers", "imdb_reviews").saying("Vaswani et al. (2017), eq. 1 and sec. 3.2.2")
CHECKED = {
    "formula": stated("softmax(Q K' / sqrt(d)) V", "Vaswani et al. (2017), eq. 1"),
    "weights": assumed("normal, on random sequences of 12 positions", "the formula holds of any"),
    "tolerance": assumed("1e-5", "sums of 16 products in float32"),
}
STATEMENTS = {
    "keras": ("Keras' layer computes the formula", 1e-5),
    "ours": ("the network's layer computes it", 1e-5),
    "rows": ("what a word takes adds up to 1", 1e-5),
    "masked": ("a masked position has no influence, to the last bit", 0.0),
    "permuted": ("without positions another order changes nothing but the order", 1e-5),
}
SUITE = slide("Transformers", "imdb_reviews").saying("this suite")
EQUAL = {
    "rival": assumed("an LSTM of 52 units on the same embedding: 657,786 parameters", "the slide compares nothing"),
    "training": assumed("the published transformer's for all", "no source compares the two"),
}

CLAIMS = (
    *(
        FORMULA.holds(name, statement, tolerance, CHECKED, metric, unit="in outputs of about 1")
        for metric, (statement, tolerance) in STATEMENTS.items()
        for name in ATTENTION
    ),
    keras.IMDB_TRANSFORMER.number("transformer", keras.TRANSFORMER_ACCURACY, {}),
    SUITE.order("transformer", "lstm", metric="error", protocol=EQUAL),
    SUITE.order("transformer", "unplaced", metric="error", protocol=EQUAL),
)

DRAWINGS = (
    Drawing(
        *("looks", "Where words look", draw_looks, ("transformer",)),
        caption="The first run's attention on the slide's sentence; larger squares are larger weights.",
        size=(6.4, 4.2),
    ),
    Drawing(
        *("cost", "What a longer review costs", draw_cost, ("cost_transformer", "cost_lstm")),
        caption="A training step on 16 reviews, one core; the median over the seeds, the band their range; powers are "
        "of the two longest.",
    ),
    Drawing(
        "curve",
        "Learning curves",
        figures.curves("train_error", ylabel="training error"),
        ("transformer", "unplaced", "lstm"),
    ),
)

BENCHMARK = Benchmark(
    title="Transformers: attention, its formula and its cost",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("imdb_reviews",),
    metric="accuracy",
    profiles={
        "smoke": Profile(seeds=1, epochs=1, train_size=320, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=1800),
        "full": Profile(seeds=20, time_limit=3600),
    },
)
