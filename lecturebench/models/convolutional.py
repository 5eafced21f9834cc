"""Convolutional networks of the slides "Convolutional Neural Network" to "Avg Pooling"."""

from __future__ import annotations

from typing import Any

# LeCun et al. 1998, Table I: the maps of S2 that each map of C3 sees.
C3_SEES = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def small_cnn(input_shape: tuple[int, ...], outputs: int, *, crop: int = 0, flip: bool = False) -> Any:
    """Network with two convolutions, A1 = pool(g(w1 + W1 * X)), A2 = pool(g(w2 + W2 * A1)), Z = b + B A2, g = ReLU.

    input_shape: (height, width, channels). outputs: the number of Z. The kernels are 3 x 3, 16 of them and then 32, at
    the images' own size (zeros around); pool takes the largest of each 2 x 2. crop: in training, images are shifted by
    up to so many pixels along either side; flip: and mirrored with probability 1/2 (`RandomCrop`).
    28 x 28 x 1 with 10 outputs has 160 + 4,640 + 15,690 = 20,490 parameters.
    Raises ValueError for a crop below 0, as large as the image or larger.
    """
    import keras

    from lecturebench.models.layers import RandomCrop

    smallest = min(input_shape[:2])
    if not 0 <= crop < smallest:
        size = f"{input_shape[0]} x {input_shape[1]}"
        raise ValueError(f"crop is {crop!r} for images of {size}; it must be a whole number from 0 to {smallest - 1}")
    return keras.Sequential(
        [
            keras.Input(input_shape),
            RandomCrop(crop, flip),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(outputs),
        ]
    )


def check_images(network: str, input_shape: tuple[int, ...], smallest: int, crop: int = 0) -> None:
    """Nothing, for images that a network can take.

    input_shape: of one example. smallest: the least height and width that it needs. crop: by how many pixels training
    images are shifted along either side.
    ValueError, naming shapes, for what is no image (height, width, channels), for one too small, and for such a crop.
    """
    if len(input_shape) != 3:
        raise ValueError(f"examples have shape {tuple(input_shape)}; {network} needs images (height, width, channels)")
    height, width = input_shape[:2]
    if min(height, width) < smallest:
        size = f"images of {height} x {width} are too small for {network}"
        raise ValueError(f"{size}: it needs {smallest} x {smallest} or larger")
    if crop != int(crop) or not 0 <= crop < min(height, width):
        allowed = f"it must be a whole number from 0 to {min(height, width) - 1}"
        raise ValueError(f"crop is {crop!r} for images of {height} x {width}; {allowed}")


def check_border(border: int) -> None:
    """Nothing, for a border that windows of images may leave out; ValueError for others."""
    if border < 0 or border != int(border):
        raise ValueError(f"border is {border!r}; it must be a whole number of pixels, 0 or above")


def check_decay(decay: float) -> None:
    """Nothing, for a decay of weights; ValueError for others."""
    if decay < 0:
        raise ValueError(f"decay is {decay!r}; it must be 0 or above")


def simple_convnet(input_shape: tuple[int, ...], outputs: int, *, rate: float = 0.5) -> Any:
    """Network of Keras' example "Simple MNIST convnet": two convolutions with pooling, dropout, one dense layer.

    input_shape: (height, width, channels). outputs: how many linear ones. Kernels are 3 x 3, 32 of them and then 64,
    inside the image only; each followed by ReLU and the largest of each 2 x 2. rate: dropout before the dense layer.
    28 x 28 x 1 with 10 outputs: 320 + 18,496 + 16,010 = 34,826 parameters.
    Source: keras-io, examples/vision/mnist_convnet. Raises ValueError for what is no image or below 10 x 10.
    """
    check_images("simple_convnet", input_shape, smallest=10)
    import keras

    from lecturebench.models.layers import Dropout

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            Dropout(rate),
            keras.layers.Dense(outputs),
        ]
    )


