"""Parameters that are left to validation data, from a suite's file to the page: one of a baseline, two of a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from lecturebench import Baseline, session
from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution import worker
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.progress import PlainDisplay
from lecturebench.judging.results import Results
from lecturebench.store import Record, Store
from tests.made_up import rewrite

SUITE = '''
"""Digits: how many neighbours, how many units and which rate?"""

from lecturebench import Baseline, Benchmark, Choice, Network, Profile, Training

SEEDS = (1001, 1002)


def neighbours(X, y, *, n_neighbors):
    """Fitted nearest neighbours; scikit-learn refuses 3.0 of them."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors).fit(X, y)


def hidden(input_shape, outputs, *, units):
    """An untrained network of one hidden layer."""
    import keras

    layers = [keras.layers.Flatten(), keras.layers.Dense(units, "relu"), keras.layers.Dense(outputs)]
    return keras.Sequential([keras.Input(input_shape), *layers])


RATE = Choice((0.001, 0.01, 0.1), SEEDS, rule="least")

BENCHMARK = Benchmark(
    title="Digits",
    methods=(
        Baseline("neighbours", "Neighbours", neighbours, n_neighbors=Choice((1, 3, 5), SEEDS, rule="least")),
        Network("hidden", "Network", hidden, Training("sgd", RATE, 32, 2), units=Choice((4, 8), SEEDS)),
    ),
    claims=(),
    datasets=("digits",),
    profiles={
        "smoke": Profile(seeds=1, epochs=1, train_size=100, grid=2, choice_seeds=2, judges=False),
        "lecture": Profile(seeds=2),
        "full": Profile(),
    },
)
'''


@dataclass(frozen=True)
class Ran:
    suite: Path
    out: Path
    results: Results
    records: list[Record]

    def of(self, role: str) -> list[Record]:
        return [record for record in self.records if record.role == role]


def ran(folder: Path, method: str) -> Ran:
    suite = folder / "course"
    suite.mkdir()
    (suite / "bench_digits.py").write_text(SUITE)
    question = session.Question(suite=suite, methods=(method,), out=folder / "out", jobs=1)
    answer = session.answer(question, display=PlainDisplay(lambda line: None))
    records, problems = Store(question.out).read()
    assert not problems
    assert [record.reason for record in records if record.status != "ok"] == []
    return Ran(suite, question.out, answer.results, records)


@pytest.fixture(scope="module")
def baseline(tmp_path_factory, own_cache) -> Ran:
    return ran(tmp_path_factory.mktemp("baseline"), "neighbours")


@pytest.fixture(scope="module")
def network(tmp_path_factory, own_cache) -> Ran:
    return ran(tmp_path_factory.mktemp("network"), "hidden")


def validation(records, *names):
    """The mean validation error of each combination of values."""
    errors = {}
    for record in records:
        values = tuple(record.recipe[name] for name in names)
        errors.setdefault(values, []).append(record.metrics["validation"]["error"])
    assert all(len(each) == 2 for each in errors.values())
    return {values: sum(each) / 2 for values, each in errors.items()}


def test_baseline_is_chosen_on_a_fifth_of_train_and_judged_on_all_of_it(baseline):
    tried, [judged] = baseline.of("choice"), baseline.of("judged")
    assert len(tried) == 3 * 2
    for record in tried:
        n = record.dataset["n_train"] + record.dataset["n_validation"]
        assert (n, record.dataset["n_validation"]) == (judged.dataset["n_train"], round(0.2 * n))
        assert not (Store(baseline.out).runs / record.key / "predictions.npz").exists()
    assert judged.dataset["n_validation"] == 0
    assert "validation" not in judged.metrics
    means = validation(tried, "n_neighbors")
    assert judged.recipe["n_neighbors"] == min(means, key=lambda values: (means[values], values))[0]
    assert {type(record.recipe["n_neighbors"]) for record in baseline.records} == {int}


def verified(of: Ran) -> list[str]:
    return session.verify(of.out, suite=of.suite)


def test_what_was_chosen_by_other_errors_than_the_record_states_is_a_difference(baseline):
    assert verified(baseline) == []
    [judged] = baseline.of("judged")
    chosen = judged.recipe["n_neighbors"]
    other = next(value for value in (1, 3, 5) if value != chosen)
    edited = [record for record in baseline.of("choice") if record.recipe["n_neighbors"] == other]
    kept = {}
    for record in edited:
        path = Store(baseline.out).runs / record.key / "record.json"
        kept[path] = path.read_text()
        rewrite(path, lambda values: values["metrics"]["validation"].update(error=0.0))
    try:
        said = "\n".join(verified(baseline))
        assert f"n_neighbors was {chosen}, is {other}" in said
    finally:
        for path, text in kept.items():
            path.write_text(text)


def test_page_has_the_path_of_a_baselines_parameter(baseline):
    assert (baseline.out / "figures" / "digits-digits-choice-neighbours.svg").exists()
    page = (baseline.out / "index.html").read_text()
    assert "Neighbours: error against n neighbors" in page


def test_metric_that_the_predictions_do_not_tell_cannot_choose(baseline):
    benchmark = load_benchmark(baseline.suite / "bench_digits.py")
    benchmark = replace(benchmark, metric="loss", methods=(replaced_estimator(benchmark.methods[0]),))
    digits = load("digits")
    asked = Request(benchmark, "digits", digits.digests, "smoke", "tensorflow")
    tried = plan(asked, {}, {"neighbours": ""}).runs[0]
    with pytest.raises(RuntimeError, match="its n_neighbors cannot be chosen by loss"):
        worker._fit(tried, benchmark, benchmark.methods[0], digits, None)


def replaced_estimator(method):
    """The baseline with an estimator that gives no probabilities."""

    class Classes:
        def __init__(self, estimator):
            self.predict = estimator.predict

    def classes_alone(X, y, *, n_neighbors):
        return Classes(method.function(X, y, n_neighbors=n_neighbors))

    return Baseline(method.name, method.title, classes_alone, **method.parameters)


@pytest.mark.slow
def test_network_tries_each_combination_and_takes_the_best_by_the_rule(network):
    tried, judged = network.of("choice"), network.of("judged")
    means = validation(tried, "units", "learning_rate")
    assert sorted(means) == list(product((4, 8), (0.001, 0.01, 0.1)))
    best = min(means, key=lambda values: (means[values], values))
    chosen = {(record.recipe["units"], record.recipe["learning_rate"]) for record in judged}
    assert {rate for _, rate in chosen} == {best[1]}
    assert len(judged) == 2
    assert verified(network) == []


@pytest.mark.slow
def test_page_has_a_path_for_each_parameter_at_the_chosen_value_of_the_other(network):
    [record, _] = network.of("judged")
    page = (network.out / "index.html").read_text()
    for name, other in (("units", "learning_rate"), ("learning_rate", "units")):
        assert (network.out / "figures" / f"digits-digits-choice-hidden-{name}.svg").exists()
        assert f"All at {other.replace('_', ' ')} {record.recipe[other]:g}." in page
