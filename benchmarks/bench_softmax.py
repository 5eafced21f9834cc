"""Softmax and cross-entropy: do the functions that networks are trained and measured with keep what the formulas say?

Slide "Softmax Output" makes probabilities of 10 linear combinations Z_m, slide "Cross-Entropy Loss" a loss of them, the
negative multinomial log-likelihood:

    f_m(X) = Pr(Y = m | X) = exp(Z_m) / sum_l exp(Z_l),    -sum_i sum_m y_im log f_m(x_i).

It follows that the probabilities of an image sum to 1; that adding a constant c to all its Z changes none of them, as
exp(c) cancels; and that the loss of class y is max Z - Z_y where one Z leads by far. Here Z = b + X B with the real
test images in X and random b and B, scaled so that the largest |Z| is 10, or 10,000. Nothing is fitted, and every
number is a deviation that real arithmetic would make 0.

Computed as printed, exp(Z) overflows from Z = 88.7 on in float32 and from 709.8 on in float64. The two implementations
judged here subtract the largest Z of an image first, c = -max Z.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from lecturebench import Benchmark, Drawing, Experiment, IdentityClaim, Measured, Profile, assumed, stated
from lecturebench.training.baselines import flat_inputs
from lecturebench.training.predictions import quick_look, softmax

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

CLASSES = 10
BATCH = 128  # examples in one mean of the loss: as many as a training step of the error table has
MODERATE, EXTREME = 10.0, 1e4  # the largest |Z|
SHIFTS = (0.1, 1.0, 10.0, 100.0, 1000.0)
STEP = 2.0**-10  # Z in such steps, and Z + c for a whole c up to 1000, need at most 20 of float32's 24 bits
LEAD = 40.0  # e^-40 is below half an epsilon of float64: added to 1, it vanishes
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
GRID = tuple(float(10 ** (k / 10)) for k in range(41))  # of the largest |Z| in the figure: 1 to 10,000
EXACT, DRAWN = 200, 50  # images that are also computed in decimal arithmetic, which is slow: for a claim, the figure
DIGITS = 25  # of that arithmetic; float64 has 16


def random_outputs(dataset: Dataset, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Z = b + X B (n, classes) float64 of the test images, b and B standard normal, and their labels (n,)."""
    X = flat_inputs(dataset, dataset.test.X).astype(float)
    classes = len(dataset.classes)
    B, b = rng.normal(size=(X.shape[1], classes)), rng.normal(size=classes)
    return b + X @ B, np.asarray(dataset.test.y)


def scaled(Z: np.ndarray, largest: float, precision: str) -> np.ndarray:
    """Z times the number that makes its largest |Z| equal to ``largest``, and positive; rounded to that precision."""
    return np.asarray(Z * (largest / Z.flat[np.abs(Z).argmax()]), dtype=precision)


def largest_deviation(found: np.ndarray, expected: np.ndarray | float) -> float:
    """The largest |found - expected|, infinite if a number is not finite."""
    distance = np.abs(np.asarray(found, dtype=float) - expected)
    return float(distance.max()) if np.isfinite(distance).all() else math.inf


def largest_share(found: np.ndarray | float, expected: np.ndarray | float) -> float:
    """The largest deviation as a share of what is expected, |found / expected - 1|."""
    return largest_deviation(np.asarray(found, dtype=float) / np.asarray(expected, dtype=float), 1.0)


def exact_probabilities(Z: np.ndarray) -> np.ndarray:
    """f_m = exp(Z_m) / sum_l exp(Z_l) of each row as printed, in `DIGITS` decimal digits, then rounded to float64."""
    with localcontext(prec=DIGITS):
        raised = [[Decimal(float(z)).exp() for z in row] for row in Z]
        sums = [sum(row) for row in raised]
        return np.array([[float(term / total) for term in row] for row, total in zip(raised, sums, strict=True)])


