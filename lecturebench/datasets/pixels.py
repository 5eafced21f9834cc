"""Pixels of a user's file as bytes, where they are bytes on a known scale, exactly; else not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Examples are looked at in pieces of about so many pixels, so that float64 copies stay small.
PIECE = 4_000_000
# 1 - byte / 255 is rounded as numbers near 1 are, however near to 0 it ends.
NEAR = 0.5


@dataclass(frozen=True)
class Scale:
    """A way to store bytes: value = byte / step - offset. slack: the rounding allowed, in units of the type's epsilon,
    of the value, or of `NEAR` where it is nearer to 0.

    kinds: of NumPy types that are stored so. least: what the largest value must reach, since zeros and ones alone may
    be on any scale.
    """

    words: str
    step: float
    offset: float = 0.0
    slack: float = 2.0
    kinds: str = "f"
    least: float = 0.0


SCALES = (
    Scale("black and white", 255, kinds="b", slack=0),
    Scale("from 0 to 1 in steps of 1/255", 255),
    Scale("from 0 to 1 in steps of 1/256", 256, slack=0),
    Scale("from -1 to 1 in steps of 1/127.5", 127.5, offset=1),
    Scale("whole numbers from 0 to 255", 1, slack=0, kinds="fiu", least=2),
)


def as_bytes(parts: list[np.ndarray]) -> tuple[list[np.ndarray], str] | None:
    """The bytes (uint8) of these arrays of finite numbers and the one scale, in words, that fits them all exactly.

    None if none does; 16-bit whole numbers fit none, since their scale may well end at 65535.
    """
    kinds = {part.dtype.kind for part in parts}
    if any(part.dtype.kind in "iu" and part.dtype.itemsize == 2 for part in parts):
        return None
    for scale in SCALES:
        if kinds <= set(scale.kinds) and max(float(part.max()) for part in parts) >= scale.least:
            converted = [_converted(part, scale) for part in parts]
            if all(part is not None for part in converted):
                return [part for part in converted if part is not None], scale.words
    return None


def _converted(values: np.ndarray, scale: Scale) -> np.ndarray | None:
    pixels = np.empty(values.shape, dtype=np.uint8)
    slack = scale.slack * float(np.finfo(values.dtype).eps) if values.dtype.kind == "f" else 0.0
    n = max(1, PIECE // max(1, values[0].size))
    for start in range(0, len(values), n):
        piece = values[start : start + n].astype(np.float64)
        codes = np.rint((piece + scale.offset) * scale.step)
        allowed = slack * np.maximum(np.abs(piece), max(scale.offset, NEAR))
        wrong = np.abs(codes / scale.step - scale.offset - piece) > allowed
        if wrong.any() or codes.min() < 0 or codes.max() > 255:
            return None
        pixels[start : start + n] = codes
    return pixels
