"""The digest of the source that decides a result, read from the files and never by importing them.

From a function it follows the names that its code uses: to functions, classes and constants of the same file, and
through imports, at the top of the file or inside a function, into every other module that is somebody's own: where
Python would find it (the suite's folder, beside it, PYTHONPATH, ``.pth`` files, editable installs), as long as that is
neither the standard library nor a folder of installed packages. What counts is the syntax tree without docstrings,
comments, layout and the annotations of functions; of a compiled module its bytes.

Of an installed package its dotted name counts, and its version where a module of a suite uses it. Not the versions of
what lecturebench itself stands on (NumPy, scikit-learn, Keras, …: `environment.PACKAGES`): every record states them and
the page lists them, and with them in the key nobody could report or verify a store from a machine that has another
patch release.

It rather follows too much than too little: a local variable with the name of a function of its file counts as a use of
that function, and statements that run when a file is imported and bind no name count for all that is used of the file.
It does not see what only running shows: ``getattr`` with a computed name, modules imported by a computed name, and
files that are read as data: give those as a dataset.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import hashlib
import importlib
import importlib.metadata
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from lecturebench.declare.training import Choice
from lecturebench.environment import PACKAGES
from lecturebench.errors import UsageError

if TYPE_CHECKING:
    from lecturebench.declare.benchmark import Benchmark
    from lecturebench.declare.methods import Method

from lecturebench.declare.modules import BASELINES, package_name, resolve, without_place

PACKAGE = Path(__file__).resolve().parent.parent
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# A name and what is read from it: `dense.two_layer` is ("dense", "two_layer").
Chain = tuple[str, ...]
# Where installed packages lie, and the standard library.
INSTALLED = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
INSTALLED_NAMES = {"site-packages", "dist-packages"}
# Where the name that is imported is not the name that is installed.
IMPORTED_AS = {"scikit-learn": "sklearn", "tensorflow-datasets": "tensorflow_datasets"}
STATED_IN_RECORDS = {IMPORTED_AS.get(name, name) for name in PACKAGES}


def source_digest(*decisive: Any, roots: Sequence[Path], suite: Path | None = None) -> str:
    """SHA-256, in hex, of the source that functions, classes and values use, in whatever order they are given.

    roots: folders of packages of ours, each imported by its own name (``…/lecturebench``, ``…/baselines``); they are
    followed wherever they lie, in a folder of installed packages too. suite: one more, whose name does not count.

    A `functools.partial`, a wrapper, a closure, a bound method or an object that can be called counts with what it
    holds: functions by their source, plain values by what they are, arrays by their bytes. Files are parsed once until
    they change.

    TypeError for what holds anything else: no source would say what it does. SyntaxError and OSError for a file that
    cannot be read.
    """
    importlib.invalidate_caches()
    walk = _Walk([root.resolve() for root in roots], suite.resolve() if suite else None)
    walk.lines.update(f"start {walk.describe(value)}" for value in decisive)
    walk.run()
    return hashlib.sha256("\n".join(sorted(walk.lines)).encode()).hexdigest()


def method_digest(benchmark: Benchmark, method: Method, backend: str) -> str:
    """The digest of the source that decides a method's result; UsageError, in one line, where there is none."""
    from lecturebench.declare.methods import Baseline, Experiment
    from lecturebench.declare.views import AsStored
    from lecturebench.training.backends import LOADERS
    from lecturebench.training.baselines import fit_baseline
    from lecturebench.training.fit import fit_experiment, fit_network

    # A table as it is needs no code, and what is seen of one by default the recipe says.
    view = None if isinstance(method.view, AsStored) else method.view
    decisive: list[Any] = [method.function, getattr(method, "probe", None), view]
    # A schedule's rates are worked out by its class, which nothing else names.
    declared = [*method.parameters.values(), *(vars(method.training).values() if method.training else ())]
    decisive += [value for value in declared if not is_plain(value)]
    if isinstance(method, Baseline):
        decisive.append(fit_baseline)
    else:
        decisive.append(fit_experiment if isinstance(method, Experiment) else fit_network)
    if method.uses_backend:
        decisive.append(LOADERS[backend])
    for metric in benchmark.metrics:
        decisive += [metric.of, metric.losses]
    what = f"method {method.name!r} of {benchmark.name}"
    if not callable(method.function):
        raise UsageError(f"{what}: {method.function!r} is no function")
    rooms = [PACKAGE, BASELINES]
    try:
        _refuse_what_goes_on([method.function, getattr(method, "probe", None), *method.parameters.values()])
        return source_digest(*decisive, roots=rooms, suite=benchmark.path.parent if benchmark.path.name else None)
    except (TypeError, SyntaxError, OSError) as error:
        raise UsageError(f"{what}: {' '.join(str(error).split())}") from None


