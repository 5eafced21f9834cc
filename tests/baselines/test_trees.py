"""The tree ensembles are scikit-learn's: here is what our parameters and seeds do to them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from baselines.trees import gradient_boosting, random_forest


def examples(seed=0, n=200, p=6):
    rng = np.random.default_rng(seed)
    X = rng.random((n, p), dtype=np.float32)
    return X, (X[:, 0] + X[:, 1] > 1).astype(int) + (X[:, 2] > 0.7)


def test_forest_is_that_of_scikit_learn_with_the_seed():
    X, y = examples()
    other = RandomForestClassifier(7, random_state=3).fit(X, y)
    assert np.array_equal(random_forest(X, y, trees=7, seed=3).predict_proba(X), other.predict_proba(X))


def test_boosting_is_that_of_scikit_learn_with_the_seed():
    X, y = examples()
    other = HistGradientBoostingClassifier(max_iter=4, max_features=0.5, random_state=3).fit(X, y)
    ours = gradient_boosting(X, y, iterations=4, columns=0.5, seed=3)
    assert np.array_equal(ours.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize(
    "fit",
    [
        lambda X, y, seed: random_forest(X, y, trees=5, seed=seed),
        lambda X, y, seed: gradient_boosting(X, y, iterations=5, columns=0.3, seed=seed),
    ],
)
def test_same_seed_gives_the_same_probabilities_and_another_others(fit):
    X, y = examples()
    first, again, other = (fit(X, y, seed).predict_proba(X) for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)


def test_boosting_that_sees_all_columns_draws_nothing():
    X, y = examples()
    one, other = (gradient_boosting(X, y, iterations=5, seed=seed).predict_proba(X) for seed in (0, 1))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("trees", [-1, 0])
def test_forest_without_trees_is_refused(trees):
    with pytest.raises(ValueError, match=f"trees is {trees}; it must be above 0"):
        random_forest(*examples(), trees=trees)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"iterations": 0}, "iterations is 0; it must be above 0"),
        ({"columns": 0.0}, r"columns is 0\.0; it is a share, above 0 and at most 1"),
        ({"columns": 1.5}, r"columns is 1\.5"),
    ],
)
def test_boosting_with_nothing_to_do_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        gradient_boosting(*examples(), **parameters)
