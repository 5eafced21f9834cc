"""The results as tables: ``table.csv`` for programs, Markdown for people, and the README's copy of it."""

from __future__ import annotations

import csv
import html
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.claims import Claim, EquivalenceClaim, IdentityClaim, NumberClaim, TimeToTargetClaim
from lecturebench.declare.views import KINDS
from lecturebench.errors import UsageError
from lecturebench.judging.evidence import one_line
from lecturebench.judging.results import ClaimResult, Results, RowResult
from lecturebench.judging.statistics import Judgement
from lecturebench.metrics import Metric
from lecturebench.report.reasons import explained, is_open, mean_seconds, predicting_seconds
from lecturebench.report.tally import counts, false_alarms, sentences
from lecturebench.store import write_whole
from lecturebench.wording import duration

COLUMNS = (
    *("suite", "benchmark", "dataset", "method", "claim", "kind", "published", "unit", "metric", "n", "mean", "sd"),
    *("low", "high", "verdict", "reason", "n_test", "parameters", "seconds", "backend", "device", "profile", "started"),
    *("commit", "predict_seconds"),
)
STALE_HEADING = "Runs not shown, since today's code would not make them"
FORMULAS = (*"=+-@＝＋－＠", "\t", "\r", "\n")  # where a spreadsheet's formula may begin, in wide letters too
MARKERS = ("<!-- lecturebench table begin -->", "<!-- lecturebench table end -->")
HEADINGS = ("Method", "Published", "Measured (mean ± sd, n)", "Interval", "Verdict", "Time")


def table_rows(results: Results) -> list[dict[str, Any]]:
    """One dict of `COLUMNS` per row and number claim, per row without one, and per other claim; NaN where undefined."""
    lines = []
    for row in results.rows:
        lines += [_cells(row.benchmark, row.dataset, (row,), result) for result in _number_claims(results, row)]
    for result in results.claims:
        if not result.rows or not isinstance(result.claim, NumberClaim):
            lines.append(_cells(result.benchmark, result.claim.dataset, result.rows, result))
    return lines


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> str:
    """The table as CSV: floats in full precision, nothing for NaN, and no text that a spreadsheet would execute."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return file.getvalue()


def to_markdown(results: Results) -> str:
    """The table for people: a heading per benchmark, then a table per dataset and profile with what explains it."""
    parts, title = [f"{line}\n" for line in filter(None, (summary(results), false_alarms(counts(results.claims))))], ""
    for block in blocks(results):
        if block.benchmark.title != title:
            title = block.benchmark.title
            parts.append(f"### {_escaped(title)}\n")
        parts.append(f"{_escaped(block.heading)}\n")
        parts.append("\n".join([_markdown_line(HEADINGS), "| --- " * len(HEADINGS) + "|"]))
        parts[-1] += "".join(f"\n{_markdown_line(map(_escaped, line.cells))}" for line in block.lines) + "\n"
        if block.reasons:
            parts.append("\n".join(f"- {_escaped(reason)}" for reason in block.reasons) + "\n")
    if results.stale:
        listed = "\n".join(f"- {_escaped(what)}: {_escaped(why)}" for what, why in results.stale)
        parts.append(f"{STALE_HEADING}:\n\n{listed}\n")
    if results.notes:
        parts.append("Notes:\n\n" + "\n".join(f"- {_escaped(note)}" for note in results.notes) + "\n")
    return "\n".join(parts)


def to_latex(results: Results) -> str:
    """The table for a paper: one ``table`` per benchmark, dataset and profile, rules of the package booktabs.

    Letters beyond Latin need XeLaTeX or LuaLaTeX. Written here: pandas does the same and takes a second to import.
    """
    parts = ["% Needs \\usepackage{booktabs}."]
    for block in blocks(results):
        lines = [" & ".join(map(_latex, cells)) + r" \\" for cells in (HEADINGS, *(line.cells for line in block.lines))]
        lines[1:1] = [r"\midrule"]
        parts += [
            r"\begin{table}",
            rf"\caption{{{_latex(f'{block.benchmark.title}: {block.heading}')}}}",
            rf"\begin{{tabular}}{{{'l' * len(HEADINGS)}}}",
            *(r"\toprule", *lines, r"\bottomrule"),
            r"\end{tabular}",
            *(rf"\par\footnotesize {_latex(reason)}" for reason in block.reasons),
            r"\end{table}",
        ]
    return "\n".join(parts) + "\n"


def render_tables(results: Results) -> dict[str, str]:
    """The texts of ``table.csv``, ``table.md`` and ``table.tex``, by these names; equal results give equal texts."""
    return {
        "table.csv": to_csv(table_rows(results)),
        "table.md": to_markdown(results),
        "table.tex": to_latex(results),
    }


def write_tables(results: Results, folder: Path) -> None:
    """Write what `render_tables` gives into the folder, each file whole or not at all."""
    for name, text in render_tables(results).items():
        write_whole(folder / name, text.encode())


def update_readme(path: Path, markdown: str) -> None:
    """Put the table between the markers of a text. UsageError if it does not have both, once and in order."""
    text = path.read_text(encoding="utf-8")
    begin, end = MARKERS
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise UsageError(f"{path} must have the lines {begin!r} and {end!r}, once and in this order")
    before, after = text.split(begin)[0], text.split(end)[1]
    write_whole(path, f"{before}{begin}\n{markdown.strip()}\n{end}{after}".encode())


@dataclass(frozen=True)
class Line:
    """A row, or a claim that nothing was fitted for, as people read it. result: its number claim, if it has one.

    predicting: its time, where that is much beside fitting.
    """

    method: str
    title: str
    published: str
    measured: str
    runs: str
    interval: str
    time: str
    predicting: str
    result: ClaimResult | None

    @property
    def verdict(self) -> str:
        return self.result.word if self.result else ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells under `HEADINGS`."""
        measured = f"{self.measured}, n = {self.runs}" if self.runs else self.measured
        time = _with_predicting(self.time, self.predicting)
        return (self.title, self.published, measured, self.interval, self.verdict, time)


