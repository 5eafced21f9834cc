"""Convolutional networks against their sources: parameters, formulas, what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lecturebench.models.alexnet import alexnet, alexnet_32
from lecturebench.models.convolutional import (
    C3_SEES,
    deep_cnn,
    equal_widths,
    fashion_convnet,
    lenet5,
    pooled_cnn,
    simple_convnet,
)
from lecturebench.models.residual import cifar_resnet, resnet
from lecturebench.training.weights import Start
from tests.models.arithmetic import blocks_of, convolved, multiply_adds, randomised, trained, values, without_weights

pytestmark = pytest.mark.usefixtures("backend")

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)


def weights_of(model):
    return [np.asarray(value, float) for value in model.get_weights()]


# Small networks of two convolutions


def test_simple_convnet_is_keras_example():
    model = simple_convnet(MNIST, 10)
    assert model.count_params() == 34_826
    [dropout] = [layer for layer in model.layers if getattr(layer, "draws", False)]
    assert (dropout.rate, dropout.output.shape) == (0.5, (None, 1600))
    randomised(model, np.random.default_rng(0))
    W1, w1, W2, w2, B, b = weights_of(model)
    x = np.random.default_rng(1).random((2, *MNIST), dtype=np.float32)
    A1 = blocks_of(np.maximum(convolved(x, W1) + w1, 0), 2).max(axis=3)
    A2 = blocks_of(np.maximum(convolved(A1, W2) + w2, 0), 2).max(axis=3)
    np.testing.assert_allclose(values(model(x)), A2.reshape(2, -1) @ B + b, rtol=1e-4, atol=1e-3)


def test_fashion_convnet_is_the_benchmark_of_its_repository():
    with without_weights():
        model = fashion_convnet(MNIST, 10)
    assert model.count_params() == 832 + 51_264 + 3_212_288 + 10_250 == 3_274_634
    [dropout] = [layer for layer in model.layers if getattr(layer, "draws", False)]
    assert (dropout.rate, dropout.output.shape) == (0.4, (None, 1024))
    small = fashion_convnet((6, 8, 2), 3)
    randomised(small, np.random.default_rng(0), scale=0.1)
    W1, w1, W2, w2, D, d, B, b = weights_of(small)
    x = np.random.default_rng(1).random((2, 6, 8, 2), dtype=np.float32)
    A1 = blocks_of(np.maximum(convolved(x, W1, 2) + w1, 0), 2).max(axis=3)
    A2 = blocks_of(np.maximum(convolved(A1, W2, 2) + w2, 0), 2).max(axis=3)
    expected = np.maximum(A2.reshape(2, -1) @ D + d, 0) @ B + b
    np.testing.assert_allclose(values(small(x)), expected, rtol=1e-4, atol=1e-3)


# LeNet-5


@pytest.mark.usefixtures("no_weights")
def test_lenet5_has_the_papers_sixty_thousand_parameters_layer_by_layer():
    model = lenet5(MNIST, 10)
    counts = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert counts == [156, 12, 1_516, 32, 48_120, 10_164, 850]
    assert sum(counts[:-1]) == 60_000


@pytest.mark.usefixtures("no_weights")
def test_lenet5_has_the_papers_340908_connections():
    model = lenet5(MNIST, 10)
    pixels = {name: int(np.prod(model.get_layer(name).output.shape[1:3])) for name in ("C1", "S2", "C3", "S4", "C5")}
    connections = [
        model.get_layer("C1").count_params() * pixels["C1"],
        6 * (4 + 1) * pixels["S2"],
        model.get_layer("C3").count_params() * pixels["C3"],
        16 * (4 + 1) * pixels["S4"],
        model.get_layer("C5").count_params() * pixels["C5"],
        model.get_layer("F6").count_params(),
    ]
    assert connections == [122_304, 5_880, 151_600, 2_000, 48_120, 10_164]
    assert sum(connections) + 84 * 10 == 340_908  # of the paper's outputs each is 84 distances, without a bias


def test_lenet5_is_its_formulas():
    model = lenet5(MNIST, 10)
    randomised(model, np.random.default_rng(0))
    C1, c1, S2, s2, C3, c3, S4, s4, C5, c5, F6, f6, B, b = weights_of(model)
    x = np.random.default_rng(1).random((2, *MNIST), dtype=np.float32)

    def f(a):
        return 1.7159 * np.tanh(2 / 3 * a)

    # The paper's background is -0.1 and its foreground 1.175.
    images = np.full((2, 32, 32, 1), -0.1)
    images[:, 2:30, 2:30] += 1.275 * x
    a = f(convolved(images, C1) + c1)
    a = f(blocks_of(a, 2).sum(axis=3) * S2 + s2)
    whole, pieces = np.zeros((5, 5, 6, 16)), iter(C3)
    for o, seen in enumerate(C3_SEES):
        for i in seen:
            whole[:, :, i, o] = next(pieces)
    a = f(convolved(a, whole) + c3)
    a = f(blocks_of(a, 2).sum(axis=3) * S4 + s4)
    a = f(convolved(a, C5) + c5).reshape(2, 120)
    np.testing.assert_allclose(values(model(x)), f(a @ F6 + f6) @ B + b, atol=1e-4)


def test_lenet5_connects_c3_as_table_one_has_it():
    # Rows of the printed table, an X for each of the 16 maps of C3.
    table = (
        "X   XXX  XXXX XX",
        "XX   XXX  XXXX X",
        "XXX   XXX  X XXX",
        " XXX  XXXX  X XX",
        "  XXX  XXXX XX X",
        "   XXX  XXXX XXX",
    )
    assert [[str(i in seen) for seen in C3_SEES] for i in range(6)] == [
        [str(cross == "X") for cross in row] for row in table
    ]


def test_maps_of_c3_never_see_what_they_are_not_connected_to_even_after_training(backend):
    import keras

    start = Start(lambda: lenet5(MNIST, 10))
    model = start.model
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(0)
    steps = backend.Steps(model, optimizer, "classification", 1 / 255)
    steps.load(rng.integers(0, 256, (20, *MNIST), dtype=np.uint8), rng.integers(0, 10, 20))
    steps.set_weights(start.draw(steps.weights(), rng, rng))
    before = steps.weights()
    steps.train(rng.integers(0, 20, (5, 8)).astype(np.int32), [])
    after = steps.weights()
    layer = model.get_layer("C3")
    place = next(i for i, variable in enumerate(model.trainable_variables) if variable is layer.kernel)
    assert (np.abs(after[place] - before[place]) > 0).mean() > 0.99
    layer.set_weights(after[place : place + 2])
    seen = rng.normal(size=(1, 14, 14, 6)).astype(np.float32)
    usual = values(layer(seen))
    for i in range(6):
        other = seen.copy()
        other[..., i] += 1
        moved = (values(layer(other)) != usual).any(axis=(0, 1, 2))
        assert moved.tolist() == [i in each for each in C3_SEES]


def test_lenet5_starts_uniform_within_what_the_inputs_of_a_unit_allow():
    start, rng = Start(lambda: lenet5(MNIST, 10)), np.random.default_rng(0)
    weights = start.draw(start.model.get_weights(), rng, rng)
    fans = [25, 25, 4, 4, None, None, 4, 4, 400, 400, 120, 120, 84, 84]
    for fan, drawn in zip(fans, weights, strict=True):
        if fan is not None:
            assert np.abs(drawn).max() <= 2.4 / fan
            assert np.ptp(drawn) > (2 * 0.8 * 2.4 / fan if drawn.size > 100 else 0)
    pieces = iter(weights[4])
    for seen, bias in zip(C3_SEES, weights[5], strict=True):
        kernels = np.stack([next(pieces) for _ in seen])
        assert 0.8 * 2.4 / (25 * len(seen)) < np.abs(kernels).max() <= 2.4 / (25 * len(seen))
        assert np.abs(bias) <= 2.4 / (25 * len(seen))


@pytest.mark.parametrize("shape", [(32, 32, 1), (29, 30, 1), (8, 8, 3), (1, 1, 1)])
def test_lenet5_fills_smaller_images_up(shape):
    model = lenet5(shape, 4)
    assert model.get_layer("C1").output.shape == (None, 28, 28, 6)
    assert model.output_shape == (None, 4)


def test_lenet5_refuses_images_larger_than_it_sees():
    with pytest.raises(ValueError, match="images of 32 x 33 are too large for lenet5: it sees 32 x 32"):
        lenet5((32, 33, 1), 10)


# Depth at equal parameters


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize("shape", [MNIST, CIFAR])
def test_networks_of_every_depth_have_as_good_as_the_same_parameters(shape):
    counts = [deep_cnn(shape, 10, depth=depth).count_params() for depth in (1, 2, 4, 6, 8)]
    assert max(counts) / min(counts) < 1.02
    assert counts == pytest.approx([100_000] * 5, rel=0.01)


@given(
    depth=st.integers(1, 20),
    budget=st.integers(2_000, 500_000),
    channels=st.integers(1, 4),
    outputs=st.integers(1, 100),
)
def test_widths_keep_the_budget_or_are_refused(depth, budget, channels, outputs):
    try:
        widths = equal_widths(depth, budget, channels, outputs)
    except ValueError as error:
        nearest = int(re.search(r"is ([\d,]+):", str(error))[1].replace(",", ""))
        assert abs(nearest - budget) > 0.01 * budget
        return
    assert len(widths) == depth
    assert widths == sorted(widths)
    assert widths[-1] - widths[0] <= 1
    sizes = [channels, *widths]
    count = sum((9 * sizes[i] + 1) * sizes[i + 1] for i in range(depth)) + (widths[-1] + 1) * outputs
    assert abs(count - budget) <= 0.01 * budget


@settings(max_examples=15)
@given(depth=st.integers(1, 10), size=st.integers(4, 9))
def test_every_depth_pools_twice_and_has_depth_convolutions(depth, size):
    with without_weights():
        model = deep_cnn((size, size + 1, 2), 3, depth=depth, budget=20_000)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == depth
    assert kinds.count("MaxPooling2D") == 2
    first = kinds.index("MaxPooling2D")
    assert kinds[:first].count("Conv2D") == (depth + 1) // 2
    assert kinds[-3:] == ["MaxPooling2D", "GlobalAveragePooling2D", "Dense"]
    assert model.get_layer(index=-3).output.shape[1:3] == (size // 4, (size + 1) // 4)


@pytest.mark.parametrize("depth", [0, -1, 1.5])
def test_depth_below_one_is_refused(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; it must be a whole number of convolutions, 1 or above"):
        deep_cnn(MNIST, 10, depth=depth)


def test_depth_whose_pooling_leaves_nothing_is_refused_by_its_shapes():
    with pytest.raises(ValueError, match=r"^images of 3 x 28 are too small for deep_cnn \(depth 4, .*: it needs 4 x 4"):
        deep_cnn((3, 28, 1), 10, depth=4)


def test_budget_that_no_width_meets_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="budget is 300 parameters; the nearest number for depth 8 is "):
        deep_cnn(MNIST, 10, depth=8, budget=300)


# Pooling


@settings(max_examples=20)
@given(
    height=st.integers(4, 11),
    width=st.integers(4, 11),
    window=st.integers(2, 3),
    pooling=st.sampled_from(["max", "average", "strided"]),
)
def test_networks_differ_in_what_stands_for_a_window_alone(height, width, window, pooling):
    import keras

    assume(min(height, width) // window >= window)
    model = pooled_cnn((height, width, 2), 3, pooling=pooling, window=window)
    randomised(model, np.random.default_rng(0))
    W1, w1, W2, w2, B, b = weights_of(model)
    chosen = {
        "max": lambda windows: windows.max(axis=3),
        "average": lambda windows: windows.mean(axis=3),
        "strided": lambda windows: windows[..., 0, :],
    }[pooling]
    x = np.random.default_rng(1).random((2, height, width, 2), dtype=np.float32)
    A1 = chosen(blocks_of(np.maximum(convolved(x, W1, 1) + w1, 0), window))
    A2 = chosen(blocks_of(np.maximum(convolved(A1, W2, 1) + w2, 0), window))
    np.testing.assert_allclose(values(model(x)), A2.reshape(2, -1) @ B + b, rtol=1e-4, atol=1e-4)
    keras.backend.clear_session()


@pytest.mark.usefixtures("no_weights")
def test_ways_of_pooling_have_the_same_parameters_and_the_operations_of_the_docstring():
    models = {pooling: pooled_cnn(MNIST, 10, pooling=pooling) for pooling in ("max", "average", "strided")}
    assert {model.count_params() for model in models.values()} == {20_490}
    assert multiply_adds(models["max"]) == multiply_adds(models["average"]) == 1_031_744
    assert multiply_adds(models["strided"]) == (1_031_744 - 15_680) // 4 + 15_680 == 269_696


@pytest.mark.parametrize("pooling", ["max", "average", "strided"])
@pytest.mark.parametrize(("window", "size"), [(29, "28 x 28"), (6, "4 x 4")])
def test_pooling_window_larger_than_its_input_is_refused_by_both_shapes(pooling, window, size):
    with pytest.raises(ValueError, match=f"pooling window of {window} x {window} is larger than its input of {size}$"):
        pooled_cnn(MNIST, 10, pooling=pooling, window=window)


@pytest.mark.parametrize("window", [1, 0, -2, 2.5])
def test_pooling_window_that_pools_nothing_is_refused(window):
    with pytest.raises(ValueError, match=f"window is {window}; it must be a whole number, 2 or above"):
        pooled_cnn(MNIST, 10, window=window)


def test_unknown_pooling_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="pooling is 'median': choose 'average', 'max', 'none' or 'strided'"):
        pooled_cnn(MNIST, 10, pooling="median")


# What is no image

BUILDERS = {
    "simple_convnet": (simple_convnet, 10),
    "lenet5": (lenet5, None),
    "fashion_convnet": (fashion_convnet, 4),
    "deep_cnn": (lambda *images: deep_cnn(*images, depth=2), 4),
    "pooled_cnn": (pooled_cnn, None),
    "resnet": (resnet, 17),
    "resnet, cifar": (lambda *images: resnet(*images, stem="cifar"), 5),
    "cifar_resnet": (cifar_resnet, 3),
    "alexnet": (alexnet, 64),
    "alexnet_32": (alexnet_32, 4),
    "alexnet_32, border": (lambda *images: alexnet_32(*images, border=4), 12),
}


@pytest.mark.parametrize("shape", [(13,), (28, 28), (4, 28, 28, 1)])
@pytest.mark.parametrize("name", BUILDERS)
def test_what_is_no_image_is_refused_by_its_shape(name, shape):
    network = name.partition(",")[0]
    message = re.escape(f"examples have shape {shape}; {network}")
    with pytest.raises(ValueError, match=f"^{message}.* needs images \\(height, width, channels\\)$"):
        BUILDERS[name][0](shape, 10)


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize("name", [name for name in BUILDERS if BUILDERS[name][1]])
def test_smallest_image_is_built_and_a_smaller_one_refused_by_its_shape(name):
    build, smallest = BUILDERS[name]
    network = name.partition(",")[0]
    model = build((smallest, smallest + 1, 3), 2)
    assert model.output_shape == (None, 2)
    assert all(min(layer.output.shape[1:3]) > 0 for layer in model.layers if len(layer.output.shape) == 4)
    message = (
        f"^images of {smallest + 1} x {smallest - 1} are too small for {network}.* {smallest} x {smallest} or larger$"
    )
    with pytest.raises(ValueError, match=message):
        build((smallest + 1, smallest - 1, 3), 2)


@pytest.mark.parametrize("build", [resnet, cifar_resnet])
@pytest.mark.parametrize("crop", [-1, 32, 40, 1.5])
def test_crop_that_images_do_not_allow_is_refused(build, crop):
    with pytest.raises(
        ValueError, match=f"crop is {crop} for images of 32 x 33; it must be a whole number from 0 to 31"
    ):
        build((32, 33, 3), 10, crop=crop)


@pytest.mark.usefixtures("no_weights")
def test_every_parameter_of_these_networks_is_trained():
    for build in (simple_convnet, lenet5, fashion_convnet, pooled_cnn, alexnet_32):
        model = build(MNIST, 10)
        assert trained(model) == model.count_params()
