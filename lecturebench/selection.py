"""What somebody's words select: benchmarks, methods and datasets, and the requests that these come to.

Names are checked and data is loaded before anything is fitted, so what cannot be meant costs no run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.lag_views import Lags
from lecturebench.declare.methods import Experiment, Network
from lecturebench.declare.suites import Suite
from lecturebench.declare.views import KINDS
from lecturebench.declare.word_views import WordView
from lecturebench.errors import DataMissing, UsageError, nearest

Load = Callable[..., "Dataset"]

if TYPE_CHECKING:
    from pathlib import Path

    from lecturebench.datasets import Dataset
    from lecturebench.declare.claims import Claim
    from lecturebench.execution.plan import Request


def select(suite: Mapping[str, Benchmark], names: Sequence[str], methods: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of those names, or all; UsageError for one that is unknown or whose file cannot be used, and for
    a method that none of them has."""
    check_any(suite)
    broken = suite.broken if isinstance(suite, Suite) else {}
    for name in names:
        if name in broken:
            raise UsageError(broken[name])
        if name not in suite:
            raise UsageError(nearest("benchmark", name, suite))
    selected = [suite[name] for name in names] or list(suite.values())
    known = {method.name for benchmark in selected for method in benchmark.methods}
    for name in methods:
        if name not in known:
            raise UsageError(nearest("method", name, known))
    return [b for b in selected if not methods or any(method.name in methods for method in b.methods)]


def check_any(suite: Mapping[str, Benchmark]) -> None:
    """UsageError if none of a suite's files can be used."""
    broken = list(suite.broken.values()) if isinstance(suite, Suite) else []
    if broken and not suite:
        raise UsageError(broken[0] + (f"; {len(broken) - 1} more cannot be used either" if broken[1:] else ""))


def judged(benchmark: Benchmark, profile: str) -> list[Claim]:
    """The claims of a benchmark that runs of this profile can decide."""
    if not benchmark.profiles[profile].judges:
        return []
    return [claim for claim in benchmark.claims if not claim.profiles or profile in claim.profiles]


def places(
    benchmark: Benchmark, profile: str, dataset: str | None = None, methods: Sequence[str] = ()
) -> list[tuple[str, tuple[str, ...]]]:
    """On which datasets a benchmark is fitted, and which of its methods on each; a method may be on none.

    All methods on the dataset that is asked for, the profile's, or the benchmark's first. Where nobody asks for one,
    also the methods of claims on each further dataset that a claim of this profile speaks of.
    """
    asked = [method for method in benchmark.methods if not methods or method.name in methods]
    wanted = {_first(benchmark, profile, dataset): {method.name for method in asked}}
    if dataset is None and benchmark.profiles[profile].dataset is None:
        for claim in judged(benchmark, profile):
            wanted.setdefault(claim.dataset, set()).update(claim.methods)
    methods_on = {
        name: tuple(method.name for method in asked if method.name in own and method.may_run(name, profile))
        for name, own in wanted.items()
    }
    return [(name, own) for name, own in methods_on.items() if own]


