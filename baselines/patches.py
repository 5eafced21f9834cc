"""Features learned by k-means from patches of images, with a linear classifier: no network, no gradient through layers.

Coates, Ng & Lee 2011, "An analysis of single-layer networks in unsupervised feature learning", sec. 3. Constants that
the paper leaves open are those of its authors' demonstration code, which works on pixels from 0 to 255.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from baselines.support_vectors import LinearSVM, linear_svm

SIDE = 6  # pixels, of a patch; patches are taken at every pixel
CONTRAST = 10 / 255**2  # added to a patch's variance, here of pixels in [0, 1]
WHITENING = 0.1  # added to the variances that are brought to 1
ROUNDS = 50  # of k-means
SPREAD = 0.01  # added to the variance of a feature that is standardised


def windows(images: Any) -> Any:
    """Every patch of images (n, height, width, channels): (n, rows, columns, channels, SIDE, SIDE), as a view."""
    return np.lib.stride_tricks.sliding_window_view(images, (SIDE, SIDE), axis=(1, 2))


def normalized(patches: Any) -> Any:
    """Each of patches (m, d), less its mean (brightness) and divided by its standard deviation (contrast)."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred) / (patches.shape[1] - 1)
    return centred / np.sqrt(variance + np.float32(CONTRAST))[:, None]


def whitening(patches: Any, added: float = WHITENING) -> tuple[Any, Any]:
    """Mean (d,) and matrix (d, d) that bring patches (m, d) to mean 0 and, but for ``added``, covariance 1 (ZCA).

    (patches - mean) @ matrix, with the matrix V (D + added)^(-1/2) V' of the covariance V D V', is the linear map to
    uncorrelated columns that changes patches least.
    """
    mean = patches.mean(axis=0, dtype=float)
    variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False, dtype=float))
    return mean, (directions / np.sqrt(np.maximum(variances, 0) + added)) @ directions.T


def centroids(patches: Any, count: int, seed: int | None) -> Any:
    """The centres (count, d) of k-means on patches (m, d), from patches drawn by ``seed``."""
    from sklearn.cluster import KMeans

    # Which example starts as which centre is all that is drawn; the authors' code starts from noise near 0.
    return KMeans(count, init="random", n_init=1, max_iter=ROUNDS, random_state=seed).fit(patches).cluster_centers_


def quadrants(rows: int, columns: int) -> Any:
    """Which of rows * columns positions lie in which quarter of the image, as (4, rows * columns) zeros and ones."""
    low, right = np.arange(rows) >= (rows + 1) // 2, np.arange(columns) >= (columns + 1) // 2
    quarter = 2 * low[:, None] + right  # (rows, columns)
    return (np.arange(4)[:, None] == quarter.ravel()).astype(np.float32)


class PatchFeatures:
    """Images to features: how near each quarter's patches are to each centre. See `kmeans_patches`.

    shape: of an image. mean, matrix: as of `whitening`. centres: (k, d).
    """

    def __init__(self, shape: tuple[int, int, int], mean: Any, matrix: Any, centres: Any) -> None:
        self.shape = shape
        self.matrix, self.offset = matrix.astype(np.float32), (mean @ matrix).astype(np.float32)
        # |x - c|^2 = (x, |x|^2, 1) times (-2 c, 1, |c|^2): the distances to all centres are one matrix product.
        ones = np.ones((len(centres), 1))
        squares = np.square(centres, dtype=float).sum(axis=1, keepdims=True)
        self.towards = np.hstack([-2 * centres, ones, squares]).astype(np.float32).T  # (d + 2, k)
        self.quadrants = quadrants(shape[0] - SIDE + 1, shape[1] - SIDE + 1)

    def __call__(self, X: Any) -> Any:
        """The features (n, 4 k) of images X (n, p); one image after the other, so that its work stays in the cache."""
        images = as_images(X, self.shape)
        features = np.empty((len(images), 4 * self.towards.shape[1]), dtype=np.float32)
        patches = self.quadrants.shape[1]
        extended = np.ones((patches, len(self.towards)), dtype=np.float32)  # its last column stays 1
        for image, place in zip(images, features, strict=True):
            white = normalized(windows(image[None]).reshape(patches, -1)) @ self.matrix - self.offset
            extended[:, :-2], extended[:, -2] = white, np.einsum("ij,ij->i", white, white)
            place[:] = (self.quadrants @ triangle(extended @ self.towards)).ravel()
        return features


