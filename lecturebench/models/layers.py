"""Layers whose random numbers come from the run, not from the backend. Imported by builders only: it needs Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


class Dropout(keras.layers.Layer):  # type: ignore[misc]
    """Dropout with masks that the harness draws by NumPy: the same units are removed on every backend.

    In training, a unit is removed separately for each example with probability ``rate`` and survivors are scaled so
    that the expected activation stays the same (ISLP, sec. 10.7.3); in prediction it does nothing. ``rate`` is rounded
    to a multiple of 1/65536. ``mask``: booleans shaped as the input, set for each step by the training loop, which
    draws them from the run's stream of that name.
    """

    stream = "dropout"
    WORDS = 65536  # masks are 16-bit words compared with a threshold: exact enough, and four to one 64-bit draw
    AT_ONCE = 2**17  # words that a core's cache holds; a multiple of 4, so that it changes no mask

    def __init__(self, rate: float, **kwargs: Any) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate!r}; a dropout rate must be in [0, 1)")
        super().__init__(**kwargs)
        self.rate = rate
        self.threshold = round(rate * self.WORDS)
        self.mask: Any = None

    @property
    def draws(self) -> bool:
        """Whether it needs masks at all."""
        return self.threshold > 0

    @property
    def bytes_per_example(self) -> int:
        """The size of its mask for one example."""
        return int(np.prod(self.output.shape[1:]))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Inputs (batch, …) as they are, or in training masked and scaled."""
        if not training or not self.draws:
            return inputs
        if self.mask is None:
            raise RuntimeError(f"layer {self.name!r} has no mask: it is trained by lecturebench, not by model.fit")
        kept = keras.ops.cast(self.mask, inputs.dtype)
        return inputs * (kept * (self.WORDS / (self.WORDS - self.threshold)))  # one product to differentiate, not two

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input."""
        return input_shape

    def draw(self, steps: int, batch: int, rng: np.random.Generator) -> np.ndarray:
        """Masks (steps, batch, …) of booleans: True with probability 1 - rate, independently."""
        shape = (steps, batch, *self.output.shape[1:])
        kept = np.empty(int(np.prod(shape)), bool)
        for first in range(0, kept.size, self.AT_ONCE):
            piece = kept[first : first + self.AT_ONCE]
            words = rng.bit_generator.random_raw(-(-piece.size // 4)).view(np.uint16)[: piece.size]
            np.greater_equal(words, self.threshold, out=piece)
        return kept.reshape(shape)


class RandomCrop(keras.layers.Layer):  # type: ignore[misc]
    """Training images shifted at random: padded by ``padding`` zeros on each side, a window of the old size cut out.

    With ``flip``, each is also mirrored left to right with probability 1/2, which keeps the class of a coat and not of
    a digit. In prediction it does nothing. Slide "Tricks of Deep Learning": "Randomly crop the images". ``mask``: first
    row and column of each window in the padded image, and 1 to mirror it, (batch, 3) integers; set for each step by the
    training loop, which draws them from the run's stream "augmentation".
    ValueError for a padding that is no whole number, below 0, or as large as the image, and for what is no image.
    """

    stream = "augmentation"
    bytes_per_example = 12

    def __init__(self, padding: int, flip: bool = False, **kwargs: Any) -> None:
        if padding < 0 or padding != int(padding):
            raise ValueError(f"padding is {padding!r}; it must be a whole number, 0 or above")
        super().__init__(**kwargs)
        self.padding, self.flip = padding, flip
        self.mask: Any = None

    def build(self, input_shape: Any) -> None:
        """Check the padding against the images, (batch, height, width, channels)."""
        if len(input_shape) != 4:
            raise ValueError(f"examples have shape {tuple(input_shape[1:])}; crops need (height, width, channels)")
        smallest = min(input_shape[1:3])
        if self.padding >= smallest:
            size = f"{input_shape[1]} x {input_shape[2]}"
            raise ValueError(f"padding is {self.padding!r} for images of {size}; it must be below {smallest}")

    @property
    def draws(self) -> bool:
        """Whether it changes anything."""
        return self.padding > 0 or self.flip

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Images (batch, height, width, channels) as they are, or in training cropped and mirrored."""
        if not training or not self.draws:
            return inputs
        if self.mask is None:
            raise RuntimeError(f"layer {self.name!r} has no mask: it is trained by lecturebench, not by model.fit")
        _, height, width, _ = inputs.shape
        around = (self.padding, self.padding)
        padded = keras.ops.pad(inputs, ((0, 0), around, around, (0, 0)))
        windows = keras.ops.cast(self.mask, "int32")
        j = keras.ops.arange(width, dtype="int32")[None, :]
        rows = windows[:, :1] + keras.ops.arange(height, dtype="int32")[None, :]
        columns = windows[:, 1:2] + j + windows[:, 2:] * (width - 1 - 2 * j)
        # Whole rows are taken, and whole columns as rows of the turned images: in half the time that single pixels
        # need, or products with matrices of 0 and 1, which a GPU may round besides.
        turned = keras.ops.transpose(_rows(padded, rows), (0, 2, 1, 3))
        return keras.ops.transpose(_rows(turned, columns), (0, 2, 1, 3))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input."""
        return input_shape

    def draw(self, steps: int, batch: int, rng: np.random.Generator) -> np.ndarray:
        """Windows (steps, batch, 3) of int32: row and column in 0 … 2 * padding, each equally likely, and 0 or 1.

        Each image takes three numbers of the stream, in the order of the steps: the windows of a step are the same
        however many steps are drawn at once, and with and without ``flip``.
        """
        choices = (2 * self.padding + 1, 2 * self.padding + 1, 2 if self.flip else 1)
        return np.floor(rng.random((steps, batch, 3)) * choices).astype(np.int32)


def _rows(images: Any, wanted: Any) -> Any:
    """Of each image (batch, height, width, channels) the rows that ``wanted`` (batch, k) lists, in that order."""
    _, height, width, channels = images.shape
    firsts = keras.ops.arange(wanted.shape[0], dtype="int32")[:, None] * height
    flat = keras.ops.reshape(images, (-1, width * channels))
    return keras.ops.reshape(keras.ops.take(flat, firsts + wanted, axis=0), (-1, wanted.shape[1], width, channels))
