"""What a method draws beside the run's streams follows from the run's seed, and is noticed."""

from __future__ import annotations

import random

import numpy as np
import pytest

from lecturebench.training.drawn import numpys, own_draws

SOURCES = {
    "numpy": lambda: float(np.random.normal()),
    "python": lambda: random.random(),
    "without a seed": lambda: float(np.random.default_rng().normal()),
}


@pytest.mark.parametrize("source", SOURCES)
def test_draws_follow_the_seed_and_are_noticed(source):
    def drawn(seed):
        with own_draws(seed) as draws:
            value = SOURCES[source]()
        assert draws.any
        return value

    assert drawn(3) == drawn(3) != drawn(4)


def test_nothing_drawn_is_noticed_as_nothing():
    with own_draws(0) as draws, numpys() as of_numpy:
        np.random.default_rng(5).normal()
    assert (draws.any, of_numpy.any) == (False, False)


@pytest.mark.parametrize("source", SOURCES)
def test_only_numpys_draws_are_numpys(source):
    with numpys() as draws:
        SOURCES[source]()
    assert draws.any == (source != "python")
