"""A file of Python as a digest sees it: what each of its names stands for, uses and imports, and never a comment."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# A name and what is read from it: `dense.two_layer` is ("dense", "two_layer").
Chain = tuple[str, ...]


@dataclass(frozen=True)
class Import:
    """What an imported name stands for: a module, or ``attribute`` of it ("*" for all of them)."""

    module: str
    attribute: str = ""


@dataclass
class Unit:
    """What one name of a file stands for: its statements as text, what they use, the imports inside them.

    modules: those that it imports by a call with their written names.
    """

    text: str
    chains: set[Chain]
    imports: dict[str, set[Import]]
    modules: set[str]


@dataclass
class File:
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
    imports: dict[str, set[Import]] = field(default_factory=dict)
    statements: dict[str, list[ast.stmt]] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)

    def unit(self, name: str) -> Unit:
        """What ``name`` stands for, worked out when it is first asked for."""
        if name not in self.units:
            statements = self.statements.get(name, [])
            imports: dict[str, set[Import]] = {}
            _add_imports((node for statement in statements for node in ast.walk(statement)), self.package, imports)
            chains = {chain for statement in statements for chain in _chains(statement)}
            modules = {module for statement in statements for module in _called_for(statement)}
            self.units[name] = Unit(" ".join(map(_canonical, statements)), chains, imports, modules)
        return self.units[name]


@functools.lru_cache(maxsize=1024)
def parse(content: bytes, name: str, module: str, package: str) -> File:
    """A file from what it contains, so that the cache notices any change; SyntaxError names it."""
    file = File(name, module, package)
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


def _add_imports(nodes: Iterable[ast.AST], package: str, imports: dict[str, set[Import]]) -> None:
    """Add what the import statements among ``nodes`` bind, in a file of ``package``."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound, module = (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
                imports.setdefault(bound, set()).add(Import(module))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                imports.setdefault(alias.asname or alias.name, set()).add(Import(module, alias.name))


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