def _refuse_what_goes_on(values: Iterable[Any]) -> None:
    """TypeError where functions of a suite hold a generator or an iterator that outlives a run.

    It goes on where the run before left it, so that a result would depend on what a worker did earlier. They are looked
    for in defaults, closures, partials, bound methods, containers, classes and instances of the user's own, and in what
    functions name at the top of their file or in another module of the user's. Not seen: what is made when it is used
    and kept then.
    """
    waiting: list[Any] = list(values)
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if goes_on := _going_on(value):
            raise _going_on_error(goes_on)
        waiting += _held(value)


def _going_on(value: Any) -> str:
    """What of a value's kind goes on from use to use, in words; "" for what does not."""
    import random

    import numpy as np

    if value is getattr(random, "_inst", None) or value is getattr(np.random.mtrand, "_rand", None):
        return ""  # Python's and NumPy's own, which each run seeds
    if isinstance(value, np.random.Generator | np.random.RandomState | np.random.BitGenerator | random.Random):
        return "a random generator"
    return "an iterator" if isinstance(value, Iterator) else ""


def _held(value: Any) -> list[Any]:
    """What a value holds, or names, of a user's own."""
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, types.FunctionType):
        return _held_by_function(value)
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, type):
        return list(vars(value).values()) if _is_own(value.__module__) else []
    if _is_own(type(value).__module__):
        return [type(value), *vars(value).values()] if hasattr(value, "__dict__") else [type(value)]
    return []


def _held_by_function(function: types.FunctionType) -> list[Any]:
    held: list[Any] = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a cell that is still empty
            held.append(cell.cell_contents)
    if not _is_own(str(function.__module__)):
        return held
    names = {name for part in _codes(function.__code__) for name in part.co_names}
    for name in names & set(function.__globals__):
        value = function.__globals__[name]
        own_module = isinstance(value, types.ModuleType) and _is_own(value.__name__)
        held += [vars(value)[inside] for inside in names & set(vars(value))] if own_module else [value]
    return held


def _is_own(module: str) -> bool:
    """Whether a module that is imported is neither lecturebench's nor of an installed package."""
    if module.partition(".")[0] == PACKAGE.name:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and not _is_installed(Path(file).resolve())


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _going_on_error(what: str) -> TypeError:
    return TypeError(
        f"it holds {what}, which goes on where the run before left it: "
        + ("give the function a parameter `seed` and make" if "random" in what else "make")
        + f" the {what.split()[-1]} inside"
    )


def is_plain(value: Any) -> bool:
    """Whether a recipe says all of a parameter; what is not plain counts in the digest."""
    if isinstance(value, tuple | list):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(item) for name, item in value.items())
    return type(value) in (bool, int, float, str, Choice) or value is None


@dataclass(frozen=True)
class _Import:
    """What an imported name stands for: a module, or ``attribute`` of it ("*" for all of them)."""

    module: str
    attribute: str = ""


@dataclass
class _Unit:
    """What one name of a file stands for: its statements as text, what they use, the imports inside them.

    modules: those that it imports by a call with their written names.
    """

    text: str
    chains: set[Chain]
    imports: dict[str, set[_Import]]
    modules: set[str]


@dataclass
class _File:
    """A parsed file. statements: by the name they bind; "" holds those that run on import and bind no name.

    name: as the digest says it. module: as Python imports it, of ``package``. counts_versions: whether the versions of
    installed packages that it uses count; not those of lecturebench's own files. importer: the name under which a file
    of a suite, or beside one, looks for what it imports; "" for other files.
    """

    name: str
    module: str
    package: str
    path: Path | None = None
    counts_versions: bool = True
    importer: str = ""
    imports: dict[str, set[_Import]] = field(default_factory=dict)
    statements: dict[str, list[ast.stmt]] = field(default_factory=dict)
    units: dict[str, _Unit] = field(default_factory=dict)

    def unit(self, name: str) -> _Unit:
        """What ``name`` stands for, worked out when it is first asked for."""
        if name not in self.units:
            statements = self.statements.get(name, [])
            imports: dict[str, set[_Import]] = {}
            _add_imports((node for statement in statements for node in ast.walk(statement)), self.package, imports)
            chains = {chain for statement in statements for chain in _chains(statement)}
            modules = {module for statement in statements for module in _called_for(statement)}
            self.units[name] = _Unit(" ".join(map(_canonical, statements)), chains, imports, modules)
        return self.units[name]


