"""Speed: what is worked out of its lines, against numbers worked out by hand, and what is shown of damaged ones."""

from __future__ import annotations

import io
import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lecturebench.judging.results import Results
from lecturebench.report.page import render_page, write_report
from lecturebench.report.speed import UNEQUAL, UNKNOWN, Goal, Row, Speed, exponent, summary
from lecturebench.report.speed_growth import growth
from lecturebench.report.speed_lines import COLUMNS, FILE, Line, read, to_csv
from lecturebench.report.speed_section import speed_section
from lecturebench.report.speed_terminal import speed_table
from lecturebench.report.style import styled
from lecturebench.report.works import WORKS, Work
from lecturebench.store import Store

MACHINE = {"cpu": "made up", "cores": 2, "commit": "c0ffee", "started": "2026-01-02T03:04:05+00:00"}


def lines_of(way: str, backend: str, *seconds: float, errors: tuple[float, ...] = (), **more: Any) -> list[Line]:
    """A line for each round of the lecture's network."""
    errors = errors or tuple(0.02 + 0.0002 * (i % 2) for i in range(len(seconds)))
    given: dict[str, Any] = {"work": "1", "device": "cpu", "x": 10, "versions": f"{backend} 1.0", **MACHINE, **more}
    return [
        Line(
            way=way, backend=backend, round=i, seconds=value, error=error, start_seconds=1.5, peak_rss_mib=700, **given
        )
        for i, (value, error) in enumerate(zip(seconds, errors, strict=True), 1)
    ]


def floor_of(backend: str, *seconds: float, **more: Any) -> list[Line]:
    """The floor of each round, which has no error."""
    return [replace(line, error=None) for line in lines_of("floor", backend, *seconds, **more)]


ALL = [
    *lines_of("ours", "tensorflow", 3.0, 2.0, 4.0),
    *lines_of("ours", "jax", 2.0, 2.5, 1.6),
    *lines_of("ours_alone", "jax", 4.0, 5.0, 4.0),
    *lines_of("keras_fit", "tensorflow", 12.0, 14.0, 10.0),
    *lines_of("torch_memory", "torch", 9.0, 9.0, 9.0),
    *lines_of("torch_memory_each", "torch", 6.0, 7.0, 6.0),
    *floor_of("tensorflow", 2.4, 2.2, 2.0),
    *floor_of("jax", 3.0, 3.2, 2.8),
]


def row_of(speed: Speed, title: str, library: str) -> Row:
    return next(row for row in speed.tables[0].rows if (row.title, row.library) == (title, library))


def goal_of(speed: Speed, title: str, against: str) -> Goal:
    return next(goal for goal in speed.tables[0].goals if goal.title == title and goal.against.startswith(against))


def test_row_is_the_median_over_the_rounds_and_its_ratio_that_of_the_rounds_ratios() -> None:
    row = row_of(summary(ALL), "lecturebench, per core", "TensorFlow")
    assert (row.seconds, row.low, row.high) == (3.0, 2.0, 4.0)
    assert row.ratio == 4.0  # of 12/3, 14/2 and 10/4; of the medians it would be 4 too, of JAX it is not:
    assert row_of(summary(ALL), "lecturebench, per core", "JAX").ratio == 6.0  # of 12/2, 14/2.5 = 5.6 and 10/1.6
    assert (row.time, row.spread, row.times, row.error, row.memory) == ("3.00", "±33%", "4.00×", "2.00%", "700")


@pytest.mark.parametrize(
    ("title", "against", "ratio", "word"),
    [
        ("lecturebench, per core, JAX", "Keras fit", 6.0, "met"),
        # The better of both, by the median: 6/2, 7/2.5 and 6/1.6.
        ("lecturebench, per core, JAX", "in memory, per core", 3.0, "met"),
        # Two runs at once, each on one thread: 3/(2 x 2), 3.2/(2.5 x 2), 2.8/(1.6 x 2).
        ("lecturebench, per core, JAX", "floor: products", 0.75, "met"),
        ("lecturebench, alone, JAX", "Keras fit", 2.8, "met"),  # 12/4, 14/5, 10/4
        ("lecturebench, per core, TensorFlow", "Keras fit", 4.0, "not met"),
        ("lecturebench, per core, TensorFlow", "floor: products", 0.4, "not met"),  # 0.4, 0.55, 0.25
    ],
)
def test_goals_are_the_medians_of_the_rounds_ratios(title: str, against: str, ratio: float, word: str) -> None:
    goal = goal_of(summary(ALL), title, against)
    assert goal.ratio == pytest.approx(ratio)
    assert goal.word == word


def test_floor_of_one_thread_is_shown_of_as_many_runs_at_once_as_there_are_cores() -> None:
    floor = row_of(summary(ALL), "floor: products", "TensorFlow")
    assert (floor.seconds, floor.low, floor.high) == (1.1, 1.0, 1.2)
    assert goal_of(summary(ALL), "lecturebench, per core, TensorFlow", "floor").ratio < 1 < 3.0 / floor.seconds


