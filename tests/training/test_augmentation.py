"""Random crops: their pixels against NumPy's slices, their windows as a function of seed and step."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lecturebench import Training
from lecturebench.datasets import load, mirrored
from lecturebench.models.convolutional import small_cnn
from lecturebench.training.fit import fit_network
from lecturebench.training.outcome import streams
from tests.training.cases import assert_close, same

pytestmark = pytest.mark.usefixtures("backend")
RMSPROP = Training("rmsprop", learning_rate=0.001, batch_size=40, epochs=2)


def random_crop(padding, flip=False):
    from lecturebench.models.layers import RandomCrop

    return RandomCrop(padding, flip)


def applied(layer, images, windows):
    """The layer's images in training."""
    import keras

    layer.mask = keras.ops.convert_to_tensor(np.asarray(windows, np.int32))
    return np.asarray(keras.ops.convert_to_numpy(layer(keras.ops.convert_to_tensor(images), training=True)))


@pytest.fixture(scope="module")
def images():
    """Colour images that are no squares, every pixel another number."""
    return np.random.default_rng(0).random((9, 5, 7, 3), dtype=np.float32)


@pytest.mark.parametrize("padding", [1, 2, 4])
def test_every_crop_is_a_slice_of_the_padded_image(images, padding):
    padded = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    layer = random_crop(padding, flip=True)
    for row, column in product(range(2 * padding + 1), repeat=2):
        cut = padded[:, row : row + 5, column : column + 7]
        flipped = np.arange(9) % 2
        seen = applied(layer, images, [(row, column, flip) for flip in flipped])
        for image, expected, flip in zip(seen, cut, flipped, strict=True):
            assert np.array_equal(image, np.fliplr(expected) if flip else expected)


def test_each_image_gets_its_own_window(images):
    windows = random_crop(2, flip=True).draw(1, 9, np.random.default_rng(1))[0]
    together = applied(random_crop(2, flip=True), images, windows)
    for i in range(9):
        assert np.array_equal(together[i], applied(random_crop(2, flip=True), images[i : i + 1], windows[i : i + 1])[0])


def test_middle_window_is_the_image_itself(images):
    assert np.array_equal(applied(random_crop(3), images, [(3, 3, 0)] * 9), images)


def test_prediction_sees_the_whole_image(images):
    layer = random_crop(2, flip=True)
    layer.mask = np.zeros((9, 3), np.int32)
    assert np.array_equal(np.asarray(layer(images, training=False)), images)


def test_layer_without_padding_and_flip_draws_nothing(images):
    layer = random_crop(0)
    assert not layer.draws
    assert random_crop(0, flip=True).draws
    assert np.array_equal(np.asarray(layer(images, training=True)), images)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 70), st.integers(0, 4), st.booleans())
def test_windows_of_a_step_are_the_same_in_whatever_chunks_they_are_drawn(chunks, batch, padding, flip):
    layer = random_crop(padding, flip)
    whole = layer.draw(sum(chunks), batch, streams(5)["augmentation"])
    rng = streams(5)["augmentation"]
    assert np.array_equal(np.concatenate([layer.draw(steps, batch, rng) for steps in chunks]), whole)


def test_windows_of_a_step_can_be_had_without_those_before():
    layer = random_crop(2, flip=True)
    whole = layer.draw(50, 32, streams(8)["augmentation"])
    alone = streams(8)["augmentation"]
    alone.bit_generator.advance(37 * 32 * 3)
    assert np.array_equal(layer.draw(1, 32, alone)[0], whole[37])


def test_windows_are_the_same_with_and_without_mirroring():
    plain, both = (random_crop(2, flip).draw(20, 32, np.random.default_rng(0)) for flip in (False, True))
    assert np.array_equal(plain[..., :2], both[..., :2])
    assert (plain[..., 2] == 0).all()


@pytest.mark.parametrize("padding", [2, 4])
def test_offsets_and_mirroring_are_uniform_together(padding):
    windows = random_crop(padding, flip=True).draw(600, 128, streams(0)["augmentation"]).reshape(-1, 3)
    side = 2 * padding + 1
    assert (windows.min(axis=0) == 0).all()
    assert (windows.max(axis=0) == [side - 1, side - 1, 1]).all()
    counts = np.bincount(windows @ [2 * side, 2, 1], minlength=2 * side**2)
    assert chisquare(counts).pvalue > 1e-6