def scipy_loss(Z: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log Pr(Y = y), by SciPy's softmax and multinomial distribution of one draw, float64."""
    from scipy.special import softmax as scipy_softmax
    from scipy.stats import multinomial

    one_hot = np.eye(Z.shape[1], dtype=int)[y]
    return float(-np.mean(multinomial.logpmf(one_hot, n=1, p=scipy_softmax(Z.astype(float), axis=1))))


def lead_loss(Z: np.ndarray, y: np.ndarray) -> float:
    """The mean of max Z - Z_y, float64: the cross-entropy where the largest Z leads by far."""
    exact = Z.astype(float)
    return float(np.mean(exact.max(axis=1) - exact[np.arange(len(y)), y]))


def clear(Z: np.ndarray) -> np.ndarray:
    """Whether the largest Z of a row leads the second by at least `LEAD`, (n,) booleans."""
    ordered = np.sort(Z.astype(float), axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] >= LEAD)


def largest_of_batches(
    loss: Callable[..., float], expected: Callable[..., float], Z: np.ndarray, y: np.ndarray
) -> float:
    """The largest deviation of a loss from another as a share of it, over batches of `BATCH` examples in order."""
    pieces = [(Z[i : i + BATCH], y[i : i + BATCH]) for i in range(0, len(y), BATCH)]
    return max(largest_share(loss(*piece), expected(*piece)) for piece in pieces)


def identities(
    Z: np.ndarray,
    y: np.ndarray,
    precision: str,
    probabilities: Callable[[np.ndarray], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], float],
) -> Measured:
    """How far ``probabilities`` and ``loss`` are from what holds of the formulas, at Z in their precision.

    deviation: of the sum of the probabilities from 1. shift: of those of Z + c from those of Z as a share, the largest
    over `SHIFTS`. exact_shift: the same where Z + c is not rounded. likelihood: of the mean loss of a batch from the
    multinomial log-likelihood, as a share. extreme: of the probabilities of `EXACT` images at |Z| up to 10,000 from
    exact ones. extreme_loss: of the mean loss there from that of max Z - Z_y, as a share, over the images whose
    largest Z leads by `LEAD`.
    """
    moderate, extreme = scaled(Z, MODERATE, precision), scaled(Z, EXTREME, precision)
    coarse = np.asarray(np.rint(moderate / STEP) * STEP, dtype=precision)

    def moved(start: np.ndarray, c: float) -> float:
        return largest_share(probabilities(start + start.dtype.type(c)), probabilities(start))

    shifts = {c: moved(moderate, c) for c in SHIFTS}
    leads = clear(extreme)
    values = {
        "deviation": largest_deviation(probabilities(moderate).astype(float).sum(axis=1), 1.0),
        "shift": max(shifts.values()),
        "exact_shift": max(moved(coarse, c) for c in SHIFTS if c == round(c)),
        "likelihood": largest_of_batches(loss, scipy_loss, moderate, y),
        "extreme": largest_deviation(probabilities(extreme[:EXACT]), exact_probabilities(extreme[:EXACT])),
        "extreme_loss": largest_of_batches(loss, lead_loss, extreme[leads], y[leads]),
    }
    curve = [{"shift": c, "moved": share} for c, share in shifts.items()]
    for largest in GRID:
        at = scaled(Z[:DRAWN], largest, precision)
        curve.append({"largest": largest, precision: largest_deviation(probabilities(at), exact_probabilities(at))})
    return Measured(values, tuple(curve))


