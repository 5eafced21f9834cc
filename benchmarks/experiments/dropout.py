"""Keras' own dropout layer beside what slide and book say of dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lecturebench import Measured


def keras_dropout(
    dataset: Any, rng: np.random.Generator, *, rates: Sequence[float], examples: int, units: int
) -> Measured:
    """What `keras.layers.Dropout` does in training to ``examples`` vectors of ``units`` activations A, for each rate p.

    deviation: how far a unit that stays is from A / (1 - p), as a share of it. z: how far the share of removed units is
    from p, in standard deviations of a binomial share, |share - p| / sqrt(p (1 - p) / N). The largest of all rates; the
    points have each. A: normal numbers, none of them 0.
    """
    import keras

    points = []
    for rate in rates:
        layer = keras.layers.Dropout(rate, seed=int(rng.integers(2**31)))
        A = rng.normal(size=(examples, units)).astype(np.float32)
        A[A == 0] = 1
        output = np.asarray(keras.ops.convert_to_numpy(layer(A, training=True)), dtype=np.float64)
        removed = output == 0
        scaled = output[~removed] * (1 - rate) / A[~removed].astype(np.float64)
        share = float(removed.mean())
        points.append(
            {
                "rate": rate,
                "share": share,
                "deviation": float(np.abs(scaled - 1).max()),
                "z": abs(share - rate) / float(np.sqrt(rate * (1 - rate) / removed.size)),
            }
        )
    return Measured({name: max(point[name] for point in points) for name in ("deviation", "z")}, tuple(points))
