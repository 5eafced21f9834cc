"""The page: self-contained, escaped, and explaining itself whatever the store holds."""

from __future__ import annotations

import copy
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lecturebench.declare.benchmark import Benchmark
from lecturebench.errors import DataMissing
from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.judging.results import Results, RowResult
from lecturebench.report.album import Album
from lecturebench.report.audit import audited
from lecturebench.report.page import (
    Machine,
    anchor,
    command,
    differing,
    place_of_claim,
    render_page,
    write_report,
)
from lecturebench.report.reasons import chain_reasons
from lecturebench.report.strips import strip
from lecturebench.report.table import STALE_HEADING
from lecturebench.store import Record, Store
from tests.made_up import make_dataset
from tests.report.filled import ERROR_RATES, filled

Load = Callable[[str], Any]
UNHEARD = [].append  # leaves the files of the figures out
HOSTILE = "<script>alert('x')</script> & \"q\" $x^2$ \u202e 😀"
VOID = {"meta", "link", "img", "br", "input", "hr"}


class Elements(HTMLParser):
    """Every element of a page with its attributes, and its text; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def made(benchmarks: dict[str, Benchmark], store: Store, load: Load, folder: Path, *, page_alone: bool = False) -> str:
    """The page as text. page_alone: without the files of its figures, which take longer than the page."""
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    return write_report(results, store, load, folder, compare=UNHEARD if page_alone else None).read_text(
        encoding="utf-8"
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the report that most tests look at is written, once."""
    return tmp_path_factory.mktemp("report")


@pytest.fixture
def html(results: Results, store: Store, load: Load, written: Path) -> str:
    page = written / "index.html"
    return (page if page.exists() else write_report(results, store, load, written)).read_text(encoding="utf-8")


def test_page_loads_nothing(html: str) -> None:
    page = Elements(html)
    for _, attributes in page.elements:
        assert re.match(r"data:", attributes.get("src", "data:"))
        assert re.match(r"#|data:image/png;base64,", attributes.get("xlink:href", "#"))
        assert not {"srcset", "poster", "action", "background"} & set(attributes)
    assert all(link["href"].startswith("data:") for link in page.all("link"))
    assert all(re.match(r"#|figures/", link["href"]) for link in page.all("a"))
    # What scripts do is watched in a browser: tests/browser.
    assert not re.search(r"@import|@font-face|url\((?!#)", re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))
    assert not {"iframe", "object", "embed", "base"} & {tag for tag, _ in page.elements}


def test_links_inside_the_page_and_to_figures_lead_somewhere(html: str, written: Path) -> None:
    page = Elements(html)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        inside, _, name = link["href"].partition("#")
        assert name in ids if name else (written / inside).is_file()


def test_first_screen_counts_the_verdicts_and_names_each_published_value(html: str, results: Results) -> None:
    text = Elements(html).text
    assert next(filter(str.strip, Elements(html).words)) == "1 of 4 numbers and 1 of 1 effect reproduced · lecturebench"
    assert "4 numbers 1 ✓ reproduced 2 + better 1 ✗ worse 1 effect 1 ✓ reproduced" in text
    assert text.count("1 assumed") == 2 * len(results.claims), "on the slide and above the evidence"
    for result in results.claims:
        assert f'href="#{anchor(result)}"' in html
        assert result.word in text


def test_every_claim_shows_its_evidence(html: str, results: Results) -> None:
    text = Elements(html).text
    for result in results.claims:
        chain, rest = chain_reasons(result)
        assert len(chain) == len(result.judgement.pairs)
        for reason in (*(pair_reason for _, pair_reason in chain), rest):
            assert " ".join(reason.split()) in text
        for pair in result.judgement.pairs:
            assert " ".join(pair.reason.split()) in text
        assert audited(result) in text
        assert result.claim.source in text
        assert command(result) in text
        for name, known in result.claim.protocol.items():
            assert f"{name} {known.value} {known.status} {known.source}" in text
    assert text.count("0.25 false alarms are to be expected: 5% of the 5 numbers and effects judged") == 1
    assert "Three times the slide's errors." in text
    assert "The test set's own sampling interval" in text


