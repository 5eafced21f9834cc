"""Networks that forecast the next value of a series from its last ones: slide "Recurrent Neural Networks".

Their answers are in the units of y: ``target`` is the mean and the standard deviation that a number on the scale of
standardised inputs is turned back by.
"""

from __future__ import annotations

from typing import Any

KINDS = ("SimpleRNN", "GRU", "LSTM")


def recurrent_forecast(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    units: int = 12,
    rate: float = 0.1,
    kind: str = "SimpleRNN",
    target: tuple[float, float] = (0.0, 1.0),
) -> Any:
    """Network that goes through the last days and answers from its last state: O_L = beta_0 + sum_k beta_k A_Lk.

    input_shape: (steps, p). outputs: how many. units: K. rate: dropout of the last state. kind: "SimpleRNN", with tanh,
    "GRU" or "LSTM". target: mean and standard deviation of y. With 3 series and 12 units 205 parameters (SimpleRNN).
    Source: ISLP, sec. 10.5.2. Raises ValueError for another kind and for examples that are no sequences.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}")
    if len(input_shape) != 2:
        raise ValueError(f"examples have shape {tuple(input_shape)}; a recurrent network needs sequences (steps, p)")
    import keras

    from lecturebench.models import recurrent
    from lecturebench.models.layers import Dropout

    state = getattr(recurrent, kind)(units)
    layers = [keras.Input(input_shape), state, Dropout(rate), keras.layers.Dense(outputs), _in_units(target)]
    return keras.Sequential(layers)


def nonlinear_autoregression(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    units: int = 32,
    rate: float = 0.5,
    target: tuple[float, float] = (0.0, 1.0),
) -> Any:
    """Network with one hidden layer of ReLU units on all lags at once, in which a step has weights of its own.

    input_shape: (p,). outputs: how many. rate: dropout of the hidden layer. target: mean and standard deviation of y.
    With 20 inputs and 32 units 705 parameters. Source: ISLP, sec. 10.5.2 and 10.9.6.
    """
    import keras

    from lecturebench.models.dense import single_layer

    answer = single_layer(input_shape, outputs, units=units, rate=rate)
    return keras.Sequential([keras.Input(input_shape), *answer.layers, _in_units(target)])


def _in_units(target: tuple[float, float]) -> Any:
    """The layer that turns numbers of mean 0 and standard deviation 1 into those of y."""
    import keras

    mean, spread = target
    if not spread > 0:
        raise ValueError(f"target is {tuple(target)!r}; a standard deviation must be above 0")
    return keras.layers.Rescaling(spread, offset=mean)
