"""The errors that a command turns into one line and an exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(Exception):
    """Asked for something that is not there or not allowed. Exit code 2, before anything is fitted."""


class ClusterLost(UsageError):
    """The scheduler or all nodes went away. What had ended is in the store, and the same call goes on. Exit code 1."""


class DataMissing(Exception):
    """A dataset cannot be had; says everything that was tried. Exit code 3 under ``--strict``."""


class DataCorrupt(Exception):
    """Data is there but is not what it should be; says expected and found. Nothing is fitted on it."""


def one_line(error: BaseException) -> str:
    """What an error says, in one line; its kind where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def nearest(what: str, given: str, known: Iterable[str]) -> str:
    """The line for an unknown name: what was given, what there is, and which was probably meant."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no {what} {given!r}: choose {_listed(names)}{hint}"


def _listed(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]
