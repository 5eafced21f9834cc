"""The page of a comparison in Debian's Chromium, network off: accessible, no wider than the screen, in both themes."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from lecturebench.judging.compare import compare, read_side
from lecturebench.report.compare_page import write_comparison
from lecturebench.store import Store
from tests.made_up import make_record, write_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def compared_file(tmp_path_factory, benchmarks, load, written_once):
    """A page with every judgement on it, a run that diverged, another machine, and rows of one side alone."""
    folder = tmp_path_factory.mktemp("compared")
    a, b = (Store(shutil.copytree(written_once, folder / name)) for name in ("a", "b"))
    y = load("mnist").test.y
    for seed in range(5):
        write_run(b, 0.12, y, make_record("dropout", seed, environment={"cpu": "Another", "cores": 64}, threads=8))
        write_run(b, 0.072, y, replace(make_record("ridge", seed), status="diverged" if seed == 4 else "ok"))
    write_run(b, 0.3, y, make_record("lda"))
    write_run(a, 0.3, y, make_record("lda", dataset=make_record().dataset | {"name": "digits"}, key="digits"))
    sides = [read_side(store.folder, benchmarks, load) for store in (a, b)]
    return write_comparison(compare(*sides), folder / "out")


@pytest.mark.parametrize("width", [360, 1280, 1920])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_is_wider_than_the_screen(
    visit, compared_file, width, theme, tmp_path_factory
):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(width=width, theme=theme, file=compared_file)
    audit = Axe().run(page)
    assert audit.violations_count == 0, audit.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=tmp_path_factory.getbasetemp() / f"compare-{width}-{theme}.png", full_page=True)


def test_the_theme_follows_the_system_until_it_is_chosen(visit, compared_file):
    page = visit(theme="dark", file=compared_file)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(ground) != dark
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(ground) == dark
