"""Optimisers: full-batch gradient descent, SGD, SGD with momentum and Adam on one network.

Slide "Train Neural Networks" has the update; slides "Stochastic Gradient Descent (SGD)", "Stochastic Gradient Descent
with Momentum" and "Adam Optimizer" have a title each. With g the gradient of R at theta, over all examples or over a
batch of them, rho the learning rate, and v, m and s zero at the start:

    gradient descent   theta <- theta - rho g
    momentum           v <- mu v - rho g,    theta <- theta + v
    Adam               m <- b1 m + (1 - b1) g,    s <- b2 s + (1 - b2) g^2,
                       theta <- theta - rho m' / (sqrt(s') + e / sqrt(1 - b2^t)),
                       m' = m / (1 - b1^t),    s' = s / (1 - b2^t)

Momentum is written as Keras has it; Adam as Algorithm 1 of Kingma & Ba (2015) has it, with s for its v, but for the
constant e: Algorithm 1 adds e itself; Keras takes the paper's faster form, where e stands beside the uncorrected
sqrt(s). Each rule stands below in NumPy and is held against Keras' optimiser, step for step.

Then the network of slide "Example: MNIST Digits" is trained by each. Who is faster depends on the learning rates that
are compared. So there are two comparisons, and they answer different questions: each optimiser at its own rate, chosen
on validation data from one grid, and all of them at one rate.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lecturebench import (
    Benchmark,
    Choice,
    Drawing,
    Experiment,
    IdentityClaim,
    Measured,
    Network,
    Profile,
    TimeToTargetClaim,
    Training,
    assumed,
    stated,
)
from lecturebench.models.dense import two_layer

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

Floats = npt.NDArray[np.float64]
Memory = dict[str, Floats]  # what a rule remembers of one parameter array, empty before the first step
Rule = Callable[..., tuple[Floats, Memory]]

# Fixed before the first fit, from published runs. A network of this kind, trained by SGD with batches of 128, is at 5%
# when rate times epochs is 0.2 (Atienza 2018, ch. 1: rate 0.01, 20 epochs); we expect 3% where it is between 0.5 and
# 1.1, which is two to four epochs at the rate 0.3. Momentum 0.9 makes a step ten times as long in the end, so it wants
# a tenth. The grid had Keras' defaults, 0.001 for Adam and 0.01 for SGD, and went up by half decades to 0.3 before the
# first run, whose validation errors had Adam best at one end, SGD and full-batch descent at the other. A rate is an
# optimiser's own only if a smaller and a larger one were tried and did worse, so 0.0003 and 1 were added.
GRID = (0.0003, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
OWN_RATE = Choice(grid=GRID, seeds=(1001, 1002, 1003, 1004, 1005))
COMMON_RATE = 0.03  # the middle of the grid as it was before the first run
MOMENTUM = 0.9
TARGET = "3%"
LOOKS = 4
EPOCHS, LECTURE_EPOCHS = 30, 6
BATCH, ALL = 128, 60_000
STEPS, EXAMPLES = 100, 2000  # of the rules held against Keras


def gradient_step(theta: Floats, memory: Memory, g: Floats, t: int, *, rate: float) -> tuple[Floats, Memory]:
    """theta and memory after theta <- theta - rho g. Slide "Train Neural Networks"; SGD where g is that of a batch."""
    return theta - rate * g, memory


def momentum_step(
    theta: Floats, memory: Memory, g: Floats, t: int, *, rate: float, momentum: float
) -> tuple[Floats, Memory]:
    """theta and memory after v <- mu v - rho g, theta <- theta + v. The rule of Keras' documentation of SGD."""
    v = momentum * memory.get("v", np.zeros_like(theta)) - rate * g
    return theta + v, {"v": v}


def adam_step(
    theta: Floats, memory: Memory, g: Floats, t: int, *, rate: float, beta_1: float, beta_2: float, epsilon: float
) -> tuple[Floats, Memory]:
    """theta and memory after step t = 1, 2, … of Kingma & Ba (2015), Algorithm 1, with epsilon where Keras has it.

    That is the "epsilon hat" at the end of the paper's section 2: in Algorithm 1's form it is divided by
    sqrt(1 - beta_2^t), so that it weighs 32 times as much at the first step as in the thousands.
    """
    m = beta_1 * memory.get("m", np.zeros_like(theta)) + (1 - beta_1) * g
    s = beta_2 * memory.get("s", np.zeros_like(theta)) + (1 - beta_2) * g**2
    m_hat = m / (1 - beta_1**t)
    s_hat = s / (1 - beta_2**t)
    return theta - rate * m_hat / (np.sqrt(s_hat) + epsilon / np.sqrt(1 - beta_2**t)), {"m": m, "s": s}


