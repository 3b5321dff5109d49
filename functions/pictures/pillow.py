"""Pillow and libheif: what libvips's wheel does not read, or reads slowly."""

from __future__ import annotations

import io
from typing import Any

from functions.pictures import words
from functions.pictures.libvips import Decoded, bounded, pyvips, shrunk
from functions.pictures.survey import Survey


def read_heif(data: bytes, max_pixels: int, side: int) -> Decoded:
    import pi_heif  # type: ignore[import-untyped]

    # libheif turns and mirrors as irot and imir say; the EXIF orientation does not count.
    file = pi_heif.open_heif(data)
    pixels = file[file.primary_index]
    width, height = pixels.size
    bounded(width, height, max_pixels)
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(pixels.mode)
    if bands is None:
        return _from_pillow(pixels.to_pillow(), side)
    # Rows may be padded: read them as bytes, cut them to the width, fold bytes into pixels.
    rows = pyvips.Image.new_from_memory(pixels.data, pixels.stride, height, 1, "uchar")
    image = rows.crop(0, 0, width * bands, height).bandfold(factor=bands)
    image = image.copy(interpretation="srgb" if bands >= 3 else "b-w")
    return Decoded(shrunk(image, pixels.info.get("icc_profile"), side), width, height)


def read(data: bytes, formats: tuple[str, ...], max_pixels: int, side: int) -> Decoded:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data), formats=formats) as image:
        bounded(*image.size, max_pixels)
        return _from_pillow(image, side)


def read_jpeg2000(data: bytes, max_pixels: int, side: int) -> Decoded:
    """JPEG 2000 stores halvings of itself; reading a half takes a quarter of time and memory."""
    from PIL import Image

    image: Any
    with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as image:
        width, height = image.size
        bounded(width, height, max_pixels)
        halvings = (max(width, height) // side).bit_length() - 1
        try:
            image.reduce = max(0, halvings)
            image.load()
            picture = _from_pillow(image, side)
        except OSError:  # most likely it has fewer halvings
            if halvings < 1:
                raise
            return read(data, ("JPEG2000",), max_pixels, side)
    picture.width, picture.height = width, height
    return picture


def _from_pillow(image: Any, side: int) -> Decoded:
    width, height = image.size
    frames = getattr(image, "n_frames", 1)
    info = image.info
    embedded = words.read(
        Survey(exif=(info.get("exif") or b"").removeprefix(b"Exif\0\0"), xmp=info.get("xmp") or b"")
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
    decoded = Decoded(shrunk(pixels, info.get("icc_profile"), side), width, height, note)
    decoded.embedded = embedded
    return decoded
