"""What a figure is made of, as a digest: the code that draws it and all that it is drawn from.

A figure is kept for the next report only if all of that can be named, and if what draws it runs as its files say.
Otherwise its basis is "", which no other is equal to, and it is drawn again.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.modules import changed
from lecturebench.declare.suites import is_benchmark
from lecturebench.environment import packages
from lecturebench.store import MARKER

PACKAGE = Path(__file__).parent.parent
DRAWN_BY = ("matplotlib", "numpy", "scipy", "pillow", "fonttools")
FITTING = ("execution", "models", "training")  # rooms that no drawing of ours imports

# The digest of the source that something of a benchmark uses, wherever that lies, and the files that were looked at; ""
# where no source would say all of it.
Follow = Callable[[Benchmark, Any], tuple[str, Iterable[Path]]]


def followed_nowhere(benchmark: Benchmark, value: Any) -> tuple[str, Iterable[Path]]:
    """Nobody says what source something uses."""
    return "", ()


class Basis:
    """What the figures of one report are made of. follow: for what a benchmark brings itself."""

    def __init__(self, follow: Follow = followed_nowhere) -> None:
        self._follow = follow
        self._suites: dict[Path, Mapping[Path, str]] = {}
        self._used: set[Path] = set()

    def of(self, benchmark: Benchmark, made_of: Any, *own: Any) -> str:
        """The digest for a figure that is drawn from plain data and, where ``own`` is given, by what the benchmark
        brings; "" if something of it cannot be named.
        """
        source, files = self._follow(benchmark, own) if own else ("none", ())
        suite = self._suite(benchmark.path)
        if not source or not suite:
            return ""
        self._used.update(suite, files)
        named = {str(path.relative_to(benchmark.path.parent)): text for path, text in suite.items()}
        return digest_of(code(), named, source, made_of)

    def changed(self) -> list[Path]:
        """The files of what draws that were changed since this process began."""
        return changed(sorted({*code_files(), *self._used}))

    def _suite(self, benchmark: Path) -> Mapping[Path, str]:
        """The digests of the files that a drawing of the benchmark may read, code or data; {} if they cannot be read.

        Those of other benchmarks are none of its business, unless it imports them: then they are followed.
        """
        folder = benchmark.parent
        if not benchmark.name:
            return {}  # declared by no file
        if folder not in self._suites:
            try:
                self._suites[folder] = {path: _file_digest(path) for path in _files(folder)}
            except OSError:
                self._suites[folder] = {}
        every = self._suites[folder]
        return {path: text for path, text in every.items() if path == benchmark or not _is_another(path, folder)}


def _is_another(path: Path, folder: Path) -> bool:
    return path.parent == folder and is_benchmark(path)


def _files(folder: Path) -> Iterator[Path]:
    """All files of a suite, however deep, in an order of their own; no hidden ones, and none of a store."""
    for place, folders, names in os.walk(folder):
        if MARKER in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        paths = (Path(place, name) for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if path.is_file())


def digest_of(*made_of: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=repr).encode(errors="replace")).hexdigest()


def code_files() -> list[Path]:
    """All of our code that drawings may use, whatever they import on the way: numbers, words and metrics among it."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in FITTING]


@functools.cache
def code() -> str:
    """What draws and computes a page: our code, and the versions of what it stands on, told without importing that."""
    versions = {name: importlib.metadata.version(name) for name in DRAWN_BY} | packages()
    return digest_of(platform.python_version(), versions, list(map(_file_digest, code_files())))


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
