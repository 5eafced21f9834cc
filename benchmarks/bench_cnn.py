"""Convolutional networks: how well do they classify images, and what do they assume of them?

Slide "Convolutional Neural Network" calls them "a commonly used network architecture for classifying images" and prints
no number. Two networks have published ones on MNIST: LeNet-5 (LeCun et al. 1998), with which they began, 0.95% test
error; and the small convnet of Keras' examples, which errs on 78 of the 10,000 digits. The latter is fitted on
Fashion-MNIST too, where the README's table of submissions has two more.

A convolution looks at neighbours: it sees one window after another with the same weights,

    A_ij = g(w + sum_uv W_uv X_i+u,j+v).

A dense layer knows no neighbours. So both are fitted again on images whose pixels changed places, all in the same way:
the dense network sees the same numbers in another order, the convolutional one loses what it assumed.
"""

from functools import partial

from benchmarks.experiments.parameters import count_parameters
from benchmarks.experiments.shuffled import shuffled_sheet
from benchmarks.figures.cnn import draw_pixels
from benchmarks.sources.keras_examples import MNIST_ACCURACY, MNIST_CONVNET, MNIST_PARAMETERS
from benchmarks.sources.lecture import DIGITS_NETWORK, slide
from benchmarks.sources.lecun import FIGURE_9, LENET_5, PLAIN_SGD, PRINTED, SHOWN_DIGITS
from benchmarks.sources.source import Source
from benchmarks.sources.zalando import PRINTED as FASHION
from benchmarks.sources.zalando import SUBMISSIONS, TWO_CONV_KERAS, TWO_CONV_TENSORFLOW
from lecturebench import (
    Benchmark,
    Drawing,
    Experiment,
    Network,
    Profile,
    Schedule,
    ShuffledPixels,
    Training,
    assumed,
    profiles,
)  # fmt: skip
from lecturebench.models.convolutional import fashion_convnet, lenet5, simple_convnet, small_cnn
from lecturebench.models.dense import two_layer

KERAS = Training("adam", 0.001, batch_size=128, epochs=15, validation=0.1, held_out="last")
# Rates of 20 passes as LeCun et al. print them, each as a multiple of the first: 0.0005, 0.0002, 0.0001, …
PASSES = Schedule("pieces", pieces=((2, 1.0), (3, 0.4), (3, 0.2), (4, 0.1), (8, 0.02)))
LECUN = Training("sgd", 0.01, batch_size=1, epochs=20, validation=0.0, schedule=PASSES)
BOOK = Training("rmsprop", 0.001, batch_size=128, epochs=30, validation=0.2, held_out="last")
ZALANDO = Training("sgd", 0.001, batch_size=400, epochs=1334, validation=0.0)
# 10,000 images, so that four more rows take a minute; the rate falls to 0, so that the last epoch does not swing.
FEW = Training("adam", 0.001, batch_size=128, epochs=12, train_size=12_500, schedule=Schedule("cosine"))
SHUFFLED = ShuffledPixels(seed=0)
UNITS, RATES = (256, 128), (0.4, 0.3)

METHODS = (
    Network(
        *("convnet", "Small convnet of Keras' examples", simple_convnet, KERAS),
        probe=partial(count_parameters, printed=MNIST_PARAMETERS),
    ),
    Network(
        *("lenet5", "LeNet-5", lenet5, LECUN),
        probe=partial(count_parameters, printed=SHOWN_DIGITS),
        datasets=("mnist",),
        notes=("Image by image, as published; plain gradient descent in place of a rate for each weight.",),
    ),
    Network(
        "dense",
        "Two-layer network with dropout",
        two_layer,
        BOOK,
        notes=("The error table's row.",),
        units=UNITS,
        rates=RATES,
    ),
    Network(
        *("fashion_convnet", "Convnet of Fashion-MNIST", fashion_convnet, ZALANDO),
        datasets=("fashion_mnist",),
        profiles=("full",),
        notes=("1,334 epochs, as published.",),
    ),
    Network("cnn_few", "CNN, 10,000 images", small_cnn, FEW),
    Network("cnn_shuffled", "CNN, 10,000 images, shuffled pixels", small_cnn, FEW, SHUFFLED),
    Network("dense_few", "Dense, 10,000 images", two_layer, FEW, units=UNITS, rates=RATES),
    Network(
        "dense_shuffled", "Dense, 10,000 images, shuffled pixels", two_layer, FEW, SHUFFLED, units=UNITS, rates=RATES
    ),
    Experiment(
        *("sheet", "The shuffled images", shuffled_sheet, "neighbours"),
        deterministic=True,
        notes=("Mean difference of neighbouring pixels after shuffling, in multiples of that before.",),
        view=SHUFFLED,
    ),
)

SLIDE = slide("Convolutional Neural Network")
OURS = Source(
    source="this suite",
    slide="Convolutional Neural Network",
    protocol={
        "data": assumed("10,000 images fitted, 2,500 held out, drawn by the seed", "enough to tell the rows apart"),
        "training": assumed("Adam, rate 0.001 with a cosine decay to 0, batch 128, 12 epochs", "no source prints any"),
        "permutation": assumed("one for all images and runs", "a network could learn none that changes"),
    },
)

CLAIMS = (
    MNIST_CONVNET.number("convnet", MNIST_ACCURACY, {}),
    MNIST_CONVNET.holds("convnet", "the network has 34,826 parameters", 0, {}, "off", unit="parameters"),
    FIGURE_9.number("lenet5", PRINTED["LeNet-5", ""], LENET_5, PLAIN_SGD),
    FIGURE_9.holds("lenet5", "60,000 parameters, and 850 of our outputs", 0, LENET_5, "off", unit="parameters"),
    SUBMISSIONS.number("convnet", FASHION["2 conv + pooling, Keras"], TWO_CONV_KERAS),
    SUBMISSIONS.number(
        *("fashion_convnet", FASHION["2 conv + pooling, TensorFlow"], TWO_CONV_TENSORFLOW), profiles=("full",)
    ),
    SLIDE.order(
        *("convnet", "dense"),
        protocol=DIGITS_NETWORK
        | {"reading": assumed("it errs less than the table's best network", "the slide compares nothing")},
    ),
    OURS.order("cnn_few", "cnn_shuffled", protocol={}),
    OURS.alike(
        *("dense_few", "dense_shuffled"),
        within="0.5%",
        because="an eighth of the 4% that such a network errs with so few images; its first weights and batches differ",
        protocol={},
    ),
)

DRAWINGS = (
    Drawing(
        "pixels",
        "What a convolution assumes",
        draw_pixels,
        ("sheet", "cnn_few", "cnn_shuffled", "dense_few", "dense_shuffled"),
        caption="Below each image the same with its pixels shuffled, all images alike. Small markers are runs.",
        size=(6.4, 5.2),
        shows="error",
    ),
)

BENCHMARK = Benchmark(
    title="Convolutional networks: LeNet-5, a small convnet, and shuffled pixels",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist"),
    # LeNet-5 takes 7 minutes a run, and all six benchmarks of images have 45: so three seeds.
    profiles=profiles(
        seeds=3, time_limit=3600, smoke=Profile(seeds=1, epochs=1, train_size=512, judges=False, time_limit=300)
    ),
)
