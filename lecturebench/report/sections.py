"""A section of the page: one benchmark on one dataset and profile, with its figures."""

from __future__ import annotations

import copy
import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any

from lecturebench.declare.benchmark import Benchmark, Drawing
from lecturebench.declare.claims import NumberClaim
from lecturebench.judging.results import ClaimResult, Results, RowResult
from lecturebench.metrics import Metric
from lecturebench.report.album import Plate, distinct
from lecturebench.report.audit import choice_steps, chosen_values
from lecturebench.report.basis import Basis, digest_of
from lecturebench.report.predicted import Predictions
from lecturebench.report.series import Band, Point, Series
from lecturebench.report.style import TONES, MethodStyle, Picture, method_styles
from lecturebench.store import Record

if TYPE_CHECKING:
    from lecturebench.report.figures import Grid

MOST_CLASSES = 25
MOST_ROWS = 14  # of the figure of a metric, unless more have a published number; the table has them all
MANY = 3  # choices of a section, which share a figure


@dataclass(frozen=True, eq=False)
class Section:
    """All that the page shows of a benchmark on one dataset and profile. absent: why predictions are not shown.

    plates: its figures, those included that lie in the folder alone.
    """

    benchmark: Benchmark
    dataset: str
    profile: str
    rows: tuple[RowResult, ...]
    plates: tuple[Plate, ...]
    absent: str

    @property
    def main(self) -> tuple[Plate, ...]:
        """The figures that the page shows."""
        return tuple(plate for plate in self.plates if plate.main)

    @property
    def anchor(self) -> str:
        return section_anchor(self.rows[0])


def slug(text: str) -> str:
    """The text as part of a file name or an anchor."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-.") or "unnamed"


def section_anchor(row: RowResult) -> str:
    """The id of the page's section that shows the row: one of its own, also where `slug` cannot tell two datasets."""
    alike = slug(row.dataset) != row.dataset
    own = [hashlib.sha256(row.dataset.encode(errors="replace")).hexdigest()[:8]] if alike else []
    return slug("-".join([row.benchmark.name, row.dataset, row.profile, *own]))


def benchmarks_of(results: Results) -> list[Benchmark]:
    """The benchmarks that have a claim or a row: those with more published numbers first, else in their order."""
    items: list[ClaimResult | RowResult] = [*results.claims, *results.rows]
    benchmarks = {item.benchmark.name: item.benchmark for item in items}.values()
    return sorted(benchmarks, key=_numbers_first)


def styles_of(benchmarks: Iterable[Benchmark]) -> dict[str, MethodStyle]:
    """A style for every declared method; equal names look alike in all benchmarks."""
    ordered = sorted(benchmarks, key=lambda benchmark: (_numbers_first(benchmark), benchmark.name))
    return method_styles(*([method.name for method in benchmark.methods] for benchmark in ordered))


def _numbers_first(benchmark: Benchmark) -> int:
    return -sum(isinstance(claim, NumberClaim) for claim in benchmark.claims)


def sections_of(results: Results, saved: Predictions, basis: Basis) -> list[Section]:
    """One section per benchmark, dataset and profile, in the order of the rows."""
    styles = styles_of(benchmarks_of(results))
    grouped: dict[tuple[str, str, str], list[RowResult]] = {}
    for row in results.rows:
        grouped.setdefault((row.benchmark.name, row.dataset, row.profile), []).append(row)
    sections = [_section(results, rows, saved, styles, basis) for rows in grouped.values()]
    named = iter(distinct(plate for section in sections for plate in section.plates))
    return [replace(section, plates=tuple(itertools.islice(named, len(section.plates)))) for section in sections]


