"""What a comparison of two stores found, as data and in words: rows, claims and times that changed from A to B."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean
from typing import Literal

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import IdentityClaim
from lecturebench.judging.evidence import LossesOf, counted, one_line
from lecturebench.judging.results import ClaimResult, RowResult
from lecturebench.judging.statistics import ALPHA, Interval
from lecturebench.metrics import Metric
from lecturebench.store import Record, Store

Word = Literal["worse", "better", "within noise", "same", "cannot tell"]
WORDS: tuple[Word, ...] = ("worse", "better", "within noise", "same", "cannot tell")
SIGNS: Mapping[Word, str] = {"worse": "✗", "better": "+", "within noise": "≈", "same": "=", "cannot tell": "?"}
Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StoredRow:
    """A row and where its predictions are. losses: as `lecturebench.judging.evidence.saved_losses` of that store.

    todays: whether today's code would plan its runs.
    """

    row: RowResult
    store: Store
    losses: LossesOf
    todays: bool


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two. rows, claims: by `row_key` and `claim_key`, claims as far as any of their rows was fitted."""

    name: str
    rows: Mapping[Key, StoredRow]
    claims: Mapping[Key, ClaimResult]
    notes: tuple[str, ...]

    @cached_property
    def runs(self) -> tuple[Record, ...]:
        """The judged runs of all rows, whatever their status."""
        return tuple(run for stored in self.rows.values() for run in (*stored.row.runs, *stored.row.failed))

    @property
    def machines(self) -> Counter[str]:
        """The machines by name, with how many runs each made."""
        return Counter(machine(run) for run in self.runs)

    @property
    def about(self) -> str:
        """How many runs, when, of which commits and on which machines, in one line."""
        parts = [counted(len(self.runs), "run")]
        parts += [f"last on {last[:10]}"] if (last := max((run.started for run in self.runs), default="")) else []
        commits = {run.commit[:12] + ("+" if run.dirty else "") for run in self.runs if run.commit}
        parts += [f"commit {', '.join(sorted(commits))}"] if commits else []
        machines = [name for name, _ in self.machines.most_common()]
        return one_line("; ".join([*parts, f"on {' and '.join(machines)}"]))


@dataclass(frozen=True)
class TimeChange:
    """Mean seconds of fitting and their ratio B/A, NaN where unknown. low, high: over all pairs of runs, NaN for one.

    same: whether all runs were made on machines of one description; other times say nothing about the code.
    """

    a: float
    b: float
    ratio: float
    low: float
    high: float
    machine_a: str
    machine_b: str
    same: bool


@dataclass(frozen=True, eq=False)
class RowChange:
    """A row that both sides have. by_seed: B - A of each pair of runs, () if they are not paired.

    alone, together: as in `lecturebench.judging.noise.Intervals`; None where no interval was needed or possible.
    changed: what differs in recipe, code, data, device and versions.
    """

    a: RowResult
    b: RowResult
    word: Word
    reason: str
    time: TimeChange
    changed: tuple[str, ...]
    by_seed: tuple[float, ...] = ()
    alone: Interval | None = None
    together: Interval | None = None

    @property
    def difference(self) -> float:
        """B - A over the paired runs, or of the means where there are none; NaN for different metrics."""
        if self.by_seed:
            return fmean(self.by_seed)
        return self.b.mean - self.a.mean if self.a.metric == self.b.metric else math.nan

    @property
    def open(self) -> bool:
        """Whether its numbers alone leave a question."""
        if self.word == "same":
            return self.a.n != self.b.n
        return self.word != "within noise" or (self.alone is not None and self.alone.clear)


@dataclass(frozen=True, eq=False)
class ClaimChange:
    """A claim whose verdict in B is another than in A."""

    a: ClaimResult
    b: ClaimResult

    @property
    def broken(self) -> bool:
        """Whether it is an identity that held and does not any more: no noise explains that."""
        verdicts = (self.a.judgement.verdict, self.b.judgement.verdict)
        return isinstance(self.b.claim, IdentityClaim) and verdicts == ("reproduced", "worse")

    @property
    def place(self) -> str:
        return claim_row(self.b).place


