"""Activation functions: without a nonlinear one, the network collapses to a linear model.

Slide "Activation Function" passes the sum of each hidden unit k through a function g,

    g(w_k0 + sum_j w_kj X_j),

and says that g is typically nonlinear, "otherwise the model collapses to a linear model". With g(z) = z the network of
slide "Example: MNIST Digits" is a product of matrices (here X is a row, and the columns of W1, W2 and B are units),

    Z = b + (w2 + (w1 + X W1) W2) B = (b + w2 B + w1 W2 B) + X (W1 W2 B),

so its 10 outputs are linear in the 784 pixels, as those of the softmax regression of slide "Softmax Output": 235,146
parameters, and no function that the regression's 7,850 could not give. So the two have the same smallest loss. Measured
is whether, both trained to convergence, they have the same test error, far from that of the network with the rectifier.
"""

from dataclasses import replace

from benchmarks.figures.activations import draw_functions
from benchmarks.formulas.activations import ACTIVATIONS
from benchmarks.sources.source import Source
from lecturebench import Benchmark, Choice, Drawing, Network, Schedule, Training, assumed, profiles, stated
from lecturebench.models.dense import softmax_regression, two_layer

# At a constant rate the last epoch measures the optimiser: here the rate falls to 0.
TRAINING = Training("adam", 0.001, 128, 20, validation=0.2, held_out="last", schedule=Schedule("cosine"))
# The two that are to be alike get the rate that suits each; for the others Adam's own must do.
LINEAR = replace(TRAINING, learning_rate=Choice((3e-4, 1e-3, 3e-3, 1e-2), seeds=(1001, 1002), rule="least"))

TITLES = {"identity": "Identity, g(z) = z", "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "gelu": "GELU"}

METHODS = (
    Network("identity", TITLES["identity"], two_layer, LINEAR, units=(256, 128), activation="linear"),
    *(
        Network(name, TITLES[name], two_layer, TRAINING, units=(256, 128), activation=name)
        for name in ("sigmoid", "tanh", "relu", "gelu")
    ),
    Network("softmax", "Multinomial Logistic Regression", softmax_regression, LINEAR),
)

COLLAPSE = Source(
    source='slide "Activation Function": without a nonlinear one "the model collapses to a linear model"',
    slide="Activation Function",
    protocol={
        "network": stated("256 and 128 hidden units, 10 outputs", 'slide "Example: MNIST Digits"'),
        "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"'),
        "data": stated(
            "60,000 train, 10,000 test, pixels / 255; the last 20% of train held out", "ISLP, sec. 10.2, 10.7.2; R lab"
        ),
        "batch size": stated("128", "ISLP, sec. 10.7.2"),
        "rate": assumed(
            "the least validation error of 0.0003, 0.001, 0.003, 0.01 for identity and regression, else 0.001",
            "no source compares these networks; seeds 1001 and 1002, fixed before any test error",
        ),
        "comparison": assumed("paired by seed on the same 10,000 test images", "the slide names no numbers"),
    },
    deviations=(
        "Adam with a cosine decay to 0 for 20 epochs in place of the lab's RMSprop at a constant rate for 30: the "
        "slide speaks of what the models can say, and the last epoch at a constant rate says what the optimiser does.",
    ),
)
CLAIMS = (
    COLLAPSE.alike(
        *("identity", "softmax"),
        within="0.5%",
        because="a tenth of the distance between the slide's 7.2% of the regression and its 1.8% to 2.3% of networks",
        protocol={},
    ),
    COLLAPSE.order("relu", "identity", protocol={}),
)

BENCHMARK = Benchmark(
    title="Activation functions: the network without them is linear",
    methods=METHODS,
    claims=CLAIMS,
    drawings=(
        Drawing(
            *("functions", "Activation functions and what they achieve", draw_functions, tuple(ACTIVATIONS)),
            caption="Under each name, the mean test error of the 256-128 network with that function in both layers.",
            size=(5.6, 4.6),
        ),
    ),
    datasets=("mnist", "fashion_mnist", "digits"),
    stand_in="digits",
    profiles=profiles(),
)