def _section(
    results: Results, rows: Sequence[RowResult], saved: Predictions, styles: Mapping[str, MethodStyle], basis: Basis
) -> Section:
    first = rows[0]
    profile = "" if first.profile == "lecture" else f"-{first.profile}"
    prefix = slug(f"{first.benchmark.name}-{first.dataset}{profile}")
    several = len({row.backend for row in rows if row.method.uses_backend}) > 1

    def named(row: RowResult) -> str:
        return f"{row.method.title} ({row.backend})" if several and row.method.uses_backend else row.method.title

    def file(row: RowResult, kind: str) -> str:
        return f"{prefix}-{kind}-{slug(row.method.name)}" + (f"-{slug(row.backend)}" if several else "")

    points = {row: _point(results, row, named(row), styles[row.method.name]) for row in rows if row.values}
    made_of = digest_of(_made_of(results, rows, styles), list(map(repr, points.values())))
    digest = basis.of(first.benchmark, made_of, *first.benchmark.metrics)
    plates: list[Plate] = []

    def plate(
        name: str,
        of: Sequence[RowResult],
        draw: Callable[..., Picture | None],
        *given: Any,
        main: bool = True,
        digest: str = digest,
    ) -> None:
        plates.append(Plate(name, digest, partial(_sourced, source_of(of), draw, name, *given), main))

    known = first.benchmark.known_metrics
    drawings = _drawings(rows)
    for name in dict.fromkeys(row.metric for row in points if row.metric in known):
        measured = {row: point for row, point in points.items() if row.metric == name}
        elsewhere = {row for drawing, of in drawings if drawing.shows == name for row in of.values()}
        published = any(point.published is not None for point in measured.values())
        shown = _fewest(measured, known[name])
        plate(
            *(f"{prefix}-{name}", list(shown), _errors, list(shown.values()), known[name], len(measured) - len(shown)),
            main=published or (len(measured) > 1 and not set(measured) <= elsewhere),
        )
    chose = [(row, name) for row in points for name in row.method.choices if row.metric in known]
    if len(chose) >= MANY and len({row.metric for row, _ in chose}) == 1:
        given = [(row, name, points[row]) for row, name in chose]
        plate(f"{prefix}-choices", list(dict.fromkeys(row for row, _ in chose)), _paths, given)
    else:
        for row, name in chose:
            of = f"-{slug(name)}" if len(row.method.choices) > 1 else ""
            plate(file(row, "choice") + of, [row], _path, row, name, points[row])
    titles = {row: named(row) for row in rows}
    for drawing, of_methods in drawings:
        about = [made_of, drawing.title, drawing.caption, drawing.methods, drawing.size]
        own = basis.of(first.benchmark, about, drawing.draw)
        series = {name: Series(titles[row], styles[name], row.runs, saved.arrays) for name, row in of_methods.items()}
        plate(f"{prefix}-{drawing.name}", list(of_methods.values()), _own, drawing, series, digest=own)
    trained = [row for row in points if row.method.training is not None and any(run.curve for run in row.runs)]
    if 0 < len(trained) <= len(TONES):  # more lines than colours are no figure; the page draws them by choice
        bands = [Band(titles[row], styles[row.method.name], _curves(row)) for row in trained]
        recorded = {name.partition("_")[2] for band in bands for name in band.runs}
        for quantity in (name for name in dict.fromkeys(("error", "loss", first.benchmark.metric)) if name in recorded):
            plate(f"{prefix}-curves-{quantity}", trained, _learning, bands, quantity, main=False)

    for row in points:
        plates += _confusion(row, titles[row], file(row, "confusion"), digest, saved)
    return Section(
        first.benchmark, first.dataset, first.profile, tuple(rows), tuple(plates), saved.absent.get(first.dataset, "")
    )


def source_of(rows: Sequence[RowResult]) -> str:
    """What a figure of these rows was made of: "lecturebench · bench_cnn.py on mnist · commit 41814ed"."""
    first = rows[0]
    made = made_by(rows, 7)
    more = f" and {len(made) - 1} before" if len(made) > 1 else ""
    profile = "" if first.profile == "lecture" else f", {first.profile}"
    by = [f"commit {made[-1]}{more}"] if made else []
    return " · ".join(["lecturebench", f"{first.benchmark.path.name} on {first.dataset}{profile}", *by])


def _sourced(source: str, draw: Callable[..., Picture | None], *given: Any) -> Picture | None:
    picture = draw(*given)
    return None if picture is None else replace(picture, source=source)


def made_by(rows: Sequence[RowResult], digits: int) -> list[str]:
    """The commits by which the rows' runs were made, those of their choices too, that of the last run last.

    "41814ed+" is a commit with changes that were not in it. Runs that know of none are left out.
    """
    runs = sorted((run for row in rows for run in (*row.runs, *row.choice_runs)), key=lambda run: run.started)
    made = [run.commit[:digits] + ("+" if run.dirty else "") for run in reversed(runs) if run.commit]
    return list(dict.fromkeys(made))[::-1]


def _confusion(row: RowResult, title: str, name: str, digest: str, saved: Predictions) -> list[Plate]:
    """The figure of a row's confusions, for the folder alone: the page shows them as a table. Or none."""
    summary, data = saved.of_row(row), saved.dataset(row.dataset)
    if summary is None or summary.classified is None or data is None:
        return []
    if len(data.classes) > MOST_CLASSES:
        saved.notes.append(f"no confusion matrices on {row.dataset}: {len(data.classes)} classes do not fit a page")
        return []
    shown = f"{title} on {row.dataset}", summary.classified.counts, data.classes
    # By what is drawn: predictions may be lacking, and no digest of a dataset says what its classes are called.
    drawn = [digest, row.method.name, shown[0], shown[1].tolist(), list(map(str, data.classes))]
    own = digest_of(drawn) if digest else ""
    return [Plate(name, own, partial(_sourced, source_of([row]), _confused, name, *shown), main=False)]


