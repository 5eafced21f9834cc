"""Rows of several widths: batches of one width each, and every row seen in its own, in training and in prediction."""

from __future__ import annotations

from dataclasses import replace

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

    random_layers = ()

    def __init__(self, *arguments):
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


@given(st.lists(st.integers(1, 5), min_size=1, max_size=80), st.integers(1, 20), st.integers(0, 9))
@pytest.mark.usefixtures("backend")
def test_a_chunk_has_every_example_once_with_its_own_mask_in_whole_batches_of_about_its_width(widths, size, seed):
    size = min(size, len(widths))
    count, widths = len(widths) // size, np.array(widths)
    steps = bucketed(Noted)(None)
    steps.load(Bucketed(np.zeros((len(widths), 5), np.int32), widths), np.arange(len(widths)))
    drawn = np.random.default_rng(seed).permutation(len(widths))[: count * size]
    batches = drawn.reshape(count, size).astype(np.int32)
    loss, _ = steps.train(batches, [batches[..., None]])  # each example's mask is its own number
    assert loss == batches.size
    assert len(steps.asked) == count
    assert sorted(np.concatenate([rows.ravel() for rows, _, _ in steps.asked])) == sorted(drawn)
    wider = dict.fromkeys(range(1, 6), 0)
    for rows, width, [mask] in steps.asked:
        assert rows.shape == (1, size)
        np.testing.assert_array_equal(mask[..., 0], rows)
        assert (widths[rows] <= width).all()
        wider[width] += int((widths[rows] < width).sum())
        assert np.all(np.diff(places(drawn, rows)) > 0), "in the order in which they were drawn"
    assert all(carried < size for carried in wider.values())
    assert np.all(np.diff([places(drawn, rows)[0] for rows, _, _ in steps.asked]) > 0)


def places(drawn, rows):
    return [drawn.tolist().index(row) for row in rows.ravel()]


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


def test_widths_of_as_many_rows_are_told_apart(backend):
    """JAX compiles steps for so many rows: those of another width have another shape."""
    rows = np.tile(np.arange(2, 10, dtype=np.int32), (8, 1))[:, :LENGTH]
    X = Bucketed(rows, np.repeat([4, 8], 4))
    data = replace(seen(), train=Split(X, np.arange(8) % 2), test=Split(X, np.arange(8) % 2))
    made = program(backend, data)
    made.compile({(2, 4)})
    loss, error = made.steps.train(np.arange(8, dtype=np.int32).reshape(2, 4), [np.ones((2, 4, 4), bool)])
    assert np.isfinite(loss)
    assert 0 <= error <= 8


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


def test_a_mask_as_long_as_a_row_is_refused_by_the_layers_name(backend):
    import keras

    from lecturebench.models.layers import Dropout

    def network(shape, outputs):
        inputs = keras.Input(shape)
        x = Dropout(0.5, name="along")(keras.layers.Embedding(12, 3)(inputs))
        return keras.Model(inputs, keras.layers.Dense(outputs)(keras.layers.GlobalAveragePooling1D()(x)))

    with pytest.raises(ValueError, match="layer 'along' draws a mask as long as a row"):
        Program(network, {}, SLOW, 1, seen(), bucketed(backend.Steps))


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
