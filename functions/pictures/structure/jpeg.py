"""JPEG's structure (ITU-T T.81 annex B): markers, segments, scans."""

from __future__ import annotations

import re

from functions.pictures.embedded_text import exif, iptc
from functions.pictures.structure import icc
from functions.pictures.structure.survey import (
    MAX_METADATA,
    MAX_NOTES,
    MAX_PARTS,
    Damaged,
    Survey,
    number,
)

_SOI_EOI_RST = {0x01, *range(0xD0, 0xD9)}
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PLAIN_SOF = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive, all Huffman-coded
_EOI, _SOS = 0xD9, 0xDA
# What decoding needs beside the frame: Huffman tables, quantization tables, a scan.
_NEEDED = {0xC4, 0xDB, _SOS}
_CODING = {*_SOF, *_NEEDED, 0xCC, 0xDD}  # and arithmetic conditioning, the restart interval
# In a scan 0xFF is followed by 0x00 (stuffing) or a restart marker; all else ends the scan.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_ICC = b"ICC_PROFILE\0"
# Any number of fill bytes may stand before a marker.
_FILL = re.compile(rb"\xff++")
# What a JFIF header and Adobe's marker have to say; the rest of a longer one is private.
_JFIF_LENGTH, _ADOBE_LENGTH = 14, 12


def survey(data: bytes) -> Survey:
    """Walk all segments up to the end of the primary image.

    Kept is what decoding needs, the JFIF header, the colour profile (ICC.1 annex B.4) and
    Adobe's marker of the colour transform, for they decide what the pixels mean. Everything else
    goes: EXIF, XMP, IPTC, comments, previews, and what follows the end marker (the further
    pictures of the Multi-Picture Format, gain maps, the videos of motion photos).
    """
    found = Survey()
    found.hold(0, 2)
    position = 2
    held = set[int]()
    for _ in range(MAX_PARTS):
        start = position
        marker, position = _marker(data, position)
        if marker in _SOI_EOI_RST:
            continue
        if marker == _EOI:
            found.hold(start, position)
            if not held >= _NEEDED:
                raise Damaged("no tables or no pixels")
            return _judged(found)
        end = position + number(data, position, 2)
        if end > len(data) or end < position + 2:
            raise Damaged("a segment reaches beyond the end of the file")
        if _wanted(found, data, marker, position + 2, end):
            _keep(found, data, marker, start, position + 2, end)
            held.add(marker)
        position = end
        if marker == _SOS:
            match = _END_OF_SCAN.search(data, position)
            if match is None:
                raise Damaged("the end marker is missing")
            found.hold(position, match.start())
            position = match.start()
    raise Damaged("too many segments")


def _marker(data: bytes, position: int) -> tuple[int, int]:
    fill = _FILL.match(data, position)
    if fill is None:
        raise Damaged("no marker where one must be")
    return number(data, fill.end(), 1), fill.end() + 1


def _wanted(found: Survey, data: bytes, marker: int, start: int, end: int) -> bool:
    """Whether the segment stays; what the others say is noted."""
    if marker in _SOF:
        _frame(found, data, marker, start)
    elif marker == 0xE0:
        # It decides the colours, with Adobe's: without it they may change.
        return data.startswith(b"JFIF\0", start) and end - start >= _JFIF_LENGTH
    elif marker == 0xE2:
        if not data.startswith(_ICC, start):
            return False
        found.icc += data[start + len(_ICC) + 2 : end] if len(found.icc) < MAX_METADATA else b""
        return True
    elif marker == 0xEE:
        return data.startswith(b"Adobe", start) and end - start >= _ADOBE_LENGTH
    elif 0xE0 <= marker <= 0xEF:
        _note(found, data, start, end)
    # The others are comments, or reserved for what nobody needs to decode.
    return marker in _CODING


def _keep(found: Survey, data: bytes, marker: int, start: int, body: int, end: int) -> None:
    """Keep a segment, without the thumbnail or whatever else makes it longer than it must be."""
    length = {0xE0: _JFIF_LENGTH, 0xEE: _ADOBE_LENGTH}.get(marker, 0)
    if not length or end - body == length:
        found.hold(start, end)
        return
    kept = data[body : body + length]
    if marker == 0xE0:
        kept = kept[:12] + b"\0\0"  # a thumbnail of 0 x 0 pixels
    found.put(start, end, bytes([0xFF, marker, 0, length + 2]) + kept)


def _frame(found: Survey, data: bytes, marker: int, start: int) -> None:
    if found.width:
        raise Damaged("more than one frame")
    precision, components = number(data, start, 1), number(data, start + 5, 1)
    found.height, found.width = number(data, start + 1, 2), number(data, start + 3, 2)
    if marker not in _PLAIN_SOF or precision != 8:
        found.obstacle = "a coding that few decoders know"
    elif components not in (1, 3):
        found.obstacle = "not grey and not three colours"


def _note(found: Survey, data: bytes, start: int, end: int) -> None:
    if data.startswith(_EXIF, start) and not found.exif:
        found.exif = data[start + len(_EXIF) : end]
        found.orientation = exif.orientation(found.exif)
    elif data.startswith(_XMP, start) and not found.xmp:
        found.xmp = data[start + len(_XMP) : end]
    elif data.startswith(_PHOTOSHOP, start) and found.notes < MAX_NOTES:
        found.notes += 1
        found.iptc += iptc.in_photoshop(data[start + len(_PHOTOSHOP) : end])


def _judged(found: Survey) -> Survey:
    if not found.width or not found.height:
        raise Damaged("no frame")
    if found.orientation != 1:
        found.obstacle = found.obstacle or "not upright"
    if found.icc and not icc.is_near_srgb(found.icc):
        found.obstacle = found.obstacle or "colours that not every decoder shows"
    return found