def test_runs_lead_to_their_commit_and_the_command_that_repeats_them(
    results: Results, store: Store, load: Load
) -> None:
    [first, *others] = results.claims
    [row] = first.rows
    runs = [replace(run, commit="0123456789abcdef" if i else "fedcba98765432", started=f"2026-01-0{i + 2}")
            for i, run in enumerate(row.runs)]  # fmt: skip
    tried = replace(runs[0], commit="aaaaaaaaaaaaaaaa", role="choice", started="2026-01-01")
    known = replace(first, rows=(replace(row, runs=tuple(runs), choice_runs=(tried,)),))
    text = Elements(render_page(replace(results, claims=(known, *others)), store, load)).text
    assert f"git switch --detach 0123456789ab {command(known)}" in text
    assert "The runs, those of choices included, are of commits aaaaaaaaaaaa, fedcba987654, 0123456789ab." in text
    assert "cannot bring back" not in text
    unclean = replace(known, rows=(replace(row, runs=(*runs[:-1], replace(runs[-1], dirty=True))),))
    text = Elements(render_page(replace(results, claims=(unclean, *others)), store, load)).text
    assert f"git switch --detach 0123456789ab {command(known)}" in text
    assert "0123456789ab+: with changes that were not in the commit, which its command cannot bring back." in text


def test_without_claims_the_page_says_too_when_and_by_which_commit_it_ran(
    results: Results, store: Store, load: Load
) -> None:
    known = results.rows[0].latest
    text = Elements(render_page(replace(results, claims=()), store, load)).text
    assert "How to read this" not in text
    assert re.search(r"\d+ runs, .* of fitting, on .*; last run started", text)
    assert known.commit[:12] in text


def test_environments_that_differ_say_in_what() -> None:
    usual = Machine({"cpu": "A", "cores": 2, "packages": {"keras": "3.15", "numpy": "2.4"}}, 5)
    other = Machine({"cpu": "A", "cores": 4, "packages": {"keras": "3.14", "numpy": "2.4", "jax": "0.10"}}, 1)
    assert differing(usual, usual) == []
    assert differing(other, usual) == [("cores", "4", "2"), ("jax", "0.10", "none"), ("keras", "3.14", "3.15")]


def test_rows_and_figures_of_a_benchmark_stand_below_the_slide_of_its_claims(html: str) -> None:
    slide, benchmark = html.index('id="slide-1"'), html.index('class="benchmark"')
    assert slide < html.index('class="claim"') < benchmark < html.index('id="reading"') < html.index('id="explore"')


def test_command_repeats_methods_profile_and_seeds(results: Results) -> None:
    ridge, *_, order = results.claims
    assert command(ridge) == "pytest benchmarks/bench_error_table.py -k ridge --profile lecture --seeds 5"
    assert "-k 'dropout or ridge or logistic or lda'" in command(order)


def test_page_is_the_same_when_written_again(
    html: str, results: Results, store: Store, load: Load, tmp_path: Path
) -> None:
    again = write_report(results, store, load, tmp_path / "again", compare=UNHEARD)
    assert again.read_text(encoding="utf-8") == html


def test_page_is_a_text_of_what_is_given_whether_its_figures_are_drawn_or_kept(
    html: str, results: Results, store: Store, load: Load, written: Path
) -> None:
    before = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    assert render_page(results, store, load) == html
    assert render_page(results, store, load, album=Album(written)) == html
    assert {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()} == before


def test_claims_of_a_benchmark_that_speaks_of_several_datasets_say_of_which(
    results: Results, store: Store, load: Load
) -> None:
    [first, *others] = results.claims
    assert {place_of_claim(result) for result in results.claims} == {""}
    elsewhere = replace(first.claim, dataset="fashion_mnist")
    benchmark = replace(first.benchmark, claims=(*first.benchmark.claims, elsewhere))
    both = (replace(first, benchmark=benchmark), replace(first, benchmark=benchmark, claim=elsewhere, rows=()))
    assert [place_of_claim(result) for result in both] == ["mnist", "fashion_mnist"]
    assert len({anchor(replace(first, claim=claim)) for claim in benchmark.claims}) == len(benchmark.claims)
    text = Elements(render_page(replace(results, claims=(*both, *others)), store, load)).text
    title = first.benchmark.method(first.claim.methods[0]).title
    for name in ("mnist", "fashion_mnist"):
        assert f"{title} {name} {first.claim.printed}" in text, "on the slide"
        assert f"{title} : {first.claim.printed} {name} " in text, "above its evidence"


