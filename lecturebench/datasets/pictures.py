"""Reads image files as people see them: upright, in their colours, all of one size and mode, and said what was done."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import warnings
import zlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecturebench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

# Formats whose depth is known to be 8 bits or can be told; others, JPEG 2000 for one, are cut to 8 bits unsaid.
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "TIFF", "WEBP", "PPM")
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by a PNG's type of colour
# The seven passes of an interlaced PNG: where each begins, and its steps to the right and down.
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
BITS_PER_SAMPLE, ORIENTATION, SAMPLE_FORMAT = 258, 274, 339

TURNED = "turned upright as their EXIF orientation says"
PALETTE = "with a palette, read as the colours it stands for"
BLACK_AND_WHITE = "of 1 bit, read as 0 and 255"
SPREAD = "of fewer than 256 greys or shades, their values spread over 0 to 255 as Pillow shows them"
TRANSPARENT = "with a colour that counts as transparent, read as that colour"
FIRST_OF_SEVERAL = "with previews behind the picture (MPO), of which the picture is read"


class Pictures:
    """Reads image files that must be alike. done: what was done to how many; warned: what Pillow found odd.

    classes: by what a picture shows, its classes with a file of each.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.done: Counter[str] = Counter()
        self.warned: list[str] = []
        self.first: tuple[str, tuple[Any, str]] | None = None
        self.classes: defaultdict[bytes, dict[str, str]] = defaultdict(dict)

    def read(self, classes: dict[str, list[os.DirEntry[str]]]) -> tuple[np.ndarray, np.ndarray]:
        """The images of all classes, (n, h, w, c) uint8, and the name of each one's class."""
        import numpy as np

        pixels = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for name, entries in classes.items():
                for entry in entries:
                    pixels.append(self._pixels(entry.path))
                    self.classes[hashlib.sha256(pixels[-1].tobytes()).digest()].setdefault(name, entry.path)
        self.warned += [" ".join(str(warning.message).split()) for warning in caught]
        names = [name for name, entries in classes.items() for _ in entries]
        return np.stack(pixels), np.array(names)

    def notes(self) -> list[str]:
        """What was done to get the images, and what is odd about them; a sentence each."""
        notes = [f"{n} image{'s' if n > 1 else ''} {what}." for what, n in self.done.items()]
        if self.warned:
            notes.append(f"Pillow warned {len(self.warned)} times of odd files, first: {self.warned[0]}")
        shared = [list(files.values()) for files in self.classes.values() if len(files) > 1]
        if shared:
            first = " and ".join(shown(os.path.relpath(path, self.root)) for path in shared[0])
            pictures = f"{len(shared)} pictures are" if len(shared) > 1 else "1 picture is"
            notes.append(f"{pictures} in several classes, first {first}: no method can be right about both.")
        return notes

    def _pixels(self, path: str) -> np.ndarray:
        import numpy as np
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as opened:
                image = self._as_channels(opened, path)
                form, content = (image.size, image.mode), np.asarray(image)
        except UnidentifiedImageError as error:
            raise UsageError(f"{shown(path)}: it is no image; move it out of the class folders") from error
        except UsageError:
            raise
        except Exception as error:  # Pillow's readers fail on damaged files in many ways, struct.error for one
            raise UsageError(f"{shown(path)}: it cannot be read as an image: {error}") from error
        if self.first is None:
            self.first = (shown(path), form)
        if form != self.first[1]:
            raise UsageError(
                f"{shown(path)}: {_form(form)}, but {self.first[0]} is {_form(self.first[1])}; all must be alike"
            )
        return content.reshape(*content.shape[:2], CHANNELS[form[1]])

    def _as_channels(self, image: Any, path: str) -> Any:
        """The picture upright and of a mode in `CHANNELS`, its values those of the file; UsageError if it cannot be."""
        from PIL import ImageOps

        if image.format not in FORMATS:
            raise UsageError(f"{shown(path)}: its format is {image.format}; convert it to PNG")
        brightest = _brightest(image)
        if brightest > 255:
            raise UsageError(
                f"{shown(path)}: it has {brightest.bit_length()} bits a channel; convert all images to 8 bits by one "
                "and the same scale"
            )
        if image.format == "TIFF" and 2 in image.tag_v2.get(SAMPLE_FORMAT, ()):
            raise UsageError(f"{shown(path)}: it has numbers below 0, which Pillow does not show; convert it to PNG")
        if image.format == "MPO":
            self.done[FIRST_OF_SEVERAL] += 1
        elif getattr(image, "n_frames", 1) > 1:
            raise UsageError(f"{shown(path)}: it holds {image.n_frames} pictures; save each one as a file of its own")
        turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
        image.load()
        if image.format == "PNG" and _lacks_rows(Path(path).read_bytes()):
            raise UsageError(f"{shown(path)}: it has fewer rows of pixels than it says; get it again, or leave it out")
        if turned:
            self.done[TURNED] += 1
            image = ImageOps.exif_transpose(image)  # leaves a TIFF alone, which `load` has turned
        if image.mode == "P":
            self.done[PALETTE] += 1
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        elif image.mode == "1":
            self.done[BLACK_AND_WHITE] += 1
            image = image.convert("L")
        else:
            if "transparency" in image.info:
                self.done[TRANSPARENT] += 1
            if brightest < 255:
                self.done[SPREAD] += 1
        if image.mode not in CHANNELS:
            raise UsageError(f"{shown(path)}: its mode is {image.mode}; convert it to 8-bit grey (L) or RGB")
        return image


def shown(name: object) -> str:
    """A path or name for people: bytes that are no UTF-8, which file names may have, as \\xNN."""
    return os.fsencode(str(name)).decode("utf-8", "backslashreplace")


def _brightest(image: Any) -> int:
    """The largest value that a channel of the file may have: Pillow gives many files of others as 8-bit images."""
    if image.mode == "1":
        return 255
    if image.format == "TIFF":
        return int(2 ** max(image.tag_v2.get(BITS_PER_SAMPLE, (1,))) - 1)
    if image.format == "PPM" and image.tile[0].codec_name.startswith("ppm"):
        return int(image.tile[0].args[-1])
    # How a PNG or PGM file stores a pixel, say "RGB;16B". In a BMP the number is said of the whole pixel.
    bits = [re.search(r";(\d+)", str(tile.args)) for tile in image.tile] if image.format in ("PNG", "PPM") else []
    return max((int(2 ** int(said[1]) - 1) for said in bits if said), default=255)


def _lacks_rows(png: bytes) -> bool:
    """Whether a PNG that Pillow has read ends early: the rest would be 0, unsaid."""
    chunks: defaultdict[bytes, bytearray] = defaultdict(bytearray)
    at = 8
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        chunks[kind] += png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, colour, *_, interlaced = struct.unpack_from(">IIBBBBB", chunks[b"IHDR"])
    sizes = [
        (len(range(y, height, down)), len(range(x, width, right)))
        for x, y, right, down in (ADAM7 if interlaced else ((0, 0, 1, 1),))
    ]
    # A row begins with a byte for its filter, and ends with a whole byte.
    size: int = sum(rows * (1 + (columns * depth * SAMPLES[colour] + 7) // 8) for rows, columns in sizes if columns)
    return len(zlib.decompressobj().decompress(chunks[b"IDAT"], size)) < size


def _form(form: Any) -> str:
    (width, height), mode = form
    return f"{width} x {height} {mode}"
