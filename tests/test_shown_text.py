"""What others wrote is shown as text: on a terminal, in lines, in the page; and every claim is listed."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lecturebench import cli
from lecturebench.cli import main
from lecturebench.execution.plan import Run
from lecturebench.execution.progress import PlainDisplay, RichDisplay
from lecturebench.report.page import render_page
from lecturebench.report.table import to_csv
from lecturebench.wording import clean
from tests.made_up import make_record

ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\r\b\u202eevil\u2066\u200b\ufeff\x00"
SUITE = """
from lecturebench import Baseline, Benchmark, NumberClaim, OrderClaim, Profile

about = {"source": "s", "slide": "s", "protocol": {}}
claims = (
    NumberClaim(**about, dataset="digits", method="a", printed="1.5%"),
    NumberClaim(**about, dataset="digits", method="a", printed="97%", metric="accuracy"),
    NumberClaim(**about, dataset="mnist", method="a", printed="2.5%"),
    NumberClaim(**about, dataset="digits", method="b", printed="3.5%"),
    OrderClaim(**about, dataset="digits", order=("a", "b")),
)
BENCHMARK = Benchmark(
    title="Two \\x1b[31m\\u202e",
    methods=(Baseline("a", "Title \\x1b[2J of a", len), Baseline("b", "B", len)),
    claims=claims,
    datasets=("digits", "mnist"),
    profiles={"smoke": Profile(judges=False), "lecture": Profile(), "full": Profile()},
)
"""


@given(st.text())
def test_clean_text_is_one_visible_line_and_loses_nothing_that_can_be_seen(text):
    assert clean(text).isprintable()
    assert len(clean(text)) == len(text)
    assert clean(clean(text)) == clean(text)


@pytest.fixture
def suite(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_two.py").write_text(SUITE)
    return folder


def test_list_shows_every_claim_and_names_as_text(suite, capsys):
    assert main(["list", "--suite", str(suite)]) == 0
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.splitlines())
    for line in ("a    1.5%  Title � of a", "b    3.5%  B", "a accuracy 97%", "a error 2.5% on mnist", "order a < b"):
        assert line.replace("�", "�[2J") in shown
    assert main(["list", "--suite", str(suite), "--json"]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert len(listed["claims"]) == 5
    assert listed["methods"]["a"] == "Title \x1b[2J of a", "programs get what is there"


@pytest.mark.parametrize("command", ["verify", "report", "compare", "list"])
def test_no_command_lets_a_store_write_to_the_terminal(command, suite, tmp_path, capsys):
    from lecturebench.store import Store, SuiteName

    store = Store(tmp_path / "out")
    store.begin(SuiteName("course", str(suite)))
    about = {"name": f"csv:{ESCAPES}", "digests": {"train": ESCAPES}, "n_test": 3}
    changes = {"suite": "course", "benchmark": "two", "method": "a", "dataset": about, "reason": ESCAPES}
    for number, more in enumerate(({}, {"status": "timeout"}, {"method": ESCAPES}, {"benchmark": ESCAPES})):
        store.write(make_record(**{**changes, "key": f"k{number}", "backend": ESCAPES, **more}))
    (store.runs / f"x{ESCAPES[:-1]}").mkdir()
    store.set_missing({"two": {"mnist": ESCAPES}})
    arguments = {
        "compare": ["compare", str(store.folder), str(store.folder)],
        "list": ["list", "--runs", "--out", str(store.folder)],
    }
    assert main(arguments.get(command, [command, str(store.folder)])) in (0, 1)
    shown = capsys.readouterr()
    for line in (shown.out + shown.err).split("\n"):
        assert line.isprintable(), repr(line)
    assert "�" in shown.out + shown.err


def test_progress_shows_names_and_reasons_as_text(monkeypatch):
    run = Run.__new__(Run)
    for name, value in {"key": "k", "method": f"[red]{ESCAPES}", "role": "judged", "seed": 0, "training": None}.items():
        object.__setattr__(run, name, value)
    record = make_record(status="error", reason=f"[bold]{ESCAPES}")
    file = io.StringIO()
    display = RichDisplay(Console(file=file, width=200, force_terminal=True))
    display.planned(1, 1.0, 0.0)
    display.started(run)
    display._progress.refresh()
    display.ended(run, record)
    display.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())  # what is Rich's own
    assert "[red]" in shown
    assert "[bold]" in shown
    assert (
        not set(ESCAPES)
        & set(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", shown))
        & set("\x07\x9b\b\u202e\u2066\u200b\ufeff\0")
    )
    assert "\x1b" not in shown
    lines: list[str] = []
    monkeypatch.setattr(cli.click, "echo", lambda line, err=False: lines.append(line))
    PlainDisplay(cli._say).ended(run, record)
    assert all(line.isprintable() for line in lines)


def test_page_shows_letters_that_are_not_seen(benchmarks, store, load, tmp_path):
    from lecturebench.judging.collect import collect
    from lecturebench.judging.evidence import saved_losses

    store.write(make_record("lda", key="x", backend=ESCAPES, status="timeout", reason=ESCAPES, notes=[ESCAPES]))
    html = render_page(collect(benchmarks, store, losses=saved_losses(store, load)), store, load)
    outside = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)  # libraries are ours
    assert not set(outside) & (set(ESCAPES) - set("\r" + "0;title[2J31mevil]"))
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert not re.search(r"\\u(202e|2066|200b|feff|001b|0000)", data)


@pytest.mark.parametrize("start", [*"=+-@", *"＝＋－＠", "\t", "\r", "\n"])
def test_cell_that_a_spreadsheet_would_execute_is_text(start):
    assert to_csv([{"method": f"{start}1+1"}], ["method"]).split("\n", 1)[1].lstrip('"').startswith(f"'{start}")
