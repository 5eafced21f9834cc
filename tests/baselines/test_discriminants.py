"""Discriminant analysis with a shrunken covariance, against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.linear import linear_discriminant, shrunken_discriminant


def classes(n: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n Gaussian examples of three classes, with columns that correlate where they are few."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    means, mixing = rng.normal(size=(3, p)), rng.normal(size=(p, p)) if p < 10 else 4 * np.eye(p)
    return means[y] + rng.normal(size=(n, p)) @ mixing, y


@pytest.mark.parametrize("s", [0.0, 0.2, 1.0])
def test_the_class_with_the_largest_discriminant_of_the_shrunken_covariance_is_predicted(s):
    X, y = classes(300, 6, seed=1)
    means = np.array([X[y == k].mean(axis=0) for k in range(3)])
    within = X - means[y]
    S = within.T @ within / len(X)
    inverse = np.linalg.inv((1 - s) * S + s * np.trace(S) / 6 * np.eye(6))
    scores = X @ inverse @ means.T - np.einsum("kp,pq,kq->k", means, inverse, means) / 2 + np.log(1 / 3)
    model = shrunken_discriminant(X, y, shrinkage=s)
    np.testing.assert_array_equal(model.predict(X), scores.argmax(axis=1))
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-8, atol=1e-8)


def test_without_shrinkage_it_is_the_slides_discriminant_analysis():
    X, y = classes(120, 8, seed=2)
    np.testing.assert_allclose(
        shrunken_discriminant(X, y, shrinkage=0.0).decision_function(X), linear_discriminant(X, y).decision_function(X)
    )


def test_shrinkage_helps_where_columns_are_nearly_as_many_as_examples():
    X, y = classes(90, 60, seed=3)
    new, truth = classes(3000, 60, seed=3)[0][90:], (np.arange(3000) % 3)[90:]
    errors = [np.mean(shrunken_discriminant(X, y, shrinkage=s).predict(new) != truth) for s in (0.0, 0.1)]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("s", [-0.1, 1.5])
def test_a_shrinkage_outside_0_and_1_is_refused(s):
    X, y = classes(30, 2, seed=0)
    with pytest.raises(ValueError, match=rf"shrinkage is {s}; it must be in \[0, 1\]"):
        shrunken_discriminant(X, y, shrinkage=s)
