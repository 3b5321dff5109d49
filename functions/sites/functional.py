"""Images that are links: what they are for counts, and not what they show.

W3C's three cases, as far as rules know them without a model: an image that is all of a link's or
a button's content needs what that does, one beside its text needs nothing, and what a figcaption
says is not said twice. https://www.w3.org/WAI/tutorials/images/functional/
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from functions.sites import encoding
from functions.sites.attributes import one_line
from functions.sites.image_locator import ImageLocator
from functions.sites.surroundings import Surroundings

_TITLE = re.compile(rb"<title(?:\s[^>]*)?>(.*?)</title", re.I | re.S)
_MOST_BYTES = 1 << 18
_LONGEST = 150
_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|heic|tiff?|bmp)$", re.I)
_FEWEST_WORDS = 2


class Titles:
    """The titles of a folder's pages, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._titles: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The title of the page that a site has at ``path``; empty if there is none to tell."""
        if path not in self._titles:
            self._titles[path] = self._read(path.strip("/"))
        return self._titles[path]

    def _read(self, path: str) -> str:
        names = [path, f"{path}/index.html", f"{path}/index.htm", f"{path}.html", f"{path}.htm"]
        for name in names if path else ["index.html", "index.htm"]:
            file = (self._folder / name).resolve()
            if not file.is_relative_to(self._folder) or file.suffix not in (".html", ".htm"):
                continue
            try:
                with file.open("rb") as opened:
                    data = opened.read(_MOST_BYTES)
                return _title(data)
            except (OSError, encoding.NotText):
                continue
        return ""


def _title(data: bytes) -> str:
    found = _TITLE.search(data)
    if not found:
        return ""
    text = encoding.decode(data[: found.end()]).text
    inside = re.search(_TITLE.pattern.decode(), text, re.I | re.S)
    title = one_line(html.unescape(inside[1])) if inside else ""
    usable = len(title) <= _LONGEST and "{{" not in title and "{%" not in title
    return title if usable else ""


def targets(
    titles: Titles | None, locator: ImageLocator, page: str, base: str
) -> Callable[[str], str]:
    """What the page that an address leads to is called, seen from ``page``."""

    def title(href: str) -> str:
        if titles is None or not href or href.startswith("#"):
            return ""
        try:
            address = urlsplit(urljoin(urljoin(page, base), href))
            site = urlsplit(locator.page(""))
        except ValueError:
            return ""
        if address.netloc.lower() != site.netloc.lower() or not address.path.startswith(site.path):
            return ""
        return titles.of(unquote(address.path[len(site.path) :]))

    return title


def is_only_name(context: Surroundings) -> bool:
    """Whether a link or button would have no name without this image's words."""
    control = context.control
    return control is not None and not control.text and not control.named


def is_beside_its_name(context: Surroundings) -> bool:
    """Whether the link or button of an image has a name without it."""
    control = context.control
    return control is not None and bool(control.text or control.named)


def leads_to_an_image(context: Surroundings) -> bool:
    """Whether the link of an image leads to a picture: what that shows is what the link is for."""
    href = context.control.href if context.control else ""
    return bool(_IMAGE.search(href.split("?")[0].split("#")[0]))


def purpose(context: Surroundings, target: Callable[[str], str]) -> str:
    """What the link does that has this image for its only content, if the site tells."""
    control = context.control
    if control is None or not is_only_name(context) or control.images != 1:
        return ""
    return "" if leads_to_an_image(context) else target(control.href)


def says_the_same(beside: str, alt_text: str) -> bool:
    """Whether every word of an alt text stands in a text beside the image already."""
    words = set(re.findall(r"\w+", alt_text.casefold()))
    near = set(re.findall(r"\w+", beside.casefold()))
    return bool(near) and words <= near and (len(words) >= _FEWEST_WORDS or words == near)
