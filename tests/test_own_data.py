"""One's own table from the file to the page: described, standardised unless a method says otherwise, and said."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from lecturebench import AsStored, Baseline, Experiment, Network, Standardized, Training
from lecturebench.cli import main

SUITE = '''
"""Nearest neighbours, for whom the units of a column decide."""

from lecturebench import AsStored, Baseline, Benchmark, Profile, Standardized


def nearest(X, y):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1).fit(X, y)


METHODS = (
    Baseline("usual", "As tables are seen", nearest, deterministic=True),
    Baseline("scaled", "Standardised", nearest, deterministic=True, view=Standardized("train")),
    Baseline("stored", "As stored", nearest, deterministic=True, view=AsStored()),
)
BENCHMARK = Benchmark(
    title="Neighbours",
    methods=METHODS,
    claims=(),
    datasets=("digits",),
    profiles={name: Profile(seeds=1, judges=False) for name in ("smoke", "lecture", "full")},
)
'''


def _never() -> None:
    """Never called."""


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "bench_neighbours.py").write_text(SUITE)
    return tmp_path / "course"


@pytest.fixture
def table(tmp_path):
    """Two columns: one of no use and in large units, one that tells the class."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    rows = [f"{1000 * noise:.1f},{label + tell:.3f},{label}" for noise, tell, label in zip(
        rng.normal(size=200), 0.1 * rng.normal(size=200), y, strict=True
    )]  # fmt: skip
    (tmp_path / "own.csv").write_text("\n".join(["noise,tells,label", *rows]))
    return f"csv:{tmp_path / 'own.csv'}"


def test_what_a_method_sees_of_a_table_is_standardised_unless_it_says_otherwise():
    training = Training("sgd", learning_rate=0.1, batch_size=1, epochs=1)
    for method in (Baseline("a", "", _never), Network("a", "", _never, training)):
        assert method.view_of("table") == Standardized("train")
        assert method.view_of("images") is None
    assert Baseline("a", "", _never, view=AsStored()).view_of("table") is None
    assert Baseline("a", "", _never, view=Standardized("all")).view_of("table") == Standardized("all")
    assert Experiment("a", "", _never).view_of("table") is None


def test_own_table_is_described_before_and_its_views_are_in_recipe_terminal_and_page(suite, table, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["run", "--suite", str(suite), "--dataset", table, "--profile", "smoke", "--out", str(out)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out.splitlines()
    described = [i for i, line in enumerate(shown) if line.startswith(f"{table}: target 'label', classification, 2 cl")]
    fitted = [i for i, line in enumerate(shown) if "runs fitted" in line]
    assert len(described) == len(fitted) == 1
    assert described < fitted
    said = "Columns standardised over train: usual, scaled; as stored: stored."
    assert any(line.endswith(said) for line in shown)
    assert said in (out / "index.html").read_text()
    records = [json.loads(path.read_text()) for path in out.glob("runs/*/record.json")]
    views = {record["method"]: record["recipe"].get("view") for record in records}
    scaled = {"kind": "Standardized", "over": "train"}
    assert views == {"usual": scaled, "scaled": scaled, "stored": None}
    errors = {record["method"]: record["metrics"]["test"]["error"] for record in records}
    assert errors["usual"] == errors["scaled"] < 0.05 < 0.2 < errors["stored"]
    assert main(["verify", str(out)]) == 0
    assert main(arguments) == 0
    assert "0 runs fitted, 3 were there already" in capsys.readouterr().out


def test_runs_of_a_table_that_is_gone_still_count(suite, table, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["run", "--suite", str(suite), "--dataset", table, "--profile", "smoke", "--out", str(out)]
    assert main([*arguments, "--method", "usual"]) == 0
    (tmp_path / "own.csv").unlink()
    capsys.readouterr()
    assert main(["report", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "standardised over train: usual" in shown
    assert "stale" not in shown


def test_dataset_is_described_for_people_and_for_programs(table, capsys):
    assert main(["data", table]) == 0
    shown = capsys.readouterr().out
    assert f"{table}: target 'label', classification, 2 classes (min " in shown
    for line in ("  feature tells: number, ", "  class '1': ", "  note: The target is column 'label' by its name."):
        assert line in shown
    assert main(["data", table, "digits", "--json"]) == 0
    own, digits = json.loads(capsys.readouterr().out)
    assert (own["target"], own["task"], own["train"], own["test"]) == ("label", "classification", 160, 40)
    assert [feature["type"] for feature in own["features"]] == ["number", "number"]
    assert digits["shape"] == [8, 8, 1]
    assert main(["data", "--json"]) == 0
    assert {"digits", "mnist"} <= {status["name"] for status in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize("width", [40, 80])
def test_description_fits_a_terminal(table, width):
    from rich.console import Console

    from lecturebench import datasets
    from lecturebench.report.dataset import dataset_table

    console = Console(width=width, record=True, file=io.StringIO())
    console.print(dataset_table(datasets.describe(table)))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    for word in ("label", "noise", "tells", "classification", "note: The target"):
        assert word in text


def test_many_features_are_drawn_together_and_names_cannot_write_control_codes(tmp_path, capsys):
    names = [f"p{i}" for i in range(30)]
    rows = [",".join([*(str((i * 7 + j) % 17) for j in range(30)), "ab"[i % 2]]) for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join([",".join([*names, "label"]), *rows]))
    assert main(["data", f"csv:{tmp_path / 'a.csv'}"]) == 0
    assert "  feature p0 … p29 (30): number, 0 to 16, 0 missing" in capsys.readouterr().out
    (tmp_path / "b.csv").write_text("\n".join([",".join([*names[:-1], "p\x1b[31m", "label"]), *rows]))
    assert main(["data", f"csv:{tmp_path / 'b.csv'}"]) == 0
    assert "\x1b" not in capsys.readouterr().out.replace(str(tmp_path), "")
