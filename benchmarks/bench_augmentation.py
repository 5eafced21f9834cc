"""Data augmentation: do random crops lower the test error?

Slide "Tricks of Deep Learning": "Data Augmentation: Randomly crop the images". A training image x of h x w pixels gets
p zeros on each side, and a window of the old size is cut out,

    crop(x)_ij = padded_(i + r, j + c),    r, c uniform on {0, ..., 2 p},

drawn anew for every image in every epoch; a test image stays as it is. He et al. (2016, sec. 4.2) do so with p = 4 on
CIFAR-10 and mirror half of the images as well, which keeps the class of a coat or a ship and not that of a digit.

The windows are a function of (seed, step). That they are the same when repeated, others in every epoch, uniform over
all (2 p + 1)^2 offsets, and equal to slices of the padded image is checked. Whether crops lower the test error of a
small convolutional network at equal epochs is measured with 1,000, 10,000 and all training images.
"""

from collections.abc import Mapping
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from lecturebench import (
    Benchmark,
    Drawing,
    Experiment,
    IdentityClaim,
    Measured,
    Network,
    OrderClaim,
    Profile,
    Training,
    assumed,
    stated,
)
from lecturebench.models.convolutional import small_cnn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lecturebench.datasets import Dataset
    from lecturebench.report.series import Series

SLIDE = "Tricks of Deep Learning"
BATCH = 128
LEVEL = 1e-6  # of the chi-square test: a false alarm in a million


