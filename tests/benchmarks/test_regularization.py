"""The L2 path and the dropout path: the grids, the norms, dropout's identities, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks import bench_regularization as bench
from lecturebench import IdentityClaim, MinimumClaim, OrderClaim
from lecturebench.cli import main
from lecturebench.models.dense import two_layer

TOLERANCES = {claim.method: claim.tolerance for claim in bench.CLAIMS if isinstance(claim, IdentityClaim)}
needs_backend = pytest.mark.usefixtures("backend")


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    return SimpleNamespace(train=SimpleNamespace(X=X), scale=255, classes=tuple("0123456789"))


def experiment(name, images, seed=0, **changes):
    """What one of the benchmark's experiments finds on these images."""
    method = bench.BENCHMARK.method(name)
    return method.function(images, np.random.default_rng(seed), **(dict(method.parameters) | changes))


def test_penalties_are_twelve_even_steps_on_a_log_scale_rounded_to_one_digit():
    even = [float(f"{10 ** (-6 + 4 * i / 11):.0e}") for i in range(12)]
    assert [method.parameters["penalty"] for method in bench.L2] == even
    assert [float(method.name.removeprefix("l2_")) for method in bench.L2] == even


def test_dropout_path_has_nine_rates_each_after_both_hidden_layers():
    assert [method.parameters["rates"] for method in bench.DROPOUT] == [(i / 10, i / 10) for i in range(9)]
    assert [float(method.name.removeprefix("dropout_")) for method in bench.DROPOUT] == [i / 10 for i in range(9)]


def test_rows_of_a_path_differ_in_its_parameter_alone():
    for path, parameter in ((bench.L2, "penalty"), (bench.DROPOUT, "rates")):
        rest = [{name: value for name, value in m.parameters.items() if name != parameter} for m in path]
        assert all(one == {"units": (256, 128)} for one in rest)
        assert {id(method.training) for method in path} == {id(bench.SUBSET)}


def test_orders_speak_of_penalties_about_a_decade_or_two_apart():
    directions = {"train error": 1, "train loss": 1, "norm": -1}
    orders = {claim.metric: claim.order for claim in bench.CLAIMS if isinstance(claim, OrderClaim)}
    assert set(orders) == set(directions)
    for metric, order in orders.items():
        decades = np.log10([float(name.removeprefix("l2_")) for name in order])
        steps = directions[metric] * np.diff(decades)
        assert (steps >= 0.8).all()
        assert (steps <= 2).all()


def test_minimum_is_sought_on_the_whole_l2_path():
    [claim] = [claim for claim in bench.CLAIMS if isinstance(claim, MinimumClaim)]
    assert claim.path == tuple(method.name for method in bench.L2)
    assert claim.metric == "validation error"


@needs_backend
def test_norm_is_the_square_root_of_what_the_penalty_multiplies():
    import keras

    model = two_layer((5,), 3, units=(4, 2), penalty=0.25)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=array.shape).astype(np.float32) for array in model.get_weights()]
    model.set_weights(weights)
    penalty = sum(float(keras.ops.convert_to_numpy(loss)) for loss in model.losses)
    found = bench.norms(weights, None, None)
    assert 0.25 * found["norm"] ** 2 == pytest.approx(penalty, rel=1e-6)
    assert found["norm_of_all"] == pytest.approx(np.linalg.norm(np.concatenate([w.ravel() for w in weights])))


def test_norm_keeps_its_digits_where_single_precision_would_not():
    weights = [np.full((3000, 3000), 1e-3, np.float32), *[np.zeros(1, np.float32)] * 5]
    assert bench.norms(weights, None, None)["norm"] == pytest.approx(3000 * float(np.float32(1e-3)), rel=1e-12)


def test_every_word_is_there_once():
    words = bench.EveryWord().bit_generator.random_raw(16384).view(np.uint16)
    assert np.array_equal(np.sort(words), np.arange(65536))
    with pytest.raises(ValueError, match="size is 16383"):
        bench.EveryWord().random_raw(16383)


@needs_backend
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.3, 0.5, 0.8])
def test_of_all_words_the_rounded_share_removes_a_unit(rate):
    masks = bench.dropout_layer(rate, 256).draw(1, 256, bench.EveryWord())
    assert (~masks).sum() == round(rate * 65536)


@needs_backend
def test_expected_activation_is_the_input_for_every_rate(images):
    found = experiment("expectation", images)
    assert [point["rate"] for point in found.curve] == [i / 10 for i in range(9)]
    assert found.values["deviation"] == max(point["deviation"] for point in found.curve)
    assert found.values["deviation"] <= TOLERANCES["expectation"]


@needs_backend
@pytest.mark.parametrize(
    "scale",
    [
        lambda layer: 1.0,
        lambda layer: 1 - layer.rate,
        lambda layer: 1 / layer.rate,
        lambda layer: 1 / (1 - layer.rate),  # of the rate as written, while masks have the rounded one
    ],
    ids=["none", "inverted", "of the removed", "not rounded"],
)
def test_expectation_notices_a_wrong_scale(images, monkeypatch, scale):
    wrong_scale(monkeypatch, scale)
    assert experiment("expectation", images, rates=(0.3,)).values["deviation"] > 10 * TOLERANCES["expectation"]


