"""Each verdict in a sentence or two that a student understands: what came out here, what other runs could give, and so.

No rule is repeated here: what is said is the judgement's own mean, interval and verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from lecturebench.declare.claims import (
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
)
from lecturebench.judging.evidence import counted, one_line
from lecturebench.judging.results import ClaimResult
from lecturebench.judging.statistics import FEWEST_SEEDS, Judgement, Verdict
from lecturebench.judging.verdicts import best_of, failures
from lecturebench.metrics import DEFAULT, Metric
from lecturebench.report.reasons import ON_NEW_EXAMPLES, decided_by, pairs
from lecturebench.wording import words

ENDINGS: Mapping[Verdict, str] = {
    "reproduced": "as claimed",
    "worse": "the opposite of what is claimed",
    "inconclusive": "too close to call",
}


def in_words(result: ClaimResult) -> str:
    """The verdict and why, in plain English: one sentence for each pair of a chain, and more where runs failed."""
    judgement = result.judgement
    if judgement.verdict == "not_run":
        first, *_ = judgement.reason.split("; tried", maxsplit=1)  # where it was looked for, the page says at its top
        return f"Not measured: {one_line(first)}."
    said = _said(result)
    lost = [row for row in result.rows if row.failed]
    said += [f"Of {row.method.title} {failures(row)}; what they would have given, nobody knows." for row in lost]
    if judgement.undecided:
        said.append("It is so near an edge that more runs may turn the verdict.")
    return " ".join(said)


def claim_title(result: ClaimResult) -> str:
    """What is claimed, with the methods' titles: "Ridge: 2.3%", "Dropout < Ridge"."""
    claim = result.claim
    titles = [_title(result, name) for name in claim.methods]
    if isinstance(claim, NumberClaim):
        return f"{titles[0]}: {claim.printed}"
    if isinstance(claim, OrderClaim):
        by = "" if claim.metric in DEFAULT.values() else f", by {words(claim.metric)}"
        return " < ".join(titles) + by
    if isinstance(claim, EquivalenceClaim):
        return f"{' ≈ '.join(titles)}, within {claim.delta}"
    if isinstance(claim, TimeToTargetClaim):
        return f"{' before '.join(titles)} at {claim.target} {words(claim.metric)}"
    if isinstance(claim, MinimumClaim):
        what = f"{words(claim.metric)} {claim.extreme}"
        return f"{what[:1].upper()}{what[1:]} between {titles[0]} and {titles[-1]}"
    assert isinstance(claim, IdentityClaim)
    return f"{titles[0]}: {claim.statement}"


def amount(value: float, metric: Metric) -> str:
    """The size of a difference: "0.13 points" of a percentage, else as a value of the metric is written."""
    size = abs(value)
    if not metric.percent:
        return metric.show(size)
    digits = 2 if metric.digits is None else metric.digits
    least = 10.0**-digits
    return f"less than {least:g} points" if 0 < 100 * size < least / 2 else f"{100 * size:.{digits}f} points"


def _said(result: ClaimResult) -> list[str]:
    claim = result.claim
    if isinstance(claim, NumberClaim):
        return [_number(result, claim)]
    if isinstance(claim, IdentityClaim):
        return [_formula(result, claim)]
    if isinstance(claim, TimeToTargetClaim):
        return [_race(result, claim)]
    if isinstance(claim, MinimumClaim):
        return [_minimum(result, claim)]
    if isinstance(claim, EquivalenceClaim):
        return [_alike(result, claim)]
    assert isinstance(claim, OrderClaim)
    return [_order(result, pair.names, pair.judgement) for pair in pairs(result)]


