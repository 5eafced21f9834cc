"""The terminal: fits 80 columns, says verdicts in words, and lets no record write to it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.report.terminal import plain_lines, terminal_table
from lecturebench.store import Store
from tests.made_up import make_record, write_run


def printed(results, width=80, **options):
    file = io.StringIO()
    Console(file=file, width=width, **options).print(terminal_table(results))
    return file.getvalue()


def test_the_table_fits_80_columns_with_every_cell_on_one_line(results):
    lines = printed(results).splitlines()
    assert max(map(len, lines)) <= 80
    (ridge,) = [line for line in lines if line.startswith("● ridge")]
    assert ridge.split() == [
        "●",
        "ridge",
        "6.9%",
        "7.53%",
        "±",
        "0.51%",
        "5",
        "[5.95%,",
        "9.12%]",
        "✓",
        "reproduced",
        "14",
        "s",
    ]


def test_verdicts_are_words_with_and_without_colour(results):
    plain, coloured = printed(results), printed(results, force_terminal=True, color_system="standard")
    assert "\x1b[" not in plain
    assert "\x1b[32m✓ reproduced" in coloured
    for word in ("✓ reproduced", "+ better", "✗ worse"):
        assert word in plain


def test_the_tally_is_last(results):
    assert printed(results).splitlines()[-1] == "2 of 5 claims reproduced, 2 better, 1 worse."
    assert plain_lines(results)[-1] == "2 of 5 claims reproduced, 2 better, 1 worse."


def test_plain_lines_hold_row_claim_and_arithmetic(results):
    assert plain_lines(results)[0] == (
        "error_table, mnist, lecture profile, tensorflow: ridge: published 6.9%, measured 7.53% ± 0.51%, n = 5, "
        "interval [5.95%, 9.12%], fitted in 14 s: reproduced: 6.90% lies in [5.95%, 9.12%]"
    )
    assert len(plain_lines(results)) == 6


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_record_writes_control_codes_or_markup(benchmarks, store, load, width):
    odd = make_record(
        "lda", key="x", backend="\x1b[31m[red]x[/blue]", started="2027", status="timeout", reason="a\x1b]0;t\x07"
    )
    store.write(odd)
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert "\x1b" not in printed(results, width)
    assert all(line.isprintable() for line in plain_lines(results))
    assert any("[red]x[/blue]" in line for line in plain_lines(results))


def test_failed_runs_and_notes_are_shown(benchmarks, store, load):
    write_run(store, 0.05, load("mnist").test.y, replace(make_record("dropout", 1), status="diverged", reason="nan"))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    text = " ".join(printed(results).split())
    assert "4, 1 diverged" in plain_lines(results)[1]
    assert "? inconclusive" in text
    assert "note: dropout on mnist (lecture, tensorflow): 1 of 5 runs failed (1 diverged)" in text


def test_nothing_is_shown_as_nothing(benchmarks, tmp_path):
    results = collect(benchmarks, Store(tmp_path))
    assert "0 of 5 claims reproduced, 5 not run." in printed(results)
    assert printed(replace(results, claims=())) == "No claims.\n"
