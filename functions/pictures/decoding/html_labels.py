"""The words of HTML inside a drawing, as text of SVG's own.

Mermaid and others write a diagram's labels as HTML (``foreignObject``), which librsvg does not
draw: without them a model sees boxes that say nothing.
"""

from __future__ import annotations

import html
import math
import re
import textwrap
from xml.parsers.expat import XMLParserType

_LABEL, _CHOICE = "foreignObject", "switch"
_REQUIRED = {"requiredFeatures", "requiredExtensions"}
_BREAKS = {"br", "div", "p", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"}
_UNSEEN = {"style", "script", "title", "annotation"}
# Of one drawing, and of one of its labels.
_MOST_LABELS, _MOST_CHARACTERS, _MOST_LINES = 500, 400, 8
# A letter's mean width, and what a line is high, in sizes of the font.
_LETTER, _LINE = 0.6, 1.25
_NUMBER = re.compile(r"([-+]?\d{1,7}(?:\.\d{0,9})?)(?:px)?")
# draw.io's note to those who do not show HTML: its labels have text for them, which is drawn.
_NOTE = (
    b'<switch><g requiredFeatures="http://www.w3.org/TR/SVG11/feature#Extensibility"/>',
    b"<switch><g/>",
)


class HtmlLabels:
    """Is told what a parser reads; ``drawn`` is the drawing with the words that it has met.

    A label that a ``switch`` lets no renderer draw but those of HTML stays: what stands beside it
    there is drawn in its place.
    """

    def __init__(self, parser: XMLParserType) -> None:
        self._parser = parser
        self._parents = [""]
        self._inside = 0
        self._begins = 0
        self._box: tuple[float, ...] = ()
        self._lines = [""]
        self._found: list[tuple[int, int, bytes]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._inside:
            self._inside += 1
            if name in _BREAKS:
                self._lines.append("")
        elif name == _LABEL and not (self._parents[-1] == _CHOICE and _REQUIRED & set(attributes)):
            self._inside, self._begins, self._lines = 1, self._parser.CurrentByteIndex, [""]
            box = ("x", "y", "width", "height")
            self._box = tuple(_length(attributes.get(each, "")) for each in box)
        self._parents.append(name)

    def end(self) -> None:
        self._parents.pop()
        if self._inside:
            self._inside -= 1
            if not self._inside:
                self._finish()

    def text(self, text: str) -> None:
        if self._inside and self._parents[-1] not in _UNSEEN:
            self._lines[-1] += text[: max(0, 2 * _MOST_CHARACTERS - len(self._lines[-1]))]

    def drawn(self, data: bytes) -> bytes:
        """``data`` with text in the place of its labels."""
        parts, at = [], 0
        for begins, ends, label in self._found:
            # What stands in an entity has no place of its own.
            if data.startswith(b"<", begins) and data.startswith(b"</", ends):
                parts += [data[at:begins], label]
                at = data.find(b">", ends) + 1
        return b"".join([*parts, data[at:]]).replace(*_NOTE)

    def _finish(self) -> None:
        lines = [line for each in self._lines if (line := " ".join(each.split()))]
        if lines and len(self._found) < _MOST_LABELS:
            label = _as_text(lines, *self._box)
            self._found.append((self._begins, self._parser.CurrentByteIndex, label))


def _length(text: str) -> float:
    """0 where it is none, or a share of something."""
    found = _NUMBER.fullmatch(text.strip())
    return float(found[1]) if found else 0.0


def _as_text(lines: list[str], x: float, y: float, width: float, height: float) -> bytes:
    """The lines in the middle of a box, as large as fits, with a rim that is seen on any ground."""
    if sum(map(len, lines)) > _MOST_CHARACTERS:
        lines = [textwrap.shorten(" ".join(lines), _MOST_CHARACTERS, placeholder=" …")]
    longest = max(map(len, lines))
    width, height = width or 10.0 * longest, height or 24.0 * len(lines)

    def size(broken: list[str]) -> float:
        return min(height / len(broken) / _LINE, width / max(map(len, broken)) / _LETTER)

    choices = (
        [part for line in lines for part in textwrap.wrap(line, math.ceil(longest / parts))]
        for parts in range(1, _MOST_LINES + 1)
    )
    broken = max(choices, key=size)
    font = size(broken)
    first = y + height / 2 + font * (0.35 - _LINE * (len(broken) - 1) / 2)
    style = (
        f"font:{font:.3f}px sans-serif;text-anchor:middle;fill:#222;stroke:#fff;"
        f"stroke-width:{font / 5:.3f}px;paint-order:stroke"
    )
    texts = (
        f'<text x="{x + width / 2:.3f}" y="{first + at * font * _LINE:.3f}" '
        f'style="{style}">{html.escape(line, quote=False)}</text>'
        for at, line in enumerate(broken)
    )
    group = f'<g xmlns="http://www.w3.org/2000/svg">{"".join(texts)}</g>'
    return group.encode("ascii", "xmlcharrefreplace")
