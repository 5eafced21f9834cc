"""The digest of the source that decides a result, read from the files and never by importing them.

From a function it follows the names that its code uses: to functions, classes and constants of the same file, and
through imports, at the top of the file or inside a function, into other files of ours. What counts is the syntax tree
without docstrings, comments, layout and the annotations of functions; a third-party name counts as that name.

It rather follows too much than too little: a local variable with the name of a function of its file counts as a use of
that function, and statements that run when a file is imported and bind no name count for all that is used of the file.
It does not see what only running shows: ``getattr`` with a computed name, modules imported by a computed name.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from lecturebench.declare.modules import without_place

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# A name and what is read from it: `dense.two_layer` is ("dense", "two_layer").
Chain = tuple[str, ...]


def source_digest(*functions: Callable[..., Any], roots: Sequence[Path]) -> str:
    """SHA-256, in hex, of the source that ``functions`` (or classes) use, in whatever order they are given.

    roots: folders of packages of ours, each imported by its own name (``…/lecturebench``, ``…/baselines``, a suite).
    Of everything outside them only the dotted names count. A `functools.partial`, a wrapper or a closure counts with
    what it holds: functions by their source, plain values by what they are. Files are parsed once until they change.

    TypeError for what is no function, or holds anything else: no source would say what it does. SyntaxError and
    OSError for a file of ours that cannot be read.
    """
    for function in functions:
        if not callable(function):
            raise TypeError(f"{function!r} is no function or class; its source cannot be found")
    walk = _Walk([root.resolve() for root in roots])
    walk.found.update(f"start {walk.describe(function)}" for function in functions)
    walk.run()
    return hashlib.sha256("\n".join(sorted(walk.found)).encode()).hexdigest()


@dataclass(frozen=True)
class _Import:
    """What an imported name stands for: a module, or ``attribute`` of it ("*" for all of them)."""

    module: str
    attribute: str = ""


@dataclass
class _Unit:
    """What one name of a file stands for: its statements as text, what they use, the imports inside them."""

    text: str
    chains: set[Chain]
    imports: dict[str, set[_Import]]


@dataclass
class _File:
    """A parsed file. statements: by the name they bind; "" holds those that run on import and bind no name."""

    name: str
    package: str
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
            self.units[name] = _Unit(" ".join(map(_canonical, statements)), chains, imports)
        return self.units[name]


class _Walk:
    """Follows uses from name to name. found: a line for each definition, and for each import that one relies on."""

    def __init__(self, roots: list[Path]) -> None:
        self.roots = roots
        self.found: set[str] = set()
        self.seen: set[tuple[str, str | Chain]] = set()
        self.describing: list[Callable[..., Any]] = []
        self.waiting: list[tuple[_File, str]] = []
        self.files: dict[str, _File | None] = {}

    def describe(self, value: Any) -> str:
        """A value that decides a result, in words that differ when it does. Functions and classes are followed."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            return repr(value)
        if isinstance(value, tuple | list):
            return f"[{', '.join(map(self.describe, value))}]"
        if isinstance(value, dict):
            return f"dict {self.describe(sorted(value.items(), key=str))}"
        if isinstance(value, functools.partial):
            return f"partial {self.describe([value.func, value.args, value.keywords])}"
        function = getattr(value, "__func__", value)
        module, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
        if not callable(function) or not module or not qualname:
            raise TypeError(f"no source says what {value!r} is; use functions, classes and plain values")
        told = f"{without_place(module)}.{qualname}"
        self.follow_function(module, qualname, getattr(function, "__code__", None))
        cells = getattr(function, "__closure__", None) or ()
        if not cells or function in self.describing:
            return told
        self.describing.append(function)
        told = f"{told} with {self.describe([cell.cell_contents for cell in cells])}"
        self.describing.pop()
        return told

    def follow_function(self, module: str, qualname: str, code: CodeType | None) -> None:
        """Follow a function by its name in its file; where the file binds no such name (a lambda), the whole file."""
        path = getattr(sys.modules.get(module), "__file__", None) or (code.co_filename if code else None)
        file = self.file_of(self.dotted(Path(path).resolve())) if path else None
        if file is not None:
            name = qualname.partition(".")[0]
            self.follow(file, [name] if name in file.statements else None)

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
            self.found.add(f"{file.name}:{name} = {unit.text}")
            for chain in unit.chains:
                self.follow_name(file, chain, file.imports)
                self.follow_name(file, chain, unit.imports)
            if name == "":
                self.follow_name(file, ("*",), file.imports)
                for end in range(1, file.name.count(".") + 1):
                    package = self.file_of(".".join(file.name.split(".")[:end]))
                    if package is not None:
                        self.follow(package, [])

    def follow_name(self, file: _File, chain: Chain, imports: dict[str, set[_Import]]) -> bool:
        """Follow a name by its definitions in a file and by ``imports``; whether there are any."""
        name, rest = chain[0], chain[1:]
        for item in imports.get(name, ()):
            inside = (item.attribute,) if item.attribute not in ("", "*") else ()
            self.found.add(f"{file.name}:{name} is {self.follow_module(item.module, inside + rest)}")
        if name in file.statements:
            self.follow(file, [name])
        return name in imports or name in file.statements

    def follow_module(self, module: str, chain: Chain) -> str:
        """Follow what is read from a module, the whole of it where that cannot be told; its dotted name."""
        told = ".".join((module, *chain))
        file = self.file_of(module)
        if file is None or (module, chain) in self.seen:
            return told
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
        return told

    def dotted(self, path: Path) -> str:
        """The dotted name of a file under one of the roots; "" if it is under none."""
        for root in self.roots:
            if path.is_relative_to(root):
                parts = path.relative_to(root.parent).with_suffix("").parts
                return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return ""

    def file_of(self, module: str) -> _File | None:
        """The file of a module of ours; None for others. A folder without ``__init__.py`` is an empty package."""
        if module not in self.files:
            self.files[module] = self.find(module)
        return self.files[module]

    def find(self, module: str) -> _File | None:
        """Look a module up under the roots."""
        top, *parts = module.split(".")
        for root in self.roots:
            if root.name == top:
                base = root.joinpath(*parts)
                for path, package in ((base / "__init__.py", module), (base.with_name(f"{base.name}.py"), "")):
                    if path.is_file() and (package or parts):
                        return _parse(path.read_bytes(), module, package or module.rpartition(".")[0])
                if base.is_dir():
                    return _File(module, module)
        return None


@functools.lru_cache(maxsize=1024)
def _parse(content: bytes, name: str, package: str) -> _File:
    """A file from what it contains, so that the cache notices any change; SyntaxError names it."""
    file = _File(name, package)
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
