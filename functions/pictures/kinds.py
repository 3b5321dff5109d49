"""What a file is, told from its first bytes: names and declared content types lie."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from functions.pictures.structure import jxl
from functions.pictures.structure.survey import Damaged

SVG = "image/svg+xml"
RAW = "image/x-raw"
MP4, QUICKTIME = "video/mp4", "video/quicktime"
WEBM, MATROSKA = "video/webm", "video/x-matroska"
AVI = "video/x-msvideo"
HEAD_BYTES = 1 << 16
VIDEOS = frozenset({MP4, QUICKTIME, WEBM, MATROSKA, AVI})

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
    (b"8BPS\0\1\0\0\0\0\0\0", "image/vnd.adobe.photoshop"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"%PDF-", "application/pdf"),
    # Cameras' raw data that is no TIFF: Olympus, Panasonic, Fujifilm, Sigma, Minolta.
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),
    (b"FUJIFILMCCD-RAW ", RAW),
    (b"FOVb", RAW),
    (b"\0MRM", RAW),
)
_ANYMAP = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+\d{1,9}(?:\s|#[^\n]*\n)+\d{1,9}\s")
# ISO/IEC 23008-12 (HEIF) and the AVIF specification: brands of the file type box.
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis", b"avio"}
_HEIF = {b"mif1", b"mif2", b"msf1", b"miaf"}
# Sound, books and images that no browser shows, in the same container as videos.
_NO_VIDEO = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ", b"aax ", b"jpm ", b"jpx ", b"mjp2"}
# What begins QuickTime files from before the file type box: the index, or room for it.
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_EBML = b"\x1a\x45\xdf\xa3"
# Atomic and possessive, so that a wall of comments is walked once.
_TEXT_BEFORE_SVG = re.compile(
    r"""\ufeff?\s*+(?>(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[.*?\]\s*)?>)\s*)*+<(?:\w+:)?svg[\s>/]""",
    re.DOTALL | re.IGNORECASE,
)


def sniff(head: bytes) -> str | None:
    """The MIME type of the image or video that these first bytes begin, None for anything else.

    4,096 bytes tell all kinds but a drawing that begins with a longer comment or more declarations:
    ``HEAD_BYTES`` tell that one too.
    """
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head.startswith(_EBML):
        return _matroska(head)
    if head[4:8] in _OLD_QUICKTIME and _is_old_quicktime(head):
        return QUICKTIME
    if head[:2] == b"BM" and _is_bmp(head):
        return "image/bmp"
    if head[:4] in (b"\0\0\1\0", b"\0\0\2\0") and _is_icon(head):
        return "image/x-icon"
    for seems, kind in _UNMARKED:
        if seems(head):
            return kind
    return SVG if _is_svg(head) else None


def _brand(head: bytes) -> str | None:
    size = min(int.from_bytes(head[:4], "big"), len(head), 256)
    if head[8:12] == b"crx ":  # Canon's CR3
        return RAW
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]
    for brand in brands:
        if brand in _AVIF:
            return "image/avif"
        if brand in _HEIC:
            return "image/heic"
    if not _HEIF.isdisjoint(brands):
        return "image/heif"
    if brands[0] in _NO_VIDEO:
        return None
    return QUICKTIME if brands[0] == b"qt  " else MP4


def _matroska(head: bytes) -> str | None:
    """By the document's type (RFC 8794, 11.2.6), which stands in the first few bytes."""
    if b"\x42\x82\x84webm" in head[:64]:
        return WEBM
    return MATROSKA if b"\x42\x82\x88matroska" in head[:64] else None


def _is_old_quicktime(head: bytes) -> bool:
    """Whether the first box has a size that it can have: text does not."""
    size = int.from_bytes(head[:4], "big")
    return size != 0 and (size < 1 << 26 or head[4:8] == b"mdat")


def _is_bmp(head: bytes) -> bool:
    # The size of the second header says which version it is; 12 is OS/2's.
    return int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_icon(head: bytes) -> bool:
    count = int.from_bytes(head[4:6], "little")
    return 0 < count <= 256 and len(head) >= 22 and head[9] == 0


def _is_jpeg_xl(head: bytes) -> bool:
    """A bare codestream: its mark is two bytes, so its size must make sense too."""
    try:
        width, height = jxl.size(head) if head.startswith(jxl.CODESTREAM) else (0, 0)
    except Damaged:
        return False
    return 0 < width < 1 << 18 and 0 < height < 1 << 18


def _is_tga(head: bytes) -> bool:
    """TGA has no mark: nothing in its header may be odd."""
    if len(head) < 18 or head[17] & 0xC0:
        return False
    mapped, coding, depth = head[1], head[2] & ~8, head[16]
    if not int.from_bytes(head[12:14], "little") or not int.from_bytes(head[14:16], "little"):
        return False
    if head[2] not in (1, 2, 3, 9, 10, 11):
        return False
    if coding == 1:
        entries, size = int.from_bytes(head[5:7], "little"), head[7]
        return mapped == 1 and depth == 8 and 0 < entries <= 256 and size in (15, 16, 24, 32)
    return (
        head[1] == 0
        and not any(head[3:8])
        and depth in {2: (15, 16, 24, 32), 3: (8, 16)}.get(coding, ())
    )


def _is_pcx(head: bytes) -> bool:
    if len(head) < 128 or head[0] != 10 or head[1] not in (0, 2, 3, 4, 5) or head[2] != 1:
        return False
    left, top, right, bottom = (int.from_bytes(head[i : i + 2], "little") for i in (4, 6, 8, 10))
    return head[3] in (1, 2, 4, 8) and left <= right and top <= bottom and 1 <= head[65] <= 4


_UNMARKED: tuple[tuple[Callable[[bytes], object], str], ...] = (
    (_ANYMAP.match, "image/x-portable-anymap"),
    (_is_jpeg_xl, "image/jxl"),
    (_is_pcx, "image/x-pcx"),
    (_is_tga, "image/x-tga"),
)


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
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""
