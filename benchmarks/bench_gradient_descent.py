"""Gradient descent: small steps go down, larger ones swing across the valley, too large ones fly off.

Slide "Train Neural Networks" minimises

    R(theta) = 1/2 sum_i (y_i - f_theta(x_i))^2,    theta^{t+1} = theta^t - rho * grad R(theta^t),

"until the objective fails to decrease", and says that this objective is non-convex. Rows "19 inputs" have the slide's
network with K = 5 units on the training players of Hitters. What rho does is seen where theta can be drawn: one unit
without intercepts, f(x) = beta * tanh(w x), x the runs batted in over a career and y the salary, both standardised.

Let L be the largest curvature of R. Where R is a parabola, a step multiplies the distance from its lowest point by
1 - rho * L: up to rho = 1/L no step points against the one before, up to 2/L steps swing across the valley and settle,
above R rises. The three paths take 0.5/L, 1.9/L and 4/L with L at the start.

On two parameters the iteration stops at a minimum. On 19 inputs it need not, at a rate that stays: the curvature grows
on the way down, and where it passes 2/rho the next step rises, far from any minimum. So no claim says that it does.
"""

from benchmarks.experiments import descent
from benchmarks.experiments.descent import MOST_STEPS, PASSES, START, STEPS_FOR_ALL, UNITS, equal_passes, path
from benchmarks.figures.descent import draw_heights, draw_passes, draw_paths
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Experiment, Profile, assumed, stated
from lecturebench.report.stock import curves

SMALL, MIDDLE, LARGE, TENTH = 0.5, 1.9, 4.0, 0.1  # times 1/L
BATCH, COMMON_RATE = 8, (0.01,)  # 176 players are 22 batches of 8
# It ended at 1 before the first run, which had full-batch descent best at that end: 3 and 10 were added for its sake.
OWN_RATE = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

METHODS = (
    Experiment("landscape", "R(w, β) and its minima", descent.landscape, deterministic=True),
    Experiment("small", f"Small, ρ = {SMALL:g}/L", path, "largest_rise", deterministic=True, multiple=SMALL),
    Experiment("middle", f"Middle, ρ = {MIDDLE:g}/L", path, "short_of_reversal", deterministic=True, multiple=MIDDLE),
    Experiment("large", f"Large, ρ = {LARGE:g}/L", path, "start_over_end", deterministic=True, multiple=LARGE),
    Experiment(*("until", "Until R fails to decrease", descent.until_it_fails, "from_minimum", True), multiple=SMALL),
    Experiment("network", "19 inputs, ρ = 0.1/L", descent.network, "largest_rise", multiple=TENTH),
    Experiment(
        *("network_until", "19 inputs, until R fails to decrease", descent.network_until_it_fails, "gradient_left"),
        notes=(f"It stops before a minimum where curvature grows past 2/ρ, and after {MOST_STEPS:,} steps anyway.",),
        multiple=TENTH,
    ),
    Experiment("between", "19 inputs, between ends", descent.between_two_ends, "chord_over_middle", multiple=TENTH),
    Experiment("stochastic", "Stochastic, rate 0.01", equal_passes, "objective", batch=BATCH, rates=COMMON_RATE),
    Experiment("full_batch", "Full batch, rate 0.01", equal_passes, "objective", batch=None, rates=COMMON_RATE),
    Experiment("stochastic_own", "Stochastic, best rate", equal_passes, "objective", batch=BATCH, rates=OWN_RATE),
    Experiment("full_batch_own", "Full batch, best rate", equal_passes, "objective", batch=None, rates=OWN_RATE),
)

TRAIN = slide(
    "Train Neural Networks",
    "hitters",
    objective="R = 1/2 sum (y_i - f(x_i))^2",
    update="theta <- theta - rho * grad R(theta)",
    stop="iterate until the objective R(theta) fails to decrease",
)
STEPWISE = slide("Stochastic Gradient Descent (SGD)", "hitters").saying("this suite")

