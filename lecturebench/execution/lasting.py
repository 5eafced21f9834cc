"""What must not outlive a run in what a suite's functions hold: generators and iterators, which go on."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import Any

from lecturebench.execution.installed import is_installed

PACKAGE = __name__.partition(".")[0]


def refuse_what_goes_on(values: Iterable[Any]) -> None:
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
            raise going_on_error(goes_on)
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
    if module.partition(".")[0] == PACKAGE:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and not is_installed(Path(file).resolve())


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def going_on_error(what: str) -> TypeError:
    return TypeError(
        f"it holds {what}, which goes on where the run before left it: "
        + ("give the function a parameter `seed` and make" if "random" in what else "make")
        + f" the {what.split()[-1]} inside"
    )
