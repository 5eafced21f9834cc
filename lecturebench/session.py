"""One question in, one answer out: plan, fit, collect, judge, write. Commands, pytest items and timings all come here.

What somebody asked for is checked whole before anything is fitted. The parts are there for those who need one alone:
`prepare` and `fit` for a caller with workers of its own, `judge` for the verdicts of a store.
"""

from __future__ import annotations

import errno
import functools
import importlib.util
import multiprocessing
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lecturebench import selection
from lecturebench.declare.benchmark import BACKENDS, DEVICES, PROFILES, Benchmark
from lecturebench.declare.suites import LECTURE_SUITE, Suite, discover
from lecturebench.environment import cores
from lecturebench.errors import DataMissing, UsageError, nearest
from lecturebench.store import LECTURES_OWN, DamagedRecord, Store, SuiteName

if TYPE_CHECKING:
    from lecturebench.execution.engine import Summary
    from lecturebench.execution.overview import Entry
    from lecturebench.execution.plan import Request
    from lecturebench.execution.pool import Pool
    from lecturebench.execution.progress import Display
    from lecturebench.execution.trackers import Trackers
    from lecturebench.judging.changes import Comparison, Side
    from lecturebench.judging.results import Results

LATEST = Path("reports/latest")

Say = Callable[[str], None]
Workers = Callable[[], AbstractContextManager["Pool"]]


