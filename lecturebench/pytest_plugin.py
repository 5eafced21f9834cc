"""Makes each ``bench_<name>.py`` a set of pytest items: one per row, which fits it, and one per claim, which judges.

pytest benchmarks/bench_error_table.py -k dropout --profile lecture --seeds 5
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lecturebench.declare.benchmark import BACKENDS, DEVICES, PROFILES, Benchmark
from lecturebench.declare.claims import Claim
from lecturebench.declare.methods import Method
from lecturebench.declare.suites import discover, load_benchmark
from lecturebench.errors import DataMissing, UsageError

if TYPE_CHECKING:
    from lecturebench.store import Record

FITTED = pytest.StashKey["tuple[tuple[Record, ...], dict[str, str]]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``lecturebench run`` that make sense here."""
    group = parser.getgroup("lecturebench")
    group.addoption("--profile", default="lecture", choices=PROFILES, help="the budget")
    group.addoption("--seeds", type=int, default=None, help="runs of each row that has a seed")
    group.addoption("--jobs", type=int, default=None, help="runs at once; default one per core")
    group.addoption("--dataset", default=None, help="instead of the one that the benchmark names")
    group.addoption("--backend", default="tensorflow", choices=BACKENDS, help="of Keras")
    group.addoption("--device", default="cpu", choices=DEVICES, help="never falls back to another")
    group.addoption("--out", default="reports/latest", help="the store")
    group.addoption("--data-dir", default=None, help="where tensorflow-datasets prepared its folders")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be meant, before anything is fitted."""
    for name in ("seeds", "jobs"):
        value = config.getoption(name)
        if value is not None and value < 1:
            raise pytest.UsageError(f"--{name} {value}: it must be at least 1")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A benchmark file is collected as one."""
    if file_path.name.startswith("bench_") and file_path.suffix == ".py":
        return BenchmarkFile.from_parent(parent, path=file_path)
    return None


class BenchmarkFile(pytest.File):
    """The rows of a benchmark, then its claims."""

    def collect(self) -> Iterator[pytest.Item]:
        """Rows first: claims are judged on what they leave in the store."""
        benchmark = load_benchmark(self.path)
        for method in benchmark.methods:
            yield RowItem.from_parent(self, name=f"row[{method.name}]", benchmark=benchmark, method=method)
        for claim in benchmark.claims:
            yield ClaimItem.from_parent(self, name=f"claim[{claim.name}]", benchmark=benchmark, claim=claim)


class BenchmarkItem(pytest.Item):
    """What rows and claims share: how a problem is shown."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """One line where one says it all."""
        if isinstance(excinfo.value, (AssertionError, UsageError, DataMissing)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands and what it is called."""
        return self.path, None, self.name


class RowItem(BenchmarkItem):
    """Fits the runs of one row that the store lacks. Fails if one of them fails.

    The first row of a file fits those of all its rows that were selected: workers stay warm from one to the next.
    """

    def __init__(self, *, benchmark: Benchmark, method: Method, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.benchmark, self.method = benchmark, method

    def runtest(self) -> None:
        """Fit, one process per run, several at once."""
        if not self.is_for(self.dataset):
            pytest.skip(f"{self.method.name} is for {', '.join(self.method.datasets)}, not for {self.dataset}")
        first = next(item for item in self.beside if item.is_for(self.dataset))
        if first is self:
            self.stash[FITTED] = self.fit([item.method.name for item in self.beside if item.is_for(self.dataset)])
        failed, missing = first.stash.get(FITTED, ((), {}))
        failures = [
            f"seed {record.seed}: {record.status}: {record.reason}"
            for record in failed
            if record.method == self.method.name
        ]
        assert not failures, "\n".join(failures)
        if missing:
            pytest.skip("; ".join(missing.values()))

    @property
    def beside(self) -> list[RowItem]:
        """The selected rows of the same file, this one included."""
        return [item for item in self.session.items if isinstance(item, RowItem) and item.parent is self.parent]

    @property
    def dataset(self) -> str:
        """What is fitted on, as long as it can be had."""
        profile = self.benchmark.profiles[self.config.getoption("profile")]
        return self.config.getoption("dataset") or profile.dataset or self.benchmark.datasets[0]

    def is_for(self, dataset: str) -> bool:
        """Whether the method takes that dataset."""
        return not self.method.datasets or dataset in self.method.datasets

    def fit(self, methods: list[str]) -> tuple[tuple[Record, ...], dict[str, str]]:
        """Fit the runs of these methods that the store lacks: those that failed, and datasets that cannot be had."""
        from lecturebench import session
        from lecturebench.execution.engine import carry_out
        from lecturebench.execution.progress import PlainDisplay
        from lecturebench.store import Store

        option = self.config.getoption
        out = Path(option("out"))
        data_dir = Path(option("data_dir")) if option("data_dir") else None
        session.check_backend(option("backend"), option("device"))
        session.check_folder(out)
        requests, missing = session.requests(
            [self.benchmark],
            profile=option("profile"),
            backend=option("backend"),
            device=option("device"),
            dataset=option("dataset"),
            methods=methods,
            seeds=option("seeds"),
            data_dir=data_dir,
        )
        store = Store(out)
        store.set_missing(missing)
        display = PlainDisplay(print)
        workers = session.local_workers(
            jobs=option("jobs"),
            backend=option("backend"),
            device=option("device"),
            data_dir=data_dir,
            display=display,
        )
        return carry_out(requests, store, pool=workers, display=display).failed, missing[self.benchmark.name]


class ClaimItem(BenchmarkItem):
    """Judges one claim on what the store holds: ``worse`` fails, ``inconclusive`` and ``not_run`` skip."""

    def __init__(self, *, benchmark: Benchmark, claim: Claim, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.benchmark, self.claim = benchmark, claim

    def runtest(self) -> None:
        """The verdict of this profile and backend."""
        from functools import partial

        from lecturebench.datasets import load
        from lecturebench.execution.standing import planned
        from lecturebench.judging.collect import collect
        from lecturebench.judging.evidence import saved_losses
        from lecturebench.store import Store

        option = self.config.getoption
        store = Store(Path(option("out")))
        data_dir = Path(option("data_dir")) if option("data_dir") else None
        suite, data = discover(self.path.parent), partial(load, data_dir=data_dir)
        results = collect(suite, store, losses=saved_losses(store, data), plan=partial(planned, suite, load=data))
        found = [
            result.judgement
            for result in results.claims
            if result.benchmark.name == self.benchmark.name
            and result.claim.name == self.claim.name
            and (not result.rows or result.rows[0].profile == option("profile"))
        ]
        for judgement in found:
            line = f"{judgement.verdict}: {judgement.reason}"
            assert judgement.verdict != "worse", line
            if judgement.verdict in ("inconclusive", "not_run"):
                pytest.skip(line)
            print(line)
