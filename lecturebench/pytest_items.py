"""The pytest items of a benchmark file, and what they share: one call of `session` per file, one pool of warm workers.

Each row and claim says what came out of it, beside its name with ``-v`` and in a section of the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lecturebench import selection, session
from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import Claim, NumberClaim
from lecturebench.declare.suites import Suite, discover, load_benchmark
from lecturebench.errors import DataMissing, UsageError
from lecturebench.wording import clean

if TYPE_CHECKING:
    from lecturebench.judging.results import ClaimResult, Results
    from lecturebench.store import Record

PREFIX = "lecturebench_"  # of the names under which options are kept: plugins share one namespace
SAID = "lecturebench"  # the property of a report that says what came out
FITS = pytest.StashKey["Fits"]()


class BenchmarkFile(pytest.File):
    """The rows of a benchmark, then the claims that runs of the profile can decide."""

    def collect(self) -> Iterator[pytest.Item]:
        """Rows first: claims are judged on what they leave in the store."""
        try:
            benchmark = load_benchmark(self.path)
        except UsageError as error:
            yield BrokenItem.from_parent(self, name="file", why=str(error))
            return
        profile = self.config.getoption(f"{PREFIX}profile")
        places = selection.places(benchmark, profile, self.config.getoption(f"{PREFIX}dataset"))
        for dataset, methods in places:
            on = f" on {dataset}" if dataset != places[0][0] else ""
            for name in methods:
                yield RowItem.from_parent(self, name=f"row[{name}{on}]", benchmark=benchmark, method=name, on=dataset)
        for claim in selection.judged(benchmark, profile):
            if claim.dataset in dict(places):
                yield ClaimItem.from_parent(self, name=f"claim[{claim.name}]", benchmark=benchmark, claim=claim)


class BenchmarkItem(pytest.Item):
    """What all items share: how a problem is shown."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """One line where one says it all."""
        if isinstance(excinfo.value, (AssertionError, UsageError, DataMissing)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands and what it is called."""
        return self.path, None, self.name

    @property
    def fits(self) -> Fits:
        """What this session has fitted."""
        if FITS not in self.config.stash:
            self.config.stash[FITS] = Fits(self.config)
        return self.config.stash[FITS]

    def say(self, line: str) -> None:
        """Have the report of this item say what came out; plain text, so that it travels between processes."""
        self.user_properties.append((SAID, clean(line)))


