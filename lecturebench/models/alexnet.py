"""The convolutional networks of Krizhevsky et al. 2012: for ImageNet, and the one for CIFAR-10 of its section 3.3."""

from __future__ import annotations

from typing import Any

from lecturebench.models.convolutional import check_border, check_decay, check_images


def alexnet(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    rate: float = 0.5,
    decay: float = 0.0,
    border: int = 0,
    flip: bool = False,
    views: bool = False,
) -> Any:
    """Network of Krizhevsky et al. 2012, Fig. 2: five convolutions and three dense layers.

    input_shape: (height, width, channels); the paper's network sees 224 x 224 x 3. outputs: how many linear ones.
    96 kernels 11 x 11 with stride 4, 256 of 5 x 5, 384, 384 and 256 of 3 x 3; the second, fourth and fifth see only
    that half of the maps that lies on their GPU. ReLU after each; the first two are then normalised
    (`LocalResponseNormalization`); after the first, the second and the fifth, the largest of each 3 x 3 with stride 2.
    Two dense layers of 4,096 with dropout (rate), and the outputs. Weights start normal with deviation 0.01, the biases
    of convolutions 2, 4, 5 and of the hidden dense layers at 1, the others at 0. The paper says 224 and draws 55 x 55
    maps: a zero row and column before and two behind make it so.

    decay: d of d/2 times the sum of squares of kernels, biases free; its gradient is the paper's d w (sec. 5).
    border: of 256 x 256 images with border 16, training sees random windows of 224 x 224, `flip` mirrors half of them,
    and prediction sees the middle one, or with ``views`` the mean probability over ten, corners, middle and mirrors.
    60,965,224 parameters for 224 x 224 x 3 and 1,000 outputs. Deviations: pixels are put on the paper's scale, from 0
    to 255, with their middle taken off and not the mean image (sec. 2); colours are not shifted (sec. 4.1).
    Raises ValueError for what is no image, windows below 64 x 64, a decay below 0, a border that is no whole number.
    """
    check_border(border)
    check_decay(decay)
    check_images("alexnet", input_shape, smallest=64 + 2 * border)
    import keras

    from lecturebench.models.layers import Dropout, LocalResponseNormalization

    def start(bias: float) -> dict[str, Any]:
        return {
            "activation": "relu",
            "kernel_initializer": keras.initializers.RandomNormal(stddev=0.01),
            "bias_initializer": keras.initializers.Constant(bias),
            "kernel_regularizer": keras.regularizers.L2(decay / 2) if decay > 0 else None,
        }

    return keras.Sequential(
        [
            keras.Input(input_shape),
            *windows(border, flip, views),
            keras.layers.Rescaling(255.0, offset=-127.5),
            keras.layers.ZeroPadding2D(((1, 2), (1, 2))),
            keras.layers.Conv2D(96, 11, strides=4, name="conv1", **start(0.0)),
            LocalResponseNormalization(),
            keras.layers.MaxPooling2D(3, 2),
            keras.layers.Conv2D(256, 5, padding="same", groups=2, name="conv2", **start(1.0)),
            LocalResponseNormalization(),
            keras.layers.MaxPooling2D(3, 2),
            keras.layers.Conv2D(384, 3, padding="same", name="conv3", **start(0.0)),
            keras.layers.Conv2D(384, 3, padding="same", groups=2, name="conv4", **start(1.0)),
            keras.layers.Conv2D(256, 3, padding="same", groups=2, name="conv5", **start(1.0)),
            keras.layers.MaxPooling2D(3, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(4096, name="fc6", **start(1.0)),
            Dropout(rate),
            keras.layers.Dense(4096, name="fc7", **start(1.0)),
            Dropout(rate),
            keras.layers.Dense(outputs, name="fc8", **start(0.0) | {"activation": None}),
            *averaged(views),
        ]
    )


def alexnet_32(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    normalised: bool = True,
    local: tuple[int, int] = (64, 32),
    rate: float = 0.0,
    decay: float = 0.0,
    border: int = 0,
    flip: bool = False,
    views: bool = False,
) -> Any:
    """Network with four layers of weights before the outputs for CIFAR-10, of Krizhevsky et al. 2012, sec. 3.3.

    input_shape: (height, width, channels), pixels in [0, 1]. outputs: how many linear ones. As cuda-convnet's files
    layers-conv-local-11pct.cfg and -13pct.cfg have it: 64 kernels 5 x 5, the largest of each 3 x 3 with stride 2
    (overlapping), again both, then two locally connected layers 3 x 3 (`LocallyConnected2D`) with ``local`` maps, each
    with ReLU. normalised: activations are divided by those of neighbouring maps, n = 9, after the first pooling and
    before the second (11%); without (13%), local is (32, 32). k = 1, alpha = 0.001 / n and beta = 0.75 there. rate:
    dropout before the outputs, an ingredient of the paper's large network that the published small one has not.
    Pixels are put on cuda-convnet's scale, 0 to 255 with their middle at 0; it subtracts the mean image. Weights start
    normal with deviations 0.0001, 0.01, 0.04, 0.04 and 0.01, biases at 0: the published rates belong to that scale.

    decay: d of d/2 times the sum of squares of the local and dense kernels (0.004 there), the convolutions' are free.
    border: of 32 x 32 images with border 4, training sees random windows of 24 x 24, `flip` mirrors half of them, and
    prediction sees the middle one, or with ``views`` the mean probability over ten, as the published figures have it.
    Parameters for 24 x 24 windows of 3 channels and 10 outputs: 2,112,970; 32 x 32: 3,672,906; with local (32, 32)
    1,116,490 and 1,901,386.
    Raises ValueError for what is no image, windows below 4 x 4, a decay below 0, a border that is no whole number.
    """
    check_border(border)
    check_decay(decay)
    check_images("alexnet_32", input_shape, smallest=4 + 2 * border)
    import keras

    from lecturebench.models.layers import Dropout, LocallyConnected2D, LocalResponseNormalization

    def normal(deviation: float) -> dict[str, Any]:
        return {"kernel_initializer": keras.initializers.RandomNormal(stddev=deviation)}

    def neighbours() -> list[Any]:
        return [LocalResponseNormalization(k=1.0, n=9, alpha=0.001 / 9, beta=0.75)] if normalised else []

    penalty = {"kernel_regularizer": keras.regularizers.L2(decay / 2) if decay > 0 else None}
    pool = {"pool_size": 3, "strides": 2, "padding": "same"}
    return keras.Sequential(
        [
            keras.Input(input_shape),
            *windows(border, flip, views),
            keras.layers.Rescaling(255.0, offset=-127.5),
            keras.layers.Conv2D(64, 5, padding="same", activation="relu", name="conv1", **normal(0.0001)),
            keras.layers.MaxPooling2D(**pool),
            *neighbours(),
            keras.layers.Conv2D(64, 5, padding="same", activation="relu", name="conv2", **normal(0.01)),
            *neighbours(),
            keras.layers.MaxPooling2D(**pool),
            LocallyConnected2D(local[0], 3, activation="relu", name="local3", **normal(0.04), **penalty),
            LocallyConnected2D(local[1], 3, activation="relu", name="local4", **normal(0.04), **penalty),
            keras.layers.Flatten(),
            Dropout(rate),
            keras.layers.Dense(outputs, name="fc10", **normal(0.01), **penalty),
            *averaged(views),
        ]
    )


def windows(border: int, flip: bool, views: bool) -> list[Any]:
    """Layers that cut windows out of images, smaller by ``border`` on each side: see `alexnet`."""
    import keras

    from lecturebench.models.layers import RandomCrop, TenViews

    # What a window of the padded image has in its middle is a window of the image, and no padding.
    return [RandomCrop(border, flip), TenViews(border) if views else keras.layers.Cropping2D(border)]


def averaged(views: bool) -> list[Any]:
    """The layer that ends a network of ten views, or none."""
    from lecturebench.models.layers import MeanOfViews

    return [MeanOfViews()] if views else []
