"""Networks that forecast: the book's sizes, the units of their answers, and seeds that differ in every weight."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from lecturebench.models.forecasts import KINDS, nonlinear_autoregression, recurrent_forecast
from tests.models.seeds import assert_seeds_decide_every_weight

NETWORKS = {
    **{kind: (partial(recurrent_forecast, kind=kind), (5, 3)) for kind in KINDS},
    "nonlinear": (nonlinear_autoregression, (20,)),
}


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("network", NETWORKS)
def test_two_seeds_differ_in_every_weight_that_starts_at_random_and_one_seed_gives_the_same_again(network):
    function, shape = NETWORKS[network]
    assert_seeds_decide_every_weight(lambda: function(shape, 1))


@pytest.mark.usefixtures("backend")
def test_networks_have_the_books_parameters():
    assert recurrent_forecast((5, 3), 1).count_params() == 205
    assert nonlinear_autoregression((20,), 1).count_params() == 20 * 32 + 32 + 33


@pytest.mark.parametrize(("function", "shape"), [(recurrent_forecast, (5, 3)), (nonlinear_autoregression, (15,))])
def test_answers_are_in_the_units_of_the_target(backend, function, shape):
    import keras

    plain, turned = function(shape, 1), function(shape, 1, target=(10.0, 3.0))
    turned.set_weights(plain.get_weights())
    X = np.random.default_rng(0).normal(size=(7, *shape)).astype(np.float32)
    answers = [keras.ops.convert_to_numpy(network(X)) for network in (plain, turned)]
    np.testing.assert_allclose(answers[1], 10 + 3 * answers[0], rtol=1e-5)


def test_a_forecast_refuses_what_it_cannot_go_through():
    with pytest.raises(ValueError, match=r"needs sequences \(steps, p\)"):
        recurrent_forecast((15,), 1)
    with pytest.raises(ValueError, match="kind is 'RNN'"):
        recurrent_forecast((5, 3), 1, kind="RNN")
