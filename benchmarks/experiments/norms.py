"""The size of a trained network's weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from lecturebench import Trained


def norms(trained: Trained, dataset: Any) -> dict[str, float]:
    """A probe. Square roots of sums of squares: of the penalised W1 and W2 (``norm``), of all parameters.

    Its weights are W1, w1, W2, w2, B, b, as `two_layer` orders them: each layer's weights, then its biases.
    """
    squares = [float(np.sum(np.square(array, dtype=np.float64))) for array in trained.weights]
    return {"norm": float(np.sqrt(squares[0] + squares[2])), "norm_of_all": float(np.sqrt(sum(squares)))}
