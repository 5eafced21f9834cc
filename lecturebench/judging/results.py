"""What every table, figure and page is made of: rows, and claims with their verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import Claim, Group
from lecturebench.declare.methods import Method
from lecturebench.declare.slides import Slide
from lecturebench.declare.views import AsStored, Hog, ShuffledPixels, Standardized, View
from lecturebench.declare.word_views import CleanedText, WordIndices, WordPresence
from lecturebench.judging.statistics import Judgement, Verdict
from lecturebench.metrics import Metric, named
from lecturebench.store import HUGE, Record

VIEWS = {
    kind.__name__: kind
    for kind in (Standardized, AsStored, ShuffledPixels, Hog, WordIndices, WordPresence, CleanedText)
}


def show(metric: str) -> Callable[[float], str]:
    """How a value of one of our metrics, or a measured number, is written for people. Own metrics: `Metric.show`."""
    return named(metric).show


def verdict_word(verdict: Verdict, group: Group) -> str:
    """A verdict as people say it: an effect or a formula that does not hold is contradicted, not worse."""
    return "contradicted" if verdict == "worse" and group != "number" else verdict.replace("_", " ")


@dataclass(frozen=True, eq=False)
class RowResult:
    """A method on a dataset inside a benchmark, on one profile and backend.

    runs: judged and ok, by seed. failed: judged and not ok. choice_runs: those that only helped to choose a parameter,
    whatever their status. All of one code version and recipe. device: all devices of the runs, "cpu + gpu" if several.
    """

    benchmark: Benchmark
    method: Method
    dataset: str
    profile: str
    backend: str
    device: str
    runs: tuple[Record, ...]
    failed: tuple[Record, ...]
    choice_runs: tuple[Record, ...]
    metric: str

    def of(self, metric: str) -> tuple[float, ...]:
        """That metric of each run, by seed; of those runs that have it."""
        values = (run.value(metric) for run in self.runs)
        return tuple(value for value in values if value is not None)

    @property
    def measure(self) -> Metric:
        """The metric of the row itself."""
        return self.benchmark.measure(self.metric)

    @property
    def deterministic(self) -> bool:
        """Whether more seeds would give the same again, as declared, or else as its runs say."""
        declared = self.method.deterministic
        return not any(run.random for run in self.runs) if declared is None else declared

    @property
    def values(self) -> tuple[float, ...]:
        return self.of(self.metric)

    @property
    def n(self) -> int:
        return len(self.runs)

    @property
    def mean(self) -> float:
        return self.mean_of(self.metric)

    @property
    def sd(self) -> float:
        return self.sd_of(self.metric)

    def mean_of(self, metric: str) -> float:
        """The mean of that metric over the runs; NaN for none."""
        values = self.of(metric)
        return fmean(values) if values and _countable(values) else math.nan

    def sd_of(self, metric: str) -> float:
        """The standard deviation of that metric between runs; NaN for fewer than two."""
        values = self.of(metric)
        return stdev(values) if len(values) > 1 and _countable(values) else math.nan

    @property
    def seconds(self) -> float:
        """The mean time of fitting alone; NaN if no run says."""
        return self.seconds_of("fit")

    def seconds_of(self, phase: str) -> float:
        """The mean time of a phase; NaN if no run says."""
        known = [float(run.seconds[phase]) for run in self.runs if phase in run.seconds]
        return fmean(known) if known else math.nan

    @property
    def parameters(self) -> int:
        return self.latest.parameters

    @property
    def view(self) -> View | None:
        """What it saw of the dataset; None for pixels in [0, 1], and where its recipe names no view that is known."""
        seen = self.latest.recipe.get("view")
        if not isinstance(seen, Mapping):
            return self.method.view if isinstance(self.method.view, AsStored) else None
        given = dict(seen)
        kind = VIEWS.get(str(given.pop("kind", "")))
        return kind(**given) if kind else None

    @property
    def n_test(self) -> int:
        return int(self.latest.dataset.get("n_test", 0))

    @property
    def started(self) -> str:
        return self.latest.started

    @property
    def commit(self) -> str:
        return self.latest.commit

    @property
    def dirty(self) -> bool:
        """Whether any run was of a working tree with uncommitted changes."""
        return any(run.dirty for run in self.runs)

    @property
    def latest(self) -> Record:
        """The run that started last; of the failed ones if none is ok."""
        return max(self.runs or self.failed or self.choice_runs, key=lambda run: run.started)

    @property
    def place(self) -> str:
        return f"{self.dataset} ({self.profile}, {self.backend})"


def _countable(values: Iterable[float]) -> bool:
    """Whether sums of the values and of their squares are numbers; what an experiment measured may be anything."""
    return all(abs(value) < HUGE for value in values)


@dataclass(frozen=True, eq=False)
class ClaimResult:
    """A claim and its verdict. rows: those it speaks of, in its order, as far as anything was fitted; else ()."""

    benchmark: Benchmark
    claim: Claim
    judgement: Judgement
    rows: tuple[RowResult, ...]

    @property
    def measure(self) -> Metric:
        """The metric that the claim speaks of."""
        return self.benchmark.measure(self.claim.metric)

    @property
    def word(self) -> str:
        """The verdict as people say it."""
        number = self.claim.group == "number" and self.benchmark.is_metric(self.claim.metric)
        # Of a number that a method measured itself no way is better: it holds, or is contradicted.
        return verdict_word(self.judgement.verdict, "number" if number else "effect")


@dataclass(frozen=True, eq=False)
class Results:
    """All rows and claims of a store.

    notes: what was left out, and why. missing: datasets that could not be had, with the reason. stale: which
    runs are left out since today's code would not plan them, and why, as (what, why). slides: those of the suite.
    """

    rows: tuple[RowResult, ...]
    claims: tuple[ClaimResult, ...]
    notes: tuple[str, ...]
    missing: Mapping[str, str]
    stale: tuple[tuple[str, str], ...] = ()
    slides: tuple[Slide, ...] = ()

    def claims_of(self, row: RowResult) -> tuple[ClaimResult, ...]:
        """The claims that speak of this row, orders among them."""
        return tuple(result for result in self.claims if row in result.rows)
