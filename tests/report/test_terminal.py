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
from tests.report.filled import filled


def printed(results, width=80, **options):
    file = io.StringIO()
    Console(file=file, width=width, **options).print(terminal_table(results, width))
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


@pytest.mark.parametrize("width", [40, 55, 79, 80])
def test_narrow_terminal_keeps_names_numbers_and_verdicts_whole(results, width):
    text = printed(results, width)
    lines = [line.strip() for line in text.splitlines()]
    assert max(map(len, text.splitlines())) <= width
    for name in ("● ridge", "■ dropout"):
        assert any(line == name or line.startswith(f"{name} ") for line in lines), text
    together = " ".join(lines)
    for whole in ("7.53% ± 0.51%", "✓ reproduced", "38.3%"):
        assert whole in together


def test_verdicts_are_words_with_and_without_colour(results):
    plain, coloured = printed(results), printed(results, force_terminal=True, color_system="standard")
    assert "\x1b[" not in plain
    assert "\x1b[32m✓ reproduced" in coloured
    for word in ("✓ reproduced", "+ better", "✗ worse"):
        assert word in plain


def test_the_tally_is_last(results):
    assert (
        printed(results).splitlines()[-1]
        == "Numbers: 1 of 4 reproduced, 2 better, 1 worse. Effects: 1 of 1 reproduced."
    )
    assert "up to 0.25 false alarms are to be expected" in printed(results)


def test_plain_lines_hold_row_claim_and_arithmetic(results):
    assert plain_lines(results)[0] == (
        "error_table, mnist, lecture profile, tensorflow: ridge: published 6.9%, measured 7.53% ± 0.51%, n = 5, "
        "interval [5.95%, 9.12%], fitted in 14 s: reproduced: 6.90% lies in [5.95%, 9.12%]"
    )
    assert len(plain_lines(results)) == 7


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
    assert "Numbers: 0 of 4 reproduced, 4 not run. Effects: 0 of 1 reproduced, 1 not run." in printed(results)
    assert printed(replace(results, claims=())) == "No claims.\n"


def test_each_pair_of_a_chain_and_the_runs_not_shown_are_told(results):
    for text in (" ".join(printed(filled(results)).split()), " ".join(plain_lines(filled(results)))):
        assert "? ridge minus dropout is" in text
        assert text.count("✓ l") == 2
        assert "on this test set [-0.50%, 2.50%]" in text
        assert "23 seeds in all: 36 more runs, about 9 min on one core" in text
        assert "1 stale run of lda on mnist (lecture, scikit-learn): its <source> changed" in text


def test_long_predicting_is_told_without_widening_the_table(results):
    timed = [replace(run, seconds={"fit": 0.15, "predict": 104.0}) for run in results.rows[3].runs]
    slow = replace(results.rows[3], runs=tuple(timed))
    changed = replace(results, rows=(*results.rows[:3], slow))
    lines = printed(changed).splitlines()
    assert "lda: predicting takes another 1 min 44 s" in lines
    assert max(map(len, lines)) <= 80
    assert any("fitted in 0.15 s, predicted in 1 min 44 s" in line for line in plain_lines(changed))
