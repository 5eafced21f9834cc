"""Methods that raise what ends programs, or answer what is no prediction: each is its own row, and no other pays."""

from __future__ import annotations

import signal
from functools import partial

import psutil
import pytest

from lecturebench.cli import main
from lecturebench.datasets import load
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution import pool
from lecturebench.execution.engine import carry_out, source_digests
from lecturebench.execution.plan import Request, plan
from lecturebench.execution.progress import PlainDisplay
from lecturebench.execution.worker import Setting
from lecturebench.store import Store

pytestmark = pytest.mark.faults
QUIET = PlainDisplay(lambda line: None)
SETTING = Setting(threads=1, backend="tensorflow", device="cpu", data_dir=None)
SUITE = '''
"""Methods that raise or answer what they should not, and one that works, before and after."""

import sys

import numpy as np

from lecturebench import Baseline, Benchmark, Experiment, Measured, Profile


class Silent(Exception):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__

    def __reduce__(self):
        raise KeyboardInterrupt


class Bare(BaseException):
    pass


def raising(make):
    def method(X, y):
        raise make()

    return method


RAISED = {
    "exit_0": lambda: SystemExit(0),
    "exit_text": lambda: SystemExit("enough"),
    "interrupt": KeyboardInterrupt,
    "generator_exit": GeneratorExit,
    "bare": lambda: Bare("bare"),
    "silent": Silent,
    "group": lambda: BaseExceptionGroup("two", [SystemExit(0), Silent()]),
    "stop": lambda: StopIteration(1),
    "memory": lambda: MemoryError("as if"),
}


class Answers:
    """What it predicts for the class 0, changed."""

    def __init__(self, change):
        self.change, self.classes_ = change, np.arange(10)

    def predict(self, X):
        return np.zeros(len(X), int)

    def predict_proba(self, X):
        p = np.zeros((len(X), 10))
        p[:, 0] = 1
        return self.change(p)


class Says(Answers):
    def predict(self, X):
        return self.change(np.zeros(len(X), int))

    predict_proba = property()


ODD = {
    "negative": Answers(lambda p: p - 0.1),
    "above_1": Answers(lambda p: p * 2),
    "complex": Answers(lambda p: p + 0j),
    "text": Answers(lambda p: p.astype(str)),
    "objects": Answers(lambda p: p.astype(object)),
    "one_column": Says(lambda y: y[:, None]),
    "text_classes": Says(lambda y: y.astype(str)),
}


def answering(answers):
    return lambda X, y: answers


def measures_text(dataset, rng):
    return Measured({"error": "0.5"})


def works(X, y, *, seed):
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=0.1).fit(X[seed::2], y[seed::2])


def counts(dataset, rng):
    return Measured({"seed": float(rng.integers(1000))})


def once(dataset, rng):
    """Crashes where it was fitted before."""
    if hasattr(sys, "was_here"):
        import os

        os.abort()
    sys.was_here = True
    return counts(dataset, rng)


def deletes(dataset, rng):
    import shutil
    from pathlib import Path

    shutil.rmtree(Path(__file__).parent.parent / "out")
    return counts(dataset, rng)


BENCHMARK = Benchmark(
    title="Sick",
    methods=(
        *(Baseline(name, name, raising(make)) for name, make in RAISED.items()),
        *(Baseline(name, name, answering(answers)) for name, answers in ODD.items()),
        Experiment("measures_text", "Measures text", measures_text, deterministic=True),
        Baseline("works", "Works", works, deterministic=False),
        Experiment("counts", "Counts", counts),
        Experiment("once", "Once", once),
        Experiment("deletes", "Deletes", deletes, deterministic=True),
    ),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=2, time_limit=60, judges=False), "lecture": Profile(), "full": Profile()},
)
'''
REASONS = {
    "exit_0": "SystemExit: 0",
    "exit_text": "SystemExit: enough",
    "interrupt": "KeyboardInterrupt",
    "generator_exit": "GeneratorExit",
    "bare": "Bare: bare",
    "silent": "Silent, which raises another exception when it is asked what it says",
    "group": "BaseExceptionGroup: two (2 sub-exceptions)",
    "stop": "StopIteration: 1",
    "negative": "ValueError: its probabilities go from -0.1 to 0.9; they must be in [0, 1]",
    "above_1": "ValueError: its probabilities go from 0 to 2; they must be in [0, 1]",
    "complex": "ValueError: what predict_proba gives is an array of complex128; it must be one of real numbers",
    "text": "ValueError: what predict_proba gives is an array of <U32; it must be one of real numbers",
    "objects": "ValueError: what predict_proba gives is an array of object; it must be one of real numbers",
    "one_column": "ValueError: what it predicts has the shape (359, 1); it must",
    "text_classes": "ValueError: what it predicts is an array of <U21; it must be one of real numbers",
    "measures_text": "ValueError: it measured 'error' as '0.5'; it must be a real number",
}