def lenet5(input_shape: tuple[int, ...], outputs: int) -> Any:
    """Network LeNet-5 up to its layer F6, as published, and a dense layer in place of its fixed output codes.

    input_shape: (height, width, channels), at most 32 x 32, pixels in [0, 1] with a background of 0: zeros fill the
    image up to 32 x 32, and pixels become -0.1 for background to 1.175. outputs: how many linear ones.

    C1: 6 maps, kernels 5 x 5. S2: the sum of each 2 x 2, times a trained coefficient, plus a bias. C3: 16 maps that see
    3, 4 or 6 of S2's (Table I). S4: as S2. C5: 120 maps of 1 x 1. F6: 84 units. Each is squashed, f(a) = 1.7159
    tanh(2a/3), and starts uniform in ±2.4 / F, F the inputs of a unit; so do biases and coefficients, of which the
    paper says nothing else.
    156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000 parameters for one channel, as the paper says, and 850 for 10
    outputs. The paper's outputs are distances of F6 to 7 x 12 bitmaps of the characters, printed as pictures alone, and
    its loss takes those: ours are 84 weights and a bias each, and the loss is cross-entropy.
    Source: LeCun et al. 1998, sec. II.B, III and appendix A. Raises ValueError for what is no image, or above 32 x 32.
    """
    check_images("lenet5", input_shape, smallest=1)
    height, width, channels = input_shape
    if max(height, width) > 32:
        raise ValueError(f"images of {height} x {width} are too large for lenet5: it sees 32 x 32")
    import keras

    from lecturebench.models.layers import FanInUniform, PartialConvolution, Subsampling, squash

    def started(fan: int) -> dict[str, Any]:
        return {"kernel_initializer": FanInUniform(fan), "bias_initializer": FanInUniform(fan), "activation": squash}

    around = tuple(((32 - size) // 2, (33 - size) // 2) for size in (height, width))
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.ZeroPadding2D(around),
            keras.layers.Rescaling(1.275, offset=-0.1),
            keras.layers.Conv2D(6, 5, name="C1", **started(25 * channels)),
            Subsampling(name="S2"),
            keras.layers.Activation(squash),
            PartialConvolution(C3_SEES, 5, activation=squash, name="C3"),
            Subsampling(name="S4"),
            keras.layers.Activation(squash),
            keras.layers.Conv2D(120, 5, name="C5", **started(25 * 16)),
            keras.layers.Flatten(),
            keras.layers.Dense(84, name="F6", **started(120)),
            keras.layers.Dense(outputs, **started(84) | {"activation": None}),
        ]
    )


def fashion_convnet(input_shape: tuple[int, ...], outputs: int, *, rate: float = 0.4) -> Any:
    """Network of Fashion-MNIST's own benchmark: two convolutions with pooling, a dense layer of 1,024, dropout.

    input_shape: (height, width, channels). outputs: how many linear ones. Kernels are 5 x 5, 32 of them and then 64, at
    the images' own size (zeros around); each followed by ReLU and the largest of each 2 x 2. rate: dropout before the
    outputs. 28 x 28 x 1 with 10 outputs: 832 + 51,264 + 3,212,288 + 10,250 = 3,274,634 parameters.
    Source: zalandoresearch/fashion-mnist, benchmark/convnet.py. Raises ValueError for what is no image or below 4 x 4.
    """
    check_images("fashion_convnet", input_shape, smallest=4)
    import keras

    from lecturebench.models.layers import Dropout

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(32, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(1024, activation="relu"),
            Dropout(rate),
            keras.layers.Dense(outputs),
        ]
    )


def quick_cnn(input_shape: tuple[int, ...], outputs: int) -> Any:
    """Network for digits that learns in seconds: two convolutions 5 x 5 with pooling, and a dense layer of 128 units.

    input_shape: (height, width, channels). outputs: how many linear ones. 16 kernels and then 48, inside the image
    only, each followed by ReLU and the largest of each 2 x 2, as in LeNet-5: a third of the multiplications that
    convolutions of the image's own size take. 28 x 28 x 1 with 10 outputs: 416 + 19,248 + 98,432 + 1,290 = 119,386
    parameters. Raises ValueError for what is no image or below 16 x 16.
    """
    check_images("quick_cnn", input_shape, smallest=16)
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(16, 5, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(48, 5, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(outputs),
        ]
    )


