"""Keras' RMSprop, Adam and SGD by TensorFlow's own kernels: one operation for each variable where Keras has about ten.

Only the update of one variable is replaced. Clipping, weight decay, schedules and constraints stay Keras', and so does
the whole of an optimiser or option that is not here, such as centred RMSprop or AMSGrad. The gradient of an embedding,
of which only some rows are there, is filled up with zeros first: all three formulas change the other rows too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Update = Callable[[Any, Any, Any], Any]


def fuse(optimizer: Any) -> str:
    """Have a built optimiser update its variables by one kernel each. Its name, or "" if the optimiser stays as it is.

    Same formula, other order of rounding: equal to Keras' step within that of float32.
    """
    known = {keras.optimizers.RMSprop: _rmsprop, keras.optimizers.Adam: _adam, keras.optimizers.SGD: _sgd}
    make = known.get(type(optimizer))
    name, fused = make(optimizer) if make else ("", None)
    if fused is None:
        return ""

    def update_step(gradient: Any, variable: Any, rate: Any) -> None:
        fused(tf.cast(tf.convert_to_tensor(gradient), variable.dtype), variable, tf.cast(rate, variable.dtype))

    optimizer.update_step = update_step
    return name


def _rmsprop(optimizer: Any) -> tuple[str, Update | None]:
    """v = rho v + (1 - rho) g²; m = momentum m + rate g / sqrt(v + epsilon); w = w - m."""
    if optimizer.centered:
        return "", None
    # Without momentum m is scratch, of the optimiser's all the same: with a run's other numbers it goes back to 0, and
    # a nan in it would else outlive the run.
    m = optimizer._momentums or optimizer.add_optimizer_variables(optimizer._trainable_variables, "scratch")

    def update(gradient: Any, variable: Any, rate: Any) -> None:
        i = optimizer._get_variable_index(variable)
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle, ms=optimizer._velocities[i].value.handle, mom=m[i].value.handle, lr=rate,
            rho=optimizer.rho, momentum=optimizer.momentum, epsilon=optimizer.epsilon, grad=gradient,
        )  # fmt: skip

    return "ResourceApplyRMSProp", update


def _adam(optimizer: Any) -> tuple[str, Update | None]:
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; w = w - a m / (sqrt(v) + epsilon),
    a = rate sqrt(1 - b2^t) / (1 - b1^t).
    """
    if optimizer.amsgrad:
        return "", None

    def update(gradient: Any, variable: Any, rate: Any) -> None:
        i = optimizer._get_variable_index(variable)
        t = keras.ops.cast(optimizer.iterations + 1, variable.dtype)
        b1, b2 = (tf.constant(beta, variable.dtype) for beta in (optimizer.beta_1, optimizer.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle, m=optimizer._momentums[i].value.handle, v=optimizer._velocities[i].value.handle,
            beta1_power=b1**t, beta2_power=b2**t, lr=rate, beta1=b1, beta2=b2, epsilon=optimizer.epsilon, grad=gradient,
        )  # fmt: skip

    return "ResourceApplyAdam", update


def _sgd(optimizer: Any) -> tuple[str, Update | None]:
    """m = momentum m - rate g; w = w + m, or w + momentum m - rate g by Nesterov. Without momentum w = w - rate g."""

    def momentum(gradient: Any, variable: Any, rate: Any) -> None:
        m = optimizer.momentums[optimizer._get_variable_index(variable)]
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle, accum=m.value.handle, lr=rate, grad=gradient, momentum=optimizer.momentum,
            use_nesterov=optimizer.nesterov,
        )  # fmt: skip

    def plain(gradient: Any, variable: Any, rate: Any) -> None:
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)

    if optimizer.momentum:
        return "ResourceApplyKerasMomentum", momentum
    return "ResourceApplyGradientDescent", plain
