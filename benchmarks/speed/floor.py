"""What no fit of a network can be faster than, by what its library reaches here on one thread or the card.

    python -m benchmarks.speed.floor --network dense --backend jax --bound products

products: the floating-point operations of all matrix products of so many epochs, those that convolutions are among
them, over the best rate that a product of two 2048 x 2048 float32 matrices reaches in the same library. memory: the
bytes that the optimiser moves, over the rate of a copy too large for any cache; where the weights stay in a cache, as
these do, it can be beaten. A line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

BATCH = 128
SIDE = 2048
COPIED = 2**28  # bytes
TRIES = 15


@dataclass(frozen=True)
class Network:
    """layers: of each, its inputs, its outputs, and at how many places of an image it stands; biases come besides.

    train, validation: examples of an epoch. moments: means that the optimiser keeps of each weight.
    """

    layers: tuple[tuple[int, int, int], ...]
    train: int
    validation: int
    moments: int

    def operations(self, epochs: int) -> float:
        """Of all products, a multiplication and an addition as two.

        Forwards and, for the weights, backwards each take 2 for a weight, a place and an example; for the inputs of a
        layer too, the first one's left out, since nobody asks for the gradient of an image. Validation goes forwards
        alone.
        """
        each = [inputs * outputs * places for inputs, outputs, places in self.layers]
        return 2.0 * epochs * (self.train * (2 * sum(each) + sum(each[1:])) + self.validation * sum(each))

    def moved(self, epochs: int) -> float:
        """Bytes of the optimiser: the gradient read, each weight and its means read and written, 4 bytes each."""
        parameters = sum((inputs + 1) * outputs for inputs, outputs, _ in self.layers)
        return (3.0 + 2 * self.moments) * 4 * parameters * epochs * (self.train / BATCH)


NETWORKS = {
    "dense": Network(((784, 256, 1), (256, 128, 1), (128, 10, 1)), 48_000, 12_000, moments=1),
    "convnet": Network(((9, 32, 26 * 26), (9 * 32, 64, 11 * 11), (1600, 10, 1)), 54_000, 6_000, moments=2),
}


def best(work: Callable[[], Any]) -> float:
    """Seconds of the quickest of some tries, after one that does not count."""
    work()
    times = []
    for _ in range(TRIES):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def product(backend: str, device: str) -> Callable[[], Any]:
    """A product of two large matrices in a library, which returns once it is done."""
    import numpy as np

    a, b = np.random.default_rng(0).random((2, SIDE, SIDE), np.float32)
    if backend == "jax":
        import jax

        x, y = jax.device_put(a), jax.device_put(b)
        multiply = jax.jit(lambda x, y: jax.numpy.matmul(x, y, precision="highest"))
        return lambda: multiply(x, y).block_until_ready()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.experimental.enable_tensor_float_32_execution(False)
        s, t = tf.constant(a), tf.constant(b)
        # On a card an operation returns before it is done; a number of it cannot.
        return (lambda: tf.matmul(s, t)[0, 0].numpy()) if device == "gpu" else (lambda: tf.matmul(s, t))
    import torch

    torch.set_num_threads(1)
    place = torch.device("cuda" if device == "gpu" else "cpu")
    p, q = torch.from_numpy(a).to(place), torch.from_numpy(b).to(place)
    return lambda: (p @ q)[0, 0].item()


def copy(backend: str, device: str) -> Callable[[], Any]:
    """A copy of a large array: in this machine's memory by NumPy, on a card by the library."""
    import numpy as np

    source = np.ones(COPIED // 4, np.float32)
    if device == "cpu":
        target = np.empty_like(source)
        return lambda: np.copyto(target, source)
    if backend == "jax":
        import jax

        x = jax.device_put(source)
        add = jax.jit(lambda x: x + 1)  # a plain copy would be compiled away
        return lambda: add(x).block_until_ready()
    if backend == "tensorflow":
        import tensorflow as tf

        t = tf.constant(source)
        return lambda: (t + 1)[0].numpy()
    import torch

    p = torch.from_numpy(source).to("cuda")
    return lambda: p.clone()[0].item()


def main(given: Sequence[str] | None = None) -> None:
    """Measure once and print the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="dense")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bound", choices=("products", "memory"), default="products")
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args(given)
    network = NETWORKS[arguments.network]
    from lecturebench.execution.worker import device_environment, thread_environment

    os.environ |= thread_environment(1) | device_environment(arguments.device)
    if arguments.backend == "jax" and arguments.device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    import psutil

    from lecturebench.environment import packages

    made = (product if arguments.bound == "products" else copy)(arguments.backend, arguments.device)
    start = time.time() - psutil.Process().create_time()
    seconds = best(made)
    if arguments.bound == "products":
        floor = network.operations(arguments.epochs) / (2 * SIDE**3 / seconds)
    else:
        floor = network.moved(arguments.epochs) / (2 * COPIED / seconds)
    versions = {name: version for name, version in packages().items() if name == arguments.backend}
    print(json.dumps({"start_seconds": start, "seconds": floor, "versions": versions}))


if __name__ == "__main__":
    main()
