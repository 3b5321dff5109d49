"""The words in an XMP packet (ISO 16684-1), read with entities forbidden."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from functions.pictures.structure.survey import MAX_METADATA

# By namespace, and by the prefix that everybody writes for it.
_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xml": "http://www.w3.org/XML/1998/namespace",
}
_NAMES = {
    "dc:description": "description",
    "dc:title": "title",
    "Iptc4xmpCore:AltTextAccessibility": "alt_text",
    "Iptc4xmpCore:ExtDescrAccessibility": "extended",
}
_PREFIXES = {space: prefix for prefix, space in _SPACES.items()}
# Elements inside a property whose text is its own.
_ITEMS = frozenset({"rdf:li", "rdf:value"})
_MAX_DEPTH = 64

Alternatives = list[tuple[str, str]]  # language, text


class _Forbidden(Exception):
    """No XMP packet has a document type, or that many levels."""


class _PacketReader:
    """Collects the alternatives of each name. Only a property of the picture itself counts: one
    that stands in a description directly below ``rdf:RDF``. Others are of its history, its
    ingredients or its regions."""

    def __init__(self) -> None:
        self.found: dict[str, Alternatives] = {}
        self._open: list[str] = []
        self._property = ""
        self._language = ""
        self._text: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        name = _short(name)
        if len(self._open) >= _MAX_DEPTH:
            raise _Forbidden
        if self._open[-2:] == ["rdf:RDF", "rdf:Description"] and name in _NAMES:
            self._property = _NAMES[name]
        elif self._open[-1:] == ["rdf:RDF"] and name == "rdf:Description":
            # Simple properties may be written as attributes.
            for key, value in attributes.items():
                if _short(key) in _NAMES:
                    self._add(_NAMES[_short(key)], "", value)
        if self._property:
            named = {_short(key): value for key, value in attributes.items()}
            self._language = named.get("xml:lang", "")
            self._text = []
        self._open.append(name)

    def end(self, name: str) -> None:
        name = self._open.pop()
        if not self._property:
            return
        if name in _ITEMS or name in _NAMES:
            self._add(self._property, self._language, "".join(self._text))
        self._text = []
        if name in _NAMES and self._open[-2:] == ["rdf:RDF", "rdf:Description"]:
            self._property = ""

    def text(self, text: str) -> None:
        if self._property and (self._open[-1] in _ITEMS or self._open[-1] in _NAMES):
            self._text.append(text)

    def _add(self, name: str, language: str, text: str) -> None:
        entries = self.found.setdefault(name, [])
        if text.strip() and len(entries) < 100:
            entries.append((language, text))


def _short(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"{_PREFIXES.get(space, '?')}:{local}" if space else name


def _forbid(*_: Any) -> None:
    raise _Forbidden


def texts(packet: bytes) -> dict[str, Alternatives]:
    """The alternatives of each name, as ``(language, text)``, the default first where it is
    marked. An error in the XML costs what stands behind it; then what can be mended is."""
    packet = packet.strip(b"\0 \r\n\t")
    if not packet or len(packet) > MAX_METADATA:
        return {}
    try:
        found, whole = _read(packet, " ")
        if not whole:
            found = _read(_mended(packet), None)[0] | found
    except _Forbidden:
        return {}
    return {name: _ordered(entries) for name, entries in found.items() if entries}


def _read(packet: bytes, separator: str | None) -> tuple[dict[str, Alternatives], bool]:
    """What is found, and whether the packet was read to its end."""
    reader = _PacketReader()
    try:
        parser = expat.ParserCreate(namespace_separator=separator)
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.text
        parser.StartDoctypeDeclHandler = _forbid
        parser.EntityDeclHandler = _forbid
        parser.Parse(packet, True)
    except (expat.ExpatError, ValueError, LookupError):
        return reader.found, False
    return reader.found, True


_BEFORE = re.compile(r"^.*?(?=<(?:x:xmpmeta|rdf:RDF)\b)", re.DOTALL)
_AFTER = re.compile(r"(?<=</x:xmpmeta>).*", re.DOTALL)
_STRAY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _mended(packet: bytes) -> bytes:
    """The packet in UTF-8, without what stands around it, with controls gone and stray
    ampersands written as such. It is read by its prefixes: some are not declared."""
    wide = packet[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = packet.decode("utf-16" if wide else "utf-8", "replace")
    text = _AFTER.sub("", _BEFORE.sub("", text, count=1), count=1)
    return _STRAY.sub("&amp;", _CONTROLS.sub("", text)).encode("utf-8", "replace")


def _ordered(entries: Alternatives) -> Alternatives:
    default = next((text for language, text in entries if language == "x-default"), None)
    if default is None:
        return entries
    # The default repeats one of the alternatives; that one knows its language.
    others = [entry for entry in entries if entry[0] != "x-default"]
    language = next((language for language, text in others if text == default), "")
    return [(language, default), *(entry for entry in others if entry != (language, default))]
