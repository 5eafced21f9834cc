"""Convolutional kernels: do libraries compute what the slides draw, and does a network learn such kernels itself?

Slides "Convolutional Kernel" move a window of 3 x 3 over an image, multiply it by a kernel and sum,

    A_ij = sum_a sum_b w_ab x_(i + a, j + b),

and show two kernels, edge detection and box blur:

    -1 -1 -1                 1 1 1
    -1  8 -1     and   1/9   1 1 1
    -1 -1 -1                 1 1 1

`formulas/convolution.py` has the sum written out. `keras.ops.conv`, which every convolutional layer calls, is compared
with it and with SciPy on test images: with and without zeros around, on every pixel and every second one. What all call
convolution is a cross-correlation. Mathematics turns the kernel by 180 degrees first, which changes neither of the
slides' kernels; so a third one, of random numbers, is compared as well.

A network is given no kernels: it learns them. Beside edge detection and blur, a 3 x 3 kernel can be a difference of
columns or of lines, which tells a direction; the three kinds are at right angles and take up 1, 1 and 2 of the 9
dimensions. How much of the first layer's energy, sum W^2, lies in them is compared with the same network's first
weights.
"""

from benchmarks.experiments.kernels import IMAGES, asymmetric, blur, edge, first_layer, photographs
from benchmarks.figures.kernels import draw_learned, draw_photographs
from benchmarks.sources.lecture import slide
from lecturebench import Benchmark, Drawing, Experiment, Network, Schedule, Training, assumed, profiles
from lecturebench.models.convolutional import small_cnn

ON_ROW = "Its row shows the largest difference from SciPy and from the sum, as a share of sum |w|."

# Images drawn, of which a fifth is held out: 10,000 are fitted.
LEARNING = Training("adam", 0.001, batch_size=64, epochs=5, train_size=12_500, schedule=Schedule("cosine"))
# One step that is too small to change a weight in single precision: nothing is fitted without a step.
NOTHING = Training("sgd", 1e-12, batch_size=128, epochs=1, train_size=160)

METHODS = (
    Experiment("edge", "Edge detection", edge, backend=True, notes=(ON_ROW,)),
    Experiment("blur", "Box blur", blur, backend=True, notes=(ON_ROW,)),
    Experiment("asymmetric", "A kernel of random numbers", asymmetric, backend=True, notes=(ON_ROW,)),
    Experiment(
        *("photographs", "On photographs", photographs, "kept"),
        deterministic=True,
        backend=True,
        notes=("Share of the differences between neighbouring pixels that blur leaves of the man with a camera.",),
    ),
    Network(
        *("first", "CNN, first weights", small_cnn, NOTHING),
        notes=("One step at a rate of 1e-12, which changes no kernel.",),
        probe=first_layer,
    ),
    Network("trained", "CNN, trained", small_cnn, LEARNING, probe=first_layer),
)

KERNEL = slide("Convolutional Kernel", "cifar10", kernels="edge detection (-1 around an 8) and box blur (1/9)")
CHECK = {
    "images": assumed(f"{IMAGES} of the test split in [0, 1], drawn by the seed, grey", "the sum holds of any image"),
    "windows": assumed("padding valid and same, stride 1 and 2", "the slides show one kernel on one picture"),
    "arithmetic": assumed("float32 by Keras, float64 by the references", "what networks compute in"),
    "tolerance": assumed(
        "1e-6 of sum |w|",
        "9 products, so at most 10 roundings of half an epsilon each, 6e-7, in whatever order they are summed",
    ),
}
LAYER = {
    "reading": assumed("training turns first kernels towards this kind", "the slides do not say what a network learns"),
    "network": assumed("two 3 x 3 convolutions with 16 and 32 kernels, max pooling, on colours", "this suite's CNN"),
    "training": assumed("Adam, rate 0.001 with a cosine decay to 0, batch 64, 5 epochs on 10,000 images", "a minute"),
    "measured": assumed("share of sum W^2 of the first layer", "paired by seed with the same network's first weights"),
}
SHARE = "of sum |w|"

CLAIMS = (
    *(
        KERNEL.holds(method, f"keras.ops.conv is {words}", 1e-6, metric=metric, protocol=CHECK, unit=SHARE)
        for method in ("edge", "blur", "asymmetric")
        for metric, words in (("scipy", "SciPy's cross-correlation"), ("sum", "the sum written out"))
    ),
    KERNEL.holds(
        *("asymmetric", "with the kernel turned by 180 degrees it is SciPy's convolution", 1e-6),
        metric="turned",
        protocol=CHECK,
        unit=SHARE,
    ),
    KERNEL.holds(
        *("edge", "edge detection makes an image of one grey 0 inside its border", 0.0),
        metric="constant",
        protocol={
            "images": assumed("one for each grey from 0 to 255", "whole numbers, of which float32 rounds no sum"),
            "border": assumed("left out", "zeros around are an edge: 3 or 5 of the 8 neighbours are missing"),
        },
        unit="greys of 0 to 255",
    ),
    KERNEL.holds(
        *("blur", "box blur keeps the mean of an image that its mirror image continues", 1e-6),
        metric="mean",
        protocol=CHECK
        | {
            "windows": assumed("every pixel, the outermost line repeated around", "each pixel is then in 9 windows"),
            "tolerance": assumed("1e-6", "the blur's 9 equal products and its rounded 1/9, 6e-7"),
        },
        unit="of white",
    ),
    *(
        KERNEL.saying(f"this suite: a first layer learns {words}").order(
            "first", "trained", metric=kind, quantity=f"share of the squared weights along {what}", protocol=LAYER
        )
        for kind, words, what in (
            ("edge", "edge detection", "edge detection"),
            ("blur", "to blur", "blurs"),
            ("oriented", "differences along a direction", "a direction"),
        )
    ),
)

DRAWINGS = (
    Drawing(
        "photographs",
        "Edge detection and box blur",
        draw_photographs,
        methods=("photographs",),
        caption="Each colour by itself, negative numbers black. Pictures are continued by their mirror image.",
        size=(5.6, 4.2),
    ),
    Drawing(
        "learned",
        "What the first layer learned",
        draw_learned,
        methods=("first", "trained"),
        caption="The 16 kernels of one seed, grey is 0. Below, every run's share of sum W² in three kinds of kernels; "
        "the mark is what kernels without any order have on average.",
        size=(5.6, 6.0),
    ),
)

BENCHMARK = Benchmark(
    title="Convolutional kernels: edge detection, blur and what is learned",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("cifar10", "fashion_mnist", "mnist"),
    stand_in="digits",
    profiles=profiles(),
)
