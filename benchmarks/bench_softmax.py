"""Softmax and cross-entropy: do the functions that networks are trained with keep what the formulas say?

Slide "Softmax Output" makes probabilities of 10 linear combinations Z_m, slide "Cross-Entropy Loss" a loss of them, the
negative multinomial log-likelihood:

    f_m(X) = Pr(Y = m | X) = exp(Z_m) / sum_l exp(Z_l),    -sum_i sum_m y_im log f_m(x_i).

Here Z = b + X B with the real test images in X and random b and B, scaled so that the largest |Z| is 10, or 10,000.
Nothing is fitted, and every number is a deviation that real arithmetic would make 0.

Computed as printed, exp(Z) overflows from Z = 88.7 on in float32 and from 709.8 on in float64. The other two rows
subtract the largest Z of an image first: exp of it cancels, so that no probability changes.
"""

from benchmarks.experiments.softmax import BATCH, CLASSES, EPSILON, keras_softmax, numpy_softmax, printed_softmax
from benchmarks.figures.softmax import draw_overflow
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Experiment, Profile, assumed

SUMS = "Its row shows how far the probabilities of an image sum from 1."

METHODS = (
    Experiment("numpy", "NumPy, float64: largest Z subtracted", numpy_softmax, notes=(SUMS,)),
    Experiment(
        "keras",
        "Keras, float32: trains networks",
        keras_softmax,
        backend=True,
        notes=(SUMS, "The loss of training steps is taken of the Z themselves, so that it needs no bound."),
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

SOFTMAX = slide("Softmax Output", formula="f_m = exp(Z_m) / sum_l exp(Z_l)")
CROSS_ENTROPY = slide(
    "Cross-Entropy Loss", formula="-sum_i sum_m y_im log f_m(x_i), negative multinomial log-likelihood"
)

IMAGES = {
    "Z": assumed("b + X B, X the test images, b and B standard normal, scaled", "the formulas hold of any Z"),
    "arithmetic": assumed(f"float32, epsilon {EPSILON['float32']:.3g}", "what networks are trained in"),
}
MODERATE = IMAGES | {"scale": assumed("largest |Z| is 10", "no probability underflows")}
EXTREME = IMAGES | {"scale": assumed("largest |Z| is 10,000", "the printed formula overflows from 88.7 on")}
LOSS = {
    "mean": assumed(f"of batches of {BATCH}", "training steps take means; the slide takes the sum"),
    "tolerance": assumed(
        f"{BATCH} epsilons",
        "half of them for the mean of 128 losses, half for the losses, 4 |Z| and fewer than 25 roundings of half an "
        "epsilon each, where the mean loss is above 1 (guessing has log 10)",
    ),
}

CLAIMS = (
    SOFTMAX.holds(
        *("keras", "Keras' softmax is exp(Z_m) / sum_l exp(Z_l) for |Z| up to 10,000", CLASSES * EPSILON["float32"]),
        metric="extreme",
        unit="in probability",
        protocol=EXTREME
        | {
            "images": assumed("the first 200 of the test split", "the reference is slow"),
            "reference": assumed("the printed formula in 25 decimal digits", "it neither overflows nor rounds"),
            "tolerance": assumed(
                f"{CLASSES} epsilons",
                "9 roundings in the sum of 10 terms and at most two in the division, half an epsilon each; of "
                "Z - max Z = -d the rounding, d / 2 epsilons, counts d exp(-d) / 2 < 0.2",
            ),
        },
    ),
    CROSS_ENTROPY.holds(
        *("keras", "Keras' cross-entropy is the negative multinomial log-likelihood", BATCH * EPSILON["float32"]),
        metric="likelihood",
        unit="of the log-likelihood",
        protocol=MODERATE
        | LOSS
        | {"reference": assumed("scipy.stats.multinomial, one draw, float64", "an independent implementation")},
    ),
    CROSS_ENTROPY.holds(
        *("keras", "Keras' cross-entropy is max Z - Z_y for |Z| up to 10,000", BATCH * EPSILON["float32"]),
        metric="extreme_loss",
        unit="of the loss",
        protocol=EXTREME
        | LOSS
        | {"left out": assumed("images whose largest Z leads by less than 40", "there log sum_l exp does not vanish")},
    ),
)

DRAWINGS = (
    Drawing(
        "overflow",
        "Why the largest Z is subtracted first",
        draw_overflow,
        ("numpy", "keras", "printed"),
        caption="Over 50 test images and all seeds, against 25 decimal digits. Crosses: the logarithm of the largest "
        "float.",
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
