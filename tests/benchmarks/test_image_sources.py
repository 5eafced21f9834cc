"""What the sources of the image half print: that the digits are numbers, and the counts what their layers come to."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sources import coates, he, keras_examples, krizhevsky, lecun, zalando
from lecturebench.declare.claims import parse_printed

SHARES = [
    *lecun.PRINTED.values(),
    lecun.WILDER_NEIGHBOURS,
    keras_examples.MNIST_ACCURACY,
    *zalando.PRINTED.values(),
    zalando.HUMANS,
    *coates.PRINTED.values(),
    *krizhevsky.PRINTED.values(),
    *krizhevsky.UNAUGMENTED,
    *(printed for row in krizhevsky.PRINTED_TABLE_1.values() for printed in row),
    *(printed for row in krizhevsky.PRINTED_TABLE_2.values() for printed in row if printed is not None),
    *he.PRINTED.values(),
    *he.REIMPLEMENTED_PRINTED.values(),
    *he.PLAIN_PRINTED.values(),
    *he.PYTORCH_CIFAR_PRINTED.values(),
    *(printed for row in he.PRINTED_TABLE_2.values() for printed in row),
    *(printed for row in he.TORCHVISION_PRINTED.values() for printed in row[1:]),
]


def test_printed_digits_are_shares_to_a_hundredth_or_finer():
    parsed = {printed: parse_printed(printed) for printed in SHARES}
    hundredth = parse_printed("1%")[1]
    assert [printed for printed, (value, unit) in parsed.items() if not (0 < value < 1 and unit <= hundredth)] == []


def test_claim_of_a_source_names_the_profiles_that_can_judge_it():
    claim = he.TABLE_6.number("resnet20", he.PRINTED[20], he.ONE_RUN, profiles=("full",))
    assert claim.profiles == ("full",)
    assert he.TABLE_6.number("resnet20", he.PRINTED[20], he.ONE_RUN).profiles == ()


def test_best_of_five_takes_the_place_of_one_run():
    claim = he.TABLE_6.number("resnet110", he.PRINTED[110], he.BEST_OF_5)
    assert claim.protocol["runs"].best_of == 5


def test_keras_prints_the_float32_of_the_accuracy():
    assert float(np.float32(keras_examples.MNIST_ACCURACY)) == 0.9922000169754028
    assert parse_printed(keras_examples.MNIST_ACCURACY)[0] * 10_000 == 9_922


def convolution(inputs, outputs, side, biases=True):
    return inputs * outputs * side * side + (outputs if biases else 0)


def test_parameters_of_the_small_convnet_are_those_that_keras_prints():
    counted = convolution(1, 32, 3) + convolution(32, 64, 3) + (5 * 5 * 64 + 1) * 10
    assert counted == keras_examples.MNIST_PARAMETERS


def test_lenet_5_has_60_000_parameters_with_its_partly_connected_layer():
    # C3: six maps see three of S2's maps, nine see four, one sees all six; S2 and S4 have a factor and a bias a map.
    c3 = sum(maps * convolution(seen, 1, 5) for maps, seen in ((6, 3), (9, 4), (1, 6)))
    counted = convolution(1, 6, 5) + 2 * 6 + c3 + 2 * 16 + convolution(16, 120, 5) + (120 + 1) * 84
    assert counted == 60_000
    assert "60,000" in lecun.LENET_5["parameters"].value


def test_linear_classifier_of_the_digits_has_7_850_parameters():
    assert int(lecun.LINEAR["parameters"].value.replace(",", "")) == (28 * 28 + 1) * 10


@pytest.mark.parametrize("layers", [20, 32, 44, 56, 110])
def test_parameters_of_residual_networks_on_cifar_10_round_to_what_is_printed(layers):
    n = (layers - 2) // 6
    counted = convolution(3, 16, 3, biases=False) + 2 * 16
    before = 16
    for filters in (16, 32, 64):
        for block in range(n):
            counted += convolution(before if block == 0 else filters, filters, 3, biases=False)
            counted += convolution(filters, filters, 3, biases=False) + 4 * filters
        before = filters
    counted += (64 + 1) * 10
    value, unit = parse_printed(he.MILLIONS[layers])
    assert abs(counted / 1e6 - float(value)) <= float(unit) / 2


@pytest.mark.parametrize(("layers", "blocks"), [(18, (2, 2, 2, 2)), (34, (3, 4, 6, 3))])
def test_parameters_of_residual_networks_on_imagenet_are_what_torchvision_prints(layers, blocks):
    counted = convolution(3, 64, 7, biases=False) + 2 * 64
    before = 64
    for filters, n in zip((64, 128, 256, 512), blocks, strict=True):
        for block in range(n):
            inputs = before if block == 0 else filters
            counted += convolution(inputs, filters, 3, biases=False) + convolution(filters, filters, 3, biases=False)
            counted += 4 * filters
            if inputs != filters:
                counted += convolution(inputs, filters, 1, biases=False) + 2 * filters
        before = filters
    assert counted + (512 + 1) * 1000 == he.TORCHVISION_PRINTED[layers][0]


def test_steps_of_the_fashion_network_are_1_333_epochs():
    epochs = 100 * 2_000 * 400 / 60_000
    assert round(epochs) == 1_333
    assert "1,333" in zalando.TWO_CONV_TENSORFLOW["steps"].value