# The rule, the Keras optimiser, and the constants that both are given, Keras' defaults where there are any.
RULES: Mapping[str, tuple[Rule, str, Mapping[str, float]]] = {
    "gradient descent": (gradient_step, "SGD", {}),
    "momentum": (momentum_step, "SGD", {"momentum": MOMENTUM}),
    "adam": (adam_step, "Adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
}


def softmax_regression(theta: Sequence[Floats], X: Floats, y: npt.NDArray[Any]) -> tuple[float, list[Floats]]:
    """Mean cross-entropy of the network without a hidden layer, and its gradient with respect to B and b.

    R = -1/n sum_i log f_{y_i}(x_i) with f = softmax(b + X B). theta: B (p, outputs) and b (outputs,). X: (n, p).
    y: (n,). Slides "Softmax Output" and "Cross-Entropy Loss".
    """
    B, b = theta
    z = X @ B + b
    log_f = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    chosen = np.arange(len(y)), y
    residual = np.exp(log_f)  # f - Y, (n, outputs)
    residual[chosen] -= 1
    return -float(log_f[chosen].mean()), [X.T @ residual / len(y), residual.mean(axis=0)]


def single(value: float) -> float:
    """The nearest number that 32 bits hold: 0.9 becomes 0.8999999761581421."""
    return float(np.float32(value))


def rule_against_keras(
    dataset: Dataset, rng: np.random.Generator, *, rule: str, rate: float, batch_size: int
) -> Measured:
    """How far a rule of `RULES` and Keras' optimiser come apart in 100 steps, both in float64 on the same gradients.

    The objective is the cross-entropy of a softmax regression on 2,000 training images, from theta = 0; each gradient
    is that of a batch, where NumPy's theta is. deviation: the largest difference of any parameter at any step, divided
    by the largest parameter of that step. loss before, loss after: R on all 2,000.

    The constants are those that 32 bits hold. Keras keeps the learning rate so, whatever the parameters' type; and
    TensorFlow takes Adam's betas by way of 32 bits, where 1 - 0.999 is off by 1.3e-5 of itself. The step divides by
    its root, so that 100 steps would end 6e-6 of their way off, which is no fault of the rule.
    """
    import keras

    step, optimizer_name, printed = RULES[rule]
    constants = {name: single(value) for name, value in printed.items()}
    examples = rng.permutation(len(dataset.train.y))[:EXAMPLES]
    X = np.asarray(dataset.train.X[examples], dtype=np.float64).reshape(len(examples), -1) / dataset.scale
    y = np.asarray(dataset.train.y[examples])
    theta = [np.zeros((X.shape[1], len(dataset.classes))), np.zeros(len(dataset.classes))]
    memories: list[Memory] = [{}, {}]
    before, _ = softmax_regression(theta, X, y)
    deviation = 0.0
    with float64():
        optimizer = getattr(keras.optimizers, optimizer_name)(learning_rate=single(rate), **constants)
        variables = [keras.Variable(values, dtype="float64") for values in theta]
        optimizer.build(variables)
        for t in range(1, STEPS + 1):
            batch = rng.choice(len(y), min(batch_size, len(y)), replace=False)
            _, gradient = softmax_regression(theta, X[batch], y[batch])
            optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64") for g in gradient], variables)
            for i, g in enumerate(gradient):
                theta[i], memories[i] = step(theta[i], memories[i], g, t, rate=single(rate), **constants)
            moved = [keras.ops.convert_to_numpy(variable.value) for variable in variables]
            apart = max(float(np.abs(ours - theirs).max()) for ours, theirs in zip(theta, moved, strict=True))
            deviation = max(deviation, apart / max(float(np.abs(values).max()) for values in theta))
    after, _ = softmax_regression(theta, X, y)
    return Measured({"deviation": deviation, "loss before": before, "loss after": after})


def float64() -> contextlib.AbstractContextManager[Any]:
    """A context in which Keras' variables may have 64 bits: JAX rounds them to 32 otherwise."""
    import keras

    if keras.config.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)  # type: ignore[no-any-return]


def trained(optimizer: str, rate: float | Choice, batch_size: int = BATCH, **options: Any) -> Training:
    """How the network is trained: everything but the optimiser and its rate is the same for all."""
    return Training(optimizer, rate, batch_size=batch_size, epochs=EPOCHS, options=options, looks=LOOKS)


