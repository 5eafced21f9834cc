"""Reads a user's .npz file: images or a table, each split with its targets.

What is certain about names, shapes and scales is done and said in the notes; the rest is refused with what to do.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from typing import NoReturn

import numpy as np

from lecturebench.datasets import labels, pixels
from lecturebench.datasets.decoded import SPLITS
from lecturebench.datasets.description import Described, Reading
from lecturebench.datasets.spelling import Spelling
from lecturebench.errors import UsageError

# As Keras names arrays, as MedMNIST does, and as others do; whatever their case.
LAYOUTS = (("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"))
CHANNELS = (1, 2, 3, 4)

# What to store in place of an array that is no plain numbers or text, by the kind of its type.
REMEDIES = {
    "f": "{}.astype('float64')", "c": "{}.real, if that is what counts", "m": "{}.astype('int64')",
    "M": "{}.astype('int64')", "U": "{}.astype(float)", "S": "{}.astype(float)", "V": "{}.astype('float32')",
}  # fmt: skip
OBJECTS = "np.array({}.tolist())"
STRUCTURED = "np.lib.recfunctions.structured_to_unstructured({})"
# One split reaches so many times as far as the other, and in every column: they may be on two scales.
FAR = 20

Parts = list[np.ndarray]


def read(spelled: Spelling) -> Described:
    """The images or the table of an .npz file, and what was done to get them. UsageError names the array."""
    return _Reader(spelled).read()


class _Reader:
    """One file on its way to arrays. names: by split, what it calls X and y; notes: what was done so far."""

    def __init__(self, spelled: Spelling) -> None:
        self.path, self.options, self.image = spelled.path, spelled.options, spelled.image
        self.names: dict[str, tuple[str, str]] = {}
        self.notes: list[str] = []

    def read(self) -> Described:
        X, y = self._splits()
        task = self.options.get("task")
        if y[0].dtype.kind == "i" and y[0].min() == -1 and y[0].max() > 1 and task != "regression":
            self.notes.append(f"-1 is a class beside 0 to {y[0].max()}: or does it stand for no label?")
        if self.image:
            X = self._reshaped(X, self.image)
        if X[0].ndim > 2:
            X = self._bytes(self._channels_last(X))
            decoded = labels.images(self.path, X, y, task)
        else:
            decoded = labels.table(self.path, X, y, tuple(f"x{i}" for i in range(X[0].shape[1])), task)
        self._compare_scales(X)
        reading = Reading(
            target=self.names["train"][1], split="as in the file", notes=(*self.notes, *labels.notes(decoded))
        )
        return Described(**vars(decoded), reading=reading)

    def _splits(self) -> tuple[Parts, Parts]:
        """X and y, each [train, test], validation joined to train; as many examples as targets, and of one shape."""
        splits = {split: self._checked(split, X, y) for split, (X, y) in self._arrays().items()}
        for split, (X, _) in splits.items():
            if X.shape[1:] != splits["train"][0].shape[1:]:
                self._fail(
                    f"{self.names['train'][0]} has examples of shape {splits['train'][0].shape[1:]}, "
                    f"{self.names[split][0]} of {X.shape[1:]}"
                )
        for split in labels.VALIDATION:
            if split in splits:
                splits["train"] = self._joined(split, splits["train"], splits.pop(split))
        return [splits[split][0] for split in SPLITS], self._class_numbers([splits[split][1] for split in SPLITS])

    def _arrays(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By split, its X and y as they are stored."""
        if not zipfile.is_zipfile(self.path):
            self._fail("it is no whole .npz archive")
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                self.names = self._named(archive.files)
                return {
                    split: (self._array(archive, x), self._array(archive, y)) for split, (x, y) in self.names.items()
                }
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, MemoryError) as error:
            raise UsageError(f"npz:{self.path}: it cannot be read: {error}") from error

    def _array(self, archive: Mapping[str, np.ndarray], name: str) -> np.ndarray:
        try:
            return archive[name]
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            self._fail(
                f"{name} is an array of Python objects, which may run code when read: store {OBJECTS.format(name)}"
            )

    def _named(self, stored: list[str]) -> dict[str, tuple[str, str]]:
        """By split, the names of its two arrays. Validation is optional; the others must be there, in one layout."""
        twice = [name for name in stored if stored.count(name) > 1]
        if twice:
            self._fail(f"it has {twice[0]} twice; leave one of the two out")
        known = {name.casefold(): name for name in stored}
        if len(known) < len(stored):
            self._fail(f"names differ in case alone: {', '.join(stored)}; expected one array of each name")
        whole = [layout for layout in LAYOUTS if all(_has(known, layout, split) == 2 for split in SPLITS)]
        if len(whole) > 1:
            self._fail(f"it has {' and '.join(x.format('train') for x, _ in whole)}; leave one of the two out")
        if not whole:
            likely = max(LAYOUTS, key=lambda layout: sum(_has(known, layout, split) for split in SPLITS))
            wanted = [name.format(split) for split in SPLITS for name in likely]
            missing = [name for name in wanted if name not in known]
            self._fail(f"it lacks {', '.join(missing)}; it has {', '.join(stored) or 'nothing'}")
        x, y = whole[0]
        splits = [*SPLITS, *(split for split in labels.VALIDATION if _has(known, whole[0], split))]
        halved = [split for split in splits if _has(known, whole[0], split) == 1]
        if halved:
            self._fail(f"it has one of {x.format(halved[0])} and {y.format(halved[0])}; give both or neither")
        names = {split: (known[x.format(split)], known[y.format(split)]) for split in splits}
        others = sorted(set(stored) - {name for pair in names.values() for name in pair})
        if others:
            self.notes.append(f"Left out, since they are no split's examples or targets: {', '.join(others)}.")
        return names

    def _checked(self, split: str, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """X and y of a split: X finite numbers; y numbers or text, (n,) or one-hot (n, k), each of them one target."""
        x_name, y_name = self.names[split]
        self._check_plain(x_name, X, "biuf", "examples must be numbers")
        self._check_plain(y_name, y, "biufUS", "targets must be numbers or text")
        if y.ndim not in (1, 2) or not y.size or X.ndim < 2 or not X.size or len(X) != len(y):
            self._fail(
                f"{x_name} has shape {X.shape} and {y_name} {y.shape}; expected n examples and n targets, n above 0"
            )
        if X.dtype.kind == "f":
            expected = "expected finite numbers; fill them in, or leave these examples out"
            self._refuse_any(x_name, X, ~np.isfinite(X), expected)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y.reshape(-1)
        if y.dtype.kind == "S":
            y = self._text(y_name, y)
        if y.ndim == 2:
            self._check_one_hot(y_name, y)
        else:
            self._check_targets(y_name, y)
        return X, y

    def _check_plain(self, name: str, array: np.ndarray, kinds: str, expected: str) -> None:
        if not isinstance(array, np.ndarray):  # another file in the archive
            self._fail(f"{name} is no array; {expected}")
        kind = array.dtype.kind
        if kind not in kinds or (kind == "f" and array.dtype.itemsize > 8):
            remedy = STRUCTURED if array.dtype.names else REMEDIES[kind]
            self._fail(f"{name} holds {array.dtype}; {expected}: store {remedy.format(name)}")

    def _text(self, name: str, y: np.ndarray) -> np.ndarray:
        try:
            return np.char.decode(y, "utf-8")
        except UnicodeDecodeError:
            self._fail(f"{name} holds bytes that are no UTF-8; store the labels as text")

    def _check_one_hot(self, name: str, y: np.ndarray) -> None:
        if y.dtype.kind == "U":
            self._fail(f"{name} is text of shape {y.shape}; expected one label per example: store one column of it")
        expected = "one-hot targets have a single 1 a row, else 0; several labels or values at once are not supported"
        self._refuse_any(name, y, (y != 0) & (y != 1), expected)
        ones = np.count_nonzero(y, axis=1)
        odd = np.flatnonzero(ones != 1)
        if len(odd):
            more = f", the first of {len(odd):,} such rows" if len(odd) > 1 else ""
            self._fail(f"{name}[{odd[0]}] has {ones[odd[0]]} ones{more}: {expected}; leave these examples out")

    def _check_targets(self, name: str, y: np.ndarray) -> None:
        """That each one is there, and is what it was before it was stored."""
        if y.dtype.kind == "f":
            self._refuse_any(name, y, ~np.isfinite(y), "expected finite numbers; leave such examples out")
        absent = np.zeros(len(y), dtype=bool)
        absent[labels.missing(y)] = True
        self._refuse_any(name, y, absent, "it is missing; leave such examples out, or name their class")
        if y.dtype.kind in "iu":
            self._check_unwrapped(name, y)
        elif y.dtype.kind == "f" and self.options.get("task") != "regression":
            self._check_told_apart(name, y)

    def _check_unwrapped(self, name: str, y: np.ndarray) -> None:
        """UsageError where a target is as far out as its type goes, and no other is anywhere near: a cast made it.

        Beside one other class alone, -1 is a class as well, whatever it became.
        """
        unsigned = y.dtype.kind == "u"
        limit = np.iinfo(y.dtype).max if unsigned else np.iinfo(y.dtype).min
        others = np.unique(y[y != limit]).tolist()
        if len(others) > unsigned and max(map(abs, others)) < abs(limit) // 4:
            self._refuse_any(
                name, y, y == limit,
                f"the others go from {others[0]} to {others[-1]}, and {y.dtype} makes this of "
                f"{'-1' if unsigned else 'NaN'}, which may stand for no label; leave these examples out, or store the "
                "labels as text if it is a class",
            )  # fmt: skip

    def _check_told_apart(self, name: str, y: np.ndarray) -> None:
        """UsageError for whole numbers so large that their type had to round them, so that two may have become one."""
        digits = np.finfo(y.dtype).nmant + 1
        if (y == np.trunc(y)).all() and np.abs(y).max() > 2**digits:
            self._fail(
                f"{name} has whole numbers up to {np.abs(y).max():g}, which {y.dtype} rounds beyond 2**{digits}: store "
                "labels as int64 or text, or say ?task=regression if they are values"
            )

    def _joined(
        self, split: str, train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        for ours, theirs in zip(train, validation, strict=True):
            if ours.dtype.kind != theirs.dtype.kind or ours.ndim != theirs.ndim or ours.shape[1:] != theirs.shape[1:]:
                self._fail(
                    f"train holds {ours.dtype} of shape {ours.shape}, {split} {theirs.dtype} of {theirs.shape}; "
                    f"make them alike, or leave {split} out"
                )
        self.notes.append(
            f"Train is {len(train[1])} examples and the {len(validation[1])} of {split}: "
            "a run draws its validation examples from both."
        )
        X, y = (np.concatenate(pair) for pair in zip(train, validation, strict=True))
        return X, y

    def _class_numbers(self, y: Parts) -> Parts:
        """Targets (n,), of one-hot rows their class numbers."""
        if all(part.ndim == 1 for part in y):
            return y
        numbers = labels.of_one_hot(y)
        if numbers is None:
            self._fail(f"targets have shapes {y[0].shape} and {y[1].shape}; expected one-hot ones alike in both splits")
        self.notes.append(f"One-hot targets of {y[0].shape[1]} columns are class numbers from 0 on.")
        return numbers

    def _compare_scales(self, X: Parts) -> None:
        """A note where one split reaches far beyond the other, in each column of a table, in all pixels together."""
        axis = 0 if X[0].ndim == 2 else None
        train, test = (np.maximum(part.max(axis=axis).astype(float), -part.min(axis=axis).astype(float)) for part in X)
        used = (train > 0) | (test > 0)
        if any((far > FAR * near)[used].all() and used.any() for far, near in ((train, test), (test, train))):
            what = "Features" if X[0].ndim == 2 else "Pixels"
            self.notes.append(
                f"{what} reach {train.max():.4g} in train and {test.max():.4g} in test: are both on one scale?"
            )

    def _reshaped(self, X: Parts, image: tuple[int, int, int]) -> Parts:
        """A table's columns as the pixels of images."""
        if X[0].shape[1:] != (int(np.prod(image)),):
            self._fail(
                f"{self.options['image']} pixels are {int(np.prod(image))} columns, but {self.names['train'][0]} has "
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
                f"{self.names['train'][0]} has shape {shape}, where axis 1 or axis 3 may hold the channels: "
                "say ?layout=channels_first or ?layout=channels_last"
            )
        if not first and not last:
            self._fail(
                f"{self.names['train'][0]} has shape {shape}; images must be (n, height, width) or (n, height, width, "
                f"channels), with {CHANNELS[0]} to {CHANNELS[-1]} channels"
            )
        if last:
            return X
        self.notes.append(f"Images of shape {shape[1:]} have their channels first.")
        return [part.transpose(0, 2, 3, 1) for part in X]

    def _bytes(self, X: Parts) -> Parts:
        if all(part.dtype == np.uint8 for part in X):
            return X
        converted = pixels.as_bytes(X)
        if converted is None:
            held = " and ".join(
                f"{self.names[split][0]} {part.dtype} from {float(part.min()):.4g} to {float(part.max()):.4g}"
                for split, part in zip(SPLITS, X, strict=True)
            )
            self._fail(
                f"it holds {held}; images must be bytes (uint8, 0 to 255), or bytes divided by 255 or 256 or brought "
                "to -1 to 1, alike in both splits: store them as they were before any other scaling"
            )
        X, scale = converted
        self.notes.append(f"Pixels were stored {scale}; they are the bytes that this stands for.")
        return X

    def _refuse_any(self, name: str, array: np.ndarray, bad: np.ndarray, why: str) -> None:
        """UsageError that names the first element, if any is bad, a mask of the array's shape."""
        if bad.any():
            first = np.unravel_index(int(bad.argmax()), bad.shape)
            n = np.count_nonzero(bad)
            more = f", the first of {n:,}" if n > 1 else ""
            self._fail(f"{name}[{', '.join(map(str, first))}] is {array[first].item()!r}{more}: {why}")

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"npz:{self.path}: {why}")


def _has(known: dict[str, str], layout: tuple[str, str], split: str) -> int:
    """How many of a split's two arrays are there."""
    return sum(name.format(split) in known for name in layout)
