"""What would make a network's numbers wrong without a word: found before it is trained, named and refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from lecturebench.declare.training import PRECISION

PROBED = 32  # examples
SCALES = (0.3, 1.0, 5.0, 0.3, 1.0, 5.0)  # of random weights, beside the first ones


def refuse_other_types(model: Any) -> None:
    """ValueError for a network that computes in anything but the precision that every recipe states."""
    for layer in _all_layers(model):
        if layer.compute_dtype != PRECISION:
            raise ValueError(f"layer {layer.name!r} computes in {layer.compute_dtype}; networks compute in {PRECISION}")


def refuse_probabilities(model: Any, steps: Any, X: np.ndarray) -> None:
    """ValueError for a classifier whose outputs are probabilities: the loss would take softmax of them again.

    Decided by what comes out, so that it makes no difference how the network says it: outputs in [0, 1] for every
    example, with its own weights and with random ones on several scales, are no linear ones. X: as stored.
    """
    rng = np.random.default_rng(0)
    own = steps.weights()
    trainable = len(model.trainable_variables)
    seen = False
    try:
        for scale in (None, *SCALES):
            if scale is not None:
                drawn = [rng.normal(0.0, scale, value.shape).astype(value.dtype) for value in own[:trainable]]
                steps.set_weights([*drawn, *own[trainable:]])
            z = steps.outputs(X[:PROBED])
            if not np.isfinite(z).all():
                continue
            seen = True
            if ((z < 0) | (z > 1)).any():
                return
    finally:
        steps.set_weights(own)
    if seen:
        raise ValueError(
            f"its last layer {_last(model)}: networks end in linear outputs, to which the loss applies softmax; "
            "remove it"
        )


def refuse_unbuildable(function: Any, parameters: Any, input_shape: tuple[Any, ...], outputs: int) -> Any:
    """The network; ValueError, in one line, for one that could not be trained, or not by the run's seed alone.

    It must be built on its inputs, end in (n, outputs) and draw nothing by NumPy while it is built: such numbers are
    no variable that a run could draw anew.
    """
    from lecturebench.training.drawn import numpys
    from lecturebench.training.weights import Watch

    with numpys() as draws, Watch().watching():
        model = function(input_shape, outputs, **parameters)
    if draws.any:
        raise ValueError(
            "its function draws by NumPy while it builds the network, which no seed of a run reaches: let Keras' "
            "initialisers draw, or give it the numbers as a parameter"
        )
    if not getattr(model, "built", False) or getattr(model, "inputs", None) is None:
        raise ValueError(
            f"its network has no inputs yet: begin it with keras.Input({input_shape}), so that its weights are there"
        )
    shape = tuple(model.output_shape) if not isinstance(model.output_shape, list) else model.output_shape
    if shape != (None, outputs):
        raise ValueError(f"its network gives outputs of shape {shape}; it must end in (None, {outputs})")
    _refuse_lost_penalties(model)
    return model


def _refuse_lost_penalties(model: Any) -> None:
    """ValueError on JAX for a layer that is called twice and penalises its outputs: Keras there counts one call."""
    import keras

    if keras.backend.backend() != "jax":
        return
    for layer in _all_layers(model):
        if getattr(layer, "activity_regularizer", None) is not None and len(layer._inbound_nodes) > 1:
            raise ValueError(
                f"layer {layer.name!r} has an activity_regularizer and is called {len(layer._inbound_nodes)} times, of "
                "which Keras on JAX counts one: use tensorflow or torch, or a layer for each call"
            )


def _last(model: Any) -> str:
    """The layer that makes probabilities, as far as layers say so."""
    for layer in reversed(list(_all_layers(model))):
        activation = getattr(layer, "activation", None)
        name = getattr(activation, "__name__", type(activation).__name__)
        if activation is not None and name != "linear":
            return f"{layer.name!r} has activation {name}"
        if type(layer).__name__ == "Softmax":
            return f"{layer.name!r} is a softmax"
    return f"{model.layers[-1].name!r} gives probabilities"


def refuse_unseeded(model: Any, steps: Any, X: np.ndarray) -> None:
    """ValueError for a network that draws, in training, what no seed of a run reaches; the layer is named.

    Two passes over the same examples from the same state must be the same. Keras' own layers draw by generators that
    the run seeds; the two passes, which take time, are for networks with code of somebody else's. X: as stored.
    """
    if not any(map(_foreign, [model, *_all_layers(model)])):
        return
    import keras

    from lecturebench.training.weights import replaced

    inputs = X[:PROBED].astype(np.float32) * np.float32(steps.scale)
    for layer in steps.random_layers:
        [mask] = layer.draw(1, len(inputs), np.random.default_rng(0))
        layer.mask = keras.ops.convert_to_tensor(mask)
    state = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.variables]
    called = keras.layers.Layer.__call__
    passes = []
    for _ in range(2):
        seen: list[tuple[str, list[np.ndarray]]] = []

        def call(layer: Any, *args: Any, seen: list[Any] = seen, **kwargs: Any) -> Any:
            outputs = called(layer, *args, **kwargs)
            with suppress(Exception):  # inside a loop that the backend compiles there are no values to see
                arrays = [np.asarray(keras.ops.convert_to_numpy(each)) for each in keras.tree.flatten(outputs)]
                seen.append((layer.name, arrays))
            return outputs

        with replaced(keras.layers.Layer, {"__call__": call}):
            model(inputs, training=True)
        passes.append(seen)
        for variable, value in zip(model.variables, state, strict=True):
            variable.assign(value)
    for (name, before), (_, after) in zip(*passes, strict=False):
        if not all(np.array_equal(first, second, equal_nan=True) for first, second in zip(before, after, strict=False)):
            raise ValueError(
                f"layer {name!r} draws random numbers that no seed of a run reaches; draw them by keras.random with a "
                "keras.random.SeedGenerator that the layer keeps as an attribute"
            )


def _foreign(layer: Any) -> bool:
    """Whether it runs code that is neither Keras' nor ours."""
    functions = (getattr(layer, name, None) for name in ("activation", "recurrent_activation", "function"))
    kinds = [type(layer), *(each for each in functions if callable(each))]
    ours = ("keras.", "lecturebench.models.")
    return any(not str(getattr(kind, "__module__", "")).startswith(ours) for kind in kinds)


def _all_layers(model: Any) -> Iterator[Any]:
    """Every layer inside, however deep."""
    yield from model._flatten_layers(include_self=False)
