"""The slides' kernels by Keras, beside SciPy and the sum written out; on photographs; and what a first layer learns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.formulas.convolution import BLUR, EDGE, Padding, as_layer, correlate, shares, turned
from benchmarks.formulas.pooling import sharpness
from lecturebench import Measured, Trained

if TYPE_CHECKING:
    from lecturebench import Dataset

Floats = npt.NDArray[Any]

IMAGES = 16  # of the test split, in one run
SHOWN = 4  # of the dataset's images in the figure
WAYS: tuple[tuple[Padding, int], ...] = tuple(itertools.product(("valid", "same"), (1, 2)))  # padding and stride
CROP = slice(40, 296), slice(130, 386)  # of the photograph of a man with a camera, 512 x 512


def edge(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """`deviations` of edge detection, and what it makes of the 256 images of one grey each.

    constant: the largest |A_ij|, with padding "same" inside the border, where the zeros around are seen. The greys are
    whole numbers, 0 to 255, of which single precision rounds no sum.
    """
    greys = np.broadcast_to(np.arange(256, dtype=np.float32)[:, None, None, None], (256, 12, 12, 1))
    flat = [np.abs(keras_conv(greys, EDGE, "valid")), np.abs(keras_conv(greys, EDGE, "same")[:, 1:-1, 1:-1])]
    return Measured(deviations(drawn(dataset, rng), EDGE) | {"constant": max(float(A.max()) for A in flat)})


def blur(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """`deviations` of the box blur, and what it does to an image's mean.

    mean: by how much it changes, at most, of images continued by their mirror image, the outermost line twice. lost:
    how much darker zeros around make them, as a share, on average.
    """
    X = drawn(dataset, rng)
    mirrored = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    before, after, zeros = (
        A.mean(axis=(1, 2, 3), dtype=float) for A in (X, keras_conv(mirrored, BLUR), keras_conv(X, BLUR, "same"))
    )
    values = {"mean": float(np.abs(after - before).max()), "lost": float(1 - zeros.sum() / before.sum())}
    return Measured(deviations(X, BLUR) | values)


def asymmetric(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """`deviations` of a kernel of normal numbers, which turned by 180 degrees is another.

    turned: of Keras with the turned kernel from SciPy's convolution, as `deviations` has them. apart: likewise of
    cross-correlation from convolution, which is what is at stake.
    """
    from scipy.signal import convolve2d

    X, kernel = drawn(dataset, rng), rng.normal(size=(3, 3)).astype(np.float32)
    weight = np.abs(kernel).sum(dtype=float)
    convolved = by_image(lambda x: convolve2d(x, kernel.astype(float), "valid"), X)
    values = {
        name: float(np.abs(keras_conv(X, w) - convolved).max() / weight)
        for name, w in {"turned": turned(kernel), "apart": kernel}.items()
    }
    return Measured(deviations(X, kernel) | values)


def photographs(dataset: Dataset, rng: np.random.Generator) -> Measured:
    """Photographs, their edges and their blur by Keras, as bytes.

    images: (images, 3, h, w, c) of the dataset's first test images of different classes. camera: (3, 256, 256, 1) of
    scikit-image's photograph. kept: the `sharpness` that blur leaves the latter, as a share. black: the share of its
    pixels that edge detection leaves at most a tenth of white.
    """
    from skimage.data import camera

    labels = np.asarray(dataset.test.y)
    firsts = [int(np.argmax(labels == label)) for label in np.unique(labels)[:SHOWN]]
    X = np.asarray(dataset.test.X[firsts], dtype=np.float32) / np.float32(dataset.scale)
    photograph = camera()[CROP][None, :, :, None] / np.float32(255)  # type: ignore[no-untyped-call]
    shown = filtered(photograph)[0]
    values = {"kept": sharpness(shown[2:]) / sharpness(shown[:1]), "black": float(np.mean(shown[1] <= 0.1))}
    return Measured(values, arrays={"images": as_bytes(filtered(X)), "camera": as_bytes(shown)})


def first_layer(trained: Trained, dataset: Dataset) -> Measured:
    """A probe. `shares` of the first layer's kernels; kernels: they themselves, (3, 3, c, k)."""
    W = np.asarray(trained.weights[0])
    return Measured(shares(W), arrays={"kernels": W})


