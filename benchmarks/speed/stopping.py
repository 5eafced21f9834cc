"""What ``run --until-decided`` does to the error rates: simulated claims, judged at a fixed number of seeds and under
the stopping rule.

    python -m benchmarks.speed.stopping

A look judges all seeds that there are and stops unless the verdict is `inconclusive`. Numbers: the errors of runs are
normal; a true claim is one more run, printed to three digits; a false one lies six standard deviations from the mean.
Orders: as in tests/test_calibration.py, losses of 20 examples that scatter with the seed, the example and both; two
methods are equal, or one is below the other by so many half-widths of the interval that five seeds give.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lecturebench.execution.sequential import looks
from lecturebench.judging.statistics import Losses, judge_number, judge_order, prediction_half_width

FIRST, MOST = 5, 20  # the lecture profile's seeds; where --until-decided stops
SPREADS = (0.02, 0.08, 0.10, 0.12)  # standard deviations of errors as shares of their mean
LEADS = (0.0, 0.5, 1.0)  # in half-widths
# Standard deviations of the losses over seeds, over examples and over both.
SCATTER = {"seeds alone": (1.0, 0.0, 0.0), "seeds and examples": (1.0, 4.0, 4.0), "examples mostly": (0.3, 6.0, 6.0)}
N_TEST = 20
RESAMPLES = 1000

Verdicts = Callable[[np.random.Generator], Callable[[int], str]]


class Rates(NamedTuple):
    """Counts of verdicts where a claim was given up or decided, and the seeds that it took on average."""

    given: Counter[str]
    seeds: float


def stopped(draw: Verdicts, schedule: Sequence[int], simulations: int, seed: int = 2023) -> Rates:
    """Look after so many seeds until the verdict is no longer inconclusive, many times over."""
    rng = np.random.default_rng(seed)
    given: Counter[str] = Counter()
    used = 0
    for _ in range(simulations):
        verdict_after = draw(rng)
        for n in schedule:
            verdict = verdict_after(n)
            if verdict != "inconclusive":
                break
        given[verdict] += 1
        used += n
    return Rates(given, used / simulations)


def number(spread: float, true: bool) -> Verdicts:
    """A number claim about errors of 2% with this spread."""
    mean, sd, unit = 0.02, 0.02 * spread, 1e-5

    def draw(rng: np.random.Generator) -> Callable[[int], str]:
        errors = rng.normal(mean, sd, size=MOST)
        published = round((rng.normal(mean, sd) if true else mean + 6 * sd) / unit) * unit
        return lambda n: judge_number(errors[:n].tolist(), published=published, unit=unit).verdict

    return draw


def order(scatter: str, lead: float) -> Verdicts:
    """An order claim whose first method is ``lead`` half-widths below the second."""
    seeds, examples, both = SCATTER[scatter]
    # Half the interval for the difference of two means, √2 as wide as that for one; t from the number's half-width.
    t = prediction_half_width(1.0, FIRST) / np.sqrt(1 + 1 / FIRST)
    distance = lead * t * np.sqrt(2 * (seeds**2 / FIRST + examples**2 / N_TEST + both**2 / (FIRST * N_TEST)))

    def losses(rng: np.random.Generator, mean: float) -> np.ndarray:
        with_seed, with_example = seeds * rng.normal(size=(MOST, 1)), examples * rng.normal(size=N_TEST)
        drawn: np.ndarray = mean + with_seed + with_example + both * rng.normal(size=(MOST, N_TEST))
        return drawn

    def draw(rng: np.random.Generator) -> Callable[[int], str]:
        below, above = losses(rng, 0.0), losses(rng, distance)
        own = rng.spawn(1)[0]
        return lambda n: (
            judge_order(Losses("below", below[:n]), Losses("above", above[:n]), rng=own, resamples=RESAMPLES).verdict
        )

    return draw


def line(title: str, rates: Rates) -> str:
    """One row of the table."""
    total = rates.given.total()
    shares = (100 * rates.given[name] / total for name in ("reproduced", "better", "worse", "inconclusive"))
    return f"{title:<58}" + "".join(f"{share:12.1f}%" for share in shares) + f"{rates.seeds:8.1f}"


def main() -> None:
    """Print the rates of all claims for a fixed number of seeds, the rule, and a look after every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=4000, help="of each claim and rule")
    count = parser.parse_args().simulations
    schedules = {
        f"{FIRST} seeds": (FIRST,),
        f"{MOST} seeds": (MOST,),
        f"looks after {', '.join(map(str, looks(FIRST, MOST)))}": looks(FIRST, MOST),
        "looks after every seed": tuple(range(FIRST, MOST + 1)),
    }
    print(f"{count} simulations each; a look judges at the level of claims.py (95%)")
    print(f"{'':58}{'reproduced':>13}{'better':>13}{'worse':>13}{'inconclusive':>13}{'seeds':>8}")
    for spread in SPREADS:
        for true in (True, False):
            for name, schedule in schedules.items():
                title = f"{'true' if true else 'false'} number, sd {spread:.0%} of the mean, {name}"
                print(line(title, stopped(number(spread, true), schedule, count)), flush=True)
    for scatter in SCATTER:
        for lead in LEADS:
            for name, schedule in schedules.items():
                title = f"order, {scatter}, lead {lead:g}, {name}"
                print(line(title, stopped(order(scatter, lead), schedule, count)), flush=True)


if __name__ == "__main__":
    main()
