"""Readers of the file formats that sources ship. Each takes bytes, trusts none of them, and returns arrays.

They raise ValueError with expected and found; the source adds which file it was.
"""

from __future__ import annotations

import gzip
import pickle
import zlib
from typing import IO, Any

import numpy as np

from lecturebench.datasets.decoded import Decoded, Split


def images(train: Split, test: Split, classes: tuple[str, ...], scale: float = 255.0) -> Decoded:
    """Images for classification out of plain arrays: X (n, h, w) or (n, h, w, c), y any integers."""
    return Decoded(
        kind="images",
        task="classification",
        train=_image_split(train),
        test=_image_split(test),
        classes=classes,
        scale=scale,
    )


def _image_split(split: Split) -> Split:
    X = split.X[..., np.newaxis] if split.X.ndim == 3 else split.X
    return Split(np.ascontiguousarray(X, dtype=np.uint8), split.y.astype(np.int64))


def read_idx(packed: bytes) -> np.ndarray:
    """The uint8 array of a gzip-packed IDX file (the format of http://yann.lecun.com/exdb/mnist/)."""
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it is no whole gzip file: {error}") from error
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"expected an IDX file of bytes, starting with 000008, found {content[:3].hex() or 'nothing'}")
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - start != expected:
        raise ValueError(f"expected {expected} bytes for shape {shape}, found {len(content) - start}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickled NumPy arrays in tuples and lists, and nothing else: no other name is ever looked up or called.

    Reads pickles of Python 2 (their strings as bytes), of NumPy 1 and of NumPy 2.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="bytes")
        # The public way to a function that NumPy 1 and 2 keep in different modules.
        reconstruct: Any = np.empty(0).__reduce__()[0]
        self._admitted: dict[tuple[str, str], Any] = {
            ("numpy.core.multiarray", "_reconstruct"): reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): reconstruct,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }

    def find_class(self, module: str, name: str) -> Any:
        """The admitted object of that name; UnpicklingError for any other."""
        try:
            return self._admitted[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the pickle asks for {module}.{name}; NumPy arrays alone are admitted"
            ) from None


def read_mnist_pickle(file: IO[bytes], classes: tuple[str, ...]) -> Decoded:
    """MNIST out of ``mnist.pkl.gz``: ((X, y) train, (X, y) validation, (X, y) test), gzip-packed.

    X: (n, 784) float32, multiples of 1/256 in [0, 1), so that rint(256 x) is the original byte. Validation, the last
    10,000 of the original training images, goes back to train.
    """
    try:
        with gzip.open(file) as unpacked:
            parts = ArrayUnpickler(unpacked).load()  # type: ignore[arg-type,unused-ignore]
    except (OSError, EOFError, zlib.error, pickle.UnpicklingError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"it cannot be read: {error}") from error
    try:
        (train_X, train_y), (validation_X, validation_y), (test_X, test_y) = parts
        return images(
            Split(np.concatenate([_bytes(train_X), _bytes(validation_X)]), np.concatenate([train_y, validation_y])),
            Split(_bytes(test_X), np.asarray(test_y)),
            classes,
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"expected three pairs of arrays, X (n, 784) and y (n,): {error}") from error


def _bytes(X: np.ndarray) -> np.ndarray:
    return np.rint(X * np.float32(256)).astype(np.uint8).reshape(len(X), 28, 28)
