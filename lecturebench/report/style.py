"""One look for every figure and for the page: inks, fonts, and one colour and marker per method.

Colours are Okabe and Ito's, which colour-blind readers tell apart (jfly.uni-koeln.de/color), each in two tones: with a
contrast of at least 3 on white, and on the page's dark ground. Figures are drawn in the light tones; `themed` replaces
them by CSS variables, so that one drawing follows the page's theme.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import textwrap
import warnings
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Matplotlib takes a second to import: only what draws does, and a page whose figures are all there needs none of it.
INKS = {
    "ink": ("#1c2024", "#eceae5"),
    "muted": ("#5b626b", "#a6adb6"),
    "rule": ("#d8dbdf", "#3b4149"),
    "paper": ("#ffffff", "#1a1d22"),
    "wrong": ("#b3321f", "#ff9b7d"),
}
TONES = (
    ("#0072b2", "#4fa9e2"),
    ("#d55e00", "#f5874a"),
    ("#00875f", "#2fc296"),
    ("#b4568a", "#e09ac4"),
    ("#a87300", "#e6ac27"),
    ("#3a8fc4", "#8fcdf2"),
    ("#6d6a20", "#d9d252"),
    ("#6a6f77", "#a9aeb5"),
)
VERDICT_TONES = {
    "reproduced": ("#11693f", "#5fd29b"),
    "better": ("#125a96", "#6fb7ee"),
    "worse": ("#a82d1b", "#ff9b7d"),
    "inconclusive": ("#7d5400", "#e3b34c"),
    "not_run": ("#5b626b", "#a6adb6"),
}
MARKERS = "osD^vPX*"
GLYPHS = "●■◆▲▼✚✖★"

DPI = 192  # of a PNG
INK, MUTED, RULE, PAPER, WRONG = (light for light, _ in INKS.values())

# Text stays text in SVG, so the page's own font shows it; "$" and "^" are printed as they are.
RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "text.parse_math": False,
    "text.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "lecturebench",
    "pdf.fonttype": 42,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 2,
    "lines.markersize": 6,
}


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class MethodStyle:
    """How one method is drawn, everywhere. css, glyph: the page's variable of its colour, its marker as a letter."""

    colour: str
    css: str
    marker: str
    glyph: str


