"""Makes each ``bench_<name>.py`` of any folder pytest items: one per row, which fits it, and one per claim.

pytest benchmarks/bench_error_table.py -k dropout --profile lecture --seeds 5

Installed with lecturebench, so it is there in everybody's tests: until a benchmark file is collected, nothing here
imports more than what is declared.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lecturebench.declare.benchmark import BACKENDS, DEVICES, PROFILES
from lecturebench.declare.suites import is_benchmark

PREFIX = "lecturebench_"  # of the names under which options are kept: plugins share one namespace
OPTIONS: dict[str, dict[str, Any]] = {
    "--profile": {"default": "lecture", "choices": PROFILES, "help": "the budget"},
    "--seeds": {"type": int, "default": None, "help": "runs of each row that has a seed"},
    "--jobs": {"type": int, "default": None, "help": "runs at once; default one per core"},
    "--dataset": {"default": None, "help": "instead of those that the benchmark names"},
    "--backend": {"default": "tensorflow", "choices": BACKENDS, "help": "of Keras"},
    "--device": {"default": "cpu", "choices": DEVICES, "help": "never falls back to another"},
    "--out": {"default": "reports/latest", "help": "the store"},
    "--data-dir": {"default": None, "help": "where tensorflow-datasets prepared its folders"},
}
TAKEN = pytest.StashKey[tuple[str, ...]]()


def longer(option: str) -> str:
    """The name of an option that is always ours: ``--lecturebench-profile``."""
    return f"--lecturebench-{option[2:]}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``lecturebench run`` that make sense here, each also under a longer name."""
    group = parser.getgroup("lecturebench")
    for option, about in OPTIONS.items():
        names = [longer(option), option]
        dest = PREFIX + option[2:].replace("-", "_")
        try:
            group.addoption(*names, dest=dest, **about)
        except ValueError:  # another plugin has it
            group.addoption(longer(option), dest=dest, **about)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be meant, before anything is fitted."""
    for name in ("seeds", "jobs"):
        value = config.getoption(PREFIX + name)
        if value is not None and value < 1:
            raise pytest.UsageError(f"--{name} {value}: it must be at least 1")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A benchmark file is collected as one."""
    if not is_benchmark(file_path):
        return None
    from lecturebench.pytest_items import BenchmarkFile

    return BenchmarkFile.from_parent(parent, path=file_path)
