"""Which runs a request comes to: a pure function of what is declared, what is asked for and what has ended.

A parameter left to choose needs the runs of its grid first; the judged runs of that method appear in the plan once
those have ended. Of a method of which nobody knows whether it is random, the first run tells: if it is, the others
appear.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lecturebench.declare.benchmark import Benchmark, Profile
from lecturebench.declare.claims import TimeToTargetClaim
from lecturebench.declare.methods import Experiment, Method
from lecturebench.declare.modules import name_in_suite
from lecturebench.declare.training import PRECISION, Choice, Training
from lecturebench.declare.views import View
from lecturebench.execution.source import is_plain
from lecturebench.judging.statistics import best_combination
from lecturebench.metrics import Metric, split_of
from lecturebench.store import Record

# Of a worker, unless somebody asks for more. Sums are added up in another order on two threads than on one, and L-BFGS
# stops elsewhere: 7.39% and 7.40% on MNIST, 79 and 81 iterations on digits. A share of the cores would give a table on
# two cores that is not that of 64. One thread also costs nothing: runs are fitted side by side, and logistic regression
# took 12 s on one and 35 s on two of two busy cores, LDA 4 s and 6 s, the dropout network's epochs 0.5 s and 0.6 s.
THREADS = 1
ALWAYS_LOOKED_AT = ("error", "mae", "loss")  # on every network's curve, whatever is claimed


@dataclass(frozen=True)
class Run:
    """One row fitted with one seed: all that a worker needs to know, and nothing that cannot be pickled.

    parameters: those that are plain; the others the worker takes from the method. threads: what the worker must have.
    chosen: the values in place of the method's choices. view: what it sees of the dataset.
    """

    key: str
    suite: Path
    suite_name: str
    benchmark: str
    method: str
    dataset: str
    digests: Mapping[str, str]
    recipe: Mapping[str, Any]
    parameters: Mapping[str, Any]
    training: Mapping[str, Any] | None
    train_size: int | None
    profile: str
    backend: str
    device: str
    seed: int
    role: Literal["judged", "choice"]
    source_digest: str
    time_limit: float
    threads: int = THREADS
    examples: int | None = None
    view: View | None = None
    chosen: Mapping[str, float] = field(default_factory=dict)

    @property
    def in_lanes(self) -> bool:
        """Whether other seeds may be fitted beside it in one program, as far as its plan says: a network that sees what
        they see, at a rate that does not change with the step."""
        return self.training is not None and self.view is None and self.training["schedule"] is None


@dataclass(frozen=True)
class Request:
    """What somebody asked for. methods: None means all. seeds, time_limit: None means as the profile says.

    kind: the dataset's, which decides what methods without a view of their own see. examples: how many the training
    split has, None where nobody looked. They predict times and are no part of the key. first_seed: of the judged runs,
    for timings whose rounds are not to give the same errors again.
    """

    benchmark: Benchmark
    dataset: str
    digests: Mapping[str, str]
    profile: str
    backend: str
    kind: str = "images"
    device: str = "cpu"
    methods: tuple[str, ...] | None = None
    seeds: int | None = None
    time_limit: float | None = None
    threads: int = THREADS
    examples: int | None = None
    first_seed: int = 0

    @property
    def asked(self) -> list[Method]:
        """The benchmark's methods that are asked for and may run there."""
        named = [m for m in self.benchmark.methods if self.methods is None or m.name in self.methods]
        return [m for m in named if m.may_run(self.dataset, self.profile)]


class Plan(NamedTuple):
    """runs: those that can be fitted. waiting: judged runs whose parameters are still open; only their number counts.

    deciding: keys of those that have not ended, on which it depends what else is asked for.
    """

    runs: list[Run]
    waiting: list[Run]
    deciding: frozenset[str] = frozenset()


