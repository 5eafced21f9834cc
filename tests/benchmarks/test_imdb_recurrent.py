"""Recurrent networks on reviews: what is compared differs in one thing, and little of the work is padding."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import bench_imdb_recurrent as bench
from lecturebench import NumberClaim
from lecturebench.datasets import load

METHODS = {method.name: method for method in bench.METHODS}


def test_claims_are_the_numbers_of_their_sources():
    printed = {claim.method: claim.printed for claim in bench.CLAIMS if isinstance(claim, NumberClaim)}
    assert printed == {"simple_rnn": "76%", "lstm": "87%", "bidirectional": "0.8428"}


def test_lstms_that_are_to_be_alike_differ_in_their_batches_alone():
    whole, buckets = METHODS["lstm"], METHODS["lstm_buckets"]
    assert (whole.function, whole.training, whole.parameters) == (
        buckets.function,
        buckets.training,
        buckets.parameters,
    )
    assert (whole.view.bucket, buckets.view.bucket) == (None, 32)
    assert (whole.view.vocabulary, whole.view.length) == (buckets.view.vocabulary, buckets.view.length) == (10_000, 500)


def test_only_the_rate_that_no_source_prints_is_chosen_and_on_training_reviews():
    assert [name for name, method in METHODS.items() if method.choices] == ["simple_rnn"]
    assert METHODS["simple_rnn"].training.validation == 0.2


@pytest.mark.realdata
def test_less_than_a_tenth_of_the_numbers_fill_up_in_buckets_where_more_than_half_did(own_cache):
    reviews = load("imdb_reviews")
    everybody = np.arange(len(reviews.train))
    in_buckets = bench.BUCKETS.see(reviews, everybody).train.X
    words = np.count_nonzero(bench.WHOLE.see(reviews, everybody).train.X)
    assert words == np.count_nonzero(in_buckets.rows)
    assert 1 - words / in_buckets.widths.sum() < 0.10
    assert 1 - words / in_buckets.rows.size > 0.5
