"""Same seed, threads, backend and versions: the same predictions, byte for byte, for every method of the error table.

Runs on the backend that KERAS_BACKEND names (TensorFlow by default); tox has an environment for each. Of every other
benchmark .ci/run compares the smoke runs of two calls by `tests.same_runs`.
"""

from __future__ import annotations

import os
from functools import partial

import pytest

from lecturebench import selection
from lecturebench.declare.suites import discover
from lecturebench.execution.engine import carry_out
from lecturebench.execution.pool import local_pool
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import Store
from tests.same_runs import differing

NAME = os.environ.get("KERAS_BACKEND", "tensorflow")


@pytest.mark.slow
def test_smoke_runs_of_two_calls_are_the_same_bytes(tmp_path, own_cache):
    benchmark = discover()["error_table"]
    requests, missing = selection.requests([benchmark], profile="smoke", backend=NAME, device="cpu", say=print)
    assert missing == {benchmark.name: {}}
    display = PlainDisplay(lambda line: None)
    setting = Setting(threads=1, backend=NAME, device="cpu", data_dir=None)
    stores = [Store(tmp_path / "one"), Store(tmp_path / "two")]
    for jobs, store in enumerate(stores, start=1):  # in one warm worker, and in two: neither order nor company counts
        summary = carry_out(requests, store, pool=partial(local_pool, jobs, setting, display), display=display)
        assert not summary.failed, summary.failed[0].traceback
    assert differing(*stores) == []
    [request] = requests
    able = {m.name for m in benchmark.methods if m.may_run(request.dataset, "smoke")}
    assert {record.method for record in stores[0].read()[0]} == able
