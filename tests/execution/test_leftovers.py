"""What a run leaves in its process is seen, whatever it is; what an import adds or what was put back is nothing."""

from __future__ import annotations

import builtins
import ctypes
import gc
import importlib
import locale
import math
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import sklearn
import threadpoolctl
from sklearn.naive_bayes import GaussianNB

from lecturebench.execution.leftovers import changes, in_words, snapshot

POLLUTERS: dict[str, Callable[[], Iterator[None]]] = {}


def leaves(*names):
    """A polluter, and what it should be seen to have left."""

    def keep(polluter):
        POLLUTERS[polluter.__name__] = (polluter, names)
        return polluter

    return keep


def replacing(name, owner, attribute, value):
    """A polluter that replaces something."""

    @leaves(name)
    def polluter():
        own = vars(owner)[attribute] if isinstance(owner, type) else getattr(owner, attribute)
        setattr(owner, attribute, value)
        yield
        setattr(owner, attribute, own)

    POLLUTERS[name] = POLLUTERS.pop("polluter")


def fake(*args, **given):
    return 4


replacing("numpy.random.default_rng", np.random, "default_rng", fake)
replacing("numpy.mean", np, "mean", fake)
replacing("numpy.exp", np, "exp", fake)
replacing("numpy.pi", np, "pi", 3.0)
replacing("math.pi", math, "pi", 3.0)
replacing("random.random", random, "random", fake)
replacing("random.Random.shuffle", random.Random, "shuffle", fake)
replacing("os.cpu_count", os, "cpu_count", fake)
replacing("time.time", time, "time", fake)
replacing("time.perf_counter", time, "perf_counter", fake)
replacing("builtins.sum", builtins, "sum", fake)
replacing("sklearn.naive_bayes.GaussianNB.fit", GaussianNB, "fit", fake)
replacing("sklearn.naive_bayes._BaseNB.predict", GaussianNB.__mro__[1], "predict", fake)
replacing("streams", sys, "stdout", sys.__stderr__)


@leaves("environment variable OMP_NUM_THREADS")
def environment():
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "64"
    yield
    del os.environ["OMP_NUM_THREADS"]
    if before is not None:
        os.environ["OMP_NUM_THREADS"] = before


@leaves("environment variable A_NEW_ONE")
def new_variable():
    os.environ["A_NEW_ONE"] = "1"
    yield
    del os.environ["A_NEW_ONE"]


@leaves("working folder")
def working_folder():
    before = os.getcwd()
    os.chdir("/")
    yield
    os.chdir(before)


@leaves("umask")
def umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


@leaves("threads of openblas")
def threads_of_blas():
    with threadpoolctl.threadpool_limits(limits=1 if threadpoolctl.threadpool_info()[0]["num_threads"] > 1 else 2):
        yield


@leaves("numpy.seterr")
def error_state():
    with np.errstate(all="raise"):
        yield


@leaves("numpy.setbufsize")
def buffer_size():
    before = np.setbufsize(1024)
    yield
    np.setbufsize(before)


@leaves("numpy's global generator")
def generator():
    before = np.random.mtrand.get_bit_generator()
    np.random.mtrand.set_bit_generator(np.random.PCG64(1))
    yield
    np.random.mtrand.set_bit_generator(before)


@leaves("recursion limit")
def recursion_limit():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + 100)
    yield
    sys.setrecursionlimit(before)


@leaves("limit RLIMIT_AS")
def memory_limit():
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**44, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@leaves("1 more threads")
def thread():
    ends = threading.Event()
    left = threading.Thread(target=ends.wait)
    left.start()
    yield
    ends.set()
    left.join()


@leaves("1 more processes")
def process():
    with subprocess.Popen(["sleep", "60"]) as left:
        yield
        left.kill()


@leaves("handler of SIGUSR1")
def handler():
    before = signal.signal(signal.SIGUSR1, fake)
    yield
    signal.signal(signal.SIGUSR1, before)


@leaves("timer")
def alarm():
    signal.setitimer(signal.ITIMER_VIRTUAL, 3600)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@leaves("sys.path")
def path():
    sys.path.insert(0, "/nowhere")
    yield
    sys.path.remove("/nowhere")


@leaves("sys.meta_path")
def finder():
    sys.meta_path.insert(0, fake)
    yield
    sys.meta_path.remove(fake)


@leaves("garbage collection")
def collection():
    gc.disable()
    yield
    gc.enable()


@leaves("warnings that are errors")
def warnings_as_errors():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "of no kind that is anywhere")
        yield


@leaves("sklearn.set_config")
def scikit_learn():
    with sklearn.config_context(assume_finite=True):
        yield


@leaves("rounding of floats")
def rounding():
    libm = ctypes.CDLL("libm.so.6")
    libm.fesetround(0x400)  # FE_DOWNWARD
    yield
    libm.fesetround(0)


@leaves("locale")
def language():
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C.UTF-8" if before == "C" else "C")
    yield
    locale.setlocale(locale.LC_ALL, before)


@leaves("numpy.linalg._linalg.norm inside")
def code_of_a_function_inside_another():
    inner = np.linalg.norm.__wrapped__
    before = inner.__code__
    inner.__code__ = (lambda x, ord=None, axis=None, keepdims=False: 4).__code__
    yield
    inner.__code__ = before


@leaves("random.Random.sample")
def named_defaults():
    before = random.Random.sample.__kwdefaults__
    random.Random.sample.__kwdefaults__ = {"counts": [1, 2]}
    yield
    random.Random.sample.__kwdefaults__ = before


@leaves("sklearn.naive_bayes.GaussianNB.__init__")
def named_default_changed_where_it_is():
    named = GaussianNB.__init__.__kwdefaults__
    before = named["var_smoothing"]
    named["var_smoothing"] = 0.5
    yield
    named["var_smoothing"] = before


