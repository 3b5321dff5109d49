"""PNG's structure (W3C PNG, third edition): chunks."""

from __future__ import annotations

import zlib

from functions.pictures import exif
from functions.pictures.survey import MAX_METADATA, MAX_NOTES, MAX_PARTS, Damaged, Survey, number

_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_COLOURS = {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"}
_ALPHA = {4, 6}
_XMP = "XML:com.adobe.xmp"


def survey(data: bytes) -> Survey:
    """Walk the chunks. Kept are those of the pixels and of their colours; no text, no EXIF,
    no time, no private chunk, nothing behind the end chunk."""
    found = Survey()
    found.hold(0, 8)
    position = 8
    idat = False
    for _ in range(MAX_PARTS * 10):
        size = number(data, position)
        kind = data[position + 4 : position + 8]
        end = position + 12 + size
        if end > len(data):
            raise Damaged("a chunk reaches beyond the end of the file")
        if position == 8:
            _header(found, data, kind, size)
        if kind in _PIXELS or (kind in _COLOURS and _small(found, data, kind, position + 8, size)):
            found.hold(position, end)
        else:
            _note(found, kind, data, position + 8, end - 4)
        idat = idat or kind == b"IDAT"
        if kind == b"IEND":
            if not idat:
                raise Damaged("no pixels")
            return found
        position = end
    raise Damaged("too many chunks")


def _header(found: Survey, data: bytes, kind: bytes, size: int) -> None:
    if kind != b"IHDR" or size != 13 or zlib.crc32(data[12:29]) != number(data, 29):
        raise Damaged("no header")
    found.width, found.height = number(data, 16), number(data, 20)
    depth, colour = data[24], data[25]
    if not found.width or not found.height:
        raise Damaged("no width or no height")
    if depth > 8:
        found.obstacle = "16 bits a channel"
    elif colour in _ALPHA:
        found.obstacle = "transparency"


def _small(found: Survey, data: bytes, kind: bytes, start: int, size: int) -> bool:
    """No colour chunk is large; the profile is the one that can explode when it is inflated."""
    if kind != b"iCCP":
        return size <= 64
    found.notes += 1
    if size > MAX_METADATA or found.notes > MAX_NOTES:
        return False
    body = data[start : start + size]
    return _inflated(body[body.find(b"\0") + 2 :]) is not None


def _note(found: Survey, kind: bytes, data: bytes, start: int, end: int) -> None:
    if kind == b"tRNS":
        found.obstacle = found.obstacle or "transparency"
    elif kind == b"acTL":
        found.obstacle = "animation"
    elif kind == b"cICP" and data[start : start + 2] not in (b"\x01\x0d", b"\x01\x01"):
        found.obstacle = found.obstacle or "wide colours"
    elif end - start > MAX_METADATA or found.notes >= MAX_NOTES:
        return
    elif kind == b"eXIf" and not found.exif:
        found.exif = data[start:end]
        found.orientation = exif.orientation(found.exif)
        if found.orientation != 1:
            found.obstacle = found.obstacle or "not upright"
    elif kind in (b"tEXt", b"zTXt", b"iTXt"):
        found.notes += 1
        _text(found, kind, data[start:end])


def _text(found: Survey, kind: bytes, body: bytes) -> None:
    key, _, rest = body.partition(b"\0")
    keyword = key.decode("latin-1")
    raw: bytes | None
    if kind == b"tEXt":
        raw = rest
    elif kind == b"zTXt":
        raw = _inflated(rest[1:])
    else:
        _language, _, tail = rest[2:].partition(b"\0")
        _translated, _, raw = tail.partition(b"\0")
        if rest[:1] == b"\x01":
            raw = _inflated(raw)
    if raw is None:
        return
    if keyword == _XMP:
        found.xmp = found.xmp or raw
    else:
        found.texts.setdefault(
            keyword, raw.decode("utf-8" if kind == b"iTXt" else "latin-1", "ignore")
        )


def _inflated(data: bytes) -> bytes | None:
    """The inflated data, None if they are broken or more than text can be."""
    inflator = zlib.decompressobj()
    try:
        inflated = inflator.decompress(data, MAX_METADATA)
    except zlib.error:
        return None
    return None if inflator.unconsumed_tail or not inflator.eof else inflated
