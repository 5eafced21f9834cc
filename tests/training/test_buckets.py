"""Rows of several widths: batches of one width each, and every row seen in its own, in training and in prediction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets import Dataset, Split
from lecturebench.datasets.text import Texts
from lecturebench.datasets.words import Bucketed
from lecturebench.declare.training import Training
from lecturebench.declare.word_views import WordIndices
from lecturebench.models.words import recurrent
from lecturebench.training.batches import BucketedEpochs, steps_per_epoch
from lecturebench.training.fit import fit_network
from lecturebench.training.outcome import streams
from lecturebench.training.predictions import predict
from lecturebench.training.program import Program

LENGTH, BUCKET = 12, 4


class Noted:
    """Training steps that note what they were asked for and train nothing."""

    random_layers, task = (), "classification"

    def __init__(self):
        self.asked = []

    def train(self, batches, masks, width):
        self.asked.append((batches, width))
        return float(batches.size), 0.0


class Only:
    def __init__(self, steps):
        self.steps = steps


def reviews(n=60, seed=0):
    """Texts of 0 to 16 words, of which the last one alone says what they are."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    words = [["film"] * int(rng.integers(0, 16)) + [("bad", "good")[label]] for label in y]
    X = Texts.of(" ".join(each).encode() for each in words)
    return Dataset(
        kind="text", task="classification", train=Split(X, y), test=Split(X, y), classes=("neg", "pos"),
        name="made up", source="here", digests={"train": f"{n} {seed}", "test": f"{n} {seed}"},
    )  # fmt: skip


def seen(n=60, bucket=BUCKET):
    data = reviews(n)
    return WordIndices(10, LENGTH, bucket=bucket).see(data, np.arange(n))


@given(st.lists(st.integers(0, 40), min_size=1, max_size=50), st.integers(1, 50), st.integers(1, 30))
def test_width_is_the_next_multiple_that_holds_the_words_at_most_the_row(lengths, bucket, length):
    rows = np.zeros((len(lengths), length), np.int32)
    widths = Bucketed.of(rows, np.array(lengths), bucket).widths
    for n, width in zip(lengths, widths, strict=True):
        held = min(n, length)
        assert held <= width <= length
        assert width == length or width % bucket == 0
        assert width - bucket < max(held, 1)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=80), st.integers(1, 20), st.integers(1, 4), st.integers(0, 9))
def test_a_pass_has_every_example_once_in_batches_of_one_width(widths, batch_size, looks, seed):
    steps, train = Noted(), np.arange(0, 2 * len(widths), 2)  # every other example of the dataset is trained on
    of_all = np.repeat(widths, 2)
    training = Training("sgd", 0.1, batch_size=batch_size, epochs=1, looks=looks)
    epochs = BucketedEpochs(Only(steps), train, training, streams(seed), of_all)
    rows = list(epochs.train(1))
    assert sorted(np.concatenate([batches.ravel() for batches, _ in steps.asked])) == train.tolist()
    for batches, width in steps.asked:
        assert set(of_all[batches.ravel()]) == {width}
        assert (*batches.shape, width) in epochs.shapes
    assert rows[-1]["epoch"] == 1
    assert rows[-1]["step"] == len(steps.asked) == steps_per_epoch(train, batch_size, of_all)
    assert all(row["train_loss"] == 1 for row in rows)


def test_batches_and_their_order_are_drawn_anew_for_each_pass():
    steps, widths = Noted(), np.repeat([4, 8, 12], 40)
    epochs = BucketedEpochs(Only(steps), np.arange(120), Training("sgd", 0.1, 8, 2), streams(0), widths)
    for epoch in (1, 2):
        list(epochs.train(epoch))
    first, second = steps.asked[:15], steps.asked[15:]
    assert [width for _, width in first] != [width for _, width in second]
    assert [width for _, width in first] != sorted(width for _, width in first)
    assert not any(np.array_equal(one, other) for one, _ in first for other, _ in second)


def program(backend, dataset):
    training = Training("rmsprop", 0.01, 8, 1)
    given = {"vocabulary": 10, "kind": "LSTM", "units": 4, "size": 3, "rate": 0.5}
    made = Program(recurrent, given, training, 1, dataset, backend.Steps)
    made.restart(dataset, streams(0))
    return made


def test_a_step_in_a_width_is_the_step_on_rows_that_were_cut_beforehand(backend):
    data = seen()
    batch = np.flatnonzero(data.train.X.widths == 8)[:5].astype(np.int32)[None]
    [mask] = [layer.draw(1, 5, np.random.default_rng(1)) for layer in program(backend, data).steps.random_layers]
    after = []
    for X, *width in ((data.train.X, 8), (data.train.X.rows[:, -8:],)):
        made = program(backend, data)
        made.steps.load(X, data.train.y)
        made.steps.compile(batch, [mask], *width)
        sums = made.steps.train(batch, [mask], *width)
        after.append((sums, made.steps.weights()))
    (first_sums, first), (second_sums, second) = after
    assert first_sums == pytest.approx(second_sums, rel=1e-5)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_every_row_is_predicted_in_its_own_width_and_place(backend):
    data = seen()
    made = program(backend, data)
    chosen = np.array([7, 3, 50, 12, 0])
    for examples, found in (
        (np.arange(60), predict(made.steps, data.train.X)),
        (chosen, predict(made.steps, data.train.X, chosen)),
    ):
        alone = [made.steps.outputs(data.train.X[[i]][:, -data.train.X.widths[i] :])[0] for i in examples]
        np.testing.assert_allclose(found, alone, atol=1e-5)
    whole = made.steps.outputs(data.train.X[np.arange(60)])
    narrow = data.train.X.widths < LENGTH
    assert (np.abs(whole - predict(made.steps, data.train.X)).max(axis=1)[narrow] > 1e-6).all()


@pytest.mark.parametrize("bucket", [BUCKET, None])
def test_a_network_learns_the_last_word_in_buckets_and_without(backend, bucket):
    view = WordIndices(10, LENGTH, bucket=bucket)
    given = {"vocabulary": 10, "kind": "LSTM", "units": 8, "size": 8}
    training = Training("rmsprop", 0.02, 16, 12, validation=0.2, looks=2)
    fitted = fit_network(recurrent, given, training, reviews(200), seed=0, steps_class=backend.Steps, view=view)
    assert fitted.metrics["test"]["error"] == 0
    assert math.isclose(fitted.curve[-1]["epoch"], 12)
    assert fitted.seen.keys() == {"vocabulary"}
    assert "LSTM" in fitted.kernels


def test_bucket_needs_its_zeros_in_front_and_to_be_a_whole_number():
    with pytest.raises(ValueError, match="bucket is 5 and pad 'behind'"):
        WordIndices(10, 20, pad="behind", bucket=5)
    with pytest.raises(ValueError, match="bucket is 0; it must be a whole number"):
        WordIndices(10, 20, bucket=0)