def _unsaid(line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to know, as typed. None leaves a value to the profile, the suite or the machine.

    suite: a folder of ``bench_*.py``; None is lecturebench's own, or that of a store that is read. benchmarks,
    methods: names, () for all. budget: "90s", "30m" or "2h".
    until_decided: the most seeds that inconclusive claims may get. trackers: by kind, where it logs to, None for none.
    strict: missing data is an error. fresh: fit everything anew. retry_failed: fit anew what failed.
    """

    suite: Path | None = None
    benchmarks: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    dataset: str | None = None
    profile: str = "lecture"
    seeds: int | None = None
    jobs: int | None = None
    backend: str = "tensorflow"
    device: str = "cpu"
    time_limit: float | None = None
    memory_limit: float | None = None
    cluster: str | None = None
    budget: str | None = None
    until_decided: int | None = None
    trackers: Mapping[str, str | None] = field(default_factory=dict)
    out: Path = LATEST
    data_dir: Path | None = None
    strict: bool = False
    fresh: bool = False
    retry_failed: bool = False


@dataclass(frozen=True)
class Prepared:
    """A question that can be carried out. missing: by benchmark, the datasets that it cannot have, with the reason.

    broken: the suite's files that were asked for and cannot be used, a line each.
    """

    question: Question
    suite: Suite
    store: Store
    requests: tuple[Request, ...]
    missing: Mapping[str, Mapping[str, str]]
    trackers: Trackers
    budget: float | None
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What came of a question: the store's results, what was fitted for it, and where it is written.

    missing: why datasets could not be had. broken: files that could not be used, a line each.
    """

    results: Results
    summary: Summary
    page: Path
    missing: tuple[str, ...]
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A store's results as they were written anew, and the suite's files that could not be used."""

    results: Results
    page: Path
    broken: tuple[str, ...]


def answer(question: Question, *, display: Display, say: Say = _unsaid) -> Answer:
    """Fit what the store lacks, judge the claims, write the page. UsageError before anything is fitted."""
    from lecturebench.execution.durations import accuracy
    from lecturebench.execution.sequential import cost

    prepared = prepare(question, say)
    verdicts = Verdicts(prepared.suite, prepared.store, question.data_dir)
    summary = fit(prepared, display=display, say=say, verdicts=verdicts)
    say(f"{len(summary.fitted)} runs fitted, {summary.reused} were there already")
    looks = ""
    if question.until_decided is not None and prepared.requests:
        first = min(request.seeds or request.benchmark.profiles[request.profile].seeds for request in prepared.requests)
        looks = cost(first, question.until_decided)
    for line in filter(None, (accuracy(summary.fitted), looks)):
        say(line)
    results = verdicts()
    page = _write(results, prepared.store, question.data_dir, say=say)
    prepared.trackers.finish(question.out)
    return Answer(results, summary, page, tuple(selection.missing_lines(prepared.missing)), prepared.broken)


def prepare(question: Question, say: Say = _unsaid, *, suite: Suite | None = None) -> Prepared:
    """Check everything, take the store into use, load the data and plan; nothing is fitted.

    suite: the question's, where it has been read already. UsageError for whatever cannot be meant, DataMissing under
    `Question.strict`.
    """
    if suite is None:
        suite = discover(question.suite or LECTURE_SUITE)
    selected = selection.select(suite, question.benchmarks, question.methods)
    check_choices(question.profile, question.backend, question.device)
    check_cluster(question.cluster, question.jobs)
    check_backend(question.backend, "cpu" if question.cluster else question.device)
    budget = None if question.budget is None else parse_budget(question.budget)
    store = check_folder(question.out, suite)
    opened = trackers(question.trackers, question.out, say)
    made, missing = _requests_of(question, selected, say)
    broken = () if question.benchmarks else tuple(suite.broken.values())
    return Prepared(question, suite, store, tuple(made), missing, opened, budget, broken)


def _requests_of(
    question: Question, selected: Sequence[Benchmark], say: Say, load: selection.Load | None = None
) -> tuple[list[Request], dict[str, dict[str, str]]]:
    """What a question comes to for some benchmarks, as `selection.requests` gives it."""
    return selection.requests(
        selected,
        profile=question.profile,
        backend=question.backend,
        device=question.device,
        dataset=question.dataset,
        methods=question.methods,
        seeds=question.seeds,
        time_limit=question.time_limit,
        data_dir=question.data_dir,
        strict=question.strict,
        say=say,
        load=load,
    )


def fit(
    prepared: Prepared,
    *,
    display: Display,
    say: Say = _unsaid,
    workers: Workers | None = None,
    verdicts: Verdicts | None = None,
) -> Summary:
    """Fit what the store lacks of it, several runs at once. workers: those to use; by default as the question says.

    verdicts: on the store, for a caller who asks for them afterwards too.
    """
    from lecturebench.execution.engine import carry_out
    from lecturebench.execution.sequential import undecided_more, until_decided

    question, store = prepared.question, prepared.store
    verdicts = verdicts or Verdicts(prepared.suite, store, question.data_dir)
    if question.until_decided is not None:
        more = until_decided(prepared.requests, verdicts, most=question.until_decided, say=say)
    else:
        more = undecided_more(prepared.requests, verdicts, say=say)
    store.set_missing(prepared.missing)
    summary = carry_out(
        prepared.requests,
        store,
        pool=workers or workers_for(question, display=display, say=say),
        display=display,
        fresh=question.fresh,
        retry_failed=question.retry_failed,
        budget=prepared.budget,
        log=prepared.trackers.log,
        more=more,
    )
    store.set_left_out(summary.left_out)
    return summary


def fit_anew(
    requests: Sequence[Request], question: Question, *, display: Display, threads: int | None = None
) -> Summary:
    """Fit these requests in a store that is thrown away: for timings. threads: of each worker."""
    from lecturebench.execution.engine import carry_out

    with tempfile.TemporaryDirectory() as folder:
        workers = workers_for(question, display=display, threads=threads)
        return carry_out(requests, Store(Path(folder)), pool=workers, display=display)


def workers_for(question: Question, *, display: Display, say: Say = _unsaid, threads: int | None = None) -> Workers:
    """What makes the workers that a question asks for, on this machine or a cluster. threads: of each one here."""
    setting: dict[str, Any] = {
        "backend": question.backend,
        "device": question.device,
        "data_dir": question.data_dir,
        "display": display,
        "memory_limit": question.memory_limit,
    }
    if question.cluster is None:
        return local_workers(**setting, jobs=question.jobs, threads=threads)
    return cluster_workers(question.cluster, **setting, suite=question.suite or LECTURE_SUITE, say=say)


def judge(suite: Mapping[str, Benchmark], store: Store, data_dir: Path | None = None) -> Results:
    """The rows and verdicts of what a store has of a suite, as far as today's code would plan it."""
    from lecturebench.execution.standing import planned
    from lecturebench.judging.collect import collect
    from lecturebench.judging.evidence import saved_losses

    load = _reader([store], data_dir)
    with _one_thread_each():
        return collect(suite, store, losses=saved_losses(store, load), plan=partial(planned, suite, load=load))


class Verdicts:
    """What `judge` says of a store whenever it is called; of one that is as it was, what it said the last time."""

    def __init__(self, suite: Mapping[str, Benchmark], store: Store, data_dir: Path | None) -> None:
        self._suite, self._store, self._data_dir = suite, store, data_dir
        self._state: object = None
        self._results: Results | None = None

    def __call__(self) -> Results:
        state = self._store.state()  # first: what is written while it is judged counts as not yet seen
        if self._results is None or state != self._state:
            self._results = judge(self._suite, self._store, self._data_dir)
            self._state = state
        return self._results


def report(
    folder: Path,
    *,
    suite: Path | None = None,
    data_dir: Path | None = None,
    slides: bool = False,
    readme: Path | None = None,
    out: Path | None = None,
    say: Say = _unsaid,
) -> Report:
    """Write tables, figures and page of a store anew from its records. readme: a file to put the table into.

    suite: where its suite is, if it is no longer where the store remembers it. out: another folder to write to, as for
    a store that can only be read. UsageError before anything is written.
    """
    from lecturebench.report.table import to_markdown, update_readme

    check_one_store(folder)
    benchmarks, store = suite_of(folder, suite), Store(folder)
    place = _place_of_report(folder, out)
    results = judge(benchmarks, store, data_dir)
    page = _write(results, store, data_dir, folder=place, slides=slides, say=say)
    if readme is not None:
        update_readme(readme, to_markdown(results))
    return Report(results, page, tuple(benchmarks.broken.values()))


def verify(folder: Path, *, suite: Path | None = None, data_dir: Path | None = None, say: Say = _unsaid) -> list[str]:
    """One line per difference between what a store states and what its saved predictions give; none if all agrees.

    say: told what cannot be checked.
    """
    from lecturebench.execution.standing import planned
    from lecturebench.judging.verify import verify as differences
    from lecturebench.report.album import Album
    from lecturebench.report.table import table_rows, to_csv

    check_one_store(folder)
    benchmarks, load, store = suite_of(folder, suite), _reader([Store(folder)], data_dir), Store(folder)

    others: list[str] = []

    def render(results: Results, place: Path) -> None:
        _write(results, store, data_dir, folder=place, compare=others.append)

    lines = differences(
        folder,
        benchmarks,
        load,
        say,
        write=lambda results: to_csv(table_rows(results)),
        plan=partial(planned, benchmarks, load=load),
        render=render,
    )
    figures = [f"figures/{name}: not as it was drawn" for name in Album(folder).altered()]
    figures += [f"figures/{name}: not what is drawn of these runs now" for name in others]
    return [*benchmarks.broken.values(), *lines, *figures]


def compare(
    a: Path, b: Path, *, suite: Path | None = None, data_dir: Path | None = None, out: Path | None = None
) -> tuple[Comparison, Path | None]:
    """What changed from one store to another, or between folders of stores; the page of it, where ``out`` wants one."""
    from lecturebench.execution.standing import planned
    from lecturebench.judging.compare import compare as changes
    from lecturebench.judging.compare import read_side

    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"{str(out)!r} is a file; --out must be a folder")

    def side(folder: Path) -> Side:
        benchmarks, load = suite_of(folder, suite), _reader(stores_in(folder), data_dir)
        return read_side(folder, benchmarks, load, partial(planned, benchmarks, load=load))

    comparison = changes(side(a), side(b))
    if out is None:
        return comparison, None
    from lecturebench.report.compare_page import write_comparison

    return comparison, write_comparison(comparison, out)


