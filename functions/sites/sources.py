"""The files that pages are made of: HTML, templates that are HTML but for their code, Markdown.

What is certain to be an image and nothing's code is filled; every other ``<img>`` without ``alt``
is told, so that none is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from functions.sites import markup, template_code
from functions.sites.attributes import attribute
from functions.sites.files import BRACES, CODE, MARKDOWN, SOURCES
from functions.sites.markup import Image, Markup
from functions.sites.surroundings import Surroundings
from functions.sites.template_code import Span

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*\r?$", re.S | re.M)
_RAW = re.compile(r"<(script|style)\b.*?</\1\s*>", re.S | re.I)
_IMG = re.compile(r"<img(?=[\s/>])", re.I)
_ALT = re.compile(r"""[\s"'](?::|v-bind:)?alt(?=[\s=/>])""", re.I)
_COMMENT = re.compile(r"<!--.*?-->|/\*.*?\*/|\{#.*?#\}", re.S)
_LONGEST_TAG = 4_000


@dataclass(frozen=True, slots=True)
class Form:
    """How the images of a file are found, and how alt text is written into one."""

    read: Callable[[str], Markup]
    write: Callable[[str], str]


def form(path: str, around: bool = False) -> Form:
    """The form of a file by its name; of a page, with what stands ``around`` its images."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in MARKDOWN:
        from functions.sites import markdown

        return Form(markdown.read, markdown.escaped)
    if suffix in SOURCES:
        return Form(lambda text: _template(text, suffix), attribute)
    return Form(lambda text: markup.read(text, around), attribute)


def _template(text: str, suffix: str) -> Markup:
    found = markup.read(text)
    spans = _braces(text) if suffix in BRACES else []
    images = [
        image if suffix not in CODE and _is_plain(image, suffix, spans) else _left(image)
        for image in found.images
    ]
    parsed = {image.start for image in images}
    comments = [each.span() for each in _COMMENT.finditer(text)]
    images += [
        Image("img", start, start, None, (), Surroundings(), True)
        for start in _unparsed(text, parsed, comments)
    ]
    return Markup(tuple(sorted(images, key=lambda image: image.start)), found.base)


def _is_plain(image: Image, suffix: str, spans: list[Span]) -> bool:
    if template_code.within(image.start, spans) or not image.addresses:
        return False
    return suffix not in BRACES or not any("{" in src for src in image.addresses)


def _left(image: Image) -> Image:
    return image if image.has_alt else replace(image, templated=True)


def _unparsed(text: str, parsed: set[int], comments: list[Span]) -> Iterator[int]:
    """Where an ``<img`` without ``alt`` stands that no parser has found: in a script's string, or
    after a tag that only another engine ends."""
    for found in _IMG.finditer(text):
        start = found.start()
        if start in parsed or template_code.within(start, comments):
            continue
        tag = text[start : start + _LONGEST_TAG].partition(">")[0]
        if not _ALT.search(f"{tag}>"):
            yield start


def _braces(text: str) -> list[Span]:
    """The outermost braces, and what stands before the page; a brace that nothing closes goes on
    to the end."""
    front_matter = _FRONT_MATTER.match(text)
    spans = [front_matter.span()] if front_matter else []
    raw = [each.span() for each in _RAW.finditer(text)]
    depth, begin, at = 0, 0, front_matter.end() if front_matter else 0
    for found in re.compile(r"[{}]").finditer(text, at):
        if template_code.within(found.start(), raw):
            continue
        if found[0] == "{":
            begin = begin if depth else found.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                spans.append((begin, found.end()))
    return [*spans, (begin, len(text))] if depth else spans
