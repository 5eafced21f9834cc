"""What a run ran on: the part of a record that lets somebody else judge or repeat it."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from lecturebench import __version__

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("tensorflow", "keras", "jax", "jaxlib", "torch", "numpy", "scipy", "scikit-learn", "tensorflow-datasets")
FLAGS = (
    *("TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS", "OMP_NUM_THREADS", "NPROC", "CUDA_VISIBLE_DEVICES"),
    *("NVIDIA_TF32_OVERRIDE", "JAX_DEFAULT_MATMUL_PRECISION"),
)
# How somebody says which checkouts of others git may read; kept, while what says where a repository lies is not.
GIT_SETTINGS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_TEST_ASSUME_DIFFERENT_OWNER")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def environment() -> dict[str, Any]:
    """This machine and its software: cpu, cores, memory, gpu, driver, os, python, packages, flags, lecturebench.

    Where the commit is not known: ``commit_unknown``, the reason, and ``source``, the digest of the package.
    """
    import psutil

    gpu, driver = _nvidia()
    unknown = provenance(REPOSITORY).unknown
    return ({"commit_unknown": unknown, "source": source_of_package()} if unknown else {}) | {
        "lecturebench": __version__,
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
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


class Provenance(NamedTuple):
    """Which version of this package runs. commit: "" where git cannot be believed; unknown: then why, else "".

    dirty: whether files differ from the commit; False where there is none.
    """

    commit: str
    dirty: bool
    unknown: str


@functools.cache
def commit() -> tuple[str, bool]:
    """The commit of this package's source and whether its files differ from it; ("", False) where nobody can tell."""
    return provenance(REPOSITORY)[:2]


def provenance(folder: Path) -> Provenance:
    """What git knows of the source in ``folder``, the one that holds the package lecturebench.

    Git is believed only where its checkout begins at that folder and tracks the package: an installation that lies
    somewhere inside another project's checkout is not that project's commit.
    """
    top, why = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        return Provenance("", False, why)
    if Path(top).resolve() != folder.resolve():
        return Provenance("", False, f"git: the checkout at {top} is another project's")
    tracked, _ = _git(folder, "ls-files", "--error-unmatch", "lecturebench/__init__.py")
    if tracked is None:
        return Provenance("", False, f"git: the checkout at {top} does not hold lecturebench")
    head, why = _git(folder, "rev-parse", "HEAD")
    # A new file that nobody added yet can decide a result too, where it is part of the package; no report decides any.
    source = (".", ":(exclude)reports")
    changes, why_not = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *source)
    new, _ = _git(folder, "ls-files", "--others", "--exclude-standard", "--", "lecturebench", "baselines")
    if head is None or changes is None:
        return Provenance("", False, why or why_not)
    return Provenance(head, bool(changes or new), "")


def _git(folder: Path, *arguments: str) -> tuple[str | None, str]:
    """What git prints, or None and why it does not, in one line."""
    # A hook of somebody's sets GIT_DIR and the like, which say nothing of this folder.
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept = {name: os.environ[name] for name in GIT_SETTINGS if name in os.environ}
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, env=surroundings | kept | {"LC_ALL": "C"}
        )
    except FileNotFoundError:
        return None, "git is not installed"
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"git: {' '.join(str(error).split())}"
    if done.returncode != 0:
        line = next(iter(done.stderr.strip().splitlines()), f"exit code {done.returncode}")
        return None, f"git: {line.removeprefix('fatal: ')}"
    return done.stdout.strip(), ""


def source_of_package(folder: Path = REPOSITORY) -> str:
    """A digest of all source of lecturebench and its baselines: what stands for the commit where there is none."""
    total = hashlib.sha256()
    for path in sorted(path for room in ("lecturebench", "baselines") for path in (folder / room).rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return total.hexdigest()


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
