"""What a run ran on: the part of a record that lets somebody else judge or repeat it."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("tensorflow", "keras", "jax", "jaxlib", "torch", "numpy", "scipy", "scikit-learn", "tensorflow-datasets")
FLAGS = ("TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "OMP_NUM_THREADS", "NPROC", "CUDA_VISIBLE_DEVICES")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def environment() -> dict[str, Any]:
    """This machine and its software: cpu, cores, memory, gpu, driver, os, python, packages, flags."""
    import psutil

    gpu, driver = _nvidia()
    return {
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": gpu,
        "driver": driver,
        "os": platform.platform(),
        "python": platform.python_version(),
        "packages": packages(),
        "flags": {name: os.environ[name] for name in FLAGS if name in os.environ},
    }


def packages() -> dict[str, str]:
    """Installed versions of the packages that decide results."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def commit() -> tuple[str, bool]:
    """The repository's commit and whether its files differ from it; ("", False) outside a repository."""
    head = _output("git", "-C", str(REPOSITORY), "rev-parse", "HEAD")
    changes = _output("git", "-C", str(REPOSITORY), "status", "--porcelain", "--untracked-files=no")
    return head or "", bool(changes)


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _nvidia() -> tuple[str, str]:
    line = _output("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    if not line:
        return "", ""
    name, _, driver = line.splitlines()[0].partition(",")
    return name.strip(), driver.strip()


def _output(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
