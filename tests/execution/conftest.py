"""A suite of small methods that fit without Keras, so that worker processes start quickly."""

from __future__ import annotations

from pathlib import Path

import pytest

from lecturebench.datasets import load
from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution.plan import Request
from lecturebench.execution.worker import Setting

SUITE = '''
"""Methods that work, and methods that fail in every way."""

import os
import signal
import time

from lecturebench import Baseline, Benchmark, Profile


def mean(X, y, *, seed):
    """Nearest class mean on half of the examples, drawn by the seed."""
    import numpy as np
    from sklearn.naive_bayes import GaussianNB

    half = np.random.default_rng(seed).permutation(len(y))[: len(y) // 2]
    return GaussianNB(var_smoothing=0.1).fit(X[half], y[half])


def constant(X, y):
    """The floor."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior").fit(X, y)


def raises(X, y):
    print("about to raise")
    raise ValueError("as planned\\nwith a second line")


def leaves(X, y):
    os.write(2, b"about to leave\\n")
    os._exit(7)


def killed(X, y):
    os.kill(os.getpid(), signal.SIGKILL)


def sleeps(X, y):
    time.sleep(60)


class Nan:
    """Predicts nothing."""

    def __init__(self, classes):
        self.classes_ = classes

    def predict(self, X):
        return self.classes_[[0] * len(X)]

    def predict_proba(self, X):
        import numpy as np

        return np.full((len(X), len(self.classes_)), np.nan)


def nothing(X, y):
    import numpy as np

    return Nan(np.unique(y))


BENCHMARK = Benchmark(
    title="Small methods",
    methods=(
        Baseline("mean", "Nearest mean", mean, deterministic=False),
        Baseline("constant", "Constant", constant),
        Baseline("raises", "Raises", raises),
        Baseline("leaves", "Leaves", leaves),
        Baseline("killed", "Killed", killed),
        Baseline("sleeps", "Sleeps", sleeps),
        Baseline("nothing", "Nothing", nothing),
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=2, time_limit=60, judges=False), "lecture": Profile(), "full": Profile()},
)
'''


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with the one benchmark, ``small``."""
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_small.py").write_text(SUITE)
    return folder


@pytest.fixture
def small(suite: Path) -> Benchmark:
    """The benchmark of that suite."""
    return load_benchmark(suite / "bench_small.py")


@pytest.fixture
def request_for(small: Benchmark, own_cache: None):
    """Makes a request for some methods of it, on digits and the smoke profile."""
    digests = load("digits").digests

    def make(*methods: str, seeds: int | None = None, benchmark: Benchmark = small) -> Request:
        return Request(benchmark, "digits", digests, "smoke", "tensorflow", methods=methods or None, seeds=seeds)

    return make


@pytest.fixture(scope="session")
def setting() -> Setting:
    """One thread, no GPU."""
    return Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None)
