"""Texts as words, and what a method sees of them: nothing of a test text reaches a vocabulary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets import Dataset, Split
from lecturebench.datasets import words as module
from lecturebench.datasets.text import Texts
from lecturebench.datasets.words import cut_words, in_rows, presence, vocabulary, words_of
from lecturebench.declare.word_views import CleanedText, WordIndices, WordPresence

TRAIN = ("A good film.<br /><br />Don't miss it", "good GOOD bad", "", "it's bad")
TEST = ("unheard good", "<br>", "a a a a a a film film")


def reviews(train=TRAIN, test=TEST) -> Dataset:
    X = [Texts.of(text.encode() for text in texts) for texts in (train, test)]
    return Dataset(
        kind="text", task="classification", train=Split(X[0], np.arange(len(train)) % 2),
        test=Split(X[1], np.arange(len(test)) % 2), classes=("neg", "pos"), name="made up", source="here",
        digests={"train": f"{train}", "test": f"{test}"},
    )  # fmt: skip


def everything(dataset: Dataset) -> np.ndarray:
    return np.arange(len(dataset.train))


def spelled(row: np.ndarray, names: tuple[str, ...]) -> list[str]:
    return [{0: "_", 1: "?"}.get(place, names[place - 2] if place > 1 else "") for place in row.tolist()]


def known(dataset: Dataset, size: int) -> tuple[str, ...]:
    return vocabulary(words_of(dataset), everything(dataset), size).names


def test_words_are_small_letters_with_their_apostrophes_and_without_html():
    cut = cut_words(Texts.of(text.encode() for text in TRAIN), Texts.of(text.encode() for text in TEST))
    of = [[cut.names[i] for i in cut.train.of(np.array([text]))] for text in range(len(TRAIN))]
    assert of == [
        ["a", "good", "film", "don't", "miss", "it"], ["good", "good", "bad"], [], ["it's", "bad"],
    ]  # fmt: skip
    assert cut.names == sorted(cut.names)


def test_vocabulary_is_the_most_frequent_words_of_the_texts_that_are_fitted_alone():
    cut = words_of(reviews())
    assert vocabulary(cut, np.arange(4), 3).names == ("good", "bad", "a")
    assert vocabulary(cut, np.array([3]), 10).names == ("bad", "it's")
    # "unheard" is in a test text alone, and "a" would be the most frequent with the test texts.
    everything = vocabulary(cut, np.arange(4), 100)
    assert "unheard" not in everything.names
    assert everything.digest != vocabulary(cut, np.arange(4), 3).digest


def test_other_test_texts_change_neither_vocabulary_nor_what_is_seen_of_the_training_texts():
    one, other = reviews(), reviews(test=("bad bad bad bad", "new words here", "bad"))
    for view in (WordIndices(3, 4), WordPresence(3)):
        seen = [view.see(data, everything(data)) for data in (one, other)]
        np.testing.assert_array_equal(seen[0].train.X, seen[1].train.X)
        assert seen[0].digests["vocabulary"] == seen[1].digests["vocabulary"]


def test_last_words_are_kept_and_zeros_stand_in_front_unless_said_otherwise():
    data = reviews()
    names = known(data, 100)

    def shown(i: int, **how) -> list[str]:
        return spelled(WordIndices(100, 4, **how).see(data, everything(data)).train.X[i], names)

    assert shown(0) == ["film", "don't", "miss", "it"]
    assert shown(0, keep="first") == ["a", "good", "film", "don't"]
    assert shown(1) == ["_", "good", "good", "bad"]
    assert shown(1, pad="behind") == ["good", "good", "bad", "_"]
    test = WordIndices(100, 4).see(data, everything(data)).test.X
    assert spelled(test[0], names) == ["_", "_", "?", "good"]


def test_a_text_without_words_is_a_row_of_zeros_and_is_not_dropped():
    data = reviews()
    seen = WordIndices(5, 3).see(data, everything(data))
    assert (len(seen.train), len(seen.test)) == (len(TRAIN), len(TEST)) == (len(seen.train.X), len(seen.test.X))
    assert not seen.train.X[2].any()
    assert not seen.test.X[1].any()
    assert not WordPresence(5).see(data, everything(data)).test.X[1].any()
    assert CleanedText().see(data, everything(data)).test.X[1] == ""


def test_presence_says_which_words_a_text_has_and_not_how_often():
    data = reviews()
    names = known(data, 100)
    found = WordPresence(len(names)).see(data, everything(data)).train.X
    for i, expected in enumerate(
        ({"a", "good", "film", "don't", "miss", "it"}, {"good", "bad"}, set(), {"it's", "bad"})
    ):
        assert {names[k] for k in np.flatnonzero(found[i])} == expected
    numbers = WordPresence(len(names)).see(data, everything(data)).numbers
    assert found[:, numbers["film"]].tolist() == [1, 0, 0, 0], "a word's number is its column"
    assert found.max() == 1


def test_cleaned_text_gives_a_vectoriser_back_the_same_words():
    data = reviews()
    seen = CleanedText().see(data, everything(data))
    assert seen.kind == "table"
    assert list(seen.train.X) == ["a good film don't miss it", "good good bad", "", "it's bad"]


lists_of_words = st.lists(st.lists(st.integers(0, 6), max_size=9), min_size=1, max_size=6)


@given(lists_of_words, st.integers(1, 7), st.booleans(), st.booleans())
def test_rows_are_those_of_a_loop_over_texts(texts, length, last, in_front):
    words = module.Words(
        np.array([number for text in texts for number in text], np.int32), np.cumsum([0, *map(len, texts)])
    )
    places = np.arange(7, dtype=np.int32)[::-1] + 1
    expected = np.zeros((len(texts), length), int)
    for row, text in zip(expected, texts, strict=True):
        kept = [places[number] for number in (text[-length:] if last else text[:length])]
        if kept:
            row[length - len(kept) if in_front else 0 : length if in_front else len(kept)] = kept
    np.testing.assert_array_equal(in_rows(words, places, length, last=last, in_front=in_front), expected)
    found = presence(words, places, 6)
    assert [set(np.flatnonzero(row) + 2) for row in found] == [{places[i] for i in text} - {1} for text in texts]


def test_words_come_from_the_cache_the_second_time_and_are_cut_anew_where_it_is_damaged(monkeypatch):
    data = reviews(train=("only here", "and here"))
    first = words_of(data)
    [path] = [path for path in module.root().glob("words-*.npz") if module._read(path).names == first.names]
    with monkeypatch.context() as patch:
        patch.setattr(module, "cut_words", lambda *texts: pytest.fail("cut again"))
        second = words_of(data)
    for before, after in ((first.train, second.train), (first.test, second.test)):
        np.testing.assert_array_equal(before.numbers, after.numbers)
        np.testing.assert_array_equal(before.offsets, after.offsets)
    whole = path.read_bytes()
    for damaged in (
        whole[:-9],
        b"",
        bytes([*whole[: len(whole) // 2], whole[len(whole) // 2] ^ 255]),
        b"no zip at all",
    ):
        path.write_bytes(damaged)
        assert list(words_of(data).names) == list(first.names)
        assert module._read(path) is not None, "what was damaged is written again"


def test_a_file_of_the_cache_whose_numbers_have_no_names_counts_as_not_there():
    data = reviews(train=("one two three", "one"))
    cut = words_of(data)
    [path] = [path for path in module.root().glob("words-*.npz") if module._read(path).names == cut.names]
    module._write(path, module.Cut(cut.names[:-1], cut.train, cut.test))
    assert module._read(path) is None
    assert list(words_of(data).names) == list(cut.names)


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(monkeypatch, tmp_path):
    (tmp_path / "datasets").write_text("a file where the folder would be")
    monkeypatch.setenv("LECTUREBENCH_CACHE", str(tmp_path))
    assert "film" in words_of(reviews(train=("a film", "b"))).names


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WordIndices(vocabulary=0), "vocabulary is 0; it must be a whole number, 1 or above"),
        (lambda: WordIndices(length=0), "length is 0; it must be a whole number, 1 or above"),
        (lambda: WordPresence(2.5), "vocabulary is 2.5; it must be a whole number"),
        (lambda: WordIndices(keep="middle"), "keep is 'middle'; it must be 'last' or 'first'"),
        (lambda: WordIndices(pad="both"), "pad is 'both'; it must be 'front' or 'behind'"),
    ],
)
def test_a_view_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_training_texts_without_a_word_are_refused():
    data = reviews(train=("", "!!!"))
    with pytest.raises(ValueError, match="the 2 texts that are fitted have no word"):
        WordIndices().see(data, everything(data))
