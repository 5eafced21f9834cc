"""For tests that make many networks: before each new one, all garbage of the process is collected."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def little_to_look_through() -> None:
    """What earlier tests left for good is not looked through again and again: that takes longer than a network."""
    gc.collect()
    gc.freeze()
