"""SVG before it is drawn: unpacked, in one encoding, and its words."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from xml.parsers import expat

from functions.core.document import EmbeddedText
from functions.core.errors import PermanentError
from functions.pictures.decoding.html_labels import HtmlLabels
from functions.pictures.embedded_text import words

MAX_TEXT = 10 << 20
MAX_DEPTH = 200
MAX_ELEMENTS = 200_000

# In the first 200 characters only: what looks like a declaration elsewhere is none.
_ENCODING = re.compile(r"""^(\ufeff?<\?xml[^>]*?)\sencoding=["']([\w.:-]*)["']""", re.ASCII)
# Of those, older programs' encodings that librsvg does not read.
_OLD = re.compile(
    r"(?:windows-|cp)12\d\d|koi8-[ru]|iso-8859-\d+|macintosh|shift_jis|euc-(?:jp|kr)|iso-2022-jp"
    r"|gbk|gb2312|gb18030|big5",
    re.I,
)


# Pictures inside that librsvg draws here: no other files, and of formats PNG, JPEG and SVG.
_SHOWN = re.compile(r"#|data:(?!image/(?:gif|webp|avif|bmp|tiff|x-icon))", re.I)
# Of the root's style; of a colour for light and one for dark pages, the first.
_GROUND = re.compile(
    r"background(?:-color)?\s*:\s*(?:light-dark\(\s*)?(#?\w{1,20}(?:\([\d\s,.%/]{1,40}\))?)",
    re.ASCII,
)


def plain(data: bytes) -> bytes:
    """A packed file, and one in UTF-16 or an older encoding, as UTF-8; within MAX_TEXT."""
    if data[:2] == b"\x1f\x8b":
        inflator = zlib.decompressobj(31)
        try:
            data = inflator.decompress(data, MAX_TEXT + 1)
        except zlib.error as error:
            raise PermanentError(
                "corrupt_image", "The packed SVG cannot be unpacked. Upload it again."
            ) from error
    if len(data) > MAX_TEXT:
        raise _too_complex()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _in_utf_8(data.decode("utf-16", "replace"))
    declared = _ENCODING.match(data[:200].decode("latin-1"))
    if declared and _OLD.fullmatch(declared[2]):
        return _in_utf_8(data.decode(declared[2], "replace"))
    return data


def _in_utf_8(text: str) -> bytes:
    return (_ENCODING.sub(r"\1", text[:200]) + text[200:]).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing as it can be shown: its own words (``aria-label``, ``title`` and ``desc`` of its
    root), what of it is not shown, and the colour of the ground that it asks for, as in CSS."""

    data: bytes
    embedded: EmbeddedText
    note: str
    ground: str


def checked(data: bytes) -> Drawing:
    """What a drawing shows.

    Raises PermanentError for what no honest drawing has: entities of entities, thousands of
    levels or very many elements. A renderer would follow them until it is out of stack or time.
    """
    parser = expat.ParserCreate()
    reader = _SvgReader(HtmlLabels(parser))
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise PermanentError(
            "corrupt_image", f"The SVG is not well-formed XML ({error}). Save it again."
        ) from error
    except (ValueError, LookupError) as error:
        raise PermanentError(
            "corrupt_image", "The SVG's encoding is not known. Save it as UTF-8."
        ) from error
    found = EmbeddedText(
        alt_text=words.tidy(reader.words.get("aria-label", ""), 1000),
        caption=words.tidy(reader.words.get("desc", ""), 2000),
        title=words.tidy(reader.words.get("title", ""), 300),
    )
    note = "Not all pictures in it are shown." if reader.lacks else ""
    return Drawing(reader.labels.drawn(data), found, note, reader.ground)


class _SvgReader:
    def __init__(self, labels: HtmlLabels) -> None:
        self.labels, self.lacks, self.ground = labels, False, ""
        self.words: dict[str, str] = {}
        self._depth = 0
        self._elements = 0
        self._open = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _too_complex()
        local = name.rpartition(":")[2]
        self.labels.start(local, attributes)
        address = attributes.get("href") or attributes.get("xlink:href", "")
        self.lacks |= local == "image" and not _SHOWN.match(address)
        if self._depth == 1 and (found := _GROUND.search(attributes.get("style", ""))):
            self.ground = found[1]
        if self._depth == 1 and "aria-label" in attributes:
            self.words["aria-label"] = attributes["aria-label"]
        if self._depth == 2 and local in ("title", "desc") and local not in self.words:
            self._open = local

    def end(self, name: str) -> None:
        self.labels.end()
        self._depth -= 1
        if self._depth == 1:
            self._open = ""

    def text(self, text: str) -> None:
        self.labels.text(text)
        if self._open and len(self.words.get(self._open, "")) < 8192:
            self.words[self._open] = self.words.get(self._open, "") + text

    def entity(
        self,
        name: str,
        is_parameter: bool,
        value: str | None,
        base: str | None,
        system: str | None,
        public: str | None,
        notation: str | None,
    ) -> None:
        # Illustrator declares its namespaces as entities; those refer to nothing.
        if value is None or is_parameter or "&" in value or "%" in value or len(value) > 1024:
            raise PermanentError(
                "unsupported_type",
                "The SVG declares entities that refer to others or to files. Save it without.",
            )


def _too_complex() -> PermanentError:
    return PermanentError(
        "too_many_pixels",
        f"The SVG is larger than {MAX_TEXT >> 20} MiB, deeper than {MAX_DEPTH} levels or has more "
        f"than {MAX_ELEMENTS} elements. Upload it as a PNG.",
    )
