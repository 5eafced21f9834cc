"""What the tests of statistics share: made-up runs and losses, and strategies that draw them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from lecturebench.judging.statistics import (
    Judgement,
)

RIDGE = [0.0195, 0.0201, 0.0210, 0.0188, 0.0206]
MIRROR = {"better": "worse", "worse": "better"}
OPPOSITE = {"reproduced": "worse", "worse": "reproduced"}

shares = st.floats(1e-4, 0.5)
samples = st.lists(shares, min_size=1, max_size=8)
units = st.sampled_from([0.0, 1e-4, 1e-3, 1e-2, 0.1])


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def percent(value: float) -> str:
    return f"{100 * value:.4g}%"


def same_numbers(a: Judgement, b: Judgement) -> bool:
    fields = ("n", "mean", "sd", "low", "high")
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in fields)


def disagreeing(n_seeds: int = 5, n_test: int = 400, gap: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """0/1 losses of two classifiers that agree on most examples; the second has about ``gap`` more errors."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n_test) < 0.1
    a = (hard ^ (rng.random((n_seeds, n_test)) < 0.02)).astype(float)
    b = np.maximum(a, rng.random((n_seeds, n_test)) < gap)
    return a, b
