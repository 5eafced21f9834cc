"""Figures drawn by a process beside this one, while this one renders the page and draws others.

That process gets functions through a pipe and gives files back. It is an interpreter of its own, which runs nobody's
script, and it ends with the pipe, so that it outlives no report, not even one that is killed.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from lecturebench.report.style import Picture, styled

FORMATS = ("svg", "png", "pdf")
# As products of matrices are set here too: how many threads share one shows in a sum's last digit.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Draw = Callable[[], Picture | None]


@dataclass(frozen=True)
class Drawn:
    """A figure as it is kept: its words by what they are, its files by ending."""

    texts: Mapping[str, str]
    files: Mapping[str, bytes]


def kept(picture: Picture) -> Drawn:
    """The picture in all formats."""
    texts = {"title": picture.title, "caption": picture.caption, "alt": picture.alt}
    return Drawn(texts, {ending: getattr(picture, ending) for ending in FORMATS})


class Beside:
    """A process that draws these figures, given by name, the first one first; until `__exit__`, which ends it."""

    def __init__(self, draws: Mapping[str, Draw]) -> None:
        self._draws = draws

    def __enter__(self) -> Beside:
        start = f"import sys; sys.path[:] = {sys.path!r}; from lecturebench.report import beside; beside.serve()"
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # where no process can be started, all is drawn here
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **ONE_THREAD},
                process_group=0,  # Ctrl-C is this process's to handle
            )
        self._thread = ThreadPoolExecutor(1)
        self._asked: dict[str, Future[Drawn | str | None]] = {
            name: self._thread.submit(self._ask, draw) for name, draw in self._draws.items()
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()  # it has nothing to put in order, and ending by itself would take a moment
        self._thread.shutdown(cancel_futures=True)
        if self._process is not None:
            self._process.communicate()

    def take(self, name: str) -> Drawn | str | None:
        """That figure, when it is drawn; what is wrong with its drawing; or None if there is nothing to see.

        LookupError if it was not begun, and will not be: then it is quicker to draw it here. That too if the process
        could not draw it for reasons of its own.
        """
        asked = self._asked[name]
        if asked.cancel():
            raise LookupError(f"{name} is not drawn yet")
        try:
            return asked.result()
        except Exception as error:  # what cannot be pickled, a process that was killed: whatever it is
            raise LookupError(f"{name} could not be drawn beside: {error}") from error

    def _ask(self, draw: Draw) -> Drawn | str | None:
        if self._process is None:
            raise ProcessLookupError("there is no process")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(pickle.dumps(draw))
        self._process.stdin.flush()
        answer: Drawn | str | None = pickle.load(self._process.stdout)
        return answer


def serve() -> None:
    """Draw what comes through standard input until that ends."""
    gc.set_threshold(100_000, 20, 20)  # as `cli` does, and for the same reason
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    while True:
        try:
            draw = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_answer(draw), answers)
        answers.flush()


def _answer(draw: Draw) -> Drawn | str | None:
    try:
        with styled():
            picture = draw()
        return None if picture is None else kept(picture)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # as `Album` does
        return fault(error)


def fault(error: BaseException) -> str:
    """What is wrong with a drawing, in words."""
    return f"{type(error).__name__}: {error}"
