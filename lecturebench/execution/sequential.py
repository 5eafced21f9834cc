"""More seeds for rows whose claims are not decided, by rules that are fixed beforehand.

Both judge once all runs have ended, give the rows of what is not decided twice as many seeds, judge anew, and stop when
all is decided or at the greatest number of seeds: at 5 seeds and at most 20 that is three looks, after 5, 10 and 20.

- `undecided_more`, in every run: a number is not decided while its published value lies within one standard error of
  an end of the interval (`Judgement.undecided`). What that does to true and false numbers is simulated:
  `lecturebench.judging.design`.
- `until_decided`, where somebody asks for it: also what is inconclusive. A number is so while its interval is wide,
  which favours no verdict. An effect is so while its interval does not decide it, and each further look is a further
  chance for chance; so it counts as decided only where its interval decides at LOOKED_LEVEL (`Judgement.firm`).
  Judging knows of rows with more seeds than their profile plans and takes that level for them, so that the table says
  what the rule has decided.

The figures are from ``python -m benchmarks.speed.stopping --write``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import Claim, NumberClaim
from lecturebench.declare.methods import Method
from lecturebench.errors import UsageError
from lecturebench.execution.plan import Request
from lecturebench.judging.design import LOOKED_ERROR_RATES, WORST_NUMBER_RATE
from lecturebench.judging.statistics import ALPHA, FEWEST_SEEDS, LOOKED_LEVEL, MOST_LOOKS, MOST_SEEDS, Judgement
from lecturebench.store import Record


class ResultRow(Protocol):
    """What is needed of a `judging.results.RowResult`."""

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


class JudgedClaim(Protocol):
    """What is needed of a `judging.results.ClaimResult`."""

    @property
    def benchmark(self) -> Benchmark: ...
    @property
    def claim(self) -> Claim: ...
    @property
    def judgement(self) -> Judgement: ...
    @property
    def rows(self) -> Sequence[ResultRow]: ...


class Results(Protocol):
    """What is needed of `judging.results.Results`."""

    @property
    def claims(self) -> Sequence[JudgedClaim]: ...


def looks(first: int, most: int) -> tuple[int, ...]:
    """After how many seeds the claims are judged: first, then twice as many each time, and at last ``most``."""
    counts = [first]
    while counts[-1] < most:
        counts.append(min(most, max(FEWEST_SEEDS, 2 * counts[-1])))
    return tuple(counts)


def undecided_more(
    requests: Sequence[Request],
    judge: Callable[[], Results],
    *,
    most: int = MOST_SEEDS,
    say: Callable[[str], None] = lambda line: None,
) -> Callable[[], Sequence[Request]]:
    """What `carry_out` asks for ``more`` in every run: more seeds where a number is not decided, else none.

    judge: the verdicts on what the store holds. A request that names its number of seeds keeps it, and so does what
    `_hopeless` says of any claim.
    """
    open_requests = [request for request in requests if request.seeds is None]

    def why(result: JudgedClaim) -> str:
        number = isinstance(result.claim, NumberClaim) and result.judgement.verdict != "not_run"
        return "is undecided" if number and result.judgement.undecided else ""

    return _doubled(requests, open_requests, judge, why, most, say)


def until_decided(
    requests: Sequence[Request],
    judge: Callable[[], Results],
    *,
    most: int = MOST_SEEDS,
    say: Callable[[str], None] = lambda line: None,
) -> Callable[[], Sequence[Request]]:
    """What `carry_out` asks for ``more``: more seeds where anything is inconclusive or not decided, else none.

    It asks for all that `undecided_more` asks for, so it takes its place. judge: the verdicts on what the store holds.
    A claim gets no more seeds where none can decide it: one of its runs diverged, all its methods are deterministic, or
    the requests leave out one of its methods. UsageError for more looks than wrong decisions are kept rare for.
    """
    for request in requests:
        for count in _planned(request).values():
            again = [n for n in looks(count, most) if n >= FEWEST_SEEDS]
            if len(again) > MOST_LOOKS:
                raise UsageError(
                    f"looking after {', '.join(map(str, again))} seeds is looking {len(again)} times; it may be "
                    f"{MOST_LOOKS}: begin with more --seeds, or stop at {again[MOST_LOOKS - 1]}"
                )

    def why(result: JudgedClaim) -> str:
        judgement = result.judgement
        if judgement.verdict == "inconclusive":
            return "is inconclusive"
        if judgement.verdict == "not_run" or (judgement.firm and not judgement.undecided):
            return ""
        return "is undecided" if judgement.undecided else f"is not yet clear at {100 * LOOKED_LEVEL:g}%"

    return _doubled(requests, requests, judge, why, most, say)


def cost(first: int, most: int) -> str:
    """One line for people: what looking again does to the error rates; "" where there is a single look."""
    again = looks(first, most)
    if len(again) == 1:
        return ""
    worst = max(rate for rates in LOOKED_ERROR_RATES.values() for rate in rates.values())
    return (
        f"judged after {', '.join(map(str, again))} seeds, effects at {100 * LOOKED_LEVEL:g}%: at most {ALPHA:.0%} "
        f"are decided wrongly at any look (up to {worst:.1%} in simulations); true numbers are called better or worse "
        f"in up to {WORST_NUMBER_RATE:.1%}: python -m benchmarks.speed.stopping"
    )


def _doubled(
    requests: Sequence[Request],
    growing: Sequence[Request],
    judge: Callable[[], Results],
    why: Callable[[JudgedClaim], str],
    most: int,
    say: Callable[[str], None],
) -> Callable[[], Sequence[Request]]:
    """The requests with more seeds for claims of ``growing`` ones that ``why`` gives a reason for; () for none."""
    seeds = [_planned(request) for request in requests]

    def more() -> Sequence[Request]:
        grown = [dict(counts) for counts in seeds]
        for result in judge().claims:
            reason = why(result)
            if not reason or _hopeless(result):
                continue
            for request, counts, larger in zip(requests, seeds, grown, strict=True):
                drawn = [row.method.name for row in result.rows if not row.deterministic]
                if not any(request is other for other in growing) or not _speaks_of(result, request):
                    continue
                if not drawn or not set(drawn) <= set(counts):
                    continue
                now = max(counts[name] for name in drawn)
                then = looks(now, max(most, now))[:2][-1]
                if then > now:
                    say(f"{result.benchmark.name}: {result.claim.name!r} {reason}, {now} seeds become {then}")
                for name in drawn:
                    larger[name] = max(larger[name], then)
        if grown == seeds:
            return ()
        seeds[:] = grown
        return [part for request, counts in zip(requests, seeds, strict=True) for part in _split(request, counts)]

    return more


def _planned(request: Request) -> dict[str, int]:
    """How many seeds each method of a request that has seeds is to get."""
    profile = request.benchmark.profiles[request.profile]
    drawn = [method for method in request.asked if not method.deterministic]
    return {method.name: request.seeds or profile.runs(method) for method in drawn}


def _hopeless(result: JudgedClaim) -> bool:
    """Whether a run diverged: more seeds do not undo that."""
    return any(record.status == "diverged" for row in result.rows for record in row.failed)


def _speaks_of(result: JudgedClaim, request: Request) -> bool:
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
    groups: dict[int, list[str]] = {}
    for method in request.asked:
        groups.setdefault(seeds.get(method.name, 1), []).append(method.name)
    return [replace(request, methods=tuple(group), seeds=count) for count, group in groups.items()]
