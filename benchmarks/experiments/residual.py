"""What shortcuts do to gradients, and to a stack of layers that is to leave its input as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lecturebench import Measured, Trained, gradient
from lecturebench.models.residual import Parts

EXAMPLES = 64  # in the mean loss whose gradient is taken
BATCHES = 16  # of as many examples, in the loss after the training
LARGEST = 500  # steps that a stack gets to fit the identity
SIDE, MAPS, IMAGES = 8, 8, 32  # of what a stack is shown


def gradient_norms(trained: Trained, dataset: Any, *, build: Callable[..., Any]) -> Measured:
    """A probe. How much of the gradient arrives at the first layer, before the training and after it; and the loss.

    build: the network's function with its arguments. The mean cross-entropy of the first training examples is
    differentiated in float64, normalisation over these examples as in training. gradients: (2, layers), of each
    convolution's and the dense layer's kernel in their order the norm of its gradient, before and after. lost_before,
    lost: how many powers of ten the first layer's is below the largest. loss_after: the mean cross-entropy of the
    training split's first 1,024 examples, 64 at a time and normalised over these: the moving means and variances with
    which a network predicts are far behind its weights after so few steps.
    """
    shape, classes, y = dataset.train.X.shape[1:], len(dataset.classes), np.asarray(dataset.train.y)
    with float64():
        model = build(shape, classes)
        x = np.asarray(dataset.train.X[:EXAMPLES], dtype=float) / dataset.scale
        norms = np.array(
            [kernel_gradients(model, weights, x, y[:EXAMPLES]) for weights in (trained.first, trained.weights)]
        )
    lost = np.log10(norms.max(axis=1) / norms[:, 0])
    values = {"lost_before": float(lost[0]), "lost": float(lost[1])}
    values["loss_after"] = batch_loss(build(shape, classes), trained.weights, dataset)
    return Measured(values, arrays={"gradients": norms})


def batch_loss(model: Any, weights: Any, dataset: Any) -> float:
    """The mean cross-entropy of the model at these weights, in batches of training examples as in training."""
    import keras

    values = [keras.ops.convert_to_tensor(array) for array in weights]
    X, y = dataset.train.X[: BATCHES * EXAMPLES], np.asarray(dataset.train.y[: BATCHES * EXAMPLES])
    total = 0.0
    for begin in range(0, len(y), EXAMPLES):
        batch = slice(begin, begin + EXAMPLES)
        x = np.asarray(X[batch], np.float32) / np.float32(dataset.scale)
        total += len(x) * float(keras.ops.convert_to_numpy(mean_loss(model, values, x, y[batch])))
    return total / len(y)


def kernel_gradients(model: Any, weights: Any, x: np.ndarray, y: np.ndarray) -> list[float]:
    """The norm of the loss' gradient by each kernel of the model, at these weights."""

    def loss(*values: Any) -> Any:
        return mean_loss(model, values, x, y)

    slopes = gradient(loss, [np.asarray(array, dtype=float) for array in weights])
    return [float(np.linalg.norm(slope)) for slope in slopes if slope.ndim > 1]


def mean_loss(model: Any, values: Sequence[Any], x: np.ndarray, y: np.ndarray) -> Any:
    """The mean cross-entropy of one batch, normalised over it, as a scalar tensor. values: of the trained weights."""
    import keras

    fixed = [keras.ops.convert_to_tensor(variable) for variable in model.non_trainable_variables]
    z, _ = model.stateless_call(list(values), fixed, x, training=True)
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True))


@contextmanager
def float64() -> Iterator[None]:
    """Inside, Keras' layers are made in float64."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def identity_block(dataset: Any, rng: np.random.Generator) -> Measured:
    """How far a residual block whose last normalisation starts at 0 is from the identity, in training and prediction.

    deviation: the largest difference of output and input, of random maps that are 0 or above as behind a ReLU.
    """
    import keras

    x = np.abs(rng.normal(size=(IMAGES, SIDE, SIDE, MAPS))).astype(np.float32)
    inputs = keras.Input(x.shape[1:])
    parts = Parts(residual=True, normalised=True, zero_last=True, decay=0.0)
    model = keras.Model(inputs, parts.block(inputs, ((MAPS, 3), (MAPS, 3)), 1, "projection", "block"))
    model.set_weights(_drawn(model, rng))
    outputs = [np.asarray(keras.ops.convert_to_numpy(model(x, training=training))) for training in (True, False)]
    return Measured({"deviation": float(np.abs(np.array(outputs) - x).max())})


def fit_identity(dataset: Any, rng: np.random.Generator, *, blocks: int, residual: bool, rate: float) -> Measured:
    """How many steps a stack of blocks needs until it gives back its input to within 1% of its variance.

    blocks: each two convolutions 3 x 3 of as many maps as the input, with a ReLU after both, and with a shortcut or
    not. Fitted by 500 steps of Adam to the squared error on random maps that are 0 or above, all of them in each step.
    steps: 501 for a stack that does not get there. left: the last error, as a share of the variance; the points have it
    by step.
    """
    import keras

    x = np.abs(rng.normal(size=(IMAGES, SIDE, SIDE, MAPS))).astype(np.float32)
    parts = Parts(residual=residual, normalised=False, zero_last=False, decay=0.0)
    outputs = inputs = keras.Input(x.shape[1:])
    for block in range(blocks):
        outputs = parts.block(outputs, ((MAPS, 3), (MAPS, 3)), 1, "projection", f"block{block}")
    model = keras.Model(inputs, outputs)
    model.set_weights(_drawn(model, rng))
    model.compile(keras.optimizers.Adam(rate), "mse")
    errors = [float(model.train_on_batch(x, x)) / float(x.var()) for _ in range(LARGEST)]
    there = [step for step, error in enumerate(errors, start=1) if error < 0.01]
    points = tuple({"step": float(step), "left": error} for step, error in enumerate(errors, start=1) if step % 5 == 1)
    steps = float(there[0] if there else LARGEST + 1)
    return Measured({"steps": steps, "left": errors[-1]}, points)


def _drawn(model: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """First weights of a network of convolutions: kernels normal with variance 2 / inputs, the others as they are."""
    weights = [np.asarray(value) for value in model.get_weights()]
    return [
        rng.normal(0, np.sqrt(2 / np.prod(value.shape[:-1])), value.shape) if value.ndim > 1 else value
        for value in weights
    ]
