"""Recurrent layers of slide "Recurrent Neural Networks": what needs no step before it is multiplied in one product.

Weights, names, first values and results are those of Keras' layers of the same names, of which these are kinds. Keras
multiplies the input by the kernel at every step; here all steps are multiplied at once, before the loop.
Imported by builders only: it needs Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

States = tuple[Any, ...]


@keras.saving.register_keras_serializable("lecturebench")
class SimpleRNN(keras.layers.SimpleRNN):  # type: ignore[misc]
    """A_l = g(b + X_l W + A_(l-1) U), slide "Recurrent Neural Networks": (batch, steps, p) to (batch, units)."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last A, or all of them (batch, steps, units) with ``return_sequences``."""
        if not _is_plain(self, initial_state, mask, training):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        cell = self.cell
        bias = cell.bias if cell.use_bias else 0.0

        def step(states: States, x: Any) -> States:
            return (cell.activation(x + keras.ops.matmul(states[0], cell.recurrent_kernel)),)

        return _through(self, keras.ops.matmul(sequences, cell.kernel) + bias, step)


@keras.saving.register_keras_serializable("lecturebench")
class GRU(keras.layers.GRU):  # type: ignore[misc]
    """Gated recurrent units (Cho et al. 2014), reset after the product with U as Keras and cuDNN have it by default."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last state, or all of them (batch, steps, units) with ``return_sequences``."""
        cell = self.cell
        if not (_is_plain(self, initial_state, mask, training) and cell.reset_after and cell.use_bias):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        before, inside = keras.ops.unstack(cell.bias)

        def step(states: States, x: Any) -> States:
            [h] = states
            x_z, x_r, x_h = keras.ops.split(x, 3, axis=1)
            u_z, u_r, u_h = keras.ops.split(keras.ops.matmul(h, cell.recurrent_kernel) + inside, 3, axis=1)
            z = cell.recurrent_activation(x_z + u_z)
            r = cell.recurrent_activation(x_r + u_r)
            return (z * h + (1 - z) * cell.activation(x_h + r * u_h),)

        return _through(self, keras.ops.matmul(sequences, cell.kernel) + before, step)


@keras.saving.register_keras_serializable("lecturebench")
class LSTM(keras.layers.LSTM):  # type: ignore[misc]
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    On TensorFlow's CPU the whole sequence is one operation, forwards and backwards, of TensorFlow's own.
    """

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last h, or all of them (batch, steps, units) with ``return_sequences``."""
        if not _is_plain(self, initial_state, mask, training):
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        cell = self.cell
        if self._is_block():
            return self._block(sequences)
        bias = cell.bias if cell.use_bias else 0.0

        def step(states: States, x: Any) -> States:
            h, c = states
            i, f, g, o = keras.ops.split(x + keras.ops.matmul(h, cell.recurrent_kernel), 4, axis=1)
            c = cell.recurrent_activation(f) * c + cell.recurrent_activation(i) * cell.activation(g)
            return cell.recurrent_activation(o) * cell.activation(c), c

        return _through(self, keras.ops.matmul(sequences, cell.kernel) + bias, step)

    def _is_block(self) -> bool:
        """Whether TensorFlow's operation computes it: the published gates, float32, on a CPU."""
        if keras.backend.backend() != "tensorflow" or self.compute_dtype != "float32":
            return False
        import tensorflow as tf

        gates = (self.activation, self.recurrent_activation)
        return gates == (keras.activations.tanh, keras.activations.sigmoid) and not tf.config.get_visible_devices("GPU")

    def _block(self, sequences: Any) -> Any:
        """All steps by one operation."""
        import tensorflow as tf

        cell, units = self.cell, self.units
        x = tf.transpose(_forwards(self, sequences), (1, 0, 2))
        steps, batch = tf.shape(x)[0], tf.shape(x)[1]
        nothing, start = tf.zeros((units,)), tf.zeros((batch, units))
        bias = cell.bias if cell.use_bias else tf.zeros((4 * units,))
        # Its gates stand in the order i, c, f, o. BlockLSTMV2 has Keras' order, i, f, c, o, but TensorFlow
        # differentiates it by the gradient of this one, which is wrong for it.
        i, f, c, o = tf.split(tf.concat([cell.kernel, cell.recurrent_kernel, bias[None]], axis=0), 4, axis=1)
        weights = tf.concat([i, c, f, o], axis=1)
        *_, h = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(steps, tf.int64), x=x, cs_prev=start, h_prev=start, w=weights[:-1], wci=nothing,
            wcf=nothing, wco=nothing, b=weights[-1], forget_bias=0.0, cell_clip=-1.0, use_peephole=False,
        )  # fmt: skip
        if self.return_sequences:
            return tf.ensure_shape(tf.transpose(h, (1, 0, 2)), (sequences.shape[0], sequences.shape[1], units))
        return tf.ensure_shape(h[-1], (sequences.shape[0], units))


def _is_plain(layer: Any, initial_state: Any, mask: Any, training: bool) -> bool:
    """Whether nothing is asked of the layer that only Keras' own loop does."""
    dropped = training and (layer.dropout or layer.recurrent_dropout)
    asked = (initial_state is not None, mask is not None, layer.stateful, layer.return_state, layer.unroll, dropped)
    return not any(asked)


def _forwards(layer: Any, sequences: Any) -> Any:
    """The steps in the order in which the layer goes through them."""
    return keras.ops.flip(sequences, axis=1) if layer.go_backwards else sequences


def _through(layer: Any, inputs: Any, step: Callable[[States, Any], States]) -> Any:
    """The outputs of a loop over the steps of inputs (batch, steps, …); a layer's first state is its output."""
    x = keras.ops.transpose(_forwards(layer, inputs), (1, 0, 2))
    start = tuple(layer.get_initial_state(keras.ops.shape(inputs)[0]))

    def scanned(states: States, x_l: Any) -> tuple[States, States]:
        after = step(states, x_l)
        return after, after

    last, each = keras.ops.scan(scanned, start, x)
    return keras.ops.transpose(each[0], (1, 0, 2)) if layer.return_sequences else last[0]