def _number(result: ClaimResult, claim: NumberClaim) -> str:
    judgement, show = result.judgement, result.measure.show
    title, printed = _title(result, claim.method), _printed(result, claim)
    if judgement.n == 1 and not math.isnan(judgement.low):
        apart = amount(judgement.mean - claim.published, result.measure)
        came = f"{title} gives {show(judgement.mean)}, every time"
        if judgement.verdict == "reproduced":
            return f"{came}: what is printed, {printed}, to its last digit."
        return f"{came}; {printed} is printed, {apart} {_side(result, judgement.mean - claim.published)}."
    runs = f"{title} gave {show(judgement.mean)} in {counted(judgement.n, 'run')}"
    if judgement.n < FEWEST_SEEDS:
        return f"{runs if judgement.n == 1 else f'{runs} on average'}: too few to judge {printed} by."
    ends = f"{show(judgement.low)} and {show(judgement.high)}"
    selected = best_of(claim)
    one = "one more run" if selected == 1 or selected is None else f"the best of {selected} more runs"
    range_ = f"{runs} on average; {one} would land between {ends}, rounding allowed for"
    inside = judgement.low <= claim.published <= judgement.high
    if judgement.verdict == "reproduced":
        return f"{range_}, and the printed {printed} could be such a run."
    if judgement.verdict == "inconclusive" and selected is None and not inside:
        return f"{range_}; {printed} is not in there, but nobody says of how many runs it is the best."
    if judgement.verdict == "inconclusive" and inside:
        return f"{range_}; {printed} is in there, but so would too much else be: {ENDINGS['inconclusive']}."
    where = "above" if claim.published > judgement.high else "below"
    if judgement.verdict == "inconclusive":
        return f"{range_}; {printed} lies {where}, but with runs that failed it stays open."
    return f"{range_}; the printed {printed} lies {where}: {_ours(result)}."


def _printed(result: ClaimResult, claim: NumberClaim) -> str:
    """The number as printed, and as a percentage where ours are: "0.9922 (99.22%)"."""
    share = result.measure.percent and not claim.printed.endswith("%")
    return f"{claim.printed} ({result.measure.show(claim.published)})" if share else claim.printed


def _ours(result: ClaimResult) -> str:
    """How our runs stand to a number that they do not reproduce."""
    return {"better": "ours is better", "worse": "ours is worse"}.get(result.word, "it does not come out")


def _side(result: ClaimResult, difference: float) -> str:
    """ "better than this" or the like: where the printed number stands to ours. difference: ours minus printed."""
    if result.word in ("better", "worse"):
        return "worse than ours" if result.word == "better" else "better than ours"
    return "lower" if difference > 0 else "higher"


def _formula(result: ClaimResult, claim: IdentityClaim) -> str:
    mean, show = result.judgement.mean, result.measure.show
    holds = result.judgement.verdict == "reproduced"
    if claim.tolerance == 0:
        return "It is exactly so." if holds else f"It is off by {show(mean)}, and should be exact."
    drawn = f" in {counted(result.judgement.n, 'draw')}" if result.judgement.n > 1 else ""
    allowed = show(claim.tolerance)
    if holds:
        return f"It is off by {show(mean)} at most{drawn}, and up to {allowed} is allowed: it holds."
    return f"It is off by up to {show(mean)}{drawn}, and up to {allowed} is allowed: it does not hold."


def _race(result: ClaimResult, claim: TimeToTargetClaim) -> str:
    judgement = result.judgement
    fast, slow = (_title(result, name) for name in (claim.faster, claim.slower))
    came = f"{slow} needed {judgement.mean:.3g} times the steps of {fast}"
    if math.isnan(judgement.low):
        return f"{came}, but {counted(judgement.n, 'pair')} of runs are too few to tell."
    ends = f"{judgement.low:.3g} to {judgement.high:.3g} times"
    return f"{came}; with other seeds it could be {ends}: {_ending(result, judgement)}."


