"""The page of a made-up store, opened from its file by Debian's Chromium with the network off."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lecturebench.judging.collect import collect
from lecturebench.judging.evidence import saved_losses
from lecturebench.report.page import write_report
from lecturebench.store import Store
from tests.made_up import benchmarks, load, written_once
from tests.report.filled import ERROR_RATES, filled

__all__ = ["benchmarks", "load", "written_once"]

LOCAL = ("file:", "data:", "blob:")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def page_file(tmp_path_factory, benchmarks, load, written_once) -> Path:
    """The page with figures beside it, one failed run, an open chain and number, stale runs and error rates on it."""
    store = Store(Path(shutil.copytree(written_once, tmp_path_factory.mktemp("page") / "latest")))
    failed = next(record for record in store.read()[0] if record.method == "dropout" and record.role == "judged")
    failed.status, failed.reason, failed.metrics = "timeout", "stopped after its time limit of 1800 s", {}
    store.write(failed, None)
    results = collect(benchmarks, store, losses=saved_losses(store, load))
    return write_report(filled(results), store, load, store.folder, error_rates=ERROR_RATES)


@pytest.fixture(scope="module")
def browser():
    """One Chromium for a file: Playwright's event loop must be gone before other tests start theirs."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, page_file) -> Iterator[Callable[..., object]]:
    """Opens the page: visit("#explore", width=360, theme="dark"). No request and no error may be seen by the end."""
    contexts, seen = [], []

    def opened(
        address: str = "", *, width: int = 1280, height: int = 900, theme: str = "light", file: Path = page_file
    ):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, offline=True, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: seen.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.append(f"error: {error}"))
        page.on("request", lambda request: request.url.startswith(LOCAL) or seen.append(request.url))
        page.goto(f"{file.as_uri()}{address}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert seen == []
