"""Each verdict in a sentence or two that a student understands: what came out here, what other runs could give, and so.

No rule is repeated here: what is said is the judgement's own mean, interval and verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from lecturebench.declare.benchmark import BACKENDS
from lecturebench.declare.claims import (
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
)
from lecturebench.judging.evidence import counted, one_line
from lecturebench.judging.results import ClaimResult, RowResult
from lecturebench.judging.statistics import FEWEST_SEEDS, SLACK, Judgement, Verdict
from lecturebench.judging.statistics.numbers import Published
from lecturebench.judging.verdicts import best_of, failures, paired_runs, steps_until
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
    if _is_without_numbers(result):
        return f"Open: {one_line(judgement.reason)}."
    said = _said(result)
    lost = [row for row in result.rows if row.failed]
    said += [f"Of {row.method.title} {failures(row)}; what they would have given, nobody knows." for row in lost]
    if judgement.undecided:
        said.append("It is so near an edge that more runs may turn the verdict.")
    return " ".join(said)


def _is_without_numbers(result: ClaimResult) -> bool:
    """Whether an open claim has no number to tell of, as where no run ended or nothing random could be repeated."""
    judgement = result.judgement
    if judgement.verdict != "inconclusive" or judgement.pairs:
        return False
    return not judgement.n if isinstance(result.claim, MinimumClaim) else math.isnan(judgement.mean)


def place(row: RowResult) -> str:
    """Profile and backend, as far as they are not the usual ones."""
    unusual = [row.profile] if row.profile != "lecture" else []
    return ", ".join(unusual + ([row.backend] if row.method.uses_backend and row.backend != BACKENDS[0] else []))


def place_of_claim(result: ClaimResult) -> str:
    """The `place` of its rows, and its dataset where the claims of its benchmark speak of several."""
    several = len({claim.dataset for claim in result.benchmark.claims}) > 1
    parts = [result.claim.dataset if several else "", place(result.rows[0]) if result.rows else ""]
    return ", ".join(filter(None, parts))


def claim_title(result: ClaimResult) -> str:
    """What is claimed, with the methods' titles: "Ridge: 2.3%", "Dropout < Ridge"."""
    return "".join(text for text, _ in title_parts(result))


def title_parts(result: ClaimResult) -> list[tuple[str, bool]]:
    """The parts of `claim_title`, and of each whether it is a method's title, which may be of any script."""
    claim = result.claim
    titles = [_title(result, name) for name in claim.methods]
    if isinstance(claim, NumberClaim):
        return [(titles[0], True), (f": {claim.printed}", False)]
    if isinstance(claim, OrderClaim):
        by = "" if claim.metric in DEFAULT.values() else f", by {_quantity(result)}"
        return [*_between(titles, " < "), (by, False)]
    if isinstance(claim, EquivalenceClaim):
        return [*_between(titles, " ≈ "), (f", within {claim.delta}", False)]
    if isinstance(claim, TimeToTargetClaim):
        return [*_between(titles, " before "), (f" at {claim.target} {words(claim.metric)}", False)]
    if isinstance(claim, MinimumClaim):
        what = f"{words(claim.metric)} {claim.extreme}"
        return [(f"{what[:1].upper()}{what[1:]} between ", False), *_between([titles[0], titles[-1]], " and ")]
    assert isinstance(claim, IdentityClaim)
    return [(titles[0], True), (f": {claim.statement}", False)]


def _between(titles: Sequence[str], sign: str) -> list[tuple[str, bool]]:
    return [part for title in titles for part in ((sign, False), (title, True))][1:]


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
    where = "is in there" if inside else "lies above" if claim.published > judgement.high else "lies below"
    if judgement.verdict == "reproduced":
        return f"{range_}, and the printed {printed} could be such a run."
    if judgement.verdict != "inconclusive":
        return f"{range_}; the printed {printed} {where}: {_ours(result)}."
    if inside and _is_wide(result, claim):
        return f"{range_}; {printed} is in there, but so would too much else be: {ENDINGS['inconclusive']}."
    if _diverged(result, claim.methods):
        return f"{range_}; {printed} {where}, but runs diverged: open."
    return f"{range_}; {printed} {where}, but nobody says of how many runs it is the best: open."


def _is_wide(result: ClaimResult, claim: NumberClaim) -> bool:
    """Whether the interval accepts too much for a reproduction; see `judge_number`."""
    known = result.benchmark.is_metric(claim.metric)
    printed = Published(claim.published, claim.unit, result.measure.higher_is_better if known else None)
    return result.judgement.high - result.judgement.low - claim.unit > printed.size / 2 * (1 + SLACK)


def _diverged(result: ClaimResult, names: Sequence[str]) -> bool:
    """Whether a run of one of these methods diverged, which leaves what it is in open."""
    rows = (row for row in result.rows if row.method.name in names)
    return any(run.status == "diverged" for row in rows for run in row.failed)


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
    judgement, show = result.judgement, result.measure.show
    draws = f"In {counted(judgement.n, 'draw')} " if judgement.n > 1 else ""
    of = claim.quantity and f"{claim.quantity} is"
    unit = f" {claim.unit}" if claim.unit else ""
    off = f"{draws}{of or 'it is off by'} {'at most ' if judgement.mean else ''}{show(judgement.mean)}{unit}"
    off = off[0].upper() + off[1:]
    allowed = f"up to {show(claim.tolerance)} is allowed" if claim.tolerance else "it must be exact"
    if judgement.verdict == "inconclusive":
        return f"{off}, and {allowed}, but runs diverged: open."
    if judgement.verdict == "reproduced":
        return f"{off}, and {allowed}: it holds." if claim.tolerance else "It is exactly so."
    return f"{off}, and {allowed}: it does not hold."


