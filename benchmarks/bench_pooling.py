"""Max and average pooling: the slides' example, and what the slides say of both, measured in a small CNN.

Slides "Max Pooling" and "Avg Pooling" pool one example by windows of 2 x 2 with stride 2:

    2 2 7 3
    9 4 6 1    max:  9 7    average:  4.25 4.25
    8 5 2 4          8 6              4.25 3.5
    3 1 2 6

and say that max pooling "mainly helps in extracting sharp features", average pooling in "extracting smooth features",
both to "reduce model variance and computation cost". Four networks differ in what stands between two resolutions:
max pooling, average pooling, none with convolutions that are computed on every second pixel alone (stride 2), and none
at all. What is measured:

- Sharpness: how much neighbours differ, the mean |x_ij - x_(i+1)j| and |x_ij - x_i(j+1)|, after pooling as a share of
  before; on test images and on the trained first layer's maps.
- Model variance: how much a prediction changes when the network is trained on other data (ISLP, sec. 2.2.2), two ways:
  of the probabilities, sum_m Var f_m(x) over networks with training sets of their own, the mean over test images x; and
  of the classes, the share of test images to which two such networks give another one.
- Computation cost: operations of one image, counted, and seconds to predict 10,000.
- Shifts: the share of test images that are predicted as another class when moved by one pixel.
"""

from functools import partial

from benchmarks.experiments.pooling import EPOCHS, MEMBERS, SUBSET, example, images, inside, pictures, several
from benchmarks.figures.pooling import draw_measured, draw_pictures
from benchmarks.sources.lecture import slide
from benchmarks.sources.pooled import ISLP, SCHERER, SPRINGENBERG
from lecturebench import Benchmark, Drawing, Experiment, Network, Schedule, Training, assumed, profiles
from lecturebench.models.convolutional import pooled_cnn

TITLES = {"max": "Max pooling", "average": "Average pooling", "strided": "Stride 2", "none": "No pooling"}

# Images drawn, of which a fifth is held out: 10,000 are fitted.
TRAINING = Training("adam", 0.001, batch_size=64, epochs=6, train_size=12_500, schedule=Schedule("cosine"))

METHODS = (
    *(
        Network(name, f"{title}: CNN", pooled_cnn, TRAINING, probe=partial(inside, pooling=name), pooling=name)
        for name, title in TITLES.items()
    ),
    Experiment(
        *("example", "The slides' example", example),
        deterministic=True,
        backend=True,
        notes=("Its row shows the largest difference from the slides' numbers.",),
    ),
    *(
        Experiment(
            *(f"{name}_variance", f"{title}: {MEMBERS} training sets", several, "variance"), backend=True, pooling=name
        )
        for name, title in TITLES.items()
    ),
    *(Experiment(f"{name}_images", f"{TITLES[name]}: images", images, "sharpness", pooling=name) for name in TITLES),
    Experiment(
        *("pictures", "The contact sheet", pictures, "shown"), deterministic=True, notes=("How many images it shows.",)
    ),
)

NETWORK = {
    "network": assumed("3 x 3 convolutions, 16 and 32 kernels, ReLU, a last layer", "the slides show none"),
    "training": assumed(
        "10,000 images drawn by the seed, 6 epochs of Adam, rate 0.001 with a cosine decay to 0, batch 64",
        "changed after a first run, whose 5,000 images left all networks far from trained",
    ),
}
SHARP = {"sharpness": assumed("mean |difference of neighbours|, after as a share of before", "the slides define none")}
MAPS = NETWORK | SHARP | {"maps": assumed("of the trained first layer, 500 test images", "what its pooling is given")}
PLAIN = SHARP | {"images": assumed("1,000 test images drawn by the seed", "no network decides what is sharp in them")}
VARIANCE = {
    "variance": assumed("sum_m Var f_m(x) and, added after a first run, the share of other classes", "ISLP 2.2.2"),
    "networks": assumed(f"{MEMBERS} a seed, first weights and {SUBSET} images of their own", "a minute for all"),
    "training": assumed(f"{EPOCHS} epochs of Adam, rate 0.001, batch 32", "of twice the images 8 were too few"),
    "compared": assumed("with the same network without pooling", 'slides say "reduce" and not from what'),
}
COST = NETWORK | {
    "cost": assumed("operations of one image; seconds to predict 10,000 on one thread", "the slides count nothing"),
    "compared": VARIANCE["compared"],
}
SHIFT = NETWORK | {"shift": assumed("one pixel", "the least there is")}
SAYING = '"extracting {} features, and reduce model variance and computation cost"'
MAX = slide("Max Pooling", "fashion_mnist", words=SAYING.format("sharp"))
AVERAGE = slide("Avg Pooling", "fashion_mnist", words=SAYING.format("smooth"))
EXACT = {"tolerance": assumed("0", "whole numbers and quarters, of which float32 rounds none")}

CLAIMS = (
    *(
        of.holds(
            *("example", f"{words} pools the slide's example as shown", 0.0, EXACT, metric),
            unit="in numbers from 1 to 9",
        )
        for of, what in ((MAX, "max"), (AVERAGE, "average"))
        for words, metric in ((f"Keras' {what} pooling", what), (f"the formula of {what}", f"{what}_formula"))
    ),
    MAX.order("average", "max", metric="sharpness", protocol=MAPS),
    MAX.order("average_images", "max_images", metric="sharpness", protocol=PLAIN),
    AVERAGE.order("average", "strided", metric="sharpness", protocol=MAPS),
    AVERAGE.order("average_images", "strided_images", metric="sharpness", protocol=PLAIN),
    *(
        of.order(name, "none", metric=metric, quantity=words, protocol=COST)
        for of, name in ((MAX, "max"), (AVERAGE, "average"))
        for metric, words in (("operations", "millions of operations"), ("seconds", "seconds"))
    ),
    *(
        of.order(f"{name}_variance", "none_variance", metric=metric, protocol=VARIANCE)
        for of, name in ((MAX, "max"), (AVERAGE, "average"))
        for metric in ("variance", "disagreement")
    ),
    ISLP.order("max", "none", metric="changed", quantity="share of answers that a shift changes", protocol=SHIFT),
    SCHERER.order("max", "average", protocol=NETWORK),
    SPRINGENBERG.alike(
        *("max", "strided"),
        within="1.0%",
        because="a point is about what 10,000 test images leave open: 0.3 points for an error of 10%, three times that",
        protocol=NETWORK,
    ),
)

DRAWINGS = (
    Drawing(
        *("pictures", "What passes through", draw_pictures, ("pictures",)),
        caption="Edges are by the slides' kernel, negative numbers left out; on the right a quarter of the numbers.",
        size=(5.6, 5.9),
    ),
    Drawing(
        *("slides", "Sharpness and model variance", draw_measured("slides", TITLES)),
        methods=(*TITLES, *(f"{name}_{what}" for name in TITLES for what in ("images", "variance"))),
        caption="A dot is a run, a bar the mean. Sharpness is a share of what it was before.",
        size=(5.6, 4.6),
    ),
    Drawing(
        *("network", "Error, shifts and cost", draw_measured("network", TITLES), tuple(TITLES)),
        caption="A dot is a run, a bar the mean. Without pooling the last layer has 16 times the weights.",
        size=(5.6, 4.6),
        shows="error",
    ),
)

BENCHMARK = Benchmark(
    title="Pooling: max, average, stride",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("fashion_mnist", "mnist", "cifar10"),
    stand_in="digits",
    profiles=profiles(),
)
