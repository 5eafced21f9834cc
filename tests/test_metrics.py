"""The metrics: scikit-learn's numbers, their direction, how they are printed, and what cannot be printed so."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from lecturebench import Metric, Predictions
from lecturebench.metrics import METRICS, headline, measure, named, of_task

RNG = np.random.default_rng(3)
Y = RNG.integers(0, 8, 400)
PROBABILITIES = RNG.dirichlet(np.ones(8), 400)
PREDICTED = np.where(RNG.random(400) < 0.5, Y, PROBABILITIES.argmax(1))
CLASSES = Predictions(PREDICTED, PROBABILITIES)
VALUES_Y = RNG.normal(size=60)
VALUES = Predictions(VALUES_Y + RNG.normal(size=60))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("error", np.mean(PREDICTED != Y)),
        ("accuracy", sk.accuracy_score(Y, PREDICTED)),
        ("top5_error", 1 - sk.top_k_accuracy_score(Y, PROBABILITIES, k=5)),
        ("macro_f1", sk.f1_score(Y, PREDICTED, average="macro")),
        ("loss", sk.log_loss(Y, PROBABILITIES)),
    ],
)
def test_metrics_of_classes_are_scikit_learns(name, expected):
    assert measure(Y, CLASSES, of_task("classification"))[name] == pytest.approx(expected, rel=1e-12)


def test_metrics_of_values_are_scikit_learns():
    assert measure(VALUES_Y, VALUES, of_task("regression")) == pytest.approx(
        {
            "mae": sk.mean_absolute_error(VALUES_Y, VALUES.predicted),
            "rmse": sk.root_mean_squared_error(VALUES_Y, VALUES.predicted),
            "r2": sk.r2_score(VALUES_Y, VALUES.predicted),
            "loss": sk.mean_squared_error(VALUES_Y, VALUES.predicted),
        }
    )


def test_error_is_an_exact_share():
    y = np.zeros(500, int)
    predicted = np.where(np.arange(500) < 31, 1, 0)
    assert METRICS["error"].of(y, Predictions(predicted)) == 31 / 500, "1 - accuracy is 0.06200000000000006"


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_metric_with_losses_is_their_mean_and_the_others_are_none(task):
    y, predictions = (Y, CLASSES) if task == "classification" else (VALUES_Y, VALUES)
    for metric in of_task(task).values():
        if metric.losses is not None:
            losses = metric.losses(y, predictions)
            assert losses.shape == y.shape
            assert losses.mean() == pytest.approx(metric.of(y, predictions), rel=1e-12), metric.name
    means = {name for name, metric in of_task(task).items() if metric.losses is not None}
    assert means == ({"error", "accuracy", "top5_error", "loss"} if task == "classification" else {"mae", "loss"})


def test_without_probabilities_their_metrics_are_left_out():
    values = measure(Y, Predictions(PREDICTED), of_task("classification"))
    assert set(values) == {"error", "accuracy", "macro_f1"}


def test_top5_error_is_left_out_where_all_classes_are_inside():
    few = Predictions(np.zeros(4, int), np.full((4, 3), 1 / 3))
    assert "top5_error" not in measure(np.array([0, 1, 2, 0]), few, of_task("classification"))


def test_loss_does_not_depend_on_the_type_of_the_probabilities():
    sharp = np.array([[1 - 1e-12, 1e-12], [0.3, 0.7]])
    y = np.array([1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exact = METRICS["loss"].of(y, Predictions(sharp.argmax(1), sharp))
        single = METRICS["loss"].of(y, Predictions(sharp.argmax(1), sharp.astype(np.float32)))
    assert exact == pytest.approx((-math.log(1e-12) - math.log(0.7)) / 2, rel=1e-9)
    assert single == pytest.approx(exact, rel=1e-6), "scikit-learn clips single precision at 1.2e-7"


def test_an_own_metric_is_one_line():
    own = Metric("balanced_accuracy", "higher", lambda y, p: sk.balanced_accuracy_score(y, p.predicted), percent=True)
    values = measure(Y, CLASSES, of_task("classification", (own,)))
    assert values["balanced_accuracy"] == sk.balanced_accuracy_score(Y, PREDICTED)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("error", 0.0231, "2.31%"),
        ("accuracy", 0.938, "93.80%"),
        ("validation error", 0.0231, "2.31%"),
        ("macro_f1", 0.91, "91.00%"),
        ("mae", 254.66, "254.7"),
        ("mae", 0.0213, "0.0213"),
        ("rmse", 0.0, "0.0"),
        ("r2", 0.87654, "0.877"),
        ("loss", 0.0678, "0.0678"),
        ("deviation", 1.234e-16, "1.23e-16"),
        ("error", math.nan, "–"),
        ("mae", math.inf, "inf"),
    ],
)
def test_values_are_shown_as_people_write_them(name, value, text):
    assert named(name).show(value) == text


@pytest.mark.parametrize(("name", "better"), [("accuracy", "higher"), ("r2", "higher"), ("deviation", "lower")])
def test_what_is_no_metric_is_a_measured_number_and_lower_is_better(name, better):
    assert named(name).better == better


@given(st.sampled_from(sorted(METRICS)), st.floats(-10, 10), st.floats(-10, 10))
def test_the_lowest_cost_is_the_best(name, a, b):
    metric = METRICS[name]
    assert metric.reached(a, b) == (metric.cost(a) <= metric.cost(b))


@pytest.mark.parametrize(
    ("name", "printed", "value", "refused"),
    [
        ("accuracy", "93.8%", 0.938, False),
        ("accuracy", "0.938", 0.938, False),
        ("accuracy", "93.8", 93.8, True),
        ("error", "2.3", 2.3, True),
        ("mae", "254.7", 254.7, False),
        ("mae", "12%", 0.12, True),
        ("loss", "6%", 0.06, True),
        ("slope", "6%", 0.06, False),
    ],
)
def test_what_cannot_have_been_printed_is_refused(name, printed, value, refused):
    assert bool(named(name).refusal(printed, value)) == refused


@pytest.mark.parametrize("name", ["", "top 5", " "])
def test_a_name_of_several_words_is_refused(name):
    with pytest.raises(ValueError, match="one word"):
        Metric(name, "lower", lambda y, p: 0.0)


def test_direction_is_one_of_two():
    with pytest.raises(ValueError, match="'lower' or 'higher'"):
        Metric("kappa", "up", lambda y, p: 0.0)  # type: ignore[arg-type]


def test_headline_is_the_asked_metric_or_the_first_known():
    assert headline({"loss": 0.2, "error": 0.0231}) == "test error 2.31%"
    assert headline({"loss": 0.2, "error": 0.1, "accuracy": 0.9}, "accuracy") == "test accuracy 90.00%"
    assert headline({"mae": 254.66}) == "test mean absolute error 254.7"
    assert headline({}) == ""
