"""The lecture's slides as pages: formulas in sentences stay whole, and what finds no room is told of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench.report.lecture import Face, faces
from lecturebench.report.sections import benchmarks_of, styles_of
from lecturebench.report.slide_pages import _is_math, _wrapped_math, draw_face
from lecturebench.report.style import styled

SOFTMAX = (
    r"Let $Z_m = \beta_{m0} + \sum_{\ell=1}^{K_2} \beta_{m\ell} A_\ell^{(2)}$, $m = 0, 1, \ldots, 9$ be 10 linear "
    "combinations of activations at second layer."
)


@given(st.integers(1, 200))
def test_no_line_ends_inside_a_formula(width: int) -> None:
    lines = _wrapped_math(SOFTMAX, width)
    assert " ".join(" ".join(lines).split()) == " ".join(SOFTMAX.split())
    assert all(line.count("$") % 2 == 0 for line in lines)
    assert all(map(_is_math, (part for line in lines for part in line.split("$")[1::2])))


def test_a_formula_counts_by_the_letters_that_it_shows() -> None:
    assert _wrapped_math(r"a $\alpha_{\ell k}$ b", 8) == [r"a $\alpha_{\ell k}$ b"]
    assert _wrapped_math("a bcdefgh i", 4) == ["a", "bcdefgh", "i"]


def test_what_finds_no_room_is_told_by_how_it_came_out(results) -> None:
    [order] = [result for result in results.claims if result.claim.kind == "order"]
    order = replace(order, judgement=replace(order.judgement, verdict="reproduced", pairs=()))
    many = [replace(order, claim=replace(order.claim, source=str(i))) for i in range(9)]
    wrong = replace(order, judgement=replace(order.judgement, verdict="worse"))
    [shown] = faces(replace(results, claims=(*many, wrong)), ())
    assert isinstance(shown, Face)
    with styled():
        figure = draw_face(shown, 1, styles_of(benchmarks_of(results)), 3.2)
    said = [text.get_text() for text in figure.texts]
    [left] = [text for text in said if text.startswith("and ")]
    assert sum("contradicted" in text for text in said) == 1
    assert "contradicted" not in left, "it is left out last"
    assert left.endswith("reproduced.")


def test_rows_of_a_table_that_no_page_holds_are_counted(results) -> None:
    [number] = [
        result for result in results.claims if result.claim.kind == "number" and result.claim.methods == ("lda",)
    ]
    many = [replace(number, claim=replace(number.claim, printed=f"{38.1 + i / 10:.1f}%")) for i in range(14)]
    [shown] = faces(replace(results, claims=tuple(many)), ())
    with styled():
        figure = draw_face(shown, 1, styles_of(benchmarks_of(results)), 6.75)
    said = [text.get_text() for text in figure.texts]
    printed = sum(text.endswith("%") for text in said)
    [left] = [text for text in said if text.startswith("and ")]
    assert left.startswith(f"and {14 - printed} more on the page. Numbers:")
    assert min(text.get_position()[1] for text in figure.texts) > 0


@pytest.mark.parametrize("latex", [r"\nosuch{x}", "x_{"])
def test_what_matplotlib_cannot_set_is_no_formula(latex: str) -> None:
    assert not _is_math(latex)
