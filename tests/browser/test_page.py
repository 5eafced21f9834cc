"""The page in a real browser: what people click, type and print."""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.report.page import write_report
from lecturebench.store import Store

pytestmark = pytest.mark.browser
WIDTHS = (360, 1280, 1920)
THEMES = ("light", "dark")


def cells(page, column):
    """The texts of one column of the table of all rows."""
    heads = page.locator("#explore-table thead th").all_inner_texts()
    place = next(i for i, head in enumerate(heads) if head.strip().startswith(column))
    rows = page.locator("#explore-table tbody tr")
    return [rows.nth(i).locator("th, td").nth(place).inner_text().strip() for i in range(rows.count())]


def test_page_is_readable_within_two_seconds(visit, page_file):
    page = visit()
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    assert timing["domContentLoadedEventEnd"] < 2000
    assert page_file.stat().st_size < 8 * 2**20


def test_rows_are_sorted_by_a_click_on_their_heading(visit):
    page = visit("#explore")
    page.get_by_role("button", name="Test error").click()
    errors = [float(text.rstrip("%")) for text in cells(page, "Test error")]
    assert errors == sorted(errors)
    page.get_by_role("button", name="Test error").click()
    again = [float(text.rstrip("%")) for text in cells(page, "Test error")]
    assert again == sorted(errors, reverse=True)
    assert page.locator("#explore-table th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_view_is_in_the_address_and_comes_back_with_it(visit):
    page = visit("#explore")
    page.get_by_role("searchbox").fill("linear")
    page.wait_for_function("location.hash.includes('linear')")
    shown = cells(page, "Method")
    assert shown
    assert all("Linear" in name for name in shown)
    again = visit(page.evaluate("location.hash"))
    assert cells(again, "Method") == shown
    assert again.get_by_role("searchbox").input_value() == "linear"


def test_filter_by_verdict_leaves_rows_with_that_verdict(visit):
    page = visit("#explore")
    everything = len(cells(page, "Method"))
    page.locator("#control-verdict").select_option("worse")
    shown = cells(page, "Verdict")
    assert 0 < len(shown) < everything
    assert all("worse" in text for text in shown)


def test_rows_that_are_shown_can_be_downloaded(visit):
    page = visit("#explore")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(cells(page, "Method"))


def test_verdict_leads_to_its_evidence_and_opens_it(visit):
    page = visit()
    page.locator("a.stamp", has_text="reproduced").first.click()
    claim = page.locator("details.claim[open]")
    assert claim.count() == 1
    assert claim.locator(".reason").is_visible()
    assert "one more run would land between" in claim.locator(".reason").inner_text()
    assert "lies in [" in claim.locator(".rule").inner_text()
    assert claim.locator("math").first.is_visible()
    assert "pytest benchmarks/bench_error_table.py" in claim.inner_text()


def test_address_of_a_claim_opens_it(visit):
    first = visit()
    anchor = first.locator("details.claim").first.get_attribute("id")
    page = visit(f"#{anchor}")
    claim = page.locator(f"[id='{anchor}'][open]")
    assert claim.count() == 1
    page.wait_for_timeout(300)
    assert 0 <= claim.evaluate("item => item.getBoundingClientRect().top") < 200, "in view"


def test_curves_switch_between_epoch_and_seconds(visit):
    page = visit("#explore")
    chart = page.locator("#explore-curves svg[role=img]").first
    chart.wait_for()
    assert "epoch" in page.locator("#explore-curves").inner_text()
    before = chart.inner_html()
    page.locator("#explore-curves input[value=seconds]").check()
    page.wait_for_function(
        "before => document.querySelector('#explore-curves svg[role=img]').innerHTML !== before", arg=before
    )
    assert "seconds" in page.evaluate("location.hash")


def test_cell_of_a_confusion_matrix_shows_those_images(visit):
    page = visit("#predictions")
    cell = page.locator("#confusion-matrices button.cell").first
    label = cell.get_attribute("aria-label")
    true, taken = re.match(r"(.*) taken for (.*?):", label).groups()
    cell.click()
    shown = page.locator("#mistakes li")
    assert shown.count() > 0
    for text in shown.locator("> span:nth-of-type(2)").all_inner_texts():
        assert re.sub(r"\s+", " ", text).strip().endswith(taken)
    assert page.locator("#control-true option:checked").inner_text() == true


def test_difference_of_two_methods_is_shown_when_one_is_chosen(visit):
    page = visit("#predictions")
    assert page.locator("#confusion-matrices figure").count() == 1
    page.locator("#control-against").select_option(index=3)
    assert page.locator("#confusion-matrices figure").count() == 3


def test_pairs_of_methods_are_told_in_words(visit):
    page = visit("#compare")
    page.locator("#compare-table .words summary").first.click()
    assert "errs more often than" in page.locator("#compare-table .words").first.inner_text()
    everything = page.locator("#compare-table .words").count()
    page.locator("#control-pair").select_option(index=1)
    assert 0 < page.locator("#compare-table .words").count() < everything


@pytest.fixture(scope="module")
def three_datasets_file(tmp_path_factory, benchmarks, load, written_once):
    """The page of the same runs on three datasets; two of them cannot be loaded, which ranks do without."""
    store = Store(Path(shutil.copytree(written_once, tmp_path_factory.mktemp("ranks") / "latest")))
    for record in store.read()[0]:
        for name in ("fashion_mnist", "cifar10"):
            about = record.dataset | {"name": name}
            store.write(replace(record, key=name + record.key[len(name) :], dataset=about), None)
    return write_report(collect(benchmarks, store, losses=saved_losses(store, load)), store, load, store.folder)


@pytest.mark.parametrize("width", WIDTHS)
def test_average_ranks_over_datasets_are_drawn_with_every_name_in_the_picture(visit, three_datasets_file, width):
    page = visit("#compare", width=width, file=three_datasets_file)
    picture = page.locator("#compare-ranks svg[role=img]")
    picture.wait_for()
    assert picture.get_attribute("aria-label").startswith("Neural network + dropout 1.00, Neural network + ridge 2.00")
    assert "has the best average rank" in page.locator("#compare-ranks").inner_text()
    ends = "item => { const box = item.getBoundingClientRect(); return [box.left, box.right]; }"
    left, right = picture.evaluate(ends)
    for text in picture.locator("text").all():
        start, end = text.evaluate(ends)
        assert left - 1 <= start <= end <= right + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", THEMES)
def test_theme_follows_the_system_and_the_button_turns_it(visit, theme):
    page = visit(theme=theme)

    def ground():
        red, *_ = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
        return "dark" if int(red) < 128 else "light"

    assert ground() == theme
    page.locator("#theme").click()
    assert ground() != theme


def test_page_is_walked_by_keyboard(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        element = "document.activeElement"
        reached.add(page.evaluate(f"{element}.id || {element}.closest('[id]')?.id"))
        box = page.evaluate(f"(() => {{ const b = {element}.getBoundingClientRect(); return [b.width, b.height]; }})()")
        assert min(box) > 0
    assert {"explore-table", "control-method"} & reached
    summary = page.locator("details.claim summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.claim[open]").count() == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_no_violation_and_nothing_is_wider_than_the_screen(visit, width, theme, tmp_path_factory):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(width=width, theme=theme)
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    page.locator("#explore-curves svg[role=img]").first.wait_for()
    audit = Axe().run(page)
    assert audit.violations_count == 0, audit.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=tmp_path_factory.getbasetemp() / f"page-{width}-{theme}.png", full_page=True)


def test_each_benchmark_is_printed_on_a_page_of_its_own_and_evidence_where_it_is_open(visit):
    page = visit()
    few = page.pdf().count(b"/Type /Page\n")
    page.get_by_role("button", name="Open all evidence").click()
    assert page.locator("details:not([open])").count() == 0
    many = page.pdf().count(b"/Type /Page\n")
    assert 0 < few < many
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('section.benchmark')).breakBefore") == "page"
    assert not page.locator("#explore").is_visible()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Open all evidence").click()
    assert page.locator("details[open]").count() == 0


