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

import copy
import dataclasses
import enum
import functools
import hashlib
import importlib
import sys
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecturebench.declare.modules import BASELINES, package_name, resolve, without_place
from lecturebench.declare.training import Choice
from lecturebench.errors import UsageError
from lecturebench.execution.installed import is_distributed, is_installed, spec_of, version
from lecturebench.execution.lasting import going_on_error, refuse_what_goes_on
from lecturebench.execution.parsed import Chain, File, Import, parse

if TYPE_CHECKING:
    from lecturebench.declare.benchmark import Benchmark
    from lecturebench.declare.methods import Method

PACKAGE = Path(__file__).resolve().parent.parent


class Look:
    """What the files say at one moment: each is looked for and read once, however many methods use it."""

    def __init__(self) -> None:
        importlib.invalidate_caches()
        self._found: dict[tuple[Path, ...], Found] = {}

    def found(self, places: Sequence[Path]) -> Found:
        """What was found so far by those who look there; to be added to."""
        return self._found.setdefault(tuple(places), Found())

    @property
    def files(self) -> set[Path]:
        """All that were looked at so far."""
        files = (file for found in self._found.values() for file in found.files.values() if file is not None)
        return {file.path for file in files if file.path is not None}


@dataclasses.dataclass
class Found:
    """Files by module, None for those that are nobody's own; and of each name of a file what `_Walk` takes down for it
    and which names it follows from there."""

    files: dict[str, File | None] = dataclasses.field(default_factory=dict)
    uses: dict[tuple[Path | None, str, str], tuple[set[str], list[tuple[File, str]]]] = dataclasses.field(
        default_factory=dict
    )


def source_digest(*decisive: Any, roots: Sequence[Path], suite: Path | None = None, look: Look | None = None) -> str:
    """SHA-256, in hex, of the source that functions, classes and values use, in whatever order they are given.

    roots: folders of packages of ours, each imported by its own name (``…/lecturebench``, ``…/baselines``); they are
    followed wherever they lie, in a folder of installed packages too. suite: one more, whose name does not count.
    look: one that other digests share; by default the files are looked at anew.

    A `functools.partial`, a wrapper, a closure, a bound method or an object that can be called counts with what it
    holds: functions by their source, plain values by what they are, arrays by their bytes. Files are parsed once until
    they change.

    TypeError for what holds anything else: no source would say what it does. SyntaxError and OSError for a file that
    cannot be read.
    """
    walk = _Walk([root.resolve() for root in roots], suite.resolve() if suite else None, look or Look())
    walk.lines.update(f"start {walk.describe(value)}" for value in decisive)
    walk.run()
    return hashlib.sha256("\n".join(sorted(walk.lines)).encode()).hexdigest()


