"""A website, the real function that it asks, and the words for its pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from werkzeug import Request, Response
from werkzeug.utils import safe_join

from tests.support.pictures import png

IMAGES = "/images/"
FILES = "/files/"
# It ends what would hang, and judges nobody.
SOON_MS = 60_000
CHART = "Bar chart.\n2024: 40 <b>mugs</b>.\n2025: 55 mugs."
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
    files: Path | None = None
    behind: Any = None
    door: Callable[[Request], Response | None] = lambda request: None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        if self.behind:
            return self._function(request)(environ, start)
        if request.path.startswith(IMAGES):
            return Response(png(), content_type="image/png")(environ, start)
        if self.files and request.path.startswith(FILES):
            return self._file(request.path.removeprefix(FILES))(environ, start)
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

    def _file(self, path: str) -> Response:
        found = Path(safe_join(str(self.files), path) or "")
        if not found.is_file():
            return Response("", 404)
        return Response(found.read_bytes(), content_type="text/javascript; charset=utf-8")


@dataclass
class Website:
    """A website, the function it asks, and the words for its pictures."""

    site: Server
    function: Server

    def open(self, page: Page, body: str, lang: str = "en", more: str = "") -> None:
        script = f'<script src="{self.function.url}/alt.js" {more} defer></script>'
        head = f"<head><title>A page</title>{script}</head>"
        self.site.pages["/"] = (
            f'<!doctype html><html lang="{lang}">{head}<body>{body}</body></html>'
        )
        page.goto(self.site.url)

    def image(self, name: str) -> str:
        return f"{self.site.url}{IMAGES}{name}"


def alt(page: Page, selector: str = "#a") -> str | None:
    return page.get_attribute(selector, "alt")


def filled(page: Page, selector: str = "#a") -> str | None:
    """The alt text of an image, as soon as it has the attribute."""
    page.wait_for_selector(f"{selector}[alt]", state="attached", timeout=SOON_MS)
    return alt(page, selector)


def buffered(app: Any) -> Any:
    """``app``, which may read a request's body twice."""

    def rewound(environ: Any, start: Any) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        return app(environ, start)

    return rewound
