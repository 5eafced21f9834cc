"""From a user's arrays to `Decoded`: labels become 0, 1, …, and what holds for every form is checked here, once.

Nothing is guessed in silence. Text is classes and decimals are values; whole numbers are classes if there are few of
them, each with two rows at least; for all others the user says ``task=classification`` or ``task=regression``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lecturebench.datasets import features, formats, written
from lecturebench.datasets.decoded import SPLITS, Decoded, Split, Task
from lecturebench.errors import UsageError

# What stands for "no value" in data; compared without case and blanks around it.
MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none"})
# What a split for validation is called, in arrays and in a column of splits; its examples go to train.
VALIDATION = ("val", "valid", "validation")
# Whole numbers with more different values than these may be counts or classes: only the user knows.
MOST_CLASSES_UNSAID = 20
# float64 holds every whole number up to here; beyond, two of them may become one.
EXACT = 2**53
# The one spelling that every form understands.
SAY_TASK = "say ?task=classification or ?task=regression"


def images(path: Path, X: list[np.ndarray], y: list[np.ndarray], task: str | None = None) -> Decoded:
    """Images for classification. X: [train, test], each (n, h, w) or (n, h, w, c) uint8; y: [train, test], any labels.

    UsageError for more than 256 classes, whose labels would not fit the byte that digests give them.
    """
    if task == "regression":
        raise UsageError(f"{path}: task is 'regression', which tables alone have; images need classes")
    # Not `task_of`: images have no other, however many whole numbers there are.
    y = _whole(path, y) if task else y
    for name, part in zip(SPLITS, y, strict=True):
        if part.dtype.kind == "f" and _are_whole(part):
            raise UsageError(
                f"{path}: the labels of {name} are whole numbers written with a point, say {part[0].item()!r}: "
                "say ?task=classification if they are classes"
            )
        if not _are_labels(part):
            raise UsageError(f"{path}: labels of {name} are {part.dtype}; images need whole numbers or text")
    codes, classes = _encode(path, y)
    if len(classes) > 256:
        raise UsageError(f"{path}: {len(classes)} classes; images may have 256 at most")
    return formats.images(Split(X[0], codes[0]), Split(X[1], codes[1]), classes)


def table(
    path: Path, X: list[np.ndarray], y: list[np.ndarray], columns: tuple[str, ...], task: str | None = None
) -> Decoded:
    """A table. X: [train, test], each (n, p) numbers; y: [train, test], labels or values to predict.

    task: "classification" or "regression" if the user said so. UsageError where it has to be said and was not.
    """
    for name, part in zip(SPLITS, X, strict=True):
        _must_be_exact(path, f"the features of {name}", part)
    parts = [part.astype(np.float64, copy=False) for part in X]
    if task_of(path, y, task) == "classification":
        codes, classes = _encode(path, _whole(path, y))
        train, test = (Split(part, code) for part, code in zip(parts, codes, strict=True))
        return Decoded(kind="table", task="classification", train=train, test=test, classes=classes, columns=columns)
    for name, part in zip(SPLITS, y, strict=True):
        _must_be_exact(path, f"the targets of {name}", part)
    train, test = (Split(part, target.astype(np.float64)) for part, target in zip(parts, y, strict=True))
    return Decoded(kind="table", task="regression", train=train, test=test, columns=columns)


def notes(decoded: Decoded, categories: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """What a reader should be told about data that are allowed, but may be a slip; a sentence each.

    categories: the features of a table that are categories, by name, with their values.
    """
    said = []
    if decoded.task == "classification":
        said += _of_names(decoded.classes)
        trained, tested = (set(np.unique(getattr(decoded, name).y).tolist()) for name in SPLITS)
        alone = [decoded.classes[code] for code in sorted(trained - tested)]
        if alone:
            said.append(
                f"C{_classes(alone)[1:]} {_in_alone(alone, 'train')}: no test example shows how well they are told."
            )
    if decoded.kind == "images" and decoded.scale == 255:
        most = max(int(getattr(decoded, name).X.max()) for name in SPLITS)
        if most < 32:
            said.append(f"Pixels reach {most} of 255, so that all images are nearly black: is that their scale?")
    if decoded.kind == "table":
        said += features.notes(decoded, categories or {})
    return said + features.shared(decoded)


def _of_names(classes: Sequence[str]) -> list[str]:
    """What is odd about the names of classes, as they are."""
    numbers = [name for name in classes if written.NUMBER.fullmatch(name)]
    others = [name for name in classes if name not in numbers]
    said = []
    if numbers and others:
        said.append(f"Classes mix numbers and text, say {numbers[0]!r} and {others[0]!r}: each name is a class.")
    spellings = defaultdict(list)
    for name in numbers:
        value = float(name)
        spellings[value if abs(value) < EXACT else name].append(name)
    for alike in spellings.values():
        if len(alike) > 1:
            said.append(f"C{_classes(alike)[1:]} are one number, but different classes, since they are spelt apart.")
    return said


def slip(names: Sequence[str]) -> tuple[str, str] | None:
    """Of different labels that are text, one that was hardly meant as the name of a class, and why; else None.

    Names such as 01 and 1_1 are; so are any once the user said that the task is classification.
    """
    numbers = [name for name in names if written.NUMBER.fullmatch(name)]
    alike = [name for name in written.look_alikes(names) if not written.CODE.fullmatch(name)]
    if alike and 2 * (len(alike) + len(numbers)) > len(names):
        return alike[0], (
            "looks like a number or a date: write plain numbers as in 1200 or 0.5, or say ?task=classification if each "
            "is the name of a class"
        )
    words = [name for name in names if not any(map(str.isdecimal, name))]
    if numbers and words:
        return words[0], (
            f"is no number, while there is {numbers[0]!r}: correct it, leave such rows out, or say "
            "?task=classification if each is the name of a class"
        )
    return None


def of_one_hot(y: list[np.ndarray]) -> list[np.ndarray] | None:
    """The class numbers (n,) of one-hot targets [train, test], each (n, k); None unless every row has one 1, else 0s.

    Both must have the same k, two at least, so that a number means the same class in both.
    """
    if any(part.ndim != 2 or part.dtype.kind not in "biuf" for part in y) or y[0].shape[1] != y[1].shape[1]:
        return None
    if y[0].shape[1] < 2 or not all(((part == 0) | (part == 1)).all() for part in y):
        return None
    if not all((np.count_nonzero(part, axis=1) == 1).all() for part in y):
        return None
    return [part.argmax(axis=1).astype(np.int64) for part in y]


def missing(y: np.ndarray) -> np.ndarray:
    """The positions of targets (n,) that stand for no value: NaN among floats, `MISSING` among text."""
    if y.dtype.kind == "f":
        return np.flatnonzero(np.isnan(y))
    if y.dtype.kind == "U":
        names = [name for name in np.unique(y).tolist() if name.strip().casefold() in MISSING]
        return np.flatnonzero(np.isin(y, names))
    return np.empty(0, dtype=np.int64)


def check_drawn(path: Path, y: np.ndarray, parts: Sequence[np.ndarray], remedy: str) -> None:
    """UsageError if a split drawn by hash, positions (train, test) of targets (n,), leaves train without a class.

    remedy: how the user gives a split of their own.
    """
    lost = sorted(set(y[parts[1]].tolist()) - set(y[parts[0]].tolist()))
    if lost:
        n = [int(np.count_nonzero(y == name)) for name in lost]
        raise UsageError(
            f"{path}: {_classes(lost)} {'has' if len(lost) == 1 else 'have'} {listed(n)} "
            f"example{'s' if n != [1] else ''}, and every fifth example by hash, the test split, took them all: "
            f"give more, or {remedy}"
        )


def task_of(path: Path, y: list[np.ndarray], task: str | None) -> Task:
    """Classes or values: what the user said, or what leaves no doubt."""
    kinds = {part.dtype.kind for part in y}
    if kinds == {"U"} or kinds == {"b"}:
        if task == "regression":
            raise UsageError(f"{path}: task is 'regression', but targets are {_held(y)}; regression needs numbers")
        doubt = slip(np.unique(_joined(y)).tolist()) if kinds == {"U"} and task is None else None
        if doubt:
            raise UsageError(f"{path}: target {doubt[0]!r} {doubt[1]}")
        return "classification"
    if kinds <= {"i", "u"}:
        if task:
            return "regression" if task == "regression" else "classification"
        counts = np.unique(_joined(y), return_counts=True)[1]
        if len(counts) <= MOST_CLASSES_UNSAID and counts.min() >= 2:
            return "classification"
        once = np.count_nonzero(counts == 1)
        raise UsageError(
            f"{path}: targets are whole numbers, {len(counts)} different ones{f', {once} of them once' if once else ''}"
            f"; up to {MOST_CLASSES_UNSAID} that each come twice are taken for classes: {SAY_TASK}"
        )
    if kinds != {"f"}:
        raise UsageError(f"{path}: targets are {_held(y)}; expected labels or finite floats, the same in both splits")
    for name, part in zip(SPLITS, y, strict=True):
        bad = np.flatnonzero(~np.isfinite(part))
        if len(bad):
            raise UsageError(f"{path}: target {bad[0]} of {name} (counted from 0) is {part[bad[0]].item()}, not finite")
    if not all(map(_are_whole, y)):
        if task == "classification":
            raise UsageError(f"{path}: task is 'classification', but targets have decimals; classes are whole or text")
        return "regression"
    if task is None:
        first = y[0][0].item()
        raise UsageError(
            f"{path}: targets are whole numbers written as 1.0, +1 or 1e3 are, the first {first!r}: {SAY_TASK}"
        )
    return "regression" if task == "regression" else "classification"


def _held(y: list[np.ndarray]) -> str:
    """What the two splits hold, in words."""
    kinds = ["text" if part.dtype.kind == "U" else str(part.dtype) for part in y]
    return kinds[0] if kinds[0] == kinds[1] else f"{kinds[0]} in train and {kinds[1]} in test"


def _must_be_exact(path: Path, what: str, part: np.ndarray) -> None:
    if part.dtype.kind in "iu" and part.size and max(-int(part.min()), int(part.max())) > EXACT:
        raise UsageError(
            f"{path}: {what} reach {max(int(part.max()), int(part.min()), key=abs)}; beyond 2**53 whole numbers cannot "
            "be kept exactly: an id that should be left out?"
        )


def _are_labels(y: np.ndarray) -> bool:
    return y.dtype.kind in "biuU"


def _are_whole(y: np.ndarray) -> bool:
    return bool((np.isfinite(y) & (y == np.trunc(y))).all())


def _whole(path: Path, y: list[np.ndarray]) -> list[np.ndarray]:
    """Labels with floats such as 5.0 as whole numbers, once it was said that they are classes."""
    if any(part.dtype.kind == "f" and not _are_whole(part) for part in y):
        raise UsageError(f"{path}: labels have decimals or are not finite; classes are whole numbers or text")
    for part in y:
        if part.dtype.kind == "f" and part.size and np.abs(part).max() > EXACT:
            raise UsageError(
                f"{path}: labels are floats that reach {np.abs(part).max():.0f}; beyond 2**53 floats cannot tell whole "
                "numbers apart: store them as integers or text"
            )
    return [part.astype(np.int64) if part.dtype.kind == "f" else part for part in y]


def _joined(y: list[np.ndarray]) -> np.ndarray:
    """All labels in one array. NumPy joins int64 and uint64 as float64, where large numbers would become one."""
    if len({part.dtype.kind for part in y}) > 1:
        return np.array([value for part in y for value in part.tolist()], dtype=object)
    return np.concatenate(y)


def _encode(path: Path, y: list[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Labels as 0, 1, … in the order of their sorted names, the same for both splits; and the names."""
    kinds = {part.dtype.kind for part in y}
    if len(kinds) > 1 and kinds != {"i", "u"}:
        raise UsageError(f"{path}: labels are {_held(y)}; make them alike")
    names, codes = np.unique(_joined(y), return_inverse=True)
    if kinds == {"U"}:
        _no_twins(path, names.tolist())
    if len(names) < 2:
        raise UsageError(f"{path}: all labels are {names.tolist()[0]!r}; classification needs two classes")
    train, test = np.split(codes.astype(np.int64), [len(y[0])])
    _no_class_in_test_alone(path, names.tolist(), train, test)
    return [train, test], tuple(str(name) for name in names.tolist())


