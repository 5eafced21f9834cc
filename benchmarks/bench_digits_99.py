"""Digits at 99%: in how few steps, and in how many seconds on a laptop?

People race networks to 99% of MNIST's test images: one does it in 0.76 s on a graphics card (tuomaso/train_mnist_fast,
a GTX 1660 Ti). No source has a time on a processor, and no slide claims one, so this row claims none either. It shows
what the slide "Tricks of Deep Learning" calls "Learning Scheduler": the rate rises over the first fifth of three epochs
and falls to 0 with half a cosine, against the same network at Adam's own constant rate for eight.

The target is 1% of 6,000 held-out digits, looked at eight times an epoch. The test images are read once, at the end;
network, rate and epochs were chosen by validation errors of seeds that are not among the judged ones.
"""

from benchmarks.sources.lecture import race, slide
from lecturebench import Benchmark, Drawing, Network, Profile, Schedule, Training, assumed
from lecturebench.models.convolutional import quick_cnn
from lecturebench.report import stock as figures

TARGET = "1%"
ONE_CYCLE = Training(
    "adam", 0.005, batch_size=128, epochs=3, validation=0.1, schedule=Schedule("cosine", warmup=0.2), looks=8
)
CONSTANT = Training("adam", 0.001, batch_size=128, epochs=8, validation=0.1, looks=8)

METHODS = (
    Network("one_cycle", "One cycle of the rate, 3 epochs", quick_cnn, ONE_CYCLE),
    Network("constant", "Constant rate, 8 epochs", quick_cnn, CONSTANT),
)

TRICKS = slide("Tricks of Deep Learning")
PROTOCOL = {
    "target": assumed("1% of 6,000 held-out digits, looked at eight times an epoch", "the race is to 99%"),
    "rates": assumed(
        "one cycle up to 0.005 over 3 epochs; 0.001 throughout, Keras' default for Adam, over 8",
        "the first chosen by validation errors of seeds 100 and 101, the second not chosen",
    ),
    "batch": assumed("128", "chosen likewise"),
    "network": assumed("convolutions of 16 and 48 kernels 5 x 5, a dense layer of 128 units", "chosen likewise"),
    "validation": assumed("a tenth of train, drawn by the seed", "54,000 digits are fitted"),
}

CLAIMS = (race(TRICKS, "one_cycle", "constant", TARGET, PROTOCOL),)

DRAWINGS = (
    Drawing(
        *("seconds", "Validation error against seconds"),
        figures.curves("validation_error", "seconds", ylabel="validation error", log="y"),
        ("one_cycle", "constant"),
        caption="Means and ranges over the seeds, by the time that the fit has taken, looks included.",
    ),
)

BENCHMARK = Benchmark(
    title="Digits at 99%: one cycle of the learning rate",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist",),
    profiles={
        "smoke": Profile(seeds=1, epochs=1, train_size=512, judges=False, time_limit=300),
        "lecture": Profile(seeds=10, time_limit=900),
        "full": Profile(seeds=20, time_limit=1800),
    },
)