class _Walk:
    """Follows uses from name to name. lines: one for each definition, and for each import that one relies on."""

    def __init__(self, roots: list[Path], suite: Path | None = None) -> None:
        self.roots, self.suite = [suite, *roots] if suite else roots, suite
        self.lines: set[str] = set()
        self.seen: set[tuple[str, str | Chain]] = set()
        self.describing: list[int] = []
        self.waiting: list[tuple[_File, str]] = []
        self.files: dict[str, _File | None] = {}

    def describe(self, value: Any) -> str:
        """A value that decides a result, in words that differ when it does. Functions and classes are followed."""
        if value is None or value is ... or isinstance(value, bool | int | float | complex | str | bytes):
            # Of a subclass (an enumeration, numpy.float64) the type counts too.
            return repr(value) if type(value).__module__ == "builtins" else self.describe_plain(value)
        if id(value) in self.describing:
            return "itself"
        self.describing.append(id(value))
        try:
            return self.describe_whole(value)
        finally:
            self.describing.pop()

    def describe_plain(self, value: Any) -> str:
        """A number or text of a type of its own."""
        if isinstance(value, enum.Enum):
            return f"{self.describe(type(value))}.{value.name}"
        return f"{self.describe(type(value))} {value!r}"

    def describe_whole(self, value: Any) -> str:
        """What is made of other values, or has source."""
        kind = type(value)
        if kind in (tuple, list):
            return f"[{', '.join(map(self.describe, value))}]"
        if kind in (set, frozenset):
            return f"set [{', '.join(sorted(map(self.describe, value)))}]"
        if isinstance(value, dict | types.MappingProxyType):
            items = sorted((self.describe(name), self.describe(item)) for name, item in value.items())
            return f"dict {items}"
        if isinstance(value, range | slice):
            return repr(value)
        if isinstance(value, enum.Enum):
            return f"{self.describe(kind)}.{value.name}"
        if isinstance(value, functools.partial):
            return f"partial {self.describe([value.func, value.args, value.keywords])}"
        if isinstance(value, types.ModuleType):
            return f"module {self.follow_module(value.__name__, ())}"
        if isinstance(value, types.MethodType):
            return f"{self.describe(value.__func__)} of {self.describe(value.__self__)}"
        if isinstance(value, type | types.FunctionType):
            return self.describe_function(value)
        if isinstance(value, types.BuiltinFunctionType | types.MethodDescriptorType):
            return f"{value.__module__}.{value.__qualname__}" if hasattr(value, "__module__") else repr(value)
        if kind.__module__ == "numpy" or kind.__module__.startswith("numpy."):
            return self.describe_numpy(value)
        return self.describe_object(value)

    def describe_function(self, function: Any) -> str:
        """A function or class by its source; one made inside another with what it holds, its defaults included."""
        name = f"{self.label(function.__module__)}.{function.__qualname__}"
        code = getattr(function, "__code__", None)
        self.follow_function(function.__module__, function.__qualname__, code)
        if code is None:
            return name
        held = []
        for cell in function.__closure__ or ():
            try:
                held.append(self.describe(cell.cell_contents))
            except ValueError:
                held.append("nothing yet")
        # At the top of a file the syntax tree says what the defaults are.
        if held or "<" in function.__qualname__:
            held.append(self.describe([function.__defaults__, function.__kwdefaults__]))
        return f"{name} with {held}" if held else name

    def describe_numpy(self, value: Any) -> str:
        """An array or number by its bytes; a function of NumPy by its name."""
        import numpy as np

        if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            array = np.ascontiguousarray(value)
            content = hashlib.sha256(array.tobytes()).hexdigest()
            return f"array {array.dtype.str} {np.shape(value)} {content}"
        if isinstance(value, np.ufunc | np.dtype):
            return f"numpy {value!r}"
        if isinstance(value, np.random.Generator | np.random.RandomState | np.random.BitGenerator):
            raise _going_on_error("a random generator")
        if callable(value) and hasattr(value, "__qualname__"):
            return f"{value.__module__}.{value.__qualname__}"
        raise _no_source(value)

    def describe_object(self, value: Any) -> str:
        """Any other object by its class and its attributes."""
        if isinstance(value, Path):
            raise TypeError(f"{value!r} names a file, and no digest says what is in it; give it as a dataset")
        state = dict(getattr(value, "__dict__", {}))
        names = (name for base in type(value).__mro__ for name in _slots(base))
        state |= {name: getattr(value, name) for name in names if hasattr(value, name)}
        if not state and type(value).__module__ in sys.stdlib_module_names:
            raise _no_source(value)
        # What memory it lies at would be all that is known of it.
        if not state and not self.is_own(type(value)) and not callable(value):
            raise _no_source(value)
        return f"{self.describe(type(value))} object {self.describe(state)}"

    def is_own(self, kind: type) -> bool:
        """Whether a class is written in a file that is followed."""
        return self.file_of(kind.__module__) is not None

    def follow_function(self, module: str, qualname: str, code: CodeType | None) -> None:
        """Follow a function by its name in its file; where the file binds no such name (a lambda), the whole file.

        A wrapper says that it is what it wraps: its own code, where that lies elsewhere, is followed too.
        """
        path = getattr(sys.modules.get(module), "__file__", None) or (code.co_filename if code else None)
        places = {(path, qualname)} if path else set()
        if code is not None:
            places.add((code.co_filename, code.co_qualname))
        for place, name in sorted(places):
            file = self.file_at(Path(place).resolve(), module)
            if file is not None:
                top = name.partition(".")[0]
                self.follow(file, [top] if top in file.statements else None)

    def label(self, module: str) -> str:
        """The name of a module in the digest: where its suite lies and what its folder is called does not count."""
        if self.suite is not None:
            for package in (self.suite.name, package_name(self.suite)):
                if f"{module}.".startswith(f"{package}."):
                    return f"suite{module[len(package) :]}"
        return without_place(module)

    def importer(self, path: Path) -> str:
        """The name under which a file looks for what it imports: a suite's files look first where they lie."""
        if self.suite is None or not path.is_relative_to(self.suite.parent):
            return ""
        package = package_name(self.suite)
        inside = path.is_relative_to(self.suite)
        above = package if inside else package.rpartition(".")[0]
        beside = path.relative_to(self.suite if inside else self.suite.parent).with_suffix("")
        return ".".join([above, *beside.parts])

    def follow(self, file: _File, names: Iterable[str] | None) -> None:
        """Count what the names of a file stand for; None for all of them, imported ones too."""
        if names is None:
            names = list(file.statements)
            for name in file.imports:
                self.follow_name(file, (name,), file.imports)
        # What runs when the file is imported counts as well.
        for name in {*names, ""}:
            if (file.name, name) not in self.seen:
                self.seen.add((file.name, name))
                self.waiting.append((file, name))

    def run(self) -> None:
        """Work off what waits: take down each definition and follow what it uses."""
        while self.waiting:
            file, name = self.waiting.pop()
            unit = file.unit(name)
            self.lines.add(f"{file.name}:{name} = {unit.text}")
            for chain in unit.chains:
                self.follow_name(file, chain, file.imports)
                self.follow_name(file, chain, unit.imports)
            for module in unit.modules:
                self.lines.add(f"{file.name}:{name} is {self.follow_import(file, module, ())}")
            if name == "":
                self.follow_name(file, ("*",), file.imports)
                for end in range(1, file.module.count(".") + 1):
                    package = self.file_of(".".join(file.module.split(".")[:end]))
                    # What stands for the folder above a suite says where that lies, and nothing else.
                    if package is not None and package.name:
                        self.follow(package, [])

    def follow_name(self, file: _File, chain: Chain, imports: dict[str, set[_Import]]) -> bool:
        """Follow a name by its definitions in a file and by ``imports``; whether there are any."""
        name, rest = chain[0], chain[1:]
        for item in imports.get(name, ()):
            inside = (item.attribute,) if item.attribute not in ("", "*") else ()
            self.lines.add(f"{file.name}:{name} is {self.follow_import(file, item.module, inside + rest)}")
        if name in file.statements:
            self.follow(file, [name])
        return name in imports or name in file.statements

    def follow_import(self, file: _File, module: str, chain: Chain) -> str:
        """Follow what a file imports; its dotted name, for a file of a suite with the version of what is installed."""
        module = resolve(module, file.importer) if file.importer else module
        name = self.follow_module(module, chain)
        if file.counts_versions and self.file_of(module) is None:
            return name + _version(module.partition(".")[0])
        return name

    def follow_module(self, module: str, chain: Chain) -> str:
        """Follow what is read from a module, the whole of it where that cannot be told; its dotted name."""
        name = ".".join((self.label(module), *chain))
        file = self.file_of(module)
        if file is None or (module, chain) in self.seen:
            return name
        self.seen.add((module, chain))
        known = False
        if chain:
            known = self.follow_name(file, chain, file.imports)
            submodule = f"{module}.{chain[0]}"
            if self.file_of(submodule) is not None:
                known = True
                self.follow_module(submodule, chain[1:])
        if not known:
            self.follow(file, None)
        return name

    def file_at(self, path: Path, module: str) -> _File | None:
        """The file that a function says it is from: known by its place in a root, else by the name of its module."""
        root = self.root_of(path)
        if root is not None:
            parts = path.relative_to(root).with_suffix("").parts
            return self.file_of(".".join((root.name, *(parts[:-1] if parts[-1] == "__init__" else parts))))
        if not path.is_file() or _is_installed(path):
            return None
        # A file that was run by its path is no module that could be found by its name.
        file = self.file_of(module)
        if file is None or file.path != path:
            file = self.files[module] = self.parse(path, module, is_package=path.name == "__init__.py")
        return file

    def file_of(self, module: str) -> _File | None:
        """The file of a module that is somebody's own; None for others. A folder alone is an empty package."""
        if module not in self.files:
            self.files[module] = self.find(module)
        return self.files[module]

    def find(self, module: str) -> _File | None:
        """Look a module up under the roots, then where Python would."""
        for root in self.roots:
            if module == root.name or module.startswith(f"{root.name}."):
                base = root.joinpath(*module[len(root.name) + 1 :].split("."))
                for path, is_package in ((base / "__init__.py", True), (base.with_name(f"{base.name}.py"), False)):
                    if path.is_file() and (is_package or base != root):
                        return self.parse(path, module, is_package=is_package)
                if base.is_dir():
                    return _File(self.label(module), module, module)
        spec = _spec(module)
        if spec is None:
            return None
        if spec.origin is None or not spec.has_location:
            places = [Path(place).resolve() for place in spec.submodule_search_locations or ()]
            own = [place for place in places if self.root_of(place) or not _is_installed(place)]
            return _File(self.label(module), module, module) if own else None
        path = Path(spec.origin).resolve()
        if self.root_of(path) is None and _is_installed(path) and _is_distributed(path, module):
            return None
        return self.parse(path, module, is_package=spec.submodule_search_locations is not None)

    def parse(self, path: Path, module: str, *, is_package: bool) -> _File:
        """A file of somebody's own; of one that is no Python text, a file whose only statement is its bytes."""
        package = module if is_package else module.rpartition(".")[0]
        content = path.read_bytes()
        if path.suffix != ".py":
            content = f"content = {hashlib.sha256(content).hexdigest()!r}\n".encode()
        root = self.root_of(path)
        shared = _parse(content, self.label(module), module, package)
        counts = root is None or root == self.suite
        # The units stay shared, so that each is worked out once and not for every method that uses it.
        return dataclasses.replace(shared, path=path, counts_versions=counts, importer=self.importer(path))

    def root_of(self, path: Path) -> Path | None:
        """The root that a path lies under, the nearest of several."""
        above = [root for root in self.roots if path.is_relative_to(root)]
        return max(above, key=lambda root: len(root.parts), default=None)


