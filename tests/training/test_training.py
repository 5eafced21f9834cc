"""What a training may ask for beside its rates: schedules, looks, subsets, standardised features, splits, probes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from baselines.linear import linear_discriminant
from lecturebench import Choice, Measured, Schedule, Standardized, Training
from lecturebench.datasets import Dataset, Split, load, mirrored, resplit_by
from lecturebench.metrics import measure, of_task
from lecturebench.models.dense import softmax_regression, two_layer
from lecturebench.training.baselines import fit_baseline
from lecturebench.training.batches import training_examples
from lecturebench.training.fit import fit_experiment, fit_network
from lecturebench.training.outcome import streams
from lecturebench.training.predictions import predictions_of, softmax
from lecturebench.training.weights import draw_weights
from tests.training.cases import same

SGD = Training(optimizer="sgd", learning_rate=0.1, batch_size=64, epochs=2)


@pytest.fixture(scope="module")
def digits(own_cache) -> Dataset:
    return load("digits")


def table(n_train=40, n_test=20) -> Dataset:
    """y = 3 x_0 - 2 x_1 + 1, with a constant feature and one of another scale."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_train + n_test, 3)) * [1.0, 50.0, 0.0] + [5.0, 0.0, 7.0]
    y = 3 * X[:, 0] - 2 * X[:, 1] + 1
    train, test = Split(X[:n_train], y[:n_train]), Split(X[n_train:], y[n_train:])
    return Dataset(
        kind="table", task="regression", train=train, test=test, name="made", source="made up", digests={"train": "a"}
    )


def fit(digits, backend, training, train_size=400, **more):
    """On so many examples that an epoch has no smaller last batch: one shape to compile."""
    more |= {"train_size": train_size, "steps_class": backend.Steps}
    return fit_network(two_layer, {"units": (16, 8)}, training, digits, seed=0, **more)


def measured(outputs, y):
    """All metrics of a classifier's outputs."""
    return measure(y, predictions_of("classification", outputs), of_task("classification"))


