"""Learning curves as plain data: means and ranges over the seeds at the epochs that all have, and never NaN."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecturebench.judging.results import Results
from lecturebench.report.views.curves import MOST, NAMES, curves_data
from tests.made_up import make_record
from tests.report.test_views_rows import NETWORK, row_of


def point(epoch, value, **others):
    return {"epoch": epoch, "step": 10 * epoch, "seconds": 0.5 * epoch, "validation_error": value} | others


def parts_of(*curves):
    """The parts of a row whose runs recorded these curves; [] if it is left out."""
    runs = [make_record(seed=seed, curve=curve) for seed, curve in enumerate(curves)]
    rows = curves_data(Results((row_of(runs, NETWORK, "error"),), (), (), {}))
    return rows[0]["parts"] if rows else []


def without(curve, name):
    return [{key: value for key, value in point.items() if key != name} for point in curve]


def test_curves_are_mean_and_range_over_the_runs():
    [part] = parts_of([point(1, 0.5), point(2, 0.3)], [point(1, 0.4), point(2, 0.1)])
    assert (part["epoch"], part["step"], part["seconds"]) == ([1, 2], [10, 20], [0.5, 1])
    band = part["curves"]["validation_error"]
    assert band == {"n": 2, "mean": [0.45, 0.2], "low": [0.4, 0.1], "high": [0.5, 0.3]}


def test_each_row_is_named_by_its_place_and_rows_without_curves_are_left_out(results):
    rows = [item["row"] for item in curves_data(results)]
    assert [results.rows[i].method.name for i in rows] == ["ridge", "dropout"]


def test_what_equal_runs_recorded_needs_no_range():
    assert parts_of([point(1, 0.5)], [point(1, 0.5)])[0]["curves"]["validation_error"] == {"n": 2, "mean": [0.5]}


def test_points_of_experiments_without_an_epoch_are_not_meant():
    assert parts_of([{"step": 0, "R": 1.0, "validation_error": 0.2}]) == []
    assert parts_of([{"epoch": 1, "w": 3.0}]) == []
    assert parts_of([], []) == []


def test_an_epoch_that_one_run_lacks_is_left_out():
    [part] = parts_of([point(1, 0.5), point(2, 0.4), point(3, 0.3)], [point(1, 0.4), point(3, 0.1)])
    assert part["epoch"] == [1, 3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308])
def test_an_epoch_whose_value_is_no_number_is_left_out(value):
    [part] = parts_of([point(1, 0.5), point(2, value), point(3, 0.3)], [point(1, 0.4), point(2, 0.4), point(3, 0.1)])
    assert part["epoch"] == [1, 3]
    assert part["curves"]["validation_error"]["high"] == [0.5, 0.3]


@pytest.mark.parametrize("epoch", [math.nan, math.inf, 1e308])
def test_a_point_whose_epoch_is_no_number_is_left_out(epoch):
    [part] = parts_of([point(1, 0.5), point(2, 0.4) | {"epoch": epoch}])
    assert part["epoch"] == [1]


def test_a_run_that_recorded_nothing_does_not_count():
    [part] = parts_of([point(1, 0.5)], [])
    assert part["curves"]["validation_error"]["n"] == 1


@pytest.mark.parametrize("clock", ["step", "seconds"])
def test_a_clock_that_one_run_lacks_is_not_offered(clock):
    curve = [point(1, 0.5), point(2, 0.4)]
    [part] = parts_of(curve, without(curve, clock))
    assert set(part) == {"epoch", "step", "seconds", "curves"} - {clock}


def test_seconds_are_means_over_the_runs():
    [part] = parts_of([point(1, 0.5, seconds=1.0)], [point(1, 0.5, seconds=3.0)])
    assert part["seconds"] == [2]


def test_quantities_recorded_at_other_epochs_have_epochs_of_their_own():
    curve = [point(0.5, 0.6), point(1, 0.5, train_loss=2.0, train_error=0.7)]
    fine, whole = sorted(parts_of(curve, curve), key=lambda part: -len(part["epoch"]))
    assert (fine["epoch"], list(fine["curves"])) == ([0.5, 1], ["validation_error"])
    assert (whole["epoch"], set(whole["curves"])) == ([1], {"train_loss", "train_error"})


def test_long_curves_are_thinned_and_keep_their_ends():
    curve = [point(i / 100, 1 / (1 + i)) for i in range(1, 1001)]
    [part] = parts_of(curve, curve)
    assert len(part["epoch"]) == len(part["curves"]["validation_error"]["mean"]) == MOST
    assert (part["epoch"][0], part["epoch"][-1]) == (0.01, 10)
    steps = [later - earlier for earlier, later in zip(part["epoch"], part["epoch"][1:], strict=False)]
    assert max(steps) < 2 * min(steps)


def test_numbers_have_five_digits():
    [part] = parts_of([point(1 / 3, 0.123456789, step=123456.7)])
    assert part["epoch"] == [0.33333]
    assert part["curves"]["validation_error"]["mean"] == [0.12346]
    assert json.dumps(part["step"]) == "[123460]"


def test_regression_has_its_own_error():
    [part] = parts_of([{"epoch": 1, "train_mae": 300.0, "validation_mae": 250.5, "validation_loss": 9e4}])
    assert {name: band["mean"] for name, band in part["curves"].items()} == {
        "train_mae": [300], "validation_mae": [250.5], "validation_loss": [90000],
    }  # fmt: skip


def test_the_order_of_points_and_runs_changes_nothing():
    first, second = [point(1, 0.5), point(2, 0.3)], [point(1, 0.4), point(2, 0.1)]
    assert parts_of(first, second) == parts_of(second[::-1], first)


NUMBERS = st.floats() | st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([1e99, -1e308, 5e-324])
POINTS = st.dictionaries(st.sampled_from(["epoch", "step", "seconds", "w", "", *NAMES]), NUMBERS) | st.builds(
    point, st.integers(0, 4), NUMBERS, train_loss=NUMBERS
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(POINTS, max_size=6), max_size=4))
def test_odd_records_give_json_without_nan(curves):
    for part in parts_of(*curves):
        assert json.loads(json.dumps(part, allow_nan=False)) == part
        assert 0 < len(part["epoch"]) <= MOST
        assert part["epoch"] == sorted(part["epoch"])
        assert part["curves"]
        for name, band in part["curves"].items():
            assert name in NAMES
            assert 1 <= band["n"] <= len(curves)
            for low, mean, high in zip(
                band.get("low", band["mean"]), band["mean"], band.get("high", band["mean"]), strict=True
            ):
                slack = 1e-4 * max(abs(low), abs(high))
                assert low - slack <= mean <= high + slack
            assert all(len(part[clock]) == len(band["mean"]) for clock in ("epoch", "step", "seconds") if clock in part)