def _first(benchmark: Benchmark, profile: str, dataset: str | None) -> str:
    """The dataset that all methods of a benchmark are fitted on."""
    return dataset or benchmark.profiles[profile].dataset or benchmark.datasets[0]


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
    say: Callable[[str], None],
    load: Load | None = None,
) -> tuple[list[Request], dict[str, dict[str, str]]]:
    """A request per benchmark and dataset (`places`), its data loaded and checked; and for each benchmark the datasets
    that it cannot have, with reasons.

    Where a benchmark's first dataset cannot be had, its stand-in takes the place, or no request comes of it. strict:
    DataMissing instead. load: as `lecturebench.datasets.load`, which it is unless given. UsageError for an unknown
    dataset or one that the benchmark's methods cannot take.
    """
    from lecturebench import datasets
    from lecturebench.execution.plan import Request

    get = load or datasets.load

    loaded: dict[str, Dataset] = {}
    reasons: dict[str, str] = {}
    missing: dict[str, dict[str, str]] = {}
    made = []
    for benchmark in benchmarks:
        lacking = missing[benchmark.name] = {}
        wanted = places(benchmark, profile, dataset, methods)
        first = _first(benchmark, profile, dataset)
        for method in benchmark.methods:
            if method.name in methods and not any(method.name in own for _, own in wanted):
                if method.profiles and profile not in method.profiles:
                    takes = ", ".join(method.profiles)
                    raise UsageError(f"{method.name} takes more than profile {profile!r} has time for: choose {takes}")
                raise UsageError(f"{method.name} cannot be fitted on {first!r}: choose {', '.join(method.datasets)}")
        taken: set[str] = set()
        for place, own in wanted:
            name: str | None = place
            while name is not None and name not in loaded:
                if name not in reasons:
                    try:
                        loaded[name] = get(name, data_dir, say)
                        if load is None and name not in datasets.known():
                            say(datasets.describe(name, data_dir).line)
                        break
                    except DataMissing as error:
                        if strict:
                            raise
                        reasons[name] = str(error)
                lacking[name] = reasons[name]
                stand_in = benchmark.stand_in if place == first and name != benchmark.stand_in else None
                say(f"{name} cannot be had; {f'{stand_in} stands in' if stand_in else 'its rows are not run'}")
                name = stand_in
            if name is None or name in taken:
                continue
            taken.add(name)
            data = loaded[name]
            reads = any(isinstance(method.view, WordView) for method in benchmark.methods)
            if data.task != benchmark.task or (data.kind == "text" and not reads):
                inputs = "texts" if reads else "images or numbers"
                takes = f"classifies {inputs}" if benchmark.task == "classification" else "predicts values"
                other = "" if reads else ", or your own (lecturebench data --help)"
                raise UsageError(
                    f"{name!r} is {data.kind} for {data.task}; {benchmark.name} {takes}: "
                    f"choose {', '.join(benchmark.datasets)}{other}"
                )
            for method in benchmark.methods:
                view = method.view_of(data.kind)
                streamed = name in datasets.STREAMED and method.name in own
                if streamed and (view is not None or method.resplit or not isinstance(method, Network)):
                    raise UsageError(
                        f"{method.name} needs all of {name} at once, which does not fit in memory; networks that see "
                        "it as it is read it image by image: choose them by --method"
                    )
                if view is not None and view.kind != data.kind and (not methods or method.name in methods):
                    raise UsageError(
                        f"{method.name} sees {KINDS[view.kind]} {view.words}, and "
                        f"{name!r} is {data.kind}: leave its view {type(view).__name__} out, or choose other data"
                    )
                if name in datasets.IN_TIME and not isinstance(view, Lags) and not isinstance(method, Experiment):
                    raise UsageError(
                        f"{method.name} would see the day that it predicts, {benchmark.name}'s methods having no Lags "
                        f"view: of {name} only rows before it may be seen; choose {', '.join(benchmark.datasets)}"
                    )
                if isinstance(view, Lags) and name not in datasets.IN_TIME and (not methods or method.name in methods):
                    raise UsageError(
                        f"{method.name} looks back over rows in the order of time, first those of train and then those "
                        f"of test; of {name!r} that is not known: choose {', '.join(datasets.IN_TIME)}"
                    )
                if view is None and data.kind == "text" and not isinstance(method, Experiment):
                    raise UsageError(
                        f"{method.name} takes numbers, and {name!r} is text: give it a view of words, "
                        "WordIndices(), WordPresence() or CleanedText()"
                    )
            made.append(
                Request(
                    benchmark=benchmark,
                    dataset=name,
                    digests=dict(data.digests),
                    profile=profile,
                    backend=backend,
                    kind=data.kind,
                    device=device,
                    methods=(tuple(methods) or None) if place == first else own,
                    seeds=seeds,
                    time_limit=time_limit,
                    examples=len(data.train.y),
                )
            )
    return made, missing


def missing_lines(missing: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Why datasets could not be had, each reason once."""
    reasons = [reason for lacking in missing.values() for reason in lacking.values()]
    return [f"not had: {reason}" for reason in dict.fromkeys(reasons)]
