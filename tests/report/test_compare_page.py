"""The comparison counts the claims of both sides apart, on its page and on the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lecturebench.declare.benchmark import Benchmark
from lecturebench.judging.changes import Comparison
from lecturebench.judging.compare import compare, read_side
from lecturebench.report.compare_page import to_json, write_comparison
from lecturebench.report.terminal import comparison_lines
from lecturebench.store import Store
from tests.made_up import SEEDS, make_record, write_run
from tests.report.test_page import Elements


@pytest.fixture
def comparison(
    benchmarks: dict[str, Benchmark], load: Callable[[str], Any], written_once: Path, tmp_path: Path
) -> Comparison:
    """Dropout errs more often in B: its number and the order have another verdict there."""
    a, b = (Store(Path(shutil.copytree(written_once, tmp_path / name))) for name in ("a", "b"))
    for seed in SEEDS:
        write_run(b, 0.3, load("mnist").test.y, make_record("dropout", seed))
    return compare(*(read_side(store.folder, benchmarks, load) for store in (a, b)))


def test_numbers_and_effects_of_both_sides_are_counted_apart(comparison: Comparison, tmp_path: Path) -> None:
    sides = (
        "Numbers: 1 of 4 reproduced, 2 better, 1 worse. Effects: 1 of 1 reproduced.",
        "Numbers: 1 of 4 reproduced, 1 better, 2 worse. Effects: 0 of 1 reproduced, 1 contradicted.",
    )
    lines = comparison_lines(comparison)
    text = Elements(write_comparison(comparison, tmp_path / "out").read_text(encoding="utf-8")).text
    for name, said in zip("AB", sides, strict=True):
        assert f"{name}: {said}" in lines
        assert all(part in text for part in said.removesuffix(".").split(". "))
    assert to_json(comparison)["a"]["claims"] == {
        "number": {"reproduced": 1, "better": 2, "worse": 1},
        "effect": {"reproduced": 1},
    }


def test_a_claim_with_another_verdict_says_its_group_and_each_pair(comparison: Comparison, tmp_path: Path) -> None:
    text = Elements(write_comparison(comparison, tmp_path / "out").read_text(encoding="utf-8")).text
    numbers, effects = text.index("number of error_table"), text.index("effect of error_table")
    assert numbers < effects
    assert "contradicted" in text[effects:]
