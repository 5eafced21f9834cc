"""Recurrent networks: are the slides' formulas what Keras computes, and what does the last output still know?

Slide "Recurrent Neural Networks": the hidden layer is a sequence of vectors A_l, each made of the input X_l and of the
one before it, with the same weights at every step, and each gives an output O_l:

    A_lk = g(w_k0 + sum_j w_kj X_lj + sum_s u_ks A_(l-1)s),    O_l = beta_0 + sum_k beta_k A_lk.

Slide "Recurrent Neural Network Loss": "often we are concerned only with the prediction O_L at the last unit", so the
objective is sum_i (y_i - o_iL)^2. `formulas/recurrent.py` has both as they stand there, and the gradient by the chain
rule, backwards through the steps. They are compared with Keras' SimpleRNN and Dense on the same weights, with automatic
differentiation through these, and with central differences, at random networks on days of the New York stock exchange.

How far back does such a network look? d O_L / d X_l says what the last output would notice of a change of day l. Each
step backwards multiplies by u and g', so it shrinks or grows like a power of them: a figure shows it for untrained
networks of each kind. Nothing here is trained.
"""

from benchmarks.experiments.recurrent import DAYS, MOST_DAYS, MOST_UNITS, NETWORKS, SEQUENCES, UNITS, check, forgetting
from benchmarks.figures.recurrent import draw_forgetting
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Experiment, Profile, assumed

ACTIVATIONS = {"tanh": "tanh", "sigmoid": "Sigmoid", "relu": "ReLU"}
NEAR_KINK = "Sequences with a |z_lk| below 0.001 are left out of a network: a step there may reach across the kink."
KINDS = {
    "simple": ("SimpleRNN", True, "SimpleRNN, u orthogonal"),
    "simple_uniform": ("SimpleRNN", False, "SimpleRNN, u uniform"),
    "lstm": ("LSTM", True, "LSTM"),
    "gru": ("GRU", True, "GRU"),
}

METHODS = (
    *(
        Experiment(
            *(name, f"The slide's network, {title}", check),
            backend=True,
            notes=("Its row shows the largest error.", NEAR_KINK)
            if name == "relu"
            else ("Its row shows the largest error.",),
            activation=name,
        )
        for name, title in ACTIVATIONS.items()
    ),
    *(
        Experiment(
            *(name, title, forgetting, "lost"),
            backend=True,
            notes=(f"Powers of ten between the last day's gradient and the first of {DAYS} days'.",),
            kind=layer,
            orthogonal=orthogonal,
        )
        for name, (layer, orthogonal, title) in KINDS.items()
    ),
)

NETWORK = slide("Recurrent Neural Networks", "nyse", formulas="A_l of X_l and A_(l-1), O_l of A_l")
LOSS = slide("Recurrent Neural Network Loss", "nyse", objective="sum_i (y_i - o_iL)^2, O_L alone")
PROTOCOL = {
    "start": assumed("A_0 = 0", "the slide does not say; Keras' default"),
    "networks": assumed(
        f"{NETWORKS} a seed, 1 to {MOST_UNITS} units, 2 to {MOST_DAYS} steps, weights normal",
        "the formulas hold of any",
    ),
    "data": assumed(f"{SEQUENCES} stretches of NYSE's training days, standardised", "the book's data for this network"),
    "reference": assumed(
        "Keras' SimpleRNN and Dense, the same weights, in float64 where the backend has it", "not ours"
    ),
    "tolerance": assumed("1e-6", "fixed beforehand; Keras on PyTorch multiplies in float32, which alone leaves 1e-7"),
}

CLAIMS = (
    *(
        NETWORK.holds(
            name,
            "the slide's formulas give Keras' outputs at every step",
            1e-6,
            PROTOCOL,
            "outputs",
            unit="in any output",
        )
        for name in ACTIVATIONS
    ),
    *(
        LOSS.holds(
            *(name, "the loss on O_L has the gradient of the chain rule through time", 1e-6),
            PROTOCOL
            | {"error": assumed("||difference|| / ||gradient||, the largest of w's, u's, beta's", "each is checked")},
            "automatic",
            unit="of the gradient's length",
        )
        for name in ACTIVATIONS
    ),
)

DRAWINGS = (
    Drawing(
        *("forgetting", "What the last output still knows", draw_forgetting, tuple(KINDS)),
        caption=f"Untrained networks of {UNITS} units; the mean over stretches of {DAYS} days, medians over the seeds.",
        size=(5.6, 4.6),
    ),
)

BENCHMARK = Benchmark(
    title="Recurrent networks: the slides' formulas, checked",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("nyse",),
    task="regression",
    profiles={
        "smoke": Profile(seeds=1, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=300),
        "full": Profile(seeds=50, time_limit=300),
    },
)