def method_digest(
    benchmark: Benchmark, method: Method, backend: str, look: Look | None = None, *, dataset: str = ""
) -> str:
    """The digest of the source that decides a method's result; UsageError, in one line, where there is none.

    look: as of `source_digest`. dataset: its name, which counts where examples are decoded while they are trained on.
    """
    from lecturebench.datasets.catalogue import STREAMED
    from lecturebench.declare.methods import Baseline, Experiment
    from lecturebench.declare.views import Standardized
    from lecturebench.execution.noted import NOTED, Noted
    from lecturebench.training.backends import LOADERS
    from lecturebench.training.baselines import fit_baseline
    from lecturebench.training.fit import fit_experiment, fit_network

    # Without a view of its own it sees a table standardised.
    decisive: list[Any] = [method.function, getattr(method, "probe", None), method.view or Standardized]
    # A schedule's rates are worked out by its class, which nothing else names.
    declared = [*method.parameters.values(), *(vars(method.training).values() if method.training else ())]
    decisive += [value for value in declared if not is_plain(value)]
    if isinstance(method, Baseline):
        decisive.append(fit_baseline)
    else:
        decisive.append(fit_experiment if isinstance(method, Experiment) else fit_network)
    if method.uses_backend:
        decisive.append(LOADERS[backend])
    if dataset in STREAMED:
        from lecturebench.datasets.jpegs import Jpegs
        from lecturebench.training.streaming import streaming

        decisive += [Jpegs, streaming]
    if getattr(method.view, "bucket", None) is not None:
        from lecturebench.training.bucketing import bucketed

        decisive.append(bucketed)
    if isinstance(method.view, NOTED):
        decisive.append(Noted)
    for metric in benchmark.metrics:
        decisive += [metric.of, metric.losses]
    what = f"method {method.name!r} of {benchmark.name}"
    if not callable(method.function):
        raise UsageError(f"{what}: {method.function!r} is no function")
    rooms = [PACKAGE, BASELINES]
    try:
        refuse_what_goes_on([method.function, getattr(method, "probe", None), *method.parameters.values()])
        suite = benchmark.path.parent if benchmark.path.name else None
        return source_digest(*decisive, roots=rooms, suite=suite, look=look)
    except (TypeError, SyntaxError, OSError) as error:
        raise UsageError(f"{what}: {' '.join(str(error).split())}") from None


def is_plain(value: Any) -> bool:
    """Whether a recipe says all of a parameter; what is not plain counts in the digest."""
    if isinstance(value, tuple | list):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(item) for name, item in value.items())
    return type(value) in (bool, int, float, str, Choice) or value is None


