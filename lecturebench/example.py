"""``lecturebench new``: a suite to start from, that runs as it is."""

from __future__ import annotations

from pathlib import Path

from lecturebench.errors import UsageError

INIT = '''"""A suite of benchmarks for lecturebench."""

# What records and tables call it, wherever this folder lies and whatever it is called.
SUITE = {name!r}
'''

BENCHMARK = '''"""Handwritten digits: is a small network as good as the slide says?

Say here what your slide states, in its own words and formulas: this text stands above the results on the page.

    lecturebench run --suite {folder}                  fits, judges, writes reports/latest/index.html
    pytest {folder}                                    the same as test items
"""

from lecturebench import Baseline, Benchmark, Network, NumberClaim, Profile, Training, assumed, stated


def nearest_neighbours(X, y, *, k):
    """A fitted classifier: X is (n, p), y is (n,) classes. Whatever has `fit` and `predict` will do.

    Pixels come in [0, 1]. Columns of a table are standardised over train; with `view=AsStored()` they come as they are.
    """
    from sklearn.neighbors import KNeighborsClassifier  # inside the function, so that listing benchmarks stays quick

    return KNeighborsClassifier(n_neighbors=k).fit(X, y)


def one_hidden_layer(input_shape, outputs, *, units):
    """An untrained Keras network. It ends in linear outputs: softmax and cross-entropy belong to the loss."""
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(outputs),
        ]
    )


METHODS = (
    # A name for the command line, a title for tables, the function, and its parameters.
    Baseline("neighbours", "Three nearest neighbours", nearest_neighbours, k=3),
    Network(
        "network",
        "One hidden layer of 64 units",
        one_hidden_layer,
        Training(optimizer="rmsprop", learning_rate=0.001, batch_size=32, epochs=20),
        units=64,
    ),
)

CLAIMS = (
    NumberClaim(
        method="network",
        printed="4%",  # as printed, so that the rounding is known: it stands for 3.5% to 4.5%
        dataset="digits",
        source="this example; put your book or paper here",
        slide="the title of your slide",
        # Everything that the number depends on, and whether the source says it or you had to guess.
        protocol={{
            "network": stated("64-64-10, ReLU", "this example"),
            "epochs": assumed("20", "the example does not say"),
        }},
    ),
)

BENCHMARK = Benchmark(
    title="Digits: a small network beside its neighbours",
    methods=METHODS,
    claims=CLAIMS,
    datasets=("digits",),  # the first is the one that all methods are fitted on
    profiles={{
        "smoke": Profile(seeds=1, epochs=2, train_size=256, judges=False),  # seconds: does it run at all?
        "lecture": Profile(seeds=5),
        "full": Profile(seeds=20),
    }},
)
'''


def write(folder: Path) -> Path:
    """Write the example into a new folder; its benchmark file. UsageError if there is something of that name."""
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{str(folder)!r} is there already: give a new folder")
    name = folder.resolve().name
    try:
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(INIT.format(name=name), encoding="utf-8")
        file = folder / "bench_digits.py"
        file.write_text(BENCHMARK.format(folder=folder), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{str(folder)!r} cannot be made: {error.strerror}") from None
    return file
