"""Readers of the file formats that sources ship. Each takes bytes, trusts none of them, and returns arrays.

They raise ValueError with expected and found; the source adds which file it was.
"""

from __future__ import annotations

import gzip
import io
import math
import pickle
import re
import zlib
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from lecturebench.datasets.decoded import Decoded, Split

MOST = 2**29  # bytes that an archive may unpack to; MNIST's pickle has 220 million


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
        content = _unpacked(io.BytesIO(packed))
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


class ArrayUnpickler(pickle._Unpickler):  # type: ignore[misc,name-defined,unused-ignore]
    """Reads pickled NumPy arrays of plain numbers in tuples and lists, and nothing else.

    No name of a pickle is ever looked up, and nothing of NumPy is called with what a pickle says: NumPy's own dtype and
    ndarray take forged flags and buffers, and crash. Stand-ins note what a pickle says of an array, `arrays` makes it.
    Reads pickles of Python 2 (their strings as bytes), of NumPy 1 and of NumPy 2. Python's own unpickler: that in C
    reserves memory for whatever place a pickle names.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="bytes")
        self._admitted = {
            ("numpy.core.multiarray", "_reconstruct"): _Name(lambda *ignored: _Array()),
            ("numpy._core.multiarray", "_reconstruct"): _Name(lambda *ignored: _Array()),
            ("numpy", "ndarray"): _Name(None),
            ("numpy", "dtype"): _Name(_Dtype),
        }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for that name; UnpicklingError for any that arrays do not need."""
        try:
            return self._admitted[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the pickle asks for {module}.{name}; NumPy arrays alone are admitted"
            ) from None


class _Name:
    """What a pickle gets for a name. It can be called with what a pickle says, and not be changed by it."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any] | None) -> None:
        self._make = make

    def __call__(self, *said: Any) -> Any:
        if self._make is None:
            raise pickle.UnpicklingError("the pickle makes an array of a buffer; it may only state its numbers")
        return self._make(*said)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("the pickle changes a name")


class _Dtype:
    """A type of plain numbers as a pickle says it: f4, i8 and their likes, then the order of their bytes."""

    __slots__ = ("name",)

    def __init__(self, name: Any, *ignored: Any) -> None:
        self.name = _text(name)
        if not re.fullmatch("[fiu][1248]", self.name) or self.name == "f1":
            raise pickle.UnpicklingError(
                f"the pickle has arrays of {self.name[:20]!r}; plain numbers alone are admitted"
            )

    def __setstate__(self, state: Any) -> None:
        plain = (None, None, None, -1, -1, 0)  # no parts, no names, no size of its own, no flags
        if not isinstance(state, tuple) or len(state) != 8 or state[0] != 3 or state[2:] != plain:
            raise pickle.UnpicklingError("the pickle has arrays of no plain numbers")
        order = _text(state[1])
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"the pickle orders bytes as {order[:20]!r}")
        self.name = order + self.name[-2:]


class _Array:
    """An array as a pickle says it."""

    __slots__ = ("array",)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise pickle.UnpicklingError("the pickle has an array without shape, type and numbers")
        _, shape, dtype, by_columns, content = state
        whole = isinstance(shape, tuple) and len(shape) <= 8 and all(type(n) is int and n >= 0 for n in shape)
        if not whole or not isinstance(dtype, _Dtype) or not isinstance(content, bytes):
            raise pickle.UnpicklingError("the pickle has an array without shape, type and numbers")
        if math.prod(shape) * np.dtype(dtype.name).itemsize != len(content):
            raise pickle.UnpicklingError(f"the pickle has {len(content)} bytes for {shape} of {dtype.name}")
        self.array = np.frombuffer(content, dtype.name).reshape(shape, order="F" if by_columns is True else "C")


def _text(said: Any) -> str:
    """A short text of a pickle; Python 2 has bytes."""
    if not isinstance(said, str | bytes):
        raise pickle.UnpicklingError(f"the pickle has {type(said).__name__} for a text")
    return said if isinstance(said, str) else said.decode("latin-1")


def arrays(file: IO[bytes]) -> Any:
    """What a pickle of arrays in tuples and lists has, a few deep. ValueError for anything else, and for damage."""
    try:
        return _made(ArrayUnpickler(io.BytesIO(_unpacked(file))).load())
    except Exception as error:  # what a forged pickle makes of an unpickler may be anything
        raise ValueError(f"it cannot be read: {error or type(error).__name__}") from error


def _made(said: Any, depth: int = 0) -> Any:
    if isinstance(said, _Array):
        return said.array
    if isinstance(said, tuple | list) and depth < 4 and len(said) < 100:
        return tuple(_made(part, depth + 1) for part in said)
    if isinstance(said, _Name | _Dtype):
        raise pickle.UnpicklingError("the pickle has the parts of an array in place of one")
    return said


def _unpacked(file: IO[bytes]) -> bytes:
    """The content of a gzip file of at most `MOST` bytes."""
    with gzip.open(file) as unpacked:
        content = unpacked.read(MOST + 1)
    if len(content) > MOST:
        raise ValueError(f"it unpacks to more than {MOST:,} bytes")
    return content


def read_mnist_pickle(file: IO[bytes], classes: tuple[str, ...]) -> Decoded:
    """MNIST out of ``mnist.pkl.gz``: ((X, y) train, (X, y) validation, (X, y) test), gzip-packed.

    X: (n, 784) float32, multiples of 1/256 in [0, 1), so that rint(256 x) is the original byte. Validation, the last
    10,000 of the original training images, goes back to train.
    """
    parts = arrays(file)
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
    if not ((X >= 0) & (X < 1)).all():
        raise ValueError("pixels outside [0, 1)")
    return np.rint(X * np.float32(256)).astype(np.uint8).reshape(len(X), 28, 28)
