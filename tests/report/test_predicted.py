"""What saved predictions come to: losses, confusions, mistakes with images or words, calibration."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.calibration import calibration_curve

from lecturebench.judging.results import Results
from lecturebench.metrics import Predictions as Made
from lecturebench.report.predicted import Predictions, classified, confusion_counts, reliability
from lecturebench.report.views.predictions import COLUMNS, predictions_data, sprite
from lecturebench.store import Store

Load = Callable[[str], Any]


@pytest.fixture
def saved(store: Store, load: Load) -> Predictions:
    return Predictions(store, load)


def test_confusions_are_means_over_the_runs() -> None:
    runs = [Made(np.array([0, 1, 1])), Made(np.array([0, 0, 1]))]
    assert confusion_counts(np.array([0, 0, 1]), runs, 2).tolist() == [[1.5, 0.5], [0.0, 1.0]]


def test_reliability_agrees_with_scikit_learns_calibration_curve() -> None:
    rng = np.random.default_rng(0)
    run = rng.dirichlet(np.ones(3), 500)
    y = rng.integers(0, 3, 500)
    right = run.argmax(axis=1) == y
    share, sure = calibration_curve(right, run.max(axis=1), n_bins=10)
    bins = reliability([Made(run.argmax(axis=1), run)], y)
    np.testing.assert_allclose([line[1] for line in bins], sure, atol=1e-4)
    np.testing.assert_allclose([line[2] for line in bins], share, atol=1e-4)
    assert sum(line[0] for line in bins) == 500


def test_certain_predictions_fall_into_the_last_tenth() -> None:
    run = Made(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert reliability([run], np.array([0, 0])) == [[2, 1.0, 0.5]]


def test_class_is_that_of_most_runs_and_sure_are_those_that_kept_probabilities() -> None:
    y = np.array([0, 0])
    kept = Made(np.array([0, 0]), np.array([[0.6, 0.4], [0.7, 0.3]]))
    both = classified([kept, Made(np.array([0, 1])), Made(np.array([0, 1]))], y, 2)
    assert both.predicted.tolist() == [0, 1]
    assert both.sure.tolist() == pytest.approx([0.6, 0.3])
    assert both.wrong_runs.tolist() == [0, 2]
    none = classified([Made(np.array([0, 1]))], y, 2)
    assert np.isnan(none.sure).all()
    assert none.bins == []


def test_losses_are_those_of_each_seed(results: Results, saved: Predictions) -> None:
    for row in results.rows:
        judged = saved.of_row(row)
        assert judged is not None
        assert [judged.losses[run.seed].mean() for run in row.runs] == pytest.approx(row.values)


def test_damaged_and_unfit_predictions_are_named_and_left_out(
    results: Results, store: Store, saved: Predictions
) -> None:
    row = results.rows[0]
    first, second, *rest = row.runs
    store.write(first, {"test": np.full((row.n_test, 7), 1 / 7)})
    (store.runs / second.key / "predictions.npz").write_bytes(b"no archive")
    judged = saved.of_row(row)
    assert judged is not None
    assert sorted(judged.losses) == [run.seed for run in rest]
    assert judged.classified is not None
    assert judged.classified.runs == len(rest)
    assert any(f"runs/{first.key}/predictions.npz" in note and "not what was recorded" in note for note in saved.notes)
    assert any(f"runs/{second.key}/predictions.npz" in note for note in saved.notes)


def test_page_data_holds_the_mistakes_and_nothing_else(results: Results, saved: Predictions, load: Load) -> None:
    [dataset] = predictions_data(results, saved)
    y = load("mnist").test.y
    assert json.loads(json.dumps(dataset, allow_nan=False)) == dataset
    shown = [index for index, _ in dataset["items"]]
    assert len(set(shown)) == len(shown)
    assert all(y[index] == truth for index, truth in dataset["items"])
    for row in dataset["rows"]:
        summary = saved.of_row(results.rows[row["row"]])
        assert summary is not None
        assert summary.classified is not None
        wrong = np.flatnonzero(summary.classified.predicted != y)
        assert row["mistakes"] == len(wrong)
        assert row["predicted"] == summary.classified.predicted[shown].tolist()
    able = [row for row in dataset["rows"] if row["mistakes"] <= len(y) / 2]
    for i, (_, truth) in enumerate(dataset["items"]):
        assert any(row["predicted"][i] != truth for row in able)


def test_surest_mistakes_of_every_method_are_carried(results: Results, saved: Predictions, load: Load) -> None:
    [made] = predictions_data(results, saved)
    y = load("mnist").test.y
    shown = {index for index, _ in made["items"]}
    for row in results.rows:
        judged = saved.of_row(row)
        assert judged is not None
        assert judged.classified is not None
        wrong = np.flatnonzero(judged.classified.predicted != y)
        surest = wrong[np.argsort(-judged.classified.sure[wrong], kind="stable")][:10]
        assert row.mean > 0.5 or set(surest.tolist()) <= shown


def test_data_without_images_or_words_shows_none(results: Results, store: Store, load: Load) -> None:
    saved = Predictions(store, lambda name: replace(load(name), kind="table"))
    [made] = predictions_data(results, saved)
    assert made["items"] == []
    assert "sprite" not in made


def test_words_are_shown_in_one_line_and_shortened(results: Results, store: Store, load: Load) -> None:
    data = load("mnist")
    words = [f"word {i}\nand more " + "x" * 1000 for i in range(len(data.test.y))]
    saved = Predictions(store, lambda name: replace(data, kind="text", test=replace(data.test, X=words)))
    [made] = predictions_data(results, saved)
    assert len(made["texts"]) == len(made["items"]) > 0
    assert all(len(text) <= 400 and "\n" not in text for text in made["texts"])
    assert made["texts"][0].startswith(f"word {made['items'][0][0]} and more")


def test_dataset_that_cannot_be_had_is_left_out(results: Results, store: Store) -> None:
    from lecturebench.errors import DataMissing

    def missing(name: str) -> Any:
        raise DataMissing(f"no {name}")

    saved = Predictions(store, missing)
    assert predictions_data(results, saved) == []
    assert saved.absent == {"mnist": "no mnist"}


@pytest.mark.parametrize("channels", [1, 3])
def test_sprite_holds_every_image_pixel_by_pixel(channels: int) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 17, (5, 4, channels)).astype(np.uint8) for _ in range(COLUMNS + 2)]
    uri = sprite(images, scale=16)
    assert uri.startswith("data:image/png;base64,")
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))).reshape(
        10, 4 * COLUMNS, channels
    )
    for i, image in enumerate(images):
        top, left = i // COLUMNS * 5, i % COLUMNS * 4
        assert np.array_equal(sheet[top : top + 5, left : left + 4], np.rint(image.astype(float) * 255 / 16))
