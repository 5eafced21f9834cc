"""The convnet of Keras' examples as they fit it: ``compile``, ``fit`` with its defaults, ``predict``.

``KERAS_BACKEND=jax python keras_convnet.py mnist.npz --seed 0``; the last line that it prints is JSON.
"""

import argparse
import json
import os
import resource
import time

import psutil

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("mnist")
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
with np.load(arguments.mnist) as data:
    x_train, x_test = (data[name].reshape(-1, 28, 28, 1).astype("float32") / 255 for name in ("x_train", "x_test"))
    y_train, y_test = data["y_train"], data["y_test"]
loaded = time.time()

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=128, epochs=arguments.epochs, validation_split=0.1, verbose=0)
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
