"""Networks for texts: their published sizes, what they refuse, and seeds that differ in every weight."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from lecturebench.models import words
from tests.models.seeds import assert_seeds_decide_every_weight

NETWORKS = {
    "averaged": partial(words.averaged_embedding, size=5),
    **{kind: partial(words.recurrent, kind=kind, size=5, units=4, rate=0.2) for kind in words.KINDS},
    "bidirectional": partial(words.bidirectional_lstm, size=5, units=3),
    "transformer": partial(words.transformer, size=4, units=6, dense=5),
}


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("build", "length", "outputs", "published"),
    [
        (partial(words.bidirectional_lstm, vocabulary=19_998), 200, 1, 2_757_761),
        (partial(words.transformer, vocabulary=19_998), 200, 2, 657_758),
        (partial(words.averaged_embedding, vocabulary=19_998), 400, 2, 1_000_102),
        (partial(words.recurrent, vocabulary=10_000, kind="LSTM"), 500, 2, 328_450),
        (partial(words.recurrent, vocabulary=10_000, kind="SimpleRNN"), 500, 2, 322_210),
    ],
)
def test_networks_have_the_published_number_of_parameters(build, length, outputs, published):
    assert build((length,), outputs).count_params() == published


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("network", NETWORKS)
def test_two_seeds_differ_in_every_weight_that_starts_at_random_and_one_seed_gives_the_same_again(network):
    assert_seeds_decide_every_weight(lambda: NETWORKS[network]((6,), 2, vocabulary=30))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("network", NETWORKS)
def test_a_text_without_words_is_predicted_like_any_other(network):
    import keras

    model = NETWORKS[network]((6,), 2, vocabulary=30)
    z = np.asarray(keras.ops.convert_to_numpy(model(np.zeros((3, 6), np.float32))))
    assert z.shape == (3, 2)
    assert np.isfinite(z).all()


@pytest.mark.usefixtures("backend")
def test_every_word_of_the_vocabulary_and_the_two_numbers_beside_have_a_row_of_the_embedding():
    for build in NETWORKS.values():
        [embedding] = [layer for layer in build((6,), 2, vocabulary=30).layers if "embedding" in layer.name]
        assert embedding.embeddings.shape[0] == 30 + 2


def test_what_is_no_row_of_words_or_below_one_is_refused_with_its_name():
    with pytest.raises(ValueError, match=r"examples have shape \(28, 28, 1\); transformer needs rows of words"):
        words.transformer((28, 28, 1), 2, vocabulary=30)
    with pytest.raises(ValueError, match="vocabulary is 0; it must be a whole number, 1 or above"):
        words.averaged_embedding((6,), 2, vocabulary=0)
    with pytest.raises(ValueError, match="units is 0; it must be a whole number"):
        words.recurrent((6,), 2, vocabulary=30, units=0)
    with pytest.raises(ValueError, match="kind is 'RNN'; it must be one of SimpleRNN, GRU, LSTM"):
        words.recurrent((6,), 2, vocabulary=30, kind="RNN")
