"""A user's dataset as it is spelled: ``FORM:PLACE?option=value&option=value``. Nothing else takes one apart.

    csv:digits.csv?target=Label            parquet:houses.parquet?target=price&task=regression
    csv:iris.csv?header=none&target=5      openml:554?image=28x28

A file whose name has a ``?`` is taken as it is where it exists under that name. In a value, %26 stands for ``&``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from lecturebench.errors import UsageError, nearest

NAME = r".+"
TASK = "classification|regression"
IMAGE = r"([1-9]\d{0,3})x([1-9]\d{0,3})(?:x([1-4]))?"


@dataclass(frozen=True)
class Option:
    """What may follow ``option=``. allowed: a pattern of the whole value; shown: how errors and help say it."""

    allowed: str
    shown: str


TARGET = Option(NAME, "target=COLUMN")
SPLIT = Option(NAME, "split=COLUMN")
WHICH_TASK = Option(TASK, "task=classification or task=regression")
PIXELS = Option(IMAGE, "image=HEIGHTxWIDTH or image=HEIGHTxWIDTHxCHANNELS")
TABLE = {"target": TARGET, "task": WHICH_TASK, "split": SPLIT, "image": PIXELS}

# By form: what its place is, and its options.
PLACES: Mapping[str, str] = {
    "npz": "PATH", "csv": "PATH", "parquet": "PATH", "arff": "PATH", "folder": "PATH", "openml": "ID",
}  # fmt: skip
OPTIONS: Mapping[str, Mapping[str, Option]] = {
    "npz": {
        "task": WHICH_TASK,
        "image": PIXELS,
        "layout": Option("channels_first|channels_last", "layout=channels_first or layout=channels_last"),
    },
    "csv": TABLE | {"header": Option("none", "header=none")},
    "parquet": TABLE,
    "arff": TABLE,
    "folder": {},
    "openml": TABLE,
}


@dataclass(frozen=True)
class Spelling:
    """A spelling taken apart. given: as it was written; form: before the colon; place: a path, or an id of OpenML."""

    given: str
    form: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The place as a path, ``~`` expanded."""
        return Path(os.path.expanduser(self.place))

    @property
    def image(self) -> tuple[int, int, int] | None:
        """Height, width and channels that ``image=`` says; None where it does not."""
        sides = re.fullmatch(IMAGE, self.options.get("image", ""))
        return (int(sides[1]), int(sides[2]), int(sides[3] or 1)) if sides else None

    def adding(self, **options: str) -> str:
        """The spelling with further options, for an error that says what to write instead."""
        written = [f"{name}={_quoted(value)}" for name, value in {**self.options, **options}.items()]
        return f"{self.form}:{self.place}?{'&'.join(written)}"


def forms() -> list[str]:
    """The forms with what follows each: csv:PATH, openml:ID, ..."""
    return [f"{form}:{place}" for form, place in PLACES.items()]


def parse(given: str, known: tuple[str, ...] = ()) -> Spelling:
    """A user's dataset taken apart. known: names of other datasets, for what an unknown one was meant to be.

    UsageError for an unknown form, option or value, said with what is allowed.
    """
    if given != given.encode(errors="replace").decode():
        shown = given.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise UsageError(f"{shown}: this name is not UTF-8, and a report could not show it; rename it, or link to it")
    form, _, rest = given.partition(":")
    if form not in OPTIONS or not rest or rest.startswith("?"):
        raise UsageError(nearest("dataset", given, [*known, *forms()]))
    place, written = _cut(rest) if PLACES[form] == "PATH" else rest.partition("?")[::2]
    if form == "openml" and not re.fullmatch(r"[1-9][0-9]{0,8}", place):
        raise UsageError(f"{given}: {place!r} is no id of OpenML; expected a whole number as in openml:554")
    options: dict[str, str] = {}
    for part in written.split("&") if written else ():
        name, _, value = part.partition("=")
        option, value = OPTIONS[form].get(name), unquote(value)
        if option is None:
            allowed = ", ".join(option.shown for option in OPTIONS[form].values())
            raise UsageError(f"{given}: no option {name!r}; {form}: takes {allowed or 'none'}")
        if name in options:
            raise UsageError(f"{given}: {name} is said twice; say it once")
        if not re.fullmatch(option.allowed, value, re.ASCII | re.DOTALL):
            raise UsageError(f"{given}: {name} is {value!r}; expected {option.shown}")
        options[name] = value
    return Spelling(given, form, place, options)


def _cut(rest: str) -> tuple[str, str]:
    """Path and options: the longest path that exists before a ``?`` or the end; up to the first ``?`` if none does."""
    cuts = [i for i, letter in enumerate(rest) if letter == "?"] + [len(rest)]
    cut = next((i for i in reversed(cuts) if _exists(rest[:i])), cuts[0])
    return rest[:cut], rest[cut + 1 :]


def _exists(place: str) -> bool:
    try:
        return Path(os.path.expanduser(place)).exists()
    except OSError:  # longer than any name may be
        return False


def _quoted(value: str) -> str:
    return value.replace("%", "%25").replace("&", "%26")
