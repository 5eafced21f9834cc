"""The committed reference results: every number and verdict follows from the committed predictions."""

from __future__ import annotations

import csv
import html
import os
import re
import shutil
from pathlib import Path

import pytest

from lecturebench.session import verify
from lecturebench.store import Store

REFERENCE = Path(__file__).resolve().parent.parent.parent / "reports" / "reference"


STORES = sorted(path.parent for path in REFERENCE.glob("*/lecturebench.json"))


@pytest.mark.realdata
@pytest.mark.parametrize("folder", STORES, ids=lambda folder: str(folder.relative_to(REFERENCE)))
def test_reference_agrees_with_its_predictions(folder):
    assert os.environ.get("TFDS_DATA_DIR"), "set TFDS_DATA_DIR to a folder that tensorflow-datasets prepared"
    assert verify(folder) == []


@pytest.mark.realdata
def test_every_run_on_a_gpu_is_as_it_was_recorded(tmp_path):
    """Its keys are those of the commit that its README names: a card is not at hand whenever a key changes."""
    folder = tmp_path / "error_table"
    shutil.copytree(REFERENCE / "gpu" / "error_table", folder)
    stale = [line for line in verify(folder) if not line.startswith(("table", "environment.json"))]
    assert all(" stale run" in line for line in stale)
    assert len(Store(folder).read()[0]) == 50
    predictions = min(folder.glob("runs/*/predictions.npz"))
    predictions.write_bytes(predictions.read_bytes()[:-1])
    assert any(predictions.parent.name in line for line in verify(folder))


def test_the_committed_sample_says_what_the_reference_says_and_all_its_files_are_there():
    sample = REFERENCE.parent.parent / "docs" / "sample"
    page = (sample / "index.html").read_text(encoding="utf-8")
    said = " ".join(re.sub(r"<[^>]*>", "", html.unescape(page)).split())
    with (REFERENCE / "error_table" / "table.csv").open(newline="", encoding="utf-8") as file:
        reasons = {row["reason"] for row in csv.DictReader(file) if row["claim"]}
    assert reasons
    for reason in reasons:
        assert reason in said, "`make sample` writes it again"
    linked = re.findall(r'href="(figures/[^"]+)"', page)
    assert linked
    for file in (*linked, "slides.pdf", "slides/01.png"):
        assert (sample / file).is_file()
    assert sum(path.stat().st_size for path in sample.rglob("*")) < 3 * 2**20


def test_readme_shows_the_reference_table():
    readme = (REFERENCE.parent.parent / "README.md").read_text(encoding="utf-8")
    table = (REFERENCE / "error_table" / "table.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- lecturebench table begin -->")[2].partition("<!-- lecturebench table end -->")[0]
    assert shown.strip() == table.strip()
