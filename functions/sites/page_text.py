"""What a page says around its images: title, headings, and the paragraphs beside each.

The text that belongs to an image is what stands in the smallest part of the page that has any
beside the image, so that a card's text is its own wherever on the page the card stands. Text in
another part that has an image is that image's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from urllib.parse import urlsplit

from justhtml import Element, Node, Text

from functions.core.language_tags import language_tag
from functions.core.page_place import PagePlace
from functions.core.plain_text import plain_line
from functions.sites import functional, surroundings, template_code
from functions.sites.surroundings import Surroundings

# Characters of what is told about a place, and how far around it is looked for.
_TITLE, _LINK, _TEXT = 150, 200, 400
_NEAR = 50
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Parts of a page whose heading is their own.
_SECTIONS = frozenset({"section", "article", "aside", "nav", "li", "td", "dialog"})
# Parts that hold a heading for what comes after them.
_HEADS = frozenset({"header", "hgroup"})
_INLINE = frozenset((
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn"),
    *("em", "font", "i", "ins", "kbd", "label", "mark", "q", "ruby", "rb", "rt", "s", "samp"),
    *("small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
))  # fmt: skip
# What says nothing about an image, or is told apart.
_APART = frozenset((
    *("button", "datalist", "figcaption", "iframe", "nav", "noscript", "object", "option"),
    *("script", "select", "style", "svg", "math", "template", "textarea", "title"),
))  # fmt: skip


@dataclass(slots=True)
class _Box:
    """An element that is no part of a line of text: what stands in it, as indexes of items."""

    name: str
    parent: _Box | None
    start: int
    end: int = 0

    def holds(self, index: int) -> bool:
        return self.start <= index < self.end


@dataclass(frozen=True, slots=True)
class _Item:
    """An image, by where its tag begins, or a heading's or paragraph's text."""

    box: _Box
    text: str = ""
    heading: bool = False
    image: int | None = None


class PageText:
    """The texts of one page, read in one pass over its tree."""

    def __init__(self, root: Node) -> None:
        reading = _Reading()
        reading.read(root)
        self._items, self._links = reading.items, reading.links
        self._title = _usable(reading.title, _TITLE)
        self._at = {each.image: index for index, each in enumerate(self._items)}
        self._images = _counted(self._items, lambda each: each.image is not None)
        self._texts = _counted(self._items, lambda each: each.image is None)
        self._headings = [index for index, each in enumerate(self._items) if each.heading]

    def place(self, start: int, context: Surroundings, language: str) -> PagePlace | None:
        """What stands around the image whose tag begins at ``start``, for readers of ``language``
        where the page names none; None if the page says nothing, or without that image."""
        at = self._at.get(start)
        if at is None:
            return None
        part = self._part(at)
        before = self._beside(at, part, back=True)
        after = self._beside(at, part, back=False, leads=not before)
        control = context.control
        names_link = functional.is_only_name(context)
        href = control.href if control and names_link else ""
        found = PagePlace(
            _language(context.language) or language,
            self._title,
            self._heading(at, part, leads=not before),
            _target(href),
            _usable(self._link_text(href), _TITLE),
            _usable(context.figcaption, _TEXT),
            _usable(before, _TEXT, tail=True),
            _usable(after, _TEXT),
            names_link,
        )
        return found if found.texts else None

    def _part(self, at: int) -> _Box:
        """The smallest part with an image in which there is text, too."""
        box = self._items[at].box
        while box.parent and not self._texts[box.end] - self._texts[box.start]:
            box = box.parent
        return box

    def _beside(self, at: int, part: _Box, *, back: bool, leads: bool = False) -> str:
        """The nearest paragraph of the part before or after an image, not beyond a heading; but
        the first image of a part is beside what follows its heading."""
        order = range(at - 1, part.start - 1, -1) if back else range(at + 1, part.end)
        for index in islice(order, _NEAR):
            item = self._items[index]
            if item.image is not None or self._others(index, at):
                continue
            if not item.heading:
                return item.text
            if not leads:
                return ""
            leads = False
        return ""

    def _heading(self, at: int, part: _Box, *, leads: bool) -> str:
        """The heading that the image stands under; in a part that the image leads, the part's."""
        number = bisect_left(self._headings, at)
        before = [each for each in self._headings[max(0, number - _NEAR) : number][::-1]]
        within = [each for each in before if part.holds(each)]
        below = [each for each in self._headings[number : number + _NEAR] if part.holds(each)]
        for index in (*within, *(below if leads else ()), *before):
            if not self._others(index, at) and not self._closed(index, at):
                return _usable(self._items[index].text, _TITLE)
        return ""

    def _others(self, index: int, at: int) -> bool:
        """Whether an item stands in a part that has an image, but not this one."""
        top = self._top(index, at)
        if top is None or (self._items[index].heading and top.name in _HEADS):
            return False
        return self._images[top.end] > self._images[top.start]

    def _closed(self, index: int, at: int) -> bool:
        """Whether a heading is that of a section in which the image is not."""
        box: _Box | None = self._items[index].box
        while box and not box.holds(at):
            if box.name in _SECTIONS:
                return True
            box = box.parent
        return False

    def _top(self, index: int, at: int) -> _Box | None:
        """The largest box with an item in it and without the image; None if there is none."""
        box, top = self._items[index].box, None
        while not box.holds(at):
            if box.parent is None:
                break
            top, box = box, box.parent
        return top

    def _link_text(self, href: str) -> str:
        """What the links of the page to an address say: of several, the longest."""
        if not href:
            return ""
        texts = (surroundings.spoken_text(each) for each in self._links.get(href, ())[:_NEAR])
        return max(texts, key=lambda text: (len(text), text), default="")


