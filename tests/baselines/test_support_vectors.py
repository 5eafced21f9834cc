"""The support vector machines against the conditions of their optimum and against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC, LinearSVC

from baselines import support_vectors
from baselines.support_vectors import linear_svm, rbf_svm


def examples(seed=0, n=400, p=6):
    """Four overlapping clouds of points."""
    rng = np.random.default_rng(seed)
    y = rng.integers(4, size=n)
    centres = rng.normal(size=(4, p)) * 1.5
    return (centres[y] + rng.normal(size=(n, p))).astype(np.float32), y


@pytest.fixture
def precise(monkeypatch):
    monkeypatch.setattr(support_vectors, "TOLERANCE", 1e-10)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_slope_of_the_objective_vanishes_at_the_fit(precise, C):
    X, y = examples()
    model = linear_svm(X, y, C=C)
    sides = np.where(y[:, None] == np.arange(4), 1, -1)
    short = np.maximum(0, 1 - sides * (X @ model.coef_.T.astype(float) + model.intercept_))
    pull, steepest = X.T @ (sides * short), np.abs(X.T @ sides).max()
    np.testing.assert_allclose(model.coef_.T / (2 * C * steepest), pull / steepest, atol=2e-4)
    np.testing.assert_allclose((sides * short).mean(axis=0), 0, atol=2e-4)


def test_fit_is_that_of_scikit_learn_once_its_intercept_is_free(precise):
    X, y = examples()
    # The larger the column that carries it, the less the penalty on the intercept counts.
    other = LinearSVC(C=1.0, dual=False, intercept_scaling=100, tol=1e-8, max_iter=100_000).fit(X.astype(float), y)
    model = linear_svm(X, y, C=1.0)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=5e-3)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=5e-3)
    assert np.array_equal(model.predict(X), other.predict(X))


def test_tolerance_of_every_day_moves_no_decision_far(monkeypatch):
    X, y = examples()
    loose = linear_svm(X, y)
    monkeypatch.setattr(support_vectors, "TOLERANCE", 1e-10)
    np.testing.assert_allclose(loose.decision_function(X), linear_svm(X, y).decision_function(X), atol=0.02)


def test_two_classes_are_mirror_images():
    X, y = examples()
    decisions = linear_svm(X, y > 1).decision_function(X)
    np.testing.assert_allclose(decisions[:, 0], -decisions[:, 1], atol=1e-4)


def test_fit_that_is_cut_short_warns(monkeypatch):
    monkeypatch.setattr(support_vectors, "ITERATIONS", 2)
    with pytest.warns(UserWarning, match="stopped after 2 iterations before it converged"):
        linear_svm(*examples())


@pytest.mark.parametrize("C", [0, -1.0, float("nan")])
def test_penalty_that_is_none_is_refused(C):
    with pytest.raises(ValueError, match=r"C is .*; it must be above 0"):
        linear_svm(*examples(), C=C)


def test_one_class_is_refused():
    X, y = examples()
    with pytest.raises(ValueError, match=r"X is \(400, 6\) and y has 1 classes of 400 examples"):
        linear_svm(X, 0 * y)


def test_labels_that_do_not_belong_to_the_examples_are_refused():
    X, y = examples()
    with pytest.raises(ValueError, match=r"X is \(400, 6\) and y has 4 classes of 399 examples"):
        linear_svm(X, y[:-1])


def test_decisions_about_another_width_are_refused():
    X, y = examples()
    with pytest.raises(ValueError, match=r"X is \(400, 5\); it must be \(m, 6\)"):
        linear_svm(X, y).predict(X[:, :5])


def test_inner_products_of_features_are_the_kernel_where_an_example_is_a_landmark():
    X, y = examples()
    kernel = rbf_svm(X, y, landmarks=60, gamma=0.1, seed=0).kernel
    features, at = kernel.transform(X), kernel.component_indices_
    assert len(set(at)) == 60
    squares = np.square(X[:, None] - X[None, at], dtype=float).sum(axis=2)
    np.testing.assert_allclose(features @ features[at].T, np.exp(-0.1 * squares), atol=1e-4)


def test_with_every_example_a_landmark_it_is_the_kernel_machine():
    X, y = examples(n=1200)
    X, asked, y, truth = X[:400], X[400:], y[:400], y[400:]
    # scikit-learn's SVC takes the hinge and not its square, and one class against another: nearly the same answers.
    exact = SVC(C=1.0, gamma=0.1).fit(X, y)
    ours = rbf_svm(X, y, landmarks=len(X), gamma=0.1, seed=0)
    assert np.mean(ours.predict(asked) == exact.predict(asked)) > 0.95
    assert np.mean(ours.predict(asked) == truth) == pytest.approx(np.mean(exact.predict(asked) == truth), abs=0.02)


def test_with_every_example_a_landmark_decisions_solve_the_kernel_machines_own_equations(precise):
    X, y = examples(n=120)
    model = rbf_svm(X, y, landmarks=len(X), gamma=0.1, seed=0)
    decisions = model.decision_function(X)
    kernel = np.exp(-0.1 * np.square(X[:, None] - X[None], dtype=float).sum(axis=2))
    sides = np.where(y[:, None] == np.arange(4), 1, -1)
    # At the optimum of the machine with kernel K, f = K a + b with a_i = 2 C t_i max(0, 1 - t_i f_i).
    dual = 2 * sides * np.maximum(0, 1 - sides * decisions)
    np.testing.assert_allclose(decisions, kernel @ dual + model.svm.intercept_, atol=0.02)


def test_gamma_that_is_left_to_it_is_that_of_scikit_learns_svc():
    X, y = examples()
    kernel = rbf_svm(X, y, landmarks=10, seed=0).kernel
    assert kernel.gamma == pytest.approx(SVC(gamma="scale").fit(X, y)._gamma, rel=1e-5)


def test_landmarks_are_drawn_by_the_seed():
    X, y = examples()
    first, again, other = (rbf_svm(X, y, landmarks=10, seed=s).decision_function(X) for s in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert not np.allclose(first, other)


@pytest.mark.parametrize("landmarks", [-1, 0, 401])
def test_landmarks_that_no_training_set_has_are_refused(landmarks):
    with pytest.raises(ValueError, match=rf"landmarks is {landmarks} and X is \(400, 6\); it must be from 1 to the"):
        rbf_svm(*examples(), landmarks=landmarks)


def test_gamma_that_is_none_is_refused():
    with pytest.raises(ValueError, match="gamma is -1; it must be above 0"):
        rbf_svm(*examples(), landmarks=10, gamma=-1)


def test_constant_examples_give_no_gamma():
    X, y = examples()
    with pytest.raises(ValueError, match=r"X \(400, 6\) is constant"):
        rbf_svm(0 * X, y, landmarks=10)