TWO_PARAMETERS = {
    "network": assumed("f(x) = beta * tanh(w x): one unit without intercepts", "two parameters can be drawn"),
    "data": assumed("CRBI and salary of the book's 176 training players, standardised", "one input of real data"),
    "start": assumed(f"w = {START[0]:g}, beta = {START[1]:g}", "high on the side of a valley"),
    "rate": assumed(f"rho = {SMALL:g}/L, L the largest curvature at the start", "a parabola is descended up to 2/L"),
}
ALL_INPUTS = {
    "network": stated("f(x) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_j)", TRAIN.source),
    "units": assumed(f"K = {UNITS}, tanh", "the drawing of ISLP, Fig. 10.1, has five"),
    "data": assumed("all 19 inputs and salary of the 176 training players, standardised", "the data of the book"),
    "start": assumed("Glorot's uniform weights, intercepts 0, drawn by the seed", "what Keras starts from"),
}
DESCENT = ALL_INPUTS | {
    "rate": assumed(f"rho = {TENTH:g}/L, L the largest curvature at the start", "it may grow tenfold"),
    "steps": assumed(str(STEPS_FOR_ALL), "long enough for the curvature to grow"),
}
EQUAL_PASSES = ALL_INPUTS | {
    "passes": assumed(f"{PASSES} over the 176 players, each in a new order", "each method sees every player as often"),
    "batches": assumed(f"{BATCH} examples, 22 steps a pass, against 176 and one", "176 = 22 * 8, so all count alike"),
}
COMMON = {"rate": assumed("0.01 for the mean gradient, both alike", "the default of Keras' SGD; one step is one step")}
OWN = {
    "rate": assumed(
        "of 0.001 to 10, two per decade, the one with the lowest R at the end, by method and seed",
        "a common rate favours whoever makes more steps; R itself is what is compared, so nothing is held out",
    )
}
ROUNDED = assumed("1e-12 of R at the start", "R is a sum of 176 squares, rounded by less than 176 times 2e-16")
FLAT = assumed("1e-5", "R is rounded by 2e-12, which hides 2e-6 from the minimum where the curvature is 1.6")
CONVEX = assumed("0.999", "1 or more of a convex objective, and R is rounded by less than 1e-12")

CLAIMS = (
    TRAIN.holds(
        *("network", "a small step against the gradient reduces R, 1,000 times in a row", 1e-12),
        metric="largest_rise",
        protocol=DESCENT | {"tolerance": ROUNDED},
        unit="of R at the start",
    ),
    TRAIN.holds(
        *("until", "where R fails to decrease is the minimum that SciPy's BFGS finds", 1e-5),
        *(TWO_PARAMETERS | {"tolerance": FLAT}, "from_minimum"),
        unit="in the plane of w and beta",
    ),
    TRAIN.holds(
        *("between", "the objective is non-convex: between two ends of descent R lies above its chord", 0.999),
        *(DESCENT | {"tolerance": CONVEX}, "chord_over_middle"),
        quantity="the height of the chord",
        unit="of R in the middle",
    ),
    STEPWISE.order("stochastic", "full_batch", metric="objective", protocol=EQUAL_PASSES | COMMON),
    STEPWISE.order("stochastic_own", "full_batch_own", metric="objective", protocol=EQUAL_PASSES | OWN),
)

PATHS = ("landscape", "small", "middle", "large")
DRAWINGS = (
    Drawing(
        *("paths", "Three learning rates on the objective", draw_paths, PATHS),
        caption="Contours of R in w and β, the fuller the shade the lower. ρ: rate, L: largest curvature at the start.",
        size=(5.6, 4.6),
    ),
    Drawing(
        *("steps", "R at each step", draw_heights, PATHS),
        caption="The first 20 of 100 steps. The dashed line is β at the minimum: the middle rate swings about it.",
        size=(5.6, 4.8),
    ),
    Drawing(
        *("between", "Between two ends of descent"),
        curves("over_chord", "position", xlabel="from one end (0) to the other (1)", ylabel="R over its chord"),
        ("between",),
        caption="Two descents from two starts, and the straight line between their ends. Convex: nowhere above 1.",
    ),
    Drawing(
        *("passes", "Stochastic and full batch at equal passes", draw_passes),
        ("stochastic", "full_batch", "stochastic_own", "full_batch_own"),
        caption="Means over seeds; bands from the lowest to the highest run. A pass is 22 steps of 8 players, or one.",
        size=(5.6, 4.8),
    ),
)

BENCHMARK = Benchmark(
    title="Gradient descent: what the learning rate does",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("hitters",),
    task="regression",
    profiles={
        "smoke": Profile(seeds=1, judges=False, time_limit=120),
        "lecture": Profile(seeds=10, time_limit=300),
        "full": Profile(seeds=100, time_limit=300),
    },
)
