"""What a user is told about their data: shared by the tests of npz files, folders and pictures."""

import numpy as np
import pytest

from lecturebench import datasets
from lecturebench.errors import UsageError


def notes(name):
    return " ".join(datasets.describe(name).notes)


def refusal(name):
    with pytest.raises(UsageError) as caught:
        datasets.load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same_images(dataset, X_train):
    """Whether train holds these images (n, h, w, c), whatever their order."""
    found = sorted(image.tobytes() for image in np.asarray(dataset.train.X))
    return found == sorted(np.ascontiguousarray(image).tobytes() for image in X_train)
