"""Images in Markdown and MDX, and the alt text that is put into them.

CommonMark decides what is an image: every ``![](`` is given a mark of its own, and the images that
come out of the parser with one are those. One in code, in a comment or in front matter is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from functions.sites.markup import Image, Markup
from functions.sites.surroundings import Surroundings

_EMPTY = re.compile(r"!\[\](?=\()")
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n.*?^\1[ \t]*\r?$", re.S | re.M)
_MARK = re.compile("\ue000([0-9]+)\ue001")
_IMG = re.compile(r"<img(?=[\s/>])[^>]*>", re.I)
_ALT = re.compile(r"\salt(?=[\s=/>])", re.I)
_NEEDS_ESCAPE = re.compile(r"[\\`*_{}\[\]<>!&|~$]")


def read(text: str) -> Markup:
    """The images without alt text: those of Markdown may be filled, an ``<img>`` is left."""
    front_matter = _FRONT_MATTER.match(text)
    begin = front_matter.end() if front_matter else 0
    if "\ue000" in text:
        return Markup((), "")
    starts = [found.start() for found in _EMPTY.finditer(text, begin)]
    tokens = list(_tokens(_marked(text, starts)[begin:]))
    images = []
    for token in tokens:
        mark = _MARK.fullmatch(token.content) if token.type == "image" else None
        if mark:
            start = starts[int(mark[1])]
            src = str(token.attrs.get("src", ""))
            images.append(Image("img", start, start + 2, None, (src,), Surroundings(), "{{" in src))
    images += _left(text, begin, tokens)
    return Markup(tuple(sorted(images, key=lambda image: image.start)), "")


def escaped(words: str) -> str:
    """``words`` as they stand between the brackets of an image; nothing in them is markup, MDX's
    code or a template's."""
    return _NEEDS_ESCAPE.sub(r"\\\g<0>", words)


def _marked(text: str, starts: list[int]) -> str:
    parts, at = [], 0
    for number, place in enumerate(starts):
        parts += [text[at : place + 2], f"\ue000{number}\ue001"]
        at = place + 2
    return "".join([*parts, text[at:]])


def _tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def _left(text: str, begin: int, tokens: list[Token]) -> Iterator[Image]:
    at = begin
    for token in tokens:
        if token.type not in ("html_block", "html_inline"):
            continue
        for tag in _IMG.findall(token.content):
            found = text.find(tag, at)
            if found >= 0 and not _ALT.search(tag):
                yield Image("img", found, found, None, (), Surroundings(), True)
            at = max(at, found + 1)
