"""How often verdicts are wrong: simulated claims, judged by the rules and under the designs that look several times.

    python -m benchmarks.speed.stopping [--write]

--write puts the figures into lecturebench/judging/design.py, from which the page and the terminal tell them.

Numbers: errors of 2% that scatter by 2% of themselves, normally, log-normally, or normally with 5% of bad runs that lie
five standard deviations off. A true published number is one more run, a false one lies so many standard deviations from
the mean. Seeds double up to 20 while the number is undecided.

Effects: losses of 20 examples that scatter with the seed, the example and both (as in test_calibration.py). Methods
that are equal, two that differ by exactly the margin of an equivalence, a path of five that is flat or falls at once
and then is flat, races of equal methods some of whose runs never arrive. A decision either way is wrong. Looks go on
while it is inconclusive at LOOKED_LEVEL. The races of one look are judged at 95%.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lecturebench.execution.sequential import looks
from lecturebench.judging import design
from lecturebench.judging.statistics import (
    LEVEL,
    LOOKED_LEVEL,
    MOST_SEEDS,
    Judgement,
    Losses,
    judge_equivalence,
    judge_minimum,
    judge_number,
    judge_order,
    judge_time_to_target,
)

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Array]
Judge = Callable[[int, float], Judgement]
Effect = Callable[[np.random.Generator], Judge]

FIRST = (3, 5, 10, 20)
DISTANCES = (4, 6, 8)  # of false numbers, in standard deviations
SCHEDULES = ((5, 10, 20), (3, 6, 12, 20), (10, 20))
# Standard deviations of the losses over seeds, over examples and over both.
SCATTER = {"seeds alone": (1.0, 0.0, 0.0), "seeds and examples": (1.0, 4.0, 4.0), "examples mostly": (0.3, 6.0, 6.0)}
N_TEST = 20
RESAMPLES = 1000
ARRIVE = {"all arrive": math.inf, "a fifth never arrive": 0.84, "half never arrive": 0.0}  # the last look, in sd


def normal(rng: np.random.Generator, n: int) -> Array:
    """Standard normal scatter."""
    return rng.normal(size=n)


def log_normal(rng: np.random.Generator, n: int) -> Array:
    """Log-normal scatter of mean 0 and standard deviation 1; its logarithms have 0.5, its skewness is 1.75."""
    drawn = rng.lognormal(0.0, 0.5, size=n)
    return np.asarray((drawn - math.exp(0.125)) / math.sqrt(math.exp(0.25) * (math.exp(0.25) - 1)))


def bad_runs(rng: np.random.Generator, n: int) -> Array:
    """Normal scatter; one run in twenty is worse by five standard deviations."""
    return np.asarray(rng.normal(size=n) + 5 * (rng.random(n) < 0.05))


KINDS: dict[str, Draw] = {"normal": normal, "log-normal": log_normal, "5% bad runs": bad_runs}


def number_verdict(rng: np.random.Generator, scatter: Draw, first: int, distance: float | None = None) -> str:
    """The verdict that the design ends with. distance: of a false number, in standard deviations; None if true."""
    mean, sd, unit = 0.02, 0.0004, 1e-6
    errors = mean + sd * scatter(rng, MOST_SEEDS)
    off = float(scatter(rng, 1)[0]) if distance is None else distance
    published = round((mean + sd * off) / unit) * unit
    for n in looks(first, MOST_SEEDS):
        judgement = judge_number(errors[:n].tolist(), published=published, unit=unit)
        if not judgement.undecided:
            break
    return judgement.verdict


def losses(rng: np.random.Generator, scatter: str, mean: float) -> Array:
    """Losses of one method, (MOST_SEEDS, N_TEST)."""
    seeds, examples, both = SCATTER[scatter]
    parts = seeds * rng.normal(size=(MOST_SEEDS, 1)) + examples * rng.normal(size=N_TEST)
    return np.asarray(mean + parts + both * rng.normal(size=(MOST_SEEDS, N_TEST)))


def table_order(rng: np.random.Generator) -> Judge:
    """Equal methods, on this test set."""
    a, b = (losses(rng, "seeds alone", 0.0)[:, :1] for _ in range(2))
    return lambda n, level: judge_order(Losses("a", a[:n]), Losses("b", b[:n]), rng=rng, about="table", level=level)


def statement_order(scatter: str) -> Effect:
    """Equal methods, on new examples too."""

    def draw(rng: np.random.Generator) -> Judge:
        a, b = (losses(rng, scatter, 0.0) for _ in range(2))
        return lambda n, level: judge_order(
            Losses("a", a[:n]), Losses("b", b[:n]), rng=rng, level=level, resamples=RESAMPLES
        )

    return draw


def equivalence(rng: np.random.Generator) -> Judge:
    """Methods that differ by exactly the margin, on this test set; a margin that few seeds can decide."""
    a, b = losses(rng, "seeds alone", 0.0)[:, :1], losses(rng, "seeds alone", 5.0)[:, :1]
    return lambda n, level: judge_equivalence(
        Losses("a", a[:n]), Losses("b", b[:n]), delta=5.0, rng=rng, about="table", level=level
    )


def minimum(first: float) -> Effect:
    """A path of five methods, all equal but the first."""

    def draw(rng: np.random.Generator) -> Judge:
        path = [losses(rng, "seeds alone", first if i == 0 else 0.0)[:, :1] for i in range(5)]
        return lambda n, level: judge_minimum(
            [Losses(str(i), rows[:n]) for i, rows in enumerate(path)], rng=rng, level=level
        )

    return draw


def race(last: float) -> Effect:
    """Equal methods whose steps scatter by a third of themselves and are looked at every 100; last: when looks end."""

    def draw(rng: np.random.Generator) -> Judge:
        horizon = 100 * math.ceil(10 * math.exp(0.3 * min(last, 9.0)))
        steps = 100 * np.ceil(10 * np.exp(0.3 * rng.normal(size=(2, MOST_SEEDS))))
        fast, slow = np.where(steps < horizon, steps, np.inf)
        return lambda n, level: judge_time_to_target(
            fast[:n].tolist(), slow[:n].tolist(), horizon=float(horizon), level=level
        )

    return draw


EFFECTS: dict[str, tuple[Effect, int]] = {
    "order in a table": (table_order, 1),
    "equivalence in a table": (equivalence, 1),
    "minimum, a flat path": (minimum(0.0), 4),
    "minimum, a path that falls": (minimum(10.0), 4),
    **{f"order in general, {scatter}": (statement_order(scatter), 5) for scatter in SCATTER},
    **{f"race, {arrive}": (race(last), 1) for arrive, last in ARRIVE.items()},
}


def decided(draw: Effect, schedule: Sequence[int], level: float, simulations: int, seed: int = 2023) -> float:
    """How often an effect is decided, either way, at any of the looks."""
    rng = np.random.default_rng(seed)
    wrong = 0
    for _ in range(simulations):
        judge = draw(rng)
        wrong += any(judge(n, level).verdict in ("reproduced", "worse") for n in schedule)
    return wrong / simulations


def called(
    scatter: Draw,
    first: int,
    verdicts: Sequence[str],
    simulations: int,
    distance: float | None = None,
    seed: int = 2023,
) -> float:
    """How often a number ends with one of the verdicts."""
    rng = np.random.default_rng(seed)
    return sum(number_verdict(rng, scatter, first, distance) in verdicts for _ in range(simulations)) / simulations


def in_words(schedule: Sequence[int]) -> str:
    """ "5, 10, 20" """
    return ", ".join(map(str, schedule))


def tables(count: int) -> dict[str, object]:
    """All figures by the name of their constant. count: simulations of a number; fewer of what takes longer."""
    numbers = {
        kind: {first: called(scatter, first, ("better", "worse"), count) for first in FIRST}
        for kind, scatter in KINDS.items()
    }
    false = {
        first: {distance: called(normal, first, ("reproduced",), count // 4, distance) for distance in DISTANCES}
        for first in FIRST
    }
    effects: dict[str, dict[str, float]] = {}
    for name, (draw, slower) in EFFECTS.items():
        effects[name] = {
            in_words(schedule): decided(draw, schedule, LOOKED_LEVEL, count // slower) for schedule in SCHEDULES
        }
        print(name, effects[name], flush=True)
    races = {
        arrive: {n: decided(race(last), (n,), LEVEL, count) for n in (5, 10, 20)} for arrive, last in ARRIVE.items()
    }
    return {
        "DESIGN_ERROR_RATES": numbers,
        "FALSE_NUMBER_RATES": false,
        "WORST_NUMBER_RATE": max(rate for rates in numbers.values() for rate in rates.values()),
        "LOOKED_ERROR_RATES": effects,
        "RACE_ERROR_RATES": races,
    }


MEANINGS = {
    "DESIGN_ERROR_RATES": "True numbers called better or worse, by the scatter of runs and the seeds begun with.",
    "FALSE_NUMBER_RATES": "False numbers called reproduced, by the seeds begun with and their distance in sd; normal.",
    "WORST_NUMBER_RATE": "The largest of DESIGN_ERROR_RATES.",
    "LOOKED_ERROR_RATES": "Effects that are none decided at any look, by kind and the seeds after which was looked.",
    "RACE_ERROR_RATES": "Races of equal methods won or lost with one look at 95%, by what arrives and pairs of runs.",
}
TYPES = {
    "DESIGN_ERROR_RATES": "Mapping[str, Mapping[int, float]]",
    "FALSE_NUMBER_RATES": "Mapping[int, Mapping[int, float]]",
    "WORST_NUMBER_RATE": "float",
    "LOOKED_ERROR_RATES": "Mapping[str, Mapping[str, float]]",
    "RACE_ERROR_RATES": "Mapping[str, Mapping[int, float]]",
}


def module(figures: Mapping[str, object], count: int) -> str:
    """The text of lecturebench/judging/design.py."""
    lines = [
        '"""How often verdicts are wrong under the designs that judge them, by simulation.',
        "",
        "Written by ``python -m benchmarks.speed.stopping --write``, whose docstring says what is simulated; up to",
        f"{count:,} simulations of each figure.",
        '"""',
        "",
        "from collections.abc import Mapping",
        "",
        f"SIMULATIONS = {count}",
    ]
    for name, value in figures.items():
        lines += [f"# {MEANINGS[name]}", f"{name}: {TYPES[name]} = {literal(value)}"]
    return "\n".join(lines) + "\n"


def literal(value: object) -> str:
    """A number, or a dict of dicts with an inner one a line, as this code base writes them."""
    if not isinstance(value, dict):
        return repr(value)
    rows = [
        f"    {_key(key)}: {{{', '.join(f'{_key(k)}: {v:.4f}' for k, v in row.items())}}},\n"
        for key, row in value.items()
    ]
    return "{\n" + "".join(rows) + "}"


def _key(key: object) -> str:
    return f'"{key}"' if isinstance(key, str) else repr(key)


def main() -> None:
    """Print the figures, or write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=20_000, help="of each number; fewer of what takes longer")
    parser.add_argument("--write", action="store_true", help="put them into lecturebench/judging/design.py")
    arguments = parser.parse_args()
    text = module(tables(arguments.simulations), arguments.simulations)
    if arguments.write:
        Path(design.__file__).write_text(text)
    print(text)


if __name__ == "__main__":
    main()
