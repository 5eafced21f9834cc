"""The update rules written out, against Keras' optimisers on the same gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.formulas.optimisers import Memory, Rule, adam_step, gradient_step, momentum_step
from benchmarks.formulas.softmax import softmax_regression
from lecturebench import Measured, assumed

if TYPE_CHECKING:
    from lecturebench import Dataset

STEPS, EXAMPLES = 100, 2000
MOMENTUM = 0.9

# The rule, the Keras optimiser, and the constants that both are given, Keras' defaults where there are any.
RULES: Mapping[str, tuple[Rule, str, Mapping[str, float]]] = {
    "gradient descent": (gradient_step, "SGD", {}),
    "momentum": (momentum_step, "SGD", {"momentum": MOMENTUM}),
    "adam": (adam_step, "Adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
}

# How a rule is held against Keras, for the claims.
RULE = {
    "deviation": assumed(f"the largest over {STEPS} steps, a share of the largest parameter then", "they grow from 0"),
    "arithmetic": assumed("float64 on both sides", "100 steps in float32 may round by more than is allowed"),
    "gradients": assumed(f"of a softmax regression on {EXAMPLES:,} images", "equal ones: the rule alone may differ"),
    "batch": assumed("128", "the networks'"),
    "constants": assumed("rounded to float32 on both sides", "Keras keeps the rate so, and TensorFlow takes mu so"),
    "tolerance": assumed("1e-6", "fixed beforehand; float64 comes to about 1e-14"),
}


def rule_against_keras(
    dataset: Dataset, rng: np.random.Generator, *, rule: str, rate: float, batch_size: int
) -> Measured:
    """How far a rule of `RULES` and Keras' optimiser come apart in `STEPS` steps, both in float64, on equal gradients.

    The objective is the cross-entropy of a softmax regression on `EXAMPLES` training images, from theta = 0; each
    gradient is that of a batch, where NumPy's theta is. deviation: the largest difference of any parameter at any step,
    divided by the largest parameter of that step. loss before, loss after: R on all of the images.

    The constants are those that 32 bits hold. Keras keeps the learning rate so, whatever the parameters' type; and
    TensorFlow takes Adam's betas by way of 32 bits, where 1 - 0.999 is off by 1.3e-5 of itself. The step divides by
    its root, so that 100 steps would end 6e-6 of their way off, which is no fault of the rule.
    """
    import keras

    step, optimizer_name, printed = RULES[rule]
    constants = {name: single(value) for name, value in printed.items()}
    examples = rng.permutation(len(dataset.train.y))[:EXAMPLES]
    X = np.asarray(dataset.train.X[examples], dtype=np.float64).reshape(len(examples), -1) / dataset.scale
    y = np.asarray(dataset.train.y[examples])
    theta = [np.zeros((X.shape[1], len(dataset.classes))), np.zeros(len(dataset.classes))]
    memories: list[Memory] = [{}, {}]
    before, _ = softmax_regression(theta, X, y)
    deviation = 0.0
    with float64():
        optimizer = getattr(keras.optimizers, optimizer_name)(learning_rate=single(rate), **constants)
        variables = [keras.Variable(values, dtype="float64") for values in theta]
        optimizer.build(variables)
        for t in range(1, STEPS + 1):
            batch = rng.choice(len(y), min(batch_size, len(y)), replace=False)
            _, gradient = softmax_regression(theta, X[batch], y[batch])
            optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64") for g in gradient], variables)
            for i, g in enumerate(gradient):
                theta[i], memories[i] = step(theta[i], memories[i], g, t, rate=single(rate), **constants)
            moved = [keras.ops.convert_to_numpy(variable.value) for variable in variables]
            apart = max(float(np.abs(ours - theirs).max()) for ours, theirs in zip(theta, moved, strict=True))
            deviation = max(deviation, apart / max(float(np.abs(values).max()) for values in theta))
    after, _ = softmax_regression(theta, X, y)
    return Measured({"deviation": deviation, "loss before": before, "loss after": after})


def single(value: float) -> float:
    """The nearest number that 32 bits hold: 0.9 becomes 0.8999999761581421."""
    return float(np.float32(value))


def float64() -> contextlib.AbstractContextManager[Any]:
    """A context in which Keras' variables may have 64 bits: JAX rounds them to 32 otherwise."""
    import keras

    if keras.config.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)  # type: ignore[no-any-return]
