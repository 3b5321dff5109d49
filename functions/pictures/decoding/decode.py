"""Bytes -> a small upright sRGB JPEG. Runs in a decoder's process (see ``decoders``).

JPEG always, whatever the source: every model takes it, and a PNG of the same picture takes three
times the processor and more bytes, while tokens are the same.
"""

from __future__ import annotations

import array
import re
from collections.abc import Callable
from typing import Any

from functions.core.document import Picture
from functions.core.errors import PermanentError
from functions.pictures.decoding import libvips, pillow, raw
from functions.pictures.decoding.libvips import Decoded
from functions.pictures.decoding.ranges import Ranges
from functions.pictures.kinds import SVG, VIDEOS
from functions.pictures.structure import tiff

TOO_LARGE = "Decoding the image takes more memory than there is. Save it with fewer pixels."
# Photos lose nothing that counts at 85; drawings keep their coloured edges.
_PHOTO: dict[str, Any] = {"Q": 85, "keep": "none"}
_DRAWING: dict[str, Any] = {"Q": 90, "keep": "none", "subsample_mode": "off"}
_DRAWINGS = {"image/png", "image/gif", "image/bmp", "image/x-icon", "application/pdf", SVG}

Reader = Callable[[Any, str, int, int], Decoded]


def _pillow(*formats: str) -> Reader:
    return lambda data, _kind, limit, side: pillow.read(data, formats, limit, side)


def _raw(data: bytes, _kind: str, limit: int, side: int) -> Decoded:
    preview, orientation = raw.preview(data)
    picture = libvips.read(preview, "image/jpeg", limit, side)
    if orientation > 1 and not picture.turned:
        picture.turn(orientation)
    picture.note = "The preview that a camera made of its raw data."
    return picture


def _tiff(data: bytes, kind: str, limit: int, side: int) -> Decoded:
    directories = tiff.directories(data)
    if tiff.is_raw(data, directories):
        return _raw(data, kind, limit, side)
    if directories and (coding := tiff.main(directories).unknown_coding):
        raise PermanentError(
            "unsupported_type",
            f"The TIFF is compressed in a way (number {coding}) that no decoder here knows. Save "
            "it with LZW or Deflate, or as a PNG.",
        )
    return libvips.read(data, kind, limit, side)


def _video(source: Ranges, kind: str, limit: int, side: int) -> Decoded:
    from functions.pictures.decoding import video  # FFmpeg: not for those who have no videos

    return video.read(source, kind, limit, side)


def _moving(still: Reader, *formats: str) -> Reader:
    """Reads moments of an animation, or by ``still`` what does not move."""

    def read(data: bytes, kind: str, limit: int, side: int) -> Decoded:
        if _is_still(data, kind):
            return still(data, kind, limit, side)
        from functions.pictures.decoding import animation

        picture = animation.read(data, formats, limit, side)
        if picture is None:
            return still(data, kind, limit, side)
        picture.embedded = libvips.notes_of(data, kind)
        return picture

    return read


def _is_still(data: bytes, kind: str) -> bool:
    """Whether it is plain without Pillow, which takes 12 ms to load, that nothing moves."""
    if kind == "image/png":
        return data.find(b"acTL", 0, data.find(b"IDAT")) < 0
    if kind == "image/webp":
        return data[12:16] != b"VP8X" or not data[20:21] or not data[20] & 2
    if kind == "image/avif":
        return b"avis" not in data[8:64]
    return libvips.frames(data) < 2


