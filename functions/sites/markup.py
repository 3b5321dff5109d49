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

from functions.sites import template_code
from functions.sites.page_text import PageText
from functions.sites.surroundings import Around, Surroundings, SurroundingsReader
from functions.sites.template_code import Span

_NAME = re.compile(r"<(img|input|area|video)(?=[\s/>])", re.I)
# "Before attribute name state" and those after it, of the HTML standard.
_ATTRIBUTE = re.compile(
    r"""[\t\n\f\r /]*(?P<name>=?[^=\t\n\f\r />]+)"""
    r"""(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*"|'[^']*'|[^\t\n\f\r >"'][^\t\n\f\r >]*|(?=>)))?"""
)
_SPACE = "\t\n\x0c\r "
# In which scripts find what they load later.
_LATER = ("data-src", "data-lazy-src", "data-original", "data-echo")
_LATER_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set")


@dataclass(frozen=True, slots=True)
class Image:
    """An element that is to have an ``alt`` attribute, or a ``video`` that is to have a name.

    ``start`` is where its tag begins and ``insert`` where an attribute may be put in, as indexes
    of the page's text. ``addresses`` name one picture, best first. ``context`` is what stands
    around it. ``templated`` says that a template may write the ``alt`` attribute, or that the tag
    is part of a template's code. ``alt`` is that attribute's value, None if there is none.
    ``trackless`` says of a video that can be heard that no captions stand beside it.
    """

    tag: str
    start: int
    insert: int
    alt: str | None
    addresses: tuple[str, ...]
    context: Surroundings
    templated: bool
    trackless: bool = False

    @property
    def has_alt(self) -> bool:
        """Whether there is an ``alt`` attribute, empty or not."""
        return self.alt is not None

    @property
    def language(self) -> str:
        """That of the nearest ``lang`` attribute, empty if there is none."""
        return self.context.language


@dataclass(frozen=True, slots=True)
class Markup:
    """A page's images in the order of its text, and the address of its ``base`` element. ``text``
    is what stands around them, if it was asked for."""

    images: tuple[Image, ...]
    base: str
    text: PageText | None = None


def read(text: str, around: bool = False) -> Markup:
    """Find the ``img`` and ``video`` elements, and the ``area`` and ``input`` elements that show
    an image; with ``around``, also what is said around them.

    What stands in ``noscript`` counts, for people without scripts see it. What is an image with
    scripts and something else without is left out.
    """
    with_scripts = _tree(text, scripting=True)
    found = dict(_elements(with_scripts))
    if "<noscript" in text.lower():
        hidden = sorted(_texts(with_scripts, "noscript"))
        without = dict(_elements(_tree(text, scripting=False)))
        found = {
            start: without[start]
            for start in without
            if start in found or template_code.within(start, hidden)
        }
    raw = [span for name in ("script", "style") for span in _texts(with_scripts, name)]
    spans, reader = template_code.fragments(text, raw), SurroundingsReader(with_scripts)
    bases = ((each.attrs or {}).get("href") for each in with_scripts.query("base"))
    images = (_image(text, start, *found[start], spans, reader) for start in sorted(found))
    return Markup(
        tuple(each for each in images if each),
        next((base for base in bases if base), ""),
        PageText(with_scripts) if around else None,
    )


def alt_attribute(text: str, image: Image) -> Span | None:
    """Where the first ``alt`` attribute of an image stands in ``text``, with its value."""
    at = image.insert
    while found := _ATTRIBUTE.match(text, at):
        if found["name"].lower() == "alt":
            return found.start("name"), found.end()
        at = found.end()
    return None


def tag_end(text: str, image: Image) -> int:
    """Where an image's tag has ended in ``text``; 0 if it has no end."""
    at = image.insert
    while found := _ATTRIBUTE.match(text, at):
        at = found.end()
    return text.find(">", at) + 1


def insert(text: str, attributes: list[tuple[int, str]]) -> str:
    """``text`` with each string at its index, which is an ``Image.insert``."""
    ordered = sorted(attributes, key=lambda each: each[0])
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


