"""A suite whose methods fail in every way that a process can, beside one that works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution.plan import Request

SUITE = '''
"""Methods that fail, one way each, and one that works."""

import time

from lecturebench import Baseline, Benchmark, Profile


def works(X, y, *, seed):
    import numpy as np
    from sklearn.naive_bayes import GaussianNB

    half = np.random.default_rng(seed).permutation(len(y))[: len(y) // 2]
    return GaussianNB(var_smoothing=0.1).fit(X[half], y[half])


def segfaults(X, y):
    import ctypes

    ctypes.string_at(0)


def exits(X, y):
    import os

    os._exit(3)


def quits(X, y):
    raise SystemExit(0)


def hangs_in_c(X, y):
    import ctypes

    ctypes.PyDLL(None).sleep(600)  # PyDLL keeps the interpreter's lock: no Python thread of this process runs


def allocates(X, y):
    held = []
    while True:
        held.append(bytearray(64 * 2**20))
        time.sleep(0.01)


class Unpicklable(Exception):
    def __reduce__(self):
        raise TypeError("cannot be pickled")


def raises_unpicklable(X, y):
    raise Unpicklable("from the method")


class Wrong:
    """Predicts one example too few."""

    def __init__(self, classes):
        self.classes_ = classes

    def predict(self, X):
        return self.classes_[[0] * len(X)]

    def predict_proba(self, X):
        import numpy as np

        return np.full((len(X) - 1, len(self.classes_)), 0.1)


def wrong_shape(X, y):
    import numpy as np

    return Wrong(np.unique(y))


class Nan(Wrong):
    def predict_proba(self, X):
        import numpy as np

        return np.full((len(X), len(self.classes_)), np.nan)


def predicts_nan(X, y):
    import numpy as np

    return Nan(np.unique(y))


def prints(X, y):
    import os

    line = b"again and again\\n" * 4096
    while True:
        os.write(1, line)


METHODS = {method.__name__: method for method in (
    segfaults, exits, quits, hangs_in_c, allocates, raises_unpicklable, wrong_shape, predicts_nan, prints
)}

BENCHMARK = Benchmark(
    title="Faults",
    methods=(
        Baseline("works", "Works", works, deterministic=False),
        *(Baseline(name, name, method) for name, method in METHODS.items()),
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=4, time_limit=4, judges=False), "lecture": Profile(), "full": Profile()},
)
'''


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with the one benchmark, ``faults``."""
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_faults.py").write_text(SUITE)
    return folder


@pytest.fixture
def request_for(suite: Path, own_cache: None) -> Callable[..., Request]:
    """Makes a request for some of the methods, on digits and the smoke profile."""
    benchmark = load_benchmark(suite / "bench_faults.py")
    digests = load("digits").digests

    def make(*methods: str, seeds: int | None = None) -> Request:
        return Request(benchmark, "digits", digests, "smoke", "tensorflow", methods=methods or None, seeds=seeds)

    return make
