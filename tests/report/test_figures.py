"""Figures: the same bytes for the same runs, one look per method, and what they say in words."""

from __future__ import annotations

import base64
import functools
import io
import re
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fontTools.subset import Options
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from lecturebench.metrics import named
from lecturebench.report import figures
from lecturebench.report.audit import Step
from lecturebench.report.figures import Grid
from lecturebench.report.series import Band, Point
from lecturebench.report.style import DPI, INK, TONES, Picture, method_styles, styled, themed

STYLES = method_styles(["ridge", "dropout", "lda"])
HOSTILE = "<script>alert('x')</script> & \"q\" $x^2$ \x07 \u202e"


def point(title: str = "Ridge", printed: str = "2.3%", low: float = 0.019, high: float = 0.024) -> Point:
    return Point(title, STYLES["ridge"], [0.020, 0.022, 0.021], 0.023, printed, 0.001, low, high)


@functools.cache
def drawn(title: str = "Ridge") -> list[Picture]:
    """One picture of each kind."""
    runs = [[(epoch, 1 / epoch + seed / 100) for epoch in range(1, 6)] for seed in range(3)]
    band = Band(title, STYLES["ridge"], {"train_loss": runs, "validation_loss": runs})
    steps = [Step(value, [0.03, 0.031], [0.022, 0.024]) for value in (0, 1e-4, 1e-3)]
    with styled():
        curves = figures.curves("curves", [band], "loss")
        assert curves is not None
        return [
            figures.errors("errors", [point(title), Point("Other", STYLES["lda"], [0.127])], named("error")),
            curves,
            figures.choice_path("path", title, Grid(steps, 1e-4, point(title)), named("error")),
            figures.confusion("confusion", title, np.array([[9.0, 1.5], [0.0, 8.0]]), [title, "b"]),
        ]


def texts(svg: bytes) -> list[str]:
    return [
        "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")
    ]


def test_figures_drawn_twice_have_the_same_bytes() -> None:
    for first, second in zip(drawn(), drawn.__wrapped__(), strict=True):
        assert (first.svg, first.png) == (second.svg, second.png), first.name


def test_figures_are_large_enough_to_project() -> None:
    for item in drawn():
        assert Image.open(io.BytesIO(item.png)).width >= 1000


def test_figures_carry_no_date_and_load_nothing() -> None:
    for item in drawn():
        assert not re.search(rb"<dc:date>|<image|href=\"(?!#)|url\((?!#)", item.svg), item.name


def test_hostile_titles_stay_text_in_every_figure() -> None:
    for item in drawn(HOSTILE):
        inline = str(themed(item.svg, item.alt))
        assert "<script" not in inline
        assert "\x07" not in "".join(texts(item.svg))
        assert any("<script>" in text for text in texts(item.svg)), item.name


def test_published_value_and_its_interval_are_marked() -> None:
    with styled():
        marked = figures.errors("errors", [point()], named("error"))
        unmarked = figures.errors("errors", [Point("Ridge", STYLES["ridge"], [0.02])], named("error"))
    assert "published" in texts(marked.svg)
    assert any("published 2.3%" in text for text in texts(marked.svg))
    assert INK in marked.svg.decode()
    assert "published 2.3%" in marked.alt
    assert not any("published" in text for text in texts(unmarked.svg))


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("values", [[0.0, 0.0], [0.5], [float("nan")], [0.01, 0.9]])
def test_errors_of_any_size_can_be_drawn(values: Sequence[float], rows: int) -> None:
    with styled():
        assert figures.errors("errors", [Point("A", STYLES["lda"], values)] * rows, named("error")).svg


def test_a_row_that_guesses_stands_at_the_edge_and_squeezes_no_other() -> None:
    rows = [Point(name, STYLES["lda"], [error]) for name, error in (("a", 0.1), ("b", 0.12), ("c", 0.13), ("d", 0.5))]
    assert figures.far_behind(rows, lower_is_better=True) == [rows[3]]
    assert figures.far_behind(rows[:3], lower_is_better=True) == []
    scores = [Point(point.title, point.style, [1 - point.values[0]]) for point in rows]
    assert figures.far_behind(scores, lower_is_better=False) == [scores[3]]
    assert figures.far_behind([*rows, Point("e", STYLES["lda"], [0.6])], lower_is_better=True) == []
    claimed = [*rows[:3], Point("d", STYLES["lda"], [0.5], published=0.5, printed="50%")]
    assert figures.far_behind(claimed, lower_is_better=True) == []
    # Where runs of the others reach as far, the row is one of them, however near each other their means are.
    scattered = [
        Point(name, STYLES["lda"], [mean - 0.05, mean + 0.05])
        for name, mean in zip("abc", (1.0, 1.01, 1.02), strict=True)
    ]
    assert figures.far_behind([*scattered, Point("d", STYLES["lda"], [1.11])], lower_is_better=True) == []
    with styled():
        item = figures.errors("errors", rows, named("error"))
    [axes] = item.figure.axes
    assert axes.get_xlim()[1] < 0.2
    assert "An arrow is a row off the scale." in item.caption
    assert any("50.00%" in text for text in texts(item.svg)), "its number is there"
    assert "table alone" not in item.caption
    assert "2 more rows stand in the table alone." in figures.errors("errors", rows, named("error"), 2).caption


