"""What to run within a given time: that by which the most claims can be judged. Pure functions, no clock."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lecturebench.declare.methods import Method
from lecturebench.execution.plan import Plan, Request, Run
from lecturebench.judging.statistics import FEWEST_SEEDS
from lecturebench.store import Record
from lecturebench.wording import expected_duration

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
LONGEST = 30 * 24 * 3600.0

Goal = frozenset[str]


def parse_duration(text: str) -> float:
    """Seconds from "90", "90s", "30m" or "2h". ValueError unless it is from one second to 30 days."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*([smh]?)", text.strip().lower())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 1 <= seconds <= LONGEST:
        raise ValueError(f"{text!r} is no length of time from 1 s to 30 days: write it as '90s', '30m' or '2h'")
    return seconds


class Job(NamedTuple):
    """A run as far as its time matters. after: what must have ended before it begins, as far as that is a job too."""

    seconds: float
    after: Goal = frozenset()
    begun: bool = False


def choose(tiers: Sequence[Sequence[Goal]], jobs: Mapping[str, Job], seconds: float, slots: int) -> set[str]:
    """The jobs to do within ``seconds`` on so many slots, those that have begun among them.

    tiers: goals, each a set of jobs; all goals of a tier come before those of the next, and jobs that lead to no goal
    come last. Within a tier the next goal is the one with the fewest further seconds for each goal that is then
    reached: a job that several goals need is counted once, and a grid counts for the method that waits for it. A goal
    is taken if, with it, all that was taken ends in time when slots take the jobs longest first (`makespan`);
    otherwise it is left out. Single jobs follow, the cheapest first, as long as the whole ends in time. This is no
    optimum, which would be NP-hard to find; in 365 random cases of 6 goals it reached 0.996 of the goals that
    the best choice reaches, and 0.67 at worst (tests/execution/test_budget.py).
    """
    chosen = {key for key, job in jobs.items() if job.begun}
    if seconds <= 0:
        return chosen
    # One that will end too late holds its slot and does not keep the others from their work.
    jobs = {key: job._replace(seconds=min(job.seconds, seconds)) if job.begun else job for key, job in jobs.items()}
    waited_for = {key for job in jobs.values() for key in job.after}

    def whole(keys: Iterable[str]) -> Goal:
        return frozenset(member for key in keys for member in (key, *jobs[key].after) if member in jobs)

    def price(goal: Goal) -> float:
        return sum(jobs[key].seconds for key in goal - chosen)

    def in_time(keys: Collection[str]) -> bool:
        # What slots have to do in all is quickly summed, and often too much already.
        total = sum(jobs[key].seconds for key in keys)
        return total <= slots * seconds and makespan({key: jobs[key] for key in keys}, slots) <= seconds

    for tier in tiers:
        goals = [whole(goal) for goal in tier]
        while goals := [goal for goal in goals if not goal <= chosen]:
            best = min(goals, key=lambda goal: price(goal) / sum(other <= goal | chosen for other in goals))
            if in_time(chosen | best):
                chosen |= best
            else:
                goals.remove(best)
    singles = sorted((whole([key]) for key in jobs if key not in chosen | waited_for), key=price)
    counts = range(1, len(singles) + 1)
    most = bisect_right(counts, False, key=lambda count: not in_time(chosen.union(*singles[:count])))
    return chosen.union(*singles[:most])


def makespan(jobs: Mapping[str, Job], slots: int) -> float:
    """Seconds until all jobs have ended: those that have begun go on, then come what others wait for and the longest.

    This is the order in which the engine takes them up.
    """
    followers: dict[str, list[str]] = {}
    open_before = {}
    for key, job in jobs.items():
        before = [other for other in job.after if other in jobs]
        open_before[key] = len(before)
        for other in before:
            followers.setdefault(other, []).append(key)

    def rank(key: str) -> tuple[bool, bool, float, str]:
        return not jobs[key].begun, key not in followers, -jobs[key].seconds, key

    ready = [rank(key) for key, count in open_before.items() if not count]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < slots:
            key = heapq.heappop(ready)[-1]
            heapq.heappush(running, (now + jobs[key].seconds, key))
        now, ended = heapq.heappop(running)
        for key in followers.get(ended, ()):
            open_before[key] -= 1
            if not open_before[key]:
                heapq.heappush(ready, rank(key))
    return now


@dataclass(frozen=True)
class MethodPlan:
    """A request for a single method, named in ``methods``, and its plan as it stands."""

    request: Request
    plan: Plan

    @property
    def place(self) -> tuple[object, ...]:
        """What the rows of one claim share."""
        request = self.request
        return request.benchmark.path, request.dataset, request.profile, request.backend, request.device

    @property
    def judged(self) -> dict[int, Run]:
        """Its judged runs by seed, those that wait among them."""
        return {run.seed: run for run in (*self.plan.runs, *self.plan.waiting) if run.role == "judged"}

    @property
    def grid(self) -> Goal:
        """The runs by which its parameter is chosen."""
        return frozenset(run.key for run in self.plan.runs if run.role == "choice")


