"""The encoder of slide "Transformers" (Vaswani et al. 2017), written out. Imported by builders only: it needs Keras."""

from __future__ import annotations

import math
from typing import Any

import keras

UNSEEN = -1e9  # in place of a score, where a position must not be seen: exp of it is 0 exactly


class SelfAttention(keras.layers.Layer):  # type: ignore[misc]
    """Every position looks at all of them: softmax(Q K' / sqrt(d)) V in each head, the heads' results put together.

    (batch, positions, p) to the same. Q, K and V are X W + b, of ``size`` d in each of ``heads``; what the heads give
    is brought back to p numbers by one more product. Weights are those of Keras' MultiHeadAttention in its order, with
    the same first values, the heads side by side: (p, heads d) where Keras has (p, heads, d). ``seen``: (batch,
    positions), False where a position has no influence on any other, unless all are.
    Source: Vaswani et al. 2017, eq. 1 and sec. 3.2.2. ValueError unless heads and size are above 0.
    """

    def __init__(self, heads: int, size: int, **kwargs: Any) -> None:
        if heads < 1 or size < 1:
            raise ValueError(f"heads is {heads!r} and size {size!r}; both must be above 0")
        super().__init__(**kwargs)
        self.num_heads, self.size = heads, size

    def build(self, input_shape: Any) -> None:
        """W and b of Q, K and V, then of the output."""
        p, width = input_shape[-1], self.num_heads * self.size
        self.query, self.key, self.value = (self._weights(name, p, width) for name in ("query", "key", "value"))
        self.output_weights = self._weights("output", width, p)

    def call(self, inputs: Any, seen: Any = None) -> Any:
        """What each position takes from all of them, (batch, positions, p)."""
        taken = keras.ops.matmul(self.weighing(inputs, seen), self._by_head(inputs, self.value))  # (batch, heads, n, d)
        kernel, bias = self.output_weights
        beside = keras.ops.reshape(keras.ops.transpose(taken, (0, 2, 1, 3)), (-1, inputs.shape[1], kernel.shape[0]))
        return keras.ops.matmul(beside, kernel) + bias

    def weighing(self, inputs: Any, seen: Any = None) -> Any:
        """softmax(Q K' / sqrt(d)), (batch, heads, positions, positions): rows, each adding up to 1, look at columns."""
        queries = self._by_head(inputs, self.query) / math.sqrt(self.size)
        keys = self._by_head(inputs, self.key)
        scores = keras.ops.matmul(queries, keras.ops.transpose(keys, (0, 1, 3, 2)))
        if seen is not None:
            scores = keras.ops.where(keras.ops.cast(seen, "bool")[:, None, None, :], scores, UNSEEN)
        return keras.ops.softmax(scores)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input."""
        return input_shape

    def _weights(self, name: str, inputs: int, outputs: int) -> tuple[Any, Any]:
        """W (inputs, outputs) and b (outputs,)."""
        kernel = self.add_weight(shape=(inputs, outputs), initializer="glorot_uniform", name=f"{name}_kernel")
        return kernel, self.add_weight(shape=(outputs,), initializer="zeros", name=f"{name}_bias")

    def _by_head(self, inputs: Any, weights: tuple[Any, Any]) -> Any:
        """X W + b as (batch, heads, positions, d)."""
        kernel, bias = weights
        product = keras.ops.matmul(inputs, kernel) + bias
        by_head = keras.ops.reshape(product, (-1, inputs.shape[1], self.num_heads, self.size))
        return keras.ops.transpose(by_head, (0, 2, 1, 3))


class Positions(keras.layers.Layer):  # type: ignore[misc]
    """Adds to each position a vector of its own that is learned: (batch, positions, p) to the same.

    Without it an encoder cannot tell in which order its inputs stand. First values are those of an embedding.
    """

    def build(self, input_shape: Any) -> None:
        """A vector for each position."""
        self.vectors = self.add_weight(shape=tuple(input_shape[1:]), initializer="uniform", name="vectors")

    def call(self, inputs: Any) -> Any:
        """The sums."""
        return inputs + self.vectors

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As the input."""
        return input_shape


def encoder_block(x: Any, *, heads: int, size: int, units: int, rate: float) -> Any:
    """One block: x + attention, normalised; then that + a dense network at each position, normalised (sec. 3.1).

    x: (batch, positions, p), as the result. units: of the dense network's hidden layer. rate: dropout of what is added.
    """
    from lecturebench.models.layers import Dropout

    width = x.shape[-1]
    taken = Dropout(rate)(SelfAttention(heads, size)(x))
    x = keras.layers.LayerNormalization(epsilon=1e-6)(x + taken)
    hidden = keras.layers.Dense(units, activation="relu")(x)
    thought = Dropout(rate)(keras.layers.Dense(width)(hidden))
    return keras.layers.LayerNormalization(epsilon=1e-6)(x + thought)
