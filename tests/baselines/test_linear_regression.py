"""Least squares and the lasso against their normal equations, optimality conditions and scikit-learn's slower way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from baselines.linear import lasso, least_squares

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


def table(seed, n=60, p=5, noise=1.0):
    """Columns of very different scale, two of them nearly the same; y depends on two, with a few wild values."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    y = 3 * X[:, 0] - 2 * X[:, 2] + noise * rng.standard_t(1.5, size=n) + 500
    return X * 10.0 ** np.arange(-2, p - 2) + np.arange(p), y


def scaled(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def largest_lambda(X, y):
    """The smallest at which no coefficient is left: where the slope at b = 0 is no steeper."""
    return np.abs(scaled(X).T @ (y - y.mean())).max() / len(y)


@few
@given(SEEDS)
def test_least_squares_solves_the_normal_equations(seed):
    X, y = table(seed)
    with_one = np.column_stack([np.ones(len(y)), scaled(X)])
    coefficients = np.linalg.solve(with_one.T @ with_one, with_one.T @ y)
    np.testing.assert_allclose(least_squares(X, y).predict(X), with_one @ coefficients, rtol=1e-9)


def test_least_squares_has_an_intercept_and_a_coefficient_for_each_column():
    X, y = table(0)
    model = least_squares(X, y)
    assert model.coef_.shape == (5,)
    np.testing.assert_allclose(model.predict(X), model.intercept_ + X @ model.coef_)


@pytest.mark.parametrize("seed", range(3))
def test_lasso_satisfies_its_optimality_conditions(seed):
    X, y = table(seed, noise=0.5)
    model = lasso(X, y, seed=seed, folds=5, lambdas=20)
    residual = y - model.predict(X)
    slope = scaled(X).T @ residual / len(y)
    size = model.coef_ * X.std(axis=0)
    assert 0 < (size != 0).sum() < len(size)
    assert residual.mean() == pytest.approx(0, abs=1e-9)
    assert np.abs(slope).max() <= model.alpha * (1 + 1e-4)
    np.testing.assert_allclose(slope[size != 0], model.alpha * np.sign(size[size != 0]), rtol=1e-4)


def test_lasso_takes_the_lambda_of_the_smallest_mean_absolute_error():
    X, y = table(9, noise=1.5)
    highest = largest_lambda(X, y)
    slow = GridSearchCV(
        make_pipeline(StandardScaler(), Lasso(tol=1e-6, max_iter=100_000)),
        {"lasso__alpha": highest * np.geomspace(1, 1e-4, 15)},
        scoring={"absolute": "neg_mean_absolute_error", "squared": "neg_mean_squared_error"},
        refit="absolute",
        cv=KFold(5, shuffle=True, random_state=7),
    ).fit(X, y)
    ours = lasso(X, y, seed=7, folds=5, lambdas=15)
    assert ours.alpha == pytest.approx(slow.best_params_["lasso__alpha"])
    assert slow.cv_results_["rank_test_squared"][slow.best_index_] > 1, "the other criterion chooses another"
    assert highest * 1e-4 < ours.alpha < highest
    np.testing.assert_allclose(ours.predict(X), slow.predict(X), rtol=1e-4)


def test_largest_lambda_leaves_no_coefficient_and_the_smallest_is_a_ten_thousandth_of_it():
    X, y = table(3, noise=0.01)
    highest = largest_lambda(X, y)
    alone = lasso(X, y, seed=0, lambdas=1)
    assert alone.alpha == pytest.approx(highest)
    np.testing.assert_allclose(alone.predict(X), y.mean())
    assert lasso(X, y, seed=0, lambdas=2).alpha == pytest.approx(highest * 1e-4)


def test_of_equally_good_lambdas_the_largest_is_taken():
    # The first 14 lambdas leave no coefficient in any fold, and none of the smaller ones predicts better than that.
    X, y = np.array([[-1.0, -1, 1, 0, 1, 0]]).T, np.array([-2.0, 0, 0, 0, 0, 0])
    assert lasso(X, y, seed=0, folds=3).alpha == pytest.approx(largest_lambda(X, y))


@few
@given(SEEDS, st.floats(0.01, 100), st.floats(-100, 100))
def test_units_of_a_column_change_no_prediction_of_the_lasso(seed, factor, shift):
    X, y = table(seed, n=30, p=3)
    changed = X * np.array([1.0, factor, 1.0]) + np.array([0.0, shift, 0.0])
    ours, other = (lasso(columns, y, seed=0, folds=3, lambdas=10) for columns in (X, changed))
    assert ours.alpha == pytest.approx(other.alpha)
    np.testing.assert_allclose(ours.predict(X), other.predict(changed), rtol=1e-5)


def test_coefficients_of_the_lasso_are_those_of_the_columns_as_given():
    X, y = table(4)
    model = lasso(X, y, seed=0, lambdas=20)
    pipeline = make_pipeline(StandardScaler(), Lasso(alpha=model.alpha, tol=1e-8, max_iter=100_000)).fit(X, y)
    np.testing.assert_allclose(model.intercept_ + X @ model.coef_, pipeline.predict(X), rtol=1e-5)


def test_the_other_indicator_of_a_factor_gives_the_lasso_nothing_to_choose():
    X, y = table(5, noise=3.0)
    X[:, 0] = X[:, 0] > X[:, 0].mean()
    twice = np.column_stack([X, 1 - X[:, 0]])
    ours, other = (lasso(columns, y, seed=0, lambdas=20) for columns in (X, twice))
    assert ours.alpha == pytest.approx(other.alpha)
    np.testing.assert_allclose(ours.predict(X), other.predict(twice), rtol=1e-5)


def test_constant_column_changes_nothing():
    X, y = table(6)
    constant = np.column_stack([X, np.full(len(y), 7.0)])
    ours, other = (lasso(columns, y, seed=0, lambdas=20) for columns in (X, constant))
    assert other.coef_[-1] == 0
    np.testing.assert_allclose(ours.predict(X), other.predict(constant), rtol=1e-5)


def test_folds_are_drawn_by_the_seed():
    X, y = table(7, noise=10.0)
    alphas = [lasso(X, y, seed=seed, folds=5, lambdas=20).alpha for seed in range(8)]
    assert len(set(alphas)) > 1
    assert lasso(X, y, seed=3, folds=5, lambdas=20).alpha == alphas[3]


@pytest.mark.parametrize("folds", [-1, 0, 1, 61])
def test_folds_that_cannot_be_drawn_are_refused(folds):
    with pytest.raises(ValueError, match=f"folds is {folds} for 60 rows"):
        lasso(*table(0), seed=0, folds=folds)


def test_folds_can_be_named_row_by_row_and_then_nothing_is_drawn():
    X, y = table(7, noise=10.0)
    drawn = np.empty(60, dtype=int)
    for k, (_, rows) in enumerate(KFold(5, shuffle=True, random_state=3).split(X)):
        drawn[rows] = k
    named, by_seed = lasso(X, y, folds=tuple(drawn), lambdas=20), lasso(X, y, seed=3, folds=5, lambdas=20)
    assert named.alpha == by_seed.alpha
    assert np.array_equal(named.coef_, by_seed.coef_)
    assert lasso(X, y, folds=(drawn + 3) % 5, lambdas=20).alpha == pytest.approx(named.alpha)


@pytest.mark.parametrize("folds", [(0, 1) * 29, (0,) * 60])
def test_folds_that_do_not_fit_the_rows_are_refused(folds):
    with pytest.raises(ValueError, match="folds names"):
        lasso(*table(0), folds=folds)


def test_folds_to_draw_need_a_seed():
    with pytest.raises(ValueError, match="folds is 10 and seed is None"):
        lasso(*table(0))


@pytest.mark.parametrize("lambdas", [-1, 0])
def test_no_lambda_is_refused(lambdas):
    with pytest.raises(ValueError, match=f"lambdas is {lambdas}"):
        lasso(*table(0), seed=0, lambdas=lambdas)
