"""The lecture's error table as one plain script: Keras ``fit`` and scikit-learn, one fit after another.

The penalty is chosen as the table does it: nine values with three seeds each, the largest whose mean validation error
is within one standard error of the best. ``python error_table.py mnist.npz --seeds 5`` prints the table; its last line
is JSON.
"""

import argparse
import json
import resource
import time

import keras
import numpy as np
import psutil
from keras import layers, regularizers
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("mnist")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--epochs", type=int, default=30)
arguments = parser.parse_args()

PENALTIES = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)

with np.load(arguments.mnist) as data:
    x_train, x_test = (data[name].reshape(-1, 784).astype("float32") / 255 for name in ("x_train", "x_test"))
    y_train, y_test = data["y_train"], data["y_test"]
loaded = time.time()


def network(seed, hidden=True, penalty=0.0, rates=(0.0, 0.0), random_split=False):
    """Validation and test error of a network after its epochs."""
    keras.utils.set_random_seed(seed)
    x, y = x_train, y_train
    if random_split:  # fit takes its last fifth to validate
        order = np.random.default_rng(seed).permutation(len(x))
        x, y = x[order], y[order]
    model = keras.Sequential([keras.Input((784,))])
    for units, rate in zip((256, 128), rates, strict=True):
        if hidden:
            ridge = regularizers.L2(penalty) if penalty else None
            model.add(layers.Dense(units, activation="relu", kernel_regularizer=ridge))
            if rate:
                model.add(layers.Dropout(rate))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=128, epochs=arguments.epochs, validation_split=0.2, verbose=0).history
    test_error = np.mean(model.predict(x_test, verbose=0).argmax(axis=1) != y_test)
    return 1 - history["val_accuracy"][-1], test_error


def test_error_of(estimator):
    """The test error of a classical method."""
    return np.mean(estimator.fit(x_train, y_train).predict(x_test) != y_test)


tried = np.array([[network(seed, penalty=value)[0] for seed in (1001, 1002, 1003)] for value in PENALTIES])
means = tried.mean(axis=1)
best = means.argmin()
limit = means[best] + tried[best].std(ddof=1) / np.sqrt(3)
penalty = max(value for value, mean in zip(PENALTIES, means, strict=True) if mean <= limit)

seeds = range(arguments.seeds)
errors = {
    "ridge": [network(seed, penalty=penalty)[1] for seed in seeds],
    "dropout": [network(seed, rates=(0.4, 0.3))[1] for seed in seeds],
    "dropout_random": [network(seed, rates=(0.4, 0.3), random_split=True)[1] for seed in seeds],
    "softmax": [network(seed, hidden=False)[1] for seed in seeds],
    "logistic": [test_error_of(LogisticRegression())],
    "lda": [test_error_of(LinearDiscriminantAnalysis())],
    "dummy": [test_error_of(DummyClassifier())],
}
for method, values in errors.items():
    print(f"{method:<15} {np.mean(values):7.2%}  n = {len(values)}")
print(f"penalty {penalty:g}")

said = {
    "start_seconds": loaded - psutil.Process().create_time(),
    "seconds": time.time() - psutil.Process().create_time(),
    "error": float(np.mean([np.mean(values) for values in errors.values()])),
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    "versions": {"keras": keras.__version__},
}
print(json.dumps(said))
