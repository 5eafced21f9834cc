"""Examples that are read as they are needed: the same steps as with all of them in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lecturebench.datasets import Split, load
from lecturebench.declare.training import Training
from lecturebench.models.dense import two_layer
from lecturebench.training import streaming as room
from lecturebench.training.fit import fit_network
from lecturebench.training.streaming import streaming
from tests.training.cases import assert_close

TRAINING = Training("rmsprop", 0.005, batch_size=64, epochs=2)
EXAMPLE = 64  # bytes, of a scanned digit


class Lazy:
    """An array of which a file would give some rows, and which says what it was asked for."""

    ndim, dtype = 4, np.dtype(np.uint8)

    def __init__(self, X):
        self.X, self.shape, self.asked = X, X.shape, []

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        part = np.array(self.X[rows])
        self.asked.append(len(part))
        return part


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def fit(steps_class, dataset):
    parameters = {"units": (32, 16), "rates": (0.4, 0.3)}
    return fit_network(two_layer, parameters, TRAINING, dataset, seed=0, steps_class=steps_class)


def lazily(dataset):
    return replace(dataset, train=Split(Lazy(dataset.train.X), dataset.train.y))


@pytest.mark.parametrize("steps_at_once", [1, 3, 1000])
def test_run_is_that_of_a_training_set_in_memory(backend, digits, monkeypatch, steps_at_once):
    whole = fit(backend.Steps, digits)
    monkeypatch.setattr(room, "AT_ONCE", steps_at_once * 64 * EXAMPLE)
    streamed = fit(streaming(backend.Steps), lazily(digits))
    assert_close(streamed.predictions, whole.predictions, atol=1e-4)
    assert streamed.metrics["test"]["error"] == whole.metrics["test"]["error"]
    for one, other in zip(streamed.curve, whole.curve, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-5)


def test_no_more_examples_are_held_than_fit(backend, digits, monkeypatch):
    monkeypatch.setattr(room, "AT_ONCE", 2 * 64 * EXAMPLE)
    monkeypatch.setattr("lecturebench.training.predictions.PREDICTED_AT_ONCE", 100)
    dataset = lazily(digits)
    fit(streaming(backend.Steps), dataset)
    assert max(dataset.train.X.asked) == 2 * 64
    n_train = 1437 - round(1437 * 0.2)
    trained = sum(n for n in dataset.train.X.asked if n > 100)
    full = n_train // 128 * 128
    assert trained == 2 * full


def test_error_while_reading_ends_the_run(backend, digits):
    class Broken(Lazy):
        def __getitem__(self, rows):
            if np.ndim(rows) and len(rows) > 60:
                raise OSError("the disk is gone")
            return super().__getitem__(rows)

    dataset = replace(digits, train=Split(Broken(digits.train.X), digits.train.y))
    with pytest.raises(OSError, match="the disk is gone"):
        fit(streaming(backend.Steps), dataset)
