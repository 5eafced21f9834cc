"""Residual networks against He et al. 2015: parameters, Table 1, shortcuts, batch normalisation."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from lecturebench.models.residual import cifar_resnet, resnet
from tests.models.arithmetic import convolved, multiply_adds, randomised, trained, values, without_weights

pytestmark = pytest.mark.usefixtures("backend")

IMAGENET, CIFAR = (224, 224, 3), (32, 32, 3)

# He et al. 2015, Table 1: of each stage its output size, the kernels (size, maps) of a block, and the blocks.
TABLE_1 = {
    18: [(112, [(7, 64)], 1)]
    + [(size, [(3, maps), (3, maps)], 2) for size, maps in ((56, 64), (28, 128), (14, 256), (7, 512))],
    34: [(112, [(7, 64)], 1)]
    + [
        (size, [(3, maps), (3, maps)], blocks)
        for size, maps, blocks in ((56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3))
    ],
    50: [(112, [(7, 64)], 1)]
    + [
        (size, [(1, maps), (3, maps), (1, 4 * maps)], blocks)
        for size, maps, blocks in ((56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3))
    ],
}
OPERATIONS = {18: 1.8e9, 34: 3.6e9, 50: 3.8e9}  # the table's last row, to its digit, rounded down
# torchvision's ResNet18_Weights, ResNet34_Weights, ResNet50_Weights: num_params.
PUBLISHED = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032}


def convolutions(model):
    """Output size, kernel size and maps of each convolution that is no shortcut, in order."""
    return [
        (layer.output.shape[1], layer.kernel.shape[0], layer.kernel.shape[3])
        for layer in model.layers
        if type(layer).__name__ == "Conv2D" and not layer.name.endswith("shortcut")
    ]


@pytest.fixture(scope="module", params=[18, 34, 50])
def published(request, backend):
    with without_weights():
        return request.param, resnet(IMAGENET, 1000, depth=request.param)


def test_networks_are_those_of_table_one_layer_by_layer(published):
    depth, model = published
    expected = [
        (size, kernel, maps)
        for size, kernels, blocks in TABLE_1[depth]
        for _ in range(blocks)
        for kernel, maps in kernels
    ]
    assert convolutions(model) == expected
    assert len(expected) + 1 == depth  # and the dense layer
    assert model.get_layer("pool1").output.shape == (None, 56, 56, 64)
    assert model.get_layer("mean").output.shape[1:] == (512 if depth < 50 else 2048,)


def test_networks_have_the_published_parameters_and_moving_statistics_beside(published):
    depth, model = published
    assert trained(model) == PUBLISHED[depth]
    normalised = sum(layer.gamma.shape[0] for layer in model.layers if hasattr(layer, "gamma"))
    assert model.count_params() - trained(model) == 2 * normalised == {18: 9_600, 34: 17_024, 50: 53_120}[depth]


def test_networks_multiply_as_often_as_table_one_says(published):
    depth, model = published
    assert OPERATIONS[depth] <= multiply_adds(model) < OPERATIONS[depth] + 1e8


def test_shortcuts_are_projected_where_shapes_differ_and_only_there(published):
    depth, model = published
    shortcuts = [layer.name for layer in model.layers if layer.name.endswith("shortcut")]
    stages = (3, 4, 5) if depth < 50 else (2, 3, 4, 5)
    assert shortcuts == [f"conv{stage}_1_shortcut" for stage in stages]
    assert all(model.get_layer(name).kernel.shape[:2] == (1, 1) for name in shortcuts)


@pytest.mark.usefixtures("no_weights")
def test_network_with_the_cifar_stem_is_pytorch_cifars():
    model = resnet(CIFAR, 10, stem="cifar")
    assert trained(model) == 11_173_962
    sizes = convolutions(model)
    assert sizes[0] == (32, 3, 64)
    assert [size for size, _, _ in sizes[1:]] == [32] * 4 + [16] * 4 + [8] * 4 + [4] * 4


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(
    ("depth", "count", "printed"),
    [(20, 269_722, "0.27"), (32, 464_154, "0.46"), (44, 658_586, "0.66"), (56, 853_018, "0.85")],
)
def test_small_networks_have_the_papers_parameters(depth, count, printed):
    model = cifar_resnet(CIFAR, 10, depth=depth)
    assert trained(model) == count
    assert f"{count / 1e6:.2f}" == printed
    sizes = convolutions(model)
    n = (depth - 2) // 6
    assert len(sizes) + 1 == depth
    assert sizes == [(32, 3, 16)] * (1 + 2 * n) + [(16, 3, 32)] * 2 * n + [(8, 3, 64)] * 2 * n


@pytest.mark.usefixtures("no_weights")
def test_moving_statistics_are_all_that_is_not_trained():
    model = cifar_resnet(CIFAR, 10)
    assert model.count_params() - trained(model) == 1_376
    assert {variable.path.rpartition("/")[2] for variable in model.non_trainable_variables} == {
        "moving_mean",
        "moving_variance",
    }


@pytest.mark.usefixtures("no_weights")
def test_plain_networks_are_the_same_without_shortcuts():
    plain = cifar_resnet(CIFAR, 10, residual=False)
    assert trained(plain) == trained(cifar_resnet(CIFAR, 10)) == 269_722  # "no extra parameter", sec. 4.1
    assert not [layer for layer in plain.layers if type(layer).__name__ in ("Add", "PaddedShortcut")]
    projections = 64 * 128 + 128 * 256 + 256 * 512 + 2 * (128 + 256 + 512)
    assert trained(resnet(CIFAR, 10, stem="cifar", residual=False)) == 11_173_962 - projections


@pytest.mark.usefixtures("no_weights")
def test_networks_without_normalisation_have_biases_in_its_place():
    model = cifar_resnet(CIFAR, 10, normalised=False)
    assert not [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert trained(model) == model.count_params() == 269_722 - 1_376 // 2


# What they compute


def forward(model, weights, x, depth, training, residual=True):
    """The outputs of `cifar_resnet` in NumPy, and of each normalisation what it was given: mean and variance.

    weights: by their path. In training, a normalisation uses the mean and the variance of its batch.
    """
    statistics = {}

    def normalised(z, name):
        path = f"{name}_norm"
        statistics[path] = mean, variance = z.mean(axis=(0, 1, 2)), z.var(axis=(0, 1, 2))
        if not training:
            mean, variance = weights[f"{path}/moving_mean"], weights[f"{path}/moving_variance"]
        return (z - mean) / np.sqrt(variance + 1e-5) * weights[f"{path}/gamma"] + weights[f"{path}/beta"]

    a = np.maximum(normalised(convolved(x, weights["conv1/kernel"], 1), "conv1"), 0)
    for stage in (2, 3, 4):
        for block in range(1, (depth - 2) // 6 + 1):
            name = f"conv{stage}_{block}"
            stride = 2 if stage > 2 and block == 1 else 1
            z = convolved(a, weights[f"{name}_a/kernel"], 1, stride)
            z = convolved(np.maximum(normalised(z, f"{name}_a"), 0), weights[f"{name}_b/kernel"], 1)
            z = normalised(z, f"{name}_b")
            if residual:
                thinned = a[:, ::stride, ::stride]
                z[..., : thinned.shape[3]] += thinned
            a = np.maximum(z, 0)
    return a.mean(axis=(1, 2)) @ weights["outputs/kernel"] + weights["outputs/bias"], statistics


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_small_network_is_its_formulas(residual, training):
    model = cifar_resnet((9, 8, 2), 3, depth=14, residual=residual)
    weights = randomised(model, np.random.default_rng(0))
    x = np.random.default_rng(1).random((4, 9, 8, 2), dtype=np.float32)
    expected, _ = forward(model, weights, x, 14, training, residual)
    np.testing.assert_allclose(values(model(x, training=training)), expected, rtol=1e-3, atol=1e-3)


def test_stem_for_imagenet_lays_zeros_on_both_sides():
    import keras

    model = resnet((24, 21, 2), 3)
    weights = randomised(model, np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(2, 24, 21, 2)).astype(np.float32)
    first = keras.Model(model.input, [model.get_layer(name).output for name in ("conv1", "conv1_relu", "pool1")])
    z, a, pooled = map(values, first(x))
    np.testing.assert_allclose(z, convolved(x, weights["conv1/kernel"], 3, 2), atol=1e-4)
    padded = np.pad(a, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = pooled.shape[1:3]
    for i in range(rows):
        for j in range(columns):
            window = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            np.testing.assert_array_equal(pooled[:, i, j], window.max(axis=(1, 2)))
    assert (rows, columns) == (6, 6)


BLOCKS = [
    (resnet, {"stem": "cifar"}, 18),
    (resnet, {"stem": "cifar", "depth": 50}, 50),
    (cifar_resnet, {"depth": 20}, 20),
]


def largest_change(model, x, rng, training):
    """How far any block without a change of shape is from the identity, for activations that are nowhere below 0."""
    import keras

    changes = []
    names = [layer.name for layer in model.layers]
    blocks = [name[: -len("_add")] for name in names if name.endswith("_add")]
    for before, block in pairwise(blocks):
        if f"{block}_shortcut" not in names:
            entry, exit_ = model.get_layer(before).output, model.get_layer(block).output
            a = np.maximum(rng.normal(size=(2, *entry.shape[1:])), 0).astype(np.float32)
            changes.append(np.abs(values(keras.Model(entry, exit_)(a, training=training)) - a).max())
    assert len(changes) >= 4
    return max(changes)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("build", "parameters", "depth"), BLOCKS)
def test_block_whose_last_normalisation_starts_at_zero_is_the_identity(build, parameters, depth, training):
    rng = np.random.default_rng(0)
    shape = (8, 8, 3)
    assert largest_change(build(shape, 10, zero_last=True, **parameters), shape, rng, training) <= 1e-6
    assert largest_change(build(shape, 10, **parameters), shape, rng, training) > 0.1


def test_zero_last_starts_the_last_gamma_of_each_block_at_zero_and_no_other():
    model = cifar_resnet(CIFAR, 10, zero_last=True)
    starts = {layer.name: values(layer.gamma) for layer in model.layers if hasattr(layer, "gamma")}
    assert {name for name, gamma in starts.items() if not gamma.any()} == {name for name in starts if "_b_" in name}
    assert all(gamma.all() for name, gamma in starts.items() if "_b_" not in name)


def test_decay_is_half_of_it_times_all_squares():
    for build in (cifar_resnet, resnet):
        for normalised in (True, False):
            model = build((17, 17, 1), 3, decay=0.02, normalised=normalised)
            randomised(model, np.random.default_rng(0))
            squares = sum(float((values(variable).astype(float) ** 2).sum()) for variable in model.trainable_variables)
            assert sum(float(values(loss)) for loss in model.losses) == pytest.approx(0.01 * squares, rel=1e-4)
    assert cifar_resnet(CIFAR, 10).losses == []


def test_kernels_start_with_twice_the_variance_of_one_over_the_inputs():
    model = resnet(CIFAR, 10, stem="cifar")
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D" and layer.kernel.shape[3] >= 128:
            kernel = values(layer.kernel)
            assert kernel.var() == pytest.approx(2 / np.prod(kernel.shape[:3]), rel=0.05)


# Batch normalisation


def test_moving_statistics_follow_their_recursion_through_training_steps(backend):
    import keras

    model = cifar_resnet((8, 8, 1), 3, depth=8)
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    optimizer.build(model.trainable_variables)
    steps = backend.Steps(model, optimizer, "classification", 1 / 255)
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8), rng.integers(0, 3, 40)
    steps.load(X, y)
    paths = [variable.path for variable in (*model.trainable_variables, *model.non_trainable_variables)]
    weights = dict(zip(paths, steps.weights(), strict=False))
    moving = {path: value.astype(float) for path, value in weights.items() if "moving" in path}
    assert all((value == (1 if path.endswith("variance") else 0)).all() for path, value in moving.items())
    for batch in rng.integers(0, 40, (6, 10)).astype(np.int32):
        _, statistics = forward(model, weights, X[batch] / 255, 8, training=True)
        for path, (mean, variance) in statistics.items():
            moving[f"{path}/moving_mean"] = 0.9 * moving[f"{path}/moving_mean"] + 0.1 * mean
            moving[f"{path}/moving_variance"] = 0.9 * moving[f"{path}/moving_variance"] + 0.1 * variance
        steps.train(batch[None], [])
        weights = dict(zip(paths, steps.weights(), strict=False))
    assert len(moving) == 2 * 7
    for path, expected in moving.items():
        np.testing.assert_allclose(weights[path], expected, rtol=1e-3, atol=1e-4, err_msg=path)
    expected, _ = forward(model, weights, X[:5] / 255, 8, training=False)
    np.testing.assert_allclose(steps.outputs(X[:5]), expected, rtol=1e-3, atol=1e-3)


def test_larger_images_are_seen_through_windows_in_prediction_the_middle_one():
    build_at = partial(resnet, depth=18, stem="cifar")
    whole, windowed = build_at((8, 8, 3), 4), build_at((12, 12, 3), 4, border=2, flip=True)
    windowed.set_weights(whole.get_weights())
    X = np.random.default_rng(0).random((2, 12, 12, 3), dtype=np.float32)
    np.testing.assert_allclose(values(windowed(X)), values(whole(X[:, 2:10, 2:10])), rtol=1e-5, atol=1e-6)


# What is refused


@pytest.mark.parametrize(
    ("build", "wrong", "message"),
    [
        (resnet, {"depth": 20}, "depth is 20: choose 18, 34 or 50"),
        (resnet, {"stem": "mnist"}, "stem is 'mnist': choose 'cifar' or 'imagenet'"),
        (cifar_resnet, {"depth": 18}, "depth is 18; it must be 6n + 2 with n above 0"),
        (cifar_resnet, {"depth": 2}, "depth is 2; it must be 6n + 2 with n above 0"),
        (cifar_resnet, {"decay": -1e-4}, "decay is -0.0001; it must be 0 or above"),
        (resnet, {"border": 1.5}, "border is 1.5; it must be a whole number of pixels"),
        (resnet, {"border": 16}, "images of 32 x 32 are too small"),
        (resnet, {"border": 2, "crop": 4}, "crop is 4 and border 2; windows are of the padded image or of the image"),
        (resnet, {"zero_last": True, "normalised": False}, "zero_last .* not without normalisation"),
        (resnet, {"zero_last": True, "residual": False}, "zero_last .* not without shortcuts"),
    ],
)
def test_network_that_cannot_be_is_refused(build, wrong, message):
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        build(CIFAR, 10, **wrong)
