"""Bytes -> a small upright sRGB JPEG. Runs in a decoder's process (see ``decoders``).

libvips decodes JPEG, PNG, WebP, TIFF, GIF and SVG: it streams, so that memory follows the width
of an image and not its area. Pillow has AVIF (in half of libvips's time), BMP, ICO and JPEG
2000; pi-heif has HEIC. What they give takes libvips's way from there.
"""

from __future__ import annotations

import array
import io
import os
import re
from typing import Any

from functions.domain import EmbeddedText, Picture
from functions.pictures import svg, words
from functions.pictures.decoders import too_many_pixels
from functions.pictures.kinds import SVG
from functions.pictures.survey import MAX_METADATA, Survey

os.environ["VIPS_CONCURRENCY"] = "1"  # one decoder, one processor
os.environ["VIPS_DISC_THRESHOLD"] = "64g"  # in the cloud, a temporary file is memory too

import pyvips  # type: ignore[import-untyped]

pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)
pyvips.operation_block_set("VipsForeignLoadSvg", False)

TOO_LARGE = "Decoding the image takes more memory than there is. Save it with fewer pixels."
# Photos lose nothing that counts at 85; drawings keep their coloured edges.
_PHOTO: dict[str, Any] = {"Q": 85, "keep": "none"}
_DRAWING: dict[str, Any] = {"Q": 90, "keep": "none", "subsample_mode": "off"}
_DRAWINGS = {"image/png", "image/gif", "image/bmp", "image/x-icon", SVG}
_PILLOW = {
    "image/avif": ("AVIF",),
    "image/jp2": ("JPEG2000",),
    "image/bmp": ("BMP",),
    "image/x-icon": ("ICO", "CUR"),
}
# A moment of an animation is found by decoding all before it.
_ANIMATION_PIXELS = 100_000_000
# Strictness belongs in the option string: thumbnail_source ignores its own argument
# (libvips issue 5195), and a half file would become a half picture.
_STRICT = "fail_on=truncated"


def decode(data: bytes, kind: str, max_pixels: int, side: int, max_bytes: int) -> Picture:
    """The picture, its longer side at most ``side``, as a JPEG of at most ``max_bytes``."""
    if kind == SVG:
        picture = _drawing(data, side)
    elif kind in ("image/heic", "image/heif"):
        picture = _heif(data, max_pixels, side)
    elif kind in _PILLOW:
        picture = _by_pillow(data, _PILLOW[kind], max_pixels, side)
    else:
        try:
            picture = _by_vips(data, kind, max_pixels, side)
        except pyvips.Error:
            if kind != "image/tiff":
                raise
            picture = _by_pillow(data, ("TIFF",), max_pixels, side)
    image, note = _opaque(picture.image)
    options = _DRAWING if kind in _DRAWINGS else _PHOTO
    encoded = image.jpegsave_buffer(**options)
    while len(encoded) > max_bytes and options["Q"] > 20:
        options = {**options, "Q": options["Q"] - 20}
        encoded = image.jpegsave_buffer(**options)
    notes = " ".join(part for part in (picture.note, note) if part)
    return Picture(
        bytes(encoded), "image/jpeg", picture.width, picture.height, picture.embedded, notes
    )


def refusal(error: Exception) -> dict[str, str]:
    """Why a library could not decode an image, for the person who uploaded it."""
    text = str(error).strip()
    if re.search("out of memory|insufficient memory|allocat", text, re.IGNORECASE):
        return {"reason": "too_many_pixels", "message": TOO_LARGE}
    detail = text.splitlines()[-1].strip()[:120] if text else type(error).__name__
    return {
        "reason": "corrupt_image",
        "message": f"The image cannot be decoded ({detail}). Upload it again, or save it in "
        "another program.",
    }


class _Decoded:
    """Pixels and what is known of them; ``width`` and ``height`` are upright."""

    def __init__(self, image: Any, width: int, height: int, note: str = "") -> None:
        self.image, self.width, self.height, self.note = image, width, height, note
        self.embedded = EmbeddedText()