def method_styles(*groups: Iterable[str]) -> dict[str, MethodStyle]:
    """One style per name; names of one group, the methods of a benchmark, have colours of their own up to eight.

    A name of several groups keeps the style of the first. After eight names colours come again with other markers, the
    rarest first. Give it the declared methods and not those that happen to have run: then a failed row recolours no
    other.
    """
    tones: dict[str, int] = {}
    styles = {}
    for group in map(list, groups):
        for name in group:
            if name in tones:
                continue
            everywhere, here = Counter(tones.values()), Counter(tones[n] for n in set(group) & set(tones))
            tone = min(range(len(TONES)), key=lambda i: (here[i], everywhere[i]))
            marker = (tone + everywhere[tone]) % len(MARKERS)
            tones[name] = tone
            styles[name] = MethodStyle(TONES[tone][0], f"var(--method-{tone})", MARKERS[marker], GLYPHS[marker])
    return styles


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure, rendered when a format is asked for; the same bytes each time.

    name: its file name without ending. alt: what it shows, for those who do not see it. TypeError if that is no text.
    source: what it was made of, in a line under it where it leaves the page. projected: draws the same for a page
    that is wider than high, where that is another figure.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure
    source: str = ""
    projected: Callable[[], Figure] | None = None

    def __post_init__(self) -> None:
        for what in ("title", "caption", "alt", "source"):
            text = getattr(self, what)
            if not isinstance(text, str):
                raise TypeError(f"its {what} is {text!r}; it must be a text: what a drawing returns says what it shows")
            object.__setattr__(self, what, _writable(text))

    @functools.cached_property
    def svg(self) -> bytes:
        """As SVG: no date, no random ids."""
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        # The canvases themselves, since Figure.savefig draws everything twice.
        svg = self._printed(FigureCanvasSVG(self.figure).print_svg, {"Date": None, "Creator": None})
        return _rounded(_writable(svg.decode())).encode()

    @functools.cached_property
    def png(self) -> bytes:
        """As PNG, 192 dots per inch, twice what a screen shows: under its title and above its source, since it is sent
        to people without the page.
        """
        from PIL import Image

        self._placed()
        title = "\n".join(textwrap.wrap(self.title, int(self.figure.get_figwidth() * 8.2)))
        source = "\n".join(textwrap.wrap(self.source, int(self.figure.get_figwidth() * 15.5)))
        parts = [self._band(title, 13, INK, "bold"), _pixels(self.figure), self._band(source, 8, MUTED, "normal")]
        sheet = np.vstack([part for part in parts if part is not None])
        file = io.BytesIO()
        Image.fromarray(sheet[..., :3]).save(file, "PNG", dpi=(DPI, DPI))
        return file.getvalue()

    def _band(self, text: str, size: float, colour: str, weight: str) -> npt.NDArray[np.uint8] | None:
        """Lines of text on a strip as wide as the figure; None for none."""
        from matplotlib.figure import Figure

        if not text:
            return None
        high = (1.35 * size * (1 + text.count("\n")) + 10) / 72
        with styled():
            band = Figure(figsize=(self.figure.get_figwidth(), high))
            band.text(0.12 / band.get_figwidth(), 0.5, text, va="center", size=size, color=colour, weight=weight)
            return _pixels(band)

    @functools.cached_property
    def pdf(self) -> bytes:
        """As PDF, letters as outlines of their font."""
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        self._placed()
        self.figure.set_dpi(72)
        with _slim_fonts():
            return self._printed(
                FigureCanvasPdf(self.figure).print_pdf, {"CreationDate": None, "Creator": None, "Producer": None}
            )

    def _placed(self) -> None:
        """Keep everything where the first drawing placed it; finding it again takes as long as drawing."""
        self.svg  # noqa: B018
        self.figure.set_layout_engine("none")

    def _printed(self, write: Callable[..., None], metadata: Mapping[str, None]) -> bytes:
        file = io.BytesIO()
        with styled(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of letters that the font lacks; the page has other fonts
            write(file, metadata=metadata)
        return file.getvalue()


_PLACES = re.compile(r'(?<= )(?:d|x|y|points)="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")


def _rounded(svg: str) -> str:
    """The drawing with its places to a hundredth of a point, which nobody sees: a third fewer bytes."""
    return _PLACES.sub(lambda places: _LONG.sub(r"\1", places[0]), svg)


def _pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    """The figure drawn, (height, width, 4)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    with styled(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # as of all formats: of letters that the font lacks
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba()).copy()  # type: ignore[no-untyped-call]


def _writable(text: str) -> str:
    """The text without what no XML file can hold: control characters, halves of characters."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def _slim_fonts() -> Iterator[None]:
    """Files made inside embed fonts without the tables that set text, which a PDF's letters, placed one by one, have no
    use for. To cut those down to the letters of a figure took two thirds of the time of its file.

    Matplotlib gives fontTools no such option, so its default is changed, and taken back.
    """
    from fontTools.subset import Options

    before = Options._drop_tables_default
    Options._drop_tables_default = [*before, "GDEF", "GPOS", "GSUB"]
    try:
        yield
    finally:
        Options._drop_tables_default = before


@contextmanager
def styled() -> Iterator[None]:
    """The context in which figures are drawn and saved: this look and nobody else's, whatever a suite's files set on
    import or a ``matplotlibrc`` says, so that it does not depend on the process that draws.
    """
    from matplotlib import rc_context, rcdefaults, rcParams

    with rc_context():
        rcdefaults()
        rcParams.update(RC)
        yield


def css_variables() -> Mapping[str, tuple[str, str]]:
    """Every colour of the figures: CSS variable, then its light and its dark tone."""
    inks = {f"--{name}": tones for name, tones in INKS.items()}
    return inks | {f"--method-{i}": tones for i, tones in enumerate(TONES)}


def verdict_variables() -> Mapping[str, tuple[str, str]]:
    """Every verdict's colour as a CSS variable: its light and its dark tone."""
    return {f"--{verdict.replace('_', '-')}": tones for verdict, tones in VERDICT_TONES.items()}


def _thinned(root: ElementTree.Element) -> None:
    """Take out what Matplotlib writes and nothing uses: ids that no part refers to, groups that say nothing."""
    used = {name for element in root.iter() for value in element.attrib.values() for name in _REFERRED.findall(value)}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
    for parent in reversed(list(root.iter())):
        children: list[ElementTree.Element] = []
        for child in parent:
            children += list(child) if child.tag == f"{{{_SVG}}}g" and not child.attrib else [child]
        parent[:] = children


_REFERRED = re.compile(r"#([\w-]+)")
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_IMAGE, _CARRIED = f"{{{_SVG}}}image", "data:image/png;base64,"
# What Matplotlib draws with. Nothing that runs, loads or leads anywhere is among it.
_DRAWN = {"svg", "g", "defs", "path", "use", "clipPath", "rect", "circle", "text", "tspan", "title", "desc"}
_DRAWN |= {"linearGradient", "radialGradient", "stop", "pattern", "symbol", "line", "polyline", "polygon", "ellipse"}


def themed(svg: bytes, alt: str) -> Markup:
    """An SVG file as an element of the page: colours as CSS variables, ids its own, one image to a screen reader.

    Only what draws is taken over, and images that the file carries: nothing that runs, nothing that loads.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(svg)
    prefix = "f" + hashlib.sha256(svg).hexdigest()[:8] + "-"
    variables = {light: f"var({name})" for name, (light, _) in css_variables().items()}
    light = re.compile("|".join(variables))
    for parent in list(root.iter()):
        for child in list(parent):
            carried = child.tag == _IMAGE and child.get(f"{{{_XLINK}}}href", "").startswith(_CARRIED)
            if child.tag.removeprefix(f"{{{_SVG}}}") not in _DRAWN and not carried:
                parent.remove(child)
    for element in root.iter():
        for attribute, value in list(element.attrib.items()):
            if attribute == "href" or attribute.lower().startswith("on"):
                del element.attrib[attribute]
                continue
            if attribute == "id":
                value = prefix + value
            elif attribute == f"{{{_XLINK}}}href":
                value = value if element.tag == _IMAGE else "#" + prefix + value.removeprefix("#")
            else:
                value = value.replace("url(#", f"url(#{prefix}")
                value = light.sub(lambda match: variables[match[0]], value)
            element.set(attribute, value)
    _thinned(root)
    natural = 4 / 3 * float(root.attrib.pop("width", "0").removesuffix("pt"))
    root.attrib.pop("height", None)
    root.set("style", f"--natural:{natural:.0f}px")  # how wide it is where its letters are as large as they were drawn
    root.set("role", "img")
    root.set("aria-label", alt)
    # What is serialised here has been parsed and is escaped again: text of any record stays text.
    return Markup(ElementTree.tostring(root, encoding="unicode"))
