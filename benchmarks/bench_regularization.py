"""What the L2 penalty and dropout do to training, validation and test error.

Slide "Tricks of Deep Learning" names two ways to hold a network back. "Regularization: Minimize L2 norm of model
parameters" adds the squared weights of both hidden layers to what is minimised (ISLP, eq. 10.31),

    R(theta; lambda) = -sum_i sum_m y_im log f_m(x_i) / n  +  lambda (sum W1^2 + sum W2^2)

"Dropout: At each SGD update, randomly remove units with probability" p takes units away anew for each training example
and scales those that stay, so that the expected activation is the same (ISLP, sec. 10.7.3),

    A_k  becomes  m_k A_k / (1 - p),    m_k = 0 with probability p, else 1

Nothing is removed in prediction. Twelve penalties and nine rates are fitted on 10,000 of the training images, half of
them held out: the claims are about validation error, and 5,000 images tell it more exactly than 2,000. The training
error is that of the last epoch's weights on the 5,000 images that were fitted, nothing removed.

If theta minimises loss plus lambda times squared norm, a larger lambda can only raise the loss and lower the norm: add
what each of two minimisers says about the other. The error on training images is no part of that sum; it follows the
loss, and below some penalty it is zero. So it is judged over the decades in which the penalty is not small beside the
loss (0.04 to 6 with the first weights, whose squares sum to 557); the loss itself is judged over the whole path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from lecturebench import (
    Benchmark,
    Drawing,
    Experiment,
    IdentityClaim,
    Measured,
    MinimumClaim,
    Network,
    OrderClaim,
    Profile,
    Training,
    assumed,
    stated,
)
from lecturebench.models.dense import two_layer

# 12 penalties evenly spaced on a log scale, 10^(-6 + 4 i / 11), each rounded to one digit.
PENALTIES = ("1e-6", "2e-6", "5e-6", "1e-5", "3e-5", "7e-5", "2e-4", "4e-4", "8e-4", "2e-3", "4e-3", "1e-2")
RATES = ("0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8")
REMOVING = tuple(float(rate) for rate in RATES[1:])
UNITS = (256, 128)

# The recipe of the book's dropout network, for 800 updates: on so few images that is long enough to fit them all.
SUBSET = Training(
    optimizer="rmsprop", learning_rate=0.001, batch_size=128, epochs=20, train_size=10_000, validation=0.5
)


def norms(weights: Sequence[np.ndarray], outputs: Any, dataset: Any) -> dict[str, float]:
    """Square roots of sums of squares: of the penalised W1 and W2 (``norm``), and of all parameters (``norm_of_all``).

    weights: W1, w1, W2, w2, B, b, as `two_layer` orders them: each layer's weights, then its biases.
    """
    squares = [float(np.sum(np.square(array, dtype=np.float64))) for array in weights]
    return {"norm": float(np.sqrt(squares[0] + squares[2])), "norm_of_all": float(np.sqrt(sum(squares)))}


class EveryWord:
    """Stands in for a NumPy generator: its 16-bit words are all 65,536 that there are, each once.

    A mask compares such words with a threshold, so the mean over these is the expectation over all masks. Units get
    words of their own and are removed independently; the expectation of each unit is that of all of them.
    """

    @property
    def bit_generator(self) -> EveryWord:
        return self

    def random_raw(self, size: int) -> np.ndarray:
        """All words, four to each of ``size`` 64-bit numbers. ValueError unless that is 16,384 of them."""
        words = np.arange(65536, dtype=np.uint16).view(np.uint64)
        if size != words.size:
            raise ValueError(f"size is {size!r}; every word once is {words.size} numbers")
        return words


def dropout_layer(rate: float, width: int) -> Any:
    """The suite's dropout layer behind an input of that width, ready to draw masks."""
    import keras

    from lecturebench.models.layers import Dropout

    layer = Dropout(rate)
    keras.Sequential([keras.Input((width,)), layer])
    return layer


