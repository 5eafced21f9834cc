"""The L2 path and the dropout path: the grids, the norms, Keras' own dropout, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import bench_regularization as bench
from benchmarks.experiments.dropout import keras_dropout
from benchmarks.experiments.norms import norms
from lecturebench import IdentityClaim, MinimumClaim, OrderClaim, Trained
from lecturebench.cli import main
from lecturebench.models.dense import two_layer

LIMITS = {claim.metric: claim.tolerance for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)}
needs_backend = pytest.mark.usefixtures("backend")


def test_penalties_are_twelve_even_steps_on_a_log_scale_rounded_to_one_digit():
    even = [float(f"{10 ** (-6 + 4 * i / 11):.0e}") for i in range(12)]
    assert [method.parameters["penalty"] for method in bench.L2.values()] == even
    assert [float(method.name.removeprefix("l2_")) for method in bench.L2.values()] == even


def test_dropout_path_has_nine_rates_each_after_both_hidden_layers():
    assert [method.parameters["rates"] for method in bench.DROPOUT.values()] == [(i / 10, i / 10) for i in range(9)]
    assert [float(method.name.removeprefix("dropout_")) for method in bench.DROPOUT.values()] == [
        i / 10 for i in range(9)
    ]


def test_rows_of_a_path_differ_in_its_parameter_alone():
    for path, parameter in ((bench.L2.values(), "penalty"), (bench.DROPOUT.values(), "rates")):
        rest = [{name: value for name, value in m.parameters.items() if name != parameter} for m in path]
        assert all(parameters == {"units": (256, 128)} for parameters in rest)
        assert {id(method.training) for method in path} == {id(bench.SUBSET)}


def test_orders_speak_of_penalties_about_a_decade_or_two_apart():
    directions = {"train error": 1, "train loss": 1, "norm": -1}
    orders = {claim.metric: claim.order for claim in bench.CLAIMS if isinstance(claim, OrderClaim)}
    assert orders.pop("error") == ("dropout_0.4", "dropout_0.0")
    assert set(orders) == set(directions)
    for metric, order in orders.items():
        decades = np.log10([float(name.removeprefix("l2_")) for name in order])
        steps = directions[metric] * np.diff(decades)
        assert (steps >= 0.8).all()
        assert (steps <= 2).all()


def test_minimum_is_sought_on_the_whole_l2_path():
    [claim] = [claim for claim in bench.CLAIMS if isinstance(claim, MinimumClaim)]
    assert claim.path == tuple(bench.L2)
    assert claim.metric == "validation error"


@needs_backend
def test_norm_is_the_square_root_of_what_the_penalty_multiplies():
    import keras

    model = two_layer((5,), 3, units=(4, 2), penalty=0.25)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=array.shape).astype(np.float32) for array in model.get_weights()]
    model.set_weights(weights)
    penalty = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    values = norms(Trained(weights, [], max), None)
    assert 0.25 * values["norm"] ** 2 == pytest.approx(penalty, rel=1e-6)
    assert values["norm_of_all"] == pytest.approx(np.linalg.norm(np.concatenate([w.ravel() for w in weights])))


def test_norm_keeps_its_digits_where_single_precision_would_not():
    weights = [np.full((3000, 3000), 1e-3, np.float32), *[np.zeros(1, np.float32)] * 5]
    assert norms(Trained(weights, [], max), None)["norm"] == pytest.approx(3000 * float(np.float32(1e-3)), rel=1e-12)


@needs_backend
@pytest.mark.parametrize("seed", range(3))
def test_keras_dropout_is_what_slide_and_book_say(seed):
    method = bench.BENCHMARK.method("keras_dropout")
    measured = keras_dropout(None, np.random.default_rng(seed), **method.parameters)
    assert [point["rate"] for point in measured.curve] == [i / 10 for i in range(1, 9)]
    assert set(measured.values) == set(LIMITS)
    for name, limit in LIMITS.items():
        assert 0 < measured.values[name] == max(point[name] for point in measured.curve) <= limit
    for point in measured.curve:
        sd = np.sqrt(point["rate"] * (1 - point["rate"]) / (8192 * 256))
        assert point["z"] == pytest.approx(abs(point["share"] - point["rate"]) / sd)


@needs_backend
@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda A, kept, p: A * kept, "deviation"),
        (lambda A, kept, p: A * kept * (1 - p), "deviation"),
        (lambda A, kept, p: A * kept / (1 - p) * (1 + 1e-6), "deviation"),
        (lambda A, kept, p: A * ~kept / (1 - p), "z"),
    ],
    ids=["no scale", "inverted", "a millionth off", "kept and removed swapped"],
)
def test_each_number_notices_another_layer(monkeypatch, change, noticed):
    import keras

    def other(rate, seed):
        rng = np.random.default_rng(seed)
        return lambda A, training: keras.ops.convert_to_tensor(change(A, rng.random(A.shape) >= rate, rate))

    monkeypatch.setattr(keras.layers, "Dropout", other)
    values = keras_dropout(None, np.random.default_rng(0), rates=(0.3,), examples=512, units=256).values
    assert values[noticed] > LIMITS[noticed]


@needs_backend
def test_negative_penalty_is_refused_with_name_value_and_what_is_allowed():
    with pytest.raises(ValueError, match=r"^penalty is -1e-06; it must be 0 or above$"):
        two_layer((5,), 3, units=(4, 2), penalty=-1e-6)


@needs_backend
@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
@pytest.mark.parametrize("place", [0, 1])
def test_rate_outside_its_range_is_refused_after_either_layer(rate, place):
    rates = (rate, 0.0) if place == 0 else (0.0, rate)
    with pytest.raises(ValueError, match=rf"^rate is {rate}; a dropout rate must be in \[0, 1\)$"):
        two_layer((5,), 3, units=(4, 2), rates=rates)


SUITE = '''
"""Networks that cannot be built."""

from lecturebench import Benchmark, Network, Profile, Training
from lecturebench.models.dense import two_layer

SHORT = Training(optimizer="sgd", learning_rate=0.1, batch_size=32, epochs=1, train_size=64)
BENCHMARK = Benchmark(
    title="Bad input",
    methods=(
        Network("below", "Below", two_layer, SHORT, units=(4, 2), penalty=-1e-4),
        Network("all", "All", two_layer, SHORT, units=(4, 2), rates=(0.4, 1.0)),
    ),
    claims=(),
    datasets=("digits",),
    profiles={name: Profile(seeds=1, judges=False) for name in ("smoke", "lecture", "full")},
)
'''


@pytest.mark.slow
def test_command_tells_what_it_refuses_in_one_line_each(tmp_path, capsys):
    (tmp_path / "bench_bad.py").write_text(SUITE)
    out = tmp_path / "out"
    assert main(["run", "--suite", str(tmp_path), "--profile", "smoke", "--jobs", "1", "--out", str(out)]) == 1
    shown = capsys.readouterr()
    for line in (
        "below seed 0: error: ValueError: penalty is -0.0001; it must be 0 or above",
        "all seed 0: error: ValueError: rate is 1.0; a dropout rate must be in [0, 1)",
    ):
        assert sum(line in printed for printed in (shown.out + shown.err).splitlines() if "failed:" in printed) == 1
    assert "Traceback" not in shown.out + shown.err


def rows_of(names, validation):
    """Rows as a figure gets them: two runs each, half a point below and above the mean."""

    def values(name, metric):
        at = names.index(name)
        mean = {"validation error": validation[at], "error": 0.05, "train error": 0.01 * at}.get(metric, 20.0 - at)
        return np.array([mean - 0.0005, mean + 0.0005])

    return {name: SimpleNamespace(values=lambda metric, name=name: values(name, metric)) for name in names}


@pytest.mark.parametrize("drawing", bench.DRAWINGS, ids=lambda drawing: drawing.name)
def test_figure_tells_where_validation_error_is_lowest(drawing):
    from lecturebench.report import figures
    from lecturebench.report.style import styled

    names = drawing.methods
    validation = [0.06] * len(names)
    validation[3] = 0.0412
    figure = figures.blank(*drawing.size)
    with styled():
        words = drawing.draw(figure, rows_of(names, validation))
    assert f"validation error is lowest at {float(names[3].partition('_')[2]):g}".replace("1e-05", "1e-5") in words
    assert "4.12%" in words
    assert f"W1 and W2 from 20 to {21 - len(names)}" in words
    errors, norm = figure.axes
    assert [len(line.get_xdata()) for line in norm.lines] == [len(names)] * 2
    assert errors.lines[0].get_xdata()[3] == float(names[3].partition("_")[2])
