"""WebP's structure (RFC 9649): a RIFF file."""

from __future__ import annotations

from functions.pictures.embedded_text import exif
from functions.pictures.structure import icc
from functions.pictures.structure.survey import MAX_METADATA, MAX_PARTS, Damaged, Survey, number

_KEPT = {b"VP8 ", b"VP8L", b"ICCP"}
_ALPHA, _ANIMATION = 0x10, 0x02


def survey(data: bytes) -> Survey:
    """Walk the chunks. Kept are the pixels and the colour profile; the headers are written
    anew by :func:`cut`, for they count bytes and announce metadata."""
    found = Survey()
    total = int.from_bytes(data[4:8], "little") + 8
    if total > len(data):
        raise Damaged("the file ends too early")
    position = 12
    for _ in range(MAX_PARTS):
        if position + 8 > total:
            break
        kind = data[position : position + 4]
        start = position + 8
        size = int.from_bytes(data[position + 4 : start], "little")
        end = start + size + size % 2
        if start + size > total:
            raise Damaged("a chunk reaches beyond the end of the file")
        if kind in _KEPT and (kind != b"ICCP" or size <= MAX_METADATA):
            found.hold(position, min(end, len(data)))
        _note(found, data, kind, start, size)
        position = end
    if not found.width or not found.height or not found.keep:
        raise Damaged("no pixels")
    if found.icc and not icc.is_near_srgb(found.icc):
        found.obstacle = found.obstacle or "colours that not every decoder shows"
    return found


def _note(found: Survey, data: bytes, kind: bytes, start: int, size: int) -> None:
    if kind == b"VP8X":
        number(data, start, 10)
        if data[start] & (_ALPHA | _ANIMATION):
            moves = data[start] & _ANIMATION
            found.obstacle = "animation" if moves else "transparency"
        found.width = 1 + int.from_bytes(data[start + 4 : start + 7], "little")
        found.height = 1 + int.from_bytes(data[start + 7 : start + 10], "little")
    elif kind == b"VP8 " and not found.width:
        if data[start + 3 : start + 6] != b"\x9d\x01\x2a":
            raise Damaged("no key frame")
        found.width = int.from_bytes(data[start + 6 : start + 8], "little") & 0x3FFF
        found.height = int.from_bytes(data[start + 8 : start + 10], "little") & 0x3FFF
    elif kind == b"VP8L":
        _lossless(found, data, start)
    elif kind == b"ICCP" and size <= MAX_METADATA:
        found.icc = data[start : start + size]
    elif kind == b"EXIF" and size <= MAX_METADATA and not found.exif:
        found.exif = data[start : start + size].removeprefix(b"Exif\0\0")
        found.orientation = exif.orientation(found.exif)
        if found.orientation != 1:
            found.obstacle = found.obstacle or "not upright"
    elif kind == b"XMP " and size <= MAX_METADATA and not found.xmp:
        found.xmp = data[start : start + size]


def _lossless(found: Survey, data: bytes, start: int) -> None:
    if number(data, start, 1) != 0x2F:
        raise Damaged("no lossless pixels")
    bits = int.from_bytes(data[start + 1 : start + 5], "little")
    if bits >> 28 & 1:
        found.obstacle = found.obstacle or "transparency"
    if not found.width:
        found.width, found.height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def cut(found: Survey, data: bytes) -> bytes:
    """The file without metadata: a simple one, or an extended one where there is a profile."""
    header = b""
    if data.startswith(b"ICCP", found.keep[0][0]):
        header = b"VP8X\x0a\0\0\0\x20\0\0\0" + b"".join(
            (side - 1).to_bytes(3, "little") for side in (found.width, found.height)
        )
    length = len(header) + sum(end - start for start, end in found.keep)
    if found.keep == [(12 + len(header), len(data))] and data.startswith(header, 12):
        return data
    view = memoryview(data)
    body = [view[start:end] for start, end in found.keep]
    return b"".join([b"RIFF", (length + 4).to_bytes(4, "little"), b"WEBP", header, *body])
