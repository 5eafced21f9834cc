"""Seeds of a row in one program: each as it is alone, whoever else is there, and whatever happens to the others."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from functools import partial

import numpy as np
import psutil
import pytest

from lecturebench import selection
from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.declare.training import Training
from lecturebench.execution.engine import carry_out
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.models.convolutional import small_cnn
from lecturebench.models.dense import softmax_regression, two_layer
from lecturebench.store import Store
from lecturebench.training.fit import fit_network
from lecturebench.training.program import program_for
from tests.side_by_side import Together
from tests.training.cases import assert_close, same

pytestmark = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") != "jax", reason="one program for several seeds is made on JAX alone"
)
TRAINING = Training("rmsprop", 0.001, 100, 3)  # 100 leaves a smaller last batch
DROPOUT = {"units": (32, 16), "rates": (0.4, 0.3)}
QUIET = PlainDisplay(lambda line: None)


@pytest.fixture(scope="module")
def digits(own_cache):
    return load("digits")


def fit(backend, data, seed, *, training=TRAINING, function=two_layer, parameters=None, programs=None, **more):
    parameters = DROPOUT if parameters is None else parameters
    return fit_network(
        function, parameters, training, data, seed=seed, steps_class=backend.Steps, programs=programs, **more
    )


def together(
    backend, data, seeds, *, training=TRAINING, function=two_layer, parameters=DROPOUT, more=None, programs=None
):
    """What runs of these seeds give or raise, in lanes of one program in this order. more: arguments by seed."""
    programs = {} if programs is None else programs
    program = program_for(function, parameters, training, 0, data, backend.Steps, programs)
    what = programs["program"][0]
    fits = [
        lambda lane, seed=seed: fit(
            *(backend, data, seed),
            training=training,
            function=function,
            parameters=parameters,
            programs={"program": (what, lane)},
            **(more or {}).get(seed, {}),
        )
        for seed in seeds
    ]
    return dict(zip(seeds, program.steps.lanes.fit(program, data.train, fits), strict=True))


def losses(fitted):
    return [point["train_loss"] for point in fitted.curve]


@pytest.mark.parametrize("training", [TRAINING, replace(TRAINING, stopping="best", looks=2, train_size=500)])
def test_each_seed_is_fitted_as_alone(backend, digits, training):
    fitted = together(backend, digits, [4, 0, 9], training=training)
    for seed, beside in fitted.items():
        alone = fit(backend, digits, seed, training=training)
        np.testing.assert_allclose(losses(beside), losses(alone), rtol=1e-5)
        assert_close(beside.predictions, alone.predictions, atol=1e-5)
        assert beside.notes == alone.notes
        assert beside.metrics["test"] == pytest.approx(alone.metrics["test"], abs=1e-5)
    assert len({losses(each)[0] for each in fitted.values()}) == 3


def test_a_seeds_numbers_do_not_depend_on_lane_or_company(backend, digits):
    programs = {}
    first = together(backend, digits, [0, 1, 2, 3, 4, 5, 6, 7], programs=programs)
    for seeds in ([5], [2, 5], [7, 6, 5]):
        again = together(backend, digits, seeds, programs=programs)
        for seed in seeds:
            assert same(again[seed].predictions, first[seed].predictions)
            assert losses(again[seed]) == losses(first[seed])


def test_run_that_raises_or_looks_elsewhere_leaves_the_others_as_they_are(backend, digits):
    def stumble(epoch, epochs, loss):
        if epoch == 2:
            raise RuntimeError("stumbled")

    def probe(trained, dataset):  # asks for other shapes than the others do, while they wait
        return {"sum": float(sum(trained.outputs(dataset.test.X[:n]).sum() for n in (1, 7)))}

    expected = together(backend, digits, [0, 1, 2, 3])
    fitted = together(backend, digits, [0, 1, 2, 3], more={1: {"observe": stumble}, 3: {"probe": probe}})
    assert str(fitted[1]) == "stumbled"
    for seed in (0, 2, 3):
        assert same(fitted[seed].predictions, expected[seed].predictions)
    assert fitted[3].metrics["measured"].keys() == {"sum"}


def test_run_that_diverges_leaves_the_others_as_they_are(backend, digits):
    wild = replace(TRAINING, optimizer="sgd", learning_rate=0.1)
    expected = together(backend, digits, [0, 1], training=wild)
    damaged = replace(digits, train=replace(digits.train, X=digits.train.X.astype(np.float32)))
    programs = {}
    sound = together(backend, damaged, [0, 1], training=wild, programs=programs)
    lanes = programs["program"][1].steps.lanes
    own = lanes.set_weights

    def poisoned(lane, values):
        own(lane, [np.full_like(value, np.nan) if value.dtype.kind == "f" else value for value in values])

    lanes.set_weights = lambda lane, values: (poisoned if lane == 0 else own)(lane, values)
    fitted = together(backend, damaged, [0, 1], training=wild, programs=programs)
    assert fitted[0].diverged
    assert same(fitted[1].predictions, sound[1].predictions)
    assert_close(fitted[1].predictions, expected[1].predictions, atol=1e-5)


def own_activation(input_shape, outputs):
    import keras

    def doubled(z):
        return 2 * z

    inputs = keras.Input(input_shape)
    hidden = keras.layers.Dense(4, activation=doubled)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(outputs)(hidden))


def regularised(input_shape, outputs):
    import keras

    inputs = keras.Input(input_shape)
    hidden = keras.layers.Dense(4, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm")
    return keras.Model(inputs, keras.layers.Dense(outputs)(hidden(keras.layers.Flatten()(inputs))))


@pytest.mark.parametrize(
    ("function", "parameters", "gains"),
    [
        (softmax_regression, {}, True),
        (two_layer, DROPOUT, True),
        (regularised, {}, True),
        (small_cnn, {}, False),
        (own_activation, {}, False),
        (two_layer, {"units": (4000, 256)}, False),
    ],
)
def test_lanes_are_for_small_networks_of_dense_layers_and_known_code(backend, digits, function, parameters, gains):
    program = program_for(function, parameters, TRAINING, 0, digits, backend.Steps, {})
    assert (program.steps.lanes is not None) is gains


def test_keras_own_draws_are_those_of_each_run_whoever_starts_meanwhile(backend, digits):
    def slow_to_start(input_shape, outputs):
        import keras

        inputs = keras.Input(input_shape)
        hidden = keras.layers.Dense(300, activation="relu", kernel_initializer="orthogonal")
        hidden = keras.layers.Dropout(0.5)(hidden(keras.layers.Flatten()(inputs)))
        return keras.Model(inputs, keras.layers.Dense(outputs, kernel_initializer="orthogonal")(hidden))

    fitted = together(backend, digits, [0, 1, 2, 3], function=slow_to_start, parameters={})
    for seed, beside in fitted.items():
        alone = fit(backend, digits, seed, function=slow_to_start, parameters={})
        np.testing.assert_allclose(losses(beside), losses(alone), rtol=1e-5)


SUITE = '''
"""Rows that are fitted side by side, and such as cannot be."""

from lecturebench import Baseline, Benchmark, Network, Profile, Training
from lecturebench.models.dense import softmax_regression, two_layer

TRAINING = Training("adam", 0.01, 100, 2)


def largest(trained, dataset):
    return {"largest": float(max(abs(w).max() for w in trained.weights))}


def convolution(input_shape, outputs):
    import keras

    layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(outputs)]
    return keras.Sequential([keras.Input(input_shape), *layers])


def stump(X, y, *, seed):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=1, random_state=seed).fit(X, y)


BENCHMARK = Benchmark(
    title="Side by side",
    methods=(
        Network("softmax", "Softmax", softmax_regression, TRAINING),
        Network("dense", "Dense", two_layer, TRAINING, units=(16, 8)),
        Network("convolution", "Convolution", convolution, TRAINING),
        Network("probed", "Probed", softmax_regression, TRAINING, probe=largest),
        Network("resplit", "Resplit", softmax_regression, TRAINING, resplit=True),
        Baseline("stump", "Stump", stump, deterministic=False),
    ),
    claims=(),
    datasets=("digits",),
    profiles={name: Profile(seeds=3, time_limit=100) for name in ("smoke", "lecture", "full")},
)
'''


@pytest.fixture
def benchmark(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_beside.py").write_text(SUITE)
    return load_benchmark(folder / "bench_beside.py")


def records(benchmark, store, setting, display=QUIET, methods=()):
    requests, _ = selection.requests(
        [benchmark], methods=methods, profile="smoke", backend="jax", device="cpu", say=print
    )
    carry_out(requests, store, pool=partial(local_pool, 1, setting, display), display=display)
    return {(record.method, record.seed): record for record in store.read()[0]}


def setting(kind):
    return kind(threads=1, backend="jax", device="cpu", data_dir=None)


@pytest.mark.slow
def test_records_of_rows_fitted_side_by_side_are_those_of_each_alone(benchmark, tmp_path, own_cache):
    beside = records(benchmark, Store(tmp_path / "beside"), setting(Together))
    alone = records(benchmark, Store(tmp_path / "alone"), setting(Together.__base__))
    assert beside.keys() == alone.keys()
    assert len(beside) == 18
    assert {record.status for record in beside.values()} == {"ok"}
    for (method, seed), record in beside.items():
        other = alone[method, seed]
        for split, values in record.metrics.items():
            assert values == pytest.approx(other.metrics[split], abs=1e-5), (method, seed)
        company = [note for note in record.notes if "one program" in note]
        assert len(company) == (method in ("softmax", "dense"))
        assert ("steps" in record.kernels) == (method in ("softmax", "dense"))
        assert {*record.seconds} == {*other.seconds}
    whole = sum(sum(beside["dense", seed].seconds.values()) for seed in range(3))
    assert len({beside["dense", seed].started for seed in range(3)}) == 1
    assert 0 < whole < 100


class Killer(PlainDisplay):
    """Kills the worker in the first epoch that it is told of."""

    def __init__(self):
        super().__init__(lambda line: None)
        self.begun, self.killed = [], 0

    def started(self, run):
        self.begun.append((run.method, run.seed))

    def epoch(self, run, epoch, epochs, loss):
        if not self.killed:
            children = psutil.Process().children(recursive=True)
            self.killed = max(children, key=lambda child: child.memory_info().rss).pid  # that with JAX
            os.kill(self.killed, signal.SIGKILL)


@pytest.mark.slow
def test_seeds_whose_program_died_are_fitted_one_at_a_time(benchmark, tmp_path, own_cache):
    display = Killer()
    fitted = records(benchmark, Store(tmp_path / "out"), setting(Together), display, ("softmax", "dense"))
    assert display.killed
    assert len(display.begun) == len(set(display.begun)) == 6
    assert {record.status for record in fitted.values()} == {"ok"}
    assert len(fitted) == 6
    assert sum(any("one program" in note for note in record.notes) for record in fitted.values()) == 3