def deep_cnn(input_shape: tuple[int, ...], outputs: int, *, depth: int, budget: int = 100_000) -> Any:
    """Network of ``depth`` convolutions and, whatever the depth, as good as ``budget`` parameters.

    input_shape: (height, width, channels). outputs: how many linear ones. Kernels are 3 x 3 at the images' own size,
    each followed by ReLU, all layers as wide as the budget allows (`equal_widths`); after half of them and after all,
    the largest of each 2 x 2 is kept; then each map's mean goes into a dense layer. An odd depth has the extra layer
    before the first pooling. Kernels start as He et al. 2015 have it: normal, variance 2 / inputs.
    Raises ValueError for what is no image, for a depth below 1, for an image below 4 x 4, which cannot be pooled twice,
    and for a budget that no width meets within 1%.
    """
    if depth < 1 or depth != int(depth):
        raise ValueError(f"depth is {depth!r}; it must be a whole number of convolutions, 1 or above")
    check_images(f"deep_cnn (depth {depth}, two poolings of 2 x 2)", input_shape, smallest=4)
    widths = equal_widths(depth, budget, input_shape[-1], outputs)
    import keras

    he = keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
    layers = [keras.Input(input_shape)]
    for i, width in enumerate(widths, start=1):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer=he))
        if i == (depth + 1) // 2:
            layers.append(keras.layers.MaxPooling2D(2))
    layers.append(keras.layers.MaxPooling2D(2))
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs)])


def equal_widths(depth: int, budget: int, channels: int, outputs: int) -> list[int]:
    """How many maps each of ``depth`` 3 x 3 convolutions has, so that they and a dense layer have ``budget`` weights.

    All have the same number, but for the last few, which have one more where that comes closer to the budget.
    ValueError where what comes closest is more than 1% away.
    """

    def count(widths: list[int]) -> int:
        sizes = [channels, *widths]
        kernels = sum(9 * before * after + after for before, after in zip(sizes, widths, strict=False))
        return kernels + (widths[-1] + 1) * outputs

    width = 1
    while count([width + 1] * depth) <= budget:
        width += 1
    candidates = [[width] * (depth - wider) + [width + 1] * wider for wider in range(depth + 1)]
    widths = min(candidates, key=lambda each: abs(count(each) - budget))
    if abs(count(widths) - budget) > 0.01 * budget:
        nearest = f"the nearest number for depth {depth} is {count(widths):,}"
        raise ValueError(f"budget is {budget!r} parameters; {nearest}: take that, or a larger budget")
    return widths


def pooled_cnn(input_shape: tuple[int, ...], outputs: int, *, pooling: str = "max", window: int = 2) -> Any:
    """Network of two convolutions, as `small_cnn`, that differs from its likes in ``pooling`` alone.

    input_shape: (height, width, channels). outputs: how many linear ones. Kernels are 3 x 3, 16 of them and then 32, at
    the images' own size (zeros around), each followed by ReLU. pooling: what stands for each window x window of a map:
    "max", its largest; "average", its mean; "strided", the first one, so that the others need not be computed: a
    convolution with that stride (Springenberg et al. 2015, "strided CNN"). All three have the same parameters, 20,490
    for 28 x 28 x 1 and 10 outputs. A strided convolution multiplies 1 / window^2 as often, 269,696 times in all where
    the others do 1,031,744, and spares the window^2 - 1 comparisons or sums that each value of theirs takes. With
    "none" the maps keep the images' size, and the last layer sees all of them: 255,690 parameters.
    Raises ValueError for what is no image, for another pooling, and for a window below 2 or larger than its input.
    """
    check_images("pooled_cnn", input_shape, smallest=1)
    if pooling not in ("max", "average", "strided", "none"):
        raise ValueError(f"pooling is {pooling!r}: choose 'average', 'max', 'none' or 'strided'")
    if window < 2 or window != int(window):
        raise ValueError(f"window is {window!r}; it must be a whole number, 2 or above")
    import keras

    kinds = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    height, width = input_shape[:2]
    layers = [keras.Input(input_shape)]
    for filters in (16, 32):
        if pooling != "none" and window > min(height, width):
            raise ValueError(f"a pooling window of {window} x {window} is larger than its input of {height} x {width}")
        if pooling == "strided":
            # Zeros above and to the left alone put each kernel's middle on the first value of its window; as with the
            # others, what fills no window any more counts for nothing.
            layers.append(keras.layers.Cropping2D(((0, height % window), (0, width % window))))
            layers.append(keras.layers.ZeroPadding2D(((1, 0), (1, 0))))
            layers.append(keras.layers.Conv2D(filters, 3, strides=window, activation="relu"))
        else:
            layers.append(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        if pooling in kinds:
            layers.append(kinds[pooling](window))
        height, width = height // window, width // window
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(outputs)])
