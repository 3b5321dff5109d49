"""Bytes -> a small upright sRGB JPEG. Runs in a decoder's process (see ``decoders``).

JPEG always, whatever the source: every model takes it, and a PNG of the same picture takes three
times the processor and more bytes, while tokens are the same.
"""

from __future__ import annotations

import array
import re
from typing import Any

from functions.core.document import Picture
from functions.pictures import libvips, pillow
from functions.pictures.kinds import SVG

TOO_LARGE = "Decoding the image takes more memory than there is. Save it with fewer pixels."
# Photos lose nothing that counts at 85; drawings keep their coloured edges.
_PHOTO: dict[str, Any] = {"Q": 85, "keep": "none"}
_DRAWING: dict[str, Any] = {"Q": 90, "keep": "none", "subsample_mode": "off"}
_DRAWINGS = {"image/png", "image/gif", "image/bmp", "image/x-icon", SVG}
_PILLOW = {"image/avif": ("AVIF",), "image/bmp": ("BMP",), "image/x-icon": ("ICO", "CUR")}


def decode(data: bytes, kind: str, max_pixels: int, side: int, max_bytes: int) -> Picture:
    """The picture, its longer side at most ``side``, as a JPEG of at most ``max_bytes``."""
    if kind == SVG:
        picture = libvips.draw(data, side)
    elif kind in ("image/heic", "image/heif"):
        picture = pillow.read_heif(data, max_pixels, side)
    elif kind == "image/jp2":
        picture = pillow.read_jpeg2000(data, max_pixels, side)
    elif kind in _PILLOW:
        picture = pillow.read(data, _PILLOW[kind], max_pixels, side)
    else:
        try:
            picture = libvips.read(data, kind, max_pixels, side)
        except libvips.pyvips.Error:
            if kind != "image/tiff":
                raise
            picture = pillow.read(data, ("TIFF",), max_pixels, side)
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
