"""What of a user's own counts in a key: every module on the way, wherever found, and all that functions hold."""

from __future__ import annotations

import functools
import importlib.metadata
import py_compile
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lecturebench import Baseline, Benchmark, Network, Profile, Schedule, Training
from lecturebench.declare import modules
from lecturebench.declare.suites import LECTURE_SUITE, load_benchmark
from lecturebench.errors import UsageError
from lecturebench.execution import installed, source
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.source import method_digest, source_digest
from lecturebench.execution.worker import Setting

BENCH = """
from lecturebench import Baseline, Benchmark, Profile
{imports}

def fit(X, y):
    from sklearn.dummy import DummyClassifier
    {use}
    return DummyClassifier(strategy="prior").fit(X, y)

BENCHMARK = Benchmark(
    title="t", methods=(Baseline("fit", "", fit),), claims=(), datasets=("digits",),
    profiles={{name: Profile() for name in ("smoke", "lecture", "full")}},
)
"""


@pytest.fixture(autouse=True)
def own_imports(tmp_path: Path) -> Iterator[None]:
    """What a test imports and where from is forgotten after it."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def suite_at(folder: Path, imports: str = "", use: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench_small.py").write_text(BENCH.format(imports=imports, use=use))
    return folder


def digest(suite: Path) -> str:
    benchmark = load_benchmark(suite / "bench_small.py")
    return method_digest(benchmark, benchmark.methods[0], "tensorflow")


def helper_at(path: Path, value: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"def strength():\n    return {value}\n")
    return path


def noticed(suite: Path, helper: Path) -> bool:
    """Whether another value in the helper gives another digest."""
    before = digest(suite)
    assert digest(suite) == before
    helper.write_text(helper.read_text().replace("return 1", "return 2"))
    return digest(suite) != before


@pytest.mark.parametrize("name", ["course", "my.course", "course-2", "1st.course"])
def test_edit_of_a_benchmark_is_noticed_whatever_its_folder_is_called(tmp_path: Path, name: str) -> None:
    suite = suite_at(tmp_path / name)
    before = digest(suite)
    suite_at(tmp_path / name, use="y = y[::-1]")
    assert digest(suite) != before


def test_folder_of_a_suite_counts_neither_by_place_nor_by_name(tmp_path: Path) -> None:
    assert digest(suite_at(tmp_path / "a" / "course")) == digest(suite_at(tmp_path / "b" / "my.course"))


@pytest.mark.parametrize(
    ("imports", "helper"),
    [
        ("from helper_beside import strength", "helper_beside.py"),
        ("import helper_beside", "helper_beside.py"),
        ("from package_beside.deep.er import strength", "package_beside/deep/er.py"),
        ("from whole_package import strength", "whole_package/__init__.py"),
        ("import package_beside.inner as helper_beside", "package_beside/inner.py"),
        ("from conftest import strength", "conftest.py"),
        ("from course import helper as helper_beside", "course/helper.py"),
        ("from .helper import strength", "course/helper.py"),
        ("from . import helper as helper_beside", "course/helper.py"),
    ],
)
def test_helper_beside_or_in_the_folder_of_a_suite_is_noticed(tmp_path: Path, imports: str, helper: str) -> None:
    use = "strength()" if "import strength" in imports else "helper_beside.strength()"
    path = helper_at(tmp_path / helper, 1)
    assert noticed(suite_at(tmp_path / "course", imports, use), path)


def test_helper_imported_by_a_call_is_refused_with_what_to_write(tmp_path: Path) -> None:
    helper_at(tmp_path / "helper_beside.py", 1)
    call = "from importlib import import_module\nhelper_beside = import_module('helper_beside')"
    with pytest.raises(UsageError, match="write `import helper_beside`"):
        digest(suite_at(tmp_path / "course", call, "helper_beside.strength()"))


def test_helper_found_by_pythonpath_is_noticed_and_what_it_imports(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    path = helper_at(tmp_path / "elsewhere" / "far_away.py", 1)
    (tmp_path / "elsewhere" / "far.py").write_text(
        "from far_away import strength\n\ndef near():\n    return strength()\n"
    )
    assert noticed(suite_at(tmp_path / "course", "from far import near", "near()"), path)


def test_import_inside_a_function_of_a_helper_is_noticed(tmp_path: Path) -> None:
    path = helper_at(tmp_path / "far_away.py", 1)
    (tmp_path / "far.py").write_text("def near():\n    import far_away\n    return far_away.strength()\n")
    assert noticed(suite_at(tmp_path / "course", "import far", "far.near()"), path)


def test_module_that_somebody_copied_among_installed_packages_is_his_own(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(str(folder))
    assert noticed(
        suite_at(tmp_path / "course", "import copied", "copied.strength()"), helper_at(folder / "copied.py", 1)
    )


def test_compiled_module_counts_by_its_bytes(tmp_path: Path) -> None:
    suite = suite_at(tmp_path / "course", "import compiled", "compiled.strength()")

    def compiled(value: int) -> str:
        text = helper_at(tmp_path / "text" / "compiled.py", value)
        py_compile.compile(str(text), str(tmp_path / "compiled.pyc"))
        return digest(suite)

    assert compiled(1) != compiled(2)


def test_installed_package_counts_by_its_version_where_a_suite_uses_it(tmp_path: Path, monkeypatch) -> None:
    suite = suite_at(tmp_path / "course", "import rich.text", "rich.text.Text()")
    keras = suite_at(tmp_path / "other", "import keras, json", "keras.ops, json.dumps")
    before, kept = digest(suite), digest(keras)
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"{version(name)}.1")
    assert digest(suite) != before
    assert digest(keras) == kept, "the record of every run states the versions of what lecturebench stands on"


def test_package_that_pip_put_into_a_folder_of_its_own_counts_by_its_version(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "wheels"
    info = folder / "carried-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: carried\nVersion: 1.0\n")
    (info / "RECORD").write_text("carried.py,,\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(installed, "_distributions", importlib.metadata.packages_distributions)
    suite, helper = (
        suite_at(tmp_path / "course", "import carried", "carried.strength()"),
        helper_at(folder / "carried.py", 1),
    )
    assert not noticed(suite, helper)
    before = digest(suite)
    (info / "METADATA").write_text("Name: carried\nVersion: 2.0\n")
    assert digest(suite) != before


def test_installed_package_that_nobody_of_the_suite_imports_does_not_count(tmp_path: Path, monkeypatch) -> None:
    before = digest(suite_at(tmp_path / "course"))
    monkeypatch.setattr(installed, "_distributions", lambda: {"sklearn": ["x"], "keras": ["x"], "platformdirs": ["x"]})
    assert digest(tmp_path / "course") == before


class Fit:
    """An object that can be called."""

    def __init__(self, depth: Any) -> None:
        self.depth = depth

    def __call__(self, X: Any, y: Any) -> Any:
        return self.depth

    def fit(self, X: Any, y: Any) -> Any:
        return self.depth


class Slotted:
    __slots__ = ("depth",)

    def __init__(self, depth: int) -> None:
        self.depth = depth


def closure(value: Any) -> Callable[..., Any]:
    return lambda X, y: value


def with_default(value: Any) -> Callable[..., Any]:
    def fit(X: Any, y: Any, depth: Any = value) -> Any:
        return depth

    return fit


def bound(value: Any) -> Callable[..., Any]:
    return Fit(value).fit


def in_partial(value: Any) -> Callable[..., Any]:
    return functools.partial(closure, value=value)


VALUES = [
    (1, 2),
    (1, 1.0),
    (1, True),
    (b"a", "a"),
    ({1, 2}, {1, 3}),
    ({"a": 1}, {"a": 2}),
    (range(2), range(3)),
    (np.arange(3), np.arange(3) * 1.0),
    (np.arange(4), np.arange(4).reshape(2, 2)),
    (np.zeros(5000), np.r_[np.zeros(2500), 1, np.zeros(2499)]),
    (np.float32(1), np.float64(1)),
    (np.exp, np.tanh),
    (np.sum, np.mean),
    (Slotted(1), Slotted(2)),
    ([Fit(1)], [Fit(2)]),
    (Training("sgd", 0.1, 8, 1), Training("sgd", 0.2, 8, 1)),
    (types, functools),
    (len, print),
]


@pytest.mark.parametrize("hold", [closure, with_default, bound, in_partial, Fit])
@pytest.mark.parametrize(("thing", "other"), VALUES, ids=lambda value: type(value).__name__)
def test_functions_that_hold_different_things_differ(hold: Callable[..., Any], thing: Any, other: Any) -> None:
    assert source_digest(hold(thing), roots=[]) == source_digest(hold(thing), roots=[])
    assert source_digest(hold(thing), roots=[]) != source_digest(hold(other), roots=[])


@pytest.mark.parametrize("value", [object(), np.array([object()]), Path("weights.npz"), (x for x in "ab")])
def test_what_no_source_describes_is_refused_in_one_line(value: Any) -> None:
    profiles = {name: Profile() for name in ("smoke", "lecture", "full")}
    method = Baseline("odd", "", closure(value))
    benchmark = Benchmark(title="t", name="b", methods=(method,), claims=(), datasets=("d",), profiles=profiles)
    with pytest.raises(
        UsageError, match=r"^method 'odd' of b: [^\n]*(use functions|give it as a dataset|make the iterator)[^\n]*$"
    ):
        method_digest(benchmark, method, "tensorflow")


def test_recursive_structures_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert source_digest(closure(loop), roots=[])


def request_for(*methods: Any) -> Request:
    profiles = {name: Profile() for name in ("smoke", "lecture", "full")}
    benchmark = Benchmark(title="t", name="b", methods=methods, claims=(), datasets=("d",), profiles=profiles)
    return Request(benchmark, "d", {"train": "t"}, "lecture", "tensorflow", seeds=1)


def key(method: Any) -> str:
    request = request_for(method)
    sources = {method.name: method_digest(request.benchmark, method, "tensorflow")}
    [run] = plan(request, {}, sources).runs
    return run.key


@pytest.mark.parametrize(
    "function", [functools.partial(closure, value=2), Fit(2), Fit(2).fit, lambda X, y: 2, Fit, closure(2)]
)
def test_anything_that_can_be_called_is_a_method(function: Any) -> None:
    assert key(Baseline("m", "", function)) == key(Baseline("m", "", function))


@pytest.mark.parametrize(("value", "other"), [(np.arange(3), np.arange(4)), (np.tanh, np.exp), (Fit(1), Fit(2))])
def test_parameters_that_are_no_plain_values_are_in_the_key(value: Any, other: Any) -> None:
    first = key(Baseline("m", "", closure, value=value))
    assert first == key(Baseline("m", "", closure, value=value))
    assert first != key(Baseline("m", "", closure, value=other))


def test_code_of_a_schedule_is_in_the_key(monkeypatch) -> None:
    followed: set[str] = set()
    run = source._Walk.run
    monkeypatch.setattr(source._Walk, "run", lambda walk: (run(walk), followed.update(walk.lines))[0])
    key(Network("m", "", closure, Training("sgd", 0.1, 8, 1, schedule=Schedule("cosine"))))
    assert any(line.startswith("lecturebench.declare.schedules:Schedule = ") for line in followed)


def test_worker_refuses_what_was_edited_since_the_plan(tmp_path: Path, monkeypatch) -> None:
    from lecturebench.execution import worker

    suite = suite_at(tmp_path / "course")
    benchmark = load_benchmark(suite / "bench_small.py")
    request = Request(benchmark, "digits", {}, "lecture", "tensorflow")
    [run] = plan(request, {}, {"fit": digest(suite)}).runs
    monkeypatch.setattr(worker, "_setting", Setting(1, "tensorflow", "cpu", None), raising=False)
    worker._check_plan(run, benchmark, benchmark.methods[0])
    suite_at(suite, use="y = y[::-1]")
    with pytest.raises(RuntimeError, match="source of fit here is not the one that was planned with"):
        worker._check_plan(run, benchmark, benchmark.methods[0])


def test_worker_refuses_other_threads_than_were_planned(monkeypatch) -> None:
    from lecturebench.execution import worker

    request = request_for(Baseline("m", "", closure))
    [run] = plan(request, {}, {"m": "s"}).runs
    monkeypatch.setattr(worker, "_setting", Setting(2, "tensorflow", "cpu", None), raising=False)
    with pytest.raises(RuntimeError, match="planned for 1 threads, but this worker has 2"):
        worker._check_plan(run, request.benchmark, request.benchmark.methods[0])


@pytest.mark.parametrize(
    ("imports", "use"),
    [
        ("import numpy as np\nRNG = np.random.RandomState(0)", "RNG.normal()"),
        ("import numpy as np\nRNG = np.random.default_rng(0)", "RNG.normal()"),
        ("import numpy as np\nRNG = np.random.default_rng(0)\ndef draw():\n    return RNG.normal()", "draw()"),
        ("import numpy as np\ndef draw(rng=np.random.default_rng(0)):\n    return rng.normal()", "draw()"),
        ("import numpy as np\ndef draw(*, rng=np.random.default_rng(0)):\n    return rng.normal()", "draw()"),
        ("import random\nOWN = random.Random(0)", "OWN.random()"),
        ("import numpy as np\nALL = {'rng': [np.random.default_rng(0)]}", "ALL['rng'][0].normal()"),
        ("import numpy as np\nclass Held:\n    rng = np.random.default_rng(0)", "Held.rng.normal()"),
        (
            "import numpy as np\nclass Holder:\n    def __init__(self):\n        self.rng = np.random.default_rng(0)\n"
            "HOLDER = Holder()",
            "HOLDER.rng.normal()",
        ),
        ("import helper_with_rng", "helper_with_rng.RNG.normal()"),
        ("from helper_with_rng import RNG", "RNG.normal()"),
        ("import helper_with_rng", "helper_with_rng.draw()"),
    ],
)
def test_generator_that_outlives_a_run_is_refused(tmp_path: Path, imports: str, use: str) -> None:
    (tmp_path / "helper_with_rng.py").write_text(
        "import numpy as np\nRNG = np.random.default_rng(0)\ndef draw():\n    return RNG.normal()\n"
    )
    with pytest.raises(UsageError, match=r"holds a random generator.*parameter `seed`"):
        digest(suite_at(tmp_path / "course", imports, use))


def test_iterator_that_outlives_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="holds an iterator, which goes on where the run before left it: make the iterator"
    ):
        digest(suite_at(tmp_path / "course", "import itertools\nCOUNT = itertools.count()", "next(COUNT)"))


def test_what_goes_on_and_is_made_inside_or_never_used_is_allowed(tmp_path: Path) -> None:
    imports = (
        "import itertools, random\nimport numpy as np\nfrom random import shuffle\nUNUSED = np.random.default_rng(0)"
    )
    use = "next(itertools.count()), random.Random(1).random(), np.random.default_rng(0).normal(), shuffle([1])"
    assert digest(suite_at(tmp_path / "course", imports, use))


def test_own_metric_is_in_the_key(tmp_path: Path) -> None:
    imports = "from lecturebench import Metric\ndef own(y, p):\n    return 1\nOWN = (Metric('own', 'higher', own),)"
    suite = suite_at(tmp_path / "course", imports)
    path = suite / "bench_small.py"
    path.write_text(path.read_text().replace("claims=(),", "claims=(), metrics=OWN,"))
    assert noticed(suite, path)


def test_lecture_has_one_digest_whether_or_not_python_finds_it_by_its_plain_name(monkeypatch) -> None:
    benchmark = load_benchmark(LECTURE_SUITE / "bench_gradient_descent.py")
    plain = method_digest(benchmark, benchmark.method("small"), "tensorflow")
    monkeypatch.setattr(modules, "_has_plain_names", lambda: False)
    modules.package_name.cache_clear()
    try:
        benchmark = load_benchmark(LECTURE_SUITE / "bench_gradient_descent.py")
        assert benchmark.method("small").function.__module__.startswith("suites_of_")
        assert method_digest(benchmark, benchmark.method("small"), "tensorflow") == plain
    finally:
        modules.package_name.cache_clear()
