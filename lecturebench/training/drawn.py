"""Random numbers that are drawn behind the harness's back: seeded by the run, noticed, and put back afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.random import bit_generator

OWN_STREAM = 5  # beside the five of `outcome.STREAMS`


@dataclass
class Draws:
    """Whether anything random was drawn inside `seeded`, known when it is left."""

    any: bool = False


@contextmanager
def seeded(seed: np.random.SeedSequence) -> Iterator[Draws]:
    """What is drawn inside follows from ``seed`` alone: by NumPy's and Python's global generators, which estimators
    with ``random_state=None`` use, and by generators that are made without a seed. All is put back afterwards.

    Out of reach are ``random.seed()`` without a number, the operating system's own random numbers, and other processes.
    """
    legacy, python, unseeded = (int(child.generate_state(1)[0]) for child in seed.spawn(3))
    entropy = random.Random(unseeded)
    draws = Draws()

    def randbits(k: int) -> int:
        draws.any = True
        return entropy.getrandbits(k)

    def reseed(generator: random.Random, a: object = None, version: int = 2) -> None:
        own_seed(generator, randbits(64) if a is None else a, version)  # type: ignore[arg-type]

    numpy_before, python_before = np.random.get_state(), random.getstate()
    own_randbits, own_seed = bit_generator.randbits, random.Random.seed  # type: ignore[attr-defined]
    np.random.seed(legacy)
    random.seed(python)
    begin = _state()
    # Every generator of NumPy's that is given no seed asks this name for its entropy, however it was imported.
    bit_generator.randbits = randbits  # type: ignore[attr-defined]
    random.Random.seed = reseed  # type: ignore[method-assign,assignment]
    try:
        yield draws
    finally:
        bit_generator.randbits = own_randbits  # type: ignore[attr-defined]
        random.Random.seed = own_seed  # type: ignore[method-assign]
        draws.any = draws.any or _state() != begin
        np.random.set_state(numpy_before)
        random.setstate(python_before)


@contextmanager
def own_draws(seed: int) -> Iterator[Draws]:
    """`seeded` by a run's seed, for what a method draws beside the run's streams."""
    with seeded(np.random.SeedSequence(seed, spawn_key=(OWN_STREAM, 0))) as draws:
        yield draws


@contextmanager
def numpys() -> Iterator[Draws]:
    """Whether NumPy drew inside, by its global generator or by one that was made without a seed."""
    draws = Draws()
    own_randbits = bit_generator.randbits  # type: ignore[attr-defined]

    def randbits(k: int) -> int:
        draws.any = True
        bits: int = own_randbits(k)
        return bits

    _, before, *place = np.random.get_state()
    bit_generator.randbits = randbits  # type: ignore[attr-defined]
    try:
        yield draws
    finally:
        bit_generator.randbits = own_randbits  # type: ignore[attr-defined]
        _, after, *then = np.random.get_state()
        draws.any = draws.any or place != then or not np.array_equal(before, after)


def _state() -> tuple[object, ...]:
    """The states of the global generators, equal while nothing is drawn."""
    name, key, *rest = np.random.get_state()
    return name, np.asarray(key).tobytes(), *rest, random.getstate()
