"""Depth at equal parameters, on the benchmark's side."""

from __future__ import annotations

import pytest

from benchmarks import bench_deep_cnn as bench
from lecturebench import Trained


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1)])
def test_all_depths_have_the_same_number_of_parameters_to_within_one_percent(shape):
    for method, depth in zip(bench.METHODS, bench.DEPTHS, strict=True):
        model = method.function(shape, 10, **method.parameters)
        found = method.probe(Trained(model.get_weights(), [], max), None)
        assert found["off"] <= 0.01 * bench.BUDGET
        assert sum(type(layer).__name__ == "Conv2D" for layer in model.layers) == depth


def test_rows_share_their_training_and_claims_compare_neighbours_on_both_datasets():
    assert len({str(method.training) for method in bench.METHODS}) == 1
    orders = [(claim.dataset, claim.order) for claim in bench.CLAIMS]
    steps = [("depth_4", "depth_2"), ("depth_6", "depth_4"), ("depth_8", "depth_6")]
    assert orders == [(dataset, order) for dataset in ("cifar10", "fashion_mnist") for order in steps]
