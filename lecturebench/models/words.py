"""Networks for texts whose words are numbers: slides "Word Embedding", "Recurrent Neural Networks" and "Transformers".

Each begins with an embedding: a vector for each number, learned with the rest. Its rows are the vocabulary's words and
two more, for places without a word and for words that are not in it (`lecturebench.WordIndices`).
"""

from __future__ import annotations

from typing import Any

KINDS = ("SimpleRNN", "GRU", "LSTM")


def averaged_embedding(input_shape: tuple[int, ...], outputs: int, *, vocabulary: int, size: int = 50) -> Any:
    """Network that averages the vectors of a text's words: Z = b + B mean_l E[x_l]; a linear model of word counts.

    input_shape: (length,). outputs: how many linear ones. vocabulary: words. size: of a vector. Places without a word
    are averaged too, as in the published example. With 19,998 words, size 50 and 2 outputs 1,000,102 parameters.
    Source: Keras' example imdb_fasttext, after Joulin et al. 2016. Raises ValueError as `refuse`.
    """
    refuse("averaged_embedding", input_shape, vocabulary, size=size)
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Embedding(vocabulary + 2, size)(inputs)
    return keras.Model(inputs, keras.layers.Dense(outputs)(keras.layers.GlobalAveragePooling1D()(x)))


def recurrent(
    input_shape: tuple[int, ...], outputs: int, *, vocabulary: int, kind: str = "LSTM", size: int = 32,
    units: int = 32, rate: float = 0.0,
) -> Any:  # fmt: skip
    """Network that reads a text word by word and answers from its last state: Z = b + B A_L.

    input_shape: (length,). outputs: how many linear ones. vocabulary: words. kind: "SimpleRNN", "GRU" or "LSTM" of
    ``units``. size: of a word's vector. rate: dropout of the last state. With 10,000 words, size and
    units 32 and 2 outputs: 320,064 + 2,080 + 66 parameters (SimpleRNN), 320,064 + 8,320 + 66 (LSTM).
    Source: ISLP, sec. 10.5.1. Raises ValueError for another kind, and as `refuse`.
    """
    refuse("recurrent", input_shape, vocabulary, size=size, units=units)
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}")
    import keras

    from lecturebench.models import recurrent as layers
    from lecturebench.models.layers import Dropout

    inputs = keras.Input(input_shape)
    x = getattr(layers, kind)(units)(keras.layers.Embedding(vocabulary + 2, size)(inputs))
    x = Dropout(rate)(x)
    return keras.Model(inputs, keras.layers.Dense(outputs)(x))


def bidirectional_lstm(
    input_shape: tuple[int, ...], outputs: int, *, vocabulary: int, size: int = 128, units: int = 64
) -> Any:
    """Network of Keras' example bidirectional_lstm_imdb: two layers of LSTMs, one of each reading backwards.

    input_shape: (length,). outputs: how many linear ones. vocabulary: words. With 19,998 words, size 128, units 64 and
    1 output 2,757,761 parameters, with 2 outputs 2,757,890. Raises ValueError as `refuse`.
    """
    refuse("bidirectional_lstm", input_shape, vocabulary, size=size, units=units)
    import keras

    from lecturebench.models.recurrent import LSTM

    inputs = keras.Input(input_shape)
    x = keras.layers.Embedding(vocabulary + 2, size)(inputs)
    x = keras.layers.Bidirectional(LSTM(units, return_sequences=True))(x)
    x = keras.layers.Bidirectional(LSTM(units))(x)
    return keras.Model(inputs, keras.layers.Dense(outputs)(x))


def transformer(
    input_shape: tuple[int, ...], outputs: int, *, vocabulary: int, size: int = 32, heads: int = 2, units: int = 32,
    dense: int = 20, rate: float = 0.1, blocks: int = 1, placed: bool = True,
) -> Any:  # fmt: skip
    """Network of Keras' example text_classification_with_transformer: encoder blocks, their mean, one hidden layer.

    input_shape: (length,). outputs: how many linear ones. vocabulary: words. size: of a word's vector, and of queries
    and keys in each of ``heads``. units: of the dense network inside a block. dense: of the hidden layer. rate: dropout
    in blocks and around the hidden layer. placed: each place has a learned vector, added to the word's; without it the
    network cannot tell one order of words from another. With 19,998 words, length 200 and 2 outputs 657,758 parameters.
    Source: slide "Transformers"; Vaswani et al. 2017. Raises ValueError as `refuse`.
    """
    sizes = {"size": size, "heads": heads, "units": units, "dense": dense, "blocks": blocks}
    refuse("transformer", input_shape, vocabulary, **sizes)
    import keras

    from lecturebench.models.attention import Positions, encoder_block
    from lecturebench.models.layers import Dropout

    inputs = keras.Input(input_shape)
    x = keras.layers.Embedding(vocabulary + 2, size)(inputs)
    x = Positions()(x) if placed else x
    for _ in range(blocks):
        x = encoder_block(x, heads=heads, size=size, units=units, rate=rate)
    x = Dropout(rate)(keras.layers.GlobalAveragePooling1D()(x))
    x = Dropout(rate)(keras.layers.Dense(dense, activation="relu")(x))
    return keras.Model(inputs, keras.layers.Dense(outputs)(x))


def refuse(network: str, input_shape: tuple[int, ...], vocabulary: int, **sizes: int) -> None:
    """Nothing, for what a network of words can be built of.

    ValueError, naming it, for examples that are no row of numbers, and for a vocabulary or a size below 1.
    """
    if len(input_shape) != 1:
        raise ValueError(f"examples have shape {tuple(input_shape)}; {network} needs rows of words' numbers (length,)")
    for name, value in {"vocabulary": vocabulary, **sizes}.items():
        if value < 1 or value != int(value):
            raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or above")
