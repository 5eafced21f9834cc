"""Confusions, mistakes with their images or words, and how far probabilities can be believed."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lecturebench.declare.methods import Experiment
from lecturebench.judging.results import Results
from lecturebench.report.predicted import Classified, Predictions

MOST_CLASSES = 25  # more make no table that can be read
PER_METHOD = 100  # mistakes of a method whose images the page carries, its surest ones
OF_ALL = 200  # and of those that every method gets wrong
MOST_PIXELS = 1000 * 28 * 28  # of all images of a dataset on the page, colours counted
MOST_TEXTS, LETTERS = 300, 400
COLUMNS = 25  # of the picture that holds all images
HOPELESS = 0.5  # a method that errs more often, say the floor, chooses no images


def predictions_data(results: Results, saved: Predictions) -> list[dict[str, Any]]:
    """One dict per dataset that has classes and predictions.

    rows: by the id of `rows_data`: counts (true, predicted), mean over runs; bins: [count, mean probability of the
    predicted class, share right] for tenths of that probability; predicted, sure (percent, None where no run kept
    probabilities) and wrong (runs) of each image shown. mistakes: indices into those shown, all they got wrong. items:
    index in canonical order and true class of those shown; sprite: all their images in one picture, `COLUMNS` to a
    line; or texts.
    """
    datasets = []
    for name in dict.fromkeys(row.dataset for row in results.rows if not isinstance(row.method, Experiment)):
        data = saved.dataset(name)
        if data is None or data.task != "classification" or not 2 <= len(data.classes) <= MOST_CLASSES:
            continue
        summaries = [(i, saved.of_row(row)) for i, row in enumerate(results.rows) if row.dataset == name]
        by_row = {
            i: summary.classified for i, summary in summaries if summary is not None and summary.classified is not None
        }
        if by_row:
            datasets.append(_dataset(name, data, by_row))
    return datasets


def _dataset(name: str, data: Any, by_row: Mapping[int, Classified]) -> dict[str, Any]:
    y = np.asarray(data.test.y)
    shown = _chosen(data, y, list(by_row.values()))
    entry: dict[str, Any] = {
        "dataset": name,
        "classes": list(data.classes),
        "n": len(y),
        "items": [[int(i), int(y[i])] for i in shown],
        "rows": [
            {
                "row": i,
                "runs": method.runs,
                "counts": np.round(method.counts, 1).tolist(),
                "bins": method.bins,
                "mistakes": int((method.predicted != y).sum()),
                "predicted": method.predicted[shown].tolist(),
                "sure": [None if math.isnan(share) else round(100 * share) for share in method.sure[shown].tolist()],
                "wrong": method.wrong_runs[shown].tolist(),
            }
            for i, method in by_row.items()
        ],
    }
    if data.kind == "text":
        entry["texts"] = [_shortened(data.test.X[int(i)]) for i in shown]
    elif len(shown):
        entry["sprite"] = sprite([np.asarray(data.test.X[int(i)]) for i in shown], data.scale)
        entry["size"] = list(data.test.X.shape[1:3])
        entry["columns"] = COLUMNS
    return entry


def _chosen(data: Any, y: npt.NDArray[Any], methods: Sequence[Classified]) -> npt.NDArray[np.int64]:
    """The test examples that the page carries: what all get wrong, then in turn the surest mistakes of each method."""
    if data.kind == "table" or (data.kind == "images" and data.test.X.shape[3] not in (1, 3)):
        return np.zeros(0, dtype=np.int64)
    most = MOST_TEXTS if data.kind == "text" else max(1, MOST_PIXELS // int(np.prod(data.test.X.shape[1:])))
    able = [method for method in methods if (method.predicted != y).mean() <= HOPELESS]
    if not able:
        return np.zeros(0, dtype=np.int64)
    wrong = [method.predicted != y for method in able]
    by_all = np.flatnonzero(np.logical_and.reduce(wrong))
    # A method without probabilities is as sure of everything.
    surest = np.mean([np.nan_to_num(method.sure, nan=1.0) for method in able], axis=0)
    queue = by_all[np.argsort(-surest[by_all], kind="stable")][:OF_ALL].tolist()
    own = [
        np.flatnonzero(missed)[np.argsort(-np.nan_to_num(method.sure[missed], nan=1.0), kind="stable")][:PER_METHOD]
        for method, missed in zip(able, wrong, strict=True)
    ]
    for place in range(PER_METHOD):
        queue += [int(mistakes[place]) for mistakes in own if place < len(mistakes)]
    return np.array(list(dict.fromkeys(queue))[:most], dtype=np.int64)


def sprite(images: Sequence[npt.NDArray[Any]], scale: float) -> str:
    """All images (h, w, 1 or 3), values from 0 to scale, in one PNG inside an address, `COLUMNS` to a line."""
    h, w, channels = images[0].shape
    sheet = np.zeros((-(-len(images) // COLUMNS) * h, min(len(images), COLUMNS) * w, channels), np.uint8)
    for i, image in enumerate(images):
        top, left = i // COLUMNS * h, i % COLUMNS * w
        sheet[top : top + h, left : left + w] = np.clip(np.rint(image.astype(float) * 255 / scale), 0, 255)
    file = io.BytesIO()
    Image.fromarray(sheet.squeeze(axis=2) if channels == 1 else sheet).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _shortened(text: str) -> str:
    """The beginning of a text in one line."""
    line = " ".join(str(text).split())
    return line if len(line) <= LETTERS else line[: LETTERS - 1] + "…"
