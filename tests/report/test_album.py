"""The figures folder: drawn when what a figure is made of changes, and only then; slides with every main figure."""

from __future__ import annotations

import itertools
import json
import os
import re

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from lecturebench.report.album import FORMATS, Album, Plate, _digest, distinct
from lecturebench.report.figures import blank
from lecturebench.report.lecture import faces
from lecturebench.report.sections import benchmarks_of, styles_of
from lecturebench.report.slides import _slide, write_slides
from lecturebench.report.style import Picture, styled


@pytest.fixture
def calls():
    return []


@pytest.fixture
def plate(calls):
    def make(name="errors", made_of="a", draw=None):
        def default():
            calls.append(name)
            figure = blank(3, 2)
            figure.add_subplot().plot([1, 2])
            return Picture(name, f"Title of {name}", "caption", "alt", figure)

        return Plate(name, made_of, draw or default)

    return make


def files(folder):
    return {path.name for path in (folder / "figures").iterdir()}


def test_every_format_is_written_and_nothing_is_drawn_twice(tmp_path, plate, calls):
    first = Album(tmp_path)
    shown = first.shown(plate())
    assert first.finish([plate(), plate("other")]) == (2, 0)
    assert calls == ["errors", "other"]
    assert files(tmp_path) == {f"{name}.{e}" for name in ("errors", "other") for e in FORMATS} | {"manifest.json"}
    again = Album(tmp_path)
    assert again.shown(plate()) == shown
    assert again.finish([plate(), plate("other")]) == (0, 2)
    assert len(calls) == 2


def test_figure_made_of_something_else_is_drawn_anew(tmp_path, plate, calls):
    Album(tmp_path).finish([plate()])
    assert Album(tmp_path).finish([plate(made_of="b")]) == (1, 0)
    assert len(calls) == 2


def test_figure_whose_making_cannot_be_named_is_drawn_anew(tmp_path, plate, calls):
    for _ in range(2):
        assert Album(tmp_path).finish([plate(made_of="")]) == (1, 0)
    assert calls == ["errors", "errors"]
    assert Album(tmp_path).altered() == []


def test_figure_that_was_drawn_while_its_code_changed_is_drawn_anew(tmp_path, plate, calls):
    assert Album(tmp_path).finish([plate()], lambda: False) == (1, 0)
    assert Album(tmp_path).altered() == []
    assert [Album(tmp_path).finish([plate()]) for _ in range(2)] == [(1, 0), (0, 1)]
    assert len(calls) == 2


@pytest.mark.parametrize("ending", FORMATS)
def test_figure_that_lost_a_file_is_drawn_anew(tmp_path, plate, ending):
    Album(tmp_path).finish([plate()])
    (tmp_path / "figures" / f"errors.{ending}").unlink()
    assert Album(tmp_path).finish([plate()]) == (1, 0)


SCRIPTED = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><g onload="alert(1)"/></svg>'


def forge(folder, name="errors", **files):
    """Put other content into a figure's files, with a digest that fits."""
    for ending, content in files.items():
        (folder / "figures" / f"{name}.{ending}").write_bytes(content)
    manifest = json.loads((folder / "figures" / "manifest.json").read_text())
    contents = {ending: (folder / "figures" / f"{name}.{ending}").read_bytes() for ending in FORMATS}
    manifest[name]["digest"] = _digest(manifest[name], contents)
    (folder / "figures" / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("ending", FORMATS)
def test_figure_that_is_not_as_it_was_drawn_is_named_and_drawn_anew(tmp_path, plate, ending):
    Album(tmp_path).finish([plate(), plate("other")])
    assert Album(tmp_path).altered() == []
    path = tmp_path / "figures" / f"errors.{ending}"
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert Album(tmp_path).altered() == ["errors"]
    for other in (SCRIPTED, content[: len(content) // 2], b""):
        path.write_bytes(other)
        assert b"script" not in Album(tmp_path).shown(plate()).svg
        assert Album(tmp_path).altered() == ["errors"]
    assert Album(tmp_path).finish([plate(), plate("other")]) == (1, 1)
    assert path.read_bytes() == content
    path.unlink()
    os.mkfifo(path)
    assert Album(tmp_path).altered() == ["errors"]
    assert Album(tmp_path).finish([plate(), plate("other")]) == (1, 1)


def test_any_flipped_bit_of_the_manifest_is_named(tmp_path, plate):
    Album(tmp_path).finish([plate()])
    path = tmp_path / "figures" / "manifest.json"
    content, sound = path.read_bytes(), json.loads(path.read_text())
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 7]) + content[place + 1 :])
        found = Album(tmp_path)
        assert found.altered() or json.loads(path.read_text()) == sound, place


def test_script_of_a_file_whose_digest_was_forged_does_not_get_into_the_page(tmp_path, plate, calls):
    Album(tmp_path).finish([plate()])
    forge(tmp_path, svg=SCRIPTED)
    inline = Album(tmp_path).shown(plate()).inline
    assert len(calls) == 1, "it is taken for the figure, whose digest it has"
    assert "alert" not in inline
    forge(tmp_path, svg=SCRIPTED[:-9])
    assert b"script" not in Album(tmp_path).shown(plate()).svg, "what is no whole drawing is drawn anew"