def deviations(X: Floats, kernel: Floats) -> dict[str, float]:
    """How far `keras.ops.conv` is from SciPy and from the sum written out, both in float64.

    The largest |difference| over images (n, h, w, 1), paddings and strides, as a share of sum |w|, the largest |A_ij|
    that an image in [0, 1] can have. deviation: the larger of the two.
    """
    weight = np.abs(kernel).sum(dtype=float)
    furthest = {"scipy": 0.0, "sum": 0.0}
    for padding, stride in WAYS:
        others = {
            "sum": correlate(X.astype(float), as_layer(kernel.astype(float)), padding, stride),
            "scipy": scipy_conv(X, kernel, padding, stride),
        }
        A = keras_conv(X, kernel, padding, stride)  # last: the sum says which shapes do not fit
        for name, other in others.items():
            furthest[name] = max(furthest[name], float(np.abs(A - other).max() / weight))
    return {"deviation": max(furthest.values()), **furthest}


def keras_conv(X: Floats, kernel: Floats, padding: Padding = "valid", stride: int = 1) -> Floats:
    """`keras.ops.conv` of images (n, h, w, 1) by the backend, in single precision."""
    from keras import ops

    x, w = (ops.convert_to_tensor(np.ascontiguousarray(a, dtype=np.float32)) for a in (X, as_layer(kernel)))
    A = ops.conv(x, w, strides=stride, padding=padding, data_format="channels_last")
    return np.asarray(ops.convert_to_numpy(A))


def scipy_conv(X: Floats, kernel: Floats, padding: Padding, stride: int) -> Floats:
    """SciPy's cross-correlation of images (n, h, w, 1) in float64. It knows no stride: each second number of all.

    The first window of padding "same" begins where as many zeros stand on either side as fit: with stride 2 and an even
    size that is one pixel later.
    """
    from scipy.signal import correlate2d

    whole = by_image(lambda x: correlate2d(x, kernel.astype(float), padding), X)
    starts = [(stride - 1) * (size % 2 == 0) if padding == "same" else 0 for size in X.shape[1:3]]
    return whole[:, starts[0] :: stride, starts[1] :: stride]


def by_image(function: Callable[[Floats], Floats], X: Floats) -> Floats:
    """What a function of one grey image (h, w) makes of each of (n, h, w, 1), in float64."""
    return np.stack([function(image[:, :, 0].astype(float)) for image in X])[..., None]


def drawn(dataset: Dataset, rng: np.random.Generator) -> Floats:
    """`IMAGES` test images in [0, 1], (n, h, w, 1) float32; of colours their mean."""
    chosen = np.sort(rng.choice(len(dataset.test), min(IMAGES, len(dataset.test)), replace=False))
    X = np.asarray(dataset.test.X[chosen], dtype=np.float32) / np.float32(dataset.scale)
    return np.asarray(X.mean(axis=3, keepdims=True, dtype=np.float32))


def filtered(X: Floats) -> Floats:
    """Images (n, h, w, c), their edges and their blur, (n, 3, h, w, c), each colour by itself.

    They are continued by their mirror image, and what comes out is cut to [0, 1], as a screen does.
    """
    mirrored = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")

    def of_colours(kernel: Floats) -> Iterator[Floats]:
        for colour in np.moveaxis(mirrored, 3, 0):
            yield keras_conv(colour[..., None], kernel)[..., 0]

    every = [X, *(np.stack(list(of_colours(kernel)), axis=3) for kernel in (EDGE, BLUR))]
    return np.asarray(np.clip(np.stack(every, axis=1), 0, 1))


def as_bytes(X: Floats) -> Floats:
    """Numbers in [0, 1] as bytes."""
    return np.asarray(np.rint(255 * X), dtype=np.uint8)
