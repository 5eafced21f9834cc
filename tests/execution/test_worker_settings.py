"""A worker decides what Keras is set to: neither the caller's keras.json nor the environment, nor a builder before."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution.answer import is_out_of_memory
from lecturebench.execution.engine import carry_out
from lecturebench.execution.plan import Request, named, plan
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import device_environment, safe_path
from lecturebench.store import Store

NAME = os.environ.get("KERAS_BACKEND", "tensorflow")
SUITE = '''
"""Networks that show what Keras is set to."""

from functools import partial

from lecturebench import Benchmark, Network, Profile, Training


def net(input_shape, outputs, *, filters, half=False):
    import keras

    if half:
        keras.config.set_dtype_policy("mixed_float16")
        keras.config.set_floatx("float16")
    layers = [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.BatchNormalization()]
    layers += [keras.layers.Flatten(), keras.layers.Dense(outputs)]
    return keras.Sequential([keras.Input(input_shape), *layers])


SGD = Training("sgd", 0.1, 64, 1)
BENCHMARK = Benchmark(
    title="Settings",
    methods=(
        Network("half", "Sets them itself", net, SGD, filters=2, half=True),
        Network("plain", "As they are", net, SGD, filters=2),
        Network("small", "A partial", partial(net, filters=1), SGD),
        Network("large", "Another partial", partial(net, filters=5), SGD),
        *(Network(name, name, (lambda *shapes, n=n: net(*shapes, filters=n)), SGD) for n, name in ((1, "a"), (5, "b"))),
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=1, judges=False), "lecture": Profile(seeds=2), "full": Profile()},
)
'''


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory, own_cache: None) -> Request:
    folder = tmp_path_factory.mktemp("course")
    (folder / "bench_settings.py").write_text(SUITE)
    benchmark = load_benchmark(folder / "bench_settings.py")
    return Request(benchmark, "digits", load("digits").digests, "smoke", NAME)


def fitted(request, folder, setting):
    """Records by method, all fitted by one worker, in the order of the plan; "half" fails."""
    display, store = PlainDisplay(lambda line: None), Store(folder)
    summary = carry_out([request], store, pool=partial(local_pool, 1, setting, display), display=display)
    failed = {record.method: record for record in summary.failed}
    assert failed.keys() <= {"half"}, [record.traceback for record in failed.values()]
    return failed | {record.method: record for record in store.read()[0]}


@pytest.fixture
def here(setting):
    """The setting of a worker on the backend of this process."""
    return replace(setting, backend=NAME)


@pytest.mark.slow
def test_callers_keras_settings_change_nothing_and_what_holds_is_recorded(
    request_, here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    request = replace(request_, methods=("plain",))
    plain = fitted(request, tmp_path / "as it is", here)["plain"]
    for number, asked in enumerate(
        ({"floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.1}, {"floatx": "of a later Keras"})
    ):
        home = tmp_path / f"home {number}"
        (home / ".keras").mkdir(parents=True)
        (home / ".keras" / "keras.json").write_text(json.dumps({**asked, "backend": "torch"}))
        monkeypatch.setenv("HOME", str(home))
        record = fitted(request, tmp_path / f"store {number}", here)["plain"]
        assert record.parameters == plain.parameters == 20 + 8 + 6 * 6 * 2 * 10 + 10
        assert record.digests["predictions"] == plain.digests["predictions"]
        assert record.metrics == plain.metrics
        assert (home / ".keras" / "keras.json").read_text() == json.dumps({**asked, "backend": "torch"})
    flags = plain.environment["flags"]
    assert flags["keras.floatx"] == flags["keras.dtype_policy"] == "float32"
    assert flags["keras.image_data_format"] == "channels_last"
    assert float(flags["keras.epsilon"]) == 1e-7


@pytest.mark.slow
def test_what_a_builder_sets_does_not_reach_the_next_network(request_, here, tmp_path: Path):
    alone = fitted(replace(request_, methods=("plain",)), tmp_path / "alone", here)["plain"]
    both = fitted(replace(request_, methods=("half", "plain")), tmp_path / "both", here)
    assert both["plain"].digests["predictions"] == alone.digests["predictions"]
    assert both["plain"].metrics == alone.metrics
    assert re.fullmatch(
        r"ValueError: layer 'input_layer\w*' computes in float16; networks compute in float32", both["half"].reason
    )


@pytest.mark.slow
def test_partials_and_lambdas_of_one_name_are_networks_of_their_own(request_, here, tmp_path: Path):
    names = ("small", "large", "a", "b")
    records = fitted(replace(request_, methods=names), tmp_path, here)
    sizes = {1: 10 + 4 + 36 * 10 + 10, 5: 50 + 20 + 36 * 5 * 10 + 10}
    assert {name: records[name].parameters for name in names} == {
        name: sizes[n] for name, n in zip(names, (1, 5, 1, 5), strict=True)
    }


def test_recipe_says_what_a_partial_holds(request_):
    sources = {method.name: "its source" for method in request_.benchmark.methods}
    runs = {run.method: run for run in plan(request_, {}, sources).runs}
    suite = request_.benchmark.suite
    assert runs["small"].recipe["function"] == f"partial({suite}.bench_settings.net, filters=1)"
    assert runs["plain"].recipe["function"] == f"{suite}.bench_settings.net"
    given = partial(partial(fitted, 1), setting=2)
    assert named(given, request_.benchmark) == f"partial({fitted.__module__}.fitted, 1, setting=2)"
    given = partial(partial(fitted, 1), setting=plan)
    assert named(given, request_.benchmark) == f"partial({fitted.__module__}.fitted, …)"
    assert "stopping" not in runs["plain"].recipe


def test_runs_on_a_gpu_are_in_single_precision_and_in_a_fixed_order_and_share_the_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp/dump")
    variables = device_environment("gpu")
    assert variables["NVIDIA_TF32_OVERRIDE"] == "0"
    assert variables["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
    assert variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert variables["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert variables["XLA_FLAGS"] == "--xla_dump_to=/tmp/dump --xla_gpu_deterministic_ops=true"
    monkeypatch.setenv("XLA_FLAGS", variables["XLA_FLAGS"])
    assert device_environment("gpu") == variables
    assert device_environment("cpu") == {"CUDA_VISIBLE_DEVICES": ""}


class JaxRuntimeError(RuntimeError):
    """Named as JAX's own."""


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch's own."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError("no room"), True),
        (OutOfMemoryError("CUDA out of memory"), True),
        (JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory"), True),
        (JaxRuntimeError("INVALID_ARGUMENT: shapes"), False),
        (RuntimeError("RESOURCE_EXHAUSTED is a word"), False),
    ],
)
def test_memory_that_runs_out_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_workers_alone_are_told_to_pass_over_the_callers_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with safe_path():
        assert os.environ["PYTHONSAFEPATH"]
        with safe_path():
            pass
        assert os.environ["PYTHONSAFEPATH"]
    assert "PYTHONSAFEPATH" not in os.environ
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    with safe_path():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ["PYTHONSAFEPATH"] == "1"
