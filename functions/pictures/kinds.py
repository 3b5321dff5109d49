"""What a file is, told from its first bytes: names and declared content types lie."""

from __future__ import annotations

import re
import zlib

SVG = "image/svg+xml"

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),  # BigTIFF
    (b"MM\0+", "image/tiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51\x00", "image/jp2"),  # a bare JPEG 2000 codestream
)
# ISO/IEC 23008-12 (HEIF) and the AVIF specification: brands of the file type box.
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis", b"avio"}
_HEIF = {b"mif1", b"mif2", b"msf1", b"miaf"}
# Atomic and possessive, so that a wall of comments is walked once.
_TEXT_BEFORE_SVG = re.compile(
    r"""\ufeff?\s*+(?>(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[.*?\]\s*)?>)\s*)*+<(?:\w+:)?svg[\s>/]""",
    re.DOTALL | re.IGNORECASE,
)


def sniff(head: bytes) -> str | None:
    """The MIME type of the image that these first bytes begin, None for anything else.

    ``head`` is the first 4,096 bytes, or the whole file if it is shorter.
    """
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[:2] == b"BM" and _is_bmp(head):
        return "image/bmp"
    if head[:4] in (b"\0\0\1\0", b"\0\0\2\0") and _is_icon(head):
        return "image/x-icon"
    return SVG if _is_svg(head) else None


def _brand(head: bytes) -> str | None:
    size = min(int.from_bytes(head[:4], "big"), len(head), 256)
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]
    for brand in brands:
        if brand in _AVIF:
            return "image/avif"
        if brand in _HEIC:
            return "image/heic"
    return None if _HEIF.isdisjoint(brands) else "image/heif"


def _is_bmp(head: bytes) -> bool:
    # The size of the second header says which version it is; 12 is OS/2's.
    return int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_icon(head: bytes) -> bool:
    count = int.from_bytes(head[4:6], "little")
    return 0 < count <= 256 and len(head) >= 22 and head[9] == 0


def _is_svg(head: bytes) -> bool:
    if head[:2] == b"\x1f\x8b":
        head = _gunzipped(head)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "ignore")
    else:
        text = head.decode("utf-8", "ignore")
    return _TEXT_BEFORE_SVG.match(text) is not None


def _gunzipped(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, 4096)
    except zlib.error:
        return b""
