"""Where modules come from: somebody's own files, or packages that were installed, and in which versions."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from lecturebench.environment import PACKAGES

# Where installed packages lie, and the standard library.
INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
INSTALLED_NAMES = {"site-packages", "dist-packages"}
# Where the name that is imported is not the name that is installed.
IMPORTED_AS = {"scikit-learn": "sklearn", "tensorflow-datasets": "tensorflow_datasets"}
STATED_IN_RECORDS = {IMPORTED_AS.get(name, name) for name in PACKAGES}


def spec_of(module: str) -> ModuleSpec | None:
    """Where Python would find a module, without importing the packages above it; None if it would not."""
    place: Sequence[str] | None = None
    name = ""
    spec = None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = None
        for finder in sys.meta_path:
            try:
                spec = finder.find_spec(name, place)
            except Exception:  # a finder of somebody else's may raise anything for what it does not know
                continue
            if spec is not None:
                break
        if spec is None:
            return None
        place = None if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
        if place is None and name != module:
            return None
    return spec


def is_installed(path: Path) -> bool:
    """Whether a file is of the standard library or lies where packages are installed."""
    return _is_among_packages(path) or any(path.is_relative_to(place) for place in INSTALLED)


def _is_among_packages(path: Path) -> bool:
    """Whether a file lies in a folder of packages: one of that name, or one that ``pip install --target`` filled."""
    return bool(INSTALLED_NAMES.intersection(path.parts)) or any(map(_holds_distributions, path.parents))


@functools.cache
def _holds_distributions(folder: Path) -> bool:
    return any(folder.glob("*.dist-info/RECORD"))


def is_distributed(path: Path, module: str) -> bool:
    """Whether a package that was installed brought this file: a module that somebody copied there is his own."""
    top = module.partition(".")[0]
    return not _is_among_packages(path) or top in STATED_IN_RECORDS or top in _distributions()


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """The installed packages by the modules that they bring."""
    return dict(importlib.metadata.packages_distributions())


def version(top: str) -> str:
    """The version of an installed package as the digest says it; "" for those that every record states."""
    if top in sys.stdlib_module_names or top in STATED_IN_RECORDS or top not in _distributions():
        return ""
    return " of " + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(_distributions()[top]))
