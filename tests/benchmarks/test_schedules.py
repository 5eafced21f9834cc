"""The schedules of the slide: formulas at hand, what compiled steps use, what is compared, and the figures."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from benchmarks import bench_schedules as bench
from lecturebench import Experiment, IdentityClaim, Network, OrderClaim, Schedule
from lecturebench.datasets import load
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record

TRAINED = [method for method in bench.METHODS if isinstance(method, Network)]


@pytest.mark.parametrize(
    ("kind", "rates"),
    [
        ("constant", {0: 1, 59: 1}),
        ("step", {0: 1, 19: 1, 20: 0.1, 39: 0.1, 40: 0.01, 59: 0.01}),
        ("exponential", {0: 1, 15: 10**-0.5, 30: 0.1, 45: 10**-1.5}),
        ("cosine", {0: 1, 20: 0.75, 30: 0.5, 40: 0.25, 59: (1 + math.cos(math.pi * 59 / 60)) / 2}),
        ("restarts", {0: 1, 10: 0.75, 15: 0.5, 29: (1 + math.cos(math.pi * 29 / 30)) / 2, 30: 1, 45: 0.5}),
        ("triangular", {0: 0.1, 5: 0.4, 15: 1, 20: 0.7, 29: 0.16, 30: 0.1, 45: 1}),
    ],
)
def test_formulas_give_the_rates_worked_out_by_hand(kind, rates):
    for t, rate in rates.items():
        assert bench.formula(kind, t, 60) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("kind", bench.SCHEDULES)
def test_warm_up_leads_to_the_first_rate_of_what_follows(kind):
    first = bench.formula(kind, 0, 60)
    assert [bench.formula(kind, t, 64, warm=4) for t in range(5)] == pytest.approx(
        [first / 4, first / 2, first * 3 / 4, first, first]
    )
    assert [bench.formula(kind, t + 4, 64, warm=4) for t in range(60)] == [
        bench.formula(kind, t, 60) for t in range(60)
    ]


@pytest.mark.parametrize("kind", bench.SCHEDULES)
@pytest.mark.parametrize("steps", [6, 60, 125, 1250, 7919])
@pytest.mark.parametrize("share", [0.0, 0.1])
def test_harness_has_the_rates_of_the_formulas_for_any_number_of_steps(kind, steps, share):
    warm = round(share * steps)
    written = [bench.formula(kind, t, steps, warm) for t in range(steps)]
    rates = dataclasses.replace(bench.SCHEDULES[kind], warmup=share).rates(steps)
    np.testing.assert_allclose(rates, written, rtol=1e-11, atol=1e-12)


@pytest.mark.usefixtures("backend")
def test_compiled_steps_use_the_rate_of_their_own_step():
    used = bench.used_rates(Schedule("exponential", periods=2), 9)
    np.testing.assert_allclose(used, 10 ** (-4 * np.arange(9) / 9 / 2), atol=2**-23)


@pytest.fixture(scope="module")
def measured(backend, own_cache):
    """What the experiment finds over few steps."""
    return bench.rates_of_the_optimiser(load("digits"), np.random.default_rng(0), steps=13)


def test_every_schedule_is_within_its_tolerance_and_recorded_with_and_without_warm_up(measured):
    claims = [claim for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)]
    assert {claim.metric for claim in claims} == set(bench.SCHEDULES)
    assert all(measured.values[claim.metric] <= claim.tolerance for claim in claims)
    assert measured.values["deviation"] == max(measured.values[kind] for kind in bench.SCHEDULES)
    kinds = [f"{kind}{warm}" for kind in bench.SCHEDULES for warm in ("", "_warmup")]
    assert all(set(point) == {"time", *kinds} for point in measured.curve)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("step", Schedule("step", periods=3, factor=0.100001)),
        ("restarts", Schedule("restarts", periods=3)),
        ("triangular", Schedule("triangular", periods=2, factor=0.0999)),
        ("constant", Schedule("exponential", factor=0.99999)),
    ],
)
def test_schedule_that_is_not_the_formulas_is_found_out(kind, wrong, monkeypatch):
    monkeypatch.setattr(bench, "SCHEDULES", {kind: wrong})
    found = bench.rates_of_the_optimiser(None, np.random.default_rng(0), steps=7)
    assert found.values[kind] > 2**-23


def test_rows_differ_in_their_schedule_alone():
    assert len({str(dataclasses.replace(method.training, schedule=None)) for method in TRAINED}) == 1
    assert len({method.training.schedule for method in TRAINED}) == len(TRAINED) == 7
    assert all(dict(method.parameters) == {"units": (256, 128)} for method in TRAINED)
    for name, profile in bench.BENCHMARK.profiles.items():
        smallest = {"smoke": 8, "lecture": 1250, "full": 11_250}[name]
        assert all(len(method.training.schedule.rates(smallest)) == smallest for method in TRAINED), profile


def test_claims_say_that_a_decay_and_a_periodic_schedule_beat_a_constant_rate():
    orders = [claim.order for claim in bench.CLAIMS if isinstance(claim, OrderClaim)]
    assert orders == [("cosine", "constant"), ("restarts", "constant")]
    assert all(claim.protocol["reading"].status == "assumed" for claim in bench.CLAIMS if isinstance(claim, OrderClaim))


def rows_of(measured):
    """Made-up runs: the loss of method i falls as (i + 1) / epoch."""
    rows = {}
    styles = method_styles(method.name for method in bench.METHODS)
    for i, method in enumerate(bench.METHODS):
        if isinstance(method, Experiment):
            runs = [record(method, list(measured.curve), {"measured": dict(measured.values)})]
        else:
            curve = [{"epoch": epoch, "validation_loss": (i + 1) / epoch} for epoch in (1, 2, 3)]
            runs = [record(method, curve, {}) for _ in range(2)]
        rows[method.name] = Series(method.title, styles[method.name], runs)
    return rows


def record(method, curve, metrics):
    return Record(
        *("k", "benchmarks", "schedules", method.name, {}, "lecture", "tensorflow", "cpu", 0, "judged", "ok"),
        recipe={"learning_rate": 0.03},
        curve=curve,
        metrics=metrics,
    )


def test_figures_show_the_optimisers_rates_and_every_schedules_loss(measured):
    rows = rows_of(measured)
    with styled():
        figure = blank(5.6, 4.2)
        words = bench.draw_rates(figure, rows)
        assert "at most" in words
        drawn = figure.axes[3].lines[3].get_ydata()  # the cosine's dots
        np.testing.assert_allclose(drawn, [bench.formula("cosine", t, 13) for t in (0, 8)], atol=1e-6)
        figure = blank(5.6, 5.4)
        words = bench.draw_effect(figure, rows)
    assert all(
        f"{rows[name].title} (base rate 0.03) ends at {(i + 1) / 3:.3g}" in words
        for i, name in enumerate(rows)
        if name != "rates"
    )
    decay, periodic = figure.axes[2:]
    assert (len(decay.lines), len(periodic.lines)) == (5, 3)
