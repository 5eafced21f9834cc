"""Random numbers that are drawn behind the harness's back: seeded by the run, noticed, and put back afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.random import bit_generator

from lecturebench.training.outcome import STREAMS


@dataclass
class Draws:
    """Whether anything random was drawn inside `own_draws` or `numpys`, known when it is left."""

    any: bool = False


@contextmanager
def own_draws(seed: int, other: int = 0) -> Iterator[Draws]:
    """What is drawn inside beside the run's streams follows from the run's seed alone: by NumPy's and Python's global
    generators, which estimators with ``random_state=None`` use, and by generators that are made without a seed.

    other: other random numbers of the same run. All is put back afterwards. Out of reach are ``random.seed()`` without
    a number, the operating system's own random numbers, and other processes.
    """
    stream = np.random.SeedSequence(seed, spawn_key=(len(STREAMS), other))
    legacy, python, unseeded = (int(child.generate_state(1)[0]) for child in stream.spawn(3))
    entropy = random.Random(unseeded)
    draws = Draws()

    def reseed(generator: random.Random, a: object = None, version: int = 2) -> None:
        own_seed(generator, randbits(64) if a is None else a, version)  # type: ignore[arg-type]

    numpy_before, python_before, own_seed = np.random.get_state(), random.getstate(), random.Random.seed
    np.random.seed(legacy)
    random.seed(python)
    begin = _numpys_state(), random.getstate()
    with _entropy(entropy.getrandbits, draws) as randbits:
        random.Random.seed = reseed  # type: ignore[method-assign,assignment]
        try:
            yield draws
        finally:
            random.Random.seed = own_seed  # type: ignore[method-assign]
            draws.any = draws.any or (_numpys_state(), random.getstate()) != begin
            np.random.set_state(numpy_before)
            random.setstate(python_before)


@contextmanager
def numpys() -> Iterator[Draws]:
    """Whether NumPy drew inside, by its global generator or by one that was made without a seed."""
    draws = Draws()
    begin = _numpys_state()
    with _entropy(bit_generator.randbits, draws):  # type: ignore[attr-defined]
        try:
            yield draws
        finally:
            draws.any = draws.any or _numpys_state() != begin


@contextmanager
def _entropy(source: Callable[[int], int], draws: Draws) -> Iterator[Callable[[int], int]]:
    """Inside, NumPy's generators that are given no seed ask ``source`` for so many random bits, which is noticed."""

    def randbits(k: int) -> int:
        draws.any = True
        return source(k)

    # Every generator without a seed asks this name for its entropy, however it was imported.
    own_randbits = bit_generator.randbits  # type: ignore[attr-defined]
    bit_generator.randbits = randbits  # type: ignore[attr-defined]
    try:
        yield randbits
    finally:
        bit_generator.randbits = own_randbits  # type: ignore[attr-defined]


def _numpys_state() -> tuple[object, ...]:
    """The state of NumPy's global generator, equal while nothing is drawn."""
    name, key, *rest = np.random.get_state()
    return name, np.asarray(key).tobytes(), *rest