def wrong_scale(monkeypatch, scale, mask=lambda mask: mask):
    """Give the suite's dropout layer another scale, or another use of its mask."""
    import keras

    from lecturebench.models.layers import Dropout

    def call(self, inputs, training=False):
        if not training or not self.draws:
            return inputs
        return inputs * keras.ops.cast(mask(self.mask), inputs.dtype) * scale(self)

    monkeypatch.setattr(Dropout, "call", call)


def test_thinned_network_never_sees_what_was_removed():
    rng = np.random.default_rng(1)
    shapes = ((3, 4), (4,), (4, 2), (2,), (2, 5), (5,))
    weights = [rng.uniform(-0.2, 1, size=shape) for shape in shapes]
    x, first, second = rng.uniform(size=3), np.array([True, False, True, True]), np.array([False, True])
    hidden = np.maximum(x @ weights[0] + weights[1], 0) * first / 0.6
    hidden = np.maximum(hidden @ weights[2] + weights[3], 0) * second / 0.6
    assert hidden[1] > 0
    expected = hidden @ weights[4] + weights[5]
    np.testing.assert_allclose(bench.thinned(x, weights, (first, second), 0.4), expected, rtol=1e-12)
    spoiled = [array.copy() for array in weights]
    spoiled[0][:, 1] = spoiled[1][1] = spoiled[2][1] = spoiled[2][:, 0] = spoiled[3][0] = spoiled[4][0] = np.nan
    np.testing.assert_allclose(bench.thinned(x, spoiled, (first, second), 0.4), expected, rtol=1e-12)


@needs_backend
def test_outputs_on_recorded_masks_are_those_of_the_thinned_networks(images):
    found = experiment("removal", images, units=(32, 16), examples=8)
    assert [point["rate"] for point in found.curve] == [i / 10 for i in range(1, 9)]
    assert 0 < found.values["deviation"] <= TOLERANCES["removal"]


@needs_backend
@pytest.mark.parametrize(
    ("scale", "mask"),
    [
        (lambda layer: 1 / (1 - layer.rate), np.logical_not),
        (lambda layer: 1 / (1 - layer.rate), lambda mask: mask[::-1]),
        (lambda layer: 1.0, lambda mask: mask),
        (lambda layer: 1 / (1 - layer.rate) + 1e-3, lambda mask: mask),
    ],
    ids=["kept and removed swapped", "another image's mask", "no scale", "scale off by a thousandth"],
)
def test_removal_notices_another_layer(images, monkeypatch, scale, mask):
    wrong_scale(monkeypatch, scale, mask)
    found = experiment("removal", images, rates=(0.3,), units=(32, 16), examples=8)
    assert found.values["deviation"] > TOLERANCES["removal"]


@needs_backend
def test_share_of_removed_units_is_the_rate_within_its_bound(images):
    found = experiment("removed_share", images)
    assert found.values["z"] == max(point["z"] for point in found.curve) <= TOLERANCES["removed_share"]
    for point in found.curve:
        sd = np.sqrt(point["rate"] * (1 - point["rate"]) / (64 * 128 * 256))
        assert point["z"] == pytest.approx(abs(point["share"] - point["rate"]) / sd)


@needs_backend
@pytest.mark.parametrize("off", [0.003, -0.003])
def test_share_notices_a_rate_that_is_three_thousandths_off(images, monkeypatch, off):
    layer = bench.dropout_layer

    def other(rate, width):
        made = layer(rate + off, width)
        made.rate = rate
        return made

    monkeypatch.setattr(bench, "dropout_layer", other)
    assert experiment("removed_share", images).values["z"] > TOLERANCES["removed_share"]


def test_chance_alone_exceeds_the_bound_less_than_once_in_a_million():
    n, bound = 64 * 128 * 256, TOLERANCES["removed_share"]
    most = max(profile.seeds for profile in bench.BENCHMARK.profiles.values())
    chance = 0.0
    for rate in bench.REMOVING:
        drawn = round(rate * 65536) / 65536
        sd = np.sqrt(n * rate * (1 - rate))
        chance += binom.sf(n * rate + bound * sd, n, drawn) + binom.cdf(n * rate - bound * sd, n, drawn)
    assert 0 < most * chance < 1e-6


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
        assert sum(line in one for one in (shown.out + shown.err).splitlines() if "failed:" in one) == 1
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
        told = drawing.draw(figure, rows_of(names, validation))
    assert f"lowest at {names[3].partition('_')[2]}, 4.12%, and test error 5.00% there" in told
    assert f"from 20.0 to {21 - len(names):.1f}" in told
    errors, norm = figure.axes
    assert [len(line.get_xdata()) for line in norm.lines] == [len(names)] * 2
    assert errors.lines[0].get_xdata()[3] == float(names[3].partition("_")[2])
