"""A slide with what was measured of it as a figure of its own: for a projector, or to be sent to somebody."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lecturebench.declare.slides import Formula, Matrix, Sentence
from lecturebench.judging.results import ClaimResult
from lecturebench.report.in_words import claim_title, in_words, place_of_claim
from lecturebench.report.lecture import Face
from lecturebench.report.strips import Strip, strips
from lecturebench.report.style import INK, MUTED, RULE, VERDICT_TONES, MethodStyle
from lecturebench.report.tally import SIGNS, counts
from lecturebench.report.tally import sentences as sentences_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 12.0  # inches
MARGIN = 0.6
LETTER = 0.56  # of its size: the mean width of a letter
SERIF = "DejaVu Serif"
MOST_LETTERS = 52  # of a title
PLACES = {"printed": 0.50, "strip": 0.58, "stamp": 0.83}  # of the width, from the left
KEY = "Ticks: runs. Dot: their mean. Band: where one more run would land; of two methods, their difference."


@dataclass(frozen=True, eq=False)
class Block:
    """A part of the page from its upper left corner on. draw: is given the height in inches at which it begins.

    claims: those that it tells of. printed: whether it stands on the slide itself.
    """

    height: float
    draw: Callable[[float], None]
    claims: tuple[ClaimResult, ...] = ()
    printed: bool = False


def draw_face(face: Face, of: int, styles: Mapping[str, MethodStyle], height: float) -> Figure:
    """The slide ``face`` of ``of``, 12 inches wide: what is printed, the runs on it, and the verdicts.

    Sentences are left out where they do not fit, then claims, and a line says how many and how they came out: first the
    last of those that came out as said, then numbers that did, then the others, rows of a printed table last of all.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height))
    page = _Page(figure, styles, height)
    room = height - 1.35 - 0.5
    for of_printed, of_measured in ((True, True), (True, False), (False, False)):
        blocks = [*page.printed(face, sentences=of_printed), *page.measured(face, sentences=of_measured)]
        if sum(block.height for block in blocks) <= room:
            break
    shown = list(blocks)
    while sum(block.height for block in shown) > room - (0.3 if len(shown) < len(blocks) else 0):
        least = max((block for block in shown[::-1] if block.claims), key=_dispensable, default=None)
        if least is None:
            break
        shown.remove(least)
    at = 1.25
    title = textwrap.shorten(face.slide.title, MOST_LETTERS, placeholder=" …")
    page.text(0.35, title, 26, font=SERIF, weight="bold")
    for block in shown:
        block.draw(at)
        at += block.height
    if left := [result for block in blocks if block not in shown for result in block.claims]:
        page.text(at + 0.05, f"and {len(left)} more on the page. {sentences_of(counts(left))}", 11, colour=MUTED)
    page.text(height - 0.4, f"{face.number} of {of} · lecturebench · {KEY}", 9, colour=MUTED)
    return figure