def test_looks_add_points_to_the_curve_and_change_nothing_else(digits, backend):
    once, often = (fit(digits, backend, dataclasses.replace(SGD, looks=looks), train_size=None) for looks in (1, 4))
    steps = -(-once.n_train // 64)
    assert [point["step"] for point in once.curve] == [steps, 2 * steps]
    assert len(often.curve) == 8
    assert [point["epoch"] for point in often.curve][3::4] == [1, 2]
    assert often.curve[-1]["step"] == 2 * steps
    assert np.diff([point["step"] for point in often.curve]).min() > 0
    assert same(once.predictions, often.predictions)
    assert once.metrics == often.metrics
    assert once.curve[-1]["validation_loss"] == often.curve[-1]["validation_loss"]


def test_batch_larger_than_the_data_is_full_batch_gradient_descent(digits, backend):
    model = softmax_regression(digits.train.X.shape[1:], 10)
    fitted = fit_network(
        softmax_regression,
        {},
        dataclasses.replace(SGD, batch_size=10**6, epochs=3),
        digits,
        seed=0,
        steps_class=backend.Steps,
    )
    assert [point["step"] for point in fitted.curve] == [1, 2, 3]
    train, _ = training_examples(digits, None, 0.2, streams(0)["split"])
    X = np.asarray(digits.train.X[train], dtype=float).reshape(len(train), -1) / digits.scale
    y = np.eye(10)[digits.train.y[train]]
    fresh = [np.zeros(variable.shape, np.float32) for variable in model.trainable_variables]
    B, b = (value.astype(float) for value in draw_weights(model, fresh, streams(0)["weights"]))
    for _ in range(3):
        slope = (softmax(X @ B + b) - y) / len(y)
        B, b = B - 0.1 * X.T @ slope, b - 0.1 * slope.sum(axis=0)
    expected = measured(X @ B + b, digits.train.y[train])
    assert fitted.metrics["train"]["loss"] == pytest.approx(expected["loss"], rel=1e-5)


def test_metrics_of_train_are_of_the_final_network_with_nothing_removed(digits, backend):
    expected = {}

    def probe(trained, dataset):
        train, _ = training_examples(digits, None, 0.2, streams(0)["split"])
        expected.update(measured(trained.outputs(digits.train.X[train]), digits.train.y[train]))
        return {"arrays": len(trained.weights)}

    fitted = fit_network(
        two_layer,
        {"units": (16, 8), "rates": (0.5, 0.5)},
        SGD,
        digits,
        seed=0,
        steps_class=backend.Steps,
        probe=probe,
    )
    assert fitted.metrics["train"] == pytest.approx(expected)
    assert fitted.metrics["train"]["loss"] < fitted.curve[-1]["train_loss"]
    assert fitted.metrics["measured"] == {"arrays": 6}


def test_probe_gets_the_first_weights_as_the_run_drew_them_and_may_return_arrays(digits, backend):
    def probe(trained, dataset):
        return Measured({"size": len(trained.first)}, arrays={"first": trained.first[0], "last": trained.weights[0]})

    fitted = fit(digits, backend, dataclasses.replace(SGD, epochs=1), probe=probe)
    still = fit(digits, backend, dataclasses.replace(SGD, epochs=1, learning_rate=1e-30), probe=probe)
    assert fitted.metrics["measured"] == {"size": 6}
    np.testing.assert_array_equal(fitted.arrays["first"], still.arrays["last"])
    assert (fitted.arrays["first"] != fitted.arrays["last"]).any()


def test_probe_that_returns_a_curve_is_refused(digits, backend):
    with pytest.raises(ValueError, match="its probe returns a curve"):
        fit(
            digits,
            backend,
            dataclasses.replace(SGD, epochs=1),
            probe=lambda trained, dataset: Measured({}, ({"step": 1.0},)),
        )


def test_probe_gets_the_trained_weights_and_the_networks_outputs(digits, backend):
    def deviation(trained, dataset):
        W1, w1, W2, w2, B, b = trained.weights
        X = np.asarray(dataset.test.X, dtype=np.float32).reshape(len(dataset.test), -1) / dataset.scale
        z = np.maximum(np.maximum(X @ W1 + w1, 0) @ W2 + w2, 0) @ B + b
        return {"deviation": np.abs(z - trained.outputs(dataset.test.X)).max()}

    assert fit(digits, backend, SGD, probe=deviation).metrics["measured"]["deviation"] < 1e-4


def test_schedule_decides_the_rate_of_every_step(digits, backend):
    constant = fit(digits, backend, SGD)
    steps = fit(digits, backend, dataclasses.replace(SGD, schedule=Schedule("step", factor=1.0)))
    assert same(constant.predictions, steps.predictions)
    # After half the steps the rate is so small that nothing moves any more.
    stopped = fit(digits, backend, dataclasses.replace(SGD, schedule=Schedule("step", periods=2, factor=1e-30)))
    half = fit(digits, backend, dataclasses.replace(SGD, epochs=1))
    assert same(stopped.predictions, half.predictions)


def test_programs_are_not_shared_between_schedules_or_lengths_of_one(digits, backend):
    programs = {}
    for training in (
        dataclasses.replace(SGD, schedule=Schedule("cosine")),
        dataclasses.replace(SGD, schedule=Schedule("cosine"), epochs=1),
        dataclasses.replace(SGD, schedule=Schedule("exponential")),
    ):
        warm = fit(digits, backend, training, programs=programs)
        assert same(warm.predictions, fit(digits, backend, training).predictions)


def test_standardised_features_have_mean_0_and_deviation_1_on_the_training_examples():
    data = table()
    train = np.arange(0, 40, 2)
    view = Standardized().see(data, train)
    np.testing.assert_allclose(view.train.X[train].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(view.train.X[train].std(axis=0), [1, 1, 0], atol=1e-12)
    assert np.isfinite(view.test.X).all()
    assert view.digests != Standardized().see(data, train[1:]).digests


def test_standardised_over_all_takes_mean_and_deviation_over_both_splits():
    data = table()
    view = Standardized("all").see(data, np.arange(3))
    both = np.concatenate([view.train.X, view.test.X])
    np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(both.std(axis=0), [1, 1, 0], atol=1e-12)


def test_last_of_the_published_order_is_held_out_as_keras_cuts_it():
    order = np.random.default_rng(0).permutation(64)
    train, validation = training_examples(table(), None, 0.2, np.random.default_rng(1), order[: len(table().train.y)])
    places = order[: len(table().train.y)]
    kept = int(np.floor(len(places) * (1 - 0.2)))
    assert len(train) == kept
    assert places[train].max() < places[validation].min()
    assert sorted([*train, *validation]) == list(range(len(places)))


def test_standardised_training_finds_a_linear_function_of_features_on_other_scales(backend):
    training = Training("sgd", 0.1, 10, 60, validation=0.0)
    fitted = fit_network(linear, {}, training, table(), seed=0, steps_class=backend.Steps, view=Standardized())
    assert fitted.metrics["test"]["mae"] < 0.01
    assert "validation" not in fitted.metrics


def linear(input_shape, outputs):
    import keras

    return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(outputs)])