def _bounded(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise too_many_pixels(width, height, max_pixels)


def _source(data: bytes) -> Any:
    # A source reads the bytes where they are; the buffer loaders copy them first.
    return pyvips.Source.new_from_memory(data)


def _field(image: Any, name: str) -> Any:
    return image.get(name) if image.get_typeof(name) else None


def _by_vips(data: bytes, kind: str, max_pixels: int, side: int) -> _Decoded:
    header = pyvips.Image.new_from_source(_source(data), "", access="sequential")
    width, height = header.width, header.height
    _bounded(width, height, max_pixels)
    if (_field(header, "orientation") or 1) >= 5:
        width, height = height, width
    pages = header.get_n_pages()
    if pages > 1 and kind != "image/tiff":
        picture = _sheet(data, pages, width, height, side)
    elif header.format not in ("uchar", "ushort"):
        picture = _Decoded(_stretched(data, header, side), width, height)
    else:
        picture = _Decoded(_thumbnail(data, side, _foreign(header)), width, height)
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
    """Whether colours must be converted: that costs three times what scaling does."""
    profile = _field(image, "icc-profile-data")
    if image.interpretation == "cmyk" or image.interpretation == "lab":
        return True
    return profile is not None and b"sRGB" not in profile and b"s\0R\0G\0B" not in profile


def _thumbnail(data: bytes, side: int, foreign: bool, page: int | None = None) -> Any:
    options = f"[{_STRICT}]" if page is None else f"[{_STRICT},page={page}]"
    colours = {"output_profile": "srgb"} if foreign else {}
    return pyvips.Image.thumbnail_source(
        _source(data), side, height=side, size="down", option_string=options, **colours
    ).copy_memory()


def _stretched(data: bytes, header: Any, side: int) -> Any:
    """Measurements (float, 32 bits): from the smallest to the largest value."""
    image = pyvips.Image.new_from_source(_source(data), "", access="sequential")
    image = image.resize(min(1.0, side / max(header.width, header.height))).copy_memory()
    image = image[:3] if image.bands >= 3 else image[0]
    low, high = image.min(), image.max()
    image = (image - low) * (255 / (high - low) if high > low else 0)
    return image.cast("uchar").copy(interpretation="srgb" if image.bands == 3 else "b-w")


def _sheet(data: bytes, pages: int, width: int, height: int, side: int) -> _Decoded:
    within = max(1, min(pages, _ANIMATION_PIXELS // (width * height)))
    count = min(4, within)
    moments = [within * i // count for i in range(count)]
    if count == 1:
        first = _thumbnail(data, side, False, 0)
        return _Decoded(first, width, height, "The first moment of an animation.")
    frames = [_rgba(_thumbnail(data, side // 2, False, page)) for page in moments]
    sheet = pyvips.Image.arrayjoin(frames, across=2, shim=8, background=[128, 128, 128, 255])
    note = f"{count} moments of one animation of {pages} frames, in reading order."
    return _Decoded(sheet.copy_memory(), width, height, note)


def _rgba(image: Any) -> Any:
    if image.bands < 3:
        image = image.colourspace("srgb")
    return image if image.hasalpha() else image.addalpha()


def _drawing(data: bytes, side: int) -> _Decoded:
    data = svg.plain(data)
    embedded = svg.check(data)
    header = pyvips.Image.svgload_source(_source(data))
    scale = side / max(header.width, header.height)
    image = pyvips.Image.svgload_source(_source(data), scale=min(scale, 1000.0)).copy_memory()
    picture = _Decoded(image, header.width, header.height)
    picture.embedded = embedded
    return picture


def _heif(data: bytes, max_pixels: int, side: int) -> _Decoded:
    import pi_heif  # type: ignore[import-untyped]

    # libheif turns and mirrors as irot and imir say; the EXIF orientation does not count.
    file = pi_heif.open_heif(data)
    pixels = file[file.primary_index]
    width, height = pixels.size
    _bounded(width, height, max_pixels)
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(pixels.mode)
    if bands is None:
        return _from_pillow(pixels.to_pillow(), side)
    # Rows may be padded: read them as bytes, cut them to the width, fold bytes into pixels.
    rows = pyvips.Image.new_from_memory(pixels.data, pixels.stride, height, 1, "uchar")
    image = rows.crop(0, 0, width * bands, height).bandfold(factor=bands)
    image = image.copy(interpretation="srgb" if bands >= 3 else "b-w")
    return _Decoded(_shrunk(image, pixels.info.get("icc_profile"), side), width, height)


def _by_pillow(data: bytes, formats: tuple[str, ...], max_pixels: int, side: int) -> _Decoded:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data), formats=formats) as image:
        _bounded(*image.size, max_pixels)
        return _from_pillow(image, side)


def _from_pillow(image: Any, side: int) -> _Decoded:
    width, height = image.size
    frames = getattr(image, "n_frames", 1)
    info = image.info
    embedded = words.read(
        Survey(exif=info.get("exif", b"").removeprefix(b"Exif\0\0"), xmp=info.get("xmp", b""))
    )
    turned = image.getexif().get(0x0112, 1)
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    elif "A" in image.mode or "transparency" in info:
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    factor = max(width, height) // side
    if factor > 1:
        image = image.reduce(factor)
    bands = len(image.getbands())
    pixels = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, "uchar")
    space = {1: "b-w", 3: "srgb"}.get(bands, "cmyk" if image.mode == "CMYK" else "srgb")
    pixels = pixels.copy(interpretation=space)
    if turned in range(2, 9):
        pixels.set_type(pyvips.GValue.gint_type, "orientation", turned)
    if turned >= 5:
        width, height = height, width
    note = f"The first of {frames} frames." if frames > 1 else ""
    decoded = _Decoded(_shrunk(pixels, info.get("icc_profile"), side), width, height, note)
    decoded.embedded = embedded
    return decoded


def _shrunk(image: Any, profile: bytes | None, side: int) -> Any:
    if profile:
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    colours = {"output_profile": "srgb"} if _foreign(image) else {}
    return image.thumbnail_image(side, height=side, size="down", **colours).copy_memory()


def _opaque(image: Any) -> tuple[Any, str]:
    """The picture on a background on which it can be seen, and what that background is."""
    if not image.hasalpha():
        return image, ""
    image = _rgba(image)
    alpha = image[3]
    if alpha.min() == 255:
        return image[:3], ""
    light = image[:3].colourspace("b-w").cast("uchar")
    histogram = alpha.hist_find_indexed(light, combine="sum").cast("double").write_to_memory()
    weights = array.array("d", bytes(histogram))
    total = sum(weights)

    def lost(background: int) -> float:
        return sum(weights[max(0, background - 48) : background + 49]) / total if total else 0.0

    # White unless something white is there to be lost.
    shade, name = min(
        ((255, "white"), (32, "black"), (128, "grey")),
        key=lambda choice: max(0.1, lost(choice[0])),
    )
    share = 1 - alpha.avg() / 255
    note = f"Its transparent background is shown in {name}." if share > 0.02 else ""
    return image.flatten(background=[shade] * 3), note