def test_windows_of_one_place_are_uniform_over_the_steps():
    windows = random_crop(2).draw(20_000, 2, streams(1)["augmentation"])
    for place in (0, 1):
        assert chisquare(np.bincount(windows[:, place, :2] @ [5, 1], minlength=25)).pvalue > 1e-6


def test_large_paddings_are_drawn_in_full():
    assert random_crop(300).draw(50, 64, np.random.default_rng(0))[..., :2].max() > 580


@pytest.mark.parametrize("padding", [-1, 1.5])
def test_padding_that_is_none_is_refused(padding):
    with pytest.raises(ValueError, match=f"padding is {padding}; it must be a whole number, 0 or above"):
        random_crop(padding)


@pytest.mark.parametrize("padding", [5, 6])
def test_crop_larger_than_the_image_is_refused(images, padding):
    with pytest.raises(ValueError, match=f"padding is {padding} for images of 5 x 7; it must be below 5"):
        random_crop(padding)(images)


def test_crop_of_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"examples have shape \(64,\); crops need \(height, width, channels\)"):
        random_crop(2)(np.ones((3, 64), np.float32))


def test_crop_without_windows_says_who_trains_it(images):
    with pytest.raises(RuntimeError, match="has no mask"):
        random_crop(2)(images, training=True)


def fit(backend, programs=None, **parameters):
    """A network trained on 240 digits, and the windows that it drew, epoch by epoch in the order of the steps."""
    from lecturebench.models.layers import RandomCrop

    drawn = []

    def recorded(layer, steps, batch, rng, draw=RandomCrop.draw):
        windows = draw(layer, steps, batch, rng)
        drawn.append((rng, windows.reshape(-1, 3)))
        return windows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RandomCrop, "draw", recorded)
        fitted = fit_network(
            small_cnn,
            parameters,
            RMSPROP,
            load("digits"),
            seed=0,
            steps_class=backend.Steps,
            train_size=300,
            programs=programs,
        )
    # What compiling draws comes from another generator.
    training = [windows for rng, windows in drawn if rng is drawn[-1][0]]
    windows = np.concatenate(training) if training else np.zeros((0, 3))
    return fitted, windows.reshape(RMSPROP.epochs, -1, 3)


@pytest.fixture(scope="module")
def programs():
    """Compiled programs that these tests share."""
    return {}


@pytest.fixture(scope="module")
def cropped(backend, own_cache, programs):
    return fit(backend, programs, crop=2)


def test_training_draws_the_streams_numbers_and_others_in_every_epoch(cropped):
    windows = cropped[1]
    assert windows.shape == (2, 240, 3)
    assert np.array_equal(windows, streams(0)["augmentation"].random((2, 240, 3)) * (5, 5, 1) // 1)
    assert all(
        (epoch != next_epoch).any(axis=1).mean() > 0.8 for epoch, next_epoch in pairwise(windows)
    )  # 24 / 25 by chance


def test_training_again_gives_the_same_bytes(backend, cropped, programs):
    again, windows = fit(backend, programs, crop=2)
    assert windows.tobytes() == cropped[1].tobytes()
    assert same(again.predictions, cropped[0].predictions)


def test_training_in_other_chunks_sees_the_same_windows(backend, cropped, programs, monkeypatch):
    monkeypatch.setattr("lecturebench.training.batches.MASK_BYTES", 40 * 12 * 2)
    chunked, windows = fit(backend, programs, crop=2)
    assert windows.tobytes() == cropped[1].tobytes()
    assert_close(chunked.predictions, cropped[0].predictions, atol=0.02)


def test_crops_reach_the_network_and_nothing_else_of_the_run(backend, cropped):
    plain, windows = fit(backend, crop=0, flip=False)
    assert windows.size == 0
    assert not same(plain.predictions, cropped[0].predictions)
    assert plain.curve[0]["train_loss"] == pytest.approx(cropped[0].curve[0]["train_loss"], rel=0.2)


def test_digits_are_never_mirrored(backend, own_cache):
    with pytest.raises(ValueError, match="flip is True on 'digits': a mirrored digit is no digit"):
        fit_network(small_cnn, {"flip": True}, RMSPROP, load("digits"), seed=0, steps_class=backend.Steps)
    with pytest.raises(ValueError, match=r"flip is True on 'mnist'.*mirror only fashion_mnist, cifar10"):
        mirrored("mnist")
    mirrored("fashion_mnist")
