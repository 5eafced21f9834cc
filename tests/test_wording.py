"""Lengths of time and values in words."""

from __future__ import annotations

import math

import pytest

from lecturebench.wording import duration, expected_duration, short, they_are


def test_durations_are_said_as_people_say_them() -> None:
    said = {0.0: "0.0 s", 0.0112: "0.011 s", 0.4: "0.40 s", 9.94: "9.9 s", 9.96: "10 s", 200: "3 min 20 s"}
    said |= {3900: "1 h 05 min", math.nan: ""}
    assert [duration(seconds) for seconds in said] == list(said.values())


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (1800, "30 min"), (7200, "2.0 h")])
def test_expected_durations_are_told_in_one_unit(seconds: float, text: str) -> None:
    assert expected_duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(1e-5, "1e-5"), (3e-4, "3e-4"), (0.001, "0.001"), (0, "0"), (0.4, "0.4")])
def test_parameters_are_written_short(value: float, text: str) -> None:
    assert short(value) == text


def test_names_are_the_subject_of_a_sentence() -> None:
    said = [they_are(["units"]), they_are(["units", "penalty"]), they_are(["units", "penalty", "rate"])]
    assert said == ["units is", "units and penalty are", "units, penalty and rate are"]
