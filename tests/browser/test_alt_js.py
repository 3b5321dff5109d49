"""alt.js in a browser, against the real function on the embedded store."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from playwright.sync_api import Page
from werkzeug import Request, Response
from werkzeug.serving import make_server

from functions.adapters.folder import BUCKET
from tests.support.lookups import keep
from tests.support.pictures import png
from tests.support.stack import MAIN, environment

ROOT = Path(__file__).parents[2]
IMAGES = "/images/"
SOON_MS = 5_000
HOSTILE = {
    "markup": "<b onclick=alert(1)>&amp;</b><script>alert(1)</script>",
    "quotes": "\"double\" 'single' `back` &quot;",
    "rtl": "قط أسود ينام على أريكة حمراء \u202e!",
    "emoji": "👩🏽‍🚒 by a 🚒",
}


@dataclass
class Server:
    """One origin: pages, pictures, or the function behind a door that can be shut."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    behind: Any = None
    door: Callable[[Request], Response | None] = lambda request: None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        if self.behind:
            return self._function(request)(environ, start)
        if request.path.startswith(IMAGES):
            return Response(png(), content_type="image/png")(environ, start)
        page = self.pages.get(request.path)
        found = Response(page or "", 200 if page else 404, content_type="text/html; charset=utf-8")
        found.headers.extend(self.headers)
        return found(environ, start)

    def _function(self, request: Request) -> Any:
        if request.method == "POST":
            self.asked.append(json.loads(request.get_data()))
            request.environ["wsgi.input"].seek(0)
            return self.door(request) or self.behind
        return self.behind


@pytest.fixture
def serve() -> Iterator[Callable[[Server], Server]]:
    """Starts servers on loopback ports of their own, and ends them."""
    running = []

    def start(server: Server) -> Server:
        made = make_server("127.0.0.1", 0, _buffered(server), threaded=True)
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


def _buffered(app: Any) -> Any:
    def buffered(environ: Any, start: Any) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        return app(environ, start)

    return buffered


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """The servers say nothing of each request."""
    caplog.set_level("ERROR", "werkzeug")


@dataclass
class Website:
    """A website, the function it asks, and the words for its pictures."""

    site: Server
    function: Server

    def open(self, page: Page, body: str, lang: str = "en") -> None:
        script = f'<script src="{self.function.url}/alt.js" defer></script>'
        self.site.pages["/"] = f'<!doctype html><html lang="{lang}">{script}<body>{body}</body>'
        page.goto(self.site.url)

    def image(self, name: str) -> str:
        return f"{self.site.url}{IMAGES}{name}"


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
        app = functions_framework.create_app("alt_text", str(MAIN))
        yield Website(site, serve(Server(behind=app)))


def alt(page: Page, selector: str = "#a") -> str | None:
    return page.get_attribute(selector, "alt")


def filled(page: Page, selector: str = "#a") -> str | None:
    """The alt text of an image, as soon as it has the attribute."""
    page.wait_for_selector(f"{selector}[alt]", state="attached", timeout=SOON_MS)
    return alt(page, selector)


