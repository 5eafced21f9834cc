"""What tests of networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models.arithmetic import without_weights


@pytest.fixture(autouse=True, scope="module")
def compiled_quickly(backend) -> Iterator[None]:
    """XLA compiles each layer for each shape, for longer than it computes: a third of that time goes into speed.

    What a layer computes is tested here; steps as they are compiled for users are in `tests.training`.
    """
    import keras

    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def no_weights(backend) -> Iterator[None]:
    """The test's networks have layers and shapes alone."""
    with without_weights():
        yield
