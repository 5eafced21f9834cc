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

That the optimiser uses exactly these rates is checked for every one of them, with and without warm-up. Whether the
trick helps is measured on MNIST at equal epochs, in the network of slide "Example: MNIST Digits".
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from lecturebench import (
    Benchmark,
    Choice,
    Drawing,
    Experiment,
    IdentityClaim,
    Measured,
    Network,
    OrderClaim,
    Profile,
    Schedule,
    Training,
    assumed,
    stated,
)
from lecturebench.models.dense import two_layer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

SLIDE = "Tricks of Deep Learning"
STEPS = 125  # neither the steps nor those after the warm-up are a multiple of the cycles
WARMUP = 0.1

SCHEDULES = {
    "constant": Schedule("constant"),
    "step": Schedule("step", periods=3, factor=0.1),
    "exponential": Schedule("exponential", periods=2, factor=0.1),
    "cosine": Schedule("cosine"),
    "restarts": Schedule("restarts", periods=2),
    "triangular": Schedule("triangular", periods=2, factor=0.1),
}
TITLES = {
    "constant": "Constant",
    "step": "Step decay",
    "exponential": "Exponential decay",
    "cosine": "Cosine decay",
    "restarts": "Cosine with restarts",
    "triangular": "Triangular",
}


def formula(kind: str, t: int, steps: int, warm: int = 0) -> float:
    """The rate of step t as a share of the base rate, as this page writes it; warm: steps of warm-up.

    Times are fractions, so that no rounding moves the start of a cycle.
    """
    if t < warm:
        return (t + 1) / warm * formula(kind, warm, steps, warm)
    t, steps = t - warm, steps - warm
    eta, base, eta_min = 1.0, 0.1, 0.0
    if kind == "step":
        return eta * math.pow(0.1, math.floor(3 * Fraction(t, steps)))
    if kind == "exponential":
        return eta * math.pow(0.1, 2 * t / steps)
    if kind in ("cosine", "restarts"):
        T_i = Fraction(steps, 1 if kind == "cosine" else 2)
        T_cur = t % T_i
        return eta_min + (eta - eta_min) * (1 + math.cos(math.pi * T_cur / T_i)) / 2
    if kind == "triangular":
        stepsize = Fraction(steps, 4)
        cycle = math.floor(1 + t / (2 * stepsize))
        x = abs(t / stepsize - 2 * cycle + 1)
        return base + (eta - base) * max(0.0, 1 - float(x))
    return eta


def used_rates(schedule: Schedule, steps: int, base: float = 0.1) -> np.ndarray:
    """The rates that compiled training steps use, (steps,), divided by the base rate.

    R = (y - w)^2 with y = -1/2 has the gradient 1 at w = 0, so a step of SGD from there goes to minus its rate. The
    optimiser counts its steps on; the weight alone is put back to 0 after each.
    """
    import keras

    from lecturebench.training.backends import LOADERS
    from lecturebench.training.program import scheduled

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = keras.optimizers.SGD(scheduled(base, schedule, steps))
    optimizer.build(model.trainable_variables)
    X, y = np.ones((1, 1), np.float32), np.array([-0.5], np.float32)
    training = LOADERS[keras.config.backend()]().Steps(model, optimizer, "regression", 1.0)
    training.load(X, y)
    rates = []
    for _ in range(steps):
        training.set_weights([np.zeros((1, 1), np.float32), *training.weights()[1:]])
        training.train(np.zeros((1, 1), np.int32), [])
        rates.append(-float(training.weights()[0].item()))
    return np.array(rates) / base


def rates_of_the_optimiser(dataset: "Dataset", rng: np.random.Generator, steps: int) -> Measured:
    """The largest distance between used and written rate per kind, with and without warm-up, in base rates.

    The curve has both rates of every step: kind and kind_warmup are the used ones.
    """
    warm = round(WARMUP * steps)
    deviations: dict[str, float] = {}
    curve: list[dict[str, float]] = [{"time": t / steps} for t in range(steps)]
    for kind, schedule in SCHEDULES.items():
        for name, share, warm_steps in ((kind, 0.0, 0), (f"{kind}_warmup", WARMUP, warm)):
            used = used_rates(Schedule(schedule.kind, schedule.periods, schedule.factor, share), steps)
            written = np.array([formula(kind, t, steps, warm_steps) for t in range(steps)])
            deviations[kind] = max(deviations.get(kind, 0.0), float(np.abs(used - written).max()))
            for point, rate in zip(curve, used, strict=True):
                point[name] = round(float(rate), 8)
    return Measured(values={"deviation": max(deviations.values()), **deviations}, curve=tuple(curve))


