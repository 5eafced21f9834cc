"""The schedules of the slide: formulas at hand, what compiled steps use, what is compared, and the figures."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import bench_schedules as bench
from benchmarks.experiments import schedules as experiment
from benchmarks.figures.schedules import POINTS, draw_effect, rates_of
from benchmarks.formulas.schedules import rate
from lecturebench import Network, OrderClaim, Schedule
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.training.program import scheduled

KINDS = [name for name in bench.SCHEDULES if name != "cosine_warmup"]
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
    for t, expected in rates.items():
        assert rate(kind, t, 60) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_warm_up_leads_to_the_first_rate_of_what_follows(kind):
    first = rate(kind, 0, 60)
    assert [rate(kind, t, 64, warm=4) for t in range(5)] == pytest.approx(
        [first / 4, first / 2, first * 3 / 4, first, first]
    )
    assert [rate(kind, t + 4, 64, warm=4) for t in range(60)] == [rate(kind, t, 60) for t in range(60)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [6, 60, 125, 1250, 7919])
@pytest.mark.parametrize("share", [0.0, 0.1])
def test_harness_has_the_rates_of_the_formulas_for_any_number_of_steps(kind, steps, share):
    warm = round(share * steps)
    written = [rate(kind, t, steps, warm) for t in range(steps)]
    rates = dataclasses.replace(bench.SCHEDULES[kind][1], warmup=share).rates(steps)
    np.testing.assert_allclose(rates, written, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("warmup", [0.0, 0.1])
@pytest.mark.parametrize("kind", KINDS)
def test_optimiser_of_the_harness_steps_by_the_rate_of_its_own_step(kind, warmup, backend):
    import keras

    # R has the gradient 1, so a step of SGD goes down by its rate; float32 rounds the table by 2^-24, and w again.
    steps = 25
    schedule = dataclasses.replace(bench.SCHEDULES[kind][1], warmup=warmup)
    optimizer = keras.optimizers.SGD(scheduled(0.1, schedule, steps))
    w = keras.Variable(np.zeros(1, np.float32))
    optimizer.build([w])
    for t in range(steps):
        w.assign(np.zeros(1, np.float32))
        optimizer.apply([keras.ops.ones((1,))], [w])
        used = -float(keras.ops.convert_to_numpy(w.value)[0]) / 0.1
        assert used == pytest.approx(rate(kind, t, steps, round(warmup * steps)), abs=2**-23)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("step", Schedule("step", periods=3, factor=0.100001)),
        ("restarts", Schedule("restarts", periods=3)),
        ("triangular", Schedule("triangular", periods=2, factor=0.0999)),
        ("constant", Schedule("exponential", factor=0.99999)),
    ],
)
def test_schedule_that_is_not_the_formulas_is_told_from_it(kind, wrong):
    written = [rate(kind, t, 7) for t in range(7)]
    assert np.abs(wrong.rates(7) - written).max() > 2**-23


@pytest.mark.parametrize("steps", [6, 125, 1001])
def test_equation_5_is_keras_cosine_decay_with_restarts_and_without(steps, backend):
    values = experiment.sgdr_against_keras(None, np.random.default_rng(0), steps=steps).values
    assert values["deviation"] == max(values["cosine"], values["restarts"])
    assert values["cosine"] < 1e-6


def test_another_formula_is_told_from_keras(backend, monkeypatch):
    monkeypatch.setattr(experiment, "rate", lambda kind, t, steps: rate(kind, t, steps) * (1 - 2e-6))
    assert experiment.sgdr_against_keras(None, np.random.default_rng(0), steps=125).values["deviation"] > 1e-6


def test_exponential_and_step_decay_are_keras_own(backend):
    from keras.optimizers import schedules

    smooth = schedules.ExponentialDecay(1.0, 125, 0.01)
    drops = schedules.PiecewiseConstantDecay([41, 83], [1.0, 0.1, 0.01])
    for t in range(125):
        assert float(smooth(t)) == pytest.approx(rate("exponential", t, 125), rel=1e-5)
        assert float(drops(t)) == pytest.approx(rate("step", t, 125), rel=1e-6)


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
    assert {method.training.learning_rate.rule for method in TRAINED} == {"least"}
    assert bench.BENCHMARK.profiles["lecture"].seeds == 20


def rows_of():
    """Made-up runs: the loss of method i falls as (i + 1) / epoch."""
    styles = method_styles(method.name for method in bench.METHODS)
    rows = {}
    for i, method in enumerate(TRAINED):
        curve = [{"epoch": epoch, "validation_loss": (i + 1) / epoch} for epoch in (1, 2, 3)]
        runs = [SimpleNamespace(curve=curve, recipe={"learning_rate": 0.03}) for _ in range(2)]
        rows[method.name] = Series(method.title, styles[method.name], runs)  # type: ignore[arg-type]
    return rows


def test_figure_shows_the_rates_of_the_formulas_and_every_schedules_loss():
    rows = rows_of()
    with styled():
        figure = blank(5.6, 5.4)
        words = draw_effect(figure, rows)
    assert all(
        f"{row.title} (base rate 0.03) ends at {(i + 1) / 3:.3g}" in words for i, row in enumerate(rows.values())
    )
    above, _, decay, periodic = figure.axes
    assert (len(decay.lines), len(periodic.lines)) == (5, 3)
    np.testing.assert_allclose(above.lines[3].get_ydata(), [rate("cosine", t, POINTS) for t in range(POINTS)])
    assert rates_of("cosine_warmup")[0] == pytest.approx(1 / 12)
