"""A schedule's formula against Keras' own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.formulas.schedules import rate
from lecturebench import Measured

if TYPE_CHECKING:
    from lecturebench import Dataset


def sgdr_against_keras(dataset: Dataset, rng: np.random.Generator, *, steps: int) -> Measured:
    """The largest distance of SGDR's equation 5 from Keras' schedules over all steps, in base rates; it needs no data.

    cosine: one cycle, from `CosineDecay`. restarts: two, from `CosineDecayRestarts`. deviation: the larger of the two.
    """
    from keras import ops
    from keras.optimizers import schedules

    theirs = {
        "cosine": schedules.CosineDecay(1.0, steps),
        "restarts": schedules.CosineDecayRestarts(1.0, steps / 2, t_mul=1.0, m_mul=1.0),
    }
    values = {
        kind: max(abs(float(ops.convert_to_numpy(schedule(t))) - rate(kind, t, steps)) for t in range(steps))
        for kind, schedule in theirs.items()
    }
    return Measured({"deviation": max(values.values()), **values})
