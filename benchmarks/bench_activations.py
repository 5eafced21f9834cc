"""Activation functions: without a nonlinear one, the network collapses to a linear model.

Slide "Activation Function" passes the sum of each hidden unit k through a function g,

    g(w_k0 + sum_j w_kj X_j),

and says that g is typically nonlinear, "otherwise the model collapses to a linear model". With g(z) = z the network of
slide "Example: MNIST Digits" is a product of matrices (here X is a row, and the columns of W1, W2 and B are units),

    Z = b + (w2 + (w1 + X W1) W2) B = (b + w2 B + w1 W2 B) + X (W1 W2 B),

so its 10 outputs are linear in the 784 pixels, as those of the softmax regression of slide "Softmax Output": 235,146
parameters, and no function that the regression's 7,850 could not give. Two things are measured: whether the
product of the trained matrices gives the outputs of the trained network, and whether its test error is that of the
regression and far from that of the network with the rectifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.activations import ACTIVATIONS
from lecturebench import (
    Benchmark,
    Drawing,
    EquivalenceClaim,
    IdentityClaim,
    Network,
    OrderClaim,
    Profile,
    Training,
    assumed,
    stated,
)
from lecturebench.models.dense import softmax_regression, two_layer

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

Array = npt.NDArray[Any]

# The book's recipe for its MNIST networks with 8 epochs for 30, chosen by the clock before any error was seen: 5 seeds
# of 6 networks are to take two minutes.
TRAINING = Training(optimizer="rmsprop", learning_rate=0.001, batch_size=128, epochs=8, validation=0.2)
COMPARED = 10_000  # images on which the product is compared with the network

TITLES = {
    "identity": "Identity, g(z) = z",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "ReLU",
    "gelu": "GELU",
}
KERAS_NAMES = {"identity": "linear"}


def collapsed(weights: Sequence[Array]) -> tuple[Array, Array]:
    """The linear model that a network with the identity is: intercepts (10,) and W1 W2 B (p, 10), in float64.

    weights: kernel (inputs, units) and bias (units,) of each layer in order, as many layers as there are.
    """
    intercepts, product = np.zeros(1), np.ones((1, 1))
    for layer, (W, w0) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        W, w0 = np.asarray(W, dtype=float), np.asarray(w0, dtype=float)
        intercepts, product = (w0, W) if layer == 0 else (w0 + intercepts @ W, product @ W)
    return intercepts, product


def compare_with_product(
    weights: Sequence[Array], outputs: Callable[[Array], Array], dataset: Dataset
) -> dict[str, float]:
    """How far the network is from the product of its matrices, on the first 10,000 training images.

    deviation: the largest absolute difference between two logits, divided by the largest absolute logit; the product
    in float64, the network as it computes, in float32. largest_logit: that divisor.
    """
    intercepts, product = collapsed(weights)
    X = np.asarray(dataset.train.X[:COMPARED])
    linear = intercepts + (X.reshape(len(X), -1) / dataset.scale) @ product
    largest = float(np.abs(linear).max())
    return {"deviation": float(np.abs(np.asarray(outputs(X)) - linear).max()) / largest, "largest_logit": largest}


def draw_functions(figure: Any, rows: Mapping[str, Series]) -> str:
    """Each activation function and its derivative, with the test error of the network that uses it."""
    from lecturebench.judging.results import show
    from lecturebench.report.style import INK, MUTED, RULE

    grid = figure.subplots(2, 3, sharex=True, sharey=True)
    z, told, dash = np.linspace(-4.0, 4.0, 321), [], (0, (2, 1.4))
    for axes, (name, series) in zip(grid.flat, rows.items(), strict=False):
        activation = ACTIVATIONS[name]
        slope = activation.derivative(z)
        slope[1:][np.abs(np.diff(slope)) > 0.5] = np.nan  # no line where the derivative jumps
        error = show("error")(float(series.values("error").mean()))
        axes.axhline(0, color=RULE, linewidth=0.8)
        axes.axvline(0, color=RULE, linewidth=0.8)
        axes.plot(z, slope, color=INK, linewidth=1.6, linestyle=dash)
        axes.plot(z, activation.function(z), color=series.style.colour, linewidth=2.8)
        axes.set_title(f"{series.title.partition(',')[0]}\n{error} wrong", fontsize=11, linespacing=1.25)
        axes.set(xlim=(-4, 4), ylim=(-1.5, 3.2), xticks=(-3, 0, 3), yticks=(-1, 0, 1, 2, 3))
        axes.tick_params(labelbottom=True)
        told.append(f"{series.title} {error}")
    for axes in grid[1, :2]:
        axes.set_xlabel("z")
    key = grid.flat[-1]
    key.axis("off")
    key.plot([], [], color=MUTED, linewidth=2.8, label="g(z)")
    key.plot([], [], color=INK, linewidth=1.6, linestyle=dash, label="g′(z)")
    key.legend(loc="center", fontsize=13, handlelength=2.2)
    return f"Functions and derivatives, with the test error of the network that uses each: {'; '.join(told)}."


METHODS = (
    *(
        Network(
            *(name, TITLES[name], two_layer, TRAINING),
            probe=compare_with_product if name == "identity" else None,
            units=(256, 128),
            activation=KERAS_NAMES.get(name, name),
        )
        for name in ACTIVATIONS
    ),
    Network("softmax", "Multinomial Logistic Regression", softmax_regression, TRAINING),
)

COLLAPSE = 'slide "Activation Function": without a nonlinear one "the model collapses to a linear model"'
NETWORK = {
    "network": stated("256 and 128 hidden units, 10 outputs", 'slide "Example: MNIST Digits"'),
    "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"'),
    "data": stated("60,000 train, 10,000 test, pixels / 255; 20% of train held out", "ISLP, sec. 10.2 and 10.7.2"),
    "optimiser": assumed("RMSprop, rate 0.001, batch 128", "the recipe of the book's MNIST lab, for all six alike"),
    "epochs": assumed("8", "what six networks with 5 seeds may take in a lecture; the book's lab has 30"),
}
PAIRED = {"comparison": assumed("paired by seed on the same 10,000 test images", "the slide names no numbers")}

CLAIMS = (
    IdentityClaim(
        method="identity",
        statement="the product of the weight matrices gives the same logits",
        tolerance=1e-5,
        dataset="mnist",
        source=COLLAPSE,
        slide="Activation Function",
        protocol=NETWORK
        | {
            "deviation": assumed(
                "largest absolute difference of two logits over the largest absolute logit",
                "float32 rounds in proportion to what is added up",
            ),
            "tolerance": assumed("1e-5", "float32 keeps 6e-8 of each number, and sums of 784 terms lose two digits"),
            "images": assumed("the first 10,000 training images", "no need to look at the test images"),
        },
    ),
    EquivalenceClaim(
        pair=("identity", "softmax"),
        delta="0.5%",
        because="a tenth of the distance between the slide's 7.2% of the regression and its 1.8% to 2.3% of networks",
        dataset="mnist",
        source=COLLAPSE,
        slide="Activation Function",
        protocol=NETWORK | PAIRED,
    ),
    OrderClaim(
        order=("relu", "identity"),
        dataset="mnist",
        source=COLLAPSE,
        slide="Activation Function",
        protocol=NETWORK | PAIRED,
    ),
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
    profiles={
        "smoke": Profile(seeds=1, dataset="digits", epochs=1, train_size=512, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=900),
        "full": Profile(seeds=20, time_limit=1800),
    },
)