def window(image: np.ndarray, padding: int, row: int, column: int, mirrored: int = 0) -> np.ndarray:
    """The crop by its definition: the image (h, w, c) with zeros around, the window from (row, column) on, mirrored."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    cut = padded[row : row + height, column : column + width]
    return np.fliplr(cut) if mirrored else cut


def cropped(layer: Any, images: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """What the layer makes of images (n, h, w, c) in training, with windows (n, 3)."""
    import keras

    layer.mask = keras.ops.convert_to_tensor(windows)
    return np.asarray(keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(images), training=True)))


def drawn_windows(
    dataset: "Dataset", rng: np.random.Generator, padding: int, steps: int = 160, epochs: int = 5
) -> Measured:
    """What is true of the windows of one seed, each number 0 (chi_square: at most 1) where the statement holds.

    differing_bytes: between two times the same seed, windows and cropped images. differing_windows: when the steps are
    drawn in other chunks, or one alone. equal_epochs: pairs of epochs with the same windows. unseen_offsets: of the
    (2 p + 1)^2, those never drawn. chi_square: Pearson's statistic over offset and mirror, divided by the quantile that
    it exceeds with probability LEVEL. deviation: of the layer's images from `window`, which slices them with NumPy.
    The layer mirrors here: this is about arithmetic, and no network is trained on a mirrored digit.
    """
    from scipy.stats import chi2

    from lecturebench.models.layers import RandomCrop
    from lecturebench.training.outcome import streams

    seed = int(rng.integers(2**31))
    layers = [RandomCrop(padding, flip=True) for _ in range(2)]
    generators = [streams(seed)["augmentation"] for _ in layers]
    first, again = (
        np.stack([layer.draw(steps, BATCH, generator) for _ in range(epochs)])
        for layer, generator in zip(layers, generators, strict=True)
    )

    generator = streams(seed)["augmentation"]
    sizes = [1, 2, 3, steps - 6]
    chunks = np.concatenate([layers[0].draw(size, BATCH, generator) for size in sizes])
    alone = streams(seed)["augmentation"]
    alone.bit_generator.advance(3 * BATCH * (steps // 2))  # type: ignore[attr-defined]
    one = layers[0].draw(1, BATCH, alone)[0]
    differing = (chunks != first[0]).any(axis=-1).sum() + (one != first[0, steps // 2]).any(axis=-1).sum()

    images = np.asarray(dataset.train.X[:BATCH], np.float32) / np.float32(dataset.scale)
    crops, same = (cropped(layer, images, windows[0, 0]) for layer, windows in zip(layers, (first, again), strict=True))
    slices = np.stack([window(image, padding, *place) for image, place in zip(images, first[0, 0], strict=False)])

    side = 2 * padding + 1
    cells = first.reshape(-1, 3) @ [2 * side, 2, 1]
    counts = np.bincount(cells, minlength=2 * side**2)
    expected = len(cells) / len(counts)
    statistic = ((counts - expected) ** 2 / expected).sum()
    offsets = counts.reshape(side, side, 2).sum(axis=2)
    return Measured(
        values={
            "differing_bytes": sum(
                float((np.frombuffer(a.tobytes(), np.uint8) != np.frombuffer(b.tobytes(), np.uint8)).sum())
                for a, b in ((first, again), (crops, same))
            ),
            "differing_windows": float(differing),
            "equal_epochs": float(sum(np.array_equal(a, b) for a, b in combinations(first, 2))),
            "unseen_offsets": float((offsets == 0).sum()),
            "chi_square": float(statistic / chi2.isf(LEVEL, len(counts) - 1)),
            "deviation": float(np.abs(crops - slices).max()),
        },
        curve=tuple(
            {"row": float(row), "column": float(column), "share": float(offsets[row, column] / offsets.mean())}
            for row, column in product(range(side), range(side))
        ),
    )


def contact_sheet(dataset: "Dataset", rng: np.random.Generator, paddings: tuple[int, ...], epochs: int) -> Measured:
    """An image of each class with the windows of its first epochs: what the contact sheet is drawn from.

    deviation: of the layer's crops of these images from `window`. The curve has the images, one point per row of pixels
    without those that are 0 (colours as their mean, 0 to 255), and the windows, one point each. The sheet slices the
    images as `window` does: the deviation says that the layer's look the same.
    """
    from lecturebench.models.layers import RandomCrop
    from lecturebench.training.outcome import streams

    labels = np.asarray(dataset.train.y)
    height, width = dataset.train.X.shape[1:3]
    classes = np.unique(labels)[: max(1, min(10, 10_240 // (height * width)))]
    images = np.stack([dataset.train.X[int(np.argmax(labels == label))] for label in classes])
    curve: list[dict[str, float]] = []
    for i, image in enumerate(images):
        for line, pixels in enumerate(np.rint(image.mean(axis=2) * (255 / dataset.scale))):
            seen = {str(column): float(pixel) for column, pixel in enumerate(pixels) if pixel}
            if seen:
                curve.append({"image": float(i), "line": float(line), **seen})
    deviation = 0.0
    scaled = images.astype(np.float32) / np.float32(dataset.scale)
    for padding in paddings:
        layer = RandomCrop(padding)
        generator = streams(int(rng.integers(2**31)))["augmentation"]
        for epoch in range(1, epochs + 1):
            windows = layer.draw(1, len(images), generator)[0]
            crops = cropped(layer, scaled, windows)
            for i, place in enumerate(windows):
                deviation = max(deviation, float(np.abs(crops[i] - window(scaled[i], padding, *place)).max()))
                told = {"image": i, "padding": padding, "epoch": epoch, "row": place[0], "column": place[1]}
                curve.append({name: float(value) for name, value in told.items()})
    size = {"height": float(height), "width": float(width), "images": float(len(images))}
    return Measured(values={"deviation": deviation}, curve=(size, *curve))


# Images drawn, of which a fifth is held out: 1,000, 10,000 and 48,000 are fitted. Epochs: as many as the lecture's
# four and a half minutes on two cores allow, from the seconds of an epoch, before any error was seen.
SIZES = {"1000": (1_250, 40), "10000": (12_500, 8), "all": (None, 4)}
WORDS = {"1000": "1,000 images", "10000": "10,000 images", "all": "all images"}
CROPS = {"plain": ("No crop", 0), "crop2": ("Crop 2", 2), "crop4": ("Crop 4", 4)}


def trained(size: str) -> Training:
    """The recipe that all rows of one size share: the optimiser and batch of the error table."""
    train_size, epochs = SIZES[size]
    return Training("rmsprop", learning_rate=0.001, batch_size=BATCH, epochs=epochs, train_size=train_size)


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
    *(
        Experiment(
            f"windows{padding}",
            f"The windows of crop {padding}",
            drawn_windows,
            backend=True,
            notes=("Largest distance of the layer's pixels from NumPy's slices.",),
            padding=padding,
        )
        for padding in (2, 4)
    ),
    Experiment(
        "sheet", "The contact sheet", contact_sheet, deterministic=True, backend=True, paddings=(2, 4), epochs=4
    ),
)

WINDOWS = {
    "definition": assumed("p zeros on each side, a window of the old size, uniform", "He et al. 2016, sec. 4.2"),
    "numbers": assumed("three of the run's stream for each image, in the order of the steps", "this suite"),
    "sample": assumed("160 steps of 128 images in each of 5 epochs, per seed", "1,264 windows per offset of crop 4"),
}
STATEMENTS = {
    "differing_bytes": ("windows and images are the same bytes when repeated", 0.0, "a count"),
    "differing_windows": ("a step's windows do not depend on how many are drawn at once", 0.0, "a count"),
    "equal_epochs": ("no two epochs have the same windows", 0.0, "a count of pairs"),
    "unseen_offsets": ("every offset is drawn", 0.0, "a count"),
    "chi_square": (
        "offsets are uniform: the chi-square statistic is below its quantile",
        1.0,
        f"the statistic divided by its quantile at 1 - {LEVEL:g}, a level fixed beforehand",
    ),
    "deviation": ("a crop is a slice of the padded image, mirrored or not", 0.0, "pixels are copied, not computed"),
}
EFFECT = {
    "trick": stated("randomly crop the images", f'slide "{SLIDE}"'),
    "reading": assumed("it lowers the test error at equal epochs", "the slide names the trick and no effect"),
    "crop": assumed("2 zeros on each side", "the slide prints none; an eighth of a digit's width to either side"),
    "network": assumed("two 3 x 3 convolutions with 16 and 32 kernels, pooling, 20,490 parameters", "this suite"),
    "training": assumed("RMSprop, rate 0.001, batch 128", "the error table's"),
    "comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares nothing"),
}

CLAIMS = (
    *(
        OrderClaim(
            order=(f"crop2_{size}", f"plain_{size}"),
            dataset="mnist",
            source=f'slide "{SLIDE}"',
            slide=SLIDE,
            protocol=EFFECT
            | {
                "data": assumed(f"{WORDS[size]} fitted, besides a fifth held out", "effects depend on the size"),
                "epochs": assumed(f"{SIZES[size][1]}", "what the lecture's time allows; no source prints any"),
            },
        )
        for size in SIZES
    ),
    *(
        IdentityClaim(
            method=f"windows{padding}",
            statement=statement,
            tolerance=tolerance,
            metric=metric,
            dataset="mnist",
            source="this suite",
            slide=SLIDE,
            protocol=WINDOWS | {"tolerance": assumed(f"{tolerance:g}", why)},
        )
        for padding in (2, 4)
        for metric, (statement, tolerance, why) in STATEMENTS.items()
    ),
)


def draw_sheet(figure: "Figure", rows: Mapping[str, "Series"]) -> str:
    """Left an image of each class and its crops epoch by epoch, right how often each offset was drawn."""
    from lecturebench.report.style import INK

    points = rows["sheet"].runs[0].curve
    height, width, count = (int(points[0][name]) for name in ("height", "width", "images"))
    images = np.zeros((count, height, width, 1))
    for point in points[1:]:
        if "line" in point:
            for name, pixel in point.items():
                if name.isdecimal():
                    images[int(point["image"]), int(point["line"]), int(name), 0] = pixel
    places = [point for point in points if "padding" in point]
    paddings = sorted({int(point["padding"]) for point in places})
    epochs = int(max(point["epoch"] for point in places))

    gap = max(2, width // 10)
    starts = [0, *(width + 2 * gap + (width + gap) * k + 2 * gap * (k // epochs) for k in range(2 * epochs))]
    sheet = np.zeros((count * (height + gap) - gap, starts[-1] + width))
    paper = np.ones_like(sheet, dtype=bool)

    def put(i: int, column: int, image: np.ndarray) -> None:
        where = np.s_[i * (height + gap) : i * (height + gap) + height, starts[column] : starts[column] + width]
        sheet[where], paper[where] = image[:, :, 0], False

    for i, image in enumerate(images):
        put(i, 0, image)
    for point in places:
        i, padding = int(point["image"]), int(point["padding"])
        column = 1 + paddings.index(padding) * epochs + int(point["epoch"]) - 1
        put(i, column, window(images[i], padding, int(point["row"]), int(point["column"])))

    grid = figure.add_gridspec(len(paddings) + 1, 2, width_ratios=(3.4, 1), height_ratios=(*[9] * len(paddings), 1))
    axes = figure.add_subplot(grid[:, 0], anchor="N")
    axes.imshow(np.where(paper, np.nan, sheet), cmap="gray", vmin=0, vmax=255, interpolation="none")
    centres = [start + width / 2 for start in starts]
    axes.xaxis.tick_top()
    axes.set_xticks(centres[1:], [str(k % epochs + 1) for k in range(2 * epochs)])
    axes.tick_params(length=0)
    axes.set(yticks=[])
    axes.spines[:].set_visible(False)
    heads = {"image": centres[:1]}
    for k, padding in enumerate(paddings):
        heads[f"crop {padding}, epoch"] = centres[1 + k * epochs : 1 + (k + 1) * epochs]
    for text, over in heads.items():
        axes.annotate(
            *(text, (sum(over) / len(over), 1)), xycoords=("data", "axes fraction"), xytext=(0, 20),
            textcoords="offset points", ha="center", va="bottom", color=INK,
        )  # fmt: skip

    told = []
    for k, padding in enumerate(paddings):
        heat = figure.add_subplot(grid[k, 1])
        side = 2 * padding + 1
        shares = np.mean(
            [[point["share"] for point in run.curve] for run in rows[f"windows{padding}"].runs], axis=0
        ).reshape(side, side)
        picture = heat.imshow(shares, cmap="PuOr", vmin=0.8, vmax=1.2, interpolation="none")
        marked = ([0, padding, side - 1], [f"−{padding}", "0", f"{padding}"])
        heat.set_xticks(*marked)
        heat.set_yticks(*marked)
        heat.tick_params(length=0)
        heat.set_title(f"crop {padding}", fontsize=11, color=INK)
        told.append(f"crop {padding}, each of {side**2} offsets {shares.min():.2f} to {shares.max():.2f} times")
    scale = figure.add_subplot(grid[-1, 1])
    figure.colorbar(picture, cax=scale, orientation="horizontal", label="drawn / expected", ticks=[0.8, 1, 1.2])
    return (
        f"Images of {count} classes and their crops in epochs 1 to {epochs}, each shifted another way. As often as "
        f"expected: {'; '.join(told)}."
    )


def draw_size(figure: "Figure", rows: Mapping[str, "Series"]) -> str:
    """Test error against the number of training images, a line per crop through the means, runs as points."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes = figure.add_subplot()
    told = []
    ticks: dict[int, str] = {}
    for k, (name, (title, _)) in enumerate(CROPS.items()):
        series = [rows[f"{name}_{size}"] for size in SIZES]
        style = series[0].style
        fitted = [int(one.runs[0].dataset["n_train"]) for one in series]
        errors = [one.values("error") for one in series]
        ticks |= {n: f"{n:,}" for n in fitted}
        at = [n * 1.06 ** (k - 1) for n in fitted]  # side by side
        for x, values in zip(at, errors, strict=True):
            axes.plot([x] * len(values), values, style.marker, color=style.colour, markerfacecolor="none", alpha=0.75)
        means = [float(values.mean()) for values in errors]
        axes.plot(at, means, color=style.colour, marker=style.marker, label=title)
        told.append(
            f"{title} " + ", ".join(f"{100 * mean:.2f}% with {n:,}" for n, mean in zip(fitted, means, strict=True))
        )
    axes.set(xscale="log", yscale="log", xlabel="training images", ylabel="test error")
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", bottom=False)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=3)
    return f"Test error against the number of training images: {'; '.join(told)}."


DRAWINGS = (
    Drawing(
        "sheet",
        "Random crops, epoch by epoch",
        draw_sheet,
        methods=("sheet", "windows2", "windows4"),
        caption="Right: how often each offset of the window (down, across) was drawn, the mean over the seeds.",
        size=(5.6, 4.9),
    ),
    Drawing(
        "size",
        "Test error with and without crops",
        draw_size,
        methods=tuple(f"{name}_{size}" for size in SIZES for name in CROPS),
        caption="Open markers are runs, lines go through their means. Epochs are equal within a size alone.",
    ),
)

BENCHMARK = Benchmark(
    title="Data augmentation: random crops",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10"),
    stand_in="digits",
    profiles={
        "smoke": Profile(seeds=1, dataset="digits", epochs=1, train_size=256, judges=False, time_limit=300),
        "lecture": Profile(seeds=3, time_limit=900),
        "full": Profile(seeds=20, time_limit=1800),
    },
)