def _no_twins(path: Path, names: list[str]) -> None:
    pair = written.twins(names)
    if pair:
        raise UsageError(
            f"{path}: classes {pair[0]!a} and {pair[1]!a} differ only in case, blanks or Unicode form: "
            "spell them alike if they are one class, and name them apart if they are two"
        )


def _no_class_in_test_alone(path: Path, names: list[Any], train: np.ndarray, test: np.ndarray) -> None:
    trained, tested = set(np.unique(train).tolist()), set(np.unique(test).tolist())
    lost, unseen = ([names[code] for code in sorted(codes)] for codes in (tested - trained, trained - tested))
    if not lost:
        return
    n = sum(int(np.count_nonzero(test == code)) for code in tested - trained)
    said = f"{path}: {_classes(lost)} {_in_alone(lost, 'test')}"
    if unseen and not isinstance(lost[0], str) and _off_by_one(names, trained, tested):
        raise UsageError(
            f"{said} and {_classes(unseen)} in train alone: are the labels of one split off by one? "
            "The same number must mean the same class in both"
        )
    also = f", and {_classes(unseen)} in train alone (are they spelt alike?)" if unseen else ""
    raise UsageError(
        f"{said}, with {n} example{'s' if n > 1 else ''}{also}: no method can learn a class that it never saw; "
        "give train some, or leave them out of test"
    )


def _off_by_one(names: list[int], trained: set[int], tested: set[int]) -> bool:
    known = {names[code] for code in trained}
    return any({names[code] + step for code in tested} <= known for step in (1, -1))


def _classes(names: Sequence[Any]) -> str:
    return f"class{'es' if len(names) > 1 else ''} {listed(repr(name) for name in names)}"


def _in_alone(names: Sequence[Any], split: str) -> str:
    return f"{'are' if len(names) > 1 else 'is'} in {split} alone"


def listed(values: Iterable[object], most: int = 5) -> str:
    """Values in words: a, b and c; those beyond the first `most` are only counted."""
    shown = [str(value) for value in values]
    if len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
