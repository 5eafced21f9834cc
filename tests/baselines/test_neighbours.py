"""Nearest neighbours against distances written out, ties and odd input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.neighbours import nearest_neighbours


def examples(seed, n=60, p=12, classes=4):
    rng = np.random.default_rng(seed)
    return rng.random((n, p), dtype=np.float32), rng.integers(classes, size=n)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5, 20]))
def test_answers_are_those_of_all_distances_written_out(seed, k):
    X, y = examples(seed)
    asked, _ = examples(seed + 1, n=9)
    expected = []
    for x in asked.astype(float):
        nearest = np.argsort([((z - x) ** 2).sum() for z in X.astype(float)], kind="stable")[:k]
        expected.append(np.bincount(y[nearest], minlength=4).argmax())
    np.testing.assert_array_equal(nearest_neighbours(X, y, k=k).predict(asked), expected)


def test_of_equal_votes_the_smaller_class_counts():
    X = np.array([[1], [-2], [30]], dtype=np.float32)
    at_zero = np.zeros((1, 1), dtype=np.float32)
    assert nearest_neighbours(X, np.array([2, 1, 0]), k=1).predict(at_zero) == 2
    assert nearest_neighbours(X, np.array([2, 1, 0]), k=2).predict(at_zero) == 1


@pytest.mark.parametrize("k", [-1, 0, 61])
def test_k_that_no_training_set_has_is_refused(k):
    with pytest.raises(ValueError, match=rf"k is {k} and X is \(60, 12\); k must be from 1 to the 60"):
        nearest_neighbours(*examples(0), k=k)
