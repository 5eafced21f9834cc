"""Rows of several widths: batches of one width each, and every row seen in its own, in training and in prediction."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.datasets import Dataset, Split
from lecturebench.datasets.text import Texts
from lecturebench.datasets.words import Bucketed
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.training import Training
from lecturebench.declare.word_views import WordIndices
from lecturebench.models.words import recurrent
from lecturebench.training.bucketing import bucketed
from lecturebench.training.fit import fit_network
from lecturebench.training.outcome import streams
from lecturebench.training.predictions import predict
from lecturebench.training.program import Program

LENGTH, BUCKET = 12, 4
SLOW = Training("rmsprop", 0.01, 8, 1)
SMALL = {"vocabulary": 10, "kind": "LSTM", "units": 4, "size": 3, "rate": 0.5}


class Noted:
    """Training steps that note which rows they were asked for and train nothing."""

    def __init__(self, model, optimizer, *more):
        self.asked = []

    def load(self, X, y):
        self.X, self.y = X, y

    def _steps(self):
        """What TensorFlow would trace."""

    def train(self, batches, masks):
        self.asked.append((self.y[batches], self.X.shape[1], [mask.copy() for mask in masks]))
        return float(batches.size), 0.0


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


def noted(widths):
    """The steps of rows of these widths; y is the number of the row, and a row's last number its width."""
    optimizer = SimpleNamespace(_learning_rate=0.1)
    steps = bucketed(Noted)(None, optimizer)
    rows = np.zeros((len(widths), 5), np.int32)
    steps.load(Bucketed(rows, np.array(widths)), np.arange(len(widths)))
    return steps


@given(st.lists(st.integers(1, 5), min_size=2, max_size=80), st.integers(1, 20), st.integers(0, 9))
@pytest.mark.usefixtures("backend")
def test_a_chunk_has_every_example_once_with_its_own_mask_in_batches_of_one_width(widths, size, seed):
    count = len(widths) // size
    if count < 2:
        return
    steps, drawn = noted(widths), np.random.default_rng(seed).permutation(len(widths))[: count * size]
    batches = drawn.reshape(count, size).astype(np.int32)
    loss, _ = steps.train(batches, [batches[..., None]])  # each example's mask is its own number
    assert loss == batches.size
    assert sorted(np.concatenate([rows.ravel() for rows, _, _ in steps.asked])) == sorted(drawn)
    firsts = []
    for rows, width, [mask] in steps.asked:
        assert {widths[row] for row in rows.ravel()} == {width}
        assert rows.shape[1] <= size
        np.testing.assert_array_equal(mask[..., 0], rows)
        places = [drawn.tolist().index(row) for row in rows.ravel()]
        assert places == sorted(places), "in the order in which they were drawn"
        firsts.append(places[0])
    assert firsts == sorted(firsts)


@pytest.mark.usefixtures("backend")
def test_the_smaller_last_batch_of_a_pass_is_read_in_full_length():
    steps = noted([1, 3, 2, 3])
    steps.train(np.array([[2, 0, 1]], np.int32), [])
    [(rows, width, _)] = steps.asked
    assert (rows.tolist(), width) == ([[2, 0, 1]], 5)


def program(backend, dataset):
    made = Program(recurrent, SMALL, SLOW, 1, dataset, bucketed(backend.Steps))
    made.restart(dataset, streams(0))
    return made


def test_a_step_in_a_width_is_the_step_on_rows_that_were_cut_beforehand(backend):
    data = seen()
    eight = np.flatnonzero(data.train.X.widths == 8)[:10].astype(np.int32)
    masks = np.random.default_rng(1).random((2, 5, 4)) < 0.5
    made = program(backend, data)
    sums = made.steps.train(eight.reshape(2, 5), [masks])
    after = made.steps.weights()
    cut = replace(data, train=Split(data.train.X.rows[:, -8:], data.train.y))
    plain = Program(recurrent, SMALL, SLOW, 1, cut, backend.Steps)
    plain.restart(cut, streams(0))
    expected = plain.steps.train(eight.reshape(2, 5), [masks])
    assert sums == pytest.approx(expected, rel=1e-5)
    for one, other in zip(after, plain.steps.weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_every_row_is_predicted_in_its_own_width_and_place(backend):
    data = seen()
    made = program(backend, data)
    chosen = np.array([7, 3, 50, 12, 0])
    for examples, found in (
        (np.arange(60), predict(made.steps, data.train.X)),
        (chosen, predict(made.steps, data.train.X, chosen)),
    ):
        alone = [made.steps.outputs(data.train.X.rows[[i]][:, -data.train.X.widths[i] :])[0] for i in examples]
        np.testing.assert_allclose(found, alone, atol=1e-5)
    whole = made.steps.outputs(data.train.X.rows)
    narrow = data.train.X.widths < LENGTH
    assert (np.abs(whole - predict(made.steps, data.train.X)).max(axis=1)[narrow] > 1e-6).all()


def test_a_schedule_of_steps_is_refused(backend):
    data = seen()
    training = Training("rmsprop", 0.01, 8, 1, schedule=Schedule("cosine"))
    with pytest.raises(ValueError, match="follows a schedule of steps, and its view has a bucket"):
        Program(recurrent, {"vocabulary": 10}, training, 8, data, bucketed(backend.Steps))


@pytest.mark.parametrize("bucket", [BUCKET, None])
def test_a_network_learns_the_last_word_in_buckets_and_without(backend, bucket):
    view = WordIndices(10, LENGTH, bucket=bucket)
    given = {"vocabulary": 10, "kind": "LSTM", "units": 8, "size": 8}
    training = Training("rmsprop", 0.02, 16, 12, validation=0.2, looks=2)
    steps = bucketed(backend.Steps) if bucket else backend.Steps
    fitted = fit_network(recurrent, given, training, reviews(200), seed=0, steps_class=steps, view=view)
    assert fitted.metrics["test"]["error"] == 0
    assert [round(row["epoch"], 1) for row in fitted.curve[-2:]] == [11.5, 12]


def test_bucket_needs_its_zeros_in_front_and_to_be_a_whole_number():
    with pytest.raises(ValueError, match="bucket is 5 and pad 'behind'"):
        WordIndices(10, 20, pad="behind", bucket=5)
    with pytest.raises(ValueError, match="bucket is 0; it must be a whole number"):
        WordIndices(10, 20, bucket=0)
