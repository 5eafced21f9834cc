"""The main figures as a PDF for the projector: one to a page of 16:9, with its title above and its caption below."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lecturebench.judging.results import Results
from lecturebench.report.album import Plate
from lecturebench.report.sections import benchmarks_of, foldable
from lecturebench.report.style import INK, MUTED, styled
from lecturebench.report.tally import counts, sentences
from lecturebench.store import write_whole

HEIGHT = 4.6  # inches; letters of 11 points are then a 30th of the page
SHAPE = 16 / 9
MOST_LINES = 14


def write_slides(results: Results, sections: Iterable[tuple[str, Sequence[Plate]]], path: Path) -> int:
    """Write the PDF; how many pages it has. sections: a heading and its figures each.

    A figure that cannot be drawn is left out: the page's notes name it.
    """
    file = io.BytesIO()
    with styled(), PdfPages(file, metadata={"CreationDate": None, "Creator": None, "Producer": None}) as pdf:
        pdf.savefig(_cover(results))
        for heading, plates in sections:
            for plate in plates:
                try:
                    picture = plate.draw()
                except KeyboardInterrupt:
                    raise
                except BaseException:
                    continue
                if picture is not None:
                    pdf.savefig(_slide(picture.figure, heading, picture.title, picture.caption))
        pages = pdf.get_pagecount()
    write_whole(path, file.getvalue())
    return int(pages)


def _slide(figure: Figure, heading: str, title: str, caption: str) -> Figure:
    """The figure on a page of its own: 16:9, the drawing between its title and its caption."""
    inner = figure.get_figheight() * 0.92
    height = max(HEIGHT, inner + 1.1)
    figure.set_size_inches(SHAPE * height, height)
    below, above = 0.72 / height, 1 - 0.62 / height
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    drawn_below, drawn_above = below, above
    # Legends outside of the axes and the figure's own title keep to the edges of the page, whatever the rectangle.
    if heads := figure.get_suptitle():
        figure.suptitle("")
        figure.text(0.03, above, heads, va="top", fontsize=11, color=INK, in_layout=False)
        drawn_above -= 0.22 * (1 + heads.count("\n")) / height
    for legend in figure.legends:
        drawn_below = below + (legend.get_window_extent(renderer).height / figure.dpi + 0.05) / height
    engine.set(rect=(0.02, drawn_below, 0.96, drawn_above - drawn_below))
    for legend in figure.legends:
        legend.set_loc("lower left")
        legend.set_bbox_to_anchor((0.02, below - 0.05 / height), transform=figure.transFigure)
    figure.text(0.03, 1 - 0.2 / height, title, va="top", fontsize=17, fontweight="bold", color=INK, in_layout=False)
    below_drawing = textwrap.fill(" · ".join(part for part in (heading, caption) if part), round(13 * SHAPE * height))
    figure.text(0.03, 0.12 / height, below_drawing, va="bottom", fontsize=9.5, color=MUTED, in_layout=False)
    return figure


def _cover(results: Results) -> Figure:
    """What came out, in a line, and the verdicts as far as they fit, the benchmarks in the order of the page."""
    figure = Figure(figsize=(SHAPE * HEIGHT, HEIGHT))
    head = "\n".join(textwrap.fill(sentences([count]), 64) for count in counts(results.claims)) or sentences([])
    figure.text(0.05, 0.93, head, fontsize=15, fontweight="bold", color=INK, va="top")
    lines = _verdicts(results)
    shown = lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1]
    step = min(0.055, 0.62 / MOST_LINES)
    for i, (word, about, _) in enumerate(shown):
        at, size = 0.68 - i * step, 10
        figure.text(0.05, at, word, fontsize=size, fontweight="bold", color=INK)
        figure.text(0.22, at, textwrap.shorten(about, 78, placeholder=" …"), fontsize=size, color=MUTED)
    if left := sum(claims for _, _, claims in lines[len(shown) :]):
        figure.text(0.05, 0.68 - len(shown) * step, f"and {left} more", fontsize=10, color=MUTED)
    return figure


def _verdicts(results: Results) -> list[tuple[str, str, int]]:
    """Verdict, claim, and how many claims that is: where many formulas hold, they are one line."""
    lines = []
    for benchmark in benchmarks_of(results):
        own = [result for result in results.claims if result.benchmark is benchmark]
        folded = foldable(own)
        single = [result for result in own if result not in folded]
        lines += [(result.word, f"{benchmark.name}: {result.claim.name}", 1) for result in single]
        if folded:
            lines.append((folded[0].word, f"{benchmark.name}: {len(folded)} formulas", len(folded)))
    return lines
