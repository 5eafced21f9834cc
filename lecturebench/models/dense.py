"""Fully connected networks of the slides "Single Layer Neural Network", "Example: MNIST Digits", "Softmax Output"."""

from __future__ import annotations

from typing import Any


def single_layer(
    input_shape: tuple[int, ...], outputs: int, *, units: int, rate: float = 0.0, activation: str = "relu"
) -> Any:
    """Network with one hidden layer: f(x) = beta_0 + sum_k beta_k g(w_k0 + sum_j w_kj x_j).

    input_shape: of one example, flattened to p inputs. outputs: how many f, each with its own beta. units: K.
    rate: dropout after the hidden layer. activation: g. 19-64-1 has 1,345 parameters (ISLP, Table 10.2).
    Source: slide "Train Neural Networks". Raises ValueError on a rate outside [0, 1).
    """
    import keras

    from lecturebench.models.layers import Dropout

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation=activation),
            Dropout(rate),
            keras.layers.Dense(outputs),
        ]
    )


def two_layer(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    units: tuple[int, int],
    rates: tuple[float, float] = (0.0, 0.0),
    penalty: float = 0.0,
    activation: str = "relu",
) -> Any:
    """Network with two hidden layers: A1 = g(w1 + W1 X), A2 = g(w2 + W2 A1), Z = b + B A2.

    input_shape: of one example, flattened to p inputs. outputs: the number of Z. units: (K1, K2).
    rates: dropout after each hidden layer. penalty: lambda of lambda * sum(theta^2) over W1 and W2; biases and the
    output weights B are free (ISLP, eq. 10.31). 784-256-128-10 has 235,146 parameters (ISLP, sec. 10.2).
    Raises ValueError on a penalty below 0.
    """
    import keras

    from lecturebench.models.layers import Dropout

    if penalty < 0:
        raise ValueError(f"penalty is {penalty!r}; it must be 0 or above")
    ridge = keras.regularizers.L2(penalty) if penalty > 0 else None
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(units[0], activation=activation, kernel_regularizer=ridge),
            Dropout(rates[0]),
            keras.layers.Dense(units[1], activation=activation, kernel_regularizer=ridge),
            Dropout(rates[1]),
            keras.layers.Dense(outputs),
        ]
    )


def softmax_regression(input_shape: tuple[int, ...], outputs: int) -> Any:
    """Network without a hidden layer, Z_m = b_m0 + sum_l b_ml X_l: multinomial logistic regression.

    The softmax f_m = exp(Z_m) / sum_l exp(Z_l) belongs to the loss. 784-10 has 7,850 parameters: one more output than
    the 9 that the likelihood needs (ISLP counts 7,065).
    """
    import keras

    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(outputs)])
