"""A browser without a window, for pages that are tried as people see them."""

import shutil
from contextlib import contextmanager

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def opened(folder):
    """Chromium with an empty profile in a folder; the test is skipped where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="the page is tried in a browser that playwright drives"
    )
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("there is no chromium to try the page in")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            folder,
            executable_path=found,
            args=FLAGS,
            viewport={"width": 1280, "height": 1000},
            accept_downloads=True,
        )
        yield context
        context.close()


def easy_to_use(page, width):
    """Assert that axe finds nothing in light or dark, and that nothing is beyond the edge."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.set_viewport_size({"width": width, "height": 900})
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