# SGDR's optimiser and batch. It takes its rate as it is; RMSprop or Adam would divide the gradient by its size, which
# is a schedule of another kind. The network has no dropout: one trick at a time.
# No source prints a rate for this network: each method gets its own, since a common one would favour whichever schedule
# it suits. Seeds, cycles and factors were fixed before the first fit. The grid ended at 0.1 then, where the validation
# error of every schedule was still falling. A rate is a schedule's own only if a larger one was tried and did worse, so
# 0.3 and 1 were added.
RATE = Choice(grid=(0.01, 0.03, 0.1, 0.3, 1.0), seeds=(1001, 1002))


def trained(schedule: Schedule) -> Training:
    """The recipe that all rows share, with this schedule."""
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
        Network(kind, TITLES[kind], two_layer, trained(schedule), units=(256, 128))
        for kind, schedule in SCHEDULES.items()
    ),
    Network(
        *("cosine_warmup", "Cosine decay after warm-up", two_layer),
        trained(Schedule("cosine", warmup=WARMUP)),
        units=(256, 128),
    ),
    Experiment(
        "rates",
        "The rate that the optimiser uses",
        rates_of_the_optimiser,
        deterministic=True,
        backend=True,
        notes=("Largest distance from the formula, in base rates, over all schedules and steps.",),
        steps=STEPS,
    ),
)

EXACT = {
    "tolerance": assumed("2^-23 of the base rate", "float32: the table rounds by at most 2^-24, and the update again"),
    "steps": assumed(f"{STEPS}, without warm-up and with a tenth of them", "the formulas hold for any number"),
    "optimiser": assumed("SGD in the harness' compiled steps, gradient 1", "then its update is minus its rate"),
}
SOURCES = {
    "constant": ("eta", "this suite"),
    "step": ("eta * 0.1^floor(3 t')", f'slide "{SLIDE}", formula of this suite'),
    "exponential": ("eta * 0.1^(2 t')", f'slide "{SLIDE}", formula of this suite'),
    "cosine": ("eta (1 + cos(pi t')) / 2", "Loshchilov & Hutter 2017, eq. 5"),
    "restarts": ("eta (1 + cos(pi T_cur / T_i)) / 2", "Loshchilov & Hutter 2017, eq. 5"),
    "triangular": ("base + (eta - base) max(0, 1 - x)", "Smith 2017, sec. 3"),
}
EFFECT = {
    "trick": stated("a learning scheduler, decay or periodic", f'slide "{SLIDE}"'),
    "reading": assumed("it lowers the test error at equal epochs", "the slide names the trick and no effect"),
    "network": assumed("784-256-128-10, ReLU, neither dropout nor penalty", "the lecture's, with one trick alone"),
    "optimiser": assumed("SGD with Nesterov momentum 0.9, batch 128", "SGDR's; it takes the rate as it is"),
    "base rate": assumed(
        "each method's own: the largest of 0.01, 0.03, 0.1, 0.3 and 1 within one standard error of the best on "
        "validation data",
        "no source prints one for this network; the first grid ended at 0.1, where all were still getting better",
    ),
    "data": assumed(
        "20% of the training images held out; profile lecture: 20,000 of 60,000 and 10 epochs; full: all and 30",
        "enough to tell errors apart within two minutes",
    ),
    "comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares nothing"),
}

CLAIMS = (
    *(
        IdentityClaim(
            method="rates",
            statement=f"{TITLES[kind].lower()} is {text}",
            tolerance=2.0**-23,
            metric=kind,
            dataset="mnist",
            source=source,
            slide=SLIDE,
            protocol=EXACT,
        )
        for kind, (text, source) in SOURCES.items()
    ),
    *(
        OrderClaim(
            order=(kind, "constant"),
            dataset="mnist",
            source=f'slide "{SLIDE}"',
            slide=SLIDE,
            protocol=EFFECT,
        )
        for kind in ("cosine", "restarts")  # a decay and a periodic one
    ),
)


