"""The error table: its rows follow the lab, its claims the slide, and the network is the one that the book counts."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import bench_error_table as bench
from benchmarks.experiments.parameters import PRINTED, count_parameters
from lecturebench import IdentityClaim, NumberClaim, Trained


@pytest.mark.usefixtures("backend")
def test_the_slides_network_has_the_printed_number_of_parameters():
    method = bench.BENCHMARK.method("dropout")
    model = method.function((28, 28, 1), 10, **method.parameters)
    assert count_parameters(Trained(model.get_weights(), [], max), None) == {"count": 235_146.0, "off": 0.0}
    [claim] = [claim for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)]
    assert (claim.method, claim.metric, claim.tolerance) == ("dropout", "off", 0)
    assert method.probe is count_parameters


def test_network_of_another_size_is_told():
    assert count_parameters(Trained([np.zeros((3, 2)), np.zeros(2)], [], max), None) == {
        "count": 8.0,
        "off": PRINTED - 8.0,
    }


def test_random_split_differs_from_the_judged_row_in_what_is_held_out_alone():
    last, random = (bench.BENCHMARK.method(name) for name in ("dropout", "dropout_random"))
    assert (last.function, last.parameters) == (random.function, random.parameters)
    assert (last.training.held_out, random.training.held_out) == ("last", "random")
    assert "dropout_random" not in {name for claim in bench.CLAIMS for name in claim.methods}


def test_numbers_say_what_is_held_out_and_deviate_in_nothing():
    for claim in bench.CLAIMS:
        if isinstance(claim, NumberClaim) and claim.method == "lda":
            assert claim.protocol["train size"].value == "all 60,000"
            assert not {"validation", "batch size"} & set(claim.protocol)
        elif isinstance(claim, NumberClaim):
            assert claim.protocol["validation"].value.startswith("the last 20% of train held out")
            # No lab fits the ridge row: that it holds out the last ones too is our reading.
            assert claim.protocol["validation"].status == ("assumed" if claim.method == "ridge" else "stated")
            assert claim.deviations == ()
