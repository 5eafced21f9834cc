"""Archives are read as data: what is not whole is named, and a pickle can do nothing but make arrays."""

import gzip
import io
import os
import pickle

import numpy as np
import pytest

from lecturebench.datasets import formats
from tests.datasets import build

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.arange(6)


@pytest.mark.parametrize("protocol", [3, 4])
def test_mnist_pickle_gives_the_original_bytes(protocol):
    packed = build.mnist_pickle(IMAGES, LABELS, protocol)
    decoded = formats.read_mnist_pickle(io.BytesIO(packed), ("0",))
    np.testing.assert_array_equal(decoded.train.X[..., 0], IMAGES[:4])
    np.testing.assert_array_equal(decoded.test.X[..., 0], IMAGES[4:])
    assert decoded.train.y.tolist() == [0, 1, 2, 3]
    assert decoded.train.X.dtype == np.uint8


def test_pickle_of_python_2_and_numpy_1_is_read():
    old = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85"
        b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08"
        + np.array([0.5, 2.0], "<f4").tobytes()
        + b"tb."
    )
    assert formats.ArrayUnpickler(io.BytesIO(old)).load().tolist() == [0.5, 2.0]


class Harmful:
    def __reduce__(self):
        return os.system, ("echo harmed",)


@pytest.mark.parametrize(
    ("content", "asked"), [(Harmful(), "system"), (np.array([Harmful()]), "system"), (np.random.rand, "asks for")]
)
def test_a_pickle_that_asks_for_anything_but_arrays_is_refused(content, asked, capfd):
    with pytest.raises(ValueError, match=f"{asked}.*NumPy arrays alone"):
        formats.read_mnist_pickle(io.BytesIO(gzip.compress(pickle.dumps(content))), ())
    assert "harmed" not in capfd.readouterr().out


@pytest.mark.parametrize(
    "content", [b"no gzip", build.mnist_pickle(IMAGES, LABELS)[:-40], gzip.compress(b"\x80\x04", mtime=0)]
)
def test_a_damaged_pickle_is_a_value_error(content):
    with pytest.raises(ValueError, match="cannot be read"):
        formats.read_mnist_pickle(io.BytesIO(content), ())


@pytest.mark.parametrize("content", [(), ((1, 2),) * 3, (np.zeros(3), np.zeros(3), np.zeros(3))])
def test_a_pickle_of_something_else_is_a_value_error(content):
    with pytest.raises(ValueError, match="expected three pairs"):
        formats.read_mnist_pickle(io.BytesIO(gzip.compress(pickle.dumps(content))), ())


def test_idx_comes_out_as_it_went_in():
    np.testing.assert_array_equal(formats.read_idx(build.idx(IMAGES)), IMAGES)
    np.testing.assert_array_equal(formats.read_idx(build.idx(LABELS)), LABELS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected an IDX file"),
        (b"plain", "no whole gzip"),
        (build.idx(IMAGES)[:-30], "no whole gzip"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\0", mtime=0), "expected an IDX file .* found 00000d"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05ab", mtime=0), r"expected 5 bytes for shape \(5,\), found 2"),
    ],
)
def test_a_damaged_idx_says_expected_and_found(content, said):
    with pytest.raises(ValueError, match=said):
        formats.read_idx(content)