def expectation(dataset: Any, rng: np.random.Generator, *, rates: Sequence[float]) -> Measured:
    """How far the layer's mean output over all masks is from its input A, relative to A: the largest of all rates.

    E[m A / (1 - p)] = A, since m is 1 with probability 1 - p. ISLP, sec. 10.7.3. A: one normal number per rate.
    """
    import keras

    points = []
    for rate in rates:
        layer = dropout_layer(rate, 256)
        [layer.mask] = layer.draw(1, 256, EveryWord())
        activation = np.full((256, 256), rng.normal(), dtype=np.float32)
        output = np.asarray(keras.ops.convert_to_numpy(layer(activation, training=True)), dtype=np.float64)
        points.append({"rate": rate, "deviation": abs(float(output.mean() / activation[0, 0]) - 1)})
    return Measured({"deviation": max(point["deviation"] for point in points)}, tuple(points))


def thinned(
    x: np.ndarray, weights: Sequence[np.ndarray], kept: tuple[np.ndarray, np.ndarray], rate: float
) -> np.ndarray:
    """The logits of the two-layer network for one example, with the removed units deleted and the others scaled.

    x: (p,). weights: W1, w1, W2, w2, B, b. kept: (K1,) and (K2,) booleans. What is deleted are columns of W1 and w1,
    rows and columns of W2, and rows of B: the smaller network never sees them.
    """
    W1, w1, W2, w2, B, b = (np.asarray(array, dtype=np.float64) for array in weights)
    first, second = kept
    hidden = np.maximum(x @ W1[:, first] + w1[first], 0) / (1 - rate)
    hidden = np.maximum(hidden @ W2[np.ix_(first, second)] + w2[second], 0) / (1 - rate)
    logits: np.ndarray = hidden @ B[second] + b
    return logits


def removal(
    dataset: Any, rng: np.random.Generator, *, rates: Sequence[float], units: tuple[int, int], examples: int
) -> Measured:
    """How far training outputs on recorded masks are from those of networks without the removed units.

    Largest difference of a logit over ``examples`` images, relative to the largest logit; the largest of all rates.
    Each image has masks of its own, drawn as the training loop draws them, and a network of its own (`thinned`).
    """
    import keras

    from lecturebench.models.layers import Dropout
    from lecturebench.training.weights import draw_weights

    X = np.asarray(dataset.train.X[:examples], dtype=np.float32) / np.float32(dataset.scale)
    points = []
    for rate in rates:
        model = two_layer(X.shape[1:], len(dataset.classes), units=units, rates=(rate, rate))
        weights = draw_weights(model, model.get_weights(), rng)
        model.set_weights(weights)
        layers = [layer for layer in model.layers if isinstance(layer, Dropout)]
        for layer in layers:
            [layer.mask] = layer.draw(1, len(X), rng)
        outputs = np.asarray(keras.ops.convert_to_numpy(model(X, training=True)), dtype=np.float64)
        expected = np.stack(
            [
                thinned(x, weights, (first, second), rate)
                for x, first, second in zip(X.reshape(len(X), -1), *(layer.mask for layer in layers), strict=True)
            ]
        )
        points.append({"rate": rate, "deviation": float(np.abs(outputs - expected).max() / np.abs(expected).max())})
    return Measured({"deviation": max(point["deviation"] for point in points)}, tuple(points))


def removed_share(dataset: Any, rng: np.random.Generator, *, rates: Sequence[float], steps: int) -> Measured:
    """How far the share of removed units is from p, in standard deviations of a binomial share: the largest of all.

    z = |share - p| / sqrt(p (1 - p) / N) over N = steps * 128 * 256 draws for each rate.
    """
    points = []
    for rate in rates:
        masks = dropout_layer(rate, 256).draw(steps, 128, rng)
        share = float(np.mean(~masks))
        z = abs(share - rate) / float(np.sqrt(rate * (1 - rate) / masks.size))
        points.append({"rate": rate, "share": share, "z": z})
    return Measured({"z": max(point["z"] for point in points)}, tuple(points))


L2 = tuple(
    Network(f"l2_{value}", f"L2 penalty {value}", two_layer, SUBSET, probe=norms, units=UNITS, penalty=float(value))
    for value in PENALTIES
)
DROPOUT = tuple(
    Network(f"dropout_{p}", f"Dropout {p}", two_layer, SUBSET, probe=norms, units=UNITS, rates=(float(p), float(p)))
    for p in RATES
)
IDENTITIES = (
    Experiment("expectation", "Dropout: expected activation", expectation, backend=True, rates=(0.0, *REMOVING)),
    Experiment(
        *("removal", "Dropout: units removed, others scaled", removal),
        backend=True,
        rates=REMOVING,
        units=UNITS,
        examples=32,
    ),
    Experiment(
        *("removed_share", "Dropout: share of removed units", removed_share, "z"),
        backend=True,
        rates=REMOVING,
        steps=64,
    ),
)

