"""A section's figures: which of them the page shows, with which rows, and what each says that it was made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lecturebench import Drawing
from lecturebench.judging.results import Results, RowResult
from lecturebench.report.basis import Basis
from lecturebench.report.predicted import Predictions
from lecturebench.report.sections import MOST_ROWS, Section, sections_of


def draw(figure, rows) -> str:
    figure.add_subplot().plot([0, 1])
    return "a line"


@pytest.fixture
def sectioned(results: Results, store, load):
    """The first section of the results' rows, of a benchmark changed so, with these claims."""

    def made(rows, claims=(), **changes) -> Section:
        benchmark = replace(results.rows[0].benchmark, claims=(), **changes)
        own = tuple(replace(row, benchmark=benchmark) for row in rows)
        claims = tuple(replace(claim, rows=(own[list(rows).index(claim.rows[0])],)) for claim in claims)
        return sections_of(replace(results, rows=own, claims=claims), Predictions(store, load), Basis())[0]

    return made


def bars(section: Section):
    return next(plate for plate in section.plates if plate.name.endswith("-error"))


def test_bars_of_a_metric_are_shown_unless_a_drawing_that_can_be_drawn_shows_it_of_every_row(results, sectioned):
    rows = [row for row in results.rows if row.dataset == results.rows[0].dataset]
    names = tuple(row.method.name for row in rows)
    showing = Drawing("own", "Own", draw, names, shows="error")
    assert bars(sectioned(rows)).main
    assert not bars(sectioned(rows, drawings=(showing,))).main
    assert bars(sectioned(rows, drawings=(replace(showing, shows=""),))).main, "it shows something else"
    assert bars(sectioned(rows, drawings=(replace(showing, methods=names[1:]),))).main, "one row is nowhere else"
    assert bars(sectioned(rows[1:], drawings=(showing,))).main, "it cannot be drawn without the first"
    other = replace(rows[-1], backend="jax") if rows[-1].method.uses_backend else replace(rows[0], backend="jax")
    assert bars(sectioned([*rows, other], drawings=(showing,))).main, "rows of another backend are nowhere else"
    assert not bars(sectioned(rows[:1])).main, "a single row"
    claims = [claim for claim in results.claims if claim.claim.kind == "number"]
    assert bars(sectioned(rows, claims, drawings=(showing,))).main, "published numbers"


def test_a_drawing_that_shows_no_metric_is_refused_by_name(results):
    with pytest.raises(ValueError, match=r"metric that drawing 'own' shows.*'eror'.*error"):
        replace(results.rows[0].benchmark, drawings=(Drawing("own", "Own", draw, (), shows="eror"),))


def many(row: RowResult, n: int) -> list[RowResult]:
    """So many rows like it, each a little worse than the one before."""

    def worse(i: int) -> RowResult:
        runs = [replace(run, metrics=run.metrics | {"test": {"error": 0.1 + 0.01 * i}}) for run in row.runs]
        return replace(row, backend=f"b{i:02}", runs=tuple(runs))

    return [worse(i) for i in range(n)]


def test_of_many_rows_the_best_are_drawn_and_all_that_were_published(results, sectioned):
    [number] = [claim for claim in results.claims if claim.claim.methods == ("ridge",) and claim.claim.kind == "number"]
    rows = many(number.rows[0], MOST_ROWS + 3)
    picture = bars(sectioned(rows)).draw()
    assert "(b13)" in picture.alt
    assert "(b14)" not in picture.alt
    assert "3 more rows stand in the table alone." in picture.caption
    claims = [replace(number, rows=(row,)) for row in rows]
    picture = bars(sectioned(rows, claims)).draw()
    assert "(b16)" in picture.alt
    assert "table alone" not in picture.caption


def test_a_figure_names_the_commits_of_its_own_rows(results, sectioned):
    rows = [row for row in results.rows if row.dataset == results.rows[0].dataset]
    commits = dict(zip((row.method.name for row in rows), ("a" * 40, "b" * 40, "c" * 40, "d" * 40), strict=True))

    def by(row: RowResult) -> RowResult:
        own = {"commit": commits[row.method.name], "dirty": row.method.name == "ridge"}
        return replace(
            row,
            runs=tuple(replace(run, **own) for run in row.runs),
            choice_runs=tuple(replace(run, commit="e" * 40, started="2000") for run in row.choice_runs),
        )

    section = sectioned(list(map(by, rows)), drawings=(Drawing("own", "Own", draw, ("lda",)),))
    sources = {plate.name: plate.draw().source for plate in section.plates}
    prefix = f"{rows[0].benchmark.name}-{rows[0].dataset}"
    own, choice, all_rows = (sources[f"{prefix}-{kind}"] for kind in ("own", "choice-ridge", "error"))
    assert own.endswith(f"commit {commits['lda'][:7]}")
    assert choice.endswith(f"commit {commits['ridge'][:7]}+ and 1 before")
    assert "and 4 before" in all_rows
