"""Where every run that is asked for stands in a store, and why other records there do not count for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from lecturebench.execution.durations import Durations, spent
from lecturebench.execution.plan import Request, Run, plan
from lecturebench.execution.progress import describe, in_words
from lecturebench.execution.standing import backend_of, older, why_not
from lecturebench.metrics import headline
from lecturebench.store import Record
from lecturebench.wording import expected_duration, they_are

State = Literal["done", "failed", "missing", "waiting", "stale", "other"]
STATES: tuple[State, ...] = ("done", "failed", "missing", "waiting", "stale", "other")
TO_FIT = ("missing", "waiting")


@dataclass(frozen=True)
class Entry:
    """A run that is asked for, or another record of the same benchmark.

    state: done, failed, missing (to be fitted) or waiting (until a parameter is chosen) for a run; stale (it would be
    fitted otherwise now) or other (it is not asked for) for a record. name: method, tried value, seed. seconds:
    measured where there is a record, else expected. why: what came out, what it waits for, why it does not count.
    """

    state: State
    key: str
    benchmark: str
    dataset: str
    profile: str
    backend: str
    name: str
    seconds: float
    why: str


def overview(
    requests: Sequence[Request], records: Iterable[Record], sources: Callable[[Request], Mapping[str, str]]
) -> list[Entry]:
    """The runs of each request in the order of its methods, then the other records of its benchmark.

    sources: the source digest of each method of a request, as `engine.source_digests` gives them.
    """
    ended = {record.key: record for record in records}
    durations = Durations(ended.values())
    digests = [sources(request) for request in requests]
    plans = [plan(request, ended, source) for request, source in zip(requests, digests, strict=True)]
    listed = {run.key for runs, _, _ in plans for run in runs}
    entries = []
    for request, source, (runs, waiting, _) in zip(requests, digests, plans, strict=True):
        for method in request.benchmark.methods:
            own = [run for run in runs if run.method == method.name]
            for run in sorted(own, key=lambda run: run.role == "judged"):
                record = ended.get(run.key)
                state: State = "missing" if record is None else "done" if record.status == "ok" else "failed"
                seconds = durations.expected(run) if record is None else spent(record)
                result = "" if record is None else _result(record, request.benchmark.metric)
                entries.append(_entry(run, state, describe(run), seconds, result))
            for run in waiting:
                if run.method == method.name:
                    why = f"until its {they_are(method.choices)} chosen"
                    entries.append(_entry(run, "waiting", describe(run), durations.expected(run), why))
        for record in ended.values():
            if record.benchmark == request.benchmark.name and record.key not in listed:
                listed.add(record.key)
                state, why = _why_not(record, request, source, [*runs, *waiting], {run.key for run in waiting})
                entries.append(_entry(record, state, _name(record, request), spent(record), why))
    return entries


def lines(entries: Sequence[Entry]) -> list[str]:
    """The entries as plain text, under a heading for each benchmark, dataset and profile; then how many of each."""
    text = []
    width = max((len(entry.name) for entry in entries), default=0)
    for place, group in groupby(entries, key=lambda entry: (entry.benchmark, entry.dataset, entry.profile)):
        text.append(f"{place[0]} on {place[1]} ({place[2]})")
        for entry in group:
            time = ("~" if entry.state in TO_FIT else "") + expected_duration(entry.seconds)
            text.append(f"  {entry.state:<8} {entry.name:<{width}} {entry.backend:<12} {time:>7}  {entry.why}".rstrip())
    counts = Counter(entry.state for entry in entries)
    left = sum(entry.seconds for entry in entries if entry.state in TO_FIT)
    counted = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    text.append((counted or "no runs") + (f"; about {expected_duration(left)} to fit on one worker" if left else ""))
    return text


def _entry(item: Run | Record, state: State, name: str, seconds: float, why: str) -> Entry:
    dataset = item.dataset if isinstance(item, Run) else str(item.dataset.get("name", ""))
    return Entry(state, item.key, item.benchmark, dataset, item.profile, item.backend, name, seconds, why)


def _result(record: Record, metric: str) -> str:
    """What came out: a test metric, that one where there is a choice, or how the run failed."""
    if record.status != "ok":
        return f"{record.status.replace('_', ' ')}: {record.reason}"
    return headline(record.metrics.get("test", {}), metric)


def _name(record: Record, request: Request) -> str:
    """A record in the words of `progress.describe`."""
    choices = {method.name: method.choices for method in request.benchmark.methods}.get(record.method, {})
    tried = {name: record.recipe.get(name) for name in choices} if record.role == "choice" else {}
    return in_words(record.method, tried, record.seed)


def _why_not(
    record: Record, request: Request, sources: Mapping[str, str], runs: Sequence[Run], waiting: Collection[str]
) -> tuple[State, str]:
    """Why a record stands for none of the runs that are asked for."""
    benchmark = request.benchmark
    if record.suite != benchmark.suite:
        return "other", f"of the suite {record.suite!r}"
    if record.method not in {method.name for method in benchmark.methods}:
        return "stale", f"{benchmark.name} has no method {record.method!r} any more"
    if request.methods is not None and record.method not in request.methods:
        return "other", "its method is not asked for"
    method = benchmark.method(record.method)
    asked = {"dataset": request.dataset, "profile": request.profile, "backend": backend_of(record, request)}
    stated = {"dataset": record.dataset.get("name"), "profile": record.profile, "backend": record.backend}
    for what, wanted in asked.items():
        if stated[what] != wanted:
            return "other", f"another {what}: {wanted} is asked for"
    if reasons := why_not(record, request, sources[record.method], runs, waiting):
        return "stale", "; ".join(reasons)
    alike = [run for run in runs if run.method == record.method and run.role == record.role]
    if record.seed not in {run.seed for run in alike}:
        return "other", f"seed {record.seed} is not asked for"
    if method.choices:
        where = "not in the grid of this profile" if record.role == "choice" else "open"
        return "other", f"its {they_are(method.choices)} {where}"
    return "stale", older(record)