def network(name: str, title: str, training: Training, *notes: str) -> Network:
    """The 256-128 network of slide "Example: MNIST Digits", trained so."""
    return Network(name, title, two_layer, training, notes=notes, units=(256, 128))


OWN = (
    network(
        "full_batch",
        "Full-batch gradient descent",
        trained("sgd", OWN_RATE, ALL),
        "As many passes over the data as the others, so one step where they make 375: at equal passes it has hardly"
        " begun. A pass costs it no less.",
    ),
    network("sgd", "SGD", trained("sgd", OWN_RATE)),
    network("momentum", "SGD with momentum", trained("sgd", OWN_RATE, momentum=MOMENTUM)),
    network("adam", "Adam", trained("adam", OWN_RATE)),
)
COMMON = (
    network("sgd_common", f"SGD, rate {COMMON_RATE}", trained("sgd", COMMON_RATE)),
    network("momentum_common", f"Momentum, rate {COMMON_RATE}", trained("sgd", COMMON_RATE, momentum=MOMENTUM)),
    network("adam_common", f"Adam, rate {COMMON_RATE}", trained("adam", COMMON_RATE)),
)


def update(name: str, title: str, rule: str, rate: float, batch_size: int = BATCH) -> Experiment:
    """A rule of `RULES` held against Keras. Once: other batches would be other gradients, and the same for both."""
    return Experiment(
        name, title, rule_against_keras, deterministic=True, backend=True, rule=rule, rate=rate, batch_size=batch_size
    )


UPDATES = (
    update("gradient_descent_rule", "Update rule of gradient descent", "gradient descent", 0.01, EXAMPLES),
    update("sgd_rule", "Update rule of SGD", "gradient descent", 0.01),
    update("momentum_rule", "Update rule of momentum", "momentum", 0.01),
    update("adam_rule", "Update rule of Adam", "adam", 0.001),
)
METHODS = (*OWN, *COMMON, *UPDATES)

SGD_SLIDE = "Stochastic Gradient Descent (SGD)"
MOMENTUM_SLIDE = "Stochastic Gradient Descent with Momentum"
ADAM_SLIDE = "Adam Optimizer"


def rule_claim(method: str, statement: str, slide: str, source: str, **protocol: Any) -> IdentityClaim:
    """That a rule written out as on the slide is what Keras does, within 1e-6 over 100 steps."""
    return IdentityClaim(
        method=method,
        statement=statement,
        tolerance=1e-6,
        dataset="mnist",
        source=source,
        slide=slide,
        protocol={
            "deviation": assumed(
                "the largest over 100 steps and all parameters, relative to the step's largest parameter",
                "this suite asks for 1e-6 over 100 steps; relative, since parameters grow from 0",
            ),
            "arithmetic": assumed(
                "float64 on both sides",
                "each of 100 steps in float32 may round by 6e-8, together by 6e-6, more than is allowed; in float64 "
                "they come to about 1e-14",
            ),
            "gradients": assumed(
                "of a softmax regression on 2,000 training images, the same for both",
                "a real objective; equal gradients leave the rule alone to differ",
            ),
            "constants": assumed(
                "rounded to float32 on both sides",
                "Keras keeps the rate so, and TensorFlow takes mu and the betas so: 1 - 0.999 then is off by 1.3e-5, "
                "and Adam's steps by 6e-6 of themselves, more than is allowed",
            ),
            **protocol,
        },
    )


NETWORK = {
    "statement": assumed(
        "fewer steps until the validation error is at 3%, looked at four times an epoch",
        "the slides have titles alone; this suite asks for fewer epochs to 3%, and four looks tell runs apart that "
        "need as many epochs",
    ),
    "network": stated("784-256-128-10, ReLU, softmax, 235,146 parameters", "ISLP, sec. 10.2"),
    "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"; ISLP, sec. 10.7'),
    "batch size": stated("128", "ISLP, sec. 10.7.2"),
    "validation": stated("20% of train held out, 48,000 fitted", "ISLP, sec. 10.7.2"),
    "epochs": assumed(
        f"{LECTURE_EPOCHS} in the lecture profile, {EPOCHS} in full",
        "published runs at smaller rates let one expect two to four for SGD at the rate 0.3",
    ),
    "never there": assumed("slower than every run that was, and as slow as each other", "such runs are not dropped"),
    "momentum": assumed("0.9", "Keras has no default but 0; the usual value (Krizhevsky et al. 2012, sec. 5)"),
    "Adam": stated("beta 0.9 and 0.999", "Kingma & Ba (2015), Algorithm 1"),
    "Adam's epsilon": assumed("1e-7, as Keras has it", "the paper's 1e-8 stands in another place"),
}
OWN_RATES = NETWORK | {
    "learning rate": assumed(
        f"each optimiser's own, one of {', '.join(f'{rate:g}' for rate in GRID)}",
        "about Keras' defaults, 0.001 for Adam and 0.01 for SGD, as far as either gets better; the first grid was "
        "0.001 to 0.3, where Adam and SGD were best at the ends on validation data",
    ),
    "choice": assumed(
        "the largest whose mean validation error after the last epoch is within one standard error of the best",
        "this suite's rule, fixed beforehand (ISLP, sec. 6.1.3); it looks for the lowest error in the end, not for the "
        "earliest 3%, so the claim is not what was optimised",
    ),
}
COMMON_RATES = NETWORK | {
    "learning rate": assumed(
        f"{COMMON_RATE} for all",
        "the middle of the first grid, fixed beforehand. At one rate momentum's steps are ten times as long in the end "
        "and Adam's do not depend on the gradient's size: this compares what a rate means, not how well each can do",
    ),
}