def _no_source(value: Any) -> TypeError:
    return TypeError(f"no source says what {value!r} is; use functions, classes, plain values and arrays of numbers")


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return tuple(name for name in ((slots,) if isinstance(slots, str) else slots) if not name.startswith("__"))


def _spec(module: str) -> ModuleSpec | None:
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


def _is_installed(path: Path) -> bool:
    """Whether a file is of the standard library or lies where packages are installed."""
    return _is_among_packages(path) or any(path.is_relative_to(place) for place in INSTALLED)


def _is_among_packages(path: Path) -> bool:
    """Whether a file lies in a folder of packages: one of that name, or one that ``pip install --target`` filled."""
    return bool(INSTALLED_NAMES.intersection(path.parts)) or any(map(_holds_distributions, path.parents))


@functools.cache
def _holds_distributions(folder: Path) -> bool:
    return any(folder.glob("*.dist-info/RECORD"))


def _is_distributed(path: Path, module: str) -> bool:
    """Whether a package that was installed brought this file: a module that somebody copied there is his own."""
    top = module.partition(".")[0]
    return not _is_among_packages(path) or top in STATED_IN_RECORDS or top in _distributions()


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """The installed packages by the modules that they bring."""
    return dict(importlib.metadata.packages_distributions())


def _version(top: str) -> str:
    """The version of an installed package as the digest says it; "" for those that every record states."""
    if top in sys.stdlib_module_names or top in STATED_IN_RECORDS or top not in _distributions():
        return ""
    return " of " + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(_distributions()[top]))


