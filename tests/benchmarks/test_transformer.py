"""The transformer's benchmark: formulas that notice a change, the sentence, the cost, and equal parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bench_transformer as bench
from benchmarks.experiments import attention as experiment
from benchmarks.formulas import attention as formulas
from benchmarks.formulas.words import SLIDE
from lecturebench import NumberClaim, Trained
from lecturebench.datasets import Split
from lecturebench.datasets.words import Numbered
from lecturebench.models.words import recurrent, transformer
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record


def test_attention_of_one_key_takes_its_value_and_of_equal_keys_the_mean():
    rng = np.random.default_rng(0)
    Q, K, V = rng.normal(size=(3, 4)), rng.normal(size=(1, 4)), rng.normal(size=(1, 4))
    np.testing.assert_allclose(formulas.attention(Q, K, V), np.repeat(V, 3, axis=0))
    V = rng.normal(size=(5, 4))
    np.testing.assert_allclose(formulas.attention(Q, np.repeat(K, 5, axis=0), V), np.repeat(V.mean(0)[None], 3, axis=0))


def test_a_query_far_along_one_key_takes_that_keys_value_scaled_by_the_root_of_d():
    K, V = np.eye(4), np.arange(16.0).reshape(4, 4)
    np.testing.assert_allclose(formulas.attention(1e3 * K[2:3], K, V), V[2:3])
    two = formulas.weights(np.array([[2.0, 0, 0, 0]]), K)[0]
    assert two[0] / two[1] == pytest.approx(np.exp(2 / np.sqrt(4)))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_keras_and_ours_compute_the_formula_and_nothing_comes_from_a_masked_position(heads):
    values = experiment.check_attention(None, np.random.default_rng(heads), heads=heads).values
    assert values["masked"] == 0
    assert values["deviation"] < 1e-5


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("changed", ["scale", "softmax over queries", "no output bias"])
def test_a_changed_formula_is_noticed(changed, monkeypatch):
    if changed == "scale":
        monkeypatch.setattr(formulas, "weights", lambda Q, K, seen=None: formulas.softmax(Q @ K.T))
    elif changed == "softmax over queries":
        monkeypatch.setattr(formulas, "weights", lambda Q, K, seen=None: formulas.softmax(K @ Q.T / np.sqrt(16)).T)
    else:
        whole = experiment.multi_head
        monkeypatch.setattr(experiment, "multi_head", lambda X, theta: whole(X, theta) - theta[-1])
    assert experiment.check_attention(None, np.random.default_rng(0), heads=1).values["keras"] > 1e-3


@pytest.mark.usefixtures("backend")
def test_the_sentences_attention_is_that_of_the_networks_own_layer():
    import keras

    model = transformer((14,), 2, vocabulary=40, size=4, units=5, dense=3)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=weight.shape).astype(np.float32) for weight in model.get_weights()])
    vocabulary = ("film", *dict.fromkeys(word for word in SLIDE if word != "fall"))
    split = Split(np.zeros((1, 14), np.int32), np.zeros(1, int))
    data = Numbered(
        kind="table", task="classification", train=split, test=split, classes=("neg", "pos"), name="n", source="s",
        digests={}, vocabulary=vocabulary,
    )  # fmt: skip
    trained = Trained([np.asarray(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables], [], None)
    measured = experiment.attention_of_sentence(trained, data, heads=2)
    row = np.array([[0, 0, 0, *(data.numbers.get(word, 1) for word in SLIDE)]], np.float32)
    assert (row[0, 3:] == 1).sum() == 1, "'fall' is not in this vocabulary"
    before = keras.Model(model.input, model.layers[2].output)  # embedding and positions
    [layer] = [layer for layer in model.layers if "self_attention" in layer.name]
    looks = np.asarray(keras.ops.convert_to_numpy(layer.weighing(before(row))))[0]
    np.testing.assert_allclose(measured.arrays["looks"], looks[:, 3:, 3:], rtol=1e-4, atol=1e-6)
    assert measured.values["elsewhere"] == pytest.approx(looks[:, 3:, :3].sum(axis=2).mean(), abs=1e-6)


@pytest.mark.usefixtures("backend")
def test_cost_is_counted_by_length(monkeypatch):
    monkeypatch.setattr(experiment, "LENGTHS", (8, 16, 32))
    measured = experiment.cost_by_length(None, np.random.default_rng(0), build=bench.LSTM, vocabulary=30)
    assert [point["length"] for point in measured.curve] == [8, 16, 32]
    assert measured.values == {"seconds": measured.curve[-1]["seconds_a_step"]}
    assert min(point["seconds_a_step"] for point in measured.curve) > 0


@pytest.mark.usefixtures("backend")
def test_the_networks_that_are_compared_have_equal_parameters():
    [published] = [claim for claim in bench.CLAIMS if isinstance(claim, NumberClaim)]
    assert (published.method, published.printed) == ("transformer", "0.8745")
    counts = [
        build((200,), 2, vocabulary=bench.WORDS).count_params()
        for build in (transformer, bench.LSTM, lambda *a, **k: transformer(*a, placed=False, **k))
    ]
    assert counts == [657_758, 657_786, 657_758 - 200 * 32]
    assert {m.parameters["units"] for m in bench.METHODS if m.function is recurrent} == {52}


def test_figures_name_what_is_looked_at_and_how_cost_grows():
    looks, cost, _ = bench.DRAWINGS
    styles = method_styles([*looks.methods, *cost.methods])
    run = Record(*("k", "benchmarks", "transformer", "m", {}, "lecture", "tensorflow", "cpu", 0, "judged", "ok", {}))
    seen = np.full((2, len(SLIDE), len(SLIDE)), 0.01)
    seen[:, :, SLIDE.index("best")] = 0.5
    own = replace(run, metrics={"measured": {"elsewhere": 0.25}})
    rows = {"transformer": Series("T", styles["transformer"], [own], lambda _: {"looks": seen})}
    with styled():
        words = looks.draw(blank(*looks.size), rows)
    assert "'best' is looked at most" in words
    assert "25% goes to the empty places" in words
    curve = [{"length": float(n), "seconds_a_step": n**2 / 1e6} for n in experiment.LENGTHS]
    timed = replace(run, curve=curve)
    with styled():
        words = cost.draw(blank(*cost.size), {name: Series(name, styles[name], [timed]) for name in cost.methods})
    assert "cost_lstm: length to the power 2.0" in words
