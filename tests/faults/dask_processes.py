"""Real Dask processes for tests: a scheduler, workers, and hosts for them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

STARTS = 30.0  # seconds that a Dask process, or what a test waits for, may take


@dataclass
class Dask:
    """A scheduler and workers, each with a log of its own."""

    folder: Path
    host: str = "127.0.0.1"
    scheduler: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The scheduler file."""
        return self.folder / "scheduler.json"

    def start(self) -> Dask:
        """Start the scheduler."""
        self.scheduler = self._launch("scheduler", "--scheduler-file", str(self.file), "--port", "0")
        wait_for(self.file.exists)
        return self

    def worker(
        self,
        name: str,
        *options: str,
        threads: int = 1,
        own_cache: bool = False,
        host: str | None = None,
        prefix: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        """Start a worker; who asks for a pool waits for it."""
        options = ("--name", name, "--nthreads", str(threads), "--scheduler-file", str(self.file), *options)
        options += ("--local-directory", str(self.folder), "--death-timeout", "60")
        if not any("nanny" in option for option in options):
            options += ("--no-nanny",)
        if own_cache:
            environment["LECTUREBENCH_CACHE"] = str(self.folder / f"cache-{name}")
        log = self.folder / f"{name}.log"
        self.workers[name] = self._launch("worker", *options, log=log, host=host, prefix=prefix, **environment)
        wait_for(lambda: "Registered to" in log.read_text(errors="replace"), self.workers[name], log)

    def fitting(self, name: str) -> list[psutil.Process]:
        """Processes that a worker has started to fit in; Python's tracker of shared memory stays with it."""
        started = psutil.Process(self.workers[name].pid).children(recursive=True)
        return [process for process in started if "resource_tracker" not in " ".join(process.cmdline())]

    def close(self) -> None:
        """Kill everything that was started."""
        for process in [*self.workers.values(), *filter(None, [self.scheduler])]:
            for child in children(process.pid):
                with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself just now
                    child.kill()
            process.kill()
            process.wait()

    def _launch(
        self,
        what: str,
        *options: str,
        log: Path | None = None,
        host: str | None = None,
        prefix: tuple[str, ...] = (),
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        host = host or self.host
        command = (*prefix, sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", host, *options)
        with (log or self.folder / f"{what}.log").open("wb") as output:
            return subprocess.Popen(
                (*command, "--dashboard-address", f"{host}:0"),
                cwd=self.folder,
                env=os.environ | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_for(
    condition: Callable[[], object], process: subprocess.Popen[bytes] | None = None, log: Path | None = None
) -> None:
    deadline = time.monotonic() + STARTS
    while not condition():
        assert time.monotonic() < deadline, log.read_text() if log else "it never came"
        assert process is None or process.poll() is None, log.read_text() if log else "it ended"
        time.sleep(0.05)


@contextmanager
def two_hosts() -> Iterator[list[tuple[str, str]]]:
    """Two hosts, as network namespaces on a bridge where this host is 10.213.7.1: (namespace, address) of each."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    tag = f"lb{os.getpid() % 100000}"
    names = [f"{tag}a", f"{tag}b"]

    def ip(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(("ip", *words), capture_output=True, check=True)

    try:
        try:
            ip("link", "add", tag, "type", "bridge")
            ip("addr", "add", "10.213.7.1/24", "dev", tag)
            ip("link", "set", tag, "up")
            for number, name in enumerate(names, start=2):
                ip("netns", "add", name)
                ip("link", "add", f"{name}0", "type", "veth", "peer", "name", "eth0", "netns", name)
                ip("link", "set", f"{name}0", "master", tag, "up")
                ip("-n", name, "addr", "add", f"10.213.7.{number}/24", "dev", "eth0")
                ip("-n", name, "link", "set", "eth0", "up")
                ip("-n", name, "link", "set", "lo", "up")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        yield [(name, f"10.213.7.{number}") for number, name in enumerate(names, start=2)]
    finally:
        for words in (*(("netns", "del", name) for name in names), ("link", "del", tag)):
            subprocess.run(("ip", *words), capture_output=True, check=False)
