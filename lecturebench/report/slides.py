"""The main figures as a PDF for the projector: one to a page of 16:9, with its title above and its caption below."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lecturebench.report.album import Plate
from lecturebench.report.results import Results
from lecturebench.report.style import INK, MUTED, styled
from lecturebench.report.table import summary
from lecturebench.store import write_whole

HEIGHT = 4.6  # inches; letters of 11 points are then a 30th of the page
SHAPE = 16 / 9
MOST_CLAIMS = 14


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
                except Exception:
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
    legends = 0.52 / height if figure.legends else 0.0
    engine.set(rect=(0.02, below + legends, 0.96, above - below - legends))
    for legend in figure.legends:
        # Legends outside of the axes keep to the edges of the page, whatever the rectangle.
        legend.set_bbox_to_anchor((0.02, below - 0.05 / height), transform=figure.transFigure)
    figure.text(0.03, 1 - 0.2 / height, title, va="top", fontsize=17, fontweight="bold", color=INK, in_layout=False)
    told = textwrap.fill(" · ".join(part for part in (heading, caption) if part), round(13 * SHAPE * height))
    figure.text(0.03, 0.12 / height, told, va="bottom", fontsize=9.5, color=MUTED, in_layout=False)
    return figure


def _cover(results: Results) -> Figure:
    """What came out, in a line, and each claim with its verdict as far as they fit."""
    figure = Figure(figsize=(SHAPE * HEIGHT, HEIGHT))
    figure.text(0.05, 0.9, textwrap.fill(summary(results), 44), fontsize=20, fontweight="bold", color=INK, va="top")
    shown = results.claims if len(results.claims) <= MOST_CLAIMS else results.claims[: MOST_CLAIMS - 1]
    step = min(0.055, 0.62 / max(1, MOST_CLAIMS))
    for i, result in enumerate(shown):
        at, size = 0.68 - i * step, 10
        figure.text(0.05, at, result.word, fontsize=size, fontweight="bold", color=INK)
        told = textwrap.shorten(f"{result.benchmark.name}: {result.claim.name}", 84, placeholder=" …")
        figure.text(0.22, at, told, fontsize=size, color=MUTED)
    if left := len(results.claims) - len(shown):
        figure.text(0.05, 0.68 - len(shown) * step, f"and {left} more", fontsize=10, color=MUTED)
    return figure
