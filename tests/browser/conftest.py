"""Chromium; pages come from this machine, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from werkzeug.serving import make_server

from functions.adapters.folder import BUCKET
from tests.browser.websites import CHART, HOSTILE, Server, Website, buffered
from tests.conftest import installed
from tests.support.chromium import chromium
from tests.support.emulators import Missing
from tests.support.lookups import keep
from tests.support.stack import application, environment

LIBRARIES = Path(__file__).parent / "node_modules"
_HERE = ("127.0.0.1", "localhost")
# It ends what would hang, and judges nobody: a busy machine is slow.
_PATIENCE_MS = 60_000
expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session."""
    with installed(chromium()) as running:
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


@pytest.fixture
def serve() -> Iterator[Callable[[Server], Server]]:
    """Starts servers on loopback ports of their own, and ends them."""
    running = []

    def start(server: Server) -> Server:
        made = make_server("127.0.0.1", 0, buffered(server), threaded=True)
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        running.append((made, thread))
        server.url = f"http://127.0.0.1:{made.server_port}"
        return server

    yield start
    for made, thread in running:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """The servers say nothing of each request."""
    caplog.set_level("ERROR", "werkzeug")


@pytest.fixture
def website(
    serve: Callable[[Server], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Website]:
    site = serve(Server())
    settings = {
        "CAPTION_LOCAL": str(tmp_path),
        "CAPTION_MODEL": "offline",
        "CAPTION_ORIGINS": f"{site.url}/images={BUCKET}",
    }
    with environment(monkeypatch, settings):
        words = {"mug": "Blue mug", "line": "", "new": "New picture", "229": "The last", **HOSTILE}
        for name, alt_text in words.items():
            keep(f"{name}.png", alt_text=alt_text, decorative=not alt_text)
        keep("chart.png", alt_text="Bar chart of sales", long_description=CHART)
        keep("fr.png", alt_text="Rien que du français", language="fr", translations={})
        app = application("alt_text")
        yield Website(site, serve(Server(behind=app)))


@contextmanager
def _libraries() -> Iterator[Path]:
    if not (LIBRARIES / "vue").is_dir():
        raise Missing("what pages in the tests are made with", "run `make browser-libraries`")
    yield LIBRARIES


@pytest.fixture
def guests(website: Website) -> Iterator[Website]:
    """A website that has the libraries under ``/files/``."""
    with installed(_libraries()) as website.site.files:
        yield website
