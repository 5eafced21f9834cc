"""What a run does besides training: streams, splits, metrics, baselines."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax

from baselines.dummy import most_frequent
from baselines.linear import linear_discriminant, multinomial_logistic
from lecturebench import Predictions, metrics
from lecturebench.datasets import load
from lecturebench.training.baselines import fit_baseline
from lecturebench.training.batches import training_examples
from lecturebench.training.outcome import STREAMS, streams
from lecturebench.training.predictions import kept, precision, predictions_of, quick_look, softmax


@pytest.fixture(scope="module")
def digits(own_cache):
    return load("digits")


def test_streams_are_the_spawned_children_in_the_declared_order():
    children = np.random.SeedSequence(7).spawn(5)
    drawn = streams(7)
    assert STREAMS == ("split", "weights", "shuffling", "dropout", "augmentation")
    for name, child in zip(STREAMS, children, strict=True):
        assert drawn[name].integers(2**60) == np.random.default_rng(child).integers(2**60)


def test_methods_with_one_seed_see_one_split(digits):
    first, second = (training_examples(digits, None, 0.2, streams(3)["split"]) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[1], training_examples(digits, None, 0.2, streams(4)["split"])[1])


def test_train_and_validation_share_nothing_and_cover_the_subset(digits):
    train, validation = training_examples(digits, 500, 0.2, streams(0)["split"])
    assert (len(train), len(validation)) == (400, 100)
    assert len(np.union1d(train, validation)) == 500


def test_softmax_equals_scipys_and_is_stable():
    z = np.random.default_rng(0).normal(size=(20, 10)) * 1e4
    np.testing.assert_allclose(softmax(z), scipy_softmax(z, axis=1), atol=1e-12)


def test_quick_look_equals_scikit_learns_metrics():
    rng = np.random.default_rng(0)
    outputs, y = rng.normal(size=(200, 4)).astype(np.float32), rng.integers(0, 4, 200)
    quick = quick_look("classification", outputs, y)
    exact = metrics.measure(y, predictions_of("classification", outputs), metrics.of_task("classification"))
    assert quick["error"] == exact["error"]
    assert quick["loss"] == pytest.approx(exact["loss"], rel=1e-12)
    values, y = rng.normal(size=(50, 1)), rng.normal(size=50)
    exact = metrics.measure(y, predictions_of("regression", values), metrics.of_task("regression"))
    assert quick_look("regression", values, y) == pytest.approx({name: exact[name] for name in ("mae", "loss")})


def test_classes_are_kept_in_the_smallest_type_and_probabilities_where_they_are_needed():
    probabilities = np.array([[0.50001, 0.49999], [0.2, 0.8]])
    predictions = Predictions(np.array([1, 1]), probabilities)
    assert {name: array.dtype for name, array in kept(predictions, None).items()} == {"predicted": np.uint8}
    assert kept(Predictions(np.array([0, 300])), np.dtype(np.float16))["predicted"].dtype == np.uint16
    assert kept(Predictions(np.array([1.5, 300])), None)["predicted"].dtype == np.float64
    known = metrics.of_task("classification")
    assert precision(known, {"error"}, first=True) == np.float16, "for the page"
    assert precision(known, {"error"}, first=False) is None
    assert precision(known, {"error", "loss"}, first=False) == np.float32, "a number is made of them"


def test_discriminant_analysis_by_lsqr_predicts_as_by_svd(digits):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    X = np.asarray(digits.train.X, np.float64).reshape(len(digits.train.y), -1) / digits.scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        svd = LinearDiscriminantAnalysis(solver="svd").fit(X, digits.train.y)
    ours = linear_discriminant(X, digits.train.y)
    test = np.asarray(digits.test.X, np.float64).reshape(len(digits.test.y), -1) / digits.scale
    assert np.mean(svd.predict(test) != ours.predict(test)) < 0.01


def test_baseline_is_fitted_on_all_of_train_and_says_when_it_stopped(digits):
    fitted = fit_baseline(multinomial_logistic, {"iterations": 3}, digits, seed=0)
    assert fitted.n_train == len(digits.train.y)
    assert fitted.n_validation == 0
    assert fitted.parameters == 10 * 65
    assert any("failed to converge" in note for note in fitted.notes)
    assert "stopped after 3 iterations" in fitted.notes


def test_baseline_gets_the_same_predictions_every_time(digits):
    first, second = (fit_baseline(linear_discriminant, {}, digits, seed=0) for _ in range(2))
    assert first.predictions.probabilities.tobytes() == second.predictions.probabilities.tobytes()
    assert first.metrics["test"]["error"] < 0.1


def test_floor_answers_the_most_frequent_class(digits):
    fitted = fit_baseline(most_frequent, {}, digits, seed=0)
    most = np.bincount(digits.train.y).argmax()
    assert fitted.metrics["test"]["error"] == np.mean(np.asarray(digits.test.y) != most)


def test_baseline_that_predicts_nan_is_diverged(digits):
    class Nothing:
        def predict(self, X):
            return np.full(len(X), np.nan)

    values = replace(digits, task="regression")
    fitted = fit_baseline(lambda X, y: Nothing(), {}, values, seed=0)
    assert fitted.diverged == "its predictions are not finite"


def test_iterations_below_one_are_refused():
    with pytest.raises(ValueError, match="iterations is 0"):
        multinomial_logistic(np.zeros((2, 2)), np.array([0, 1]), iterations=0)
