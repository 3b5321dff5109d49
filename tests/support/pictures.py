"""Pictures for the tests, drawn here."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw


def jpeg(seed: int = 0, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A small JPEG; another ``seed`` makes other bytes."""
    return _encoded(_drawn(seed, size), "JPEG", **options)


def png(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    return _encoded(_drawn(seed, size), "PNG")


def webp(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    return _encoded(_drawn(seed, size), "WEBP")


def tiff(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    return _encoded(_drawn(seed, size), "TIFF")


def _drawn(seed: int, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, 160))
    ImageDraw.Draw(image).ellipse((4, 4, size[0] - 4, size[1] - 4), fill=(250, 200, seed % 256))
    return image


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