class _Page:
    """Draws by inches from the upper left corner."""

    def __init__(self, figure: Figure, styles: Mapping[str, MethodStyle], height: float) -> None:
        self.figure, self.styles, self.height = figure, styles, height

    def text(
        self,
        at: float,
        text: str,
        size: float,
        *,
        x: float = MARGIN,
        colour: str = INK,
        font: str = "DejaVu Sans",
        weight: str = "normal",
        align: str = "left",
        math: bool = False,
    ) -> None:
        self.figure.text(
            x / WIDTH,
            1 - at / self.height,
            text,
            fontsize=size,
            color=colour,
            va="top",
            ha=align,
            fontfamily=font,
            fontweight=weight,
            parse_math=math,
            math_fontfamily="dejavuserif",
            linespacing=1.35,
        )

    def printed(self, face: Face, *, sentences: bool) -> list[Block]:
        blocks = []
        for i, part in enumerate(face.slide.parts):
            if isinstance(part, Sentence):
                blocks.append(self.sentence(part.text))
            elif isinstance(part, Formula):
                blocks.append(self.formula(part.latex))
            elif isinstance(part, Matrix):
                blocks.append(self.matrix(part))
            else:
                blocks.append(self.row(part.head, None, head=True))
                for line in face.lines[i]:
                    row = self.row(line.cells, line.mark)
                    row = self.told(row, line.mark, sentences=sentences) if line.mark else row
                    blocks.append(replace(row, printed=True))
        return blocks

    def measured(self, face: Face, *, sentences: bool) -> list[Block]:
        blocks = []
        for result in face.shown:
            title = " · ".join(filter(None, (claim_title(result), place_of_claim(result))))
            blocks.append(self.told(self.row((title,), result), result, sentences=sentences))
        if face.folded:
            title = f"{len(face.folded)} more. {sentences_of(counts(face.folded))}"
            blocks.append(replace(self.row((title,), None), claims=face.folded))
        return blocks

    def told(self, row: Block, mark: ClaimResult, *, sentences: bool) -> Block:
        """The row of a claim, with the sentence about it."""
        words = self.words(mark)
        block = Block(row.height + words.height, _both(row, words)) if sentences else row
        return replace(block, claims=(mark,))

    def sentence(self, text: str) -> Block:
        math = text.count("$") % 2 == 0 and "$" in text and all(map(_is_math, text.split("$")[1::2]))
        width = _letters(15, WIDTH - 2 * MARGIN)
        lines = _wrapped_math(text, width) if math else textwrap.wrap(text, width)
        plain = "\n".join(lines)
        return Block(0.31 * len(lines) + 0.12, lambda at: self.text(at, plain, 15, font=SERIF, math=math))

    def formula(self, latex: str) -> Block:
        if _is_math(latex):
            return Block(0.95, lambda at: self.text(at + 0.12, f"${latex}$", 21, math=True))
        return Block(0.45, lambda at: self.text(at, latex, 13, font="DejaVu Sans Mono"))

    def matrix(self, part: Matrix) -> Block:
        step, wide = 0.34, max(len(cell) for row in part.rows for cell in row) * 0.14 + 0.28
        size, height = 15, step * len(part.rows)

        def draw(at: float) -> None:
            x = MARGIN
            if part.factor:
                math = _is_math(part.factor)
                self.text(at + height / 2 - 0.24, f"${part.factor}$" if math else part.factor, 18, math=math)
                x += 0.55 if math else 0.14 * len(part.factor) + 0.3
            for i, row in enumerate(part.rows):
                for j, cell in enumerate(row):
                    self.text(at + step * i + 0.03, cell, size, x=x + wide * (j + 1) - 0.08, align="right")
            for side in (x, x + wide * len(part.rows[0]) + 0.06):
                self.line(side, at, side, at + height - 0.02)

        return Block(height + 0.2, draw)

    def row(self, cells: tuple[str, ...], mark: ClaimResult | None, *, head: bool = False) -> Block:
        """Cells, and the runs and the stamp of a claim on the same line, or on two of a long title."""
        title, *others = cells
        size = 11.0 if head else 13.0
        wide = WIDTH * (0.46 if others else 0.5) - MARGIN - 1.2 * max(0, len(others) - 1)
        lines = textwrap.wrap(title, _letters(size, wide)) or [""]
        drawn = strips(mark) if mark else []
        height = max(0.24 * len(lines), 0.34 * len(drawn)) + 0.16

        def draw(at: float) -> None:
            weight = "normal" if head else "bold" if others else "normal"
            self.text(at + 0.06, "\n".join(lines), size, weight=weight, colour=MUTED if head else INK)
            for k, cell in enumerate(others):
                x = WIDTH * PLACES["printed"] - 1.2 * (len(others) - 1 - k)
                self.text(at + 0.06, cell, size, x=x, colour=MUTED if head else INK)
            if head:
                self.text(at + 0.06, "Measured", size, x=WIDTH * PLACES["strip"], colour=MUTED)
                self.line(MARGIN, at + height, WIDTH - MARGIN, at + height)
            if mark:
                verdict = mark.judgement.verdict
                stamp = f"{SIGNS[verdict]} {mark.word}"
                place = WIDTH * PLACES["stamp"]
                self.text(at + 0.06, stamp, 13, x=place, colour=VERDICT_TONES[verdict][0], weight="bold")
                for k, each in enumerate(drawn):
                    self.strip(at + 0.34 * k, each, self.styles[mark.claim.methods[k]].colour)

        return Block(height, draw)

    def words(self, mark: ClaimResult) -> Block:
        lines = textwrap.wrap(in_words(mark), _letters(10.5, WIDTH - 2 * MARGIN))
        return Block(0.2 * len(lines) + 0.12, lambda at: self.text(at - 0.02, "\n".join(lines), 10.5, colour=MUTED))

    def strip(self, at: float, drawn: Strip, colour: str) -> None:
        left, wide, high = PLACES["strip"], PLACES["stamp"] - PLACES["strip"] - 0.03, 0.3
        axes = self.figure.add_axes((left, 1 - (at + 0.04 + high) / self.height, wide, high / self.height))
        axes.set(xlim=(0, 100), ylim=(0, 1))
        axes.axis("off")
        axes.axhline(0.5, color=RULE, linewidth=1, zorder=0)
        if drawn.rounding:
            axes.axvspan(*drawn.rounding, color=RULE, zorder=0, linewidth=0)
        axes.axvline(50, color=INK, linewidth=1.6, linestyle="-" if drawn.number else (0, (3, 2)), zorder=3)
        low, high_end = drawn.interval
        axes.fill_between((low, high_end), 0.3, 0.7, color=colour, alpha=0.35, linewidth=0, zorder=1)
        axes.vlines(drawn.runs, 0.15, 0.85, color=colour, linewidth=1.2, zorder=2)
        axes.plot([drawn.mean], [0.5], "o", color=colour, markersize=7, zorder=4, clip_on=False)

    def line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        from matplotlib.lines import Line2D

        xs, ys = (x0 / WIDTH, x1 / WIDTH), (1 - y0 / self.height, 1 - y1 / self.height)
        self.figure.add_artist(Line2D(xs, ys, color=INK, linewidth=1.2))


