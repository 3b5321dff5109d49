"""Moments side by side in one picture, each with its time below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from functions.pictures.decoding.moments import Moment

_GAP, _STRIP = 8, 28
_GROUND, _INK = (64, 64, 64), (255, 255, 255)
# Pixels of a moment's longer side, and the seconds below which tenths are told.
_LEAST, _BRIEF = 240, 10.0


def compose(moments: Sequence[Moment], side: int) -> Any:
    """The sheet, a Pillow image in RGB or RGBA whose longer side is at most ``side``: in reading
    order, the time on the strip below each. One moment is shown alone, without its time."""
    from PIL import Image, ImageDraw, ImageFont

    images = [each.image for each in moments]
    width, height = images[0].size
    if len(images) == 1:
        return _fitted(images[0], side, side)
    columns, scale = _grid(len(images), width, height, side)
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    rows = math.ceil(len(images) / columns)
    mode = "RGBA" if any(each.mode == "RGBA" for each in images) else "RGB"
    ground = (*_GROUND, 255)[: len(mode)]
    size = (columns * (width + _GAP) - _GAP, rows * (height + _STRIP + _GAP) - _GAP)
    sheet = Image.new(mode, size, ground)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_STRIP - 8)
    for index, each in enumerate(moments):
        left = index % columns * (width + _GAP)
        top = index // columns * (height + _STRIP + _GAP)
        sheet.paste(each.image.resize((width, height), Image.Resampling.LANCZOS), (left, top))
        told = clock(each.time, is_brief(moments))
        draw.text((left + 4, top + height + 2), told, fill=_INK, font=font)
    return sheet


def said(moments: Sequence[Moment], what: str, seconds: float) -> str:
    """What the sheet of these moments is, in words; ``what`` is a video or an animation."""
    length = f"of {duration(seconds)}" if seconds else "of unknown length"
    if len(moments) == 1:
        return f"One moment of one {what} {length}, in which nothing else is to be seen."
    brief = is_brief(moments)
    at = ", ".join(clock(each.time, brief) for each in moments)
    return (
        f"A contact sheet of {len(moments)} moments of one {what} {length}, in reading order, at "
        f"{at}; the time of each stands on the grey strip below it."
    )


def clock(seconds: float, tenths: bool = False) -> str:
    """A time as players show it: 0:07, 12:34, 1:02:03; with ``tenths`` 0:07.3."""
    if tenths:
        return f"{int(seconds) // 60}:{int(seconds * 10) / 10 % 60:04.1f}"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def is_brief(moments: Sequence[Moment]) -> bool:
    """Whether the times of these moments are told in tenths of seconds."""
    return moments[-1].time < _BRIEF


def _grid(count: int, width: int, height: int, side: int) -> tuple[int, float]:
    """How many columns make the moments largest, and their scale. Small ones are enlarged, so
    that there is room for the time."""
    largest = max(1.0, _LEAST / max(width, height))

    def scale(columns: int) -> float:
        rows = math.ceil(count / columns)
        across = (side - (columns - 1) * _GAP) / (columns * width)
        down = (side - rows * (_STRIP + _GAP)) / (rows * height)
        return max(min(across, down, largest), 1 / max(width, height))

    def longer_side(columns: int) -> float:
        return scale(columns) * max(columns * width, math.ceil(count / columns) * height)

    columns = max(range(1, count + 1), key=lambda each: (scale(each), -longer_side(each)))
    return columns, scale(columns)


def duration(seconds: float) -> str:
    """A length in words: 4.2 s, 12 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        parts = (minutes, "min"), (rest, "s")
    else:
        parts = (minutes // 60, "h"), (minutes % 60, "min")
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _fitted(image: Any, width: int, height: int) -> Any:
    image = image.copy()
    image.thumbnail((width, height))
    return image
