"""The race to 99%, on the benchmark's side."""

from __future__ import annotations

import pytest

from benchmarks import bench_digits_99 as bench
from lecturebench import TimeToTargetClaim
from lecturebench.models.convolutional import quick_cnn


@pytest.mark.usefixtures("backend")
def test_network_has_the_layers_that_its_docstring_counts():
    model = quick_cnn((28, 28, 1), 10)
    counts = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert counts == [416, 19_248, 98_432, 1_290]
    assert sum(counts) == 119_386
    with pytest.raises(ValueError, match="images of 8 x 8 are too small for quick_cnn"):
        quick_cnn((8, 8, 1), 10)


def test_rows_differ_in_rate_and_epochs_alone_and_race_to_the_same_target():
    one_cycle, constant = (method.training for method in bench.METHODS)
    differ = {name for name in vars(one_cycle) if getattr(one_cycle, name) != getattr(constant, name)}
    assert differ == {"learning_rate", "epochs", "schedule"}
    [claim] = bench.CLAIMS
    assert isinstance(claim, TimeToTargetClaim)
    assert (claim.faster, claim.slower, claim.threshold) == ("one_cycle", "constant", 0.01)
    assert claim.source == "this suite", "nobody published a time on a processor"
    assert bench.BENCHMARK.profiles["lecture"].seeds == 10
