"""Deep convolutional networks: does depth lower the error where the number of parameters stays the same?

Slide "Deep Convolutional Neural Network" draws one convolution after another and states no effect. Each layer looks at
3 x 3 windows of the one before,

    A_l = g(w_l + W_l * A_l-1),

so that a unit of layer l sees 2l + 1 pixels of an image on a side, and more behind a pooling. Networks with 2, 4, 6
and 8 such layers are fitted, all with 20,000 parameters to within 1%: a deeper one has narrower layers. Both poolings,
2 x 2, stand at the same place of each, after half of its layers and after all.
"""

import itertools
from functools import partial

from benchmarks.experiments.parameters import count_parameters
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Network, Schedule, Training, assumed, profiles
from lecturebench.models.convolutional import deep_cnn
from lecturebench.report import stock as figures

DEPTHS = (2, 4, 6, 8)
BUDGET = 20_000
# 5,000 images and 6 epochs, the same for all: what the lecture's time allows on two cores. The rate falls to 0, so that
# the last epoch does not swing.
TRAINING = Training("adam", 0.002, batch_size=64, epochs=6, train_size=6_250, schedule=Schedule("cosine"))

METHODS = tuple(
    Network(
        *(f"depth_{depth}", f"{depth} convolutions", deep_cnn, TRAINING),
        probe=partial(count_parameters, printed=BUDGET),
        depth=depth,
        budget=BUDGET,
    )
    for depth in DEPTHS
)

PROTOCOL = {
    "reading": assumed("more layers err less, other things equal", "the slide draws depth and states no effect"),
    "parameters": assumed("20,000, to within 1%", "so that depth alone differs; equal parameters are not equal work"),
    "data": assumed("5,000 images fitted, 1,250 held out, drawn by the seed", "what the lecture's time allows"),
    "training": assumed("Adam, rate 0.002 with a cosine decay to 0, batch 64, 6 epochs", "no source prints any"),
    "first weights": assumed("normal, variance 2 / inputs", "He et al. 2015: deep layers of ReLU train from them"),
    "comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares nothing"),
}

CLAIMS = tuple(
    slide("Deep Convolutional Neural Network", dataset).order(f"depth_{deep}", f"depth_{shallow}", protocol=PROTOCOL)
    for dataset in ("cifar10", "fashion_mnist")
    for shallow, deep in itertools.pairwise(DEPTHS)
)

DRAWINGS = (
    Drawing(
        "depth",
        "Error against depth at equal parameters",
        figures.path(
            {"error": {"error": "test error", "train error": "train error"}},
            {f"depth_{depth}": float(depth) for depth in DEPTHS},
            xlabel="number of convolutions",
        ),
        methods=tuple(f"depth_{depth}" for depth in DEPTHS),
        caption="Lines are means over the seeds, bands reach from the smallest to the largest run.",
        shows="error",
    ),
)

BENCHMARK = Benchmark(
    title="Deep convolutional networks: depth at equal parameters",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("cifar10", "fashion_mnist"),
    stand_in="digits",
    profiles=profiles(),
)
