"""What source a benchmark's own drawing uses, as `source` has it of a method."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.modules import BASELINES
from lecturebench.execution.source import PACKAGE, Look, source_digest

Source = tuple[str, Collection[Path]]


def follower() -> Callable[[Benchmark, Any], Source]:
    """`drawing_source` of what the files say at this moment: each is looked for and read once."""
    return partial(drawing_source, look=Look())


def drawing_source(benchmark: Benchmark, value: Any, look: Look) -> Source:
    """The digest of the source that something uses which a page calls, and the files that were looked at for it.

    value: a drawing's function, a metric, or several. The digest is "" where no source would say all of it.
    """
    try:
        found = source_digest(value, roots=[PACKAGE, BASELINES], suite=benchmark.path.parent, look=look)
    except (TypeError, SyntaxError, OSError):
        return "", ()
    return found, look.files
