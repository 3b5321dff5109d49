"""libvips: it streams, so that memory follows the width of an image and not its area.

Its wheel decodes JPEG, PNG, WebP, TIFF, GIF and SVG. The pixels that Pillow and libheif decode
take the same way from there.
"""

from __future__ import annotations

import os
from typing import Any

from functions.core.document import EmbeddedText
from functions.pictures import svg, words
from functions.pictures.decoders import too_many_pixels
from functions.pictures.survey import MAX_METADATA, Survey

os.environ["VIPS_CONCURRENCY"] = "1"  # one decoder, one processor
os.environ["VIPS_DISC_THRESHOLD"] = "64g"  # in the cloud, a temporary file is memory too

import pyvips  # type: ignore[import-untyped]

__all__ = ["Decoded", "bounded", "draw", "pyvips", "read", "rgba", "shrunk"]

pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)
pyvips.operation_block_set("VipsForeignLoadSvg", False)

# A moment of an animation is found by decoding all before it.
_ANIMATION_PIXELS = 100_000_000
# Strictness belongs in the option string: thumbnail_source ignores its own argument
# (libvips issue 5195), and a half file would become a half picture.
_STRICT = "fail_on=truncated"


class Decoded:
    """Pixels and what is known of them; ``width`` and ``height`` are upright."""

    def __init__(self, image: Any, width: int, height: int, note: str = "") -> None:
        self.image, self.width, self.height, self.note = image, width, height, note
        self.embedded = EmbeddedText()


def bounded(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise too_many_pixels(width, height, max_pixels)


def _source(data: bytes) -> Any:
    # A source reads the bytes where they are; the buffer loaders copy them first.
    return pyvips.Source.new_from_memory(data)


def _field(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None


def read(data: bytes, kind: str, max_pixels: int, side: int) -> Decoded:
    header = pyvips.Image.new_from_source(_source(data), "", access="sequential")
    width, height = header.width, header.height
    bounded(width, height, max_pixels)
    if (_field(header, "orientation") or 1) >= 5:
        width, height = height, width
    pages = header.get_n_pages()
    if pages > 1 and kind != "image/tiff":
        picture = _sheet(data, pages, width, height, side)
    elif header.format not in ("uchar", "ushort"):
        picture = Decoded(_stretched(data, header, side), width, height)
    else:
        draw = _converted if _foreign(header) else _thumbnail
        picture = Decoded(draw(data, side), width, height)
    if pages > 1 and kind == "image/tiff":
        picture.note = f"The first of {pages} pages."
    if kind == "image/png" and data.find(b"acTL", 0, data.find(b"IDAT")) > 0:
        picture.note = "The first moment of an animation."
    picture.embedded = words.read(_notes(data, kind, header))
    return picture


def _notes(data: bytes, kind: str, header: Any) -> Survey:
    """The metadata of formats whose structure is not surveyed."""
    if kind == "image/tiff":
        classic = data[2:3] == b"*" or data[3:4] == b"*"
        return Survey(
            # A TIFF file is built like EXIF; only the first directory's texts are read from it.
            exif=data if classic else b"",
            xmp=_field(header, "xmp-data") or b"",
            iptc=_field(header, "iptc-data") or b"",
        )
    if kind == "image/gif":
        # XMP specification part 3: the packet as it is, then 258 bytes that end all blocks.
        start = data.find(b"\x0bXMP DataXMP") + 12
        end = data.find(b"\x01\xff\xfe\xfd", start, start + MAX_METADATA)
        return Survey(xmp=data[start:end] if start > 12 and end > 0 else b"")
    return Survey()


def _foreign(image: Any) -> bool:
    """Whether colours must be converted to be sRGB's."""
    profile = _field(image, "icc-profile-data")
    if image.interpretation in ("cmyk", "lab", "labs"):
        return True
    return profile is not None and b"sRGB" not in profile and b"s\0R\0G\0B" not in profile


def _thumbnail(data: bytes, side: int, page: int | None = None) -> Any:
    options = f"[{_STRICT}]" if page is None else f"[{_STRICT},page={page}]"
    image = pyvips.Image.thumbnail_source(
        _source(data), side, height=side, size="down", option_string=options
    )
    return image.copy_memory()


def _converted(data: bytes, side: int) -> Any:
    """Scaled first and converted then: a thumbnail would convert every pixel of the file."""
    image = pyvips.Image.new_from_source(_source(data), f"[{_STRICT}]", access="sequential")
    if image.get("vips-loader").startswith("jpegload"):
        # libjpeg halves while it decodes (ITU-T T.81 leaves that to decoders).
        halvings = max(image.width, image.height) // side
        shrink = next(n for n in (8, 4, 2, 1) if n <= max(1, halvings))
        options = f"[{_STRICT},shrink={shrink}]"
        image = pyvips.Image.new_from_source(_source(data), options, access="sequential")
    return _to_srgb(_scaled(image, side).copy_memory().autorot())


def _scaled(image: Any, side: int) -> Any:
    scale = side / max(image.width, image.height)
    if scale >= 1:
        return image
    if not image.hasalpha():
        return image.resize(scale)
    shape = image.format
    return image.premultiply().resize(scale).unpremultiply().cast(shape)


def _to_srgb(image: Any) -> Any:
    if _foreign(image):
        try:
            fallback = {"input_profile": "cmyk"} if image.interpretation == "cmyk" else {}
            image = image.icc_transform("srgb", embedded=True, **fallback)
        except pyvips.Error:  # a profile for other colours than the image has, or a broken one
            pass
    return image if image.interpretation in ("srgb", "b-w") else image.colourspace("srgb")


def _stretched(data: bytes, header: Any, side: int) -> Any:
    """Measurements (float, 32 bits): from the smallest to the largest value."""
    image = pyvips.Image.new_from_source(_source(data), "", access="sequential")
    image = image.resize(min(1.0, side / max(header.width, header.height))).copy_memory()
    image = image[:3] if image.bands >= 3 else image[0]
    low, high = image.min(), image.max()
    image = (image - low) * (255 / (high - low) if high > low else 0)
    return image.cast("uchar").copy(interpretation="srgb" if image.bands == 3 else "b-w")


def _sheet(data: bytes, pages: int, width: int, height: int, side: int) -> Decoded:
    within = max(1, min(pages, _ANIMATION_PIXELS // (width * height)))
    count = min(4, within)
    moments = [within * i // count for i in range(count)]
    if count == 1:
        first = _thumbnail(data, side, 0)
        return Decoded(first, width, height, "The first moment of an animation.")
    frames = [rgba(_thumbnail(data, side // 2, page)) for page in moments]
    sheet = pyvips.Image.arrayjoin(frames, across=2, shim=8, background=[128, 128, 128, 255])
    note = f"{count} moments of one animation of {pages} frames, in reading order."
    return Decoded(sheet.copy_memory(), width, height, note)


def rgba(image: Any) -> Any:
    if image.bands < 3:
        image = image.colourspace("srgb")
    return image if image.hasalpha() else image.addalpha()


def draw(data: bytes, side: int) -> Decoded:
    data = svg.plain(data)
    embedded = svg.check(data)
    header = pyvips.Image.svgload_source(_source(data))
    scale = side / max(header.width, header.height)
    image = pyvips.Image.svgload_source(_source(data), scale=min(scale, 1000.0)).copy_memory()
    picture = Decoded(image, header.width, header.height)
    picture.embedded = embedded
    return picture


def shrunk(image: Any, profile: bytes | None, side: int) -> Any:
    if profile:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    image = image.thumbnail_image(side, height=side, size="down").copy_memory()
    return _to_srgb(image)
