"""Notes on features: columns that count the rows or copy the target, and examples of both splits."""

import numpy as np
import pytest

from lecturebench.datasets import features
from lecturebench.datasets.decoded import Decoded, Split

NOISE = np.random.default_rng(0).permutation(40) * 2.5
CLASSES = np.arange(40) % 3


def table(columns, y, n=30, task="classification"):
    """A table of these columns by name; the first n rows are for training."""
    X = np.column_stack(list(columns.values())).astype(float)
    return Decoded(
        kind="table",
        task=task,
        train=Split(X[:n], y[:n]),
        test=Split(X[n:], y[n:]),
        classes=("a", "b", "c") if task == "classification" else (),
        columns=tuple(columns),
    )


@pytest.mark.parametrize(
    ("name", "values", "counts"),
    [
        ("Unnamed: 0", np.arange(40), True),
        ("n", np.random.default_rng(1).permutation(40) + 1, True),
        ("at", np.arange(40) * 3 + 7, True),
        ("user_id", np.random.default_rng(1).permutation(40) * 7 + 3, True),
        ("income", np.random.default_rng(1).permutation(40) * 7 + 3, False),
        ("id", CLASSES // 2, False),
        ("seconds", np.arange(40) + 0.5, False),
    ],
)
def test_column_that_counts_the_rows_is_said(name, values, counts):
    said = features.notes(table({"p": NOISE, name: values}, CLASSES), {})
    assert [name in note for note in said] == [True] * counts


def test_column_that_copies_the_target_is_said():
    copies = table(
        {"p": NOISE, "label_id": np.array([7, 5, 9])[CLASSES], "half": CLASSES // 2, "one": NOISE * 0}, CLASSES
    )
    assert features.notes(copies, {}) == [
        "Column 'label_id' equals the target, one to one: leave it out if it is the target once more."
    ]
    values = table({"p": NOISE + 1, "again": NOISE}, NOISE, task="regression")
    assert ["'again' equals the target" in note for note in features.notes(values, {})] == [True]
    one_slip = np.where(np.arange(40) == 39, 0, CLASSES + 1)
    assert features.notes(table({"p": NOISE, "q": one_slip}, CLASSES), {}) == []


def test_category_that_copies_the_target_is_said_once_and_by_its_own_name():
    one_hot = {f"kind={k}": (k + 1) % 3 == CLASSES for k in range(3)}
    said = features.notes(table({"p": NOISE, **one_hot}, CLASSES), {"kind": ("0", "1", "2")})
    assert ["'kind' equals the target" in note for note in said] == [True]
    one_hot["kind=0"] = one_hot["kind=0"] & (np.arange(40) != 37)
    assert features.notes(table({"p": NOISE, **one_hot}, CLASSES), {"kind": ("0", "1", "2")}) == []


@pytest.mark.parametrize("kind", ["table", "images"])
def test_examples_of_both_splits_are_counted_if_their_targets_are_alike_too(kind, monkeypatch):
    monkeypatch.setattr(features, "ROWS", 3)
    X = np.arange(40).reshape(10, 4) if kind == "table" else np.arange(40, dtype=np.uint8).reshape(10, 2, 2, 1)
    y = np.arange(10) % 2
    for other, said in (
        (y[:5], "5 of 5 test examples are in train too, features and target alike."),
        (np.array([0, 0, 1, 0, 1]), "1 of 5 test examples is in train too, features and target alike."),
        (1 - y[:5], None),
    ):
        both = Decoded(
            kind=kind, task="classification", train=Split(X, y), test=Split(X[:5], other), classes=("a", "b")
        )
        assert features.shared(both) == ([said] if said else [])