def _minimum(result: ClaimResult, claim: MinimumClaim) -> str:
    metric = result.measure
    means = {row: row.mean_of(claim.metric) for row in result.rows}
    best = (max if claim.extreme == "highest" else min)(means, key=lambda row: means[row])
    came = f"{best.method.title} came out {claim.extreme}, with {metric.show(means[best])}"
    verdict = result.judgement.verdict
    if verdict == "reproduced":
        return f"{came}, and one inside is clearly better than both ends: {ENDINGS[verdict]}."
    if verdict == "worse":
        return f"{came}, and an end is clearly better than all inside: {ENDINGS[verdict]}."
    return f"{came}, but none inside is clearly better than both ends: {_ending(result, result.judgement)}."


def _order(result: ClaimResult, names: tuple[str, str], judgement: Judgement) -> str:
    first, second = (_title(result, name) for name in names)
    better, worse = _ways(result)
    mean, low, high = judgement.mean, judgement.low, judgement.high

    def told(difference: float) -> str:
        """How far the first is from the second. difference: the second minus the first."""
        return f"{amount(difference, result.measure)} {better if difference > 0 else worse}"

    name = result.measure.words if result.claim.metric == result.measure.name else words(result.claim.metric)
    what = "" if name in ("error", "accuracy") else f" in {name}"
    came = f"{first} was {told(mean)}{what} than {second} here" if mean else f"{first} and {second} came out equal here"
    if math.isnan(low):
        return f"{came}, but it takes {FEWEST_SEEDS} seeds to tell."
    if low == high:
        return f"{came}, and is so every time: {_ending(result, judgement)}."
    least, most = sorted((low, high), key=abs)
    if low * high > 0:
        could = f"{amount(least, result.measure).removesuffix(' points')} to {told(most)}"
    else:
        could = f"{told(low)} to {told(high)}" if low and high else f"nothing to {told(most)}"
    return f"{came}; with {_others(result)} it could be {could}: {_ending(result, judgement)}."


def _alike(result: ClaimResult, claim: EquivalenceClaim) -> str:
    judgement = result.judgement
    first, second = (_title(result, name) for name in claim.pair)
    came = f"{first} and {second} were {amount(judgement.mean, result.measure)} apart here"
    counts = f"up to {amount(claim.tolerance, result.measure)} counts as the same"
    if math.isnan(judgement.low):
        return f"{came}, but it takes {FEWEST_SEEDS} seeds to tell; {counts}."
    furthest = amount(max(abs(judgement.low), abs(judgement.high)), result.measure)
    if judgement.verdict == "worse":
        nearest = amount(min(abs(judgement.low), abs(judgement.high)), result.measure)
        return f"{came}; with {_others(result)} it would still be {nearest}, and {counts}: they are not alike."
    return f"{came}; with {_others(result)} it could be up to {furthest}, and {counts}: {_ending(result, judgement)}."


def _others(result: ClaimResult) -> str:
    """What the deciding interval is over."""
    drawn = ["other seeds"] if any(not row.deterministic for row in result.rows) else []
    by_example = any(pair.judgement.over_examples for pair in pairs(result))
    examples = by_example and decided_by(result.claim) == ON_NEW_EXAMPLES
    return " and ".join(drawn + (["other test examples"] if examples else [])) or "other runs"


def _ending(result: ClaimResult, judgement: Judgement) -> str:
    """What the verdict is; of an open one, whose interval decides it, that runs diverged."""
    away = judgement.low > 0 or judgement.high < 0
    diverged = any(run.status == "diverged" for row in result.rows for run in row.failed)
    if result.judgement.verdict == "inconclusive" and diverged and away:
        return "open, since runs diverged"
    return ENDINGS[judgement.verdict]


def _ways(result: ClaimResult) -> tuple[str, str]:
    """The words for a lower and a higher value: "better" and "worse" of an error; of no metric neither is."""
    if not result.benchmark.is_metric(result.claim.metric):
        return "lower", "higher"
    return ("worse", "better") if result.measure.higher_is_better else ("better", "worse")


def _title(result: ClaimResult, name: str) -> str:
    return result.benchmark.method(name).title
