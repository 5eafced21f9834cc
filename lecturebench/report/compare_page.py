"""A comparison for programs and for people: rows of ``compare.csv``, JSON, and the page ``compare.html``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lecturebench.judging.changes import (
    SIGNS,
    ClaimChange,
    Comparison,
    RowChange,
    Word,
    claim_row,
    interval_text,
    signed,
    times,
)
from lecturebench.judging.evidence import one_line
from lecturebench.judging.results import RowResult
from lecturebench.judging.statistics import ALPHA
from lecturebench.report.reasons import explained
from lecturebench.report.table import measured, runs, to_csv
from lecturebench.report.tally import GROUPS, counts
from lecturebench.store import write_whole

COLUMNS = (
    *("kind", "suite", "benchmark", "dataset", "method", "claim", "profile", "backend", "metric", "in", "a", "b"),
    *("n_a", "n_b", "pairs", "difference", "low", "high", "judged_level", "judged_low", "judged_high", "judgement"),
    *("verdict_a", "verdict_b", "reason", "changed", "seconds_a", "seconds_b", "time_ratio", "time_low", "time_high"),
    *("machine_a", "machine_b", "same_machine"),
)
# The style sheet's classes.
CLASSES: Mapping[Word, str] = {
    "worse": "worse",
    "better": "better",
    "within noise": "",
    "same": "not_run",
    "cannot tell": "inconclusive",
}


@dataclass(frozen=True)
class Strip:
    """A row's 95% interval around 0, which stands in the middle; in percent of the strip's width."""

    left: float
    width: float
    mean: float
    runs: tuple[float, ...]


def table_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One dict of `COLUMNS` per row of either side and per claim whose verdict changed; NaN where undefined."""
    lines = [_row_cells(change) for change in comparison.rows]
    lines += [_place("row", row) | {"in": "A"} | _of_side("a", row) for row in comparison.only_a]
    lines += [_place("row", row) | {"in": "B"} | _of_side("b", row) for row in comparison.only_b]
    return lines + [_claim_cells(change) for change in comparison.claims]


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison for programs; None where a number is undefined."""
    sides = {
        name: {
            "folder": side.name,
            "runs": len(side.runs),
            "machines": dict(side.machines),
            "claims": {count.group: dict(count.verdicts) for count in counts(side.claims.values())},
        }
        for name, side in (("a", comparison.a), ("b", comparison.b))
    }
    rows = [
        {name: None if v == "" or (isinstance(v, float) and not math.isfinite(v)) else v for name, v in row.items()}
        for row in table_rows(comparison)
    ]
    return sides | {
        "worse": comparison.worse,
        "tally": dict(comparison.tally),
        "judged_by_intervals": comparison.judged,
        "expected_false_alarms": ALPHA * comparison.judged,
        "rows": rows,
        "notes": comparison.notes,
    }


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write ``folder/compare.csv`` and ``folder/compare.html``; the page's path. Equal comparisons give equal bytes."""
    from lecturebench.report.sections import styles_of
    from lecturebench.report.templating import templates

    environment = templates()
    environment.globals |= {"interval": interval_text, "measured": measured, "runs": runs, "signed": signed}
    environment.globals |= {"strip": strip, "times": times, "groups": GROUPS, "explained": explained}
    benchmarks = {block.benchmark.name: block.benchmark for block in comparison.blocks}
    text = environment.get_template("compare.html").render(
        comparison=comparison,
        shared=[block for block in comparison.blocks if block.rows],
        alone=[block for block in comparison.blocks if not block.rows],
        benchmarks=len(benchmarks),
        sides=(("A", comparison.a), ("B", comparison.b)),
        tallies={name: counts(side.claims.values()) for name, side in (("A", comparison.a), ("B", comparison.b))},
        claims=sorted(comparison.claims, key=lambda change: list(GROUPS).index(change.b.claim.group)),
        changed=_changed(comparison),
        styles=styles_of(benchmarks.values()),
        signs=SIGNS,
        classes=CLASSES,
    )
    write_whole(folder / "compare.csv", to_csv(table_rows(comparison), COLUMNS).encode(errors="replace"))
    page = folder / "compare.html"
    write_whole(page, text.encode(errors="replace"))
    return page


def strip(change: RowChange) -> Strip | None:
    """How the row's interval is drawn; None where there is none, or nothing but 0 in it."""
    if change.alone is None:
        return None
    low, high = change.alone.low, change.alone.high
    reach = 1.12 * max(map(abs, (low, high, change.difference, *change.by_seed)))
    if not 0 < reach < math.inf:
        return None

    def at(value: float) -> float:
        return round(50 + 50 * (value / reach), 2)

    ticks = tuple(map(at, change.by_seed)) if len(change.by_seed) > 1 else ()
    return Strip(at(low), round(at(high) - at(low), 2), at(change.difference), ticks)


def _changed(comparison: Comparison) -> dict[str, list[str]]:
    """What differs beside the results, with the rows that it differs in: "all rows" where it is all."""
    rows_by_change: dict[str, list[str]] = {}
    for block in comparison.blocks:
        for change in block.rows:
            for text in change.changed:
                rows_by_change.setdefault(text, []).append(f"{block.label(change.b)} on {block.heading}")
    n = len(comparison.rows)
    return {text: ["all rows"] if len(rows) == n > 1 else rows for text, rows in rows_by_change.items()}


def _place(kind: str, row: RowResult) -> dict[str, Any]:
    cells: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    cells |= {"kind": kind, "suite": row.benchmark.suite, "benchmark": row.benchmark.name, "dataset": row.dataset}
    return cells | {"method": row.method.name, "profile": row.profile, "backend": row.backend, "metric": row.metric}


def _of_side(name: str, row: RowResult) -> dict[str, Any]:
    return {name: row.mean, f"n_{name}": row.n, f"seconds_{name}": row.seconds}


def _row_cells(change: RowChange) -> dict[str, Any]:
    time = change.time
    cells = _place("row", change.b) | {"in": "both"} | _of_side("a", change.a) | _of_side("b", change.b)
    cells |= {"pairs": len(change.by_seed), "difference": change.difference}
    if change.alone is not None and change.together is not None:
        cells |= {"low": change.alone.low, "high": change.alone.high, "judged_level": change.together.level}
        cells |= {"judged_low": change.together.low, "judged_high": change.together.high}
    cells |= {"judgement": change.word, "reason": change.reason, "changed": "; ".join(change.changed)}
    cells |= {"time_ratio": time.ratio, "time_low": time.low, "time_high": time.high}
    return cells | {"machine_a": time.machine_a, "machine_b": time.machine_b, "same_machine": time.same}


def _claim_cells(change: ClaimChange) -> dict[str, Any]:
    result = change.b
    cells = _place("claim", claim_row(result)) | {"in": "both", "method": " < ".join(result.claim.methods)}
    cells |= {"claim": result.claim.name, "metric": getattr(result.claim, "metric", "")}
    cells |= {"verdict_a": change.a.word, "verdict_b": result.word, "judgement": "worse" if change.broken else ""}
    return cells | {"reason": one_line(result.judgement.reason)}
