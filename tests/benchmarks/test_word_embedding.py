"""What the embedding's probe measures and its figures say, on vectors that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bench_word_embedding as bench
from benchmarks.experiments.embedding import embedded_words
from benchmarks.formulas.words import ASKED, BAD, GOOD, NEAREST, PLAIN, SLIDE, spelled
from lecturebench import Trained
from lecturebench.datasets import Split
from lecturebench.datasets.words import Numbered
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record

WORDS = tuple(dict.fromkeys([*GOOD, *BAD, *PLAIN, *SLIDE, "funny", "grotesquely-long-word", "x", "y"]))


def data(vocabulary=WORDS) -> Numbered:
    split = Split(np.zeros((1, 4), np.int32), np.zeros(1, int))
    return Numbered(
        kind="table", task="classification", train=split, test=split, classes=("neg", "pos"), name="n", source="s",
        digests={}, vocabulary=vocabulary,
    )  # fmt: skip


def trained(vocabulary=WORDS, rows: int = 200) -> Trained:
    """Words of praise at +1 of the first number, of blame at -1, others at 0; the second number tells all apart."""
    vectors = np.zeros((rows, 3))
    vectors[:, 2] = 100  # rows that no word has must count nowhere
    for number, word in enumerate(vocabulary, start=2):
        vectors[number] = ((word in GOOD) - (word in BAD), number / 50, 0)
    weights = np.array([[-1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    return Trained([vectors, weights, np.zeros(2)], [], None)


def test_words_of_praise_lie_right_of_the_vocabularys_mean_and_words_of_blame_left():
    measured = embedded_words(trained(), data())
    speaks = measured.arrays["words"][:, 0]
    assert measured.values["right_side"] == 1
    np.testing.assert_allclose(speaks[: len(GOOD)] - speaks[-1], 2)
    np.testing.assert_allclose(speaks[len(GOOD) : len(GOOD) + len(BAD)] - speaks[-1], -2)
    across = measured.arrays["words"][:, 1]
    listed = np.array([data().numbers[word] for word in (*GOOD, *BAD, *PLAIN)], float)
    beside = listed - np.polyval(np.polyfit(speaks, listed, 1), speaks)
    assert abs(np.corrcoef(across, beside)[0, 1]) == pytest.approx(1), "what else differs is the second number"
    assert np.corrcoef(across, speaks)[0, 1] == pytest.approx(0, abs=1e-9)


def test_the_sentences_words_have_what_they_add_and_a_word_that_is_unknown_has_none():
    slide = embedded_words(trained(), data()).arrays["slide"]
    best = SLIDE.index("best")
    assert (np.delete(slide, best) == slide[0]).all()
    assert slide[best] == slide[0] + 2
    fewer = tuple(word for word in WORDS if word != "fall")
    lacking = embedded_words(trained(fewer), data(fewer)).arrays
    assert np.flatnonzero(np.isnan(lacking["slide"])).tolist() == [SLIDE.index("fall")]
    assert np.isnan(lacking["words"]).any(axis=1).sum() == 1


def test_words_that_the_vocabulary_lacks_count_on_no_side_and_other_classes_are_refused():
    few = ("best", "worst", "x", "y")
    assert embedded_words(trained(few), data(few)).values["right_side"] == 1
    none = embedded_words(trained(("x", "y")), data(("x", "y")))
    assert np.isnan(none.values["right_side"])
    assert np.isnan(none.arrays["words"]).all()
    with pytest.raises(ValueError, match=r"classes are \['a', 'b'\]; words of praise and blame are of reviews"):
        embedded_words(trained(), replace(data(), classes=("a", "b")))


def test_nearest_words_are_those_of_the_largest_cosine_without_the_word_itself():
    nearest = embedded_words(trained(), data()).arrays["nearest"]
    assert nearest.shape[:2] == (len(ASKED), NEAREST)
    vectors = {word: (float((word in GOOD) - (word in BAD)), data().numbers[word] / 50) for word in WORDS}

    def cosine(a: str, b: str) -> float:
        return float(np.dot(vectors[a], vectors[b]) / np.linalg.norm(vectors[a]) / np.linalg.norm(vectors[b]))

    for asked, found in zip(ASKED, nearest, strict=True):
        others = [word for word in WORDS if word != asked]
        expected = sorted(others, key=lambda word: -cosine(asked, word))[:NEAREST]
        assert [round(cosine(asked, word), 9) for word in map(full, spelled(found))] == [
            round(cosine(asked, word), 9) for word in expected
        ]


def full(word: str) -> str:
    return next(known for known in WORDS if known.startswith(word))


def test_figures_say_how_many_words_lie_right_and_what_the_sentences_words_add():
    by_map, sentence, _ = bench.DRAWINGS
    measured = embedded_words(trained(), data())
    run = Record(*("k", "benchmarks", "word_embedding", "m", {}, "lecture", "numpy", "cpu", 0, "judged", "ok", {}))
    run = replace(run, metrics={"measured": dict(measured.values)})
    style = method_styles(by_map.methods)["average_50"]
    rows = {"average_50": Series("Averaged", style, [run, replace(run, seed=1)], lambda _: measured.arrays)}
    with styled():
        said = by_map.draw(blank(*by_map.size), rows)
        added = sentence.draw(blank(*sentence.size), rows)
    assert said.startswith("100% of 20 words lie on their side.")
    assert f"best {measured.arrays['slide'][SLIDE.index('best')]:+.2g}" in added
