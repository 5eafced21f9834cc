"""Why a verdict came out as it did, and what would decide it: each pair, both intervals, more seeds and their cost."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from statistics import fmean

from lecturebench.declare.claims import Claim, EquivalenceClaim, OrderClaim
from lecturebench.judging.evidence import counted, one_line
from lecturebench.judging.results import ClaimResult, RowResult, verdict_word
from lecturebench.judging.statistics import Interval, Judgement
from lecturebench.metrics import Metric
from lecturebench.report.audit import audited
from lecturebench.report.tally import SIGNS
from lecturebench.wording import expected_duration

# Predicting is told beside fitting from this share of it on.
PREDICTING_COUNTS = 0.1
LEAST_SECONDS = 0.05  # that are said; less is "0.0 s"
ON_THIS_TEST_SET = "on this test set"
ON_NEW_EXAMPLES = "on new examples too"


@dataclass(frozen=True)
class Pair:
    """Two neighbours of an order, or the two of an equivalence, with their judgement. names: the methods'."""

    names: tuple[str, str]
    judgement: Judgement

    @property
    def sign(self) -> str:
        return SIGNS[self.judgement.verdict]

    @property
    def word(self) -> str:
        return verdict_word(self.judgement.verdict, "effect")


@dataclass(frozen=True)
class Remedy:
    """What would decide an open claim. methods: those that need more seeds. seeds: in all, of each of them that draws.

    runs: how many are still to do. seconds: of fitting and predicting them on one core, NaN if no run says.
    """

    methods: tuple[str, ...]
    seeds: int
    runs: int
    seconds: float

    @property
    def cost(self) -> str:
        """ "15 more runs, about 12 min on one core" """
        time = f", about {expected_duration(self.seconds)} on one core" if math.isfinite(self.seconds) else ""
        return f"{counted(self.runs, 'more run')}{time}"


def pairs(result: ClaimResult) -> tuple[Pair, ...]:
    """The pairs that an order or an equivalence was judged by; () where nothing was judged by pairs."""
    claim, judgement = result.claim, result.judgement
    if not isinstance(claim, OrderClaim | EquivalenceClaim) or judgement.verdict == "not_run":
        return ()
    neighbours = list(itertools.pairwise(claim.methods))
    if len(neighbours) == 1:
        return (Pair(neighbours[0], judgement),)
    if len(judgement.pairs) != len(neighbours):
        return ()
    return tuple(Pair(names, pair) for names, pair in zip(neighbours, judgement.pairs, strict=True))


def has_both(result: ClaimResult) -> bool:
    """Whether any pair has an interval over seeds alone and one over examples too, so that one must decide."""
    return any(pair.judgement.over_seeds and pair.judgement.over_examples for pair in pairs(result))


def why_decides(claim: Claim) -> str:
    """Which of the two intervals decides a claim, and why."""
    if getattr(claim, "about", "statement") == "table":
        return f"The interval {ON_THIS_TEST_SET} decides: the claim is about a printed table, which has no other."
    return f"The interval {ON_NEW_EXAMPLES} decides: the claim is a general statement, not one about these examples."


def decided_by(claim: Claim) -> str:
    """The words for the interval that decides the claim."""
    return ON_THIS_TEST_SET if getattr(claim, "about", "statement") == "table" else ON_NEW_EXAMPLES


def other_interval(claim: Claim, judgement: Judgement, metric: Metric) -> str:
    """The interval that did not decide, in words; "" where there are no two."""
    if judgement.over_seeds is None or judgement.over_examples is None:
        return ""
    if decided_by(claim) == ON_THIS_TEST_SET:
        return f"{ON_NEW_EXAMPLES} {_ends(judgement.over_examples, metric)}"
    return f"{ON_THIS_TEST_SET} {_ends(judgement.over_seeds, metric)}"


def is_open(result: ClaimResult) -> bool:
    """Whether a number or an effect has runs and no firm verdict."""
    judgement = result.judgement
    return result.claim.group != "formula" and (judgement.verdict == "inconclusive" or judgement.undecided)


def remedy(result: ClaimResult) -> Remedy | None:
    """The seeds that would decide an open claim, and their cost; None if it is not open, or if no number is known."""
    needed = result.judgement.seeds_needed
    unsettled = [pair.names for pair in pairs(result) if pair.judgement.verdict == "inconclusive"]
    methods = tuple(name for name in result.claim.methods if not unsettled or any(name in names for names in unsettled))
    drawn = [row for row in result.rows if row.method.name in methods and not row.method.deterministic]
    if not is_open(result) or needed is None or not drawn:
        return None
    missing = {row: max(0, needed - row.n) for row in drawn}
    return Remedy(methods, needed, sum(missing.values()), sum(n * seconds_per_run(row) for row, n in missing.items()))


def seconds_per_run(row: RowResult) -> float:
    """Mean seconds of fitting, and of predicting where that is known; NaN if no run says."""
    predicting = mean_seconds(row, "predict")
    return mean_seconds(row, "fit") + (predicting if math.isfinite(predicting) else 0.0)


def mean_seconds(row: RowResult, phase: str) -> float:
    """The mean time of a phase over the judged runs that know it; NaN for none."""
    known = [float(run.seconds[phase]) for run in row.runs if phase in run.seconds]
    return fmean(known) if known else math.nan


def predicting_seconds(row: RowResult) -> float:
    """The mean time of predicting, where it is more than a tenth of fitting and not next to nothing; else NaN."""
    fitting, predicting = mean_seconds(row, "fit"), mean_seconds(row, "predict")
    return predicting if predicting > max(PREDICTING_COUNTS * fitting, LEAST_SECONDS) else math.nan


def protocol_in_short(claim: Claim) -> str:
    """ "5 assumed, 1 selected", "nothing assumed"; "" without a protocol."""
    known = Counter(field.status for field in claim.protocol.values())
    parts = [f"{known[status]} {status}" for status in ("assumed", "selected") if known[status]]
    return ", ".join(parts) or ("nothing assumed" if known else "")


def explained(result: ClaimResult) -> str:
    """The verdict with its arithmetic or its cause; each pair of a chain with its sign; what explains or decides it."""
    chain, rest = chain_reasons(result)
    parts = [
        f"{pair.sign} {'; '.join(filter(None, (text, other_interval(result.claim, pair.judgement, result.measure))))}"
        for pair, text in chain
    ]
    parts += [rest] if chain else [rest, other_interval(result.claim, result.judgement, result.measure)]
    if cost := remedy(result):
        parts.append(f"{cost.seeds} seeds in all: {cost.cost}")
    parts.append(audited(result))
    return f"{result.word}: {one_line('; '.join(filter(None, parts)))}"


def chain_reasons(result: ClaimResult) -> tuple[list[tuple[Pair, str]], str]:
    """The pairs of a chain with the reason of each, and what its own reason adds; no pairs and all of it elsewhere."""
    judgement, chain = result.judgement, pairs(result)
    if len(chain) < 2:
        return [], judgement.reason
    together = "; ".join(pair.judgement.reason for pair in chain)
    if judgement.reason.startswith(together):
        rest = judgement.reason.removeprefix(together).strip("; ")
        return [(pair, pair.judgement.reason) for pair in chain], rest
    titles = [" < ".join(result.benchmark.method(name).title for name in pair.names) for pair in chain]
    return list(zip(chain, titles, strict=True)), judgement.reason


def _ends(interval: Interval, metric: Metric) -> str:
    return f"[{metric.show(interval.low)}, {metric.show(interval.high)}]"
