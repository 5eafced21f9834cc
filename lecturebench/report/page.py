"""The page: one HTML file that opens offline and says first how the claims came out, then why.

`render_page` gathers what the templates show; they hold the wording and no arithmetic. What another version adds is
a template and an entry of `_content`.
"""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from lecturebench.declare.benchmark import BACKENDS
from lecturebench.declare.claims import (
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
)
from lecturebench.declare.slides import Formula, Matrix, Sentence
from lecturebench.judging.evidence import counted
from lecturebench.judging.results import ClaimResult, Results, RowResult
from lecturebench.judging.statistics import sampling_interval
from lecturebench.judging.verdicts import steps_until
from lecturebench.metrics import METRICS, Metric, named
from lecturebench.report.album import Album, Shown
from lecturebench.report.arithmetic import printed_range, sums
from lecturebench.report.audit import audited, what_if
from lecturebench.report.basis import Basis, Follow, followed_nowhere
from lecturebench.report.in_words import claim_title, in_words, place_of_claim, title_parts
from lecturebench.report.intervals import Intervals
from lecturebench.report.lecture import faces, homes, inline, mathml
from lecturebench.report.predicted import Predictions
from lecturebench.report.reasons import (
    Remedy,
    chain_reasons,
    decided_by,
    has_both,
    is_open,
    pairs,
    protocol_in_short,
    remedy,
    why_decides,
)
from lecturebench.report.sections import Section, benchmarks_of, made_by, sections_of, styles_of
from lecturebench.report.speed_section import SpeedSection, speed_section
from lecturebench.report.strips import strip, strips
from lecturebench.report.table import STALE_HEADING, seen, write_tables
from lecturebench.report.tally import SIGNS, Count, counts, false_alarms, headline, sentences
from lecturebench.report.templating import templates, visible
from lecturebench.report.views.comparison import comparison_data, ranks_data
from lecturebench.report.views.curves import curves_data
from lecturebench.report.views.predictions import predictions_data
from lecturebench.report.views.rows import anchor, rows_data
from lecturebench.store import Record, Store, write_whole
from lecturebench.wording import short, words

ErrorRates = Mapping[str, Mapping[int, float]]
NO_RATES: ErrorRates = {}
LIBRARIES = ("d3.min.js", "plot.umd.min.js")
SOFTWARE = ("keras", "tensorflow", "jax", "torch", "scikit-learn")


@dataclass(frozen=True)
class Machine:
    """An environment that `runs` runs were made in."""

    environment: Mapping[str, Any]
    runs: int

    @property
    def cpu(self) -> str:
        return str(self.environment.get("cpu") or "unnamed processor")

    @property
    def sentence(self) -> str:
        """Processor, cores, GPU, system and the versions that matter, in one line."""
        known = self.environment
        parts = [self.cpu]
        parts += [f"{known['cores']} cores"] if known.get("cores") else []
        parts += [str(known[name]) for name in ("gpu", "os") if known.get(name)]
        parts += [f"Python {known['python']}"] if known.get("python") else []
        packages = known.get("packages")
        versions = packages if isinstance(packages, dict) else {}
        return ", ".join(parts + [f"{name} {versions[name]}" for name in SOFTWARE if name in versions])


def differing(machine: Machine, usual: Machine) -> list[tuple[str, str, str]]:
    """In what an environment differs from the usual one: a name, its value here and there; packages one by one."""

    def flat(known: Mapping[str, Any]) -> dict[str, str]:
        nested = [value for value in known.values() if isinstance(value, Mapping)]
        alone = {name: value for name, value in known.items() if not isinstance(value, Mapping)}
        return {str(name): _text(value) for part in (alone, *nested) for name, value in part.items()}

    own, other = flat(machine.environment), flat(usual.environment)
    names = sorted(name for name in {*own, *other} if own.get(name) != other.get(name))
    return [(name, own.get(name, "none"), other.get(name, "none")) for name in names]


