"""Convolution as slides "Convolutional Kernel" draw it: a window of the image is multiplied by the kernel and summed.

Slides print kernels and no formula. What is drawn, and what every library calls convolution, is a cross-correlation,

    A_ij = sum_a sum_b w_ab x_(i + a, j + b),

in which the kernel is not turned. Mathematics turns it by 180 degrees, w_(-a, -b); the slides' two kernels are the same
either way. A layer sums over the channels c of its input as well, and has a kernel for each of its channels k.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Padding = Literal["valid", "same"]

EDGE = np.array([[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]])
BLUR = np.ones((3, 3)) / 9


def correlate(X: Floats, W: Floats, padding: Padding = "valid", stride: int = 1) -> Floats:
    """A_nijk = sum_a sum_b sum_c W_abck X_(n, s i + a, s j + b, c), the sum as it stands here; (n, h', w', k).

    X: (n, h, w, c). W: (a, b, c, k). stride: s. padding: "valid" leaves out windows that reach over the image's edge;
    "same" puts zeros around, so that A has ceil(h / s) x ceil(w / s) numbers; of an odd number of lines of zeros the
    larger half stands below and to the right, as TensorFlow has it.
    ValueError for other padding, another number of channels, a kernel larger than the image ("valid"), or one without a
    middle ("same").
    """
    if X.shape[-1] != W.shape[2]:
        raise ValueError(
            f"the images {_by(X.shape[1:])} have {X.shape[-1]} channels, the kernel {_by(W.shape)} takes {W.shape[2]}"
        )
    x = _padded(X, W.shape[:2], padding, stride)
    rows, columns = ((size - side) // stride + 1 for size, side in zip(x.shape[1:3], W.shape[:2], strict=True))
    A = np.zeros((len(x), rows, columns, W.shape[3]), np.result_type(X, W))
    for a in range(W.shape[0]):
        for b in range(W.shape[1]):
            seen = x[:, a : a + stride * rows : stride, b : b + stride * columns : stride]  # (n, h', w', c)
            A += seen @ W[a, b]
    return A


def turned(W: Floats) -> Floats:
    """The kernel (a, b, ...) turned by 180 degrees: `correlate` with it is what mathematics calls convolution."""
    return W[::-1, ::-1]


def as_layer(kernel: Floats) -> Floats:
    """A kernel (a, b) as that of a layer with one channel in and one out, (a, b, 1, 1)."""
    return kernel[:, :, None, None]


def shares(W: Floats) -> dict[str, float]:
    """How the energy of a layer's 3 x 3 kernels, sum W^2, divides among kinds of kernels at right angles to each other.

    W: (3, 3, c, k). blur: along the box blur, which keeps the mean; edge: along the slide's edge detection; oriented:
    along the differences of columns and of lines, (-1, 0, 1) in three lines, Prewitt's kernels. Of kernels drawn
    without a direction these have 1/9, 1/9 and 2/9; what is left, 5/9, are finer patterns.
    """
    columns = np.tile([-1.0, 0.0, 1.0], (3, 1))
    energy = float(np.sum(np.square(W, dtype=float)))
    along = {}
    for name, kind in {"blur": [BLUR], "edge": [EDGE], "oriented": [columns, columns.T]}.items():
        products = [np.tensordot(one / np.linalg.norm(one), W, ([0, 1], [0, 1])) for one in kind]
        along[name] = float(np.sum(np.square(products, dtype=float))) / energy
    return along


def _padded(X: Floats, sides: tuple[int, ...], padding: Padding, stride: int) -> Floats:
    sizes = X.shape[1:3]
    if padding == "valid":
        if any(side > size for side, size in zip(sides, sizes, strict=True)):
            raise ValueError(
                f"the kernel {_by(sides)} is larger than its input {_by(sizes)}: padding 'valid' leaves nothing; take "
                "'same' or a smaller kernel"
            )
        return X
    if padding != "same":
        raise ValueError(f"padding is {padding!r}; it must be 'valid' or 'same'")
    if any(side % 2 == 0 for side in sides):
        raise ValueError(f"the kernel {_by(sides)} has no middle to put on a pixel: take odd sides or padding 'valid'")
    widths = [(0, 0)]
    for size, side in zip(sizes, sides, strict=True):
        zeros = max((-(-size // stride) - 1) * stride + side - size, 0)
        widths.append((zeros // 2, zeros - zeros // 2))
    return np.pad(X, (*widths, (0, 0)))


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