class _Walk:
    """Follows uses from name to name. lines: one for each definition, and for each import that one relies on."""

    def __init__(self, roots: list[Path], suite: Path | None, look: Look) -> None:
        self.roots, self.suite = [suite, *roots] if suite else roots, suite
        self.lines: set[str] = set()
        self.seen: set[tuple[str, str | Chain]] = set()
        self.describing: list[int] = []
        self.waiting: list[tuple[File, str]] = []
        # Files of a suite are called otherwise than those of a root.
        found = look.found([*self.roots, *([suite] if suite else [])])
        self.files, self.uses = found.files, found.uses

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
        self.follow_function(function.__module__, function.__qualname__, function if code else None)
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
            raise going_on_error("a random generator")
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

    def follow_function(self, module: str, qualname: str, function: Any | None) -> None:
        """Follow a function by its name in its file; where the file binds no such name (a lambda), the whole file.

        A wrapper says that it is what it wraps: its own code, where that lies elsewhere, is followed too, in the module
        whose names it sees. function: None for a class.
        """
        path = getattr(sys.modules.get(module), "__file__", None)
        places = {(path, qualname, module)} if path else set()
        if function is not None:
            code, own = function.__code__, function.__globals__.get("__name__") or module
            names = {code.co_qualname} if path else {code.co_qualname, qualname}
            places |= {(code.co_filename, name, own) for name in names}
        for place, name, own in sorted(places):
            file = self.file_at(Path(place).resolve(), own)
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

    def follow(self, file: File, names: Iterable[str] | None) -> None:
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
        done: set[tuple[Path | None, str, str]] = set()
        while self.waiting:
            file, name = self.waiting.pop()
            place = file.path, file.name, name
            if place in done:
                continue
            done.add(place)
            if place not in self.uses:
                self.uses[place] = self.used_by(file, name)
            lines, following = self.uses[place]
            self.lines |= lines
            self.waiting += following

    def used_by(self, file: File, name: str) -> tuple[set[str], list[tuple[File, str]]]:
        """The lines of one definition, and what else is to be followed from there; the same on every walk."""
        walk = copy.copy(self)
        walk.lines, walk.seen, walk.waiting = set(), set(), []
        unit = file.unit(name)
        walk.lines.add(f"{file.name}:{name} = {unit.text}")
        for chain in unit.chains:
            walk.follow_name(file, chain, file.imports)
            walk.follow_name(file, chain, unit.imports)
        for module in unit.modules:
            walk.lines.add(f"{file.name}:{name} is {walk.follow_import(file, module, ())}")
        if name == "":
            walk.follow_name(file, ("*",), file.imports)
            for end in range(1, file.module.count(".") + 1):
                package = walk.file_of(".".join(file.module.split(".")[:end]))
                # What stands for the folder above a suite says where that lies, and nothing else.
                if package is not None and package.name:
                    walk.follow(package, [])
        return walk.lines, walk.waiting

    def follow_name(self, file: File, chain: Chain, imports: dict[str, set[Import]]) -> bool:
        """Follow a name by its definitions in a file and by ``imports``; whether there are any."""
        name, rest = chain[0], chain[1:]
        for item in imports.get(name, ()):
            inside = (item.attribute,) if item.attribute not in ("", "*") else ()
            self.lines.add(f"{file.name}:{name} is {self.follow_import(file, item.module, inside + rest)}")
        if name in file.statements:
            self.follow(file, [name])
        return name in imports or name in file.statements

    def follow_import(self, file: File, module: str, chain: Chain) -> str:
        """Follow what a file imports; its dotted name, for a file of a suite with the version of what is installed."""
        module = resolve(module, file.importer) if file.importer else module
        name = self.follow_module(module, chain)
        if file.counts_versions and self.file_of(module) is None:
            return name + version(module.partition(".")[0])
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

    def file_at(self, path: Path, module: str) -> File | None:
        """The file that a function says it is from: known by its place in a root, else by the name of its module."""
        root = self.root_of(path)
        if root is not None:
            parts = path.relative_to(root).with_suffix("").parts
            return self.file_of(".".join((root.name, *(parts[:-1] if parts[-1] == "__init__" else parts))))
        if not path.is_file() or is_installed(path):
            return None
        # A file that was run by its path is no module that could be found by its name.
        file = self.file_of(module)
        if file is None or file.path != path:
            file = self.parse(path, module, is_package=path.name == "__init__.py")
            # What led to the other file of that name leads here now, in this digest and in no other of the look.
            self.files, self.uses = {**self.files, module: file}, {}
        return file

    def file_of(self, module: str) -> File | None:
        """The file of a module that is somebody's own; None for others. A folder alone is an empty package."""
        if module not in self.files:
            self.files[module] = self.find(module)
        return self.files[module]

    def find(self, module: str) -> File | None:
        """Look a module up under the roots, then where Python would."""
        for root in self.roots:
            if module == root.name or module.startswith(f"{root.name}."):
                base = root.joinpath(*module[len(root.name) + 1 :].split("."))
                for path, is_package in ((base / "__init__.py", True), (base.with_name(f"{base.name}.py"), False)):
                    if path.is_file() and (is_package or base != root):
                        return self.parse(path, module, is_package=is_package)
                if base.is_dir():
                    return File(self.label(module), module, module)
        spec = spec_of(module)
        if spec is None:
            return None
        if spec.origin is None or not spec.has_location:
            places = [Path(place).resolve() for place in spec.submodule_search_locations or ()]
            own = [place for place in places if self.root_of(place) or not is_installed(place)]
            return File(self.label(module), module, module) if own else None
        path = Path(spec.origin).resolve()
        if self.root_of(path) is None and is_installed(path) and is_distributed(path, module):
            return None
        return self.parse(path, module, is_package=spec.submodule_search_locations is not None)

    def parse(self, path: Path, module: str, *, is_package: bool) -> File:
        """A file of somebody's own; of one that is no Python text, a file whose only statement is its bytes."""
        package = module if is_package else module.rpartition(".")[0]
        content = path.read_bytes()
        if path.suffix != ".py":
            content = f"content = {hashlib.sha256(content).hexdigest()!r}\n".encode()
        root = self.root_of(path)
        shared = parse(content, self.label(module), module, package)
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