def test_ratio_is_of_the_rounds_that_both_ways_have() -> None:
    lines = [line for line in ALL if (line.way, line.round) != ("keras_fit", 1)]
    assert goal_of(summary(lines), "lecturebench, per core, JAX", "Keras fit").ratio == pytest.approx((5.6 + 6.25) / 2)


@pytest.mark.parametrize("rounds", [{1, 2, 3}, {2, 3}])
def test_nothing_is_met_against_what_is_left_when_the_fastest_way_failed(rounds: set[int]) -> None:
    lines = [
        replace(line, seconds=None, error=None, note="failed: no memory")
        if line.way == "torch_memory_each" and line.round in rounds
        else line
        for line in ALL
    ]
    assert goal_of(summary(lines), "lecturebench, per core, JAX", "in memory").word == "rounds are lacking"
    assert goal_of(summary(ALL), "lecturebench, per core, JAX", "in memory").word == "met"


def test_way_with_another_error_gives_no_ratio_and_is_named() -> None:
    wrong = lines_of("keras_fit", "tensorflow", 12.0, 14.0, 10.0, errors=(0.030, 0.0302, 0.0301))
    found = summary([line for line in ALL if line.way != "keras_fit"] + wrong)
    row = row_of(found, "Keras fit", "TensorFlow")
    assert row.note == UNEQUAL
    assert math.isnan(row.ratio)
    assert goal_of(found, "lecturebench, per core, JAX", "Keras fit").word == UNEQUAL
    assert [line.partition(":")[0] for line in found.unequal] == ["Keras fit, TensorFlow"]
    assert not any(row.times for row in found.tables[0].rows)  # it was what all were measured against


def test_best_of_several_is_taken_among_those_with_an_equal_error() -> None:
    wrong = lines_of("torch_memory_each", "torch", 1.0, 1.0, 1.0, errors=(0.05, 0.0501, 0.0502))
    found = summary([line for line in ALL if line.way != "torch_memory_each"] + wrong)
    assert goal_of(found, "lecturebench, per core, JAX", "in memory, alone").ratio == pytest.approx(4.5)


def test_ours_on_another_backend_must_reach_the_same_error_too() -> None:
    wrong = lines_of("ours", "jax", 2.0, 2.5, 1.6, errors=(0.09, 0.091, 0.092))
    found = summary([line for line in ALL if (line.way, line.backend) != ("ours", "jax")] + wrong)
    assert goal_of(found, "lecturebench, per core, JAX", "Keras fit").word == UNEQUAL


def test_error_may_differ_by_the_allowance_of_a_way_beside_noise_and_no_more() -> None:
    ours = lines_of("ours", "jax", *[2.0] * 5, errors=(0.0200, 0.0202, 0.0201, 0.0199, 0.0203))
    near = lines_of("sklearn_mlp", "scikit-learn", *[9.0] * 5, errors=(0.0215, 0.0217, 0.0216, 0.0214, 0.0218))
    far = [replace(line, error=line.error + 0.0007) for line in near if line.error]
    assert summary([*ours, *near]).unequal == ()
    assert len(summary([*ours, *far]).unequal) == 1
    peer = [replace(line, way="keras_fit", backend="tensorflow") for line in near]
    assert len(summary([*ours, *peer]).unequal) == 1


def test_one_round_says_nothing_of_errors() -> None:
    found = summary([line for line in ALL if line.round == 1])
    assert found.unequal == ()
    assert "After one round nothing can be said" in found.tables[0].remarks[0]
    goal = goal_of(found, "lecturebench, per core, JAX", "Keras fit")
    assert (goal.ratio, goal.word) == (6.0, UNKNOWN)


def test_nothing_is_met_in_the_rounds_that_ours_came_through() -> None:
    lines = [
        replace(line, seconds=None, error=None, note="failed: Killed")
        if (line.way, line.backend) == ("ours", "jax") and line.round == 3
        else line
        for line in ALL
    ]
    assert goal_of(summary(lines), "lecturebench, per core, JAX", "Keras fit").word == "rounds are lacking"
    assert goal_of(summary(lines), "lecturebench, per core, JAX", "floor").word == "rounds are lacking"


@pytest.mark.parametrize("errors", [(0.9, 0.5), (0.9, 0.88, 0.1), (0.02,), (0.0206, 0.035, 0.0031)])
def test_nothing_is_met_where_the_rounds_cannot_tell_another_error(errors: tuple[float, ...]) -> None:
    rounds = len(errors)
    ours = lines_of("ours", "jax", *[2.0] * rounds, errors=(0.0200, 0.0202, 0.0201)[:rounds])
    found = summary([*ours, *lines_of("keras_fit", "tensorflow", *[13.0] * rounds, errors=errors)])
    goal = goal_of(found, "lecturebench, per core, JAX", "Keras fit")
    assert (goal.shown, goal.word) == ("6.50×", UNKNOWN)
    assert row_of(found, "Keras fit", "TensorFlow").note == UNKNOWN


