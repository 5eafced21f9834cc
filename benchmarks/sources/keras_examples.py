"""What the examples of keras.io print, said once: code and output of one run each, by the makers of the library."""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

CONVNET = "keras-team/keras-io, examples/vision/md/mnist_convnet.md at 38324b7"

MNIST_CONVNET = Source(
    source=CONVNET,
    slide="Convolutional Neural Network",
    metric="accuracy",
    protocol={
        "data": stated("60,000 train, 10,000 test, pixels / 255", CONVNET),
        "network": stated(
            "conv 32 3x3, ReLU, max pool 2x2, conv 64 3x3, ReLU, max pool 2x2, dropout 0.5, softmax: 34,826 parameters",
            CONVNET,
        ),
        "loss": stated("cross-entropy", CONVNET),
        "optimiser": stated("Adam, Keras' defaults (rate 0.001, epsilon 1e-7)", CONVNET),
        "batch size": stated("128", CONVNET),
        "epochs": stated("15, the last epoch's weights", CONVNET),
        "validation": stated("the last 10% of train held out, 54,000 fitted", f"{CONVNET}: validation_split"),
        "runs": assumed("one", "the page shows the output of one"),
    },
)
# The page prints 0.9922000169754028, which is the float32 next to 0.9922: 9,922 of 10,000 digits, an error of 0.78%.
MNIST_ACCURACY = "0.9922"
MNIST_PARAMETERS = 34_826

# -- IMDB -------------------------------------------------------------------------------------------------------------

FASTTEXT = "keras-team/keras, examples/imdb_fasttext.py, header (copies)"
TRANSFORMER = "keras-team/keras-io, examples/nlp/md/text_classification_with_transformer.md at 1909c67"
BIDIRECTIONAL = "keras-team/keras-io, examples/nlp/md/bidirectional_lstm_imdb.md at 1909c67"

REVIEWS = {
    "data": stated("25,000 train, 25,000 test", "the examples"),
    "words": assumed(
        "letters, digits and apostrophes inside, the most frequent of train; no line breaks, no sign for a start",
        "the examples take Keras' own, which keep 'br' and begin with a 1",
    ),
    "vocabulary": stated("20,000 numbers, of which ours has 19,998 words", "the examples"),
    "padding": stated("zeros in front, the last words kept", "Keras' pad_sequences, src/utils/sequence_utils.py L16"),
    "runs": assumed("one", "the page shows the output of one"),
}

IMDB_FASTTEXT = Source(
    source=FASTTEXT,
    slide="Word Embedding",
    dataset="imdb_reviews",
    metric="accuracy",
    protocol=REVIEWS
    | {
        "network": stated("embedding 50, the mean over 400 words, one sigmoid", FASTTEXT),
        "epochs": stated("5", FASTTEXT),
        "optimiser": assumed("Adam, Keras' defaults, batch 32", "the example's, from copies of it"),
    },
)
FASTTEXT_UNIGRAMS = "0.8813"

TWO_EPOCHS = REVIEWS | {
    "length": stated("200", "the examples"),
    "optimiser": stated("Adam, Keras' defaults, batch 32", "the examples"),
    "epochs": stated("2, the last epoch's weights", "the examples"),
    "validation": stated("the 25,000 test reviews, by which nothing is chosen", "the examples"),
}

IMDB_TRANSFORMER = Source(
    source=TRANSFORMER,
    slide="Transformers",
    dataset="imdb_reviews",
    metric="accuracy",
    protocol=TWO_EPOCHS
    | {
        "network": stated(
            "token and position embedding 32, 2 heads, feed-forward 32, dropout 0.1, mean, dense 20: "
            "657,758 parameters",
            TRANSFORMER,
        ),
    },
)
TRANSFORMER_ACCURACY = "0.8745"
TRANSFORMER_PARAMETERS = 657_758

IMDB_BIDIRECTIONAL = Source(
    source=BIDIRECTIONAL,
    slide="Recurrent Neural Networks",
    dataset="imdb_reviews",
    metric="accuracy",
    protocol=TWO_EPOCHS
    | {
        "network": stated("embedding 128, two bidirectional LSTMs of 64, sigmoid: 2,757,761 parameters", BIDIRECTIONAL),
    },
)
BIDIRECTIONAL_ACCURACY = "0.8428"
