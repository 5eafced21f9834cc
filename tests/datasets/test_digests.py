"""Canonical order and digests depend on the examples, and on nothing else."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lecturebench.datasets import digests
from lecturebench.datasets.decoded import Decoded, Split
from lecturebench.datasets.text import Texts

IMAGES = arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(2), st.just(3), st.just(1)), elements=st.integers(0, 3))


def decoded(X, y):
    split = Split(X, np.asarray(y))
    return Decoded(kind="images", task="classification", train=split, test=split)


@given(IMAGES, st.data())
def test_order_of_the_source_changes_neither_arrays_nor_digest(X, data):
    y = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(X), max_size=len(X))))
    order = np.array(data.draw(st.permutations(range(len(X)))))
    plain, plain_digests = digests.canonical(decoded(X, y))
    shuffled, shuffled_digests = digests.canonical(decoded(X[order], y[order]))
    assert plain_digests == shuffled_digests
    np.testing.assert_array_equal(plain.train.X, shuffled.train.X)
    np.testing.assert_array_equal(plain.train.y, shuffled.train.y)


@given(IMAGES, st.data())
def test_one_pixel_or_one_label_changes_the_digest(X, data):
    y = np.zeros(len(X), dtype=int)
    _, before = digests.canonical(decoded(X, y))
    i = data.draw(st.integers(0, X.size - 1))
    changed = X.copy()
    changed.flat[i] ^= 1
    relabelled = y.copy()
    relabelled[i % len(X)] = 1
    assert digests.canonical(decoded(changed, y))[1] != before
    assert digests.canonical(decoded(X, relabelled))[1] != before


def test_digest_is_the_hash_of_the_sorted_hashes_of_image_bytes_and_label():
    X = np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2)
    hashes = sorted(
        hashlib.sha256(x.tobytes() + bytes([label])).digest() for x, label in zip(X, [7, 8, 9], strict=True)
    )
    _, split_digests = digests.canonical(decoded(X, [7, 8, 9]))
    assert split_digests["train"] == hashlib.sha256(b"".join(hashes)).hexdigest()


def test_digest_of_what_is_in_canonical_order_is_the_same_computed_anew():
    X = np.random.default_rng(1).integers(0, 256, (9, 3, 3, 1), dtype=np.uint8)
    ordered, split_digests = digests.canonical(decoded(X, np.arange(9)))
    assert digests.digest(ordered.train) == split_digests["train"]


def test_texts_are_sorted_with_their_labels():
    texts = ["ein Satz", "", "naïve", "another"]
    hashes = [hashlib.sha256(text.encode() + bytes([i])).digest() for i, text in enumerate(texts)]
    ordered, split_digests = digests.canonical(decoded(Texts.of(text.encode() for text in texts), range(4)))
    expected = sorted(range(4), key=hashes.__getitem__)
    assert list(ordered.train.X) == [texts[i] for i in expected]
    assert ordered.train.y.tolist() == expected
    assert split_digests["train"] == hashlib.sha256(b"".join(sorted(hashes))).hexdigest()


def test_tables_keep_their_order_and_the_digest_knows_it():
    X, y = np.array([[2.0, 1.0], [1.0, 5.0]]), np.array([0.5, 0.25])
    ordered, split_digests = digests.canonical(decoded(X, y))
    np.testing.assert_array_equal(ordered.train.X, X)
    assert (
        split_digests["train"] == hashlib.sha256(np.array([2.0, 1.0, 0.5, 1.0, 5.0, 0.25], "<f8").tobytes()).hexdigest()
    )
    assert digests.canonical(decoded(X[::-1], y[::-1]))[1] != split_digests
