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


class LocalResponseNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Each activation divided by what its neighbouring maps have at the same place: b = a / (k + alpha sum a^2)^beta.

    The sum runs over ``n`` maps: its own, (n - 1) / 2 before it and as many after it, fewer at both ends. (batch,
    height, width, maps) to the same shape; the same in training and in prediction; no parameters. The defaults are the
    paper's for ImageNet. cuda-convnet writes k = 1 and divides the alpha of its files by n; so do Caffe and PyTorch.
    Source: Krizhevsky et al. 2012, sec. 3.3. ValueError unless n is odd and above 0.
    """

    def __init__(self, k: float = 2.0, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        if n < 1 or n % 2 != 1:
            raise ValueError(f"n is {n!r}; it must be an odd number of maps, 1 or above")
        super().__init__(**kwargs)
        self.k, self.n, self.alpha, self.beta = k, n, alpha, beta

    def call(self, inputs: Any) -> Any:
        """Inputs (batch, height, width, maps), normalised."""
        maps = inputs.shape[-1]
        apart = np.subtract.outer(np.arange(maps), np.arange(maps))
        near = keras.ops.convert_to_tensor((np.abs(apart) <= self.n // 2).astype(np.float32))
        # A product with a band of ones and exp(log): 40 times as quick on TensorFlow's CPU as shifted sums and a power.
        total = keras.ops.matmul(keras.ops.reshape(keras.ops.square(inputs), (-1, maps)), near)
        scale = keras.ops.exp(-self.beta * keras.ops.log(self.k + self.alpha * total))
        return inputs * keras.ops.reshape(scale, (-1, *inputs.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input."""
        return input_shape


