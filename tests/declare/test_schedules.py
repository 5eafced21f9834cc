"""Learning-rate schedules against Keras' own, SciPy's triangle wave and closed forms; what the training loop uses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sawtooth

from lecturebench import Schedule, Training
from lecturebench.datasets import load
from lecturebench.models.dense import softmax_regression
from lecturebench.training.fit import fit_network

KINDS = ("constant", "step", "exponential", "cosine", "restarts", "triangular")
T = 60
WARM = 12  # a fifth, so that 48 steps are left: whole cycles for 2, 3 and 4 periods
FLOAT32 = 1e-6


def keras_rates(schedule, steps):
    """A Keras schedule of base rate 1 at those steps."""
    import keras

    return np.array([float(keras.ops.convert_to_numpy(schedule(int(step)))) for step in steps])


def keras_schedule(kind, steps):
    """Keras' schedule of that kind over so many steps: 3 periods of factor 0.2 where it has any."""
    from keras.optimizers import schedules

    if kind == "cosine":
        return schedules.CosineDecay(1.0, decay_steps=steps)
    if kind == "restarts":
        return schedules.CosineDecayRestarts(1.0, first_decay_steps=steps // 3, t_mul=1.0, m_mul=1.0)
    return schedules.ExponentialDecay(1.0, decay_steps=steps // 3, decay_rate=0.2, staircase=kind == "step")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", ["step", "exponential", "cosine", "restarts"])
def test_decays_equal_keras_own(kind):
    rates = Schedule(kind, periods=3, factor=0.2).rates(T)
    np.testing.assert_allclose(rates, keras_rates(keras_schedule(kind, T), range(T)), atol=FLOAT32)


@pytest.mark.usefixtures("backend")
def test_pieces_equal_keras_own_constants_between_their_boundaries():
    from keras.optimizers.schedules import PiecewiseConstantDecay

    schedule = Schedule("pieces", pieces=((2, 1.0), (3, 0.4), (3, 0.2), (4, 0.1), (8, 0.02)))
    keras_own = PiecewiseConstantDecay([5, 14, 23, 35], [1.0, 0.4, 0.2, 0.1, 0.02])  # the last step of each
    np.testing.assert_allclose(schedule.rates(60), keras_rates(keras_own, range(60)), atol=FLOAT32)


@given(
    pieces=st.lists(st.tuples(st.integers(1, 9), st.sampled_from([1.0, 0.5, 0.1])), min_size=1, max_size=5),
    each=st.integers(1, 7),
)
def test_pieces_are_as_long_as_they_say(pieces, each):
    expected = [multiple for length, multiple in pieces for _ in range(length * each)]
    np.testing.assert_array_equal(Schedule("pieces", pieces=tuple(pieces)).rates(len(expected)), expected)


@pytest.mark.parametrize(
    "given",
    [{"kind": "pieces"}, {"kind": "step", "pieces": ((1, 1.0),)}, {"kind": "pieces", "pieces": ((0, 1.0),)},
     {"kind": "pieces", "pieces": ((1, 0.0),)}, {"kind": "pieces", "pieces": ((1.5, 1.0),)}],
)  # fmt: skip
def test_pieces_that_say_no_rate_are_refused(given):
    with pytest.raises(ValueError, match="pieces"):
        Schedule(**given)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", ["step", "exponential", "cosine", "restarts"])
def test_decays_after_warm_up_equal_keras_own_begun_later(kind):
    rates = Schedule(kind, periods=3, factor=0.2, warmup=WARM / T).rates(T)
    later = keras_rates(keras_schedule(kind, T - WARM), range(T - WARM))
    np.testing.assert_allclose(rates[WARM:], later, atol=FLOAT32)


@pytest.mark.usefixtures("backend")
def test_warm_up_equals_that_of_keras_one_step_ahead():
    # Keras begins at a rate of 0, with which the first step would do nothing; ours begins at 1 / w.
    from keras.optimizers.schedules import CosineDecay

    keras_own = CosineDecay(0.0, decay_steps=T - WARM, warmup_target=1.0, warmup_steps=WARM)
    rates = Schedule("cosine", warmup=WARM / T).rates(T)
    np.testing.assert_allclose(rates[:WARM], keras_rates(keras_own, range(1, WARM + 1)), atol=FLOAT32)
    np.testing.assert_allclose(rates[WARM:], keras_rates(keras_own, range(WARM, T)), atol=FLOAT32)


@pytest.mark.usefixtures("backend")
def test_step_decay_equals_keras_constant_pieces():
    from keras.optimizers.schedules import PiecewiseConstantDecay

    pieces = PiecewiseConstantDecay([19, 39], [1.0, 0.1, 0.01])  # a boundary is the last step before the drop
    rates = Schedule("step", periods=3, factor=0.1).rates(T)
    np.testing.assert_allclose(rates, keras_rates(pieces, range(T)), atol=FLOAT32)


def test_triangular_equals_scipys_triangle_wave():
    phase = 2 * np.pi * np.arange(T) / (T / 4)
    wave = (1 + sawtooth(phase, width=0.5)) / 2
    np.testing.assert_allclose(Schedule("triangular", periods=4, factor=0.2).rates(T), 0.2 + 0.8 * wave, atol=1e-12)


def test_constant_is_one_and_factor_one_never_decays():
    assert (Schedule().rates(7) == 1).all()
    for kind in ("step", "exponential", "triangular"):
        assert (Schedule(kind, periods=3, factor=1.0).rates(7) == 1).all()


def test_cosine_falls_along_half_a_wave():
    np.testing.assert_allclose(Schedule("cosine").rates(4), [1, (1 + 2**-0.5) / 2, 0.5, (1 - 2**-0.5) / 2])


def test_every_cycle_starts_at_its_step_where_floating_point_would_start_it_late():
    # 29 / 100 * 100 is 28.999999999999996.
    assert np.array_equal(Schedule("step", periods=100, factor=0.5).rates(100), 0.5 ** np.arange(100))
    assert np.array_equal(Schedule("restarts", periods=100).rates(100), np.ones(100))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS), st.integers(1, 300), st.integers(1, 5), st.floats(0.01, 1), st.floats(0, 0.99)
)  # fmt: skip
def test_rates_stay_between_zero_and_one_and_warm_up_only_delays(kind, steps, periods, factor, warmup):
    schedule = Schedule(kind, periods, factor, warmup)
    warm = min(round(warmup * steps), steps - 1)
    if periods > steps - warm:
        with pytest.raises(ValueError, match=f"periods is {periods} for {steps - warm} steps"):
            schedule.rates(steps)
        return
    rates = schedule.rates(steps)
    assert rates.shape == (steps,)
    assert ((rates > 0) & (rates <= 1)).all()
    after = replace(schedule, warmup=0.0).rates(steps - warm)
    assert np.array_equal(rates[warm:], after)
    np.testing.assert_allclose(rates[:warm], np.linspace(0, after[0], warm + 1)[1:], rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["restarts", "triangular"]), st.integers(1, 6), st.integers(1, 30))
