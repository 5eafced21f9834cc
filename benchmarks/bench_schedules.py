"""Learning-rate schedules: does a decaying or periodic rate help?

Slide "Tricks of Deep Learning": "Learning Scheduler: Decay or Periodic". With the base rate eta, a training of T steps
and t' = t / T in [0, 1), the rate of step t is

    constant       eta
    step decay     eta * 0.1^floor(3 t')
    exponential    eta * 0.1^(2 t')
    cosine         eta_min + (eta - eta_min) (1 + cos(pi t')) / 2
    restarts       eta_min + (eta - eta_min) (1 + cos(pi T_cur / T_i)) / 2
    triangular     base + (eta - base) max(0, 1 - x)

Cosine and restarts are SGDR's equation 5 (Loshchilov & Hutter 2017) with eta_min = 0: T_cur steps have gone by since
the last restart and T_i = T / 2 lie between two, so there are two cycles; cosine is one cycle. Triangular (Smith 2017)
goes from base = eta / 10 up to eta and back twice, with stepsize s = T / 4, c = floor(1 + t / (2 s)) and
x = |t / s - 2 c + 1|. Each may begin with w steps of warm-up, (t + 1) / w of the rate that follows them.

Whether the trick helps is measured on MNIST at equal epochs, in the network of slide "Example: MNIST Digits", with SGD:
it takes its rate as it is, where RMSprop or Adam divide the gradient by its size, which is a schedule of another kind.
"""

from benchmarks.experiments.schedules import sgdr_against_keras
from benchmarks.figures.schedules import draw_effect
from benchmarks.formulas.schedules import WARMUP
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Choice, Drawing, Experiment, Network, Profile, Schedule, Training, assumed, stated
from lecturebench.models.dense import two_layer

SCHEDULES = {
    "constant": ("Constant", Schedule("constant")),
    "step": ("Step decay", Schedule("step", periods=3, factor=0.1)),
    "exponential": ("Exponential decay", Schedule("exponential", periods=2, factor=0.1)),
    "cosine": ("Cosine decay", Schedule("cosine")),
    "restarts": ("Cosine with restarts", Schedule("restarts", periods=2)),
    "triangular": ("Triangular", Schedule("triangular", periods=2, factor=0.1)),
    "cosine_warmup": ("Cosine decay after warm-up", Schedule("cosine", warmup=WARMUP)),
}

# No source prints a rate for this network: each method gets its own, since a common one would favour whichever schedule
# it suits. Cycles and factors were fixed before the first fit. The grid ended at 0.1 then, where the validation error
# of every schedule was still falling. A rate is a schedule's own only if a larger one was tried and did worse, so 0.3
# and 1 were added.
RATE = Choice(grid=(0.01, 0.03, 0.1, 0.3, 1.0), seeds=(1001, 1002, 1003), rule="least")


def trained(schedule: Schedule) -> Training:
    """The recipe that all rows share, with this schedule: SGDR's optimiser and batch; one trick at a time, no other."""
    return Training(
        optimizer="sgd",
        learning_rate=RATE,
        batch_size=128,
        epochs=30,
        options={"momentum": 0.9, "nesterov": True},
        schedule=schedule,
    )


METHODS = (
    *(
        Network(name, title, two_layer, trained(schedule), units=(256, 128))
        for name, (title, schedule) in SCHEDULES.items()
    ),
    # Neither the steps nor a cycle of them is a round number.
    Experiment("sgdr", "SGDR's equation 5 in Keras", sgdr_against_keras, deterministic=True, backend=True, steps=125),
)

TRICKS = slide("Tricks of Deep Learning", trick="Learning Scheduler: Decay or Periodic")

EQUATION_5 = {
    "formula": stated("eta_min + (eta - eta_min) (1 + cos(pi T_cur / T_i)) / 2", "Loshchilov & Hutter 2017, eq. 5"),
    "cycles": assumed("one against CosineDecay, two against CosineDecayRestarts", "the two that are trained with here"),
    "steps": assumed("125", "the formula holds for any number"),
    "tolerance": assumed("1e-6 of eta", "Keras computes in float32: the time, times pi, is rounded by 4e-7 at most"),
}
EFFECT = {
    "reading": assumed("it lowers the test error at equal epochs", "the slide names the trick and no effect"),
    "network": assumed("784-256-128-10, ReLU, neither dropout nor penalty", "the lecture's, with one trick alone"),
    "optimiser": assumed("SGD with Nesterov momentum 0.9, batch 128", "SGDR's; it takes the rate as it is"),
    "base rate": assumed(
        "each method's own: of 0.01, 0.03, 0.1, 0.3 and 1 the one with the least mean validation error",
        "no source prints one for this network; the first grid ended at 0.1, where all were still getting better",
    ),
    "data": assumed(
        "20% of the training images held out; profile lecture: 20,000 of 60,000 and 10 epochs; full: all and 30",
        "enough to tell errors apart within two minutes",
    ),
    "seeds": assumed("20", "runs at a constant rate differ by 0.3 points; 20 pairs see a difference of half of that"),
    "comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares nothing"),
}

CLAIMS = (
    TRICKS.saying("Loshchilov & Hutter 2017, eq. 5").holds(
        "sgdr",
        "SGDR's equation 5 is Keras' cosine decay, with restarts and without",
        1e-6,
        protocol=EQUATION_5,
        unit="base rates",
    ),
    TRICKS.order("cosine", "constant", protocol=EFFECT),  # a decay
    TRICKS.order("restarts", "constant", protocol=EFFECT),  # a periodic one
)

DRAWINGS = (
    Drawing(
        *("effect", "Rate and validation loss", draw_effect, tuple(SCHEDULES)),
        caption="Mean and range over the seeds; each schedule at its own base rate, chosen on validation data.",
        size=(5.6, 5.4),
    ),
)

BENCHMARK = Benchmark(
    title="Learning-rate schedules: decay or periodic",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    profiles={
        "smoke": Profile(
            seeds=1, dataset="digits", epochs=2, train_size=512, grid=1, choice_seeds=2, judges=False, time_limit=300
        ),
        # 105 fits to choose rates and 140 to judge, of two seconds each, two at once: about four minutes.
        "lecture": Profile(seeds=20, epochs=10, train_size=20_000, time_limit=600),
        "full": Profile(seeds=20, time_limit=1800),
    },
)