def sooner(faster: str, slower: str, slide: str, protocol: Mapping[str, Any]) -> TimeToTargetClaim:
    """That ``faster`` needs fewer steps than ``slower`` to 3% validation error."""
    return TimeToTargetClaim(
        faster=faster,
        slower=slower,
        target=TARGET,
        dataset="mnist",
        source="this suite",
        slide=slide,
        protocol=protocol,
        deviations=("The held-out 20% are drawn by the run's seed; Keras' validation_split takes the last ones.",),
    )


CLAIMS = (
    rule_claim(
        "gradient_descent_rule",
        "theta - rho g over all examples is a step of Keras' SGD",
        "Train Neural Networks",
        'slide "Train Neural Networks"',
        update=stated("theta <- theta - rho * grad R(theta)", 'slide "Train Neural Networks"'),
        rate=assumed("0.01", "Keras' default"),
    ),
    rule_claim(
        "sgd_rule",
        "theta - rho g over a batch is a step of Keras' SGD",
        SGD_SLIDE,
        'slide "Train Neural Networks"',
        update=stated("theta <- theta - rho * grad R(theta)", 'slide "Train Neural Networks"'),
        rate=assumed("0.01", "Keras' default"),
        batch=assumed("128", "the networks'"),
    ),
    rule_claim(
        "momentum_rule",
        "v <- mu v - rho g, theta <- theta + v is a step of Keras' SGD with momentum",
        MOMENTUM_SLIDE,
        "Keras 3, documentation of SGD",
        update=stated("v <- mu v - rho g, theta <- theta + v", "Keras 3, documentation of SGD"),
        rate=assumed("0.01, mu 0.9", "Keras' default rate; the usual mu"),
        batch=assumed("128", "the networks'"),
    ),
    rule_claim(
        "adam_rule",
        "Algorithm 1 with epsilon / sqrt(1 - beta_2^t) is a step of Keras' Adam",
        ADAM_SLIDE,
        "Kingma & Ba (2015), Algorithm 1 and the end of section 2",
        update=stated("m, v, both corrected for their start at 0", "Kingma & Ba (2015), Algorithm 1"),
        rate=stated("0.001, beta 0.9 and 0.999", "Kingma & Ba (2015), Algorithm 1"),
        epsilon=stated("1e-7, the paper's epsilon hat", "Keras 3, documentation of Adam"),
        batch=assumed("128", "the networks'"),
    ),
    sooner("momentum", "sgd", MOMENTUM_SLIDE, OWN_RATES),
    sooner("adam", "sgd", ADAM_SLIDE, OWN_RATES),
    sooner("momentum_common", "sgd_common", MOMENTUM_SLIDE, COMMON_RATES),
    sooner("adam_common", "sgd_common", ADAM_SLIDE, COMMON_RATES),
)