def test_open_claims_say_what_decides_them_and_stale_runs_why(results: Results, store: Store, load: Load) -> None:
    html = render_page(filled(results), store, load, error_rates=ERROR_RATES)
    page = Elements(html)
    assert "3 of 4 numbers" not in page.text
    assert "1 of them not yet decided" in page.text
    slide = page.text[: page.text.index("why each verdict")]
    assert (
        "Neural network + dropout ? < (inconclusive) Neural network + ridge "
        "✓ < (reproduced) Multinomial logistic regression ✓ < (reproduced) Linear discriminant analysis"
    ) in slide
    evidence = page.text[page.text.index("Both intervals of each difference") :]
    assert "On this test set On new examples too: decides Verdict" in evidence
    assert "-0.50% to 2.50% -1.00% to 3.00% ? inconclusive" in evidence
    assert "The interval on new examples too decides: the claim is a general statement" in evidence
    advice = "23 seeds of Neural network + dropout and Neural network + ridge at this spread: 36 more runs, about 9 min"
    assert advice in evidence
    more = "pytest benchmarks/bench_error_table.py -k 'dropout or ridge' --profile lecture --seeds 23"
    assert more in evidence
    stale = page.text[page.text.rindex(STALE_HEADING) :]
    assert "2 stale runs of ridge on mnist (lecture, tensorflow) : today's code would fit penalty 1e-5" in stale
    assert "1 stale run of lda on mnist (lecture, scikit-learn) : its <source> changed" in stale
    assert [link["href"] for link in page.all("a")].count("#stale") == 1


def test_both_times_are_shown_where_predicting_takes_long(results: Results, store: Store, load: Load) -> None:
    def timed(row: RowResult) -> RowResult:
        return replace(row, runs=tuple(replace(run, seconds={"fit": 0.15, "predict": 104.0}) for run in row.runs))

    rows = {row: timed(row) for row in results.rows}
    claims = tuple(replace(item, rows=tuple(rows[row] for row in item.rows)) for item in results.claims)
    text = Elements(render_page(replace(results, rows=tuple(rows.values()), claims=claims), store, load)).text
    assert text.count("0.15 s + 1 min 44 s predicting") == len(results.rows)


def test_error_rates_of_the_design_are_a_table_and_nothing_where_nobody_gives_any(
    html: str, results: Results, store: Store, load: Load
) -> None:
    assert "How often this design errs" not in html
    text = Elements(render_page(results, store, load, error_rates=ERROR_RATES)).text
    assert (
        "How often this design errs Runs that are 3 seeds 5 seeds 10 seeds normal 4.9% 5.1% – log-normal 6.2% 5.8% 5.0%"
    ) in text


def test_figures_and_tables_are_written_beside_the_page(html: str, written: Path) -> None:
    names = {path.name for path in (written / "figures").iterdir()}
    for stem in ("error", "curves-loss", "curves-error", "choice-ridge", "confusion-lda"):
        assert {f"error_table-mnist-{stem}.svg", f"error_table-mnist-{stem}.png"} <= names
    assert (written / "table.csv").is_file()


