"""The order in which a training split was published: what Keras' ``validation_split`` cuts its last part from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lecturebench.datasets.decoded import Dataset

if TYPE_CHECKING:
    import numpy as np

# original_index (60000,) int32: for each training image in canonical order, its position in the published IDX file,
# whose labels begin 5 0 4 1 9.
MNIST = Path(__file__).with_name("mnist_published_order.npz")


def published_order(dataset: Dataset) -> np.ndarray | None:
    """For each training example its position in the published file, (n_train,) integers; None where nobody knows.

    Tables keep the order of their file; of the sorted image sets only MNIST's published order is known.
    """
    import numpy as np

    from lecturebench.datasets.catalogue import DIGESTS

    if dataset.digests.get("train") == DIGESTS["mnist"]["train"]:
        with np.load(MNIST, allow_pickle=False) as table:
            return np.asarray(table["original_index"], dtype=np.int64)
    if dataset.kind == "table" and "resplit by" not in dataset.digests:
        return np.arange(len(dataset.train))
    return None
