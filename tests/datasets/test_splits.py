"""Splits are drawn by the run's generator alone; a missing test split by the examples alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets import validation_split
from lecturebench.datasets.splits import every_fifth


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32))
def test_train_and_validation_together_are_all_examples_once(n, share, seed):
    train, validation = validation_split(n, share, np.random.default_rng(seed))
    assert sorted([*train, *validation]) == list(range(n))
    assert len(validation) == round(n * share)
    assert (np.diff(train) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_equal_generators_draw_equal_splits_and_others_do_not():
    split, same, other = (validation_split(100, 0.2, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(split, same)
    assert split.tolist() != other.tolist()


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_outside_of_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match="must be in"):
        validation_split(10, share, np.random.default_rng(0))


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40, unique=True), st.data())
def test_every_fifth_example_is_the_same_one_in_any_order(hashes, data):
    shuffled = data.draw(st.permutations(hashes))
    train, test = every_fifth(hashes)
    assert len(test) == len(hashes) // 5
    assert sorted([*train, *test]) == list(range(len(hashes)))
    assert [hashes[i] for i in test] == [shuffled[i] for i in every_fifth(shuffled)[1]]
