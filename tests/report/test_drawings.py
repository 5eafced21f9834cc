"""A benchmark's own drawings: whatever they do, tables and page stay right, and no figure of theirs is out of date."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lecturebench.declare import modules
from lecturebench.declare.suites import discover
from lecturebench.errors import DataMissing
from lecturebench.execution.drawings import follower
from lecturebench.judging.collect import collect
from lecturebench.judging.results import Results
from lecturebench.report.basis import followed_nowhere
from lecturebench.report.page import write_report
from lecturebench.report.table import table_rows, to_csv
from lecturebench.store import Record, Store

SEEDS = range(3)
SUITE = """
from lecturebench import Benchmark, Drawing, Experiment, Measured, profiles


def measured(dataset, rng):
    raise AssertionError("reports fit nothing")


def mean(figure, rows):
    {body}


BENCHMARK = Benchmark(
    title="One", methods=(Experiment("e", "E", measured),), claims=(), datasets=("made_up",), profiles=profiles(3),
    drawings=(Drawing("mean", "Mean", mean, ("e",)),),
)
"""
MEAN = """
    a = rows["e"].array("a")
    figure.add_subplot().plot(a.mean(axis=1))
    return f"{len(a)} runs, mean {a.mean():.2f}"
"""


def no_data(name: str) -> Any:
    raise DataMissing(f"no {name} here")


class Course:
    """A suite of one benchmark with one drawing, and a store of three runs of its experiment; nothing is fitted."""

    def __init__(self, place: Path) -> None:
        self.folder, self.store = place / "course", Store(place / "store")
        self.folder.mkdir()
        self.draws(MEAN)
        self.store.begin()
        for seed in SEEDS:
            self.runs(seed)

    def runs(self, seed: int) -> None:
        """Have one more run in the store."""
        record = Record(
            key=f"e{seed}", suite="course", benchmark="one", method="e", profile="lecture", backend="numpy",
            dataset={"name": "made_up", "digests": {}}, device="cpu", seed=seed, role="judged", status="ok",
            recipe={}, metrics={"measured": {"deviation": 0.25 + seed}}, curve=[{"epoch": 1, "y": 2.0 + seed}],
        )  # fmt: skip
        self.store.write(record, None, {"a": np.full(3, float(seed))})

    def draws(self, body: str) -> None:
        """Have the drawing do this."""
        (self.folder / "bench_one.py").write_text(SUITE.format(body=body.strip()))

    def results(self) -> Results:
        return collect(discover(self.folder), Store(self.store.folder), losses=lambda record: np.zeros(4))

    def report(self, **more: Any) -> str:
        """Write it; the page."""
        store = Store(self.store.folder)
        more = {"follow": follower(), **more}
        return write_report(self.results(), store, no_data, store.folder, **more).read_text()

    @property
    def figures(self) -> Mapping[str, Any]:
        """What the manifest says of each figure."""
        return dict(json.loads((self.store.folder / "figures" / "manifest.json").read_text()))

    @property
    def words(self) -> str:
        """What the figure says of itself."""
        return str(self.figures["one-made_up-mean"]["alt"])


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """As if this process had begun after it was written."""
    monkeypatch.setattr(modules, "BEGAN", time.time() + 60)
    return Course(tmp_path)


def test_drawing_that_changes_the_runs_it_is_given_changes_no_number(course: Course) -> None:
    course.report()
    table = (course.store.folder / "table.csv").read_text()
    course.draws("""
    for run in rows["e"].runs:
        run.metrics["measured"]["deviation"] *= 100
        run.curve.clear()
    figure.add_subplot().plot(rows["e"].values("deviation"))
    return f"{rows['e'].values('deviation').sum():.0f} in percent"
    """)
    results = course.results()
    store = Store(course.store.folder)
    write_report(results, store, no_data, store.folder, slides=True)
    assert course.words == "375 in percent"
    assert (store.folder / "table.csv").read_text() == table == to_csv(table_rows(results))
    assert [run.curve for run in results.rows[0].runs] == [[{"epoch": 1, "y": 2.0 + seed}] for seed in SEEDS]


@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"x")], ids=["gone", "damaged"])
def test_figure_is_not_drawn_of_some_of_the_runs_when_the_arrays_of_others_cannot_be_had(course: Course, harm) -> None:
    assert "3 runs, mean 1.00" in course.report()
    file = course.store.runs / "e0" / "measured.npz"
    content = file.read_bytes()
    harm(file)
    assert "3 runs, mean 1.00" in course.report(), "it was drawn of what is recorded"
    for path in (course.store.folder / "figures").iterdir():
        path.unlink()
    for _ in range(2):
        page = course.report()
        assert "figure one-made_up-mean could not be drawn: DamagedRecord: runs/e0/measured.npz: " in page
        assert course.figures == {}
    file.write_bytes(content)
    assert "3 runs, mean 1.00" in course.report()


def test_figure_of_a_drawing_whose_source_nobody_follows_is_drawn_each_time(course: Course) -> None:
    said: list[str] = []
    for more in ({"follow": followed_nowhere}, {"follow": followed_nowhere}, {}, {}):
        course.report(say=said.append, **more)
    assert [line.split(",")[0] for line in said if line.startswith("figures:")] == [
        *["figures: 1 drawn"] * 3,
        "figures: 0 drawn",
    ]


def test_figure_of_a_file_that_was_changed_meanwhile_is_said_and_drawn_again(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(modules, "BEGAN", (course.folder / "bench_one.py").stat().st_ctime - 1e-6)
    course.report(say=said.append)
    assert any(line.startswith(f"warning: {course.folder / 'bench_one.py'} was changed since") for line in said)
    assert {entry["basis"] for entry in course.figures.values()} == {""}
    monkeypatch.setattr(modules, "BEGAN", time.time() + 60)
    course.report(say=said.append)
    assert said[-1].startswith("figures: 1 drawn")
    assert "" not in {entry["basis"] for entry in course.figures.values()}


def compared(course: Course) -> list[str]:
    """The figures of the store that would be drawn otherwise now."""
    others: list[str] = []
    course.report(compare=others.append)
    return others


def test_figures_of_older_runs_or_of_other_code_are_found_when_they_are_compared(course: Course) -> None:
    course.report()
    assert compared(course) == []
    figures = sorted((path.name, path.read_bytes()) for path in (course.store.folder / "figures").iterdir())
    course.runs(SEEDS.stop)
    assert compared(course) == ["one-made_up-mean"]
    assert sorted((path.name, path.read_bytes()) for path in (course.store.folder / "figures").iterdir()) == figures
    course.report()
    assert compared(course) == []
    course.draws(MEAN.replace("axis=1", "axis=0"))
    assert compared(course) == ["one-made_up-mean"]
    course.draws(MEAN + "    # drawn as before")
    assert compared(course) == [], "other code that draws the same"


def test_figure_whose_making_cannot_be_named_is_compared_by_drawing_it(course: Course) -> None:
    course.report(follow=followed_nowhere)
    others: list[str] = []
    course.report(follow=followed_nowhere, compare=others.append)
    assert others == []


def test_figure_that_nothing_draws_any_more_is_found_when_they_are_compared(course: Course) -> None:
    course.report()
    course.draws(MEAN)
    file = course.folder / "bench_one.py"
    file.write_text(file.read_text().replace('Drawing("mean"', 'Drawing("other"'))
    assert compared(course) == ["one-made_up-mean"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise GeneratorExit", "GeneratorExit: "),
        ("return None", "TypeError: its alt is None; it must be a text"),
        ("return 5", "TypeError: its alt is 5; it must be a text"),
    ],
)
def test_drawing_that_cannot_be_used_costs_its_figure_and_not_the_page(course: Course, body: str, says: str) -> None:
    course.draws(body)
    assert f"figure one-made_up-mean could not be drawn: {says}" in course.report()
    assert course.figures == {}


def test_drawing_that_leaves_costs_the_slides_its_page_alone(course: Course) -> None:
    course.draws("raise SystemExit(0)")
    course.report(slides=True)
    assert (course.store.folder / "slides.pdf").is_file()


def test_drawing_is_interrupted_by_its_user(course: Course) -> None:
    course.draws("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        course.report()


@pytest.mark.parametrize("sign", [r"\x00", r"\x08", r"\ud800", r"\ufffe"])
def test_signs_that_no_page_can_hold_are_replaced_in_what_a_drawing_says(course: Course, sign: str) -> None:
    course.draws(f'figure.add_subplot(); return "text {sign}"')
    assert "text \N{REPLACEMENT CHARACTER}" in course.report()
    assert course.words == "text \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("sign", [r"\x00", r"\x08", r"\ufffe"])
def test_signs_that_no_page_can_hold_are_replaced_in_what_a_drawing_draws(course: Course, sign: str) -> None:
    course.draws(f'figure.text(0, 0, "text {sign}"); return "drawn"')
    assert re.search("<text [^>]*>text \N{REPLACEMENT CHARACTER}</text>", course.report())
    assert course.words == "drawn"