SLIDE = "Tricks of Deep Learning"
SETTING = {
    "network": stated("784-256-128-10, ReLU, softmax", 'slide "Example: MNIST Digits"; ISLP, sec. 10.2'),
    "penalty": stated("lambda * sum theta^2 on W1 and W2; output weights and biases free", "ISLP, eq. 10.31"),
    "penalties": assumed("12 from 1e-6 to 1e-2, even on a log scale, one digit each", "fixed before any fit"),
    "data": assumed(
        "10,000 training images drawn by the seed, 5,000 fitted, 5,000 for validation",
        "21 rows in minutes; the more are held out, the less their error is noise",
    ),
    "training": assumed(
        "RMSprop, rate 0.001, batch 128, 20 epochs, the last epoch's weights",
        "the book's dropout network; 800 updates fit 5,000 images",
    ),
}
DECADES = assumed("penalties about a decade apart", "neighbouring ones cannot be told apart by a few runs")
IN_TRAINING = {"dropout": stated("at each SGD update, remove units with probability p", f'slide "{SLIDE}"')}
SCALED = {"survivors": stated("scaled by 1 / (1 - p)", "ISLP, sec. 10.7.3")}
ROUNDED = {"rate": assumed("a multiple of 1/65536", "masks are 16-bit words compared with a threshold")}

CLAIMS = (
    OrderClaim(
        order=("l2_7e-5", "l2_8e-4", "l2_1e-2"),
        metric="train error",
        dataset="mnist",
        source="this suite: training error rises with the penalty",
        slide=SLIDE,
        protocol=SETTING | {"comparison": DECADES},
    ),
    OrderClaim(
        order=("l2_1e-6", "l2_7e-5", "l2_8e-4", "l2_1e-2"),
        metric="train loss",
        dataset="mnist",
        source='follows from "Minimize L2 norm" for exact minimisers: cross-entropy alone, without the penalty',
        slide=SLIDE,
        protocol=SETTING | {"comparison": DECADES},
    ),
    OrderClaim(
        order=("l2_1e-2", "l2_8e-4", "l2_7e-5", "l2_1e-6"),
        metric="norm",
        dataset="mnist",
        source='follows from "Minimize L2 norm" for exact minimisers: norm of W1 and W2 falls with the penalty',
        slide=SLIDE,
        protocol=SETTING | {"comparison": DECADES},
    ),
    MinimumClaim(
        path=tuple(method.name for method in L2),
        metric="validation error",
        dataset="mnist",
        source="this suite: validation error is lowest inside the path",
        slide=SLIDE,
        protocol=SETTING,
    ),
    IdentityClaim(
        method="expectation",
        statement="the mean over all masks is the input",
        # One rounding of the scale and one of the product to single precision: (1 + 2^-24)^2 - 1 is 1.192e-7.
        tolerance=1.2e-7,
        dataset="mnist",
        source='slide "Tricks of Deep Learning"; ISLP, sec. 10.7.3',
        slide=SLIDE,
        protocol=IN_TRAINING
        | SCALED
        | ROUNDED
        | {"tolerance": assumed("1.2e-7", "two roundings to single precision, as in training")},
    ),
    IdentityClaim(
        method="removal",
        statement="the output is that of the network without the removed units",
        tolerance=1e-4,
        dataset="mnist",
        source='slide "Tricks of Deep Learning"; ISLP, sec. 10.7.3',
        slide=SLIDE,
        protocol=IN_TRAINING
        | SCALED
        | ROUNDED
        | {
            "tolerance": assumed(
                "1e-4", "rounded rates change two layers' scale by 3e-5; the rest is for sums of 784 single products"
            )
        },
    ),
    IdentityClaim(
        method="removed_share",
        metric="z",
        statement="units are removed with probability p",
        tolerance=6.0,
        dataset="mnist",
        source='slide "Tricks of Deep Learning"',
        slide=SLIDE,
        protocol=IN_TRAINING
        | ROUNDED
        | {
            "draws": assumed("2,097,152 for each of 8 rates and each seed", "a share is then known to 0.0003"),
            "tolerance": assumed(
                "6 standard deviations", "for 8 rates and 20 seeds, chance exceeds it less than once in a million"
            ),
        },
    ),
)


