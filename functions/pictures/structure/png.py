"""PNG's structure (W3C PNG, third edition): chunks."""

from __future__ import annotations

import zlib

from functions.pictures.embedded_text import exif, iptc
from functions.pictures.structure import cicp, icc
from functions.pictures.structure.survey import (
    MAX_METADATA,
    MAX_NOTES,
    MAX_PARTS,
    Damaged,
    Survey,
    number,
)

_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
# How long the chunks are that tell of colours; what makes one longer is private.
_COLOURS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"sBIT": 4, b"pHYs": 9, b"iCCP": MAX_METADATA}
# Some decoders read none of a file in which the checksum of one of these is wrong.
_CHECKED = {b"PLTE", b"IDAT", *_COLOURS}
_ALPHA = {4, 6}
_XMP = b"XML:com.adobe.xmp"
# ImageMagick's way to keep other formats' notes: their bytes in hexadecimal digits.
_PROFILES = {
    *(b"Raw profile type iptc", b"Raw profile type 8bim", b"Raw profile type xmp"),
    *(b"Raw profile type exif", b"Raw profile type APP1"),
}
# The others are not even inflated.
_KEYWORDS = {_XMP, b"Title", b"Description", *_PROFILES}
_SRGB_GAMMA = 0.45455


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
        sound = kind not in _CHECKED or _is_sound(data, position, end)
        if kind in _PIXELS:
            if not sound:
                raise Damaged("pixels that are not what was written")
            found.hold(position, end)
            idat = idat or (kind == b"IDAT" and size > 0)
        elif sound and kind in _COLOURS and _small(found, data, kind, position + 8, size):
            found.hold(position, end)
        else:
            _note(found, kind, data, position + 8, end - 4)
        if kind == b"IEND":
            if not idat:
                raise Damaged("no pixels")
            _coloured(found)
            return found
        position = end
    raise Damaged("too many chunks")


def _is_sound(data: bytes, position: int, end: int) -> bool:
    return zlib.crc32(memoryview(data)[position + 4 : end - 4]) == number(data, end - 4)


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
    if kind == b"gAMA" and size == 4:
        found.gamma = number(data, start) / 100_000
    elif kind == b"sRGB":
        found.icc = found.icc or b"sRGB"
    if kind != b"iCCP":
        return size <= _COLOURS[kind]
    found.notes += 1
    if size > MAX_METADATA or found.notes > MAX_NOTES:
        return False
    body = data[start : start + size]
    profile = _inflated(found, body[body.find(b"\0") + 2 :])
    found.icc = profile or found.icc
    return profile is not None


def _coloured(found: Survey) -> None:
    """The one of four ways to tell colours that counts: code points before a profile, before a
    name, before a gamma."""
    odd = 0.1 <= found.gamma <= 10 and abs(found.gamma / _SRGB_GAMMA - 1) > 0.05
    if found.cicp or found.icc or not odd:
        found.gamma = 0.0
    far = found.icc not in (b"", b"sRGB") and not icc.is_near_srgb(found.icc)
    if found.cicp or found.gamma or far:
        found.obstacle = found.obstacle or "colours that not every decoder shows"


def _note(found: Survey, kind: bytes, data: bytes, start: int, end: int) -> None:
    if kind == b"tRNS":
        found.obstacle = found.obstacle or "transparency"
    elif kind == b"acTL":
        found.obstacle = "animation"
    elif kind == b"cICP" and end - start == 4:
        found.cicp = b"" if cicp.is_plain(data[start:end]) else data[start:end]
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
    keyword, _, rest = body.partition(b"\0")
    if keyword not in _KEYWORDS:
        return
    raw: bytes | None
    if kind == b"tEXt":
        raw = rest
    elif kind == b"zTXt":
        raw = _inflated(found, rest[1:])
    else:
        _language, _, tail = rest[2:].partition(b"\0")
        _translated, _, raw = tail.partition(b"\0")
        if rest[:1] == b"\x01":
            raw = _inflated(found, raw)
    if raw is None:
        return
    if keyword == _XMP:
        found.xmp = found.xmp or raw
    elif keyword in _PROFILES:
        _profile(found, keyword.rpartition(b" ")[2], raw)
    else:
        found.texts.setdefault(keyword.decode("latin-1"), raw)


def _profile(found: Survey, name: bytes, raw: bytes) -> None:
    """A line with the name, one with the length, then the digits."""
    try:
        body = bytes.fromhex(b"".join(raw.split()[2:]).decode("ascii"))
    except ValueError:
        return
    if name in (b"iptc", b"8bim"):
        found.iptc = found.iptc or iptc.in_photoshop(body.removeprefix(b"Photoshop 3.0\0")) or body
    elif b"<" in body and (name == b"xmp" or b"ns.adobe.com/xap" in body[:40]):
        found.xmp = found.xmp or body[body.find(b"<") :]
    elif name != b"xmp":
        found.exif = found.exif or body.removeprefix(b"Exif\0\0")


def _inflated(found: Survey, data: bytes) -> bytes | None:
    """The inflated data, None if they are broken or more than all of a file's text can be."""
    inflator = zlib.decompressobj()
    try:
        inflated = inflator.decompress(data, found.inflatable) if found.inflatable else b""
    except zlib.error:
        return None
    found.inflatable -= len(inflated)
    return None if inflator.unconsumed_tail or not inflator.eof else inflated
