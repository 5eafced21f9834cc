"""The lecture's slides with what was measured of them, and the main figures behind, as a PDF for the projector; and
each slide as an image to send to somebody. All pages are 16:9 and of one size."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from lecturebench.judging.results import Results
from lecturebench.report.album import Plate
from lecturebench.report.lecture import Face
from lecturebench.report.slide_pages import WIDTH, draw_face
from lecturebench.report.style import INK, MUTED, MethodStyle, styled
from lecturebench.report.tally import counts, sentences
from lecturebench.store import write_whole

HEIGHT = WIDTH * 9 / 16
IMAGE = 6.3, 100  # inches high and dots per inch: 1200 x 630, which is what links are shown with
FOLDER = "slides"


def write_slides(
    results: Results,
    faces: Sequence[Face],
    styles: Mapping[str, MethodStyle],
    sections: Iterable[tuple[str, Sequence[Plate]]],
    folder: Path,
) -> int:
    """Write ``slides.pdf`` and ``slides/NN.png``; how many pages the PDF has. sections: a heading and its figures each.

    A figure that cannot be drawn is left out: the page's notes name it.
    """
    file = io.BytesIO()
    with styled():
        with PdfPages(file, metadata={"CreationDate": None, "Creator": None, "Producer": None}) as pdf:
            pdf.savefig(_cover(results, faces))
            for face in faces:
                pdf.savefig(draw_face(face, len(faces), styles, HEIGHT))
            for heading, plates in sections:
                for plate in plates:
                    try:
                        picture = plate.draw()
                    except KeyboardInterrupt:
                        raise
                    except BaseException:
                        continue
                    if picture is not None:
                        figure = picture.projected() if picture.projected else picture.figure
                        pdf.savefig(_slide(figure, heading, picture.title, picture.caption))
            pages = pdf.get_pagecount()
        (folder / FOLDER).mkdir(exist_ok=True)
        for face in faces:
            write_whole(folder / FOLDER / f"{face.number:02d}.png", _image(face, len(faces), styles))
        for old in (folder / FOLDER).glob("[0-9][0-9].png"):
            if int(old.stem) > len(faces):
                old.unlink()
    write_whole(folder / "slides.pdf", file.getvalue())
    return int(pages)


def _image(face: Face, of: int, styles: Mapping[str, MethodStyle]) -> bytes:
    height, dpi = IMAGE
    figure = draw_face(face, of, styles, height)
    figure.set_dpi(dpi)
    image = io.BytesIO()
    FigureCanvasAgg(figure).print_png(image, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return image.getvalue()


def _slide(figure: Figure, heading: str, title: str, caption: str) -> Figure:
    """The figure on a page of its own: the drawing between its title and its caption, letters as large as on slides."""
    # Of the letters: a figure is made for a page half as wide, and one that is higher has more to say.
    scale = min(1.3, 1.3 * 4.1 / figure.get_figheight(), WIDTH / figure.get_figwidth())
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_fontsize(float(text.get_fontsize()) * scale)
    figure.set_size_inches(WIDTH, HEIGHT)
    below, above = 0.95 / HEIGHT, 1 - 0.9 / HEIGHT
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    drawn_below, drawn_above = below, above
    # Legends outside of the axes and the figure's own title keep to the edges of the page, whatever the rectangle.
    if heads := figure.get_suptitle():
        figure.suptitle("")
        figure.text(0.03, above, heads, va="top", fontsize=14, color=INK, in_layout=False)
        drawn_above -= 0.29 * (1 + heads.count("\n")) / HEIGHT
    for legend in figure.legends:
        drawn_below = below + (legend.get_window_extent(renderer).height / figure.dpi + 0.05) / HEIGHT
    engine.set(rect=(0.02, drawn_below, 0.96, drawn_above - drawn_below))
    for legend in figure.legends:
        legend.set_loc("lower left")
        legend.set_bbox_to_anchor((0.02, below - 0.05 / HEIGHT), transform=figure.transFigure)
    head = figure.text(0.03, 1 - 0.25 / HEIGHT, title, va="top", fontsize=24, fontweight="bold", color=INK)
    head.set_in_layout(False)
    head.set_fontsize(24 * min(1.0, 0.94 * figure.bbox.width / max(1.0, head.get_window_extent(renderer).width)))
    below_drawing = textwrap.fill(" · ".join(part for part in (heading, caption) if part), 132)
    figure.text(0.03, 0.15 / HEIGHT, below_drawing, va="bottom", fontsize=11, color=MUTED, in_layout=False)
    return figure


def _cover(results: Results, faces: Sequence[Face]) -> Figure:
    """What came out, in a line for each kind of claim, and the slides that follow."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    head = "\n".join(textwrap.fill(sentences([count]), 60) for count in counts(results.claims)) or sentences([])
    figure.text(0.05, 0.92, head, fontsize=22, fontweight="bold", color=INK, va="top", linespacing=1.4)
    titles = [f"{face.number}  {textwrap.shorten(face.slide.title, 44, placeholder=' …')}" for face in faces]
    half = -(-len(titles) // 2)
    below = 0.88 - 22 * 1.4 / 72 / HEIGHT * (1 + head.count("\n"))
    for column, listed in enumerate((titles[:half], titles[half:])):
        figure.text(
            0.05 + 0.47 * column, below, "\n".join(listed), fontsize=12, color=MUTED, va="top", linespacing=1.45
        )
    return figure