def _race(result: ClaimResult, claim: TimeToTargetClaim) -> str:
    judgement = result.judgement
    fast, slow = (_title(result, name) for name in claim.methods)
    lost = [_never_there(row, result, claim) for row in result.rows]
    least = "at least " if len(lost) == 2 and lost[1] and not lost[0] else ""
    came = f"{slow} needed {least}{judgement.mean:.3g} times the steps of {fast}"
    if any(lost):
        never = [f"{n} of {row.n} of {row.method.title}" for n, row in zip(lost, result.rows, strict=True) if n]
        came += f" ({' and '.join(never)} never got there, and count as there at the next look)"
    if math.isnan(judgement.low):
        return f"{came}, but {counted(judgement.n, 'pair')} of runs are too few to tell."
    ends = f"{judgement.low:.3g} to {judgement.high:.3g} times"
    ending = _ending(result, judgement, claim.methods, clear=judgement.low > 1 or judgement.high < 1)
    return f"{came}; with other seeds it could be {ends}: {ending}."


def _never_there(row: RowResult, result: ClaimResult, claim: TimeToTargetClaim) -> int:
    steps = (steps_until(run, claim.metric, claim.threshold, result.measure) for run in row.runs)
    return sum(math.isinf(count) for count in steps)


def _minimum(result: ClaimResult, claim: MinimumClaim) -> str:
    judgement, metric = result.judgement, result.measure
    if judgement.n < FEWEST_SEEDS and judgement.verdict == "inconclusive":
        return f"{counted(judgement.n, 'seed')} of each are too few to tell where the {claim.extreme} lies."
    paired = paired_runs(result.rows)
    means = {
        row.method.title: fmean(value for run in runs if (value := run.value(claim.metric)) is not None)
        for row, runs in zip(result.rows, [] if isinstance(paired, Judgement) else paired, strict=False)
    }
    best = (max if claim.extreme == "highest" else min)(means, key=lambda title: means[title])
    alike = [title for title in means if abs(means[title] - means[best]) <= SLACK * abs(means[best])]
    came = f"{' and '.join(alike)} came out {claim.extreme}, with {metric.show(means[best])}"
    better = "above" if claim.extreme == "highest" else "below"
    if judgement.verdict == "reproduced":
        return f"{came}, and one inside is clearly {better} both ends: {ENDINGS['reproduced']}."
    if judgement.verdict == "worse":
        return f"{came}, and an end is clearly {better} all inside: {ENDINGS['worse']}."
    if _diverged(result, claim.methods):
        return f"{came}, but runs diverged: open."
    return f"{came}, but none inside is clearly {better} both ends: {ENDINGS['inconclusive']}."


def _order(result: ClaimResult, names: tuple[str, str], judgement: Judgement) -> str:
    first, second = (_title(result, name) for name in names)
    better, worse = _ways(result)
    mean, low, high = judgement.mean, judgement.low, judgement.high

    def told(difference: float) -> str:
        """How far the first is from the second. difference: the second minus the first."""
        return f"{amount(difference, result.measure)} {better if difference > 0 else worse}"

    name = _quantity(result)
    what = "" if name in ("error", "accuracy") else f" in {name}"
    came = f"{first} was {told(mean)}{what} than {second} here" if mean else f"{first} and {second} came out equal here"
    if math.isnan(low):
        return f"{came}, but it takes {FEWEST_SEEDS} seeds to tell."
    ending = _ending(result, judgement, names, clear=low > 0 or high < 0)
    if low == high:
        return f"{came}, and is so every time: {ending}."
    least, most = sorted((low, high), key=abs)
    if low * high > 0:
        could = f"{amount(least, result.measure).removesuffix(' points')} to {told(most)}"
    else:
        could = f"{told(low)} to {told(high)}" if low and high else f"nothing to {told(most)}"
    return f"{came}; with {_others(result)} it could be {could}: {ending}."


def _quantity(result: ClaimResult) -> str:
    """What an order compares, in words."""
    claim = result.claim
    assert isinstance(claim, OrderClaim)
    return claim.quantity or (result.measure.words if claim.metric == result.measure.name else words(claim.metric))


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
    outside = judgement.low > claim.tolerance or judgement.high < -claim.tolerance
    clear = outside or max(-judgement.low, judgement.high) <= claim.tolerance * (1 + SLACK)
    ending = _ending(result, judgement, claim.pair, clear=clear)
    return f"{came}; with {_others(result)} it could be up to {furthest}, and {counts}: {ending}."


def _others(result: ClaimResult) -> str:
    """What the deciding interval is over."""
    drawn = ["other seeds"] if any(not row.deterministic for row in result.rows) else []
    by_example = any(pair.judgement.over_examples for pair in pairs(result))
    examples = by_example and decided_by(result.claim) == ON_NEW_EXAMPLES
    return " and ".join(drawn + (["other test examples"] if examples else [])) or "other runs"


def _ending(result: ClaimResult, judgement: Judgement, names: Sequence[str], *, clear: bool) -> str:
    """What the verdict is; where the interval alone is clear, that runs of these methods diverged."""
    if result.judgement.verdict == "inconclusive" and clear and _diverged(result, names):
        return "open, since runs diverged"
    return ENDINGS[judgement.verdict]


def _ways(result: ClaimResult) -> tuple[str, str]:
    """The words for a lower and a higher value: "better" and "worse" of an error; of no metric neither is."""
    if not result.benchmark.is_metric(result.claim.metric):
        return "lower", "higher"
    return ("worse", "better") if result.measure.higher_is_better else ("better", "worse")


def _title(result: ClaimResult, name: str) -> str:
    return result.benchmark.method(name).title
