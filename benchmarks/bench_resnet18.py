"""Residual networks: do shortcuts address vanishing gradients, and is the identity easy with them?

Slide "Residual Neural Networks (ResNet)" states two things of a block that adds its input to what its layers make of
it,

    A_l+1 = g(A_l + F(A_l)):

1. "Address the issue of gradient vanishing". He et al. (2015, sec. 4.1) doubt that this was the trouble of plain
   networks: batch normalisation keeps their gradients healthy. So the gradient of the loss is measured, layer by layer,
   with shortcuts and without, with normalisation and without, at 18, 34 and 50 layers: how much of it arrives at the
   first layer, before and after an epoch, and the training loss after it.
2. "Easy to model identity function". A block whose last normalisation starts at 0 is the identity; and stacks with
   shortcuts and without are to learn to give back their input.

Slide "ResNet-18" draws the network; it is fitted to 10,000 digits. The published errors on CIFAR-10 take 200 epochs and
more: profile `full` has them, and how ResNet-20 of the same paper begins is seen on 5,000 images.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.experiments.parameters import count_parameters
from benchmarks.experiments.residual import fit_identity, gradient_norms, identity_block
from benchmarks.figures.residual import draw_beginning, draw_gradients, draw_identity
from benchmarks.sources import he
from lecturebench import Benchmark, Drawing, Experiment, Network, Profile, Schedule, Training, assumed
from lecturebench.models.residual import cifar_resnet, resnet

DEPTHS = (18, 34, 50)
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "residual": ("residual, normalised", {"residual": True, "normalised": True}),
    "plain": ("plain, normalised", {"residual": False, "normalised": True}),
    "residual_bare": ("residual, bare", {"residual": True, "normalised": False}),
    "plain_bare": ("plain, bare", {"residual": False, "normalised": False}),
}
# An epoch of 2,000 digits, minutes for networks of 11 to 24 million parameters, at a tenth of the published rate.
EPOCH = Training("sgd", 0.01, batch_size=64, epochs=1, train_size=2_500, options={"momentum": 0.9})
LIMITED = replace(EPOCH, options={"momentum": 0.9, "global_clipnorm": 1.0})
GRADIENTS = tuple(
    Network(
        *(f"{kind}_{depth}", f"{depth} layers, {words}", resnet, EPOCH if how["normalised"] else LIMITED),
        probe=partial(gradient_norms, build=partial(resnet, depth=depth, **how)),
        datasets=("mnist",),
        notes=he.LAGGING if how["normalised"] else (),
        depth=depth,
        **how,
    )
    for depth in DEPTHS
    for kind, (words, how) in KINDS.items()
)

# kuangliu/pytorch-cifar's recipe, with five epochs of warm-up in 200; He et al.'s for ResNet-20, in 64,000 steps.
COSINE = Schedule("cosine", warmup=0.025)
KUANGLIU = Training("sgd", 0.1, batch_size=128, epochs=200, validation=0.0, options={"momentum": 0.9}, schedule=COSINE)
DROPS = Schedule("pieces", pieces=((2, 1.0), (1, 0.1), (1, 0.01)))
HE = Training("sgd", 0.1, batch_size=128, epochs=164, validation=0.0, options={"momentum": 0.9}, schedule=DROPS)
CIFAR: dict[str, Any] = {"crop": 4, "flip": True, "datasets": ("cifar10",)}
FULL: dict[str, Any] = {"profiles": ("full",)}
BEGINNING = replace(HE, epochs=10, train_size=5_000)
COUNTED = partial(count_parameters, printed=he.ON_DIGITS)
# Three epochs, a rate between that epoch's and the published one for batches of 128: set beforehand, not chosen.
DIGITS = replace(EPOCH, learning_rate=0.03, epochs=3, train_size=12_500, schedule=Schedule("cosine"))
STACKS = ((2, "residual"), (2, "plain"), (8, "residual"), (8, "plain"))

METHODS = (
    Network("resnet18", "ResNet-18, CIFAR stem", resnet, KUANGLIU, stem="cifar", decay=5e-4, **CIFAR, **FULL),
    Network("resnet20", "ResNet-20", cifar_resnet, HE, depth=20, decay=1e-4, **CIFAR, **FULL),
    Network("beginning", "ResNet-20, 10 epochs of 5,000", cifar_resnet, BEGINNING, depth=20, decay=1e-4, **CIFAR),
    Network("digits", "ResNet-18, 10,000 digits", resnet, DIGITS, probe=COUNTED, datasets=("mnist",)),
    *GRADIENTS,
    Experiment("block", "A block that starts as the identity", identity_block, backend=True),
    *(
        Experiment(
            *(f"{kind}_stack_{blocks}", f"{blocks} {kind} blocks learn the identity", fit_identity, "steps"),
            backend=True,
            notes=("Adam steps until 99% of the input's variance is given back; 501 if 500 are not enough.",),
            blocks=blocks,
            residual=kind == "residual",
            rate=0.001,
        )
        for blocks, kind in STACKS
    ),
)

CLAIMS = (
    he.PYTORCH_CIFAR.number("resnet18", he.PYTORCH_CIFAR_PRINTED["ResNet18"], {}, **FULL),
    he.TABLE_6.number("resnet20", he.PRINTED[20], {}, he.MEAN_KEPT, **FULL),
    he.COUNTED.holds(
        *("digits", "torchvision's 11,689,512 parameters, fewer in the first layer and the last", 0, he.FEWER, "off"),
        unit="parameters",
    ),
    *(
        he.VANISHING.order(f"residual{bare}_{n}", f"plain{bare}_{n}", metric=name, quantity=words, protocol=said)
        for name, words, said in (
            ("lost_before", "powers of ten that the gradient loses before training", he.MEASURED),
            ("loss_after", "loss after training", he.AN_EPOCH),
        )
        for n in DEPTHS
        for bare in ("", "_bare")
    ),
    *(
        he.NOT_VANISHING.holds(
            *(f"plain_{depth}", "the first layer's gradient is within a factor of ten of the largest", 1.0),
            protocol=he.HEALTHY | he.MEASURED,
            metric="lost_before",
            unit="powers of ten",
        )
        for depth in DEPTHS
    ),
    he.IDENTITY.holds(
        *("block", "a block whose last normalisation starts at 0 is the identity", 1e-6),
        protocol={"tolerance": assumed("1e-6", "8 roundings of single precision; the rest is 0")},
        unit="in inputs of about 1",
    ),
    *(
        he.IDENTITY.order(f"residual_stack_{n}", f"plain_stack_{n}", metric="left", quantity=he.LEFT, protocol=he.EASY)
        for n in (2, 8)
    ),
)

SHOWN = {depth: {kind: words for kind, (words, _) in KINDS.items()} for depth in DEPTHS}
DRAWINGS = (
    Drawing(
        *("gradients", "The gradient, layer by layer", draw_gradients(SHOWN)),
        methods=tuple(f"{kind}_{depth}" for depth, kinds in SHOWN.items() for kind in kinds),
        caption="Norms of the gradient by each layer's kernel before training, from the input on, as shares of the "
        "largest; medians over the seeds.",
        size=(6.4, 6.4),
    ),
    Drawing(
        *("identity", "Learning the identity", draw_identity),
        methods=tuple(f"{kind}_stack_{blocks}" for blocks, kind in STACKS),
        caption="Squared error as a share of the input's variance; lines are means over the seeds.",
    ),
    Drawing("beginning", "How ResNet-20 begins", draw_beginning(he.PRINTED[20]), ("beginning",)),
)

BENCHMARK = Benchmark(
    title="Residual networks: gradients, the identity, and ResNet-18",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("cifar10", "mnist"),
    profiles={
        "smoke": Profile(seeds=1, dataset="digits", judges=False, time_limit=300),
        "lecture": Profile(seeds=3, time_limit=1800),
        "full": Profile(seeds=3, time_limit=86_400),
    },
)
