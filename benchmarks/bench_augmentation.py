"""Data augmentation: do random crops lower the test error?

Slide "Tricks of Deep Learning": "Data Augmentation: Randomly crop the images". A training image x of h x w pixels gets
p zeros on each side, and a window of the old size is cut out,

    crop(x)_ij = padded_(i + r, j + c),    r, c uniform on {0, ..., 2 p},

drawn anew for every image in every epoch; a test image stays as it is. He et al. (2016, sec. 4.2) do so with p = 4 on
CIFAR-10 and mirror half of the images as well, which keeps the class of a coat or a ship and not that of a digit.

Whether crops lower the test error of a small convolutional network at equal epochs is measured with 1,000, 10,000 and
all training images.
"""

from benchmarks.experiments.crops import contact_sheet
from benchmarks.figures.crops import by_size
from benchmarks.sources.source import Source
from lecturebench import Benchmark, Drawing, Experiment, Network, Schedule, Training, assumed, profiles, stated
from lecturebench.models.convolutional import small_cnn
from lecturebench.report import stock as figures

# Images drawn, of which a fifth is held out: 1,000, 10,000 and 48,000 are fitted. Epochs: as many as five minutes on
# two cores allow with five seeds, from the seconds of an epoch.
SIZES = {"1000": (1_250, 40), "10000": (12_500, 12), "all": (None, 6)}
WORDS = {"1000": "1,000 images", "10000": "10,000 images", "all": "all images"}
CROPS = {"plain": ("No crop", 0), "crop2": ("Crop 2", 2), "crop4": ("Crop 4", 4)}


def trained(size: str) -> Training:
    """The recipe that all rows of one size share.

    The rate falls to 0: at a constant rate RMSprop's last epoch swings by more than what crops do.
    """
    train_size, epochs = SIZES[size]
    return Training("adam", 0.001, batch_size=128, epochs=epochs, train_size=train_size, schedule=Schedule("cosine"))


METHODS = (
    *(
        Network(f"{name}_{size}", f"{title}, {WORDS[size]}", small_cnn, trained(size), crop=crop)
        for size in SIZES
        for name, (title, crop) in CROPS.items()
    ),
    *(
        Network(
            *(f"crop2_flip_{size}", f"Crop 2 and flip, {WORDS[size]}", small_cnn, trained(size)),
            datasets=("fashion_mnist", "cifar10"),
            crop=2,
            flip=True,
        )
        for size in SIZES
    ),
    Experiment(
        *("sheet", "The contact sheet", contact_sheet, "lost"),
        deterministic=True,
        notes=("Share of an image's brightness that a crop of the sheet cuts away, on average.",),
        paddings=(2, 4),
        epochs=4,
    ),
)

TRICKS = Source(
    source='slide "Tricks of Deep Learning"',
    slide="Tricks of Deep Learning",
    protocol={
        "trick": stated("randomly crop the images", 'slide "Tricks of Deep Learning"'),
        "reading": assumed("it lowers the test error at equal epochs", "the slide names the trick and no effect"),
        "crop": assumed("2 zeros on each side", "the slide prints none; an eighth of a digit's width to either side"),
        "network": assumed("two 3 x 3 convolutions with 16 and 32 kernels, pooling, 20,490 parameters", "this suite"),
        "training": assumed(
            "Adam, rate 0.001 with a cosine decay to 0, batch 128",
            "no source prints any; a rate that falls to 0 ends without swings",
        ),
        "comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares nothing"),
    },
)

CLAIMS = tuple(
    TRICKS.order(
        *(f"crop2_{size}", f"plain_{size}"),
        protocol={
            "data": assumed(f"{WORDS[size]} fitted, besides a fifth held out", "effects depend on the size"),
            "epochs": assumed(f"{epochs}", "what the lecture's time allows; no source prints any"),
        },
    )
    for size, (_, epochs) in SIZES.items()
)

DRAWINGS = (
    Drawing(
        "sheet",
        "Random crops, epoch by epoch",
        figures.images(
            "crops", columns=("image", *(f"crop {p}\nepoch {epoch}" for p in (2, 4) for epoch in range(1, 5)))
        ),
        methods=("sheet",),
        caption="An image of each class and its crops in four epochs: each is shifted another way.",
        size=(5.6, 6.4),
    ),
    Drawing(
        "size",
        "Test error with and without crops",
        by_size({name: title for name, (title, _) in CROPS.items()}, tuple(SIZES)),
        methods=tuple(f"{name}_{size}" for size in SIZES for name in CROPS),
        caption="Open markers are runs, lines go through their means. Epochs are equal within a size alone.",
        shows="error",
    ),
)

BENCHMARK = Benchmark(
    title="Data augmentation: random crops",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10"),
    stand_in="digits",
    profiles=profiles(),
)