@leaves("random.Random.gauss")
def defaults():
    before = random.Random.gauss.__defaults__
    random.Random.gauss.__defaults__ = (5.0, 1.0)
    yield
    random.Random.gauss.__defaults__ = before


@leaves("math.floor")
def removal():
    own = math.floor
    del math.floor
    yield
    math.floor = own


@pytest.fixture(scope="module")
def at_first():
    """The process before any of them; a look at all code takes a fifth of a second once TensorFlow is imported."""
    return snapshot()


@pytest.mark.parametrize(("polluter", "names"), POLLUTERS.values(), ids=POLLUTERS)
def test_whatever_is_left_otherwise_is_seen_and_named(at_first, polluter, names):
    before = snapshot(last=at_first)
    with contextmanager(polluter)():
        seen = changes(before)
    assert set(names) <= set(seen)
    # Where a name was imported elsewhere it may be found twice; pytest puts two of its own anew for every test.
    assert len([name for name in seen if not name.startswith(("_pytest.", "warnings._showwarnmsg"))]) <= 3
    assert not set(names) & set(changes(before))


def test_look_that_takes_over_the_last_sees_the_same(tmp_path, monkeypatch):
    first = snapshot()
    monkeypatch.setenv("A_NEW_ONE", "1")
    second = snapshot(last=first)
    assert second.code is first.code
    assert changes(second) == ()
    with monkeypatch.context() as patched:
        patched.setattr(random, "random", fake)
        assert changes(second) == ("random.random",)
    (tmp_path / "later.py").write_text("def late():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    later = importlib.import_module("later")
    try:
        third = snapshot(last=second)
        monkeypatch.setattr(later, "late", fake)
        assert changes(third) == ("later.late",)
    finally:
        del sys.modules["later"]


def test_what_an_import_adds_and_what_is_put_back_is_no_difference():
    sys.modules.pop("this_is_no_module", None)
    before = snapshot()
    math.of_ours = fake
    threading.Thread(target=fake).start()
    subprocess.run(["true"], check=True)
    with np.errstate(all="raise"), threadpoolctl.threadpool_limits(limits=1):
        np.random.default_rng(0).normal(size=3)
    import colorsys  # noqa: F401 - nothing else imports it

    try:
        assert changes(before) == ()
    finally:
        del math.of_ours


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """A module of a user's, in a folder of a suite."""
    file = tmp_path / "helper.py"
    file.write_text("calls, cached, kept, seen = 0, None, [], {'a': 1}\nimport math\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("helper")
    del sys.modules["helper"]


@pytest.mark.parametrize(
    ("name", "pollute"),
    [
        ("calls", lambda helper: setattr(helper, "calls", helper.calls + 1)),
        ("cached", lambda helper: setattr(helper, "cached", [1.0])),
        ("kept", lambda helper: helper.kept.append(1)),
        ("seen", lambda helper: helper.seen.update(a=2)),
        ("made", lambda helper: setattr(helper, "made", 1)),
    ],
)
def test_data_that_a_users_module_keeps_is_seen(helper, tmp_path, name, pollute):
    before = snapshot(tmp_path)
    assert changes(before) == ()
    pollute(helper)
    assert changes(before) == (f"helper.{name}",)
    assert changes(snapshot(tmp_path)) == ()


def test_users_module_that_is_imported_late_is_no_change(helper, tmp_path):
    (tmp_path / "later.py").write_text("kept = []\n")
    before = snapshot(tmp_path)
    importlib.import_module("later")
    try:
        assert changes(before) == ()
    finally:
        del sys.modules["later"]


def test_of_libraries_beside_a_users_modules_no_data_is_looked_at(helper, tmp_path):
    packages = tmp_path / ".venv" / "site-packages"
    packages.mkdir(parents=True)
    helper.__file__ = str(packages / "helper.py")
    before = snapshot(tmp_path)
    helper.kept.append(1)
    assert changes(before) == ()


def keras_polluters(keras, name):
    """What may be set or replaced in Keras and its backend: how, how it is put back, and what is said of it."""
    dense = keras.layers.Dense
    own = dense.call
    yield lambda: keras.config.set_floatx("float16"), lambda: keras.config.set_floatx("float32"), "keras.config.floatx"
    policy = keras.config.set_dtype_policy
    yield lambda: policy("mixed_float16"), lambda: policy("float32"), "keras.config.dtype_policy"
    yield lambda: setattr(dense, "call", fake), lambda: setattr(dense, "call", own), f"{dense.__module__}.Dense.call"
    if name == "tensorflow":
        import tensorflow as tf

        eagerly = tf.config.run_functions_eagerly
        yield lambda: eagerly(True), lambda: eagerly(False), "tensorflow.config.functions_run_eagerly"
    elif name == "jax":
        import jax

        update = jax.config.update
        kind = "jax_enable_x64"
        yield lambda: update(kind, True), lambda: update(kind, False), f"jax.config.{kind}"
    else:
        import torch

        default = torch.set_default_dtype
        yield lambda: default(torch.float64), lambda: default(torch.float32), "torch.get_default_dtype"


def test_what_is_set_in_keras_and_its_backend_is_seen(backend):
    import keras

    for pollute, clean, name in keras_polluters(keras, keras.backend.backend()):
        before = snapshot()
        pollute()
        try:
            assert name in changes(before)
        finally:
            clean()
        assert changes(before) == ()


def test_a_note_names_three_and_counts_the_others():
    assert in_words(("umask",)) == "it left its process with another umask; no other run got it"
    assert "with another a, b, c and 2 more;" in in_words(("a", "b", "c", "d", "e"))
