"""What a view made of the examples that are fitted, for the record: a vocabulary, means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lecturebench.declare.lag_views import Lags
from lecturebench.declare.views import View
from lecturebench.declare.word_views import WordView

if TYPE_CHECKING:
    import numpy as np

    from lecturebench.datasets import Dataset

# Of other views too, once all references are fitted again: what stands between a view and a fit is part of the key.
NOTED = (WordView, Lags)


class Noted(View):
    """A view that shows what another one does. made: by name, the digests that it added to the dataset's."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.made: dict[str, str] = {}

    @property
    def words(self) -> str:
        return self._view.words

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """As the view shows it."""
        seen = self._view.see(dataset, train)
        self.made = {name: digest for name, digest in seen.digests.items() if dataset.digests.get(name) != digest}
        return seen