def draw_rates(figure: "Figure", rows: Mapping[str, "Series"]) -> str:
    """A panel per schedule: the formula as a line, the optimiser's rates as dots, without warm-up and with it."""
    from lecturebench.report.style import INK, MUTED, TONES

    rates = rows["rates"]
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    handles: list[Any] = []
    for axes, (kind, title) in zip(panels.flat, TITLES.items(), strict=True):
        time, used = rates.curve(kind, "time")
        steps = len(time)
        for name, warm, colour, dash in (
            (f"{kind}_warmup", round(WARMUP * steps), MUTED, (0, (2, 1.5))),
            (kind, 0, TONES[0][0], "-"),
        ):
            _, used = rates.curve(name, "time")
            written = [formula(kind, t, steps, warm) for t in range(steps)]
            (line,) = axes.plot(time, written, color=colour, linestyle=dash, linewidth=1.8)
            (dots,) = axes.plot(
                *(time[::8], used[0][::8], "o"), color=colour, markersize=4.5, markerfacecolor="white", mew=1.2
            )
            handles += [line, dots]
        axes.set_title(title, fontsize=11, color=INK)
        axes.set(xlim=(0, 1), ylim=(-0.04, 1.1), xticks=[0, 0.5, 1], xticklabels=["0", "½", "1"], yticks=[0, 0.5, 1])
        axes.grid()
    panels[1, 1].set_xlabel("share of the training, t / T")
    figure.supylabel("rate, share of the base rate", fontsize=11, color=MUTED)
    figure.legend(
        handles=[handles[2], handles[0], handles[3]],
        labels=["formula", "formula with warm-up", "used by the optimiser"],
        loc="outside lower center",
        ncols=3,
        columnspacing=1.2,
        handletextpad=0.5,
    )
    worst = float(rates.values("deviation").max())
    return (
        f"The rate of each step for {', '.join(TITLES.values()).lower()}, with and without warm-up: the optimiser's "
        f"rates lie on the formulas, at most {worst:.1g} of the base rate away."
    )


def draw_effect(figure: "Figure", rows: Mapping[str, "Series"]) -> str:
    """Rate above validation loss, both against the epoch: decays on the left, periodic ones on the right."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    from lecturebench.report.style import INK, MUTED

    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(1, 1.5))
    sides = (
        ("Decay", ("constant", "step", "exponential", "cosine", "cosine_warmup")),
        ("Periodic", ("constant", "restarts", "triangular")),
    )
    names = list(dict.fromkeys(name for _, kinds in sides for name in kinds))
    epochs = max(float(rows[name].curve("validation_loss")[0][-1]) for name in names)
    ends = []
    for (title, kinds), (above, below) in zip(sides, panels.T, strict=True):
        above.set_title(title, fontsize=12, color=INK)
        for name in kinds:
            style = rows[name].style
            time, used = rows["rates"].curve(name, "time")
            above.plot(time * epochs, used[0], color=style.colour, marker=style.marker, markevery=(9, 25))
            rows[name].band(below, "validation_loss")
        below.set_yscale("log")
        below.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5)))
        below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
        below.yaxis.set_minor_formatter(NullFormatter())
        below.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=(1, 2, 5, 10)))
        below.set_xlabel("epoch")
        below.set_xlim(0, 1.03 * epochs)
        above.grid()
        below.grid()
    panels[0, 0].set_ylabel("rate / base rate")
    panels[1, 0].set_ylabel("validation loss")
    lines: dict[str, Any] = {}
    for axes in panels[1]:
        lines |= {label: line for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(
        list(lines.values()), list(lines), loc="outside lower center", ncols=2, columnspacing=1.2, labelcolor=MUTED
    )
    for name in names:
        rate = rows[name].runs[0].recipe["learning_rate"]
        final = rows[name].curve("validation_loss")[1][:, -1].mean()
        ends.append(f"{rows[name].title} (base rate {rate:g}) ends at {final:.3g}")
    return f"Rate and validation loss against the epoch: {'; '.join(ends)}."


DRAWINGS = (
    Drawing(
        "rates",
        "The schedules, and what the optimiser makes of them",
        draw_rates,
        methods=("rates",),
        caption="Every eighth step is marked. Cosine restarts and triangles run through two cycles.",
        size=(5.6, 4.2),
    ),
    Drawing(
        "effect",
        "Rate and validation loss",
        draw_effect,
        methods=(*SCHEDULES, "cosine_warmup", "rates"),
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
        "lecture": Profile(seeds=5, epochs=10, train_size=20_000, time_limit=600),
        "full": Profile(seeds=20, time_limit=1800),
    },
)