@dataclass(frozen=True)
class Block:
    """What is shown together: a benchmark on one dataset and profile. claims: those about several rows.

    columns: what the rows saw of a table's, in a sentence.
    """

    benchmark: Benchmark
    heading: str
    lines: tuple[Line, ...]
    claims: tuple[ClaimResult, ...]
    columns: str

    @property
    def reasons(self) -> list[str]:
        """What the numbers alone do not say: how the orders came out, why a number is off or not decided yet."""
        claims_by_reason: dict[str, list[str]] = {}
        for line in self.lines:
            if line.result and (line.result.judgement.verdict != "reproduced" or is_open(line.result)):
                claims_by_reason.setdefault(explained(line.result), []).append(line.result.claim.name)
        for result in self.claims:
            claims_by_reason.setdefault(explained(result), []).append(result.claim.name)
        return [f"{', '.join(names)}: {reason}" for reason, names in claims_by_reason.items()]


def blocks(results: Results) -> list[Block]:
    """The results in the order in which people read them: benchmark by benchmark, the claimed dataset first."""
    rows: dict[tuple[str, str, str], list[RowResult]] = {}
    claims: dict[tuple[str, str, str], list[ClaimResult]] = {}
    benchmarks: dict[str, Benchmark] = {}
    for row in results.rows:
        benchmarks[row.benchmark.name] = row.benchmark
        rows.setdefault((row.benchmark.name, row.dataset, row.profile), []).append(row)
    for result in results.claims:
        benchmarks[result.benchmark.name] = result.benchmark
        name, dataset = result.benchmark.name, result.claim.dataset
        beside = [row.profile for row in result.rows] or [p for b, d, p in rows if (b, d) == (name, dataset)]
        claims.setdefault((name, dataset, beside[0] if beside else ""), []).append(result)
    keys = dict.fromkeys([*claims, *rows])
    order = list(benchmarks)
    return [
        _block(results, benchmarks[key[0]], key, rows.get(key, []), claims.get(key, []))
        for key in sorted(keys, key=lambda key: (order.index(key[0]), key not in claims))
    ]


