"""Identities, and the rules by which validation data choose a parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from lecturebench.judging.statistics.common import SLACK, Judgement, Show, plain, sd_of

Tried = TypeVar("Tried", float, tuple[float, ...])  # a value of a grid, or one of each of several


def judge_identity(deviation: float, *, tolerance: float, show: Show = plain) -> Judgement:
    """Is the largest absolute (or relative) deviation from a formula within its tolerance? Else `worse`.

    An infinite deviation is `worse`. ValueError for a negative or undefined deviation or tolerance.
    """
    if not (deviation >= 0 and 0 <= tolerance < math.inf):
        raise ValueError(f"deviation is {deviation!r}, tolerance {tolerance!r}; neither may be negative or undefined")
    holds = deviation <= tolerance
    reason = f"largest deviation {show(deviation)} is {'within' if holds else 'above'} {show(tolerance)}"
    return Judgement("reproduced" if holds else "worse", reason, 1, deviation)


def one_standard_error(values: Sequence[float], validation_errors: Sequence[Sequence[float]]) -> float:
    """The largest value whose mean validation error is within one standard error of the best (ISLP, sec. 6.1.3).

    validation_errors[i]: the k errors of values[i], one per seed. The standard error is s/√k of the best value's runs;
    of several equally good ones the largest is the best. A value with a run that is not finite, or with fewer runs
    than the others, is out. ValueError if none is left, or if k < 2.
    """
    if len(values) != len(validation_errors):
        raise ValueError(f"{len(values)} values with errors of {len(validation_errors)}; one list for each value")
    k = max((len(errors) for errors in validation_errors), default=0)
    if k < 2:
        raise ValueError(f"{k} runs for each value; a standard error needs at least two")
    whole = {
        value: np.sort(np.asarray(errors, dtype=np.float64))
        for value, errors in zip(values, validation_errors, strict=True)
        if len(errors) == k and np.isfinite(np.asarray(errors, dtype=np.float64)).all()
    }
    if not whole:
        raise ValueError("no value has all its runs; there is nothing to choose from")
    means = {value: float(errors.mean()) for value, errors in whole.items()}
    lowest = min(means.values())
    best = max(value for value in means if means[value] <= lowest + SLACK * abs(lowest))
    limit = lowest + sd_of(whole[best]) / math.sqrt(k)
    return max(value for value in means if means[value] <= limit + SLACK * abs(limit))


def least_error(values: Sequence[Tried], validation_errors: Sequence[Sequence[float]]) -> Tried:
    """The value with the least mean validation error; of several equally good ones the smallest.

    values: numbers, or combinations of numbers, which are compared one number after the other.

    validation_errors[i]: the errors of values[i], one per seed. A value with a run that is not finite, or with fewer
    runs than the others, is out. ValueError if none is left.
    """
    if len(values) != len(validation_errors):
        raise ValueError(f"{len(values)} values with errors of {len(validation_errors)}; one list for each value")
    k = max((len(errors) for errors in validation_errors), default=0)
    means = {
        value: float(np.sort(np.asarray(errors, dtype=np.float64)).mean())
        for value, errors in zip(values, validation_errors, strict=True)
        if k and len(errors) == k and np.isfinite(np.asarray(errors, dtype=np.float64)).all()
    }
    if not means:
        raise ValueError("no value has all its runs; there is nothing to choose from")
    lowest = min(means.values())
    return min(value for value in means if means[value] <= lowest + SLACK * abs(lowest))


def best_combination(
    combinations: Sequence[tuple[float, ...]], validation_errors: Sequence[Sequence[float]], rules: Sequence[str]
) -> tuple[float, ...]:
    """The combination of parameters that their rules choose, as it was given.

    combinations: of one value for each parameter. validation_errors[i]: the errors of combinations[i], one per seed.
    rules: "least" or "one standard error", one for each parameter, the latter for one at most: it is the combination of
    `least_error`, and that one parameter is then taken by `one_standard_error` among the combinations that share the
    others' values. So the rule of a single parameter is its own. ValueError as of these two.
    """
    best = least_error(combinations, validation_errors)
    if "one standard error" not in rules:
        return best
    at = rules.index("one standard error")
    beside = [
        (combination[at], errors)
        for combination, errors in zip(combinations, validation_errors, strict=True)
        if combination[:at] == best[:at] and combination[at + 1 :] == best[at + 1 :]
    ]
    value = one_standard_error([value for value, _ in beside], [errors for _, errors in beside])
    return *best[:at], value, *best[at + 1 :]