def plan(request: Request, ended: Mapping[str, Record], sources: Mapping[str, str]) -> Plan:
    """The runs of a request, those that others wait for first, then the longest.

    ended: records by key. sources: the source digest of each method. The judged runs of a method wait while its choices
    are open; they stay open for good if every combination of their values had a failed run.
    """
    runs: list[Run] = []
    waiting: list[Run] = []
    deciding: set[str] = set()
    for method in request.asked:
        profile = request.benchmark.profiles[request.profile]
        source = sources[method.name]
        fixed: Mapping[str, float] = {}
        seeds = range(1 if method.deterministic else request.seeds or profile.runs(method))
        metric = request.benchmark.measure(request.benchmark.metric)
        judged = runs
        if method.choices:
            grid_runs = _grid(request, method, profile, source)
            runs += grid_runs
            if all(run.key in ended for run in grid_runs):
                taken = chosen(method.choices, [(run, ended[run.key]) for run in grid_runs], metric)
                if taken is None:
                    continue
                fixed = taken
            else:
                fixed, judged = {name: choice.grid[0] for name, choice in method.choices.items()}, waiting
                deciding |= {run.key for run in grid_runs if run.key not in ended}
        own = [_run(request, method, fixed, request.first_seed + seed, "judged", source) for seed in seeds]
        if method.deterministic is None:
            first = ended.get(own[0].key)
            # Of one that waits nobody knows the key yet.
            deciding |= {own[0].key} if first is None and judged is runs else set()
            own = own if first is not None and first.random else own[:1]
        judged += own
    runs.sort(key=lambda run: (run.role != "choice", -(run.training or {"epochs": 0})["epochs"]))
    return Plan(runs, waiting, frozenset(deciding))


def chosen(
    choices: Mapping[str, Choice], ended: Iterable[tuple[Run, Record]], metric: Metric
) -> dict[str, float] | None:
    """The values, as declared, that the rule of `Choice` takes by that metric on validation data.

    ended: the runs of the grid with their records. Combinations of values with a failed run, or one that has no such
    metric, are left out; None if all have one.
    """
    errors: dict[tuple[float, ...], list[float]] = {}
    for run, record in ended:
        value = record.metrics.get("validation", {}).get(metric.name) if record.status == "ok" else None
        cost = math.nan if value is None else metric.cost(value)
        errors.setdefault(tuple(run.recipe[name] for name in choices), []).append(cost)
    grid = itertools.product(*(choice.grid for choice in choices.values()))
    whole = [values for values in grid if all(map(math.isfinite, errors.get(values, [math.nan])))]
    if not whole:
        return None
    rules = [choice.rule for choice in choices.values()]
    best = best_combination(whole, [errors[values] for values in whole], rules)
    return dict(zip(choices, best, strict=True))


def limited(choice: Choice, profile: Profile) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Grid and seeds of a choice on a profile's budget: evenly spaced values, the first seeds."""
    grid = choice.grid
    if profile.grid is not None and profile.grid < len(grid):
        grid = tuple(grid[round(i * (len(grid) - 1) / max(profile.grid - 1, 1))] for i in range(profile.grid))
    return grid, choice.seeds[: profile.choice_seeds]


def _grid(request: Request, method: Method, profile: Profile, source: str) -> list[Run]:
    """A run for each combination of the values that are tried, and each seed, of which all choices have the same."""
    grids, all_seeds = zip(*(limited(choice, profile) for choice in method.choices.values()), strict=True)
    return [
        _run(request, method, dict(zip(method.choices, values, strict=True)), seed, "choice", source)
        for values in itertools.product(*grids)
        for seed in all_seeds[0]
    ]