def render_page(
    results: Results,
    store: Store,
    load: Callable[[str], Any],
    *,
    album: Album | None = None,
    error_rates: ErrorRates = NO_RATES,
) -> str:
    """The text of ``index.html``; equal for equal results, predictions and datasets.

    load: a dataset by name, as `lecturebench.datasets.load`; what it cannot give, the page does without, and says so.
    album: has the figures; by default all are drawn anew. error_rates: how often the design errs, by kind of runs and
    number of seeds, as shares in [0, 1].
    """
    saved, speed = Predictions(store, load), speed_section(store.folder)
    sections = sections_of(results, saved, Basis())
    return _rendered(results, sections, saved, album or Album(), Intervals(), error_rates, speed)


def write_report(
    results: Results,
    store: Store,
    load: Callable[[str], Any],
    folder: Path,
    *,
    error_rates: ErrorRates = NO_RATES,
    slides: bool = False,
    compare: Callable[[str], None] | None = None,
    follow: Follow = followed_nowhere,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write ``folder/index.html``, tables, ``environment.json`` and ``figures/*.{svg,png,pdf}``; the page's path.

    load, error_rates: as of `render_page`. The page is there before the figures of the folder are drawn. slides:
    ``slides.pdf`` and ``slides/NN.png`` too. compare: leave the folder's figures as they are, and take the name of each
    that would be drawn otherwise. follow: the source of what a benchmark draws itself; figures of which it cannot be
    told are drawn each time. say: is given a line about each. Equal results give equal bytes.
    """
    album, intervals = Album(folder), Intervals(folder)
    saved, speed = Predictions(store, load), speed_section(store.folder)
    basis = Basis(follow)
    sections = sections_of(results, saved, basis)
    plates = [*(plate for section in sections for plate in section.plates), *speed.plates]
    with album.beside(plate for plate in plates if not plate.main and compare is None):
        text = _rendered(results, sections, saved, album, intervals, error_rates, speed)
        write_tables(results, folder)
        write_whole(folder / "environment.json", render_environments(results).encode())
        page = folder / "index.html"
        write_whole(page, text.encode())
        for note in speed.notes:
            say(f"warning: {note}")
        if compare is not None:
            for name in album.differing(plates):
                compare(name)
            return page
        say(f"page: {page}; its figures follow as files")
        drawn, kept = album.finish(plates, lambda: not basis.changed())
    intervals.write()
    for path in basis.changed()[:1] if drawn else ():
        say(f"warning: {path} was changed since this began; the next report draws these figures again")
    say(f"figures: {drawn} drawn, {kept} unchanged, in {folder / 'figures'}")
    if slides:
        from lecturebench.report.slides import write_slides

        headed = [
            (f"{section.benchmark.title}, {section.dataset}", section.main)
            for benchmark in benchmarks_of(results)
            for section in sections
            if section.benchmark is benchmark
        ]
        shown, styles = faces(results, results.slides), styles_of(benchmarks_of(results))
        pages = write_slides(results, shown, styles, headed, folder)
        say(f"slides: {folder / 'slides.pdf'}, {pages} pages; each slide as an image in {folder / 'slides'}")
    return page


def _rendered(
    results: Results,
    sections: Sequence[Section],
    saved: Predictions,
    album: Album,
    intervals: Intervals,
    error_rates: ErrorRates,
    speed: SpeedSection,
) -> str:
    """The page's text, as UTF-8 can write it."""
    comparisons = comparison_data(
        results, saved, intervals
    )  # first: for a moment it takes as much memory as all figures
    pictures = {section: list(filter(None, map(album.shown, section.main))) for section in sections}
    growth = list(filter(None, map(album.shown, speed.plates)))
    saved.notes += [*album.notes, *speed.notes]
    content = _content(results, sections, pictures, saved, comparisons) | {"error_rates": error_rates}
    content |= {"speed": speed.found, "growth": growth}
    text = _templates().get_template("page.html").render(content)
    return text.encode(errors="replace").decode()


def command(result: ClaimResult, more: Remedy | None = None) -> str:
    """The command that repeats a claim: its methods, at the profile and number of seeds that were judged.

    more: instead the methods and seeds that would decide it.
    """
    benchmark, rows = result.benchmark, result.rows
    profile = rows[0].profile if rows else "lecture"
    drawn = [row.n + len(row.failed) for row in rows if not row.deterministic]
    seeds = more.seeds if more else max(drawn, default=benchmark.profiles[profile].seeds)
    methods = more.methods if more else result.claim.methods
    file = f"{benchmark.path.parent.name}/{benchmark.path.name}"
    parts = ["pytest", file, "-k", " or ".join(methods), "--profile", profile, "--seeds", str(seeds)]
    backends = {row.backend for row in rows if row.method.uses_backend} & set(BACKENDS[1:])
    return shlex.join(parts + [part for backend in sorted(backends) for part in ("--backend", backend)])


def sampling(row: RowResult) -> float:
    """Half the test set's own 95% sampling interval; NaN where it has no meaning."""
    meant = row.measure.percent and row.measure.losses is not None and row.n_test > 0 and row.n
    return sampling_interval(row.mean, row.n_test) if meant else math.nan


def observation(result: ClaimResult, run: Record) -> str:
    """What a claim looks at in a run: its metric, or the steps until its target."""
    claim = result.claim
    if isinstance(claim, TimeToTargetClaim):
        steps = steps_until(run, claim.metric, claim.threshold, result.measure)
        return f"{steps:,.0f}" if math.isfinite(steps) else "never"
    value = run.value(claim.metric)
    return result.measure.show(math.nan if value is None else value)


def measured_order(result: ClaimResult) -> list[str]:
    """The titles of an order's methods by what was measured, the lowest first; none of a pair, whose strip says it, and
    where one has no number."""
    if not isinstance(result.claim, OrderClaim) or len(result.rows) < 3:
        return []
    means = {row.method.title: row.mean_of(result.claim.metric) for row in result.rows}
    return sorted(means, key=lambda title: means[title]) if all(map(math.isfinite, means.values())) else []


def lines(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A recipe or an environment as names and values, in the order of the names."""
    return [(str(name), _text(value)) for name, value in sorted(values.items())]


def _text(value: Any) -> str:
    """A value of a record as people read it: nested ones in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return short(value) if isinstance(value, float) and math.isfinite(value) else str(value) or "none"


def metrics_of(results: Results) -> dict[str, Metric]:
    """All metrics by name, those of the benchmarks' suites among them."""
    known = dict(METRICS)
    for benchmark in benchmarks_of(results):
        known |= benchmark.known_metrics
    return known


def _templates(known: Mapping[str, Metric] = METRICS) -> Environment:
    environment = templates()
    environment.filters |= {
        "measure": lambda metric: f"Test {known[metric].words}" if metric in known else words(metric),
        "title_of": lambda name, result: result.benchmark.method(name).title,
        "value": lambda value, metric: named(metric, known).show(value),
    }
    environment.filters |= {"inline": inline, "mathml": mathml}
    environment.tests |= {
        "sentence": lambda part: isinstance(part, Sentence),
        "formula": lambda part: isinstance(part, Formula),
        "matrix": lambda part: isinstance(part, Matrix),
        "equivalence": lambda claim: isinstance(claim, EquivalenceClaim),
        "identity": lambda claim: isinstance(claim, IdentityClaim),
        "minimum": lambda claim: isinstance(claim, MinimumClaim),
        "number": lambda claim: isinstance(claim, NumberClaim),
        "order": lambda claim: isinstance(claim, OrderClaim),
        "time_to_target": lambda claim: isinstance(claim, TimeToTargetClaim),
        "drawn": lambda result: strip(result) is not None,
        "finite": math.isfinite,
    }
    environment.globals |= {"signs": SIGNS, "nan": math.nan, "anchor": anchor}
    environment.globals |= {
        "seen": seen,
        "command": command,
        "made_by": made_by,
        "measured_order": measured_order,
        "lines": lines,
        "differing": differing,
    }
    environment.globals |= {
        "libraries": _libraries,
        "place_of_claim": place_of_claim,
        "sampling": sampling,
        "observation": observation,
        "strip": strip,
        "strips": strips,
        "outcome": lambda claims: sentences(counts(claims)),
    }
    environment.globals |= {
        "title_parts": title_parts,
        "claim_title": claim_title,
        "in_words": in_words,
        "sums": sums,
        "printed_range": printed_range,
    }
    environment.globals |= {"what_if_of": what_if, "short": short, "run_mean": lambda step: fmean(step.values)}
    environment.globals |= {"audited": audited, "remedy": remedy, "is_open": is_open, "pairs": pairs}
    environment.globals |= {"chain_reasons": chain_reasons, "has_both": has_both, "why_decides": why_decides}
    environment.globals |= {"decided_by": decided_by, "protocol_in_short": protocol_in_short}
    return environment


def _content(
    results: Results,
    sections: Sequence[Section],
    pictures: Mapping[Section, Sequence[Shown]],
    saved: Predictions,
    comparisons: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Everything that the templates name."""
    predicted = predictions_data(results, saved)
    tally = counts(results.claims)
    runs = [run for row in results.rows for run in (*row.runs, *row.failed, *row.choice_runs)]
    known = "\n".join(results.notes)
    benchmarks = benchmarks_of(results)
    styles = styles_of(benchmarks)
    shown = faces(results, results.slides)
    return {
        "results": results,
        "benchmarks": benchmarks,
        "sections": sections,
        "pictures": pictures,
        "styles": styles,
        "faces": shown,
        "home": homes(shown),
        "measured": {section.benchmark.name for section in sections},
        "with_mistakes": {entry["dataset"] for entry in predicted if entry["items"]},
        "tally": tally,
        "headline": _headline(results, runs, tally),
        "false_alarms": false_alarms(tally),
        "judged": sum(count.judged for count in tally),
        "runs": runs,
        "failed": [run for run in runs if run.failed],
        "machines": _machines(runs),
        "fitting": sum(float(run.seconds.get("fit", 0)) for run in runs),
        "versions": sorted({run.commit[:12] + ("+" if run.dirty else "") for run in runs if run.commit}),
        "data": _json(
            {
                "rows": rows_data(results, styles),
                "metrics": {
                    name: {"percent": m.percent, "digits": m.digits, "better": m.better, "title": m.words}
                    for name, m in metrics_of(results).items()
                },
                "curves": curves_data(results),
                "predictions": predicted,
                "comparisons": comparisons,
                "ranks": ranks_data(results),
                "signs": SIGNS,
            },
        ),
        "comparisons": comparisons,
        "predictions": predicted,
        "last": max((run.started for run in runs), default=""),
        "notes": [*results.notes, *(note for note in dict.fromkeys(saved.notes) if note not in known)],
        "stand_ins": _stand_ins(results, sections),
        "stale": results.stale,
        "stale_heading": STALE_HEADING,
    }


def _headline(results: Results, runs: Sequence[Record], tally: Sequence[Count]) -> str:
    """The page in one line: how the claims came out, or why that cannot be said."""
    if runs and all(run.failed for run in runs):
        return "Every run failed"
    if outcome := headline(tally):
        return outcome
    if results.rows and not results.claims:
        return f"{counted(len(results.rows), 'row')} measured, no claim to judge"
    return "No claim judged yet" if results.rows else "Nothing has been run yet"


def _json(data: Mapping[str, Any]) -> Markup:
    """The data of the page's scripts as JSON that no HTML parser takes for markup."""
    text = json.dumps(visible(data), separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _libraries() -> Markup:
    """The libraries that the page carries, as they are."""
    folder = files("lecturebench.report") / "vendor"
    return Markup("\n".join((folder / name).read_text(encoding="utf-8") for name in LIBRARIES))


def _stand_ins(results: Results, sections: Sequence[Section]) -> dict[str, list[Section]]:
    """For each missing dataset what was fitted in its place."""
    return {
        name: [
            section
            for section in sections
            if section.dataset == section.benchmark.stand_in and name in section.benchmark.datasets
        ]
        for name in results.missing
    }


def render_environments(results: Results) -> str:
    """The text of ``environment.json``: what the table's runs were made on and from which commits, for programs."""
    runs = [run for row in results.rows for run in (*row.runs, *row.failed, *row.choice_runs)]
    commits = Counter(run.commit + ("-dirty" if run.dirty else "") for run in runs)
    made_on = [{"runs": machine.runs, **machine.environment} for machine in _machines(runs)]
    return json.dumps({"commits": dict(commits), "environments": made_on}, indent=1, sort_keys=True)


def _machines(runs: Sequence[Record]) -> list[Machine]:
    """The environments that runs were made in, the commonest first."""
    by_text = Counter(json.dumps(run.environment, sort_keys=True, default=str) for run in runs)
    return [Machine(json.loads(text), n) for text, n in by_text.most_common()]