def test_nothing_is_met_against_a_way_that_says_no_error() -> None:
    silent = [replace(line, error=None) if line.way == "keras_fit" else line for line in ALL]
    assert goal_of(summary(silent), "lecturebench, per core, JAX", "Keras fit").word == UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "shown", "word"), [(11.996, "5.998×", "not met"), (12.0, "6.00×", "met"), (11.8, "5.90×", "not met")]
)
def test_ratio_is_shown_on_the_side_of_its_target_that_it_lies_on(seconds: float, shown: str, word: str) -> None:
    lines = [*lines_of("ours", "jax", *[2.0] * 3), *lines_of("keras_fit", "tensorflow", *[seconds] * 3)]
    goal = goal_of(summary(lines), "lecturebench, per core, JAX", "Keras fit")
    assert (goal.shown, goal.word) == (shown, word)


def test_missing_library_is_a_row_that_says_so() -> None:
    why = "PyTorch is not installed"
    missing = Line(work="1", way="torch_memory", backend="torch", device="cpu", round=1, x=10, note=why, **MACHINE)
    found = summary([line for line in ALL if line.backend != "torch"] + [missing])
    row = row_of(found, "in memory, alone", "PyTorch")
    assert (row.note, row.time) == (why, "")
    assert goal_of(found, "lecturebench, per core, JAX", "in memory").word == why


def test_targets_are_for_two_cores_and_no_card() -> None:
    on_card = [replace(line, device="gpu", gpu="Made-up 100") for line in ALL]
    table = summary(on_card).tables[0]
    assert table.heading == "Made-up 100, 3 rounds"
    assert {goal.target for goal in table.goals} == {""}
    share = next(goal for goal in table.goals if goal.title.endswith("JAX") and goal.share)
    assert share.ratio == pytest.approx(1.5)  # 3/2, 3.2/2.5, 2.8/1.6: the floor is the whole card's
    four = summary([replace(line, cores=4) for line in ALL]).tables[0]
    assert "The targets are meant for two cores." in four.remarks


@pytest.mark.parametrize(("power", "factor"), [(1.0, 3.0), (0.0, 5.0), (-1.0, 8.0), (2.5, 0.01)])
def test_exponent_of_a_power_is_found_without_error(power: float, factor: float) -> None:
    slope, error = exponent([(x, factor * x**power) for x in (1.0, 3.0, 10.0, 40.0)])
    assert slope == pytest.approx(power, abs=1e-12)
    assert error == pytest.approx(0, abs=1e-7)


def test_exponent_and_its_standard_error_are_those_of_the_textbook() -> None:
    # log2 of x 0, 1, 2 and of y 0, 2, 2: slope 1, residuals -1/3, 2/3, -1/3, so s^2 = 2/3 and se^2 = (2/3)/2.
    slope, error = exponent([(1.0, 1.0), (2.0, 4.0), (4.0, 4.0)])
    assert (slope, error) == (pytest.approx(1.0), pytest.approx(math.sqrt(1 / 3)))
    assert exponent([(1.0, 1.0), (2.0, 2.0)]) == (pytest.approx(1.0), pytest.approx(math.nan, nan_ok=True))


def growing() -> list[Line]:
    """Runs whose time is in proportion to their number, on two backends."""
    common: dict[str, Any] = {"device": "cpu", **MACHINE}
    return [
        Line(work="growth", way=way, backend=backend, round=1, x=x, seconds=0.5 * x, peak_rss_mib=500, **common)
        for way, xs in (("seeds", (1, 10, 40)), ("jobs", (1, 2)))
        for backend in ("tensorflow", "jax")
        for x in xs
    ]  # fmt: skip


def test_growth_is_a_curve_of_time_and_one_of_memory_for_each_backend() -> None:
    curves = summary(growing()).curves
    assert len(curves) == 8
    assert {curve.shown for curve in curves if (curve.of, curve.quantity) == ("seeds", "seconds")} == {"1.00 ± 0.00"}
    assert {curve.shown for curve in curves if (curve.of, curve.quantity) == ("jobs", "MiB")} == {"0.00"}


