"""Recurrent layers of slide "Recurrent Neural Networks", computed whole by one operation where a backend has one.

Weights, names, first values and results are those of Keras' layers of the same names, of which these are kinds. Keras
goes through the steps in a loop on every backend's CPU. TensorFlow has an operation for a whole LSTM and PyTorch for
all three, forwards and backwards, which Keras does not use there. Where there is none, Keras' own layer is as quick as
one that multiplies the inputs of all steps by W ahead of the loop (docs/speed.md). Which it was a layer says itself,
``computed_by``, once it was called. Imported by builders only: it needs Keras.
"""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("lecturebench")
class SimpleRNN(keras.layers.SimpleRNN):  # type: ignore[misc]
    """A_l = g(b + X_l W + A_(l-1) U), slide "Recurrent Neural Networks": (batch, steps, p) to (batch, units)."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last A, or all of them (batch, steps, units) with ``return_sequences``."""
        if not (_whole(self, "torch", initial_state, mask, training) and self.activation is keras.activations.tanh):
            return _by_keras(self, super().call, sequences, initial_state, mask, training)
        import torch

        return _by_torch(self, torch.rnn_tanh, sequences, states=1)


@keras.saving.register_keras_serializable("lecturebench")
class GRU(keras.layers.GRU):  # type: ignore[misc]
    """Gated recurrent units (Cho et al. 2014), reset after the product with U as Keras and cuDNN have it by default."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last state, or all of them (batch, steps, units) with ``return_sequences``."""
        usual = self.cell.reset_after and self.cell.use_bias and _gates_are_usual(self)
        if not (usual and _whole(self, "torch", initial_state, mask, training)):
            return _by_keras(self, super().call, sequences, initial_state, mask, training)
        import torch

        return _by_torch(self, torch.gru, sequences, states=1)


@keras.saving.register_keras_serializable("lecturebench")
class LSTM(keras.layers.LSTM):  # type: ignore[misc]
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last h, or all of them (batch, steps, units) with ``return_sequences``."""
        if _gates_are_usual(self) and _whole(self, "torch", initial_state, mask, training):
            import torch

            return _by_torch(self, torch.lstm, sequences, states=2)
        if _gates_are_usual(self) and _whole(self, "tensorflow", initial_state, mask, training):
            return self._by_tensorflow(sequences)
        return _by_keras(self, super().call, sequences, initial_state, mask, training)

    def _by_tensorflow(self, sequences: Any) -> Any:
        """All steps by TensorFlow's operation."""
        import tensorflow as tf

        self.computed_by = "TensorFlow's BlockLSTM"
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


def _whole(layer: Any, backend: str, initial_state: Any, mask: Any, training: bool) -> bool:
    """Whether that backend is there and nothing is asked of the layer that only Keras' own loop does.

    TensorFlow's operation is for a CPU, where Keras has none; on a GPU Keras takes cuDNN's itself.
    """
    if keras.backend.backend() != backend or layer.compute_dtype != "float32":
        return False
    dropped = training and (layer.dropout or layer.recurrent_dropout)
    asked = (initial_state is not None, mask is not None, layer.stateful, layer.return_state, layer.unroll, dropped)
    if any(asked):
        return False
    if backend == "tensorflow":
        import tensorflow as tf

        return not tf.config.get_visible_devices("GPU")
    return True


def _gates_are_usual(layer: Any) -> bool:
    return (layer.activation, layer.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)


def _forwards(layer: Any, sequences: Any) -> Any:
    """The steps in the order in which the layer goes through them."""
    return keras.ops.flip(sequences, axis=1) if layer.go_backwards else sequences


def _by_keras(layer: Any, call: Any, sequences: Any, initial_state: Any, mask: Any, training: bool) -> Any:
    """As Keras does it: on a CPU step by step, in a loop of the backend's; on a GPU by cuDNN, where that can."""
    layer.computed_by = f"Keras' {type(layer).__name__}"
    return call(sequences, initial_state=initial_state, mask=mask, training=training)


def _by_torch(layer: Any, operation: Any, sequences: Any, states: int) -> Any:
    """All steps by PyTorch's operation. states: how many it keeps; the first is its output."""
    import torch

    layer.computed_by = f"PyTorch's {operation.__name__}"
    cell, units = layer.cell, layer.units
    kernels = [keras.ops.convert_to_tensor(kernel) for kernel in (cell.kernel, cell.recurrent_kernel)]
    if cell.use_bias:
        bias = keras.ops.convert_to_tensor(cell.bias)
        biases = list(bias) if bias.ndim == 2 else [bias, torch.zeros_like(bias)]
    else:
        biases = [kernels[0].new_zeros(kernels[0].shape[1])] * 2
    if operation is torch.gru:  # its gates stand in the order r, z, n; Keras' in the order z, r, h
        kernels, biases = ([_reset_first(part, units) for part in parts] for parts in (kernels, biases))
    weights = [*(kernel.T.contiguous() for kernel in kernels), *biases]
    x = _forwards(layer, sequences)
    start = x.new_zeros((1, len(x), units))
    given = (start, start) if states == 2 else start
    each, *_ = operation(x, given, weights, True, 1, 0.0, False, False, True)
    return each if layer.return_sequences else each[:, -1]


def _reset_first(part: Any, units: int) -> Any:
    """A GRU's weights with the reset gate's columns before the update gate's."""
    import torch

    z, r, h = torch.split(part, units, dim=-1)
    return torch.cat([r, z, h], dim=-1)