def until(page: Page, event: threading.Event) -> None:
    """Wait for a server's thread while the browser goes on."""
    for _ in range(SOON_MS // 20):
        if event.is_set():
            return
        page.wait_for_timeout(20)
    raise AssertionError("nothing came")


def test_only_missing_alt_attributes_are_filled(website: Website, page: Page) -> None:
    body = """
    <img id=a src="/images/mug.png?w=300">
    <img id=empty src="/images/mug.png" alt>
    <img id=blank src="/images/mug.png" alt="">
    <img id=own src="/images/mug.png" alt="My own words">
    <img id=line src="/images/line.png">
    <img id=none src="/images/none.png">
    <img id=inline src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
    <img id=nothing>
    """
    website.open(page, body)

    assert filled(page) == "Blue mug"
    assert filled(page, "#line") == ""
    assert (alt(page, "#empty"), alt(page, "#blank")) == ("", "")
    assert alt(page, "#own") == "My own words"
    for missing in ("#none", "#inline", "#nothing"):
        assert alt(page, missing) is None
    names = ("mug.png?w=300", "line.png", "none.png")
    assert website.function.asked == [{"src": list(map(website.image, names)), "lang": "en"}]


def test_images_added_later_are_filled(website: Website, page: Page) -> None:
    website.open(page, "<div id=list><img id=a src='/images/mug.png'></div>")
    filled(page)

    page.evaluate("list.innerHTML += '<p><img id=late src=/images/new.png></p>'")
    assert filled(page, "#late") == "New picture"
    assert [each["src"] for each in website.function.asked] == [
        [website.image("mug.png")],
        [website.image("new.png")],
    ]


def test_an_image_that_becomes_another_gets_that_ones_words(website: Website, page: Page) -> None:
    website.open(page, "<img id=a src='/images/mug.png'><img id=own src='/images/mug.png' alt=I>")
    assert filled(page) == "Blue mug"

    page.evaluate("a.src = '/images/new.png'; own.src = '/images/new.png'")
    page.wait_for_selector("#a[alt='New picture']", timeout=SOON_MS)
    assert alt(page, "#own") == "I"
    page.evaluate("a.src = '/images/none.png'")
    page.wait_for_function("!a.hasAttribute('alt')", timeout=SOON_MS)


def test_known_words_are_not_asked_for_again(website: Website, page: Page) -> None:
    website.open(page, "<img id=a src='/images/mug.png'><img id=b src='/images/mug.png'>")
    assert filled(page) == filled(page, "#b") == "Blue mug"

    page.evaluate("document.body.innerHTML += '<img id=c src=/images/mug.png>'")
    assert filled(page, "#c") == "Blue mug"
    assert [each["src"] for each in website.function.asked] == [[website.image("mug.png")]]


def test_many_images_are_asked_for_by_the_hundred(website: Website, page: Page) -> None:
    body = "".join(f"<img id=i{n} loading=lazy src='/images/{n}.png'>" for n in range(230))
    website.open(page, body)

    assert filled(page, "#i229") == "The last"
    assert sorted(len(each["src"]) for each in website.function.asked) == [30, 100, 100]


def test_the_nearest_language_of_the_page_is_asked_for(website: Website, page: Page) -> None:
    website.open(
        page, "<img id=a src='/images/mug.png'><p lang=fr-CA><img id=b src='/images/mug.png'>", "de"
    )

    assert (filled(page), filled(page, "#b")) == ("Blue mug", "Tasse bleue")
    assert {each["lang"] for each in website.function.asked} == {"de", "fr-CA"}


@pytest.mark.parametrize("kind", HOSTILE)
def test_words_are_text_whatever_is_in_them(website: Website, page: Page, kind: str) -> None:
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    website.open(page, f"<img id=a src='/images/{kind}.png'>")

    assert filled(page) == HOSTILE[kind]
    assert page.evaluate("document.body.children.length") == 1
    assert page.evaluate("a.getAttributeNames().sort().join()") == "alt,id,src"
    assert not dialogs


def test_words_that_the_page_sets_meanwhile_stay(website: Website, page: Page) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def door(request: Request) -> None:
        asked.set()
        assert go_on.wait(10)

    website.function.door = door
    website.open(page, "<img id=a src='/images/mug.png'><img id=b src='/images/mug.png'>")
    until(page, asked)
    page.evaluate("a.alt = 'The page knows better'")
    go_on.set()

    assert filled(page, "#b") == "Blue mug"
    assert alt(page) == "The page knows better"


def test_an_answer_about_an_image_that_has_changed_is_dropped(website: Website, page: Page) -> None:
    first, go_on = threading.Event(), threading.Event()

    def door(request: Request) -> None:
        if not first.is_set():
            first.set()
            assert go_on.wait(10)

    website.function.door = door
    website.open(page, "<img id=a src='/images/mug.png'>")
    until(page, first)
    page.evaluate("a.src = '/images/none.png'")
    go_on.set()

    page.evaluate("document.body.innerHTML += '<img id=c src=/images/new.png>'")
    assert filled(page, "#c") == "New picture"
    assert alt(page) is None


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Response("down", 503), 2),
        (Response("slow down", 429), 2),
        (Response("<html>a login page</html>", 200), 2),
        (Response('{"error": "no"}', 400), 1),
        (Response('{"images": null}', 200), 1),
    ],
    ids=lambda value: getattr(value, "status", value),
)
def test_a_failing_function_is_asked_once_more_and_then_left_alone(
    website: Website, page: Page, answer: Response, tries: int
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    website.function.door = lambda request: answer
    page.clock.install()
    website.open(page, "<img id=a src='/images/mug.png'>")
    for _ in range(8):
        page.clock.run_for(1_500)
        page.wait_for_load_state("networkidle")

    assert len(website.function.asked) == tries
    assert alt(page) is None
    assert not errors


def test_one_failure_is_made_good(website: Website, page: Page) -> None:
    failures = iter([Response("down", 503, {"Access-Control-Allow-Origin": "*"})])
    website.function.door = lambda request: next(failures, None)
    website.open(page, "<img id=a src='/images/mug.png'>")

    assert filled(page) == "Blue mug"
    assert len(website.function.asked) == 2


def test_a_function_that_does_not_answer_is_given_up(website: Website, page: Page) -> None:
    end = threading.Event()

    def door(request: Request) -> None:
        end.wait(30)

    website.function.door = door
    page.clock.install()
    aborted: list[str] = []
    page.on("requestfailed", lambda request: aborted.append(request.method))
    website.open(page, "<img id=a src='/images/mug.png'>")
    page.clock.run_for(200)
    with page.expect_event("requestfailed"):
        page.clock.run_for(8_000)
    with page.expect_event("requestfailed"):
        page.clock.run_for(2_000)
        page.wait_for_timeout(200)
        page.clock.run_for(8_000)
    end.set()

    assert aborted == ["POST", "POST"]
    assert alt(page) is None


def test_the_script_runs_by_its_hash_and_not_with_another(website: Website, page: Page) -> None:
    digest = hashlib.sha384((ROOT / "functions/http/static/alt.js").read_bytes()).digest()
    right = base64.b64encode(digest).decode()
    wrong = base64.b64encode(digest[::-1]).decode()
    for integrity, words in ((right, "Blue mug"), (wrong, None)):
        website.site.pages["/"] = (
            f"<!doctype html><img id=a src='/images/mug.png'><script src='{website.function.url}"
            f"/alt.js' integrity='sha384-{integrity}' crossorigin=anonymous></script>"
        )
        page.goto(website.site.url)
        if words:
            assert filled(page) == words
        page.wait_for_load_state("networkidle")
        assert alt(page) == words


def test_a_strict_policy_of_the_page_is_enough(website: Website, page: Page) -> None:
    function = website.function.url
    website.site.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src 'self'; script-src {function}; connect-src {function}; "
        "require-trusted-types-for 'script'"
    )
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    website.open(page, "<img id=a src='/images/mug.png'>")

    assert filled(page) == "Blue mug"
    assert not [each for each in complaints if "Content Security Policy" in each]


def test_nothing_is_kept_in_the_browser_and_no_cookie_is_sent(website: Website, page: Page) -> None:
    cookies: list[str | None] = []
    website.function.door = lambda request: cookies.append(request.headers.get("Cookie"))
    page.context.add_cookies([{"name": "who", "value": "me", "url": website.function.url}])
    website.open(page, "<img id=a src='/images/mug.png'>")
    filled(page)

    assert cookies == [None]
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert [each["name"] for each in page.context.cookies()] == ["who"]


def test_a_page_that_blocks_the_question_is_left_as_it_is(website: Website, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    website.site.headers["Content-Security-Policy"] = "connect-src 'none'"
    website.open(page, "<img id=a src='/images/mug.png'>")
    page.wait_for_timeout(500)

    assert alt(page) is None
    assert not errors
