"""Debian's Chromium, driven by Playwright; pages come from this machine, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.conftest import installed
from tests.support.emulators import Missing

# The sandbox needs rights that a root user in a container lacks; the rest keeps it off the network.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-proxy-server"),
)
_HERE = ("127.0.0.1", "localhost")
_PATIENCE_MS = 10_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session."""
    with installed(_chromium()) as running:
        yield running


@pytest.fixture
def strangers() -> list[str]:
    """The addresses on other machines that a page has asked for, in vain."""
    return []


@pytest.fixture
def context(browser: Browser, strangers: list[str]) -> Iterator[BrowserContext]:
    """A profile of its own. A request that would leave this machine fails the test."""

    def guard(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.hostname in _HERE or address.scheme in ("data", "blob"):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    opened = browser.new_context(locale="en-GB", reduced_motion="reduce")
    opened.set_default_timeout(_PATIENCE_MS)
    opened.route("**/*", guard)
    yield opened
    opened.close()
    assert not strangers, f"the page asks strangers for {strangers}"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    return context.new_page()


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise Missing("Chromium", "install it (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield running
        running.close()
