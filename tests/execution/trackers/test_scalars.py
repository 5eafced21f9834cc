"""A record as flat names and series."""

from __future__ import annotations

import math

import pytest

from lecturebench.execution.trackers.scalars import flat, scalars
from tests.execution.trackers.build import make_record


def test_scalars_are_the_curve_then_what_was_measured_once():
    series = scalars(make_record())
    begin = 1793527200.0 + 4  # fits begin after import and build
    assert [(scalar.step, scalar.value, scalar.time - begin) for scalar in series if scalar.name == "error/train"] == [
        (1, 0.5, 1.0),
        (2, 0.1, 2.0),
    ]
    assert [(scalar.step, scalar.value, scalar.time - begin) for scalar in series if scalar.name == "error/test"] == [
        (2, 0.25, 2.5)
    ]


def test_baseline_without_epochs_has_its_metrics_at_step_0():
    assert [(scalar.name, scalar.step) for scalar in scalars(make_record(curve=[]))] == [
        ("error/train", 0),
        ("error/test", 0),
        ("loss/test", 0),
    ]


def test_nested_recipe_becomes_flat_names():
    recipe = {"units": [4, 2], "penalty": None, "options": {"rho": 0.9, "nesterov": True}}
    assert flat(recipe) == {"units": "[4, 2]", "penalty": "null", "options.rho": 0.9, "options.nesterov": True}


@pytest.mark.parametrize("point", [{}, {"epcoh": 1.0, "train_loss": 1.0}, {"epoch": math.nan, "train_loss": 1.0}])
def test_point_of_no_epoch_costs_itself_alone(point):
    whole = scalars(make_record())
    assert scalars(make_record(curve=[point, *make_record().curve])) == whole


@pytest.mark.parametrize("started", ["", "yesterday", "0001-01-01T00:00:00", "9999-12-31T23:59:59+00:00"])
def test_run_begun_when_no_clock_was_is_told_all_the_same(started):
    assert len(scalars(make_record(started=started))) == len(scalars(make_record()))
