"""Where the images of a page stand in its text.

The page is parsed as browsers do, by the WHATWG rules in full, so that an ``<img`` in a comment,
a script, a textarea or a CDATA section is none. Only positions are taken from the tree: the text
itself is never written from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from justhtml import Element, JustHTML, Node, Template, Text

_NAME = re.compile(r"<(img|input|area)(?=[\s/>])", re.I)
_CANDIDATE = re.compile(r"[\s,]*(\S*[^\s,])(?:,+(?=\s|\Z)|(?:[^,(]|\([^)]*\)?)*,?)")
# What templates write between tags and in them: Jinja, Liquid, Nunjucks, PHP, ERB.
_FRAGMENTS = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("<?", "?>"), ("<%", "%>"))
# Names of attributes that are such code, or by which Vue, Angular and Alpine set ``alt`` later.
_CODE = re.compile(r"[{}<%]|\?$|[:.\[]alt\]?$")


@dataclass(frozen=True, slots=True)
class Image:
    """An element that is to have an ``alt`` attribute.

    ``start`` is where its tag begins and ``insert`` where an attribute may be put in, as indexes
    of the page's text. ``addresses`` name one picture, best first. ``language`` is that of the
    nearest ``lang`` attribute, empty if there is none. ``templated`` says that a template may
    write the ``alt`` attribute, or that the tag is part of a template's code.
    """

    tag: str
    start: int
    insert: int
    has_alt: bool
    addresses: tuple[str, ...]
    language: str
    templated: bool


@dataclass(frozen=True, slots=True)
class Markup:
    """A page's images in the order of its text, and the address of its ``base`` element."""

    images: tuple[Image, ...]
    base: str


def read(text: str) -> Markup:
    """Find the ``img`` elements, and the ``area`` and ``input`` elements that show an image.

    What stands in ``noscript`` counts, for people without scripts see it. What is an image with
    scripts and something else without is left out.
    """
    with_scripts = _tree(text, scripting=True)
    found = dict(_elements(with_scripts))
    if "<noscript" in text.lower():
        hidden = list(_noscripts(with_scripts))
        without = dict(_elements(_tree(text, scripting=False)))
        found = {
            start: without[start]
            for start in without
            if start in found or any(begin <= start < end for begin, end in hidden)
        }
    spans = sorted(_fragments(text))
    bases = ((each.attrs or {}).get("href") for each in with_scripts.query("base"))
    images = (_image(text, start, *found[start], spans) for start in sorted(found))
    return Markup(
        tuple(each for each in images if each), next((base for base in bases if base), "")
    )


def insert(text: str, attributes: list[tuple[int, str]]) -> str:
    """``text`` with each string at its index, which is an ``Image.insert``."""
    ordered = sorted(attributes)
    cuts = [0, *(index for index, _ in ordered), len(text)]
    parts = [text[begin:end] for begin, end in pairwise(cuts)]
    return "".join(
        part + attribute for part, (_, attribute) in zip(parts, [*ordered, (0, "")], strict=True)
    )


def _tree(text: str, scripting: bool) -> Node:
    # One character stands for a mark in front of the text, which the parser would take away.
    return JustHTML(
        text.replace("\ufeff", "\u200b", 1) if text.startswith("\ufeff") else text,
        sanitize=False,
        track_node_locations=True,
        scripting_enabled=scripting,
    ).root


def _elements(root: Node) -> Iterator[tuple[int, tuple[Element, str]]]:
    """The elements that may need ``alt``, each with where it starts and its language."""
    waiting: list[tuple[Node | Text, str]] = [(root, "")]
    while waiting:
        node, language = waiting.pop()
        if isinstance(node, Element):
            language = (node.attrs.get("lang", language) or "").strip()
            if node.name in ("img", "area", "input") and node.origin_offset is not None:
                yield node.origin_offset, (node, language)
        if isinstance(node, Template) and node.template_content:
            waiting.append((node.template_content, language))
        waiting.extend((child, language) for child in node.children or ())


def _noscripts(root: Node) -> Iterator[tuple[int, int]]:
    """The parts of the text that browsers with scripts do not read as markup."""
    for each in root.query("noscript"):
        for child in each.children or ():
            if isinstance(child, Text) and child.origin_offset is not None:
                yield child.origin_offset, child.origin_offset + len(child.data or "")


def _image(
    text: str, start: int, element: Element, language: str, spans: list[tuple[int, int]]
) -> Image | None:
    name = _NAME.match(text, start)
    shows = {
        "img": True,
        "area": "href" in element.attrs,
        "input": (element.attrs.get("type") or "").lower() == "image",
    }[element.name]
    if not shows or not name:  # <image> is an img element by another name
        return None
    templated = any(_CODE.search(each) for each in element.attrs) or any(
        begin <= start < end for begin, end in spans
    )
    addresses = tuple(_addresses(element))
    return Image(
        element.name,
        start,
        name.end(),
        "alt" in element.attrs,
        addresses,
        language,
        templated or any(opener in each for each in addresses for opener, _ in _FRAGMENTS),
    )


def _addresses(element: Element) -> Iterator[str]:
    """Of a picture that a script loads later, what it loads: what stands there until then is a
    placeholder."""
    attrs = element.attrs
    later = [*_single(attrs.get("data-src")), *_several(attrs.get("data-srcset"))]
    if later:
        yield from later
        return
    yield from _single(attrs.get("src"))
    yield from _several(attrs.get("srcset"))
    parent = element.parent
    if isinstance(parent, Element) and parent.name == "picture":
        for each in parent.children or ():
            if isinstance(each, Element) and each.name == "source":
                yield from _several(each.attrs.get("srcset"))


def _single(value: str | None) -> list[str]:
    return [value.strip()] if value and value.strip() else []


def _several(value: str | None) -> list[str]:
    """The addresses of a ``srcset``, without their widths and densities."""
    return [each[1] for each in _CANDIDATE.finditer(value or "")]


def _fragments(text: str) -> Iterator[tuple[int, int]]:
    for opener, closer in _FRAGMENTS:
        begin = text.find(opener)
        while begin >= 0:
            end = text.find(closer, begin + 2)
            if end < 0:
                if opener == "<?":  # PHP's last fragment need not be closed
                    yield begin, len(text)
                break
            yield begin, end + 2
            begin = text.find(opener, end + 2)
