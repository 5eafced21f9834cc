"""What a run leaves in its process: all that a later run's numbers may depend on, compared before and after.

Not what is added, as by an import that comes late, but what is another than it was: a function of a library that was
replaced, the working folder, how floats are rounded. Whoever finds a difference lets the process go; so it costs little
to see one too many.

Of the libraries in INSIDE a function's code and defaults are compared too; of a user's modules what their globals are
bound to, and what their lists, dicts and sets hold. Nobody looks at what these elements hold themselves, at arrays that
are written to in place, at attributes of a user's objects, at what ``functools.cache`` keeps, or at the data of
libraries beside the settings named here.

Only the standard library is imported at the top. What is asked for later is bound here: who replaces ``os.getcwd`` does
not hide himself.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import locale
import os
import resource
import signal
import sys
import threading
import time
import warnings
from _thread import _count as count_threads
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from operator import is_
from os import environ, fstat, getcwd, getpid, umask
from pathlib import Path
from time import monotonic, sleep
from types import FunctionType, ModuleType
from typing import Any

from lecturebench.execution.family import below

NAMED = 3  # differences that are named; the others are counted
GRACE = 0.2  # seconds for threads and processes that are about to end
CONSTANTS = ("math", "cmath", "numpy", "scipy.constants")  # modules whose numbers never change
INSIDE = ("numpy", "scipy", "sklearn", "keras", "random", "statistics")  # all of TensorFlow would take as long again
VARIABLE = "environment variable "
BY_IMPORTS = ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK")  # set by scikit-learn, always to the same
SMALLEST = sys.float_info.min
GONE = object()


@dataclass(frozen=True)
class Snapshot:
    """A process at one moment. settings: values by what they are called. code: what modules and classes held, by name.

    inside: by name, functions and what each is made of. data: of the user's modules in a folder, what each name holds.
    threads: how many Python had started. processes: what had come of it.
    """

    settings: Mapping[str, Any]
    code: Mapping[str, tuple[Any, Mapping[str, Any]]]
    inside: Mapping[str, tuple[FunctionType, tuple[Any, ...]]]
    folder: Path | None
    data: Mapping[str, tuple[Any, ...]]
    threads: int
    processes: frozenset[int]


def snapshot(folder: Path | None = None, last: Snapshot | None = None) -> Snapshot:
    """The process as it is. folder: where the user's modules are.

    last: an earlier look, from which nothing differs. Its code is taken over unless modules have come since; what was
    added to a module meanwhile is then not looked at.
    """
    if last is not None and sys.modules.keys() <= last.code.keys():
        return replace(last, settings=_settings(), threads=count_threads(), processes=_processes())
    settings, collects = _settings(), gc.isenabled()
    folder = folder and folder.resolve()
    gc.disable()  # so many small objects at once would have all garbage looked for several times, half of the time
    try:
        code = _code()
        return Snapshot(settings, code, _inside(code), folder, _data(folder), count_threads(), _processes())
    finally:
        if collects:
            gc.enable()


def changes(before: Snapshot) -> tuple[str, ...]:
    """What is otherwise in the process now, a few words each; () for nothing."""
    differences = [*_other_settings(before.settings, _settings()), *_replaced(before.code)]
    differences += [name for name, (own, made_of) in before.inside.items() if not _same(_parts(own), made_of)]
    differences += _other_data(before, _data(before.folder))
    until = monotonic() + GRACE
    while True:
        threads, processes = count_threads() - before.threads, len(_processes() - before.processes)
        if (threads <= 0 and processes == 0) or monotonic() > until:
            break
        sleep(0.02)
    differences += [f"{threads} more threads"] if threads > 0 else []
    differences += [f"{processes} more processes"] if processes else []
    return tuple(differences)


def in_words(changed: tuple[str, ...]) -> str:
    """What was changed, as a note of a record."""
    more = [f"{len(changed) - NAMED} more"] if len(changed) > NAMED else []
    *first, last = [*changed[:NAMED], *more]
    return f"it left its process with another {', '.join(first)}{' and ' if first else ''}{last}; no other run got it"


def _processes() -> frozenset[int]:
    return frozenset(process.pid for process in below(getpid()))


def _other_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, value in before.items():
        if now.get(name, GONE) != value:
            yield name
    new = [name for name in now if name.startswith(VARIABLE) and name not in before]
    yield from (name for name in new if name.removeprefix(VARIABLE) not in BY_IMPORTS)


def _settings() -> dict[str, Any]:
    """All that is set in the process, the libraries that are loaded included."""
    settings: dict[str, Any] = {f"{VARIABLE}{name}": value for name, value in environ.items()}
    for about in (_of_the_system, _of_python, _of_arithmetic, _of_numpy, _of_sklearn, _of_keras, _of_backends):
        settings |= about()
    return settings


def _of_the_system() -> dict[str, Any]:
    mask = umask(0o077)
    umask(mask)
    limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return {
        "working folder": _or_its_error(getcwd),
        "umask": mask,
        "locale": locale.setlocale(locale.LC_ALL),
        "time zone": (time.tzname, time.timezone),
        "cores": _or_its_error(lambda: sorted(os.sched_getaffinity(0))),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "standard streams": [_or_its_error(partial(_file, descriptor)) for descriptor in range(3)],
        "timer": [signal.getitimer(kind)[0] > 0 for kind in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL)],
        **{f"limit {name}": resource.getrlimit(getattr(resource, name)) for name in limits},
        **{f"handler of {each.name}": signal.getsignal(each) for each in signal.Signals},
    }


def _file(descriptor: int) -> tuple[int, int]:
    about = fstat(descriptor)
    return about.st_dev, about.st_ino


def _of_python() -> dict[str, Any]:
    return {
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "garbage collection": (gc.isenabled(), gc.get_threshold()),
        "digits of an int": sys.get_int_max_str_digits(),
        "sys.path": list(sys.path),
        "sys.meta_path": sys.meta_path[:1],
        "streams": [id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "trace or profile": [id(sys.gettrace()), id(sys.getprofile())],
        "warnings that are errors": [each for each in warnings.filters if each[0] == "error"],
        "daemon hooks": [id(sys.excepthook), id(threading.excepthook)],
    }


def _of_arithmetic() -> dict[str, Any]:
    rounding = _or_its_error(lambda: ctypes.CDLL(None).fegetround())
    return {"rounding of floats": rounding, "smallest floats": SMALLEST / 2 > 0}


def _of_numpy() -> dict[str, Any]:
    if "numpy" not in sys.modules:
        return {}
    import numpy as np
    from threadpoolctl import threadpool_info

    return {
        "numpy.seterr": (np.geterr(), id(np.geterrcall())),
        "numpy.setbufsize": np.getbufsize(),
        "numpy.set_printoptions": repr(np.get_printoptions()),
        "numpy's global generator": id(np.random.mtrand.get_bit_generator()),
        **{f"threads of {each['internal_api']}": each["num_threads"] for each in threadpool_info()},
    }


def _of_sklearn() -> dict[str, Any]:
    if "sklearn" not in sys.modules:
        return {}
    import sklearn

    return {"sklearn.set_config": sklearn.get_config()}


def _of_keras() -> dict[str, Any]:
    if "keras" not in sys.modules:
        return {}
    import keras

    return {
        "keras.config.floatx": keras.config.floatx(),
        "keras.config.image_data_format": keras.config.image_data_format(),
        "keras.config.epsilon": keras.config.epsilon(),
        "keras.config.dtype_policy": keras.config.dtype_policy().name,
    }


def _of_backends() -> dict[str, Any]:
    """What each backend says of itself, by the module that has it; its code is compared as all code is."""
    settings: dict[str, Any] = {}
    if "tensorflow" in sys.modules:
        config = sys.modules["tensorflow"].config
        asked: dict[str, Callable[[], Any]] = {
            "functions_run_eagerly": config.functions_run_eagerly,
            "optimizer.jit": config.optimizer.get_jit,
            "optimizer": config.optimizer.get_experimental_options,
            "threading.intra_op": config.threading.get_intra_op_parallelism_threads,
            "threading.inter_op": config.threading.get_inter_op_parallelism_threads,
            "tensor_float_32": config.experimental.tensor_float_32_execution_enabled,
            "soft_device_placement": config.get_soft_device_placement,
            "visible_devices": lambda: [device.name for device in config.get_visible_devices()],
        }
        settings |= {f"tensorflow.config.{name}": _or_its_error(ask) for name, ask in asked.items()}
    if "jax" in sys.modules:
        values = sys.modules["jax"].config.values
        settings |= {f"jax.config.{name}": repr(value) for name, value in values.items()}
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        names = [
            *("get_default_dtype", "get_num_threads", "get_num_interop_threads", "is_grad_enabled"),
            *("are_deterministic_algorithms_enabled", "get_float32_matmul_precision", "get_default_device"),
        ]
        settings |= {f"torch.{name}": repr(_or_its_error(getattr(torch, name))) for name in names}
    return settings


def _or_its_error(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        return repr(error)


def _code() -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """What every module that is loaded holds, and every class in it."""
    code: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for name, module in list(sys.modules.items()):
        held = dict(_held(module))
        code[name] = module, held
        for value in held.values():
            with contextlib.suppress(Exception):  # whatever a class does when it is asked for its name
                if isinstance(value, type) and value.__module__ == name:
                    code[f"{name}.{value.__qualname__}"] = value, dict(vars(value))
    return code


def _held(holder: Any) -> Mapping[str, Any]:
    """The names of a module or class, without waking up a module that is imported when it is asked for something."""
    if isinstance(holder, type):
        return vars(holder)
    try:
        held: Mapping[str, Any] = object.__getattribute__(holder, "__dict__")
    except AttributeError:  # some put other objects among the modules
        return {}
    return held


def _replaced(before: Mapping[str, tuple[Any, Mapping[str, Any]]]) -> list[str]:
    """Functions, classes and methods that are others than they were, by name."""
    replaced = []
    for name, (holder, held) in before.items():
        now = _held(holder)
        for own, value in held.items():
            if now.get(own, GONE) is value:
                continue
            if _is_code(value) or (name in CONSTANTS and isinstance(value, int | float)):
                replaced.append(f"{name}.{own}")
    return replaced


def _is_code(value: Any) -> bool:
    return callable(value) or isinstance(value, property | staticmethod | classmethod)


def _inside(code: Mapping[str, tuple[Any, Mapping[str, Any]]]) -> dict[str, tuple[FunctionType, tuple[Any, ...]]]:
    """The functions and methods of INSIDE, also those that others wrap, and what each is made of."""
    functions = {}
    seen = set()
    for name, (_, held) in code.items():
        if name.partition(".")[0] not in INSIDE:
            continue
        for own, value in held.items():
            function: Any = value.__func__ if isinstance(value, staticmethod | classmethod) else value
            called = f"{name}.{own}"
            if type(function).__name__ == "_ArrayFunctionDispatcher":  # NumPy's, which is written in C
                function, called = function.__wrapped__, f"{called} inside"
            while type(function) is FunctionType and id(function) not in seen:
                seen.add(id(function))
                functions[called] = function, _parts(function)
                function, called = function.__dict__.get("__wrapped__"), f"{called} inside"
    return functions


def _parts(function: FunctionType) -> tuple[Any, ...]:
    named = function.__kwdefaults__ or {}
    return (function.__code__, *(function.__defaults__ or ()), *named, *named.values())


def _data(folder: Path | None) -> dict[str, tuple[Any, ...]]:
    """What the globals of a user's modules hold, by name: themselves, and the elements of those that can grow."""
    contents: dict[str, tuple[Any, ...]] = {}
    for name, module in list(sys.modules.items()) if folder is not None else ():
        held = _held(module)
        file = held.get("__file__")
        if not isinstance(file, str) or not file.startswith(f"{folder}{os.sep}") or "site-packages" in file:
            continue
        for own, value in list(held.items()):
            if own.startswith("__") or isinstance(value, ModuleType):
                continue
            elements = (*value, *value.values()) if type(value) is dict else ()
            contents[f"{name}.{own}"] = value, *(value if type(value) in (list, set) else elements)
    return contents


def _other_data(before: Snapshot, data: Mapping[str, tuple[Any, ...]]) -> Iterator[str]:
    """What the globals of modules that were there before hold now, by name; a module that came later is no change."""
    for name in {**before.data, **data}:
        was_there = name.rpartition(".")[0] in before.code
        if was_there and not _same(before.data.get(name, ()), data.get(name, ())):
            yield name


def _same(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    """Whether they are the same objects; whoever asks them whether they are equal runs their code."""
    return len(before) == len(now) and all(map(is_, before, now))