@pytest.fixture
def asked(tmp_path, own_cache):
    """Makes a request for some methods of the suite."""
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_sick.py").write_text(SUITE)
    benchmark = load_benchmark(folder / "bench_sick.py")
    digests = load("digits").digests

    def make(*methods, seeds=None):
        return Request(benchmark, "digits", digests, "smoke", "tensorflow", methods=methods or None, seeds=seeds)

    return make


def fit(requests, store, *, jobs=1):
    carry_out(requests, store, pool=partial(pool.local_pool, jobs, SETTING, QUIET), display=QUIET)
    records, problems = store.read()
    assert problems == []
    return {(record.method, record.seed): record for record in records}


def test_whatever_a_method_raises_or_answers_is_its_own_row(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "served", lambda run: ())  # one worker for all, which none of them may end
    records = fit([asked(*REASONS, "memory", "works")], Store(tmp_path / "out"))
    assert records["memory", 0].status == "out_of_memory"
    failed = {method: record for (method, _), record in records.items() if method in REASONS}
    assert {record.status for record in failed.values()} == {"error"}
    assert {method: record.reason[: len(REASONS[method])] for method, record in failed.items()} == REASONS
    assert all(record.traceback for record in failed.values())
    assert [records["works", seed].status for seed in (0, 1)] == ["ok", "ok"]


def test_a_worker_that_dies_between_two_runs_costs_none(asked):
    runs = plan(asked("counts", seeds=4), {}, source_digests(asked("counts"))).runs
    with pool.local_pool(1, SETTING, QUIET) as workers:
        for run, code in zip(runs, (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, None), strict=True):
            workers.submit(run)
            while (outcome := workers.outcome(1.0)) is None:
                pass
            assert outcome[1].status == "ok"
            children = psutil.Process().children()
            [worker] = [each for each in children if "resource_tracker" not in " ".join(each.cmdline())]
            if code is not None:
                worker.send_signal(code)
                while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
                    pass


def test_a_run_that_crashes_where_others_were_before_is_fitted_in_a_fresh_worker(asked, tmp_path):
    records = fit([asked("once", seeds=3)], Store(tmp_path / "out"))
    assert {record.status for record in records.values()} == {"ok"}


def test_runs_that_somebody_deletes_meanwhile_are_missed(asked, tmp_path, capsys):
    out, suite = tmp_path / "out", str(tmp_path / "course")
    command = ["run", "sick", "--suite", suite, "--profile", "smoke", "--jobs", "1", "--out", str(out)]
    command += ["--dataset", "digits", "--method", "counts", "--method", "deletes"]
    assert main(command) == 1
    said = capsys.readouterr().out
    assert f"2 of 3 runs that had ended are gone from {out}: something deleted them; run it again" in said
    assert [record.method for record in Store(out).read()[0]] == ["deletes"]
    assert main([*command[:-4], "--method", "counts"]) == 0
    assert len(Store(out).read()[0]) == 3