def test_many_rows_stand_in_two_columns_on_one_scale_where_they_are_projected() -> None:
    rows = [Point(f"row {i}", STYLES["lda"], [0.1 + 0.01 * i]) for i in range(7)]
    with styled():
        assert figures.errors("errors", rows[:6], named("error")).projected is None
        item = figures.errors("errors", rows, named("error"))
        assert item.projected is not None
        projected = item.projected()
    left, right = projected.axes
    assert left.get_xlim() == right.get_xlim()
    titles = [[text.get_text() for text in axes.texts if text.get_text().startswith("row")] for axes in (left, right)]
    assert titles == [[f"row {i}" for i in range(4)], [f"row {i}" for i in range(4, 7)]]


def test_choices_share_a_figure_with_a_panel_for_each_row() -> None:
    steps = [Step(value, [0.03, 0.031], [0.022, 0.024]) for value in (1e-4, 1e-3, 1e-2)]
    chose = (("A", "C", 1e-4), ("B", "k", 1e-3), ("C", "learning_rate", 1e-3), ("D", "C", 1e-3))
    grids = [(parameter, Grid(steps, chosen, point(name))) for name, parameter, chosen in chose]
    with styled():
        item = figures.choice_paths("paths", grids, named("error"))
    drawn_in = [axes for axes in item.figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in drawn_in] == ["A", "B", "C", "D"]
    assert [axes.get_xlabel() for axes in drawn_in] == ["C", "k", "learning rate", "C"]
    assert "beyond which a better one may lie: A." in item.caption
    assert "Chosen: A C 1e-4; B k 0.001; C learning rate 0.001; D C 0.001." in item.alt
    assert "a run failed" not in texts(item.svg)
    assert "A: the published 2.3% lies within the runs at C" in item.caption
    assert "the others are held" not in item.caption
    broken = Grid([*steps, Step(0.1, [], [], failed=True)], 1e-3, point("E"), {"rate": 0.5})
    with styled():
        item = figures.choice_paths("paths", [*grids, ("C", broken)], named("error"))
    assert "a run failed" in texts(item.svg)
    assert "the others are held at their chosen values" in item.caption


def test_an_image_has_its_title_above_and_its_source_below() -> None:
    with styled():
        bare = figures.errors("errors", [point()], named("error"))
        sourced = replace(bare, source="lecturebench · bench_error_table.py on mnist")
        heights = [Image.open(io.BytesIO(item.png)).height for item in (bare, sourced)]
        drawing = int(bare.figure.get_figheight() * DPI)
    assert drawing < heights[0] < heights[1]


def test_curves_without_a_recorded_epoch_are_no_figure() -> None:
    with styled():
        assert figures.curves("curves", [Band("A", STYLES["lda"], {"train_loss": [[]]})], "loss") is None


def test_curves_of_unequal_length_are_compared_where_all_have_values() -> None:
    runs = [[(1.0, 0.5), (2.0, 0.4), (3.0, 0.3)], [(1.0, 0.7), (2.0, 0.2)]]
    with styled():
        item = figures.curves("curves", [Band("A", STYLES["lda"], {"validation_error": runs})], "error")
    assert item is not None
    assert "A ends at 30.00%" in item.alt


def test_path_says_where_the_published_number_comes_out_and_draws_other_metrics_than_error() -> None:
    steps = [Step(1e-4, [], [0.021, 0.0226]), Step(1e-3, [], [0.0235, 0.026])]
    item = figures.choice_path("path", "penalty", Grid(steps, 1e-4, point()), named("error"))
    assert "The published 2.3% lies within the runs at penalty 1e-4 to 0.001; chosen was 1e-4." in item.caption
    salaries = [Step(1.0, [250.0], [251.2, 260.0]), Step(10.0, [255.0], [270.0, 280.0])]
    item = figures.choice_path("path", "penalty", Grid(salaries, 1.0, Point("A", STYLES["lda"], [255.0])), named("mae"))
    assert "mean absolute error against penalty" in item.title
    assert "%" not in "".join(texts(item.svg))


@pytest.mark.parametrize(("chosen", "said"), [(1e-5, True), (1e-4, False), (1e-3, True), (None, False)])
def test_path_says_if_the_chosen_value_is_an_end_of_the_grid(chosen: float | None, said: bool) -> None:
    steps = [Step(value, [0.03, 0.031], [0.022, 0.024]) for value in (1e-5, 1e-4, 1e-3)]
    item = figures.choice_path("path", "learning_rate", Grid(steps, chosen, point()), named("error"))
    assert ("an end of the grid" in item.caption) == said
    assert "error against learning rate" in item.title