def numpy_softmax(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """The `identities` of the softmax that predictions are made by and of a record's loss, in float64."""
    return identities(*random_outputs(dataset, rng), "float64", softmax, recorded_loss)


def recorded_loss(Z: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log f_y as learning curves have it."""
    return quick_look("classification", Z, y)["loss"]


def keras_softmax(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """The `identities` of ``keras.ops.softmax`` and of the loss that networks minimise, in float32 on the backend."""
    return identities(*random_outputs(dataset, rng), "float32", keras_probabilities, minimised_loss)


def keras_probabilities(Z: np.ndarray) -> np.ndarray:
    """Keras' softmax of each row."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(Z), axis=-1)))


def minimised_loss(Z: np.ndarray, y: np.ndarray) -> float:
    """The mean cross-entropy of a batch that training steps differentiate."""
    from keras import ops

    from lecturebench.training.backends.objective import objective

    loss, _ = objective("classification", ops.convert_to_tensor(y.astype(np.int32)), ops.convert_to_tensor(Z))
    return float(ops.convert_to_numpy(loss))


def printed_softmax(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """Where the formula as printed stops to give numbers, in float32 and in float64, and how it deviates before.

    overflow_…: of the largest Z at which it gives numbers from the logarithm of the largest float, as a share.
    deviation: the larger of the two.
    """
    Z, _ = random_outputs(dataset, rng)
    limits = {precision: math.log(float(np.finfo(precision).max)) for precision in EPSILON}
    overflow = {f"overflow_{name}": largest_share(largest_finite(name), limit) for name, limit in limits.items()}
    curve = []
    for largest in GRID:
        point = {"largest": largest}
        for precision in EPSILON:
            at = scaled(Z[:DRAWN], largest, precision)
            point[precision] = largest_deviation(as_printed(at), exact_probabilities(at))
        curve.append(point)
    return Measured({"deviation": max(overflow.values()), **overflow}, tuple(curve))


def as_printed(Z: np.ndarray) -> np.ndarray:
    """f_m = exp(Z_m) / sum_l exp(Z_l) of each row in the precision of Z, nothing subtracted; NaN where it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        raised = np.exp(Z)
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def largest_finite(precision: str) -> float:
    """The largest t of that precision for which the printed formula gives numbers at Z = (t, 0, …, 0); by halving."""
    low, high = 1.0, 1e4
    while True:
        Z = np.zeros((1, CLASSES), precision)
        Z[0, 0] = (low + high) / 2
        middle = float(Z[0, 0])
        if middle in (low, high):
            return low
        if np.isfinite(as_printed(Z)).all():
            low = middle
        else:
            high = middle


METHODS = (
    Experiment(
        "numpy",
        "NumPy, float64: measures predictions",
        numpy_softmax,
        notes=(
            "Its row shows how far the probabilities of an image sum from 1.",
            "The loss of a record is taken of probabilities, none counted as below 1.2e-38, so that no image counts "
            "for more than 87.3. At |Z| = 10,000 it is therefore not max Z - Z_y, and no claim says so.",
        ),
    ),
    Experiment(
        "keras",
        "Keras, float32: trains networks",
        keras_softmax,
        backend=True,
        notes=(
            "Its row shows how far the probabilities of an image sum from 1.",
            "The loss of training steps is taken of the Z themselves, so that it needs no bound.",
        ),
    ),
    Experiment(
        "printed",
        "As printed: nothing subtracted",
        printed_softmax,
        notes=(
            "Its row shows how far the largest Z that gives numbers is from the logarithm of the largest float, as a "
            "share; no image changes that.",
        ),
    ),
)

SOFTMAX = {"formula": stated("f_m = exp(Z_m) / sum_l exp(Z_l)", 'slide "Softmax Output"')}
CROSS_ENTROPY = {
    "formula": stated(
        "-sum_i sum_m y_im log f_m(x_i), negative multinomial log-likelihood", 'slide "Cross-Entropy Loss"'
    ),
    "mean": assumed("of batches of 128", "training steps take means; the slide takes the sum"),
}
IMAGES = {
    "Z": assumed("b + X B, X the test images, b and B standard normal, scaled", "the identities hold of any Z"),
    "images": assumed("the whole test split", "nothing is fitted or chosen here"),
}
MODERATE_Z = IMAGES | {"scale": assumed("largest |Z| is 10", "no probability underflows")}
EXTREME_Z = IMAGES | {"scale": assumed("largest |Z| is 10,000", "the printed formula overflows from 709.8 on")}
PRECISION = {"numpy": "float64", "keras": "float32"}


def identity(
    method: str, metric: str, statement: str, epsilons: float, why: str, slide: str, protocol: Mapping[str, Any],
    *, source: str = "this suite", precision: str = "",
) -> IdentityClaim:  # fmt: skip
    """The claim that an implementation keeps an identity within so many epsilons of its precision.

    why: the count behind ``epsilons``. Each rounding is half an epsilon at most; exp and log are good to one epsilon.
    """
    precision = precision or PRECISION[method]
    arithmetic = {
        "arithmetic": assumed(f"{precision}, epsilon {EPSILON[precision]:.3g}", "what the suite computes this in"),
        "tolerance": assumed(f"{epsilons:g} epsilons", why),
    }
    return IdentityClaim(
        method=method,
        metric=metric,
        statement=statement,
        tolerance=epsilons * EPSILON[precision],
        dataset="mnist",
        source=source,
        slide=slide,
        protocol={**protocol, **arithmetic},
    )


def of_implementation(method: str) -> tuple[IdentityClaim, ...]:
    """What is claimed of both, the NumPy and the Keras one."""
    return (
        identity(
            *(method, "deviation", "probabilities sum to 1", CLASSES),
            "the classes: 9 roundings in the sum of 10 terms and at most two in the division, half an epsilon each",
            "Softmax Output",
            SOFTMAX | MODERATE_Z,
            source='slide "Softmax Output"',
        ),
        identity(
            *(method, "exact_shift", "unchanged by c added to every Z, exactly where Z + c is exact", 0),
            "Z + c less its largest is Z less its largest, bit for bit",
            "Softmax Output",
            SOFTMAX
            | IMAGES
            | {"scale": assumed("largest |Z| is 10, Z in steps of 2^-10, c = 1, 10, 100, 1000", "20 bits hold Z + c")},
        ),
        identity(
            *(method, "shift", "unchanged by c added to every Z, each as a share of itself"),
            max(SHIFTS) + 5 * MODERATE + 2 * CLASSES,
            "c + 5 max|Z| + 2 classes: rounding Z + c moves log f by up to |Z| + c epsilons; Z less its largest, up to "
            "2 |Z|, by 2 |Z| before and after; exp, sum and division by the rest",
            "Softmax Output",
            SOFTMAX | MODERATE_Z | {"c": assumed("0.1, 1, 10, 100, 1000", "large enough that Z + c is rounded")},
        ),
        identity(
            *(method, "likelihood", "cross-entropy is the negative multinomial log-likelihood", BATCH),
            "the batch: half of it for the mean of 128 losses, half for the losses, 4 |Z| and fewer than 25 roundings "
            "of half an epsilon each, where the mean loss is above 1 (guessing has log 10)",
            "Cross-Entropy Loss",
            CROSS_ENTROPY
            | MODERATE_Z
            | {"reference": assumed("scipy.stats.multinomial, one draw, float64", "an independent implementation")},
            source='slide "Cross-Entropy Loss"',
        ),
        identity(
            *(method, "extreme", "probabilities are right for |Z| up to 10,000", CLASSES),
            "the classes, as for the sum: of Z - max Z = -d the rounding, d / 2 epsilons, counts d exp(-d) / 2 < 0.2",
            "Softmax Output",
            SOFTMAX
            | EXTREME_Z
            | {
                "images": assumed("the first 200 of the test split", "the reference is slow"),
                "reference": assumed("the printed formula in 25 decimal digits", "it neither overflows nor rounds"),
            },
        ),
    )


CLAIMS = (
    *of_implementation("numpy"),
    *of_implementation("keras"),
    identity(
        *("keras", "extreme_loss", "cross-entropy is max Z - Z_y for |Z| up to 10,000", BATCH),
        "the batch: the mean of 128 losses has as many roundings of half an epsilon; the rest for the losses",
        "Cross-Entropy Loss",
        CROSS_ENTROPY
        | EXTREME_Z
        | {"left out": assumed("images whose largest Z leads by less than 40", "there log sum_l exp does not vanish")},
    ),
    *(
        identity(
            *(
                "printed",
                f"overflow_{precision}",
                f"the printed formula overflows from Z = {limit} on in {precision}",
                2,
            ),
            "one parts two neighbouring floats, and exp may overflow one float too early",
            "Softmax Output",
            SOFTMAX | {"Z": assumed("(t, 0, …, 0), the largest t that gives numbers", "against log(largest float)")},
            precision=precision,
        )
        for precision, limit in (("float32", "88.7"), ("float64", "709.8"))
    ),
)

FLOAT_DASHES = {"float32": (0, (1, 1.2)), "float64": "-"}
NOTHING, NUMBERS_END = 1e-18, 1e-2  # on the figure's log axis: the place of 0, and of NaN everything above


def draw_overflow(figure: Any, rows: Mapping[str, Series]) -> str:
    """Largest deviation of a probability against the largest |Z|, of the printed formula and both implementations."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    from lecturebench.report.figures import short
    from lecturebench.report.style import INK, WRONG

    axes = figure.add_subplot()
    middle = NUMBERS_END**0.5
    axes.axhspan(NUMBERS_END, 1, color=WRONG, alpha=0.12, linewidth=0)
    axes.text(1.2, middle, "NaN", color=WRONG, va="center", fontweight="bold")
    ends = []
    for method, precision, words in (
        ("printed", "float32", "as printed"),
        ("printed", "float64", "as printed"),
        ("keras", "float32", "largest Z subtracted"),
        ("numpy", "float64", "largest Z subtracted"),
    ):
        series = rows[method]
        at, table = series.curve(precision, "largest")
        worst = table.max(axis=0)
        finite = np.isfinite(worst)
        look = {"color": series.style.colour, "linestyle": FLOAT_DASHES[precision]}
        label = f"{words}, {precision}"
        drawn = np.maximum(worst[finite], NOTHING)
        axes.plot(
            at[finite],
            drawn,
            marker=series.style.marker,
            markevery=(5 * (method == "printed"), 10),
            label=label,
            **look,
        )
        if finite.all():
            continue
        limit = math.log(float(np.finfo(precision).max))
        axes.plot([limit, limit], [worst[finite][-1], middle], **look)
        axes.plot([limit], [middle], "x", markersize=11, markeredgewidth=4, color=WRONG)
        axes.annotate(f"{limit:.1f}", (limit, middle), (10, 0), textcoords="offset points", va="center", color=INK)
        ends.append(f"in {precision} the printed formula gives no numbers from Z = {limit:.1f} on")
    axes.set(xscale="log", yscale="log", xlim=(1, 1e4), ylim=(NOTHING, 1))
    axes.set(xlabel="largest |Z|", ylabel="largest deviation of f")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticks([NOTHING, *(10.0**-k for k in (15, 12, 9, 6, 3))])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if value == NOTHING else short(value)))
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=2)
    return (
        f"Largest deviation of a probability against the largest |Z|, both on log axes: {'; '.join(ends)}. "
        "With the largest Z subtracted first, it is never far above the epsilon of its precision."
    )


