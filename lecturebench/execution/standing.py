"""Which records of a store today's code would plan, and why the others do not count.

Nothing that a record says of itself is believed: every run is planned anew from what the benchmarks declare, and a
record counts if it has the key of such a run and says of itself what that run is. Not in the key, and so no reason: the
device, time limits, and how many seeds were asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lecturebench.declare.benchmark import BACKENDS, PROFILES, Benchmark
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from lecturebench.execution.engine import source_digests
from lecturebench.execution.plan import Plan, Request, Run, plan, without_backend
from lecturebench.execution.source import Look
from lecturebench.judging.collect import Planned
from lecturebench.judging.evidence import counted
from lecturebench.store import SCHEMA, Record
from lecturebench.wording import they_are

ABSENT = object()
NO_DATA = (DataMissing, DataCorrupt, UsageError, OSError)


def planned(benchmarks: Mapping[str, Benchmark], records: Iterable[Record], load: Callable[[str], Any]) -> Planned:
    """What of the records of a store today's code would plan, for `judging.collect`.

    load: a dataset by name, as `lecturebench.datasets.load`. Of one that cannot be had the digests that most of its
    records state are taken for today's, with a note. Records of unknown suites, benchmarks and methods are not spoken
    of: nobody declares them.
    """
    places: dict[tuple[str, str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        benchmark = benchmarks.get(record.benchmark)
        if benchmark is None or record.suite != benchmark.suite:
            continue
        if record.method in {method.name for method in benchmark.methods} and record.profile in PROFILES:
            backend = record.backend if record.backend in BACKENDS else BACKENDS[0]
            places[record.benchmark, str(record.dataset.get("name")), record.profile, backend].append(record)
    data, look = _Data(load), Look()
    stale: dict[str, str] = {}
    gaps: list[str] = []
    sources: dict[tuple[str, str, str], str | UsageError] = {}
    for (name, dataset, profile, backend), own in places.items():
        methods = tuple(dict.fromkeys(record.method for record in own))
        digests, kind = data.of(dataset, own, benchmarks[name])
        request = Request(benchmarks[name], dataset, digests, profile, backend, kind, methods=methods)
        for method in methods:
            alone = replace(request, methods=(method,))
            its = [record for record in own if record.method == method]
            if not alone.asked:
                reason = f"{method} is not fitted on {dataset} on the {profile} profile any more"
                stale |= {record.key: reason for record in its}
                continue
            if (name, backend, method) not in sources:
                try:
                    sources[name, backend, method] = source_digests(alone, look)[method]
                except UsageError as error:
                    sources[name, backend, method] = error
            source = sources[name, backend, method]
            if isinstance(source, UsageError):
                stale |= {record.key: str(source) for record in its}
            else:
                stale |= _stale(its, alone, source)
            present = {record.seed for record in its if record.role == "judged" and record.key not in stale}
            if absent := sorted(set(range(max(present, default=0))) - present):
                place = f"{method} on {dataset} ({profile}, {its[0].backend})"
                gaps.append(f"{place}: no run of seed {', '.join(map(str, absent))}, but of later ones")
    return Planned(stale, (*data.notes, *gaps))


def why_not(record: Record, request: Request, source: str, runs: Sequence[Run], waiting: Collection[str]) -> list[str]:
    """Why a record of a method that is asked for, on its dataset, profile and backend, is none of its runs; [] if
    nothing but its seed or what it tries is another. waiting: keys of ``runs`` whose parameters are still open."""
    choices = request.benchmark.method(record.method).choices
    alike = [run for run in runs if run.method == record.method and run.role == record.role]
    reasons = []
    stated = record.dataset.get("digests")
    digests = stated if isinstance(stated, dict) else {}
    differing = sorted(name for name, digest in request.digests.items() if digests.get(name) != digest)
    if differing:
        reasons.append(f"other data: the digest of {' and '.join(differing)} differs")
    if record.source_digest != source:
        reasons.append("its source has changed")
    if record.threads != request.threads:
        reasons.append(f"it was fitted on {record.threads} threads, {request.threads} is planned")
    if alike:
        now = alike[0].recipe
        open_ = set(choices) if record.role == "choice" or alike[0].key in waiting else set()
        reasons += [
            f"{name} was {_shown(record.recipe, name)}, is {_shown(now, name)}"
            for name in sorted({*now, *record.recipe} - open_)
            if record.recipe.get(name, ABSENT) != now.get(name, ABSENT)
        ]
    elif record.role == "choice":
        reasons.append("nothing of its method is left to choose")
    if record.role == "choice":
        reasons += [
            f"{name} {record.recipe.get(name)!r} is not tried any more"
            for name, choice in choices.items()
            if record.recipe.get(name) not in choice.grid
        ]
    return reasons


def older(record: Record) -> str:
    """Why a record with nothing else against it does not have the key that it would get today."""
    if record.schema < SCHEMA:
        return f"an earlier version of lecturebench wrote it (schema {record.schema}, now {SCHEMA})"
    return "another version of lecturebench wrote it"


def _stale(records: Sequence[Record], request: Request, source: str) -> dict[str, str]:
    """The records of one method on one dataset, profile and backend that do not count, with the reason."""
    [name] = request.methods or ()
    method = request.benchmark.method(name)
    profile = request.benchmark.profiles[request.profile]
    sources = {name: source}
    grid = plan(request, {}, sources).runs if method.choices else []
    tried = {run.key: run for run in grid if run.role == "choice"}
    grid_ended = {
        record.key: record for record in records if record.key in tried and not edits(record, tried[record.key])
    }
    # Whether a method is random its first judged run tells.
    ended = grid_ended | {record.key: record for record in records if record.role == "judged"}
    # More seeds than the profile's may have been asked for, one after the other from 0.
    usual = profile.runs(method)
    judged = [record.seed for record in records if record.role == "judged"]
    most = max(usual, min(usual + len(judged), 1 + max(judged, default=0)))
    todays_plan: Plan = plan(replace(request, seeds=None if method.deterministic else most), ended, sources)
    runs = {run.key: run for run in todays_plan.runs}
    stale: dict[str, str] = {}
    for record in records:
        if record.key in runs:
            if differing := edits(record, runs[record.key]):
                stale[record.key] = f"edited since it was written: {'; '.join(differing)}"
        else:
            stale[record.key] = _why_stale(record, request, source, todays_plan, len(tried) - len(grid_ended))
    seeds = {record.seed for record in records if record.key not in stale and record.role == "judged"}
    for record in records:
        gap = next((seed for seed in range(usual, record.seed) if seed not in seeds), None)
        if record.key not in stale and record.role == "judged" and gap is not None:
            stale[record.key] = f"seeds are taken one after the other, and seed {gap} has no run"
    return stale


def _why_stale(record: Record, request: Request, source: str, todays_plan: Plan, untried: int) -> str:
    """The reasons as one text; there is always one."""
    waiting = {run.key for run in todays_plan.waiting}
    reasons = why_not(record, request, source, [*todays_plan.runs, *todays_plan.waiting], waiting)
    choices = request.benchmark.method(record.method).choices
    alike = [run for run in todays_plan.runs if run.role == record.role]
    if not reasons and record.role == "judged" and choices and not alike:
        to_come = f"its {they_are(choices)} open: {counted(untried, 'run')} of its grid to come"
        reasons = [to_come if untried else f"no {' and '.join(choices)} could be chosen"]
    if not reasons and record.seed not in {run.seed for run in alike}:
        reasons = [f"seed {record.seed} is not planned"]
    if not reasons and record.role == "choice":
        tried = {name: {run.recipe.get(name) for run in alike} for name in choices}
        if others := [name for name in choices if record.recipe.get(name) not in tried[name]]:
            reasons = [f"its {they_are(others)} not in the grid of this profile"]
    return "; ".join(reasons) or older(record)


def edits(record: Record, run: Run) -> list[str]:
    """Where a record with the key of a run says something else of itself than the run."""
    stated_and_now = {
        "suite": (record.suite, run.suite_name),
        "benchmark": (record.benchmark, run.benchmark),
        "method": (record.method, run.method),
        "recipe": (record.recipe, dict(run.recipe)),
        "digests": (record.dataset.get("digests"), dict(run.digests)),
        "profile": (record.profile, run.profile),
        "backend": (record.backend, run.backend),
        "seed": (record.seed, run.seed),
        "role": (record.role, run.role),
        "threads": (record.threads, run.threads),
        "source digest": (record.source_digest, run.source_digest),
    }
    return [
        f"its {what} is {stated!r}, its key is that of {now!r}"
        for what, (stated, now) in stated_and_now.items()
        if stated != now
    ]


class _Data:
    """Today's digests and kinds of datasets by name. Each dataset is asked for once, also if it cannot be had."""

    def __init__(self, load: Callable[[str], Any]) -> None:
        self._load = load
        self._known: dict[str, tuple[Mapping[str, str], str] | None] = {}
        self.notes: list[str] = []

    def of(self, name: str, records: Sequence[Record], benchmark: Benchmark) -> tuple[Mapping[str, str], str]:
        """Those of the dataset, else those that most of the records state, or let see by what their methods saw."""
        if name not in self._known:
            try:
                dataset = self._load(name)
                self._known[name] = dict(dataset.digests), dataset.kind
            except NO_DATA as error:
                self._known[name] = None
                why = " ".join(str(error).split())
                self.notes.append(f"{name} cannot be had now ({why}): its digests are taken as its runs state them")
        known = self._known[name]
        if known is not None:
            return known
        stated = [record.dataset.get("digests") for record in records]
        usable = [
            tuple(sorted((str(k), str(v)) for k, v in digests.items()))
            for digests in stated
            if isinstance(digests, dict)
        ]
        digests = dict(Counter(usable).most_common(1)[0][0]) if usable else {}
        seen = any("view" in record.recipe and benchmark.method(record.method).view is None for record in records)
        return digests, "table" if seen else "images"


def _shown(recipe: Mapping[str, Any], name: str) -> str:
    return repr(recipe[name]) if name in recipe else "not there"


def backend_of(record: Record, request: Request) -> str:
    """The backend that a request's runs of the record's method have."""
    method = request.benchmark.method(record.method)
    return request.backend if method.uses_backend else without_backend(method)
