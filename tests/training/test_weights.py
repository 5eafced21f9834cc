"""First weights: the distributions' closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lecturebench.training.weights import variance_scaling


@pytest.mark.parametrize("distribution", ["uniform", "untruncated_normal", "truncated_normal"])
@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 300), ("fan_out", 200), ("fan_avg", 250)])
def test_variance_is_scale_over_fan(distribution, mode, fan):
    weights = variance_scaling((300, 200), 2.0, mode, distribution, np.random.default_rng(0))
    assert weights.dtype == np.float32
    assert weights.var() == pytest.approx(2.0 / fan, rel=0.03)
    assert abs(weights.mean()) < 5 * math.sqrt(2.0 / fan / weights.size)


def test_fans_of_a_convolution_count_its_field():
    weights = variance_scaling((3, 3, 16, 32), 1.0, "fan_in", "untruncated_normal", np.random.default_rng(0))
    assert weights.var() == pytest.approx(1 / (9 * 16), rel=0.1)


def test_glorot_uniform_is_uniform_up_to_its_limit():
    weights = variance_scaling((784, 256), 1.0, "fan_avg", "uniform", np.random.default_rng(0))
    limit = math.sqrt(6 / (784 + 256))
    assert np.abs(weights).max() <= limit
    assert stats.kstest(weights.ravel()[:5000], stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-4


def test_truncated_normal_has_nothing_beyond_two_deviations():
    weights = variance_scaling((100, 100), 1.0, "fan_in", "truncated_normal", np.random.default_rng(0))
    assert np.abs(weights).max() <= 2 * math.sqrt(1 / 100) / 0.8796