@functools.lru_cache(maxsize=1024)
def _parse(content: bytes, name: str, module: str, package: str) -> _File:
    """A file from what it contains, so that the cache notices any change; SyntaxError names it."""
    file = _File(name, module, package)
    for statement in ast.parse(content, name).body:
        if isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test):
            continue  # `if __name__ == "__main__":` is another program
        leaves = list(_leaves(statement))
        _add_imports(leaves, package, file.imports)
        bound = {name for leaf in leaves for name in _bound(leaf)}
        for each in bound:
            file.statements.setdefault(each, []).append(statement)
    return file


def _leaves(statement: ast.AST) -> Iterator[ast.AST]:
    """The statements that a compound one is made of, itself first; a function or class is one statement."""
    yield statement
    if not isinstance(statement, Definition):
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield from _leaves(child)


def _bound(leaf: ast.AST) -> set[str]:
    """The names that a statement at the top of a file binds; "" for what it does besides."""
    if isinstance(leaf, Definition):
        return {leaf.name}
    if isinstance(leaf, ast.Import | ast.ImportFrom) or _does_nothing(leaf):
        return set()
    if isinstance(leaf, ast.Assign | ast.Delete):
        targets: list[ast.expr] = leaf.targets
    elif isinstance(leaf, ast.AnnAssign | ast.AugAssign | ast.For):
        targets = [leaf.target]
    elif isinstance(leaf, ast.With):
        targets = [item.optional_vars for item in leaf.items if item.optional_vars]
    elif isinstance(leaf, ast.If | ast.Try | ast.While | ast.Match | ast.excepthandler | ast.match_case):
        targets = []  # what they do is in the statements inside them
    else:
        return {""}
    # `TABLE["x"] = 1` and `keras.y = 2` bind no name: they change what others may use.
    return {
        node.id if isinstance(node, ast.Name) else ""
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load)
    }