def test_new_split_holds_the_same_examples_in_the_same_sizes_and_follows_the_seed():
    data = table()
    first, again, other = resplit_by(data, 3), resplit_by(data, 3), resplit_by(data, 4)
    np.testing.assert_array_equal(first.test.X, again.test.X)
    assert not np.array_equal(first.test.y, other.test.y)
    assert (len(first.train), len(first.test)) == (40, 20)
    everything = np.sort(np.concatenate([data.train.y, data.test.y]))
    np.testing.assert_array_equal(np.sort(np.concatenate([first.train.y, first.test.y])), everything)
    assert first.digests != other.digests


def test_baseline_on_its_own_splits_is_tested_on_what_it_was_not_fitted_on(digits):
    seen = []

    def method(X, y):
        seen.append((X, y))
        return linear_discriminant(X, y)

    fitted = fit_baseline(method, {}, digits, seed=5, resplit=True)
    y = seen[-1][1]  # before it come a few examples, for the imports
    assert len(y) == len(digits.train)
    assert not np.array_equal(y, digits.train.y)
    split = resplit_by(digits, 5)
    assert fitted.metrics["test"] == measure(split.test.y, fitted.predictions, of_task("classification"))


def test_tables_reach_a_baseline_in_full_precision():
    seen = []

    def method(X, y):
        from sklearn.linear_model import LinearRegression

        seen.append(X.dtype)
        return LinearRegression().fit(X, y)

    fitted = fit_baseline(method, {}, table(), seed=0)
    assert seen == 2 * [np.float64]  # a few rows for the imports, then all
    assert fitted.metrics["test"]["mae"] < 1e-9


def test_experiment_leaves_its_numbers_and_curve_as_it_measured_them(digits):
    def measured(dataset, rng, *, factor):
        return Measured({"deviation": np.float32(factor), "infinite": np.inf}, ({"x": 1, "y": rng.integers(10)},))

    first, again = (fit_experiment(measured, {"factor": 0.5}, digits, seed=9) for _ in range(2))
    assert first.metrics == {"measured": {"deviation": 0.5, "infinite": np.inf}}
    assert first.curve == again.curve == [{"x": 1.0, "y": float(np.random.default_rng(9).integers(10))}]
    assert first.predictions is None


@pytest.mark.parametrize("name", ["mnist", "digits", "npz:/some/file"])
def test_mirrored_digits_are_refused_with_what_is_allowed(name):
    with pytest.raises(ValueError, match=r"flip is True on .*fashion_mnist, cifar10"):
        mirrored(name)
    mirrored("cifar10")


@pytest.mark.parametrize("name", ["batch_size", "epochs", "learning_rate", "train_size", "looks"])
def test_training_refuses_what_is_not_above_0_by_name(name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        dataclasses.replace(SGD, **{name: 0})
    assert dataclasses.replace(SGD, learning_rate=Choice((0.1, 1.0), (1, 2))).learning_rate.grid == (0.1, 1.0)