def summary(results: Results) -> str:
    """ "Numbers: 3 of 4 reproduced, 1 better. Effects: 1 of 1 reproduced. Formulas: 25 of 25 hold." """
    return sentences(counts(results.claims))


def measured(row: RowResult, metric: str) -> str:
    """ "1.84% ± 0.05%" of that metric, or as much as there is of it."""
    text, sd = row.benchmark.measure(metric).show, row.sd_of(metric)
    return text(row.mean_of(metric)) + (f" ± {text(sd)}" if math.isfinite(sd) else "")


def seen(rows: Iterable[RowResult]) -> str:
    """ "Columns as stored: linear, lasso; standardised over train: network." Nothing where all see pixels."""
    names: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if row.view is not None:
            names.setdefault(KINDS[row.view.kind].capitalize(), {}).setdefault(row.view.words, []).append(
                row.method.name
            )
    said = {
        what: "; ".join(f"{words}: {', '.join(dict.fromkeys(methods))}" for words, methods in views.items())
        for what, views in names.items()
    }
    return " ".join(f"{what} {views}." for what, views in said.items())


def runs(row: RowResult) -> str:
    """ "5", or "4, 1 diverged" if not all is well."""
    kinds = Counter(run.status.replace("_", " ") for run in row.failed)
    return ", ".join([str(row.n), *(f"{n} {kind}" for kind, n in sorted(kinds.items()))])


def interval(judgement: Judgement, metric: Metric) -> str:
    """ "[1.70%, 1.98%]", or nothing where there is none."""
    if not (math.isfinite(judgement.low) and math.isfinite(judgement.high)):
        return ""
    return f"[{metric.show(judgement.low)}, {metric.show(judgement.high)}]"


def time_per_fit(row: RowResult) -> str:
    """ "12 s", or "0.15 s + 1 min 44 s predicting" where predicting takes more than a tenth of fitting."""
    return _with_predicting(duration(row.seconds), duration(predicting_seconds(row)))


def _with_predicting(fitting: str, predicting: str) -> str:
    return f"{fitting} + {predicting} predicting" if predicting else fitting


def _number_claims(results: Results, row: RowResult) -> Sequence[ClaimResult | None]:
    """The row's number claims; None in their place if it has none."""
    return [result for result in results.claims_of(row) if isinstance(result.claim, NumberClaim)] or [None]


def _published(claim: Claim) -> tuple[float | str, float | str]:
    """What was published and how exact: the number and its last digit, the target, 0 and what may be missing to it."""
    if isinstance(claim, NumberClaim):
        return claim.published, claim.unit
    if isinstance(claim, TimeToTargetClaim):
        return claim.threshold, ""
    return (0.0, claim.tolerance) if isinstance(claim, EquivalenceClaim | IdentityClaim) else ("", "")


