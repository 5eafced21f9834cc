"""More seeds for rows whose claims are inconclusive, by a rule that is fixed beforehand.

The rule: judge once all runs have ended; where a claim is inconclusive, its rows get twice as many seeds and all is
judged anew; stop when no claim is inconclusive, or at the greatest number of seeds. At 5 seeds and at most 20 that is
three looks, after 5, 10 and 20 seeds.

What looking again does to the error rates, from ``python -m benchmarks.speed.stopping``: a number is inconclusive
while its interval is wide, whatever lies in it, so stopping does not favour a verdict. An order is inconclusive while
its interval holds 0, and each further look is a further chance for methods that are equal to seem ordered. Doubling
keeps the looks few; what is left is not corrected but said (`cost`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import Claim
from lecturebench.declare.methods import Method
from lecturebench.execution.plan import Request
from lecturebench.judging.statistics import FEWEST_SEEDS, Judgement
from lecturebench.store import Record

MOST = 20
# By number of looks: how often two methods of equal error are called ordered, either way, in the worst of the three
# kinds of scatter of benchmarks/speed/stopping.py. Looks after 5; 5 and 20; 5, 10 and 20; 3, 6, 12 and 20 seeds.
FALSE_ORDERS = {1: 0.055, 2: 0.093, 3: 0.126, 4: 0.147}
SIMULATIONS = 4000
FALSE_NUMBERS = 0.057  # true numbers called better or worse, at the worst spread of 2% to 12%; 20,000 simulations


class Row(Protocol):
    """What is needed of a `report.results.RowResult`."""

    @property
    def method(self) -> Method: ...
    @property
    def profile(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def failed(self) -> Sequence[Record]: ...
    @property
    def deterministic(self) -> bool: ...


class Judged(Protocol):
    """What is needed of a `report.results.ClaimResult`."""

    @property
    def benchmark(self) -> Benchmark: ...
    @property
    def claim(self) -> Claim: ...
    @property
    def judgement(self) -> Judgement: ...
    @property
    def rows(self) -> Sequence[Row]: ...


class Results(Protocol):
    """What is needed of `report.results.Results`."""

    @property
    def claims(self) -> Sequence[Judged]: ...


def looks(first: int, most: int) -> tuple[int, ...]:
    """After how many seeds the claims are judged: first, then twice as many each time, and at last ``most``."""
    counts = [first]
    while counts[-1] < most:
        counts.append(min(most, max(FEWEST_SEEDS, 2 * counts[-1])))
    return tuple(counts)


def until_decided(
    requests: Sequence[Request],
    judge: Callable[[], Results],
    *,
    most: int = MOST,
    say: Callable[[str], None] = lambda line: None,
) -> Callable[[], Sequence[Request]]:
    """What `carry_out` asks for ``more``: the same requests with more seeds where claims are inconclusive, else none.

    judge: the verdicts on what the store holds. A claim gets no more seeds where none can decide it: one of its runs
    diverged, all its methods are deterministic, or the requests leave out one of its methods.
    """
    seeds = [
        {
            method.name: request.seeds or request.benchmark.profiles[request.profile].runs(method)
            for method in _drawn(request)
        }
        for request in requests
    ]

    def more() -> Sequence[Request]:
        grown = [dict(counts) for counts in seeds]
        for result in judge().claims:
            if result.judgement.verdict != "inconclusive" or _hopeless(result):
                continue
            for request, counts, larger in zip(requests, seeds, grown, strict=True):
                drawn = [row.method.name for row in result.rows if not row.deterministic]
                if not _speaks_of(result, request) or not drawn or not set(drawn) <= set(counts):
                    continue
                now = max(counts[name] for name in drawn)
                then = looks(now, max(most, now))[:2][-1]
                if then > now:
                    say(f"{result.benchmark.name}: {result.claim.name!r} is inconclusive, {now} seeds become {then}")
                for name in drawn:
                    larger[name] = max(larger[name], then)
        if grown == seeds:
            return ()
        seeds[:] = grown
        return [one for request, counts in zip(requests, seeds, strict=True) for one in _split(request, counts)]

    return more


def cost(first: int, most: int) -> str:
    """One line for people: what looking again does to the error rates; "" where there is a single look."""
    again = looks(first, most)
    if len(again) == 1:
        return ""
    orders = FALSE_ORDERS[min(len(again), max(FALSE_ORDERS))]
    least = "" if len(again) in FALSE_ORDERS else "at least "
    return (
        f"judged after {', '.join(map(str, again))} seeds: equal methods are called ordered in {least}up to "
        f"{orders:.1%} of cases (one look: {FALSE_ORDERS[1]:.1%}), true numbers better or worse in up to "
        f"{FALSE_NUMBERS:.1%} (one look: 5%), by {SIMULATIONS:,} simulations: python -m benchmarks.speed.stopping"
    )


def _drawn(request: Request) -> list[Method]:
    """The methods of a request that have seeds."""
    return [
        method
        for method in request.benchmark.methods
        if not method.deterministic and (request.methods is None or method.name in request.methods)
    ]


def _hopeless(result: Judged) -> bool:
    """Whether a run diverged: more seeds do not undo that."""
    return any(record.status == "diverged" for row in result.rows for record in row.failed)


def _speaks_of(result: Judged, request: Request) -> bool:
    """Whether a verdict is on the runs of a request."""
    networks = [row.backend == request.backend for row in result.rows if row.method.uses_backend]
    return (
        result.benchmark.name == request.benchmark.name
        and result.claim.dataset == request.dataset
        and all(row.profile == request.profile for row in result.rows)
        and all(networks)
    )


def _split(request: Request, seeds: dict[str, int]) -> list[Request]:
    """A request as several, each for the methods with as many seeds; those without seeds go with any."""
    names = [
        method.name for method in request.benchmark.methods if request.methods is None or method.name in request.methods
    ]
    groups: dict[int, list[str]] = {}
    for name in names:
        groups.setdefault(seeds.get(name, 1), []).append(name)
    return [replace(request, methods=tuple(group), seeds=count) for count, group in groups.items()]
