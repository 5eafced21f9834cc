"""Made-up runs to tell of."""

from __future__ import annotations

from dataclasses import replace

from lecturebench.store import Record


def make_record(seed: int = 0, **changes) -> Record:
    """A run of two epochs."""
    record = Record(
        key=f"{seed:032x}",
        suite="course",
        benchmark="error_table",
        method="dropout",
        dataset={"name": "mnist"},
        profile="smoke",
        backend="jax",
        device="cpu",
        seed=seed,
        role="judged",
        status="ok",
        recipe={"function": "models.two_layer", "units": [256, 128], "learning_rate": 0.5, "options": {"rho": 0.9}},
        metrics={"train": {"error": 0.1}, "test": {"error": 0.25, "loss": 0.75}},
        curve=[
            {"epoch": 1, "train_loss": 2.0, "train_error": 0.5, "validation_error": 0.6, "seconds": 1.0},
            {"epoch": 2, "train_loss": 1.0, "train_error": 0.1, "validation_error": 0.2, "seconds": 2.0},
        ],
        parameters=101770,
        seconds={"wait": 50.0, "import": 3.0, "build": 1.0, "fit": 2.0, "predict": 0.5},
        commit="c0ffee",
        started="2026-11-01T10:00:00+00:00",
    )
    return replace(record, **changes)


FAILED = {"status": "timeout", "reason": "no end within 5 s", "metrics": {}, "curve": []}