def stands(question: Question, say: Say = _unsaid) -> tuple[list[Entry], list[str], list[str]]:
    """Where each run that a question asks for stands in its store; a line per damaged record and dataset that cannot be
    had; and a line per file of the suite that cannot be used."""
    from lecturebench.execution.engine import source_digests
    from lecturebench.execution.overview import overview

    store = Store(question.out)
    known = question.out.is_dir()
    if known and any(each.folder != question.out for each in stores_in(question.out)):
        check_one_store(question.out)
    suite = suite_of(question.out, question.suite) if known else discover(question.suite or LECTURE_SUITE)
    check_choices(question.profile, question.backend, question.device)
    selected = selection.select(suite, question.benchmarks, question.methods)
    made, missing = _requests_of(question, selected, say, _at_hand(store))
    records, problems = store.read()
    entries = overview(made, records, source_digests)
    return entries, [*problems, *selection.missing_lines(missing)], list(suite.broken.values())


def suite_of(folder: Path, given: Path | None = None) -> Suite:
    """The suite whose results a store has, or all stores in a folder. given: where it is, if not where it was.

    UsageError if it cannot be found, or is another one: results judged by another suite's claims would be nonsense.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {str(folder)!r}: give one that `lecturebench run --out` wrote")
    several = {name for store in stores_in(folder) if (name := store.suite()) is not None}
    if len(several) > 1:
        names = " and of ".join(sorted(map(str, several)))
        raise UsageError(f"{str(folder)!r} holds stores of {names}: give one store")
    remembered = several.pop() if several else None
    place = given or (Path(remembered.folder) if remembered and remembered.folder else LECTURE_SUITE)
    try:
        suite = discover(place)
    except UsageError as error:
        if given is not None or remembered is None:
            raise
        raise UsageError(
            f"{str(folder)!r} has results of the suite {remembered}, and there is {error}; "
            "say where it is with --suite FOLDER"
        ) from None
    if remembered is not None and suite.name != remembered.name:
        raise UsageError(
            f"{str(folder)!r} has results of the suite {remembered}; {str(place)!r} is the suite {suite.name!r}: "
            "say where the first is with --suite FOLDER"
        )
    selection.check_any(suite)
    return suite


def stores_in(folder: Path) -> list[Store]:
    """The store of a folder, or all stores inside it."""
    inside = [Store(path) for path in sorted(folder.glob("[!.]*")) if (path / "runs").is_dir()]
    return inside if inside and not Store(folder).runs.is_dir() else [Store(folder)]


def check_one_store(folder: Path) -> None:
    """UsageError for a folder that is no store: what there is inside it is not what was asked about."""
    if not folder.is_dir():
        raise UsageError(f"no folder {str(folder)!r}: give one that `lecturebench run --out` wrote")
    store = Store(folder)
    if store.runs.is_dir() or store.suite() is not None:
        return
    inside = [each.folder.name for each in stores_in(folder) if each.folder != folder]
    holds = f"it holds the stores {', '.join(map(repr, inside))}: give one of them" if inside else "give one"
    raise UsageError(f"{str(folder)!r} is no store that `lecturebench run --out` wrote; {holds}")


def check_choices(profile: str, backend: str, device: str) -> None:
    """UsageError with the nearest name for a profile, backend or device that there is not."""
    for what, given, known in (("profile", profile, PROFILES), ("backend", backend, BACKENDS)):
        if given not in known:
            raise UsageError(nearest(what, given, known))
    if device not in DEVICES:
        raise UsageError(nearest("device", device, DEVICES))


def check_cluster(cluster: str | None, jobs: int | None) -> None:
    """UsageError if workers of this machine are asked for together with a cluster's."""
    if cluster is not None and jobs is not None:
        raise UsageError(f"--jobs {jobs} counts workers of this machine; a cluster brings its own: leave it out")


