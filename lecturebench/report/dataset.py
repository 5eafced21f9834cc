"""What a dataset is, on a terminal and in plain lines: all that will be fitted, before it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lecturebench.datasets import Description
from lecturebench.datasets.description import ClassCount, Feature
from lecturebench.wording import clean

MOST = 20  # classes or features, before those alike are drawn together


def dataset_table(description: Description) -> RenderableType:
    """Facts, classes, features and notes, for a terminal however narrow."""
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(description):
        facts.add_row(name, Text(clean(value)))
    parts: list[RenderableType] = [Text(clean(description.name), style="bold", overflow="fold"), facts]
    if description.classes:
        classes = _table("class", ">train", ">test")
        for each in _few(description.classes):
            classes.add_row(Text(clean(each.name)), f"{each.train:,}", f"{each.test:,}")
        parts += [Text(), classes, *_rest(description.classes)]
    if description.kind == "table":
        features = _table("feature", "type", ">values", ">missing")
        for name, kind, values, missing in _features(description.features):
            features.add_row(Text(clean(name)), kind, values, missing)
        parts += [Text(), features]
    parts += [Text(f"note: {clean(note)}", style="yellow") for note in description.notes]
    return Group(*parts)


def dataset_lines(description: Description) -> list[str]:
    """The same without layout, a line for each thing."""
    lines = [description.line, f"  from {description.source}"]
    lines += [f"  class {each.name!r}: {each.train} train, {each.test} test" for each in _few(description.classes)]
    lines += [f"  {line.plain}" for line in _rest(description.classes)]
    if description.kind == "table":
        lines += [
            f"  feature {name}: {kind}, {values}, {missing} missing"
            for name, kind, values, missing in _features(description.features)
        ]
    lines += [f"  note: {note}" for note in description.notes]
    lines += [f"  {split:<5} {digest}" for split, digest in description.digests.items()]
    return [clean(line) for line in lines]


def _facts(description: Description) -> Iterator[tuple[str, str]]:
    yield "from", description.source
    if description.target:
        yield "target", description.target
    yield "task", f"{description.task}, {description.targets}"
    yield "features", description.summary
    yield "examples", f"{description.train:,} train, {description.test:,} test"
    if description.split:
        yield "split", description.split
    yield from description.digests.items()


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table


def _few(classes: Sequence[ClassCount]) -> Sequence[ClassCount]:
    return classes[:MOST]


def _rest(classes: Sequence[ClassCount]) -> list[Text]:
    more = classes[MOST:]
    counts = [each.train + each.test for each in more]
    return [Text(f"and {len(more)} more classes, {min(counts):,} to {max(counts):,} examples each")] if more else []


def _features(features: Sequence[Feature]) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, values and missing ones of each feature; of many, neighbours of a type are drawn together."""
    if len(features) <= MOST:
        for each in features:
            yield each.name, each.type, each.shown, str(each.missing)
        return
    for kind, group in groupby(features, key=lambda feature: feature.type):
        alike = list(group)
        name = alike[0].name if len(alike) == 1 else f"{alike[0].name} … {alike[-1].name} ({len(alike):,})"
        yield name, kind, _together(alike).shown, str(sum(each.missing for each in alike))


def _together(alike: Sequence[Feature]) -> Feature:
    """One feature that has all values of several of a type; of categories the number of each is left out."""
    lows = [each.low for each in alike if each.low is not None]
    highs = [each.high for each in alike if each.high is not None]
    return Feature("", alike[0].type, min(lows, default=None), max(highs, default=None))