@dataclass(frozen=True, eq=False)
class Block:
    """What is shown together: a benchmark on one dataset and profile. only_a, only_b: rows of one side alone."""

    benchmark: Benchmark
    dataset: str
    profile: str
    rows: list[RowChange] = field(default_factory=list)
    only_a: list[RowResult] = field(default_factory=list)
    only_b: list[RowResult] = field(default_factory=list)

    @property
    def backends(self) -> list[str]:
        """The backends of its networks."""
        rows = [*(change.b for change in self.rows), *self.only_a, *self.only_b]
        return sorted({row.backend for row in rows if row.method.uses_backend})

    @property
    def heading(self) -> str:
        return f"{self.dataset}, {self.profile} profile" + (f", {self.backends[0]}" if len(self.backends) == 1 else "")

    def backend(self, row: RowResult) -> str:
        """The row's backend where that must be said, else ""."""
        return row.backend if len(self.backends) > 1 and row.method.uses_backend else ""

    def label(self, row: RowResult) -> str:
        """The method's name, with its backend where that must be said."""
        return f"{row.method.name} ({self.backend(row)})" if self.backend(row) else row.method.name

    @property
    def reasons(self) -> list[str]:
        """What the numbers alone do not say; rows with one reason in one line."""
        labels: dict[str, list[str]] = {}
        for change in self.rows:
            if change.open:
                labels.setdefault(f"{change.word}: {change.reason}", []).append(self.label(change.b))
        return [f"{', '.join(names)}: {reason}" for reason, names in labels.items()]


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that changed from A to B. claims: those judged on both sides, as far as their verdicts differ."""

    a: Side
    b: Side
    rows: tuple[RowChange, ...]
    only_a: tuple[RowResult, ...]
    only_b: tuple[RowResult, ...]
    claims: tuple[ClaimChange, ...]

    @property
    def worse(self) -> list[str]:
        """What got worse beyond noise, each in a few words: rows, and identities that do not hold any more."""
        rows = [change.b for change in self.rows if change.word == "worse"]
        claims = [change for change in self.claims if change.broken and not set(change.b.rows) & set(rows)]
        names = [f"{row.method.name} of {row.benchmark.name} on {row.place}" for row in rows]
        return names + [f"{change.b.claim.name} of {change.b.benchmark.name} on {change.place}" for change in claims]

    @property
    def headline(self) -> str:
        """The outcome in one line."""
        if n := len(self.worse):
            return f"{n} {'result' if n == 1 else 'results'} got worse beyond noise"
        if self.tally["same"] == len(self.rows):
            return "Nothing changed" + (" in the rows of both" if self.only_a or self.only_b else "")
        return "Nothing got worse beyond noise" + (", as far as can be told" if self.tally["cannot tell"] else "")

    @property
    def tally(self) -> dict[Word, int]:
        """How many rows came out how."""
        counts = Counter(row.word for row in self.rows)
        return {word: counts[word] for word in WORDS}

    @property
    def summary(self) -> str:
        """ "6 rows in both: 1 worse, 5 same; 2 only in A." """
        words = ", ".join(f"{n} {word}" for word, n in self.tally.items() if n)
        only = "".join(f"; {len(rows)} only in {x}" for x, rows in (("A", self.only_a), ("B", self.only_b)) if rows)
        return f"{counted(len(self.rows), 'row')} in both: {words}{only}."

    @property
    def judged(self) -> int:
        """How many rows were judged by an interval; the others could raise no false alarm."""
        return sum(row.alone is not None for row in self.rows)

    @property
    def alarms(self) -> str:
        """How many false alarms are to be expected, and what is done about them; "" where no interval was needed."""
        n = self.judged
        if not n:
            return ""
        if n == 1:
            return f"1 row was judged by an interval. If nothing had changed, it would look changed in {ALPHA:.0%}."
        expected = f"If nothing had changed, {ALPHA * n:.2g} of them would look changed at 95%"
        corrected = f"so better and worse are said at Holm's levels, a false one among all {n} in {ALPHA:.0%} at most"
        return f"{n} rows were judged by intervals. {expected}; {corrected}."

    @property
    def notes(self) -> list[str]:
        """What was left out of either side."""
        return [f"{x}: {note}" for x, side in (("A", self.a), ("B", self.b)) for note in side.notes]

    @property
    def other_machines(self) -> bool:
        """Whether times of different machines stand side by side."""
        return any(math.isfinite(row.time.ratio) and not row.time.same for row in self.rows)

    @cached_property
    def blocks(self) -> list[Block]:
        """The rows as they are shown: benchmark by benchmark, what is in both first."""
        by_key: dict[Key, Block] = {}

        def block(row: RowResult) -> Block:
            key = (row.benchmark.suite, row.benchmark.name, row.dataset, row.profile)
            return by_key.setdefault(key, Block(row.benchmark, row.dataset, row.profile))

        for change in self.rows:
            block(change.b).rows.append(change)
        for row in self.only_a:
            block(row).only_a.append(row)
        for row in self.only_b:
            block(row).only_b.append(row)
        order = list(dict.fromkeys(key[:2] for key in by_key))
        return [by_key[key] for key in sorted(by_key, key=lambda key: order.index(key[:2]))]


def claim_row(result: ClaimResult) -> RowResult:
    """The row whose profile and backend are the claim's: baselines stand beside the networks of any backend."""
    return next((row for row in result.rows if row.method.uses_backend), result.rows[0])


def machine(run: Record) -> str:
    """What decides how fast a run was: processor, cores, the GPU if it was used, and threads."""
    known = run.environment
    parts = [str(known.get("cpu") or "unnamed processor")]
    parts += [f"{known['cores']} cores"] if known.get("cores") else []
    parts += [str(known.get("gpu") or "a GPU")] if run.device == "gpu" else []
    return one_line(", ".join([*parts, f"{run.threads} {'thread' if run.threads == 1 else 'threads'}"]))


def signed(value: float, metric: Metric) -> str:
    """A difference as people read it: "+0.12%", "-3.1"; "0.00%" without a sign."""
    text = metric.show(abs(value))
    if not math.isfinite(value) or not set(text) & set("123456789"):
        return text
    return ("+" if value > 0 else "-") + text


def interval_text(interval: Interval | None, metric: Metric) -> str:
    """ "[-0.32%, +0.12%]", or nothing where there is none."""
    if interval is None or not math.isfinite(interval.low + interval.high):
        return ""
    return f"[{signed(interval.low, metric)}, {signed(interval.high, metric)}]"


def level_text(level: float) -> str:
    """A level in percent: "95%", "99.17%"."""
    return f"{100 * level:.2f}".rstrip("0").rstrip(".") + "%"


def times(ratio: float) -> str:
    """A ratio of times: "0.98×", "250×"; "" where there is none."""
    if not math.isfinite(ratio):
        return ""
    if ratio >= 99.5:
        return f"{ratio:,.0f}×"
    return f"{ratio:.2f}×" if ratio >= 0.095 else f"{ratio:.2g}×"