def draw_path(figure: Any, rows: Mapping[str, Any], *, names: Sequence[str], xlabel: str, log: bool) -> str:
    """Fill the figure: errors above, norms below, means as lines and the range of the runs as bands."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    from lecturebench.report.style import MUTED, PAPER, TONES

    at = np.array([float(name.partition("_")[2]) for name in names])
    errors, norm = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    means: dict[str, np.ndarray] = {}
    looks = (
        (errors, "test error", "test error", TONES[0][0], "o", "-"),
        (errors, "validation error", "validation error", TONES[1][0], "s", "--"),
        (errors, "train error", "train error", TONES[2][0], "^", (0, (1, 1.2))),
        (norm, "norm", "W1 and W2", TONES[3][0], "D", "-"),
        (norm, "norm_of_all", "all parameters", MUTED, "v", "--"),
    )
    for axes, metric, label, colour, marker, dash in looks:
        runs = [rows[name].values("error" if metric == "test error" else metric) for name in names]
        means[metric] = np.array([values.mean() for values in runs])
        low, high = [values.min() for values in runs], [values.max() for values in runs]
        axes.fill_between(at, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(at, means[metric], color=colour, marker=marker, linestyle=dash, label=label)
    best = int(means["validation error"].argmin())
    first, last, shown = (names[i].partition("_")[2] for i in (0, -1, best))
    errors.axvline(at[best], color=MUTED, linewidth=1, zorder=0, label=f"lowest validation error: {shown}")
    if log:
        decades = range(round(float(np.log10(at[0]))), round(float(np.log10(at[-1]))) + 1)
        norm.set_xscale("log")
        norm.set_xticks([10.0**decade for decade in decades], [f"1e{decade}" for decade in decades])
        norm.xaxis.set_minor_locator(NullLocator())
    errors.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g}%"))
    errors.yaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    errors.set(ylabel="error", ylim=(-0.03 * errors.get_ylim()[1], None))
    norm.set(ylabel="norm of the weights", xlabel=xlabel, ylim=(0, 1.15 * max(means["norm_of_all"])))
    for axes in (errors, norm):
        axes.grid(axis="y")
        axes.legend(loc="best", frameon=True, facecolor=PAPER, edgecolor="none")

    def told(metric: str, *which: int) -> str:
        return " to ".join(f"{100 * means[metric][i]:.2f}%" for i in which)

    return (
        f"Error and norm of the weights against the {xlabel.partition(',')[0]}. From {first} to {last}, training error "
        f"goes from {told('train error', 0, -1)} and validation error from {told('validation error', 0, -1)}; "
        f"validation error is lowest at {shown}, {told('validation error', best)}, and test error "
        f"{told('test error', best)} there. The norm of W1 and W2 goes from {means['norm'][0]:.1f} to "
        f"{means['norm'][-1]:.1f}."
    )


PATH_CAPTION = (
    "Lines are means over the seeds, bands reach from the smallest to the largest run; the upright line marks the "
    "lowest mean validation error."
)
DRAWINGS = tuple(
    Drawing(
        name,
        title,
        partial(draw_path, names=tuple(method.name for method in methods), xlabel=xlabel, log=log),
        methods=tuple(method.name for method in methods),
        caption=PATH_CAPTION,
        size=(5.6, 5.6),
    )
    for name, title, methods, xlabel, log in (
        ("l2-path", "The L2 path", L2, "penalty λ, log scale", True),
        ("dropout-path", "The dropout path", DROPOUT, "probability p of removing a unit", False),
    )
)

BENCHMARK = Benchmark(
    title="Regularization: the L2 penalty and dropout",
    methods=(*L2, *DROPOUT, *IDENTITIES),
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    profiles={
        "smoke": Profile(seeds=1, dataset="digits", epochs=2, train_size=512, judges=False, time_limit=300),
        "lecture": Profile(seeds=7, time_limit=600),
        "full": Profile(seeds=20, time_limit=600),
    },
)
