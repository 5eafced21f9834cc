"""Training steps, one file per Keras backend, each with a class ``Steps`` of the same methods.

Masks, batches and first weights come from NumPy, so that backends can be compared step by step. A file here imports
its own backend; the functions below load it in a worker that has chosen it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

LANES = 8  # runs that one program has room for
TOGETHER = {("jax", "gpu")}  # where they are fitted so: it was as good as nothing on CPUs, and 2 to 5 times on a GPU


class Backend(NamedTuple):
    """What a backend's file gives. prepare(threads, device) is called once per process, before any tensor is made.

    settle() is called before each network and sets Keras' own settings, which settings() gives.
    gradient(function, values) is that of a scalar function of float64 arrays, written with ``keras.ops``: one array for
    each of ``values``.
    """

    Steps: Callable[..., Any]
    prepare: Callable[[int, str], None]
    gpu_name: Callable[[], str | None]
    threads_used: Callable[[], int]
    gradient: Callable[..., list[Any]]
    settle: Callable[[], None]
    settings: Callable[[], dict[str, Any]]


def tensorflow() -> Backend:
    """Load the TensorFlow one."""
    from lecturebench.training.backends.settings import settings, settle
    from lecturebench.training.backends.tensorflow import Steps, gpu_name, gradient, prepare, threads_used

    return Backend(Steps, prepare, gpu_name, threads_used, gradient, settle, settings)


def jax() -> Backend:
    """Load the JAX one."""
    from lecturebench.training.backends.jax import Steps, gpu_name, gradient, prepare, threads_used
    from lecturebench.training.backends.settings import settings, settle

    return Backend(Steps, prepare, gpu_name, threads_used, gradient, settle, settings)


def torch() -> Backend:
    """Load the PyTorch one."""
    from lecturebench.training.backends.settings import settings, settle
    from lecturebench.training.backends.torch import Steps, gpu_name, gradient, prepare, threads_used

    return Backend(Steps, prepare, gpu_name, threads_used, gradient, settle, settings)


LOADERS: dict[str, Callable[[], Backend]] = {"tensorflow": tensorflow, "jax": jax, "torch": torch}