def test_back_undoes_a_filter_and_a_word_that_was_typed(visit):
    page = visit("#explore")
    everything = cells(page, "Method")
    page.locator("#control-verdict").select_option("worse")
    chosen = cells(page, "Method")
    page.get_by_role("searchbox").press_sequentially("linear", delay=150)
    page.wait_for_function("location.hash.includes('linear')")
    page.go_back()
    assert cells(page, "Method") == chosen
    assert page.get_by_role("searchbox").input_value() == "", "though the letters are still being edited"
    page.go_back()
    assert cells(page, "Method") == everything
    assert page.locator("#control-verdict").input_value() == ""


def test_what_changes_nothing_is_no_step_of_the_history(visit):
    page = visit()
    before = page.evaluate("history.length")
    page.evaluate("lecturebench.state.set({ sort: null })")
    assert page.evaluate("history.length") == before


def test_mistakes_of_the_best_method_stand_beside_the_figures_of_its_benchmark(visit):
    page = visit()
    place = page.locator(".mistakes-here")
    assert place.locator("li").count() > 0
    place.get_by_role("link").click()
    assert page.locator("#control-method option:checked").inner_text().split(" (")[0] in place.locator("p").inner_text()
    assert page.locator("#mistakes li").count() >= place.locator("li").count()


def test_a_link_opens_what_its_target_is_folded_into(visit):
    page = visit()
    page.evaluate(
        "const box = document.createElement('details'); const claim = document.querySelector('.claim');"
        "claim.before(box); box.append(claim);"
    )
    anchor = page.locator("details.claim").first.get_attribute("id")
    page.evaluate("name => { location.hash = name; }", f"{anchor}-repeat")
    assert page.locator(f"[id='{anchor}-repeat']").is_visible()


def test_without_scripts_claims_and_numbers_are_there(browser, page_file):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    text, everything = page.inner_text("body"), page.text_content("main")
    context.close()
    assert "effect reproduced" in " ".join(text.split())
    assert "What would decide it" in everything
    assert "stopped after its time limit" in text
    assert "Here scripts would" in text
