"""Over which values of what a source does not say a published number would come out: from the runs of a choice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from lecturebench.declare.claims import Claim, NumberClaim
from lecturebench.judging.results import ClaimResult, RowResult
from lecturebench.judging.what_if import Step as Judged
from lecturebench.judging.what_if import steps as judged_steps
from lecturebench.store import Record
from lecturebench.wording import short, words

MOST_FIELDS = 3  # that are named one by one


@dataclass(frozen=True)
class Step:
    """One value of a grid, with the validation and test results of its runs; none where one of them failed."""

    value: float
    validation: Sequence[float]
    test: Sequence[float]
    failed: bool = False


@dataclass(frozen=True)
class Published:
    """A published number; its true value may be half a unit off either way."""

    value: float
    unit: float
    printed: str


def choice_steps(row: RowResult, parameter: str, metric: str) -> list[Step]:
    """The grid of a parameter that the row chose with that metric of its runs, in rising order; [] if none ran.

    Of several chosen parameters the others are held at their chosen values.
    """
    others = {name: value for name, value in chosen_values(row).items() if name != parameter}
    by_value: dict[float, list[Record]] = {}
    for run in row.choice_runs:
        value = run.recipe.get(parameter)
        if any(run.recipe.get(name) != at for name, at in others.items()):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            by_value.setdefault(float(value), []).append(run)

    def values(runs: Sequence[Record], split: str) -> list[float]:
        known = [run.metrics.get(split, {}).get(metric) for run in runs]
        return [float(value) for value in known if value is not None and math.isfinite(value)]

    return [
        Step(value, [], [], failed=True)
        if any(run.status != "ok" for run in runs)
        else Step(value, values(runs, "validation"), values(runs, "test"))
        for value, runs in sorted(by_value.items())
    ]


def what_if(result: ClaimResult) -> list[tuple[str, float | None, list[Judged]]]:
    """For each parameter that a number's row chose: its name, what was chosen, and the values that were tried with what
    the claim would have said.

    In rising order, at least two of them; of several chosen parameters the others are held at their chosen values. None
    where the claim was not judged, or where the runs of the choice were fitted on fewer examples than the judged ones:
    they would say something else than the row.
    """
    if not isinstance(result.claim, NumberClaim) or not result.rows or result.judgement.verdict == "not_run":
        return []
    [row] = result.rows
    if {run.dataset.get("n_train") for run in row.choice_runs} != {run.dataset.get("n_train") for run in row.runs}:
        return []
    found = []
    for parameter in row.method.choices:
        tried = [(step.value, step.test) for step in choice_steps(row, parameter, result.claim.metric)]
        judged = judged_steps(result, tried)
        if len(judged) > 1:
            found.append((words(parameter), chosen_values(row).get(parameter), judged))
    return found


def comes_out(
    steps: Sequence[Step], published: float, unit: float
) -> tuple[tuple[float, ...], tuple[tuple[float, float], ...]]:
    """The values over which a published number comes out, and the neighbouring values between whose means it lies.

    It comes out where it lies within the range of the runs, widened by half a unit. A prediction interval of the two or
    three runs that a grid has is so wide that nearly every value would explain a number.
    """
    tried = [step for step in steps if step.test]
    values = [step.value for step in tried if min(step.test) - unit / 2 <= published <= max(step.test) + unit / 2]
    means = [(step.value, fmean(step.test)) for step in tried]
    between = tuple(
        (a, b)
        for (a, mean_a), (b, mean_b) in itertools.pairwise(means)
        if min(mean_a, mean_b) <= published <= max(mean_a, mean_b)
    )
    return tuple(values), between


def where_published(
    parameter: str, steps: Sequence[Step], published: Published, text: Callable[[float], str], chosen: float | None
) -> str:
    """In words: over which grid values the published number comes out, else between which, else the nearest.

    "" if no value has a result on test data. text: writes a value of the metric. chosen: what the row was fitted with.
    """
    tried = [step for step in steps if step.test]
    if not tried:
        return ""
    values, between = comes_out(steps, published.value, published.unit)
    if values:
        listed = _listed(values, [step.value for step in tried])
        outcome = f"{published.printed} lies within the runs at {parameter} {listed}"
    elif between:
        pairs = " or ".join(f"{short(a)} and {short(b)}" for a, b in between)
        outcome = f"{published.printed} lies between the runs at {parameter} {pairs}"
    else:
        nearest = min(tried, key=lambda step: abs(fmean(step.test) - published.value))
        ends = f"{short(tried[0].value)} to {short(tried[-1].value)}"
        outcome = (
            f"{published.printed} lies within the runs at no {parameter} of {ends}; nearest is "
            f"{text(fmean(nearest.test))} at {short(nearest.value)}"
        )
    return outcome + (f"; chosen was {short(chosen)}" if chosen is not None else "")


def audited(result: ClaimResult) -> str:
    """What may explain that a number is better or worse than published; "" for other verdicts and claims.

    Where the row chose parameters, over which values of each the published number comes out, the others as chosen, and
    if what was chosen is an end of its grid; else that nothing of what is assumed was varied.
    """
    claim = result.claim
    if not isinstance(claim, NumberClaim) or result.judgement.verdict not in ("better", "worse") or not result.rows:
        return ""
    [row] = result.rows
    published = Published(claim.published, claim.unit, claim.printed)
    chosen = chosen_values(row)
    sentences = []
    for parameter in row.method.choices:
        steps, value = choice_steps(row, parameter, claim.metric), chosen.get(parameter)
        if said := where_published(words(parameter), steps, published, result.measure.show, value):
            sentences.append(f"{said}, an end of the grid" if is_an_end(steps, value) else said)
    if sentences:
        return "; ".join(sentences)
    assumed = assumed_fields(claim)
    if not assumed:
        return "its protocol assumes nothing that could explain it"
    more = f" and {len(assumed) - MOST_FIELDS} more" if len(assumed) > MOST_FIELDS else ""
    return f"nothing that is assumed was varied: {', '.join(assumed[:MOST_FIELDS])}{more}"


def chosen_values(row: RowResult) -> dict[str, float]:
    """What the row's choices came to, by parameter."""
    stated = {name: row.latest.recipe.get(name) for name in row.method.choices}
    return {
        name: float(value)
        for name, value in stated.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def is_an_end(steps: Sequence[Step], chosen: float | None) -> bool:
    """Whether the chosen value is the first or the last that was tried, where nothing says that it is the best."""
    return bool(steps) and chosen in (steps[0].value, steps[-1].value)


def assumed_fields(claim: Claim) -> list[str]:
    """The fields of the claim's protocol that no source states."""
    return [name for name, field in claim.protocol.items() if field.status == "assumed"]


def _listed(values: Sequence[float], grid: Sequence[float]) -> str:
    """Values of a grid, neighbours as a range: "1e-5, 1e-4 to 0.01"."""
    runs: list[list[float]] = []
    for value in values:
        if runs and grid.index(value) == grid.index(runs[-1][-1]) + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    texts = [
        " to ".join(map(short, dict.fromkeys((run[0], run[-1])))) if len(run) > 1 else short(run[0]) for run in runs
    ]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
