"""What stands around an image in a page, as far as its alt text depends on it.

W3C's decision tree asks: is it the content of a link or a button, does text beside it say the same
already, has its author said what it is? https://www.w3.org/WAI/tutorials/images/decision-tree/
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from justhtml import Element, Node, Text

_NAMES = ("aria-label", "title")
# References of one element that are followed.
_MOST_LABELS = 20
_UNSEEN = ("script", "style", "template", "noscript")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Control:
    """The link or button that an image is in. ``href`` is empty for a button, ``text`` what it says
    beside images, ``named`` whether an attribute names it, ``images`` how many it has."""

    href: str = ""
    text: str = ""
    named: bool = False
    images: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``intent`` is what the author says of the image: ``named`` (by an attribute),
    ``presentational``, ``hidden`` from those who hear a page, or nothing."""

    language: str = ""
    intent: str = ""
    control: Control | None = None
    figcaption: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """The elements around a node, the nearest of each kind."""

    language: str = ""
    hidden: bool = False
    control: Element | None = None
    figure: Element | None = None

    def inside(self, element: Element) -> Around:
        """The same for what is in ``element``."""
        attrs = element.attrs
        found = self
        if "lang" in attrs:
            found = replace(found, language=(attrs["lang"] or "").strip())
        if (attrs.get("aria-hidden") or "").strip().lower() == "true":
            found = replace(found, hidden=True)
        if _is_control(element):
            found = replace(found, control=element)
        elif element.name == "figure":
            found = replace(found, figure=element)
        return found


class SurroundingsReader:
    """Reads what is around a page's images, each link, caption and label once. ``root`` is the
    page's tree."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._controls: dict[int, Control] = {}
        self._figcaptions: dict[int, str] = {}
        self._labels: dict[str, bool] = {}

    def context(self, element: Element, around: Around) -> Surroundings:
        """``around`` is what is around ``element``, which counts itself."""
        control, figure = around.control, around.figure
        return Surroundings(
            around.language,
            self._intent(element, around.hidden),
            self._control(control) if control is not None and control is not element else None,
            self._figcaption(figure) if figure is not None else "",
        )

    def _control(self, element: Element) -> Control:
        if id(element) not in self._controls:
            href = (element.attrs.get("href") or "").strip() if element.name == "a" else ""
            text = spoken_text(element)
            images = sum(each.name == "img" for each in _elements(element))
            named = self._is_named(element)
            self._controls[id(element)] = Control(href, text, named, images)
        return self._controls[id(element)]

    def _figcaption(self, figure: Element) -> str:
        if id(figure) not in self._figcaptions:
            captions = (
                each
                for each in figure.children or ()
                if isinstance(each, Element) and each.name == "figcaption"
            )
            found = next(captions, None)
            self._figcaptions[id(figure)] = spoken_text(found) if found is not None else ""
        return self._figcaptions[id(figure)]

    def _intent(self, element: Element, hidden: bool) -> str:
        if hidden:
            return "hidden"
        if self._is_named(element):
            return "named"
        return "presentational" if _role(element) in ("none", "presentation") else ""

    def _is_named(self, element: Element) -> bool:
        """Whether an attribute names an element: a reference does if there is what it refers to."""
        labels = (element.attrs.get("aria-labelledby") or "").split()[:_MOST_LABELS]
        return any(_stated(element, name) for name in _NAMES) or any(map(self._says, labels))

    def _says(self, label: str) -> bool:
        """Whether the first element of this ID says anything, hidden or not."""
        if label not in self._labels:
            element = self._with_ids.get(label)
            self._labels[label] = element is not None and any(map(_speaks, _elements(element)))
        return self._labels[label]

    @functools.cached_property
    def _with_ids(self) -> dict[str, Element]:
        found: dict[str, Element] = {}
        for each in _elements(self._root):
            if name := each.attrs.get("id"):
                found.setdefault(name, each)
        return found


def spoken_text(element: Element) -> str:
    """What those hear who hear an element, images aside; nothing unless there is a word in it."""
    parts = []
    waiting: list[Node | Text] = [element]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Text):
            parts.append(node.data or "")
        elif isinstance(node, Element) and is_unheard(node):
            continue
        waiting.extend(reversed(node.children or ()))
    text = " ".join("".join(parts).split())
    return text if has_word(text) else ""


def has_word(text: str) -> bool:
    """Whether there is a letter or digit in a text."""
    return _WORD.search(text) is not None


def _elements(element: Node) -> Iterator[Element]:
    """An element and those in it; the first ones first."""
    waiting: list[Node | Text] = [element]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Element):
            yield node
        waiting.extend(reversed(node.children or ()))


def is_unheard(element: Element) -> bool:
    """Whether an element is not for those who hear a page."""
    hidden = (element.attrs.get("aria-hidden") or "").strip().lower() == "true"
    return hidden or element.name in _UNSEEN or "hidden" in element.attrs


def _is_control(element: Element) -> bool:
    if element.name == "button" or (element.name == "a" and "href" in element.attrs):
        return True
    return _role(element) in ("link", "button")


def _role(element: Element) -> str:
    return next(iter((element.attrs.get("role") or "").lower().split()), "")


def _speaks(element: Element) -> bool:
    """Whether an element has words of its own."""
    texts = (each.data or "" for each in element.children or () if isinstance(each, Text))
    return any(map(has_word, texts)) or any(_stated(element, name) for name in (*_NAMES, "alt"))


def _stated(element: Element, name: str) -> bool:
    return bool((element.attrs.get(name) or "").strip())
