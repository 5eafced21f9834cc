"""Labels: what leaves no doubt is taken, and whatever only luck would decide is refused and says what to do."""

import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets import labels
from lecturebench.errors import UsageError

FILE = Path("some.file")


def table(train, test, task=None, X=None):
    y = [np.array(train), np.array(test)]
    X = X or [np.zeros((len(part), 1)) for part in y]
    return labels.table(FILE, X, y, ("a",), task)


def images(train, test, task=None):
    y = [np.array(train), np.array(test)]
    X = [np.full((len(part), 2, 2), pixel, np.uint8) for part, pixel in zip(y, (200, 100), strict=True)]
    return labels.images(FILE, X, y, task)


def refusal(ask, *arguments, **options):
    with pytest.raises(UsageError) as caught:
        ask(*arguments, **options)
    assert str(caught.value).startswith("some.file: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_text_and_few_whole_numbers_are_classes_and_decimals_are_values():
    assert table(["b", "a", "b"], ["a"]).classes == ("a", "b")
    assert table([10, 9, 10, 9], [9]).classes == ("9", "10"), "in the order of numbers, not of text"
    assert table([True, False], [True, False]).classes == ("False", "True")
    decoded = table([1.5, 2.0], [3.0, 0.25])
    assert (decoded.task, decoded.test.y.tolist()) == ("regression", [3.0, 0.25])


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (list(range(21)) * 2, "whole numbers, 21 different ones; up to 20"),
        ([1, 1, 2, 2, 3], "whole numbers, 3 different ones, 1 of them once"),
        ([5.0, 1.0, 5.0], "whole numbers written as 1.0, +1 or 1e3 are, the first 5.0"),
    ],
)
def test_task_is_asked_for_where_targets_may_be_classes_or_values(train, said):
    test = train[:1]
    message = refusal(table, train, test)
    assert said in message
    assert "say ?task=classification or ?task=regression" in message
    assert table(train, test, "classification").task == "classification"
    assert table(train, test, "regression").train.y.tolist() == [float(value) for value in train]


def test_twenty_whole_numbers_that_come_twice_are_classes():
    assert len(table(list(range(20)), list(range(20))).classes) == 20


def test_task_that_targets_cannot_have_is_refused():
    assert "regression needs numbers" in refusal(table, ["a", "b"], ["a"], "regression")
    assert "targets have decimals" in refusal(table, [0.5, 1.5], [0.5], "classification")
    assert "tables alone" in refusal(images, [0, 1], [0], "regression")


def test_images_take_any_number_of_whole_labels_and_ask_about_those_with_a_point():
    assert len(images(range(200), [0]).classes) == 200
    assert "257 classes; images may have 256 at most" in refusal(images, range(257), [0])
    assert "say ?task=classification" in refusal(images, [1.0, 2.0], [1.0])
    assert images([1.0, 2.0], [1.0], "classification").classes == ("1", "2")
    assert "images need whole numbers or text" in refusal(images, [0.5, 1.0], [1.0])
    assert "have decimals" in refusal(images, [0.5, 1.0], [1.0], "classification")


def test_tables_may_have_more_than_256_classes():
    names = [f"c{i}" for i in range(300)]
    assert len(table(names, names[:3]).classes) == 300


@given(st.integers(0, 2**53 - 2), st.integers(2**63, 2**64 - 2))
def test_int64_beside_uint64_stays_exact(small, large):
    train = np.array([small, small + 1], dtype=np.int64)
    test = np.array([small + 1], dtype=np.uint64)
    assert table(train, test, "classification").classes == (str(small), str(small + 1))
    train = np.array([large, large + 1], dtype=np.uint64)
    assert table(train, train, "classification").classes == (str(large), str(large + 1))
    assert f"class {large + 1} is in test alone" in refusal(
        table, np.array([5, 6], dtype=np.int64), train[1:], "classification"
    )


def test_whole_numbers_that_float64_would_round_are_refused_as_values():
    large = np.array([[2**53 + 1], [0]])
    assert "the features of train reach 9007199254740993" in refusal(table, ["a", "b"], ["a", "b"], X=[large, large])
    assert "the targets of test reach -9007199254740993" in refusal(table, [1, 2], [-(2**53) - 1], "regression")
    assert table([1, 2], [2**53], "regression").test.y.tolist() == [2.0**53]


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (["a", "b"], [1], "text in train and int64 in test"),
        ([True, False], [1], "bool in train and int64 in test"),
        ([1, 2, 1, 2], [1.0], "int64 in train and float64 in test"),
        ([1j], [1j], "targets are complex128"),
        ([0.5, 0.25], [float("nan"), 1.5], r"target 0 of test \(counted from 0\) is nan, not finite"),
        ([0.5, 0.25], [1.5, -float("inf")], "target 1 of test .* is -inf"),
        ([3, 3], [3], "all labels are 3; classification needs two"),
        (["a", "a"], ["a"], "all labels are 'a'; classification needs two"),
    ],
)
def test_targets_that_cannot_be_meant_are_refused(train, test, said):
    assert re.search(said, refusal(table, train, test))


@pytest.mark.parametrize("shift", [1, -1])
def test_labels_off_by_one_between_splits_are_named(shift):
    train = np.arange(10).repeat(2)
    message = refusal(table, train + shift, np.arange(10).repeat(2))
    assert "off by one?" in message
    assert f"class {0 if shift == 1 else 9} is in test alone" in message
    assert f"class {10 if shift == 1 else -1} in train alone" in message
    assert "off by one?" in refusal(table, train + shift, [0, 1, 2, 9] * 2), "whatever test lacks"
    assert "off by one?" in refusal(images, train + shift, np.arange(10))


