"""Residual networks of slide "ResNet-18", and plain ones from the same code: He et al. 2015, arXiv:1512.03385."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lecturebench.models.convolutional import check_border, check_decay, check_images

# He et al. 2015, Table 1: how many blocks stages conv2_x to conv5_x have.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
STEMS = ("imagenet", "cifar")


def resnet(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    depth: int = 18,
    stem: str = "imagenet",
    residual: bool = True,
    normalised: bool = True,
    zero_last: bool = False,
    decay: float = 0.0,
    crop: int = 0,
    border: int = 0,
    flip: bool = False,
) -> Any:
    """Network of He et al. 2015, Table 1, with ``depth`` 18, 34 or 50 layers of weights.

    input_shape: (height, width, channels). outputs: how many linear ones. stem: "imagenet", a convolution 7 x 7 with
    stride 2 and the largest of each 3 x 3 with stride 2; or "cifar", a convolution 3 x 3 with stride 1 alone
    (kuangliu/pytorch-cifar). Then four stages of 64, 128, 256 and 512 maps, each but the first halving the image, the
    mean of each map, and a dense layer. A block is two convolutions 3 x 3, or at depth 50 1 x 1, 3 x 3 and 1 x 1 with
    four times the maps; its input is added to what they give, before the last ReLU, through a 1 x 1 convolution where
    shapes differ (option B). In a stage's first block the first convolution has stride 2, as in the paper; torchvision
    gives that stride at depth 50 to the 3 x 3 one. Zeros are added on both sides, as in the paper's and torchvision's.

    residual: False leaves the additions out: the paper's plain networks. normalised: batch normalisation after every
    convolution, momentum 0.9 and epsilon 1e-5 as published (PyTorch calls that momentum 0.1); without it convolutions
    have biases. zero_last: the last normalisation of each block starts with gamma 0, so that a block starts as the
    identity, behind the shortcut where it has one (Goyal et al. 2017, sec. 5.1); the paper has 1. decay: d of d/2 times
    the sum of squares of all parameters, gamma, beta and biases too as PyTorch does it: the gradient of that penalty is
    the d w by which the papers' SGD decays a weight w. crop, flip: as in `small_cnn`. border: training sees random
    windows of the images, smaller by so much on each side, and prediction the middle one: 16 makes 224 x 224 of
    256 x 256. Kernels start normal with variance 2 / inputs, as the paper has it (He et al. 2015, arXiv:1502.01852);
    torchvision divides by outputs.

    Trained parameters for 224 x 224 x 3 and 1,000 outputs: 11,689,512 with depth 18, 21,797,672 with 34, 25,557,032
    with 50; of depth 18 with the CIFAR stem and 10 outputs 11,173,962. Keras counts two more for each normalised map,
    its moving mean and variance: 9,600, 17,024 and 53,120.
    Raises ValueError for what is no image or too small, for another depth or stem, a decay below 0, a wrong crop or
    border, both of them, and for zero_last without normalisation or without shortcuts.
    """
    if depth not in BLOCKS:
        raise ValueError(f"depth is {depth!r}: choose 18, 34 or 50")
    if stem not in STEMS:
        raise ValueError(f"stem is {stem!r}: choose 'cifar' or 'imagenet'")
    smallest = 17 if stem == "imagenet" else 5  # every stride of 2 finds 2 x 2 or more
    if crop and border:
        raise ValueError(f"crop is {crop!r} and border {border!r}; windows are of the padded image or of the image")
    check_border(border)
    check_images(f"resnet with stem {stem!r}", input_shape, smallest + 2 * border, crop)
    parts = Parts(residual, normalised, zero_last, decay)
    import keras

    x = inputs = keras.Input(input_shape)
    x = parts.augmented(x, crop or border, flip)
    x = keras.layers.Cropping2D(border)(x) if border else x
    if stem == "imagenet":
        x = parts.relu(parts.convolved(x, 64, 7, 2, "conv1"), "conv1_relu")
        x = keras.layers.MaxPooling2D(3, 2, name="pool1")(keras.layers.ZeroPadding2D(1)(x))
    else:
        x = parts.relu(parts.convolved(x, 64, 3, 1, "conv1"), "conv1_relu")
    for stage, blocks in enumerate(BLOCKS[depth], start=2):
        filters = 64 * 2 ** (stage - 2)
        sizes = ((filters, 1), (filters, 3), (4 * filters, 1)) if depth == 50 else ((filters, 3), (filters, 3))
        for block in range(1, blocks + 1):
            stride = 2 if stage > 2 and block == 1 else 1
            x = parts.block(x, sizes, stride, "projection", f"conv{stage}_{block}")
    return keras.Model(inputs, parts.outputs(x, outputs))


def cifar_resnet(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    depth: int = 20,
    residual: bool = True,
    normalised: bool = True,
    zero_last: bool = False,
    decay: float = 0.0,
    crop: int = 0,
    flip: bool = False,
) -> Any:
    """Network of He et al. 2015, sec. 4.2, for small images: 6n + 2 layers of weights, ``depth`` 20, 32, 44, 56, 110.

    input_shape: (height, width, channels). outputs: how many linear ones. A convolution 3 x 3 with 16 maps, then three
    stages of n blocks of two convolutions 3 x 3 with 16, 32 and 64 maps, the second and the third halving the image,
    the mean of each map, and a dense layer. Where shapes differ, the shortcut takes every second pixel and adds zero
    maps: it has no parameters (option A). The other arguments are those of `resnet`.
    Trained parameters for 32 x 32 x 3 and 10 outputs: 269,722 with depth 20, printed as 0.27M; 464,154, 658,586,
    853,018 and 1,727,962 with 32, 44, 56 and 110, printed as 0.46M, 0.66M, 0.85M, 1.7M. Keras counts the moving means
    and variances too, 1,376 of depth 20.
    Raises ValueError for what is no image or below 3 x 3, for a depth that is not 6n + 2 with n above 0, and else as
    `resnet`.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"depth is {depth!r}; it must be 6n + 2 with n above 0, such as 20, 32, 44, 56 or 110")
    check_images("cifar_resnet", input_shape, smallest=3, crop=crop)
    parts = Parts(residual, normalised, zero_last, decay)
    import keras

    x = inputs = keras.Input(input_shape)
    x = parts.relu(parts.convolved(parts.augmented(x, crop, flip), 16, 3, 1, "conv1"), "conv1_relu")
    for stage, filters in enumerate((16, 32, 64), start=2):
        for block in range(1, (depth - 2) // 6 + 1):
            stride = 2 if stage > 2 and block == 1 else 1
            x = parts.block(x, ((filters, 3), (filters, 3)), stride, "padded", f"conv{stage}_{block}")
    return keras.Model(inputs, parts.outputs(x, outputs))


@dataclass(frozen=True)
class Parts:
    """What residual networks are made of; see `resnet` for the fields."""

    residual: bool
    normalised: bool
    zero_last: bool
    decay: float

    def __post_init__(self) -> None:
        check_decay(self.decay)
        if self.zero_last and not (self.residual and self.normalised):
            missing = "shortcuts" if self.normalised else "normalisation"
            raise ValueError(f"zero_last starts blocks as the identity, which they are not without {missing}")

    @property
    def penalty(self) -> Any:
        """The penalty of each array of parameters, or None."""
        import keras

        return keras.regularizers.L2(self.decay / 2) if self.decay > 0 else None

    def augmented(self, x: Any, crop: int, flip: bool) -> Any:
        """Images, in training shifted and mirrored."""
        from lecturebench.models.layers import RandomCrop

        return RandomCrop(crop, flip)(x)

    def relu(self, x: Any, name: str) -> Any:
        """What is above 0 of x."""
        import keras

        return keras.layers.ReLU(name=name)(x)

    def convolved(self, x: Any, filters: int, size: int, stride: int, name: str, gamma: str = "ones") -> Any:
        """A convolution of x with zeros around, and its normalisation, which starts with that gamma."""
        import keras

        if size > 1 and stride > 1:  # Keras' "same" would put fewer zeros, or none, above and to the left
            x = keras.layers.ZeroPadding2D(size // 2)(x)
        x = keras.layers.Conv2D(
            filters, size, strides=stride, padding="same" if stride == 1 else "valid", use_bias=not self.normalised,
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal"),
            kernel_regularizer=self.penalty, bias_regularizer=self.penalty, name=name,
        )(x)  # fmt: skip
        if not self.normalised:
            return x
        return keras.layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, gamma_regularizer=self.penalty,
            beta_regularizer=self.penalty, name=f"{name}_norm",
        )(x)  # fmt: skip

    def block(self, x: Any, sizes: tuple[tuple[int, int], ...], stride: int, shortcut: str, name: str) -> Any:
        """A block: convolutions of these (maps, size), the first with that stride, and the shortcut past them."""
        import keras

        from lecturebench.models.layers import PaddedShortcut

        past = x
        filters = sizes[-1][0]
        last = len(sizes) - 1
        for i, (maps, size) in enumerate(sizes):
            gamma = "zeros" if self.zero_last and i == last else "ones"
            x = self.convolved(x, maps, size, stride if i == 0 else 1, f"{name}_{'abc'[i]}", gamma)
            if i < last:
                x = self.relu(x, f"{name}_{'abc'[i]}_relu")
        if self.residual:
            if stride > 1 or past.shape[-1] != filters:
                if shortcut == "projection":
                    past = self.convolved(past, filters, 1, stride, f"{name}_shortcut")
                else:
                    past = PaddedShortcut(filters, stride, name=f"{name}_shortcut")(past)
            x = keras.layers.Add(name=f"{name}_add")([x, past])
        return self.relu(x, name)

    def outputs(self, x: Any, outputs: int) -> Any:
        """The mean of each map, and linear outputs of those."""
        import keras

        return keras.layers.Dense(
            outputs,
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal"),
            kernel_regularizer=self.penalty,
            bias_regularizer=self.penalty,
            name="outputs",
        )(keras.layers.GlobalAveragePooling2D(name="mean")(x))