def test_table_headers_have_a_scope_and_pictures_a_text(html: str) -> None:
    page = Elements(html)
    assert all(header.get("scope") in ("row", "col") for header in page.all("th"))
    assert all(image.get("alt") for image in page.all("img"))
    assert all(svg.get("aria-label") and svg.get("role") == "img" for svg in page.all("svg"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(next_ <= level + 1 for level, next_ in itertools.pairwise(levels))


def test_hostile_names_are_text_everywhere(
    benchmarks: dict[str, Benchmark], store: Store, load: Load, tmp_path: Path
) -> None:
    benchmark = benchmarks["error_table"]
    methods = tuple(_renamed(method, HOSTILE) for method in benchmark.methods)
    claims = tuple(replace(claim, source=HOSTILE, deviations=(HOSTILE,)) for claim in benchmark.claims)
    hostile = replace(benchmark, title=HOSTILE, about=HOSTILE, methods=methods, claims=claims)
    for record in store.read()[0]:
        record.notes = [HOSTILE]
        record.environment = {"cpu": HOSTILE, HOSTILE: [HOSTILE]}
        record.recipe |= {"note": HOSTILE}
        if record.method == "lda":
            record.status, record.reason, record.traceback = "error", HOSTILE, HOSTILE
        predictions = (
            store.saved(record.key, "predictions") if (store.runs / record.key / "predictions.npz").is_file() else None
        )
        store.write(record, predictions)
    html = made({"error_table": hostile}, store, load, tmp_path / "report")
    page = Elements(html)
    assert len(page.all("script")) == 3  # the data, the libraries and ours
    assert "<script>alert" not in html
    assert "<script>alert('x')</script>" in page.text
    for path in (tmp_path / "report" / "figures").glob("*.svg"):
        assert "<script" not in path.read_text(encoding="utf-8")


def _renamed(method: Any, title: str) -> Any:
    renamed = copy.copy(method)
    renamed.title = f"{title} {method.name}"
    return renamed


def test_empty_folder_says_what_to_run(benchmarks: dict[str, Benchmark], load: Load, tmp_path: Path) -> None:
    text = Elements(made(benchmarks, Store(tmp_path / "none"), load, tmp_path / "report")).text
    assert "Nothing has been run yet" in text
    assert "make reproduce" in text
    assert "4 numbers 0 ✓ reproduced 4 ○ not run 1 effect 0 ✓ reproduced 1 ○ not run" in text


def test_page_without_any_benchmark_is_still_a_page(load: Load, tmp_path: Path) -> None:
    assert "Nothing has been run yet" in Elements(made({}, Store(tmp_path / "none"), load, tmp_path / "report")).text


def test_nothing_but_failures_explains_itself(
    benchmarks: dict[str, Benchmark], store: Store, load: Load, tmp_path: Path
) -> None:
    for record in store.read()[0]:
        record.status, record.reason, record.traceback = "timeout", "stopped after 1800 s", "Traceback: here"
        store.write(record)
    text = Elements(made(benchmarks, store, load, tmp_path / "report")).text
    assert "Every run failed" in text
    assert "lecturebench doctor" in text
    assert "stopped after 1800 s" in text
    assert "Traceback: here" in text


def test_missing_dataset_is_named_at_the_top_with_what_stands_in(
    benchmarks: dict[str, Benchmark], store: Store, load: Load, tmp_path: Path
) -> None:
    for record in store.read()[0]:
        record.dataset = record.dataset | {"name": "digits"}
        store.write(record, store.saved(record.key, "predictions"))
    store.set_missing({"error_table": {"mnist": "no folder has it\nthe host did not answer"}})
    html = made(benchmarks, store, load, tmp_path / "report", page_alone=True)
    page = Elements(html)
    assert page.text.index("The dataset mnist could not be had.") < page.text.rindex("No claim judged yet")
    assert "the host did not answer" in page.text
    assert "In its place the same methods were fitted on digits" in page.text
    assert 'href="#error_table-digits-lecture"' in html
    assert "4 ○ not run" in page.text


def test_without_the_dataset_the_page_says_what_it_cannot_show(results: Results, store: Store, tmp_path: Path) -> None:
    def missing(name: str) -> Any:
        raise DataMissing(f"{name}: nothing found")

    page = write_report(results, store, missing, tmp_path / "report", compare=UNHEARD)
    text = Elements(page.read_text(encoding="utf-8")).text
    assert "Nothing here of what the methods get wrong" in text
    assert "mnist: nothing found" in text


def test_damaged_predictions_are_named_once_and_the_rest_is_shown(
    benchmarks: dict[str, Benchmark], store: Store, load: Load, tmp_path: Path
) -> None:
    broken = next(record for record in store.read()[0] if record.method == "ridge" and record.role == "judged")
    path = store.runs / broken.key / "predictions.npz"
    path.write_bytes(b"not an archive")
    html = made(benchmarks, store, load, tmp_path / "report")
    text = Elements(html).text
    notes = text[text.rindex("Notes") :]
    assert notes.count(broken.key) == 1
    data = json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', html)[0])
    ridge = next(row["id"] for row in data["rows"] if row["method"] == "ridge")
    assert [row["runs"] for row in data["predictions"][0]["rows"] if row["row"] == ridge] == [4]
    assert path.read_bytes() == b"not an archive"


def test_strip_stands_around_the_published_value(results: Results) -> None:
    for result in results.claims:
        drawn = strip(result)
        if drawn is None:
            continue
        low, high = drawn.interval
        assert 0 <= low <= drawn.mean <= high <= 100
        assert (low <= 50 <= high) == (result.judgement.verdict in ("reproduced", "inconclusive"))
        assert drawn.rounding[0] < 50 < drawn.rounding[1]


def test_text_contrasts_with_its_ground_in_both_themes(html: str) -> None:
    from tests.report.test_figures import contrast

    for theme in re.findall(r"color-scheme: (?:light|dark);(.*?)}", html.split("--sans")[0] + "}", flags=re.DOTALL):
        tones = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", theme))
        words = ("ink", "muted", "reproduced", "better", "worse", "inconclusive", "not-run")
        for name in words:
            assert contrast(tones[name], tones["ground"]) >= 4.5, name
            assert contrast(tones[name], tones["paper"]) >= 4.5, name
        assert contrast(tones["ink"], tones["alert"]) >= 4.5


def test_reporting_imports_no_keras() -> None:
    code = (
        "import sys, lecturebench.report.page;"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'sklearn', 'pandas', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_datasets_whose_names_differ_in_a_sign_have_sections_and_figures_of_their_own(
    results: Results, store: Store, tmp_path: Path
) -> None:
    def on(dataset: str, more: float) -> list[RowResult]:
        def changed(run: Record) -> Record:
            return replace(run, metrics={"test": {"error": run.metrics["test"]["error"] + more}})

        return [replace(row, dataset=dataset, runs=tuple(map(changed, row.runs))) for row in results.rows[-2:]]

    both = replace(results, rows=(*on("my data", 0.0), *on("my-data", 0.25)), claims=())
    html = write_report(both, store, make_dataset, tmp_path).read_text(encoding="utf-8")
    assert len({heading["id"] for heading in Elements(html).all("h4") if heading.get("class") == "dataset"}) == 2
    first, second = html.index(">my data</h4>"), html.index(">my-data</h4>")
    for place, beyond, row in ((first, second, both.rows[0]), (second, len(html), both.rows[2])):
        shown = f"Test error per method: {row.method.title} {row.measure.show(row.mean)}"
        assert shown in html[place:beyond]
    drawings = [(tmp_path / "figures" / f"error_table-my-data-error{other}.svg").read_bytes() for other in ("", "-2")]
    assert drawings[0] != drawings[1]
    again = write_report(both, store, make_dataset, tmp_path)
    assert again.read_text(encoding="utf-8") == html


def test_confusions_are_drawn_again_when_the_classes_are_called_otherwise(
    results: Results, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "figures" / "error_table-mnist-confusion-lda.svg"
    for names in ("0123456789", "abcdefghij"):
        write_report(
            results, store, lambda name, names=names: replace(make_dataset(name), classes=tuple(names)), tmp_path
        )  # type: ignore[misc]
        assert all(f">{name}</text>" in file.read_text(encoding="utf-8") for name in names)


def test_confusions_are_drawn_again_when_the_predictions_that_were_lacking_are_there(
    results: Results, store: Store, load: Load, tmp_path: Path
) -> None:
    run = next(row for row in results.rows if row.method.name == "dropout").runs[0]
    file = store.runs / run.key / "predictions.npz"
    content = file.read_bytes()
    figure = "figures/error_table-mnist-confusion-dropout.svg"
    write_report(results, store, load, tmp_path / "whole")
    file.unlink()
    write_report(results, store, load, tmp_path / "lacking")
    assert (tmp_path / "lacking" / figure).read_bytes() != (tmp_path / "whole" / figure).read_bytes()
    file.write_bytes(content)
    write_report(results, store, load, tmp_path / "lacking")
    assert (tmp_path / "lacking" / figure).read_bytes() == (tmp_path / "whole" / figure).read_bytes()
