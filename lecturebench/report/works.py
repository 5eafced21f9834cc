"""What `make speed` measures: each work with its ways and targets, said once; benchmarks/speed runs it.

Another work is another entry of WORKS and the scripts of its ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lecturebench.declare.views import View
from lecturebench.declare.word_views import WordIndices

# Libraries by the name that they have as a way's backend, then as a module and in words.
LIBRARIES = {
    "tensorflow": ("tensorflow", "TensorFlow"),
    "jax": ("jax", "JAX"),
    "torch": ("torch", "PyTorch"),
    "scikit-learn": ("sklearn", "scikit-learn"),
}
FLOORS = ("floor", "floor_memory")
ON_A_CARD = 4  # runs at once, which share it; on processors there is one per core


@dataclass(frozen=True)
class Way:
    """A way to do a work: a script of benchmarks/speed that prints a line of JSON.

    script: its path there without ending; a peer's is under ``peers/``. options: {backend}, {device}, {seed}, {epochs},
    {seeds}, {cores}, {at_once}, {runs} and {x} stand for what the measurement was asked for. backends: None for those
    that are asked for. several: as many processes as there are runs at once. allowance: share by which its
    error may be off beside noise, and why. xs: what a growth is measured at. gpu: whether it can use one.
    """

    name: str
    title: str
    script: str
    options: tuple[str, ...] = ()
    backends: tuple[str, ...] | None = None
    several: bool = False
    allowance: float = 0.0
    because: str = ""
    xs: tuple[int, ...] = ()
    gpu: bool = True

    def called(self, device: str) -> str:
        """Its title on a device."""
        return self.title.format(several="per core" if device == "cpu" else f"{ON_A_CARD} at once")


@dataclass(frozen=True)
class Target:
    """How many times as fast one way is to be as the best of others, on two cores; of a floor, the share of it."""

    way: str
    backend: str
    against: tuple[str, ...]
    of: str
    at_least: float

    @property
    def share(self) -> bool:
        """Whether it is a share of a floor."""
        return self.against[0] in FLOORS


@dataclass(frozen=True)
class Work:
    """about: what is done; {x} is its size, the number of epochs or of seeds. rounds: unless others are asked for.

    minutes: of a round, about, on two cores. usual: the way that all are compared with. ours: the way whose errors are
    the measure. epochs: its own, whatever is asked for. data, view: what the peers are given.
    """

    title: str
    about: str
    ways: tuple[Way, ...]
    targets: tuple[Target, ...] = ()
    rounds: int = 1
    minutes: float = 1.0
    usual: str = ""
    ours: str = ""
    epochs: int | None = None
    data: str = "mnist"
    view: View | None = None

    def way(self, name: str) -> Way:
        """The way of that name; one that nobody knows any more has its name as title."""
        return next((way for way in self.ways if way.name == name), Way(name, name, ""))


_BUDGET = ("--epochs", "{epochs}", "--seed", "{seed}")
_THERE = ("--device", "{device}")
_ASKED = ("--backend", "{backend}", *_THERE)
_SIZED = ("--epochs", "{epochs}")
_EACH_CORE = ("--runs", "{runs}", "--jobs", "{at_once}", "--threads", "1")
_GROWING = (*_ASKED, "--wall")
_KERAS, _TORCH = ("tensorflow", "jax"), ("torch",)
# PyTorch's own, uniform within 1 / sqrt(inputs), where Keras has Glorot's: about 0.1 points of error after ten epochs.
_TORCHS_WEIGHTS: dict[str, Any] = {"allowance": 0.0015, "because": "it draws other first weights"}

NETWORK = Work(
    "The lecture's network",
    "The dropout network 784-256-128-10 with batches of 128: {x} epochs of MNIST, validation after each, and the "
    "predictions of the test images. Seconds are of one run, building and compiling included, data in memory; where "
    "several go on at once, of one divided by how many. Of ours per core every other run finds its program compiled by "
    "the run before, as the seeds of a row do.",
    ways=(
        Way("ours", "lecturebench, {several}", "ours", (*_ASKED, *_BUDGET, *_EACH_CORE)),
        Way("ours_alone", "lecturebench, alone", "ours", (*_ASKED, *_BUDGET, "--threads", "{cores}")),
        Way("keras_fit", "Keras fit", "peers/keras_fit", (*_BUDGET, *_THERE), _KERAS),
        Way(
            "torch_dataloader",
            "DataLoader",
            "peers/torch_dataloader",
            (*_BUDGET, *_THERE),
            _TORCH,
            **_TORCHS_WEIGHTS,
        ),
        Way(
            "torch_memory",
            "in memory, alone",
            "peers/torch_memory",
            (*_BUDGET, *_THERE, "--threads", "{cores}"),
            _TORCH,
            **_TORCHS_WEIGHTS,
        ),
        Way(
            "torch_memory_each",
            "in memory, {several}",
            "peers/torch_memory",
            (*_BUDGET, *_THERE, "--threads", "1"),
            _TORCH,
            several=True,
            **_TORCHS_WEIGHTS,
        ),
        Way(
            "sklearn_mlp",
            "MLPClassifier",
            "peers/sklearn_mlp",
            _BUDGET,
            ("scikit-learn",),
            allowance=0.0015,
            because="it has no dropout",
            gpu=False,
        ),
        Way("floor", "floor: products", "floor", (*_ASKED, *_SIZED, "--bound", "products")),
        Way("floor_memory", "floor: memory", "floor", (*_ASKED, *_SIZED, "--bound", "memory")),
    ),
    targets=(
        Target("ours", "jax", ("keras_fit",), "tensorflow", 6.0),
        Target("ours", "jax", ("torch_memory", "torch_memory_each"), "torch", 3.0),
        Target("ours", "jax", ("floor",), "jax", 0.75),
        Target("ours_alone", "jax", ("keras_fit",), "tensorflow", 2.5),
        Target("ours", "tensorflow", ("keras_fit",), "tensorflow", 4.5),
        Target("ours", "tensorflow", ("torch_memory", "torch_memory_each"), "torch", 2.2),
        Target("ours", "tensorflow", ("floor",), "tensorflow", 0.7),
        Target("ours_alone", "tensorflow", ("keras_fit",), "tensorflow", 2.5),
    ),
    rounds=5,
    minutes=4,
    usual="keras_fit",
    ours="ours",
)

TABLE = Work(
    "The whole error table",
    "Every fit of the error table with {x} seeds, the choice of the penalty included, from the start of the "
    "interpreter to the page; MNIST is decoded beforehand. The plain script does the same fits one after another.",
    ways=(
        Way("ours_table", "lecturebench run", "ours_table", (*_ASKED, "--seeds", "{seeds}")),
        Way(
            "error_table",
            "plain script",
            "peers/error_table",
            ("--seeds", "{seeds}"),
            ("tensorflow",),
            allowance=0.0015,
            because="it may choose another penalty",
        ),
    ),
    targets=(
        Target("ours_table", "tensorflow", ("error_table",), "tensorflow", 6.0),
        Target("ours_table", "jax", ("error_table",), "tensorflow", 6.0),
    ),
    minutes=30,
    usual="error_table",
    ours="ours_table",
)

GROWTH = Work(
    "Growth",
    "What time and memory do as the work grows: seeds of a small run, runs at once, training images, units of the "
    "first hidden layer. Seconds are of all runs together, from the first compiled program to the last record.",
    ways=(
        Way(
            "seeds",
            "seeds",
            "ours",
            (*_GROWING, "--epochs", "2", "--samples", "6000", "--runs", "{x}", "--jobs", "{at_once}"),
            xs=(1, 3, 10, 40),
        ),
        Way(
            "jobs",
            "runs at once",
            "ours",
            (*_GROWING, "--epochs", "2", "--samples", "24000", "--runs", "4", "--jobs", "{x}"),
            xs=(1, 2),
        ),
        Way(
            "samples",
            "training images",
            "ours",
            (*_GROWING, "--epochs", "4", "--samples", "{x}"),
            xs=(7500, 15000, 30000, 60000),
        ),
        Way(
            "width",
            "hidden units",
            "ours",
            (*_GROWING, "--epochs", "2", "--samples", "15000", "--width", "{x}"),
            xs=(128, 256, 512, 1024),
        ),
    ),
    minutes=4,
)

_CONVNET = ("--row", "cnn/convnet")
_TORCHS_KERNELS: dict[str, Any] = {"allowance": 0.002, "because": "it draws other first weights"}

CONVNET = Work(
    "A small convnet",
    "The convnet of Keras' examples, 34,826 parameters, batches of 128: {x} epochs of 54,000 images of MNIST, "
    "validation on 6,000 after each, and the predictions of the test images. Seconds as of the lecture's network.",
    ways=(
        Way("ours", "lecturebench, {several}", "ours", (*_CONVNET, *_ASKED, *_BUDGET, *_EACH_CORE)),
        Way("ours_alone", "lecturebench, alone", "ours", (*_CONVNET, *_ASKED, *_BUDGET, "--threads", "{cores}")),
        Way("keras_convnet", "Keras fit", "peers/keras_convnet", (*_BUDGET, *_THERE), _KERAS),
        Way(
            "torch_convnet",
            "channels last, alone",
            "peers/torch_convnet",
            (*_BUDGET, *_THERE, "--threads", "{cores}"),
            _TORCH,
            **_TORCHS_KERNELS,
        ),
        Way(
            "torch_convnet_each",
            "channels last, {several}",
            "peers/torch_convnet",
            (*_BUDGET, *_THERE, "--threads", "1"),
            _TORCH,
            several=True,
            **_TORCHS_KERNELS,
        ),
        Way("floor", "floor: products", "floor", ("--network", "convnet", *_ASKED, *_SIZED, "--bound", "products")),
    ),
    targets=(
        Target("ours", "tensorflow", ("keras_convnet",), "tensorflow", 2.0),
        Target("ours", "tensorflow", ("torch_convnet", "torch_convnet_each"), "torch", 1.0),
        Target("ours", "tensorflow", ("floor",), "tensorflow", 0.5),
    ),
    rounds=5,
    minutes=5,
    usual="keras_convnet",
    ours="ours",
    epochs=2,
)

_LSTM, _LSTM_BUCKETS, _TRANSFORMER = (
    ("--row", row) for row in ("imdb_recurrent/lstm", "imdb_recurrent/lstm_buckets", "transformer/transformer")
)
_BY_HAND = (*_BUDGET, *_THERE)
_ALONE, _SINGLE = ("--threads", "{cores}"), ("--threads", "1")
_EARLY: dict[str, Any] = {"allowance": 0.05, "because": "two epochs are not the end of training"}

READING = Work(
    "An LSTM that reads reviews",
    "Embedding 32 and an LSTM of 32 units, batches of 128: {x} epochs of IMDB's 25,000 training reviews, the last 500 "
    "of 10,000 words, and the predictions of the test reviews. In buckets a batch is of reviews of one length, rounded "
    "up to 32 words. Seconds as of the lecture's network.",
    ways=(
        Way("ours", "lecturebench, {several}", "ours", (*_LSTM, *_ASKED, *_BUDGET, *_EACH_CORE), **_EARLY),
        Way("ours_alone", "lecturebench, alone", "ours", (*_LSTM, *_ASKED, *_BUDGET, *_ALONE), **_EARLY),
        Way(
            "ours_buckets",
            "lecturebench in buckets, {several}",
            "ours",
            (*_LSTM_BUCKETS, *_ASKED, *_BUDGET, *_EACH_CORE),
            **_EARLY,
        ),
        Way("keras_lstm", "Keras fit", "peers/keras_reviews", ("--network", "lstm", *_BY_HAND), _KERAS, **_EARLY),
        Way(
            "torch_lstm",
            "nn.LSTM, alone",
            "peers/torch_reviews",
            ("--network", "lstm", *_BY_HAND, *_ALONE),
            _TORCH,
            **_EARLY,
        ),
        Way(
            "torch_lstm_each",
            "nn.LSTM, {several}",
            "peers/torch_reviews",
            ("--network", "lstm", *_BY_HAND, *_SINGLE),
            _TORCH,
            several=True,
            **_EARLY,
        ),
        Way(
            "torch_lstm_buckets",
            "nn.LSTM in buckets, {several}",
            "peers/torch_reviews",
            ("--network", "lstm", "--bucket", "32", *_BY_HAND, *_SINGLE),
            _TORCH,
            several=True,
            **_EARLY,
        ),
    ),
    targets=(
        Target("ours", "tensorflow", ("keras_lstm",), "tensorflow", 2.0),
        Target("ours", "tensorflow", ("torch_lstm", "torch_lstm_each"), "torch", 1.0),
        Target("ours_buckets", "tensorflow", ("keras_lstm",), "tensorflow", 2.0),
        Target("ours_buckets", "tensorflow", ("torch_lstm_buckets",), "torch", 1.0),
    ),
    rounds=3,
    minutes=12,
    usual="keras_lstm",
    ours="ours",
    epochs=2,
    data="imdb_reviews",
    view=WordIndices(10_000, 500),
)

ATTENDING = Work(
    "A transformer that reads reviews",
    "The transformer of Keras' example, 657,758 parameters, batches of 32: {x} epochs of IMDB's 25,000 training "
    "reviews, the last 200 of 19,998 words, and the predictions of the test reviews. Seconds as of the lecture's "
    "network.",
    ways=(
        Way("ours", "lecturebench, {several}", "ours", (*_TRANSFORMER, *_ASKED, *_BUDGET, *_EACH_CORE), **_EARLY),
        Way("ours_alone", "lecturebench, alone", "ours", (*_TRANSFORMER, *_ASKED, *_BUDGET, *_ALONE), **_EARLY),
        Way(
            "keras_transformer",
            "Keras fit",
            "peers/keras_reviews",
            ("--network", "transformer", *_BY_HAND),
            _KERAS,
            **_EARLY,
        ),
        Way(
            "torch_transformer",
            "by hand, alone",
            "peers/torch_reviews",
            ("--network", "transformer", *_BY_HAND, *_ALONE),
            _TORCH,
            **_EARLY,
        ),
        Way(
            "torch_transformer_each",
            "by hand, {several}",
            "peers/torch_reviews",
            ("--network", "transformer", *_BY_HAND, *_SINGLE),
            _TORCH,
            several=True,
            **_EARLY,
        ),
    ),
    targets=(
        Target("ours", "tensorflow", ("keras_transformer",), "tensorflow", 2.0),
        Target("ours", "tensorflow", ("torch_transformer", "torch_transformer_each"), "torch", 1.0),
    ),
    rounds=3,
    minutes=12,
    usual="keras_transformer",
    ours="ours",
    epochs=2,
    data="imdb_reviews",
    view=WordIndices(19_998, 200),
)

WORKS: Mapping[str, Work] = {
    "1": NETWORK,
    "2": TABLE,
    "3": CONVNET,
    "4": READING,
    "5": ATTENDING,
    "growth": GROWTH,
}
