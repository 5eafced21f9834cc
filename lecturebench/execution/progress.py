"""What workers say while they fit, and how it is shown: a bar per worker on a terminal, plain lines elsewhere.

Each worker has its own connection to the parent, so that one that is killed while it speaks blocks nobody.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Client, Connection, Listener
from typing import TYPE_CHECKING, Any, Protocol

from lecturebench.execution.plan import Run
from lecturebench.metrics import headline
from lecturebench.store import Record
from lecturebench.wording import clean

if TYPE_CHECKING:
    from rich.console import Console

Message = tuple[Any, ...]
NARROW = 70  # columns below which names and numbers need the room of the bars


class Inbox:
    """Receives workers' messages in threads of the parent and hands each to ``receive``."""

    def __init__(self, receive: Callable[[Message], None]) -> None:
        self.authkey = secrets.token_bytes(32)
        try:
            self._listener = Listener(authkey=self.authkey)
        except OSError:  # the temporary folder's name is too long for a socket, or its disk can hold none
            self._listener = Listener(("127.0.0.1", 0), authkey=self.authkey)
        self.address = self._listener.address
        self._receive = receive
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._listener.accept()
            except Exception:
                # A worker killed during the handshake, which must not end the listening: others would wait for ever.
                self._closed.wait(0.01)
                continue
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: Connection) -> None:
        try:
            while True:
                self._receive(connection.recv())
        except (EOFError, OSError):
            return

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        self._listener.close()


def connect(address: Any, authkey: bytes) -> Callable[[Message], None]:
    """A worker's way to speak: a function that sends a message, and says nothing once the parent has gone."""
    connection = Client(address, authkey=authkey)
    sending = threading.Lock()  # runs that are fitted in one program have a thread each

    def send(message: Message) -> None:
        with sending, contextlib.suppress(OSError):
            connection.send(message)

    return send


class Display(Protocol):
    """Shows how far the runs are. ``weight`` of a run is its share of the work, in any unit."""

    def planned(self, runs: int, weight: float, done: float) -> None:
        """So many runs in all, their weight, and the weight of those that had ended."""

    def started(self, run: Run) -> None:
        """A worker has taken up this run."""

    def epoch(self, run: Run, epoch: int, epochs: int, loss: float) -> None:
        """A network has seen its training data once more."""

    def ended(self, run: Run, record: Record) -> None:
        """A run has ended, well or not."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class PlainDisplay:
    """One line per run that ends, for logs and pipes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._runs, self._ended = say, 0, 0
        self._start = time.monotonic()

    def planned(self, runs: int, weight: float, done: float) -> None:
        """Remember how many there are."""
        self._runs = runs

    def started(self, run: Run) -> None:
        """Nothing: a line for each start would double the log."""

    def epoch(self, run: Run, epoch: int, epochs: int, loss: float) -> None:
        """Nothing: a line for each epoch would flood the log."""

    def ended(self, run: Run, record: Record) -> None:
        """The run, what came out and how long it took."""
        self._ended += 1
        elapsed = time.monotonic() - self._start
        self._say(f"[{elapsed:6.1f} s] {self._ended}/{self._runs} {describe(run)}: {outcome(record)}")

    def close(self) -> None:
        """Nothing to leave."""


class RichDisplay:
    """An overall bar with the time left, and one line per worker with its epoch and loss."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            *([] if console.width < NARROW else [BarColumn(bar_width=None)]),
            TextColumn("{task.fields[detail]}", justify="right", markup=False),
            *([] if console.width < NARROW else [TimeElapsedColumn(), TimeRemainingColumn()]),
            console=console,
            expand=True,
        )
        self._lock = threading.Lock()
        self._lines: dict[str, Any] = {}
        self._fractions: dict[str, float] = {}
        self._done = self._each = 0.0
        self._total = self._progress.add_task("all runs", total=None, detail="")
        self._runs = self._ended = 0
        self._progress.start()

    def planned(self, runs: int, weight: float, done: float) -> None:
        """Set the length of the overall bar."""
        with self._lock:
            self._runs, self._done = runs, done
            self._each = (weight - done) / max(1, runs - self._ended)
            self._progress.update(self._total, total=weight, detail=f"{self._ended}/{runs} runs")
            self._advance()

    def started(self, run: Run) -> None:
        """A line for this run."""
        with self._lock:
            total = (run.training or {"epochs": None})["epochs"]
            self._lines[run.key] = self._progress.add_task(f"  {clean(describe(run))}", total=total, detail="starting")

    def epoch(self, run: Run, epoch: int, epochs: int, loss: float) -> None:
        """Move the run's line on."""
        with self._lock:
            if run.key in self._lines:
                detail = f"epoch {epoch}/{epochs}  loss {loss:.4f}"
                self._progress.update(self._lines[run.key], completed=epoch, detail=detail)
                self._fractions[run.key] = epoch / epochs
                self._advance()

    def ended(self, run: Run, record: Record) -> None:
        """Take the run's line away; say a failure above the bars."""
        with self._lock:
            self._ended += 1
            self._fractions.pop(run.key, None)
            if run.key in self._lines:
                self._progress.remove_task(self._lines.pop(run.key))
            if record.status != "ok":
                self._progress.console.print(clean(f"{describe(run)}: {outcome(record)}"), markup=False)

    def _advance(self) -> None:
        """Move the overall bar on: what has ended, and a share of each run that goes on."""
        self._progress.update(self._total, completed=self._done + self._each * sum(self._fractions.values()))

    def close(self) -> None:
        """Stop drawing."""
        self._progress.stop()


def describe(run: Run) -> str:
    """The run in a few words: method, what is tried where something is chosen, seed."""
    return in_words(run.method, run.chosen if run.role == "choice" else {}, run.seed)


def in_words(method: str, tried: Mapping[str, Any], seed: int) -> str:
    """A run by its method, seed and the values that it tries; of several each with its name."""
    values = {name: f"{value:g}" for name, value in tried.items() if isinstance(value, int | float)}
    parts = [f"{name} {value}" for name, value in values.items()] if len(values) > 1 else list(values.values())
    return " ".join([method, ", ".join(parts), f"seed {seed}"] if parts else [method, f"seed {seed}"])


def outcome(record: Record) -> str:
    """How a run came out, in a few words."""
    if record.status != "ok":
        return f"{record.status}: {record.reason}"
    test = record.metrics.get("test")
    if test is None:  # an experiment
        shown = next((f"{name} {value:.3g}" for name, value in record.metrics.get("measured", {}).items()), "done")
    else:
        shown = headline(test)
    return f"{shown}, {record.seconds.get('fit', 0.0):.1f} s"