class _Reading:
    """One pass over a tree: its items in order, each with the box it stands in."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.links: dict[str, list[Element]] = {}
        self.title = ""
        self._line: list[str] = []

    def read(self, root: Node) -> None:
        whole = _Box("", None, 0)
        waiting: list[tuple[Node | Text | None, _Box, str, bool]] = [(root, whole, "", False)]
        while waiting:
            node, box, heading, apart = waiting.pop()
            if node is None:
                self._end_line(box, heading)
                box.end = len(self.items)
                continue
            if isinstance(node, Text):
                if not apart:
                    self._line.append(node.data or "")
                continue
            if isinstance(node, Element):
                if self._is_image(node, box, heading):
                    continue
                apart = apart or node.name in _APART or surroundings.is_unheard(node)
                if node.name not in _INLINE:
                    self._end_line(box, heading)
                    box = _Box(node.name, box, len(self.items))
                    heading = node.name if node.name in _HEADINGS else heading
                    waiting.append((None, box, heading, apart))
            waiting.extend((child, box, heading, apart) for child in reversed(node.children or ()))
        self._end_line(whole, "")
        whole.end = len(self.items)

    def _is_image(self, node: Element, box: _Box, heading: str) -> bool:
        if node.name == "img" and node.origin_offset is not None:
            self._end_line(box, heading)
            self.items.append(_Item(box, image=node.origin_offset))
            return True
        if node.name == "title" and not self.title:
            self.title = surroundings.spoken_text(node)
        if node.name == "a" and (href := (node.attrs.get("href") or "").strip()):
            self.links.setdefault(href, []).append(node)
        return False

    def _end_line(self, box: _Box, heading: str) -> None:
        text = " ".join("".join(self._line).split())
        self._line.clear()
        if surroundings.has_word(text) and not template_code.is_code(text):
            self.items.append(_Item(box, text, bool(heading)))


def _counted(items: Sequence[_Item], of: Callable[[_Item], bool]) -> list[int]:
    """How many of ``items`` before each index are so."""
    return [0, *accumulate(of(each) for each in items)]


def _usable(text: str, longest: int, *, tail: bool = False) -> str:
    """``text`` on one line, cut at a word; its end if that is nearer to the image."""
    if template_code.is_code(text):
        return ""
    line = plain_line(text[-4 * longest :] if tail else text[: 4 * longest], 4 * longest)
    if len(line) <= longest:
        return line
    if tail:
        return line[-longest:].partition(" ")[2] or line[-longest:]
    return line[:longest].rpartition(" ")[0] or line[:longest]


def _target(href: str) -> str:
    """Where a link leads, without what is only one visitor's: query, fragment, name, password."""
    try:
        address = urlsplit(href)
        host, path = address.hostname or "", address.path
    except ValueError:
        return ""
    if address.scheme not in ("", "http", "https"):
        return ""
    return _usable(f"{host}{path}", _LINK)


def _language(tag: str) -> str:
    try:
        return language_tag(tag) if tag else ""
    except ValueError:
        return ""
