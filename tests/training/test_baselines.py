"""Baselines as scikit-learn has them: with and without probabilities, seeded by the run, timed after their imports."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import pytest

from lecturebench import metrics
from lecturebench.datasets import load
from lecturebench.datasets.decoded import Split
from lecturebench.declare.views import Standardized
from lecturebench.training import baselines
from lecturebench.training.baselines import fit_baseline, flat_inputs
from lecturebench.training.drawn import own_draws


@pytest.fixture(scope="module")
def digits(own_cache):
    return load("digits")


def arrays(digits):
    train, test = (flat_inputs(digits, split.X) for split in (digits.train, digits.test))
    return train, np.asarray(digits.train.y), test, np.asarray(digits.test.y)


def ridge_classifier(X, y):
    from sklearn.linear_model import RidgeClassifier

    return RidgeClassifier().fit(X, y)


def linear_svc(X, y):
    from sklearn.svm import LinearSVC

    return LinearSVC(random_state=0).fit(X, y)


def pipeline(X, y):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC()).fit(X, y)


def neighbours(X, y):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(3).fit(X, y)


@pytest.mark.parametrize("function", [ridge_classifier, linear_svc, pipeline, neighbours])
def test_classes_are_those_of_predict_and_probabilities_are_optional(digits, function):
    X, y, inputs, truth = arrays(digits)
    own = function(X, y)
    fitted = fit_baseline(function, {}, digits, seed=0)
    assert np.array_equal(fitted.predictions.predicted, own.predict(inputs))
    assert fitted.metrics["test"]["error"] == np.mean(own.predict(inputs) != truth)
    assert (fitted.predictions.probabilities is None) == (not hasattr(own, "predict_proba"))
    assert ("loss" in fitted.metrics["test"]) == hasattr(own, "predict_proba")
    assert not fitted.random


class Contrary:
    """Probabilities that speak for another class than ``predict``, as those of SVC(probability=True) may."""

    classes_ = np.array([2, 5])

    def predict(self, X):
        return np.full(len(X), 5)

    def predict_proba(self, X):
        return np.tile([0.9, 0.1], (len(X), 1))


def contrary(X, y):
    return Contrary()


def test_the_predicted_class_is_not_the_likeliest_one_and_classes_without_examples_have_a_column(digits):
    fitted = fit_baseline(contrary, {}, digits, seed=0)
    assert set(fitted.predictions.predicted.tolist()) == {5}
    assert fitted.predictions.probabilities.shape == (len(digits.test.y), 10)
    assert fitted.predictions.probabilities[0].tolist() == [0, 0, 0.9, 0, 0, 0.1, 0, 0, 0, 0]
    assert fitted.metrics["test"]["error"] == np.mean(np.asarray(digits.test.y) != 5)


def test_what_is_no_class_is_refused(digits):
    class Wrong:
        def predict(self, X):
            return np.full(len(X), 11)

    with pytest.raises(ValueError, match="one of the classes 0 to 9"):
        fit_baseline(lambda X, y: Wrong(), {}, digits, seed=0)


def test_loss_is_computed_before_anything_is_rounded(digits):
    from sklearn.metrics import log_loss

    from baselines.linear import linear_discriminant

    X, y, inputs, truth = arrays(digits)
    own = linear_discriminant(X, y).predict_proba(inputs).astype(float)
    fitted = fit_baseline(linear_discriminant, {}, digits, seed=0)
    assert fitted.metrics["test"]["loss"] == pytest.approx(log_loss(truth, own / own.sum(1, keepdims=True)), rel=1e-9)


def test_values_need_nothing_but_predict(digits):
    values = replace(digits, task="regression")
    fitted = fit_baseline(ridge_classifier, {}, values, seed=0)
    assert fitted.predictions.probabilities is None
    assert set(fitted.metrics["test"]) == {"mae", "rmse", "r2", "loss"}


def forest(X, y):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(5).fit(X, y)


class Noise:
    """Predictions drawn when it is made, in one of the ways that random numbers can be had."""

    classes_ = np.arange(10)

    def __init__(self, draw):
        self.numbers = np.asarray([draw() for _ in range(64)])

    def predict(self, X):
        return (10 * self.numbers[np.arange(len(X)) % 64]).astype(int) % 10


default_rng = np.random.default_rng
WAYS = {
    "numpy": np.random.random,
    "python": random.random,
    "default_rng": lambda: default_rng().random(),
    "RandomState": lambda: np.random.RandomState().random_sample(),
    "Random": lambda: random.Random().random(),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_drawn_is_seeded_by_the_run_noticed_and_put_back(digits, way):
    def noise(X, y):
        return Noise(WAYS[way])

    np.random.seed(1)
    random.seed(1)
    first = fit_baseline(noise, {}, digits, seed=0)
    after = np.random.random(), random.random()
    np.random.seed(2)
    random.seed(2)
    again, other = (fit_baseline(noise, {}, digits, seed=seed) for seed in (0, 1))
    assert first.random
    assert np.array_equal(first.predictions.predicted, again.predictions.predicted)
    assert not np.array_equal(first.predictions.predicted, other.predictions.predicted)
    np.random.seed(1)
    random.seed(1)
    assert (np.random.random(), random.random()) == after


def test_a_forest_without_a_seed_is_random_and_reproducible(digits):
    first, again, other = (fit_baseline(forest, {}, digits, seed=seed) for seed in (0, 0, 1))
    assert first.random
    assert other.random
    assert first.predictions.probabilities.tobytes() == again.predictions.probabilities.tobytes()
    assert first.predictions.probabilities.tobytes() != other.predictions.probabilities.tobytes()


def test_numbers_that_decide_nothing_make_no_method_random(digits):
    def svc(X, y):
        from sklearn.svm import SVC

        return SVC().fit(X, y)  # draws a seed that only probabilities would need

    assert not fit_baseline(svc, {}, digits, seed=0).random
    assert not fit_baseline(svc, {}, digits, seed=0, deterministic=True).random


def test_a_method_that_is_declared_deterministic_and_is_not_says_what_to_do(digits):
    with pytest.raises(RuntimeError, match="leave deterministic out, or give its estimator a random_state"):
        fit_baseline(forest, {}, digits, seed=0, deterministic=True)


def test_a_function_that_asks_for_a_seed_gets_the_runs(digits):
    seen = []

    def seeded_forest(X, y, *, seed=None):
        from sklearn.ensemble import RandomForestClassifier

        seen.append(seed)
        return RandomForestClassifier(3, random_state=seed).fit(X, y)

    assert fit_baseline(seeded_forest, {}, digits, seed=7).random
    assert set(seen) == {7}
    assert not fit_baseline(seeded_forest, {"seed": 3}, digits, seed=0).random, "it was given one"
    assert seen[-1] == 3
    fit_baseline(seeded_forest, {}, digits, seed=0, deterministic=False)
    assert seen[-1] == 0


@pytest.mark.parametrize("seed", [0, 3])
def test_what_an_estimator_draws_comes_from_the_stream_behind_the_five_of_the_run(digits, seed):
    from sklearn.ensemble import RandomForestClassifier

    X, y, inputs, _ = arrays(digits)
    fitted = fit_baseline(lambda X, y: RandomForestClassifier(5).fit(X, y), {}, digits, seed=seed)
    first = np.random.SeedSequence(seed, spawn_key=(5, 0)).spawn(1)[0].generate_state(1)[0]
    by_hand = RandomForestClassifier(5, random_state=np.random.RandomState(first)).fit(X, y)
    assert np.array_equal(fitted.predictions.probabilities, by_hand.predict_proba(inputs))


def test_generators_work_as_before_afterwards():
    with own_draws(1) as draws:
        np.random.default_rng(3).random()
        random.Random(3).random()
    assert not draws.any, "generators with a seed of their own draw nothing that anybody must know of"
    assert np.random.default_rng().random() != np.random.default_rng().random()
    assert random.Random().random() != random.Random().random()


def test_imports_and_predicting_are_no_part_of_the_time_of_fitting(digits, monkeypatch):
    monkeypatch.setattr(baselines, "_imported", set())
    fits = []

    class Slow:
        def predict(self, X):
            time.sleep(0.05 if len(X) > 1 else 0.0)
            return np.zeros(len(X), int)

    def slow_at_first(X, y):
        time.sleep(0.0 if fits else 0.1)
        fits.append(len(y))
        return Slow()

    fitted = fit_baseline(slow_at_first, {}, digits, seed=0)
    assert fits == [200, len(digits.train.y)], "once with a few examples, before the timer"
    assert fitted.seconds["import"] >= 0.1 > 0.05 > fitted.seconds["fit"]
    assert fitted.seconds["predict"] >= 0.05
    fit_baseline(slow_at_first, {}, digits, seed=0)
    assert fits[2:] == [len(digits.train.y)], "a warm worker has imported it"


def test_run_that_chooses_is_fitted_without_the_fifth_that_its_seed_draws_and_measured_on_it(digits):
    from lecturebench.training.batches import training_examples
    from lecturebench.training.outcome import streams

    given = []

    def seen(X, y):
        given.append((X, y))
        return neighbours(X, y)

    fitted = fit_baseline(seen, {}, digits, seed=1001, chooses=True)
    train, held_out = training_examples(digits, None, 0.2, streams(1001)["split"])
    X, y, _, _ = arrays(digits)
    assert np.array_equal(given[-1][0], X[train])
    assert np.array_equal(given[-1][1], y[train])
    answers = neighbours(X[train], y[train]).predict(X[held_out])
    assert fitted.metrics["validation"]["error"] == np.mean(answers != y[held_out])
    assert (fitted.n_train, fitted.n_validation) == (len(train), len(held_out))
    assert set(fitted.metrics) == {"test", "validation"}
    few = fit_baseline(neighbours, {}, digits, seed=1001, chooses=True, train_size=100)
    assert (few.n_train, few.n_validation) == (80, 20)
    judged = fit_baseline(neighbours, {}, digits, seed=1001)
    assert (judged.n_train, judged.n_validation, set(judged.metrics)) == (len(y), 0, {"test"})
    with pytest.raises(ValueError, match="2 training examples are too few to hold out 20%"):
        fit_baseline(neighbours, {}, digits, seed=1001, chooses=True, train_size=2)


def test_columns_are_scaled_over_the_examples_that_are_fitted(digits):
    table = replace(digits, kind="table", train=as_table(digits.train), test=as_table(digits.test))
    given = []

    def seen(X, y):
        given.append(X)
        return ridge_classifier(X, y)

    fit_baseline(seen, {}, table, seed=1001, chooses=True, view=Standardized("train"))
    varied = given[-1].std(axis=0) > 0
    assert np.allclose(given[-1].mean(axis=0), 0)
    assert np.allclose(given[-1].std(axis=0)[varied], 1)


def as_table(split):
    return replace(split, X=np.asarray(split.X, dtype=float).reshape(len(split.y), -1))


def test_run_that_chooses_is_fitted_once_whatever_it_draws(digits):
    fits = []

    def counted(X, y):
        fits.append(len(y))
        return forest(X, y)

    fit_baseline(counted, {}, digits, seed=0, chooses=True)
    once = len([n for n in fits if n > 200])
    fit_baseline(counted, {}, digits, seed=0)
    assert (once, len([n for n in fits if n > 200])) == (1, 3)


def test_own_metrics_are_measured(digits):
    own = metrics.Metric("kappa", "higher", lambda y, p: 0.5)
    fitted = fit_baseline(contrary, {}, digits, seed=0, metrics=metrics.of_task("classification", (own,)))
    assert fitted.metrics["test"]["kappa"] == 0.5


def scaled_in_place(X, y):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(copy=False), LogisticRegression(max_iter=50)).fit(X, y)


def scaled(X, y):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=50)).fit(X, y)


class Centred:
    """Moves what it is given, and draws a number, so that it is fitted twice."""

    def __init__(self, X, y):
        self.noise = np.random.normal()
        X -= X.mean(axis=0)
        self.classes_ = np.unique(y)
        self.means = np.stack([X[y == label].mean(axis=0) for label in self.classes_])

    def predict(self, X):
        X -= 0.5
        return ((X[:, None] - self.means) ** 2).sum(axis=2).argmin(axis=1)


@pytest.mark.parametrize("kind", ["images", "table"])
def test_estimator_that_changes_what_it_is_given_is_measured_as_one_that_does_not(digits, kind):
    some = replace(digits, train=Split(digits.train.X[:400], digits.train.y[:400]))
    data = some if kind == "images" else replace(some, kind=kind, train=as_table(some.train), test=as_table(some.test))
    plain, in_place = (fit_baseline(function, {}, data, seed=0) for function in (scaled, scaled_in_place))
    assert in_place.metrics == plain.metrics
    np.testing.assert_array_equal(in_place.predictions.probabilities, plain.predictions.probabilities)
    first, other = (fit_baseline(Centred, {}, data, seed=seed) for seed in (0, 1))
    assert not first.random
    np.testing.assert_array_equal(first.predictions.predicted, other.predictions.predicted)
