"""Whether a run's seed decides every weight of a network that starts at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def assert_seeds_decide_every_weight(build: Callable[[], Any]) -> None:
    """One seed gives all weights again; another gives other ones, but for those that start at 0 or 1."""
    import keras

    from lecturebench.training.weights import Start

    start = Start(build)
    variables = [*start.model.trainable_variables, *start.model.non_trainable_variables]
    fresh = [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in variables]
    one, other, again = (start.draw(fresh, np.random.default_rng(seed), np.random.default_rng(0)) for seed in (1, 2, 1))
    for i, variable in enumerate(start.model.trainable_variables):
        np.testing.assert_array_equal(one[i], again[i])
        if "bias" in variable.path or "gamma" in variable.path or "beta" in variable.path:
            np.testing.assert_array_equal(one[i], other[i])
        else:
            assert (one[i] != other[i]).all(), variable.path
