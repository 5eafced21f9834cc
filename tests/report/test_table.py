"""The tables: every row and claim once, in full precision, and nothing in them that is executed."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lecturebench.errors import UsageError
from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.report.table import (
    COLUMNS,
    MARKERS,
    STALE_HEADING,
    render_tables,
    summary,
    table_rows,
    to_csv,
    to_latex,
    to_markdown,
    update_readme,
    write_tables,
)
from lecturebench.store import Store
from tests.made_up import SEEDS, make_record, write_run
from tests.report.filled import filled

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.mark.parametrize("name", ["table.csv", "table.md", "table.tex"])
def test_tables_are_the_golden_ones(results, tmp_path, name):
    write_tables(results, tmp_path)
    written = (tmp_path / name).read_text(encoding="utf-8")
    golden = GOLDEN / f"error_{name}"
    if os.environ.get("LECTUREBENCH_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(written, encoding="utf-8")
    assert written == golden.read_text(encoding="utf-8"), "if this is meant, `make golden` and review the diff"


def parsed(results):
    return list(csv.DictReader(io.StringIO(to_csv(table_rows(results)))))


def test_the_csv_has_the_columns_of_the_contract_and_floats_in_full(results):
    lines = parsed(results)
    assert tuple(lines[0]) == COLUMNS
    assert float(lines[0]["mean"]) == results.rows[0].mean
    assert lines[2]["sd"] == ""
    assert lines[4]["method"] == "dropout < ridge < logistic < lda"
    assert lines[4]["published"] == ""


def test_a_row_without_a_claim_has_a_line_with_an_empty_claim(benchmarks, store, load):
    record = make_record("lda", key="d", dataset={**make_record().dataset, "name": "digits"})
    write_run(store, 0.1, load("digits").test.y, record)
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    lines = [line for line in parsed(results) if line["dataset"] == "digits"]
    assert [(line["method"], line["claim"], line["verdict"], line["n"]) for line in lines] == [("lda", "", "", "1")]
    assert "digits, lecture profile\n\n| Method" in to_markdown(results)


def test_a_claim_that_was_not_run_has_a_line_with_its_reason(benchmarks, tmp_path):
    store = Store(tmp_path)
    store.set_missing({"error_table": {"mnist": "no host"}})
    results = collect(benchmarks, store)
    assert [line["verdict"] for line in parsed(results)] == ["not_run"] * 5
    markdown = to_markdown(results)
    assert markdown.startswith("Numbers: 0 of 4 reproduced, 4 not run. Effects: 0 of 1 reproduced, 1 not run.\n")
    assert markdown.count("no mnist: no host") == 1, "five claims with one reason say it once"


def test_an_order_of_which_one_row_was_fitted_has_no_mean_of_its_own(benchmarks, tmp_path, load):
    store = Store(tmp_path)
    write_run(store, 0.1, load("mnist").test.y, make_record("lda"))
    [line] = [
        line for line in parsed(collect(benchmarks, store)) if line["kind"] == "order" and "lda" in line["method"]
    ]
    assert (line["verdict"], line["n"], line["mean"], line["sd"]) == ("not_run", "0", "", "")


def test_text_that_a_spreadsheet_would_execute_is_text(results):
    line = dict.fromkeys(COLUMNS, "") | {
        "method": "=HYPERLINK(1)",
        "reason": "-1+1",
        "low": -0.5,
        "n": -1,
        "sd": math.nan,
    }
    cells = to_csv([line]).splitlines()[1].split(",")
    assert [cell for cell in cells if cell] == ["'=HYPERLINK(1)", "-1", "-0.5", "'-1+1"]


def test_markup_in_names_is_text(benchmarks, tmp_path):
    odd = replace(benchmarks["error_table"], title="<script>x</script> | `a` *b*\n# c")
    markdown = to_markdown(collect({odd.name: odd}, Store(tmp_path)))
    assert "### &lt;script&gt;x&lt;/script&gt; \\| \\`a\\` \\*b\\* # c\n" in markdown


def test_the_summary_counts_each_claim_where_it_was_judged(benchmarks, store, load, results):
    assert summary(results) == "Numbers: 1 of 4 reproduced, 2 better, 1 worse. Effects: 1 of 1 reproduced."
    write_run(store, 0.1, load("mnist").test.y, make_record("dropout", key="s", profile="smoke"))
    again = collect(benchmarks, store, losses=saved_losses(store, load))
    assert len(again.claims) == 7
    assert summary(again) == summary(results)
    assert summary(replace(results, claims=())) == "No claims."


def test_an_order_that_does_not_hold_is_called_contradicted(benchmarks, store, load):
    for seed in SEEDS:
        write_run(store, 0.9, load("mnist").test.y, make_record("dropout", seed))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert "1 contradicted" in summary(results)
    assert results.claims[-1].judgement.verdict == "worse"


def test_predicting_stands_beside_fitting_where_it_takes_long(results):
    slow = replace(results.rows[2], runs=tuple(slow_to_predict(run) for run in results.rows[2].runs))
    claims = tuple(replace(item, rows=(slow,)) if item.rows == (results.rows[2],) else item for item in results.claims)
    changed = replace(results, rows=(*results.rows[:2], slow, results.rows[3]), claims=claims)
    assert "| 1.2 s + 1 min 44 s predicting |" in to_markdown(changed)
    assert "1.2 s + 1 min 44 s predicting" in to_latex(changed)
    assert [line["predict_seconds"] for line in parsed(changed)] == ["0.1", "0.1", "104.0", "0.1", ""]


def slow_to_predict(run):
    return replace(run, seconds=run.seconds | {"predict": 104.0})


def test_runs_that_are_not_shown_are_named_and_each_says_why(results):
    assert STALE_HEADING not in to_markdown(results)
    markdown = to_markdown(filled(results))
    assert (
        f"{STALE_HEADING}:\n\n"
        "- 2 stale runs of ridge on mnist (lecture, tensorflow): today's code would fit penalty 1e-5\n"
        "- 1 stale run of lda on mnist (lecture, scikit-learn): its &lt;source&gt; changed\n"
    ) in markdown


def test_better_and_worse_say_what_would_explain_them(results):
    reasons = [line for line in to_markdown(results).splitlines() if line.startswith("- ")]
    [dropout] = [line for line in reasons if line.startswith("- dropout error 9.4%")]
    assert dropout.endswith("; nothing that is assumed was varied: epochs")


def test_tables_are_texts_of_the_results_alone(results, tmp_path):
    texts = render_tables(results)
    assert list(texts) == ["table.csv", "table.md", "table.tex"]
    assert render_tables(results) == texts
    write_tables(results, tmp_path)
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in texts} == texts


def test_notes_stand_below_the_table_for_people(benchmarks, store, load):
    store.write(make_record(key="x", benchmark="<gone>"))
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    assert "Notes:\n\n- 1 run of unknown benchmark '&lt;gone&gt;' left out\n" in to_markdown(results)


def test_the_readme_gets_the_table_between_its_markers(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{MARKERS[0]}\nold\n{MARKERS[1]}\nafter\n")
    for _ in range(2):
        update_readme(path, "new\n")
        assert path.read_text() == f"before\n{MARKERS[0]}\nnew\n{MARKERS[1]}\nafter\n"


@pytest.mark.parametrize("text", ["none", MARKERS[0], f"{MARKERS[1]}{MARKERS[0]}", "".join(MARKERS * 2)])
def test_a_readme_without_its_markers_is_an_error_and_stays_as_it_is(tmp_path, text):
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(UsageError, match="once and in this order"):
        update_readme(path, "new")
    assert path.read_text() == text


def test_any_title_is_text_to_latex(results):
    @settings(deadline=None)
    @given(st.text(max_size=40))
    @example("✓ ✗ ○ 5 $ [% of ~^]")
    def holds_for(title):
        renamed = replace(results.rows[0].benchmark, title=title)
        rows = tuple(replace(row, benchmark=renamed) for row in results.rows)
        latex = to_latex(replace(results, rows=rows, claims=()))
        caption = next(line for line in latex.splitlines() if line.startswith("\\caption"))
        inside = caption.removeprefix("\\caption{").removesuffix("}")
        # What is left without the escapes that are known holds no sign that LaTeX would act on.
        plain = re.sub(
            r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater)\{\}|\\[&%$#_{}]"
            r"|\$\\(?:surd|times|circ)\$",
            "",
            inside,
        )
        assert not re.search(r"[\\&%$#_~^]", plain)
        assert plain.count("{") == plain.count("}") == plain.count("[") + plain.count("]")
        assert {letter for letter in latex if not letter.isprintable()} <= {"\n", *title}

    holds_for()