def test_figures_that_are_no_more_are_deleted_and_other_files_stay(tmp_path, plate):
    Album(tmp_path).finish([plate(), plate("old")])
    (tmp_path / "figures" / "mine.svg").write_text("drawn by hand")
    Album(tmp_path).finish([plate()])
    assert "mine.svg" in files(tmp_path)
    assert not any(name.startswith("old") for name in files(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"errors": 3}',
        '{"../outside": {"basis": "a", "title": "", "caption": "", "alt": "", "digest": ""}}',
        '{"a\\u0000b": {"basis": "a", "title": "", "caption": "", "alt": "", "digest": ""}}',
        pytest.param("[" * 200_000, id="deep"),
        '{"%s": {"basis": "a", "title": "", "caption": "", "alt": "\\ud800", "digest": ""}}' % ("x" * 400),
    ],
)
def test_damaged_manifest_costs_a_drawing_and_nothing_else(tmp_path, plate, text):
    (tmp_path / "figures").mkdir()
    outside = tmp_path / "outside.svg"
    outside.write_text("somebody's")
    (tmp_path / "figures" / "manifest.json").write_text(text)
    assert Album(tmp_path).finish([plate()]) == (1, 0)
    assert outside.read_text() == "somebody's"
    assert set(json.loads((tmp_path / "figures" / "manifest.json").read_text())) == {"errors"}


def test_drawing_with_a_fault_is_a_note_and_is_tried_once(tmp_path, plate):
    tried = []

    def broken():
        tried.append(1)
        raise ZeroDivisionError("no ink")

    figures = Album(tmp_path)
    assert figures.shown(plate(draw=broken)) is None
    assert figures.finish([plate(draw=broken), plate("sound")]) == (1, 0)
    assert figures.notes == ["figure errors could not be drawn: ZeroDivisionError: no ink"]
    assert len(tried) == 1


def test_slides_have_a_cover_the_lectures_slides_and_one_page_per_figure_and_leave_out_what_fails(
    tmp_path, plate, results
):
    def broken():
        raise ZeroDivisionError("no ink")

    def written(name: str, *plates: Plate) -> bytes:
        (tmp_path / name).mkdir()
        shown = faces(results, results.slides)
        pages = write_slides(results, shown, styles_of(benchmarks_of(results)), [("Head", plates)], tmp_path / name)
        assert pages == 1 + len(shown) + 2
        return (tmp_path / name / "slides.pdf").read_bytes()

    content = written("one", plate(), plate("broken", draw=broken), plate("other"))
    sizes = set(re.findall(rb"/MediaBox \[([^]]*)\]", content))
    assert sizes == {b" 0 0 864 486 "}
    assert content == written("two", plate(), plate("other"))
    images = list((tmp_path / "one" / "slides").iterdir())
    assert [path.name for path in images] == ["01.png"]
    with Image.open(images[0]) as image:
        assert image.size == (1200, 630)


def test_slide_keeps_heading_drawing_and_legend_apart():
    with styled():
        figure = blank(5.6, 4.1)
        axes = figure.add_subplot()
        for name in "abcd":
            axes.plot([1, 2], label=name)
        axes.set_xlabel("epoch")
        figure.legend(loc="outside lower left", ncols=1)
        figure.suptitle("of two\nlines")
        slide = _slide(figure, "heading", "title", "caption")
        renderer = FigureCanvasAgg(slide).get_renderer()
        slide.draw(renderer)
    drawing = axes.get_tightbbox(renderer)
    [legend] = slide.legends
    title, suptitle, heading = (next(t for t in slide.texts if t.get_text().startswith(w)) for w in ("ti", "of", "he"))
    boxes = [item.get_window_extent(renderer) for item in (title, suptitle)] + [drawing]
    boxes += [item.get_window_extent(renderer) for item in (legend, heading)]
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))


@pytest.mark.parametrize("title", ["W" * 40, "Support vector machine, words and pairs: accuracy against C"])
def test_title_and_caption_stay_on_their_slide(title):
    with styled():
        figure = blank(5.6, 4.1)
        figure.add_subplot()
        slide = _slide(
            figure, "A heading", title, "Full-batch descent makes one step in each epoch, the others 375. " * 3
        )
        renderer = FigureCanvasAgg(slide).get_renderer()
        slide.draw(renderer)
    assert max(text.get_window_extent(renderer).x1 for text in slide.texts) < slide.bbox.x1


def test_figures_that_would_share_files_have_names_of_their_own(plate):
    given = [plate(name) for name in ("my-data", "my-data", "other", "My-Data", "my-data-2", "my-data-2")]
    named = [each.name for each in distinct(given)]
    assert named == ["my-data", "my-data-2", "other", "My-Data-3", "my-data-2-2", "my-data-2-3"]
    assert [each.draw for each in distinct(given)] == [each.draw for each in given]
