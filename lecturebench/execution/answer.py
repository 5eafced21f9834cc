"""What a worker says of a run: plain text and arrays of numbers, whatever the method's own objects are.

Nothing of a method's reaches the caller: an exception may be one that cannot be pickled, ends the interpreter, or
raises another one when it is asked what it says.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lecturebench.store import Record, Status

LONGEST_REASON = 500  # characters; a message may hold a whole array
LONGEST_TRACEBACK = 20_000  # its end, which tells most


@dataclass(frozen=True)
class Answer:
    """How a run ended. record: as ``record.json`` has it, "" for one that failed: status, reason and traceback say why.

    arrays: as `Store.write` takes them, by file and name. changed: what the run left otherwise in its process than it
    found it, a few words each. apart: it was given with others, with which it cannot be fitted together, and not begun.
    """

    record: str = ""
    arrays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    status: Status = "error"
    reason: str = ""
    traceback: str = ""
    changed: tuple[str, ...] = ()
    apart: bool = False


def result(record: Record, arrays: Mapping[str, Mapping[str, Any]]) -> Answer:
    """The answer of a run that gave a record. TypeError or ValueError for what is no plain data."""
    import numpy as np

    plain = {
        str(file): {str(name): np.array(array, subok=False) for name, array in named.items()}
        for file, named in arrays.items()
    }
    for named in plain.values():
        for name, array in named.items():
            if array.dtype.kind not in "fiub":
                raise ValueError(f"the array {name!r} holds {array.dtype}; it must hold numbers")
    return Answer(json.dumps(record.to_json()), plain)


def failure(error: BaseException) -> Answer:
    """The answer of a run that raised, in plain text. Raises nothing, whatever the exception does when it is asked."""
    kind = _asked(lambda: type(error).__name__) or "an exception"
    said = _asked(lambda: str(error))
    first = next(iter((said or "").splitlines()), "")
    reason = f"{kind}: {first}" if first else kind
    if said is None:
        reason = f"{kind}, which raises another exception when it is asked what it says"
    if len(reason) > LONGEST_REASON:
        reason = f"{reason[:LONGEST_REASON]}…"
    lines = _asked(lambda: "".join(traceback.format_exception(error)))
    if lines is None:
        lines = _asked(lambda: "".join([*traceback.format_tb(error.__traceback__), reason])) or reason
    memory = _asked(lambda: "memory" if is_out_of_memory(error) else "") == "memory"
    return Answer("", {}, "out_of_memory" if memory else "error", reason, lines[-LONGEST_TRACEBACK:])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, the machine's or a GPU's: each backend says that in its own type."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"MemoryError", "OutOfMemoryError", "ResourceExhaustedError"}) or (
        "JaxRuntimeError" in names and str(error).startswith("RESOURCE_EXHAUSTED")
    )


def _asked(ask: Callable[[], str]) -> str | None:
    """What a method's object says of itself, as text that can be written anywhere; None if it raises."""
    try:
        return str.encode(ask(), "utf-8", "backslashreplace").decode()
    except BaseException:
        return None
