"""Backpropagation: are the slide's two formulas the gradient of a single-layer network?

Slide "Gradients and Backpropagation" derives, with R_i = (y_i - f(x_i))^2 / 2 and z_ik = w_k0 + sum_j w_kj x_ij,

    dR_i / dbeta_k = -(y_i - f(x_i)) g(z_ik),    dR_i / dw_kj = -(y_i - f(x_i)) beta_k g'(z_ik) x_ij,

where f(x_i) = beta_0 + sum_k beta_k g(z_ik). Summed over the players i they are the gradient of R on slide "Train
Neural Networks". `formulas/backpropagation.py` has them as they stand there. They are compared, for five activations g,
with automatic differentiation and with central differences, (R(theta + h) - R(theta - h)) / 2h for each parameter, at
networks of random size and weights on Hitters. Nothing is trained.

Central differences err by about h^2 R''' / 6 from the curve and by about epsilon R / h from rounding. The two balance
near h = epsilon^(1/3), 6e-6 in float64, which leaves about epsilon^(2/3), 4e-11, of the scale of R (Nocedal and Wright,
"Numerical Optimization", sec. 8.1). The claims are of automatic differentiation, whose code is not ours.
"""

from benchmarks.experiments.backpropagation import DRAWN_UNITS, MOST_UNITS, NETWORKS, check
from benchmarks.figures.backpropagation import TOLERANCE, draw_gradient, draw_steps
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Experiment, Profile, assumed, stated

TITLES = {"identity": "Identity", "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "gelu": "GELU (exact)"}
ON_ROW = "Its row shows the largest relative error of both comparisons."
AT_KINK = "Players with a |z_ik| below 0.001 are left out of a network: a step there may reach across the kink."

METHODS = tuple(
    Experiment(
        name,
        title,
        check,
        backend=True,
        notes=(ON_ROW, AT_KINK) if name == "relu" else (ON_ROW,),
        activation=name,
    )
    for name, title in TITLES.items()
)

SLIDE = slide(
    "Gradients and Backpropagation",
    "hitters",
    formulas="-(y_i - f(x_i)) g(z_ik) and -(y_i - f(x_i)) beta_k g'(z_ik) x_ij",
)

PROTOCOL = {
    "objective": stated("R = sum_i (y_i - f(x_i))^2 / 2", 'slide "Train Neural Networks"'),
    "networks": assumed(
        f"{NETWORKS} a seed, 1 to {MOST_UNITS} units, 1 to 19 features, weights normal", "the formulas hold of any"
    ),
    "data": assumed("Hitters, training split, X and y standardised", "the book's data for a single-layer network"),
    "reference": assumed("automatic differentiation of R in float64 by the backend", "it knows no formula"),
    "error": assumed("||difference|| / ||gradient||, the larger of beta's and w's", "so each formula is checked alone"),
    "tolerance": assumed(f"{TOLERANCE:g}", "fixed beforehand, for central differences too; float64 leaves 1e-15"),
}
AWAY = {"kink": assumed("players with a |z_ik| below 0.001 are left out", "ReLU has no derivative at 0")}

CLAIMS = tuple(
    SLIDE.holds(
        *(name, "the slide's formulas are the gradient by automatic differentiation", TOLERANCE),
        metric="automatic",
        protocol=PROTOCOL | (AWAY if name == "relu" else {}),
        unit="of the gradient's length",
    )
    for name in TITLES
)

DRAWINGS = (
    Drawing(
        "gradient",
        "The checked gradient",
        draw_gradient,
        tuple(TITLES),
        caption=f"One network of {DRAWN_UNITS} units for each activation; every mark is one of its parameters.",
        size=(5.6, 4.6),
    ),
    Drawing(
        "steps",
        "The step of central differences",
        draw_steps,
        tuple(TITLES),
        caption="The median over the seeds, one network each. Smaller steps lose digits to rounding, larger ones see "
        "the curve; the identity has none in any one parameter, ReLU only across its kink.",
        size=(5.6, 4.6),
    ),
)

BENCHMARK = Benchmark(
    title="Backpropagation: the slide's gradient, checked",
    methods=METHODS,
    claims=CLAIMS,
    datasets=("hitters",),
    task="regression",
    drawings=DRAWINGS,
    profiles={
        "smoke": Profile(seeds=1, judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=300),
        "full": Profile(seeds=50, time_limit=300),
    },
)
