"""Figures drawn by another process: the same files, the same notes, and drawn here whenever that process cannot."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import wait
from functools import partial

import numpy as np
import psutil
import pytest
from matplotlib import rc_context, rcParams

from lecturebench.report import album as albums
from lecturebench.report import beside, figures
from lecturebench.report.album import FEW, Album, Plate
from lecturebench.report.beside import Beside, Drawn
from lecturebench.report.style import Picture


def confusions(name: str = "confusions") -> Picture:
    return figures.confusion(name, f"of {name}", np.eye(3) + 1, "abc")


def nothing() -> None:
    return None


def broken() -> Picture:
    raise ZeroDivisionError("no ink")


def leaving() -> Picture:
    raise SystemExit(0)


def talkative() -> Picture:
    print("what a library prints is no answer")
    os.write(1, b"\x80\x04nor is this")
    return confusions()


def deadly(harmless: int = 0) -> Picture:
    """Ends the process that draws it, unless it is that one."""
    if os.getpid() != harmless:
        os.kill(os.getpid(), signal.SIGKILL)
    return confusions()


def who() -> Picture:
    return Picture("who", str(os.getpid()), "", "", figures.blank(2, 2))


def taken(process, name):
    """What the process has of the figure; "refused" where it has not drawn it."""
    try:
        return process.take(name)
    except LookupError:
        return "refused"


def drawn_beside(*draws):
    """What comes of these drawings, when the process is done with all."""
    with Beside({f"figure {i}": draw for i, draw in enumerate(draws)}) as process:
        wait(process._asked.values())
        return [taken(process, f"figure {i}") for i in range(len(draws))]


def plates(*first, n=FEW + 1):
    draws = [*first, *[partial(confusions, f"figure-{i}") for i in range(n - len(first))]]
    return [Plate(f"figure-{i}", "a", draw, main=False) for i, draw in enumerate(draws)]


def written(folder, given, *, process=True):
    """What an album leaves of these figures: its notes, and its files by name."""
    album = Album(folder)
    if process:
        with album.beside(given):
            wait([beside._asked[name] for name, beside in album._asked.items()])
            album.finish(given)
    else:
        album.finish(given)
    return album.notes, {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(albums, "cores", lambda: 2)


@pytest.fixture
def no_process(monkeypatch):
    def started(*given, **named):
        raise AssertionError("a process was started")

    monkeypatch.setattr(beside.subprocess, "Popen", started)


def children():
    return {child.pid for child in psutil.Process().children()}


def test_process_gives_what_would_be_drawn_here():
    draws = (confusions, broken, nothing, leaving, talkative, partial(confusions, "other"))
    there = drawn_beside(*draws)
    assert there == [beside._answer(draw) for draw in draws]
    assert isinstance(there[0], Drawn)
    assert there[1:4] == ["ZeroDivisionError: no ink", None, "SystemExit: 0"]


def test_it_is_another_process_that_draws_and_it_ends():
    before = children()
    [drawn] = drawn_beside(who)
    assert int(drawn.texts["title"]) not in {os.getpid(), *before}
    assert children() == before


def test_process_ends_with_its_pipe():
    code = "from lecturebench.report import beside; beside.serve()"
    ended = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(nothing), capture_output=True, check=True)
    assert pickle.loads(ended.stdout) is None


def test_process_ends_where_the_page_fails(tmp_path):
    before = children()
    with pytest.raises(ZeroDivisionError), Album(tmp_path).beside(plates()):  # noqa: PT012
        assert len(children() - before) == 1
        raise ZeroDivisionError
    assert children() == before


def test_what_is_not_begun_when_it_is_asked_for_is_refused_and_left():
    with Beside({"first": confusions, "second": confusions, "third": confusions}) as process:
        assert taken(process, "third") == "refused"
        assert isinstance(taken(process, "first"), Drawn)
        wait(process._asked.values())
        assert taken(process, "third") == "refused"


def test_figures_after_one_that_ended_the_process_are_refused():
    first, *others = drawn_beside(confusions, deadly, confusions)
    assert isinstance(first, Drawn)
    assert others == ["refused", "refused"]


def test_all_is_refused_where_no_process_can_be_started(monkeypatch):
    monkeypatch.setattr(beside.sys, "executable", "/nowhere/python")
    assert drawn_beside(confusions, confusions) == ["refused", "refused"]


def test_drawing_that_cannot_be_sent_is_refused_alone():
    drawn = drawn_beside(lambda: confusions(), confusions)
    assert drawn[0] == "refused"
    assert isinstance(drawn[1], Drawn)


def test_files_and_notes_are_the_same_whoever_draws(tmp_path):
    given = plates(confusions, broken, nothing, lambda: confusions(), partial(deadly, os.getpid()), n=6)
    there = written(tmp_path / "there", given)
    assert there == written(tmp_path / "here", given, process=False)
    assert there[0] == ["figure figure-1 could not be drawn: ZeroDivisionError: no ink"]
    assert len(there[1]) == 3 * 4 + 1


@pytest.mark.usefixtures("no_process")
@pytest.mark.parametrize(("n", "cores"), [(FEW, 2), (FEW + 1, 1)])
def test_few_figures_and_a_single_core_take_no_process(tmp_path, monkeypatch, n, cores):
    monkeypatch.setattr(albums, "cores", lambda: cores)
    assert len(written(tmp_path, plates(n=n))[1]) == 3 * n + 1


def test_figures_that_are_up_to_date_take_no_process(tmp_path, monkeypatch, request):
    first = written(tmp_path, plates())
    request.getfixturevalue("no_process")
    assert written(tmp_path, plates()) == first


def test_style_that_somebody_set_for_this_process_is_in_no_figure(tmp_path):
    clean = written(tmp_path / "clean", plates(n=2), process=False)
    with rc_context({"axes.xmargin": 0.3, "axes.unicode_minus": False, "axes.grid": True, "font.size": 20}):
        assert written(tmp_path / "styled", plates(n=2), process=False) == clean
        assert written(tmp_path / "beside", plates(n=2)) == clean


def test_style_that_a_drawing_sets_does_not_outlive_it(tmp_path):
    def styling():
        rcParams["font.size"] = 20
        return confusions()

    first = written(tmp_path / "first", [Plate("a", "a", styling), Plate("b", "a", confusions)], process=False)
    assert first[1]["b.svg"] == written(tmp_path / "alone", [Plate("b", "a", confusions)], process=False)[1]["b.svg"]
