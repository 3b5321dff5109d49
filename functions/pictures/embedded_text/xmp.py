"""The words in an XMP packet (ISO 16684-1), read with entities forbidden."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from functions.pictures.structure.survey import MAX_METADATA

_DC = "http://purl.org/dc/elements/1.1/"
_IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LANG = "http://www.w3.org/XML/1998/namespace lang"
_NAMES = {
    f"{_DC} description": "description",
    f"{_DC} title": "title",
    f"{_IPTC} AltTextAccessibility": "alt_text",
    f"{_IPTC} ExtDescrAccessibility": "extended",
}
_MAX_DEPTH = 64


class _Forbidden(Exception):
    """No XMP packet has a document type."""


class _Reader:
    """Collects ``{name: [(language, text)]}``."""

    def __init__(self) -> None:
        self.found: dict[str, list[tuple[str, str]]] = {}
        self._property = ""
        self._language = ""
        self._text: list[str] = []
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Forbidden
        if name in _NAMES:
            self._property = _NAMES[name]
        if self._property:
            self._language = attributes.get(_LANG, "")
            self._text = []
        elif name == f"{_RDF} Description":
            # Simple properties may be written as attributes.
            for key, value in attributes.items():
                if key in _NAMES:
                    self._add(_NAMES[key], "", value)

    def end(self, name: str) -> None:
        self._depth -= 1
        if not self._property:
            return
        self._add(self._property, self._language, "".join(self._text))
        self._text = []
        if name in _NAMES:
            self._property = ""

    def text(self, text: str) -> None:
        if self._property:
            self._text.append(text)

    def _add(self, name: str, language: str, text: str) -> None:
        entries = self.found.setdefault(name, [])
        if text.strip() and len(entries) < 100:
            entries.append((language, text))


def _forbid(*_: Any) -> None:
    raise _Forbidden


def texts(packet: bytes) -> dict[str, tuple[str, str]]:
    """``{name: (text, language)}``; the language alternative marked ``x-default`` wins, then
    the first. Empty where the packet cannot be read."""
    packet = packet.strip(b"\0 \r\n\t")
    if not packet or len(packet) > MAX_METADATA:
        return {}
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _forbid
    parser.EntityDeclHandler = _forbid
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, _Forbidden, ValueError, LookupError):
        return {}
    return {name: _chosen(entries) for name, entries in reader.found.items() if entries}


def _chosen(entries: list[tuple[str, str]]) -> tuple[str, str]:
    language, text = next((e for e in entries if e[0] == "x-default"), entries[0])
    if language == "x-default":
        # The default repeats one of the alternatives; that one knows its language.
        language = next((lang for lang, other in entries if other == text and lang != language), "")
    return text, language
