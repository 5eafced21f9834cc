"""How often each verdict is given to claims that are planted true, or false by a known amount, on simulated runs.

``pytest -s tests/test_calibration.py`` prints the tables. Every bound allows for the number of simulations: a rate is
held against the quantile that its count passes once in 10⁹ times, so the tests do not depend on their seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from lecturebench.judging.statistics import (
    Losses,
    judge_chain,
    judge_number,
    judge_order,
    judge_time_to_target,
    paired_interval,
    prediction_half_width,
    resampling,
)
from lecturebench.judging.statistics.common import t_quantile

NUMBERS = 1000
ORDERS = 200
RESAMPLES = 1000  # with 3 seeds, 300 would often miss the 1 in 27 that draw the same seed three times
ONCE_IN = 1e-9
VERDICTS = ("reproduced", "better", "worse", "inconclusive")


def at_most(rate: float, trials: int) -> int:
    """The count that a rate this high exceeds once in 10⁹ times."""
    return int(binom.ppf(1 - ONCE_IN, trials, rate))


def at_least(rate: float, trials: int) -> int:
    """The count that a rate this high misses once in 10⁹ times."""
    return int(binom.ppf(ONCE_IN, trials, rate))


def tally(title: str, judge: Callable[[np.random.Generator], str], trials: int) -> Counter[str]:
    """How often each verdict is given; prints a line."""
    rng = np.random.default_rng(2023)
    given = Counter(judge(rng) for _ in range(trials))
    print(f"{title:62}" + "".join(f"{100 * given[verdict] / trials:13.1f}%" for verdict in VERDICTS))
    return given


@pytest.fixture(autouse=True, scope="module")
def heading() -> None:
    print("\n" + " " * 62 + "".join(f"{verdict:>14}" for verdict in VERDICTS))


# --- numbers: errors of about 2%, normal over seeds -------------------------------------------------------------------


def planted_number(n: int, spread: float, unit: float, half_widths: float) -> Callable[[np.random.Generator], str]:
    """Judges n runs against a claim. spread: the runs' sd as a share of their mean. half_widths: how false it is.

    A true claim is one more run, printed to ``unit``; a false one lies so many half-widths of the widened interval
    from the mean, worked out from the true sd.
    """
    mean = 0.02
    sd = spread * mean
    half_width = prediction_half_width(sd, n) + unit / 2

    def judge(rng: np.random.Generator) -> str:
        errors = rng.normal(mean, sd, size=n).tolist()
        published = rng.normal(mean, sd) if half_widths == 0 else mean + half_widths * half_width
        return judge_number(errors, published=round(published / unit) * unit, unit=unit).verdict

    return judge


@pytest.mark.parametrize("unit", [0.001, 1e-7])
@pytest.mark.parametrize("spread", [0.01, 0.02])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_false_numbers_are_called_out_and_true_ones_are_not(n: int, spread: float, unit: float) -> None:
    title = f"{n} seeds, sd {spread:.0%} of the mean, unit {100 * unit:.5g}%"
    true = tally(f"{title}: true", planted_number(n, spread, unit, 0), NUMBERS)
    above = tally(f"{title}: 2 half-widths above", planted_number(n, spread, unit, 2), NUMBERS)
    below = tally(f"{title}: 2 half-widths below", planted_number(n, spread, unit, -2), NUMBERS)
    assert true["better"] + true["worse"] <= at_most(0.05, NUMBERS)
    assert above["better"] >= at_least(0.95, NUMBERS)
    assert below["worse"] >= at_least(0.95, NUMBERS)
    assert above["worse"] + below["better"] <= at_most(1e-4, NUMBERS)


@pytest.mark.parametrize("n", [3, 5])
def test_scattered_runs_give_no_verdict_rather_than_a_wrong_one(n: int) -> None:
    """With an sd of 4% the half-width often exceeds a quarter of p: what is inside is then not believed, and what is
    outside is called out all the same."""
    title = f"{n} seeds, sd 4% of the mean, unit 0.1%"
    true = tally(f"{title}: true", planted_number(n, 0.04, 0.001, 0), NUMBERS)
    above = tally(f"{title}: 2 half-widths above", planted_number(n, 0.04, 0.001, 2), NUMBERS)
    below = tally(f"{title}: 2 half-widths below", planted_number(n, 0.04, 0.001, -2), NUMBERS)
    assert true["better"] + true["worse"] <= at_most(0.05, NUMBERS)
    assert above["reproduced"] <= at_most(0.05, NUMBERS)
    assert below["reproduced"] <= at_most(0.05, NUMBERS)
    assert above["better"] >= at_least(0.9, NUMBERS)
    assert below["worse"] >= at_least(0.9, NUMBERS)


# --- orders: losses with a share that goes with the seed, the example, and both ---------------------------------------

# sd over seeds, over examples, over both; losses of 20 examples. The difference of two methods has them √2 as large.
SCATTER = {"seeds alone": (1.0, 0.0, 0.0), "seeds and examples": (1.0, 4.0, 4.0), "examples mostly": (0.3, 6.0, 6.0)}
N_TEST = 20


def half_width_of(scatter: str, n: int) -> float:
    """Half the t interval for the difference of two methods, from the true scatter."""
    seeds, examples, both = SCATTER[scatter]
    variance = seeds**2 / n + examples**2 / N_TEST + both**2 / (n * N_TEST)
    return t_quantile(n - 1) * float(np.sqrt(2 * variance))


def simulated(rng: np.random.Generator, scatter: str, n: int, mean: float) -> np.ndarray:
    """Losses of one method, (n, N_TEST)."""
    seeds, examples, both = SCATTER[scatter]
    parts = seeds * rng.normal(size=(n, 1)), examples * rng.normal(size=N_TEST), both * rng.normal(size=(n, N_TEST))
    return mean + sum(parts)


def planted_chain(scatter: str, n: int, means: tuple[float, ...]) -> Callable[[np.random.Generator], str]:
    """Judges methods with these means, in half-widths, against the claim that they stand in increasing order."""
    unit = half_width_of(scatter, n)

    def judge(rng: np.random.Generator) -> str:
        methods = [Losses(str(i), simulated(rng, scatter, n, mean * unit)) for i, mean in enumerate(means)]
        return judge_chain(methods, rng=rng, resamples=RESAMPLES).verdict

    return judge


@pytest.mark.parametrize("scatter", SCATTER)
@pytest.mark.parametrize("n", [3, 5, 10])
def test_orders_that_are_none_are_seldom_seen_and_clear_ones_mostly(n: int, scatter: str) -> None:
    equal = tally(f"order, {n} seeds, {scatter}: equal", planted_chain(scatter, n, (0, 0)), ORDERS)
    true = tally(f"order, {n} seeds, {scatter}: 2 half-widths apart", planted_chain(scatter, n, (0, 2)), ORDERS)
    false = tally(f"order, {n} seeds, {scatter}: 2 the other way", planted_chain(scatter, n, (2, 0)), ORDERS)
    assert equal["reproduced"] + equal["worse"] <= at_most(0.07, ORDERS)
    assert true["reproduced"] >= at_least(0.90, ORDERS)
    assert false["worse"] >= at_least(0.90, ORDERS)
    assert true["worse"] + false["reproduced"] <= at_most(1e-4, ORDERS)


def test_chain_is_contradicted_when_one_pair_is() -> None:
    for title, means, verdict in (
        ("2 half-widths between each", (0, 2, 4, 6), "reproduced"),
        ("one pair the other way", (0, 2, 6, 4), "worse"),
        ("one pair equal", (0, 2, 4, 4), "inconclusive"),
    ):
        given = tally(f"chain of 4, 5 seeds: {title}", planted_chain("seeds and examples", 5, means), ORDERS)
        assert given[verdict] >= at_least(0.85, ORDERS)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_paired_interval_covers_the_truth_as_often_as_it_says(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def coverage(scatter: str) -> float:
        rng = np.random.default_rng(2023)
        intervals = [
            paired_interval(np.zeros((1, N_TEST)), simulated(rng, scatter, n, 0.0), rng=rng, resamples=RESAMPLES)
            for _ in range(ORDERS)
        ]
        return sum(low <= 0 <= high for _, low, high in intervals)

    spread_out = {scatter: coverage(scatter) for scatter in SCATTER}
    monkeypatch.setattr(resampling, "seed_inflation", lambda n, level: 1.0)
    for scatter, covered in spread_out.items():
        shares = f"{100 * covered / ORDERS:.1f}%, without spreading seeds {100 * coverage(scatter) / ORDERS:.1f}%"
        print(f"nominal 95%, {n} seeds, {scatter}: {shares}")
        assert covered >= at_least(0.93, ORDERS)


def test_classifiers_of_equal_error_are_seldom_ordered() -> None:
    def judge(rng: np.random.Generator) -> str:
        hard = rng.random(300) ** 4 * 0.5
        skill = np.exp(rng.normal(0, 0.1, size=(2, 5, 1)))
        a, b = (rng.random((2, 5, 300)) < hard * skill).astype(float)
        return judge_order(Losses("a", a), Losses("b", b), rng=rng, resamples=RESAMPLES).verdict

    given = tally("order, 5 seeds, 0/1 losses: equal", judge, ORDERS)
    assert given["reproduced"] + given["worse"] <= at_most(0.07, ORDERS)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_races_that_are_none_are_seldom_won(n: int) -> None:
    def race(lead: float) -> Callable[[np.random.Generator], str]:
        def judge(rng: np.random.Generator) -> str:
            fast, slow = np.round(rng.normal(10, 1, size=n)), np.round(rng.normal(10 + lead, 1, size=n))
            fast, slow = np.where(fast > 12, np.nan, fast), np.where(slow > 12, np.nan, slow)
            return judge_time_to_target(fast, slow, horizon=13).verdict

        return judge

    equal = tally(f"race, {n} seeds, some censored: equal", race(0), NUMBERS)
    ahead = tally(f"race, {n} seeds, some censored: 4 sd ahead", race(4), NUMBERS)
    assert equal["reproduced"] + equal["worse"] <= at_most(0.05, NUMBERS)
    assert ahead["worse"] == 0
    if n >= 5:
        assert ahead["reproduced"] >= at_least(0.9, NUMBERS)
