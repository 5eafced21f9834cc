"""Results do not depend on who ran before: after each method that leaves its process otherwise, a clean one is as ever.

A worker of a user's suite fits one method alone; here one may fit all of them, so that only what is seen helps.
"""

from __future__ import annotations

import pytest

from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution import pool
from lecturebench.execution.engine import source_digests
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import digest

pytestmark = pytest.mark.faults
SETTING = Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None)
SUITE = '''
"""Methods that leave their process otherwise than they found it, and a clean one."""

import ctypes
import os
import random
import resource
import signal
import sys
import threading
import time

import numpy as np

from lecturebench import Benchmark, Experiment, Measured, Profile


def clean(dataset, rng):
    """Draws, adds up, divides, asks where it is and what it may: all that the others change."""
    own = np.random.default_rng(7).normal(size=(50, 50)).astype(np.float32)
    X = np.asarray(dataset.train.X, dtype=np.float32).reshape(len(dataset.train.X), -1)
    return Measured(
        {
            "mean": float(np.mean(X)),
            "length": float(len(os.getcwd())),
            "limit": float(resource.getrlimit(resource.RLIMIT_AS)[0]),
            "recursion": float(sys.getrecursionlimit()),
            "variables": float(len(os.environ)),
            "threads": float(threading.active_count()),
            "cores": float(os.cpu_count()),
            "chosen": float(random.Random(3).randrange(1000)),
            "third": 1.0 / 3.0,
            "seconds": float(time.time() < 10),
        },
        arrays={"product": own @ own.T, "quotient": np.array([1.0, 0.0]) / 0.0, "first": X[:5] @ X[:5].T},
    )


def default_rng():
    own = np.random.default_rng
    np.random.default_rng = lambda seed=None: own(12345)


def mean():
    np.mean = lambda *args, **given: 0.5


def class_method():
    random.Random.randrange = lambda self, *args: 4


def cores():
    os.cpu_count = lambda: 640


def variable():
    os.environ["OMP_NUM_THREADS"] = "2"


def new_variable():
    os.environ["NEVER_HEARD_OF"] = "1"


def folder():
    os.chdir("/")


def threads():
    import threadpoolctl

    threadpoolctl.threadpool_limits(limits=2)


def error_state():
    np.seterr(all="raise")


def recursion():
    sys.setrecursionlimit(333)


def memory():
    resource.setrlimit(resource.RLIMIT_AS, (2**36, resource.RLIM_INFINITY))


def thread():
    threading.Thread(target=time.sleep, args=(600,)).start()


def thread_that_crashes():
    threading.Timer(0.5, os._exit, (9,)).start()


def clock():
    time.time = lambda: 0.0


def alarm():
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 1)


def rounding():
    ctypes.CDLL("libm.so.6").fesetround(0x400)


def numbers():
    np.float32 = np.float16


POLLUTERS = [
    default_rng, mean, class_method, cores, variable, new_variable, folder, threads, error_state, recursion, memory,
    thread, thread_that_crashes, clock, alarm, rounding, numbers,
]


def polluting(pollute):
    def method(dataset, rng):
        pollute()
        return Measured({"done": 1.0})

    return method


BENCHMARK = Benchmark(
    title="Polluters",
    methods=(
        Experiment("clean", "Clean", clean, deterministic=True),
        *(Experiment(each.__name__, each.__name__, polluting(each), deterministic=True) for each in POLLUTERS),
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=1, time_limit=60, judges=False), "lecture": Profile(), "full": Profile()},
)
'''
KERAS = '''
"""Networks whose builders set or replace something in Keras, and a clean one."""

from lecturebench import Benchmark, Network, Profile, Training


def clean(input_shape, outputs):
    import keras

    layers = [keras.layers.Flatten(), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(outputs)]
    return keras.Sequential([keras.Input(input_shape), *layers])


def policy(*shapes):
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    return clean(*shapes)


def layer(*shapes):
    import keras

    own = keras.layers.Dense.call
    keras.layers.Dense.call = lambda self, inputs, training=None: own(self, inputs) * 0.5
    return clean(*shapes)


def eager(*shapes):
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    return clean(*shapes)


BENCHMARK = Benchmark(
    title="Keras",
    methods=tuple(
        Network(each.__name__, each.__name__, each, Training("sgd", 0.1, 64, 1))
        for each in (clean, policy, layer, eager)
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=1, time_limit=120, judges=False), "lecture": Profile(), "full": Profile()},
)
'''


@pytest.fixture
def runs(tmp_path, own_cache):
    """The runs of a suite by method."""

    def make(text):
        folder = tmp_path / "course"
        folder.mkdir()
        (folder / "bench_polluters.py").write_text(text)
        benchmark = load_benchmark(folder / "bench_polluters.py")
        request = Request(benchmark, "digits", load("digits").digests, "smoke", "tensorflow")
        return {run.method: run for run in plan(request, {}, source_digests(request)).runs}

    return make


def each_followed_by_the_clean_one(runs):
    """What each method left, and the clean one's results: the first in a fresh worker, then one after each other."""
    left, results = {}, []
    assert next(iter(runs)) == "clean"
    with pool.local_pool(1, SETTING, PlainDisplay(lambda line: None)) as workers:

        def fit(run):
            workers.submit(run)
            while (outcome := workers.outcome(1.0)) is None:
                pass
            return outcome[1:]

        for method, run in runs.items():
            if method != "clean":
                left[method] = fit(run)[0]
            record, arrays = fit(runs["clean"])
            assert record.status == "ok", f"after {method}: {record.reason}\n{record.traceback}"
            assert record.notes == []
            results.append((record.metrics, {file: digest(named) for file, named in arrays.items()}))
    return left, results


@pytest.mark.parametrize(("suite_text", "polluters"), [(SUITE, 17), (KERAS, 3)], ids=["process", "keras"])
def test_results_do_not_depend_on_who_ran_before(runs, monkeypatch, suite_text, polluters):
    monkeypatch.setattr(pool, "served", lambda run: ())
    left, results = each_followed_by_the_clean_one(runs(suite_text))
    assert len(left) == polluters
    assert [result for result in results if result != results[0]] == []
    assert {method for method, record in left.items() if "left its process" in " ".join(record.notes)} == {*left}


def test_a_method_of_a_users_suite_has_workers_of_its_own(runs):
    asked = runs(SUITE)
    lecture = pool.served
    assert lecture(asked["clean"]) != lecture(asked["mean"])
