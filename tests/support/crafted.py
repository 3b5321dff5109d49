"""Image files that no encoder at hand writes, put together from their specifications."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from PIL import Image, ImageCms

from tests.support import drawn

Tag = tuple[int, str, Sequence[int]]  # number, struct's letter, values
_TYPES = {"B": 1, "H": 3, "I": 4}


def tiff(pixels: bytes, size: tuple[int, int], tags: Sequence[Tag] = (), bands: int = 3) -> bytes:
    """A TIFF of one strip, 8 bits a band unless ``tags`` say otherwise; they replace defaults."""
    return tiff_of([directory(pixels, size, tags, bands)])


def directory(
    pixels: bytes, size: tuple[int, int], tags: Sequence[Tag] = (), bands: int = 3
) -> tuple[bytes, dict[int, Tag]]:
    """One image of a TIFF file, for ``tiff_of``."""
    defaults: list[Tag] = [
        (256, "I", [size[0]]), (257, "I", [size[1]]), (258, "H", [8] * bands), (259, "H", [1]),
        (262, "H", [2 if bands >= 3 else 1]), (277, "H", [bands]), (278, "I", [size[1]]),
        (279, "I", [len(pixels)]),
    ]  # fmt: skip
    return pixels, {tag[0]: tag for tag in [*defaults, *tags]}


def tiff_of(pages: Sequence[tuple[bytes, dict[int, Tag]]], magic: bytes = b"II*\0") -> bytes:
    """A file of several images."""
    body = bytearray(magic + bytes(4))
    link = 4
    for pixels, tags in pages:
        strip = len(body)
        body += pixels + bytes(len(pixels) % 2)
        entries = b""
        for number, letter, values in sorted([*tags.values(), (273, "I", [strip])]):
            packed = struct.pack(f"<{len(values)}{letter}", *values)
            if len(packed) > 4:
                where = len(body)
                body += packed + bytes(len(packed) % 2)
                packed = where.to_bytes(4, "little")
            entries += struct.pack("<HHI", number, _TYPES[letter], len(values))
            entries += packed.ljust(4, b"\0")
        body[link : link + 4] = len(body).to_bytes(4, "little")
        link = len(body) + 2 + len(entries)
        body += struct.pack("<H", len(entries) // 12) + entries + bytes(4)
    return bytes(body)


def lab(bits: int) -> bytes:
    """The pixels of ``drawn.quarters()`` in CIE L*a*b*, as measured by littlecms."""
    colours = [(46, 69, 52), (57, -53, 52), (26, 49, -87), (98, 0, 0)]
    packed = []
    for lightness, a, b in colours:
        scale = 255 / 100 if bits == 8 else 65535 / 100
        step = 1 if bits == 8 else 256
        packed.append(
            struct.pack(
                "<Bbb" if bits == 8 else "<Hhh", round(lightness * scale), a * step, b * step
            )
        )
    rows = (packed[0] * 160 + packed[1] * 160) * 100 + (packed[2] * 160 + packed[3] * 160) * 100
    return rows


def linear_profile() -> bytes:
    """A profile that is named sRGB and whose tone curve is a straight line."""
    profile = bytearray(drawn.SRGB)
    (count,) = struct.unpack_from(">I", profile, 128)
    for at in range(132, 132 + 12 * count, 12):
        name, start, _size = struct.unpack_from(">4sII", profile, at)
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            profile[start : start + 12] = b"curv" + bytes(8)
    return bytes(profile)


def jxl(size: tuple[int, int] = (320, 200), **options: object) -> bytes:
    """The four quarters as JPEG XL."""
    import pillow_jxl  # noqa: F401

    return drawn.encoded(drawn.quarters(size), "JXL", **options)


def pdf(pages: int = 1, colours: Sequence[str] = ("1 0 0", "0 0.6 0")) -> bytes:
    """A document whose first page is half of each colour, left and right."""
    content = (f"{colours[0]} rg 0 0 100 100 re f {colours[1]} rg 100 0 100 100 re f").encode()
    kids = " ".join(f"{4 + i} 0 R" for i in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode(),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 3 0 R>>"
    objects += [page] * pages
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        len(body),
    )
    return body + head + table + tail


def boxed_jxl(codestream: bytes) -> bytes:
    """A bare codestream in the container that can hold notes."""
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    return head + (8 + len(codestream)).to_bytes(4, "big") + b"jxlc" + codestream


def psd(resources: bytes = b"", more: bytes = b"", layers: int = 0, lab: bool = False) -> bytes:
    """The four quarters as a flattened Photoshop file, with ``more`` channels behind them."""
    image, mode = drawn.quarters(), 3
    if lab:
        spaces = (ImageCms.createProfile(space) for space in ("sRGB", "LAB"))
        image, mode = ImageCms.profileToProfile(image, *spaces, outputMode="LAB"), 9
    count = 3 + len(more) // (image.width * image.height)
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", count, image.height, image.width, 8, mode)
    planes = b"".join(band.tobytes() for band in image.split())
    layer_info = struct.pack(">IIhh", 8, 4, layers, 0) if layers else bytes(4)
    sections = bytes(4) + len(resources).to_bytes(4, "big") + resources + layer_info
    return head + sections + b"\0\0" + planes + more


def bmp(image: Image.Image) -> bytes:
    """A bitmap whose header names the bits of four channels (BITMAPV4HEADER)."""
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHI", 108, *image.size, 1, 32, 3) + bytes(20) + masks + bytes(52)
    return b"BM" + struct.pack("<III", 122 + len(pixels), 0, 122) + header + pixels


def gzipped_text_chunks(count: int, size: int) -> bytes:
    """A PNG with ``count`` compressed text chunks of ``size`` bytes each, few bytes long."""
    packed = zlib.compress(b"a" * size, 9)
    chunks = [
        drawn.chunk(b"iTXt", b"Note%d\0\1\0\0\0" % number + packed) for number in range(count)
    ]
    return drawn.png_with(drawn.encoded(drawn.quarters((32, 20)), "PNG"), *chunks)
