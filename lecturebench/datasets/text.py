"""Many texts as two arrays, so that they can be memory-mapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np


class Texts(Sequence[str]):
    """A read-only sequence of n strings.

    utf8: (bytes,) uint8, all texts one after the other. offsets: (n + 1,) int64; text i is
    utf8[offsets[i] : offsets[i + 1]].
    """

    def __init__(self, utf8: np.ndarray, offsets: np.ndarray) -> None:
        self.utf8, self.offsets = utf8, offsets

    @classmethod
    def of(cls, texts: Iterable[bytes]) -> Texts:
        """The texts of UTF-8 byte strings."""
        parts = list(texts)
        offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(parts), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> list[str]: ...
    def __getitem__(self, i: int | slice) -> str | list[str]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        return self.encoded(i).decode()

    def encoded(self, i: int) -> bytes:
        """Text i as UTF-8. Raises IndexError beyond the last."""
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"no text {i}: there are {n}")
        start, stop = self.offsets[i % n], self.offsets[i % n + 1]
        return self.utf8[start:stop].tobytes()

    def take(self, order: Iterable[int]) -> Texts:
        """The texts at these positions, in that order."""
        return Texts.of(self.encoded(int(i)) for i in order)
