"""The margin, on the benchmark's side: who is compared, on which images, and what is as published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.dummy import most_frequent
from benchmarks import bench_imagenet, bench_margin
from benchmarks.sources import coates, krizhevsky
from lecturebench import Baseline, NumberClaim, OrderClaim, Predictions, selection
from lecturebench.datasets import load
from lecturebench.declare.methods import takes_seed
from lecturebench.errors import DataMissing
from lecturebench.models.dense import softmax_regression
from lecturebench.report.figures import blank
from lecturebench.report.series import Series
from lecturebench.report.style import method_styles, styled
from lecturebench.store import Record
from lecturebench.training import fit
from lecturebench.training.baselines import fit_baseline, flat_inputs
from lecturebench.training.fit import fit_network


def test_each_traditional_method_is_compared_with_the_deep_network_on_each_dataset():
    orders = [(claim.dataset, claim.order) for claim in bench_margin.CLAIMS if isinstance(claim, OrderClaim)]
    deep = {"cifar10": "alexnet_mirrored", "fashion_mnist": "alexnet", "mnist": "alexnet"}
    expected = [
        (dataset, (deep[dataset], method.name))
        for dataset in bench_margin.DATASETS
        for method in bench_margin.TRADITIONAL
    ]
    assert orders == expected
    places = dict(selection.places(bench_margin.BENCHMARK, "lecture"))
    assert tuple(places) == bench_margin.DATASETS
    traditional = [method.name for method in bench_margin.TRADITIONAL]
    assert {dataset: set(methods) for dataset, methods in places.items()} == {
        dataset: {deep[dataset], *traditional} for dataset in places
    }


def test_network_and_baseline_of_a_seed_are_fitted_on_the_same_images(backend, monkeypatch):
    """Both asked as a run asks them; another seed draws others."""
    digits, drawn, by_network, given = load("digits"), fit.training_examples, [], []

    def drawing(*arguments):
        by_network.append(drawn(*arguments))
        return by_network[-1]

    def remember(X, y):
        given.append(np.array(X))
        return most_frequent(X, y)

    monkeypatch.setattr(fit, "training_examples", drawing)
    training, subsets = replace(bench_margin.FEW, epochs=1), []
    for seed in (0, 1):
        fit_network(softmax_regression, {}, training, digits, seed=seed, steps_class=backend.Steps, train_size=50)
        fit_baseline(remember, {}, digits, seed=seed, deterministic=False, train_size=50)
        train, held_out = by_network[-1]
        assert (len(train), len(held_out)) == (50, 0)
        np.testing.assert_array_equal(given[-1], flat_inputs(digits, digits.train.X[train]))
        subsets.append(tuple(train))
    assert subsets[0] != subsets[1]


def test_every_method_of_the_lecture_draws_its_images_anew_for_each_of_three_seeds():
    methods, lecture = (
        (*bench_margin.TRADITIONAL, bench_margin.DEEP, bench_margin.MIRRORED),
        bench_margin.BENCHMARK.profiles["lecture"],
    )
    assert {lecture.runs(method) for method in methods} == {3}
    # What draws no random numbers itself has to be declared random; the others are asked for a seed.
    assert not any(method.deterministic for method in methods)
    asks = {method.name for method in methods if method.training is None and takes_seed(method.function)}
    assert {m.name for m in methods if m.deterministic is None} <= asks
    assert {method.training.train_size for method in methods if method.training} == {None}
    assert lecture.train_size == 5_000


def test_small_networks_and_features_are_those_of_the_papers_and_for_full_alone():
    claims = {c.method: c for c in bench_margin.CLAIMS if isinstance(c, NumberClaim)}
    assert {name: (c.printed, c.metric) for name, c in claims.items()} == {
        "alexnet_11": ("11%", "error"), "alexnet_13": ("13%", "error"), "patches_4000": ("79.6%", "accuracy"),
    }  # fmt: skip
    by_name = {method.name: method for method in bench_margin.METHODS}
    for name in claims:
        assert claims[name].profiles == by_name[name].profiles == ("full",)
        assert by_name[name].datasets == ("cifar10",)
    normalised, plain = by_name["alexnet_11"], by_name["alexnet_13"]
    assert normalised.training == plain.training
    assert plain.parameters["local"] == (32, 32)
    rates = 0.001 * normalised.training.schedule.rates(520)
    np.testing.assert_allclose(rates[[0, 499, 500, 509, 510, 519]], [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])
    assert isinstance(by_name["patches_4000"], Baseline)
    assert by_name["patches_4000"].parameters["features"] == 4000
    assert (coates.PRINTED[4000], krizhevsky.PRINTED["plain"]) == ("79.6%", "13%")


def test_imagenet_has_first_and_first_five_answers_of_both_networks_as_printed():
    claims = [(c.method, c.metric, c.printed) for c in bench_imagenet.CLAIMS]
    assert claims == [
        ("alexnet", "error", "40.7%"), ("alexnet", "top5_error", "18.2%"),
        ("resnet18", "accuracy", "69.758%"), ("resnet18", "top5_accuracy", "89.078%"),
    ]  # fmt: skip
    alexnet, resnet = (method.training for method in bench_imagenet.METHODS)
    assert (alexnet.learning_rate, alexnet.batch_size, alexnet.epochs) == (0.01, 128, 90)
    assert (resnet.learning_rate, resnet.batch_size, resnet.epochs) == (0.1, 256, 90)
    np.testing.assert_allclose(0.1 * resnet.schedule.rates(90)[[0, 29, 30, 60]], [0.1, 0.1, 0.01, 0.001])
    np.testing.assert_allclose(0.01 * alexnet.schedule.rates(90)[[29, 30, 60, 80]], [1e-2, 1e-3, 1e-4, 1e-5])
    probabilities = np.array([[0.0, 0.1, 0.2, 0.3, 0.25, 0.15], [0.0, 0.1, 0.2, 0.3, 0.25, 0.15]])
    predictions = Predictions(probabilities.argmax(1), probabilities)
    assert bench_imagenet.top5_accuracy(np.array([0, 1]), predictions) == 0.5


@pytest.mark.parametrize("profile", ["lecture", "full"])
def test_without_imagenet_its_rows_are_not_run_and_the_reason_says_how_it_is_had(profile, tmp_path, monkeypatch):
    monkeypatch.setenv("LECTUREBENCH_CACHE", str(tmp_path))
    asked, missing = selection.requests(
        [bench_imagenet.BENCHMARK], profile=profile, backend="tensorflow", device="cpu", data_dir=tmp_path, say=print
    )
    assert asked == []
    [reason] = missing[""].values()
    assert "\n" not in reason
    assert "put them into DIR/downloads/manual, run `tfds build imagenet2012 --data_dir DIR`" in reason
    with pytest.raises(DataMissing):
        load("imagenet2012", tmp_path)


def test_figure_sorts_methods_by_error_and_says_how_far_each_is_from_the_deep_network():
    mirrored, drawing = bench_margin.DRAWINGS
    assert mirrored.methods == ("alexnet_mirrored", *drawing.methods[1:])
    assert drawing.methods == ("alexnet", *(method.name for method in bench_margin.TRADITIONAL))
    styles = method_styles(drawing.methods)
    rows = {}
    for i, name in enumerate(drawing.methods):
        mean = {"alexnet": 0.3, "patches": 0.2}.get(name, 0.25 + 0.1 * i)
        runs = [
            Record(*("k", "benchmarks", "margin", name, {}, "lecture", "numpy", "cpu", seed, "judged", "ok", {}),
                   metrics={"test": {"error": mean + 0.01 * seed}})
            for seed in (-1, 0, 1)
        ]  # fmt: skip
        rows[name] = Series(name.upper(), styles[name], runs)
    with styled():
        figure = blank(*drawing.size)
        words = drawing.draw(figure, rows)
    shown = words.partition(": ")[2].split("; ")
    assert shown[:3] == ["PATCHES 20.0% (-10.0)", "ALEXNET 30.0%", "SOFTMAX 35.0% (+5.0)"]
    assert len(shown) == len(drawing.methods)
    [axes] = figure.axes
    assert list(axes.lines[0].get_xdata()) == pytest.approx([0.3, 0.3]), "the upright line is at the deep network"
