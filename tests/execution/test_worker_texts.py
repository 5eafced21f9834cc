"""A network of words is looked over in the shape that it will see, and with rows for all of its words."""

from __future__ import annotations

import pytest

from lecturebench.execution.worker import _refuse_small_embedding
from lecturebench.models.words import averaged_embedding


@pytest.mark.usefixtures("backend")
def test_an_embedding_without_a_row_for_some_word_is_refused_by_name():
    model = averaged_embedding((6,), 2, vocabulary=5, size=3)
    _refuse_small_embedding(model, 5)
    with pytest.raises(ValueError, match=r"has 7 rows, and its view gives numbers up to 301: .* needs 302 rows"):
        _refuse_small_embedding(model, 300)
