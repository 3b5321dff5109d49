"""JPEG XL (ISO/IEC 18181) and JPEG 2000 (ISO/IEC 15444): boxes with notes, and JPEG XL's size."""

from __future__ import annotations

from collections.abc import Iterator

from functions.pictures.structure import heif
from functions.pictures.structure.survey import MAX_METADATA, Damaged, Survey

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
CODESTREAM = b"\xff\x0a"
# JPEG 2000 keeps notes in boxes that are named by a UUID.
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF_UUID = b"JpgTiffExif->JP2"
_IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
# SizeHeader: a ratio of three bits stands for a width; 0 says that the width follows.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def size(data: bytes) -> tuple[int, int]:
    """Width and height as the header of a JPEG XL says. Raises Damaged where there is none."""
    start = _codestream(data)
    if data[start : start + 2] != CODESTREAM:
        raise Damaged("no JPEG XL codestream")
    bits = _Bits(data[start + 2 : start + 18])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if not ratio:
        return _side(bits, small), height
    numerator, denominator = _RATIOS[ratio]
    return height * numerator // denominator, height


def _side(bits: _Bits, small: int) -> int:
    if small:
        return 8 * (1 + bits.take(5))
    return 1 + bits.take((9, 13, 18, 30)[bits.take(2)])


class _Bits:
    """Numbers of a few bits, the least significant bit of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._left, self._value = 8 * len(data), int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        if count > self._left:
            raise Damaged("the header ends too early")
        found = self._value & (1 << count) - 1
        self._value >>= count
        self._left -= count
        return found


def _codestream(data: bytes) -> int:
    if not data.startswith(CONTAINER):
        return 0
    for kind, _, body, _end in heif.boxes(data, 0, len(data)):
        if kind in (b"jxlc", b"jxlp"):
            return body + (4 if kind == b"jxlp" else 0)
    raise Damaged("no pixels")


def notes(data: bytes) -> Survey:
    """XMP, EXIF and IPTC in a file of boxes; nothing where there are no boxes."""
    found = Survey()
    try:
        for name, body in _noted(data):
            if name in (b"xml ", _XMP_UUID) and b"xmpmeta" in body and not found.xmp:
                found.xmp = body
            elif name == b"Exif" and not found.exif:
                found.exif = body[4 + int.from_bytes(body[:4], "big") :]
            elif name == _EXIF_UUID and not found.exif:
                found.exif = body.removeprefix(b"Exif\0\0")
            elif name == _IPTC_UUID and not found.iptc:
                found.iptc = body
    except Damaged:
        pass
    return found


def _noted(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if data[4:8] not in (b"jP  ", b"JXL "):
        return
    for kind, _, body, end in heif.boxes(data, 0, len(data)):
        if end - body > MAX_METADATA:
            continue
        if kind == b"uuid":
            yield data[body : body + 16], data[body + 16 : end]
        elif kind in (b"xml ", b"Exif"):
            yield kind, data[body:end]