def _cells(
    benchmark: Benchmark, dataset: str, rows: tuple[RowResult, ...], result: ClaimResult | None
) -> dict[str, Any]:
    """One line of the table; of a claim about several rows, what these have in common."""
    cells: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    cells |= {"suite": benchmark.suite, "benchmark": benchmark.name, "dataset": dataset}
    if rows:
        # Baselines know no backend: that of an order is its networks'.
        networks = [row for row in rows if row.method.uses_backend] or rows
        last = max(rows, key=lambda row: row.started)
        cells |= {
            "n_test": rows[0].n_test,
            "backend": networks[0].backend,
            "device": networks[0].device,
            "profile": rows[0].profile,
            "started": last.started,
            "commit": last.commit + ("-dirty" if any(row.dirty for row in rows) else ""),
        }
    alone = len(rows) == 1 and (result is None or len(result.claim.methods) == 1)
    if alone:
        row = rows[0]
        cells |= {"method": row.method.name, "metric": row.metric, "n": row.n, "mean": row.mean, "sd": row.sd}
        cells |= {"parameters": row.parameters, "seconds": row.seconds, "predict_seconds": mean_seconds(row, "predict")}
    if result:
        claim, judgement = result.claim, result.judgement
        kind = claim.kind
        cells |= {"method": " < ".join(claim.methods), "claim": claim.name, "kind": kind}
        cells |= {"metric": claim.metric, "verdict": judgement.verdict, "reason": one_line(judgement.reason)}
        cells |= dict(zip(("published", "unit"), _published(claim), strict=True))
        if alone:
            cells |= {"mean": rows[0].mean_of(claim.metric), "sd": rows[0].sd_of(claim.metric)}
        if judgement.n or not alone:
            cells |= {
                "n": judgement.n,
                "mean": judgement.mean,
                "sd": judgement.sd,
                "low": judgement.low,
                "high": judgement.high,
            }
    return cells


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    text = str(value)
    # A spreadsheet takes these for formulas; the apostrophe says that it is text.
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULAS) else text


def _block(
    results: Results,
    benchmark: Benchmark,
    key: tuple[str, str, str],
    rows: list[RowResult],
    claims: list[ClaimResult],
) -> Block:
    _, dataset, profile = key
    backends = {row.backend for row in rows if row.method.uses_backend}
    lines = []
    for row in rows:
        backend = f" ({row.backend})" if len(backends) > 1 and row.method.uses_backend else ""
        lines += [_line(row, result, backend) for result in _number_claims(results, row)]
    lines += [_unfitted(result) for result in claims if not result.rows and isinstance(result.claim, NumberClaim)]
    order = [method.name for method in benchmark.methods]
    claimed = {name for claim in benchmark.claims for name in claim.methods if claim.dataset == dataset}
    lines.sort(key=lambda line: (line.method not in claimed, order.index(line.method)))
    heading = f"{dataset}, {profile} profile" if profile else dataset
    if len(backends) == 1:
        heading += f", {backends.pop()}"
    return Block(
        benchmark,
        heading,
        tuple(lines),
        tuple(result for result in claims if not isinstance(result.claim, NumberClaim)),
        seen(rows),
    )


def _line(row: RowResult, result: ClaimResult | None, backend: str) -> Line:
    claim = result.claim if result else None
    return Line(
        row.method.name,
        row.method.title + backend,
        claim.printed if isinstance(claim, NumberClaim) else "",
        measured(row, result.claim.metric if result else row.metric),
        runs(row),
        interval(result.judgement, result.measure) if result else "",
        duration(row.seconds),
        duration(predicting_seconds(row)),
        result,
    )


def _unfitted(result: ClaimResult) -> Line:
    claim = result.claim
    assert isinstance(claim, NumberClaim)
    return Line(claim.method, result.benchmark.method(claim.method).title, claim.printed, "–", "", "", "", "", result)


LATEX = str.maketrans(
    {
        **{sign: rf"\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        # A bracket after a line break would be its argument.
        "[": "{[}",
        "]": "{]}",
        # No text font of LaTeX has these.
        "✓": r"$\surd$",
        "✗": r"$\times$",
        "○": r"$\circ$",
    }
)


def _latex(text: str) -> str:
    """The text in one line as LaTeX prints it, without control and direction characters, which no font has."""
    line = one_line(re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ", text))
    return line.translate(LATEX)


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Text as Markdown shows it, with nothing in it that is markup."""
    return re.sub(r"([\\`*_|~]|\](?=\())", r"\\\1", html.escape(one_line(text), quote=False))
