"""Photographs that do not fit in memory: JPEG files inside larger files, decoded when they are asked for."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lecturebench.errors import DataCorrupt

SIDE = 256  # pixels


class Jpegs:
    """n photographs as an array (n, SIDE, SIDE, 3) of uint8, whose rows are read and decoded when they are asked for.

    The shorter side of each is scaled to SIDE, and the middle of the longer one cut out, as Krizhevsky et al. 2012 do
    in sec. 2; greys become three equal colours. files: those that hold them. places: (n, 3) int64, for each photograph
    which of the files, its first byte there, and how many bytes it has.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, files: Sequence[Path], places: np.ndarray) -> None:
        self.files, self.places = tuple(files), places

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """As of an array."""
        return len(self), SIDE, SIDE, 3

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The pixels of these photographs, or of one; DataCorrupt, naming its file, for one that cannot be decoded."""
        chosen = np.arange(len(self))[rows]
        if chosen.ndim == 0:
            return self._pixels(int(chosen))
        pixels = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        for place, decoded in enumerate(_threads().map(self._pixels, chosen.tolist())):
            pixels[place] = decoded
        return pixels

    def encoded(self, i: int) -> bytes:
        """Photograph i as it is stored."""
        file, first, size = self.places[i].tolist()
        with open(self.files[file], "rb") as opened:
            opened.seek(first)
            return opened.read(size)

    def take(self, order: Iterable[int]) -> Jpegs:
        """The photographs at these positions, in that order; none is read."""
        return Jpegs(self.files, self.places[np.asarray(order, dtype=np.int64)])

    def _pixels(self, i: int) -> np.ndarray:
        from PIL import Image, ImageOps

        try:
            with Image.open(io.BytesIO(self.encoded(i)), formats=["JPEG"]) as image:
                return np.asarray(ImageOps.fit(image.convert("RGB"), (SIDE, SIDE), Image.Resampling.BILINEAR))
        except Exception as error:  # Pillow's readers fail on damaged files in many ways
            file, first, _ = self.places[i].tolist()
            raise DataCorrupt(f"{self.files[file]}: the JPEG at byte {first:,} cannot be decoded: {error}") from error


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """What decodes side by side; Pillow lets other threads go on meanwhile."""
    return ThreadPoolExecutor(min(16, os.cpu_count() or 1), "jpeg")
