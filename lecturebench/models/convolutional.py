"""Convolutional networks of the slides "Convolutional Neural Network" to "Avg Pooling"."""

from __future__ import annotations

from typing import Any


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


def pooled_cnn(input_shape: tuple[int, ...], outputs: int, *, pooling: str = "max") -> Any:
    """`small_cnn` without crops, with other ways to go from one resolution to the next.

    input_shape: (height, width, channels). outputs: the number of Z. pooling: what stands for each 2 x 2 of a map:
    "max", the largest; "average", the mean; "strided", the first, so that a convolution with stride 2 need not compute
    the others (Springenberg et al. 2015, "strided CNN"). With "none" the maps keep the images' size.
    28 x 28 x 1 with 10 outputs has 20,490 parameters; 255,690 with "none", whose last layer sees all 28 x 28.
    Raises ValueError for another pooling, and for images too small for two windows of 2 x 2.
    """
    import keras

    kinds = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    if pooling not in (*kinds, "strided", "none"):
        raise ValueError(f"pooling is {pooling!r}; it must be 'max', 'average', 'strided' or 'none'")
    height, width = input_shape[:2]
    if pooling != "none" and min(height, width) < 4:
        size = f"{height} x {width}"
        raise ValueError(f"images of {size} are too small to be pooled by 2 x 2 twice; they must be 4 x 4 or larger")
    layers = [keras.Input(input_shape)]
    for kernels in (16, 32):
        if pooling == "strided":
            # Zeros above and to the left alone put each kernel's middle on the first value of its window; as with the
            # others, what fills no window counts for nothing.
            layers.append(keras.layers.Cropping2D(((0, height % 2), (0, width % 2))))
            layers.append(keras.layers.ZeroPadding2D(((1, 0), (1, 0))))
            layers.append(keras.layers.Conv2D(kernels, 3, strides=2, activation="relu"))
        else:
            layers.append(keras.layers.Conv2D(kernels, 3, padding="same", activation="relu"))
        if pooling in kinds:
            layers.append(kinds[pooling](2))
        height, width = height // 2, width // 2
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(outputs)])
