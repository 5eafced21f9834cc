"""What a view made of the fitted examples is noted, and nothing else of the dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lecturebench import Standardized
from lecturebench.datasets import Dataset, Split
from lecturebench.execution.noted import Noted


def test_digests_that_a_view_adds_are_noted_and_what_it_shows_is_its_own():
    split = Split(np.arange(12.0).reshape(6, 2), np.arange(6))
    data = Dataset(
        kind="table", task="regression", train=split, test=split, columns=("a", "b"), name="made up", source="here",
        digests={"train": "1", "test": "2"},
    )  # fmt: skip
    view = Standardized()
    noted = Noted(view)
    shown, expected = noted.see(data, np.array([0, 2])), view.see(data, np.array([0, 2]))
    np.testing.assert_array_equal(shown.train.X, expected.train.X)
    assert noted.words == view.words
    assert noted.made == {"standardized on": expected.digests["standardized on"]}
    noted.see(replace(data, digests=dict(expected.digests)), np.array([0, 2]))
    assert noted.made == {}
