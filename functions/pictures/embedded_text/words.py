"""What people wrote into an image file, brought into one form."""

from __future__ import annotations

import re

from functions.core.document import EmbeddedText
from functions.core.plain_text import plain_line
from functions.pictures.embedded_text import exif, iptc, xmp
from functions.pictures.structure.survey import Survey

_LIMITS = {"alt_text": 1000, "caption": 2000, "title": 300}
# What cameras, phones and programs write where a person's words belong.
_BOILERPLATE = re.compile(
    r"""
    (?: olympus\ digital\ camera | minolta\ digital\ camera | konica\ minolta.* | sony\ dsc
      | kodak\ digital\ still\ camera | digital\ camera | exif[_ ]jpeg[_ ](?:picture|t\d+)
      | samsung(?:\ (?:digital\ camera|camera\ pictures))? | maginon.* | jvc\ camera
      | dc\d{3,} | dcim\S* | dig\S*cam\S* | default | untitled(?:[-_ ]?\d+)? | image | img | photo
      | picture | screenshot | description | title | none | null | n/a | unknown | test
      | charset="?ascii"? .* | ascii | unicode | <\w+> | \[no\ description\]
      | (?:img|dsc|dscn|dscf|pict|pxl|mvimg|p)[-_ ]?\d[\w-]* (?:\.\w{3,4})?
      | [\w ()-]+ \.(?:jpe?g|png|gif|tiff?|psd|ai|indd|svg|eps|webp|heic)
      | (?:file\ )?(?:created|written|generated|edited)\ (?:with|by|using)\ .*
      | \W* | \d+ )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def read(found: Survey) -> EmbeddedText:
    """The best of all places: the accessibility fields of IPTC's photo metadata before the
    captions of XMP, those before IPTC-IIM, EXIF and PNG's keywords."""
    if not (found.exif or found.xmp or found.iptc or found.texts):
        return EmbeddedText()
    packet = xmp.texts(found.xmp)
    press = iptc.texts(found.iptc)
    camera = exif.texts(found.exif)
    png = found.texts
    caption, language = _first(
        "caption",
        packet.get("extended"),
        packet.get("description"),
        (press.get("caption"), ""),
        (camera.get("description"), ""),
        (camera.get("comment"), ""),
        (camera.get("subject"), ""),
        (png.get("Description"), ""),
    )
    title, title_language = _first(
        "title",
        packet.get("title"),
        (press.get("headline"), ""),
        (press.get("title"), ""),
        (camera.get("title"), ""),
        (png.get("Title"), ""),
    )
    alt_text, alt_language = _first("alt_text", packet.get("alt_text"))
    return EmbeddedText(alt_text, caption, title, alt_language or language or title_language)


def _first(field: str, *candidates: tuple[str | bytes | None, str] | None) -> tuple[str, str]:
    for candidate in candidates:
        if candidate and candidate[0]:
            text = tidy(candidate[0], _LIMITS[field])
            if text:
                return text, _language(candidate[1])
    return "", ""


def tidy(text: str | bytes, limit: int) -> str:
    """One line of Unicode, within ``limit``; empty where it is a machine's boilerplate."""
    if isinstance(text, bytes):
        text = _decoded(text.rstrip(b"\0"))
    text = plain_line(text[: 4 * limit].split("\0")[0].replace("\ufffd", ""), 4 * limit)
    if _BOILERPLATE.fullmatch(text):
        return ""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _decoded(raw: bytes) -> str:
    """UTF-8 where it is valid UTF-8, for hardly any other text is; else Windows' Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _language(tag: str) -> str:
    return tag if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}", tag) else ""
