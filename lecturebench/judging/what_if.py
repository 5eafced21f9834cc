"""What a number's claim would have said, had another value of a parameter been chosen: by the runs of its choice alone.

No value between two that were fitted is thought up. The choice itself never saw these test results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lecturebench.declare.claims import NumberClaim
from lecturebench.judging.results import ClaimResult
from lecturebench.judging.statistics import judge_number
from lecturebench.judging.verdicts import best_of


@dataclass(frozen=True, eq=False)
class Step:
    """One value that was fitted. values: test results of its runs. result: the claim judged by them, without rows."""

    value: float
    values: Sequence[float]
    result: ClaimResult


def steps(result: ClaimResult, tried: Sequence[tuple[float, Sequence[float]]]) -> list[Step]:
    """The claim judged by the runs of each value. tried: values of a parameter with the test results of their runs.

    A value whose runs have no test results is left out.
    """
    claim = result.claim
    assert isinstance(claim, NumberClaim)
    found = []
    for value, values in tried:
        if not values:
            continue
        judgement = judge_number(
            list(values),
            published=claim.published,
            unit=claim.unit,
            higher_is_better=result.measure.higher_is_better if result.benchmark.is_metric(claim.metric) else None,
            best_of=best_of(claim),
            show=result.measure.show,
        )
        found.append(Step(value, tuple(values), replace(result, judgement=judgement, rows=())))
    return found
