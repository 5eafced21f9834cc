"""A record as flat names and series."""

from __future__ import annotations

from lecturebench.execution.trackers.scalars import flat, scalars
from tests.execution.trackers.build import make_record


def test_scalars_are_the_curve_then_what_was_measured_once():
    found = scalars(make_record())
    begin = 1793527200.0 + 4  # fits begin after import and build
    assert [(one.step, one.value, one.time - begin) for one in found if one.name == "error/train"] == [
        (1, 0.5, 1.0),
        (2, 0.1, 2.0),
    ]
    assert [(one.step, one.value, one.time - begin) for one in found if one.name == "error/test"] == [(2, 0.25, 2.5)]


def test_baseline_without_epochs_has_its_metrics_at_step_0():
    assert [(one.name, one.step) for one in scalars(make_record(curve=[]))] == [
        ("error/train", 0),
        ("error/test", 0),
        ("loss/test", 0),
    ]


def test_nested_recipe_becomes_flat_names():
    recipe = {"units": [4, 2], "penalty": None, "options": {"rho": 0.9, "nesterov": True}}
    assert flat(recipe) == {"units": "[4, 2]", "penalty": "null", "options.rho": 0.9, "options.nesterov": True}
