"""Suites: folders of ``bench_<name>.py`` files, each with one ``BENCHMARK``. ``discover`` reads such a folder."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

from lecturebench.declare.benchmark import Benchmark
from lecturebench.errors import UsageError

LECTURE_SUITE = Path(__file__).resolve().parent.parent.parent / "benchmarks"


def load_benchmark(path: Path) -> Benchmark:
    """The ``BENCHMARK`` of one ``bench_<name>.py``. UsageError if the file has none or fails to import."""
    path = path.resolve()
    suite = path.parent
    module_name = f"{suite.name}.{path.stem}"
    if str(suite.parent) not in sys.path:
        sys.path.insert(0, str(suite.parent))
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    benchmark = getattr(module, "BENCHMARK", None)
    if not isinstance(benchmark, Benchmark):
        raise UsageError(f"{path} declares no BENCHMARK = Benchmark(…)")
    name = path.stem.removeprefix("bench_")
    return replace(benchmark, name=name, suite=suite.name, path=path, about=(module.__doc__ or "").strip())


def discover(suite: Path = LECTURE_SUITE) -> dict[str, Benchmark]:
    """All benchmarks of a suite by name, in the order of their names. UsageError if the folder holds none."""
    paths = sorted(suite.glob("bench_*.py")) if suite.is_dir() else []
    if not paths:
        raise UsageError(f"no suite at {str(suite)!r}: it must be a folder with bench_<name>.py files")
    return {benchmark.name: benchmark for benchmark in map(load_benchmark, paths)}
