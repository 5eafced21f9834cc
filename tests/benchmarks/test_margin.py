"""The margin, on the benchmark's side: who is compared, on which images, and what is as published."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import bench_imagenet, bench_margin
from benchmarks.sources import coates, krizhevsky
from lecturebench import Baseline, NumberClaim, OrderClaim, Predictions, selection
from lecturebench.datasets import load
from lecturebench.errors import DataMissing
from lecturebench.training import fit
from lecturebench.training.baselines import fit_baseline

FEW = bench_margin.BENCHMARK.profiles["lecture"].train_size


def test_each_traditional_method_is_compared_with_the_deep_network_on_each_dataset():
    orders = [(claim.dataset, claim.order) for claim in bench_margin.CLAIMS if isinstance(claim, OrderClaim)]
    expected = [(dataset, ("alexnet", method.name)) for dataset in bench_margin.DATASETS
                for method in bench_margin.TRADITIONAL]  # fmt: skip
    assert orders == expected
    everybody = {"alexnet", *(method.name for method in bench_margin.TRADITIONAL)}
    places = dict(selection.places(bench_margin.BENCHMARK, "lecture"))
    assert {dataset: set(methods) for dataset, methods in places.items()} == dict.fromkeys(places, everybody)
    assert tuple(places) == bench_margin.DATASETS


def test_every_method_of_a_seed_is_fitted_on_the_same_images(backend):
    """A network that holds nothing out, and a baseline, draw their subset alike; another seed draws another."""
    digits, seen, fitted = load("digits"), [], []

    def remember(X, y):
        seen.append(np.asarray(X))
        from sklearn.dummy import DummyClassifier

        return DummyClassifier().fit(X, y)

    for seed in (0, 1):
        fit_baseline(remember, {}, digits, seed=seed, deterministic=False, train_size=50)
        fitted.append(seen[-1])
    subset, _ = fit.training_examples(digits, 50, 0.0, fit.streams(0)["split"])
    scaled = np.asarray(digits.train.X[subset], np.float32).reshape(50, -1) / np.float32(digits.scale)
    np.testing.assert_array_equal(fitted[0], scaled)
    assert not np.array_equal(*fitted)
    assert bench_margin.DEEP.training.validation == 0.0
    methods = (*bench_margin.TRADITIONAL, bench_margin.DEEP)
    assert all(bench_margin.BENCHMARK.profiles["lecture"].runs(method) == 3 for method in methods)
    assert {method.training.train_size for method in methods if method.training} == {None}
    assert FEW == 5_000


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
