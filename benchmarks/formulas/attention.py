"""Scaled dot-product attention in NumPy: Vaswani et al. 2017, eq. 1 and sec. 3.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.softmax import softmax

Floats = npt.NDArray[Any]


def weights(Q: Floats, K: Floats, seen: Floats | None = None) -> Floats:
    """softmax(Q K' / sqrt(d)) of one sequence, (n, m): how much each of n queries looks at each of m keys.

    Q: (n, d). K: (m, d). seen: (m,), False for keys that nobody looks at.
    """
    scores = Q @ K.T / np.sqrt(Q.shape[1])
    if seen is not None:
        scores = np.where(seen, scores, -np.inf)
    return softmax(scores)


def attention(Q: Floats, K: Floats, V: Floats, seen: Floats | None = None) -> Floats:
    """softmax(Q K' / sqrt(d)) V, (n, d)."""
    return np.asarray(weights(Q, K, seen) @ V)


def multi_head(X: Floats, theta: Sequence[Floats], seen: Floats | None = None) -> Floats:
    """The heads' results beside each other, brought back to p numbers by one more product; (n, p) as X.

    theta: W (p, heads, d) and b (heads, d) of Q, of K and of V, in this order, then W (heads, d, p) and b (p,).
    """
    query, query_bias, key, key_bias, value, value_bias, output, output_bias = theta
    heads = []
    for h in range(query.shape[1]):
        Q, K, V = (
            X @ W[:, h] + b[h] for W, b in ((query, query_bias), (key, key_bias), (value, value_bias))
        )  # (n, d) each
        heads.append(attention(Q, K, V, seen))
    beside = np.concatenate(heads, axis=1)  # (n, heads d)
    return np.asarray(beside @ output.reshape(beside.shape[1], -1) + output_bias)
