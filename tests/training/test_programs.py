"""Which runs share a compiled network, which weights are kept, and how much is predicted at once.

Runs on the backend that KERAS_BACKEND names (TensorFlow by default); tox has an environment for each.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest

from lecturebench import Standardized, Training
from lecturebench.datasets import Dataset, Split, load
from lecturebench.models.convolutional import small_cnn
from lecturebench.models.dense import single_layer, softmax_regression
from lecturebench.training import predictions
from lecturebench.training.fit import fit_network
from tests.training.cases import assert_close, same

SGD = Training("sgd", 0.1, 16, 3)  # 16 divides what is trained on below: one shape to compile


@pytest.fixture(scope="module")
def digits(own_cache) -> Dataset:
    return load("digits")


def fit(backend, data, function, training=SGD, seed=0, parameters=None, **more):
    parameters = parameters or {}
    return fit_network(function, parameters, training, data, seed=seed, steps_class=backend.Steps, **more)


def closure(units):
    return lambda input_shape, outputs: single_layer(input_shape, outputs, units=units)


@pytest.mark.parametrize(
    "functions",
    [
        (closure(1), closure(3)),
        (partial(single_layer, units=1), partial(single_layer, units=3)),
        (lambda *shapes: single_layer(*shapes, units=1), lambda *shapes: single_layer(*shapes, units=3)),
    ],
)
def test_networks_of_one_name_share_no_program(backend, digits, functions):
    programs = {}
    sizes = [fit(backend, digits, function, train_size=100, programs=programs).parameters for function in functions]
    assert sizes == [65 + 1 * 10 + 10, 3 * 65 + 3 * 10 + 10]


def test_parameters_that_are_equal_but_not_the_same_share_no_program(backend, digits):
    seen = []

    def build(input_shape, outputs, *, flag):
        seen.append(flag)
        return softmax_regression(input_shape, outputs)

    programs = {}
    for flag in (1, True, 1.0, 1.0):
        fit(backend, digits, build, train_size=100, programs=programs, parameters={"flag": flag})
    assert list(map(repr, seen)) == ["1", "True", "1.0"]


def test_runs_of_one_identity_share_a_program_though_the_function_is_made_anew(backend, digits):
    programs = {}
    first = fit(backend, digits, closure(3), train_size=100, programs=programs, identity="of this source")
    program = programs["program"][1]
    again = fit(backend, digits, closure(3), train_size=100, programs=programs, identity="of this source")
    assert programs["program"][1] is program
    assert same(again.predictions, first.predictions)
    fit(backend, digits, closure(1), train_size=100, programs=programs, identity="of another")
    assert programs["program"][1] is not program


def table(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3)) * (1 + seed)
    part = Split(X, X @ [1.0, 2.0, 3.0])
    return Dataset(kind="table", task="regression", train=part, test=part, name="made", source="made up", digests={})


@pytest.mark.parametrize("more", [{"resplit": True}, {"view": Standardized()}, {}])
def test_one_program_serves_every_split_of_the_data_and_mixes_none_up(backend, more):
    programs = {}
    for seed in range(3):
        data = table(seed)
        used = fit(backend, data, softmax_regression, seed=seed, programs=programs, **more)
        alone = fit(backend, data, softmax_regression, seed=seed, **more)
        assert same(used.predictions, alone.predictions)
        assert used.curve[-1]["train_loss"] == alone.curve[-1]["train_loss"]
        kept = programs.setdefault("first", programs["program"][1])
        assert programs["program"][1] is kept


def noisy():
    """Few examples and labels without a pattern: the validation error goes up and down."""
    rng = np.random.default_rng(0)
    part = Split(rng.normal(size=(80, 10)), rng.integers(0, 3, 80))
    return Dataset(
        kind="table", task="classification", train=part, test=part, name="noise", source="made up", digests={},
        classes=("a", "b", "c"),
    )  # fmt: skip


def test_best_epochs_weights_are_kept(backend):
    data, training = noisy(), Training("sgd", 0.5, 10, 12, validation=0.5)
    last = fit(backend, data, softmax_regression, training)
    best = fit(backend, data, softmax_regression, dataclasses.replace(training, stopping="best"))
    errors = [point["validation_error"] for point in last.curve]
    assert [point["validation_error"] for point in best.curve] == errors
    epoch = 1 + int(np.argmin(errors))
    assert epoch < 12
    assert best.metrics["validation"]["error"] == min(errors)
    assert best.notes == [f"the weights of epoch {epoch} are kept: its validation error is the least"]
    stopped = fit(backend, data, softmax_regression, dataclasses.replace(training, epochs=epoch))
    assert same(best.predictions, stopped.predictions)


def test_run_after_one_that_could_not_place_its_training_set_places_its_own(backend, digits, monkeypatch):
    programs = {}
    alone = fit(backend, digits, softmax_regression, train_size=100, programs=programs)
    load_own = backend.Steps.load

    def out_of_memory(steps, X, y):
        load_own(steps, X[:50], y[:50])
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(backend.Steps, "load", out_of_memory)
        other = dataclasses.replace(digits, train=Split(digits.train.X.copy(), digits.train.y))
        with pytest.raises(MemoryError):
            fit(backend, other, softmax_regression, train_size=100, programs=programs)
    again = fit(backend, digits, softmax_regression, train_size=100, programs=programs)
    assert same(again.predictions, alone.predictions)


def test_best_epoch_is_refused_without_validation_examples():
    with pytest.raises(ValueError, match="stopping is 'best' and validation is 0"):
        dataclasses.replace(SGD, stopping="best", validation=0.0)
    with pytest.raises(ValueError, match="stopping is 'never'; it must be 'last' or 'best'"):
        dataclasses.replace(SGD, stopping="never")


def test_more_classes_than_a_byte_holds_are_learnt(backend):
    codes = np.arange(300).repeat(2)
    X = (codes[:, None] >> np.arange(9) & 1) * 2.0 - 1
    part = Split(X, codes)
    data = Dataset(
        kind="table", task="classification", train=part, test=part, name="codes", source="made up", digests={},
        classes=tuple(map(str, range(300))),
    )  # fmt: skip
    training = Training("adam", 0.1, 60, 40, validation=0.0)
    fitted = fit(backend, data, softmax_regression, training)
    assert fitted.predictions.probabilities.shape == (600, 300)
    assert fitted.metrics["test"]["error"] < 0.01
    assert set(fitted.predictions.predicted) >= {0, 255, 256, 299}
    assert set(fitted.predictions.probabilities.argmax(1)) >= {0, 255, 256, 299}


def test_what_is_predicted_at_once_fits_in_memory(backend, digits, monkeypatch):
    import keras

    assert predictions.predicted_at_once(softmax_regression((28, 28, 1), 10)) == 2000
    # The lecture's numbers were predicted so, and another number of rows may change a last digit.
    assert predictions.predicted_at_once(small_cnn((32, 32, 3), 10, crop=2)) == 2000
    x = keras.Input((1000, 16))
    attention = keras.Model(x, keras.layers.MultiHeadAttention(8, 2)(x, x))
    assert predictions.predicted_at_once(attention) < 2**30 / (4 * 8 * 1000**2)
    whole = fit(backend, digits, softmax_regression, train_size=100)
    monkeypatch.setattr(predictions, "PREDICTED_BYTES", 4 * (64 + 64 + 10) * 7)
    parts = fit(backend, digits, softmax_regression, train_size=100)
    assert_close(parts.predictions, whole.predictions, atol=1e-3)
