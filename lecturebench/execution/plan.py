"""Which runs a request comes to: a pure function of what is declared, what is asked for and what has ended.

A parameter left to choose needs the runs of its grid first; the judged runs of that method appear in the plan once
those have ended.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lecturebench.declare.benchmark import Benchmark, Profile
from lecturebench.declare.methods import Experiment, Method
from lecturebench.declare.modules import name_in_suite
from lecturebench.declare.training import Choice, Training
from lecturebench.judging.statistics import one_standard_error
from lecturebench.store import Record


@dataclass(frozen=True)
class Run:
    """One row fitted with one seed: all that a worker needs to know, and nothing that cannot be pickled."""

    key: str
    suite: Path
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
    examples: int | None = None


@dataclass(frozen=True)
class Request:
    """What somebody asked for. methods: None means all. seeds, time_limit: None means as the profile says.

    examples: how many the training split has, None where nobody looked. They predict times and are no part of the key.
    """

    benchmark: Benchmark
    dataset: str
    digests: Mapping[str, str]
    profile: str
    backend: str
    device: str = "cpu"
    methods: tuple[str, ...] | None = None
    seeds: int | None = None
    time_limit: float | None = None
    examples: int | None = None


class Plan(NamedTuple):
    """runs: those that can be fitted. waiting: judged runs whose parameter is still open; only their number counts."""

    runs: list[Run]
    waiting: list[Run]


def plan(request: Request, ended: Mapping[str, Record], sources: Mapping[str, str]) -> Plan:
    """The runs of a request, those that others wait for first, then the longest.

    ended: records by key. sources: the source digest of each method. The judged runs of a method wait while its choice
    is open; it stays open for good if every value of the grid had a failed run.
    """
    runs: list[Run] = []
    waiting: list[Run] = []
    for method in request.benchmark.methods:
        if request.methods is not None and method.name not in request.methods:
            continue
        if method.datasets and request.dataset not in method.datasets:
            continue
        profile = request.benchmark.profiles[request.profile]
        source = sources[method.name]
        fixed: dict[str, Any] = {}
        seeds = range(1 if method.deterministic else request.seeds or profile.runs(method))
        judged = runs
        if method.choice is not None:
            name, choice = method.choice
            grid_runs = _grid(request, method, profile, source)
            runs += grid_runs
            if all(run.key in ended for run in grid_runs):
                fixed[name] = chosen(name, (ended[run.key] for run in grid_runs))
                if fixed[name] is None:
                    continue
            else:
                fixed[name], judged = choice.grid[0], waiting
        judged += [_run(request, method, fixed, seed, "judged", source) for seed in seeds]
    runs.sort(key=lambda run: (run.role != "choice", -(run.training or {"epochs": 0})["epochs"]))
    return Plan(runs, waiting)


def chosen(name: str, records: Iterable[Record]) -> float | None:
    """The value that the one-standard-error rule takes; values with a failed run are left out; None if all have one."""
    errors: dict[float, list[float]] = {}
    failed = set()
    for record in records:
        value = record.recipe[name]
        if record.status == "ok":
            validation = record.metrics["validation"]
            errors.setdefault(value, []).append(validation["error" if "error" in validation else "mae"])
        else:
            failed.add(value)
    whole = sorted(set(errors) - failed)
    return one_standard_error(whole, [errors[value] for value in whole]) if whole else None


def limited(choice: Choice, profile: Profile) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Grid and seeds of a choice on a profile's budget: evenly spaced values, the first seeds."""
    grid = choice.grid
    if profile.grid is not None and profile.grid < len(grid):
        grid = tuple(grid[round(i * (len(grid) - 1) / max(profile.grid - 1, 1))] for i in range(profile.grid))
    return grid, choice.seeds[: profile.choice_seeds]


def _grid(request: Request, method: Method, profile: Profile, source: str) -> list[Run]:
    assert method.choice is not None
    name, choice = method.choice
    grid, seeds = limited(choice, profile)
    return [_run(request, method, {name: value}, seed, "choice", source) for value in grid for seed in seeds]


def _run(
    request: Request,
    method: Method,
    chosen: Mapping[str, Any],
    seed: int,
    role: Literal["judged", "choice"],
    source: str,
) -> Run:
    """chosen: the value in place of the method's `Choice`, if it has one."""
    profile = request.benchmark.profiles[request.profile]
    parameters = {name: chosen.get(name, value) for name, value in method.parameters.items()}
    training = _training(method.training, profile, chosen)
    train_size = _smallest(profile.train_size, method.training.train_size if method.training else None)
    function = method.function
    module = name_in_suite(function.__module__, request.benchmark.path.parent, request.benchmark.suite)
    recipe = {"function": f"{module}.{function.__qualname__}", **parameters, **_written(training)}
    if train_size is not None:
        recipe["train_size"] = train_size
    if method.resplit:
        recipe["resplit"] = True
    if method.view is not None:
        recipe["view"] = {"kind": type(method.view).__name__, **dataclasses.asdict(method.view)}
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
        "source": source,
    }
    key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
    return Run(
        key=key,
        suite=request.benchmark.path.parent,
        benchmark=request.benchmark.name,
        method=method.name,
        dataset=request.dataset,
        digests=dict(request.digests),
        recipe=json.loads(json.dumps(recipe)),
        parameters=dict(parameters),
        training=training,
        train_size=train_size,
        profile=request.profile,
        backend=backend,
        device=device,
        seed=seed,
        role=role,
        source_digest=source,
        time_limit=request.time_limit or profile.time_limit,
        examples=request.examples,
    )


def without_backend(method: Method) -> str:
    """What stands for the backend of a method that has no use for Keras: the library that computes it."""
    return "numpy" if isinstance(method, Experiment) else "scikit-learn"


def _training(training: Training | None, profile: Profile, chosen: Mapping[str, Any]) -> dict[str, Any] | None:
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
    kept = {**training, "schedule": schedule and dataclasses.asdict(schedule), "looks": looks, "held_out": held_out}
    return {name: value for name, value in kept.items() if value is not None and value is not False}


def _smallest(*sizes: int | None) -> int | None:
    """The smallest of the sizes that are given."""
    return min((size for size in sizes if size is not None), default=None)