def draw_shift(figure: Any, rows: Mapping[str, Series]) -> str:
    """Largest share by which a probability changes against the constant added to every Z, with what rounding allows."""
    from matplotlib.ticker import FuncFormatter

    from lecturebench.report.figures import short
    from lecturebench.report.style import MUTED

    axes = figure.add_subplot()
    told: list[str] = []
    for method, precision in reversed(PRECISION.items()):
        series = rows[method]
        c, table = series.curve("moved", "shift")
        allowed = EPSILON[precision] * (c + 5 * MODERATE + 2 * CLASSES)
        look = {"color": series.style.colour, "linestyle": FLOAT_DASHES[precision]}
        axes.plot(c, table.max(axis=0), marker=series.style.marker, label=precision, **look)
        axes.plot(c, allowed, color=MUTED, linewidth=1.2, label="what rounding allows" if told else None)
        told.append(f"{precision} {table.max():.2g} of {allowed[-1]:.2g} allowed at c = {c[-1]:g}")
    axes.set(xscale="log", yscale="log", xlabel="constant c added to every Z", ylabel="largest change, share of f")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.grid(axis="y")
    figure.legend(loc="outside lower left", ncols=3)
    return f"Largest relative change of a probability when c is added to every Z, on log axes: {'; '.join(told)}."


DRAWINGS = (
    Drawing(
        "overflow",
        "Why the largest Z is subtracted first",
        draw_overflow,
        ("numpy", "keras", "printed"),
        caption="Over 50 test images and all seeds, against 25 decimal digits. Crosses: the logarithm of the largest "
        "float.",
    ),
    Drawing(
        "shift",
        "Adding a constant to every Z",
        draw_shift,
        ("numpy", "keras"),
        caption="In real arithmetic f stays the same; what is seen is the rounding of Z + c. Where Z + c is exact, "
        "nothing changes at all.",
    ),
)

BENCHMARK = Benchmark(
    title="Softmax and cross-entropy in floating point",
    methods=METHODS,
    claims=CLAIMS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    drawings=DRAWINGS,
    profiles={
        "smoke": Profile(seeds=1, dataset="digits", judges=False, time_limit=300),
        "lecture": Profile(seeds=5, time_limit=300),
        "full": Profile(seeds=20, time_limit=300),
    },
)
