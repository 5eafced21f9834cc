"""The committed reference results: every number and verdict follows from the committed predictions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lecturebench.session import verify

REFERENCE = Path(__file__).resolve().parent.parent.parent / "reports" / "reference"


STORES = sorted(path.parent for path in REFERENCE.rglob("lecturebench.json"))


@pytest.mark.realdata
@pytest.mark.parametrize("folder", STORES, ids=lambda folder: str(folder.relative_to(REFERENCE)))
def test_reference_agrees_with_its_predictions(folder):
    assert os.environ.get("TFDS_DATA_DIR"), "set TFDS_DATA_DIR to a folder that tensorflow-datasets prepared"
    assert verify(folder) == []


def test_readme_shows_the_reference_table():
    readme = (REFERENCE.parent.parent / "README.md").read_text(encoding="utf-8")
    table = (REFERENCE / "error_table" / "table.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- lecturebench table begin -->")[2].partition("<!-- lecturebench table end -->")[0]
    assert shown.strip() == table.strip()
