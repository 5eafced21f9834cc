"""Two networks of Keras' users on film reviews, an LSTM and the transformer of Keras' example, as they fit them:
``compile``, ``fit``, ``predict``.

``KERAS_BACKEND=jax python keras_reviews.py reviews.npz --network lstm``; the last line that it prints is JSON.
"""

import argparse
import json
import os
import resource
import time

import psutil

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("reviews", help="x_train, y_train, x_test, y_test: rows of words' numbers, 0 or 1")
parser.add_argument("--network", choices=("lstm", "transformer"), required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
arguments = parser.parse_args()
if arguments.device == "cpu":
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

keras.utils.set_random_seed(arguments.seed)
with np.load(arguments.reviews) as data:
    x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
rows, length = int(x_train.max()) + 1, x_train.shape[1]
loaded = time.time()


class Placed(layers.Layer):  # type: ignore[misc]
    """Adds to each word's vector that of its place."""

    def build(self, shape):
        self.places = layers.Embedding(shape[1], shape[2])
        self.places.build((shape[1],))

    def call(self, x):
        return x + self.places(keras.ops.arange(x.shape[1]))


def lstm():
    return keras.Sequential(
        [
            *(keras.Input((length,)), layers.Embedding(rows, 32)),
            *(layers.LSTM(32), layers.Dense(2, activation="softmax")),
        ]
    )


def transformer():
    inputs = keras.Input((length,))
    x = Placed()(layers.Embedding(rows, 32)(inputs))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(layers.MultiHeadAttention(2, 32)(x, x)))
    dense = layers.Dense(32)(layers.Dense(32, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(dense))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    x = layers.Dropout(0.1)(layers.Dense(20, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


model, optimizer, batch_size = (lstm(), "rmsprop", 128) if arguments.network == "lstm" else (transformer(), "adam", 32)
model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=batch_size, epochs=arguments.epochs, verbose=0)
predicted = model.predict(x_test, verbose=0).argmax(axis=1)
seconds = time.time() - loaded

if arguments.device == "gpu" and keras.backend.backend() == "jax":
    import jax

    jax.devices("gpu")  # RuntimeError where there is none
if arguments.device == "gpu" and keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    assert tf.config.list_physical_devices("GPU"), "TensorFlow sees no GPU"
said = {
    "start_seconds": loaded - psutil.Process().create_time(),
    "seconds": seconds,
    "error": float(np.mean(predicted != y_test)),
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    "versions": {"keras": keras.__version__},
}
print(json.dumps(said))
