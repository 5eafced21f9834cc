"""Pooling as slides "Max Pooling" and "Avg Pooling" have it, what it leaves of edges, and what a network costs.

With windows of k x k and stride s, each channel by itself,

    max:  A_ij = max_ab x_(s i + a, s j + b),    average:  A_ij = sum_ab x_(s i + a, s j + b) / k^2.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
How = Literal["max", "average"]

# Both slides show these numbers, in four colours; and what 2 x 2 windows with stride 2 make of them.
SLIDE = np.array([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]], dtype=np.float32)
ANSWERS = {
    "max": np.array([[9, 7], [8, 6]], dtype=np.float32),
    "average": np.array([[4.25, 4.25], [4.25, 3.5]], dtype=np.float32),
}


def pool(X: Floats, how: How, window: int = 2, stride: int = 2) -> Floats:
    """The pooled maps (n, h', w', c) of X (n, h, w, c); a line or column that fills no window is left out.

    ValueError for a window larger than its input.
    """
    height, width = X.shape[1:3]
    if window > min(height, width):
        raise ValueError(
            f"the pooling window {window} x {window} is larger than its input {height} x {width}: take a smaller one"
        )
    rows, columns = ((size - window) // stride + 1 for size in (height, width))
    seen = [
        X[:, a : a + stride * (rows - 1) + 1 : stride, b : b + stride * (columns - 1) + 1 : stride]
        for a in range(window)
        for b in range(window)
    ]
    return np.asarray(np.max(seen, axis=0) if how == "max" else sum(seen) / window**2)


def every_second(X: Floats) -> Floats:
    """The first of each 2 x 2 of maps (n, h, w, c): what a convolution with stride 2 computes of one with stride 1."""
    height, width = X.shape[1:3]
    return X[:, : height // 2 * 2 : 2, : width // 2 * 2 : 2]


def sharpness(X: Floats) -> float:
    """The mean of |x_ij - x_(i+1, j)| and |x_ij - x_(i, j+1)| over maps (n, h, w, c): how much neighbours differ.

    ValueError for maps of a single number, which has no neighbour.
    """
    if X.shape[1:3] == (1, 1):
        raise ValueError("maps of 1 x 1 have no neighbours to differ: take images of 4 x 4 or larger")
    down, right = np.abs(np.diff(X, axis=1)), np.abs(np.diff(X, axis=2))
    return float((down.sum(dtype=float) + right.sum(dtype=float)) / (down.size + right.size))


def variance(probabilities: Floats) -> float:
    """How far the predictions of networks are from each other: sum_m Var f_m(x), the mean over the examples x.

    probabilities: (networks, n, classes) of at least two; the variance is over the networks, divided by their number
    less 1. It is half of the mean of ||f(x) - f'(x)||^2 over pairs of networks: 0 if all agree, 1 at most for pairs.
    """
    return float(probabilities.var(axis=0, ddof=1, dtype=float).sum(axis=-1).mean())


def disagreement(probabilities: Floats) -> float:
    """The share of examples whose predicted class differs between two of the networks, the mean over pairs."""
    classes = probabilities.argmax(axis=-1)  # (networks, n)
    pairs = [np.mean(classes[i] != classes[j]) for i in range(len(classes)) for j in range(i)]
    return float(np.mean(pairs))


def operations(shape: tuple[int, ...], kernels: tuple[int, ...], outputs: int, pooling: str) -> int:
    """What an image of ``shape`` (h, w, c) costs a network of 3 x 3 "same" convolutions, each pooled, and a last layer.

    Counted are products that are added up, and of pooling the comparisons or additions, 3 for each window of 2 x 2.
    pooling: "max", "average"; "strided" for convolutions with stride 2 and no pooling; "none" for neither.
    """
    height, width, channels = shape
    total = 0
    for k in kernels:
        if pooling == "strided":
            height, width = height // 2, width // 2
        total += height * width * 9 * channels * k
        if pooling in ("max", "average"):
            height, width = height // 2, width // 2
            total += 3 * height * width * k
        channels = k
    return total + height * width * channels * outputs
