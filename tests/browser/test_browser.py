"""The browser that the other tests here look through."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error, Page


def test_a_page_is_rendered_and_its_scripts_run(page: Page) -> None:
    page.set_content("<p id=p>plain</p><script>p.textContent = 'run'</script>")

    assert page.inner_text("#p") == "run"


def test_a_page_reaches_no_other_machine(page: Page, strangers: list[str]) -> None:
    with pytest.raises(Error, match="ERR_FAILED"):
        page.goto("http://192.0.2.1/")

    assert strangers == ["http://192.0.2.1/"]
    strangers.clear()