def check_backend(backend: str, device: str) -> None:
    """UsageError if the backend is not installed, or a GPU is asked for that it does not see."""
    if importlib.util.find_spec(backend) is None:
        raise UsageError(f"the backend {backend!r} is not installed here: pip install {backend}")
    if device == "gpu":
        from lecturebench.execution.worker import probe_gpu, safe_path

        with safe_path(), ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                gpu = pool.submit(probe_gpu, backend).result()
            except Exception as error:  # a driver may kill the process; an import may raise anything
                raise UsageError(f"{backend} cannot look for a GPU here: {type(error).__name__}: {error}") from None
        if gpu is None:
            raise UsageError(f"device 'gpu' was asked for, but {backend} sees no GPU here: choose --device cpu")


def check_folder(folder: Path, suite: Suite | None = None) -> Store:
    """The store of the suite in this folder, which is made if it is not there; UsageError if it cannot be one.

    suite: None for lecturebench's own.
    """
    _make(folder)
    store = Store(folder)
    try:
        store.begin(_name_of(suite) if suite is not None else LECTURES_OWN)
        store.try_to_write()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(f"{_unwritable(folder, error)}: give another one with --out") from None
    return store


def _make(folder: Path) -> None:
    """Make a folder for what is written; UsageError if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{str(folder)!r} is a file, or lies in one; --out must be a folder") from None
    except OSError as error:
        raise UsageError(f"the folder {str(folder)!r} cannot be made: {error.strerror}") from None


def _unwritable(folder: Path, error: OSError) -> str:
    """That a folder, or the one inside it that an error speaks of, cannot be written."""
    where = folder if error.filename is None else Path(os.fsdecode(error.filename)).parent
    return f"the folder {str(where)!r} cannot be written ({error.strerror})"


def _place_of_report(folder: Path, out: Path | None) -> Path:
    """Where a store's report is written; UsageError if it cannot be written there, or is another store."""
    place = out or folder
    _make(place)
    if place.resolve() != folder.resolve() and Store(place).suite() is not None:
        raise UsageError(f"{str(place)!r} is a store itself, with a report of its own: give another folder with --out")
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix="."):
            pass
    except OSError as error:
        raise UsageError(f"{_unwritable(place, error)}: give another one with --out") from None
    return place


def _name_of(suite: Suite) -> SuiteName:
    """A suite as stores remember it."""
    return LECTURES_OWN if suite.is_lecture else SuiteName(suite.name, str(suite.folder))