def test_a_figure_of_growth_names_the_commits_of_its_lines() -> None:
    lines = [replace(line, commit="b" * 40 if line.backend == "jax" else "a" * 40) for line in growing()]
    curves = [curve for curve in summary(lines).curves if curve.quantity == "seconds"]
    with styled():
        assert growth("growth", curves).source.endswith("commits aaaaaaa, bbbbbbb")


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    lines = (*ALL, *growing(), Line(work="9", way="later", backend="new", device="cpu", round=1, note='a "note", so\n'))
    (tmp_path / FILE).write_bytes(to_csv(lines))
    assert read(tmp_path / FILE) == (*lines[:-1], replace(lines[-1], note='a "note", so�'))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("work,way", "work,how", "its columns are not"),
        (",3,1.5,", ",-3,1.5,", "seconds is '-3'"),
        (",3,1.5,", ",nan,1.5,", "seconds is 'nan'"),
        (",3,1.5,0.02,", ",3,1.5,2,", "error is '2'"),
        (",3,1.5,0.02,", ",,1.5,0.02,", "neither seconds nor a note"),
        ("cpu,1,10,3", "cpu,one,10,3", "round is 'one'"),
        ("cpu,2,10,2", "cpu,1,10,2", "repeats an earlier one"),
        ("tensorflow,cpu,", "tensorflow,tpu,", "device is 'tpu'"),
        ("c0ffee,", "c0ffee,,,", "it has"),
        ("made up", '"made up', "unexpected end of data"),
    ],
)
def test_damaged_file_is_named_in_one_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = to_csv(ALL).decode()
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        read(tmp_path / FILE)
    assert "\n" not in str(caught.value)
    section = speed_section(tmp_path)
    assert section.found is None
    assert section.notes == (f"speed is not shown: {caught.value}",)


@given(st.binary(max_size=300))
def test_no_file_whatsoever_is_a_traceback(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for head in (b"", ",".join(COLUMNS).encode() + b"\n"):
            (Path(folder) / FILE).write_bytes(head + content)
            speed_section(Path(folder))


def test_folder_or_pipe_in_its_place_is_a_note(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert "it is a folder" in speed_section(tmp_path).notes[0]


def shown(found: Speed, width: int = 80) -> str:
    text = io.StringIO()
    Console(file=text, width=width).print(speed_table(found, width))
    return text.getvalue()


def test_terminal_shows_ways_targets_and_exponents_in_80_columns() -> None:
    text = shown(summary([*ALL, *growing()]))
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "6.00×",
        "≥ 6×",
        "✓ met",
        "✗ not met",
        "1.00 ± 0.00",
        "made up, 2 cores",
        "As fast: against Keras fit",
    ):
        assert part in text


def test_narrow_terminal_has_lines_with_the_same_numbers() -> None:
    text = shown(summary([*ALL, *growing()]), 50)
    assert max(map(len, text.splitlines())) <= 50
    assert "6.00×" in text


def test_page_without_speed_is_as_it_was_and_with_it_has_a_section(
    results: Results, store: Store, load: Callable[[str], Any]
) -> None:
    without = render_page(results, store, load)
    assert "speed" not in without.lower()
    (store.folder / FILE).write_bytes(to_csv([*ALL, *growing()]))
    page = render_page(results, store, load)
    assert page.count('<h2 id="speed">') == 1
    assert '<a href="#speed">' in page
    for part in ("6.00×", "≥ 6×", "How time grows", "made up, 2 cores"):
        assert part in page
    (store.folder / FILE).write_text("nonsense")
    assert "speed is not shown: speed.csv cannot be read" in render_page(results, store, load)


def test_report_writes_the_growth_as_files_and_warns_of_a_damaged_file(
    results: Results, store: Store, load: Callable[[str], Any], tmp_path: Path
) -> None:
    few = replace(results, rows=(), claims=())
    (store.folder / FILE).write_bytes(to_csv(growing()))
    write_report(few, store, load, tmp_path / "a")
    drawn = {path.name for path in (tmp_path / "a" / "figures").glob("speed-*.svg")}
    assert drawn == {"speed-growth-seconds.svg", "speed-growth-memory.svg"}
    (store.folder / FILE).write_text("nonsense")
    said: list[str] = []
    write_report(few, store, load, tmp_path / "a", say=said.append)
    assert [line for line in said if line.startswith("warning: speed is not shown")]
    assert not list((tmp_path / "a" / "figures").glob("speed-*"))


def test_text_of_a_file_stays_text(results: Results, store: Store, load: Callable[[str], Any]) -> None:
    hostile = "<script>alert(1)</script>"
    lines = [replace(line, cpu=hostile) for line in ALL]
    lines.append(Line(work="1", way=hostile, backend=hostile, device="cpu", round=1, x=10, note=hostile))
    (store.folder / FILE).write_bytes(to_csv(lines))
    assert hostile not in render_page(results, store, load)


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_every_target_speaks_of_ways_that_there_are(work: Work) -> None:
    names = {way.name for way in work.ways}
    assert len(names) == len(work.ways)
    assert {work.usual, work.ours} <= names | {""}
    for target in work.targets:
        assert {target.way, *target.against} <= names
