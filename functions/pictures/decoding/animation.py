"""Moments of animated GIF, WebP, PNG and AVIF, by Pillow."""

from __future__ import annotations

import io
import time
from typing import Any

from functions.core.document import Media
from functions.pictures.decoding import contact_sheet, moments
from functions.pictures.decoding.libvips import Decoded, bounded, pixels_of
from functions.pictures.decoding.moments import Moment

# Each frame stands on those before it: what is decoded to find the moments, in pixels and in
# seconds of the processor's time.
_MOST_PIXELS, _WORK_SECONDS = 200_000_000, 4.0
# Frames that are looked at; where there are more, every second one, every fourth ...
_LOOKS = 40
# Browsers show a frame that asks for 10 ms or less for 100 ms (WHATWG and their sources agree).
_SHORTEST_MS, _INSTEAD_MS = 10, 100


def read(data: bytes, formats: tuple[str, ...], limit: int, side: int) -> Decoded | None:
    """A contact sheet of an animation's moments, its longer side at most ``side``; None for a
    file of one frame.

    Raises OSError where a frame that is looked for is damaged.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data), formats=formats) as image:
        frames = getattr(image, "n_frames", 1) - int(getattr(image, "default_image", False))
        if frames < 2:
            return None
        bounded(*image.size, limit)
        seen, seconds = _moments(image, frames, max(1, side // 2))
        width, height = _turned(image, image.size)
    chosen = moments.chosen(seen)
    sheet = contact_sheet.compose(chosen, side)
    note = contact_sheet.said(chosen, "animation", seconds)
    picture = Decoded(pixels_of(sheet), width, height, note)
    picture.media, picture.duration_seconds = Media.ANIMATION, round(seconds, 3)
    return picture


def _moments(image: Any, frames: int, side: int) -> tuple[list[Moment], float]:
    """Frames from the beginning on, and the seconds that all take: what was not reached is taken
    to be as slow as what was. What an animated PNG shows where nothing can move is none of them."""
    first = int(getattr(image, "default_image", False))
    within = max(1, min(frames, _MOST_PIXELS // (image.width * image.height)))
    step = -(-within // _LOOKS)
    found: list[Moment] = []
    begun, shown = time.process_time(), 0.0
    for number in range(within):
        image.seek(first + number)
        if number % step == 0:
            found.append(moments.moment(shown, _frame(image, side)))
        shown += _milliseconds(image) / 1000
        if time.process_time() - begun > _WORK_SECONDS:
            within = number + 1
            break
    return found, shown * frames / within


def _milliseconds(image: Any) -> float:
    told = image.info.get("duration")
    if not isinstance(told, int | float) or told <= _SHORTEST_MS:
        return _INSTEAD_MS
    return min(float(told), 3_600_000.0)


def _frame(image: Any, side: int) -> Any:
    """The picture that is shown now, small and upright."""
    from PIL import ImageOps

    frame = image.convert("RGBA" if image.has_transparency_data else "RGB")
    frame.thumbnail((side, side))
    turned = image.getexif().get(0x0112, 1)
    if turned == 1:
        return frame
    frame.getexif()[0x0112] = turned
    return ImageOps.exif_transpose(frame)


def _turned(image: Any, size: tuple[int, int]) -> tuple[int, int]:
    return size[::-1] if image.getexif().get(0x0112, 1) >= 5 else size