def _dispensable(block: Block) -> int:
    """How soon it is left out where room lacks."""
    if block.printed:
        return 0
    if any(result.judgement.verdict not in ("reproduced", "not_run") for result in block.claims):
        return 1
    return 2 if any(result.claim.group == "number" for result in block.claims) else 3


def _both(first: Block, second: Block) -> Callable[[float], None]:
    def draw(at: float) -> None:
        first.draw(at)
        second.draw(at + first.height)

    return draw


def _letters(size: float, width: float) -> int:
    """How many letters of a size stand in a width of so many inches."""
    return int(width / (size / 72 * LETTER))


def _wrapped_math(text: str, width: int) -> list[str]:
    """Lines of a sentence with formulas between "$", of which none is broken; of LaTeX each command is a letter."""
    lines: list[list[str]] = [[]]
    room = width
    for word in re.findall(r"(?:\$[^$]*\$|\S)+", text):
        shown = len(re.sub(r"\$[^$]*\$", lambda found: _shown(found[0]), word))
        if shown > room and lines[-1]:
            lines.append([])
            room = width
        lines[-1].append(word)
        room -= shown + 1
    return [" ".join(line) for line in lines]


def _shown(latex: str) -> str:
    """About as many letters as a formula is wide."""
    return re.sub(r"[{}$^_\\]", "", re.sub(r"\\[A-Za-z]+\s*", "x", latex))


def _is_math(latex: str) -> bool:
    """Whether Matplotlib can set it."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${latex}$")
    except ValueError:
        return False
    return True