def draw_loss(figure: Any, rows: Mapping[str, Series], x: str, label: str) -> str:
    """Validation loss, logarithmic, of each method against ``x`` of its learning curve."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes = figure.add_subplot()
    for series in rows.values():
        series.band(axes, "validation_loss", x)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel=label, ylabel="validation loss", xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=2)
    ends = []
    for series in rows.values():
        at, losses = series.curve("validation_loss", x)
        if len(at):
            ends.append(f"{series.title} ends at {losses.mean(axis=0)[-1]:.3g}")
    return f"Validation loss by {label}: {'; '.join(ends)}."


def draw_loss_by_epoch(figure: Any, rows: Mapping[str, Series]) -> str:
    """Validation loss against passes over the data."""
    return draw_loss(figure, rows, "epoch", "epochs")


def draw_loss_by_seconds(figure: Any, rows: Mapping[str, Series]) -> str:
    """Validation loss against the time that the fit has taken."""
    return draw_loss(figure, rows, "seconds", "seconds")


def draw_target(figure: Any, rows: Mapping[str, Series]) -> str:
    """Validation error against the step, own rates above and one rate below; under the curves, when each run is there.

    A run's mark stands at its first look with an error at the target; runs of the same step stand side by side.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    from lecturebench.judging.verdicts import steps_until
    from lecturebench.report.style import INK

    target = float(TARGET.removesuffix("%")) / 100
    titles = "each at its own rate", f"all at the rate {COMMON_RATE}"
    panels = figure.subplots(2, 1, sharex=True, sharey=True)
    said, seen, handles = [], [target], []
    for axes, methods, title in zip(panels, (OWN[1:], COMMON), titles, strict=True):
        for lane, series in enumerate(rows[method.name] for method in methods):
            series.band(axes, "validation_error", "step")
            steps, errors = series.curve("validation_error", "step")
            seen += [*errors.ravel()]
            times = [steps_until(run, "validation error", target) for run in series.runs]
            there = sorted(time for time in times if np.isfinite(time))
            aside = [0.013 * steps.max(initial=1.0) * there[:i].count(time) for i, time in enumerate(there)]
            axes.plot(
                np.add(there, aside), [0.18 - 0.07 * lane] * len(there), series.style.marker, markersize=5,
                color=series.style.colour, transform=axes.get_xaxis_transform(), label="there",
            )  # fmt: skip
            when = f" after {there[0]:.0f} to {there[-1]:.0f} steps" if there else ""
            said.append(f"{series.title}, {title}: {len(there)} of {len(times)} runs{when}")
        handles += [line for line in axes.lines if line.get_label() != "there"]
        axes.axhline(target, color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
        axes.set_title(title, loc="left", fontsize=11, color=INK)
        axes.set(yscale="log", ylabel="validation error", xlim=(0, None))
        axes.yaxis.set_major_locator(FixedLocator([0.02, target, 0.05, 0.1, 0.2, 0.5, 1.0]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(axis="y", which="minor", left=False)
        axes.grid(axis="y")
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    low, high = min(seen), max(seen)
    # A quarter of the height is left for the marks.
    high = min(high, max(0.12, 4 * low))
    panels[1].set(xlabel="steps", ylim=(low * (low / high) ** 0.35, high))
    return f"At a validation error of {TARGET}: {'; '.join(said)}."


DRAWINGS = (
    Drawing(
        "loss-epochs",
        "Loss against epochs, each at its own rate",
        draw_loss_by_epoch,
        tuple(method.name for method in OWN),
        caption="Means over the seeds, bands from the lowest to the highest run. Full-batch gradient descent makes one"
        " step in each epoch, the others 375.",
        size=(5.6, 4.8),
    ),
    Drawing(
        "loss-seconds",
        "Loss against seconds, each at its own rate",
        draw_loss_by_seconds,
        tuple(method.name for method in OWN),
        caption="The same runs by the time that the fit has taken, looks at the validation data included.",
        size=(5.6, 4.8),
    ),
    Drawing(
        "target",
        f"Steps until {TARGET} validation error",
        draw_target,
        tuple(method.name for method in (*OWN[1:], *COMMON)),
        caption="The marks under the curves are what the claims compare: one for each run, at the first look with an"
        f" error of {TARGET} or less; runs of the same step stand side by side. A run without a mark never got there.",
        size=(5.6, 6.4),
    ),
)

BENCHMARK = Benchmark(
    title="Optimisers: what momentum and Adam gain over SGD",
    methods=METHODS,
    claims=CLAIMS,
    datasets=("mnist", "fashion_mnist", "digits"),
    drawings=DRAWINGS,
    profiles={
        "smoke": Profile(
            seeds=1, dataset="digits", epochs=2, train_size=512, grid=1, choice_seeds=2, judges=False, time_limit=300
        ),
        # 56 fits to choose rates and 35 to judge, of 3 to 7 seconds each, two at once: three to five minutes.
        "lecture": Profile(seeds=5, epochs=LECTURE_EPOCHS, choice_seeds=2, time_limit=1800),
        # 140 fits to choose rates and 140 to judge, of half a minute each: about an hour on two cores.
        "full": Profile(seeds=20, time_limit=3600),
    },
)
