"""What the L2 penalty and dropout do to training, validation and test error.

Slide "Tricks of Deep Learning" names two ways to hold a network back. "Regularization: Minimize L2 norm of model
parameters" adds the squared weights of both hidden layers to what is minimised (ISLP, eq. 10.31),

    R(theta; lambda) = -sum_i sum_m y_im log f_m(x_i) / n  +  lambda (sum W1^2 + sum W2^2)

"Dropout: At each SGD update, randomly remove units with probability" p takes units away anew for each training example
and scales those that stay, so that the expected activation is the same (ISLP, sec. 10.7.3),

    A_k  becomes  m_k A_k / (1 - p),    m_k = 0 with probability p, else 1

Nothing is removed in prediction. Twelve penalties and nine rates are fitted on 10,000 of the training images, half of
them held out. The training error is that of the last epoch's weights on the 5,000 images fitted, nothing removed.

If theta minimises loss plus lambda times squared norm, a larger lambda can only raise the loss and lower the norm: add
what each of two minimisers says about the other. The error on training images is no part of that sum; it follows the
loss, and below some penalty it is zero. So it is judged over the decades in which the penalty is not small beside the
loss (0.04 to 6 with the first weights, whose squares sum to 557); the loss itself is judged over the whole path.
"""

from benchmarks.experiments.dropout import keras_dropout
from benchmarks.experiments.norms import norms
from benchmarks.sources.source import Source
from lecturebench import Benchmark, Drawing, Experiment, Network, Schedule, Training, assumed, profiles, stated
from lecturebench.models.dense import two_layer
from lecturebench.report import stock as figures

# 12 penalties evenly spaced on a log scale, 10^(-6 + 4 i / 11), each rounded to one digit.
PENALTIES = ("1e-6", "2e-6", "5e-6", "1e-5", "3e-5", "7e-5", "2e-4", "4e-4", "8e-4", "2e-3", "4e-3", "1e-2")
RATES = ("0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8")
UNITS = (256, 128)

# 800 updates, long enough to fit 5,000 images. The rate falls to 0: RMSprop's last epoch at a constant rate swings by
# more than what penalties and rates do.
SUBSET = Training("adam", 0.001, 128, 20, validation=0.5, train_size=10_000, schedule=Schedule("cosine"))

L2 = {
    f"l2_{value}": Network(
        *(f"l2_{value}", f"L2 penalty {value}", two_layer, SUBSET), probe=norms, units=UNITS, penalty=float(value)
    )
    for value in PENALTIES
}
DROPOUT = {
    f"dropout_{p}": Network(
        *(f"dropout_{p}", f"Dropout {p}", two_layer, SUBSET), probe=norms, units=UNITS, rates=(float(p), float(p))
    )
    for p in RATES
}
KERAS = Experiment(
    *("keras_dropout", "Keras' dropout layer", keras_dropout),
    backend=True,
    rates=tuple(float(rate) for rate in RATES[1:]),
    examples=8192,
    units=256,
)

TRICKS = Source(
    source='slide "Tricks of Deep Learning"',
    slide="Tricks of Deep Learning",
    protocol={
        "network": stated("784-256-128-10, ReLU, softmax", 'slide "Example: MNIST Digits"; ISLP, sec. 10.2'),
        "data": assumed(
            "10,000 training images drawn by the seed, 5,000 fitted, 5,000 for validation",
            "21 rows in minutes; the more are held out, the less their error is noise",
        ),
        "training": assumed("batch 128, the last epoch's weights", "those of the lab's network with dropout"),
    },
    deviations=(
        "800 updates on 5,000 images by Adam, its rate falling from 0.001 to 0 as a cosine, in place of the lab's 30 "
        "epochs of RMSprop on 48,000: 21 rows with seven seeds are to take minutes, and without swings at the end.",
    ),
)
FORMULA = Source(source=f"{TRICKS.source}; ISLP, sec. 10.7.3", slide=TRICKS.slide)
SMALL_NORM = TRICKS.saying('follows from "Minimize L2 norm" for exact minimisers, slide "Tricks of Deep Learning"')
PATH = {
    "penalty": stated("lambda * sum theta^2 on W1 and W2; output weights and biases free", "ISLP, eq. 10.31"),
    "penalties": assumed("12 from 1e-6 to 1e-2, even on a log scale, one digit each", "fixed before any fit"),
    "comparison": assumed("penalties about a decade apart", "neighbouring ones cannot be told apart by a few runs"),
}
REMOVED = {
    "dropout": stated("at each SGD update, remove units with probability p", 'slide "Tricks of Deep Learning"'),
    "survivors": stated("scaled by 1 / (1 - p)", "ISLP, sec. 10.7.3"),
}
DRAWS = {"draws": assumed("2,097,152 for each of 8 rates and each seed", "a share is then known to 0.0003")}
CHANCE = {"tolerance": assumed("6 standard deviations", "for 8 rates and 20 seeds, chance: below one in a million")}

CLAIMS = (
    TRICKS.saying("this suite: training error rises with the penalty").order(
        "l2_7e-5", "l2_8e-4", "l2_1e-2", metric="train error", protocol=PATH
    ),
    SMALL_NORM.order("l2_1e-6", "l2_7e-5", "l2_8e-4", "l2_1e-2", metric="train loss", protocol=PATH),
    SMALL_NORM.order("l2_1e-2", "l2_8e-4", "l2_7e-5", "l2_1e-6", metric="norm", protocol=PATH),
    TRICKS.saying("this suite: validation error is lowest inside the path").lowest_inside(
        *L2, metric="validation error", protocol=PATH
    ),
    TRICKS.order(
        *("dropout_0.4", "dropout_0.0"),
        protocol=REMOVED
        | {
            "reading": assumed("it lowers the test error", "the slide names the trick and no effect"),
            "rate": assumed("0.4 after both hidden layers", "the book's of its first layer; fixed before any fit"),
        },
    ),
    # One rounding of the scale and one of the product to single precision: (1 + 2^-24)^2 - 1 is 1.192e-7.
    FORMULA.holds(
        *("keras_dropout", "units that stay are scaled by 1 / (1 - p)", 1.2e-7),
        protocol=REMOVED | DRAWS | {"tolerance": assumed("1.2e-7", "two roundings to single precision")},
        unit="of what it should be",
    ),
    FORMULA.holds(
        *("keras_dropout", "units are removed with probability p", 6.0, REMOVED | DRAWS | CHANCE, "z"),
        unit="standard deviations",
    ),
)

PANELS = {
    "error": {"error": "test error", "validation error": "validation error", "train error": "train error"},
    "norm of the weights": {"norm": "W1 and W2", "norm_of_all": "all parameters"},
}
DRAWINGS = tuple(
    Drawing(
        *(name, title),
        figures.path(
            *(PANELS, {row: float(row.partition("_")[2]) for row in rows}),
            xlabel=xlabel,
            log=log,
            lowest="validation error",
        ),
        methods=tuple(rows),
        caption="Lines are means over the seeds, bands reach from the smallest to the largest run; the upright line "
        "marks the lowest mean validation error.",
        size=(5.6, 5.6),
        shows="error",
    )
    for name, title, rows, xlabel, log in (
        ("l2-path", "The L2 path", L2, "penalty λ, log scale", True),
        ("dropout-path", "The dropout path", DROPOUT, "probability p of removing a unit", False),
    )
)

BENCHMARK = Benchmark(
    title="Regularization: the L2 penalty and dropout",
    methods=(*L2.values(), *DROPOUT.values(), KERAS),
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    profiles=profiles(seeds=7),
)
