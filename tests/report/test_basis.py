"""What a figure is made of: whatever may change it changes its basis, and what cannot be named has none."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from lecturebench.declare import modules
from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.suites import load_benchmark
from lecturebench.execution.drawings import follower
from lecturebench.report import basis as basis_module
from lecturebench.report.basis import Basis, code

SUITE = """
import json
from pathlib import Path
from lecturebench import Benchmark, Drawing, Experiment, Measured, profiles

def measured(dataset, rng):
    return Measured({})

def mean(figure, rows):
    from outside import OFFSET
    from figures.deep.scale import SCALE
    from bench_two import FACTOR
    from baselines.linear import lasso
    published = json.loads((Path(__file__).parent / "published.json").read_text())
    figure.text(0, 0, str(published * SCALE * FACTOR + OFFSET))
    return f"drawn beside {lasso}"

BENCHMARK = Benchmark(
    title="One", methods=(Experiment("e", "E", measured),), claims=(), datasets=("digits",), profiles=profiles(3),
    drawings=(Drawing("mean", "Mean", mean, ("e",)),),
)
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A suite whose drawing uses what lies in it, beside it and in another benchmark, and reads a file."""
    files = {
        "outside.py": "OFFSET = 0",
        "course/bench_one.py": SUITE,
        "course/bench_two.py": "FACTOR = 1",
        "course/bench_three.py": "",
        "course/lines.py": "",
        "course/published.json": "1",
        "course/figures/deep/scale.py": "SCALE = 1",
        "course/store/lecturebench.json": "{}",
        "course/store/figures/manifest.json": "{}",
        "course/.git/HEAD": "main",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "course"


def of_drawing(course: Path, made_of: Any = "runs") -> str:
    """The basis of the drawing's figure now."""
    benchmark = load_benchmark(course / "bench_one.py")
    return Basis(follower()).of(benchmark, made_of, benchmark.drawings[0].draw)


def of_stock(course: Path, made_of: Any = "runs") -> str:
    """The basis of a figure that is drawn by none of the benchmark's code."""
    return Basis().of(load_benchmark(course / "bench_one.py"), made_of)


@pytest.mark.parametrize(
    ("file", "drawing", "stock"),
    [
        ("bench_one.py", True, True),
        ("lines.py", True, True),  # it might be found by a name that is worked out
        ("figures/deep/scale.py", True, True),
        ("published.json", True, True),
        ("new.csv", True, True),
        ("../outside.py", True, False),
        ("bench_two.py", True, False),
        ("bench_three.py", False, False),
        ("store/figures/manifest.json", False, False),
        (".git/HEAD", False, False),
    ],
)
def test_basis_follows_every_file_that_a_figure_may_be_made_of(
    course: Path, file: str, drawing: bool, stock: bool
) -> None:
    before = of_drawing(course), of_stock(course)
    assert before == (of_drawing(course), of_stock(course))
    assert "" not in before
    with (course / file).open("a") as changed:
        changed.write("\nADDED = 1" if file.endswith(".py") else " ")
    if file in ("bench_two.py", "../outside.py", "figures/deep/scale.py"):
        (course / file).write_text((course / file).read_text().replace("=", "= 7 +", 1))
    assert (of_drawing(course) != before[0], of_stock(course) != before[1]) == (drawing, stock)


def test_basis_follows_the_data(course: Path) -> None:
    assert of_stock(course, {"runs": [1]}) == of_stock(course, {"runs": [1]}) != of_stock(course, {"runs": [2]})


def test_basis_follows_the_lectures_baselines(course: Path) -> None:
    benchmark = load_benchmark(course / "bench_one.py")
    _, files = follower()(benchmark, benchmark.drawings[0].draw)
    assert modules.BASELINES / "linear.py" in files


def test_what_no_source_can_say_has_no_basis(course: Path) -> None:
    benchmark = load_benchmark(course / "bench_one.py")
    generator = iter([1])
    assert Basis(follower()).of(benchmark, "runs", lambda figure, rows: next(generator)) == ""
    assert Basis().of(benchmark, "runs", benchmark.drawings[0].draw) == "", "nobody follows it"
    assert Basis().of(replace(benchmark, path=Path()), "runs") == "", "declared by no file"


def test_basis_follows_versions(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_stock(course)
    version = metadata.version
    for package in ("matplotlib", "scikit-learn"):
        code.cache_clear()
        monkeypatch.setattr(metadata, "version", lambda name, own=package: "9.9" if name == own else version(name))
        assert of_stock(course) != before
    monkeypatch.undo()
    code.cache_clear()
    assert of_stock(course) == before


@pytest.mark.parametrize(
    ("module", "decides"),
    [
        ("wording.py", True),
        ("metrics.py", True),
        ("judging/results.py", True),
        ("report/views/rows.py", True),
        ("execution/pool.py", False),
    ],
)
def test_basis_follows_all_of_our_code_that_drawings_may_use(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, decides: bool
) -> None:
    package = tmp_path / "lecturebench"
    shutil.copytree(basis_module.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    code.cache_clear()
    first = of_stock(course)
    monkeypatch.setattr(basis_module, "PACKAGE", package)
    code.cache_clear()
    assert of_stock(course) == first
    (package / module).write_text("changed = True")
    code.cache_clear()
    other = of_stock(course)
    monkeypatch.undo()
    code.cache_clear()
    assert (other != first) == decides


def used(course: Path) -> tuple[Basis, Benchmark]:
    """A basis that was asked for the drawing's figure."""
    basis, benchmark = Basis(follower()), load_benchmark(course / "bench_one.py")
    basis.of(benchmark, "runs", benchmark.drawings[0].draw)
    return basis, benchmark


@pytest.mark.parametrize("file", ["bench_one.py", "published.json", "bench_two.py", "../outside.py"])
def test_file_that_was_changed_since_the_process_began_is_named(
    course: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    basis, _ = used(course)
    monkeypatch.setattr(modules, "BEGAN", time.time() + 1)
    assert basis.changed() == []
    monkeypatch.setattr(modules, "BEGAN", (course / file).stat().st_ctime + 1e-3)
    old = (course / file).read_text()
    time_before = (course / file).stat()
    while (course / file).stat().st_ctime <= modules.BEGAN:
        (course / file).write_text(old)
    os.utime(course / file, ns=(time_before.st_atime_ns, time_before.st_mtime_ns))
    assert (course / file).resolve() in {path.resolve() for path in basis.changed()}


def test_file_that_is_gone_since_it_was_used_is_named(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    basis, _ = used(course)
    monkeypatch.setattr(modules, "BEGAN", time.time() + 1)
    (course / "published.json").unlink()
    assert basis.changed() == [course / "published.json"]
