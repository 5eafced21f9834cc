"""The small network with each kind of pooling: its parameters, what it computes, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from lecturebench.models.convolutional import pooled_cnn, small_cnn


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize("pooling", ["max", "average", "strided"])
def test_pooling_and_stride_leave_the_parameters_of_the_small_network(backend, pooling):
    assert pooled_cnn((28, 28, 1), 10, pooling=pooling).count_params() == 20_490


@pytest.mark.usefixtures("no_weights")
def test_network_without_pooling_has_a_larger_last_layer(backend):
    assert (
        pooled_cnn((28, 28, 1), 10, pooling="none").count_params() == 160 + 4_640 + (28 * 28 * 32 + 1) * 10 == 255_690
    )


def test_network_with_max_pooling_is_the_small_one(backend):
    model, same = pooled_cnn((8, 6, 2), 3, pooling="max"), small_cnn((8, 6, 2), 3)
    rng = np.random.default_rng(0)
    for each in (model, same):
        each.set_weights([rng.normal(size=array.shape) for array in each.get_weights()])
        rng = np.random.default_rng(0)
    x = rng.random((4, 8, 6, 2), dtype=np.float32)
    np.testing.assert_allclose(model.predict_on_batch(x), same.predict_on_batch(x), atol=1e-4)


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(("pooling", "layers"), [("average", 2), ("strided", 0), ("none", 0)])
def test_other_networks_average_or_skip_or_keep_every_pixel(backend, pooling, layers):
    model = pooled_cnn((8, 8, 1), 3, pooling=pooling)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("AveragePooling2D") == layers
    assert "MaxPooling2D" not in kinds
    strides = [layer.strides for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert strides == [(2, 2) if pooling == "strided" else (1, 1)] * 2


@pytest.mark.parametrize("pooling", ["max", "average", "strided"])
def test_images_smaller_than_two_windows_are_refused_by_their_shape(backend, pooling):
    assert pooled_cnn((4, 5, 1), 3, pooling=pooling).output_shape == (None, 3)
    with pytest.raises(ValueError, match="a pooling window of 2 x 2 is larger than its input of 1 x 4"):
        pooled_cnn((3, 8, 1), 3, pooling=pooling)


def test_unknown_pooling_is_refused(backend):
    with pytest.raises(ValueError, match="pooling is 'mean': choose 'average', 'max', 'none' or 'strided'"):
        pooled_cnn((8, 8, 1), 3, pooling="mean")
