"""No model: what can be known of an image without understanding it, for work without a key."""

from __future__ import annotations

import colorsys
import io
import json
from collections.abc import Iterable

from PIL import Image

from functions.core.document import Accepts, Answer, Media, Picture, Prompt
from functions.core.errors import ConfigurationError

_SIDE = 64
_SHARE = 0.15
_HUES = (
    (15, "red"),
    (42, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "turquoise"),
    (260, "blue"),
    (290, "purple"),
    (340, "pink"),
    (361, "red"),
)


class OfflineCaptioner:
    """A Captioner that names format, orientation, size and main colours, in English.

    A title that stands in the file becomes the alt text. Every caption asks for review.
    """

    model = "offline"
    accepts = Accepts(frozenset({"image/jpeg", "image/png", "image/webp"}), 2**31, 1024)

    def __init__(self, model: str = "", timeout_seconds: float = 0) -> None:
        """Neither matters: it is always the same, and at once."""

    def describe(self, picture: Picture | None, prompt: Prompt) -> Answer:
        if picture is None:
            raise ConfigurationError(
                "CAPTION_MODEL=offline translates nothing; choose a model, such as "
                "CAPTION_MODEL=gemini:gemini-3.5-flash-lite, and set its key"
            )
        colours = _main_colours(picture.data)
        looks = (
            f"{_orientation(picture.width, picture.height)} {_kind(picture)}, "
            f"{picture.width} by {picture.height} pixels, mostly {' and '.join(colours)}"
        )
        reply = {
            "visible_text": "",
            "caption": f"{picture.embedded.caption or picture.embedded.title or looks}",
            "alt_text": picture.embedded.title or looks,
            "decorative": False,
            "tags": list(colours),
        }
        return Answer(json.dumps(reply), language="en", review="offline")

    def close(self) -> None:
        """There is nothing to let go of."""


def _kind(picture: Picture) -> str:
    """What the stored file is: a picture, or how long a video or an animation is."""
    if picture.media is Media.IMAGE:
        return "picture"
    seconds = picture.duration_seconds
    return f"{picture.media} of {seconds:.0f} seconds" if seconds else str(picture.media)


def _orientation(width: int, height: int) -> str:
    if width == height:
        return "Square"
    return "Landscape" if width > height else "Portrait"


def _main_colours(data: bytes) -> tuple[str, ...]:
    """One or two colour words, the one that covers most first."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (_SIDE, _SIDE))
        small = image.convert("RGB").resize((_SIDE, _SIDE))
    counts: dict[str, int] = {}
    for colour in _pixels(small):
        name = _named(*colour)
        counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    enough = [name for name in ranked[:2] if counts[name] >= _SHARE * _SIDE * _SIDE]
    return tuple(enough or ranked[:1])


def _pixels(image: Image.Image) -> Iterable[tuple[int, int, int]]:
    data = image.tobytes()
    return zip(data[0::3], data[1::3], data[2::3], strict=True)


def _named(red: int, green: int, blue: int) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if lightness > 0.93:
        return "white"
    if lightness < 0.08:
        return "black"
    if saturation < 0.12:
        return "grey"
    name = next(name for end, name in _HUES if hue * 360 < end)
    return "brown" if name == "orange" and lightness < 0.45 else name