def test_classes_that_test_alone_has_are_refused_and_counted():
    message = refusal(images, ["a", "b"], ["c", "c", "a", "d"])
    assert "classes 'c' and 'd' are in test alone, with 3 examples" in message
    assert "class 'b' in train alone (are they spelt alike?)" in message
    assert "off by one" not in message
    assert "class 7 is in test alone, with 1 example: no method" in refusal(images, [1, 2], [7, 1, 2])
    assert "'l4' and 3 more are in test alone" in refusal(images, ["a", "b"], [f"l{i}" for i in range(8)] + ["a", "b"])


def test_classes_that_train_alone_has_are_said():
    assert labels.notes(images(["a", "b", "c"], ["b"])) == [
        "Classes 'a' and 'c' are in train alone: no test example shows how well they are told."
    ]
    assert labels.notes(images(["a", "b"], ["b", "a"])) == []


def test_images_that_are_nearly_black_are_said():
    y = [np.array([0, 1])] * 2
    dark = labels.images(FILE, [np.full((2, 2, 2), 16, np.uint8)] * 2, y)
    assert "reach 16 of 255" in labels.notes(dark)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")),
        ("cat", "Cat"),
        ("STRASSE", "straße"),
        ("cat", "cat "),
        ("cat", "cat\u200b"),
        ("new york", "new  york"),
        ("new york", "new\u00a0york"),
        ("1", "１"),
    ],
)
def test_names_that_differ_only_as_no_reader_sees_are_refused_and_both_named(one, other):
    for y in ([one, other], ["x", one, other, "x"]):
        message = refusal(images, y, [one])
        assert ascii(one) in message
        assert ascii(other) in message
        assert "differ only in case, blanks or Unicode form" in message
    refusal(images, [one, "x"], [other])
    refusal(table, [one, "x"], [other])


@pytest.mark.parametrize("names", [("1", "01", "001"), ("1_1", "11"), ("a", "b"), ("é", "e"), ("1.0", "1")])
def test_names_that_differ_stay_apart(names):
    assert set(images(names, names).classes) == set(names)


@given(st.integers(2, 6), st.data())
def test_one_hot_gives_the_numbers_that_made_it(k, data):
    numbers = [np.array(data.draw(st.lists(st.integers(0, k - 1), min_size=1, max_size=9))) for _ in range(2)]
    for kind in (np.float32, np.int64, np.bool_):
        found = labels.of_one_hot([np.eye(k, dtype=kind)[part] for part in numbers])
        assert [part.tolist() for part in found] == [part.tolist() for part in numbers]


@pytest.mark.parametrize(
    "other",
    [
        np.array([[1, 1, 0]]),
        np.array([[0, 0, 0]]),
        np.array([[0, 2, 0]]),
        np.array([[0.5, 0.5, 0]]),
        np.array([[1, 0]]),
        np.array([1]),
        np.array([["1", "0", "0"]]),
        np.array([[np.nan, 1, 0]]),
    ],
)
def test_what_is_not_one_hot_in_both_splits_is_not_taken_for_it(other):
    assert labels.of_one_hot([np.eye(3), other]) is None
    assert labels.of_one_hot([other, np.eye(3)]) is None
    assert labels.of_one_hot([np.ones((2, 1)), np.ones((2, 1))]) is None


def test_missing_targets_are_found_by_position():
    assert labels.missing(np.array(["a", "NA", " ", "nan", "?", "Null", "N/A", "b", "nana"])).tolist() == list(
        range(1, 7)
    )
    assert labels.missing(np.array([1.0, np.nan])).tolist() == [1]
    assert labels.missing(np.array([0, 1])).tolist() == []


def test_a_drawn_split_that_leaves_train_without_a_class_is_refused():
    y = np.array(["a", "a", "b"])
    labels.check_drawn(FILE, y, (np.array([0, 2]), np.array([1])), "")
    message = refusal(labels.check_drawn, FILE, y, (np.array([0, 1]), np.array([2])), "draw your own")
    assert "class 'b' has 1 example, and every fifth example by hash, the test split, took them all" in message
    assert "give more, or draw your own" in message


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["1", "01", "+1", "2"], ["Classes '+1', '01' and '1' are one number, but different classes"]),
        (["2", "2."], ["Classes '2' and '2.' are one number"]),
        (["11", "1_1"], ["Classes mix numbers and text, say '11' and '1_1'"]),
        ([str(2**53), str(2**53 + 1)], []),
        (["a", "b"], []),
    ],
)
def test_names_that_are_numbers_to_a_reader_are_said(names, said):
    notes = labels.notes(images(names, names))
    assert [note.startswith(start) for note, start in zip(notes, said, strict=True)] == [True] * len(said)


def test_text_of_an_array_that_looks_like_numbers_is_refused_until_it_is_said_to_be_classes():
    assert "target '1,200' looks like a number" in refusal(table, ["1,200", "1,300"], ["1,200"])
    assert table(["1,200", "1,300"], ["1,200"], "classification").classes == ("1,200", "1,300")


def test_floats_that_cannot_tell_whole_numbers_apart_are_no_labels_and_no_values_unasked():
    y = [2.0**60, 2.0**61]
    assert "say ?task=classification or ?task=regression" in refusal(table, y, y)
    assert "reach 2305843009213693952; beyond 2**53" in refusal(table, y, y, "classification")
    assert table(y, y, "regression").task == "regression"