def _elements(root: Node) -> Iterator[tuple[int, tuple[Element, Around]]]:
    """The elements that may need ``alt``, each with where it starts and what is around it."""
    waiting: list[tuple[Node | Text, Around]] = [(root, Around())]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, Element):
            around = around.inside(node)
            if node.name in ("img", "area", "input", "video") and node.origin_offset is not None:
                yield node.origin_offset, (node, around)
        if isinstance(node, Template) and node.template_content:
            waiting.append((node.template_content, around))
        waiting.extend((child, around) for child in node.children or ())


def _texts(root: Node, name: str) -> Iterator[Span]:
    """Where the text stands that is in elements of this name."""
    for each in root.query(name):
        for child in each.children or ():
            if isinstance(child, Text) and child.origin_offset is not None:
                yield child.origin_offset, child.origin_offset + len(child.data or "")


def _image(
    text: str,
    start: int,
    element: Element,
    around: Around,
    spans: list[Span],
    reader: SurroundingsReader,
) -> Image | None:
    name = _NAME.match(text, start)
    shows = {
        "img": True,
        "video": True,
        "area": "href" in element.attrs,
        "input": (element.attrs.get("type") or "").lower() == "image",
    }[element.name]
    if not shows or not name:  # <image> is an img element by another name
        return None
    addresses = tuple(_addresses(element))
    templated = (
        template_code.writes_alt(element.attrs)
        or template_code.within(start, spans)
        or any(map(template_code.is_code, addresses))
    )
    context = reader.context(element, around)
    video = element.name == "video"
    alt = element.attrs["alt"] or "" if "alt" in element.attrs and not video else None
    trackless = video and not _is_mute(element) and not any(_captions(element))
    return Image(element.name, start, name.end(), alt, addresses, context, templated, trackless)


def _is_mute(video: Element) -> bool:
    """Whether nobody can make it be heard: it moves in the background of a page."""
    return "muted" in video.attrs and "controls" not in video.attrs


def _captions(video: Element) -> Iterator[Element]:
    """Its tracks of captions or subtitles; a track that does not say its kind has subtitles."""
    for each in _children(video, "track"):
        if (each.attrs.get("kind") or "subtitles").lower() in ("captions", "subtitles"):
            yield each


def _children(element: Element, name: str) -> Iterator[Element]:
    for each in element.children or ():
        if isinstance(each, Element) and each.name == name:
            yield each


def _addresses(element: Element) -> Iterator[str]:
    """Of a picture that a script loads later, what it loads: what stands there until then is a
    placeholder."""
    if element.name == "video":
        yield from _addresses_of_video(element)
        return
    sources = [element]
    parent = element.parent
    if isinstance(parent, Element) and parent.name == "picture":
        children = (each for each in parent.children or () if isinstance(each, Element))
        sources += [each for each in children if each.name == "source"]
    later = [src for name in _LATER for src in _single(element.attrs.get(name))]
    for name in _LATER_SETS:
        later += [src for each in sources for src in candidates(each.attrs.get(name) or "")]
    if later:
        yield from later
        return
    yield from _single(element.attrs.get("src"))
    for each in sources:
        yield from candidates(each.attrs.get("srcset") or "")


def _addresses_of_video(element: Element) -> Iterator[str]:
    """Those of its files, and then of the picture that is shown until it plays."""
    for each in (element, *_children(element, "source")):
        for name in ("data-src", "src"):
            yield from _single(each.attrs.get(name))
    for name in ("data-poster", "poster"):
        yield from _single(element.attrs.get(name))


def _single(value: str | None) -> list[str]:
    return [value.strip()] if value and value.strip() else []


def candidates(srcset: str) -> list[str]:
    """The addresses of a ``srcset``, without their widths and densities: "parse a srcset
    attribute", of the HTML standard."""
    found, at, end = [], 0, len(srcset)
    while at < end:
        while at < end and srcset[at] in _SPACE + ",":
            at += 1
        begin = at
        while at < end and srcset[at] not in _SPACE:
            at += 1
        address = srcset[begin:at].rstrip(",")
        if address:
            found.append(address)
        if at == begin or srcset[at - 1] != ",":
            at = _after_descriptors(srcset, at)
    return found


def _after_descriptors(srcset: str, at: int) -> int:
    inside = False
    for index in range(at, len(srcset)):
        if srcset[index] == "," and not inside:
            return index + 1
        inside = (inside or srcset[index] == "(") and srcset[index] != ")"
    return len(srcset)
