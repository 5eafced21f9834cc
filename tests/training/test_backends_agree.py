"""Every backend against the same losses, step by step: those of `tests/golden/losses.json`, so that all agree.

From the same first weights, batches and masks. `make golden` writes the file anew; read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from lecturebench.datasets import load
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.training import Training
from lecturebench.models.convolutional import small_cnn
from lecturebench.models.dense import single_layer, softmax_regression, two_layer
from lecturebench.training.outcome import streams
from lecturebench.training.program import Program

LOSSES = Path(__file__).parent.parent / "golden" / "losses.json"
STEPS, BATCH = 20, 64
APART = 5e-5  # of each from the file: two backends are at most 1e-4 apart

FAMILIES = {
    "softmax regression, rmsprop": (softmax_regression, {}, ("rmsprop", 0.01, {})),
    "single layer, momentum": (single_layer, {"units": 24}, ("sgd", 0.05, {"momentum": 0.9, "nesterov": True})),
    "two layers, ridge, rmsprop": (two_layer, {"units": (24, 12), "penalty": 1e-3}, ("rmsprop", 0.01, {})),
    "two layers, dropout, rmsprop": (two_layer, {"units": (24, 12), "rates": (0.4, 0.3)}, ("rmsprop", 0.01, {})),
    "two layers, tanh, adagrad": (two_layer, {"units": (24, 12), "activation": "tanh"}, ("adagrad", 0.1, {})),
    "convolutions, crops, adam": (small_cnn, {"crop": 1}, ("adam", 0.01, {})),
}


def losses(backend, name):
    """The loss of each step, penalties included."""
    function, parameters, (optimizer, rate, options) = FAMILIES[name]
    digits = load("digits")
    training = Training(optimizer, rate, BATCH, epochs=1, options=options, schedule=Schedule("cosine"))
    rngs = streams(7)
    program = Program(function, parameters, training, STEPS, digits, backend.Steps)
    program.restart(digits, rngs)
    order = rngs["shuffling"].permutation(len(digits.train.y))[: BATCH * STEPS].astype(np.int32)
    found = []
    for batch in order.reshape(STEPS, 1, BATCH):
        masks = [layer.draw(1, BATCH, rngs[layer.stream]) for layer in program.steps.random_layers]
        found.append(program.steps.train(batch, masks)[0] / BATCH)
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_losses_of_twenty_steps_are_those_of_the_golden_file_on_every_backend(backend, name):
    ours = losses(backend, name)
    known = json.loads(LOSSES.read_text()) if LOSSES.exists() else {}
    if os.environ.get("LECTUREBENCH_UPDATE_GOLDEN"):
        LOSSES.write_text(json.dumps(known | {name: [round(loss, 6) for loss in ours]}, indent=1) + "\n")
        return
    assert ours[-1] < 0.9 * ours[0]
    np.testing.assert_allclose(ours, known[name], atol=APART, rtol=0)


def test_every_family_of_the_golden_file_is_tried():
    assert set(json.loads(LOSSES.read_text())) == set(FAMILIES)
