"""What changed between two stores as CSV, JSON, page, and on terminals."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from rich.console import Console

from lecturebench.judging.changes import WORDS, signed, times
from lecturebench.judging.compare import compare, read_side
from lecturebench.metrics import named
from lecturebench.report.compare_page import COLUMNS, strip, table_rows, to_json, write_comparison
from lecturebench.report.terminal import comparison_lines, comparison_table
from lecturebench.store import Store
from tests.judging.comparing import change_of, drop, edit, fit_anew
from tests.judging.test_collect import ODD
from tests.made_up import make_record

pytestmark = pytest.mark.usefixtures("unsynced")
HOSTILE = "<script>alert('x')</script> & \"q\" \u202e 😀"


def test_csv_has_every_row_and_changed_claim_in_full_precision(compared, benchmarks, other, load, tmp_path):
    fit_anew(other, load, "dropout", 0.3)
    drop(other, "lda")
    comparison = compared(benchmarks=benchmarks)
    write_comparison(comparison, tmp_path / "out")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "out" / "compare.csv").read_text(encoding="utf-8"))))
    assert tuple(lines[0]) == COLUMNS
    rows = {line["method"]: line for line in lines if line["kind"] == "row"}
    assert {name: (line["in"], line["judgement"]) for name, line in rows.items()} == {
        "ridge": ("both", "same"), "dropout": ("both", "worse"), "logistic": ("both", "same"), "lda": ("A", "")
    }  # fmt: skip
    change = change_of(comparison, "dropout")
    assert float(rows["dropout"]["difference"]) == change.difference
    assert float(rows["dropout"]["low"]) == change.alone.low
    assert float(rows["dropout"]["judged_level"]) == 0.95
    assert (rows["dropout"]["n_a"], rows["dropout"]["pairs"], rows["lda"]["b"]) == ("5", "5", "")
    claims = [line for line in lines if line["kind"] == "claim"]
    assert ("dropout error 9.4%", "better", "worse") in {
        (line["claim"], line["verdict_a"], line["verdict_b"]) for line in claims
    }
    assert len(lines) == len(table_rows(comparison))


def test_json_is_for_programs(compared, other, load):
    fit_anew(other, load, "dropout", 0.3)
    document = json.loads(json.dumps(to_json(compared()), allow_nan=False))
    assert document["worse"] == ["dropout of error_table on mnist (lecture, tensorflow)"]
    assert document["tally"] == {"worse": 1, "better": 0, "within noise": 0, "same": 3, "cannot tell": 0}
    assert document["expected_false_alarms"] == 0.05
    assert document["rows"][0]["low"] is None
    assert list(document["tally"]) == list(WORDS)


def test_strip_has_no_difference_in_the_middle_and_more_errors_to_the_right(compared, other, load):
    fit_anew(other, load, "dropout", 0.3)
    change = change_of(compared(), "dropout")
    shown = strip(change)
    assert 50 < shown.left < shown.mean < shown.left + shown.width < 100
    assert (shown.mean - 50) / (shown.left - 50) == pytest.approx(change.difference / change.alone.low, rel=1e-3)
    assert len(shown.runs) == 5
    assert strip(change_of(compared(), "lda")) is None


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def written(comparison, folder):
    return write_comparison(comparison, folder).read_text(encoding="utf-8")


def test_page_says_the_outcome_first_and_loads_nothing(compared, benchmarks, other, load, tmp_path):
    fit_anew(other, load, "dropout", 0.3)
    drop(other, "lda")
    comparison = compared(benchmarks=benchmarks)
    html = written(comparison, tmp_path / "out")
    page = Page(html)
    assert html == written(comparison, tmp_path / "again")
    assert '<h1 id="headline">1 result got worse beyond noise</h1>' in html
    for text in (
        "1 ✗ worse",
        "Neural network + dropout",
        change_of(comparison, "dropout").reason,
        "Only in A: lda",
        "dropout error 9.4%",
        "1.00×",
        comparison.alarms,
    ):
        assert text in page.text
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert not {"src", "srcset", "action"} & set(attributes)
        assert attributes.get("href", "#")[0] == "#" or attributes["href"] == "data:,"
        if attributes.get("href", "#main").startswith("#"):
            assert attributes.get("href", "#main")[1:] in ids
    assert not re.search(r"@import|@font-face|url\(", html)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.elements if tag == "th")


def test_page_csv_and_terminal_take_names_for_text(unclaimed, store, other, load, tmp_path):
    for side, cpu in ((store, HOSTILE), (other, "=1+1\x1b[31m")):
        for method in ("ridge", "dropout", "logistic", "lda"):
            edit(
                side,
                method,
                lambda values, cpu=cpu: values.update(environment={"cpu": cpu, "packages": {"keras": cpu}}),
            )
            edit(side, method, lambda values, cpu=cpu: values["recipe"].update({HOSTILE: cpu}))
    moved = tmp_path / "<b>'x'"
    other.folder.rename(moved)
    comparison = compare(*(read_side(folder, unclaimed, load) for folder in (store.folder, moved)))
    html = written(comparison, tmp_path / "out")
    page = Page(html)
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert "<script>alert" not in html
    assert "<script>alert('x')</script>" in page.text
    assert "<b>'x'" in page.text
    lines = list(csv.DictReader(io.StringIO((tmp_path / "out" / "compare.csv").read_text(encoding="utf-8"))))
    assert all(line["machine_b"].startswith("'=1+1") for line in lines)
    assert all(line.isprintable() for line in comparison_lines(comparison))
    assert "\x1b" not in printed(comparison)


def printed(comparison, width=80, **options):
    file = io.StringIO()
    Console(file=file, width=width, **options).print(comparison_table(comparison, width))
    return file.getvalue()


def test_terminal_fits_80_columns_and_ends_with_the_outcome(compared, benchmarks, other, load):
    fit_anew(other, load, "dropout", 0.3)
    comparison = compared(benchmarks=benchmarks)
    lines = printed(comparison).splitlines()
    assert max(map(len, lines)) <= 80
    (row,) = [line.split() for line in lines if line.startswith("dropout ") and "✗" in line]
    assert row[:2] + row[-4:] == ["dropout", "6.20%", "5", "✗", "worse", "1.00×"]
    assert lines[-1] == "1 result got worse beyond noise."
    assert "error_table: dropout error 9.4% on mnist (lecture, tensorflow): better → worse" in lines
    coloured = printed(comparison, force_terminal=True, color_system="standard")
    assert "\x1b[1;31m✗ worse" in coloured
    assert "0.76× to 1.32×" in printed(comparison, 120)
    assert comparison_lines(comparison)[-1] == lines[-1]


@pytest.mark.parametrize("width", [40, 69])
def test_narrow_terminal_keeps_names_and_numbers_whole(compared, benchmarks, width):
    text = printed(compared(benchmarks=benchmarks), width)
    assert max(map(len, text.splitlines())) <= width
    together = " ".join(text.split())
    assert "dropout: same: 6.20% in A, 6.20% in B, n = 5" in together or "dropout: same: " in together
    assert "identical predictions in 5 runs" in together


def test_plain_lines_hold_word_numbers_reason_and_time(compared):
    assert comparison_lines(compared())[3] == (
        "error_table, mnist, lecture profile, tensorflow: dropout: same: 6.20% in A, 6.20% in B, n = 5: "
        "identical predictions in 5 runs; time 1.00× (0.76× to 1.32×)"
    )


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.0012, "error", "+0.12%"),
        (-0.0012, "error", "-0.12%"),
        (-0.00001, "error", "0.00%"),
        (3.14, "mae", "+3.1"),
        (-1e-16, "deviation", "-1e-16"),
        (0.0, "deviation", "0"),
        (float("nan"), "error", "–"),
    ],
)
def test_differences_have_a_sign_unless_they_show_none(value, metric, text):
    assert signed(value, named(metric)) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(1, "1.00×"), (0.001, "0.001×"), (12.345, "12.35×"), (1234, "1,234×"), (float("nan"), "")]
)
def test_ratios_are_short(ratio, text):
    assert times(ratio) == text


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(change=ODD)
def test_odd_records_never_stop_a_comparison(tmp_path_factory, unclaimed, store, load, change):
    odd = Store(tmp_path_factory.mktemp("odd"))
    for i in range(3):
        record = make_record("dropout", i, key=f"k{i}")
        (odd.runs / record.key).mkdir(parents=True)
        (odd.runs / record.key / "record.json").write_text(json.dumps(record.to_json() | (change if i else {})))
        np.savez(odd.runs / record.key / "predictions.npz", test=np.full((300, 10), 0.1, np.float16))
    sides = read_side(store.folder, unclaimed, load), read_side(odd.folder, unclaimed, load)
    comparison = compare(*sides)
    html = written(comparison, odd.folder / "out")
    assert "<script>alert" not in html
    json.dumps(to_json(comparison), allow_nan=False)
    assert "\x1b" not in "\n".join([*comparison_lines(comparison), printed(comparison)])
