"""A page's bytes as text, so that the text gives the same bytes again.

The encoding is what a browser would take it for: https://encoding.spec.whatwg.org and
https://html.spec.whatwg.org/#determining-the-character-encoding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_SAME = "cp866 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 "
_SAME += "iso8859-13 iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u mac-roman mac-cyrillic cp874 "
_SAME += "cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 gb18030 euc_jp utf-8"
# Python's name of what a page declares -> Python's name of what browsers read it as. Encodings
# with a state, in which a byte's meaning depends on those before it, are left out.
_BROWSERS: Mapping[str, str] = {name: name for name in _SAME.split()} | {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "cp932": "cp932",
    "euc_kr": "cp949",
    "cp949": "cp949",
}
# Browsers look for it in the first 1,024 bytes, and some somewhat further.
_HEAD = 4096
# What declares it, in a meta element or in XML's declaration; comments declare nothing.
_COMMENT = re.compile(rb"<!--.*?-->", re.S)
_DECLARED = re.compile(
    rb"""<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)|\A<\?xml\b[^>]*?\bencoding\s*=\s*["']([\w.:-]+)""",
    re.I,
)


class NotText(ValueError):
    """The bytes cannot be read as text and written again; the message says why."""


@dataclass(frozen=True, slots=True)
class Text:
    """What the bytes say. ``mark`` is the byte order mark before it."""

    text: str
    codec: str
    mark: bytes = b""
    ascii_only: bool = False

    def encode(self, text: str) -> bytes:
        """The bytes of ``text``, in this encoding and after the same mark."""
        return self.mark + text.encode(self.codec)

    def references(self, text: str) -> str:
        """``text`` with numeric references for what the page's encoding lacks; where nobody has
        said which encoding that is, for all that is not ASCII."""
        codec = "ascii" if self.ascii_only else self.codec
        return text.encode(codec, "xmlcharrefreplace").decode(codec)


def decode(data: bytes) -> Text:
    """Read a page. Raises NotText if writing it again could change a byte."""
    mark = next((each for each in _MARKS if data.startswith(each)), b"")
    body = data[len(mark) :]
    declared = _MARKS.get(mark) or _declared(body)
    if declared:
        codec, ascii_only = declared, False
    else:
        utf8 = _is(body, "utf-8")
        codec, ascii_only = "utf-8" if utf8 else "cp1252", body.isascii() or not utf8
    try:
        text = body.decode(codec)
        same = text.encode(codec) == body
    except UnicodeError as error:
        if not declared:
            raise NotText("is not UTF-8 and declares no encoding; save it as UTF-8") from None
        at = f" at byte {len(mark) + error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise NotText(f"is not {codec}{at}; save it in the encoding that it declares") from None
    if not same:
        raise NotText(f"has characters that {codec} writes in two ways; save it as UTF-8")
    if "\0" in text:
        raise NotText("has NUL characters, as programs and UTF-16 without a byte order mark have")
    return Text(text, codec, mark, ascii_only)


def _declared(body: bytes) -> str:
    found = _DECLARED.search(_COMMENT.sub(b"", body[:_HEAD]))
    if not found:
        return ""
    label = (found[1] or found[2]).decode("ascii", "replace")
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    if name not in _BROWSERS:
        raise NotText(f"is in {label}, which cannot be changed in one place only; save it as UTF-8")
    return _BROWSERS[name]


def _is(body: bytes, codec: str) -> bool:
    try:
        body.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
