"""A page's bytes as text, so that the text gives the same bytes again.

The encoding is what a browser would take it for: https://encoding.spec.whatwg.org and
https://html.spec.whatwg.org/#determining-the-character-encoding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import webencodings

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Python's name of an encoding, where browsers read another one under the label.
_BROWSERS = {
    "gbk": "gb18030",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
    "x-user-defined": "cp1252",
}
# In which a byte's meaning depends on those before it, or nothing can be written.
_STATEFUL = ("iso2022_jp", "replacement")
# Browsers look for it in the first 1,024 bytes, and where a head is longer somewhat further.
_HEAD = 4096
_SPACE = rb"[\t\n\x0c\r ]"
_META = re.compile(rb"<meta(?=[\t\n\x0c\r /])", re.I)
_TAG = re.compile(rb"</?[a-z]", re.I)
_OTHER = re.compile(rb"<[!/?]")
_NAME_END = re.compile(rb"[\t\n\x0c\r >]")
_ATTRIBUTE = re.compile(
    rb"[\t\n\x0c\r /]*(?P<name>=?[^=\t\n\x0c\r />]*)" + _SPACE + rb"*+(?:=" + _SPACE + rb"*+"
    rb"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|"""
    rb"""(?P<bare>[^\t\n\x0c\r >"'][^\t\n\x0c\r >]*|)))?"""
)
_CHARSET = re.compile(
    rb"charset" + _SPACE + rb"*=" + _SPACE + rb"*(?:\"([^\"]*)\"|'([^']*)'|([^\"';\s][^;\s]*))",
    re.I,
)
_XML = re.compile(rb"""<\?xml\b[^>]*?\bencoding\s*=\s*["']([^"'>]+)["']""", re.I)
# More NULs than this a hundred characters are another kind of file, or UTF-16 without a mark.
_MOST_NULS = 5


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
    if text.count("\0") * 100 > _MOST_NULS * len(text):
        raise NotText("has NUL characters, as programs and UTF-16 without a byte order mark have")
    return Text(text, codec, mark, ascii_only)


def _declared(body: bytes) -> str:
    """Python's name of the encoding that the page declares; empty if it declares none.

    What follows here is "prescan a byte stream to determine its encoding", of the HTML standard.
    """
    xml = _XML.match(body)
    for label in (*_labels(body[:_HEAD]), *([xml[1]] if xml else [])):
        if found := webencodings.lookup(label.decode("latin-1").strip("\t\n\x0c\r ")):
            name: str = found.codec_info.name
            if name in _STATEFUL:
                encoding = label.decode("ascii", "replace")
                raise NotText(
                    f"is in {encoding}, which cannot be changed in one place only; save it as UTF-8"
                )
            return _BROWSERS.get(name, name)
    return ""


def _labels(head: bytes) -> Iterator[bytes]:
    at = 0
    while (at := head.find(b"<", at)) >= 0:
        if head.startswith(b"<!--", at):
            end = head.find(b"-->", at + 2)
            at = end + 3 if end >= 0 else len(head)
        elif meta := _META.match(head, at):
            attributes, at = _attributes(head, meta.end())
            if label := _label(attributes):
                yield label
        elif _TAG.match(head, at):
            name = _NAME_END.search(head, at)
            at = _attributes(head, name.start())[1] if name else len(head)
        elif _OTHER.match(head, at):
            at = head.find(b">", at) + 1 or len(head)
        else:
            at += 1


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """Those of the tag that goes on at ``at``, the first of each name, and where it ends."""
    found: dict[bytes, bytes] = {}
    while at < len(head) and (each := _ATTRIBUTE.match(head, at)):
        value = next((each[kind] for kind in ("double", "single", "bare") if each[kind]), b"")
        if not each["name"]:
            break
        found.setdefault(each["name"].lower(), value)
        at = each.end()
    end = head.find(b">", at)
    return (found, end + 1) if end >= 0 else ({}, len(head))


def _label(attributes: dict[bytes, bytes]) -> bytes:
    if charset := attributes.get(b"charset"):
        return charset
    if attributes.get(b"http-equiv", b"").lower() != b"content-type":
        return b""
    found = _CHARSET.search(attributes.get(b"content", b""))
    return next((each for each in found.groups() if each), b"") if found else b""


def _is(body: bytes, codec: str) -> bool:
    try:
        body.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
