"""What a dataset is, for people: target, task, classes, features, and whatever was guessed or done on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from lecturebench.datasets.decoded import Dataset, Decoded, Kind, Task

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a user's data was read, which the arrays do not say; the cache keeps it beside them.

    target: the name of its column. split: how train and test came apart, in words. categories: the features that are
    text, by name, with the values that became columns ``name=value``. notes: a sentence for each thing that was guessed
    or done.
    """

    target: str = ""
    split: str = ""
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Reading:
        """What the cache kept of it, as JSON gives it back."""
        kept = kept or {}
        return cls(
            target=kept.get("target", ""),
            split=kept.get("split", ""),
            categories={name: tuple(values) for name, values in kept.get("categories", {}).items()},
            notes=tuple(kept.get("notes", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """For `of`."""
        return asdict(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class Described(Decoded):
    """What a source decodes to, and how it was read."""

    reading: Reading = field(default_factory=Reading)


def described_as(decoded: Decoded, *, notes: Iterable[str] = (), **reading: Any) -> Described:
    """What was decoded, and more of how it was read, by the fields of `Reading`; notes come after those that it has."""
    known = decoded.reading if isinstance(decoded, Described) else Reading()
    arrays = {item.name: getattr(decoded, item.name) for item in fields(Decoded)}
    return Described(**arrays, reading=replace(known, **reading, notes=(*known.notes, *notes)))


@dataclass(frozen=True)
class ClassCount:
    """A class and how many examples of it each split has."""

    name: str
    train: int
    test: int


@dataclass(frozen=True)
class Feature:
    """A feature, or all pixels of an image together.

    low, high: the least and the largest value, over train and test; None for categories and texts. values: how many
    different ones a category has. missing: examples without a value; none is fitted today.
    """

    name: str
    type: Literal["number", "category", "pixel", "text"]
    low: float | None = None
    high: float | None = None
    values: int | None = None
    missing: int = 0

    @property
    def shown(self) -> str:
        """Its values in words: "0 to 16", "3 values"."""
        if self.low is not None and self.high is not None:
            return spread(self.low, self.high)
        return "" if self.values is None else f"{self.values} values"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What will be fitted. name: the spelling. source: what it was made from. target: its column, "" where it has none.

    split: how train and test came apart. classes: in the order of the labels, none for regression. target_range: least
    and largest value to predict, None for classification. notes: everything that was guessed or done, a sentence each.
    """

    name: str
    source: str
    kind: Kind
    task: Task
    target: str
    train: int
    test: int
    split: str
    shape: tuple[int, ...]
    classes: tuple[ClassCount, ...]
    target_range: tuple[float, float] | None
    features: tuple[Feature, ...]
    notes: tuple[str, ...]
    digests: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for programs."""
        return asdict(self)

    @property
    def line(self) -> str:
        """All that was guessed about it, in one line."""
        said = [f"target {self.target!r}"] if self.target else []
        said += [f"{self.task}, {self.targets}", self.summary]
        split = f" ({self.split})" if self.split else ""
        return f"{self.name}: {', '.join(said)}; {self.train:,} train, {self.test:,} test{split}"

    @property
    def targets(self) -> str:
        """What is predicted: "10 classes (min 35, max 45 examples)", or "values 12 to 900"."""
        if self.target_range is not None:
            return f"values {spread(*self.target_range)}"
        counts = [each.train + each.test for each in self.classes]
        return f"{len(counts)} classes (min {min(counts):,}, max {max(counts):,} examples)"

    @property
    def summary(self) -> str:
        """The features in words: "64 features (0 to 16)", "28x28x1 images (0 to 255)"."""
        if self.kind == "text":
            return "texts"
        if self.kind == "images":
            return f"{self.features[0].name} images ({self.features[0].shown})"
        numbers = [feature for feature in self.features if feature.type == "number"]
        categories = len(self.features) - len(numbers)
        lows = [feature.low for feature in numbers if feature.low is not None]
        highs = [feature.high for feature in numbers if feature.high is not None]
        values = f" ({spread(min(lows), max(highs))})" if numbers else ""
        said = f"{len(self.features):,} feature{'s' if len(self.features) > 1 else ''}"
        if not categories:
            return said + values
        kinds = [f"{len(numbers):,} number{'s' if len(numbers) > 1 else ''}{values}"] if numbers else []
        kinds.append(f"{categories} categor{'ies' if categories > 1 else 'y'}")
        return f"{said}: {' and '.join(kinds)}"


def spread(low: float, high: float) -> str:
    """Least and largest value, in words."""
    return f"{low + 0:.6g} to {high + 0:.6g}"  # -0.0 + 0 is 0.0


def described(dataset: Dataset, reading: Reading) -> Description:
    """A dataset as people want to know it before it is fitted."""
    import numpy as np

    train, test = dataset.train, dataset.test
    classes: tuple[ClassCount, ...] = ()
    target_range = None
    if dataset.task == "classification":
        n = len(dataset.classes)
        counts = [np.bincount(split.y, minlength=n).tolist() for split in (train, test)]
        classes = tuple(ClassCount(*each) for each in zip(dataset.classes, *counts, strict=True))
    else:
        target_range = _range(train.y, test.y)
    return Description(
        name=dataset.name,
        source=dataset.source,
        kind=dataset.kind,
        task=dataset.task,
        target=reading.target,
        train=len(train),
        test=len(test),
        split=reading.split,
        shape=() if dataset.kind == "text" else tuple(train.X.shape[1:]),
        classes=classes,
        target_range=target_range,
        features=tuple(_features(dataset, reading)),
        notes=reading.notes,
        digests=dict(dataset.digests),
    )


def _features(dataset: Dataset, reading: Reading) -> list[Feature]:
    from lecturebench.datasets.jpegs import Jpegs

    X = [dataset.train.X, dataset.test.X]
    if dataset.kind == "text":
        return [Feature("text", "text")]
    if dataset.kind == "images":
        size = "x".join(map(str, X[0].shape[1:]))
        return [Feature(size, "pixel", *((0, 255) if isinstance(X[0], Jpegs) else _range(*X)))]
    owners = {f"{name}={value}": name for name, values in reading.categories.items() for value in values}
    lows = [min(pair) for pair in zip(*(part.min(axis=0).tolist() for part in X), strict=True)]
    highs = [max(pair) for pair in zip(*(part.max(axis=0).tolist() for part in X), strict=True)]
    features: dict[str, Feature] = {}
    for column, low, high in zip(dataset.columns, lows, highs, strict=True):
        owner = owners.get(column)
        if owner is None:
            features[column] = Feature(column, "number", low, high)
        else:
            features[owner] = Feature(owner, "category", values=len(reading.categories[owner]))
    return list(features.values())


def _range(*parts: np.ndarray) -> tuple[float, float]:
    return min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
