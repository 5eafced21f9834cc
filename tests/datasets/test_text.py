"""Texts behave as a list of str."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets.text import Texts

SOME = st.lists(st.text(st.characters(codec="utf-8")), min_size=1)


@given(SOME)
def test_texts_come_out_as_they_went_in(texts):
    stored = Texts.of(text.encode() for text in texts)
    assert len(stored) == len(texts)
    assert list(stored) == texts
    assert stored[-1] == texts[-1]
    assert stored[1:] == texts[1:]
    assert list(pickle.loads(pickle.dumps(stored))) == texts


@given(SOME, st.data())
def test_take_gives_them_in_another_order(texts, data):
    order = data.draw(st.permutations(range(len(texts))))
    assert list(Texts.of(text.encode() for text in texts).take(np.array(order))) == [texts[i] for i in order]


@pytest.mark.parametrize("i", [2, -3])
def test_beyond_the_last_text_is_an_index_error(i):
    with pytest.raises(IndexError, match="there are 2"):
        Texts.of([b"a", b"b"])[i]
