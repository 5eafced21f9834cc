"""The error table as a plain script: Keras ``fit`` and scikit-learn with their defaults, one fit after another.

It is what the suite's speed is measured against, and nothing else: no harness, no records.
Run as ``python plain.py MNIST.npz METHOD SEED``; prints the test error.
"""

import sys
from typing import Any

import numpy as np


def network(method: str, X: Any, y: Any, X_test: Any, y_test: Any, seed: int) -> float:
    """30 epochs of ``fit`` with the book's recipe; the test error."""
    import keras

    keras.utils.set_random_seed(seed)
    layers, regularizers = keras.layers, keras.regularizers
    ridge = regularizers.L2(1e-4) if method == "ridge" else None
    hidden = [
        layers.Dense(256, activation="relu", kernel_regularizer=ridge),
        layers.Dropout(0.4 if method == "dropout" else 0.0),
        layers.Dense(128, activation="relu", kernel_regularizer=ridge),
        layers.Dropout(0.3 if method == "dropout" else 0.0),
    ]
    output = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((784,)), *([] if method == "softmax" else hidden), output])
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, y, epochs=30, batch_size=128, validation_split=0.2, verbose=0)
    return float(np.mean(model.predict(X_test, verbose=0).argmax(1) != y_test))


def classical(method: str, X: Any, y: Any, X_test: Any, y_test: Any) -> float:
    """Logistic regression or discriminant analysis as they come; the test error."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression() if method == "logistic" else LinearDiscriminantAnalysis()
    return float(np.mean(estimator.fit(X, y).predict(X_test) != y_test))


def main() -> None:
    """Fit one method once."""
    path, method, seed = sys.argv[1:]
    with np.load(path) as data:
        X, X_test = (data[name].reshape(-1, 784).astype("float32") / 255 for name in ("x_train", "x_test"))
        y, y_test = data["y_train"], data["y_test"]
    if method in ("logistic", "lda"):
        print(classical(method, X, y, X_test, y_test))
    else:
        print(network(method, X, y, X_test, y_test, int(seed)))


if __name__ == "__main__":
    main()
