"""Canonical order and digests: the same examples give the same arrays and digests, wherever they came from.

An image or text hashes as SHA-256(its bytes + label byte), or two beyond label 255; of a JPEG that is not decoded, the
bytes are those of its file. A split is sorted by these hashes (equal ones keep their order), and its digest is the
SHA-256 of the sorted hashes joined. A table keeps its order, since time or the file's order means something there (the
book's test rows are positions); its digest is the SHA-256 of its rows, features then target, as little-endian
float64.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from lecturebench.datasets.decoded import SPLITS, Decoded, Split
from lecturebench.datasets.jpegs import Jpegs
from lecturebench.datasets.text import Texts

ROWS = 4096


def example_hashes(split: Split) -> list[bytes]:
    """The n SHA-256 hashes of the examples of a split, in its order."""
    if isinstance(split.X, Texts | Jpegs):
        contents = (split.X.encoded(i) for i in range(len(split)))
        return [
            _sha256(content + _label_byte(label)) for content, label in zip(contents, split.y.tolist(), strict=True)
        ]
    if split.X.ndim == 2:
        return [_sha256(row.tobytes()) for row in _rows(split)]
    return [_sha256(x.tobytes() + _label_byte(label)) for x, label in zip(split.X, split.y.tolist(), strict=True)]


def digest(split: Split) -> str:
    """The digest of a split as it lies, in hex; for images and texts it only holds if the order is canonical."""
    if _is_table(split):
        rows = hashlib.sha256()
        for start in range(0, len(split), ROWS):  # so that a large table is never copied whole
            rows.update(_rows(Split(split.X[start : start + ROWS], split.y[start : start + ROWS])).tobytes())
        return rows.hexdigest()
    return _sha256(b"".join(example_hashes(split))).hex()


def canonical(decoded: Decoded) -> tuple[Decoded, dict[str, str]]:
    """The data in canonical order, and the digest of each split."""
    splits, digests = {}, {}
    for name in SPLITS:
        split = getattr(decoded, name)
        if _is_table(split):
            splits[name], digests[name] = split, digest(split)
        else:
            hashes = example_hashes(split)
            order = sorted(range(len(hashes)), key=hashes.__getitem__)
            splits[name] = take(split, np.array(order, dtype=np.int64))
            digests[name] = _sha256(b"".join(hashes[i] for i in order)).hex()
    return replace(decoded, **splits), digests


def take(split: Split, order: np.ndarray) -> Split:
    """The examples at these positions, in that order."""
    X: Any = split.X.take(order) if isinstance(split.X, Texts | Jpegs) else split.X[order]
    return Split(X, split.y[order])


def _is_table(split: Split) -> bool:
    return not isinstance(split.X, Texts) and split.X.ndim == 2


def _rows(table: Split) -> np.ndarray:
    return np.column_stack([table.X, table.y]).astype("<f8")


def _label_byte(label: int) -> bytes:
    return label.to_bytes(1 if label < 256 else 2, "little")


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
