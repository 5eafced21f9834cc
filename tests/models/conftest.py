"""What tests of networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models.arithmetic import without_weights


@pytest.fixture
def no_weights(backend) -> Iterator[None]:
    """The test's networks have layers and shapes alone."""
    with without_weights():
        yield
