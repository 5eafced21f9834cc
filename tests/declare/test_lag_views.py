"""Lags: a row sees the days before it, never its own, and of a test day nothing reaches what stands before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench import Lags
from lecturebench.datasets import Dataset, Split

COLUMNS = ("volume", "price", "monday")


def days(train=12, test=6, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(3, 2, (train + test, 2)), np.arange(train + test) % 5 == 0])
    return Dataset(
        kind="table", task="regression", train=Split(X[:train], X[:train, 0]), test=Split(X[train:], X[train:, 0]),
        columns=COLUMNS, name="made up", source="here", digests={"train": "1", "test": "2"},
    )  # fmt: skip


def show(view, dataset, fitted=None):
    """As a run sees it that fits these rows, all that it can by default."""
    lagged = view.lagged(dataset)
    return view.see(lagged, np.arange(len(lagged.train)) if fitted is None else fitted)


def all_rows(dataset):
    return np.concatenate([dataset.train.X, dataset.test.X])


@given(st.integers(1, 5), st.booleans(), st.sampled_from(["train", "all", "none"]), st.integers(0, 9))
def test_a_row_has_its_past_oldest_first_and_what_is_known_of_itself(steps, flat, over, seed):
    data = days(seed=seed)
    view = Lags(steps, ("volume", "price"), ("monday",), over=over, flat=flat)
    X, shown = all_rows(data), show(view, data)
    seen = all_rows(shown)
    assert (len(shown.train), len(shown.test)) == (12 - steps, 6)
    assert seen.shape[1:] == view.shape
    np.testing.assert_array_equal(shown.train.y, data.train.y[steps:])
    scaled = X[:, :2]
    if over != "none":
        lags = np.concatenate([X[row - steps : row, :2] for row in range(steps, 12)])
        of = X[:, :2] if over == "all" else lags
        scaled = (scaled - of.mean(axis=0)) / of.std(axis=0)
    for row in range(steps, 18):
        past, monday = scaled[row - steps : row], X[row, 2]
        if flat:
            np.testing.assert_allclose(seen[row - steps], [*past.ravel(), monday], atol=1e-12)
        else:
            beside = np.column_stack([past, np.full(steps, monday)])
            np.testing.assert_allclose(seen[row - steps], beside, atol=1e-12)


@given(st.integers(0, 5), st.sampled_from(["train", "none"]))
def test_a_test_day_reaches_neither_its_own_features_nor_those_of_any_day_before(day, over):
    data, view = days(), Lags(3, ("volume", "price"), over=over)
    X = data.test.X.copy()
    X[day:, :2] += 100.0
    other = replace(data, test=Split(X, X[:, 0]))
    before, after = (show(view, each) for each in (data, other))
    np.testing.assert_array_equal(before.train.X, after.train.X)
    np.testing.assert_array_equal(before.test.X[: day + 1], after.test.X[: day + 1])
    if day < 5:
        assert (before.test.X[day + 1, -1] != after.test.X[day + 1, -1]).all()


def test_standardising_over_all_days_lets_test_days_through_as_the_published_protocol_does():
    data = days()
    X = data.test.X + 100.0
    other = replace(data, test=Split(X, X[:, 0]))
    view = Lags(3, ("volume",), over="all")
    before, after = (show(view, each) for each in (data, other))
    assert (before.train.X != after.train.X).all()


def test_only_the_past_of_rows_that_are_fitted_gives_means():
    data, view = days(), Lags(2, ("volume",))
    X = data.train.X.copy()
    X[9:] = 1e6  # what no fitted row looks back to
    other = replace(data, train=Split(X, X[:, 0]))
    fitted = np.array([0, 3, 7])  # days 2, 5 and 9
    before, after = (show(view, each, fitted).train.X[:8] for each in (data, other))
    np.testing.assert_array_equal(before, after)


def test_a_column_that_is_not_there_and_rows_drawn_anew_are_named():
    with pytest.raises(ValueError, match=r"made up has no column 'colour'; it has volume, price, monday"):
        Lags(2, ("colour",)).lagged(days())
    drawn = replace(days(), digests={"train": "1", "resplit by": "3"})
    with pytest.raises(ValueError, match="drawn anew: leave resplit out"):
        show(Lags(2, ("volume",)), drawn)


def test_what_is_forecast_is_not_known_beforehand_and_lags_need_rows():
    with pytest.raises(ValueError, match="known has 'volume', which is what is forecast"):
        Lags(2, ("price",), ("volume",)).lagged(days())
    with pytest.raises(ValueError, match="steps is 12; made up has 12 training rows"):
        Lags(12, ("volume",)).lagged(days())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0, "series": ("volume",)}, "steps is 0; it must be a whole number, 1 or above"),
        ({"steps": 2, "series": ()}, "name the columns whose past is seen"),
        ({"steps": 2, "series": ("volume",), "over": "test"}, "over is 'test'; it must be 'train', 'all' or 'none'"),
    ],
)
def test_lags_that_make_no_sense_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Lags(**given)
