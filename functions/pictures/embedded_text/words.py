"""What people wrote into an image file, brought into one form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from functions.core.document import EmbeddedText
from functions.core.plain_text import plain_line
from functions.pictures.embedded_text import exif, iptc, xmp
from functions.pictures.structure.survey import Survey

_LIMITS = {"alt_text": 1000, "caption": 2000, "title": 300}
# What cameras, phones and programs write where a person's words belong.
_MAKERS = (
    "acer|agfa\\w*|aiptek|benq|canon|casio|concord|epson|fuji\\w*|genius|hp|jenoptik|jvc|kodak|"
    "konica|kyocera|leica|medion|minolta|mustek|nikon|olympus|panasonic|pentax|polaroid|praktica|"
    "ricoh|rollei|samsung|sanyo|sharp|sony|toshiba|traveler|umax|vivitar|yakumo"
)
# Compiled for the first words in a file: it takes 3 ms of a cold start.
_BOILERPLATE = rf"""
    (?: (?:(?:{_MAKERS})\ )+ (?:optical\ )? (?:digital\ (?:still\ )?camera|dsc|camera|image)
      | digital\ camera | konica\ minolta.* | exif[_ ]?jpeg(?:[_ ].*)? | dcf\ \d.*
      | samsung\ camera\ pictures | maginon.* | <digimax.*
      | dc\d{{3,}} | dcim\S* | dig\S*cam\S* | default | untitled(?:[-_ ]?\d+)? | image | img | photo
      | picture | screenshot | description | title | none | null | n/a | unknown | test | caption
      | slide\ ?\d+ | powerpoint\ presentation | microsoft\ (?:word|powerpoint|office|excel)\b.*
      | charset="?ascii"?.* | ascii | unicode | binary\ comment | <\w+> | \[no\ description\]
      | (?:img|dsc|dscn|dscf|pict|pxl|mvimg|p)[-_ ]?\d[\w-]* (?:\.\w{{3,4}})?
      | [\w ()-]+ \.(?:jpe?g|png|gif|tiff?|psd|ai|indd|svg|eps|webp|heic)
      # modes of phones' cameras
      | (?:cof|dav|oznor|ozedf|sdr|hdr|hdrpl|rbt|bst|bty|ptr|rpt|rhdr|vhdr|fbt|mde|svs|hrh|qrf|edf
          |nor|tmm|ptf|btf|srgb|vivo)(?:co)?(?:_[a-z]*)?
      # programs' names and records
      | (?:file\ )?(?:created|written|generated|edited|optimi[sz]ed|compressed|processed|scanned)
          \ (?:with|by|using)\ .*
      | (?:software|creator|encoder|version)\ ?:.* | applemark | ducky | lavc\d.* | jfif.*
      | (?:picasa|gimp|imagemagick|graphicsmagick|matplotlib|matlab|imagej|xv|camscanner|paint\.net
          |adobe\ \w+|macromedia\ \w+|lead\ technologies|handmade\ software|intel\(r\)\ jpeg)
          (?:[\ =,:]?(?:version|inc\.?|cs\d|cc)?[\ =]?v?[\d.]*\w?(?:\ .{{0,3}}\d.*)?|\ library.*)
      | (?:matplotlib|imagemagick|xv|gimp)\ version\ ?\d.*
      | (?:[\w.:-]++=\S*+\s*+)++ | imagej=.*
      | [\[{{]\s*+["'{{\[\d].* | <(?:\?xml|!--|!doctype|ome\b|[\w-]+:\w).*
      | (?:https?|ftp|file)://\S+ | www\.\S+ | [a-z]:\\\S.* | (?:/[\w.-]+){{2,}}/?
      | [0-9a-f]{{16,}} | [0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}
      | \d{{4}}[\d:/. TZ+-]* | \W* | [\d\W]+ )"""


def read(found: Survey) -> EmbeddedText:
    """The best of all places: the accessibility fields of IPTC's photo metadata before the
    captions of XMP, those before IPTC-IIM, EXIF and PNG's keywords. The language is the first
    one's; of the others, none that is said to be in another language is taken."""
    if not (found.exif or found.xmp or found.iptc or found.texts):
        return EmbeddedText()
    packet = xmp.texts(found.xmp)
    press = iptc.texts(found.iptc)
    camera = exif.texts(found.exif)
    png = found.texts
    press_language = str(press.get("language", ""))
    chosen = _Chosen()
    alt_text = chosen.first("alt_text", packet.get("alt_text", []))
    caption = chosen.first(
        "caption",
        packet.get("extended", []),
        packet.get("description", []),
        [(press_language, press.get("caption"))],
        [("", camera.get("description"))],
        [("", camera.get("comment"))],
        [("", camera.get("subject"))],
        [("", png.get("Description"))],
    )
    title = chosen.first(
        "title",
        packet.get("title", []),
        [(press_language, press.get("headline"))],
        [(press_language, press.get("title"))],
        [("", camera.get("title"))],
        [("", png.get("Title"))],
    )
    return EmbeddedText(alt_text, caption, title, chosen.language)


class _Chosen:
    """Texts that go together."""

    def __init__(self) -> None:
        self.language = ""
        self._begun = False

    def first(self, field: str, *sources: Sequence[tuple[str, str | bytes | None]]) -> str:
        """The first place's text that is a person's: in the language of the texts before, else in
        one that is not told. Empty where all are in others."""
        for alternatives in sources:
            texts = []
            for tag, text in alternatives:
                tidied = tidy(text, _LIMITS[field]) if text else ""
                if tidied:
                    texts.append((_language(tag), tidied))
            if self.language:
                texts.sort(key=lambda each: not self._is_same(each[0]))
            for language, text in texts:
                if not (self.language and language) or self._is_same(language):
                    self.language = self.language if self._begun else language
                    self._begun = True
                    return text
        return ""

    def _is_same(self, language: str) -> bool:
        return language.partition("-")[0].lower() == self.language.partition("-")[0].lower()


def tidy(text: str | bytes, limit: int) -> str:
    """One line of Unicode, within ``limit``; empty where it is a machine's boilerplate."""
    if isinstance(text, bytes):
        text = _decoded(text.rstrip(b"\0"))
    text = text[: 4 * limit].split("\0")[0].replace("\ufffd", "")
    text = plain_line(text, limit + 1)
    if re.fullmatch(_BOILERPLATE, text, re.VERBOSE | re.IGNORECASE | re.DOTALL):
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