def affordable(
    rows: Sequence[MethodPlan],
    ended: Mapping[str, Record],
    begun: Mapping[str, float],
    expected: Callable[[Run], float],
    seconds: float,
    slots: int,
) -> set[str]:
    """The runs to do within ``seconds``: first what lets claims be judged at all, then all seeds of these, then others.

    begun: seconds that runs which are being fitted still take. A claim can be judged once each of its methods has
    ended for the same FEWEST_SEEDS seeds, or for as many as were asked for; a seed that failed for one is left out.
    How many seeds a claim gets depends on time alone, never on what came out, so it biases no verdict.
    """
    jobs: dict[str, Job] = {}

    def add(run: Run, after: Goal) -> None:
        left = begun.get(run.key)
        jobs[run.key] = Job(expected(run) if left is None else left, after, left is not None)

    for row in rows:
        for run in row.plan.runs:
            if run.key not in ended:
                add(run, Goal())
        for run in row.plan.waiting:
            add(run, row.grid)
    few, full = _goals(rows, ended, FEWEST_SEEDS), _goals(rows, ended, None)
    tiers = [[frozenset(goal & jobs.keys()) for goal in goals.values() if goal] for goals in (few, full)]
    return choose(tiers, jobs, seconds, slots)


def left_out(
    rows: Sequence[MethodPlan], ended: Mapping[str, Record], expected: Callable[[Run], float], why: str
) -> dict[str, dict[str, str]]:
    """For each benchmark the claims that cannot be judged yet and the methods without a judged run, with the reason.

    why: "left out by --budget 30m". What cannot be judged however long one waits is not named: its runs say why.
    """
    runs = {run.key: run for row in rows for run in (*row.plan.runs, *row.plan.waiting)}
    grids = {run.key: row.grid for row in rows for run in row.plan.waiting}
    reasons: dict[str, dict[str, str]] = {}

    def tell(benchmark: str, name: str, goal: Goal) -> None:
        waiting = {key for key in goal if key in grids}
        needed = goal.union(*(grids[key] for key in waiting))
        lacking = waiting | {key for key in needed if key not in ended}
        if lacking:
            count = "1 run" if len(lacking) == 1 else f"{len(lacking)} runs"
            time = expected_duration(sum(expected(runs[key]) for key in lacking))
            reasons.setdefault(benchmark, {})[name] = f"{why}: it takes {count} more, about {time} on one worker"

    for row in rows:
        if not any(run.key in ended and run.key not in grids for run in row.judged.values()):
            for name in row.request.methods or ():
                tell(row.request.benchmark.name, name, frozenset(run.key for run in row.judged.values()))
    for (benchmark, claim), goal in _goals(rows, ended, FEWEST_SEEDS).items():
        tell(benchmark, claim, goal or Goal())
    return reasons


def _goals(
    rows: Sequence[MethodPlan], ended: Mapping[str, Record], seeds: int | None
) -> dict[tuple[str, str], Goal | None]:
    """For each benchmark and claim the runs of so many seeds that it needs; None where a method failed for good."""
    waiting = {run.key for row in rows for run in row.plan.waiting}
    failed = {key for key, record in ended.items() if record.status != "ok"} - waiting
    places: dict[tuple[object, ...], list[MethodPlan]] = {}
    for row in rows:
        places.setdefault(row.place, []).append(row)
    goals = {}
    for together in places.values():
        benchmark, dataset = together[0].request.benchmark, together[0].request.dataset
        judged = {name: row.judged for row in together for name in row.request.methods or ()}
        for claim in benchmark.claims:
            if claim.dataset == dataset and all(name in judged for name in claim.methods):
                runs = {name: judged[name] for name in claim.methods}
                fixed = [name for name in runs if _is_fixed(benchmark.method(name), runs[name])]
                goals[benchmark.name, claim.name] = _needed(runs, fixed, failed, seeds)
    return goals


def _is_fixed(method: Method, judged: Mapping[int, Run]) -> bool:
    """Whether the method has no seeds, as far as that is known: of one that may be random a single run is planned."""
    return bool(method.deterministic) or (method.deterministic is None and len(judged) == 1)


def _needed(
    judged: Mapping[str, Mapping[int, Run]], fixed: Collection[str], failed: Collection[str], seeds: int | None
) -> Goal | None:
    """The runs of the first seeds that failed for no method, and the one run of each method that has no seed."""
    needed = {run.key for name in fixed for run in judged[name].values()}
    drawn = [runs for name, runs in judged.items() if name not in fixed]
    common = sorted(set(drawn[0]).intersection(*drawn[1:])) if drawn else []
    sound = [seed for seed in common if not any(runs[seed].key in failed for runs in drawn)]
    if needed & set(failed) or (drawn and not sound) or any(not judged[name] for name in fixed):
        return None
    return frozenset(needed | {runs[seed].key for runs in drawn for seed in sound[:seeds]})