# Who reads a kind. The second is asked where the first has failed (TIFF alone, whose codings no
# reader knows all of), and where a picture came out that is hard to believe.
_READERS: dict[str, tuple[Reader, ...]] = {
    SVG: (lambda data, _kind, _limit, side: libvips.draw(data, side),),
    "image/jpeg": (libvips.read, _pillow("JPEG")),
    "image/png": (_moving(libvips.read, "PNG"), _pillow("PNG")),
    "image/webp": (_moving(libvips.read, "WEBP"), _pillow("WEBP")),
    "image/gif": (_moving(libvips.read, "GIF"), _pillow("GIF")),
    "image/tiff": (_tiff, _pillow("TIFF")),
    "image/avif": (_moving(lambda d, _kind, m, s: pillow.read_avif(d, m, s), "AVIF"),),
    "image/heic": (lambda d, _kind, m, s: pillow.read_heif(d, m, s),),
    "image/heif": (lambda d, _kind, m, s: pillow.read_heif(d, m, s),),
    "image/jp2": (lambda d, _kind, m, s: pillow.read_jpeg2000(d, m, s),),
    "image/jxl": (lambda d, _kind, m, s: pillow.read_jpegxl(d, m, s),),
    "image/x-raw": (_raw,),
    "image/bmp": (_pillow("BMP"),),
    "image/x-icon": (_pillow("ICO", "CUR"),),
    "image/vnd.adobe.photoshop": (lambda d, _kind, m, s: pillow.read_psd(d, m, s),),
    "image/x-tga": (_pillow("TGA"),),
    "image/x-pcx": (_pillow("PCX"),),
    "image/x-portable-anymap": (_pillow("PPM"),),
    "application/pdf": (lambda d, _kind, m, s: pillow.read_pdf(d, m, s),),
    **dict.fromkeys(VIDEOS, (_video,)),
}
# Formats in which one colour takes next to no bytes, so that many bytes mean something else.
_COMPRESSED = {kind for kind in _READERS if kind not in (SVG, "application/pdf", *VIDEOS)} - {
    *("image/bmp", "image/x-icon", "image/x-tga", "image/x-pcx", "image/x-portable-anymap")
}


def decode(data: bytes | Ranges, kind: str, max_pixels: int, side: int, max_bytes: int) -> Picture:
    """The picture, its longer side at most ``side``, as a JPEG of at most ``max_bytes``."""
    picture = _believed(data, kind, max_pixels, side)
    image, note = _opaque(picture.image)
    options = _DRAWING if kind in _DRAWINGS else _PHOTO
    encoded = image.jpegsave_buffer(**options)
    while len(encoded) > max_bytes and options["Q"] > 20:
        options = {**options, "Q": options["Q"] - 20}
        encoded = image.jpegsave_buffer(**options)
    notes = " ".join(part for part in (picture.note, note) if part)
    return Picture(
        bytes(encoded),
        "image/jpeg",
        picture.width,
        picture.height,
        picture.embedded,
        notes,
        picture.media,
        picture.duration_seconds,
    )


def _believed(data: Any, kind: str, max_pixels: int, side: int) -> Decoded:
    """What the first reader sees; one flat colour from a file that holds much more than that is
    believed only if a second reader sees the same."""
    first, *others = _READERS[kind]
    try:
        picture = first(data, kind, max_pixels, side)
    except libvips.pyvips.Error:
        if kind != "image/tiff":
            raise
        return others[0](data, kind, max_pixels, side)
    if kind not in _COMPRESSED or not _is_flat(picture, len(data)):
        return picture
    try:
        second = others[0](data, kind, max_pixels, side)
    except (IndexError, OSError, ValueError, libvips.pyvips.Error) as error:
        raise PermanentError(
            "corrupt_image",
            "The image decodes to one flat colour, though its file holds much more than that. "
            "Save it again in another program.",
        ) from error
    return picture if _is_flat(second, len(data)) else second


def _is_flat(picture: Decoded, size: int) -> bool:
    if size < 16_384 + picture.width * picture.height // 64:
        return False
    return libvips.one_colour(picture.image)


def refusal(error: Exception) -> dict[str, str]:
    """Why a library could not decode an image, for the person who uploaded it."""
    text = str(error).strip()
    if re.search("out of memory|insufficient memory|allocat", text, re.IGNORECASE):
        return {"reason": "too_many_pixels", "message": TOO_LARGE}
    # The last line says most; what is in angle brackets is for programmers.
    lines = [line.strip() for line in text.splitlines() if "unable to call" not in line]
    detail = re.sub(r" ?<.*", "", lines[-1])[:120] if lines else "its structure is damaged"
    return {
        "reason": "corrupt_image",
        "message": f"The image cannot be decoded ({detail}). Upload it again, or save it in "
        "another program.",
    }


def _opaque(image: Any) -> tuple[Any, str]:
    """The picture on a background on which it can be seen, and what that background is."""
    if not image.hasalpha():
        return image, ""
    image = libvips.rgba(image)
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