def test_path_says_at_which_values_of_the_other_parameters_it_is() -> None:
    steps = [Step(value, [0.03, 0.031], [0.022, 0.024]) for value in (1, 3, 5)]
    item = figures.choice_path(
        "path", "units", Grid(steps, 3, point(), {"learning_rate": 0.01, "rate": 0.5}), named("error")
    )
    assert "All at learning rate 0.01 and rate 0.5. The published" in item.caption
    assert "All at" not in figures.choice_path("path", "units", Grid(steps, 3, point()), named("error")).caption


def test_path_goes_on_to_values_at_which_a_run_failed() -> None:
    steps = [Step(0.1, [0.03], [0.02]), Step(1.0, [], [], failed=True)]
    item = figures.choice_path("path", "rate", Grid(steps, 0.1, point()), named("error"))
    assert b"a run failed" in item.svg
    [axes] = item.figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "1"]


def test_confusions_are_told_in_words() -> None:
    *_, item = drawn()
    assert item.alt == "Confusions of Ridge: most often Ridge taken for b (1.5)."


def test_styles_depend_on_the_declared_methods_alone() -> None:
    again = method_styles(["ridge", "dropout", "lda", "dummy"])
    assert all(again[name] == STYLES[name] for name in STYLES)


def test_many_methods_never_look_the_same() -> None:
    styles = method_styles(f"m{i}" for i in range(3 * len(TONES)))
    assert len({(style.colour, style.marker) for style in styles.values()}) == len(styles)


@given(st.lists(st.lists(st.integers(0, 30).map(str), min_size=1, max_size=len(TONES), unique=True), max_size=6))
def test_new_methods_of_a_benchmark_have_colours_that_no_other_of_it_has(groups: list[list[str]]) -> None:
    styles = method_styles(*groups)
    known: set[str] = set()
    for group in groups:
        colours = [styles[name].colour for name in group]
        assert all(colours.count(styles[name].colour) == 1 for name in set(group) - known)
        known |= set(group)
    looks = [(style.colour, style.marker) for style in styles.values()]
    assert len(set(looks)) == len(looks)


def test_a_method_of_two_benchmarks_looks_the_same_in_both() -> None:
    styles = method_styles(["ridge", "dropout"], ["adam", "dropout", "sgd"])
    assert styles["dropout"] == STYLES["dropout"]
    assert len({style.colour for style in styles.values()}) == 4


def test_neighbouring_colours_stand_out_from_both_grounds() -> None:
    for light, dark in TONES:
        assert contrast(light, "#ffffff") >= 3
        assert contrast(dark, "#1a1d22") >= 3


def contrast(a: str, b: str) -> float:
    """WCAG's contrast of two colours."""

    def luminance(colour: str) -> float:
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_inlined_figures_follow_the_theme_and_share_no_ids() -> None:
    items = drawn()
    inlined = [str(themed(item.svg, item.alt)) for item in items]
    ids = [re.findall(r'\bid="([^"]+)"', svg) for svg in inlined]
    assert not set.intersection(*map(set, ids))
    for item, svg in zip(items, inlined, strict=True):
        assert "var(--" in svg, item.name
        assert not re.search(r'style="[^"]*#[0-9a-f]{6}', svg), item.name


def test_images_of_a_drawing_are_on_the_page_and_no_others() -> None:
    figure = Figure(figsize=(2, 2))
    figure.add_subplot().imshow([[0.0, 1.0], [1.0, 0.0]])
    with styled():
        svg = Picture("a", "a", "", "a", figure).svg
    [address] = re.findall(r'xlink:href="(data:[^"]*)"', str(themed(svg, "a")))
    assert Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).size[0] >= 2
    for other in (b"https://example.org/a.png", b"data:image/svg+xml;base64,PHN2Zy8+", b"javascript:alert(1)"):
        replaced = svg.replace(b"data:image/png;base64,", other + b"?")
        assert "<image" not in str(themed(replaced, "a"))


def test_alt_texts_cannot_leave_their_attribute() -> None:
    svg = themed(drawn()[0].svg, '"><script>')
    assert "<script" not in svg


def test_fonts_of_a_pdf_have_its_letters_and_no_tables_that_set_text() -> None:
    before = list(Options()._drop_tables_default)
    pdf = drawn()[0].pdf
    begins = [match.end() for match in re.finditer(rb">>\s*stream\r?\n", pdf)]
    contents = [zlib.decompressobj().decompress(pdf[begin:]) for begin in begins]
    fonts = [TTFont(io.BytesIO(content)) for content in contents if content.startswith(b"\x00\x01\x00\x00")]
    assert fonts
    for font in fonts:
        assert not {"GSUB", "GPOS", "GDEF"} & set(font.keys())
        assert any(font["glyf"][name].numberOfContours for name in font.getGlyphOrder())
    assert Options()._drop_tables_default == before