def _add_imports(nodes: Iterable[ast.AST], package: str, imports: dict[str, set[_Import]]) -> None:
    """Add what the import statements among ``nodes`` bind, in a file of ``package``."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound, module = (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
                imports.setdefault(bound, set()).add(_Import(module))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                imports.setdefault(alias.asname or alias.name, set()).add(_Import(module, alias.name))


def _chains(node: ast.AST) -> Iterator[Chain]:
    """The names that a piece of code uses, each with the attributes read from it."""
    chain: list[str] = []
    base = node
    while isinstance(base, ast.Attribute):
        chain.append(base.attr)
        base = base.value
    if isinstance(base, ast.Name):
        yield (base.id, *reversed(chain))
    else:
        for _, value in _fields(base):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _chains(child)


def _called_for(statement: ast.stmt) -> Iterator[str]:
    """The modules that ``import_module("name")`` and its like import, where the name is written there."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            for value in node.args[:1]:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value[:1] != ".":
                    yield value.value


def _canonical(node: Any) -> str:
    """A syntax tree as text, without positions, docstrings, no-ops and the annotations of functions.

    Not `ast.dump`, whose output differs between versions of Python.
    """
    if isinstance(node, list):
        return f"[{', '.join(map(_canonical, node))}]"
    if isinstance(node, ast.AST):
        return f"{type(node).__name__}({', '.join(f'{name}={_canonical(value)}' for name, value in _fields(node))})"
    return repr(node)


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The fields of a syntax tree that decide what it does, empty ones left out."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            value = [item for item in value if not _does_nothing(item)]
        written_for_readers = name in ("returns", "ctx", "kind", "type_comment") or (
            name == "annotation" and isinstance(node, ast.arg)
        )
        if value is not None and value != [] and not written_for_readers:
            yield name, value


def _does_nothing(node: Any) -> bool:
    """Whether a statement is `pass`, a docstring or another constant on a line of its own."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
