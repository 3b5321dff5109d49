"""The contact sheet of ``captions demo`` in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.support.command_line import captions


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of one."""
    folder = tmp_path_factory.mktemp("demo")
    captions("demo", "--folder", str(folder), where=folder)
    return (folder / ".captions/contact-sheet.html").as_uri()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_contact_sheet_is_for_everybody(
    browser: Browser, sheet: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(sheet)
    found = Axe().run(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    broken = page.evaluate("[...document.images].filter((each) => !each.naturalWidth).length")
    context.close()
    assert not found.violations_count, found.generate_report()
    assert wide <= width
    assert not broken
