"""The slides: every claim on one slide, on the row that prints its number, in the order of the lecture."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench import Formula, Slide, Table
from lecturebench.declare.suites import discover
from lecturebench.judging.results import ClaimResult, Results
from lecturebench.judging.statistics import not_run
from lecturebench.report.lecture import faces, homes, inline, mathml
from lecturebench.report.strips import strips
from tests.report.filled import chain

WHY = Slide(
    "Why Neural Network?",
    (Table(("Method", "Error"), (("Ridge", "6.9%"), ("Dropout", "9.4%")), methods=("ridge", "dropout")),),
)


def formulas(n: int) -> list[ClaimResult]:
    """Claims of formulas on the slide "Why Neural Network?", none of them run."""
    every = [result for result in every_claim().claims if result.claim.group == "formula"]
    return [replace(result, claim=replace(result.claim, slide="Why Neural Network?")) for result in every[:n]]


def every_claim() -> Results:
    """All claims of the lecture's suite, none of them run."""
    suite = discover()
    claims = tuple(
        ClaimResult(benchmark, claim, not_run("-"), ()) for benchmark in suite.values() for claim in benchmark.claims
    )
    return Results((), claims, (), {}, slides=suite.slides)


def test_every_claim_of_the_lecture_stands_on_one_of_its_slides_and_on_no_other():
    results = every_claim()
    shown = [result for face in faces(results, results.slides) for result in face.claims]
    assert len(shown) == len(set(map(id, shown))) == len(results.claims)
    titles = {slide.title for slide in results.slides}
    assert {result.claim.slide for result in results.claims} <= titles


def test_the_slides_come_in_the_order_of_the_lecture():
    results = every_claim()
    shown = [face.slide.title for face in faces(results, results.slides)]
    declared = [slide.title for slide in results.slides]
    assert list(dict.fromkeys(shown)) == [title for title in dict.fromkeys(declared) if title in shown]
    assert shown.index("Why Neural Network?") < shown.index("Max Pooling") < shown.index("Transformers")


def test_each_row_of_the_error_table_has_its_claim():
    results = every_claim()
    face = next(face for face in faces(results, results.slides) if face.slide.title == "Why Neural Network?")
    [lines] = face.lines.values()
    assert [(line.mark.claim.method, line.mark.claim.printed) for line in lines] == [
        *(("ridge", "2.3%"), ("dropout", "1.8%"), ("softmax", "7.2%"), ("lda", "12.7%")),
    ]
    assert all(line.mark not in face.marks for line in lines)


def test_slides_of_one_title_share_its_claims_by_what_they_are_about():
    results = every_claim()
    kernels = [face for face in faces(results, results.slides) if face.slide.title == "Convolutional Kernel"]
    methods = [{name for result in face.claims for name in result.claim.methods} for face in kernels]
    assert methods[1] == {"edge"}
    assert methods[2] == {"blur"}
    assert not methods[0] & {"edge", "blur"}


def test_a_row_that_prints_another_number_has_no_claim(results):
    other = Slide("Why Neural Network?", (Table(("Method", "Error"), (("Ridge", "7.0%"),), methods=("ridge",)),))
    [face] = faces(results, (other,))
    [[line]] = face.lines.values()
    assert line.mark is None
    assert len(face.claims) == len(results.claims)


def test_claims_of_slides_that_nobody_declared_come_behind_under_their_title(results):
    assert [face.slide.title for face in faces(results, ())] == ["Why Neural Network?"]
    [face] = faces(results, (Slide("Another"), WHY))
    assert (face.number, face.anchor) == (1, "slide-1")
    assert [line.mark.claim.method for line in face.lines[0]] == ["ridge", "dropout"]


def test_a_slide_that_nobody_declared_prints_the_numbers_that_are_claimed_of_it(results):
    [face] = faces(results, ())
    [lines] = face.lines.values()
    assert [(*line.cells, line.mark.claim.printed) for line in lines] == [
        (result.benchmark.method(result.claim.method).title, result.claim.printed, result.claim.printed)
        for result in results.claims
        if result.claim.kind == "number"
    ]
    assert [result.claim.kind for result in face.marks] == ["order"]


def test_a_benchmark_is_at_home_on_the_slide_of_most_of_its_claims():
    results = every_claim()
    shown = faces(results, results.slides)
    home = homes(shown)
    assert set(home) == {result.benchmark.name for result in results.claims}
    for name, face in home.items():
        on = {each: sum(result.benchmark.name == name for result in each.claims) for each in shown}
        assert on[face] == max(on.values())
        assert face is next(each for each in shown if on[each] == on[face])


def test_what_is_folded_are_formulas_that_hold_and_what_comes_out_after_the_eighth(results):
    [order] = [result for result in results.claims if result.claim.kind == "order"]
    order = replace(order, judgement=replace(order.judgement, verdict="reproduced"))
    held = [replace(claim, judgement=replace(claim.judgement, verdict="reproduced")) for claim in formulas(5)]
    effects = [replace(order, claim=replace(order.claim, source=f"effect {i}")) for i in range(12)]
    late = replace(effects[0], judgement=not_run("-"))
    [face] = faces(replace(results, claims=(late, *held, *effects[1:])), (Slide("Why Neural Network?"),))
    assert face.shown == tuple(effects[1:9])
    assert face.folded == (*effects[9:], *held, late)
    [few] = faces(replace(results, claims=(*held[:3], *effects[1:4])), (Slide("Why Neural Network?"),))
    assert (few.shown, few.folded) == ((*effects[1:4], *held[:3]), ())