def parse_budget(text: str) -> float:
    """Seconds of "90", "90s", "30m" or "2h"; UsageError for anything else."""
    from lecturebench.execution.budget import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--budget: {error}") from None


def trackers(asked: Mapping[str, str | None], out: Path, say: Say) -> Trackers:
    """The trackers that somebody asked for by kind and place, each opened; UsageError if one cannot be."""
    from lecturebench.execution.trackers import Trackers, open_tracker

    return Trackers([open_tracker(kind, where, out) for kind, where in asked.items() if where is not None], say)


def local_workers(
    *,
    jobs: int | None,
    backend: str,
    device: str,
    data_dir: Path | None,
    display: Display,
    memory_limit: float | None = None,
    threads: int | None = None,
) -> Callable[[], AbstractContextManager[Pool]]:
    """What makes the workers of this machine when they are needed.

    jobs: None is one per core, or one on a GPU. threads: of each; None is as `plan.THREADS` has it. memory_limit:
    GiB that each may hold; None is an equal share of four fifths of this machine's memory.
    """
    import psutil

    from lecturebench.execution.plan import THREADS
    from lecturebench.execution.pool import local_pool
    from lecturebench.execution.worker import Setting

    jobs = jobs or (1 if device == "gpu" else cores())
    limit = memory_limit * 2**30 if memory_limit else 0.8 * psutil.virtual_memory().total / jobs
    setting = Setting(threads=threads or THREADS, backend=backend, device=device, data_dir=data_dir)
    return lambda: local_pool(jobs, setting, display, int(limit))


def cluster_workers(
    address: str,
    *,
    backend: str,
    device: str,
    data_dir: Path | None,
    display: Display,
    memory_limit: float | None,
    suite: Path,
    say: Say,
) -> Callable[[], AbstractContextManager[Pool]]:
    """What takes the workers of a Dask cluster into use; every run has one thread there, whatever the node's size."""
    from lecturebench.execution.cluster import cluster_pool
    from lecturebench.execution.plan import THREADS
    from lecturebench.execution.worker import Setting

    limit = None if memory_limit is None else int(memory_limit * 2**30)
    setting = Setting(threads=THREADS, backend=backend, device=device, data_dir=data_dir)
    return lambda: cluster_pool(address, setting, display, limit, suites=(suite.resolve(),), say=say)


def _reader(stores: Sequence[Store], data_dir: Path | None) -> Callable[[str], Any]:
    """A dataset by the name that records of these stores have for it: `datasets.recall`, with what they say of it."""
    from lecturebench.datasets import known, recall

    @functools.cache
    def stated() -> dict[str, Counter[tuple[tuple[str, str], ...]]]:
        digests: dict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)
        for store in stores:
            for record in store.read()[0]:
                of_splits = record.dataset.get("digests")
                if isinstance(of_splits, dict):
                    digests[record.dataset["name"]][tuple((str(k), str(v)) for k, v in of_splits.items())] += 1
        return digests

    def load(name: str) -> Any:
        likely = [] if name in known() else stated()[name].most_common()
        return recall(name, [dict(digests) for digests, _ in likely], data_dir)

    return load


def _one_thread_each() -> AbstractContextManager[Any]:
    """The context for products of matrices that are too small to share: on a busy machine several threads of them wait
    longer for each other than they work, and how many there are shows in a sum's last digit."""
    from threadpoolctl import threadpool_limits

    return cast("AbstractContextManager[Any]", threadpool_limits(1, "blas"))


def _at_hand(store: Store) -> selection.Load:
    """Datasets as far as planning needs them; what a store could not have is taken as missing. Nothing is fetched."""
    from lecturebench.datasets import outline

    try:
        missing = {name: why for lacking in store.missing().values() for name, why in dict(lacking).items()}
    except (DamagedRecord, TypeError, ValueError):
        missing = {}

    def load(name: str, data_dir: Path | None, say: Say) -> Any:
        dataset = outline(name, data_dir)
        if name in missing and not len(dataset.train.y):
            raise DataMissing(str(missing[name]))
        return dataset

    return load


def _write(results: Results, store: Store, data_dir: Path | None, folder: Path | None = None, **more: Any) -> Path:
    """Write a store's page and tables, into its own folder unless another is given. more: as of `write_report`."""
    from lecturebench.execution.drawings import follower
    from lecturebench.judging.design import DESIGN_ERROR_RATES
    from lecturebench.report.page import write_report

    load, rates = _reader([store], data_dir), DESIGN_ERROR_RATES
    with _one_thread_each():
        return write_report(results, store, load, folder or store.folder, error_rates=rates, follow=follower(), **more)
