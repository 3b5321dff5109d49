"""Sample pictures, drawn here so that nobody's rights are touched, and files beside them that a
bucket gets as well: half a picture, an error page saved as one, an empty file, a text."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ORIENTATION = 0x0112
SKY, DUSK, SUN = (120, 186, 232), (250, 222, 180), (255, 208, 74)
HILLS = ((122, 168, 116), (84, 138, 88), (50, 100, 66))
INK, PAPER, STREET = (33, 37, 41), (250, 249, 246), (22, 74, 156)
BARS = (("Spring", 32), ("Summer", 58), ("Autumn", 41), ("Winter", 19))


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to draw, and the status its document must end in (``skipped``: no document)."""

    name: str
    status: str
    draw: Callable[[], bytes]


def landscape() -> bytes:
    """Hills under a low sun."""
    image = _faded((1200, 800), SKY, DUSK)
    pen = ImageDraw.Draw(image)
    pen.ellipse((820, 190, 980, 350), SUN)
    for number, colour in enumerate(HILLS):
        ground = 480 + 110 * number
        crest = [
            (x, ground - 70 * math.sin(x / (170 + 60 * number) + 1.7 * number))
            for x in range(0, 1210, 10)
        ]
        pen.polygon([(0, 800), *crest, (1200, 800)], colour)
    return _jpeg(image)


def street_sign() -> bytes:
    """A blue street sign whose words are the point of the picture."""
    image = _faded((1000, 700), (206, 212, 218), (233, 236, 239))
    pen = ImageDraw.Draw(image)
    pen.rectangle((488, 260, 512, 700), (73, 80, 87))
    pen.rounded_rectangle((120, 170, 880, 390), 24, STREET, "white", 8)
    _write(pen, (500, 250), "Lindenallee", 96, "white")
    _write(pen, (500, 340), "12-48", 48, "white")
    return _jpeg(image)


def bar_chart() -> bytes:
    """A chart with a title, labels and figures."""
    image = Image.new("RGB", (1000, 700), "white")
    pen = ImageDraw.Draw(image)
    _write(pen, (500, 60), "Visitors by season, in thousands", 44, INK)
    for number, (label, value) in enumerate(BARS):
        left = 130 + 200 * number
        pen.rectangle((left, 600 - 7 * value, left + 140, 600), (47, 128, 137))
        _write(pen, (left + 70, 575 - 7 * value), str(value), 36, INK)
        _write(pen, (left + 70, 635), label, 34, INK)
    pen.line((90, 600, 910, 600), INK, 4)
    return _png(image)


def phone_photo() -> bytes:
    """A lighthouse as a phone stores a portrait photo: sideways, with a note to turn it."""
    image = _faded((750, 1000), SKY, (216, 236, 246))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 820, 750, 1000), (38, 96, 138))
    pen.polygon([(320, 860), (345, 330), (405, 330), (430, 860)], PAPER)
    for top in (400, 560, 720):
        lean = 25 * (860 - top) / 530
        pen.polygon(
            [
                (320 + lean, top),
                (430 - lean, top),
                (434 - lean, top + 80),
                (316 + lean, top + 80),
            ],
            (196, 49, 46),
        )
    pen.rectangle((338, 262, 412, 330), SUN, INK, 6)
    pen.polygon([(325, 262), (375, 205), (425, 262)], (196, 49, 46))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return _jpeg(image.transpose(Image.Transpose.ROTATE_90), exif=exif.tobytes())


def logo() -> bytes:
    """A mark and a name on nothing at all."""
    image = Image.new("RGBA", (640, 240), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for angle in range(0, 360, 60):
        x, y = (120 + 58 * turn(math.radians(angle)) for turn in (math.cos, math.sin))
        pen.ellipse((x - 40, y - 40, x + 40, y + 40), (214, 92, 58, 255))
    pen.ellipse((86, 86, 154, 154), (255, 208, 74, 255))
    _write(pen, (410, 120), "marigold", 92, (60, 42, 33, 255))
    return _png(image)


def divider() -> bytes:
    """A strip of colour between two paragraphs; it says nothing."""
    image = _faded((48, 1200), (238, 240, 255), (214, 92, 140))
    return _png(image.transpose(Image.Transpose.ROTATE_90))


def described() -> bytes:
    """A still life whose alt text a person wrote into the file (XMP, as photo tools do)."""
    image = _faded((900, 700), (240, 230, 214), (214, 196, 168))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 520, 900, 700), (134, 94, 60))
    pen.rounded_rectangle((250, 330, 500, 570), 40, (236, 238, 240), (173, 181, 189), 4)
    pen.arc((450, 370, 570, 510), 270, 90, (200, 205, 210), 22)
    pen.ellipse((270, 310, 480, 370), (92, 58, 38))
    pen.ellipse((640, 460, 760, 575), (208, 58, 44))
    pen.line((700, 462, 712, 425), (80, 56, 36), 8)
    return _jpeg(image, xmp=Path(__file__).with_name("described.xmp").read_bytes())


def broken() -> bytes:
    """An upload that was cut short."""
    return landscape()[:12_000]


def error_page() -> bytes:
    """What a broken download leaves behind under a picture's name."""
    return b"<!doctype html><title>502</title><h1>Bad gateway</h1>\n"


SAMPLES = (
    Sample("landscape.jpg", "captioned", landscape),
    Sample("street sign.jpg", "captioned", street_sign),
    Sample("charts/visitors.png", "captioned", bar_chart),
    Sample("phone/IMG_0412.jpg", "captioned", phone_photo),
    Sample("logo.png", "captioned", logo),
    Sample("divider.png", "captioned", divider),
    Sample("described.jpg", "captioned", described),
    Sample("broken.jpg", "rejected", broken),
    Sample("error page.jpg", "rejected", error_page),
    Sample("empty.png", "rejected", lambda: b""),
    Sample("notes.txt", "skipped", lambda: b"Buy film. Ask Ada about the lighthouse.\n"),
)


def draw_into(folder: Path) -> None:
    """Put the samples into ``folder``; a file that is there already stays as it is."""
    for sample in SAMPLES:
        path = folder / sample.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(sample.draw())


def _faded(size: tuple[int, int], top: tuple[int, ...], bottom: tuple[int, ...]) -> Image.Image:
    """A picture that goes from one colour at its top to another at its bottom."""
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def _write(
    pen: ImageDraw.ImageDraw,
    middle: tuple[int, float],
    text: str,
    size: int,
    colour: str | tuple[int, ...],
) -> None:
    pen.text(middle, text, fill=colour, font=_font(size), anchor="mm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _jpeg(image: Image.Image, **extra: bytes) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88, **extra)
    return file.getvalue()


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
