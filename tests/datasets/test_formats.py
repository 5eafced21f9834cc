"""Archives are read as data: what is not whole is named, and a pickle can do nothing but make arrays."""

import gzip
import io
import os
import pickle
import tracemalloc

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
    assert formats.arrays(io.BytesIO(gzip.compress(old))).tolist() == [0.5, 2.0]


class Harmful:
    def __reduce__(self):
        return os.system, ("echo harmed",)


class Called:
    """Pickled as a call of that with these."""

    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what[0], self.what[1:]


class Built:
    """Pickled as that object, then given that state."""

    def __init__(self, what, state):
        self.what, self.state = what, state

    def __reduce_ex__(self, protocol):
        return _Forge, (self.what, self.state)


class _Forge:
    """Stands in a pickle for a state that `Forging` writes."""


class Forging(pickle._Pickler):
    def save_reduce(self, func, args, state=None, *more, obj=None, **others):
        if func is not _Forge:
            return super().save_reduce(func, args, state, *more, obj=obj, **others)
        what, forged = args
        self.save(what)
        self.save(forged)
        self.write(pickle.BUILD)


def pickled(content, protocol=4):
    file = io.BytesIO()
    Forging(file, protocol).dump(content)
    return gzip.compress(file.getvalue())


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        (Harmful(), "system.*NumPy arrays alone"),
        (np.array([Harmful()]), "arrays of 'O8'; plain numbers alone"),
        (np.random.rand, "asks for.*NumPy arrays alone"),
        (np.dtype("O"), "arrays of 'O8'"),
        (np.zeros(2, "f4,i4"), "arrays of 'V8'"),
        (np.zeros(2, "M8[s]"), "arrays of 'M8'"),
        (np.zeros(2, "S3"), "arrays of 'S3'"),
        (np.zeros(2, complex), "arrays of 'c16'"),
        (Called(np.ndarray, (10**6,), "f4", bytes(8)), "makes an array of a buffer"),
        (Called(np.ndarray, (2,), np.dtype("f4")), "makes an array of a buffer"),
        (Built(np.dtype("f4"), (3, "<", None, None, None, -1, -1, 63)), "no plain numbers"),
        (Built(np.dtype("f4"), (3, "O", None, None, None, -1, -1, 0)), "orders bytes as 'O'"),
        (Built(np.dtype("f4"), (3, "<", ("f4", (10**9,)), None, None, -1, -1, 0)), "no plain numbers"),
        (Built(np.zeros(2), (1, (10**12,), np.dtype("f4"), False, bytes(8))), "8 bytes for"),
        (Built(np.zeros(2), (1, (-1, -2), np.dtype("f4"), False, bytes(8))), "without shape"),
        (Built(np.zeros(2), (1, (2**62, 4), np.dtype("f4"), False, b"")), "0 bytes for"),
        (Built(np.zeros(2), (1, (1,), np.dtype("f4"), False, ["object"])), "without shape"),
        (Built(np.dtype, {"name": 1}), "changes a name"),
    ],
)
def test_a_pickle_that_asks_for_anything_but_arrays_is_refused(content, asked, capfd):
    with pytest.raises(ValueError, match=asked):
        formats.read_mnist_pickle(io.BytesIO(pickled(content)), ())
    assert "harmed" not in capfd.readouterr().out


@pytest.mark.parametrize(
    "content", [b"no gzip", build.mnist_pickle(IMAGES, LABELS)[:-40], gzip.compress(b"\x80\x04", mtime=0)]
)
def test_a_damaged_pickle_is_a_value_error(content):
    with pytest.raises(ValueError, match="cannot be read"):
        formats.read_mnist_pickle(io.BytesIO(content), ())


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x80\x04K\x01r\xff\xff\xff\xff.",  # a place of its memory that would need gigabytes
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",  # a text of so many bytes
        b"\x80\x05\x96\x00\x00\x00\x00\x00\x01\x00\x00.",  # and a byte array
        b"\x80\x04" + b"]\x94" * 200_000 + b"." + b"a" * 200_000,
        b"\x80\x04" + b"(" * 500_000 + b"t" * 499_999 + b".",
    ],
    ids=["place", "text", "bytes", "lists", "tuples"],
)
def test_pickle_that_asks_for_more_than_it_brings_is_refused_at_once(bomb):
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"it cannot be read|expected three pairs"):
        formats.read_mnist_pickle(io.BytesIO(gzip.compress(bomb)), ())
    assert tracemalloc.get_traced_memory()[1] < 2**31
    tracemalloc.stop()


def test_archive_that_unpacks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(formats, "MOST", 1000)
    with pytest.raises(ValueError, match="more than 1,000 bytes"):
        formats.read_mnist_pickle(io.BytesIO(gzip.compress(bytes(2000))), ())
    with pytest.raises(ValueError, match="more than 1,000 bytes"):
        formats.read_idx(gzip.compress(bytes(2000)))


def test_no_flipped_byte_of_a_pickle_does_more_than_change_numbers():
    sound = gzip.decompress(build.mnist_pickle(IMAGES, LABELS, 2))
    head = [place for place in range(len(sound)) if place < 300 or sound[place] not in (0, 1)][:600]
    rng = np.random.default_rng(0)
    for place in head:
        forged = sound[:place] + bytes([int(rng.integers(256))]) + sound[place + 1 :]
        try:
            decoded = formats.read_mnist_pickle(io.BytesIO(gzip.compress(forged, 0)), ())
        except ValueError:
            continue
        assert decoded.train.X.dtype == np.uint8


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
