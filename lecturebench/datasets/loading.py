"""From a name to arrays: the cache first, then each source in order, then the digests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lecturebench.datasets import catalogue
from lecturebench.datasets.cache import Cached, root
from lecturebench.datasets.decoded import SPLITS, Dataset, Decoded, Split
from lecturebench.datasets.description import Description, described
from lecturebench.datasets.sources import NotUsable, Say, Source, unsaid
from lecturebench.errors import DataCorrupt, DataMissing, UsageError


@dataclass(frozen=True)
class Status:
    """Whether a dataset can be had. sources: (name, whether it is available, why or why not), in order."""

    name: str
    cached: bool
    sources: tuple[tuple[str, bool, str], ...]


def load(name: str, data_dir: Path | None = None, say: Say = unsaid, refresh: bool = False) -> Dataset:
    """The dataset of that name, memory-mapped; decoded once and cached, for named ones checked against pinned digests.

    name: one of `known`, or a user's own, see `spelling`. data_dir: where prepared tensorflow-datasets folders lie.
    say: gets a line per step that takes time. refresh: decode anew even if it is cached.
    Raises UsageError for an unknown name or a user's data that cannot be used; DataMissing with one line per source
    tried, in at most 20 s; DataCorrupt with dataset, split or file, source, expected and found. Nothing is cached then.
    """
    entry = catalogue.find(name, data_dir)
    cached = Cached(entry.key, name)
    seen = None if refresh else cached.glance(entry.fingerprint)
    if seen is not None:
        return _checked(entry, seen)
    with cached.lock(say):
        if refresh or not cached.holds(entry.fingerprint):
            decoded, source = _fetch(entry, say)
            say(f"{name}: sorting {len(decoded.train)} + {len(decoded.test)} examples and checking their digests")
            _store(entry, cached, decoded, source)
        return _checked(entry, cached.read())


def describe(name: str, data_dir: Path | None = None, say: Say = unsaid) -> Description:
    """What `load` gives of that name, as people want to know it before it is fitted. Raises as `load` does."""
    dataset = load(name, data_dir, say)
    return described(dataset, Cached(catalogue.find(name, data_dir).key, name).reading())


def recall(name: str, digests: Iterable[Mapping[str, str]] = (), data_dir: Path | None = None) -> Dataset:
    """The dataset of that name, as `load`, for somebody who has the name from another's records.

    Those of `known` come from where they always come from. A path is opened only if its data is in the cache already,
    since then it was named here before; else data is taken from the cache that has one of these digests, wherever it
    was read from and whatever it was called. Raises also DataMissing if the cache has neither.
    """
    if name in catalogue.known():
        return load(name, data_dir)
    with suppress(UsageError):  # it is not there any more, but the cache may have what was read
        if (root() / catalogue.likely_key(name)).is_dir():
            return load(name, data_dir)
    for wanted in digests:
        for folder in root().glob("user-*"):
            dataset = Cached(folder.name, name).having(wanted)
            if dataset is not None:
                return dataset
    raise DataMissing(f"{name} is not opened, since only records name it: if it is yours, `lecturebench data {name}`")


def outline(name: str, data_dir: Path | None = None) -> Dataset:
    """The dataset of that name, without fetching it: of one of `known` that is not in the cache its kind and digests,
    and no examples. Raises as `load`."""
    import numpy as np

    seen = None if name not in catalogue.known() else catalogue.find(name, data_dir).fingerprint
    if seen is None or Cached(name, name).glance(seen) is not None:
        return load(name, data_dir)
    kind, task = catalogue.KINDS.get(name, ("images", "classification"))
    none = Split(np.empty((0, 0)), np.empty(0))
    digests = dict(catalogue.pinned(name))
    return Dataset(name=name, source="not fetched", kind=kind, task=task, train=none, test=none, digests=digests)


def status(name: str, data_dir: Path | None = None) -> Status:
    """Whether a dataset is cached, and what each source says; all are asked at once and nothing is downloaded.

    Raises UsageError as `load` does.
    """
    entry = catalogue.find(name, data_dir)
    with ThreadPoolExecutor(max_workers=len(entry.sources)) as pool:
        answers = list(pool.map(lambda source: source.available(), entry.sources))
    sources = tuple((source.name, *answer) for source, answer in zip(entry.sources, answers, strict=True))
    try:
        return Status(name, Cached(entry.key, name).holds(entry.fingerprint), sources)
    except DataCorrupt:
        return Status(name, False, sources)


def verify(name: str, data_dir: Path | None = None) -> Dataset:
    """The cached dataset, after every byte of it was read and its digests were computed anew.

    Raises DataMissing if it is not cached, DataCorrupt with expected and found if it is not what was written.
    """
    from lecturebench.datasets import digests

    entry = catalogue.find(name, data_dir)
    cached = Cached(entry.key, name)
    with cached.lock(unsaid):
        if not cached.holds(entry.fingerprint):
            raise DataMissing(f"{name} is not in the cache {cached.folder}")
        dataset = cached.read()
        try:
            split_digests = {split: digests.digest(getattr(dataset, split)) for split in SPLITS}
        except (ValueError, IndexError) as error:
            raise DataCorrupt(f"{name}: {cached.folder} holds what no source gives: {error}") from error
        for expected in (dataset.digests, entry.digests or {}):
            _compare(name, expected, split_digests, f"the cache {cached.folder}")
        return dataset


def _fetch(entry: catalogue.Entry, say: Say) -> tuple[Decoded, Source]:
    tried: list[tuple[str, str]] = []
    for source in entry.sources:
        yes, why = source.available()
        if yes:
            say(f"{entry.name}: from {source.name} ({why})")
            try:
                return source.fetch(say), source
            except NotUsable as error:
                why = str(error)
            except DataCorrupt as error:
                raise DataCorrupt(f"{entry.name}: {error}; nothing is cached") from error
        say(f"{entry.name}: not from {source.name}: {why}")
        tried.append((source.name, why))
    if len(tried) == 1:
        raise DataMissing(f"{entry.name} cannot be had from {': '.join(tried[0])}")
    raise DataMissing("\n".join([f"{entry.name} cannot be had; tried:", *(f"  {name}: {why}" for name, why in tried)]))


def _store(entry: catalogue.Entry, cached: Cached, decoded: Decoded, source: Source) -> None:
    from lecturebench.datasets import digests

    ordered, split_digests = digests.canonical(decoded)
    _compare(entry.name, entry.digests or {}, split_digests, source.name)
    try:
        cached.write(ordered, source.name, split_digests, entry.fingerprint)
    except OSError as error:
        raise cached.unwritable(error) from error


def _checked(entry: catalogue.Entry, cached: Dataset) -> Dataset:
    _compare(entry.name, entry.digests or {}, cached.digests, f"the cache ({cached.source})")
    return cached


def _compare(name: str, expected: Mapping[str, str], actual: Mapping[str, str], source: str) -> None:
    for split, digest in expected.items():
        if actual.get(split) != digest:
            raise DataCorrupt(
                f"{name}, {split} split, from {source}: expected digest {digest}, found {actual.get(split)}"
            )