def _run(
    request: Request,
    method: Method,
    chosen: Mapping[str, float],
    seed: int,
    role: Literal["judged", "choice"],
    source: str,
) -> Run:
    """chosen: the values in place of the method's choices."""
    profile = request.benchmark.profiles[request.profile]
    parameters = {name: chosen.get(name, value) for name, value in method.parameters.items()}
    training = _training(method.training, profile, chosen)
    train_size = _smallest(profile.train_size, method.training.train_size if method.training else None)
    recipe: dict[str, Any] = {"function": named(method.function, request.benchmark)}
    recipe |= {name: _stated(value, request.benchmark) for name, value in parameters.items()}
    recipe |= _written(training)
    if train_size is not None:
        recipe["train_size"] = train_size
    looked_at = [name for name in looked_at_by(request.benchmark) if name not in ALWAYS_LOOKED_AT]
    if looked_at and training is not None:
        recipe["looked_at"] = looked_at
    if method.resplit:
        recipe["resplit"] = True
    view = method.view_of(request.kind)
    if view is not None:
        recipe["view"] = {"kind": type(view).__name__, **dataclasses.asdict(view)}
    backend = request.backend if method.uses_backend else without_backend(method)
    device = request.device if method.uses_backend else "cpu"
    decides = {
        "suite": request.benchmark.suite,
        "benchmark": request.benchmark.name,
        "method": method.name,
        "recipe": recipe,
        "digests": dict(request.digests),
        "profile": request.profile,
        "backend": backend,
        "seed": seed,
        # The seeds of a choice may be asked for as judged ones too, but a run that only chooses keeps no predictions.
        "role": role,
        "threads": request.threads,
        "source": source,
    }
    key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
    return Run(
        key=key,
        suite=request.benchmark.path.parent,
        suite_name=request.benchmark.suite,
        benchmark=request.benchmark.name,
        method=method.name,
        dataset=request.dataset,
        digests=dict(request.digests),
        recipe=json.loads(json.dumps(recipe)),
        parameters={name: value for name, value in parameters.items() if is_plain(value)},
        training=training,
        train_size=train_size,
        profile=request.profile,
        backend=backend,
        device=device,
        seed=seed,
        role=role,
        source_digest=source,
        time_limit=request.time_limit or profile.time_limit,
        threads=request.threads,
        examples=request.examples,
        chosen=chosen,
        view=view,
    )


def named(function: Any, benchmark: Benchmark) -> str:
    """A function as recipes name it: by its module, under its suite's own name, and what a partial was given."""
    if isinstance(function, functools.partial):
        given = [*map(repr, function.args), *(f"{name}={value!r}" for name, value in function.keywords.items())]
        plain = is_plain([*function.args, *function.keywords.values()])
        return f"partial({', '.join([named(function.func, benchmark), *(given if plain else ['…'])])})"
    function = function if hasattr(function, "__qualname__") else type(function)
    module = name_in_suite(str(function.__module__), benchmark.path.parent, benchmark.suite)
    return f"{module}.{function.__qualname__}"


def _stated(value: Any, benchmark: Benchmark) -> Any:
    """A parameter as a recipe states it. What is not plain is only named here: the source digest knows it whole."""
    if is_plain(value):
        return value
    if callable(value):
        return named(value, benchmark)
    return f"{type(value).__name__} {getattr(value, 'shape', '')}".strip()


def looked_at_by(benchmark: Benchmark) -> list[str]:
    """The metrics that a network's curve needs on validation data, by name, since races are run by them."""
    return sorted({split_of(claim.metric)[1] for claim in benchmark.claims if isinstance(claim, TimeToTargetClaim)})


def without_backend(method: Method) -> str:
    """What stands for the backend of a method that has no use for Keras: the library that computes it."""
    return "numpy" if isinstance(method, Experiment) else "scikit-learn"


def _training(training: Training | None, profile: Profile, chosen: Mapping[str, float]) -> dict[str, Any] | None:
    if training is None:
        return None
    if profile.epochs is not None:
        training = dataclasses.replace(training, epochs=min(training.epochs, profile.epochs))
    values = {item.name: getattr(training, item.name) for item in dataclasses.fields(training)}
    return {name: chosen.get(name, value) for name, value in values.items()} | {"options": dict(training.options)}


def _written(training: Mapping[str, Any] | None) -> dict[str, Any]:
    """The training as a recipe says it: what was not asked for is left out."""
    if training is None:
        return {}
    schedule = training["schedule"]
    looks = training["looks"] if training["looks"] > 1 else None
    held_out = training["held_out"] if training["held_out"] != "random" else None
    stopping = training["stopping"] if training["stopping"] != "last" else None
    kept = {**training, "looks": looks, "held_out": held_out, "stopping": stopping}
    kept["schedule"] = schedule and dataclasses.asdict(schedule)
    kept["precision"] = PRECISION
    return {name: value for name, value in kept.items() if value is not None and value is not False}


def _smallest(*sizes: int | None) -> int | None:
    """The smallest of the sizes that are given."""
    return min((size for size in sizes if size is not None), default=None)
