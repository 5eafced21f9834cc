"""The slides in a real browser: walked, projected, guessed at, and asked what another value would have said."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lecturebench import Drawing, Formula, Matrix, Sentence, Slide, Table
from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.report.page import write_report
from lecturebench.store import Store
from tests.report.filled import filled

pytestmark = pytest.mark.browser
TITLE = "Why Neural Network?"
SLIDES = (
    Slide(
        TITLE,
        (
            Sentence("Errors on $n$ test images:"),
            Table(("Method", "Test Error"), (("Ridge", "6.9%"), ("Dropout", "9.4%")), methods=("ridge", "dropout")),
        ),
        about=("error_table/ridge", "error_table/dropout"),
    ),
    Slide(TITLE, (Formula(r"\sum_{i=1}^n (y_i - f(x_i))^2"), Matrix((("1", "2"), ("3", "4")), factor=r"\frac{1}{9}"))),
)


def draw_pixels(figure, rows) -> str:
    figure.add_subplot().imshow([[0.0, 1.0], [1.0, 0.0]])
    return "Four pixels."


@pytest.fixture(scope="module")
def slides_file(tmp_path_factory, benchmarks, load, written_once) -> Path:
    store = Store(Path(shutil.copytree(written_once, tmp_path_factory.mktemp("slides") / "latest")))
    picture = Drawing("picture", "Four pixels", draw_pixels, ("ridge",))
    drawn = {name: replace(benchmark, drawings=(picture,)) for name, benchmark in benchmarks.items()}
    results = filled(collect(drawn, store, losses=saved_losses(store, load)))
    return write_report(replace(results, slides=SLIDES), store, load, store.folder)


@pytest.fixture
def walk(visit, slides_file):
    return lambda address="", **more: visit(address, file=slides_file, **more)


def runs_seen(page) -> int:
    return page.locator(".face.current .strip").first.locator(":scope > .run:not(.waiting)").count()


def test_each_slide_has_its_claims_on_it(walk):
    page = walk()
    assert page.locator(".face").count() == 2
    rows = page.locator("#slide-1 .marked tbody tr.mark")
    assert rows.count() == 2
    assert "6.9%" in rows.nth(0).inner_text()
    assert "reproduced" in rows.nth(0).inner_text()
    assert page.locator("#slide-2 .marks .mark").count() == 2
    assert page.locator("#slide-2 math").count() >= 2


def test_arrow_keys_walk_the_slides_and_the_address_names_them(walk):
    page = walk()
    for key, anchor in (("ArrowRight", "1"), ("ArrowRight", "2"), ("ArrowRight", "2"), ("ArrowLeft", "1")):
        page.keyboard.press(key)
        assert page.evaluate("location.hash") == f"#slide-{anchor}"
    assert page.locator(".index a[aria-current]").get_attribute("data-slide") == "1"


def test_a_projected_slide_drops_its_runs_one_by_one_and_then_says_the_verdict(walk):
    page = walk("#slide-1?project=1")
    assert page.locator("#slide-1").is_visible()
    assert not page.locator("#slide-2").is_visible()
    stamp, words = page.locator("#slide-1 .stamp").first, page.locator("#slide-1 .said").first
    assert runs_seen(page) == 0
    for n in range(1, 6):
        assert not stamp.is_visible()
        page.keyboard.press(" ")
        assert runs_seen(page) == n
    assert stamp.is_visible()
    assert words.is_visible()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash").startswith("#slide-2")
    assert runs_seen(page) == 0
    page.keyboard.press("Escape")
    assert page.locator("#slide-1").is_visible()
    assert "project" not in page.evaluate("location.hash")


def test_leaving_a_projection_shows_the_slide_that_was_projected_last(walk):
    page = walk("#slide-1?project=1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('.stage').classList.contains('presenting')")
    assert page.evaluate("location.hash") == "#slide-2"
    assert abs(page.locator("#slide-2").evaluate("face => face.getBoundingClientRect().top")) < 200


def test_back_and_links_out_of_the_slides_end_full_screen_too(walk):
    page = walk("#slide-1")
    for leave in (page.go_back, lambda: page.evaluate("location.hash = 'explore'")):
        page.keyboard.press("p")
        page.wait_for_function("document.fullscreenElement !== null")
        leave()
        page.wait_for_function("document.fullscreenElement === null")
        assert "project" not in page.evaluate("location.hash")
        page.evaluate("location.hash = 'slide-1'")


def test_leaving_full_screen_shows_the_slide_that_was_projected_last(walk):
    page = walk("#slide-1")
    page.keyboard.press("p")
    page.wait_for_function("document.fullscreenElement !== null")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("p")
    page.wait_for_function("document.fullscreenElement === null")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert abs(page.locator("#slide-2").evaluate("face => face.getBoundingClientRect().top")) < 200


def test_a_slider_in_focus_leaves_the_stage_its_keys(walk):
    page = walk("#slide-1?project=1")
    page.keyboard.press("g")
    page.locator("#slide-1 .guess-line input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash").startswith("#slide-1")
    page.keyboard.press(" ")
    assert runs_seen(page) == 1
    page.keyboard.press("Escape")
    assert "project" not in page.evaluate("location.hash")


@pytest.mark.parametrize("height", [300, 900])
def test_arrows_walk_on_in_low_windows_too(walk, height):
    page = walk("#slide-1", height=height)
    for key, number in (("ArrowRight", "2"), ("ArrowLeft", "1")):
        page.keyboard.press(key)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("location.hash") == f"#slide-{number}"
        assert page.locator(".index a[aria-current]").get_attribute("data-slide") == number


def test_a_click_drops_a_run_too(walk):
    page = walk("#slide-1?project=1")
    page.locator("#slide-1 h2").click()
    assert runs_seen(page) == 1


def test_a_guess_stays_beside_the_runs_and_is_there_the_next_time(walk):
    page = walk("#slide-1?project=1")
    page.keyboard.press("g")
    slider = page.locator("#slide-1 .guess-line input").first
    assert slider.is_visible()
    places = "item => { const { left, width } = item.getBoundingClientRect(); return [left, width]; }"
    strip, line = (page.locator(f"#slide-1 {name}").first.evaluate(places) for name in (".strip", ".guess-line"))
    assert strip == line, "the thumb stands under its value"
    slider.fill("20")
    said = page.locator("#slide-1 .guess-line output").first.inner_text()
    assert said.endswith("%")
    for _ in range(5):
        page.locator("#slide-1 h2").click()
    dot = page.locator("#slide-1 .guess").first
    assert dot.is_visible()
    assert dot.evaluate("item => item.style.left") == "20%"
    page.reload()
    assert page.locator("#slide-1 .guess-line output").first.text_content() == said


def test_an_order_of_several_is_guessed_by_arranging_it(walk):
    page = walk("#slide-1?project=1")
    page.keyboard.press("g")
    mark = page.locator("#slide-1 .mark[data-order]")
    titles = mark.locator(".guess-order bdi")
    before = titles.all_inner_texts()
    assert before == sorted(before)
    assert not mark.locator(".pair > span").first.is_visible(), "a sign would tell"
    colour = "item => getComputedStyle(item).color"
    assert mark.locator(".pair").first.evaluate(colour) == mark.locator(".label").evaluate(colour), (
        "and so would a colour"
    )
    mark.get_by_role("button", name=f"Move {before[2]} up").press("Enter")
    page.locator(".guess-order bdi").first.click()
    first = mark.get_by_role("button", name=f"Move {before[0]} up")
    for key in ("Enter", "Enter"):
        first.press(key)
    assert runs_seen(page) == 0, "neither a click on the list nor a key too many drops a run"
    assert not mark.locator(".stamp").is_visible()
    guessed = [before[0], before[2], before[1], *before[3:]]
    assert titles.all_inner_texts() == guessed
    assert not mark.locator(".guess-said").is_visible()
    for _ in range(5):
        page.locator("#slide-1 h2").click()
    measured = mark.evaluate("mark => JSON.parse(mark.dataset.order)")
    assert sorted(measured) == before
    assert not titles.first.is_visible()
    said = f"Guessed: {' < '.join(guessed)}. Measured: {' < '.join(measured)}."
    assert mark.locator(".guess-said").inner_text() == said
    page.reload()
    assert titles.all_text_contents() == guessed


def test_another_value_of_a_choice_says_what_the_claim_would_have_said(walk):
    page = walk("#slide-1")
    page.locator(".what-if summary").first.click()
    box = page.locator(".what-if").first
    rows = box.locator("tbody tr")
    assert rows.count() == 3
    for i in range(3):
        box.locator("input").fill(str(i))
        assert box.locator("output").inner_text().startswith(rows.nth(i).get_attribute("data-value"))
        assert page.locator("#slide-1 .other .run").count() == 3


def test_without_scripts_the_slides_stand_one_under_the_other(browser, slides_file):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(slides_file.as_uri())
    tops = [page.locator(".face").nth(i).bounding_box()["y"] for i in range(2)]
    shown = page.locator("#slide-1 .stamp").first.is_visible()
    context.close()
    assert tops[0] < tops[1]
    assert shown


def test_an_index_of_many_slides_is_scrolled_inside_a_telephone(walk):
    page = walk(width=360)
    page.evaluate(
        "const list = document.querySelector('.index ol');"
        "for (let i = 0; i < 30; i += 1) list.append(list.firstElementChild.cloneNode(true));"
    )
    assert page.locator(".index ol").evaluate("list => list.scrollWidth") > 1000
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.querySelector('.behind').scrollIntoView()")
    assert 0 <= page.locator(".index").evaluate("index => index.getBoundingClientRect().top") < 5, "it stays in view"


def test_every_image_of_the_page_loads(walk):
    page = walk()
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    page.wait_for_load_state()
    assert page.evaluate("[...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)") == []
    in_drawings = page.evaluate(
        """() => Promise.all([...document.querySelectorAll("svg image")].map(async (drawn) => {
            const image = new Image();
            image.src = drawn.href.baseVal;
            await image.decode();
            return [image.naturalWidth, Math.round(drawn.getBoundingClientRect().width)];
        }))"""
    )
    assert in_drawings
    assert all(pixels > 0 and width > 0 for pixels, width in in_drawings)


@pytest.mark.parametrize("address", ["#slide-1", "#slide-1?project=1", "#slide-2?project=1"])
@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light"), (1920, "dark")])
def test_axe_finds_no_violation_on_slides(walk, address, width, theme, tmp_path_factory):
    from axe_playwright_python.sync_playwright import Axe

    page = walk(address, width=width, theme=theme)
    page.evaluate("document.querySelectorAll('.stage details').forEach((item) => { item.open = true; })")
    audit = Axe().run(page, context=[".stage"])
    assert audit.violations_count == 0, audit.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    name = f"slides-{address.strip('#').replace('?', '-')}-{width}.png"
    page.screenshot(path=tmp_path_factory.getbasetemp() / name)
