"""Suites: known by a name of their own, imported from where they lie, and not stopped by one broken file."""

from __future__ import annotations

import pytest

from lecturebench.declare.suites import discover, load_benchmark
from lecturebench.errors import UsageError

BENCH = """
from lecturebench import Baseline, Benchmark, Profile
{imports}


def fit(X, y):
    {inside}
    return WHO


BENCHMARK = Benchmark(
    title=WHO, methods=(Baseline("m", "", fit),), claims=(), datasets=("digits",),
    profiles={{"smoke": Profile(), "lecture": Profile(), "full": Profile()}},
)
"""
WAYS = ("from helpers import WHO", "from .helpers import WHO", "from course.helpers import WHO")


def write(folder, who, imports, inside="pass"):
    folder.mkdir(parents=True)
    (folder / "helpers.py").write_text(f"WHO = {who!r}\n")
    (folder / "bench_one.py").write_text(BENCH.format(imports=imports, inside=inside))
    return folder


@pytest.mark.parametrize("way", WAYS)
def test_two_suites_of_one_folder_name_share_no_module(tmp_path, way):
    suites = [discover(write(tmp_path / who / "course", who, way, way)) for who in ("ann", "bob")]
    assert [suite["one"].title for suite in suites] == ["ann", "bob"]
    functions = [suite["one"].methods[0].function for suite in suites]
    assert [function(None, None) for function in functions] == ["ann", "bob"]
    assert functions[0].__module__ != functions[1].__module__


@pytest.mark.parametrize("name", ["my.course", "my-course", "2026"])
def test_suite_may_be_called_anything(tmp_path, name):
    for way in WAYS[:2]:
        suite = discover(write(tmp_path / str(WAYS.index(way)) / name, "me", way))
        assert (suite.name, suite["one"].title, suite["one"].suite) == (name, "me", name)


def test_suite_is_known_by_the_name_that_it_gives_itself(tmp_path):
    folder = write(tmp_path / "course", "me", WAYS[0])
    (folder / "__init__.py").write_text("SUITE = 'statistics'\n")
    assert discover(folder)["one"].suite == "statistics"
    (folder / "__init__.py").write_text("SUITE = 1 + 1\n")
    with pytest.raises(UsageError, match=r"line 1: SUITE must be a name in quotes"):
        discover(folder)


def test_lecture_has_its_own_name_and_no_broken_file():
    suite = discover()
    assert suite.name == "lecture"
    assert suite.is_lecture
    assert suite.broken == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(line 2\)"),
        ("x = 1\ny = x +\n", r"SyntaxError: invalid syntax \(line 2\)"),
        ("class Stop(BaseException): pass\nraise Stop\n", r"Stop \(line 2\)"),
        ("x = 1\n", "declares no BENCHMARK"),
    ],
)
def test_broken_file_is_told_in_one_line_and_stops_no_other(tmp_path, text, reason):
    folder = write(tmp_path / "course", "me", WAYS[0])
    (folder / "bench_broken.py").write_text(text)
    suite = discover(folder)
    assert list(suite) == ["one"]
    with pytest.raises(UsageError, match=reason):
        load_benchmark(folder / "bench_broken.py")
    assert len(suite.broken["broken"].splitlines()) == 1


def test_edit_within_the_same_second_and_of_the_same_size_is_what_runs(tmp_path):
    folder = write(tmp_path / "course", "ann", WAYS[0])
    assert discover(folder)["one"].title == "ann"
    (folder / "bench_one.py").write_text((folder / "bench_one.py").read_text().replace("title=WHO", "title='x'"))
    assert discover(folder)["one"].title == "x"
