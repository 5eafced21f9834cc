"""Makes each ``bench_<name>.py`` of any folder pytest items: one per row, which fits it, and one per claim.

pytest benchmarks/bench_error_table.py -k dropout --profile lecture --seeds 5

Installed with lecturebench, so it is there in everybody's tests: until a benchmark file is collected, nothing here
imports more than what is declared.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
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
TAKEN: set[str] = set()  # options that other plugins have


def longer(option: str) -> str:
    """The name of an option that is always ours: ``--lecturebench-profile``."""
    return f"--lecturebench-{option[2:]}"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """The options of ``lecturebench run`` that make sense here, each also under a longer name that is ours alone.

    Whoever else wants one of the short names has it: other installed plugins are asked first.
    """
    if not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") and "--disable-plugin-autoload" not in sys.argv:
        pluginmanager.load_setuptools_entrypoints("pytest11")
    group = parser.getgroup("lecturebench")
    for option, about in OPTIONS.items():
        dest = PREFIX + option[2:].replace("-", "_")
        try:
            group.addoption(longer(option), option, dest=dest, **about)
        except (argparse.ArgumentError, ValueError):
            TAKEN.add(option)
            about = {**about, "help": f"{about['help']} ({option} is another plugin's)"}
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


class _NoTests(pytest.Module):
    """Stands where pytest would import a benchmark file that is named for it, to look for test functions."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        return []


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """A benchmark file is no module of test functions, also where it is named."""
    return _NoTests.from_parent(parent, path=module_path) if is_benchmark(module_path) else None


def pytest_report_collectionfinish(items: Sequence[pytest.Item]) -> list[str]:
    """Which options go by another name here, where there are benchmarks."""
    if not TAKEN or not any(is_benchmark(item.path) for item in items):
        return []
    return [f"lecturebench: {option} is another plugin's here; say {longer(option)}" for option in sorted(TAKEN)]


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """What came out, beside the name of a row or claim, with ``-v``."""
    lines = said(report)
    if not lines or report.when != "call":
        return None
    sign = {"passed": ".", "failed": "F", "skipped": "s"}[report.outcome]
    return report.outcome, sign, f"{report.outcome.upper()} {'; '.join(lines)}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A section with a line for each claim: measured, interval, verdict, reason."""
    reports = [report for kind in ("passed", "failed", "skipped") for report in terminalreporter.stats.get(kind, [])]
    lines = [
        f"{Path(report.nodeid.partition('::')[0]).stem} {report.nodeid.partition('::')[2]}: {line}"
        for report in reports
        if "::claim[" in report.nodeid
        for line in said(report)
    ]
    if lines:
        terminalreporter.section("lecturebench")
        for line in lines:
            terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the workers go."""
    if "lecturebench.pytest_items" in sys.modules:
        from lecturebench.pytest_items import FITS

        if FITS in config.stash:
            config.stash[FITS].close()


def said(report: Any) -> list[str]:
    """What an item of ours said."""
    return [str(line) for name, line in getattr(report, "user_properties", ()) if name == "lecturebench"]