class LocallyConnected2D(keras.layers.Layer):  # type: ignore[misc]
    """Convolution whose every place has a kernel and a bias of its own, at the images' own size (zeros around).

    (batch, height, width, channels) to (batch, height, width, filters). ``kernel``: (places, size * size * channels,
    filters), places by rows. ``size`` is odd. Keras 3 has no such layer; cuda-convnet calls it "local".
    """

    def __init__(
        self, filters: int, size: int, activation: Any = None, kernel_initializer: Any = "he_normal",
        kernel_regularizer: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.filters, self.size = filters, size
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Any) -> None:
        """Make the kernels and biases for inputs (batch, height, width, channels)."""
        _, height, width, channels = input_shape
        shape = (height * width, self.size**2 * channels, self.filters)
        self.kernel = self.add_weight(
            shape=shape, initializer=self.kernel_initializer, regularizer=self.kernel_regularizer, name="kernel"
        )
        self.bias = self.add_weight(shape=(height * width, 1, self.filters), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Inputs (batch, height, width, channels) to (batch, height, width, filters)."""
        height, width = inputs.shape[1:3]
        around = (self.size // 2, self.size // 2)
        padded = keras.ops.pad(inputs, ((0, 0), around, around, (0, 0)))
        shifted = [padded[:, i : i + height, j : j + width] for i in range(self.size) for j in range(self.size)]
        seen = keras.ops.reshape(keras.ops.concatenate(shifted, axis=-1), (-1, height * width, self.kernel.shape[1]))
        # One matrix product for each place: what it sees of all images, times its kernel.
        z = keras.ops.matmul(keras.ops.transpose(seen, (1, 0, 2)), self.kernel) + self.bias
        return self.activation(keras.ops.reshape(keras.ops.transpose(z, (1, 0, 2)), (-1, height, width, self.filters)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's, with the filters as channels."""
        return (*input_shape[:-1], self.filters)


class FanInUniform(keras.initializers.Initializer):  # type: ignore[misc]
    """Weights uniform in ±2.4 / F, F the number of inputs of a weight's unit (LeCun et al. 1998, appendix A).

    ``fans``: F, or one F for each entry of the weights' first axis.
    """

    def __init__(self, fans: Any) -> None:
        self.fans = fans

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Weights of that shape."""
        limits = np.reshape(2.4 / np.asarray(self.fans, np.float32), (-1, *[1] * (len(shape) - 1)))
        return keras.random.uniform(shape, -1.0, 1.0, dtype=dtype) * keras.ops.convert_to_tensor(limits, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        return {"fans": self.fans}


def squash(a: Any) -> Any:
    """1.7159 tanh(2 a / 3), with which f(1) = 1 and f(-1) = -1 (LeCun et al. 1998, eq. 6 and appendix A)."""
    return 1.7159 * keras.ops.tanh(a * (2 / 3))


class Subsampling(keras.layers.Layer):  # type: ignore[misc]
    """Of each 2 x 2 window the sum of its four values, times a coefficient, plus a bias; both trained, one per map.

    (batch, height, width, maps) to (batch, height / 2, width / 2, maps), halves rounded down. It ends in that sum: what
    squashes it follows. Source: LeCun et al. 1998, sec. II.B, layers S2 and S4.
    """

    def build(self, input_shape: Any) -> None:
        """Make a coefficient and a bias for each map."""
        for name in ("coefficient", "bias"):
            weight = self.add_weight(shape=(input_shape[-1],), initializer=FanInUniform(4), name=name)
            setattr(self, name, weight)

    def call(self, inputs: Any) -> Any:
        """Inputs (batch, height, width, maps) to windows' sums, scaled and shifted."""
        return 4 * keras.ops.average_pool(inputs, 2, 2, padding="valid") * self.coefficient + self.bias

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Half the height and half the width."""
        batch, height, width, maps = input_shape
        return (batch, height // 2, width // 2, maps)


class PartialConvolution(keras.layers.Layer):  # type: ignore[misc]
    """Convolution whose every output map sees some of the input maps alone, windows inside the image only.

    ``connections``: for each output map, the input maps that it sees. (batch, height, width, maps) to (batch, height -
    size + 1, width - size + 1, outputs). It holds a size x size kernel for each connection, in that order, and nothing
    for what is not connected: no training can connect it. Weights start uniform in ±2.4 / F, F = size^2 times the
    number of maps seen. Source: LeCun et al. 1998, sec. II.B, layer C3 and Table I.
    ValueError for inputs that have no such map, or one that nobody sees.
    """

    def __init__(self, connections: Any, size: int, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connections, self.size = tuple(tuple(seen) for seen in connections), size
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        """Make a kernel for each connection and a bias for each output map."""
        maps, seen = input_shape[-1], {i for each in self.connections for i in each}
        if seen != set(range(maps)):
            raise ValueError(f"there are {maps} input maps, numbered from 0; connections name {sorted(seen)}")
        fans = [self.size**2 * len(each) for each in self.connections]
        of_each = [fan for fan, each in zip(fans, self.connections, strict=True) for _ in each]
        shape = (len(of_each), self.size, self.size)
        self.kernel = self.add_weight(shape=shape, initializer=FanInUniform(of_each), name="kernel")
        self.bias = self.add_weight(shape=(len(fans),), initializer=FanInUniform(fans), name="bias")
        # Where the whole kernel has which connection: one past the last stands for none.
        self.places = np.full((maps, len(fans)), len(of_each), np.int32)
        pairs = [(i, o) for o, each in enumerate(self.connections) for i in each]
        self.places[tuple(np.transpose(pairs))] = np.arange(len(pairs))

    def call(self, inputs: Any) -> Any:
        """Inputs (batch, height, width, maps) to (batch, height - size + 1, width - size + 1, outputs)."""
        none = keras.ops.zeros((1, self.size, self.size), dtype=inputs.dtype)
        pieces = keras.ops.concatenate([keras.ops.convert_to_tensor(self.kernel), none])
        # Taken, not multiplied by 0 and 1: a GPU may round products.
        whole = keras.ops.take(pieces, keras.ops.convert_to_tensor(self.places.ravel()), axis=0)
        whole = keras.ops.reshape(whole, (*self.places.shape, self.size, self.size))
        z = keras.ops.conv(inputs, keras.ops.transpose(whole, (2, 3, 0, 1)), 1, "valid")
        return self.activation(z + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Smaller by size - 1, with the output maps as channels."""
        batch, height, width, _ = input_shape
        return (batch, height - self.size + 1, width - self.size + 1, len(self.connections))


class PaddedShortcut(keras.layers.Layer):  # type: ignore[misc]
    """The identity where shapes change: every ``stride``-th row and column, and zeros for the maps that are missing.

    (batch, height, width, maps) to (batch, height / stride, width / stride, filters), rounded up; no parameters: option
    A of He et al. 2015, sec. 4.1. The zeros come last, which the paper leaves open.
    """

    def __init__(self, filters: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.stride = filters, stride

    def call(self, inputs: Any) -> Any:
        """Inputs (batch, height, width, maps), thinned out and filled up."""
        missing = (0, self.filters - inputs.shape[-1])
        return keras.ops.pad(inputs[:, :: self.stride, :: self.stride], ((0, 0), (0, 0), (0, 0), missing))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Fewer rows and columns, more maps."""
        batch, height, width, _ = input_shape
        return (batch, -(-height // self.stride), -(-width // self.stride), self.filters)


class TenViews(keras.layers.Layer):  # type: ignore[misc]
    """In training the middle of each image, in prediction ten windows of it: corners and middle, and their mirrors.

    (batch, height, width, channels) to windows smaller by ``border`` on each side; in prediction (10 * batch, …), all
    images' first window, then all images' second, and so on, for `MeanOfViews` to average. Behind a `RandomCrop` of the
    same padding, the middle in training is a random window of the image. Source: Krizhevsky et al. 2012, sec. 4.1.
    """

    def __init__(self, border: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.border = border

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The middle of each image, or ten windows of it."""
        _, height, width, _ = inputs.shape
        far = 2 * self.border
        middle = (self.border, self.border)
        corners = [middle] if training else [(0, 0), (0, far), (far, 0), (far, far), middle]
        windows = [inputs[:, i : i + height - far, j : j + width - far] for i, j in corners]
        if training:
            return windows[0]
        return keras.ops.concatenate([*windows, *(keras.ops.flip(window, axis=2) for window in windows)])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Smaller windows, of which there may be ten for an image."""
        _, height, width, channels = input_shape
        return (None, height - 2 * self.border, width - 2 * self.border, channels)


class MeanOfViews(keras.layers.Layer):  # type: ignore[misc]
    """In training its inputs; in prediction the logarithm of the mean probability over the ten windows of each image.

    (10 * batch, outputs) to (batch, outputs), whose softmax is that mean: see `TenViews`.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Linear outputs of images, or of their ten windows to one of each image."""
        if training:
            return inputs
        views = keras.ops.reshape(keras.ops.log_softmax(inputs), (10, -1, inputs.shape[-1]))
        return keras.ops.logsumexp(views, axis=0) - float(np.log(10))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input, a tenth of them in prediction."""
        return (None, input_shape[-1])