class BrokenItem(BenchmarkItem):
    """Stands for a file that cannot be used: it fails, and the others go on."""

    def __init__(self, *, why: str, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.why = why

    def runtest(self) -> None:
        """Fail, in one line."""
        raise UsageError(self.why)


class RowItem(BenchmarkItem):
    """Fits the runs of one row that the store lacks. Fails if one of them fails.

    The first row of a file fits those of all its rows that were selected: several are fitted at once.
    """

    def __init__(self, *, benchmark: Benchmark, method: str, on: str, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.benchmark, self.method, self.on = benchmark, method, on

    def runtest(self) -> None:
        """Fit, one process per run."""
        beside = [item for item in self.session.items if isinstance(item, RowItem) and item.parent is self.parent]
        fitted = self.fits.of(self.benchmark, [item.method for item in beside])
        failures = [
            f"seed {record.seed}: {record.status}: {record.reason}"
            for record in fitted.failed
            if record.method == self.method and (self.on in fitted.missing or record.dataset["name"] == self.on)
        ]
        assert not failures, "\n".join(failures)
        rows = [row for row in fitted.results.rows if row.method.name == self.method and row.runs]
        rows = [row for row in rows if self.on in (row.dataset, *fitted.missing)]
        if not rows and self.on in fitted.missing:
            pytest.skip(fitted.missing[self.on])
        from lecturebench.report.table import measured

        for row in rows:
            if row.profile == self.fits.option("profile"):
                self.say(f"{measured(row, row.metric)} of {row.n} on {row.dataset}")


class ClaimItem(BenchmarkItem):
    """Judges one claim on what the store holds: ``worse`` fails, ``inconclusive`` and ``not_run`` skip."""

    def __init__(self, *, benchmark: Benchmark, claim: Claim, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.benchmark, self.claim = benchmark, claim

    def runtest(self) -> None:
        """The verdict of this profile and backend."""
        results = [result for result in self.fits.judged(self.benchmark).claims if self.is_of(result)]
        assert results, f"the store says nothing of {self.claim.name!r} on this profile and backend"
        lines = [outcome(result) for result in results]
        for line in lines:
            self.say(line)
        verdicts = {result.judgement.verdict for result in results}
        assert "worse" not in verdicts, "\n".join(lines)
        if verdicts & {"inconclusive", "not_run"}:
            pytest.skip("; ".join(lines))

    def is_of(self, result: ClaimResult) -> bool:
        """Whether a result is this claim's, on the profile and backend that are asked for."""
        networks = [row for row in result.rows if row.method.uses_backend]
        return (
            result.claim.name == self.claim.name
            and all(row.profile == self.fits.option("profile") for row in result.rows)
            and all(row.backend == self.fits.option("backend") for row in networks)
        )


@dataclass(frozen=True)
class FittedRows:
    """What came of the rows of one file. missing: datasets that cannot be had, with the reason."""

    failed: Sequence[Record]
    missing: dict[str, str]
    results: Results


class Fits:
    """What one process of a pytest session has fitted, by file, and the workers that it keeps warm on the way."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._pool: Any = None
        self._suites: dict[Path, Suite] = {}
        self._fitted: dict[Path, FittedRows | Exception] = {}
        self._judged: dict[Path, Results] = {}

    def option(self, name: str) -> Any:
        """What was asked for."""
        return self._config.getoption(PREFIX + name)

    def of(self, benchmark: Benchmark, methods: Sequence[str]) -> FittedRows:
        """Fit what the store lacks of these methods, the first time that somebody asks; what it raised, the others."""
        if benchmark.path not in self._fitted:
            try:
                self._fitted[benchmark.path] = self._fit(benchmark, methods)
            except Exception as error:
                self._fitted[benchmark.path] = error
        fitted = self._fitted[benchmark.path]
        if isinstance(fitted, Exception):
            raise fitted
        return fitted

    def judged(self, benchmark: Benchmark) -> Results:
        """The verdicts of what the store holds of a benchmark."""
        if benchmark.path not in self._judged:
            from lecturebench.store import Store

            store = Store(self._question(benchmark, ()).out)
            self._judged[benchmark.path] = session.judge({benchmark.name: benchmark}, store, self._data_dir)
        return self._judged[benchmark.path]

    def close(self) -> None:
        """Let the workers go."""
        self._stack.close()

    def _fit(self, benchmark: Benchmark, methods: Sequence[str]) -> FittedRows:
        from lecturebench.execution.progress import PlainDisplay

        question = self._question(benchmark, methods)
        folder = benchmark.path.parent
        if folder not in self._suites:
            self._suites[folder] = discover(folder)
        prepared = session.prepare(question, suite=self._suites[folder])
        display = PlainDisplay(print)

        def warm() -> Any:
            if self._pool is None:
                self._pool = self._stack.enter_context(session.workers_for(question, display=display)())
            return nullcontext(self._pool)

        summary = session.fit(prepared, display=display, workers=warm)
        self._judged.pop(benchmark.path, None)
        return FittedRows(summary.failed, dict(prepared.missing[benchmark.name]), self.judged(benchmark))

    def _question(self, benchmark: Benchmark, methods: Sequence[str]) -> session.Question:
        return session.Question(
            suite=benchmark.path.parent,
            benchmarks=(benchmark.name,),
            methods=tuple(dict.fromkeys(methods)),
            dataset=self.option("dataset"),
            profile=self.option("profile"),
            seeds=self.option("seeds"),
            jobs=self.option("jobs"),
            backend=self.option("backend"),
            device=self.option("device"),
            out=Path(self.option("out")),
            data_dir=self._data_dir,
        )

    @property
    def _data_dir(self) -> Path | None:
        given = self.option("data_dir")
        return Path(given) if given else None


def outcome(result: ClaimResult) -> str:
    """A claim's verdict in one line: measured, interval, verdict, reason."""
    from lecturebench.report.reasons import explained
    from lecturebench.report.table import interval, measured

    if not isinstance(result.claim, NumberClaim) or not result.rows:
        return explained(result)
    parts = [measured(result.rows[0], result.claim.metric), interval(result.judgement, result.measure)]
    return f"{' '.join(filter(None, parts))}: {explained(result)}"
