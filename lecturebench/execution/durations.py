"""How long a run will take, from how long others took; which open run is the longest; how far predictions were off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from statistics import quantiles

from lecturebench.execution.plan import Run
from lecturebench.store import Record

# What is taken while no record says more. A network: one thread, 0.57 s for an epoch of 48,000 images (DESIGN, the
# dropout network), and the import of TensorFlow with the compilation beside it.
SHORT = 60.0  # seconds
MOST = 2  # at hand, more than any run says
SECONDS_UNKNOWN = 10.0
SECONDS_PER_EXAMPLE = 1.2e-5
SECONDS_BESIDE_FITTING = 6.0
EXAMPLES_UNKNOWN = 60_000

Kind = tuple[str, ...]


@dataclass
class _Work:
    """What networks spent: examples seen, seconds on them, seconds beside fitting, and how many networks."""

    examples: float = 0.0
    fitting: float = 0.0
    beside: float = 0.0
    count: int = 0


class Durations:
    """What the next run of a kind (method, dataset, profile, backend, device) is expected to take.

    The mean of the kind's runs that ended well. While there is none, a network takes the examples that it will see
    (epochs × training examples) times the seconds per example of the same method elsewhere, else of all networks on
    its backend, else of all networks, plus what such runs spent beside fitting; a baseline takes a constant. The
    number of parameters is known once a network is built, and then its own record says more.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._own: dict[Kind, tuple[float, int]] = {}
        self._work: dict[Kind, _Work] = {}
        for record in records:
            self.add(record)

    def add(self, record: Record) -> bool:
        """Learn from a run that ended well. True if it is the first of its kind."""
        if record.status != "ok":
            return False
        total, count = self._own.get(kind(record), (0.0, 0))
        self._own[kind(record)] = (total + spent(record), count + 1)
        epochs = record.recipe.get("epochs", 0)
        examples = epochs * record.dataset.get("n_train", 0) if isinstance(epochs, int) else 0
        if examples > 0:
            fitting = record.seconds.get("fit", 0.0)
            for place in _places(record):
                work = self._work.setdefault(place, _Work())
                work.examples += examples
                work.fitting += fitting
                work.beside += spent(record) - fitting
                work.count += 1
        return count == 0

    def expected(self, run: Run) -> float:
        """Seconds that a run will take, without waiting for a worker."""
        total, count = self._own.get(kind(run), (0.0, 0))
        if count:
            return total / count
        if run.training is None:
            return SECONDS_UNKNOWN
        seen = float(run.training["epochs"] * (1 - run.training["validation"]))
        seen *= min(run.train_size or EXAMPLES_UNKNOWN, run.examples or EXAMPLES_UNKNOWN)
        for place in _places(run):
            if place in self._work:
                work = self._work[place]
                return work.beside / work.count + seen * work.fitting / work.examples
        return SECONDS_BESIDE_FITTING + seen * SECONDS_PER_EXAMPLE


def kind(item: Run | Record) -> Kind:
    """What runs must share to take equally long."""
    dataset = item.dataset if isinstance(item, Run) else str(item.dataset.get("name", ""))
    return item.benchmark, item.method, dataset, item.profile, item.backend, item.device


def _places(item: Run | Record) -> tuple[Kind, ...]:
    """Where a network looks for others like it, the likest first."""
    backend = (item.backend, item.device)
    return (item.benchmark, item.method, *backend), backend, ()


def spent(record: Record) -> float:
    """Seconds that a run took, without waiting for a worker."""
    return sum(seconds for phase, seconds in record.seconds.items() if phase != "wait")


class LongestFirst:
    """Open runs: first those that others wait for, then the longest by what is expected when a run is taken."""

    def __init__(self, expected: Callable[[Run], float], runs: Iterable[Run] = ()) -> None:
        self._expected = expected
        self._groups: dict[tuple[bool, Kind], deque[Run]] = {}  # runs of one kind are expected to take equally long
        self._keys: set[str] = set()
        for run in runs:
            self.add(run)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, run: Run) -> None:
        """Put a run behind those of its kind, unless it is there."""
        if run.key not in self._keys:
            self._groups.setdefault((run.role == "choice", kind(run)), deque()).append(run)
            self._keys.add(run.key)

    def pop(self, at_hand: Callable[[Run], int] = lambda run: 0) -> Run:
        """Take the next run. IndexError if there is none.

        at_hand: of short runs those with more of it come first, as a fresh worker takes longer than they do.
        """
        if not self._groups:
            raise IndexError("no run is left")

        def urgency(group: tuple[bool, Kind]) -> tuple[bool, int, float]:
            run = self._groups[group][0]
            expected = self._expected(run)
            return group[0], MOST if expected >= SHORT else at_hand(run), expected

        first = max(self._groups, key=urgency)
        run = self._groups[first].popleft()
        if not self._groups[first]:
            del self._groups[first]
        self._keys.remove(run.key)
        return run

    def beside(self, run: Run, most: int) -> list[Run]:
        """Take so many open runs, at most, that differ from this one in their seed alone; none for 0 and below."""
        group = self._groups.get((run.role == "choice", kind(run)), deque())
        alike = _seedless(run)
        chosen = list(islice((other for other in group if _seedless(other) == alike), max(0, most)))
        for other in chosen:
            group.remove(other)
            self._keys.remove(other.key)
        if not group:
            self._groups.pop((run.role == "choice", kind(run)), None)
        return chosen


def _seedless(run: Run) -> Run:
    return replace(run, key="", seed=0)


def accuracy(records: Iterable[Record]) -> str:
    """One line for people: how long runs took against what was predicted when they began; "" if none was predicted.

    The prediction is the record's ``expected`` (seconds), which the engine writes beside what the run says itself.
    """
    ratios = [
        spent(record) / float(record.extra["expected"])
        for record in records
        if record.status == "ok" and isinstance(record.extra.get("expected"), int | float) and record.extra["expected"]
    ]
    if not ratios:
        return ""
    low, middle, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    half = f", half of them {low:.2f} to {high:.2f}" if len(ratios) > 1 else ""
    counted = "1 run" if len(ratios) == 1 else f"{len(ratios)} runs"
    return f"{counted} took {middle:.2f} times what was predicted (median){half}"
