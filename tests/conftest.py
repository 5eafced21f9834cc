"""What all tests share: a cache of their own, so that nobody's is read or written."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from hypothesis import settings

from lecturebench.training.backends import LOADERS, Backend
from tests.made_up import benchmarks, load, results, store, written_once

__all__ = ["benchmarks", "load", "results", "store", "written_once"]  # fixtures of every room

# A machine that is busy with fits takes its time; what a property says does not depend on it.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# A shell starts what it puts into the background deaf to Ctrl-C. Children inherit that, and some tests interrupt them.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What the imports left behind is garbage to no test, and costs half a second whenever it is looked through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    """Datasets are decoded into a folder of this session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LECTUREBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def backend() -> Backend:
    """The backend that KERAS_BACKEND names (TensorFlow by default), on one thread; once per process."""
    name = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    loaded = LOADERS[name]()
    loaded.prepare(1, "cpu")
    gc.freeze()  # each new program has all garbage collected: not among what the imports left behind, too
    return loaded
