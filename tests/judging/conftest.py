"""A store and its copy, to change and to compare."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from lecturebench.judging.compare import compare, read_side
from lecturebench.store import Store


@pytest.fixture
def unsynced(monkeypatch):
    """These stores need not survive a power cut."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def unclaimed(benchmarks):
    """The benchmark without its claims: judging them takes most of the time."""
    return {name: replace(benchmark, claims=()) for name, benchmark in benchmarks.items()}


@pytest.fixture
def other(store, tmp_path):
    """A copy of the store, to change."""
    return Store(shutil.copytree(store.folder, tmp_path / "other"))


@pytest.fixture
def compared(unclaimed, store, other, load):
    """The comparison of the store with its copy as they are now; with ``back``, of the copy with the store."""

    def compared(back=False, benchmarks=unclaimed, load=load):
        sides = [read_side(side.folder, benchmarks, load) for side in (store, other)]
        return compare(*(reversed(sides) if back else sides))

    return compared