def _made_of(results: Results, rows: Sequence[RowResult], styles: Mapping[str, MethodStyle]) -> list[Any]:
    """All that the figures of these rows depend on, the code aside."""
    parts: list[Any] = []
    for row in rows:
        runs = [
            [
                *(run.key, run.started, run.status, run.commit, run.dirty, run.digests, run.metrics),
                [] if "record" in run.digests else run.curve,
            ]
            for run in (*row.runs, *row.choice_runs)
        ]
        claims = [(result.claim.name, repr(result.judgement)) for result in results.claims_of(row)]
        about = [row.method.name, row.method.title, row.place, repr(styles[row.method.name]), repr(row.method.choices)]
        parts.append([about, runs, claims])
    return parts


def _drawings(rows: Sequence[RowResult]) -> list[tuple[Drawing, dict[str, RowResult]]]:
    """The benchmark's own figures that can be drawn, with their methods' rows on the first backend that has all."""
    drawable = []
    for drawing in rows[0].benchmark.drawings:
        backends = dict.fromkeys(row.backend for row in rows if row.method.uses_backend)
        for backend in backends or ("",):  # none: experiments that no backend computes
            by_name = {
                row.method.name: row
                for row in rows
                if row.runs and (row.backend == backend or not row.method.uses_backend)
            }
            if set(drawing.methods) <= set(by_name):
                drawable.append((drawing, {name: by_name[name] for name in drawing.methods}))
                break
    return drawable


# What draws is imported when there is something to draw.
def _errors(*given: Any) -> Picture:
    from lecturebench.report import figures

    return figures.errors(*given)


def _learning(*given: Any) -> Picture | None:
    from lecturebench.report import figures

    return figures.curves(*given)


def _confused(*given: Any) -> Picture:
    from lecturebench.report import figures

    return figures.confusion(*given)


def _own(name: str, drawing: Drawing, series: Mapping[str, Series]) -> Picture:
    from lecturebench.report import figures

    figure = figures.blank(*drawing.size)
    # Copies: a drawing that turns a share into percent in place would change the tables too.
    given = {method: replace(each, runs=copy.deepcopy(each.runs)) for method, each in series.items()}
    alt = drawing.draw(figure, given)
    return Picture(name, drawing.title, drawing.caption, alt, figure)


def _point(results: Results, row: RowResult, title: str, style: MethodStyle) -> Point:
    for result in results.claims_of(row):
        claim, judgement = result.claim, result.judgement
        if isinstance(claim, NumberClaim) and claim.metric == row.metric and judgement.verdict != "not_run":
            claimed = (claim.published, claim.printed, claim.unit, judgement.low, judgement.high)
            return Point(title, style, row.values, *claimed)
    return Point(title, style, row.values)


def _curves(row: RowResult) -> dict[str, list[list[tuple[float, float]]]]:
    """Each recorded quantity of the curves, run by run; values that are no numbers are left out."""
    names = {name for run in row.runs for point in run.curve for name in point} - {"epoch", "seconds"}

    def points(run: Record, name: str) -> list[tuple[float, float]]:
        pairs = ((point.get("epoch"), point.get(name)) for point in run.curve)
        return [(float(x), float(y)) for x, y in pairs if _is_number(x) and _is_number(y)]  # type: ignore[arg-type]

    return {name: [points(run, name) for run in row.runs] for name in names}


def _path(name: str, row: RowResult, parameter: str, point: Point) -> Picture | None:
    """The figure of a parameter that a method chose; None if its runs are not in the store."""
    from lecturebench.report import figures

    grid = _grid(row, parameter, point)
    return figures.choice_path(name, parameter, grid, row.measure) if grid else None


def _paths(name: str, chose: Sequence[tuple[RowResult, str, Point]]) -> Picture | None:
    """The figure of what several methods chose; None if no runs of a choice are in the store."""
    from lecturebench.report import figures

    grids = [(parameter, grid) for row, parameter, point in chose if (grid := _grid(row, parameter, point))]
    return figures.choice_paths(name, grids, chose[0][0].measure) if grids else None


def _grid(row: RowResult, parameter: str, point: Point) -> Grid | None:
    """What the row tried of a parameter; None if its runs are not in the store."""
    from lecturebench.report.figures import Grid

    steps, values = choice_steps(row, parameter, row.metric), chosen_values(row)
    chosen = values.pop(parameter, None)
    tried = any(step.validation or step.test for step in steps)
    return Grid(steps, chosen, point, values) if tried else None


def _fewest(points: Mapping[RowResult, Point], metric: Metric) -> dict[RowResult, Point]:
    """Those with a published number and, up to `MOST_ROWS` in all, the best of the others, in their order."""
    sign = 1 if metric.better == "lower" else -1
    ranked = sorted(points, key=lambda row: (points[row].published is None, sign * fmean(points[row].values)))
    published = sum(point.published is not None for point in points.values())
    kept = set(ranked[: max(MOST_ROWS, published)])
    return {row: point for row, point in points.items() if row in kept}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
