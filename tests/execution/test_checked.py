"""Answers that are none are refused before they become a number; those of real methods pass."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lecturebench import Measured, Predictions
from lecturebench.datasets import load
from lecturebench.execution.checked import measuring, refuse_odd
from lecturebench.training.baselines import fit_baseline
from lecturebench.training.outcome import Fitted


@pytest.fixture(scope="module")
def digits(own_cache):
    return load("digits")


@pytest.fixture(scope="module")
def values(digits):
    """The same examples with a value to predict."""
    return replace(digits, task="regression", classes=())


def estimator(predict, predict_proba=None, classes=range(10)):
    """A baseline's function whose estimator answers so."""
    answers = {"predict": predict, "classes_": np.asarray(classes)}
    if predict_proba is not None:
        answers["predict_proba"] = predict_proba
    return lambda X, y: SimpleNamespace(**answers)


def zeros(X):
    return np.zeros(len(X), int)


def probabilities(change):
    def predict_proba(X):
        p = np.zeros((len(X), 10))
        p[:, 0] = 1
        return change(p)

    return predict_proba


def fit(function, dataset):
    fitted = fit_baseline(function, {}, dataset, seed=0, deterministic=True)
    refuse_odd(fitted, dataset)
    return fitted


def with_(p, place, value):
    p[place] = value
    return p


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: with_(p, (3, 0), -0.5), "go from -0.5 to 1"),
        (lambda p: with_(p, (3, 1), 1.2), "go from 0 to 1.2"),
        (lambda p: with_(p, (3, 1), 0.5), "add up to 1.5"),
        (lambda p: p * 0.9, "add up to 0.9"),
        (lambda p: p * 0, "add up to 0"),
        (lambda p: p.astype(complex), "an array of complex128"),
        (lambda p: p.astype(object), "an array of object"),
        (lambda p: p.astype(str), "an array of <U32"),
        (lambda p: p > 0.5, "an array of bool"),
        (lambda p: p[:, :9], "has the shape"),
        (lambda p: p[:-1], "has the shape"),
        (lambda p: p[:, :, None], "has the shape"),
        (lambda p: np.ma.masked_less(p, 0.5), "is masked in"),
    ],
)
def test_probabilities_that_are_none_are_refused(digits, change, said):
    with pytest.raises(ValueError, match=said):
        fit(estimator(zeros, probabilities(change)), digits)


@pytest.mark.parametrize("classes", [[0] * 10, range(-1, 9), range(1, 11), np.arange(10) / 2])
def test_columns_must_be_of_known_classes(digits, classes):
    with pytest.raises(ValueError, match="its classes_ are"):
        fit(estimator(zeros, probabilities(lambda p: p), classes), digits)


@pytest.mark.parametrize(
    "predict",
    [
        lambda X: zeros(X).astype(str),
        lambda X: zeros(X).astype(object),
        lambda X: zeros(X).astype(complex),
        lambda X: zeros(X)[:, None],
        lambda X: zeros(X)[:-1],
        lambda X: zeros(X) + 0.5,
        lambda X: np.ma.masked_equal(zeros(X), 0),
        lambda X: None,
        lambda X: 0,
    ],
)
def test_classes_that_are_none_are_refused(digits, predict):
    with pytest.raises(ValueError, match=r"predicts? "):
        fit(estimator(predict), digits)


@pytest.mark.parametrize(
    "predict",
    [
        lambda X: np.ones(len(X), complex),
        lambda X: np.full(len(X), "1.5"),
        lambda X: np.full(len(X), 1.5, object),
        lambda X: np.ones(len(X), bool),
        lambda X: np.ones((len(X), 1)),
        lambda X: np.ones((1, len(X))),
        lambda X: np.ones(len(X) - 1),
        lambda X: np.array(["2020-01-01"] * len(X), "datetime64[D]"),
        lambda X: np.ma.masked_equal(np.ones(len(X)), 1),
    ],
)
def test_values_that_are_none_are_refused(values, predict):
    with pytest.raises(ValueError, match="what it predicts"):
        fit(estimator(predict), values)


def test_what_is_not_finite_has_diverged_and_is_no_error(digits):
    assert fit(estimator(zeros, probabilities(lambda p: p * np.nan)), digits).diverged


@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_probabilities_of_any_real_type_pass_within_their_rounding(digits, dtype):
    def rounded(p):
        return p if dtype is int else (p * 0.9 + 0.01).astype(dtype)

    fitted = fit(estimator(zeros, probabilities(lambda p: rounded(p).astype(dtype))), digits)
    assert fitted.metrics["test"]["error"] > 0.5


def test_lists_and_whole_floats_pass_as_they_always_did(digits):
    assert fit(estimator(lambda X: [3.0] * len(X)), digits).predictions.predicted.dtype == np.int64


def test_a_network_that_gives_what_is_none_is_refused_too(digits):
    n = len(digits.test.y)
    odd = Fitted(predictions=Predictions(np.zeros(n, int), np.full((n, 10), 0.2)))
    with pytest.raises(ValueError, match="add up to 2"):
        refuse_odd(odd, digits)


@pytest.mark.parametrize("value", ["0.5", None, True, 1j, [0.5]])
def test_a_metric_that_is_no_number_is_refused(digits, value):
    if value is True:
        refuse_odd(Fitted(metrics={"measured": {"found": value}}), digits)
        return
    with pytest.raises(ValueError, match="its measured 'found' is"):
        refuse_odd(Fitted(metrics={"measured": {"found": value}}), digits)


@pytest.mark.parametrize("value", ["0.5", b"0.5", 0.5 + 1j, np.complex64(1)])
def test_an_experiment_that_measures_text_is_refused(value):
    function = measuring(lambda dataset, rng: Measured({"found": value}))
    with pytest.raises(ValueError, match="it measured 'found' as"):
        function(None, None)
    function = measuring(lambda dataset, rng: Measured({}, curve=({"found": value},)))
    with pytest.raises(ValueError, match="it measured 'found' as"):
        function(None, None)
