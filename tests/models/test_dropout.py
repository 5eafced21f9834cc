"""Dropout as the book has it: units removed with probability p, survivors scaled, on masks that the harness draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from lecturebench.models.dense import two_layer
from lecturebench.training.weights import draw_weights

pytestmark = pytest.mark.usefixtures("backend")

RATES = tuple(i / 10 for i in range(1, 9))
# One rounding of the scale and one of the product to single precision: (1 + 2^-24)^2 - 1 is 1.192e-7.
TWO_ROUNDINGS = 1.2e-7
# Rounded rates change two layers' scale by 3e-5; the rest is for sums of 64 to 784 single products.
SINGLE_SUMS = 1e-4
SIX_SD = 6.0  # for 8 rates and 20 seeds, chance exceeds it less than once in a million
STEPS = 64


class EveryWord:
    """Stands in for a NumPy generator: its 16-bit words are all 65,536 that there are, each once.

    A mask compares such words with a threshold, so the mean over these is the expectation over all masks. Units get
    words of their own and are removed independently; the expectation of each unit is that of all of them.
    """

    @property
    def bit_generator(self) -> EveryWord:
        return self

    def random_raw(self, size: int) -> np.ndarray:
        """All words, four to each of ``size`` 64-bit numbers. ValueError unless that is 16,384 of them."""
        words = np.arange(65536, dtype=np.uint16).view(np.uint64)
        if size != words.size:
            raise ValueError(f"size is {size!r}; every word once is {words.size} numbers")
        return words


def dropout_layer(rate: float, width: int) -> Any:
    """The suite's dropout layer behind an input of that width, ready to draw masks."""
    import keras

    from lecturebench.models.layers import Dropout

    layer = Dropout(rate)
    keras.Sequential([keras.Input((width,)), layer])
    return layer


def thinned(
    x: np.ndarray, weights: Sequence[np.ndarray], kept: tuple[np.ndarray, np.ndarray], rate: float
) -> np.ndarray:
    """The logits of the two-layer network for one example, with the removed units deleted and the others scaled.

    x: (p,). weights: W1, w1, W2, w2, B, b. kept: (K1,) and (K2,) booleans. What is deleted are columns of W1 and w1,
    rows and columns of W2, and rows of B: the smaller network never sees them.
    """
    W1, w1, W2, w2, B, b = (np.asarray(array, dtype=np.float64) for array in weights)
    first, second = kept
    hidden = np.maximum(x @ W1[:, first] + w1[first], 0) / (1 - rate)
    hidden = np.maximum(hidden @ W2[np.ix_(first, second)] + w2[second], 0) / (1 - rate)
    logits: np.ndarray = hidden @ B[second] + b
    return logits


def expected_deviation(rate: float, activation: float) -> float:
    """How far the layer's mean output over all masks is from its input A, relative to A: E[m A / (1 - p)] = A."""
    import keras

    layer = dropout_layer(rate, 256)
    [layer.mask] = layer.draw(1, 256, EveryWord())
    A = np.full((256, 256), activation, dtype=np.float32)
    output = np.asarray(keras.ops.convert_to_numpy(layer(A, training=True)), dtype=np.float64)
    return abs(float(output.mean() / A[0, 0]) - 1)


def removal_deviation(rate: float, rng: np.random.Generator, units: tuple[int, int] = (32, 16), n: int = 8) -> float:
    """How far training outputs on recorded masks are from those of networks without the removed units.

    Relative to the largest logit. Each example has masks of its own and a network of its own (`thinned`).
    """
    import keras

    from lecturebench.models.layers import Dropout

    X = rng.random((n, 64), dtype=np.float32)
    model = two_layer((64,), 10, units=units, rates=(rate, rate))
    weights = draw_weights(model, model.get_weights(), rng)
    model.set_weights(weights)
    layers = [layer for layer in model.layers if isinstance(layer, Dropout)]
    for layer in layers:
        [layer.mask] = layer.draw(1, n, rng)
    outputs = np.asarray(keras.ops.convert_to_numpy(model(X, training=True)), dtype=np.float64)
    masks = zip(X, *(layer.mask for layer in layers), strict=True)
    expected = np.stack([thinned(x, weights, (first, second), rate) for x, first, second in masks])
    return float(np.abs(outputs - expected).max() / np.abs(expected).max())


def removed_z(rate: float, rng: np.random.Generator, drawn_rate: float | None = None) -> float:
    """How far the share of removed units is from p, in standard deviations of a binomial share."""
    masks = dropout_layer(rate if drawn_rate is None else drawn_rate, 256).draw(STEPS, 128, rng)
    share = float(np.mean(~masks))
    return abs(share - rate) / float(np.sqrt(rate * (1 - rate) / masks.size))