def test_numbers_and_what_did_not_come_out_are_never_folded(results):
    [order] = [result for result in results.claims if result.claim.kind == "order"]
    fine, open_, wrong = (
        [
            replace(
                order,
                claim=replace(order.claim, source=f"{verdict} {i}"),
                judgement=replace(order.judgement, verdict=verdict),
            )
            for i in range(6)
        ]
        for verdict in ("reproduced", "inconclusive", "worse")
    )
    broken = [replace(claim, judgement=replace(claim.judgement, verdict="worse")) for claim in formulas(2)]
    number = next(result for result in results.claims if result.claim.kind == "number")
    number = replace(number, claim=replace(number.claim, slide=order.claim.slide))
    given = (*fine, *broken, *open_, *wrong, number)
    [face] = faces(replace(results, claims=given), (Slide(order.claim.slide),))
    assert face.shown == (number, *open_, *wrong, *broken)
    assert face.folded == tuple(fine)
    [natural] = faces(replace(results, claims=(*fine[:3], *open_[:2])), (Slide(order.claim.slide),))
    assert natural.shown == (*fine[:3], *open_[:2]), "no place tells how a claim came out"


def test_a_table_says_what_its_rows_lack():
    with pytest.raises(ValueError, match="must have 2 cells"):
        Table(("a", "b"), (("1",),))
    with pytest.raises(ValueError, match="1 methods for 2 rows"):
        Table(("a",), (("1",), ("2",)), methods=("x",))


def test_a_sentence_is_text_and_its_latex_mathml():
    said = str(inline(r"so <b> $A_\ell$ & more"))
    assert said.startswith("so &lt;b&gt; <math")
    assert said.endswith("</math> &amp; more")
    assert "ℓ" in html.unescape(said)


@pytest.mark.parametrize("latex", [r"\frac{", "x_", "{", "", r"\text{<script>alert(1)</script>}"])
def test_latex_that_is_none_or_brings_other_markup_is_shown_as_it_is_written(latex):
    assert str(mathml(latex)) == f"<code>{html.escape(latex)}</code>"


def test_two_rows_that_print_one_number_mark_one_claim_once(results):
    twice = Slide("Why Neural Network?", (Table(("a", "b"), (("x", "6.9%"), ("y", "6.9%")), methods=("ridge",) * 2),))
    [face] = faces(results, (twice,))
    assert [line.mark is None for line in face.lines[0]] == [False, True]
    assert len(face.claims) == len(results.claims)


@given(st.text(alphabet=st.characters(exclude_characters="$", exclude_categories=["Cs", "Cc"])))
def test_a_sentence_without_latex_is_itself(text):
    assert inline(text).unescape() == text


FORMULAS = [part.latex for slide in discover().slides for part in slide.parts if isinstance(part, Formula)]


@pytest.mark.parametrize("latex", [*FORMULAS, r"\frac{1}{9}"])
def test_every_formula_of_the_lecture_becomes_mathml(latex):
    made = str(mathml(latex, display=True))
    assert made.startswith("<math")
    assert "merror" not in made
    assert "\\" not in html.unescape(made)


def test_the_strip_of_an_order_has_its_zero_in_the_middle_and_a_run_for_each_seed(results):
    [result] = [result for result in results.claims if result.claim.kind == "order"]
    judged = replace(result, judgement=chain(result.claim.methods, ("inconclusive", "reproduced", "reproduced")))
    first, second, third = strips(judged)
    assert not first.number
    assert first.interval[0] < 50 < first.interval[1]
    assert first.rounding is None
    assert second.interval[0] > 50
    assert (len(first.runs), len(second.runs), len(third.runs)) == (5, 5, 1)


def test_the_strip_of_a_chain_shows_the_runs_that_judged_it(results):
    [result] = [result for result in results.claims if result.claim.kind == "order"]
    judged = replace(result, judgement=chain(result.claim.methods, ("reproduced",) * 3))
    rows = tuple(replace(row, runs=row.runs[:3]) if row.method.name == "dropout" else row for row in judged.rows)
    first, second, _ = strips(replace(judged, rows=rows))
    assert (len(first.runs), len(second.runs)) == (3, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [("SLIDES = 3", "declares no SLIDES"), ("SLIDES = (1,)", "declares no SLIDES"), ("SLIDES = 1/0", "line 1")],
)
def test_slides_that_cannot_be_used_are_named_and_the_benchmarks_stay(tmp_path, text, said):
    suite = discover()["softmax"].path.parent
    (tmp_path / "bench_one.py").write_text((suite / "bench_softmax.py").read_text())
    (tmp_path / "slides.py").write_text(text)
    found = discover(tmp_path)
    assert said in found.broken["slides.py"]
    assert (list(found), found.slides) == (["one"], ())


def test_a_file_of_that_name_for_something_else_is_left_alone(tmp_path):
    suite = discover()["softmax"].path.parent
    (tmp_path / "bench_one.py").write_text((suite / "bench_softmax.py").read_text())
    (tmp_path / "slides.py").write_text("raise SystemExit('makes a talk')")
    found = discover(tmp_path)
    assert (found.slides, dict(found.broken)) == ((), {})
