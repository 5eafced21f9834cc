"""Every row with its numbers and verdicts: what the table of part Explore sorts and its charts draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lecturebench.declare.claims import NumberClaim
from lecturebench.judging.results import ClaimResult, Results, RowResult
from lecturebench.report.sections import section_anchor, slug
from lecturebench.report.style import MethodStyle


def anchor(result: ClaimResult) -> str:
    """The claim's id on the page, the same as long as the claim is: links to it last."""
    where = [result.rows[0].profile, result.rows[0].backend] if result.rows else []
    return slug("-".join(["claim", result.benchmark.name, result.claim.name, *where]))


def rows_data(results: Results, styles: Mapping[str, MethodStyle]) -> list[dict[str, Any]]:
    """One dict per row, in the order of the page; its position is the row's id. None where a number is undefined.

    values: its metric, and times: the seconds of fitting, run by run, in the order of seeds. claims: those that speak
    of it; published and printed where they are numbers. section: the id of the page's part with its figures.
    """
    return [_row(i, results, row, styles[row.method.name]) for i, row in enumerate(results.rows)]


def finite(value: float | None) -> float | None:
    """The number as JSON has it, to twelve digits; None for what JSON has not, and for none."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.12g}")


def _row(i: int, results: Results, row: RowResult, style: MethodStyle) -> dict[str, Any]:
    return {
        "id": i,
        "benchmark": row.benchmark.name,
        "benchmarkTitle": row.benchmark.title,
        "dataset": row.dataset,
        "method": row.method.name,
        "title": row.method.title,
        "profile": row.profile,
        "backend": row.backend,
        "device": row.device,
        "metric": row.metric,
        "n": row.n,
        "failed": len(row.failed),
        "deterministic": row.deterministic,
        "mean": finite(row.mean),
        "sd": finite(row.sd),
        "values": [finite(run.value(row.metric)) for run in row.runs],
        "seeds": [run.seed for run in row.runs],
        "seconds": finite(row.seconds),
        "predicting": finite(row.seconds_of("predict")),
        "times": [finite(run.seconds.get("fit", math.nan)) for run in row.runs],
        "parameters": row.parameters or None,
        "section": section_anchor(row),
        "css": style.css,
        "glyph": style.glyph,
        "marker": style.marker,
        "claims": [_claim(result) for result in results.claims_of(row)],
    }


def _claim(result: ClaimResult) -> dict[str, Any]:
    claim = result.claim
    number = claim if isinstance(claim, NumberClaim) else None
    return {
        "name": claim.name,
        "kind": claim.kind,
        "verdict": result.judgement.verdict,
        "word": result.word,
        "anchor": anchor(result),
        "metric": claim.metric,
        "published": number and number.published,
        "printed": number and number.printed,
        "low": finite(result.judgement.low),
        "high": finite(result.judgement.high),
    }
