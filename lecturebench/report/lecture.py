"""The lecture's slides with what was measured of each: on a printed number its runs, below the rest of the claims."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from lecturebench.declare.claims import Group, NumberClaim
from lecturebench.declare.slides import Slide, Table
from lecturebench.judging.results import ClaimResult, Results

MATHML = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = {
    "math",
    "mi",
    "mn",
    "mo",
    "mtext",
    "mspace",
    "mrow",
    "mfrac",
    "msqrt",
    "mroot",
    "mstyle",
    "mpadded",
    "mover",
}
ELEMENTS |= {"munder", "munderover", "msub", "msup", "msubsup", "mtable", "mtr", "mtd", "mphantom", "menclose"}
MOST_MARKS = 8  # below which claims that came out as said are shown, beside those on the slide's rows
FEW_FORMULAS = 3  # that hold, which are shown one by one
ORDER: Mapping[Group, int] = {"number": 0, "effect": 1, "formula": 2}  # in which claims stand below a slide


@dataclass(frozen=True, eq=False)
class Line:
    """A row of a slide's table. mark: the claim that says whether the number which it prints comes out."""

    cells: tuple[str, ...]
    mark: ClaimResult | None


@dataclass(frozen=True, eq=False)
class Face:
    """A slide as the page shows it. number: from 1 on, in the order of the lecture, of those that the page has.

    lines: of each of its tables, by its place among the slide's parts. marks: the claims that stand on no printed row,
    in the order of their groups, those that were not run behind. folded: of them, on the slide and in its evidence
    alike, formulas that hold, where they are more than a few, and what came out or was not run beyond the eighth. A
    number that was judged, or what did not come out, is never folded.
    """

    number: int
    slide: Slide
    lines: Mapping[int, tuple[Line, ...]]
    marks: tuple[ClaimResult, ...]

    @property
    def anchor(self) -> str:
        return f"slide-{self.number}"

    @property
    def shown(self) -> tuple[ClaimResult, ...]:
        """The marks that are shown at once."""
        held = _held(self.marks)
        others = [result for result in self.marks if len(held) <= FEW_FORMULAS or result not in held]
        room = MOST_MARKS - sum(map(_is_telling, others))
        rest = [result for result in others if not _is_telling(result)][max(0, room) :]
        return tuple(result for result in others if len(rest) == 1 or result not in rest)

    @property
    def folded(self) -> tuple[ClaimResult, ...]:
        """The other marks."""
        shown = self.shown
        return tuple(result for result in self.marks if result not in shown)

    @property
    def claims(self) -> tuple[ClaimResult, ...]:
        """All that the slide shows a verdict of."""
        on_rows = [line.mark for lines in self.lines.values() for line in lines if line.mark]
        return (*on_rows, *self.marks)


def faces(results: Results, slides: Sequence[Slide]) -> list[Face]:
    """Every slide that a claim of the results speaks of, in the order of the lecture; behind them, by their titles,
    those that nobody declared, with a table of the numbers that they print.
    """
    left = list(results.claims)
    found: list[tuple[Slide, list[ClaimResult]]] = []
    for slide in sorted(slides, key=lambda slide: not slide.about):  # those that say what they are about choose first
        own = [result for result in left if _belongs(result, slide)]
        left = [result for result in left if result not in own]
        found.append((slide, own))
    placed = {id(slide): own for slide, own in found}
    ordered = [(slide, placed[id(slide)]) for slide in slides]
    for title in dict.fromkeys(result.claim.slide for result in left):
        own = [result for result in left if result.claim.slide == title]
        ordered.append((Slide(title, _numbers(own)), own))
    shown = [(slide, own) for slide, own in ordered if own]
    return [_face(number, slide, own) for number, (slide, own) in enumerate(shown, start=1)]


def homes(faces: Sequence[Face]) -> dict[str, Face]:
    """For each benchmark, by name, the slide that has most of its claims: there its rows and figures stand."""
    counted: dict[str, Counter[Face]] = {}
    for face in faces:
        for result in face.claims:
            counted.setdefault(result.benchmark.name, Counter())[face] += 1
    return {name: faces_of.most_common(1)[0][0] for name, faces_of in counted.items()}


def _numbers(claims: Sequence[ClaimResult]) -> tuple[Table, ...]:
    """A table of the numbers that claims on a slide say it prints; none where they say none."""
    printed = [
        (result.benchmark.method(claim.method), claim.printed)
        for result in claims
        if isinstance(claim := result.claim, NumberClaim)
    ]
    rows = tuple((method.title, number) for method, number in printed)
    return (Table(("Method", "Published"), rows, tuple(method.name for method, _ in printed)),) if printed else ()


def _held(claims: Sequence[ClaimResult]) -> list[ClaimResult]:
    """The formulas that hold."""
    return [item for item in claims if item.claim.group == "formula" and item.judgement.verdict == "reproduced"]


def _is_telling(result: ClaimResult) -> bool:
    """Whether it is a number, or did not come out."""
    verdict = result.judgement.verdict
    return verdict != "not_run" and (result.claim.group == "number" or verdict != "reproduced")


def _belongs(result: ClaimResult, slide: Slide) -> bool:
    if result.claim.slide != slide.title:
        return False
    benchmark = result.benchmark.name
    names = {benchmark, *(f"{benchmark}/{name}" for name in result.claim.methods)}
    return not slide.about or bool(names & set(slide.about))


def _face(number: int, slide: Slide, claims: list[ClaimResult]) -> Face:
    left = list(claims)
    lines: dict[int, tuple[Line, ...]] = {}
    for i, part in enumerate(slide.parts):
        if isinstance(part, Table):
            methods = part.methods or ("",) * len(part.rows)
            made = []
            for row, own in zip(part.rows, methods, strict=True):
                mark = _mark(row, own, left)
                left = [result for result in left if result is not mark]
                made.append(Line(row, mark))
            lines[i] = tuple(made)
    marks = sorted(left, key=lambda result: (result.judgement.verdict == "not_run", ORDER[result.claim.group]))
    return Face(number, slide, lines, tuple(marks))


def _mark(row: tuple[str, ...], method: str, claims: Sequence[ClaimResult]) -> ClaimResult | None:
    """The claim on the number that the row prints; None if no claim has that number of that method."""
    for result in claims:
        claim = result.claim
        if isinstance(claim, NumberClaim) and claim.method == method and claim.printed in row:
            return result
    return None


def inline(text: str) -> Markup:
    """A sentence with its LaTeX between "$" as MathML."""
    parts = re.split(r"\$([^$]+)\$", text)
    return Markup("").join(mathml(part) if i % 2 else escape(part) for i, part in enumerate(parts))


def mathml(latex: str, *, display: bool = False) -> Markup:
    """LaTeX as MathML, which browsers draw themselves; as it is written where it is none, or brings other markup."""
    from latex2mathml.converter import convert

    try:
        made = convert(latex, display="block" if display else "inline")
        drawn = all(element.tag.removeprefix(MATHML) in ELEMENTS for element in ElementTree.fromstring(made).iter())
    except Exception:  # of a parser that raises whatever it stumbles over
        drawn = False
    return Markup(made) if drawn else Markup("<code>{}</code>").format(latex)
