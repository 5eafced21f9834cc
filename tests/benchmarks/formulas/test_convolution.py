"""The sum written out against numbers by hand, SciPy and Keras; what the slides' kernels do; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from benchmarks.formulas.convolution import BLUR, EDGE, as_layer, correlate, shares, turned

SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(3, 11)
ODD = st.sampled_from((1, 3, 5))
some = settings(max_examples=40, deadline=None)


def grey(rng: np.random.Generator, height: int, width: int, n: int = 2) -> np.ndarray:
    return rng.random((n, height, width, 1))


def test_window_is_multiplied_by_the_kernel_and_summed_without_turning_it() -> None:
    X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])[None, :, :, None]
    A = correlate(X, as_layer(np.array([[1.0, 10.0], [100.0, 1000.0]])))
    assert A[0, :, :, 0].tolist() == [[1 + 20 + 400 + 5000, 2 + 30 + 500 + 6000]]


@some
@given(SEEDS, SIDES, SIDES, st.integers(1, 3), st.integers(1, 3))
def test_sum_is_scipys_cross_correlation(seed, height, width, down, right) -> None:
    rng = np.random.default_rng(seed)
    X, kernel = grey(rng, height, width), rng.normal(size=(down, right))
    for image, A in zip(X, correlate(X, as_layer(kernel)), strict=True):
        np.testing.assert_allclose(A[:, :, 0], correlate2d(image[:, :, 0], kernel, "valid"), atol=1e-12)


@some
@given(SEEDS, SIDES, SIDES, ODD, ODD)
def test_same_padding_puts_zeros_around(seed, height, width, down, right) -> None:
    rng = np.random.default_rng(seed)
    X, kernel = grey(rng, height, width), rng.normal(size=(down, right))
    for image, A in zip(X, correlate(X, as_layer(kernel), "same"), strict=True):
        expected = correlate2d(np.pad(image[:, :, 0], ((down // 2,) * 2, (right // 2,) * 2)), kernel, "valid")
        assert A.shape[:2] == (height, width)
        np.testing.assert_allclose(A[:, :, 0], expected, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(SEEDS, SIDES, SIDES, st.sampled_from((1, 3)), st.integers(1, 3), st.sampled_from(("valid", "same")))
def test_layer_is_the_one_of_keras_at_any_stride(backend, seed, height, width, side, stride, padding) -> None:
    from keras import ops

    rng = np.random.default_rng(seed)
    X, W = rng.random((2, height, width, 3), np.float32), rng.normal(size=(side, side, 3, 4)).astype(np.float32)
    A = ops.conv(ops.convert_to_tensor(X), ops.convert_to_tensor(W), stride, padding, data_format="channels_last")
    np.testing.assert_allclose(correlate(X, W, padding, stride), ops.convert_to_numpy(A), atol=1e-5)


def test_layer_sums_over_its_channels() -> None:
    rng = np.random.default_rng(0)
    X, W = rng.random((2, 6, 5, 3)), rng.normal(size=(3, 3, 3, 2))
    for k in range(2):
        alone = sum(correlate(X[..., [c]], as_layer(W[:, :, c, k])) for c in range(3))
        np.testing.assert_allclose(correlate(X, W)[..., [k]], alone, atol=1e-12)


def test_mathematics_turns_the_kernel_which_changes_none_of_the_slides() -> None:
    rng = np.random.default_rng(1)
    [image] = X = grey(rng, 7, 6, n=1)
    kernel = rng.normal(size=(3, 3))
    convolved = convolve2d(image[:, :, 0], kernel, "valid")
    np.testing.assert_allclose(correlate(X, as_layer(turned(kernel)))[0, :, :, 0], convolved, atol=1e-12)
    assert np.abs(correlate(X, as_layer(kernel))[0, :, :, 0] - convolved).max() > 0.1
    for symmetric in (EDGE, BLUR):
        assert np.array_equal(turned(symmetric), symmetric)


def test_kernels_are_those_of_the_slides() -> None:
    assert EDGE.tolist() == [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    assert (9 * BLUR).tolist() == [[1, 1, 1]] * 3


@some
@given(st.integers(0, 255), SIDES, SIDES)
def test_edge_detection_of_one_grey_is_exactly_zero_inside_and_not_at_a_border_of_zeros(grey, height, width) -> None:
    X = np.full((1, height, width, 1), grey, np.float32)
    W = as_layer(EDGE.astype(np.float32))
    assert not correlate(X, W).any()
    at_border = correlate(X, W, "same")[0, :, :, 0]
    assert not at_border[1:-1, 1:-1].any()
    assert (at_border[0, 0], at_border[0, 1]) == (5 * grey, 3 * grey)


@some
@given(SEEDS, SIDES, SIDES)
def test_blur_keeps_the_mean_with_mirrored_borders_and_loses_some_to_zeros(seed, height, width) -> None:
    X = grey(np.random.default_rng(seed), height, width, n=1)
    for mode in ("symmetric", "wrap"):
        around = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=mode)
        assert correlate(around, as_layer(BLUR)).mean() == pytest.approx(X.mean(), rel=1e-12)
    white = correlate(np.ones_like(X), as_layer(BLUR), "same").mean()
    assert white == pytest.approx((1 - 2 / (3 * height)) * (1 - 2 / (3 * width)), rel=1e-12)


def test_shares_of_each_kind_of_kernel_are_one_and_of_the_others_zero() -> None:
    columns = np.array([[-1.0, 0.0, 1.0]] * 3)
    for kernel, kind in ((BLUR, "blur"), (-2 * EDGE, "edge"), (columns, "oriented"), (columns - columns.T, "oriented")):
        found = shares(as_layer(kernel))
        assert found == {name: pytest.approx(float(name == kind)) for name in ("blur", "edge", "oriented")}


def test_shares_of_kernels_without_order_are_those_of_the_dimensions() -> None:
    found = shares(np.random.default_rng(0).normal(size=(3, 3, 100, 500)))
    assert found == {name: pytest.approx(d / 9, abs=0.005) for name, d in (("blur", 1), ("edge", 1), ("oriented", 2))}


@pytest.mark.parametrize(
    ("shape", "kernel", "padding", "said"),
    [
        ((4, 6, 1), (5, 5, 1, 1), "valid", "the kernel 5 x 5 is larger than its input 4 x 6: padding 'valid' leaves"),
        (
            (4, 6, 1),
            (2, 3, 1, 1),
            "same",
            "the kernel 2 x 3 has no middle to put on a pixel: take odd sides or padding",
        ),
        ((4, 6, 3), (3, 3, 1, 1), "valid", "the images 4 x 6 x 3 have 3 channels, the kernel 3 x 3 x 1 x 1 takes 1"),
        ((4, 6, 1), (3, 3, 1, 1), "full", "padding is 'full'; it must be 'valid' or 'same'"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_shape(shape, kernel, padding, said) -> None:
    with pytest.raises(ValueError, match=said):
        correlate(np.ones((1, *shape)), np.ones(kernel), padding)


def test_kernel_as_large_as_its_input_leaves_one_number_and_a_larger_one_may_have_zeros_around() -> None:
    X = np.ones((1, 3, 3, 1))
    assert correlate(X, as_layer(np.ones((3, 3)))).tolist() == [[[[9.0]]]]
    assert correlate(X, as_layer(np.ones((5, 5))), "same").tolist() == [[[[9.0]] * 3] * 3]
