"""Nearest neighbours against scikit-learn's brute force, and what they do with ties and odd input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from baselines import neighbours
from baselines.neighbours import nearest_neighbours


def examples(seed, n=300, p=12, classes=4):
    rng = np.random.default_rng(seed)
    return rng.random((n, p), dtype=np.float32), rng.integers(classes, size=n)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5, 20]))
def test_neighbours_answer_as_scikit_learns_brute_force(seed, k):
    X, y = examples(seed)
    asked, _ = examples(seed + 1, n=100)
    other = KNeighborsClassifier(k, algorithm="brute").fit(X.astype(float), y)
    assert np.array_equal(nearest_neighbours(X, y, k=k).predict(asked), other.predict(asked))


def test_chunks_change_no_answer(monkeypatch):
    X, y = examples(0)
    model, asked = nearest_neighbours(X, y, k=5), examples(1, n=100)[0]
    at_once = model.predict(asked)
    monkeypatch.setattr(neighbours, "CHUNK", 7)
    assert np.array_equal(model.predict(asked), at_once)


def test_labels_need_not_be_numbered_from_zero():
    X, y = examples(2)
    asked = examples(3, n=50)[0]
    plain, named = (nearest_neighbours(X, labels, k=3).predict(asked) for labels in (y, 10 * y - 7))
    assert np.array_equal(10 * plain - 7, named)


def test_neighbours_far_from_the_origin_are_told_apart():
    # In float32, |z|^2 near 1e8 hides differences of 1: the candidates are measured again.
    X = 1e4 + np.arange(8, dtype=np.float32)[:, None]
    assert list(nearest_neighbours(X, np.arange(8), k=1).predict(X)) == list(range(8))


def test_of_equally_near_examples_the_earlier_counts_and_of_equal_votes_the_smaller_class():
    X = np.array([[1], [-1], [3]], dtype=np.float32)
    at_zero = np.zeros((1, 1), dtype=np.float32)
    assert nearest_neighbours(X, np.array([2, 1, 0]), k=1).predict(at_zero) == 2
    assert nearest_neighbours(X, np.array([2, 1, 0]), k=2).predict(at_zero) == 1


def test_threads_change_no_answer():
    X, y = examples(4, n=2000, p=300)
    asked = examples(5, n=500, p=300)[0]
    answers = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            answers.append(nearest_neighbours(X, y, k=5).predict(asked))
    assert np.array_equal(*answers)


def test_no_example_gets_no_answer():
    X, y = examples(6)
    assert nearest_neighbours(X, y, k=3).predict(X[:0]).shape == (0,)


@pytest.mark.parametrize("k", [-1, 0, 301])
def test_k_that_no_training_set_has_is_refused(k):
    with pytest.raises(ValueError, match=rf"k is {k} and X is \(300, 12\); k must be from 1 to the 300"):
        nearest_neighbours(*examples(0), k=k)


def test_examples_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"X is \(300, 11\); it must be \(m, 12\)"):
        nearest_neighbours(*examples(0), k=1).predict(examples(0, p=11)[0])
