"""Changes to a store whose comparison with its copy is tested."""

from __future__ import annotations

import json
import shutil

import numpy as np

from lecturebench.store import digest
from tests.made_up import make_record, rewrite, write_run


def words(comparison):
    return {change.b.method.name: change.word for change in comparison.rows}


def change_of(comparison, method):
    return next(change for change in comparison.rows if change.b.method.name == method)


def edit(store, method, change, role="judged", seeds=None):
    """Apply ``change`` to the JSON of the records of a method."""
    for path in sorted(store.runs.glob("*/record.json")):
        values = json.loads(path.read_text())
        if values["method"] == method and values["role"] == role and (seeds is None or values["seed"] in seeds):
            rewrite(path, change)


def predict(store, record, predicted):
    """Have a run have predicted that, as its record then says too."""
    arrays = {"predicted": predicted}
    np.savez_compressed(store.runs / record.key / "predictions.npz", **arrays)
    rewrite(
        store.runs / record.key / "record.json", lambda values: values["digests"].update(predictions=digest(arrays))
    )


def fit_anew(store, load, method, error, seeds=range(5), **changes):
    """Other runs of that error in place of the method's."""
    for seed in seeds:
        write_run(store, error, load("mnist").test.y, make_record(method, seed, **changes))


def drop(store, method, seeds=None):
    for path in sorted(store.runs.glob("*/record.json")):
        values = json.loads(path.read_text())
        if values["method"] == method and (seeds is None or values["seed"] in seeds):
            shutil.rmtree(path.parent)
