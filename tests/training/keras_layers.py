"""Small networks, one for every Keras layer that has weights or draws, and for the ways in which layers are nested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ROW, STEPS, IMAGE, FILM = (6,), (5, 4), (8, 8, 3), (3, 6, 6, 2)


def network(shape: tuple[int, ...], *makers: Callable[[], Any]) -> Callable[[], Any]:
    """A function that builds the layers in a row, on inputs of a shape."""

    def build() -> Any:
        import keras

        return keras.Sequential([keras.Input(shape), *(make() for make in makers)])

    return build


def functional(shape: tuple[int, ...], join: Callable[[Any], Any]) -> Callable[[], Any]:
    """A function that builds a network of one input from what is done with it."""

    def build() -> Any:
        import keras

        x = keras.Input(shape)
        return keras.Model(x, join(x))

    return build


def weighted() -> dict[str, Callable[[], Any]]:
    """Networks whose layers have weights, by the name of the Keras layer and what is special about it."""
    import keras

    layer = keras.layers
    cells = {"SimpleRNN": layer.SimpleRNNCell, "LSTM": layer.LSTMCell, "GRU": layer.GRUCell}
    networks = {
        "Dense": network(ROW, lambda: layer.Dense(3)),
        "EinsumDense": network(STEPS, lambda: layer.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")),
        "Embedding": network(ROW, lambda: layer.Embedding(9, 3)),
        "ReversibleEmbedding": network(ROW, lambda: layer.ReversibleEmbedding(9, 3, tie_weights=False)),
        "Conv1D": network(STEPS, lambda: layer.Conv1D(3, 2)),
        "Conv2D": network(IMAGE, lambda: layer.Conv2D(3, 2)),
        "Conv3D": network(FILM, lambda: layer.Conv3D(3, 2)),
        "Conv1DTranspose": network(STEPS, lambda: layer.Conv1DTranspose(3, 2)),
        "Conv2DTranspose": network(IMAGE, lambda: layer.Conv2DTranspose(3, 2)),
        "Conv3DTranspose": network(FILM, lambda: layer.Conv3DTranspose(3, 2)),
        "DepthwiseConv1D": network(STEPS, lambda: layer.DepthwiseConv1D(2)),
        "DepthwiseConv2D": network(IMAGE, lambda: layer.DepthwiseConv2D(2)),
        "SeparableConv1D": network(STEPS, lambda: layer.SeparableConv1D(3, 2)),
        "SeparableConv2D": network(IMAGE, lambda: layer.SeparableConv2D(3, 2)),
        "ConvLSTM1D": network(FILM[:3], lambda: layer.ConvLSTM1D(2, 2)),
        "ConvLSTM2D": network(FILM, lambda: layer.ConvLSTM2D(2, 2)),
        "ConvLSTM3D": network((2, 3, 3, 3, 1), lambda: layer.ConvLSTM3D(2, 2)),
        "SimpleRNN": network(STEPS, lambda: layer.SimpleRNN(3)),
        "LSTM": network(STEPS, lambda: layer.LSTM(3)),
        "LSTM, random biases": network(STEPS, lambda: layer.LSTM(3, bias_initializer="random_normal")),
        "GRU": network(STEPS, lambda: layer.GRU(3)),
        **{f"{name}Cell": network(STEPS, lambda cell=cell: layer.RNN(cell(3))) for name, cell in cells.items()},
        "RNN": network(STEPS, lambda: layer.RNN(layer.GRUCell(3), return_sequences=True)),
        "StackedRNNCells": network(
            STEPS, lambda: layer.RNN(layer.StackedRNNCells([layer.LSTMCell(3), layer.GRUCell(2)]))
        ),
        "Bidirectional": network(STEPS, lambda: layer.Bidirectional(layer.LSTM(3))),
        "TimeDistributed": network(STEPS, lambda: layer.TimeDistributed(layer.Dense(3))),
        "SpectralNormalization": network(ROW, lambda: layer.SpectralNormalization(layer.Dense(3))),
        "MultiHeadAttention": functional(STEPS, lambda x: layer.MultiHeadAttention(2, 3)(x, x)),
        "GroupQueryAttention": functional(STEPS, lambda x: layer.GroupQueryAttention(3, 2, 1)(x, x)),
        "Attention": functional(STEPS, lambda x: layer.Attention(use_scale=True)([x, x])),
        "AdditiveAttention": functional(STEPS, lambda x: layer.AdditiveAttention()([x, x])),
        "BatchNormalization": network(ROW, lambda: layer.BatchNormalization(gamma_initializer="random_uniform")),
        "LayerNormalization": network(ROW, layer.LayerNormalization),
        "GroupNormalization": network(IMAGE, lambda: layer.GroupNormalization(3)),
        "RMSNormalization": network(ROW, layer.RMSNormalization),
        "PReLU": network(ROW, lambda: layer.PReLU(alpha_initializer="truncated_normal")),
        "a network inside": network(IMAGE, network(IMAGE, lambda: layer.Conv2D(2, 2)), layer.Flatten),
    }
    kinds = ("random_normal", "random_uniform", "truncated_normal", "orthogonal", "he_normal", "lecun_uniform")
    for kind in (*kinds, "identity", "zeros"):
        networks[f"Dense, {kind}"] = network(ROW, lambda kind=kind: layer.Dense(3, kernel_initializer=kind))
    return networks


def drawing() -> dict[str, Callable[[], Any]]:
    """Networks whose layers draw in training, by the name of the Keras layer."""
    import keras

    layer = keras.layers
    images = (
        *("RandomBrightness", "RandomColorDegeneration", "RandomContrast", "RandomErasing", "RandomGaussianBlur"),
        *("RandomHue", "RandomInvert", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness"),
        *("RandomShear", "RandomTranslation", "RandomZoom", "RandomPerspective", "Solarization"),
    )
    factor = {"RandomPosterization": 3, "RandomTranslation": (0.4, 0.4), "RandomGaussianBlur": 1.0}
    made: dict[str, Callable[[], Any]] = {
        name: (
            lambda name=name: (
                getattr(layer, name)(*factor[name])
                if isinstance(factor.get(name), tuple)
                else getattr(layer, name)(factor.get(name, 0.5))
            )
        )
        for name in images
    }
    networks = {name: network((16, 16, 3), make) for name, make in made.items()}
    return networks | {
        "RandomFlip": network(IMAGE, layer.RandomFlip),
        "RandomCrop": network(IMAGE, lambda: layer.RandomCrop(4, 4)),
        "RandomGrayscale": network(IMAGE, lambda: layer.RandomGrayscale(0.5)),
        "Dropout": network(ROW, lambda: layer.Dropout(0.5)),
        "SpatialDropout1D": network(STEPS, lambda: layer.SpatialDropout1D(0.5)),
        "SpatialDropout2D": network(IMAGE, lambda: layer.SpatialDropout2D(0.5)),
        "SpatialDropout3D": network(FILM, lambda: layer.SpatialDropout3D(0.5)),
        "AlphaDropout": network(ROW, lambda: layer.AlphaDropout(0.5)),
        "GaussianDropout": network(ROW, lambda: layer.GaussianDropout(0.5)),
        "GaussianNoise": network(ROW, lambda: layer.GaussianNoise(0.5)),
        "Dropout with a seed of its own": network(ROW, lambda: layer.Dropout(0.5, seed=3)),
        "LSTM": network(STEPS, lambda: layer.LSTM(3, dropout=0.4, recurrent_dropout=0.4)),
        "Bidirectional": network(STEPS, lambda: layer.Bidirectional(layer.GRU(3, recurrent_dropout=0.4))),
        "StackedRNNCells": network(
            STEPS, lambda: layer.RNN(layer.StackedRNNCells([layer.SimpleRNNCell(3, dropout=0.4), layer.LSTMCell(3)]))
        ),
        "TimeDistributed": network(STEPS, lambda: layer.TimeDistributed(layer.Dropout(0.4))),
        "MultiHeadAttention": functional(STEPS, lambda x: layer.MultiHeadAttention(2, 3, dropout=0.4)(x, x)),
        "Attention": functional(STEPS, lambda x: layer.Attention(dropout=0.4)([x, x])),
        "a network inside": network(ROW, network(ROW, lambda: layer.Dropout(0.4)), lambda: layer.Dropout(0.4)),
    }


# Layers of `keras.layers` without weights that start at random: a new one of Keras' must be put here or above.
WITHOUT = """
Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AlphaDropout AugMix AutoContrast Average
AveragePooling1D AveragePooling2D AveragePooling3D CategoryEncoding CenterCrop Concatenate
ContrastLimitedAdaptiveHistogramEqualization Cropping1D Cropping2D Cropping3D CutMix Discretization Dot Dropout ELU
Equalization Flatten GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D HashedCrossing Hashing Identity InputLayer IntegerLookup Lambda Layer
LeakyReLU Masking MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D Maximum MelSpectrogram Minimum MixUp Multiply
Normalization Permute Pipeline RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast
RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation
RandomZoom ReLU RepeatVector Rescaling Reshape Resizing STFTSpectrogram Softmax Solarization SpatialDropout1D
SpatialDropout2D SpatialDropout3D StringLookup Subtract TextVectorization UnitNormalization UpSampling1D UpSampling2D
UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper
"""
