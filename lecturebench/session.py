"""From what somebody typed to requests that can be carried out: everything that can be wrong is found here, before
anything is fitted."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from lecturebench.declare.benchmark import BACKENDS, DEVICES, PROFILES, Benchmark
from lecturebench.environment import cores
from lecturebench.errors import DataMissing, UsageError, nearest
from lecturebench.store import Store

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.execution.plan import Request
    from lecturebench.execution.pool import Pool
    from lecturebench.execution.progress import Display
    from lecturebench.execution.trackers import Trackers

Say = Callable[[str], None]


def select(benchmarks: dict[str, Benchmark], names: Sequence[str], methods: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of those names, or all; UsageError for an unknown one, or a method that none of them has."""
    for name in names:
        if name not in benchmarks:
            raise UsageError(nearest("benchmark", name, benchmarks))
    selected = [benchmarks[name] for name in names] or list(benchmarks.values())
    known = {method.name for benchmark in selected for method in benchmark.methods}
    for name in methods:
        if name not in known:
            raise UsageError(nearest("method", name, known))
    return [b for b in selected if not methods or any(method.name in methods for method in b.methods)]


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
        from lecturebench.execution.worker import probe_gpu

        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                found = pool.submit(probe_gpu, backend).result()
            except Exception as error:  # a driver may kill the process; an import may raise anything
                raise UsageError(f"{backend} cannot look for a GPU here: {type(error).__name__}: {error}") from None
        if found is None:
            raise UsageError(f"device 'gpu' was asked for, but {backend} sees no GPU here: choose --device cpu")


def check_folder(folder: Path) -> None:
    """UsageError if this folder is no store and cannot become one; it is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{str(folder)!r} is a file, or lies in one; --out must be a folder") from None
    except OSError as error:
        raise UsageError(f"the folder {str(folder)!r} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {str(folder)!r} cannot be written")
    Store(folder).begin()


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


def requests(
    benchmarks: Sequence[Benchmark],
    *,
    profile: str,
    backend: str,
    device: str,
    dataset: str | None = None,
    methods: Sequence[str] = (),
    seeds: int | None = None,
    time_limit: float | None = None,
    data_dir: Path | None = None,
    strict: bool = False,
    say: Say = lambda line: None,
) -> tuple[list[Request], dict[str, dict[str, str]]]:
    """One request per benchmark, its data loaded and checked, and for each the datasets it cannot have, with reasons.

    Where a dataset cannot be had, the benchmark's stand-in takes its place, or no request comes of it. strict:
    DataMissing instead. UsageError for an unknown dataset or one that the benchmark's methods cannot take.
    """
    from lecturebench.datasets import load
    from lecturebench.execution.plan import Request

    loaded: dict[str, Dataset] = {}
    reasons: dict[str, str] = {}
    missing: dict[str, dict[str, str]] = {}
    made = []
    for benchmark in benchmarks:
        lacking = missing[benchmark.name] = {}
        name: str | None = dataset or benchmark.profiles[profile].dataset or benchmark.datasets[0]
        while name is not None and name not in loaded:
            if name not in reasons:
                try:
                    loaded[name] = load(name, data_dir, say)
                    break
                except DataMissing as error:
                    if strict:
                        raise
                    reasons[name] = str(error)
            lacking[name] = reasons[name]
            stand_in = benchmark.stand_in if name != benchmark.stand_in else None
            say(f"{name} cannot be had; {f'{stand_in} stands in' if stand_in else 'its rows are not run'}")
            name = stand_in
        if name is None:
            continue
        data = loaded[name]
        if data.kind == "text" or data.task != benchmark.task:
            takes = "classifies images or numbers" if benchmark.task == "classification" else "predicts values"
            raise UsageError(
                f"{name!r} is {data.kind} for {data.task}; {benchmark.name} {takes}: "
                f"choose {', '.join(benchmark.datasets)}, npz:PATH, csv:PATH or folder:PATH"
            )
        for method in benchmark.methods:
            if method.name in methods and method.datasets and name not in method.datasets:
                raise UsageError(f"{method.name} cannot be fitted on {name!r}: choose {', '.join(method.datasets)}")
        made.append(
            Request(
                benchmark=benchmark,
                dataset=name,
                digests=dict(data.digests),
                profile=profile,
                backend=backend,
                device=device,
                methods=tuple(methods) or None,
                seeds=seeds,
                time_limit=time_limit,
                examples=len(data.train.y),
            )
        )
    return made, missing
