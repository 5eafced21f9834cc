"""Made-up results with all that a verdict may come with: pairs, both intervals, seeds needed, an open number."""

from __future__ import annotations

import itertools
from dataclasses import replace

from lecturebench.declare.claims import OrderClaim
from lecturebench.judging.results import ClaimResult, Results
from lecturebench.judging.statistics import Interval, Judgement, Verdict

ERROR_RATES = {"normal": {3: 0.049, 5: 0.051}, "log-normal": {3: 0.062, 5: 0.058, 10: 0.05}}
STALE = (
    ("2 stale runs of ridge on mnist (lecture, tensorflow)", "today's code would fit penalty 1e-5"),
    ("1 stale run of lda on mnist (lecture, scikit-learn)", "its <source> changed"),
)


def pair(below: str, above: str, verdict: Verdict) -> Judgement:
    """The judgement of "below < above", whose interval over examples decided."""
    low, high = {"reproduced": (0.01, 0.05), "worse": (-0.05, -0.01)}.get(verdict, (-0.01, 0.03))
    return Judgement(
        verdict,
        f"{above} minus {below} is {100 * (low + high) / 2:.2f}% in [{100 * low:.2f}%, {100 * high:.2f}%]",
        *(5, (low + high) / 2, 0.01, low, high),
        over_seeds=Interval(low + 0.005, high - 0.005),
        over_examples=Interval(low, high),
        seeds_needed=23 if verdict == "inconclusive" else None,
    )


def chain(methods: tuple[str, ...], verdicts: tuple[Verdict, ...]) -> Judgement:
    """The judgement of a chain whose pairs have these verdicts."""
    pairs = tuple(pair(*names, verdict) for names, verdict in zip(itertools.pairwise(methods), verdicts, strict=True))
    ranked: tuple[Verdict, ...] = ("worse", "inconclusive", "reproduced")
    whole = next(verdict for verdict in ranked if verdict in verdicts)
    needed = 23 if whole == "inconclusive" else None
    return Judgement(whole, "; ".join(p.reason for p in pairs), 5, pairs=pairs, seeds_needed=needed)


def filled(results: Results) -> Results:
    """The results with an open chain, an open number and stale runs."""

    def changed(result: ClaimResult) -> ClaimResult:
        if isinstance(result.claim, OrderClaim):
            judgement = chain(result.claim.methods, ("inconclusive", "reproduced", "reproduced"))
            return replace(result, judgement=judgement)
        if result.claim.methods == ("ridge",):
            return replace(result, judgement=replace(result.judgement, undecided=True, seeds_needed=10))
        return result

    return replace(results, claims=tuple(map(changed, results.claims)), stale=STALE)