def triangle(squares: Any) -> Any:
    """max(0, mean distance of a patch to all centres - its distance to this one), in place of squared distances.

    squares: (patches, k) squared distances; the result takes their place. About half of it is 0.
    """
    distances = np.sqrt(np.maximum(squares, 0, out=squares), out=squares)  # rounding may leave one below 0
    np.subtract(distances.mean(axis=1, keepdims=True), distances, out=distances)
    return np.maximum(distances, 0, out=distances)


class PatchClassifier:
    """A fitted `kmeans_patches`. coef_, intercept_, n_iter_: of its linear classifier."""

    def __init__(self, features: PatchFeatures, mean: Any, spread: Any, svm: LinearSVM) -> None:
        self.features, self.mean, self.spread, self.svm = features, mean, spread, svm
        self.classes_, self.coef_, self.intercept_, self.n_iter_ = svm.classes_, svm.coef_, svm.intercept_, svm.n_iter_

    def decision_function(self, X: Any) -> Any:
        """The decisions (m, classes) for images X (m, p)."""
        return self.svm.decision_function((self.features(X) - self.mean) / self.spread)

    def predict(self, X: Any) -> Any:
        """The class of each image of X (m, p), as (m,)."""
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def kmeans_patches(
    X: Any,
    y: Any,
    *,
    features: int,
    shape: tuple[int, int, int] | None = None,
    patches: int = 400_000,
    C: float = 100.0,
    seed: int | None = None,
) -> PatchClassifier:
    """Fitted linear support vector machine on features that k-means learned from patches, without labels.

    X: (n, p) pixels in [0, 1], images of ``shape`` (height, width, channels) row by row; None is square ones, grey or
    of three colours. y: (n,) integers.

    1. ``patches`` patches of 6 x 6 pixels, drawn by ``seed``: each is brought to mean 0 and standard deviation 1, then
       all are whitened: their columns uncorrelated.
    2. k-means gives ``features`` centres c_k.
    3. A patch x of an image has the activations f_k(x) = max(0, mean_j |x - c_j| - |x - c_k|) ("triangle").
    4. They are summed over each quarter of the image's patches, one at each pixel: 4 * features numbers, standardised.
    5. `linear_svm` on these. Its sum over examples is weighted by C / n here, so that ``C`` weighs their mean.

    Defaults are those of the authors' code, which has the mean. Another number of threads rounds otherwise, in k-means
    too, whose centres may then end elsewhere; with three threads or more k-means adds up in no fixed order, so that two
    runs of one seed may differ as well. Source: Coates, Ng & Lee 2011, sec. 3. Raises ValueError for a shape that does
    not fit p, images smaller than a patch, and features below 2 or more than patches; and as `linear_svm`.
    """
    shape = shape or square_shape(np.shape(X)[-1])
    images = as_images(X, shape)
    if not 2 <= features <= patches:
        raise ValueError(f"features is {features!r} and patches {patches!r}; features must be from 2 to patches")
    rng = np.random.default_rng(seed)
    every = windows(images)
    which = tuple(rng.integers(size, size=patches) for size in every.shape[:3])
    drawn = normalized(every[which].reshape(patches, -1))  # (patches, 36 * channels)
    mean, matrix = whitening(drawn)
    white = drawn @ matrix.astype(np.float32) - (mean @ matrix).astype(np.float32)
    learned = PatchFeatures(shape, mean, matrix, centroids(white, features, int(rng.integers(2**31))))
    found = learned(X)  # (n, 4 * features)
    mean, spread = found.mean(axis=0), np.sqrt(found.var(axis=0) + np.float32(SPREAD))
    found -= mean
    found /= spread
    return PatchClassifier(learned, mean, spread, linear_svm(found, y, C=C / len(X)))


def square_shape(p: int) -> tuple[int, int, int]:
    """(side, side, channels) of square images of p numbers: 1 channel, or 3. ValueError where neither fits."""
    for channels in (1, 3):
        side = math.isqrt(p // channels)
        if channels * side**2 == p:
            return side, side, channels
    raise ValueError(f"X has {p} columns, no square image of 1 or 3 channels; give the images' shape")


def as_images(X: Any, shape: tuple[int, int, int]) -> Any:
    """X (n, p) as (n, *shape). ValueError that names both where they do not fit, or where no patch fits."""
    X = np.asarray(X, dtype=np.float32)
    if len(shape) != 3 or min(shape[:2]) < SIDE or shape[2] < 1:
        raise ValueError(
            f"shape is {shape!r}; it must be (height, width, channels), of {SIDE} x {SIDE} pixels at least"
        )
    if X.ndim != 2 or X.shape[1] != np.prod(shape):
        raise ValueError(
            f"X is {X.shape} and shape {shape!r}, which has {np.prod(shape)} pixels: give the images' own shape"
        )
    return X.reshape(len(X), *shape)
