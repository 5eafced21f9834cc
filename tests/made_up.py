"""A small benchmark with a store of made-up runs, as the lecture's error table would leave it.

300 test images of 8 by 8 in ten classes; predictions that are wrong about as often as the slide says, times three so
that there is something to see.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lecturebench import (
    Baseline,
    Benchmark,
    Choice,
    Network,
    NumberClaim,
    OrderClaim,
    Predictions,
    Profile,
    Training,
    assumed,
    metrics,
    stated,
)
from lecturebench.errors import DataMissing
from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.judging.results import Results
from lecturebench.store import Record, Store, content_digest

N_TEST, CLASSES = 300, 10
SEEDS = range(5)
GRID = (1e-05, 0.0001, 0.001)
# How far each method's runs err on average, and how far one seed is from another.
ERRORS = {"dropout": 0.054, "ridge": 0.069, "logistic": 0.213, "lda": 0.37}
VALIDATION = {1e-05: 0.061, 0.0001: 0.060, 0.001: 0.085}
CHOSEN = 0.0001


@dataclass(frozen=True, eq=False)
class Split:
    X: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Dataset:
    """What `lecturebench.datasets.load` gives, as far as reports look."""

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    digests: dict[str, str]
    scale: float = 255.0
    kind: str = "images"
    task: str = "classification"
    source: str = "made up"
    columns: tuple[str, ...] = ()


def _network() -> None:
    """Never called: reports fit nothing."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_dataset(name: str = "mnist") -> Dataset:
    rng = np.random.default_rng(1)
    y = np.arange(N_TEST + 600) % CLASSES
    X = rng.integers(0, 60, (len(y), 8, 8, 1))
    X[np.arange(len(y)), y % 8, y // 2] = 255
    X = X.astype(np.uint8)
    digests = {split: _digest(f"{name} {split}") for split in ("train", "test")}
    train, test = Split(X[N_TEST:], y[N_TEST:]), Split(X[:N_TEST], y[:N_TEST])
    return Dataset(name, train, test, tuple("0123456789"), digests)


def make_predictions(error: float, seed: int, y: np.ndarray) -> np.ndarray:
    """(n, 10) probabilities, wrong on about that share; mostly the same examples for every seed."""
    hard = np.random.default_rng(7).random(len(y))
    rng = np.random.default_rng(seed)
    wrong = hard + 0.01 * rng.standard_normal(len(y)) < error
    says = np.where(wrong, (y + 1 + np.arange(len(y)) % 4) % CLASSES, y)
    sure = rng.uniform(0.55, 0.95, len(y))
    probabilities = np.repeat((1 - sure)[:, None] / (CLASSES - 1), CLASSES, axis=1)
    probabilities[np.arange(len(y)), says] = sure
    return probabilities


def saved(probabilities: np.ndarray, first: bool = True) -> dict[str, np.ndarray]:
    """What a store keeps of the run: the classes, and in half precision the probabilities of a row's first run."""
    arrays = {"predicted": probabilities.argmax(axis=1).astype(np.uint8)}
    return arrays | ({"probabilities": probabilities.astype(np.float16)} if first else {})


def measure(probabilities: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """The metrics of a classifier, as a run measures them."""
    return metrics.measure(
        y, Predictions(probabilities.argmax(axis=1), probabilities), metrics.of_task("classification")
    )


def make_record(
    method: str = "dropout",
    seed: int = 0,
    *,
    role: str = "judged",
    penalty: float = CHOSEN,
    metrics: Mapping[str, Mapping[str, float]] | None = None,
    **changes: Any,
) -> Record:
    """A record as a run leaves it; ``changes`` replaces any of its fields."""
    network = method in ("dropout", "ridge")
    recipe: dict[str, Any] = {"function": f"lecturebench.models.dense.{method}"}
    if network:
        recipe |= {"units": [256, 128], "optimizer": "rmsprop", "learning_rate": 0.001, "batch_size": 128}
        recipe |= {"epochs": 30, "validation": 0.2, "options": {}}
    if method == "ridge":
        recipe["penalty"] = penalty
    backend = "tensorflow" if network else "scikit-learn"
    curve = [
        {"epoch": epoch, "train_loss": 1 / epoch, "train_error": 0.3 / epoch, "seconds": 0.5 * epoch}
        | {"validation_loss": 0.1 + 1 / epoch, "validation_error": 0.05 + 0.3 / epoch}
        for epoch in range(1, 6)
    ]
    digests = {split: _digest(f"mnist {split}") for split in ("train", "test")}
    record = Record(
        key=_digest(repr([method, seed, role, penalty]))[:32],
        suite="benchmarks",
        benchmark="error_table",
        method=method,
        dataset={"name": "mnist", "source": "made up", "digests": digests, "n_train": 480, "n_validation": 120}
        | {"n_test": N_TEST},
        profile="lecture",
        backend=backend,
        device="cpu",
        seed=seed,
        role=role,  # type: ignore[arg-type]
        status="ok",
        recipe=recipe,
        metrics={split: dict(values) for split, values in (metrics or {"test": {"error": 0.05, "loss": 0.2}}).items()},
        curve=curve if network else [],
        parameters=235146 if network else 7850,
        seconds={"import": 2.0, "load": 0.1, "fit": 12.5 + seed if network else 1.25, "predict": 0.1},
        peak_rss_mib=512.0,
        environment={"cpu": "made up", "cores": 2, "os": "Linux", "python": "3.11", "packages": {"keras": "3.15.1"}},
        commit="0123456789abcdef0123456789abcdef01234567",
        source_digest=_digest(method),
        random=network,
        started=f"2026-01-02T03:{4 + seed:02d}:00+00:00",
    )
    return replace(record, **changes)


def rewrite(path: Path, change: Callable[[dict[str, Any]], object], *, sealed: bool = True) -> None:
    """Apply ``change`` to the JSON of a ``record.json``. sealed: with the digest that it then has."""
    values = json.loads(path.read_text())
    change(values)
    if sealed and "record" in values.get("digests", {}):
        values["digests"]["record"] = content_digest(values)
    path.write_text(json.dumps(values))


def put_no_file(path: Path, odd: str) -> None:
    """Put at that path what is no regular file: a folder, pipe, device or loop."""
    if odd == "folder":
        path.mkdir()
    elif odd == "pipe":
        os.mkfifo(path)
    elif odd == "device":
        path.symlink_to("/dev/zero")
    elif odd == "loop":
        path.symlink_to(path)
    else:
        raise ValueError(f"{odd!r} is none of folder, pipe, device, loop")


def write_run(store: Store, error: float, y: np.ndarray, record: Record) -> Record:
    """Write a run whose predictions are wrong on about that share; its test metrics are measured on them."""
    probabilities = make_predictions(error, record.seed, y)
    record.metrics["test"] = measure(probabilities, y)
    store.write(record, saved(probabilities, record.seed == 0))
    return record


@pytest.fixture(scope="session")
def benchmarks() -> dict[str, Benchmark]:
    training = Training("rmsprop", learning_rate=0.001, batch_size=128, epochs=30)
    book, slide = "ISLP, Table 10.1", "Why Neural Network?"
    protocol = {
        "dataset": stated("MNIST, 60,000 train, 10,000 test", book),
        "epochs": assumed("30", "the lab of the book uses 30"),
        "formula": stated("f_m(X)=exp(Z_m)/(exp(Z_0)+exp(Z_1)+exp(Z_2)+exp(Z_3))", 'slide "Backpropagation"'),
    }

    def number(method: str, printed: str) -> NumberClaim:
        return NumberClaim(source=book, slide=slide, dataset="mnist", protocol=protocol, method=method, printed=printed)

    deviations = ("Three times the slide's errors.",)
    benchmark = Benchmark(
        title="MNIST digits: the error table",
        methods=(
            Network(
                "ridge",
                "Neural network + ridge",
                _network,
                training,
                units=(256, 128),
                penalty=Choice(GRID, (101, 102, 103)),
            ),
            Network("dropout", "Neural network + dropout", _network, training, units=(256, 128), rates=(0.4, 0.3)),
            Baseline("logistic", "Multinomial logistic regression", _network),
            Baseline("lda", "Linear discriminant analysis", _network, notes=("Solver lsqr.",)),
        ),
        claims=(
            number("ridge", "6.9%"),
            number("dropout", "9.4%"),
            number("logistic", "7.2%"),
            number("lda", "38.3%"),
            OrderClaim(
                source=book,
                slide=slide,
                dataset="mnist",
                protocol=protocol,
                deviations=deviations,
                order=("dropout", "ridge", "logistic", "lda"),
            ),
        ),
        datasets=("mnist", "digits"),
        profiles={"smoke": Profile(seeds=1, epochs=1, judges=False), "lecture": Profile(), "full": Profile(seeds=10)},
        stand_in="digits",
        name="error_table",
        suite="benchmarks",
        path=Path("benchmarks/bench_error_table.py"),
        about="Do two-layer networks beat linear classifiers?\n\n    f_m(X)  =  exp(Z_m) / sum_l exp(Z_l),\n"
        "    Z_m     =  beta_m0 + sum_l beta_ml A_l",
    )
    return {benchmark.name: benchmark}


@pytest.fixture(scope="session")
def load() -> Callable[[str], Dataset]:
    """A dataset by name: "mnist" and "digits", both made up; DataMissing for others."""
    known = {name: make_dataset(name) for name in ("mnist", "digits")}

    def load(name: str) -> Dataset:
        if name not in known:
            raise DataMissing(f"no {name} here")
        return known[name]

    return load


@pytest.fixture
def store(tmp_path: Path, written_once: Path) -> Store:
    """Five seeds of each network, the runs of the ridge's choice, and each baseline once; a copy to spoil."""
    return Store(Path(shutil.copytree(written_once, tmp_path / "latest")))


@pytest.fixture(scope="session")
def written_once(tmp_path_factory: pytest.TempPathFactory, load: Callable[[str], Dataset]) -> Path:
    """The folder that `store` copies: writing is synced, and slow."""
    store = Store(tmp_path_factory.mktemp("store"))
    y = load("mnist").test.y
    for method, error in ERRORS.items():
        for seed in SEEDS if method in ("ridge", "dropout") else [0]:
            metrics = {"train": {"error": error / 2, "loss": error}, "validation": {"error": error, "loss": 3 * error}}
            write_run(store, error, y, make_record(method, seed, metrics=metrics))
    for penalty, error in VALIDATION.items():
        for seed in (101, 102, 103):
            wobble = 0.002 * (seed - 102)
            metrics = {"validation": {"error": error + wobble, "loss": 0.2}}
            write_run(
                store,
                error,
                y,
                make_record(
                    "ridge", seed, role="choice", penalty=penalty, metrics=metrics, started="2026-01-02T02:00:00+00:00"
                ),
            )
    return store.folder


@pytest.fixture
def results(benchmarks: dict[str, Benchmark], store: Store, load: Callable[[str], Dataset]) -> Results:
    return collect(benchmarks, store, losses=saved_losses(store, load))
