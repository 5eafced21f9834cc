"""The slides' recurrent network: against a loop over single numbers, Keras, differences; and wrong ones are noticed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bench_rnn_formula as bench
from benchmarks.experiments import recurrent as experiment
from benchmarks.formulas import recurrent as formulas
from benchmarks.formulas.activations import ACTIVATIONS
from benchmarks.formulas.differences import central_differences, relative_error
from lecturebench.datasets import Dataset, Split
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record


def days(n: int = 120) -> Dataset:
    rng = np.random.default_rng(4)
    X = rng.normal(2, 3, (n, 3))
    return Dataset(
        kind="table", task="regression", train=Split(X, X[:, 1]), test=Split(X, X[:, 1]), columns=("a", "b", "c"),
        name="drawn", source="this test", digests={},
    )  # fmt: skip


def drawn(seed: int, n: int = 6, length: int = 4, p: int = 2, units: int = 3):
    rng = np.random.default_rng(seed)
    return experiment.random_network(rng, units, p), rng.normal(size=(n, length, p)), rng.normal(size=n)


def by_inputs(theta, X, g):
    """d O_L / d X_l for each vector, (n, L, p) by the chain rule."""
    w, u, beta = theta
    z, _ = formulas.inputs_of_units(theta, X, g)
    slopes = np.empty_like(X)
    delta = beta[1:] * g.derivative(z[:, -1])  # d O_L / d z_l, (n, K)
    for step in reversed(range(X.shape[1])):
        slopes[:, step] = delta @ w[:, 1:]
        if step:
            delta = (delta @ u) * g.derivative(z[:, step - 1])
    return slopes


def test_outputs_are_the_slides_sums_written_out_number_by_number():
    (w, u, beta), X, _ = drawn(1)
    found = formulas.outputs((w, u, beta), X, ACTIVATIONS["tanh"])
    for i in range(len(X)):
        before = [0.0] * 3
        for step in range(4):
            A = [
                math.tanh(
                    w[k, 0]
                    + sum(w[k, j + 1] * X[i, step, j] for j in range(2))
                    + sum(u[k, s] * before[s] for s in range(3))
                )
                for k in range(3)
            ]
            assert found[i, step] == pytest.approx(beta[0] + sum(beta[k + 1] * A[k] for k in range(3)), abs=1e-12)
            before = A


def test_loss_is_of_the_last_output_alone():
    theta, X, y = drawn(2)
    g = ACTIVATIONS["sigmoid"]
    last = formulas.outputs(theta, X, g)[:, -1]
    assert formulas.loss(theta, X, y, g) == pytest.approx(((y - last) ** 2).sum())
    assert formulas.loss(theta, X, last, g) == 0


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(["identity", "sigmoid", "tanh"]), st.integers(1, 6), st.integers(1, 4))
def test_chain_rule_backwards_is_the_gradient_at_networks_of_any_size(seed, name, length, units):
    theta, X, y = drawn(seed, length=length, units=units)
    g = ACTIVATIONS[name]
    steps = central_differences(lambda moved: formulas.loss(tuple(moved), X, y, g), theta)
    for measured, expected in zip(steps, formulas.slide_gradient(theta, X, y, g), strict=True):
        np.testing.assert_allclose(measured, expected, rtol=1e-5, atol=1e-5)


def test_gradient_by_inputs_is_that_of_differences_and_shrinks_backwards_where_u_is_small():
    theta, X, _ = drawn(3, n=2)
    g = ACTIVATIONS["tanh"]
    slopes = by_inputs(theta, X, g)
    [numerical] = central_differences(lambda moved: float(formulas.outputs(theta, moved[0], g)[:, -1].sum()), [X])
    np.testing.assert_allclose(slopes, numerical, rtol=1e-5, atol=1e-7)
    small = by_inputs((theta[0], theta[1] / 100, theta[2]), X, g)
    assert (np.abs(small[:, 0]).max(axis=1) < 1e-3 * np.abs(small[:, -1]).max(axis=1)).all()


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", bench.ACTIVATIONS)
def test_keras_has_the_slides_outputs_and_gradient_to_one_millionth(name):
    values = experiment.check(days(), np.random.default_rng(0), name).values
    assert values["outputs"] < 1e-6
    assert values["automatic"] < 1e-6
    assert values["deviation"] == max(values["outputs"], values["automatic"], values["central"])


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    "wrong",
    [
        lambda w, u, beta: (w, u.T, beta),  # the state before, weighed by the columns of u
        lambda w, u, beta: (w, 0 * u, beta),  # no state before
        lambda w, u, beta: (np.column_stack([0 * w[:, 0], w[:, 1:]]), u, beta),  # no w_k0
        lambda w, u, beta: (w, u, np.concatenate([[0], beta[1:]])),  # no beta_0
    ],
)
def test_a_changed_formula_is_noticed(wrong, monkeypatch):
    monkeypatch.setattr(experiment, "outputs", lambda theta, X, g: formulas.outputs(wrong(*theta), X, g))
    assert experiment.check(days(), np.random.default_rng(0), "tanh").values["outputs"] > 1e-3


@pytest.mark.usefixtures("backend")
def test_a_gradient_of_all_outputs_or_without_the_way_back_is_noticed(monkeypatch):
    def last_step_alone(theta, X, y, g):
        by_w, by_u, by_beta = formulas.slide_gradient(theta, X[:, -1:], y, g)
        return by_w, by_u, by_beta

    monkeypatch.setattr(experiment, "slide_gradient", last_step_alone)
    assert experiment.check(days(), np.random.default_rng(0), "tanh").values["automatic"] > 1e-2


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("kind", "orthogonal"), [("SimpleRNN", True), ("SimpleRNN", False), ("LSTM", True), ("GRU", True)]
)
def test_forgetting_is_the_norm_of_each_days_gradient(kind, orthogonal):
    measured = experiment.forgetting(days(), np.random.default_rng(0), kind, orthogonal)
    norms = measured.arrays["norms"]
    assert norms.shape == (experiment.DAYS,)
    assert (norms > 0).all()
    assert measured.values["kept"] == pytest.approx(norms[0] / norms[-1])
    assert measured.values["lost"] == pytest.approx(-np.log10(norms[0] / norms[-1]))
    again = experiment.forgetting(days(), np.random.default_rng(0), kind, orthogonal)
    np.testing.assert_array_equal(norms, again.arrays["norms"])


@pytest.mark.usefixtures("backend")
def test_forgetting_of_a_simple_network_is_that_of_the_slides_formula(monkeypatch):
    kept = {}

    def remember(variable, rng, orthogonal):
        kept[variable.name if "dense" not in variable.path else f"dense {variable.name}"] = value = drawn_before(
            variable, rng, orthogonal
        )
        return value

    drawn_before = experiment.drawn
    monkeypatch.setattr(experiment, "drawn", remember)
    measured = experiment.forgetting(days(), np.random.default_rng(7), "SimpleRNN")
    X, _ = experiment.sequences(days(), np.random.default_rng(7), experiment.DAYS, experiment.WATCHED)
    theta = (
        np.column_stack([kept["bias"], kept["kernel"].T]), kept["recurrent_kernel"].T,
        np.concatenate([kept["dense bias"], kept["dense kernel"][:, 0]]),
    )  # fmt: skip
    np.testing.assert_allclose(theta[1] @ theta[1].T, np.eye(experiment.UNITS), atol=1e-10)
    slopes = by_inputs(theta, X, ACTIVATIONS["tanh"])
    np.testing.assert_allclose(measured.arrays["norms"], np.linalg.norm(slopes, axis=2).mean(axis=0), rtol=1e-4)


def test_each_sequence_is_followed_by_its_response_of_the_next_day():
    data = days()
    X, y = experiment.sequences(data, np.random.default_rng(1), 5, 8)
    standardised = (data.train.X - data.train.X.mean(axis=0)) / data.train.X.std(axis=0)
    for sequence, response in zip(X, y, strict=True):
        [first] = np.flatnonzero((standardised[:-5] == sequence[0]).all(axis=1))
        np.testing.assert_array_equal(sequence, standardised[first : first + 5])
        assert response == pytest.approx(standardised[first + 5, 1])


def test_relu_leaves_out_sequences_near_its_kink():
    theta, X, y = drawn(5, n=200)
    z, _ = formulas.inputs_of_units(theta, X, ACTIVATIONS["relu"])
    kept, _ = experiment.off_the_kink(theta, X, y, ACTIVATIONS["relu"])
    assert len(kept) == (np.abs(z).min(axis=(1, 2)) >= experiment.KINK).sum() < 200
    assert relative_error([np.zeros(2)], [np.zeros(2)]) == 0


def test_figure_says_what_the_first_step_has_of_the_last():
    [drawing] = bench.DRAWINGS
    styles = method_styles(drawing.methods)
    run = Record(*("k", "benchmarks", "rnn_formula", "lstm", {}, "lecture", "tensorflow", "cpu", 0, "judged", "ok", {}))
    rows = {}
    for i, name in enumerate(drawing.methods, start=1):
        norms = np.geomspace(10.0**-i, 1, 60)
        rows[name] = Series(name, styles[name], [run, replace(run, seed=1)], lambda _, norms=norms: {"norms": norms})
    with styled():
        words = drawing.draw(blank(*drawing.size), rows)
    assert "simple: the first has 0.1; simple_uniform: the first has 0.01" in words
