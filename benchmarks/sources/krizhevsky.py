"""Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural networks" (NIPS 2012).

The paper of the opening slide, said once; and cuda-convnet, its first author's code, whose layer files have the details
of the CIFAR-10 networks that the paper leaves out.
"""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

PAPER = "Krizhevsky et al. (2012)"
LAYERS = "dnouri/cuda-convnet at e4ac0c1, example-layers"

# -- CIFAR-10 ---------------------------------------------------------------------------------------------------------

SECTION_3_3 = Source(
    source=f"{PAPER}, sec. 3.3",
    slide="Deep Learning",
    dataset="cifar10",
    protocol={
        "data": assumed("50,000 train, 10,000 test", "CIFAR-10 as it is published"),
        "network": stated(
            "a four-layer CNN", f"{PAPER}, sec. 3.3, whose footnote 3 leaves the details to cuda-convnet"
        ),
        "pooling": stated("windows of 3 x 3, stride 2: they overlap", LAYERS),
        "optimiser": stated("SGD, momentum 0.9, rate 0.001", LAYERS),
        "epochs": stated(
            "four fifths of train for 350 epochs, then all of it for 150, then two steps with a tenth of the rate",
            LAYERS,
        ),
        "augmentation": stated("crops and flips", LAYERS),
        "test": stated("the mean over several views of an image", LAYERS),
        "runs": assumed("one", "the paper prints one number and no spread"),
    },
)
PRINTED = {"normalised": "11%", "plain": "13%"}
NORMALISED = {
    "layers": stated(
        "conv 64 5x5, pool, norm, conv 64 5x5, norm, pool, local 64 3x3, local 32 3x3, softmax", f"{LAYERS}, -11pct"
    ),
    "normalisation": stated("local response", f"{PAPER}, sec. 3.3"),
    "its constants": assumed(
        "k = 2, n = 5, alpha = 1e-4, beta = 0.75", f"those of the ImageNet network in {PAPER}, sec. 3.3"
    ),
}
PLAIN = {
    "layers": stated("conv 64 5x5, pool, conv 64 5x5, pool, local 32 3x3, local 32 3x3, softmax", f"{LAYERS}, -13pct"),
    "normalisation": stated("none", f"{PAPER}, sec. 3.3"),
}
# Where our networks differ from the published ones.
ALL_IMAGES = (
    "Pixels have their middle taken off, not the mean image of the training set.",
    "All 50,000 images in each of 520 epochs: the files' four fifths for 350 of them choose when to go on, by hand.",
)
CONSTANTS = "Constants of the normalisation are those of the layer file, not of the ImageNet network."
# The paper speaks of normalisation alone, but its two networks differ in a layer too.
NOT_ALONE = (
    "By cuda-convnet's layer files the published pair differs in its third layer as well, 64 filters against 32.",
)
UNAUGMENTED = ("18%", "26%")  # two more networks: the project page, as secondary sources quote it

FIGURE_1 = Source(
    source=f"{PAPER}, Fig. 1",
    slide="Activation Function",
    dataset="cifar10",
    protocol={
        "network": assumed("a four-layer CNN without regularisation", "from memory of the figure's caption, not read"),
        "target": stated("25% training error, six times sooner by ReLU than by tanh", f"{PAPER}, Fig. 1"),
        "rates": assumed("chosen for each on validation data", "the paper prints none"),
    },
)

# -- ImageNet ---------------------------------------------------------------------------------------------------------

IMAGENET_TRAINING = {
    "network": stated("5 convolutions and 3 dense layers, 60 million parameters, 650,000 neurons", PAPER),
    "optimiser": stated("SGD, momentum 0.9, decay 0.0005, batch 128", f"{PAPER}, sec. 5"),
    "rate": stated("0.01, divided by 10 three times", f"{PAPER}, sec. 5"),
    "epochs": stated("about 90", f"{PAPER}, sec. 5"),
    "dropout": stated("0.5 in two dense layers", f"{PAPER}, sec. 5"),
    "test": stated("the mean over 10 patches of an image", f"{PAPER}, sec. 6"),
}
TABLE_1 = Source(
    source=f"{PAPER}, Table 1",
    slide="Deep Learning",
    dataset="imagenet2010",
    protocol={
        "data": stated("ILSVRC-2010, test", f"{PAPER}, Table 1"),
        "runs": assumed("one", "the paper prints one number and no spread"),
    },
)
TABLE_2 = Source(
    source=f"{PAPER}, Table 2",
    slide="Deep Learning",
    dataset="imagenet2012",
    protocol={
        "data": stated("ILSVRC-2012; top-1 and top-5 on validation, top-5 on test too", f"{PAPER}, Table 2"),
        "runs": assumed("one", "the paper prints one number and no spread"),
    },
)

# ILSVRC-2010 test: top-1, top-5 error.
PRINTED_TABLE_1 = {
    "sparse coding": ("47.1%", "28.2%"),  # the mean of several classifiers, as the next
    "SIFT + FVs": ("45.7%", "25.7%"),
    "CNN": ("37.5%", "17.0%"),
    "CNN, one patch": ("39.0%", "18.3%"),  # sec. 6, not the table: without the mean over 10 patches
}
# ILSVRC-2012: top-1 and top-5 error on validation, top-5 on test; None where the table has a dash.
ONE_CNN = ("40.7%", "18.2%")
PRINTED_TABLE_2 = {
    "SIFT + FVs": (None, None, "26.2%"),
    "1 CNN": (*ONE_CNN, None),
    "5 CNNs": ("38.1%", "16.4%", "16.4%"),
    "1 CNN, pretrained": ("39.0%", "16.6%", None),  # on all of ImageNet Fall 2011, as the next
    "7 CNNs, pretrained": ("36.7%", "15.4%", "15.3%"),
}
