"""Convolutional networks on the benchmark's side: published protocols, shuffled pixels, and the figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bench_cnn as bench
from benchmarks.experiments.parameters import count_parameters
from benchmarks.experiments.shuffled import shuffled_sheet
from lecturebench import Network, NumberClaim, ShuffledPixels, Trained, selection
from lecturebench.datasets import load
from lecturebench.models.convolutional import small_cnn
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record
from lecturebench.training.fit import fit_network

NETWORKS = {method.name: method for method in bench.METHODS if isinstance(method, Network)}


@pytest.fixture(scope="module")
def digits(own_cache):
    return load("digits")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(("name", "printed"), [("convnet", 34_826), ("lenet5", 60_850)])
def test_networks_have_the_printed_number_of_parameters_on_mnist(name, printed):
    method = NETWORKS[name]
    model = method.function((28, 28, 1), 10, **method.parameters)
    found = method.probe(Trained(model.get_weights(), [], max), None)
    assert found == {"count": float(printed), "off": 0.0}
    assert count_parameters(Trained(model.get_weights()[1:], [], max), None, printed=printed)["off"] > 0


def test_recipes_are_the_published_ones():
    convnet, lenet5 = NETWORKS["convnet"].training, NETWORKS["lenet5"].training
    assert (convnet.optimizer, convnet.learning_rate, convnet.batch_size, convnet.epochs) == ("adam", 0.001, 128, 15)
    assert (convnet.validation, convnet.held_out) == (0.1, "last")
    assert (lenet5.batch_size, lenet5.epochs, lenet5.validation) == (1, 20, 0.0)
    # 0.0005 for 2 passes, 0.0002 for 3, 0.0001 for 3, 0.00005 for 4, then 0.00001, of 20.
    rates = 0.0005 * lenet5.schedule.rates(20)
    np.testing.assert_allclose(rates, [0.0005] * 2 + [0.0002] * 3 + [0.0001] * 3 + [0.00005] * 4 + [0.00001] * 8)
    steps = NETWORKS["fashion_convnet"].training
    assert (steps.epochs - 1) * 60_000 / steps.batch_size < 200_000 <= steps.epochs * 60_000 / steps.batch_size


def test_published_numbers_are_of_two_datasets_and_the_long_one_waits_for_its_profile():
    claims = {(c.dataset, c.method, c.printed): c.profiles for c in bench.CLAIMS if isinstance(c, NumberClaim)}
    assert claims == {
        ("mnist", "convnet", "0.9922"): (),
        ("mnist", "lenet5", "0.95%"): (),
        ("fashion_mnist", "convnet", "0.876"): (),
        ("fashion_mnist", "fashion_convnet", "0.916"): ("full",),
    }
    on = dict(selection.places(bench.BENCHMARK, "lecture"))
    assert on["fashion_mnist"] == ("convnet",)
    assert "fashion_convnet" not in on["mnist"]


def test_rows_on_shuffled_pixels_differ_from_their_likes_in_the_view_alone():
    for plain, shuffled in (("cnn_few", "cnn_shuffled"), ("dense_few", "dense_shuffled")):
        a, b = NETWORKS[plain], NETWORKS[shuffled]
        assert (a.view, b.view) == (None, ShuffledPixels(0))
        assert (a.function, a.training, dict(a.parameters)) == (b.function, b.training, dict(b.parameters))


def test_sheet_shows_an_image_of_each_class_and_the_same_shuffled(digits):
    measured = shuffled_sheet(digits, np.random.default_rng(0), view=ShuffledPixels(0))
    images = measured.arrays["images"]
    assert images.shape == (2, 8, 8, 8)
    assert images.dtype == np.uint8
    for before, after in zip(*images, strict=True):
        assert sorted(before.ravel()) == sorted(after.ravel())
        assert (before != after).any()
    assert measured.values["neighbours"] > 1, "neighbours are alike in images, and not in shuffled ones"


def test_network_given_a_view_is_fitted_and_tested_on_what_it_shows(digits, backend):
    seen = []

    def probe(trained, dataset):
        seen.append(np.array(dataset.test.X))
        return {}

    view = ShuffledPixels(3)
    fit_network(
        *(small_cnn, {}, replace(bench.FEW, epochs=1), digits),
        seed=0,
        steps_class=backend.Steps,
        view=view,
        probe=probe,
    )
    np.testing.assert_array_equal(seen[0], view.see(digits, np.arange(1)).test.X)


def test_figure_says_what_each_network_makes_of_both():
    styles = method_styles(method.name for method in bench.METHODS)
    errors = {"cnn_few": 0.02, "cnn_shuffled": 0.06, "dense_few": 0.05, "dense_shuffled": 0.051}
    rows = {}
    for name, error in errors.items():
        runs = [
            Record(*("k", "benchmarks", "cnn", name, {}, "lecture", "tensorflow", "cpu", seed, "judged", "ok", {}),
                   metrics={"test": {"error": error + 0.001 * seed}})
            for seed in (-1, 0, 1)
        ]  # fmt: skip
        rows[name] = Series(NETWORKS[name].title, styles[name], runs)
    sheet = np.random.default_rng(0).integers(0, 256, (2, 8, 28, 28), dtype=np.uint8)
    runs = [Record("k", "benchmarks", "cnn", "sheet", {}, "lecture", "numpy", "cpu", 0, "judged", "ok", {})]
    rows["sheet"] = Series("", styles["sheet"], runs, lambda run: {"images": sheet})
    [drawing] = bench.DRAWINGS
    with styled():
        figure = blank(*drawing.size)
        words = drawing.draw(figure, rows)
    assert "CNN errs on 2.00% as they are and 6.00% shuffled; Dense network errs on 5.00% as they are" in words
    assert len(figure.axes[1].texts) == 2