def test_periodic_rates_repeat_themselves(kind, periods, length):
    rates = Schedule(kind, periods=periods).rates(periods * length).reshape(periods, length)
    np.testing.assert_allclose(rates, np.tile(rates[0], (periods, 1)), atol=1e-12)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("kind", "linear", "one of constant, step"),
        ("periods", 0, "at least 1"),
        ("periods", -2, "at least 1"),
        ("periods", 1.5, "whole number"),
        ("factor", 0.0, r"in \(0, 1\]"),
        ("factor", 1.5, r"in \(0, 1\]"),
        ("warmup", -0.1, r"in \[0, 1\)"),
        ("warmup", 1.0, r"in \[0, 1\)"),
    ],
)
def test_what_makes_no_schedule_is_refused(field, value, allowed):
    with pytest.raises(ValueError, match=rf"{field} is {value!r}; it must be .*{allowed}"):
        Schedule(**{field: value})


@pytest.mark.parametrize("steps", [0, -3])
def test_schedule_without_length_is_refused(steps):
    with pytest.raises(ValueError, match=f"steps is {steps}; a schedule has at least 1"):
        Schedule("cosine").rates(steps)


def test_cycle_shorter_than_a_step_is_refused():
    with pytest.raises(ValueError, match="periods is 5 for 4 steps after warm-up; it must be at most 4"):
        Schedule("restarts", periods=5, warmup=0.2).rates(5)


def test_warm_up_leaves_a_step():
    np.testing.assert_allclose(Schedule("cosine", warmup=0.9).rates(2), [1, 1])
    np.testing.assert_allclose(Schedule("cosine", warmup=0.9).rates(1), [1])


def test_training_runs_through_the_whole_schedule(backend, own_cache):
    # The second half of the rates is a millionth of the first: then losses stand still, and no sooner.
    schedule = Schedule("step", periods=2, factor=1e-6)
    training = Training("sgd", learning_rate=0.1, batch_size=100, epochs=4, schedule=schedule)
    fitted = fit_network(softmax_regression, {}, training, load("digits"), seed=0, steps_class=backend.Steps)
    losses = np.array([point["validation_loss"] for point in fitted.curve])
    assert (np.diff(losses[:2]) < -1e-2).all()
    assert np.abs(np.diff(losses[1:])).max() < 1e-4
