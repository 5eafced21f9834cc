"""ImageNet 2012: the contest that the opening slide speaks of, and ResNet-18.

Slide "Deep Learning": deep networks "outperform traditional machine learning techniques by a large margin". AlexNet
(Krizhevsky et al. 2012) erred on 15.3% of the contest's test images by its first five answers, as seven networks
together, and the best traditional entry on 26.2%. One network had 18.2% on the validation images, which alone have
labels that can be had; 40.7% by its first answer. Slide "ResNet-18" draws a network with a fifth of AlexNet's
parameters; torchvision publishes 69.758% of first answers right for it, and 89.078% of first five.

The images must be asked for (`lecturebench data` says how) and are read where they lie. Ninety epochs of them are days
of a graphics card, and profile `full`; `lecture` shows on 2,000 images that both networks train.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.sources import krizhevsky
from benchmarks.sources.he import TORCHVISION_PRINTED, TORCHVISION_WEIGHTS
from lecturebench import Benchmark, Metric, Network, Predictions, Profile, Schedule, Training, assumed
from lecturebench.models.alexnet import alexnet
from lecturebench.models.residual import resnet


def top5_accuracy(y: Any, predictions: Predictions) -> float:
    """The share of images whose class is among the five with the largest probability."""
    five = np.argsort(-np.asarray(predictions.probabilities), axis=1, kind="stable")[:, :5]
    return float(np.mean((five == np.asarray(y)[:, None]).any(axis=1)))


TOP_5 = Metric("top5_accuracy", "higher", top5_accuracy, title="top-5 accuracy", percent=True, needs_probabilities=True)
DROPS = Schedule("pieces", pieces=((30, 1.0), (30, 0.1), (20, 0.01), (10, 0.001)))
EVERY_30 = Schedule("pieces", pieces=((30, 1.0), (30, 0.1), (30, 0.01)))
KRIZHEVSKY = Training("sgd", 0.01, batch_size=128, epochs=90, validation=0.0, options={"momentum": 0.9}, schedule=DROPS)
TORCHVISION = replace(KRIZHEVSKY, learning_rate=0.1, batch_size=256, schedule=EVERY_30)
WINDOWS: dict[str, Any] = {"border": 16, "flip": True}  # of 224 x 224, of images of 256 x 256

METHODS = (
    Network("alexnet", "AlexNet", alexnet, KRIZHEVSKY, views=True, decay=5e-4, **WINDOWS),
    Network("resnet18", "ResNet-18", resnet, TORCHVISION, decay=1e-4, **WINDOWS),
)

BY_HAND = {"drops of the rate": assumed("after 30, 60 and 80 of 90 epochs", "made where the error stood still")}
ALEXNET_OTHERWISE = (
    "The middle of the pixels' range is taken off, not the mean image.",
    "Colours are not shifted (sec. 4.1).",
)
RESNET_OTHERWISE = (
    "Windows of 224 x 224 out of the middle 256 x 256 of an image; torchvision's have random sizes and shapes.",
    "Pixels lie in [0, 1] and are not standardised.",
)

CLAIMS = (
    *(
        replace(krizhevsky.TABLE_2, metric=metric).number(
            *("alexnet", printed, krizhevsky.IMAGENET_TRAINING | BY_HAND, ALEXNET_OTHERWISE), profiles=("full",)
        )
        for metric, printed in zip(("error", "top5_error"), krizhevsky.ONE_CNN, strict=True)
    ),
    *(
        replace(TORCHVISION_WEIGHTS, metric=metric).number(
            *("resnet18", printed, {}, RESNET_OTHERWISE), profiles=("full",)
        )
        for metric, printed in zip(("accuracy", "top5_accuracy"), TORCHVISION_PRINTED[18][1:], strict=True)
    ),
)

BENCHMARK = Benchmark(
    title="ImageNet 2012: AlexNet and ResNet-18",
    methods=METHODS,
    claims=CLAIMS,
    metrics=(TOP_5,),
    datasets=("imagenet2012",),
    profiles={
        "smoke": Profile(seeds=1, epochs=1, train_size=128, judges=False, time_limit=1800),
        "lecture": Profile(seeds=1, epochs=2, train_size=2_000, time_limit=7200),
        "full": Profile(seeds=3, time_limit=30 * 86_400),
    },
)
