"""Reads a user's .npz file: images or a table, each split with its targets.

What is certain about names, shapes and scales is done and said in the notes; the rest is refused with what to do.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import NoReturn

import numpy as np

from lecturebench.datasets import labels, pixels
from lecturebench.datasets.decoded import SPLITS
from lecturebench.datasets.description import Described, Reading
from lecturebench.datasets.spelling import Spelling
from lecturebench.errors import UsageError

# As Keras names arrays, as MedMNIST does, and as others do; whatever their case.
LAYOUTS = (("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"))
VALIDATION = ("val", "valid", "validation")
CHANNELS = (1, 2, 3, 4)

Parts = list[np.ndarray]


def read(spelled: Spelling) -> Described:
    """The images or the table of an .npz file, and what was done to get them. UsageError names the array."""
    return _Reader(spelled).read()


class _Reader:
    """One file on its way to arrays. x, y: what it calls the arrays of a split; notes: what was done so far."""

    def __init__(self, spelled: Spelling) -> None:
        self.path, self.options, self.image = spelled.path, spelled.options, spelled.image
        self.x, self.y = LAYOUTS[0]
        self.notes: list[str] = []

    def read(self) -> Described:
        X, y = self._splits()
        y = self._targets(y)
        task = self.options.get("task")
        if self.image:
            X = self._reshaped(X, self.image)
        if X[0].ndim > 2:
            decoded = labels.images(self.path, self._bytes(self._channels_last(X)), y, task)
        else:
            self._check_table(X)
            decoded = labels.table(self.path, X, y, tuple(f"x{i}" for i in range(X[0].shape[1])), task)
        reading = Reading(target=self.y.format("train"), split="as in the file", notes=(*self.notes, *labels.notes(decoded)))
        return Described(**vars(decoded), reading=reading)

    def _splits(self) -> tuple[Parts, Parts]:
        """X and y, each [train, test], validation joined to train; as many examples as targets, and of one shape."""
        splits = self._arrays()
        for split, (X, y) in splits.items():
            if y.ndim not in (1, 2) or not y.size or X.ndim < 2 or not X.size or len(X) != len(y):
                self._fail(
                    f"{self.x.format(split)} has shape {X.shape} and {self.y.format(split)} {y.shape}; "
                    "expected n examples and n targets, n above 0"
                )
            if X.shape[1:] != splits["train"][0].shape[1:]:
                self._fail(
                    f"{self.x.format('train')} has examples of shape {splits['train'][0].shape[1:]}, "
                    f"{self.x.format(split)} of {X.shape[1:]}"
                )
        for split in VALIDATION:
            if split in splits:
                splits["train"] = self._joined(split, splits["train"], splits.pop(split))
        return [splits[split][0] for split in SPLITS], [splits[split][1] for split in SPLITS]

    def _arrays(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By split, its X and y as they are stored."""
        if not zipfile.is_zipfile(self.path):
            self._fail("it is no whole .npz archive")
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                called = self._names(archive.files)
                return {split: (archive[x], archive[y]) for split, (x, y) in called.items()}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            raise UsageError(f"npz:{self.path}: it cannot be read: {error}") from error

    def _names(self, stored: list[str]) -> dict[str, tuple[str, str]]:
        """By split, the names of its two arrays. Validation is optional; the others must be there, in one layout."""
        known = {name.casefold(): name for name in stored}
        if len(known) < len(stored):
            self._fail(f"names differ in case alone: {', '.join(stored)}; expected one array of each name")
        found = {layout: [split for split in SPLITS if _has(known, layout, split) == 2] for layout in LAYOUTS}
        whole = [layout for layout in LAYOUTS if len(found[layout]) == len(SPLITS)]
        if len(whole) > 1:
            self._fail(f"it has {' and '.join(x.format('train') for x, _ in whole)}; leave one of the two out")
        if not whole:
            likely = max(LAYOUTS, key=lambda layout: sum(_has(known, layout, split) for split in SPLITS))
            wanted = [name.format(split) for split in SPLITS for name in likely]
            missing = [name for name in wanted if name not in known]
            self._fail(f"it lacks {', '.join(missing)}; it has {', '.join(stored) or 'nothing'}")
        x, y = whole[0]
        splits = [*SPLITS, *(split for split in VALIDATION if _has(known, whole[0], split))]
        halved = [split for split in splits if _has(known, whole[0], split) == 1]
        if halved:
            self._fail(f"it has one of {x.format(halved[0])} and {y.format(halved[0])}; give both or neither")
        called = {split: (known[x.format(split)], known[y.format(split)]) for split in splits}
        self.x, self.y = x, y
        others = sorted(set(stored) - {name for pair in called.values() for name in pair})
        if others:
            self.notes.append(f"Left out, since they are no split's examples or targets: {', '.join(others)}.")
        return called

    def _joined(
        self, split: str, train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        for one, other in zip(train, validation, strict=True):
            if one.dtype.kind != other.dtype.kind or one.ndim != other.ndim or one.shape[1:] != other.shape[1:]:
                self._fail(
                    f"train holds {one.dtype} of shape {one.shape}, {split} {other.dtype} of {other.shape}; "
                    f"make them alike, or leave {split} out"
                )
        self.notes.append(
            f"Train is {len(train[1])} examples and the {len(validation[1])} of {split}: "
            "a run draws its validation examples from both."
        )
        X, y = (np.concatenate(pair) for pair in zip(train, validation, strict=True))
        return X, y

    def _targets(self, y: Parts) -> Parts:
        """Targets (n,): columns (n, 1) flattened, one-hot rows as class numbers, bytes as text; none missing."""
        y = [part.reshape(-1) if part.ndim == 2 and part.shape[1] == 1 else part for part in y]
        if any(part.ndim == 2 for part in y):
            numbers = labels.of_one_hot(y)
            if numbers is None:
                self._fail(
                    f"targets have shapes {y[0].shape} and {y[1].shape} and are not one-hot in both (one 1 a row, else "
                    "0); expected one target per example: several labels or values at once are not supported"
                )
            self.notes.append(f"One-hot targets of {y[0].shape[1]} columns are class numbers from 0 on.")
            y = numbers
        y = [self._text(part, split) if part.dtype.kind == "S" else part for split, part in zip(SPLITS, y, strict=True)]
        for split, part in zip(SPLITS, y, strict=True):
            absent = labels.missing(part)
            if len(absent):
                first = absent[0]
                self._fail(
                    f"{len(absent)} targets are missing, first {self.y.format(split)}[{first}], which is "
                    f"{part[first].item()!r}; leave these examples out, or name their class"
                )
        return y

    def _text(self, y: np.ndarray, split: str) -> np.ndarray:
        try:
            return np.char.decode(y, "utf-8")
        except UnicodeDecodeError:
            self._fail(f"{self.y.format(split)} holds bytes that are no UTF-8; store the labels as text")

    def _check_table(self, X: Parts) -> None:
        for split, part in zip(SPLITS, X, strict=True):
            if part.dtype.kind not in "biuf":
                self._fail(f"{self.x.format(split)} holds {part.dtype}; a table must hold numbers")
            self._check_finite(part, split)

    def _check_finite(self, part: np.ndarray, split: str) -> None:
        bad = np.argwhere(~np.isfinite(part))
        if len(bad):
            at = ", ".join(map(str, bad[0]))
            self._fail(f"{self.x.format(split)}[{at}] is {part[tuple(bad[0])]}; expected finite numbers")

    def _reshaped(self, X: Parts, image: tuple[int, int, int]) -> Parts:
        """A table's columns as the pixels of images."""
        if X[0].shape[1:] != (int(np.prod(image)),):
            self._fail(
                f"{self.options['image']} pixels are {int(np.prod(image))} columns, but {self.x.format('train')} has "
                f"shape {X[0].shape}"
            )
        self.notes.append(f"Columns are the pixels of images, {self.options['image']}, row by row.")
        return [part.reshape(-1, *image) for part in X]

    def _channels_last(self, X: Parts) -> Parts:
        """Images (n, h, w) or (n, h, w, c). Axis 1 has the channels where it alone can, or where `layout=` says so."""
        shape, layout = X[0].shape, self.options.get("layout")
        if X[0].ndim == 3 or self.image:
            return X
        first = X[0].ndim == 4 and shape[1] in CHANNELS and layout != "channels_last"
        last = X[0].ndim == 4 and shape[3] in CHANNELS and layout != "channels_first"
        if first and last:
            self._fail(
                f"{self.x.format('train')} has shape {shape}, where axis 1 or axis 3 may hold the channels: "
                "say ?layout=channels_first or ?layout=channels_last"
            )
        if not first and not last:
            self._fail(
                f"{self.x.format('train')} has shape {shape}; images must be (n, height, width) or (n, height, width, "
                f"channels), with {CHANNELS[0]} to {CHANNELS[-1]} channels"
            )
        if last:
            return X
        self.notes.append(f"Images of shape {shape[1:]} have their channels first.")
        return [part.transpose(0, 2, 3, 1) for part in X]

    def _bytes(self, X: Parts) -> Parts:
        if all(part.dtype == np.uint8 for part in X):
            return X
        for split, part in zip(SPLITS, X, strict=True):
            if part.dtype.kind not in "biuf":
                self._fail(f"{self.x.format(split)} holds {part.dtype}; images must be uint8 (0 to 255)")
            self._check_finite(part, split)
        converted = pixels.as_bytes(X)
        if converted is None:
            held = " and ".join(
                f"{self.x.format(split)} {part.dtype} from {float(part.min()):.4g} to {float(part.max()):.4g}"
                for split, part in zip(SPLITS, X, strict=True)
            )
            self._fail(
                f"it holds {held}; images must be bytes (uint8, 0 to 255), or bytes divided by 255 or 256 or brought "
                "to -1 to 1, alike in both splits: store them as they were before any other scaling"
            )
        X, scale = converted
        self.notes.append(f"Pixels were stored {scale}; they are the bytes that this stands for.")
        return X

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"npz:{self.path}: {why}")


def _has(known: dict[str, str], layout: tuple[str, str], split: str) -> int:
    """How many of a split's two arrays are there."""
    return sum(name.format(split) in known for name in layout)