def wrong_scale(monkeypatch, scale, mask=lambda mask: mask):
    """Give the suite's dropout layer another scale, or another use of its mask."""
    import keras

    from lecturebench.models.layers import Dropout

    def call(self, inputs, training=False):
        if not training or not self.draws:
            return inputs
        return inputs * keras.ops.cast(mask(self.mask), inputs.dtype) * scale(self)

    monkeypatch.setattr(Dropout, "call", call)


def test_every_word_is_there_once():
    words = EveryWord().bit_generator.random_raw(16384).view(np.uint16)
    assert np.array_equal(np.sort(words), np.arange(65536))
    with pytest.raises(ValueError, match="size is 16383"):
        EveryWord().random_raw(16383)


@pytest.mark.parametrize("rate", [0.0, *RATES])
def test_of_all_words_the_rounded_share_removes_a_unit(rate):
    masks = dropout_layer(rate, 256).draw(1, 256, EveryWord())
    assert (~masks).sum() == round(rate * 65536)


@pytest.mark.parametrize("rate", [0.0, *RATES])
@pytest.mark.parametrize("activation", [1.0, -0.3, 2.7e-5])
def test_expected_activation_is_the_input_for_every_rate(rate, activation):
    assert expected_deviation(rate, activation) <= TWO_ROUNDINGS


@pytest.mark.parametrize(
    "scale",
    [
        lambda layer: 1.0,
        lambda layer: 1 - layer.rate,
        lambda layer: 1 / layer.rate,
        lambda layer: 1 / (1 - layer.rate),  # of the rate as written, while masks have the rounded one
    ],
    ids=["none", "inverted", "of the removed", "not rounded"],
)
def test_expectation_notices_a_wrong_scale(monkeypatch, scale):
    wrong_scale(monkeypatch, scale)
    assert expected_deviation(0.3, 0.8) > 10 * TWO_ROUNDINGS


def test_thinned_network_never_sees_what_was_removed():
    rng = np.random.default_rng(1)
    shapes = ((3, 4), (4,), (4, 2), (2,), (2, 5), (5,))
    weights = [rng.uniform(-0.2, 1, size=shape) for shape in shapes]
    x, first, second = rng.uniform(size=3), np.array([True, False, True, True]), np.array([False, True])
    hidden = np.maximum(x @ weights[0] + weights[1], 0) * first / 0.6
    hidden = np.maximum(hidden @ weights[2] + weights[3], 0) * second / 0.6
    assert hidden[1] > 0
    expected = hidden @ weights[4] + weights[5]
    np.testing.assert_allclose(thinned(x, weights, (first, second), 0.4), expected, rtol=1e-12)
    spoiled = [array.copy() for array in weights]
    spoiled[0][:, 1] = spoiled[1][1] = spoiled[2][1] = spoiled[2][:, 0] = spoiled[3][0] = spoiled[4][0] = np.nan
    np.testing.assert_allclose(thinned(x, spoiled, (first, second), 0.4), expected, rtol=1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_outputs_on_recorded_masks_are_those_of_the_thinned_networks(rate):
    for seed in range(3):
        assert 0 < removal_deviation(rate, np.random.default_rng(seed)) <= SINGLE_SUMS


def test_outputs_of_the_lectures_network_are_those_of_the_thinned_ones():
    assert 0 < removal_deviation(0.4, np.random.default_rng(0), (256, 128), 32) <= SINGLE_SUMS


@pytest.mark.parametrize(
    ("scale", "mask"),
    [
        (lambda layer: 1 / (1 - layer.rate), np.logical_not),
        (lambda layer: 1 / (1 - layer.rate), lambda mask: mask[::-1]),
        (lambda layer: 1.0, lambda mask: mask),
        (lambda layer: 1 / (1 - layer.rate) + 1e-3, lambda mask: mask),
    ],
    ids=["kept and removed swapped", "another image's mask", "no scale", "scale off by a thousandth"],
)
def test_removal_notices_another_layer(monkeypatch, scale, mask):
    wrong_scale(monkeypatch, scale, mask)
    assert removal_deviation(0.3, np.random.default_rng(0)) > SINGLE_SUMS


@pytest.mark.parametrize("rate", RATES)
def test_share_of_removed_units_is_the_rate_within_its_bound(rate):
    for seed in range(3):
        assert removed_z(rate, np.random.default_rng(seed)) <= SIX_SD


@pytest.mark.parametrize("off", [0.003, -0.003])
def test_share_notices_a_rate_that_is_three_thousandths_off(off):
    assert removed_z(0.5, np.random.default_rng(0), 0.5 + off) > SIX_SD


def test_chance_alone_exceeds_the_bound_less_than_once_in_a_million():
    n, seeds, chance = STEPS * 128 * 256, 20, 0.0
    for rate in RATES:
        drawn = round(rate * 65536) / 65536
        sd = np.sqrt(n * rate * (1 - rate))
        chance += binom.sf(n * rate + SIX_SD * sd, n, drawn) + binom.cdf(n * rate - SIX_SD * sd, n, drawn)
    assert 0 < seeds * chance < 1e-6
