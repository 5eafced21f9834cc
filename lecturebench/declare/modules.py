"""How the files of a suite are imported: each from where it lies, under a name that no other folder's files can have.

A suite may lie anywhere, be called anything, and share its folder's name with another suite or an installed package.
So its modules are named after the path (``suites_of_1a2b3c4d.my_course.bench_one``), and an import in one of its files
is looked up from where that file lies: ``from helpers import x``, ``from .helpers import x`` and
``from my_course.helpers import x`` are the same module, in this process as in a worker. The lecture's own suite keeps
its plain names where Python itself finds it under them, as in the repository.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader, all_suffixes
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

BEGAN = time.time()  # before any file of a suite was imported, and most of ours
_HERE = Path(__file__).resolve().parent.parent
# In the wheel the lecture lies inside this package, in the repository beside it.
LECTURE_SUITE = next(path for path in (_HERE / "lecture" / "benchmarks", _HERE.parent / "benchmarks") if path.is_dir())
BASELINES = LECTURE_SUITE.parent / "baselines"

_parents: dict[str, Path] = {}  # by the name of the package that stands for a folder with suites in it
_suites: dict[str, Path] = {}  # by the dotted name of a suite's package


@functools.cache
def package_name(folder: Path) -> str:
    """The dotted name of the package that a suite's folder is in this process."""
    folder = folder.resolve()
    if folder == LECTURE_SUITE and _has_plain_names():
        return folder.name
    return f"{_parent_name(folder.parent)}.{_safe(folder.name)}"


def without_place(module: str) -> str:
    """A module's name without what says where its suite lies: ``my_course.bench_one``, wherever the course is."""
    root, _, rest = module.partition(".")
    return rest if root in _parents else module


def name_in_suite(module: str, suite: Path, name: str) -> str:
    """The name of a module under its suite's own ``name``, whatever the suite's folder is called; others unchanged."""
    package = package_name(suite)
    if module == package or module.startswith(f"{package}."):
        return name + module.removeprefix(package)
    return without_place(module)


def changed(files: Iterable[Path]) -> list[Path]:
    """Those of some files that were changed since this process began: it may run what they were, or what they are.

    A file that is gone is one of them. By the time that nobody can set, so that a copy of an old file is noticed too.
    """

    def since(path: Path) -> bool:
        try:
            about = path.stat()
        except OSError:
            return True
        return (about.st_mtime if os.name == "nt" else about.st_ctime) > BEGAN

    return [path for path in files if since(path)]


def import_file(path: Path) -> ModuleType:
    """Import one file of a suite anew, after its package; whatever it raises is passed on."""
    path = path.resolve()
    package = package_name(path.parent)
    if package != path.parent.name:
        _register(path.parent)
    importlib.import_module(package)
    name = f"{package}.{_safe(path.stem)}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Loader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def resolve(name: str, importer: str) -> str:
    """The name in `sys.modules` of what ``import name`` means in the module ``importer``: another one in a suite."""
    top, _, rest = name.partition(".")
    root = importer.partition(".")[0]
    if root not in _parents or top in sys.stdlib_module_names or top == "lecturebench":
        return name
    place = _own(name, root, ".".join(importer.split(".")[:2]))
    return f"{place}.{rest}" if place and rest else place or name


def _own(name: str, root: str, package: str) -> str:
    """What the top-level part of a name stands for in a suite's file; "" where the suite has nothing of that name."""
    top = name.partition(".")[0]
    parent, folder = _parents[root], _suites.get(package)
    if folder is not None and _holds(folder, name):
        return f"{package}.{top}"
    if folder is not None and top == folder.name:
        return package
    if _holds(parent, name) and (parent == LECTURE_SUITE.parent or not _is_installed(top)):
        return f"{root}.{top}"
    if top == BASELINES.name and _spec(top) is None:
        return f"{_parent_name(BASELINES.parent, register=True)}.{top}"
    return ""


def _holds(folder: Path, name: str) -> bool:
    """Whether a folder has the module or package of that dotted name; a folder of data is none."""
    parts = name.split(".")
    for end in {1, len(parts)}:
        path = folder.joinpath(*parts[:end])
        modules = [path.with_name(path.name + suffix) for suffix in all_suffixes()]
        if any(module.is_file() for module in modules) or any(path.glob("*.py")):
            return True
    return False


def _is_installed(top: str) -> bool:
    """Whether a top-level name is an installed package's."""
    spec = _spec(top)
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or [])]
    installed = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    return any(installed & set(Path(place).resolve().parents) for place in places if place)


def _spec(top: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None


def _has_plain_names() -> bool:
    """Whether Python itself finds the lecture's two packages where they lie."""
    for folder in (LECTURE_SUITE, BASELINES):
        spec = _spec(folder.name)
        places = [] if spec is None else [Path(place).resolve() for place in spec.submodule_search_locations or []]
        if places != [folder]:
            return False
    return True


def _parent_name(parent: Path, *, register: bool = False) -> str:
    name = f"suites_of_{hashlib.sha256(str(parent).encode()).hexdigest()[:8]}"
    if register:
        _parents[name] = parent
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
            sys.meta_path.append(_PlainNames())
    return name


def _register(folder: Path) -> None:
    """Let the modules of a suite's folder, and of those beside it, be found by name."""
    _parent_name(folder.parent, register=True)
    _suites[package_name(folder)] = folder


def _safe(name: str) -> str:
    """A name that can be part of a dotted one: itself, or what it is without dots and dashes, and told apart."""
    if name.isidentifier():
        return name
    return f"{re.sub(r'[^0-9A-Za-z_]', '_', name)}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


class _Finder:
    """Finds what lies under the folders of `_parents`, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if root not in _parents:
            return None
        folder = _suites.get(fullname) if rest else _parents[root]
        if folder is None:
            spec = PathFinder.find_spec(fullname, path)
            if spec is not None and type(spec.loader) is SourceFileLoader:
                spec.loader = _Loader(spec.loader.name, spec.loader.path)
            return spec
        file = folder / "__init__.py"
        if rest and file.is_file():
            loader = _Loader(fullname, str(file))
            return importlib.util.spec_from_file_location(
                fullname, file, loader=loader, submodule_search_locations=[str(folder)]
            )
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec


class _PlainNames:
    """Says why ``importlib.import_module("helpers")`` finds nothing. Last of all finders.

    Such a call does not say from which file it comes, and what it imports is kept under its plain name: of two suites
    with helpers of their own the second would be given the first one's.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None and any(_holds(folder, fullname) for folder in {*_suites.values(), *_parents.values()}):
            raise ModuleNotFoundError(
                f"{fullname!r} belongs to a suite: write `import {fullname}`, a call does not say whose it is",
                name=fullname,
            )
        return None


class _Loader(SourceFileLoader):
    """Runs a file of a suite with imports that start where it lies.

    Always from its source: a cached bytecode counts as fresh when an edit keeps the size within the same second, and
    what would run then is not what the run's key says.
    """

    def get_code(self, fullname: str) -> CodeType:
        # With `python -OO` too a docstring stands above the results on the page.
        return compile(
            self.get_data(self.path), self.path, "exec", dont_inherit=True, optimize=min(sys.flags.optimize, 1)
        )

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _importing(module.__name__)}
        super().exec_module(module)


def _importing(importer: str) -> Callable[..., Any]:
    """``__import__`` for one module, by `resolve`."""

    def importing(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        own = name if level else resolve(name, importer)
        if own == name or fromlist:
            return builtins.__import__(own, globals, locals, fromlist or (), level)
        builtins.__import__(own)
        return sys.modules[resolve(name.partition(".")[0], importer)]  # `import a.b` binds a

    return importing
